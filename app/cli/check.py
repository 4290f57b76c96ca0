"""`trialcpa check`: what the processes look at before they start, and an operator from time to time."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import click
from rich.console import Console

from api.lookout import WRITE_SECONDS
from api.readiness import Purpose
from api.status.memory_files import LARGEST_HEAD, Known, contents, read_known
from app.cli.options import home_option
from app.cli.shown import many
from app.house import House, home_of, open_house
from app.processes import told_authority, told_ready
from app.proxied import require_whole
from app.settings import load
from core.chain import GENESIS
from core.errors import JournalChanged, RendererUnfit, StoreWentBack, TrialCpaError
from core.instants import text
from core.kinds import HierarchyRole, ProcessRole
from core.renewal import ALARMS, Lasting
from jobs.evidence import links_behind
from jobs.recall import require_not_behind
from renderer.asking import FILTER, NETWORK, Renderer, Unshown
from store import dump
from store.reading import authority as reading
from store.reading import journal, watching, work
from store.reading.renewal import everything_lasting

_ROWS = 1_000

_ALIVE = timedelta(seconds=4 * WRITE_SECONDS)
"""How old web's last sign of life may be: one that the register is slow to take is left later."""

_RENDERER_SECONDS = 5.0

_SILENT = "The web process does not answer"


@click.command(epilog="\b\nExample:\n  trialcpa check --home /var/lib/trialcpa")
@home_option
@click.option("--keys", is_flag=True, help="Open the private keys too (as the authority's user).")
def check(home: Path | None, keys: bool) -> None:  # noqa: FBT001 - click
    """Look over settings, store, journal, approvals, keys and lists; exit with 1 if anything is wrong."""
    console = Console(highlight=False, soft_wrap=True)
    settings = load(home_of(home))
    console.print(f"[green]✓[/green] settings of {settings.home}")
    house = open_house(settings)
    console.print(f"[green]✓[/green] store {settings.store_url.split(':', 1)[0]}, revision {house.store.revision()}")
    wrong = 0
    for name, look in _LOOKS.items():
        if name == "keys" and not keys:
            continue
        try:
            for sentence in look(house):
                console.print(f"[green]✓[/green] {sentence}")
        except TrialCpaError as error:
            wrong += 1
            console.print(f"[red]✗[/red] {name}: {error} {error.hint}")
    ending = _ending(house)
    for sentence in (*(each.told(house.clock.now()) for each in ending), *_alarms(house, ending)):
        console.print(f"[yellow]![/yellow] {sentence}")
    raise SystemExit(1 if wrong else 0)


def _ending(house: House) -> list[Lasting]:
    """What has an end that somebody has to be told of now, by name: whoever is at the machine may know it."""
    now = house.clock.now()
    with house.store.read() as tx:
        found = everything_lasting(tx, now)
    return sorted((each for each in found if each.within(now) is not None), key=lambda one: one.ends)


def _alarms(house: House, ending: Sequence[Lasting]) -> Iterator[str]:
    """What the running service says is wrong; without one, what the register says that its processes noticed last.

    Args:
        house: the authority.
        ending: what has been told of already.
    """
    known = {ALARMS[each.what] for each in ending}
    other = _no_answer(house)
    found = None if other else told_ready(house.settings.host, house.settings.port, f"for={Purpose.WRITING.value}")
    if found is not None:
        for each in found.alarms:
            if each.code not in known:
                yield f"{each.code.value}, since {text(each.since)}: {each.sentence}"
        return
    with house.store.read() as tx:
        left = watching.alarms(tx)
    for one in left:
        yield f"{one.code.value}, since {text(one.since)}: {one.sentence}"
    yield f"{other or _SILENT}: what only it knows is not told here"


def _no_answer(house: House) -> str:
    """Return why whoever listens where this web process would is not it; empty if it is.

    A home that was restored has name, root and port of the one that it is a copy of. Which of them answers, the
    register tells: web leaves a sign of life in its own.
    """
    said = told_authority(house.settings.host, house.settings.port)
    if said is None:
        return _SILENT
    where = f"http://{house.settings.host}:{house.settings.port}"
    mine = hashlib.sha256(house.root()).hexdigest()
    if (said.name, said.root.sha256) != (house.row().name, mine):
        return f"The web process does not answer. On {where} is another authority, {said.name}, root {said.root.sha256}"
    with house.store.read() as tx:
        lived = watching.last_sign(tx, ProcessRole.WEB)
    if lived is None or abs(house.machine.now() - lived) > _ALIVE:
        return f"{where} answers for this authority and leaves no sign of life in this register (see {where}/readyz)"
    return ""


def _certificates(house: House) -> Iterator[str]:
    now = house.clock.now()
    with house.store.read() as tx:
        every = reading.certificates(tx)
    for each in every:
        state = "holds" if each.not_before <= now <= each.not_after else "no longer holds"
        yield f"{each.subject} {state} until {text(each.not_after)}"


def _lists(house: House) -> Iterator[str]:
    with house.store.read() as tx:
        for role in (HierarchyRole.ROOT, HierarchyRole.ISSUING):
            for each in reading.certificates(tx, role):
                last = work.last_crl(tx, each.key_id, with_bytes=False)
                if last is None:
                    yield f"{each.subject} has published no CRL yet; the authority process does it at its start"
                    continue
                held = many(last.entries, "entry", "entries")
                yield f"CRL {last.number} of {each.subject}: {held}, until {text(last.next_update)}"


def _journal(house: House) -> Iterator[str]:
    """The journal whole: what was copied without all of it ends early, or breaks."""
    number, digest = 0, GENESIS
    with house.store.read(whole=True) as tx:
        heads = journal.heads(tx)
        waiting = journal.count_unsealed(tx)
        while rows := journal.sealed_after(tx, number, _ROWS):
            for each, (found, computed) in zip(rows, links_behind(digest, rows), strict=True):
                if found != number + 1 or each.link != computed:
                    raise JournalChanged(number=number + 1)
                number, digest = found, computed
    covered = heads[-1].number if heads else 0
    if covered > number:
        raise StoreWentBack(found=number, sealed=covered)
    told = f"{many(len(heads), 'head')} to row {covered}, {many(waiting, 'fact')} unsealed"
    yield f"journal: rows 1 to {number} in unbroken order, {told}"
    yield from _served(house, number)


def _served(house: House, number: int) -> Iterator[str]:
    """What web processes of this machine have served before: a register behind that has lost something."""
    found = [_known(path) for path in sorted(house.settings.web_memory.glob("web-*.head"))]
    with house.store.read() as tx:
        key, restores = reading.authority_row(tx).journal_key, set(journal.restores(tx))
        # One that was left behind before a restore was accepted knows what that gave up.
        known = [each for each in found if each and each.journal_key == key and each.restores >= restores]
        for each in known:
            if each.head.number and journal.link_of(tx, each.head.number) != each.head.link:
                raise StoreWentBack(found=number, sealed=each.head.number)
    if known:
        yield f"what {many(len(known), 'web process', 'web processes')} served before is there"


def _known(path: Path) -> Known | None:
    try:
        return read_known(contents(path, LARGEST_HEAD))
    except (OSError, ValueError):
        return None  # another user's, or damaged: web itself tells of it


def _approvals(house: House) -> Iterator[str]:
    with house.store.read(whole=True) as tx:
        asked, granted, issued = (dump.counted(tx, name) for name in ("applications", "approvals", "certificates"))
    yield (f"{many(granted, 'approval')} with {many(issued, 'certificate')}, of {many(asked, 'application')}")


def _keys(house: House) -> Iterator[str]:
    from app.authority import open_authority  # noqa: PLC0415 - who looks without --keys opens none

    memory = open_authority(house).memory
    with house.store.read() as tx:
        require_not_behind(tx, memory)
    yield f"private keys in {house.settings.keys_dir}"
    newest = "the newest are as they were sealed (trialcpa memory check proves all)"
    yield f"memory of {many(memory.last, 'record')}; {newest}"


def _renderer(house: House) -> Iterator[str]:
    """Whoever draws evidence: that nobody is there is no fault; what somebody has not given up is one."""
    path = house.settings.renderer
    if path is None or not path.exists():
        yield "nobody draws evidence as pictures; files are saved (trialcpa run renderer)"
        return
    given = Renderer(path, _RENDERER_SECONDS).confined()
    if isinstance(given, Unshown):
        yield f"whoever draws evidence does not answer on {path}: files are saved until it does"
        return
    if not {FILTER, NETWORK} & set(given):
        raise RendererUnfit(path=path, detail="this machine does not let it give up its network")
    yield f"evidence is drawn by a process that gave up: limits of memory and time, {', '.join(given)}"


def _proxy(house: House) -> Iterator[str]:
    """The proxy before what answers for status on a Unix socket; over TCP nothing rests upon it."""
    proxy, behind = house.settings.status_proxy, house.settings.status_listens
    if proxy is not None and isinstance(behind, Path):
        require_whole(proxy, behind)
        yield f"the proxy on {proxy.host}:{proxy.port} hands on whole requests only"


_LOOKS: dict[str, Callable[[House], Iterator[str]]] = {
    "certificates": _certificates,
    "lists": _lists,
    "journal": _journal,
    "approvals": _approvals,
    "proxy": _proxy,
    "renderer": _renderer,
    "keys": _keys,
}

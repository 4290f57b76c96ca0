"""What is looked at of an authority, for `trialcpa check` and `trialcpa doctor`: one source for each rule.

Each look says in sentences what is so, or raises what is wrong. None writes.
"""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from api.lookout import WRITE_SECONDS
from api.status.memory_files import LARGEST_HEAD, Known, contents, read_known
from app.house import House
from app.processes import told_authority
from app.proxied import require_whole
from core.chain import GENESIS
from core.errors import JournalChanged, RendererUnfit, StoreWentBack
from core.instants import text
from core.kinds import HierarchyRole, ProcessRole
from core.renewal import Lasting
from core.words import counted
from jobs.evidence import links_behind
from renderer.asking import FILTER, NETWORK, Renderer, Unshown
from store import dump
from store.reading import authority as reading
from store.reading import journal, watching, work
from store.reading.renewal import everything_lasting

_ROWS = 1_000

_ALIVE = timedelta(seconds=4 * WRITE_SECONDS)
"""How old web's last sign of life may be: one that the register is slow to take is left later."""

_RENDERER_SECONDS = 5.0

SILENT = "The web process does not answer"


def ending(house: House) -> list[Lasting]:
    """Return what has an end that somebody has to be told of now, by name: whoever is at the machine may know it."""
    now = house.clock.now()
    with house.store.read() as tx:
        found = everything_lasting(tx, now)
    return sorted((each for each in found if each.within(now) is not None), key=lambda one: one.ends)


def no_answer(house: House) -> str:
    """Return why whoever listens where this web process would is not it; empty if it is.

    A home that was restored has name, root and port of the one that it is a copy of. Which of them answers, the
    register tells: web leaves a sign of life in its own.
    """
    said = told_authority(house.settings.host, house.settings.port)
    if said is None:
        return SILENT
    where = f"http://{house.settings.host}:{house.settings.port}"
    mine = hashlib.sha256(house.root()).hexdigest()
    if (said.name, said.root.sha256) != (house.row().name, mine):
        return f"The web process does not answer. On {where} is another authority, {said.name}, root {said.root.sha256}"
    with house.store.read() as tx:
        lived = watching.last_sign(tx, ProcessRole.WEB)
    if lived is None or abs(house.machine.now() - lived) > _ALIVE:
        return f"{where} answers for this authority and leaves no sign of life in this register (see {where}/readyz)"
    return ""


def look_at_certificates(house: House) -> Iterator[str]:
    """Until when each certificate of the hierarchy holds."""
    now = house.clock.now()
    with house.store.read() as tx:
        every = reading.certificates(tx)
    for each in every:
        state = "holds" if each.not_before <= now <= each.not_after else "no longer holds"
        yield f"{each.subject} {state} until {text(each.not_after)}"


def look_at_lists(house: House) -> Iterator[str]:
    """Which list of each CA is the newest, and until when it is in force."""
    with house.store.read() as tx:
        for role in (HierarchyRole.ROOT, HierarchyRole.ISSUING):
            for each in reading.certificates(tx, role):
                last = work.last_crl(tx, each.key_id, with_bytes=False)
                if last is None:
                    yield f"{each.subject} has published no CRL yet; the authority process does it at its start"
                    continue
                held = counted(last.entries, "entry", "entries")
                yield f"CRL {last.number} of {each.subject}: {held}, until {text(last.next_update)}"


def look_at_journal(house: House) -> Iterator[str]:
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
    told = f"{counted(len(heads), 'head')} to row {covered}, {counted(waiting, 'fact')} unsealed"
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
        yield f"what {counted(len(known), 'web process', 'web processes')} served before is there"


def _known(path: Path) -> Known | None:
    try:
        return read_known(contents(path, LARGEST_HEAD))
    except (OSError, ValueError):
        return None  # another user's, or damaged: web itself tells of it


def look_at_approvals(house: House) -> Iterator[str]:
    """How much there is."""
    with house.store.read(whole=True) as tx:
        asked, granted, issued = (dump.counted(tx, name) for name in ("applications", "approvals", "certificates"))
    yield (f"{counted(granted, 'approval')} with {counted(issued, 'certificate')}, of {counted(asked, 'application')}")


def look_at_proxy(house: House) -> Iterator[str]:
    """The proxy before what answers for status on a Unix socket; over TCP nothing rests upon it."""
    proxy, behind = house.settings.status_proxy, house.settings.status_listens
    if proxy is not None and isinstance(behind, Path):
        require_whole(proxy, behind)
        yield f"the proxy on {proxy.host}:{proxy.port} hands on whole requests only"


def look_at_renderer(house: House) -> Iterator[str]:
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

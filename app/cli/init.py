"""`trialcpa init`: the ceremony."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric import ec
from rich.console import Console

from app import settings as settings_file
from app.cli.options import INSTANT, home_option
from app.house import home_of, open_house
from app.officer import open_officer_key
from ca.profile import TEST_ARC, Profile
from core.actors import CONSOLE, Role
from core.boundaries import boundary
from core.clock import SystemClock
from core.errors import HomeOccupied, InputUnusable
from core.identifiers import Environment
from jobs.ceremony import Ceremony, hold
from keys.passphrase import FromFile, FromPrompt, chosen_passphrase, new_passphrase, parse_source
from keys.sealed import generate_private
from officers.key_file import public_file, public_key_of, public_pem
from officers.roster import ADVISED, LARGEST_KEY_FILE, Member, new_member, require_usable
from ra.access import grant_access
from ra.deciding.every_kind import COUNTED
from store import schema
from store.transactions import Store

TRANSCRIPT_SIGNATURE = "transcript.sig"
PASSPHRASE_FILE = "keys/passphrase"  # noqa: S105 - where it lies, not what it is
DEMO_LIFE = timedelta(days=365)

_DEMO: tuple[tuple[str, Role, str | None], ...] = (
    ("ssc-officer-1", Role.SSC_OFFICER, "Security Sub-Committee"),
    ("ssc-officer-2", Role.SSC_OFFICER, "Security Sub-Committee"),
    ("ssc-officer-3", Role.SSC_OFFICER, "Security Sub-Committee"),
    ("ssc-admin", Role.SSC_ADMIN, "Security Sub-Committee"),
    ("manufacturer", Role.MANUFACTURER, "Example Metering Ltd"),
    ("dcc", Role.DCC, "Data Communications Company"),
    ("panel", Role.PANEL, "SEC Panel"),
    ("auditor", Role.AUDITOR, "Example Auditors LLP"),
    ("monitor", Role.MONITOR, None),
)


@dataclass(frozen=True)
class Plan:
    """What the ceremony is to make; everything in it is fixed for ever but the port, and who is on the roster."""

    home: Path
    environment: Environment
    name: str
    arc: str
    base_url: str
    port: int
    store_url: str
    passphrase: str
    root_passphrase: str
    root_dir: Path
    longest_trial_days: int
    test_clock: datetime | None
    roster: tuple[Member, ...] = ()


@click.command(epilog="\b\nExample:\n  trialcpa init --test --home var")
@home_option
@click.option(
    "--test", "environment", flag_value="test", help="A test authority: TEST in every name, TDT- identifiers."
)
@click.option("--live", "environment", flag_value="live", help="A live authority; refuses example values.")
@click.option("--name", help="Its name in every subject; a test authority's begins with TEST.")
@click.option("--arc", help="The object identifier arc; a live authority needs its own.")
@click.option("--base-url", help="The public base, fixed for ever: certificates carry it.")
@click.option("--port", type=click.IntRange(1, 65535), default=settings_file.DEFAULT_PORT, show_default=True)
@click.option("--store", "store_url", help="PostgreSQL URL; default: an SQLite file in the home.")
@click.option("--passphrase", help="file:PATH (from this folder), fd:N or prompt; never the passphrase itself.")
@click.option("--root-passphrase", help="The same for the root's key; default: as --passphrase.")
@click.option("--root-dir", type=click.Path(file_okay=False, path_type=Path), help="Where the root's key goes.")
@click.option("--longest-trial-days", type=click.IntRange(1, 3660), default=731, show_default=True)
@click.option(
    "--officer", multiple=True, metavar="NAME=PUBLIC.pem", help="On the roster: two at least, three advised; repeat it."
)
@click.option("--test-clock", type=INSTANT, help="Start a test authority's clock at this instant.")
@click.option("--demo", is_flag=True, help="Also make API and officers' keys for trying it out, in HOME/demo.")
def init(
    *, home: Path | None, environment: Environment | None, officer: tuple[str, ...], demo: bool, **chosen: object
) -> None:
    """Hold the ceremony: keys, root, issuing CA, OCSP responder, first CRLs."""
    if environment is None:
        raise click.UsageError("Say --test or --live.")
    if demo and environment != "test":
        raise click.UsageError("--demo makes keys for trying things out; a live authority has none.")
    if demo and officer:
        raise click.UsageError("--demo makes the officers' keys itself: leave out --officer.")
    plan = planned(home_of(home), environment, **chosen)
    require_sound(plan)
    if environment == "live" and not officer:
        raise click.UsageError("A live authority has no defaults for --officer: name two officers' public keys.")
    roster = members_named(officer)
    transcript = make_demo(plan) if demo else make(replace(plan, roster=roster))
    if roster and len({each.officer for each in roster}) < ADVISED:
        click.echo("Warning: with two officers one lost key stops everything; three are advised.", err=True)
    if demo:
        write_demo_credentials(plan.home)
    console = Console()
    console.print(transcript, highlight=False, markup=False)
    console.print(f"The transcript is in {plan.home / 'ceremony' / 'transcript.txt'}.", soft_wrap=True)


def planned(home: Path, environment: Environment, **chosen: object) -> Plan:
    """Fill in what was not chosen; a live authority must choose its arc, base and passphrase itself."""
    test = environment == "test"
    port = int(str(chosen.get("port") or settings_file.DEFAULT_PORT))
    missing = [f"--{each.replace('_', '-')}" for each in ("arc", "base_url", "passphrase") if not chosen.get(each)]
    if missing and not test:
        raise click.UsageError(f"A live authority has no defaults for {', '.join(missing)}.")
    clock = chosen.get("test_clock")
    if clock is not None and not test:
        raise click.UsageError("A live authority's clock is the clock.")
    own = f"file:{PASSPHRASE_FILE}"  # in the home, wherever that is moved to
    passphrase = _from_here(chosen.get("passphrase")) or own
    return Plan(
        home=home,
        environment=environment,
        name=str(chosen.get("name") or ("TEST Trial CPA" if test else "Trial CPA")),
        arc=str(chosen.get("arc") or TEST_ARC),
        base_url=str(chosen.get("base_url") or f"http://127.0.0.1:{port}").rstrip("/"),
        port=port,
        store_url=str(chosen.get("store_url") or "sqlite:///store.sqlite"),
        passphrase=passphrase,
        root_passphrase=_from_here(chosen.get("root_passphrase")) or passphrase,
        root_dir=Path(str(chosen.get("root_dir") or home / "root")),
        longest_trial_days=int(str(chosen.get("longest_trial_days") or 731)),
        test_clock=clock if isinstance(clock, datetime) else None,
    )


def _from_here(source: object) -> str | None:
    """Return a source of a passphrase as it was typed, a file of it by its whole path: settings begin at the home."""
    if source is None:
        return None
    scheme, _, path = str(source).partition(":")
    return f"file:{Path(path).expanduser().absolute()}" if scheme == "file" and path else str(source)


def members_named(named: Iterable[str]) -> tuple[Member, ...]:
    """Return the officers who are named with their public keys, as NAME=PUBLIC.pem.

    Raises:
        InputUnusable: a file cannot be read.
        RosterUnusable: they cannot be a roster.
    """
    members = [member_named(each) for each in named]
    if members:
        require_usable(members)
    return tuple(members)


def member_named(named: str) -> Member:
    """Return an officer who is named with a public key, as NAME=PUBLIC.pem.

    Raises:
        InputUnusable: the file cannot be read.
        RosterUnusable: it holds no such key.
    """
    name, _, path = named.partition("=")
    if not name.strip() or not path:
        raise click.UsageError("An officer is named with a file, as in --officer jane.doe=jane.pub.pem")
    try:
        with Path(path).open("rb") as file:
            return new_member(name.strip(), file.read(LARGEST_KEY_FILE))
    except OSError as error:
        raise InputUnusable(path=path, detail=f"it cannot be read ({error.strerror}).") from None


def make_demo(plan: Plan) -> str:
    """Hold the ceremony of a test authority whose officers' keys lie in HOME/demo; for the rest see make.

    The keys come first, as they are on its roster. If we die behind them, the next run finds them.
    """
    _require_new(plan.home)
    require_sound(plan)
    plan.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    officers = [name for name, role, _ in _DEMO if role is Role.SSC_OFFICER]
    return make(replace(plan, roster=tuple(_demo_officer(plan.home, name) for name in officers)))


def demo_key(home: Path, officer: str) -> tuple[Path, Path]:
    """Return where a demo officer's own key lies, and its passphrase."""
    folder = home / "demo"
    return folder / f"{officer}.key.pem", folder / f"{officer}.passphrase"


def open_demo_key(home: Path, officer: str) -> ec.EllipticCurvePrivateKey:
    """Return a demo officer's own key; OfficerKeyUnusable if it is not there."""
    path, passphrase = demo_key(home, officer)
    return open_officer_key(path, FromFile(passphrase))


def _demo_officer(home: Path, name: str) -> Member:
    path, passphrase = demo_key(home, name)
    write_secret(passphrase, new_passphrase(), exist_ok=True)
    key = generate_private(path, FromFile(passphrase).read(), exist_ok=True)
    write_secret(public_file(path), public_pem(key).decode("ascii"))
    return new_member(name, public_key_of(key))


def _require_new(home: Path) -> None:
    if _transcript(home).exists():
        raise HomeOccupied(path=home)


def _transcript(home: Path) -> Path:
    return home / "ceremony" / "transcript.txt"


def require_sound(plan: Plan) -> Profile:
    """Return the profile of what was planned, before anything is written: what cannot be used stops it here."""
    for source in (plan.passphrase, plan.root_passphrase):
        parse_source(source)
    if plan.test_clock is not None and plan.test_clock < SystemClock().now():
        raise click.UsageError("--test-clock must not lie in the past: a clock only runs ahead.")
    return Profile(environment=plan.environment, arc=plan.arc, base_url=plan.base_url, name=plan.name)


def make(plan: Plan) -> str:
    """Hold the ceremony that was planned, or finish one that died; return its transcript.

    Raises:
        HomeOccupied: the folder holds an authority whose ceremony is over.
    """
    _require_new(plan.home)
    profile = require_sound(plan)
    passphrase, root_passphrase = passphrases(plan)
    plan.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_secret(  # its store URL may hold a database password
        plan.home / settings_file.FILE_NAME,
        settings_file.template(
            store_url=plan.store_url,
            port=plan.port,
            passphrase=plan.passphrase,
            longest_trial_days=plan.longest_trial_days,
        ),
    )
    settings = settings_file.load(plan.home)
    os.umask(0o077)  # the SQLite file and its companions are for this user only
    store = Store(settings.store_url)
    schema.upgrade(store)
    machine = SystemClock()
    at = plan.test_clock or machine.now()
    ceremony = Ceremony(
        profile=profile,
        longest_trial=timedelta(days=plan.longest_trial_days),
        clock_offset=max(at - machine.now(), timedelta(0)),  # a second may have begun since
        keys_dir=settings.keys_dir,
        root_dir=plan.root_dir,
        memory_dir=settings.keys_dir,
        passphrase=passphrase,
        root_passphrase=root_passphrase,
        officers={kind.value: settings.rules.officers_for(kind) for kind in COUNTED},
        roster=plan.roster,
    )
    held = hold(store, ceremony, at)
    store.close()
    write_whole(_transcript(plan.home).with_name(TRANSCRIPT_SIGNATURE), held.signature)
    # Last: its presence says that the ceremony is over.
    write_secret(_transcript(plan.home), held.transcript)
    return held.transcript


def passphrases(plan: Plan) -> tuple[bytes, bytes]:
    """Return the passphrases of the authority's keys and of the root's, before anything is made but a test one's own.

    Raises:
        PassphraseUnusable: one cannot be had, or is too short.
    """
    if plan.passphrase == f"file:{PASSPHRASE_FILE}":
        plan.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        own = plan.home / PASSPHRASE_FILE
        write_secret(own, new_passphrase(), exist_ok=True)
        passphrase = FromFile(own).read()
    else:
        passphrase = chosen_passphrase(parse_source(plan.passphrase, FromPrompt(instead="--passphrase file:PATH")))
    if plan.root_passphrase == plan.passphrase:
        return passphrase, passphrase
    at_prompt = FromPrompt(of="the root's key", instead="--root-passphrase file:PATH")
    return passphrase, chosen_passphrase(parse_source(plan.root_passphrase, at_prompt))


def write_demo_credentials(home: Path) -> Path:
    """Make an API key for each role and write them where only the owner can read them: together, and one to a file."""
    path = home / "demo" / "credentials.json"
    held = path.exists()
    made = json.loads(path.read_text(encoding="utf-8")) if held else _demo_credentials(home)
    for name, each in made.items():
        alone = path.with_name(f"{name}.key")
        if not held or not alone.exists():
            write_secret(alone, f"{each['api_key']}\n")
    if not held:  # last: its presence says that all of them are there
        write_secret(path, json.dumps(made, indent=2) + "\n")
    return path


def _demo_credentials(home: Path) -> dict[str, dict[str, str | None]]:
    house = open_house(settings_file.load(home))
    made: dict[str, dict[str, str | None]] = {}
    for name, role, organisation in _DEMO:
        granted = grant_access(house.desk, CONSOLE, name=name, role=role, organisation=organisation, life=DEMO_LIFE)
        made[name] = {"api_key": granted.api_key, "role": role.value, "organisation": organisation}
    house.store.close()
    return made


def write_secret(path: Path, content: str, *, exist_ok: bool = False) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    if exist_ok and path.exists():
        FromFile(path).read()
        return
    write_whole(path, content.encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write octets into a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    with boundary(f"rename {path.name}"):
        partial.rename(path)

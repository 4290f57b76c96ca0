"""`trialcpa roster`: whose keys count as officers'; changed by officers, or by the word of the root's key."""

from datetime import datetime, timedelta
from pathlib import Path

import click
from rich.console import Console

from app.cli import shown
from app.cli.officers_named import member_named, members_named
from app.cli.options import INSTANT, home_option
from app.cli.ordering import give, waits_for
from app.cli.root_key import open_root, root_dir_option, root_passphrase_option
from app.cli.service import Service, asks_service
from app.cli.signing import Signing, signs
from app.cli.words import why_option
from app.home_files import write_whole
from app.house import House, opened
from app.officer import ROSTER_PATH
from core.clock import SystemClock
from core.errors import InputUnusable, RosterStatementRefused
from core.instants import text
from core.kinds import OrderKind
from jobs.root_roster import accept_roster, next_number, sign_roster
from jobs.roster import authority_begun
from memory.memory import Memory
from memory.officers import roster_of
from memory.records import RosterSet
from officers.identity import authority_with
from officers.root_statement import LARGEST_FILE, RosterStatement, SignedRoster, read_signed
from officers.roster import ADVISED, FEWEST, Member, public_key_pem
from ra.roster import RosterAnswer
from ra.views import document

STATEMENT_LIFE = timedelta(days=7)
"""How long a statement of the root is accepted, unless somebody says otherwise: it is carried to the authority."""

_OFFICERS = click.option(
    "--officer", multiple=True, required=True, metavar="NAME=PUBLIC.pem", help="Who counts: two at least; repeat it."
)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(epilog="\b\nExample:\n  trialcpa roster show\n  trialcpa roster show --home /var/lib/trialcpa")
def roster() -> None:
    """Whose keys count as officers': shown, changed by two officers, or by the root's word."""


@roster.command(
    short_help="Show the roster and its history.",
    epilog="\b\nExample:\n  trialcpa roster show --home /var/lib/trialcpa",
)
@home_option
@asks_service
def show(*, home: Path | None, service: Service) -> None:
    """Show the roster and its history: as the service shows it, or with --home as the authority remembers it."""
    if home is not None:
        with opened(home) as (house, memory):
            _show_remembered(house, memory)
        return
    with service.connect() as client:
        said = client.show(RosterAnswer, ROSTER_PATH)
    if service.as_json:
        shown.as_json(document(said))
        return
    console = shown.out()
    shown.facts(console, (("authority", said.authority.name), ("root's key", said.authority.root_key_sha256)))
    rows = [(each.officer, each.key, _means(each.member())) for each in said.members]
    shown.heading(console, f"Roster {said.number}, by {said.cause}, since {text(said.effective_at)}")
    shown.table(console, ("officer", "key", "in"), rows, none="Nobody.")
    shown.heading(console, "Every roster")
    history = [(each.number, each.cause, text(each.effective_at), each.members_sha256) for each in said.history]
    shown.table(console, ("roster", "by", "counts from", "SHA-256 of its members"), history, none="None.")


def _means(member: Member) -> str:
    return "a file or a token" if member.passkey is None else f"a passkey for {member.passkey.origin}"


def _show_remembered(house: House, memory: Memory) -> None:
    at, authority = house.clock.now(), authority_begun(memory)
    held = memory.roster(at)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Authority {authority.name}, root's key {authority.root_key_sha256}", markup=False)
    for each in memory.rosters():
        counts = ", in force" if held is not None and held.number == each.number else ""
        console.print(f"Roster {each.number}, by {each.cause}, from {text(each.effective_at)}{counts}", markup=False)
        for member in each.members:
            console.print(f"  {member.key} {member.officer}, {_means(member)}", markup=False)
        console.print(f"  SHA-256 {roster_of(each).sha256}")
    console.print(f"The next is roster {next_number(memory)}.")


@roster.command(
    short_help="Make the first roster of an older authority.",
    epilog="\b\nExample:\n  trialcpa roster begin --officer jane=jane.pub.pem \\\n"
    "    --officer joe=joe.pub.pem --root-dir /mnt/safe",
)
@home_option
@_OFFICERS
@root_dir_option
@root_passphrase_option
def begin(*, home: Path | None, officer: tuple[str, ...], root_dir: Path, passphrase: str) -> None:
    """Make the first roster of an authority that was made before there were any; bring the root's key."""
    members = _members(officer)
    with opened(home) as (house, memory):
        if memory.newest_roster is not None:
            raise RosterStatementRefused(detail="there is a roster; two officers change it: trialcpa roster change")
        at = house.clock.now()
        statement = RosterStatement(
            authority=authority_begun(memory), number=1, members=members, valid_until=at + STATEMENT_LIFE
        )
        signer = open_root(root_dir, passphrase)
        _tell(_accepted(house, memory, sign_roster(statement, signer), at))


@roster.command(
    short_help="Order that other keys count.",
    epilog="\b\nExample:\n  trialcpa roster change --add joe=joe-2.pub.pem --why @why.txt",
)
@click.option(
    "--add", multiple=True, metavar="NAME=FILE", help="What counts from then on: a public key, or a passkey's file."
)
@click.option("--remove", multiple=True, metavar="THUMBPRINT", help="A key that counts no more; repeat it.")
@click.option("--keep", is_flag=True, help="Keep who counts: the roster that waits does not come into force.")
@why_option("In a sentence.")
@signs(elsewhere=False)
@asks_service
def change(
    *, add: tuple[str, ...], remove: tuple[str, ...], keep: bool, why: str, signing: Signing, service: Service
) -> None:
    """Order that other keys count, and sign for it. Two count who are not the person concerned."""
    if keep == bool(add or remove):
        raise click.UsageError("Say --add or --remove, or --keep and neither.")
    added = [member_named(each, passkeys=True) for each in add]
    wanted = {
        "kind": OrderKind.CHANGE_ROSTER.value,
        "why": why,
        "add": [_added(each) for each in added],
        "remove": list(remove),
    }
    with service.connect() as client:
        outcome = give(client, signing.hand(client), wanted)
    if service.as_json:
        shown.as_json(document(outcome))
    else:
        shown.sentence(shown.out(), f"{outcome.order}: you have signed for it.", indent=0)
        shown.sentence(shown.out(), f"{waits_for(outcome)} Who is concerned does not count.", indent=0)


def _added(member: Member) -> dict[str, object]:
    said: dict[str, object] = {"officer": member.officer, "public_key": public_key_pem(member.public_key)}
    return said if member.passkey is None else {**said, "passkey": member.passkey.document()}


@roster.command(
    short_help="Sign a roster with the root's key, where it lies.",
    epilog='\b\nExample:\n  trialcpa roster statement --authority "Trial CPA" --number 3 \\\n'
    "    --officer jane=jane.pub.pem --officer joe=joe.pub.pem \\\n"
    "    --root-dir /mnt/safe --output roster-3.json",
)
@click.option("--authority", required=True, help="The authority's name, as trialcpa roster show has it.")
@click.option("--number", required=True, type=click.IntRange(1), help="Of the roster: trialcpa roster show --home.")
@_OFFICERS
@root_dir_option
@root_passphrase_option
@click.option("--valid-until", type=INSTANT, help="Until when it is accepted; default: 7 days by this machine's clock.")
@click.option("--output", required=True, type=_FILE, help="The file that is carried to the authority.")
def statement(
    *,
    authority: str,
    number: int,
    officer: tuple[str, ...],
    root_dir: Path,
    passphrase: str,
    valid_until: datetime | None,
    output: Path,
) -> None:
    """Sign a roster with the root's key, before witnesses, on its machine: it needs no network and no register."""
    members = _members(officer)
    if output.exists():
        raise InputUnusable(path=output, detail="there is a file already.")
    signer = open_root(root_dir, passphrase)
    said = RosterStatement(
        authority=authority_with(authority, signer.public_key),
        number=number,
        members=members,
        valid_until=valid_until or SystemClock().now() + STATEMENT_LIFE,
    )
    write_whole(output, sign_roster(said, signer).octets())
    for each in members:
        click.echo(f"  {each.key} {each.officer}")
    click.echo(f"SHA-256 {said.sha256}, accepted until {text(said.valid_until)}.")
    click.echo(f"Carry it to the authority: trialcpa roster accept {output.name}")


@roster.command(
    short_help="Accept what the root's key has signed.",
    epilog="\b\nExample:\n  trialcpa roster accept roster-3.json --home /var/lib/trialcpa",
)
@click.argument("file", type=_FILE)
@home_option
def accept(file: Path, home: Path | None) -> None:
    """Accept what the root's key has signed: it counts after a wait, in which everybody is told."""
    try:
        with file.open("rb") as opened_file:
            octets = opened_file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise InputUnusable(path=file, detail=f"it cannot be read ({error.strerror}).") from None
    signed = read_signed(octets)
    with opened(home) as (house, memory):
        _tell(_accepted(house, memory, signed, house.clock.now()))


def _accepted(house: House, memory: Memory, signed: SignedRoster, at: datetime) -> RosterSet:
    """Accept a statement, and keep it with the papers of the ceremony; one that is refused is kept nowhere."""
    record = accept_roster(house.store, memory, signed, house.settings.root_statement_wait, at)
    kept = house.settings.home / "ceremony" / f"roster-{record.number}.json"
    write_whole(kept, signed.octets())
    return record


def _tell(record: RosterSet) -> None:
    for each in record.members:
        click.echo(f"  {each.key} {each.officer}")
    click.echo(f"Roster {record.number} counts from {text(record.effective_at)}.")
    if len({each.officer for each in record.members}) < ADVISED:
        click.echo("Warning: with two officers one lost key stops everything; three are advised.", err=True)


def _members(named: tuple[str, ...]) -> tuple[Member, ...]:
    if len(named) < FEWEST:
        raise click.UsageError(f"Name {FEWEST} officers at least, each as --officer NAME=PUBLIC.pem.")
    return members_named(named)

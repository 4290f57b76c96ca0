"""`trialcpa officer`: an officer's own key, and signing with it where the act itself is done elsewhere."""

import json
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from app.cli import decision_shown
from app.cli.decide import confirmed, drafted
from app.cli.options import INSTANT
from app.cli.service import Service, asks_service
from app.cli.signing import PASSPHRASE_VARIABLE, Signing, signs
from app.client import Client
from app.officer import about, about_all, open_officer_key, prompt_for, to_confirm, to_revoke
from app.recomputed import recomputed
from core.approval import OFFICERS_CAUSES
from core.errors import InputUnusable
from core.identifiers import ApprovalIdentifier
from core.instants import text
from core.kinds import AuthorisedAct
from keys.passphrase import parse_source
from keys.sealed import generate_private
from officers.key_file import public_file, public_pem, thumbprint_of
from officers.statement import Claim, Listed

EXIT_REFUSED = 1

_FILE = click.Path(dir_okay=False, path_type=Path)
_CAUSES = [each.value for each in OFFICERS_CAUSES]
_ACTS = (AuthorisedAct.SECOND, AuthorisedAct.PROPOSE, AuthorisedAct.REJECT)

_passphrase = click.option(
    "--passphrase", default="prompt", show_default=True, envvar=PASSPHRASE_VARIABLE, help="file:PATH, fd:N or prompt."
)


@click.group(epilog="\b\nExample:\n  trialcpa officer key new jane.key.pem")
def officer() -> None:
    """Your own key as an officer: without its signature nothing that you decide counts.

    Every command that acts signs by --officer-key and --officer-passphrase, else TRIALCPA_OFFICER_KEY and
    TRIALCPA_OFFICER_PASSPHRASE, which names where the passphrase comes from.
    """


@officer.group(epilog="\b\nExample:\n  trialcpa officer key show jane.key.pem")
def key() -> None:
    """Make a key, or show which one it is."""


@key.command(
    short_help="Make your key under a passphrase.", epilog="\b\nExample:\n  trialcpa officer key new jane.key.pem"
)
@click.argument("file", type=_FILE)
@_passphrase
def new(file: Path, passphrase: str) -> None:
    """Make your key (P-256) under a passphrase; its public half, beside it, goes on the roster."""
    source = parse_source(passphrase, prompt_for(file, twice=True))
    public = public_file(file)
    if file.exists() or public.exists():
        there = file if file.exists() else public
        raise InputUnusable(path=there, detail="there is a file already, and keys are never overwritten.")
    made = generate_private(file, source.read())
    try:
        with public.open("xb") as beside:
            beside.write(public_pem(made))
    except OSError as error:
        raise InputUnusable(path=public, detail=f"it cannot be written ({error.strerror}).") from None
    click.echo(f"{thumbprint_of(made)}")
    click.echo(f"Your key is in {file}, and stays with you. Hand {public} over, and compare the line above.", err=True)


@key.command(
    "show",
    short_help="Print its thumbprint and public half.",
    epilog="\b\nExample:\n  trialcpa officer key show jane.key.pem",
)
@click.argument("file", type=_FILE)
@_passphrase
def show_key(file: Path, passphrase: str) -> None:
    """Print the thumbprint (RFC 7638) and the public half of your key."""
    held = open_officer_key(file, parse_source(passphrase, prompt_for(file)))
    click.echo(thumbprint_of(held))
    click.echo(public_pem(held).decode(), nl=False)


@officer.command(
    short_help="Sign for an act that is done elsewhere.",
    epilog="\b\nExample:\n  trialcpa officer sign --revoke TDA-2027-0042-Y --cause ssc > signed.json",
)
@click.option("--decision", multiple=True, help="Repeat it for several by one statement.")
@click.option("--act", type=click.Choice([each.value for each in _ACTS]), help="Of --decision.")
@click.option("--revoke", "approval", help="Revoke this approval at once.")
@click.option("--cause", type=click.Choice(_CAUSES), metavar="CAUSE", help=f"Of --revoke: {', '.join(_CAUSES)}.")
@click.option("--invalidity-date", type=INSTANT, help="Of --revoke: key compromised since then.")
@click.option("--breach", help="Confirm it; of --revoke: what it answers.")
@click.option("--yes-i-have-read", is_flag=True, help="Do not ask.")
@signs(elsewhere=False)
@asks_service
def sign(
    *,
    decision: tuple[str, ...],
    act: str | None,
    approval: str | None,
    cause: str | None,
    invalidity_date: datetime | None,
    breach: str | None,
    signing: Signing,
    **asked: object,
) -> None:
    """Sign for an act, shown as its very bytes have it, and print the authorisation, to be sent by other means."""
    named = [bool(decision), approval is not None, breach is not None and approval is None]
    if named.count(True) != 1 or bool(decision) != bool(act) or (approval is None) != (cause is None):
        raise click.UsageError("Say one of: --decision with --act, --revoke with --cause, --breach.")
    service, unasked = asked["service"], bool(asked["yes_i_have_read"])
    assert isinstance(service, Service)
    members: tuple[Listed, ...] = ()
    with service.connect() as client:
        hand = signing.hand(client)
        if not hand.signs:
            raise click.UsageError("This authority has no roster of officers: nothing is signed for.")
        if act is not None:
            claim, members = _claimed(AuthorisedAct(act), _looked_at(client, decision, AuthorisedAct(act), unasked))
        elif approval is not None and cause is not None:
            identifier = str(ApprovalIdentifier.parse(approval))
            claim = to_revoke(identifier, cause=cause, invalidity_date=invalidity_date, breach=breach)
            since = f", key compromised since {text(invalidity_date)}" if invalidity_date else ""
            _ask(f"Revoke {identifier} at once, cause {cause}{since}{f', for {breach}' if breach else ''}?", unasked)
        else:
            assert breach is not None
            claim = to_confirm(breach)
            _ask(f"Confirm the breach {breach}, which owes a revocation?", unasked)
        click.echo(json.dumps(hand.for_claim(claim, members), indent=2))


def _looked_at(
    client: Client,
    decisions: tuple[str, ...],
    act: AuthorisedAct,
    unasked: bool,  # noqa: FBT001 - the option
) -> list[Listed]:
    """Show each decision and ask; what is printed stays free for the authorisation."""
    console = Console(stderr=True, highlight=False)
    found = []
    for each in dict.fromkeys(decisions):
        said = drafted(client, each)
        seen = recomputed(said)
        decision_shown.show(console, said, seen.certificates)
        if not unasked and not confirmed(console, said, seen, act):
            raise SystemExit(EXIT_REFUSED)
        found.append(seen.listed)
    return found


def _claimed(act: AuthorisedAct, listed: list[Listed]) -> tuple[Claim, tuple[Listed, ...]]:
    return (about(act, listed[0]), ()) if len(listed) == 1 else about_all(act, listed)


def _ask(question: str, unasked: bool) -> None:  # noqa: FBT001 - the option
    if not unasked:
        click.confirm(question, abort=True, err=True)

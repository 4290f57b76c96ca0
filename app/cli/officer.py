"""`trialcpa officer`: an officer's own key, and signing with it where the act itself is done elsewhere."""

import json
import re
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from app.cli import asking, decision_shown, restore_shown
from app.cli.decide import confirmed, drafted
from app.cli.options import INSTANT
from app.cli.service import Service, asks_service
from app.cli.shown import many
from app.cli.signing import PASSPHRASE_VARIABLE, Signing, module_option, signs
from app.client import Client
from app.officer import to_revoke, to_sign_in
from app.officer_key import KeyName, make_officer_key, parse_key_name, public_half
from app.recomputed import recomputed
from core.approval import OFFICERS_CAUSES
from core.errors import InputUnusable, TokenKeyMisnamed
from core.identifiers import ApprovalIdentifier
from core.instants import text
from core.kinds import AuthorisedAct
from officers.claims import about, about_all, to_confirm
from officers.key_file import PUBLIC_SUFFIX, public_file
from officers.roster import public_key_pem, thumbprint
from officers.statement import Claim, Listed

EXIT_REFUSED = 1

_FILE = click.Path(dir_okay=False, path_type=Path)
_CAUSES = [each.value for each in OFFICERS_CAUSES]
_ACTS = (AuthorisedAct.SECOND, AuthorisedAct.PROPOSE, AuthorisedAct.REJECT)

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

_key = click.argument("key", metavar="FILE|URI")
_passphrase = click.option(
    "--passphrase",
    metavar="SOURCE",
    default="prompt",
    show_default=True,
    envvar=PASSPHRASE_VARIABLE,
    help="Its passphrase or PIN: file:PATH, fd:N or prompt.",
)


@click.group(epilog="\b\nExample:\n  trialcpa officer key new jane.key.pem")
def officer() -> None:
    """Your own key as an officer: without its signature nothing that you decide counts.

    Every command that acts signs by --officer-key and --officer-passphrase, else TRIALCPA_OFFICER_KEY and
    TRIALCPA_OFFICER_PASSPHRASE, which names where the passphrase or PIN comes from. A key is a file's path, or the
    PKCS#11 URI of one in a token: 'pkcs11:token=Jane;object=jane.doe'.
    """


@officer.group(epilog="\b\nExample:\n  trialcpa officer key show jane.key.pem")
def key() -> None:
    """Make a key, or show which one it is."""


@key.command(
    short_help="Make your key, in a file or in a token.",
    epilog="""\b
Example:
  trialcpa officer key new jane.key.pem
  trialcpa officer key new 'pkcs11:token=Jane;object=jane.doe'
""",
)
@_key
@click.option("--public", type=_FILE, help="Where its public half goes, if not beside it: of a token, OBJECT.pub.pem.")
@_passphrase
@module_option
def new(key: str, public: Path | None, passphrase: str, pkcs11_module: Path | None) -> None:
    """Make your key (P-256), in a file under a passphrase, or inside a token that it never leaves (RFC 7512).

    Its public half goes on the roster.
    """
    named = parse_key_name(key)
    beside = public or _beside(named)
    for place in (beside, named):
        if isinstance(place, Path) and place.exists():
            raise InputUnusable(path=place, detail="there is a file already, and keys are never overwritten.")
    made = make_officer_key(named, passphrase, pkcs11_module).public_key
    try:
        with beside.open("xb") as file:
            file.write(public_key_pem(made).encode("ascii"))
    except OSError as error:
        raise InputUnusable(path=beside, detail=f"it cannot be written ({error.strerror}); the key is made.") from None
    click.echo(thumbprint(made))
    where = named if isinstance(named, Path) else f"the token {named.token_name}"
    click.echo(f"Your key is in {where}, and stays with you. Hand {beside} over, and compare the line above.", err=True)


@key.command(
    "show",
    short_help="Print its thumbprint and public half.",
    epilog="""\b
Example:
  trialcpa officer key show jane.key.pem
  trialcpa officer key show jane.key.pub.pem
""",
)
@_key
@_passphrase
@module_option
def show_key(key: str, passphrase: str, pkcs11_module: Path | None) -> None:
    """Print the thumbprint (RFC 7638) and the public half of a key; a public key in a file needs no passphrase."""
    held = public_half(parse_key_name(key), passphrase, pkcs11_module)
    click.echo(thumbprint(held))
    click.echo(public_key_pem(held), nl=False)


def _beside(named: KeyName) -> Path:
    """Return where the public half of a key goes if nobody says where."""
    if isinstance(named, Path):
        return public_file(named)
    if named.label is None:
        raise TokenKeyMisnamed(uri=named, detail="it does not say how the new key is to be called: object")
    if not _PLAIN.fullmatch(named.label):
        raise click.UsageError("Say by --public FILE where its public half goes.")
    return Path(f"{named.label}{PUBLIC_SUFFIX}")


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
@click.option("--restore", type=_FILE, help="Of store accept-restore; no service is asked.")
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
    restore: Path | None,
    signing: Signing,
    **asked: object,
) -> None:
    """Sign for an act, shown as its bytes have it, and print the authorisation."""
    named = [bool(decision), approval is not None, breach is not None and approval is None, restore is not None]
    if named.count(True) != 1 or bool(decision) != bool(act) or (approval is None) != (cause is None):
        raise click.UsageError("Say one of: --decision with --act, --revoke with --cause, --breach, --restore.")
    service, unasked = asked["service"], bool(asked["yes_i_have_read"])
    if restore is not None:
        _sign_for_restore(restore, signing, unasked)
        return
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
            _ask(f"Revoke {identifier} at once, cause {cause}{since}{f', for {breach}' if breach else ''}", unasked)
        else:
            assert breach is not None
            claim = to_confirm(breach)
            _ask(f"Confirm the breach {breach}, which owes a revocation", unasked)
        click.echo(json.dumps(hand.for_claim(claim, members), indent=2))


def _sign_for_restore(file: Path, signing: Signing, unasked: bool) -> None:  # noqa: FBT001 - the option
    """Show what a register gets again, ask, and sign for it."""
    asked = to_sign_in(file)
    restore_shown.show(Console(stderr=True, highlight=False), asked.restore)
    hand = signing.hand_for_restore(asked)
    counted = f"{many(len(asked.restore.certificates), 'certificate')} and {many(len(asked.restore.ends), 'end')}"
    _ask(f"Enter {counted} again, and let the authority work?", unasked)
    click.echo(json.dumps(hand.for_claim(asked.restore.claim()), indent=2))


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
        asking.require_agreed(question, instead="--yes-i-have-read", err=True)

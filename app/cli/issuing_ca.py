"""`trialcpa issuing-ca`: a new issuing CA under a root that is elsewhere: a file goes there, another comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from app.cli import asking
from app.cli.options import home_option
from app.cli.root_key import open_root, root_dir_option, root_passphrase_option
from app.cli.shown import many
from app.house import Opened, opened_with_keys
from core.carried import RootRequest, RootResponse
from core.clock import SystemClock
from core.errors import CarriedUnreadable
from core.identifiers import parse_serial
from core.instants import text
from intake.carried import LARGEST, read_request, read_response
from jobs.ended import in_force_under
from jobs.new_issuing import accept_response, compromised_issuing_ca, request_issuing_ca
from jobs.offline_root import RootFolder, judge, sign
from keys.private_file import keep
from keys.signer import Signer

yes_option = click.option("--yes", is_flag=True, help="Do not ask: what is signed was compared before.")
_WHY = "The issuing CA that signed the certificate was ended, because its key may be known to others."
_FILE = click.Path(dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class Root:
    """The root's side, opened."""

    folder: RootFolder
    signer: Signer


@click.group("issuing-ca", epilog="\b\nExample:\n  trialcpa issuing-ca request request.json")
def issuing_ca() -> None:
    """Make a new issuing CA: request it, sign at the root's machine, accept what comes back."""


@issuing_ca.command(
    short_help="Make the next key and its request.", epilog="\b\nExample:\n  trialcpa issuing-ca request request.json"
)
@home_option
@click.argument("file", type=_FILE)
@click.option("--anew", is_flag=True, help="With today's date, for a key whose certificate never came.")
def request(home: Path | None, file: Path, anew: bool) -> None:  # noqa: FBT001 - click
    """Make the key of the next issuing CA and write the request for the root to FILE."""
    with opened_with_keys(home) as authority:
        asked = asked_for(authority, anew=anew)
    keep(file, asked.octets())
    click.echo(f"The request is in {file}, SHA-256 {asked.digest()}.")
    click.echo("Carry it to the root's machine (trialcpa issuing-ca sign) and bring the response back.")


@issuing_ca.command("sign", epilog="\b\nExample:\n  trialcpa issuing-ca sign request.json response.json --root-dir .")
@click.argument("file", type=_FILE)
@click.argument("response", type=_FILE)
@root_dir_option
@root_passphrase_option
@yes_option
def sign_command(file: Path, response: Path, root_dir: Path, passphrase: str, yes: bool) -> None:  # noqa: FBT001 - click
    """Show what FILE asks the root for, and sign it into RESPONSE. Needs no store and no network."""
    asked = read_request(contents(file))
    root = Root(RootFolder(root_dir), open_root(root_dir, passphrase))
    keep(response, signed_by_root(root, asked, sure=yes).octets())
    click.echo(f"The response is in {response}. Carry it back (trialcpa issuing-ca accept), and take the key away.")


@issuing_ca.command(
    short_help="Record what came back from the root.", epilog="\b\nExample:\n  trialcpa issuing-ca accept response.json"
)
@home_option
@click.argument("file", type=_FILE)
def accept(home: Path | None, file: Path) -> None:
    """Compare the response in FILE with what was asked for, and record it."""
    answered = read_response(contents(file))
    click.echo(f"It answers the request with the SHA-256 {answered.request_sha256}.")
    with opened_with_keys(home) as authority:
        record(authority, answered)


@issuing_ca.command(
    short_help="End an issuing CA at once.",
    epilog="\b\nExample:\n  trialcpa issuing-ca compromised 4F… request.json --form reissue.toml",
)
@home_option
@click.argument("serial")
@click.argument("file", type=_FILE)
@click.option("--form", type=_FILE, help="Where to write the officers' form that proposes every certificate anew.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def compromised(home: Path | None, serial: str, file: Path, form: Path | None, yes: bool) -> None:  # noqa: FBT001 - click
    """End the issuing CA with SERIAL at once and for ever; write the request for the root's list and a new CA.

    Every certificate that it signed stops to hold in that moment.
    """
    ended = parse_serial(serial)
    with opened_with_keys(home) as authority:
        house, memory = authority.house, authority.memory
        if not yes and asking.repeated(f"Type the serial {ended} again to end the CA", instead="--yes") != ended:
            raise click.ClickException("Nothing was ended: that is not the serial.")
        longest, now = house.settings.rules.longest_trial, house.clock.now()
        asked = compromised_issuing_ca(house.store, memory, authority.place, ended, longest, now)
        under = in_force_under(house.store, ended, now)
    keep(file, asked.octets())
    click.echo(f"It is ended. {many(len(under), 'approval')} in force had a certificate of it, which no longer holds.")
    click.echo(f"The request is in {file}, SHA-256 {asked.digest()}. Carry it to the root's machine, and back.")
    if form is not None:
        keep(form, form_of(under).encode("utf-8"))
        click.echo(f"Then two officers propose and second {form} (trialcpa decide).")


def form_of(approvals: Sequence[str]) -> str:
    """Return the officers' form that proposes a certificate of the same key for each of some approvals."""
    return "\n".join(
        f'[[decision]]\nkind = "rekey"\napproval = "{each}"\ncompromised = false\nreasons = "{_WHY}"\n'
        for each in approvals
    )


@issuing_ca.command(epilog="\b\nExample:\n  trialcpa issuing-ca new --root-dir var/root --yes")
@home_option
@root_dir_option
@root_passphrase_option
@yes_option
def new(home: Path | None, root_dir: Path, passphrase: str, yes: bool) -> None:  # noqa: FBT001 - click
    """Do all three at once, where the root's folder is at hand."""
    with opened_with_keys(home) as authority:
        root = Root(RootFolder(root_dir), open_root(root_dir, passphrase))
        asked = read_request(asked_for(authority).octets())
        record(authority, read_response(signed_by_root(root, asked, sure=yes).octets()))


def asked_for(authority: Opened, *, anew: bool = False) -> RootRequest:
    """Return the request for a new issuing CA."""
    house, longest = authority.house, authority.house.settings.rules.longest_trial
    return request_issuing_ca(house.store, authority.memory, authority.place, longest, house.clock.now(), anew=anew)


def signed_by_root(root: Root, asked: RootRequest, *, sure: bool) -> RootResponse:
    """Show what is asked for, and sign it once a person has typed the authority's name."""
    judged = judge(asked, root.signer.public_key, root.folder)
    tell(judged.shown)
    tell([("This machine", f"shows {text(SystemClock().now())}")])
    if not sure:
        question = f"Compare with what you came for. Then type {asked.name!r} to sign"
        if asking.repeated(question, instead="--yes") != asked.name:
            raise click.ClickException("Nothing was signed: that is not the authority's name.")
    return sign(judged, root.signer, root.folder)


def record(authority: Opened, answered: RootResponse) -> None:
    """Record what came back from the root, and say what was."""
    house = authority.house
    done = accept_response(house.store, authority.memory, authority.place, answered, house.clock.now())
    if done.published is not None:
        until = text(done.published.next_update)
        click.echo(f"Root CRL {done.published.number} is published, valid until {until}.")
    if done.certificate is not None:
        click.echo(f"{done.certificate.subject} issues from now on; serial {done.certificate.serial}.")
    if done.published is None and done.certificate is None:
        click.echo("All of it was recorded before.")


def contents(file: Path) -> bytes:
    """Return what a carried file holds; CarriedUnreadable if it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST + 1)
    except OSError as error:
        raise CarriedUnreadable(detail=f"{file}: {error.strerror}") from error


def tell(lines: Sequence[tuple[str, str]]) -> None:
    """Print names and values, one to a line."""
    for name, value in lines:
        click.echo(f"{name:<14}{value}")

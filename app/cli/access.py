"""`trialcpa access`: API keys. A key is shown once, and kept nowhere but as a digest."""

from datetime import timedelta
from pathlib import Path

import click

from app.cli.options import home_option
from app.house import home_of, open_house, origin_of
from app.settings import load
from core.actors import CONSOLE, Role
from core.instants import text
from ra.access import grant_access, list_access, revoke_access


@click.group(epilog="\b\nExample:\n  trialcpa access grant --name jane.doe --role ssc-officer --days 90")
def access() -> None:
    """Grant, list and revoke API keys. There is no built-in account and no default password."""


@access.command(epilog="\b\nExample:\n  trialcpa access grant --name jane.doe --role ssc-officer --days 90")
@home_option
@click.option("--name", required=True, help="The person or system; one person has one name.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--organisation", help="Its organisation's name; made if there is none. A manufacturer needs one.")
@click.option("--certificate-name", help="The organisation's name in certificates, at most 64 characters.")
@click.option("--days", type=click.IntRange(1), default=90, show_default=True, help="How long the key is accepted.")
def grant(
    home: Path | None, name: str, role: str, organisation: str | None, certificate_name: str | None, days: int
) -> None:
    """Make an API key and print it, this once."""
    house = open_house(load(home_of(home)))
    granted = grant_access(
        house.desk,
        CONSOLE,
        name=name,
        role=Role(role),
        organisation=organisation,
        certificate_name=certificate_name,
        life=timedelta(days=days),
    )
    click.echo(f"{granted.credential.id} for {name} ({role}), until {text(granted.credential.expires_at)}", err=True)
    click.echo("The key, shown only now:", err=True)
    click.echo(granted.api_key)


@access.command("list", epilog="\b\nExample:\n  trialcpa access list --home /var/lib/trialcpa")
@home_option
def list_(home: Path | None) -> None:
    """List every credential there ever was."""
    house = open_house(load(home_of(home)))
    now = house.clock.now()
    # Plain columns: an identifier cut short to fit a window revokes nothing.
    for each in list_access(house.desk, CONSOLE):
        state = "revoked" if each.revoked_at else "expired" if each.expires_at <= now else "in force"
        click.echo(f"{each.id}  {state:<8}  until {text(each.expires_at)}  {each.role:<12}  {each.name}")


@access.command(
    short_help="Revoke an API key by its identifier.", epilog="\b\nExample:\n  trialcpa access revoke CREDENTIAL"
)
@home_option
@click.argument("credential")
def revoke(home: Path | None, credential: str) -> None:
    """Revoke an API key by its identifier (see access list); it is refused from then on."""
    house = open_house(load(home_of(home)))
    revoke_access(house.desk, CONSOLE, credential)
    click.echo(f"{credential} is revoked.")


@access.command(
    short_help="Invite somebody to enrol a passkey for the console.",
    epilog="\b\nExample:\n  trialcpa access invite key-6564f1a2-9c3b1d2e4f60718a",
)
@home_option
@click.argument("credential")
def invite(home: Path | None, credential: str) -> None:
    """Invite whose credential it is (see access list) to enrol a passkey; the address holds for an hour, once."""
    from ra.entering.passkeys import invite as invite_to_enrol  # noqa: PLC0415 - it loads what reads passkeys

    house = open_house(load(home_of(home)))
    origin = origin_of(house, house.row().environment)
    if origin is None:
        raise click.UsageError("This authority has no console: say console.origin in its settings.")
    made = invite_to_enrol(house.desk, CONSOLE, credential)
    click.echo(f"For {made.name}, until {text(made.expires_at)}; shown only now:", err=True)
    click.echo(f"{origin}/console/invitations/{made.secret}")

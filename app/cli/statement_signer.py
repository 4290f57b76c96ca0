"""`trialcpa statement-signer`: the key that signs what the authority states as files."""

from pathlib import Path

import click

from app.cli.options import home_option
from app.house import opened_with_keys
from core.instants import text
from jobs.statement_signer import new_statement_key
from keys.passphrase import FromFile


@click.group(epilog="\b\nExample:\n  trialcpa statement-signer new-key --home /var/lib/trialcpa")
def statement_signer() -> None:
    """Give the statement signer its first key, or a new one."""


@statement_signer.command("new-key", epilog="\b\nExample:\n  trialcpa statement-signer new-key --compromised")
@home_option
@click.option(
    "--compromised", is_flag=True, help="Somebody else may have the key before: its certificates are revoked."
)
def new_key(home: Path | None, compromised: bool) -> None:  # noqa: FBT001 - click
    """Make a new key and let the issuing CA certify it.

    What was signed under the key before stays signed, unless that is compromised: then its certificates are on the list
    of the CA that issued them, and what was signed counts where the journal has it.
    """
    with opened_with_keys(home) as authority:
        house = authority.house
        made = new_statement_key(
            house.store, authority.memory, authority.place, house.clock.now(), compromised=compromised
        )
        again = not isinstance(house.settings.passphrase, FromFile)
    click.echo(f"Certificate {made.serial} for key {made.key_id}, valid until {text(made.not_after)}.")
    if compromised:
        click.echo("Every certificate of a key before is revoked; the authority's next turn publishes the list.")
    click.echo(
        "Start the authority process again: it has its passphrase from a person."
        if again
        else "The authority process takes the new key up by itself."
    )

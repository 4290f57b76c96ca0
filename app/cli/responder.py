"""`trialcpa responder`: the key that signs OCSP answers."""

from pathlib import Path

import click

from app.cli.options import home_option
from app.house import opened_with_keys
from core.instants import text
from jobs.new_responder import new_responder_key
from keys.passphrase import FromFile


@click.group(epilog="\b\nExample:\n  trialcpa responder new-key --home /var/lib/trialcpa")
def responder() -> None:
    """Give the OCSP responder a new key."""


@responder.command("new-key", epilog="\b\nExample:\n  trialcpa responder new-key --compromised")
@home_option
@click.option("--compromised", is_flag=True, help="Somebody else may have the key before: every answer is made anew.")
def new_key(home: Path | None, compromised: bool) -> None:  # noqa: FBT001 - click
    """Make a new key and let each issuing CA certify it. Answers that are in force stay so.

    A relying party that was given an answer under the key before believes it until that key's certificate ends.
    """
    with opened_with_keys(home) as authority:
        house = authority.house
        made = new_responder_key(
            house.store, authority.memory, authority.place, house.clock.now(), compromised=compromised
        )
        again = not isinstance(house.settings.passphrase, FromFile)
    for each in made:
        click.echo(f"Certificate {each.serial} for key {each.key_id}, valid until {text(each.not_after)}.")
    click.echo(
        "Start the authority process again: it has its passphrase from a person."
        if again
        else "The authority process takes the new key up by itself."
    )

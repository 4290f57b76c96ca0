"""`trialcpa crl`: where the register and the published lists say different ends, and which date is to hold."""

from pathlib import Path

import click

from app.cli import asking, shown
from app.cli.options import home_option
from app.house import House, opened
from core.errors import NoSuchThing
from core.instants import text
from jobs import settle as settling
from jobs.settle import Choice, Difference
from memory.memory import Memory


@click.group(epilog="\b\nExample:\n  trialcpa crl settle")
def crl() -> None:
    """Show where the register contradicts the published lists, and settle it."""


@crl.command(
    short_help="Show ends that differ; settle one.",
    epilog="\b\nExample:\n  trialcpa crl settle\n"
    "  trialcpa crl settle 5452D8DE08727EC4E80547FAD78FEF95 --date published \\\n    --why INC-7",
)
@home_option
@click.argument("serial", required=False)
@click.option("--date", type=click.Choice([each.value for each in Choice]), help="Whose date is to hold.")
@click.option("--why", help="A sentence, for the record.")
def settle(home: Path | None, serial: str | None, date: str | None, why: str | None) -> None:
    """Show every end that is published otherwise than the register has it; settle the date of one.

    What is chosen holds in both afterwards. No end is ever taken back, and its reason stays as it was published. A date
    later than the published one says of some time that the certificate held, which lists have denied: it is asked for
    twice.
    """
    with opened(home) as (house, memory):
        _settle(house, memory, serial, date, why)


def _settle(house: House, memory: Memory, serial: str | None, date: str | None, why: str | None) -> None:
    now = house.clock.now()
    found = settling.differences(house.store, memory, now)
    if serial is None:
        _show(found)
        return
    if date is None or why is None:
        raise click.UsageError("Say --date published or --date register, and --why.")
    chosen = next((each for each in found if each.published.serial == serial.upper()), None)
    if chosen is None:
        raise NoSuchThing(kind="difference about certificate", identifier=serial)
    _show([chosen])
    choice = Choice(date)
    holds = chosen.register if choice is Choice.REGISTER and chosen.register is not None else chosen.published
    if choice is Choice.REGISTER and chosen.later:
        shown.sentence(shown.out(), f"{text(holds.at)} is LATER than was published.", style="bold red")
        asking.require_agreed("Shall the certificate have held until then", instead="", err=True)
    if asking.repeated(f"Type the date that is to hold, {text(holds.at)}", err=True) != text(holds.at):
        raise click.ClickException("That is not the date; nothing was changed.")
    end = settling.settle(house.store, memory, chosen, choice, now, why)
    click.echo(f"Certificate {end.serial} ended at {text(end.at)}, {end.reason.name}; the next list says so.")


def _show(found: list[Difference]) -> None:
    shown.table(
        shown.out(),
        ("certificate", "approval", "published", "reason", "#list", "the register says"),
        [
            (each.published.serial, each.approval, text(each.published.at), each.published.reason.name,
             each.listed_in, _register(each))
            for each in found
        ],
        none="The register has every end as it was published.",
    )  # fmt: skip


def _register(difference: Difference) -> str:
    if difference.register is None:
        return "no end"
    return f"{text(difference.register.at)} {difference.register.reason.name}"

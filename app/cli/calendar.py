"""`trialcpa calendar`: addresses that ordinary calendar programs subscribe to; each is a key for one calendar."""

import click

from app.cli import shown
from app.cli.service import Service, asks_service
from app.client import path
from ra.views import document
from ra.waiting.views import CalendarAddressList, CalendarAddressMade, CalendarAddressRevoked


@click.group(epilog="\b\nExample:\n  trialcpa calendar new 'my phone'")
def calendar() -> None:
    """Addresses under which calendar programs read what is coming, without your API key."""


@calendar.command(
    short_help="Make an address; it is shown once.", epilog="\b\nExample:\n  trialcpa calendar new 'my phone'"
)
@click.argument("name")
@asks_service
def new(name: str, service: Service) -> None:
    """Make an address, called NAME. It is shown now and never again.

    Whoever has it reads starts, changes and ends that you may see, and of these only what is public. Revoke it when
    others may have it.
    """
    with service.connect() as client:
        made = client.do(CalendarAddressMade, path("calendars"), {"name": name})
    if service.as_json:
        shown.as_json(document(made))
        return
    click.echo(made.address or "It was made before; its address was shown then.")
    shown.sentence(shown.out(), f"Give it to one calendar program. To end it: trialcpa calendar revoke {made.calendar}")


@calendar.command(
    "list", short_help="List the addresses that you have made.", epilog="\b\nExample:\n  trialcpa calendar list"
)
@asks_service
def list_(service: Service) -> None:
    """List the addresses that you have made, without their secrets."""
    with service.connect() as client:
        said = client.show(CalendarAddressList, path("calendars"))
    if service.as_json:
        shown.as_json(document(said))
        return
    shown.table(
        shown.out(),
        ("calendar", "name", "made", "revoked"),
        [
            (each.calendar, each.name, shown.day_of(each.made_at), shown.day_of(each.revoked_at))
            for each in said.calendars
        ],
        none="You have made none.",
    )


@calendar.command(epilog="\b\nExample:\n  trialcpa calendar revoke cal-6564f1a2-9c3b1d2e4f60718a")
@click.argument("calendar")
@asks_service
def revoke(calendar: str, service: Service) -> None:
    """End an address at once."""
    with service.connect() as client:
        done = client.do(CalendarAddressRevoked, path("calendars", calendar, "revocation"), {})
    if service.as_json:
        shown.as_json(document(done))
    else:
        shown.sentence(shown.out(), f"{done.calendar} answers nothing any more.")

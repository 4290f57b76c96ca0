"""`trialcpa contacts`: where a Manufacturer has its notices sent (F2.21, F2.30)."""

import click

from app.cli import shown
from app.cli.service import Service, asks_service
from app.client import path
from ra.applying.views import ContactChanged, ContactPage
from ra.views import document


@click.group(epilog="\b\nExample:\n  trialcpa contacts change --notices trials@maker.example")
def contacts() -> None:
    """Where notices of your organisation are sent; urgent ones to a second address, too."""


@contacts.command("list", epilog="\b\nExample:\n  trialcpa contacts list --holding")
@click.argument("organisation", required=False)
@click.option("--holding/--former", default=None, help="Only those that hold now, or that held before.")
@asks_service
def list_(organisation: str | None, *, holding: bool | None, service: Service) -> None:
    """List contacts, those that held before included."""
    with service.connect() as client:
        pages = client.pages(
            ContactPage,
            path("contacts"),
            organisation=organisation,
            holding=None if holding is None else str(holding).lower(),
        )
        found = [each for page in pages for each in page.contacts]
    if service.as_json:
        shown.as_json({"contacts": [document(each) for each in found]})
        return
    shown.table(
        shown.out(),
        ("Manufacturer", "notices", "urgent ones, too", "since", "until", "by"),
        [
            (
                each.manufacturer,
                each.notices or "only fetched",
                each.urgent,
                shown.when(each.since),
                shown.when(each.until) if each.until else "",
                each.set_by,
            )
            for each in found
        ],
        none="No contact was named: notices are only fetched.",
    )


@contacts.command(
    short_help="Change where your notices are sent.",
    epilog="\b\nExample:\n  trialcpa contacts change --urgent duty@maker.example",
)
@click.option("--notices", metavar="ADDRESS", help="For all notices; '' if you only fetch them.")
@click.option("--urgent", metavar="ADDRESS", help="A second one for urgent notices; '' for none.")
@asks_service
def change(*, notices: str | None, urgent: str | None, service: Service) -> None:
    """Change where notices are sent: at once, for approvals that exist already, too."""
    said = {name: each for name, each in (("notices", notices), ("urgent", urgent)) if each is not None}
    if not said:
        raise click.UsageError("Name an address: --notices, --urgent, or both.")
    with service.connect() as client:
        outcome = client.do(ContactChanged, path("contacts"), said)
    if service.as_json:
        shown.as_json(document(outcome))
        return
    console = shown.out()
    shown.facts(
        console,
        [
            ("notices", outcome.notices or "only fetched"),
            ("urgent ones, too", outcome.urgent or "none"),
            ("since", shown.when(outcome.since)),
        ],
    )
    if outcome.findings:
        shown.findings(console, outcome.findings)

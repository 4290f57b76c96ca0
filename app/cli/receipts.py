"""`trialcpa receipts`: how long an end took until each channel told it, and whether DCC and Panel have acknowledged."""

from collections.abc import Mapping

import click

from app.cli import shown
from app.cli.service import Service, asks_service
from app.client import path
from core.identifiers import ApprovalIdentifier
from core.instants import text
from core.kinds import Told
from ra.telling.views import ReceiptList, ToldAnswer
from ra.views import document

_NAMES: Mapping[Told, str] = {
    Told.VERIFICATION: "verification",
    Told.OCSP: "OCSP",
    Told.LIST: "list",
    Told.DCC: "notice to the DCC",
    Told.PANEL: "notice to the Panel",
}


@click.command(epilog="\b\nExample:\n  trialcpa receipts TDA-2027-0042-Y")
@click.argument("approval")
@asks_service
def receipts(approval: str, service: Service) -> None:
    """How long each end of an approval took to be told, and who has acknowledged it.

    Milliseconds count from the commit of the act. The DCC acknowledges by fetching the notice, or by its listener's
    taking it; the Panel by answering its instructions, or as the DCC where there are none.
    """
    with service.connect() as client:
        found = client.show(ReceiptList, path("approvals", str(ApprovalIdentifier.parse(approval)), "receipts"))
    if service.as_json:
        shown.as_json(document(found))
        return
    console = shown.out()
    if not found.receipts:
        shown.heading(console, f"{found.approval}: no act has ended anything of it")
    for each in found.receipts:
        closed = "" if each.closed_at is None else "; nothing is awaited any more"
        shown.heading(console, f"{found.approval}: ended at {text(each.ended_at)} by {each.decision}{closed}")
        shown.table(
            console,
            ("told by", "after", "acknowledged"),
            [(_named(one), _after(one), _acknowledged(one)) for one in each.told],
            none="Nobody has told it.",
        )


def _named(one: ToldAnswer) -> str:
    return _NAMES[one.told] if one.number is None else f"{_NAMES[one.told]}, number {one.number}"


def _after(one: ToldAnswer) -> str:
    if one.unreachable:
        return "cannot be reached"
    return "not yet" if one.milliseconds is None else f"{one.milliseconds:,} ms"


def _acknowledged(one: ToldAnswer) -> str:
    if one.acknowledged_at is not None:
        return text(one.acknowledged_at)
    return "not yet" if one.told in {Told.DCC, Told.PANEL} else ""

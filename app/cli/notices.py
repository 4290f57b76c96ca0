"""`trialcpa notices`: what Manufacturer, DCC and Panel were told, and what has not reached them (F2.21 to F2.31)."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from app.cli import shown
from app.cli.service import Service, asks_service
from app.client import path
from core.identifiers import ApprovalIdentifier


@click.command(epilog="\b\nExample:\n  trialcpa notices TDA-2027-0042-Y\n  trialcpa notices --undelivered")
@click.argument("approval", required=False)
@click.option("--undelivered", is_flag=True, help="Copies that have not reached their recipient, and why.")
@asks_service
def notices(approval: str | None, undelivered: bool, service: Service) -> None:  # noqa: FBT001 - click
    """List the notices, of one approval or all; trialcpa fetch NOTICE fetches one."""
    of = None if approval is None else str(ApprovalIdentifier.parse(approval))
    with service.connect() as client:
        if undelivered:
            lines = client.every(path("notices", "undelivered"), "undelivered")
            found = [each for each in lines if of in (None, each["approval"])]
        else:
            address = path("notices") if of is None else path("approvals", of, "notices")
            found = list(client.every(address, "notices"))
    if service.as_json:
        shown.as_json({"undelivered" if undelivered else "notices": found})
    elif undelivered:
        _show_undelivered(found)
    else:
        _show(found)


def _show(found: Sequence[Mapping[str, Any]]) -> None:
    shown.table(
        shown.out(),
        ("notice", "kind", "about", "written", "copies"),
        [
            (each["notice"], each["kind"], _about(each), each["written_at"], [_copy(one) for one in each["copies"]])
            for each in found
        ],
        none="No notice.",
    )


def _show_undelivered(found: Sequence[Mapping[str, Any]]) -> None:
    shown.table(
        shown.out(),
        ("notice", "to", "about", "since", "by", "state", "#attempts", "last error"),
        [
            (each["notice"], each["recipient"], _about(each), each["since"], _way(each), each["state"],
             each["attempts"], each["last_error"])
            for each in found
        ],
        none="Every copy has reached its recipient.",
    )  # fmt: skip


def _about(notice: Mapping[str, Any]) -> str:
    return str(notice["approval"] or notice["application"] or "")


def _copy(copy: Mapping[str, Any]) -> str:
    """A copy in words; who may not see where copies went sees whose it is."""
    states = sorted({str(each["state"]) for each in copy["deliveries"]})
    fetched = ["fetched"] if copy["fetched_at"] else []
    withheld = [f"{copy['withheld']} withheld"] if copy["withheld"] else []
    return ", ".join([f"{copy['recipient']} ({copy['classification']})", *withheld, *states, *fetched])


def _way(line: Mapping[str, Any]) -> str:
    return f"{line['channel']} {line['address'] or ''}".strip() if line["channel"] else ""

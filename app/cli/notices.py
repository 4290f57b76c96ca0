"""`trialcpa notices`: what Manufacturer, DCC and Panel were told, and what has not reached them (F2.21 to F2.31)."""

import click

from app.cli import shown
from app.cli.service import Service, asks_service
from app.client import Client, path
from core.identifiers import ApprovalIdentifier
from ra.telling.views import CopyAnswer, NoticeEntry, NoticePage, UndeliveredLine, UndeliveredPage
from ra.views import document


@click.command(epilog="\b\nExample:\n  trialcpa notices TDA-2027-0042-Y\n  trialcpa notices --undelivered")
@click.argument("approval", required=False)
@click.option("--undelivered", is_flag=True, help="Copies that have not reached their recipient, and why.")
@asks_service
def notices(approval: str | None, undelivered: bool, service: Service) -> None:  # noqa: FBT001 - click
    """List the notices, of one approval or all; trialcpa fetch NOTICE fetches one."""
    of = None if approval is None else str(ApprovalIdentifier.parse(approval))
    with service.connect() as client:
        if undelivered:
            _undelivered(client, of, as_json=service.as_json)
        else:
            _notices(client, of, as_json=service.as_json)


def _notices(client: Client, approval: str | None, *, as_json: bool) -> None:
    address = path("notices") if approval is None else path("approvals", approval, "notices")
    found = [each for page in client.pages(NoticePage, address) for each in page.notices]
    if as_json:
        shown.as_json({"notices": [document(each) for each in found]})
        return
    shown.table(
        shown.out(),
        ("notice", "kind", "about", "written", "copies"),
        [
            (each.notice, _kind(each), _about(each), each.written_at, [_copy(one) for one in each.copies])
            for each in found
        ],
        none="No notice.",
    )


def _undelivered(client: Client, approval: str | None, *, as_json: bool) -> None:
    pages = client.pages(UndeliveredPage, path("notices", "undelivered"))
    found = [each for page in pages for each in page.undelivered if approval in (None, each.approval)]
    if as_json:
        shown.as_json({"undelivered": [document(each) for each in found]})
        return
    shown.table(
        shown.out(),
        ("notice", "to", "about", "since", "by", "state", "#attempts", "last error"),
        [
            (each.notice, each.recipient, _about(each), each.since, _way(each), each.state,
             each.attempts, each.last_error)
            for each in found
        ],
        none="Every copy has reached its recipient.",
    )  # fmt: skip


def _kind(notice: NoticeEntry) -> str:
    corrects = f" of {notice.corrects}" if notice.corrects else ""
    corrected = f", corrected by {', '.join(notice.corrected_by)}" if notice.corrected_by else ""
    return f"{notice.kind}{corrects}{corrected}"


def _about(notice: NoticeEntry | UndeliveredLine) -> str:
    return notice.approval or notice.application or ""


def _copy(copy: CopyAnswer) -> str:
    """A copy in words; who may not see where copies went sees whose it is."""
    states = sorted({each.state for each in copy.deliveries})
    fetched = ["fetched"] if copy.fetched_at else []
    withheld = [f"{copy.withheld} withheld"] if copy.withheld else []
    return ", ".join([f"{copy.recipient} ({copy.classification})", *withheld, *states, *fetched])


def _way(line: UndeliveredLine) -> str:
    return f"{line.channel} {line.address or ''}".strip() if line.channel else ""

"""`trialcpa status`: what waits for whom, where an application stands, what is true of an approval."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import click
from rich.console import Console

from app.cli import application_shown, shown
from app.cli.service import Service, asks_service
from app.client import Client, path
from core.errors import IdentifierMalformed, ServiceRefused
from core.identifiers import ApprovalIdentifier
from ra.applying.views import ApplicationAnswer, ApplicationPage
from ra.reporting.views import DeploymentsAnswer
from ra.telling.views import (
    AcceptanceSummary,
    ApprovalAnswer,
    ApprovalPage,
    CertificateSummary,
    ConditionList,
    NoticePage,
)
from ra.views import document
from ra.waiting.views import TaskList

Document = Mapping[str, Any]
P = TypeVar("P")
R = TypeVar("R")
T = TypeVar("T")

_NOT_MINE = frozenset({403, 404})
"""What this role may not see is left out of an overview."""


@click.command(epilog="\b\nExample:\n  trialcpa status\n  trialcpa status TDA-2027-0042-Y")
@click.argument("thing", required=False, metavar="[APPLICATION|APPROVAL]")
@asks_service
def status(thing: str | None, service: Service) -> None:
    """Show where it stands and what is missing; without a name, everything of yours and what waits for you."""
    with service.connect() as client:
        show: Callable[[Console], None]
        if thing is None:
            said, show = _overview(client)
        elif (approval := _approval_named(thing)) is not None:
            said, show = _approval(client, approval)
        else:
            said, show = _application(client, thing)
    if service.as_json:
        shown.as_json(said)
    else:
        show(shown.out())


def _approval_named(thing: str) -> str | None:
    try:
        return str(ApprovalIdentifier.parse(thing))
    except IdentifierMalformed:
        if thing.lower().startswith("app-"):
            return None
        raise


# --- everything ---------------------------------------------------------------------------------------------------


def _overview(client: Client) -> tuple[Document, Callable[[Console], None]]:
    waiting = client.show(TaskList, "/v1/tasks")
    applications = _every(lambda: client.pages(ApplicationPage, "/v1/applications"), lambda page: page.applications)
    approvals = _every(lambda: client.pages(ApprovalPage, "/v1/approvals"), lambda page: page.approvals)

    def show(console: Console) -> None:
        shown.heading(console, "Waiting")
        shown.table(
            console,
            ("", "what", "since", "due", "about"),
            [
                ("!" if each.urgent else "", each.sentence, shown.day_of(each.since), shown.day_of(each.due),
                 each.subject)
                for each in waiting.tasks
            ],
            none="Nothing waits for you.",
        )  # fmt: skip
        if waiting.truncated:
            shown.sentence(console, "More waits than is shown: what is oldest of each kind; do some and ask again.")
        if applications is not None:
            shown.heading(console, "Applications")
            shown.table(
                console,
                ("application", "state", "device", "start", "expiry"),
                [
                    (each.application, each.state, shown.device_of(each.device), each.start, each.expiry)
                    for each in applications
                ],
            )
        if approvals is not None:
            shown.heading(console, "Approvals")
            shown.table(
                console,
                ("approval", "state", "device", "start", "expiry", "#limit"),
                [
                    (each.approval, each.state, shown.device_of(each.device), shown.day_of(each.start),
                     shown.day_of(each.expiry), f"{each.maximum_devices:,}")
                    for each in approvals
                ],
            )  # fmt: skip

    said = {
        "tasks": document(waiting)["tasks"],
        "truncated": waiting.truncated,
        "applications": None if applications is None else [document(each) for each in applications],
        "approvals": None if approvals is None else [document(each) for each in approvals],
    }
    return {name: value for name, value in said.items() if value is not None}, show


def _every(pages: Callable[[], Iterator[P]], rows: Callable[[P], Sequence[R]]) -> list[R] | None:
    """Every row of a list; None if this role may not see it."""
    return _perhaps(lambda: [each for page in pages() for each in rows(page)])


def _perhaps(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except ServiceRefused as error:
        if error.fields["status"] in _NOT_MINE:
            return None
        raise


# --- an application -----------------------------------------------------------------------------------------------


def _application(client: Client, identifier: str) -> tuple[Document, Callable[[Console], None]]:
    said = client.show(ApplicationAnswer, path("applications", identifier))

    def show(console: Console) -> None:
        shown.heading(console, f"{said.application}: {said.state}")
        shown.sentence(console, said.stage)
        application_shown.show(console, said)
        shown.heading(console, "Missing for a grant")
        for each in said.missing:
            shown.sentence(console, f"- {each}", style="yellow")
        if not said.missing:
            shown.sentence(console, "Nothing. Whether it is granted is the Security Sub-Committee's to decide.")
        shown.heading(console, "Requirements (F2.20)")
        shown.table(
            console,
            ("requirement", "state", "text", "reason"),
            [(each.requirement, each.state, each.text, each.reason) for each in said.requirements],
        )
        shown.heading(console, "What the rules found")
        shown.findings(console, said.findings)
        if said.for_officers:
            shown.heading(console, "What else is known of the Device Model")
            shown.findings(console, said.for_officers)

    return document(said), show


# --- an approval --------------------------------------------------------------------------------------------------


def _approval(client: Client, approval: str) -> tuple[Document, Callable[[Console], None]]:
    said = client.show(ApprovalAnswer, path("approvals", approval))
    conditions = _perhaps(lambda: client.show(ConditionList, path("approvals", approval, "conditions")))
    deployments = _perhaps(lambda: client.show(DeploymentsAnswer, path("approvals", approval, "deployments")))
    told = _every(lambda: client.pages(NoticePage, path("approvals", approval, "notices")), lambda page: page.notices)
    notices = None if told is None else NoticePage(notices=tuple(told), next=None, truncated=False)

    def show(console: Console) -> None:
        shown.heading(console, f"{said.approval}: {said.state}")
        limit = f"{said.maximum_devices:,}"
        of_which = "" if deployments is None else f", of which {deployments.deployed:,} are deployed"
        shown.facts(
            console,
            [
                ("Manufacturer", said.organisation),
                ("device", shown.device_of(said.device)),
                ("firmware", application_shown.firmware(said.firmware)),
                ("start", shown.when(said.start)),
                ("expiry", shown.when(said.expiry)),
                ("most devices", limit + of_which),
                ("ended", f"{shown.when(said.ended_at)}: {said.end_cause}" if said.ended_at else None),
                ("certificate", f"issue {said.issue}" if said.issue else None),
                ("as of", shown.when(said.as_of)),
            ],
        )
        for each in said.pending:
            told = f"Decided, and waits until {shown.when(each.effective)} (F2.29)"
            shown.heading(console, f"{told}: issue {each.issue}, by {each.decision}")
            changes = [(change.subject, change.before, change.after) for change in each.changes]
            shown.table(console, ("", "until then", "from then on"), changes)
        shown.heading(console, "Certificates (F2.25)")
        shown.table(
            console,
            ("#issue", "serial", "from", "to", "ended", "the Manufacturer says"),
            [
                (each.issue, each.serial, each.not_before, each.not_after, _ended(each), _answered(each.acceptance))
                for each in said.certificates
            ],
            none="Not signed yet.",
        )
        if conditions is not None:
            shown.heading(console, "Conditions (F2.21(e))")
            shown.table(
                console,
                ("#no", "class", "from", "until", "text"),
                [
                    (each.number, each.classification, shown.when(each.since), shown.when(each.until), each.text)
                    for each in conditions.conditions
                    if each.until is None or each.until > max(said.as_of, each.since)
                ],
            )
            if conditions.withheld:
                withheld = shown.many(conditions.withheld, "condition")
                shown.sentence(console, f"Besides there is {withheld} not for you (F2.22).", style="dim")
        if notices is not None:
            shown.heading(console, "Notices")
            shown.table(
                console,
                ("notice", "kind", "written"),
                [(each.notice, each.kind, each.written_at) for each in notices.notices],
            )

    more = {"conditions": conditions, "deployments": deployments, "notices": notices}
    return {
        **document(said),
        **{name: document(found) for name, found in more.items() if found is not None},
    }, show


def _ended(certificate: CertificateSummary) -> str:
    """What whoever ended it wants to know: whether the world has been told."""
    if certificate.ended_at is None:
        return ""
    said = "no CRL says so yet" if certificate.listed_in is None else f"CRL {certificate.listed_in}"
    return f"{shown.when(certificate.ended_at)}, {said}"


def _answered(acceptance: AcceptanceSummary | None) -> str:
    if acceptance is None:
        return "nothing yet"
    return "accepted" if acceptance.accepted else f"rejected: {acceptance.reason}"

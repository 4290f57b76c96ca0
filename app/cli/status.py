"""`trialcpa status`: what waits for whom, where an application stands, what is true of an approval."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console

from app.cli import shown
from app.cli.service import Service, asks_service
from app.client import Client, path
from core.errors import IdentifierMalformed, ServiceRefused
from core.identifiers import ApprovalIdentifier
from ra.views import document
from ra.waiting.tasks import TaskList

Document = Mapping[str, Any]

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
    applications = _listed(client, "/v1/applications", "applications")
    approvals = _listed(client, "/v1/approvals", "approvals")

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
        if applications is not None:
            shown.heading(console, "Applications")
            shown.table(
                console,
                ("application", "state", "device", "start", "expiry"),
                [
                    (each["application"], each["state"], shown.device_of(each["device"]), shown.day_of(each["start"]),
                     shown.day_of(each["expiry"]))
                    for each in applications
                ],
            )  # fmt: skip
        if approvals is not None:
            shown.heading(console, "Approvals")
            shown.table(
                console,
                ("approval", "state", "device", "start", "expiry", "#limit"),
                [
                    (each["approval"], each["state"], shown.device_of(each["device"]), shown.day_of(each["start"]),
                     shown.day_of(each["expiry"]), f"{each['maximum_devices']:,}")
                    for each in approvals
                ],
            )  # fmt: skip

    said = {"tasks": document(waiting)["tasks"], "applications": applications, "approvals": approvals}
    return {name: value for name, value in said.items() if value is not None}, show


def _listed(client: Client, address: str, member: str) -> list[dict[str, Any]] | None:
    try:
        return list(client.every(address, member))
    except ServiceRefused as error:
        if error.fields["status"] in _NOT_MINE:
            return None
        raise


# --- an application -----------------------------------------------------------------------------------------------


def _application(client: Client, identifier: str) -> tuple[Document, Callable[[Console], None]]:
    said = client.get(path("applications", identifier))

    def show(console: Console) -> None:
        shown.heading(console, f"{said['application']}: {said['state']}")
        shown.sentence(console, said["stage"])
        shown.facts(
            console,
            [
                ("Manufacturer", said.get("organisation")),
                ("device", shown.device_of(said["device"])),
                ("versions", " ".join(str(said.get(name) or "") for name in ("smets_version", "gbcs_version")).strip()),
                ("firmware", _firmware(said["firmware"])),
                ("start", shown.first_day(said["start"])),
                ("expiry", shown.last_day(said["expiry"])),
                ("most devices", f"{said['maximum_devices']:,}"),
                ("submitted", f"{shown.when(said['submitted_at'])} by {said['submitted_by']}"),
                ("changed", shown.when(said.get("changed_at"))),
            ],
        )
        shown.heading(console, "Missing for a grant")
        for each in said.get("missing", []):
            shown.sentence(console, f"- {each}", style="yellow")
        if not said.get("missing"):
            shown.sentence(console, "Nothing. Whether it is granted is the Security Sub-Committee's to decide.")
        shown.heading(console, "Requirements (F2.20)")
        shown.table(
            console,
            ("requirement", "state", "text", "reason"),
            [
                (each.get("requirement"), each.get("state"), each.get("text"), each.get("reason"))
                for each in said.get("requirements", [])
            ],
        )
        shown.heading(console, "Evidence (F2.19)")
        shown.table(
            console,
            ("evidence", "name", "type", "#octets"),
            [
                (each.get("evidence"), each.get("name"), each.get("media_type"), f"{int(each.get('size') or 0):,}")
                for each in said.get("evidence", [])
            ],
        )
        shown.heading(console, "What the rules found")
        shown.findings(console, said.get("findings", []))

    return said, show


# --- an approval --------------------------------------------------------------------------------------------------


def _approval(client: Client, approval: str) -> tuple[Document, Callable[[Console], None]]:
    said = client.get(path("approvals", approval))
    more = {
        name: found
        for name, found in (
            ("conditions", _perhaps(client, path("approvals", approval, "conditions"))),
            ("deployments", _perhaps(client, path("approvals", approval, "deployments"))),
            ("notices", _perhaps(client, path("approvals", approval, "notices"))),
        )
        if found is not None
    }

    def show(console: Console) -> None:
        shown.heading(console, f"{said['approval']}: {said['state']}")
        deployed = more.get("deployments", {}).get("deployed")
        limit = f"{said['maximum_devices']:,}"
        shown.facts(
            console,
            [
                ("Manufacturer", said.get("organisation")),
                ("device", shown.device_of(said["device"])),
                ("firmware", _firmware(said["firmware"])),
                ("start", shown.when(said["start"])),
                ("expiry", shown.when(said["expiry"])),
                ("most devices", limit if deployed is None else f"{limit}, of which {deployed:,} are deployed"),
                ("ended", f"{shown.when(said['ended_at'])}: {said['end_cause']}" if said.get("ended_at") else None),
                ("as of", shown.when(said["as_of"])),
            ],
        )
        shown.heading(console, "Certificates (F2.25)")
        shown.table(
            console,
            ("#issue", "serial", "from", "to", "the Manufacturer says"),
            [
                (each["issue"], each["serial"], each["not_before"], each["not_after"], _answered(each))
                for each in said["certificates"]
            ],
            none="Not signed yet.",
        )
        if "conditions" in more:
            shown.heading(console, "Conditions (F2.21(e))")
            shown.table(
                console,
                ("#no", "class", "text"),
                [
                    (each["number"], each["classification"], each["text"])
                    for each in more["conditions"]["conditions"]
                    if not each["ended_at"]
                ],
            )
            withheld = more["conditions"]["withheld"]
            if withheld:
                shown.sentence(console, f"{withheld} more are not for you (F2.22).", style="dim")
        if "notices" in more:
            shown.heading(console, "Notices")
            shown.table(
                console,
                ("notice", "kind", "written"),
                [
                    (each.get("notice"), each.get("kind"), each.get("written_at"))
                    for each in more["notices"].get("notices", [])
                ],
            )

    return {**said, **more}, show


def _perhaps(client: Client, address: str) -> dict[str, Any] | None:
    try:
        return client.get(address)
    except ServiceRefused as error:
        if error.fields["status"] in _NOT_MINE:
            return None
        raise


def _firmware(listed: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"{each['version']}  {each['image_sha256']}" for each in listed]


def _answered(certificate: Mapping[str, Any]) -> str:
    answer = certificate.get("acceptance")
    if not answer:
        return "nothing yet"
    return "accepted" if answer["accepted"] else f"rejected: {answer['reason']}"

"""`trialcpa amendments`: a Manufacturer asks for an amendment of its approval; the SSC decides (F2.29)."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from app.cli import shown
from app.cli.apply import Attached, Image, evidence_type, show_attached
from app.cli.apply import attach as attach_files
from app.cli.form_files import sha256_of
from app.cli.service import Service, asks_service
from app.cli.words import WORDS, why_option
from app.client import Client, path
from core.errors import InputUnusable
from ra.applying.views import (
    AmendmentAsked,
    AmendmentRequestAnswer,
    AmendmentRequested,
    AmendmentRequestList,
    EvidenceList,
)
from ra.views import FirmwareAnswer, document, view_of

EXIT_REFUSED = 1

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(epilog="\b\nExample:\n  trialcpa amendments list TDA-2027-0042-Y")
def amendments() -> None:
    """Requests to amend an approval, decided by the SSC (F2.29)."""


@amendments.command("list", epilog="\b\nExample:\n  trialcpa amendments list TDA-2027-0042-Y")
@click.argument("approval")
@asks_service
def list_(approval: str, service: Service) -> None:
    """List what was asked to be amended, and what became of it."""
    with service.connect() as client:
        said = client.show(AmendmentRequestList, path("approvals", approval, "amendment-requests"))
    if service.as_json:
        shown.as_json(document(said))
        return
    shown.table(
        shown.out(),
        ("request", "state", "asked on", "what", "reasons", "decision"),
        [
            (each.request, f"{each.state}, otherwise" if each.otherwise else each.state, shown.day_of(each.asked_at),
             list(_wishes(each.asked)), each.reasons, each.decision)
            for each in said.requests
        ],
        none="No amendment was asked for.",
    )  # fmt: skip


@amendments.command(
    short_help="Show a request with its evidence.",
    epilog="\b\nExample:\n  trialcpa amendments show amr-6564f1a2-9c3b1d2e4f60718a",
)
@click.argument("request")
@asks_service
def show(request: str, service: Service) -> None:
    """Show a request, what became of it, and its evidence."""
    with service.connect() as client:
        said = client.show(AmendmentRequestAnswer, path("amendment-requests", request))
        attached = client.show(EvidenceList, path("amendment-requests", request, "evidence"))
    if service.as_json:
        shown.as_json({**document(said), **document(attached)})
        return
    console = shown.out()
    shown.heading(console, f"{said.request}: {said.state}{', otherwise than it was asked' if said.otherwise else ''}")
    shown.facts(
        console,
        [
            ("approval", said.approval),
            ("what", list(_wishes(said.asked))),
            ("otherwise", list(said.otherwise)),
            ("reasons", said.reasons),
            ("asked", f"{shown.when(said.asked_at)} by {said.asked_by}"),
            ("decision", said.decision),
            ("closed", shown.when(said.closed_at)),
            ("evidence", [f"{each.evidence}  {each.name}" for each in attached.evidence]),
        ],
    )
    if said.findings:
        shown.findings(console, said.findings)


@amendments.command(
    short_help="Ask for an amendment of your approval.",
    epilog="\b\nExample:\n  trialcpa amendments request TDA-2027-0042-Y --firmware 3=f.bin --why Fix",
)
@click.argument("approval")
@click.option("--expiry", metavar="DAY", help="The last UTC day, such as 2027-09-30.")
@click.option("--start", metavar="DAY", help="The first UTC day, before it has come.")
@click.option("--maximum-devices", type=click.IntRange(1), metavar="N", help="How many may be deployed.")
@click.option("--firmware", multiple=True, type=Image(), help="Added; its SHA-256 is computed.")
@click.option("--remove-firmware", multiple=True, metavar="VERSION", help="Removed.")
@click.option("--other", type=WORDS, help="Anything else.")
@why_option("In a sentence.", former="--reasons")
@click.option("--evidence", multiple=True, type=_FILE, help="PDF, XLSX, CSV, TXT.")
@asks_service
def request(
    *,
    approval: str,
    firmware: tuple[tuple[str, Path], ...],
    remove_firmware: tuple[str, ...],
    why: str,
    evidence: tuple[Path, ...],
    service: Service,
    **terms: str | int | None,
) -> None:
    """Ask for an amendment; what is not named stays as it is."""
    asked: dict[str, Any] = {
        **terms,
        "firmware_added": [document(_firmware(version, image)) for version, image in firmware],
        "firmware_removed": list(remove_firmware),
    }
    wishes = {name: value for name, value in asked.items() if value not in (None, [])}
    if not wishes:
        raise click.UsageError("Say what is to be amended.")
    files = [(each, evidence_type(each)) for each in evidence]
    with service.connect() as client:
        said = {**wishes, "reasons": why}
        outcome = client.do(AmendmentRequested, path("approvals", approval, "amendment-requests"), said)
        attached = _attach(client, outcome.request, files)
    # It was taken in, so it can be read as the service reads it.
    wanted = view_of(AmendmentAsked, json.dumps({**asked, "other": asked["other"] or ""}))
    _told(service, outcome, attached, list(_wishes(wanted)))


@amendments.command(
    short_help="Add evidence to a request.",
    epilog="\b\nExample:\n  trialcpa amendments attach amr-6564f1a2-9c3b1d2e4f60718a report.pdf",
)
@click.argument("request")
@click.argument("file", nargs=-1, required=True, type=_FILE)
@asks_service
def attach(request: str, file: tuple[Path, ...], service: Service) -> None:
    """Add evidence (PDF, XLSX, CSV, TXT) to a request that is not decided."""
    files = [(each, evidence_type(each)) for each in file]
    with service.connect() as client:
        attached = _attach(client, request, files)
    _told(service, None, attached)


@amendments.command(
    short_help="Take a request back.",
    epilog="\b\nExample:\n  trialcpa amendments withdraw amr-6564f1a2-9c3b1d2e4f60718a",
)
@click.argument("request")
@asks_service
def withdraw(request: str, service: Service) -> None:
    """Take a request back, before it is proposed for decision."""
    with service.connect() as client:
        outcome = client.do(AmendmentRequested, path("amendment-requests", request, "withdrawal"), {})
    _told(service, outcome, Attached())


def _firmware(version: str, image: Path) -> FirmwareAnswer:
    try:
        return FirmwareAnswer(version=version, image_sha256=sha256_of(image))
    except OSError as error:
        raise InputUnusable(path=image, detail=f"it cannot be read ({error.strerror}).") from None


def _attach(client: Client, request: str, files: Sequence[tuple[Path, str]]) -> Attached:
    return attach_files(client, path("amendment-requests", request, "evidence"), files)


def _told(service: Service, outcome: AmendmentRequested | None, attached: Attached, wishes: Sequence[str] = ()) -> None:
    """Show what became of a request and its files; the exit status is 1 if a file was refused."""
    if service.as_json:
        shown.as_json({**({} if outcome is None else document(outcome)), **document(attached)})
    else:
        console = shown.out()
        if outcome is not None:
            shown.sentence(console, f"{outcome.request}: {outcome.state}, for {outcome.approval}")
        for each in wishes:
            shown.sentence(console, f"- {each}", indent=4)
        if outcome is not None and outcome.findings:
            shown.findings(console, outcome.findings)
        show_attached(console, attached)
        if attached.refused:
            which = "REQUEST" if outcome is None else outcome.request
            shown.sentence(console, f"Mend that, then: trialcpa amendments attach {which} FILE")
        if outcome is not None and wishes:
            step = f"The Security Sub-Committee decides: trialcpa amendments list {outcome.approval}"
            shown.sentence(console, step, style="dim")
    raise SystemExit(EXIT_REFUSED if attached.refused else 0)


def _wishes(asked: AmendmentAsked) -> Iterator[str]:
    """Return what is asked for, in words."""
    if asked.start:
        yield f"start {shown.first_day(asked.start)}"
    if asked.expiry:
        yield f"expiry {shown.last_day(asked.expiry)}"
    if asked.maximum_devices is not None:
        yield f"at most {shown.many(asked.maximum_devices, 'device')}"
    for added in asked.firmware_added:
        yield f"firmware {added.version} added, {added.image_sha256}"
    for removed in asked.firmware_removed:
        yield f"firmware {removed} removed"
    if asked.other:
        yield asked.other

"""`trialcpa apply`: a Manufacturer applies for a Trial Device Approval, or changes what it has applied for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from app.cli import application_draft, shown
from app.cli.application_draft import Draft
from app.cli.application_form import TEMPLATE, application, change
from app.cli.service import Service, asks_service
from app.cli.words import class_option
from app.client import Client, path
from core.errors import InputUnusable, ServiceRefused, TrialCpaError
from intake.evidence import accepted_type
from ra.applying.views import ApplicationCancelled, ApplicationChanged, ApplicationTaken, EvidenceAnswer
from ra.views import document

MEDIA_TYPES: Mapping[str, str] = {
    ".pdf": "application/pdf",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv",
    ".txt": "text/plain",
}
"""What can be evidence, by the file's name; the service looks at the contents."""

LARGEST_EVIDENCE = 10 * 1024 * 1024
"""Octets of one file that the service takes."""

EXIT_REFUSED = 1


@dataclass(frozen=True)
class NotTaken:
    """A file that was not attached: why, and what to do."""

    file: str
    detail: str
    hint: str


@dataclass(frozen=True)
class Attached:
    """What became of some files.

    Args:
        evidence: those that were attached.
        refused: the others.
    """

    evidence: tuple[EvidenceAnswer, ...] = ()
    refused: tuple[NotTaken, ...] = ()


class Image(click.ParamType[tuple[str, Path]]):
    """A firmware version and the file that holds its image."""

    name = "VERSION=IMAGE"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, Path]:
        """Return both, or fail with what is wrong."""
        if isinstance(value, tuple):
            return value
        version, equals, image = str(value).partition("=")
        if not version or not equals or not image:
            self.fail(f"“{value}” is not VERSION=IMAGE, such as 0002012F=firmware.bin.", param, ctx)
        return version, Path(image)


@click.command(
    epilog="\b\nExample:\n  trialcpa apply --template > trial.toml\n  trialcpa apply trial.toml --evidence report.pdf"
)
@click.argument("form", required=False, type=click.Path(dir_okay=False, path_type=Path), metavar="[FILE.toml]")
@click.option("--template", is_flag=True, help="Print a form to fill in, and stop.")
@click.option("--evidence", multiple=True, type=click.Path(dir_okay=False, path_type=Path), help="PDF, XLSX, CSV, TXT.")
@click.option("--firmware", multiple=True, type=Image(), help="Its SHA-256 is computed.")
@click.option("--change", "changed", metavar="APPLICATION", help="Change this one, or add evidence to it.")
@click.option("--cancel", metavar="APPLICATION", help="Take it back, before a decision is proposed.")
@class_option("white to red, of what the SSC adds; else red.", metavar="CLASS")
@click.option("--again", is_flag=True, help="Apply again with a form that was sent before.")
@click.option("--draft", type=click.Path(dir_okay=False, path_type=Path), help="Collect in this file, or show it.")
@click.option("--send", is_flag=True, help="Send the draft; go on if that broke off.")
@click.option("--discard", is_flag=True, help="Throw the draft away.")
@click.option("--dry-run", is_flag=True, help="Check it, and show what would be sent.")
@asks_service
def apply(
    *,
    form: Path | None,
    evidence: tuple[Path, ...],
    firmware: tuple[tuple[str, Path], ...],
    changed: str | None,
    cancel: str | None,
    classification: str | None,
    draft: Path | None,
    service: Service,
    **flags: bool,
) -> None:
    """Apply for a Trial Device Approval with a form and its evidence (F2.18)."""
    if flags["template"]:
        click.echo(TEMPLATE, nl=False)
        return
    if draft is not None:
        if changed is not None or cancel is not None or flags["again"] or flags["dry_run"]:
            raise click.UsageError("--draft goes with a form, --evidence, --firmware, --send and --discard only.")
        raise SystemExit(_drafted(service, draft, (form, firmware, evidence), flags))
    if cancel is not None:
        if form is not None or evidence or firmware or changed is not None:
            raise click.UsageError("--cancel stands alone.")
        _cancel(service, cancel)
        return
    adds = changed is not None and bool(evidence)
    _require_whole(flags, has_form=form is not None, adds=adds, classified=classification is not None)
    request = {} if form is None else (change if changed else application)(form, firmware)
    files = [(each, _checked(each)) for each in evidence]
    if flags["dry_run"]:
        shown.as_json({**request, "evidence": [str(each) for each in evidence]} if evidence else request)
        return
    with service.connect() as client:
        outcome = _said(client, request, changed, again=flags["again"])
        identifier = str(changed) if outcome is None else outcome.application
        attached = attach(client, path("applications", identifier, "evidence"), files, classification)
    if service.as_json:
        shown.as_json({**({} if outcome is None else document(outcome)), **document(attached)})
    else:
        _show(identifier, outcome, attached)
    raise SystemExit(EXIT_REFUSED if attached.refused else 0)


def _require_whole(flags: Mapping[str, bool], *, has_form: bool, adds: bool, classified: bool) -> None:
    """Fail with what is missing, or goes with something else; `adds` says that evidence is added to an application."""
    if flags["send"] or flags["discard"]:
        raise click.UsageError("Say which draft: --draft FILE.")
    if not has_form and not adds:
        raise click.UsageError("Name a form: trialcpa apply FILE.toml (trialcpa apply --template prints one).")
    if classified and not adds:
        raise click.UsageError("--class is for evidence that the SSC adds with --change.")


def _drafted(
    service: Service,
    draft: Path,
    more: tuple[Path | None, Sequence[tuple[str, Path]], Sequence[Path]],
    flags: Mapping[str, bool],
) -> int:
    """Collect in a draft, show it, send it, or throw it away; return the exit status."""
    if flags["discard"]:
        return _discard(service, draft)
    for each in more[2]:
        _checked(each)
    held = _draft_kept(draft, *more)
    if flags["send"]:
        return _send(service, draft, held)
    if service.as_json:
        shown.as_json({"request": dict(held.request), "evidence": list(held.evidence)})
    else:
        application_draft.show(shown.out(), draft, held)
    return 0


def _draft_kept(path: Path, form: Path | None, images: Sequence[tuple[str, Path]], evidence: Sequence[Path]) -> Draft:
    """Return a draft with what is collected now, which is kept; InputUnusable if there is neither."""
    held = application_draft.read(path)
    if form is None and not images and not evidence:
        if held is None:
            raise InputUnusable(path=path, detail="there is no such draft; name a form or --evidence to begin one.")
        return held
    more = application_draft.with_more(path, held or Draft(), form, images, evidence)
    application_draft.write(path, more)
    return more


def _send(service: Service, path_of_draft: Path, held: Draft) -> int:
    """Send a draft, or what is left of it; return the exit status. The draft is gone once all of it is there."""
    files = [(each, _checked(each)) for each in application_draft.require_whole(path_of_draft, held)]
    outcome = None
    with service.connect() as client:
        if held.application is None:
            # Under the same key each time: if we die before the next line, it is told which one it was.
            outcome = client.do_once(ApplicationTaken, "/v1/applications", held.request)
            held = replace(held, application=outcome.application)
            application_draft.write(path_of_draft, held)
        # The service knows a file that it has: what is sent again after we died is not there twice.
        attached = attach(client, path("applications", str(held.application), "evidence"), files)
    if not attached.refused:
        path_of_draft.unlink()
    if service.as_json:
        said = {"application": held.application} if outcome is None else document(outcome)
        shown.as_json({**said, **document(attached)})
    else:
        _show(str(held.application), outcome, attached)
    return EXIT_REFUSED if attached.refused else 0


def _discard(service: Service, draft: Path) -> int:
    held = application_draft.read(draft)
    if held is None:
        raise InputUnusable(path=draft, detail="there is no such draft.")
    draft.unlink()
    if service.as_json:
        shown.as_json({"discarded": str(draft), "application": held.application})
        return 0
    console = shown.out()
    shown.sentence(console, f"{draft} is thrown away.")
    if held.application is not None:
        told = f"What was sent of it stands: trialcpa apply --cancel {held.application} takes it back."
        shown.sentence(console, told)
    return 0


def evidence_type(file: Path) -> str:
    """Return the media type of a file that can be evidence; InputUnusable if it cannot be."""
    known = MEDIA_TYPES.get(file.suffix.lower())
    if known is None:
        raise InputUnusable(path=file, detail=f"evidence is one of {', '.join(MEDIA_TYPES)}.")
    try:
        size = file.stat().st_size
    except OSError as error:
        raise InputUnusable(path=file, detail=f"it cannot be read ({error.strerror}).") from None
    if not 0 < size <= LARGEST_EVIDENCE:
        raise InputUnusable(path=file, detail=f"it has {size:,} octets; evidence has 1 to {LARGEST_EVIDENCE:,}.")
    return known


def _checked(file: Path) -> str:
    """Return the media type of a file of evidence by what is in it; InputUnusable if the service would not take it."""
    known = evidence_type(file)
    try:
        return accepted_type(known, file.read_bytes())
    except OSError as error:
        raise InputUnusable(path=file, detail=f"it cannot be read ({error.strerror}).") from None
    except TrialCpaError as error:
        raise InputUnusable(path=file, detail=f"{error} {error.hint}") from None


def attach(
    client: Client, address: str, files: Sequence[tuple[Path, str]], classification: str | None = None
) -> Attached:
    """Send each file; one that is refused stops none of the others, and what it belongs to stands.

    Args:
        client: to the service.
        address: where evidence for that thing is taken.
        files: each with its media type (evidence_type).
        classification: from whom they are kept, where the SSC says so.
    """
    attached, refused = [], []
    for file, media_type in files:
        try:
            query = {"name": file.name, "classification": classification}
            attached.append(client.hand_in(EvidenceAnswer, address, file.read_bytes(), media_type, **query))
        except ServiceRefused as error:
            refused.append(NotTaken(str(file), str(error), error.hint))
        except OSError as error:
            refused.append(NotTaken(str(file), f"It cannot be read ({error.strerror}).", ""))
    return Attached(tuple(attached), tuple(refused))


def show_attached(console: Console, attached: Attached) -> None:
    """Show what became of each file."""
    for each in attached.evidence:
        shown.sentence(console, f"Evidence {each.evidence}: {each.name}")
    for problem in attached.refused:
        shown.sentence(console, f"Not taken: {problem.file}: {problem.detail} {problem.hint}", style="red")


def _said(
    client: Client, request: Mapping[str, object], changed: str | None, *, again: bool
) -> ApplicationTaken | ApplicationChanged | None:
    if changed is None:
        # The same form twice is one application: whoever saw no answer asks again and is told which it was.
        send = client.do if again else client.do_once
        return send(ApplicationTaken, "/v1/applications", request)
    return client.change(ApplicationChanged, path("applications", changed), request) if request else None


def _cancel(service: Service, application: str) -> None:
    with service.connect() as client:
        outcome = client.do(ApplicationCancelled, path("applications", application, "cancellation"), {})
    if service.as_json:
        shown.as_json(document(outcome))
    else:
        shown.heading(shown.out(), f"{outcome.application} was taken back.", "bold green")


def _show(identifier: str, outcome: ApplicationTaken | ApplicationChanged | None, attached: Attached) -> None:
    console = shown.out()
    match outcome:
        case ApplicationTaken():
            done = "was taken in"
        case ApplicationChanged():
            done = "was changed"
        case None:
            done = "has more evidence now"
    shown.heading(console, f"{identifier} {done}.", "bold green")
    if outcome is not None:
        shown.findings(console, outcome.findings)
    show_attached(console, attached)
    if attached.refused:
        shown.sentence(console, f"Mend them, then: trialcpa apply --change {identifier} --evidence FILE")
    shown.sentence(console, f"Where it stands: trialcpa status {identifier}", style="dim")

"""Files beside a breach, a suspicion, a request for an amendment or a report: listed, and attached one by one."""

from dataclasses import dataclass

from flask import Flask, render_template, request, url_for
from werkzeug.wrappers import Response

from console.forms import request_key
from console.guard import actor, may
from console.service import Console
from console.settling import settled
from core.errors import TrialCpaError
from core.kinds import EvidenceSubject
from ra.applying.evidence import LARGEST_FILE, File, Subject, attach, attachments
from ra.doors import admit

_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """What files are attached to.

    Args:
        subject: of which kind.
        place: how its addresses begin.
        act: of ra/doors.py, by which a file is attached.
        title: of the page.
    """

    subject: EvidenceSubject
    place: str
    act: str
    title: str


_KINDS = (
    _Kind(subject=EvidenceSubject.BREACH, place="breaches", act="attachBreachEvidence", title="Files with the breach"),
    _Kind(
        subject=EvidenceSubject.SUSPICION, place="suspicions", act="attachToSuspicion", title="Files with the answer"
    ),
    _Kind(
        subject=EvidenceSubject.AMENDMENT_REQUEST,
        place="amendment-requests",
        act="attachAmendmentEvidence",
        title="Files with the request",
    ),
    _Kind(
        subject=EvidenceSubject.REPORT, place="reports", act="attachToReport", title="Files of the report (F2.28(h))"
    ),
)
"""An application's files have a page of their own, which says what is missing (console/applying.py)."""


def add_attaching(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    for kind in _KINDS:
        _add(app, console, kind)


def _add(app: Flask, console: Console, kind: _Kind) -> None:
    desk, name = console.desk, kind.subject.value.replace("-", "_")

    def show(identifier: str, error: TrialCpaError | None = None) -> str:
        found = attachments(desk, actor(), Subject(kind.subject, identifier)).evidence
        return render_template(
            "files.html",
            name=identifier,
            title=kind.title,
            files=found,
            may_attach=may(kind.act),
            error=error,
            most=LARGEST_FILE // _MIB,
            place=url_for(f"attach_to_{name}", identifier=identifier),
        )

    def files(identifier: str) -> str:
        return show(identifier)

    def attach_to(identifier: str) -> Response | tuple[str, int]:
        admit(actor(), kind.act)
        file = request.files.get("file")

        def act() -> str:
            called, octets = ("", b"") if file is None else (file.filename or "", file.read())
            sent = File(name=called, media_type="" if file is None else file.mimetype, octets=octets)
            return f"{attach(desk, actor(), Subject(kind.subject, identifier), sent, request_key()).name} is attached."

        here = url_for(f"files_of_{name}", identifier=identifier)
        return settled(console, act, to=here, again=lambda error: show(identifier, error))

    address = f"/console/{kind.place}/<identifier>/files"
    app.add_url_rule(address, f"files_of_{name}", files, methods=["GET"])
    app.add_url_rule(address, f"attach_to_{name}", attach_to, methods=["POST"])

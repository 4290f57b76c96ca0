"""Pages that show: applications and their evidence, decisions, approvals and how soon an end was told."""

from flask import Flask, Response, render_template, request

from console.guard import actor, may
from console.service import Console
from core.errors import NotPermitted
from core.kinds import ApplicationState
from ra.applying import look as applying
from ra.applying.evidence import fetch
from ra.deciding import look as deciding
from ra.telling.approvals import approval as approval_of
from ra.telling.approvals import approvals as approvals_of
from ra.telling.receipts import receipts
from ra.telling.views import ReceiptAnswer

ROWS = 25

_FILE = {
    "Content-Type": "application/octet-stream",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
}
"""A stranger's file is saved, and opened by nobody here."""


def add_looking(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    def after() -> str:
        return request.args.get("after", "")[:200]

    @app.get("/console/applications")
    def applications() -> str:
        found = applying.applications(desk, actor(), after=after(), limit=ROWS)
        return render_template("applications.html", page=found)

    @app.get("/console/applications/<identifier>")
    def application(identifier: str) -> str:
        """Show everything of an application, findings with their clause."""
        shown = applying.application(desk, actor(), identifier)
        may_propose = may("proposeDecision") and shown.state is ApplicationState.SUBMITTED
        return render_template(
            "application.html", it=shown, may_read_evidence=may("fetchEvidence"), may_propose=may_propose
        )

    @app.get("/console/evidence/<identifier>")
    def evidence(identifier: str) -> Response:
        file = fetch(desk, actor(), identifier)
        answer = Response(file.octets, headers=_FILE)
        answer.headers.set("Content-Disposition", "attachment", filename=file.name)
        return answer

    @app.get("/console/decisions")
    def decisions() -> str:
        found = deciding.decisions(desk, actor(), after=after(), limit=ROWS)
        return render_template("decisions.html", page=found)

    @app.get("/console/approvals")
    def approvals() -> str:
        found = approvals_of(desk, actor(), after=after(), limit=ROWS)
        return render_template("approvals.html", page=found)

    @app.get("/console/approvals/<identifier>")
    def approval(identifier: str) -> str:
        """Show an approval, and how soon each channel told its end."""
        shown = approval_of(desk, actor(), identifier)
        may_revoke = may("revokeApproval") and shown.ended_at is None
        may_amend = may("proposeDecision") and shown.ended_at is None
        return render_template(
            "approval.html", it=shown, told=_told(console, identifier), may_revoke=may_revoke, may_amend=may_amend
        )


def _told(console: Console, identifier: str) -> tuple[ReceiptAnswer, ...]:
    """How soon ends were told; nothing to whom that is not for."""
    try:
        return receipts(console.desk, actor(), identifier).receipts
    except NotPermitted:
        return ()

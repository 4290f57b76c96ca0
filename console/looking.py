"""Pages that show: applications, decisions, approvals."""

from flask import Flask, render_template, request

from console.guard import actor, may
from console.service import Console
from core.errors import TrialCpaError
from core.kinds import UNDECIDED, ApplicationState
from ra.applying import look as applying
from ra.committee.comments import comments_of
from ra.committee.interests import interests_of
from ra.deciding import look as deciding
from ra.telling.approvals import approvals as approvals_of

ROWS = 25


def add_looking(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    def after() -> str:
        return request.args.get("after", "")[:200]

    @app.get("/console/applications")
    def applications() -> str:
        found = applying.applications(desk, actor(), after=after(), limit=ROWS, newest=True)
        return render_template("applications.html", page=found)

    @app.get("/console/applications/<identifier>")
    def application(identifier: str) -> str:
        """Show everything of an application, findings with their clause."""
        return show_application(console, identifier)

    @app.get("/console/decisions")
    def decisions() -> str:
        found = deciding.decisions(desk, actor(), after=after(), limit=ROWS, newest=True)
        return render_template("decisions.html", page=found)

    @app.get("/console/approvals")
    def approvals() -> str:
        found = approvals_of(desk, actor(), after=after(), limit=ROWS, newest=True)
        return render_template("approvals.html", page=found)


def show_application(console: Console, identifier: str, *, error: TrialCpaError | None = None) -> str:
    """Return the page of an application.

    Args:
        console: at work.
        identifier: of the application.
        error: why what was asked for on it was not done; what was typed stands there still.
    """
    shown = applying.application(console.desk, actor(), identifier)
    open_still = shown.state in UNDECIDED
    of_the_committee = may("listComments")
    return render_template(
        "application.html",
        it=shown,
        error=error,
        may_read_evidence=may("fetchEvidence"),
        may_propose=may("proposeDecision") and shown.state is ApplicationState.SUBMITTED,
        may_require=may("setRequirement") and open_still,
        interests=interests_of(console.desk, actor(), identifier).interests if of_the_committee else None,
        comments=comments_of(console.desk, actor(), identifier).comments if of_the_committee else None,
    )

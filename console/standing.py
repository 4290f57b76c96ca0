"""An approval: what holds and what waits, everything that happened to it, its dossier, and how soon its end is told."""

from datetime import datetime, timedelta

from flask import Flask, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from console.answers import attached
from console.chart import HEIGHT, WIDTH, chart
from console.guard import actor, may
from console.service import Console
from console.verifying import verified
from core.errors import NotPermitted
from ra.auditing.dossier import FetchedDossier, dossier, dossier_there
from ra.auditing.timeline import timeline
from ra.reporting.deployments import of_approval
from ra.telling.approvals import approval as approval_of
from ra.telling.receipts import receipts
from ra.telling.views import ReceiptAnswer

SOON_SECONDS, LATER_SECONDS = 2, 30
"""After which the page of an end looks again: at first, and when it takes longer than channels take."""

SOON = timedelta(minutes=3)


def add_standing(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    @app.get("/console/approvals/<identifier>")
    def approval(identifier: str) -> str:
        """Show an approval; to those who may read everything, everything that happened to it."""
        shown = approval_of(desk, actor(), identifier)
        whole = timeline(desk, actor(), identifier) if may("fetchDossier") else None
        return render_template(
            "approval.html",
            it=shown,
            whole=whole,
            chart=None if whole is None else chart(whole.counts),
            size=(WIDTH, HEIGHT),
            told=_told(console, identifier),
            deployed=of_approval(desk, actor(), identifier) if whole is None and may("showDeployments") else None,
            verified=verified(console, identifier),
            may_revoke=may("revokeApproval") and shown.ended_at is None,
            may_suspect=may("suspectBreach"),
            may_compose=may("proposeDecision") and shown.ended_at is None,
        )

    @app.get("/console/approvals/<identifier>/told")
    def told(identifier: str) -> Response:
        """Show how soon each channel told an end; the page looks again by itself until all have."""
        shown = approval_of(desk, actor(), identifier)
        found = receipts(desk, actor(), identifier).receipts
        after = None if "still" in request.args else _look_again(found, desk.clock.now())
        page = make_response(
            render_template("told.html", it=shown, told=found, after=after, verified=verified(console, identifier))
        )
        if after is not None:
            page.headers["Refresh"] = f"{after}; url={url_for('told', identifier=identifier, again='yes')}"
        return page

    @app.get("/console/approvals/<identifier>/dossier")
    def dossier_of(identifier: str) -> Response:
        """Hand out the dossier; while the authority signs it, the page looks again by itself. A look asks for none."""
        found = dossier_there(desk, actor(), identifier)
        if isinstance(found, FetchedDossier):
            return attached(found.octets, "application/zip", f"{found.name}.zip")
        if found is None:
            return make_response(render_template("dossier.html", approval=identifier, waits=False))
        page = make_response(render_template("dossier.html", approval=identifier, waits=True), 202)
        page.headers["Refresh"] = f"{SOON_SECONDS}; url={url_for('dossier_of', identifier=identifier, again='yes')}"
        return page

    @app.post("/console/approvals/<identifier>/dossier")
    def ask_dossier(identifier: str) -> AnyResponse:
        """Have the dossier put together, which the authority signs: the journal keeps who asked."""
        dossier(desk, actor(), identifier)
        console.wrote()
        return redirect(url_for("dossier_of", identifier=identifier), 303)


def _look_again(found: tuple[ReceiptAnswer, ...], at: datetime) -> int | None:
    """After how many seconds the page looks again; None once all is told to whom it can be."""
    open_still = [
        each for each in found if any(line.milliseconds is None and not line.unreachable for line in each.told)
    ]
    if not open_still:
        return None
    return SOON_SECONDS if any(at - each.ended_at < SOON for each in open_still) else LATER_SECONDS


def _told(console: Console, identifier: str) -> tuple[ReceiptAnswer, ...]:
    """How soon ends were told; nothing to whom that is not for."""
    try:
        return receipts(console.desk, actor(), identifier).receipts
    except NotPermitted:
        return ()

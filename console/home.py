"""Home: what waits for whoever has signed in, what is overdue first."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Flask, redirect, render_template, url_for

from console.guard import actor, may
from console.service import Console
from core.local_time import overdue_before
from ra.meeting.meetings import next_meeting
from ra.waiting.tasks import tasks

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

_PAGES = tuple(
    f"/v1/{each}/"
    for each in ("applications", "decisions", "approvals", "amendment-requests", "end-requests", "reports")
)
"""Addresses of the service whose things have a page of the same name here."""

_PARTS = {"breaches": "#breaches", "receipts": "/told", "requirements": "#requirements"}
"""What belongs to a thing, and where it is on a page about it."""

_PLACES = {"/v1/cpl/instructions": "/console/list"}
"""What has a page of another name here."""

_NEVER = datetime.max.replace(tzinfo=UTC)


def add_home(app: Flask, console: Console) -> None:
    """Add the page to the application."""

    @app.get("/console")
    def root() -> "Response":
        return redirect(url_for("home"))

    @app.get("/console/home")
    def home() -> str:
        """Show what waits."""
        found = tasks(console.desk, actor())
        limit = overdue_before(found.as_of)
        overdue = {each.subject for each in found.tasks if each.due is not None and each.due < limit}
        listed = sorted(
            found.tasks,
            key=lambda each: (each.subject not in overdue, not each.urgent, each.due or _NEVER, each.since),
        )
        meeting = next_meeting(console.desk, actor()) if may("listMeetings") else None
        return render_template(
            "home.html", tasks=listed, overdue=overdue, found=found, page_of=_page_of, meeting=meeting
        )


def _page_of(link: str) -> str | None:
    """The page about what a task links to; None if this console has none yet."""
    if link in _PLACES:
        return _PLACES[link]
    whole, _, part = link.rpartition("/")
    if part in _PARTS:
        return f"{_page_of(whole)}{_PARTS[part]}"
    for prefix in _PAGES:
        rest = link.removeprefix(prefix)
        if rest != link and "/" not in rest and rest:
            return f"/console/{prefix.split('/')[2]}/{rest}"
    return None

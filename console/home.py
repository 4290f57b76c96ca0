"""Home: what waits for whoever has signed in, what is overdue first."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Flask, redirect, render_template, url_for

from console.guard import actor, may
from console.portion import portion
from console.service import Console
from core.local_time import overdue_before
from ra.meeting.meetings import next_meeting
from ra.waiting.tasks import tasks

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

_THINGS = (
    *("applications", "decisions", "approvals", "certificates", "reports"),
    *("amendment-requests", "end-requests", "suspicions"),
)
"""Things of the service that have a page of the same name here."""

_PARTS = {"breaches": "#breaches", "deployments": "", "receipts": "/told", "requirements": "#requirements"}
"""What belongs to a thing, and where it is on a page about it."""

_ELSEWHERE = {
    "/v1/authority": "/console/health",
    "/v1/cpl/instructions": "/console/list",
    "/v1/notices/undelivered": "/console/notices/undelivered",
}
"""Addresses of the service whose pages have another name."""

_NOTICES = "/v1/notices/"
"""Of which there is a list here, and a page of none."""

_TO_KNOW = frozenset({"approval-expiring", "decision-to-witness", "notice-to-read", "notice-undelivered"})
"""Kinds of tasks of which nobody waits for an act: they come after those that somebody waits for."""

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
            key=lambda each: (
                each.subject not in overdue,
                not each.urgent,
                each.kind in _TO_KNOW,
                each.due or _NEVER,
                each.since,
            ),
        )
        meeting = next_meeting(console.desk, actor()) if may("listMeetings") else None
        return render_template(
            "home.html", tasks=portion(listed, "from"), overdue=overdue, found=found, page_of=_page_of, meeting=meeting
        )


def _page_of(link: str) -> str | None:
    """The page about what a task links to; None if this console has none yet."""
    if link in _ELSEWHERE:
        return _ELSEWHERE[link]
    whole, _, part = link.rpartition("/")
    if part in _PARTS:
        return f"{_page_of(whole)}{_PARTS[part]}"
    if link.startswith(_NOTICES):
        return f"/console/notices#{link.removeprefix(_NOTICES).partition('/')[0]}"
    kind, _, name = link.removeprefix("/v1/").partition("/")
    return f"/console/{kind}/{name}" if kind in _THINGS and name and "/" not in name else None

"""Going through an agenda: pages that an item leads to know from which item somebody comes, and lead on to the next.

The item stands in the address, so that two tabs are at two items, and a reload stays where it is.
"""

import re
from collections.abc import Mapping
from typing import Any

from flask import Flask, g, request

from console.guard import actor, may
from console.service import Console
from core.errors import NoSuchThing
from ra.meeting.agenda import step
from ra.meeting.views import AgendaStep

AGENDA = "agenda"
"""What the item is called in an address."""

_ITEM = re.compile(r"agi-[0-9a-f]{8}-[0-9a-f]{16}")
_WALKED = frozenset(
    {
        *("application", "require", "close_it", "declare_it", "withdraw_declared", "comment_it", "retract_it"),
        *("compose_grant", "compose_refusal", "compose_amendment", "compose_amendment_refusal", "amendment_request"),
        *("decision", "sign_it", "second_it", "reject_it", "approval", "revoking", "revoke_it"),
        *("breach", "judge_it", "tell_it", "close_breach"),
    }
)
"""Pages at which an item is decided; where one links to another, or sends a form there, the item goes with it."""


def add_walking(app: Flask, console: Console) -> None:
    """Add it to the application."""

    @app.url_defaults
    def carry(endpoint: str, values: dict[str, Any]) -> None:
        """Let the item that somebody is at stand in the address of the next page."""
        at = item_of_address()
        if at and endpoint in _WALKED:
            values.setdefault(AGENDA, at)

    app.jinja_env.globals["agenda_step"] = lambda: step_of_address(console)


def item_of_address() -> str | None:
    """Return the item that somebody comes from, or is at, as the address says."""
    at = (request.view_args or {}).get("identifier", "") if request.endpoint == "agenda_item" else ""
    said = str(at) or request.args.get(AGENDA, "")
    return said if _ITEM.fullmatch(said) else None


def step_of_address(console: Console) -> AgendaStep | None:
    """Return where somebody is who goes through an agenda; None if they do not, or the item is on none any more."""
    at = item_of_address()
    if at is None or g.get("entered") is None or not may("showMeeting"):
        return None
    try:
        return step(console.desk, actor(), at)
    except NoSuchThing:
        return None


def offered_by_agenda(console: Console) -> Mapping[str, str]:
    """Return what the fields of a decision begin with: the meeting, and the item's minute where it has one."""
    at = step_of_address(console)
    return {} if at is None else {"meeting": at.meeting.name, "minute": at.minute or ""}

"""A meeting with everything about it, with words of somebody's choice, and whom its pages let in."""

from typing import Any

from sqlalchemy import Table

from store.committee_tables import agenda_items, attendances, comments, interests, item_minutes, meetings
from tests.api_world import Api, done
from tests.world import NOW

_READERS = {"officer-1", "admin", "auditor"}

MAY: dict[str, tuple[str, set[str]]] = {
    "meetings_page": ("GET /console/meetings", _READERS),
    "call_it": ("POST /console/meetings", {"officer-1"}),
    "meeting": ("GET /console/meetings/{meeting}", _READERS),
    "minutes": ("GET /console/meetings/{meeting}/minutes", _READERS),
    "minutes_file": ("GET /console/meetings/{meeting}/minutes/file", _READERS),
    "place_them": ("POST /console/meetings/{meeting}/agenda", {"officer-1"}),
    "attend": ("POST /console/meetings/{meeting}/attendances", {"officer-1"}),
    "strike_it": ("POST /console/meetings/{meeting}/striking", {"officer-1"}),
    "agenda_item": ("GET /console/agenda-items/{item}", _READERS),
    "minute_it": ("POST /console/agenda-items/{item}/minute", {"officer-1"}),
    "take_it_off": ("POST /console/agenda-items/{item}/removal", {"officer-1"}),
    "cancel_it": ("POST /console/meetings/{meeting}/cancellation", {"officer-1"}),
    "declare_it": ("POST /console/applications/{application}/interests", {"officer-1"}),
    "withdraw_declared": ("POST /console/applications/{application}/interests/withdrawal", set()),
    "comment_it": ("POST /console/applications/{application}/comments", {"officer-1"}),
    "retract_it": ("POST /console/applications/{application}/comments/retraction", set()),
}
"""Whom each page lets in (tests/test_console.py)."""


def may_over_http(officers: set[str], readers: set[str]) -> dict[str, set[str]]:
    """Who may do what over HTTP (tests/test_api_access.py)."""
    kept = (
        *("callMeeting", "cancelMeeting", "recordAttendance", "strikeAttendance", "placeOnAgenda", "takeOffAgenda"),
        *("minuteItem", "declareInterest", "withdrawInterest", "makeComment", "retractComment"),
    )
    read = ("listMeetings", "showMeeting", "listInterests", "listComments")
    return {**dict.fromkeys(kept, officers), **dict.fromkeys(read, readers)}


def bodies_over_http(subject: str) -> dict[str, dict[str, object]]:
    """Well-formed requests; of two meetings of one name, the second is refused."""
    return {
        "callMeeting": {"name": "SSC 34", "held_on": "2027-02-03"},
        "recordAttendance": {"names": ["x"]},
        "placeOnAgenda": {"subjects": [subject]},
        "minuteItem": {"minute": "34/01"},
        "declareInterest": {"text": "x"},
        "makeComment": {"text": "x"},
    }


def convened(api: Api, application: str, subject: str, words: str) -> dict[str, str]:
    """A meeting with one item, minuted, of an application in which an interest is declared and of which officers talk.

    Args:
        api: of which authority.
        application: that the item comes from.
        subject: what waits.
        words: that people typed.
    """
    called = {"name": words[:200], "held_on": "2027-02-03"}
    meeting = done(api.ask("officer-1", "POST", "/v1/meetings", called), 201)["meeting"]
    place, said = f"/v1/meetings/{meeting}", f"/v1/applications/{application}"
    attend = done(api.ask("officer-1", "POST", f"{place}/attendances", {"names": [words[:200], "J. Doe"]}))["recorded"]
    (item,) = done(api.ask("officer-1", "POST", f"{place}/items", {"subjects": [subject]}))["items"]
    done(api.ask("officer-1", "POST", f"/v1/agenda-items/{item}/minute", {"minute": words[:200], "text": words}))
    declared = done(api.ask("officer-2", "POST", f"{said}/interests", {"text": words, "officer": words[:200]}), 201)
    first = done(api.ask("officer-1", "POST", f"{said}/comments", {"text": words}), 201)["comment"]
    comment = done(api.ask("officer-2", "POST", f"{said}/comments", {"text": words}), 201)["comment"]
    done(api.ask("officer-1", "POST", f"/v1/comments/{first}/retraction"))
    interest = declared["interest"]
    return {"meeting": meeting, "attendance": attend[1], "item": item, "interest": interest, "comment": comment}


def committee_rows(application: str) -> list[tuple[Table, dict[str, Any]]]:
    """A row of each table of the committee, its words as empty as the rules allow."""
    salt = {"salt": b"salt of sixteen."}
    return [
        (
            meetings,
            {"id": "mtg-ours", "name": "SSC 99", "held_on": NOW, "called_at": NOW, "called_by": "officer-1"},
        ),
        (
            attendances,
            {"id": "att-ours", "meeting_id": "mtg-ours", "name": "J.", "recorded_at": NOW, "recorded_by": ""} | salt,
        ),
        (
            agenda_items,
            {
                "id": "agi-ours",
                "meeting_id": "mtg-ours",
                "place": 1,
                "kind": "application-waiting",
                "subject": application,
                "title": "",
                "application_id": application,
                "placed_at": NOW,
                "placed_by": "",
            },
        ),
        (
            item_minutes,
            {"item_id": "agi-ours", "version": 1, "minute": "1", "text": "", "recorded_at": NOW, "recorded_by": ""}
            | salt,
        ),
        (
            interests,
            {
                "id": "int-ours",
                "application_id": application,
                "officer": "",
                "text": ".",
                "declared_at": NOW,
                "declared_by": "",
            }
            | salt,
        ),
        (
            comments,
            {"id": "com-ours", "application_id": application, "text": ".", "made_at": NOW, "made_by": ""} | salt,
        ),
    ]

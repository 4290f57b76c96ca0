"""A meeting with everything about it, with words of somebody's choice, and whom its pages let in."""

from tests.api_world import Api, done

_READERS = {"officer-1", "admin", "auditor"}

MAY: dict[str, tuple[str, set[str]]] = {
    "meetings_page": ("GET /console/meetings", _READERS),
    "call_it": ("POST /console/meetings", {"officer-1"}),
    "meeting": ("GET /console/meetings/{meeting}", _READERS),
    "minutes": ("GET /console/meetings/{meeting}/minutes", _READERS),
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
    done(api.ask("officer-1", "POST", f"{place}/attendances", {"names": [words[:200], "J. Doe"]}))
    (item,) = done(api.ask("officer-1", "POST", f"{place}/items", {"subjects": [subject]}))["items"]
    done(api.ask("officer-1", "POST", f"/v1/agenda-items/{item}/minute", {"minute": words[:200], "text": words}))
    done(api.ask("officer-2", "POST", f"{said}/interests", {"text": words, "officer": words[:200]}), 201)
    first = done(api.ask("officer-1", "POST", f"{said}/comments", {"text": words}), 201)["comment"]
    done(api.ask("officer-2", "POST", f"{said}/comments", {"text": words}), 201)
    done(api.ask("officer-1", "POST", f"/v1/comments/{first}/retraction"))
    return {"meeting": meeting, "item": item}

"""Things of somebody's own: everybody else, with the right identifier, gets nothing done; and then their owner does.

tests/test_console.py has each page by each role. Where its table says that nobody may, what is asked for belongs to
somebody in particular: these pages are here, and a new one of them must be.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ra.entering.sessions import sessions
from ra.reporting.report import month_of
from tests.api_world import Api, done
from tests.committee_world import convened
from tests.console_world import Pages
from tests.evidence_world import journal
from tests.signing import another_device
from tests.test_console import MAY
from tests.world import World

PEOPLE = ("admin", "auditor", "dcc", "manufacturer", "officer-1", "officer-2", "panel", "rival")
OFFICERS = {"officer-1", "officer-2"}

OWNED: dict[str, tuple[str, dict[str, str], set[str]]] = {
    "revoke_calendar": ("/console/calendars/{calendar}/revocation", {}, {"manufacturer"}),
    "end_session": ("/console/sessions/{session}/end", {}, {"manufacturer", "admin"}),
    "end_access": ("/console/people/revocation", {"credential": "{credential}"}, {"admin"}),
    "withdraw_asked": ("/console/approvals/{approval}/withdrawal", {"request": "{request}"}, {"manufacturer"}),
    "withdraw_declared": (
        "/console/applications/{application}/interests/withdrawal",
        {"which": "{interest}"},
        OFFICERS,
    ),
    "retract_it": ("/console/applications/{application}/comments/retraction", {"which": "{comment}"}, {"officer-2"}),
    "ask_no_more": ("/console/reports/{month}/question-end", {"asked": "{other}"}, OFFICERS),
    "answer_in_report": ("/console/reports/{month}/answer", {"asked": "{question}", "answer": "None."}, {"dcc"}),
}
"""By endpoint: its address, what is sent, and who may."""

REFUSED = {403, 404, 409, 422}
"""422: the page of somebody who may see it, with why it was not done."""

ELSEWHERE = {"sign_out", "marked_list", "verified_file", "recorded_file"}
"""One's own session; and files for who had them made, which tests/test_console_files.py asks for as another."""


@pytest.fixture(scope="module")
def pages(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Pages]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Pages(Api(world))
    world.close()


@pytest.fixture(scope="module")
def named(pages: Pages) -> dict[str, str]:
    """One of each, with its owner."""
    api = pages.api
    approval = api.granted(device=another_device(1))
    application = api.applied(device=another_device(2))
    decision = api.proposed(kind="grant", application=application)
    api.settle()
    asked = api.ask(
        "manufacturer", "POST", f"/v1/approvals/{approval}/amendment-requests", {"reasons": "More of them."}
    )
    called = done(api.ask("manufacturer", "POST", "/v1/calendars", {"name": "Mine"}), 201)
    pages.signed_in("manufacturer")
    (session,) = sessions(pages.desk, pages.actor("manufacturer"))
    for _ in range(2):
        done(api.ask("officer-1", "POST", "/v1/reports/questions", {"text": "How many?"}), 201)
    one, other = done(api.ask("officer-1", "GET", "/v1/reports/questions"))["questions"]
    return {
        **convened(api, application, decision, "Words."),
        "application": application,
        "approval": approval,
        "request": str(done(asked, 201)["request"]),
        "calendar": str(called["calendar"]),
        "session": session.session,
        "credential": str(pages.actor("monitor").credential),
        "question": str(one["question"]),
        "other": str(other["question"]),
        "month": month_of(pages.desk.clock.now()),
    }


def test_each_page_that_is_for_an_owner_is_here() -> None:
    assert {endpoint for endpoint, (_, may) in MAY.items() if not may} == set(OWNED) | ELSEWHERE


def _sent(pages: Pages, who: str, endpoint: str, named: dict[str, str]) -> int:
    place, fields, _ = OWNED[endpoint]
    token = pages.fields(pages.get(who, "/console/sessions").text, "/console/sign-out")
    said = {name: value.format(**named) for name, value in fields.items()}
    return pages.post(who, place.format(**named), token | said).status_code


@pytest.mark.parametrize("endpoint", sorted(OWNED))
def test_what_is_somebody_s_own_is_touched_by_nobody_else(pages: Pages, named: dict[str, str], endpoint: str) -> None:
    may = OWNED[endpoint][2]
    told = len(journal(pages.api.world.store))
    for who in PEOPLE:
        if who not in may:
            assert _sent(pages, who, endpoint, named) in REFUSED, who
            assert len(journal(pages.api.world.store)) == told, who
    assert _sent(pages, min(may), endpoint, named) == 303, "it was there to be touched"
    assert len(journal(pages.api.world.store)) > told

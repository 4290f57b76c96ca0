"""Whoever prefers to wait is answered when the authority has done what it was about to do, and at a deadline anyway."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from werkzeug.test import TestResponse

from api.patience import LONGEST_SECONDS, Overheard, Patience, seconds_preferred
from api.status.exchange import Asked
from front.service import Turn
from tests.api_world import Api, done, refused
from tests.served_world import Web
from tests.world import World

LONG = 20
"""Seconds that a test says it would wait; it fails long before."""


@pytest.fixture
def api(world: World, monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setattr("api.patience.AGAIN_SECONDS", LONG)  # nobody is told who does not hear
    return Api(world)


@contextmanager
def waiting(api: Api, who: str, path: str, seconds: int = LONG) -> Iterator[Future[TestResponse]]:
    """Lend the answer to a question whose asker waits by now."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(api.send, who, "GET", path, Prefer=f"wait={seconds}")
        until = time.monotonic() + LONG / 2
        while not api.patience.waiting and not asked.done():
            assert time.monotonic() < until
            time.sleep(0.005)
        yield asked


def answered(api: Api, asked: "Future[TestResponse]") -> TestResponse:
    """The answer, when a commit has been heard of."""
    assert not asked.done()
    api.patience.heard()
    return asked.result(LONG / 2)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (None, None),
        ("", None),
        ("wait", None),
        ("wait=", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=²", None),
        ("wait=99999", LONGEST_SECONDS),
        ("wait=" + "9" * 900, None),
        ("respond-async", None),
        ("wait=0", 0),
        ("wait=7", 7),
        ('Wait = "7"', 7),
        ("respond-async, wait=7; odd, wait=8", 7),
        ("return=minimal,wait=9", 9),
    ],
)
def test_a_preference_is_read_as_it_is_written_and_passed_over_where_it_is_not_understood(
    said: str | None, seconds: int | None
) -> None:
    assert seconds_preferred(said) == seconds


def test_the_second_officer_waits_for_the_draft_and_the_manufacturer_for_the_decision_and_the_certificate(
    api: Api,
) -> None:
    application = api.applied()
    decision = api.proposed(kind="grant", application=application)
    path = f"/v1/decisions/{decision}"
    with waiting(api, "officer-2", path) as asked:
        api.world.authority.settle()
        shown = answered(api, asked)
    assert shown.headers["Preference-Applied"] == f"wait={LONG}"
    assert done(shown)["state"] == "drafted"
    with waiting(api, "manufacturer", f"/v1/applications/{application}") as asked:
        seconded = api.ask("officer-2", "POST", f"{path}/second", api.second_body(decision))
        assert done(answered(api, asked))["state"] == "granted"
    fetched = f"/v1/approvals/{done(seconded)['approval']}/certificate"
    with waiting(api, "manufacturer", fetched) as asked, waiting(api, "officer-1", path) as closed:
        api.world.authority.settle()
        assert answered(api, asked).data.startswith(b"-----BEGIN CERTIFICATE-----")
        assert done(closed.result(LONG / 2))["state"] == "done"


def test_what_is_not_the_authoritys_turn_is_answered_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.patience, "wait", _nobody_waits)
    decision = api.proposed(kind="grant", application=api.applied())
    api.settle()
    shown = api.send("officer-2", "GET", f"/v1/decisions/{decision}", Prefer="wait=20")
    assert done(shown)["state"] == "drafted"
    assert shown.headers["Preference-Applied"] == "wait=20"
    refusal = api.proposed(kind="refuse", application=api.applied())
    assert done(api.send("officer-2", "GET", f"/v1/decisions/{refusal}", Prefer="wait=20"))["state"] == "proposed"


def _nobody_waits(_name: str, _seconds: float, at_work: Callable[[], bool]) -> bool:
    assert not at_work()
    return True


def test_nobody_learns_by_waiting_what_they_may_not_see(api: Api) -> None:
    application = api.applied()
    decision = api.proposed(kind="grant", application=application)
    api.settle()
    seconded = done(api.ask("officer-2", "POST", f"/v1/decisions/{decision}/second", api.second_body(decision)))
    began = time.monotonic()
    for who, path, status, code in (
        ("rival", f"/v1/applications/{api.applied()}", 404, "not-found"),
        ("rival", f"/v1/approvals/{seconded['approval']}/certificate", 404, "not-found"),
        ("manufacturer", f"/v1/decisions/{decision}", 403, "operation-not-permitted"),
        ("officer-1", "/v1/decisions/dec-nowhere", 404, "not-found"),
    ):
        assert refused(api.send(who, "GET", path, Prefer=f"wait={LONG}"), status, code) == refused(
            api.send(who, "GET", path), status, code
        )
    assert time.monotonic() - began < LONG / 2


def test_at_the_deadline_one_is_told_what_is_so_then(api: Api) -> None:
    decision = api.proposed(kind="grant", application=api.applied())
    with waiting(api, "officer-2", f"/v1/decisions/{decision}", seconds=1) as asked:
        assert done(asked.result(LONG / 2))["state"] == "proposed"


def test_who_is_one_too_many_is_answered_at_once_and_is_not_told_that_it_was_waited(api: Api) -> None:
    decision = api.proposed(kind="grant", application=api.applied())
    api.patience.stop()  # from then on everybody is
    shown = api.send("officer-2", "GET", f"/v1/decisions/{decision}", Prefer=f"wait={LONG}")
    assert done(shown)["state"] == "proposed"
    assert "Preference-Applied" not in shown.headers


def test_whoever_waits_is_let_go_when_the_process_stops() -> None:
    patience = Patience(lambda named: named)
    with ThreadPoolExecutor(1) as pool:
        waited = pool.submit(patience.wait, "a", LONG, lambda: True)
        while not patience.waiting:
            time.sleep(0.005)
        patience.stop()
        assert waited.result(LONG / 2)


def test_what_cannot_be_looked_at_is_looked_at_again() -> None:
    answers = iter([RuntimeError("the register is silent"), ()])

    def look(_named: object) -> tuple[()]:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return ()

    began = time.monotonic()
    assert Patience(look).wait("a", LONG, lambda: True)
    assert time.monotonic() - began < LONG / 2


def test_what_another_hears_is_told_here_too() -> None:
    class Hears:
        def wait(self, _seconds: float, _stopping: threading.Event, /) -> bool:
            return True

        def close(self) -> None:
            told.append("closed")

    told: list[str] = []
    heard = Overheard(Hears(), lambda: told.append("told"))
    assert heard.wait(1.0, threading.Event())
    heard.close()
    assert told == ["told", "closed"]


def test_whoever_prefers_to_wait_has_threads_of_their_own(world: World) -> None:
    web = Web(world)
    asked = Asked("GET", "/v1/decisions/dec-1", fields={"authorization": f"Bearer {web.api.keys['officer-1']}"})
    assert web.served.at_once(asked) is Turn.API
    patient = asked._replace(fields={**asked.fields, "prefer": "wait=3"})
    assert web.served.at_once(patient) is Turn.WAIT
    assert web.served.at_once(patient._replace(method="HEAD")) is Turn.WAIT
    assert web.served.at_once(patient._replace(method="POST")) is Turn.API

"""Sessions in which nothing is done: they end by themselves, in every process, and no sooner than the settings say."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import text

from app.settings import load
from console.forms import FORM_LIMIT, OF_FILES
from console.guard import AGAIN
from core import instants
from core.errors import SettingsInvalid
from ra.access import authenticate
from ra.deciding.many import MOST
from ra.desk import IDLE_MINUTES, MOST_IDLE_MINUTES
from ra.entering.sessions import CLOCKS_APART, NOTED_EVERY, SESSION_LIFE, begin, digest_of, entered, leave, sessions
from store.reading import entering as reading
from store.transactions import NOT_ASIDE_AGAIN, Store
from store.verbs import entering
from tests.api_world import Api
from tests.console_world import ORIGIN, Pages
from tests.evidence_world import journal
from tests.world import NOW, World

IDLE = timedelta(minutes=IDLE_MINUTES)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
LAST_SECOND = instants.seconds(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
ELSEWHERE_SECONDS = 60.0
WRITES_SECONDS = 3.0
"""Shorter than PostgreSQL lets a writer rest, and much longer than a look at a page takes."""

_ELSEWHERE = """
import sys
from datetime import datetime
from core.clock import FixedClock
from ra.desk import Desk, Rules
from ra.entering.sessions import entered
from store.transactions import Store
url, secret, at = sys.argv[1:]
store = Store(url)
found = entered(Desk(store, FixedClock(datetime.fromisoformat(at)), Rules()), secret)
print("" if found is None else found.expires_at.isoformat())
store.close()
"""


def _elsewhere(world: World, secret: str, at: datetime) -> str:
    """Until when another process finds that the session holds, whose clock says `at`; nothing if it does not hold."""
    command = [sys.executable, "-c", _ELSEWHERE, world.url, secret, at.isoformat()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=ELSEWHERE_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_session_ends_when_nothing_is_done_in_it(world: World) -> None:
    pages = Pages(Api(world))
    browser = pages.signed_in("officer-1")
    world.clock.instant += IDLE - SECOND
    assert browser.get("/console/home", base_url=ORIGIN).status_code == 200, "a second before it would end"
    world.clock.instant += IDLE - SECOND
    assert browser.get("/console/home", base_url=ORIGIN).status_code == 200, "counted from the page before"
    world.clock.instant += IDLE
    answer = browser.get("/console/home", base_url=ORIGIN)
    assert (answer.status_code, answer.location) == (302, "/console/sign-in?then=/console/home")
    world.clock.instant -= IDLE
    assert browser.get("/console/home", base_url=ORIGIN).status_code == 200, "the clock alone ended it"


def test_whatever_is_done_a_session_ends_two_hours_after_it_began(world: World) -> None:
    pages = Pages(Api(world))
    browser = pages.signed_in("officer-1")
    for _ in range(int(SESSION_LIFE / MINUTE) - 1):
        world.clock.instant += MINUTE
        assert browser.get("/console/sessions", base_url=ORIGIN).status_code == 200
    world.clock.instant = NOW + SESSION_LIFE
    assert browser.get("/console/sessions", base_url=ORIGIN).status_code == 302


def test_a_page_that_asks_for_itself_again_keeps_no_session(world: World) -> None:
    """Whoever left an end to be watched, and went home, is not signed in for as long as their browser asks."""
    pages = Pages(Api(world))
    approval = pages.api.granted()
    world.revoked(approval)
    browser = pages.signed_in("officer-1")
    told = browser.get(f"/console/approvals/{approval}/told", base_url=ORIGIN)
    again = told.headers["Refresh"].partition("url=")[2]
    assert f"{AGAIN}=yes" in again
    for _ in range(IDLE_MINUTES - 1):
        world.clock.instant += MINUTE
        assert browser.get(again, base_url=ORIGIN).status_code == 200
    world.clock.instant += MINUTE
    assert browser.get(again, base_url=ORIGIN).status_code == 302


def test_what_is_sent_after_the_end_is_not_done_and_not_lost(world: World) -> None:
    pages = Pages(Api(world))
    application = pages.api.applied()
    place = f"/console/applications/{application}"
    browser = pages.signed_in("officer-1")
    fields = pages.fields(browser.get(place, base_url=ORIGIN).text, f"{place}/comments")
    said = {**fields, "text": "An hour's <b>thoughts</b>."}
    told = len(journal(world.store))
    world.clock.instant += IDLE
    answer = browser.post(f"{place}/comments", base_url=ORIGIN, data=said, headers={"Referer": f"{ORIGIN}{place}"})
    assert answer.status_code == 401
    assert "An hour&#39;s &lt;b&gt;thoughts" in answer.text
    assert f"/console/sign-in?then={place}" in answer.text
    assert fields["csrf_token"] not in answer.text
    assert len(journal(world.store)) == told
    foreign = browser.post(f"{place}/comments", base_url=ORIGIN, data={"text": "of another mind"})
    assert "of another mind" not in foreign.text, "a form without the token of the session says nothing here"


def test_a_list_of_many_and_its_reasons_are_given_back_and_of_a_file_is_told_where_it_is(world: World) -> None:
    pages = Pages(Api(world))
    place = "/console/revocations"
    browser = pages.signed_in("officer-1")
    token = pages.fields(browser.get("/console/sessions", base_url=ORIGIN).text, "/console/sign-out")["csrf_token"]
    named = "TDT-2027-0001-N\n" * MOST
    assert len(named) > FORM_LIMIT / 2
    said = {"csrf_token": token, "approvals": named, "reasons": "Half an hour of reasons.", "remark": "r" * FORM_LIMIT}
    told = len(journal(world.store))
    world.clock.instant += IDLE
    answer = browser.post(place, base_url=ORIGIN, data=said, headers={"Referer": f"{ORIGIN}{place}"})
    assert answer.status_code == 401
    assert answer.text.count("TDT-2027-0001-N") == MOST
    assert "Half an hour of reasons." in answer.text
    assert f"/console/sign-in?then={place}" in answer.text
    assert len(journal(world.store)) == told
    for each in OF_FILES:
        at = each.replace("{identifier}", "it")
        sent = browser.post(at, base_url=ORIGIN, data={"csrf_token": token, "summary": "words"})
        assert (sent.status_code, sent.location) == (303, "/console/sign-in?lost=yes"), each


@pytest.mark.parametrize("referrer", ["http://[", "http://[::1", "https://[x]/console/home", "//[", "http://a]b/"])
def test_an_address_that_is_none_is_no_fault_and_no_link(world: World, referrer: str) -> None:
    pages = Pages(Api(world))
    browser = pages.signed_in("officer-1")
    token = pages.fields(browser.get("/console/sessions", base_url=ORIGIN).text, "/console/sign-out")["csrf_token"]
    world.clock.instant += IDLE
    said = {"csrf_token": token, "reasons": "Thoughts."}
    answer = browser.post("/console/revocations", base_url=ORIGIN, data=said, headers={"Referer": referrer})
    assert answer.status_code == 401
    assert "Thoughts." in answer.text
    assert "Sign in, in another tab" not in answer.text


def test_a_private_key_that_comes_after_the_end_is_never_said_again(world: World) -> None:
    pages = Pages(Api(world))
    place = "/console/drafts"
    browser = pages.signed_in("manufacturer")
    token = pages.fields(browser.get("/console/sessions", base_url=ORIGIN).text, "/console/sign-out")["csrf_token"]
    world.clock.instant += IDLE
    key = "-----BEGIN EC PRIVATE KEY-----\nspent and never said again\n-----END EC PRIVATE KEY-----"
    said = {"csrf_token": token, "csr": key, "model": "QX-1", "authorisation": '{"signed": "elsewhere"}'}
    answer = browser.post(place, base_url=ORIGIN, data={**said, "reasons-class": "amber"})
    assert answer.status_code == 401
    assert "never said again" not in answer.text
    assert "elsewhere" not in answer.text, "a tool printed it, and prints it again"
    assert "amber" not in answer.text
    assert "A private key was among it" in answer.text
    assert ">\nQX-1</textarea>" in answer.text, "one word was typed, too"


def test_another_process_sees_what_was_done_in_this_one_and_that_nothing_was(world: World) -> None:
    begun = begin(world.desk, authenticate(world.desk, Api(world).keys["officer-1"]))
    assert _elsewhere(world, begun.secret, NOW + IDLE - SECOND) == (NOW + 2 * IDLE - SECOND).isoformat()
    world.clock.instant = NOW + 2 * IDLE - 2 * SECOND
    found = entered(world.desk, begun.secret)
    assert found is not None, "something was done in the other one"
    assert _elsewhere(world, begun.secret, found.expires_at) == "", "and nothing in either since"
    leave(world.desk, found)
    assert _elsewhere(world, begun.secret, NOW + SECOND) == "", "nobody brings back what has ended"


def test_looking_at_pages_writes_once_a_minute_and_not_each_time(world: World) -> None:
    begun = begin(world.desk, authenticate(world.desk, Api(world).keys["officer-1"]))
    ends = []
    for seconds in range(0, 181, 10):
        world.clock.instant = NOW + timedelta(seconds=seconds)
        entered(world.desk, begun.secret)
        found = entered(world.desk, begun.secret, by_itself=True)
        assert found is not None
        ends.append(found.expires_at)
    assert sorted(set(ends)) == [NOW + IDLE + count * NOTED_EVERY for count in range(4)]


@contextmanager
def _written_by_another(world: World, session: str) -> Iterator[Event]:
    """Somebody writes to a session until the block ends, or for WRITES_SECONDS; what is lent is set when they cease."""
    writes, seen, over = Event(), Event(), Event()

    def write() -> None:
        with another.rehearse() as tx:
            entering.end_session(tx, session, at=NOW)
            writes.set()
            seen.wait(WRITES_SECONDS)
            over.set()

    another = Store(world.url)
    thread = Thread(target=write)
    thread.start()
    try:
        assert writes.wait(ELSEWHERE_SECONDS)
        yield over
    finally:
        seen.set()
        thread.join()
        another.close()


def _ends(world: World, secret: str) -> datetime:
    """Until when a session holds, as the register has it."""
    with world.store.read() as tx:
        found = reading.session_of_secret(tx, digest_of(secret), NOW, apart=CLOCKS_APART)
    assert found is not None
    return found.expires_at


def test_whoever_looks_at_pages_waits_for_nobody_who_writes(world: World) -> None:
    begun = begin(world.desk, authenticate(world.desk, Api(world).keys["officer-1"]))
    known = entered(world.desk, begun.secret)
    assert known is not None
    world.clock.instant = NOW + IDLE - SECOND
    with _written_by_another(world, known.session) as over:
        found = [entered(world.desk, begun.secret) for _ in range(3)]
        waited = over.is_set()
    assert None not in found
    assert not waited
    assert _ends(world, begun.secret) == NOW + IDLE


def test_after_a_look_that_could_write_nothing_none_tries_for_a_while(world: World) -> None:
    begun = begin(world.desk, authenticate(world.desk, Api(world).keys["officer-1"]))
    known = entered(world.desk, begun.secret)
    assert known is not None
    tried = world.clock.instant = NOW + 5 * MINUTE
    with _written_by_another(world, known.session):
        entered(world.desk, begun.secret)
    world.clock.instant = tried + NOT_ASIDE_AGAIN - SECOND
    entered(world.desk, begun.secret)
    assert _ends(world, begun.secret) == NOW + IDLE
    world.clock.instant = tried + NOT_ASIDE_AGAIN
    entered(world.desk, begun.secret)
    assert _ends(world, begun.secret) == tried + NOT_ASIDE_AGAIN + IDLE


def test_a_session_of_the_future_does_not_hold(world: World) -> None:
    """Else, where a clock was set back by a month, whoever went home is signed in for that month."""
    pages = Pages(Api(world))
    browser = pages.signed_in("officer-1")
    for back, status in ((CLOCKS_APART, 200), (CLOCKS_APART + SECOND, 302), (timedelta(days=30), 302)):
        world.clock.instant = NOW - back
        assert browser.get("/console/home", base_url=ORIGIN).status_code == status, back
    again = pages.signed_in("officer-1")
    listed = again.get("/console/sessions", base_url=ORIGIN)
    assert listed.status_code == 200
    known = sessions(world.desk, authenticate(world.desk, pages.api.keys["officer-1"]))
    assert [each.begun_at for each in known] == [NOW - timedelta(days=30)], "the other is in no list"


@pytest.mark.parametrize("begun", [LAST_SECOND, LAST_SECOND - 9, 2**63 - 1])
def test_a_beginning_that_somebody_wrote_at_the_end_of_all_years_lets_nobody_in(world: World, begun: int) -> None:
    pages = Pages(Api(world))
    browser = pages.signed_in("officer-1")
    with world.store.begin("planted") as tx:
        tx.connection.execute(
            text("UPDATE console_sessions SET begun_at = :begun, expires_at = :ends"),
            {"begun": begun - 1, "ends": begun},
        )
    for page in ("/console/home", "/console/sessions"):
        assert browser.get(page, base_url=ORIGIN).status_code == 302
    assert pages.get("admin", "/console/sessions").status_code == 200


@pytest.mark.parametrize("minutes", [1, 5, MOST_IDLE_MINUTES])
def test_the_settings_say_after_how_long(tmp_path: Path, world: World, minutes: int) -> None:
    (tmp_path / "trialcpa.toml").write_text(f"[console]\nidle_minutes = {minutes}\n")
    desk = replace(world.desk, rules=load(tmp_path).rules)
    begun = begin(desk, authenticate(desk, Api(world).keys["officer-1"]))
    assert begun.expires_at == NOW + timedelta(minutes=minutes)
    world.clock.instant = begun.expires_at - SECOND
    found = entered(desk, begun.secret)
    assert found is not None
    world.clock.instant = found.expires_at - SECOND
    assert entered(desk, begun.secret) is not None
    world.clock.instant += timedelta(minutes=minutes)
    assert entered(desk, begun.secret) is None


@pytest.mark.parametrize("said", [0, -1, MOST_IDLE_MINUTES + 1, '"30"', "true"])
def test_no_other_length_is_taken(tmp_path: Path, said: object) -> None:
    (tmp_path / "trialcpa.toml").write_text(f"[console]\nidle_minutes = {said}\n")
    with pytest.raises(SettingsInvalid, match=r"console\.idle_minutes"):
        load(tmp_path)


def test_what_is_said_where_nothing_is_set_is_written_down(tmp_path: Path) -> None:
    (tmp_path / "trialcpa.toml").write_text("")
    assert load(tmp_path).rules.session_idle == IDLE
    page = Path(__file__).parents[1].joinpath("docs/settings.md").read_text("utf-8")
    assert f"| `console.idle_minutes` | {IDLE_MINUTES} |" in page

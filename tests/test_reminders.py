"""Lists by mail: on the days set, at each threshold exactly once, and again after a failure or a death, never silently.

The relay is a real SMTP server; its TLS is proved in tests/test_delivery.py.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from sqlalchemy import delete, update

from app.settings import load
from core.actors import PartyKind
from core.clock import FixedClock
from core.errors import MailRefused, SettingsInvalid
from core.kinds import Witnessed
from jobs.remind import LOOK_AGAIN, PORTION, Reminders
from ra.deciding.witness import Witness, witness
from ra.desk import Desk
from ra.waiting.reminders import reminders_due
from store.reading import journal
from store.reading import tasks as reading
from store.reading.authority import authority_row
from store.reading.witnesses import unwitnessed
from store.tables import approvals
from store.trial_tables import reminders as reminder_rows
from store.verbs import reminders as verbs
from tests.mail_world import Post, post_office
from tests.test_settings import written
from tests.world import OFFICER_1, OFFICER_2, OFFICER_3, World

MONDAY = datetime(2027, 1, 4, 8, 0, tzinfo=UTC)
ADDRESSES = {
    PartyKind.SSC: ["officers@ssc.example"],
    PartyKind.DCC: ["desk@dcc.example"],
    PartyKind.PANEL: ["list@panel.example"],
}
ACME = "trials@acme.example"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    with post_office(tmp_path_factory.mktemp("relay"), "none") as post:
        yield post


@pytest.fixture
def post(office: Post) -> Post:
    office.received.clear()
    office.answers.clear()
    return office


def errand(world: World, post: Post, addresses: dict[PartyKind, list[str]] | None = None, **rules: Any) -> Reminders:
    desk = replace(world.desk, rules=replace(world.desk.rules, **rules))
    mailer = post.mailer(ca_file=None)
    return Reminders(desk, mailer, ADDRESSES if addresses is None else addresses)


def told(world: World) -> list[dict[str, Any]]:
    world.authority.settle()
    with world.store.read() as tx:
        rows = [each.row for each in journal.sealed_after(tx, 0, 10_000)]
    return [dict(json.loads(each.payload)) for each in rows if each.kind == "reminder-sent"]


def to(post: Post) -> list[str]:
    return sorted(each.to[0] for each in post.received)


def test_on_the_day_set_whoever_has_anything_to_do_gets_one_list(world: World, post: Post) -> None:
    reminding = errand(world, post)
    application = world.applied(contact=ACME, start=date(2027, 1, 6))
    assert reminding.turn() == 0  # it is Sunday
    world.at(MONDAY)
    assert reminding.turn() == 1
    assert to(post) == ["officers@ssc.example"]  # nobody else has anything to do
    message = post.received[0].message
    assert message["Subject"] == "TEST Trial CPA: 1 thing waits for the SSC"
    assert "What waits for the SSC on Monday, 4 January 2027" in post.received[0].text
    assert f"http://127.0.0.1:8470/v1/applications/{application}" in post.received[0].text
    assert max(map(len, post.received[0].text.splitlines())) <= 78
    attached = post.received[0].files
    assert list(attached) == ["calendar.ics"]
    assert Calendar.from_ical(attached["calendar.ics"])["VERSION"] == "2.0"
    world.clock.advance(LOOK_AGAIN)
    assert reminding.turn() == 0
    assert errand(world, post).turn() == 0  # nor does a courier that has just started
    assert told(world) == [{"party": "ssc", "day": "2027-01-04", "tasks": 1, "expiring": []}]


def test_each_manufacturer_hears_of_its_own_at_the_contact_of_its_application(world: World, post: Post) -> None:
    mine = world.granted(contact=ACME)
    world.at(datetime(2027, 6, 21, 8, 0, tzinfo=UTC))  # a Monday, nine days before it expires
    assert errand(world, post).turn() == 4
    assert to(post) == ["desk@dcc.example", "list@panel.example", "officers@ssc.example", ACME]
    letter = next(each for each in post.received if each.to == [ACME])
    assert letter.message["Subject"].startswith("TEST Trial CPA: ")
    assert letter.message["Subject"].partition(" wait")[2].lstrip("s").startswith(" for Acme Metering Ltd")
    assert f"Approval {mine} of Acme Metering Ltd" in letter.text.replace("\n   ", " ")
    assert "Rival" not in letter.text
    assert {each["party"] for each in told(world)} == {"ssc", "dcc", "panel", "manufacturer"}
    for each in told(world):
        assert each["expiring"] == [mine]
    with world.store.read() as tx:
        everything = str([each.row for each in journal.sealed_after(tx, 0, 10_000)])
    assert ACME not in everything


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(slept=st.lists(st.integers(1, 40), min_size=3, max_size=12))
@pytest.mark.clause("F2.31")
def test_each_threshold_is_told_once_however_long_the_courier_slept(world: World, post: Post, slept: list[int]) -> None:
    approval = _the_approval(world)
    post.received.clear()
    with world.store.begin("test") as tx:
        tx.connection.execute(delete(reminder_rows))
    clock = FixedClock(datetime(2027, 3, 1, 8, 0, tzinfo=UTC))
    desk = Desk(world.store, clock, replace(world.desk.rules, reminder_weekdays=()))
    reminding = Reminders(desk, post.mailer(ca_file=None), {PartyKind.PANEL: ["list@panel.example"]})
    expected, known = 0, set[int]()
    for days in slept:
        left = (date(2027, 6, 30) - clock.now().date()).days
        passed = min((each for each in (90, 30, 7) if left <= each), default=None) if left >= 0 else None
        expected += passed is not None and passed not in known
        known |= {passed} if passed is not None else set()
        reminding.turn()
        clock.advance(timedelta(hours=3))
        reminding.turn()
        clock.advance(timedelta(days=days) - timedelta(hours=3))
    assert len(post.received) == expected
    assert all(approval in each.text for each in post.received)


def _the_approval(world: World) -> str:
    """The same approval in every example; nobody has to answer its certificate by mail."""
    with world.store.read() as tx:
        found = tx.connection.execute(approvals.select()).first()
    return str(found.identifier) if found else world.granted()


@pytest.mark.clause("F2.31")
def test_an_approval_that_was_granted_within_a_threshold_is_not_told_of_it_at_once(world: World, post: Post) -> None:
    world.granted(expiry=date(2027, 2, 20))
    reminding = errand(world, post, {PartyKind.PANEL: ["list@panel.example"]}, reminder_weekdays=())
    assert reminding.turn() == 0  # 48 days before: the notice has told it
    world.at(datetime(2027, 1, 21, 8, tzinfo=UTC))
    assert reminding.turn() == 1


@pytest.mark.clause("F2.29")
def test_an_expiry_that_was_amended_passes_its_thresholds_again(world: World, post: Post) -> None:
    approval = world.granted()
    reminding = errand(world, post, {PartyKind.DCC: ["desk@dcc.example"]}, reminder_weekdays=())
    for day, expiry in ((date(2027, 6, 1), None), (date(2027, 6, 10), date(2027, 7, 31)), (date(2027, 7, 2), None)):
        world.at(datetime.combine(day, time(8), UTC))
        if expiry is not None:
            later = datetime.combine(expiry, time(23, 59, 59), UTC)
            with world.store.begin("test") as tx:
                tx.connection.execute(update(approvals).where(approvals.c.identifier == approval).values(expiry=later))
        reminding.turn()
    # 30 days before the first end, then within 90 and 30 of the second.
    assert len(post.received) == 3


def test_a_relay_that_refuses_is_asked_again_and_nobody_else_gets_a_second_list(
    world: World, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    world.granted(contact=ACME)
    world.at(datetime(2027, 6, 21, 8, 0, tzinfo=UTC))
    reminding = errand(world, post)
    post.answers += ["451 4.7.1 come again later, list@panel.example"]
    with caplog.at_level(logging.DEBUG):
        assert reminding.turn() == 3
    ours = "\n".join(each.getMessage() for each in caplog.records if not each.name.startswith("mail."))
    assert "was not taken" in ours
    assert "example" not in ours
    assert reminding.turn() == 0  # not at once
    world.clock.advance(LOOK_AGAIN)
    assert reminding.turn() == 1
    assert to(post) == ["desk@dcc.example", "list@panel.example", "officers@ssc.example", ACME]
    assert len(told(world)) == 4


def test_who_dies_before_it_is_noted_sends_the_same_message_again(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(Exception):
        pass

    def dies(*_: object, **__: object) -> int:
        raise Died

    world.applied()
    world.at(MONDAY)
    with monkeypatch.context() as patched:
        patched.setattr(verbs, "keep", dies)
        with pytest.raises(Died):
            errand(world, post).turn()
    assert told(world) == []
    assert errand(world, post).turn() == 1
    first, second = post.received
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert len(told(world)) == 1


def test_a_crowd_is_told_a_portion_at_a_time(world: World, post: Post) -> None:
    world.applied()
    world.at(MONDAY)
    crowd = [f"officer-{number}@ssc.example" for number in range(PORTION + 2)]
    reminding = errand(world, post, {PartyKind.SSC: crowd})
    assert [reminding.turn(), reminding.turn(), reminding.turn()] == [PORTION, 2, 0]
    assert to(post) == sorted(crowd)
    assert len({each.message["Message-ID"] for each in post.received}) == len(crowd)


def test_addresses_that_no_relay_takes_are_in_nobodys_way(world: World, post: Post) -> None:
    world.applied()
    world.at(MONDAY)
    crowd = [f"officer-{number:02}@ssc.example" for number in range(PORTION + 2)]
    reminding = errand(world, post, {PartyKind.SSC: crowd})
    taken = list[str]()

    class Relay:
        def send(self, to: str, *_: object) -> None:
            if to in crowd[:PORTION]:
                raise MailRefused(detail="no such box", temporary=False)
            taken.append(to)

    reminding.mailer = Relay()
    assert (reminding.turn(), taken) == (0, [])
    world.at(MONDAY + LOOK_AGAIN)
    assert (reminding.turn(), taken) == (2, crowd[PORTION:])


def test_two_couriers_note_one_list_once(world: World, post: Post) -> None:
    world.applied()
    world.at(MONDAY)
    one, two = errand(world, post), errand(world, post)
    with world.store.read() as tx:
        authority = authority_row(tx)
        due = [next(reminders_due(tx, MONDAY, each.desk.rules, each.addresses)) for each in (one, two)]
    assert one.mailer is not None
    assert all(one._sent(one.mailer, authority, each, MONDAY) for each in due)
    assert len(told(world)) == 1


def test_without_a_relay_or_addresses_nothing_is_sent(world: World, post: Post) -> None:
    world.applied(contact="")
    world.at(MONDAY)
    assert Reminders(world.desk, None, ADDRESSES).turn() == 0
    assert errand(world, post, {}).turn() == 0
    assert errand(world, post, reminder_weekdays=()).turn() == 0
    assert post.received == []


# --- settings ----------------------------------------------------------------------------------------------------


def test_the_days_are_settings(tmp_path: Path) -> None:
    text = """
    [reports]
    look_ahead_months = 6
    day = 10
    [reminders]
    expiry_days = [14, 60, 14]
    weekdays = ["friday", "monday"]
    """
    rules = load(written(tmp_path, text)).rules
    assert (rules.look_ahead_months, rules.report_day) == (6, 10)
    assert (rules.expiry_days, rules.reminder_weekdays) == ((60, 14), (0, 4))
    rules = load(written(tmp_path, "")).rules
    assert (rules.look_ahead_months, rules.report_day) == (3, 5)
    assert (rules.expiry_days, rules.reminder_weekdays) == ((90, 30, 7), (0,))
    page = (Path(__file__).parent.parent / "docs" / "settings.md").read_text(encoding="utf-8")
    for key in ("reports.look_ahead_months", "reports.day", "reminders.expiry_days", "reminders.weekdays"):
        assert f"| `{key}` |" in page


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[reports]\nday = 29", "reports.day must be a whole number from 1 to 28"),
        ("[reports]\nlook_ahead_months = 0", "reports.look_ahead_months must be a whole number from 1 to 24"),
        ("[reminders]\nexpiry_days = [0]", "reminders.expiry_days must be a list of whole numbers from 1 to 366"),
        ("[reminders]\nexpiry_days = [367]", "reminders.expiry_days"),
        ("[reminders]\nexpiry_days = [true]", "reminders.expiry_days"),
        ("[reminders]\nexpiry_days = 30", "reminders.expiry_days"),
        ('[reminders]\nweekdays = ["Monday"]', "reminders.weekdays must be a list out of monday"),
        ("[reminders]\nweekdays = [[1]]", "reminders.weekdays"),
        ("[reminders]\nevery = 1", "reminders.every is not known"),
    ],
)
def test_a_day_that_is_none_is_refused(tmp_path: Path, text: str, part: str) -> None:
    with pytest.raises(SettingsInvalid, match=part):
        load(written(tmp_path, text))


def test_a_list_that_was_cut_says_so_in_the_mail(world: World, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    world.applied()
    world.applied()
    monkeypatch.setattr(reading, "MOST_OF_A_KIND", 1)
    world.at(MONDAY)
    assert errand(world, post).turn() == 1
    assert "More waits than is listed here" in " ".join(post.received[0].text.split())


def test_the_ssc_is_told_how_much_of_what_was_done_its_officers_have_not_seen(world: World) -> None:
    world.granted()
    with world.store.read() as tx:
        (decision,) = unwitnessed(tx, "officer-1", since=world.clock.now())

    def of_the_ssc() -> list[str]:
        with world.store.read() as tx:
            due = list(reminders_due(tx, MONDAY, world.desk.rules, ADDRESSES))
        return [task.sentence for each in due if each.party.kind is PartyKind.SSC for task in each.tasks]

    assert "(officer-1 1, officer-2 1, officer-3 1)" in of_the_ssc()[-1]
    for officer in (OFFICER_1, OFFICER_3):
        witness(world.desk, officer, Witness(decision.id, Witnessed.SEEN))
    assert "(officer-2 1)" in of_the_ssc()[-1]
    witness(world.desk, OFFICER_2, Witness(decision.id, Witnessed.SEEN))
    assert not [each for each in of_the_ssc() if "seen" in each]

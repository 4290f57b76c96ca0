"""Alarms begin, stay, change their words and end: in memory, in the register, in the log."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from core.alarms import WORDS, AlarmCode, Noticed, Standing
from core.approval import Device
from core.errors import LeaseLost, PublicationRefused, StoreUnavailable
from core.instants import seconds
from core.kinds import ProcessRole
from jobs.alarms import Alarms, bounded
from jobs.aside import MOST_TOLD
from jobs.authority import Authority
from jobs.courier import HANGS_SECONDS, SIGN_SECONDS, Courier, _Lane
from jobs.duty import Duty
from jobs.webhook import Subscriber
from store.reading import watching
from store.tables import alarms, signs_of_life
from store.transactions import Transaction
from tests.attack.forging import forge
from tests.world import NOW, World

MINUTE = timedelta(minutes=1)
LOG = logging.getLogger("tests.alarms")
A, B = AlarmCode.JOURNAL_BACKLOG, AlarmCode.DISK_NEARLY_FULL


def noticed(code: AlarmCode = A, sentence: str = "3 facts wait.", subject: str = "", **more: Any) -> Noticed:
    return Noticed(code=code, sentence=sentence, subject=subject, **more)


# --- in memory ---------------------------------------------------------------------------------------------------


def test_an_alarm_begins_stays_says_something_else_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    standing = Standing(LOG)
    turns = [
        ([noticed()], [(A, "", NOW, "3 facts wait.")]),
        ([noticed()], [(A, "", NOW, "3 facts wait.")]),
        ([noticed(sentence="4 facts wait.")], [(A, "", NOW, "4 facts wait.")]),
        (
            [noticed(), noticed(B, "Little is left.", "one"), noticed(B, "Less is left.", "other")],
            [
                (B, "one", NOW + 3 * MINUTE, "Little is left."),
                (B, "other", NOW + 3 * MINUTE, "Less is left."),
                (A, "", NOW, "3 facts wait."),
            ],
        ),
        ([noticed(B, "Less is left.", "other")], [(B, "other", NOW + 3 * MINUTE, "Less is left.")]),
        ([], []),
        ([noticed()], [(A, "", NOW + 6 * MINUTE, "3 facts wait.")]),
    ]
    for number, (found, expected) in enumerate(turns):
        held = standing.hold(found, NOW + number * MINUTE)
        assert [(each.code, each.subject, each.since, each.sentence) for each in held] == expected, number
        assert standing.alarms == held
    assert [each.message for each in caplog.records] == [
        "3 facts wait.",
        "Little is left.",
        "Less is left.",
        WORDS[A][1],
        WORDS[B][1],
        WORDS[B][1],
        "3 facts wait.",
    ]


def test_what_is_over_before_it_was_told_or_is_told_by_others_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    standing = Standing(LOG)
    standing.hold([noticed()], NOW, tell=False)
    standing.hold([], NOW)
    standing.hold([noticed(told=True)], NOW)
    standing.hold([], NOW)
    assert caplog.records == []
    standing.hold([noticed()], NOW, tell=False)
    standing.hold([noticed()], NOW)  # it lasts
    assert [each.message for each in caplog.records] == ["3 facts wait."]


# --- in the register ---------------------------------------------------------------------------------------------


class Raising:
    """One process with its alarms, that counts its writing transactions."""

    def __init__(self, world: World, raiser: ProcessRole = ProcessRole.AUTHORITY, *, alone: bool = True) -> None:
        self.world, self.writes = world, 0
        self.alarms = Alarms(raiser, LOG, alone=alone)

    def hold(self, *found: Noticed, minutes: int = 0) -> list[tuple[str, str, int, str]]:
        def begin(label: str) -> Any:
            self.writes += 1
            return self.world.store.begin(label)

        self.alarms.hold(self.world.store.read, begin, found, NOW + minutes * MINUTE)
        return said(self.world)


def said(world: World) -> list[tuple[str, str, int, str]]:
    with world.store.read() as tx:
        found = watching.alarms(tx)
    return [(each.code, each.subject, (each.since - NOW) // MINUTE, each.sentence) for each in found]


def wipe(world: World) -> None:
    with world.store.begin("wipe") as tx:
        tx.connection.execute(delete(alarms))


def test_the_register_says_what_is_so_and_a_quiet_turn_writes_nothing(world: World) -> None:
    one = Raising(world)
    assert one.hold() == []
    assert one.writes == 0
    assert one.hold(noticed(), minutes=1) == [(A, "", 1, "3 facts wait.")]
    assert one.hold(noticed(), minutes=2) == [(A, "", 1, "3 facts wait.")]
    assert one.writes == 1
    assert one.hold(noticed(sentence="4 facts wait."), minutes=3) == [(A, "", 1, "4 facts wait.")]
    wipe(world)
    assert one.hold(noticed(sentence="4 facts wait."), minutes=4) == [(A, "", 1, "4 facts wait.")]
    assert one.writes == 3
    assert one.hold(noticed(B, subject="x"), minutes=5) == [(B, "x", 5, "3 facts wait.")]
    assert one.hold() == []
    assert one.writes == 5
    assert one.hold() == []
    assert one.writes == 5


def test_the_next_process_goes_on_with_what_it_finds(world: World) -> None:
    Raising(world).hold(noticed(), noticed(B))
    Raising(world, ProcessRole.COURIER, alone=False).hold(noticed(AlarmCode.ERRAND_FAILS))
    told = Raising(world).hold(noticed(), minutes=9)
    assert [(code, since) for code, _, since, _ in told] == [(AlarmCode.ERRAND_FAILS, 0), (A, 0)]


def test_two_that_are_not_alone_do_not_take_each_others_away(world: World) -> None:
    one, other = (Raising(world, ProcessRole.COURIER, alone=False) for _ in range(2))
    one.hold()
    other.hold()
    for _ in range(3):
        assert one.hold(noticed())
        assert other.hold()
    assert (one.writes, other.writes) == (1, 0)
    assert one.hold() == []


# --- the authority -----------------------------------------------------------------------------------------------


def job(name: str, does: Callable[[Duty], None]) -> Callable[[Duty, Any], int]:
    def run(duty: Duty, _at: object) -> int:
        does(duty)
        return 0

    run.__name__ = name
    return run


def turn(authority: Authority, does: Callable[[Duty], None]) -> None:
    """A turn in which one job does something; the others have their real turn first."""
    duty = authority._duty()
    assert duty is not None
    authority._guarded(job("look_about", does), duty, NOW)
    authority._guarded(authority.tell_alarms, duty, NOW)


def test_what_a_job_notices_holds_until_it_says_so_no_more_and_while_it_fails(world: World) -> None:
    def notices(duty: Duty) -> None:
        duty.notice(A, "3 facts wait.")

    def fails(_: Duty) -> None:
        raise PublicationRefused(number=7, detail="secret words")

    turn(world.authority, notices)
    assert [each[0] for each in said(world)] == [A]
    turn(world.authority, fails)
    failing = next(each for each in said(world) if each[0] == AlarmCode.JOB_FAILS)
    assert [each[0] for each in said(world)] == [AlarmCode.JOB_FAILS, A]
    assert "look_about" in failing[3]
    assert PublicationRefused.code in failing[3]
    assert "secret" not in failing[3]  # anybody may read it
    turn(world.authority, lambda _: None)
    assert said(world) == []


def test_a_whole_turn_of_the_authority_takes_away_what_is_over(world: World) -> None:
    turn(world.authority, lambda duty: duty.notice(A, "3 facts wait.", "one"))
    world.authority._noticed.clear()
    assert said(world) != []
    world.authority.settle()
    assert said(world) == []


def test_an_authority_that_lost_the_lease_says_nothing(world: World) -> None:
    def loses(duty: Duty) -> None:
        duty.notice(A, "3 facts wait.")
        raise LeaseLost(holder="us")

    turn(world.authority, loses)
    assert said(world) == []


# --- the courier -------------------------------------------------------------------------------------------------


def sign(tx: Transaction) -> Any:
    return tx.connection.execute(select(signs_of_life.c.at).where(signs_of_life.c.process == "courier")).scalar()


def test_the_courier_leaves_a_sign_of_life_from_time_to_time_and_says_who_is_not_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 100.0
    monkeypatch.setattr("jobs.courier.time.monotonic", lambda: seconds)
    subscribers = [Subscriber("http://127.0.0.1:9/hook", b"s" * 32)]
    courier = Courier(world.store, subscribers, machine=world.machine, clock=world.clock)
    courier.sign()
    with world.store.read() as tx:
        assert sign(tx) == NOW
    world.passes(MINUTE)
    courier.sign()
    with world.store.read() as tx:
        assert sign(tx) == NOW  # too early
    world.granted()
    monkeypatch.setattr("jobs.courier.post", lambda *_: "nobody listens")
    courier.deliver(subscribers[0])
    seconds += SIGN_SECONDS
    courier.sign()
    with world.store.read() as tx:
        assert sign(tx) == NOW + MINUTE
    ((code, _, _, sentence),) = said(world)
    assert code == AlarmCode.SUBSCRIBER_UNTOLD
    assert sentence.startswith("1 of 1 subscribers")
    assert "127.0.0.1" not in sentence
    monkeypatch.setattr("jobs.courier.post", lambda *_: None)
    courier.deliver(subscribers[0])
    seconds += SIGN_SECONDS
    courier.sign()
    assert said(world) == []


def test_an_errand_that_does_not_come_back_is_an_alarm(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = 100.0
    monkeypatch.setattr("jobs.courier.time.monotonic", lambda: seconds)
    courier = Courier(world.store, [], machine=world.machine, clock=world.clock)
    told: list[list[str]] = []

    def hangs() -> int:
        nonlocal seconds
        for more in (HANGS_SECONDS, SIGN_SECONDS):
            seconds += more
            courier.sign()
            told.append([code for code, *_ in said(world)])
        return 0

    with ThreadPoolExecutor(1) as threads:
        courier._lanes.append(_Lane(hangs, threads, threading.Event()))
        courier._lanes[0].wake()
    seconds += SIGN_SECONDS
    courier.sign()
    assert (told, said(world)) == ([[], [AlarmCode.ERRAND_FAILS]], [])


def test_a_courier_whose_writes_are_refused_says_so_once(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    courier = Courier(world.store, [], machine=world.machine, clock=world.clock)
    with monkeypatch.context() as patched:
        patched.setattr(world.store, "begin", _refused)
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                courier.sign()
    courier.sign()
    assert [each.message.split(". ")[-1] for each in caplog.records] == [
        "What is delivered cannot be recorded.",
        "The register takes the courier's writes again.",
    ]


def _refused(_label: str) -> None:
    raise StoreUnavailable


def test_of_many_alarms_of_a_kind_some_are_told_and_of_the_others_the_number() -> None:
    many = [Noticed(code=AlarmCode.END_UNPROVED, sentence="It is so.", subject=str(each)) for each in range(1_000)]
    other = Noticed(code=AlarmCode.FACT_AHEAD, sentence="It is ahead.")
    told = bounded([*many, many[0], other])
    assert told[:MOST_TOLD] == many[:MOST_TOLD]
    more = Noticed.more(AlarmCode.END_UNPROVED, 980)
    assert told[MOST_TOLD:] == [more, other]


def test_ends_that_nothing_proves_are_put_off_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    granted = [world.granted(device=Device("ESME", "AB01", f"010A03{each:02X}", "01")) for each in range(3)]
    for each in granted:
        forge(
            world,
            f"UPDATE certificates SET revoked_at = {seconds(NOW)}, ends_at = {seconds(NOW)}, cause = 'ssc', "
            f"fate = fate + 1, presign_due = {seconds(NOW)} WHERE approval = '{each}'",
        )
    labels: list[str] = []
    begin = Duty.begin

    def begun(duty: Duty, label: str) -> AbstractContextManager[Transaction]:
        labels.append(label)
        return begin(duty, label)

    monkeypatch.setattr(Duty, "begin", begun)
    world.authority.turn()
    assert AlarmCode.END_UNPROVED in {each.code for each in world.alarms()}
    assert labels.count("put off answers") == 1

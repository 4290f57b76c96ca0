"""What is sealed is proved before anything is signed over it, and a head is asked for by its row."""

from typing import Any

import pytest
from sqlalchemy import insert, select, update

from core.alarms import AlarmCode
from core.instants import from_seconds
from store.reading import journal as reading
from store.tables import journal, journal_heads
from tests.world import NOW, World

FAR = from_seconds(253402300799)
FORGED = {"link": b"f" * 32, "signature": b"junk", "signed_at": NOW}


def _last(world: World) -> Any:
    with world.store.read() as tx:
        return tx.connection.execute(select(journal).order_by(journal.c.seal_number.desc()).limit(1)).one()


def test_a_row_that_says_another_date_than_it_was_sealed_with_dates_nothing(world: World) -> None:
    world.applied()
    world.authority.settle()
    last, head = _last(world), world.memory.head
    with world.store.begin("forge") as tx:
        tx.connection.execute(update(journal).where(journal.c.id == last.id).values(sealed_at=FAR))
    world.applied()
    world.authority.settle()
    assert world.memory.head == head
    assert AlarmCode.JOB_FAILS in {each.code for each in world.alarms()}
    with world.store.read() as tx:
        assert reading.unsealed(tx, 1)
    with world.store.begin("mend") as tx:
        tx.connection.execute(update(journal).where(journal.c.id == last.id).values(sealed_at=last.sealed_at))
    world.authority.settle()
    assert world.memory.head.number > head.number
    assert _last(world).sealed_at < FAR


def test_the_row_of_the_head_is_read_again_while_nothing_is_sealed(world: World) -> None:
    world.applied()
    world.authority.settle()
    with world.store.begin("forge") as tx:
        tx.connection.execute(update(journal).where(journal.c.id == _last(world).id).values(actor="mallory"))
    world.authority.settle()
    assert AlarmCode.JOB_FAILS in {each.code for each in world.alarms()}


@pytest.mark.parametrize("far", [True, False], ids=["far ahead", "of the next row"])
def test_a_head_that_somebody_puts_there_stops_no_head_and_is_an_alarm(world: World, *, far: bool) -> None:
    world.applied()
    world.authority.settle()
    head = world.memory.head
    with world.store.begin("forge") as tx:
        number = 10**6 if far else head.number + 1
        tx.connection.execute(insert(journal_heads).values(number=number, **FORGED))
    world.authority.settle()
    assert AlarmCode.JOURNAL_CHANGED in {each.code for each in world.alarms()}
    world.applied()
    world.authority.settle()
    known = world.memory.head
    assert known.number > head.number
    with world.store.read() as tx:
        assert reading.head_link(tx, known.number) == known.link


def test_a_head_of_another_link_is_replaced(world: World) -> None:
    world.applied()
    world.authority.settle()
    head = world.memory.head
    with world.store.begin("forge") as tx:
        tx.connection.execute(update(journal_heads).where(journal_heads.c.number == head.number).values(**FORGED))
    world.authority.settle()
    with world.store.read() as tx:
        (kept,) = [each for each in reading.heads(tx) if each.number == head.number]
    assert kept.link == head.link
    assert kept.signature != FORGED["signature"]


def test_what_is_sealed_and_under_no_head_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk of the memory may be full: nothing is called unproved that will be proved."""
    decision = world.drafted()
    world.seconded(decision)
    with monkeypatch.context() as patch:
        patch.setattr("jobs.seal._head", lambda _duty, _at: None)
        world.authority.settle()
    assert AlarmCode.DECISION_UNPROVED not in {each.code for each in world.alarms()}
    world.authority.settle()
    assert world.decision_state(decision) == "done"

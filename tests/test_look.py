"""The register as the jobs of a turn see it: opened once while nobody writes, and never as it was long before."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.exc import DBAPIError

from core.errors import StoreUnavailable, StoreWentBack
from core.kinds import COUNTED, DecisionKind
from jobs import look as looking
from jobs.look import LASTS_SECONDS, Look
from memory.records import Head
from ra.deciding.every_kind import kind_of
from store.reading import work
from store.reading.authority import authority_row
from store.transactions import Store, Transaction
from tests.world import World


def seen(look: Look, world: World) -> tuple[int, int]:
    with look.read(world.store, world.memory) as tx:
        return work.pulse(tx)


def test_a_turn_in_which_nothing_is_due_opens_the_register_once_and_writes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.granted()
    world.authority.settle()
    opened: list[str] = []

    @contextmanager
    def counted(store: Store) -> Iterator[Transaction]:
        opened.append("read")
        with read(store) as tx:
            yield tx

    @contextmanager
    def written(store: Store, label: str) -> Iterator[Transaction]:
        opened.append(label)
        with begin(store, label) as tx:
            yield tx

    read, begin = Store.read, Store.begin
    monkeypatch.setattr(Store, "read", counted)
    monkeypatch.setattr(Store, "begin", written)
    monkeypatch.setattr(looking, "LASTS_SECONDS", 600.0)  # a busy machine is no fault of the code
    world.authority.turn()
    assert [each for each in opened if each != "lease"] == ["read"]


def test_what_others_do_is_seen_when_one_of_ours_has_written_or_it_has_taken_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("jobs.look.time.monotonic", lambda: now[0])
    look = Look()
    with look.lasting():
        first = seen(look, world)
        world.applied()
        assert seen(look, world) == first
        look.end()
        second = seen(look, world)
        assert second != first
        world.applied(purpose="Another field trial, in York.")
        now[0] = LASTS_SECONDS
        third = seen(look, world)
        assert third != second
    for town in ("Hull", "Ely"):
        world.applied(purpose=f"One more, in {town}.")
        assert seen(look, world) != third, "outside of a turn each reading is by itself"
        third = seen(look, world)


def test_who_writes_while_they_look_keeps_what_they_see_and_the_next_sees_what_was_written(world: World) -> None:
    look = Look()
    with look.lasting():
        with look.read(world.store, world.memory) as tx:
            before = work.pulse(tx)
            look.end()
            world.applied()
            assert work.pulse(tx) == before
            assert seen(look, world) != before
        assert seen(look, world) != before


def test_a_job_that_fails_leaves_the_next_a_register_that_answers(world: World) -> None:
    look = Look()
    with look.lasting():
        with pytest.raises((DBAPIError, StoreUnavailable)), look.read(world.store, world.memory) as tx:
            tx.connection.exec_driver_sql("SELECT what_is_not_there")
        with look.read(world.store, world.memory) as tx:
            assert authority_row(tx).environment == "test"
            # And whoever looks meanwhile, and fails, has a reading of their own.
            with pytest.raises((DBAPIError, StoreUnavailable)), look.read(world.store, world.memory) as other:
                other.connection.exec_driver_sql("SELECT what_is_not_there")
            assert authority_row(tx).environment == "test"


def test_a_head_that_was_remembered_meanwhile_is_looked_for_again(world: World) -> None:
    world.authority.settle()
    look = Look()
    with look.lasting():
        seen(look, world)
        known = world.memory.head.number + 1
        world.memory.remember([Head(number=known, link=bytes(32))], now=world.clock.now(), links=[(known, bytes(32))])
        with pytest.raises(StoreWentBack):
            seen(look, world)


def test_the_kinds_by_which_officers_are_counted_are_those_that_each_kind_names() -> None:
    assert tuple(dict.fromkeys(kind_of(each).counted_as for each in DecisionKind)) == COUNTED

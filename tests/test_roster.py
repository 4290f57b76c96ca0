"""The roster: whose keys count changes by two who are not concerned, or by the root's word, and by no row."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Executable, delete, update

from core.actors import Actor
from core.alarms import AlarmCode
from core.errors import OrderRefused, RosterUnusable
from core.facts import FactKind
from core.kinds import OrderKind, RosterCause
from officers.key_file import public_key_of
from officers.order import Change, Stop, body_sha256, read_order, written
from officers.roster import Member, new_member
from ra.ordering.order import ChangeRoster, order
from store.officers_tables import orders as order_rows
from store.officers_tables import rosters
from store.reading import authorisations
from tests.acting import member, officer_key
from tests.roster_world import (
    ON_SQLITE,
    alarm_codes,
    change,
    facts_of,
    newest,
    on_roster,
    order_of,
    settle,
    sign_order,
    state_of,
)
from tests.world import OFFICER_1, OFFICER_2, OFFICER_3, World

WAIT = timedelta(hours=24)
ONE, TWO, THREE = OFFICER_1.name, OFFICER_2.name, OFFICER_3.name
FOUR = "officer-4"


def second_key(name: str) -> Member:
    """Another key of an officer."""
    return new_member(name, public_key_of(officer_key(f"{name}, anew")))


def key_of(name: str) -> str:
    return member(name).key


# --- changes ---------------------------------------------------------------------------------------------------------

# Who signs, which keys come and go, and who counts afterwards; None where nothing comes of it.
CHANGES: dict[str, tuple[tuple[Actor, ...], tuple[Member, ...], tuple[str, ...], list[str] | None]] = {
    "two add a fourth": ((OFFICER_1, OFFICER_2), (member(FOUR),), (), [ONE, TWO, THREE, FOUR]),
    "one alone adds nobody": ((OFFICER_1,), (member(FOUR),), (), None),
    "two replace the key that a third has lost": (
        (OFFICER_1, OFFICER_2),
        (second_key(THREE),),
        (key_of(THREE),),
        [ONE, TWO, THREE],
    ),
    "the person concerned does not count, for whom one other signs": (
        (OFFICER_3, OFFICER_2),
        (second_key(THREE),),
        (),
        None,
    ),
    "nor does who is to go": ((OFFICER_3, OFFICER_2), (), (key_of(THREE),), None),
    "nor do two for each other": (
        (OFFICER_1, OFFICER_2, OFFICER_3),
        (second_key(ONE), second_key(TWO)),
        (),
        None,
    ),
    "the third is enough where one is concerned": (
        (OFFICER_3, OFFICER_2, OFFICER_1),
        (second_key(THREE),),
        (),
        [ONE, TWO, THREE],
    ),
    "three become two": ((OFFICER_1, OFFICER_2), (), (key_of(THREE),), [ONE, TWO]),
}


@ON_SQLITE
@pytest.mark.parametrize("case", CHANGES)
def test_who_may_change_whose_keys_count(world: World, case: str) -> None:
    by, add, remove, after = CHANGES[case]
    identifier = change(world, *by, add=add, remove=remove)
    assert on_roster(world) == sorted(after or [ONE, TWO, THREE])
    assert state_of(world, identifier) == ("open" if after is None else "done")
    assert newest(world).cause is (RosterCause.CEREMONY if after is None else RosterCause.CHANGE)
    with world.store.read() as tx:
        assert len(authorisations.shown_rosters(tx)) == newest(world).number
    assert (AlarmCode.ROSTER_SMALL in alarm_codes(world)) == (after == [ONE, TWO])


# What makes no roster, and what is said of it.
UNUSABLE: dict[str, tuple[tuple[Member, ...], tuple[str, ...], str]] = {
    "fewer than two": ((), (key_of(ONE), key_of(TWO)), "it has 1 officer"),
    "two keys of one person are one person": ((second_key(ONE),), (key_of(TWO), key_of(THREE)), "it has 1 officer"),
    "a key that is there": ((member(ONE),), (), "a key is on it twice"),
    "a key of somebody else's that is there": ((replace(member(ONE), officer=FOUR),), (), "a key is on it twice"),
    "a key that is not there": ((), (key_of(FOUR),), "is not on it"),
    "a key that goes twice": ((), (key_of(THREE), key_of(THREE)), "named twice"),
    "nothing": ((), (), "nothing is to be changed"),
}


@ON_SQLITE
@pytest.mark.parametrize("case", UNUSABLE)
def test_what_can_be_no_roster_is_refused_at_once(world: World, case: str) -> None:
    add, remove, said = UNUSABLE[case]
    with pytest.raises(RosterUnusable, match=said):
        order(world.desk, OFFICER_1, ChangeRoster(why="Because.", add=add, remove=remove))


def _change(**of: Any) -> Change:
    return replace(Change(why="Because.", roster=1, number=2, add=(member(FOUR),)), **of)


# What somebody who writes rows has officers sign for, and what the authority says to it.
CONTRADICTORY: dict[str, tuple[Change, str]] = {
    "a key that is not there": (_change(remove=(key_of("officer-9"),)), "is not on it"),
    "a number that is skipped": (_change(number=3), "it makes roster 3 of roster 1"),
    "a number that is taken": (_change(number=1 + 1, roster=2), "it makes roster 2 of roster 2"),
    "another roster than the one in force": (_change(roster=7), "it makes roster 2 of roster 7"),
}


@ON_SQLITE
@pytest.mark.parametrize("case", CONTRADICTORY)
def test_what_the_authority_refuses_by_itself(world: World, case: str) -> None:
    meant, said = CONTRADICTORY[case]
    identifier = order(world.desk, OFFICER_1, ChangeRoster(why="Because.", add=(member(FOUR),))).order
    body = written(meant)
    with world.store.begin("another order") as tx:
        another = {"body": body, "body_sha256": body_sha256(body)}
        tx.connection.execute(update(order_rows).where(order_rows.c.id == identifier).values(**another))
    for each in (OFFICER_1, OFFICER_2, OFFICER_3):
        sign_order(world, each, identifier)
    settle(world)
    assert said in (order_of(world, identifier).outcome or "")
    assert (state_of(world, identifier), newest(world).number) == ("refused", 1)
    assert facts_of(world, FactKind.ORDER_REFUSED) == ["order-refused"]


def test_of_two_changes_of_one_roster_one_comes_to_be(world: World) -> None:
    first = order(world.desk, OFFICER_1, ChangeRoster(why="One.", add=(member(FOUR),))).order
    other = order(world.desk, OFFICER_2, ChangeRoster(why="Other.", add=(second_key(THREE),))).order
    for identifier in (first, other):
        for each in (OFFICER_1, OFFICER_2):
            sign_order(world, each, identifier)
    settle(world)
    assert sorted(state_of(world, each) for each in (first, other)) == ["done", "refused"]


@ON_SQLITE
def test_who_has_left_the_roster_counts_no_more_for_what_they_had_signed(world: World) -> None:
    waiting = change(world, OFFICER_3, add=[member(FOUR)])
    change(world, OFFICER_1, OFFICER_2, remove=[key_of(THREE)])
    assert state_of(world, waiting) == "open"
    with world.store.begin("as if it were about this roster") as tx:
        body = written(_change(roster=2, number=3))
        tx.connection.execute(
            update(order_rows).where(order_rows.c.id == waiting).values(body=body, body_sha256=body_sha256(body))
        )
    settle(world)
    assert (state_of(world, waiting), on_roster(world)) == ("refused", [ONE, TWO])


# What somebody has done to the register's rosters.
ROWS: dict[str, Callable[[World], Executable]] = {
    "rolled back": lambda _: rosters.delete().where(rosters.c.number == 2),
    "skipped": lambda _: update(rosters).where(rosters.c.number == 2).values(number=3),
    "gone": lambda _: delete(rosters),
    "with somebody else on it": lambda world: (
        update(rosters).where(rosters.c.number == 2).values(members=_members_of(world, 1))
    ),
    "not in force yet": lambda world: (
        update(rosters).where(rosters.c.number == 2).values(effective_at=world.clock.now() + WAIT)
    ),
}


def _members_of(world: World, number: int) -> str:
    with world.store.read() as tx:
        return next(each.members for each in authorisations.shown_rosters(tx) if each.number == number)


@pytest.mark.parametrize("case", ROWS)
def test_what_the_register_shows_otherwise_is_put_right(world: World, case: str) -> None:
    change(world, OFFICER_1, OFFICER_2, add=[member(FOUR)])
    with world.store.read() as tx:
        before = authorisations.shown_rosters(tx)
    with world.store.begin("somebody else") as tx:
        tx.connection.execute(ROWS[case](world))
    settle(world)
    with world.store.read() as tx:
        assert [(each.number, each.members) for each in authorisations.shown_rosters(tx)] == [
            (each.number, each.members) for each in before
        ]
    # The newest alone may be missing because we died behind the memory.
    assert AlarmCode.REGISTER_CONTRADICTS in alarm_codes(world)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"kind":"change-roster","why":"x"}',
        written(Stop(why="x")),
        written(_change()).replace('"number":2', '"number":2.0'),
        written(_change()) + " ",
        written(_change())[:-1] + ',"zzz":1}',
        written(_change()).replace(member(FOUR).public_key.hex(), member(FOUR).public_key.hex()[:-2]),
        "[" * 50_000,
        "x" * 100_000,
    ],
)
def test_a_body_that_is_none_is_refused_with_its_reason(body: str) -> None:
    with pytest.raises(OrderRefused):
        read_order(OrderKind.CHANGE_ROSTER, body)


def test_a_body_is_read_as_it_was_written() -> None:
    assert read_order(OrderKind.CHANGE_ROSTER, written(_change())) == _change()

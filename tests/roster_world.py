"""Orders and rosters as officers' tools and the authority make them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.actors import Actor
from core.alarms import AlarmCode
from core.facts import FactKind
from jobs.root_roster import next_number, sign_roster
from jobs.roster import authority_begun
from keys.signer import Signer
from memory.records import RosterSet
from officers.root_statement import RosterStatement, SignedRoster
from officers.roster import Member
from ra.ordering.authorise import authorise_order, claim_of
from ra.ordering.order import ChangeRoster, Command, StopIssuing, order
from ra.ordering.views import OrderAuthorised
from store.reading import journal
from store.reading import orders as reading
from store.reading.orders import Order
from tests.acting import signed_for
from tests.world import OFFICER_1, World, root_key_of

ON_SQLITE = pytest.mark.parametrize("store_kind", ["sqlite"])
"""Of what concerns the register in no other way than a test beside it, which runs on both databases."""


def ordered(world: World, command: Command, *by: Actor) -> str:
    """An order that some officers have authorised, sealed and taken up."""
    identifier = order(world.desk, by[0] if by else OFFICER_1, command).order
    for each in by:
        sign_order(world, each, identifier)
    settle(world)
    return identifier


def sign_order(world: World, actor: Actor, identifier: str) -> OrderAuthorised:
    """Sign for an order as it stands in the register."""
    signed = signed_for(world.desk, actor, claim_of(order_of(world, identifier)))
    return authorise_order(world.desk, actor, identifier, signed=signed)


def order_of(world: World, identifier: str) -> Order:
    with world.store.read() as tx:
        return reading.order(tx, identifier)


def state_of(world: World, identifier: str) -> str:
    return order_of(world, identifier).state.value


def settle(world: World) -> None:
    """Let the authority do what is due."""
    world.authority.settle()


def stopped(world: World, by: Actor = OFFICER_1) -> str:
    return ordered(world, StopIssuing("Something is wrong."), by)


def change(world: World, *by: Actor, add: Sequence[Member] = (), remove: Sequence[str] = ()) -> str:
    return ordered(world, ChangeRoster(why="People come and go.", add=tuple(add), remove=tuple(remove)), *by)


def facts_of(world: World, *kinds: FactKind) -> list[str]:
    """The kinds of the sealed facts, of some kinds, in order."""
    with world.store.read() as tx:
        return [each.row.kind for each in journal.sealed_after(tx, 0, 10_000) if each.row.kind in kinds]


def alarm_codes(world: World) -> set[AlarmCode]:
    return {each.code for each in world.alarms()}


def on_roster(world: World) -> list[str]:
    """Whose keys count, by the memory."""
    held = world.memory.roster(world.clock.now())
    return [] if held is None else sorted(held.officers)


def root_signer(world: World) -> Signer:
    return root_key_of(world.folder)


def root_statement(world: World, *members: Member, **changes: Any) -> SignedRoster:
    """A statement that the root's key has signed."""
    statement = RosterStatement(
        authority=authority_begun(world.memory),
        number=next_number(world.memory),
        members=members,
        valid_until=world.clock.now() + timedelta(days=7),
    )
    return sign_roster(replace(statement, **changes), root_signer(world))


def newest(world: World) -> RosterSet:
    found = world.memory.newest_roster
    assert found is not None
    return found

"""Rows of lists: published is what was signed, to the octet, and a new end is published whatever stands there."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from api.status.lists import is_genuine
from core.alarms import AlarmCode
from core.clock import FixedClock
from core.instants import seconds
from core.kinds import HierarchyRole
from core.mirror import PublishedCrl
from jobs.hierarchy import RECORDED_WITHIN, ours
from jobs.published import LOOKED_AGAIN
from store.reading.status import StatusReader
from store.tables import authority_certificates, crls
from tests.attack.forging import Scene, forge, turns
from tests.channels_world import Channels
from tests.world import World


def newest(world: World) -> PublishedCrl:
    """The newest list of the issuing CA that is one, as a web process finds it."""
    issuing = world.memory.hierarchy(HierarchyRole.ISSUING)[-1]
    return StatusReader(world.store, is_genuine=is_genuine).authority().crls[issuing.key_id]


@pytest.mark.parametrize("gap", [0, 1])
def test_a_list_that_somebody_puts_under_the_next_number_keeps_no_end_from_being_published(
    before: Scene, gap: int
) -> None:
    world = before.world
    known = newest(world)
    following = max(seconds(world.clock.now()), known.number + 1)
    with world.store.begin("forge") as tx:
        row = dict(tx.connection.execute(select(crls).where(crls.c.number == known.number)).mappings().one())
        for number in (following, following + 1, following + 2 + gap):
            tx.connection.execute(insert(crls).values({**row, "number": number}))
    world.revoked(before.good)
    turns(world, 3)
    assert before.good_serial in Channels(world).crl()
    assert newest(world).number == following + (2 if gap else 3)
    assert AlarmCode.LIST_UNKNOWN in {each.code for each in world.alarms()}


def _older(world: World) -> bytes:
    with world.store.read() as tx:
        query = select(crls.c.der).where(crls.c.key_id == newest(world).key_id).order_by(crls.c.number).limit(1)
        return bytes(tx.connection.execute(query).scalar_one())


def _unsigned(world: World) -> bytes:
    der = newest(world).der
    return der[:-1] + bytes([der[-1] ^ 1])


@pytest.mark.parametrize("other", [_older, _unsigned, lambda _: b"forged"], ids=["older", "unsigned", "no list"])
def test_other_bytes_for_the_newest_list_are_seen_and_it_is_published_anew(
    before: Scene, other: Callable[[World], bytes]
) -> None:
    world = before.world
    turns(world, 1)
    first, der = newest(world), other(world)
    assert der != first.der
    again = _exchanged(world, first, der)
    assert [each.subject for each in world.alarms()] == [f"crl {first.number}"]
    assert before.ended_serial in Channels(world).crl()
    with world.store.begin("put right") as tx:
        tx.connection.execute(update(crls).where(crls.c.number == first.number).values(der=first.der))
    third = _exchanged(world, again, der)  # the one before it says the same, and is young
    world.passes(LOOKED_AGAIN + timedelta(seconds=1))
    turns(world, 2)
    assert newest(world).number == third.number


def _exchanged(world: World, known: PublishedCrl, der: bytes) -> PublishedCrl:
    """Exchange the bytes of a list; return the newest after the authority has looked."""
    with world.store.begin("forge") as tx:
        tx.connection.execute(update(crls).where(crls.c.number == known.number).values(der=der))
    world.passes(LOOKED_AGAIN + timedelta(seconds=1))
    turns(world, 2)
    assert newest(world).number > known.number
    return newest(world)


def test_a_lost_issuing_ca_is_told_with_what_to_do_and_lists_go_on_when_it_is_back(before: Scene) -> None:
    """Nothing here has the root's signature upon it but its row."""
    world = before.world
    (issuing,) = world.memory.hierarchy(HierarchyRole.ISSUING)
    own = authority_certificates.c.serial == issuing.serial
    with world.store.begin("read") as tx:
        row = dict(tx.connection.execute(select(authority_certificates).where(own)).mappings().one())
    forge(world, f"DELETE FROM authority_certificates WHERE serial = '{issuing.serial}'")
    world.revoked(before.good)
    turns(world, 2)
    (told,) = [each for each in world.alarms() if each.subject == issuing.serial]
    assert (told.code, "put its row" in told.sentence) == (AlarmCode.REGISTER_CONTRADICTS, True)
    with world.store.begin("put back") as tx:
        tx.connection.execute(insert(authority_certificates).values(**row))
    turns(world, 2)
    assert before.good_serial in Channels(world).crl()


def test_an_issuing_ca_that_is_being_recorded_is_not_lost(before: Scene) -> None:
    """Whoever accepts a new one remembers it first, and writes its row then: the authority works meanwhile."""
    world = before.world
    (issuing,) = world.memory.hierarchy(HierarchyRole.ISSUING)
    since = world.memory.certified_at(issuing.serial)
    duty = world.authority._duty()
    assert duty
    assert since
    forge(world, f"DELETE FROM authority_certificates WHERE serial = '{issuing.serial}'")
    for after, told in ((RECORDED_WITHIN - timedelta(seconds=1), 0), (RECORDED_WITHIN, 1)):
        looking = replace(duty, machine=FixedClock(since + after), noticed=[])
        with looking.read() as tx:
            assert ours(looking, tx, HierarchyRole.ISSUING) == []
        assert len(looking.noticed) == told

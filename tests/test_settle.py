"""An operator settles where the register and what was published say different ends; no end is ever taken back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text, update

from core.approval import EndCause
from core.errors import WrongState
from core.facts import FactKind
from core.kinds import KeyState
from core.status import certificate_end
from jobs.settle import Choice, Difference, differences, settle
from store.tables import approvals, certificates, public_keys
from tests.channels_world import HASHES, Channels
from tests.cycle_world import kinds
from tests.world import World

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def forget(world: World) -> None:
    """The end is taken out of the rows, as if it had never been."""
    with world.store.begin("tamper") as tx:
        tx.connection.execute(
            update(certificates).values(
                revoked_at=None, cause=None, invalidity_date=None, ends_at=text("not_after + 1"), listed_in=None
            )
        )
        tx.connection.execute(update(approvals).values(ended_at=None, end_cause=None, ended_by=None))
        tx.connection.execute(update(public_keys).values(state=KeyState.CERTIFIED))


def move(by: timedelta) -> Callable[[World], None]:
    def moved(world: World) -> None:
        at = world.clock.now() + by
        with world.store.begin("tamper") as tx:
            tx.connection.execute(update(certificates).values(revoked_at=at, ends_at=at, listed_in=None))

    return moved


def revoked(world: World, cause: EndCause = EndCause.SSC) -> tuple[str, datetime]:
    """A revoked and listed approval, and when it was revoked."""
    approval = world.granted()
    world.at(world.clock.now() + HOUR)
    world.revoked(approval, cause)
    world.authority.settle()
    return approval, world.clock.now()


def the_difference(world: World) -> Difference:
    (found,) = differences(world.store, world.memory, world.clock.now())
    return found


def settled(world: World, found: Difference, choice: Choice) -> datetime:
    end = settle(world.store, world.memory, found, choice, world.clock.now(), "INC-7")
    world.at(world.clock.now() + 13 * HOUR)
    world.authority.settle()
    return end.at


def require_agreed(world: World, approval: str, at: datetime) -> None:
    """Register, memory, list and answers say one end, and the alarm is over once nobody has noticed it for a day."""
    (certificate,) = world.record(approval).certificates
    assert certificate_end(certificate).at == at
    channels = Channels(world)
    assert channels.crl()[certificate.serial][0] == at
    assert {channels.ocsp(certificate.serial, name).at for name in HASHES} == {at}
    assert differences(world.store, world.memory, world.clock.now()) == []
    assert FactKind.END_SETTLED in kinds(world)
    assert world.memory.prove()
    world.at(world.clock.now() + 25 * HOUR)
    world.authority.settle()
    assert world.alarms() == ()


@pytest.mark.parametrize("cause", [EndCause.SSC, EndCause.KEY_COMPROMISE])
@pytest.mark.parametrize("tamper", [forget, move(-SECOND), move(SECOND)], ids=["forgotten", "earlier", "later"])
def test_the_published_date_is_written_back_into_the_register(
    world: World, cause: EndCause, tamper: Callable[[World], None]
) -> None:
    approval, at = revoked(world, cause)
    tamper(world)
    world.at(world.clock.now() + HOUR)
    world.authority.settle()
    found = the_difference(world)
    assert (found.published.at, found.later) == (at, found.register is not None and found.register.at > at)
    assert found.listed_in is not None
    assert settled(world, found, Choice.PUBLISHED) == at
    assert world.record(approval).ended_at == (at if cause is EndCause.SSC else None)
    require_agreed(world, approval, at)


@pytest.mark.parametrize("by", [-SECOND, SECOND], ids=["earlier", "later"])
def test_the_register_s_date_is_published_from_then_on_with_the_reason_of_before(world: World, by: timedelta) -> None:
    approval, at = revoked(world)
    move(by)(world)
    world.at(world.clock.now() + HOUR)
    found = the_difference(world)
    assert found.later is (by > timedelta(0))
    assert settled(world, found, Choice.REGISTER) == at + by
    require_agreed(world, approval, at + by)


def test_an_end_is_never_taken_back_and_nothing_is_settled_that_was_not_shown(world: World) -> None:
    revoked(world)
    forget(world)
    world.at(world.clock.now() + HOUR)
    found = the_difference(world)
    with pytest.raises(WrongState, match="without a date to choose"):
        settle(world.store, world.memory, found, Choice.REGISTER, world.clock.now(), "INC-7")
    shown = replace(found, register=found.published)
    with pytest.raises(WrongState, match="otherwise by now"):
        settle(world.store, world.memory, shown, Choice.PUBLISHED, world.clock.now(), "INC-7")
    assert the_difference(world) == found

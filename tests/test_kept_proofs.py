"""Answers of the past whose proof the store alone has are kept for a few instants, and mend nothing that changed."""

import gc
from datetime import datetime

import pytest

from api.status.exchange import Reply
from api.status.mirror import Mirror
from api.status.plane import Elsewhere
from api.status.quickly import PROVED
from core.clock import FixedClock
from core.deployed import Deployed
from core.instants import text
from core.loading import MANY, loading
from tests.status_world import HOUR, NOON, SECOND, World
from tests.test_finished import plane_of, verify


def test_what_the_store_was_asked_for_is_kept_for_that_instant_until_the_approval_changes() -> None:
    world, clock = World(), FixedClock(NOON)
    identifier = world.grant()
    world.presign(identifier, NOON - HOUR)
    plane, mirror = plane_of(world, clock)

    def told(at: datetime) -> Reply | Elsewhere:
        return plane.at_once(verify({"approval": identifier, "at": text(at)}))

    instants = [NOON - 2 * HOUR - number * SECOND for number in range(PROVED)]
    asked = [plane.from_store(verify({"approval": identifier, "at": text(at)})) for at in instants]
    assert [told(at) for at in instants] == asked
    # One that takes the first one's place; that one is asked for anew, and says its own instant.
    later = instants[0] - PROVED * SECOND
    assert told(later) is Elsewhere.STORE
    plane.from_store(verify({"approval": identifier, "at": text(later)}))
    assert isinstance(told(later), Reply)
    assert told(instants[0]) is Elsewhere.STORE
    world.presign(identifier, NOON - 3 * HOUR)
    mirror.follow()
    anew = [told(at) for at in instants[1:]]
    assert all(isinstance(each, Reply) for each in anew)
    assert not set(anew) & set(asked), "each has the new answer as its proof"


def test_much_that_was_read_is_set_aside_and_little_is_not() -> None:
    before = gc.get_freeze_count()
    try:
        with loading():
            few = [[each] for each in range(100)]
            assert not gc.isenabled()
        assert (gc.isenabled(), gc.get_freeze_count()) == (True, before)
        with loading():
            many = [[each] for each in range(MANY)]
        assert gc.isenabled()
        assert gc.get_freeze_count() >= before + len(few) + len(many)
    finally:
        gc.unfreeze()


def test_nothing_is_looked_through_while_units_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    world, looked = World(), list[bool]()
    world.grant()
    mirror = Mirror(world, FixedClock(NOON))
    mirror.follow()

    def deployed() -> dict[str, Deployed]:
        looked.append(gc.isenabled())
        return {}

    monkeypatch.setattr(world, "deployed", deployed)
    mirror.read_units()
    assert (looked, gc.isenabled()) == ([False], True)
    assert mirror.view().deployed is not None

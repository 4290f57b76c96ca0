"""What a turn of the authority does to many rows it does to a portion of them at once, and to none less than to one."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from core import boundaries
from core.approval import EndCause
from core.chain import GENESIS
from core.errors import NoSuchThing
from core.kinds import DecisionState
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.revocation import ProposeRevocation
from store.reading import approvals, journal
from store.verbs import sealing
from tests.cycle_world import device
from tests.world import World, csr_pem


@contextmanager
def commits() -> Iterator[Counter[str]]:
    """Count the commits of the block, by what they are for."""
    seen: Counter[str] = Counter()
    boundaries.observe(lambda name: seen.update([name.removeprefix("after commit ")]))
    try:
        yield seen
    finally:
        boundaries.observe(None)


def proposed(world: World, numbers: range, csr: bytes | None = None) -> list[str]:
    return [
        world.proposed(ProposeGrant(world.applied(device=device(each), csr=csr or csr_pem()), "It may be tried."))
        for each in numbers
    ]


def test_what_waits_is_drafted_and_issued_a_portion_in_a_transaction(world: World) -> None:
    waiting = proposed(world, range(1, 4))
    with commits() as seen:
        world.authority.settle()
    assert seen["draft"] == 1
    given = [world.seconded(each) for each in waiting]
    with commits() as seen:
        world.authority.settle()
    assert (seen["claim"], seen["record certificates"]) == (1, 1)
    assert all(len(world.record(each).certificates) == 1 for each in given)


def test_whose_key_was_taken_is_given_up_alone(world: World) -> None:
    csr = csr_pem()
    waiting = [*proposed(world, range(1, 3), csr), *proposed(world, range(3, 4))]
    world.authority.settle()
    *same, other = (world.decision_state(each) for each in waiting)
    assert sorted(same) == [DecisionState.DRAFTED, DecisionState.REJECTED]  # they are of one second
    assert other == DecisionState.DRAFTED
    assert not world.alarms()


def test_of_many_proposals_those_lapse_whose_approval_has_ended(world: World) -> None:
    ended, standing = world.granted(device=device(2)), world.granted(device=device(1))
    waiting = [world.proposed(ProposeRevocation(each, EndCause.SSC, reasons="It burns.")) for each in (ended, standing)]
    world.authority.settle()
    world.revoked(ended)
    world.authority.settle()
    assert [world.decision_state(each) for each in waiting] == [DecisionState.LAPSED, DecisionState.PROPOSED]


def test_a_fact_that_somebody_refused_meanwhile_leaves_none_sealed(world: World) -> None:
    world.authority.settle()
    world.applied()
    world.applied(device=device(2))
    with world.store.begin("refuse") as tx:
        waiting = journal.unsealed(tx, 10)
        assert sealing.refuse(tx, waiting[-1].row_id, why="by somebody else")
        number, _, _ = journal.last_sealed(tx)
        rows = [(each.row_id, number + place, GENESIS) for place, each in enumerate(waiting, start=1)]
        assert not sealing.seal(tx, rows, at=world.clock.now())
        assert journal.last_sealed(tx)[0] == number
        assert sealing.seal(tx, rows[:-1], at=world.clock.now())
        assert journal.last_sealed(tx)[0] == number + len(rows) - 1


def test_what_is_read_ahead_is_what_is_read_and_only_where_nothing_is_written(world: World) -> None:
    given = world.granted()
    with world.store.read() as tx:
        alone = approvals.record(tx, given)
        approvals.read_ahead(tx, [given, "TDT-2027-9999-9"])
        assert approvals.record(tx, given) == alone
        with pytest.raises(NoSuchThing):
            approvals.record(tx, "TDT-2027-9999-9")
    with world.store.begin("none") as tx, pytest.raises(ValueError, match="outdated"):
        approvals.read_ahead(tx, [given])

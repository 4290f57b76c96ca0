"""An authority that was there before officers signed for themselves: what it had decided counts as it did then."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.actors import AUTHORITY
from core.alarms import AlarmCode
from core.errors import WrongState
from core.facts import Fact, FactKind
from core.kinds import AuthorisedAct, RosterCause
from jobs import authority as working
from jobs.handed import People
from jobs.roster import roster_record, set_roster
from store import schema
from store.tables import journal
from store.transactions import Store
from store.verbs import facts
from tests.acting import member, sign_for
from tests.cycle_world import device
from tests.test_entering import people_of
from tests.world import OFFICER_1, OFFICER_2, OFFICER_3, World, hold_ceremony, memory_folder


@pytest.fixture
def older(empty_store_url: Callable[[str], str], keys_folder: Path) -> Iterator[World]:
    """A test authority whose memory holds no roster."""
    url = empty_store_url("sqlite")
    store = Store(url)
    schema.upgrade(store)
    hold_ceremony(store, keys_folder, memory_folder(url, keys_folder), roster=())
    store.close()
    world = World(url, keys_folder)
    yield world
    world.close()


def begin_roster(world: World) -> None:
    at = world.clock.now()
    record = roster_record([member("officer-1"), member("officer-2")], RosterCause.BEGUN, number=1, at=at)
    set_roster(world.store, world.memory, record, AUTHORITY, at)


def sealed_only(world: World, patch: pytest.MonkeyPatch) -> None:
    """Let the authority seal, and sign and state nothing that rests upon it."""
    with patch.context() as patched:
        for job in ("sign_seconded", "remember_ends"):
            patched.setattr(working, job, lambda _duty, _at: 0)
        world.authority.settle()


def issued(world: World, approval: str) -> bool:
    return bool(world.memory.issues(approval))


def test_what_was_sealed_before_there_was_a_roster_counts_as_it_did(
    older: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = older
    ended = world.granted(device=device(1))
    waiting = world.drafted(device=device(4))
    seconded = world.seconded(world.drafted(device=device(2)))
    world.revoked(ended)
    sealed_only(world, monkeypatch)
    assert not issued(world, seconded)
    begin_roster(world)
    world.authority.settle()
    assert issued(world, seconded)
    assert world.memory.end(world.memory.issues(ended)[0].serial) is not None
    assert {each.code for each in world.alarms()} == {AlarmCode.ROSTER_SMALL}  # two officers have begun it
    # What waited for the second officer is signed for by its proposer first.
    with pytest.raises(WrongState, match="not signed for by officer-1"):
        world.seconded(waiting)
    sign_for(world.desk, OFFICER_1, waiting)
    approval = world.seconded(waiting)
    world.authority.settle()
    assert issued(world, approval)
    assert len(world.memory.consumed(waiting, list(AuthorisedAct))) == 2


def test_what_was_not_sealed_when_the_roster_began_is_refused(older: World) -> None:
    """A roster is begun when the journal is sealed: nothing tells what waited from what somebody has written since."""
    world = older
    decision = world.drafted(device=device(2))
    approval = world.seconded(decision)
    begin_roster(world)
    world.authority.settle()
    assert not issued(world, approval)
    assert world.decision_state(decision) == "lapsed"
    assert AlarmCode.ACT_UNPROVED in {each.code for each in world.alarms()}
    with world.store.read() as tx:
        query = select(journal.c.kind, journal.c.refused).where(journal.c.refused.is_not(None))
        refused = {row.kind: row.refused.partition(":")[0] for row in tx.connection.execute(query)}
    assert refused == {FactKind.DECISION_SECONDED: "missing", FactKind.APPROVAL_GRANTED: "undecided"}


def test_who_proposed_before_there_was_a_roster_is_who_said_so_first(older: World) -> None:
    world = older
    decision = world.drafted()
    world.seconded(decision)
    with world.store.begin("pretend") as tx:
        facts.record(tx, Fact(FactKind.DECISION_PROPOSED, world.clock.now(), OFFICER_3, subject=decision))
    world.authority.settle()
    wanted = People(proposer=OFFICER_1.name, seconder=OFFICER_2.name)
    assert people_of(world)[decision] == wanted
    begin_roster(world)
    world.authority.settle()
    assert people_of(world)[decision] == wanted

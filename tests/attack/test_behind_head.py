"""Rows behind the last signed head: facts of acts that no operator did, and numbers that no sealer gave."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import insert, select

from core.actors import CONSOLE
from core.alarms import AlarmCode
from core.canonical import Json
from core.chain import SealedRow, link
from core.facts import Fact, FactKind
from core.instants import from_seconds, text
from core.kinds import HierarchyRole
from core.status import Revoked
from jobs.acts import ACTS, digest_of
from memory.records import Acceptance, Accepted
from store.reading import journal as reading
from store.reading.status import StatusReader
from store.tables import journal
from store.verbs import facts
from tests.attack.forging import Scene, turns
from tests.cycle_world import device
from tests.test_sealing_and_telling import problems
from tests.world import NOW, World

END_OF_TIME = from_seconds(253402300799)


def issuing_serial(scene: Scene) -> str:
    return scene.world.memory.hierarchy(HierarchyRole.ISSUING)[0].serial


def end_of(scene: Scene) -> Revoked:
    found = scene.world.memory.end(scene.ended_serial)
    assert found is not None
    return found


SAID: dict[FactKind, Callable[[Scene], dict[str, Json]]] = {
    FactKind.RESTORE_ACCEPTED: lambda _: {"sealed_before": 90, "restored_to": 9},
    FactKind.CLOCK_ACCEPTED: lambda _: {"before": text(NOW), "after": text(NOW)},
    FactKind.END_SETTLED: lambda _: {
        "serial": "5F3A",
        "published": text(NOW),
        "register": None,
        "settled": text(NOW),
    },
    FactKind.AUTHORITY_CERTIFICATE_ENDED: lambda scene: {"serial": issuing_serial(scene), "reason": 1},
    # What they say is so; but nobody has entered anything again.
    FactKind.CERTIFICATE_RESTORED: lambda scene: {"serial": scene.good_serial, "issue": 1, "source": "memory"},
    FactKind.END_RESTORED: lambda scene: {
        "serial": scene.ended_serial,
        "ended_at": text(end_of(scene).at),
        "reason": int(end_of(scene).reason),
        "source": "memory",
    },
    FactKind.LOG_BEGUN: lambda _: {"log": "elsewhere/log/1"},
}


def test_every_act_of_an_operator_is_tried() -> None:
    assert set(SAID) == set(ACTS)


def unsealed(world: World) -> list[str]:
    with world.store.read() as tx:
        return list(tx.connection.execute(select(journal.c.kind).where(journal.c.seal_number.is_(None))).scalars())


@pytest.mark.parametrize("kind", SAID)
def test_an_act_that_no_operator_did_is_not_sealed_and_holds_nothing_up(before: Scene, kind: FactKind) -> None:
    world = before.world
    with world.store.begin("pretend") as tx:
        facts.record(tx, *[Fact(kind, NOW, CONSOLE, subject=before.good, payload=SAID[kind](before))] * 2)
    world.revoked(before.good)
    turns(world)
    assert unsealed(world) == [kind, kind]
    assert world.memory.end(before.good_serial) is not None
    assert [each.subject for each in world.alarms()] == ["an operator's acts"]
    # A web process that stands before a register that went back finds no head over it.
    assert set(StatusReader(world.store).restores().values()) <= {0}


def test_what_an_operator_did_is_sealed_behind_any_number_of_pretended_acts(
    before: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = before.world
    monkeypatch.setattr("jobs.seal._MOST", 2)
    did = Fact(
        FactKind.CLOCK_ACCEPTED, NOW, CONSOLE, payload={"before": text(NOW), "after": text(NOW), "why": "It was."}
    )
    pretend = replace(did, payload=SAID[FactKind.CLOCK_ACCEPTED](before))
    with world.store.begin("pretend") as tx:
        facts.record(tx, *[pretend] * 5, did, *[pretend] * 2)
    said = {"wall": text(NOW)}
    accepted = Acceptance(what=Accepted.CLOCK, before=said, after=said, sentence="It was.", fact=digest_of(did))
    world.memory.remember([accepted], now=world.clock.now())
    turns(world)
    assert unsealed(world) == [FactKind.CLOCK_ACCEPTED] * 7


def row(number: int, sealed_at: datetime, kind: FactKind = FactKind.CRL_REFUSED) -> SealedRow:
    return SealedRow(
        number=number,
        sealed_at=text(sealed_at),
        kind=kind,
        at=text(NOW),
        actor="console",
        role=None,
        organisation=None,
        subject=None,
        payload="{}",
    )


NUMBERED: dict[str, Callable[[int], SealedRow]] = {
    "another link": lambda after: replace(row(after + 1, NOW), payload='{"linked":"otherwise"}'),
    "the year 9999": lambda after: row(after + 1, END_OF_TIME),
    "before the row before": lambda after: row(after + 1, from_seconds(0)),
    "a number left out": lambda after: row(after + 2, NOW),
    "the last number of all": lambda _: row(2**62, END_OF_TIME),
    "an act that no operator did": lambda after: row(after + 1, NOW, FactKind.RESTORE_ACCEPTED),
    "an entry that nobody made again": lambda after: row(after + 1, NOW, FactKind.CERTIFICATE_RESTORED),
    "an end that nobody made": lambda after: row(after + 1, NOW, FactKind.AUTHORITY_CERTIFICATE_ENDED),
}


@pytest.mark.parametrize("name", NUMBERED)
def test_a_number_that_no_sealer_gave_is_taken_back_and_sealing_goes_on(before: Scene, name: str) -> None:
    world = before.world
    head, forged = world.memory.head, NUMBERED[name](world.memory.head.number)
    digest = link(head.link, replace(forged, number=head.number + 1, payload="{}"))
    values = {"kind": forged.kind, "at": NOW, "actor": forged.actor, "payload": forged.payload, "approvals": ""}
    sealed = {"seal_number": forged.number, "link": digest, "sealed_at": datetime.fromisoformat(forged.sealed_at)}
    with world.store.begin("forge") as tx:
        tx.connection.execute(insert(journal).values(**values, **sealed))
    world.applied(device=device(7))
    turns(world)
    assert AlarmCode.JOURNAL_CHANGED in {each.code for each in world.alarms()}
    assert unsealed(world) == [forged.kind] * (forged.kind in ACTS)
    assert problems(world) == ()
    with world.store.read() as tx:
        assert reading.last_sealed(tx) == (world.memory.head.number, world.memory.head.link, text(NOW))
    assert world.memory.head.number > head.number


def test_a_row_that_is_as_we_would_have_sealed_it_stays(before: Scene) -> None:
    """It may be ours: we died before its head was signed."""
    world = before.world
    head = world.memory.head
    ours = row(head.number + 1, NOW)
    digest = link(head.link, ours)
    values = {"kind": ours.kind, "at": NOW, "actor": ours.actor, "payload": ours.payload, "approvals": ""}
    with world.store.begin("as we do") as tx:
        tx.connection.execute(insert(journal).values(**values, seal_number=ours.number, link=digest, sealed_at=NOW))
    turns(world, 2)
    assert world.memory.link_of(ours.number) == digest
    assert world.alarms() == ()

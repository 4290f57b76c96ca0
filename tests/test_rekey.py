"""A new key under the same approval, and drafts that somebody changed in the store."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from core.approval import EndCause
from core.errors import AlreadyEnded, DecisionLapsed, KeyTaken
from core.status import State, approval_status, certificate_status
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.rekey import ProposeRekey
from store.reading import requests
from store.tables import decisions, drafts, public_keys
from tests.cycle_world import device, key_pair, key_state, serials
from tests.world import World, csr_pem

START = datetime(2027, 1, 4, tzinfo=UTC)
WRONG = "00" * 32


# --- a new key ----------------------------------------------------------------------------------------------------


def rekey(world: World, approval: str, *, compromised: bool, **more: Any) -> str:
    command = ProposeRekey(approval, csr_pem(), compromised=compromised, reasons="A new key.", **more)
    decision = world.proposed(command)
    world.authority.settle()
    return decision


def test_a_replaced_certificate_ends_when_the_new_one_begins(world: World) -> None:
    approval = world.granted()
    world.at(datetime(2027, 2, 1, 15, 0, tzinfo=UTC))
    world.seconded(rekey(world, approval, compromised=False))
    world.authority.settle()
    record = world.record(approval)
    effective = datetime(2027, 2, 2, tzinfo=UTC)
    assert [each.not_before for each in record.certificates] == [START, effective]
    assert record.certificates[0].superseded_at == effective
    for at in (effective - timedelta(seconds=1), effective, effective + timedelta(seconds=1)):
        states = [certificate_status(record, each, at).state for each in record.certificates]
        assert states.count(State.ACTIVE) == 1, at


def test_a_compromised_key_ends_at_once_and_is_never_certified_again(world: World) -> None:
    key, sha256 = key_pair()
    approval = world.granted(csr=csr_pem(key))
    world.at(datetime(2027, 2, 1, 15, 0, tzinfo=UTC))
    world.seconded(rekey(world, approval, compromised=True))
    record = world.record(approval)
    assert approval_status(record, world.clock.now()).state is State.CANCELLED
    assert record.certificates[0].cause is EndCause.KEY_COMPROMISE
    assert key_state(world, sha256) == "compromised"
    world.authority.settle()
    record = world.record(approval)
    assert approval_status(record, datetime(2027, 2, 2, tzinfo=UTC)).state is State.ACTIVE
    with pytest.raises(KeyTaken):
        world.proposed(ProposeRekey(approval, csr_pem(key), compromised=False, reasons="The old one."))
    with pytest.raises(KeyTaken):
        world.applied(csr=csr_pem(key), device=device(2), start=date(2027, 2, 3))


def test_a_rekey_lapses_if_its_effective_instant_passes(world: World) -> None:
    approval = world.granted()
    decision = rekey(world, approval, compromised=False)
    world.at(START)
    with pytest.raises(DecisionLapsed):
        world.seconded(decision)
    assert [each.issue for each in world.record(approval).certificates] == [1]


def test_a_rekey_lapses_if_nobody_signs_it_before_its_effective_instant(world: World) -> None:
    approval = world.granted()
    decision = rekey(world, approval, compromised=False)
    world.seconded(decision)
    world.at(START)
    world.authority.settle()
    assert world.decision_state(decision) == "lapsed"
    assert world.record(approval).certificates[0].superseded_at is None
    # The issue is free again.
    world.seconded(rekey(world, approval, compromised=False))
    world.authority.settle()
    assert [each.issue for each in world.record(approval).certificates] == [1, 2]


def test_a_rekey_of_what_has_ended_is_refused_and_an_open_one_lapses(world: World) -> None:
    approval = world.granted()
    decision = rekey(world, approval, compromised=False)
    world.revoked(approval)
    with pytest.raises(DecisionLapsed):
        world.seconded(decision)
    with pytest.raises(AlreadyEnded):
        rekey(world, approval, compromised=False)


# --- bytes that somebody changed ----------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["tbs", "preview", "tbs_sha256"])
def test_nothing_is_signed_if_the_draft_was_changed_in_the_store(world: World, column: str) -> None:
    decision = world.drafted()
    approval = world.seconded(decision)
    with world.store.begin("tamper") as tx:
        row = tx.connection.execute(select(drafts)).one()
        changed = WRONG if column == "tbs_sha256" else bytes(row._mapping[column]).replace(b"AB01", b"AB02")
        assert changed != row._mapping[column]
        tx.connection.execute(update(drafts).values({column: changed}))
    world.authority.settle()
    assert serials(world) == []
    assert world.record(approval).certificates == ()
    assert world.decision_state(decision) == "lapsed"


@pytest.mark.parametrize("column", ["proposal", "public_key"])
def test_nothing_is_signed_if_the_decision_was_changed_in_the_store(world: World, column: str) -> None:
    decision = world.drafted()
    world.seconded(decision)
    with world.store.begin("tamper") as tx:
        row = tx.connection.execute(select(decisions).where(decisions.c.id == decision)).one()
        changed: str | bytes = row.proposal.replace(":500", ":501") if column == "proposal" else row.public_key[::-1]
        tx.connection.execute(update(decisions).where(decisions.c.id == decision).values({column: changed}))
    world.authority.settle()
    assert serials(world) == []


def test_a_proposal_that_the_lint_refuses_is_rejected_and_frees_its_key(world: World) -> None:
    # Somebody got past the rules by hand: a certificate that ends a second early.
    submitted = world.applied()
    decision = world.proposed(ProposeGrant(submitted, "Sound."))
    with world.store.begin("tamper") as tx:
        row = tx.connection.execute(select(decisions).where(decisions.c.id == decision)).one()
        changed = row.proposal.replace('"not_after":"2027-06-30T23:59:59Z"', '"not_after":"2027-06-30T23:59:58Z"')
        assert changed != row.proposal
        tx.connection.execute(update(decisions).where(decisions.c.id == decision).values(proposal=changed))
    world.authority.settle()
    assert world.decision_state(decision) == "rejected"
    with world.store.read() as tx:
        assert tx.connection.execute(select(public_keys)).all() == []
        assert requests.application(tx, submitted).state == "submitted"
        assert "not" in (requests.decision(tx, decision).outcome or "")

"""At the same moment: two people, two requests, two authorities; real threads, each with a store of its own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, select

from core import boundaries
from core.actors import Actor
from core.approval import Device, EndCause
from core.deployments import Form
from core.errors import AlreadyEnded, Conflict, LeaseLost, StoreUnavailable, TrialCpaError
from core.kinds import AuthorisedAct
from core.status import State, certificate_status
from jobs.authority import Authority
from jobs.duty import Duty
from jobs.pace import Pace
from jobs.recall import Copy
from officers.statement import Claim, Listed, list_digest
from ra.applying.apply import apply
from ra.applying.views import ApplicationTaken
from ra.bounds import Bounds
from ra.deciding.authorise import claim_of, sign_for
from ra.deciding.end import Revoke
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.propose import propose as unsigned
from ra.deciding.second import second as seconding_one
from ra.deciding.views import ApprovalRevoked, DecisionProposed, DecisionSeconded
from ra.desk import Desk
from ra.repeat import RequestKey, nth
from ra.reporting.record import record_deployments
from store.officers_tables import authorisations
from store.reading import requests
from store.tables import applications, certificates, drafts
from store.transactions import Store
from tests.acting import propose, reject, revoke, second, signed_for
from tests.channels_world import HASHES, Channels
from tests.cycle_world import device
from tests.deployments_world import csv_of, deployed
from tests.world import (
    DCC,
    DEVICE,
    MANUFACTURER,
    OFFICER_1,
    OFFICER_2,
    OFFICER_3,
    World,
    application,
    csr_pem,
    keyring,
    memory_of,
)

Act = Callable[[Desk], Any]


def at_once(world: World, *acts: Act) -> list[Any]:
    """What each act returned or raised; each in its own thread, on its own connections."""
    together = threading.Barrier(len(acts))
    told: list[Any] = [None] * len(acts)

    def run(place: int, act: Act) -> None:
        store = Store(world.url)
        desk = Desk(store, world.clock, world.desk.rules)
        with store.read() as tx:  # connected before the start
            tx.connection.execute(select(1))
        together.wait()
        try:
            told[place] = act(desk)
        except TrialCpaError as error:
            told[place] = error
        finally:
            store.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def require_one_winner(told: list[Any]) -> None:
    lost = [each for each in told if isinstance(each, TrialCpaError)]
    assert len(lost) == len(told) - 1, told
    # A conflict; or, where two rows had to wait for each other, "nothing was recorded, try again".
    assert all(isinstance(each, Conflict | StoreUnavailable) for each in lost), lost


def seconding(world: World, decision: str, actor: Actor) -> Act:
    with world.store.read() as tx:
        found = requests.decision(tx, decision)
        draft = requests.draft_of(tx, decision)
    return lambda desk: second(
        desk,
        actor,
        decision,
        proposal_sha256=found.proposal_sha256,
        tbs_sha256=draft.tbs_sha256 if draft else None,
    )


def count(world: World, table: Any) -> int:
    with world.store.read() as tx:
        return int(tx.connection.execute(select(func.count()).select_from(table)).scalar() or 0)


def test_two_officers_second_at_once_and_one_certificate_is_issued(world: World) -> None:
    decision = world.drafted()
    told = at_once(world, seconding(world, decision, OFFICER_2), seconding(world, decision, OFFICER_3))
    require_one_winner(told)
    world.authority.settle()
    assert count(world, certificates) == 1


def test_two_acts_at_once_under_one_statement_keep_it_once(world: World) -> None:
    decisions = [world.drafted(device=device(each)) for each in (1, 2)]
    with world.store.read() as tx:
        drafts_of = {each: requests.draft_of(tx, each) for each in decisions}
        proposals = {each: requests.decision(tx, each).proposal_sha256 for each in decisions}
    tbs = {each: draft.tbs_sha256 for each, draft in drafts_of.items() if draft is not None}
    members = [Listed(decision=each, proposal_sha256=proposals[each], tbs_sha256=(tbs[each],)) for each in decisions]
    claim = Claim(act=AuthorisedAct.SECOND, subject=list_digest(members))
    signed = signed_for(world.desk, OFFICER_2, claim, members)

    def seconds(decision: str) -> Act:
        proposal, drafted = proposals[decision], tbs[decision]
        return lambda desk: seconding_one(
            desk, OFFICER_2, decision, proposal_sha256=proposal, tbs_sha256=drafted, signed=signed
        )

    told = at_once(world, *(seconds(each) for each in decisions))
    assert [each for each in told if not isinstance(each, DecisionSeconded)] == []
    assert count(world, authorisations) == 2 + 1  # each proposal was signed for by itself


def test_one_officer_seconds_while_another_rejects(world: World) -> None:
    decision = world.drafted()
    told = at_once(
        world,
        seconding(world, decision, OFFICER_2),
        lambda desk: reject(desk, OFFICER_3, decision, why="Not yet."),
    )
    require_one_winner(told)
    world.authority.settle()
    seconded = not isinstance(told[0], TrialCpaError)
    assert world.decision_state(decision) == ("done" if seconded else "rejected")
    assert count(world, certificates) == seconded


def test_two_officers_revoke_at_once_and_the_first_end_stands(world: World) -> None:
    approval = world.granted()
    told = at_once(
        world,
        lambda desk: revoke(desk, OFFICER_1, Revoke(approval, EndCause.SSC, "It has to be.")),
        lambda desk: revoke(desk, OFFICER_2, Revoke(approval, EndCause.BREACH, "A condition.")),
    )
    require_one_winner(told)
    assert any(isinstance(each, AlreadyEnded) for each in told)
    (won,) = [each.cause for each in told if isinstance(each, ApprovalRevoked)]
    record = world.record(approval)
    assert record.end_cause is record.certificates[0].cause is won
    world.authority.settle()
    assert len(Channels(world).crl()) == 1


def test_two_officers_propose_for_one_application_at_once(world: World) -> None:
    submitted = world.applied()
    told = at_once(
        world,
        *(
            lambda desk, actor=actor: propose(desk, actor, ProposeGrant(submitted, "Sound."))
            for actor in (OFFICER_1, OFFICER_2)
        ),
    )
    require_one_winner(told)


def test_two_applicants_with_one_key_at_once_get_one_certificate(world: World) -> None:
    csr = csr_pem(ec.generate_private_key(ec.SECP256R1()))
    applied = at_once(
        world,
        *(
            lambda desk, month=month: apply(
                desk,
                MANUFACTURER,
                application(csr=csr, start=datetime(2027, month, 1).date(), expiry=datetime(2027, month, 20).date()),  # noqa: DTZ001 - days
            )
            for month in (2, 3)
        ),
    )
    decisions = at_once(
        world,
        *(lambda desk, one=one: propose(desk, OFFICER_1, ProposeGrant(one.application, "Sound.")) for one in applied),
    )
    proposed = [each.decision for each in decisions if isinstance(each, DecisionProposed)]
    world.authority.settle()
    drafted = [each for each in proposed if world.decision_state(each) == "drafted"]
    assert len(drafted) == 1
    world.seconded(drafted[0])
    world.authority.settle()
    assert count(world, certificates) == 1


def test_two_overlapping_grants_are_seconded_at_once_and_one_stands(world: World) -> None:
    decisions = [world.drafted(), world.drafted()]
    told = at_once(world, seconding(world, decisions[0], OFFICER_2), seconding(world, decisions[1], OFFICER_3))
    require_one_winner(told)
    world.authority.settle()
    assert count(world, certificates) == 1


def test_one_request_sent_twice_at_once_is_done_once(world: World) -> None:
    command, once = application(), RequestKey("the-same", "00" * 32)
    told = at_once(world, *(lambda desk: apply(desk, MANUFACTURER, command, once) for _ in range(2)))
    assert count(world, applications) == 1
    answered = [each for each in told if isinstance(each, ApplicationTaken)]
    assert answered
    assert answered[0] == apply(world.desk, MANUFACTURER, command, once) == answered[-1]


def other(number: int) -> Device:
    return replace(DEVICE, model=f"other {number}")


def test_the_same_request_several_times_at_once_is_told_the_same_each_time(world: World) -> None:
    """Nobody is told that something else was in its way: neither a state that it has changed, nor a bound."""
    approval, decision, submitted = world.granted(), world.drafted(device=other(1)), world.applied(device=other(2))
    command, key = application(device=other(3)), RequestKey("the-same", "00" * 32)
    bounded = replace(world.desk.rules, bounds=Bounds(open_applications=4, deployment_lines_per_day=1))
    with world.store.read() as tx:
        digests = {"proposal_sha256": requests.decision(tx, decision).proposal_sha256}
        draft = requests.draft_of(tx, decision)
    assert draft is not None
    body = csv_of([deployed(1, approval)])
    waiting = unsigned(world.desk, OFFICER_1, ProposeGrant(world.applied(device=other(4)), "Sound.")).decision
    with world.store.read() as tx:
        claim = claim_of(AuthorisedAct.PROPOSE, requests.decision(tx, waiting))
    signed, proposal = signed_for(world.desk, OFFICER_1, claim), str(claim.proposal_sha256)
    acts: tuple[Act, ...] = (
        lambda desk: apply(replace(desk, rules=bounded), MANUFACTURER, command, key),
        lambda desk: record_deployments(replace(desk, rules=bounded), DCC, Form.CSV, body, key),
        lambda desk: unsigned(desk, OFFICER_1, ProposeGrant(submitted, "Sound."), key),
        lambda desk: sign_for(desk, OFFICER_1, waiting, proposal_sha256=proposal, signed=signed, request=nth(key, 1)),
        lambda desk: second(desk, OFFICER_2, decision, **digests, tbs_sha256=draft.tbs_sha256, request=key),
        lambda desk: revoke(desk, OFFICER_3, Revoke(approval, EndCause.SSC, "It has to be."), key),
    )
    for act in acts:
        told = at_once(world, act, act, act)
        assert not isinstance(told[0], Exception), told
        assert told == [told[0]] * 3


def test_the_first_approvals_of_a_year_get_two_numbers(world: World) -> None:
    told = at_once(
        world,
        *(
            lambda desk, one=one: propose(desk, OFFICER_1, ProposeGrant(one, "Sound."))
            for one in (world.applied(), world.applied())
        ),
    )
    numbers = [each.approval for each in told if isinstance(each, DecisionProposed)]
    assert len(set(numbers)) == len(numbers) >= 1
    assert all(isinstance(each, DecisionProposed | Conflict | StoreUnavailable) for each in told)


# --- the authority against everybody else -------------------------------------------------------------------------


@contextmanager
def happening(at: str, act: Callable[[], object], behind: str = "") -> Iterator[list[str]]:
    """Do something once, at a named boundary of the authority's work: at the first, or the first behind another."""
    passed: list[str] = []
    acted: list[str] = []

    def observer(name: str) -> None:
        first = name == at and not acted and (not behind or behind in passed)
        passed.append(name)
        if first:
            acted.append(name)
            act()

    boundaries.observe(observer)
    try:
        yield passed
    finally:
        boundaries.observe(None)
    assert acted, passed


@pytest.mark.parametrize(
    "moment",
    ["after commit claim", "before signature", "after signature", "after commit record certificates"],
)
@pytest.mark.parametrize("cause", [EndCause.SSC, EndCause.BREACH])
def test_a_revocation_between_claim_and_record_is_not_lost(world: World, moment: str, cause: EndCause) -> None:
    approval = world.seconded(world.drafted())
    # The head over what the turn acts upon is signed before the claim: that is not the signature meant here.
    behind = "" if moment == "after commit claim" else "after commit claim"
    with happening(moment, lambda: world.revoked(approval, cause), behind):
        world.authority.settle()
    record = world.record(approval)
    (certificate,) = record.certificates
    assert certificate.revoked_at == record.ended_at
    assert certificate.cause is cause
    for at in (world.clock.now(), datetime(2027, 1, 4, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)):
        assert certificate_status(record, certificate, at).state is State.CANCELLED
    channels = Channels(world)
    assert list(channels.crl()) == [certificate.serial]
    for name in HASHES:
        assert channels.ocsp(certificate.serial, name).status == "revoked"


def test_a_rejection_while_the_draft_is_built_leaves_nothing_reserved(world: World) -> None:
    decision = world.proposed(ProposeGrant(world.applied(), "Sound."))
    with world.store.read() as tx:
        duty_sees = requests.decision(tx, decision)
    assert duty_sees.state == "proposed"
    stop = threading.Event()
    racing = threading.Thread(target=lambda: (stop.wait(0.001), reject(world.desk, OFFICER_2, decision, why="No.")))
    racing.start()
    world.authority.settle()
    racing.join()
    world.authority.settle()
    assert world.decision_state(decision) == "rejected"
    with world.store.read() as tx:
        assert set(tx.connection.execute(select(drafts.c.state)).scalars()) <= {"abandoned"}


def other_authority(world: World) -> Authority:
    return Authority(Store(world.url), world.clock, world.machine, keyring(world.folder), memory_of(world), Pace())


def test_two_authorities_at_once_sign_everything_once(world: World) -> None:
    decisions = [
        world.drafted(start=datetime(2027, month, 1).date(), expiry=datetime(2027, month, 20).date())  # noqa: DTZ001 - days
        for month in (2, 3, 4)
    ]
    for each in decisions:
        world.seconded(each)
    others = [other_authority(world) for _ in range(2)]
    threads = [threading.Thread(target=each.settle) for each in (world.authority, *others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.store.close()
    assert count(world, certificates) == len(decisions)
    assert {world.decision_state(each) for each in decisions} == {"done"}


def test_an_authority_that_lost_its_lease_commits_nothing(world: World) -> None:
    world.seconded(world.drafted())
    old = world.authority
    world.machine.advance(timedelta(hours=1))
    newer = other_authority(world)
    assert newer.turn() is not None
    late = Duty(
        store=world.store,
        keyring=old.keyring,
        pace=old.pace,
        clock=world.clock,
        machine=world.machine,
        holder=old.holder,
        epoch=1,
        memory=world.memory,
        copy=Copy(world.memory, whole=True),
    )
    with pytest.raises(LeaseLost), late.begin("late"):
        pytest.fail("it has no lease")
    newer.store.close()

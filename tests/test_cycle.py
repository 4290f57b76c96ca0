"""The cycle on both databases: apply, propose, draft, second, sign, publish; what is refused and what lapses."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from sqlalchemy import select

from core.errors import (
    DecisionLapsed,
    DeviceAlreadyApproved,
    DigestMismatch,
    IdempotencyKeyReused,
    KeyTaken,
    NoSuchThing,
    OperationNotPermitted,
    SamePerson,
    WrongState,
)
from core.facts import FactKind
from core.instants import last_second
from core.status import State, approval_status
from ra.applying.apply import apply, cancel_application
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.kinds.rekey import ProposeRekey
from ra.repeat import RequestKey
from ra.telling.approvals import certificate_of
from store.reading import requests
from store.tables import applications
from tests.acting import propose, reject, second
from tests.cycle_world import device, key_pair, key_state, kinds, serials
from tests.world import MANUFACTURER, OFFICER_1, OFFICER_2, RIVAL, World, application, csr_pem

DAY = timedelta(days=1)
START = datetime(2027, 1, 4, tzinfo=UTC)
WRONG = "00" * 32


def digests(world: World, decision: str) -> Any:
    with world.store.read() as tx:
        draft = requests.draft_of(tx, decision)
        found = requests.decision(tx, decision)
    return {"proposal_sha256": found.proposal_sha256, "tbs_sha256": draft.tbs_sha256 if draft else None}


def grant_of(world: World, **changes: Any) -> str:
    return world.proposed(ProposeGrant(world.applied(**changes), "It looks sound."))


# --- the whole cycle ----------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.21")
@pytest.mark.clause("F2.25")
def test_an_application_becomes_a_certificate(world: World) -> None:
    key, sha256 = key_pair()
    submitted = world.applied(csr=csr_pem(key))
    decision = world.proposed(ProposeGrant(submitted, "It looks sound."))
    assert world.decision_state(decision) == "proposed"
    world.authority.settle()
    assert world.decision_state(decision) == "drafted"
    assert key_state(world, sha256) == "reserved"
    assert serials(world) == []
    approval = world.seconded(decision)
    assert world.decision_state(decision) == "seconded"
    world.authority.settle()
    assert world.decision_state(decision) == "done"
    assert key_state(world, sha256) == "certified"

    fetched = certificate_of(world.desk, MANUFACTURER, approval)
    certificate = x509.load_der_x509_certificate(fetched.chain[0])
    assert certificate.not_valid_before_utc == START
    assert certificate.not_valid_after_utc == last_second(date(2027, 6, 30))
    assert certificate.public_key() == key.public_key()
    assert certificate.subject.get_attributes_for_oid(x509.NameOID.SERIAL_NUMBER)[0].value == approval
    for below, above in zip(fetched.chain, fetched.chain[1:], strict=False):
        issuer = x509.load_der_x509_certificate(above)
        x509.load_der_x509_certificate(below).verify_directly_issued_by(issuer)
    record = world.record(approval)
    assert record.certificates[0].fingerprint == hashlib.sha256(fetched.chain[0]).hexdigest()
    assert approval_status(record, START).state is State.ACTIVE


def test_every_step_is_in_the_journal_in_its_order(world: World) -> None:
    before = len(kinds(world))
    world.granted()
    told = [kind for kind in kinds(world)[before:] if kind != "crl-published"]
    assert told == [
        FactKind.APPLICATION_SUBMITTED,
        FactKind.DECISION_PROPOSED,
        FactKind.DECISION_AUTHORISED,
        FactKind.CERTIFICATE_DRAFTED,
        FactKind.DECISION_SECONDED,
        FactKind.APPROVAL_GRANTED,
        FactKind.SIGNATURE_INTENDED,
        FactKind.CERTIFICATE_ISSUED,
        FactKind.CPL_INSTRUCTED,
        FactKind.NOTICE_WRITTEN,
        FactKind.OCSP_ANSWERS_SIGNED,
    ]


def test_the_authority_does_each_step_once(world: World) -> None:
    approval = world.granted()
    there = kinds(world)
    world.authority.settle()
    world.authority.settle()
    assert kinds(world) == there
    assert len(world.record(approval).certificates) == 1


def test_n_applications_give_n_drafts_n_keys_and_n_certificates(world: World) -> None:
    grants = [grant_of(world, device=device(number + 1)) for number in range(7)]
    world.authority.settle()
    found = {digests(world, each)["tbs_sha256"] for each in grants}
    assert len(found) == 7
    assert None not in found
    approvals = {world.seconded(each) for each in grants}
    world.authority.settle()
    assert len(approvals) == len(set(serials(world))) == 7


@pytest.mark.clause("F2.24")
def test_a_refusal_ends_the_application_and_issues_nothing(world: World) -> None:
    submitted = world.applied()
    decision = world.proposed(ProposeRefusal(submitted, "No evidence."))
    world.authority.settle()
    world.seconded(decision)
    world.authority.settle()
    assert world.decision_state(decision) == "done"
    assert serials(world) == []
    with pytest.raises(WrongState):
        world.proposed(ProposeGrant(submitted, "After all."))


# --- who, and which bytes -----------------------------------------------------------------------------------------


def test_proposer_and_seconder_are_never_one_person(world: World) -> None:
    decision = world.drafted()
    with pytest.raises(SamePerson):
        second(world.desk, OFFICER_1, decision, **digests(world, decision))
    assert world.decision_state(decision) == "drafted"


@pytest.mark.parametrize("wrong", [{"proposal_sha256": WRONG}, {"tbs_sha256": WRONG}, {"tbs_sha256": None}])
def test_the_seconder_accepts_exactly_this_proposal_with_these_bytes(
    world: World, wrong: dict[str, str | None]
) -> None:
    decision = world.drafted()
    with pytest.raises(DigestMismatch):
        second(world.desk, OFFICER_2, decision, **{**digests(world, decision), **wrong})
    assert world.decision_state(decision) == "drafted"


def test_nothing_is_seconded_before_it_is_drafted(world: World) -> None:
    decision = grant_of(world)
    with pytest.raises(WrongState):
        second(world.desk, OFFICER_2, decision, **digests(world, decision))


def test_a_manufacturer_decides_nothing_and_sees_its_own_only(world: World) -> None:
    submitted = world.applied()
    decision = world.drafted(device=device(2))
    with pytest.raises(OperationNotPermitted):
        propose(world.desk, MANUFACTURER, ProposeGrant(submitted, "Please."))
    with pytest.raises(OperationNotPermitted):
        second(world.desk, MANUFACTURER, decision, **digests(world, decision))
    with pytest.raises(NoSuchThing):
        cancel_application(world.desk, RIVAL, submitted)


# --- the same request again ---------------------------------------------------------------------------------------


def test_the_same_request_twice_is_done_once_and_answered_alike(world: World) -> None:
    once = RequestKey("key-1", WRONG)
    command = application()
    first = apply(world.desk, MANUFACTURER, command, once)
    assert apply(world.desk, MANUFACTURER, command, once) == first
    with world.store.read() as tx:
        assert len(tx.connection.execute(select(applications)).all()) == 1
    with pytest.raises(IdempotencyKeyReused):
        apply(world.desk, MANUFACTURER, command, RequestKey("key-1", "11" * 32))
    # Another person's key of the same name is another key.
    assert apply(world.desk, RIVAL, application(), once).application != first.application


def test_each_act_remembers_its_outcome(world: World) -> None:
    proposed = propose(world.desk, OFFICER_1, ProposeGrant(world.applied(), "Sound."), RequestKey("p", WRONG))
    again = propose(world.desk, OFFICER_1, ProposeGrant("app-other", "Sound."), RequestKey("p", WRONG))
    assert again == proposed
    decision = proposed.decision
    world.authority.settle()
    said = digests(world, decision)
    request = RequestKey("s", WRONG)
    done = second(world.desk, OFFICER_2, decision, request=request, **said)
    world.authority.settle()
    assert second(world.desk, OFFICER_2, decision, request=request, **said) == done
    with pytest.raises(WrongState):
        second(world.desk, OFFICER_2, decision, **said)


# --- lapses -------------------------------------------------------------------------------------------------------


def test_a_grant_lapses_if_its_start_passes_before_it_is_seconded(world: World) -> None:
    key, sha256 = key_pair()
    submitted = world.applied(csr=csr_pem(key))
    decision = world.proposed(ProposeGrant(submitted, "Sound."))
    world.authority.settle()
    world.at(START + DAY)
    with pytest.raises(DecisionLapsed):
        world.seconded(decision)
    assert world.decision_state(decision) == "lapsed"
    assert key_state(world, sha256) is None
    # The application is there again, and can be granted with other dates.
    later = world.proposed(ProposeGrant(submitted, "Sound.", start=date(2027, 1, 6)))
    world.authority.settle()
    world.seconded(later)


def test_the_start_date_itself_is_early_enough(world: World) -> None:
    decision = world.drafted()
    world.at(START + DAY - timedelta(seconds=1))
    approval = world.seconded(decision)
    world.authority.settle()
    # Nothing is backdated in the journal: it says when it was signed.
    assert world.record(approval).certificates[0].signed_at == world.clock.now()


def test_the_authority_lets_what_has_passed_lapse_by_itself(world: World) -> None:
    decision = world.drafted()
    world.at(START + DAY)
    world.authority.settle()
    assert world.decision_state(decision) == "lapsed"


def test_nothing_is_signed_under_an_approval_that_has_ended(world: World) -> None:
    decision = world.drafted()
    approval = world.seconded(decision)
    world.revoked(approval)
    world.authority.settle()
    assert world.decision_state(decision) == "lapsed"
    assert serials(world) == []
    assert approval_status(world.record(approval), world.clock.now()).state is State.CANCELLED


# --- keys ---------------------------------------------------------------------------------------------------------


def test_a_key_that_is_certified_is_taken_also_for_its_own_approval(world: World) -> None:
    key, _ = key_pair()
    approval = world.granted(csr=csr_pem(key))
    with pytest.raises(KeyTaken):
        world.applied(csr=csr_pem(key), device=device(2))
    with pytest.raises(KeyTaken):
        world.proposed(ProposeRekey(approval, csr_pem(key), compromised=False, reasons="The same again."))


def test_of_two_applications_with_one_key_only_one_is_drafted(world: World) -> None:
    key, sha256 = key_pair()
    grants = [grant_of(world, csr=csr_pem(key), device=device(number + 1)) for number in range(2)]
    world.authority.settle()
    assert sorted(world.decision_state(each) for each in grants) == ["drafted", "rejected"]
    assert key_state(world, sha256) == "reserved"


def test_a_rejection_frees_the_key_and_the_application(world: World) -> None:
    key, sha256 = key_pair()
    submitted = world.applied(csr=csr_pem(key))
    decision = world.proposed(ProposeGrant(submitted, "Sound."))
    world.authority.settle()
    reject(world.desk, OFFICER_2, decision, why="Not yet.")
    assert key_state(world, sha256) is None
    cancel_application(world.desk, MANUFACTURER, submitted)
    assert world.granted(csr=csr_pem(key))
    with pytest.raises(WrongState):
        reject(world.desk, OFFICER_2, decision, why="Once more.")


def test_approval_numbers_are_never_used_twice(world: World) -> None:
    submitted = world.applied()
    seen = set()
    for _ in range(3):
        decision = world.proposed(ProposeGrant(submitted, "Sound."))
        with world.store.read() as tx:
            seen.add(requests.decision(tx, decision).approval)
        reject(world.desk, OFFICER_2, decision, why="Again.")
    assert len(seen) == 3


@pytest.mark.clause("F2.18")
def test_approvals_of_one_device_never_overlap(world: World) -> None:
    world.granted()
    same = world.applied(device=device(0, manufacturer="ab01"), start=date(2027, 6, 30), expiry=date(2027, 7, 30))
    with pytest.raises(DeviceAlreadyApproved):
        world.proposed(ProposeGrant(same, "Sound."))
    assert world.proposed(ProposeGrant(same, "Sound.", start=date(2027, 7, 1)))


def test_a_draft_whose_issuer_was_changed_is_withheld_and_the_others_are_signed(world: World) -> None:
    changed, other = world.drafted(), world.drafted(device=device(2))
    for decision in (changed, other):
        world.seconded(decision)
    with world.store.begin("tamper") as tx:
        tx.connection.exec_driver_sql(
            "UPDATE drafts SET issuer_serial = (SELECT serial FROM authority_certificates WHERE role = 'root') "
            f"WHERE decision_id = '{changed}'"
        )
    world.authority.settle()
    assert (world.decision_state(changed), world.decision_state(other)) == ("lapsed", "done")

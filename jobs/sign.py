"""sign: for each seconded decision, claim the draft, sign the stored bytes, record the certificate.

Two short transactions with the signature between them. If we die before the claim, nothing was signed; between claim
and record, the next turn signs the same bytes again, which gives the same certificate; after the record it is done.
A claimed draft is always finished, so a signature that the register does not know cannot exist.
"""

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeAlias

from ca.clearance import Clearance
from ca.draft import Draft
from ca.signing import sign_certificate
from core.actors import AUTHORITY
from core.alarms import AlarmCode
from core.approval import ApprovalRecord, CertificateRecord
from core.canonical import Json
from core.errors import DeviceAlreadyApproved, DraftContradicted, MemoryContradicted
from core.facts import Fact, FactKind
from core.identifiers import Serial
from core.kinds import DecisionState, DraftState, HierarchyRole
from core.mirror import AuthorityCertificate
from core.status import open_at
from jobs.draft import order_of
from jobs.duty import Duty
from jobs.evidence import Evidence, Lacking
from jobs.hierarchy import ours
from memory.records import WillSign
from policy.profile import clear_certificate
from ra.deciding import certified
from ra.deciding.lapse import lapse, passed
from ra.deciding.later_issue import keys_of
from ra.proposal import certified_terms, is_as_decided, issues_of
from store.reading import approvals as approval_reading
from store.reading import work
from store.rows import Decision, DraftRow
from store.transactions import Transaction
from store.verbs import approvals, decisions, drafts, facts

_log = logging.getLogger(__name__)

_JOB = "sign_seconded"

_Said: TypeAlias = tuple[Decision, Lacking | None, Mapping[str, bytes]]
"""A decision, what is lacking for it to be acted upon, and the public keys that it certifies."""

_Rows: TypeAlias = Sequence[DraftRow]
"""Every draft of one decision, in order of issue: all are signed and recorded, or none."""


@dataclass(frozen=True)
class _Ready:
    """A draft that may be signed: whose it is, who signs, and policy's word on exactly these bytes."""

    decision: Decision
    row: DraftRow
    draft: Draft
    issuer_der: bytes
    issuer_key_id: str
    clearance: Clearance


@dataclass(frozen=True)
class _Signed:
    ready: _Ready
    der: bytes


_Unit: TypeAlias = Sequence[_Ready]
"""Every draft of one decision."""


def sign_seconded(duty: Duty, at: datetime) -> int:
    """Sign one portion of what was seconded; return how many certificates were recorded.

    While issuing stands, what was claimed before stays claimed, too: it is signed, from the same bytes, when issuing
    goes on.
    """
    if duty.issuing_stands:
        return 0
    aside = duty.aside(_JOB)
    with duty.read() as tx:
        rows = work.drafts_to_sign(tx, duty.pace.portion, aside.passed_over(duty.noticed, at))
        issuers = {each.serial: each for each in ours(duty, tx, HierarchyRole.ISSUING)} if rows else {}
    said: dict[str, _Said] = {}
    for some in aside.together(duty.noticed, rows, _first, at, lambda some: _said(duty, some, at)):
        said |= some
    weighed = (
        aside.alone(duty.noticed, _first(each), at, partial(_weighed, duty, each, said[_first(each)], issuers, at))
        for each in rows
        if _first(each) in said
    )
    ready = [each for each in weighed if each]
    if not ready:
        return 0
    claimed: list[_Unit] = []
    for some_claimed in aside.together(duty.noticed, ready, _serial, at, lambda some: _claim(duty, some, at)):
        claimed += _remembered(duty, some_claimed, at)
    signing = (aside.alone(duty.noticed, _serial(each), at, partial(_sign_all, duty, each)) for each in claimed)
    signed = [each for each in signing if each is not None]
    return sum(
        aside.together(
            duty.noticed,
            signed,
            lambda each: _first([one.ready.row for one in each]),
            at,
            lambda some: _record(duty, some),
        )
    )


def _first(rows: _Rows) -> str:
    return rows[0].serial


def _serial(unit: _Unit) -> str:
    return unit[0].row.serial


def _weighed(
    duty: Duty, rows: _Rows, said: _Said, issuers: Mapping[Serial, AuthorityCertificate], at: datetime
) -> _Unit:
    """Return the drafts of a decision, all of which may be signed; nothing if one of them does not hold together."""
    decision, lacking, keys = said
    if not is_as_decided(decision):
        return _contradicted(duty, decision, rows, rows[0], "the proposal is not the one that was seconded", at)
    if tuple(each.issue for each in rows) != issues_of(decision) or len({each.state for each in rows}) > 1:
        return _contradicted(duty, decision, rows, rows[0], "its decision leads to other certificates than those", at)
    unit = []
    for row in rows:
        issuer = issuers.get(row.issuer_serial)
        judged = "its issuing CA is not known" if issuer is None else _judged(duty, decision, row, issuer.der, keys)
        if issuer is None or isinstance(judged, str):
            return _contradicted(duty, decision, rows, row, str(judged), at)
        draft, clearance = judged
        unit.append(
            _Ready(
                decision=decision,
                row=row,
                draft=draft,
                issuer_der=issuer.der,
                issuer_key_id=issuer.key_id,
                clearance=clearance,
            )
        )
    if lacking is not None:
        return _unproved(duty, decision, rows, lacking, at)
    for one in unit:
        contradiction = duty.memory.contradiction(_will_sign(one), at)
        if contradiction is not None:
            duty.notice(AlarmCode.REGISTER_CONTRADICTS, contradiction, subject=one.row.serial)
            return _withhold(duty, decision, rows, contradiction, at)
    return unit


def _contradicted(duty: Duty, decision: Decision, rows: _Rows, row: DraftRow, why: str, at: datetime) -> _Unit:
    told = f"Certificate {row.serial} is not signed: {why}."
    duty.notice(AlarmCode.REGISTER_CONTRADICTS, told, subject=row.serial)
    return _withhold(duty, decision, rows, why, at)


def _remembered(duty: Duty, claimed: list[_Unit], at: datetime) -> list[_Unit]:
    """Remember what is about to be signed, in one portion; return what may be.

    If we die behind it the drafts are claimed, and the same bytes are signed by the next turn: what was remembered
    counts, and other bytes for the same issue are refused.
    """
    try:
        duty.memory.remember([_will_sign(each) for unit in claimed for each in unit], now=at)
    except MemoryContradicted as error:
        if len(claimed) > 1:
            return [one for each in claimed for one in _remembered(duty, [each], at)]
        serial = _serial(claimed[0])
        duty.notice(AlarmCode.REGISTER_CONTRADICTS, str(error), subject=serial)
        duty.aside(_JOB).put(duty.noticed, serial, at, error.code)
        return []
    return claimed


def _will_sign(ready: _Ready) -> WillSign:
    row, said = ready.row, certified_terms(ready.decision, ready.row.issue)
    return WillSign(
        serial=row.serial,
        approval=row.approval,
        issue=row.issue,
        device=said.device.key,
        key_sha256=row.public_key_sha256,
        not_before=row.not_before,
        not_after=row.not_after,
        issuer=ready.issuer_key_id,
        tbs=row.tbs,
        decision=ready.decision.id,
        proposal_sha256=ready.decision.proposal_sha256,
    )


def _sign_all(duty: Duty, unit: _Unit) -> Sequence[_Signed]:
    """Sign every draft of a decision; what cannot be signed stays claimed and is tried again, with its others."""
    return [_sign(duty, each) for each in unit]


def _sign(duty: Duty, ready: _Ready) -> _Signed:
    signer = duty.keyring.issuing.get(ready.issuer_key_id)
    if signer is None:
        raise DraftContradicted(serial=ready.row.serial, detail="the key of its issuing CA is not at hand")
    return _Signed(ready, sign_certificate(ready.draft, ready.clearance, signer, ready.issuer_der))


def _said(duty: Duty, units: Sequence[_Rows], at: datetime) -> dict[str, _Said]:
    """Return, for decisions by the serial of their first draft, what is known of them.

    That is their rows, what the sealed facts lack for them to be acted upon, and the keys that they certify.
    """
    still = duty.memory.roster(at)
    with duty.read() as tx:
        evidence = Evidence(tx, duty.memory, duty.rules, [each[0].decision_id for each in units], still=still)
        decided = {_first(each): evidence.decisions[each[0].decision_id] for each in units}
        keys = {serial: keys_of(tx, each) if is_as_decided(each) else {} for serial, each in decided.items()}
    return {
        _first(each): (
            decided[_first(each)],
            None if _remembered_before(duty, each) else evidence.lacking(each[0].decision_id),
            keys[_first(each)],
        )
        for each in units
    }


def _remembered_before(duty: Duty, rows: _Rows) -> bool:
    """Return whether exactly these bytes were to be signed before: they were judged then, and are finished."""
    known = [duty.memory.certificate(each.serial) for each in rows]
    return all(
        one is not None and one.tbs_sha256 == hashlib.sha256(each.tbs).hexdigest()
        for one, each in zip(known, rows, strict=True)
    )


def _unproved(duty: Duty, decision: Decision, rows: _Rows, lacking: Lacking, at: datetime) -> _Unit:
    """Sign nothing that the sealed facts do not say; what is about to be sealed is looked at in the next turn."""
    if lacking.waits:
        return []
    duty.notice(
        AlarmCode.DECISION_UNPROVED,
        f"The register says that officers made decision {decision.id}, and the sealed facts do not: {lacking.why}. "
        f"Certificate {_first(rows)} is not signed.",
        subject=decision.id,
    )
    return _withhold(duty, decision, rows, lacking.why, at)


def _judged(
    duty: Duty, decision: Decision, row: DraftRow, issuer_der: bytes, keys: Mapping[str, bytes]
) -> tuple[Draft, Clearance] | str:
    """Compare the digests and lint the stored bytes once more; a sentence says what is wrong."""
    draft = Draft(row.serial, row.tbs, row.preview)
    # Digests stand in the order of the issues: one for each, and none for another's.
    seconded = dict(zip(issues_of(decision), decision.seconded_tbs, strict=False))
    agreed = len(seconded) == len(decision.seconded_tbs) and seconded.get(row.issue)
    if not draft.digest.hex() == row.tbs_sha256 == agreed:
        return "the bytes are not the ones that were seconded"
    said = certified_terms(decision, row.issue)
    key = keys.get(row.public_key_sha256)
    if key is None or row.public_key_sha256 != said.public_key_sha256:
        return "the public key is not the one that was reserved"
    decided = (said.approval, said.terms.issue, said.terms.effective, said.terms.expiry)
    if (row.approval, row.issue, row.not_before, row.not_after) != decided:
        return "the draft is for another approval, issue or time than was decided"
    order = order_of(decision, row.issue, row.serial, issuer_der, keys)
    cleared = clear_certificate(draft, order, duty.keyring.profile, stored=True)
    if isinstance(cleared, Clearance):
        return draft, cleared
    return "the lint found: " + " ".join(f"[{each.code}] {each.detail}" for each in cleared)


def _withhold(duty: Duty, decision: Decision, rows: _Rows, why: str, at: datetime) -> _Unit:
    """Sign nothing that does not hold together. A claimed draft stays, passed over, and its alarm: people must look."""
    wrong = DraftContradicted(serial=_first(rows), detail=why)
    if any(each.state != DraftState.DRAFTED for each in rows):
        raise wrong
    _log.error("%s", wrong)
    with duty.begin("withhold") as tx:
        lapse(tx, decision, why=why, actor=AUTHORITY, at=at)
    return []


def _claim(duty: Duty, ready: Sequence[_Unit], at: datetime) -> list[_Unit]:
    """Claim drafts, those of a decision together; one whose time has passed, or whose approval has ended, lapses."""
    claimed = []
    with duty.begin("claim") as tx:
        held = _held(tx, {each[0].row.approval for each in ready if each[0].row.state is not DraftState.CLAIMED})
        for unit in ready:
            first = unit[0]
            if first.row.state == DraftState.CLAIMED:
                claimed.append(unit)  # a signature may exist already: it is finished, whatever happened since
                continue
            # A second decision about the same approval sees what came of the first.
            approval = held.pop(first.row.approval, None) or approval_reading.record(tx, first.row.approval)
            why = _in_the_way(tx, approval, first, at)
            if why is not None:
                lapse(tx, first.decision, why=why, actor=AUTHORITY, at=at)
            elif _claimed(duty, tx, unit, at):
                claimed.append(unit)
                for each in unit:
                    intended: dict[str, Json] = {"serial": each.row.serial, "tbs_sha256": each.row.tbs_sha256}
                    facts.record(
                        tx,
                        Fact(
                            kind=FactKind.SIGNATURE_INTENDED,
                            at=at,
                            actor=AUTHORITY,
                            subject=each.row.approval,
                            payload=intended,
                        ),
                    )
    return claimed


def _held(tx: Transaction, approvals: Collection[str]) -> dict[str, ApprovalRecord]:
    """Hold the rows of approvals until the commit, and return them by identifier."""
    approval_reading.hold(tx, approvals)
    return {each.identifier: each for each in approval_reading.records(tx, approvals)}


def _claimed(duty: Duty, tx: Transaction, unit: _Unit, at: datetime) -> bool:
    """Claim every draft of a decision; return whether they were free."""
    free = {drafts.claim(tx, each.row.serial, epoch=duty.epoch, at=at) for each in unit}
    if len(free) > 1:
        raise DraftContradicted(serial=_serial(unit), detail="only some of its decision's drafts are claimed")
    return free == {True}


def _in_the_way(tx: Transaction, approval: ApprovalRecord, ready: _Ready, at: datetime) -> str | None:
    """Return why it may not be signed any more; None if it may, and then its dates are held."""
    if not open_at(approval, at):
        return f"approval {approval.identifier} ended before its certificate was signed"
    if ready.row.issue == 1:
        return None
    why = passed(tx, ready.decision, at)
    if why is None:
        try:
            certified.reserve(tx, ready.decision)
        except DeviceAlreadyApproved as error:
            return str(error)
    return why


def _record(duty: Duty, signed: Sequence[Sequence[_Signed]]) -> int:
    recorded = 0
    with duty.begin("record certificates") as tx:
        # Asked again: signatures take time, and a certificate is recorded at the instant at which it is, never before.
        at = duty.clock.now()
        # All approvals first: notices share a counter, and whoever ends an approval holds it before that counter.
        approval_reading.hold(tx, {each[0].ready.row.approval for each in signed})
        for unit in signed:
            for each in unit:
                _record_one(tx, each, at)
            _take_effect(tx, [each.ready for each in unit], at)
            recorded += len(unit)
    return recorded


def _record_one(tx: Transaction, signed: _Signed, at: datetime) -> None:
    row, decision = signed.ready.row, signed.ready.decision
    # It is held until the commit: a revocation either sees this certificate or is seen by it.
    approval = approval_reading.approval(tx, row.approval)
    ended = approval.ended_at is not None
    certificate = CertificateRecord(
        serial=row.serial,
        issue=row.issue,
        fingerprint=hashlib.sha256(signed.der).hexdigest(),
        not_before=row.not_before,
        not_after=row.not_after,
        signed_at=at,
        revoked_at=approval.ended_at if ended else None,
        cause=approval.end_cause if ended else None,
    )
    if row.issue > 1:
        approvals.add_terms(tx, row.approval, decision.id, certified_terms(decision, row.issue).terms)
    if not drafts.record_certificate(tx, row, certificate, signed.der):
        raise DraftContradicted(serial=row.serial, detail="it is not claimed any more")
    issued: dict[str, Json] = {"serial": row.serial, "issue": row.issue, "sha256": certificate.fingerprint}
    facts.record(
        tx,
        Fact(
            kind=FactKind.CERTIFICATE_ISSUED,
            at=at,
            actor=AUTHORITY,
            subject=row.approval,
            approvals=(row.approval,),
            payload=issued,
        ),
    )


def _take_effect(tx: Transaction, unit: _Unit, at: datetime) -> None:
    """Let what a decision's certificates say hold, each from its instant, and tell it: they are all recorded."""
    decision, approval = unit[0].decision, unit[0].row.approval
    for serial, by_issue in certified.take_effect(tx, decision, AUTHORITY, at).items():
        replaced: dict[str, Json] = {"serial": serial, "by_issue": by_issue}
        facts.record(
            tx,
            Fact(
                kind=FactKind.CERTIFICATE_SUPERSEDED,
                at=at,
                actor=AUTHORITY,
                subject=approval,
                approvals=(approval,),
                payload=replaced,
            ),
        )
    serials = [each.row.serial for each in unit]
    decisions.close(
        tx,
        decision.id,
        needed=[DecisionState.SECONDED],
        to=DecisionState.DONE,
        outcome=f"issued {', '.join(serials)}",
        at=at,
    )
    certified.tell(tx, decision, serials, AUTHORITY, at)

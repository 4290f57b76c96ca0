"""draft: for each proposal that issues certificates, the exact bytes to be signed, linted and stored.

If one of a decision's certificates cannot be drafted, none is. Nothing is signed here. What is built is stored in
portions. If we die before the commit, the next turn drafts again under other serials; after it, the drafts wait for
the second officer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ca.clearance import Clearance
from ca.draft import Draft
from ca.issuer import build
from ca.issuer.order import Order
from core.actors import AUTHORITY
from core.canonical import Json, canonical
from core.errors import DraftImpossible, Finding, KeyTaken
from core.facts import Fact, FactKind
from core.identifiers import Serial, new_serial
from core.kinds import DecisionState, DraftState
from jobs.duty import Duty
from jobs.hierarchy import issuing_cas
from policy.profile import clear_certificate
from ra.deciding.lapse import reject
from ra.deciding.later_issue import keys_of
from ra.findings import findings_json
from ra.issuing import IssuingCa
from ra.proposal import certified_terms, issues_of
from store.reading import requests
from store.rows import Decision, DraftRow
from store.verbs import decisions, drafts, facts


@dataclass(frozen=True)
class _Unit:
    """Every draft of one decision, in order of issue: all are stored, or none."""

    decision: Decision
    rows: Sequence[DraftRow]


def draft_proposals(duty: Duty, at: datetime) -> int:
    """Draft for every proposal that waits for it; return how many drafts were stored."""
    if duty.issuing_stands:
        return 0
    aside = duty.aside("draft_proposals")
    with duty.read() as tx:
        waiting = requests.decisions_to_draft(tx, but=aside.passed_over(duty.noticed, at))
        every = issuing_cas(duty, tx, at) if waiting else []
    if not every:
        return 0
    drafted = 0
    for first in range(0, len(waiting), duty.pace.portion):
        portion = waiting[first : first + duty.pace.portion]
        keys: dict[str, Mapping[str, bytes]] = {}
        for some in aside.together(duty.noticed, portion, _identifier, at, lambda some: _keys(duty, some)):
            keys |= some
        built = (
            aside.alone(duty.noticed, each.id, at, partial(_built, duty, each, keys[each.id], every, at))
            for each in portion
            if each.id in keys
        )
        drafted += sum(
            aside.together(
                duty.noticed,
                [each for each in built if each],
                lambda each: each.decision.id,
                at,
                lambda some: _kept(duty, some, at),
            )
        )
    return drafted


def chosen(duty: Duty, every: Sequence[IssuingCa], begins: datetime, ends: datetime, at: datetime) -> IssuingCa | None:
    """Return the issuing CA that a certificate is drafted under: the newest that issues at `at` and outlives it.

    Where none does, the newest: the lint says what is wrong with that, and the proposal is rejected with its words.

    Args:
        duty: whose keys are at hand.
        every: those that hold at `at`, oldest first; not empty.
        begins: the certificate's notBefore.
        ends: its notAfter.
        at: now.

    Returns:
        One whose key is at hand; None where it has to be waited for (jobs/authority.py tells of that).
    """
    fit = [each for each in every if at <= each.window_end and each.not_before <= begins and ends <= each.not_after]
    return next((each for each in reversed(fit or every) if each.key_id in duty.keyring.issuing), None)


def order_of(decision: Decision, issue: int, serial: Serial, issuer_der: bytes, keys: Mapping[str, bytes]) -> Order:
    """Return what a certificate of a decision will say; everything comes from the proposal but key and serial.

    Args:
        decision: the decision.
        issue: which of those that it leads to.
        serial: reserved for it.
        issuer_der: the issuing CA's certificate.
        keys: the public keys of the decision by their digests; one that is not among them is no key.
    """
    said = certified_terms(decision, issue)
    return Order(
        serial=serial,
        approval=said.approval,
        issue=said.terms.issue,
        certificate_name=said.certificate_name,
        device=said.device,
        firmware=said.terms.firmware,
        start=said.start,
        expiry=said.expiry,
        not_before=said.terms.effective,
        not_after=said.terms.expiry,
        maximum_devices=said.terms.maximum_devices,
        public_key=keys.get(said.public_key_sha256, b""),
        proposal_digest=bytes.fromhex(decision.proposal_sha256),
        issuer=issuer_der,
    )


def _identifier(decision: Decision) -> str:
    return decision.id


def _keys(duty: Duty, waiting: Sequence[Decision]) -> dict[str, Mapping[str, bytes]]:
    """Return the public keys that decisions certify, by their identifiers."""
    with duty.read() as tx:
        return {each.id: keys_of(tx, each) for each in waiting}


def _built(
    duty: Duty, decision: Decision, keys: Mapping[str, bytes], every: Sequence[IssuingCa], at: datetime
) -> _Unit | None:
    """Return every draft of a decision, linted; None where it waits for a key, or one cannot be made."""
    rows = []
    for issue in issues_of(decision):
        serial, terms = new_serial(), certified_terms(decision, issue).terms
        issuing = chosen(duty, every, terms.effective, terms.expiry, at)
        if issuing is None:
            return None
        order = order_of(decision, issue, serial, issuing.der, keys)
        try:
            draft = build.draft(duty.keyring.profile, order)
        except DraftImpossible as error:
            _give_up(duty, decision, str(error), at)
            return None
        cleared = clear_certificate(draft, order, duty.keyring.profile)
        if not isinstance(cleared, Clearance):
            _give_up(duty, decision, _told(cleared), at)
            return None
        rows.append(_row(decision, issue, draft, issuing, at))
    return _Unit(decision, rows)


def _row(decision: Decision, issue: int, draft: Draft, issuing: IssuingCa, at: datetime) -> DraftRow:
    said = certified_terms(decision, issue)
    return DraftRow(
        serial=draft.serial,
        decision_id=decision.id,
        approval=said.approval,
        issue=said.terms.issue,
        issuer_serial=issuing.serial,
        state=DraftState.DRAFTED,
        tbs=draft.tbs,
        tbs_sha256=draft.digest.hex(),
        preview=draft.preview,
        lint=canonical({"cleared": True, "findings": findings_json([])}).decode(),
        not_before=said.terms.effective,
        not_after=said.terms.expiry,
        public_key_sha256=said.public_key_sha256,
        drafted_at=at,
    )


def _kept(duty: Duty, units: Sequence[_Unit], at: datetime) -> int:
    """Store drafts of several decisions as a whole, or of one, which is given up if its key has been taken."""
    try:
        return _store(duty, units, at)
    except KeyTaken as error:
        if len(units) > 1:
            raise  # whose it was is found when each is stored alone
        _give_up(duty, units[0].decision, f"{error} {error.hint}", at)
        return 0


def _store(duty: Duty, units: Sequence[_Unit], at: datetime) -> int:
    stored = 0
    with duty.begin("draft") as tx:
        for unit in units:
            # Somebody may have rejected the proposal while we built: then nothing is reserved.
            if decisions.move(tx, unit.decision.id, needed=[DecisionState.PROPOSED], to=DecisionState.DRAFTED):
                stored += len(unit.rows)
                for row in unit.rows:
                    drafts.reserve_key(tx, row.public_key_sha256, approval=row.approval, at=at)
                    drafts.store_draft(tx, row)
                facts.record(tx, *(_drafted(row, at) for row in unit.rows))
    return stored


def _drafted(row: DraftRow, at: datetime) -> Fact:
    drafted: dict[str, Json] = {
        "serial": row.serial,
        "tbs_sha256": row.tbs_sha256,
        "decision": row.decision_id,
        "issue": row.issue,
    }
    return Fact(kind=FactKind.CERTIFICATE_DRAFTED, at=at, actor=AUTHORITY, subject=row.approval, payload=drafted)


def _give_up(duty: Duty, decision: Decision, why: str, at: datetime) -> None:
    with duty.begin("reject draft") as tx:
        reject(tx, decision, why=why, actor=AUTHORITY, statement=None, at=at)


def _told(findings: tuple[Finding, ...]) -> str:
    return "The certificate was not cleared: " + " ".join(f"[{each.code}] {each.detail}" for each in findings)

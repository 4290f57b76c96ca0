"""draft: for each proposal that issues certificates, the exact bytes to be signed, linted and stored.

If one of a decision's certificates cannot be drafted, none is. Nothing is signed here. If we die before the commit, the
next turn drafts again under other serials; after it, the drafts wait for the second officer.
"""

from collections.abc import Mapping, Sequence
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
    drafted = (aside.alone(duty.noticed, each.id, at, partial(_draft, duty, each, every, at)) for each in waiting)
    return sum(each or 0 for each in drafted)


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


def _draft(duty: Duty, decision: Decision, every: Sequence[IssuingCa], at: datetime) -> int:
    with duty.read() as tx:
        keys = keys_of(tx, decision)
    rows = []
    for issue in issues_of(decision):
        serial, terms = new_serial(), certified_terms(decision, issue).terms
        issuing = chosen(duty, every, terms.effective, terms.expiry, at)
        if issuing is None:
            return 0
        order = order_of(decision, issue, serial, issuing.der, keys)
        try:
            draft = build.draft(duty.keyring.profile, order)
        except DraftImpossible as error:
            return _give_up(duty, decision, str(error), at)
        cleared = clear_certificate(draft, order, duty.keyring.profile)
        if not isinstance(cleared, Clearance):
            return _give_up(duty, decision, _told(cleared), at)
        rows.append(_row(decision, issue, draft, issuing, at))
    try:
        return _store(duty, decision, rows, at)
    except KeyTaken as error:
        return _give_up(duty, decision, f"{error} {error.hint}", at)


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


def _store(duty: Duty, decision: Decision, rows: Sequence[DraftRow], at: datetime) -> int:
    with duty.begin("draft") as tx:
        # Somebody may have rejected the proposal while we built: then nothing is reserved.
        if not decisions.move(tx, decision.id, needed=[DecisionState.PROPOSED], to=DecisionState.DRAFTED):
            return 0
        for row in rows:
            drafts.reserve_key(tx, row.public_key_sha256, approval=row.approval, at=at)
            drafts.store_draft(tx, row)
            drafted: dict[str, Json] = {
                "serial": row.serial,
                "tbs_sha256": row.tbs_sha256,
                "decision": decision.id,
                "issue": row.issue,
            }
            facts.record(
                tx,
                Fact(kind=FactKind.CERTIFICATE_DRAFTED, at=at, actor=AUTHORITY, subject=row.approval, payload=drafted),
            )
    return len(rows)


def _give_up(duty: Duty, decision: Decision, why: str, at: datetime) -> int:
    with duty.begin("reject draft") as tx:
        reject(tx, decision, why=why, actor=AUTHORITY, statement=None, at=at)
    return 0


def _told(findings: tuple[Finding, ...]) -> str:
    return "The certificate was not cleared: " + " ".join(f"[{each.code}] {each.detail}" for each in findings)

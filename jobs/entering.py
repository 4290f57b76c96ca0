"""entering: a certificate that the register lost is entered again from its bytes, under its own number.

The certificate says approval, issue, device, firmware, dates and organisation; the memory says the decision and its
digest. What nobody can know any more (who decided, the application, conditions, notices) is marked in words, and
officers are asked to look within a day. The approval stands meanwhile: it was granted (F2.25).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from ca.certificates import issuer
from ca.draft import again
from ca.issuer.order import Order
from core.actors import CONSOLE
from core.approval import CertificateRecord, EndCause, RevocationReason, Terms
from core.canonical import Json, canonical
from core.errors import DeviceAlreadyApproved, NoSuchThing
from core.facts import Fact, FactKind
from core.identifiers import Environment, Serial
from core.instants import text
from core.kinds import ApplicationState, DecisionKind, DecisionState, DraftState
from core.mirror import AuthorityCertificate
from core.status import Revoked
from jobs.handed import People
from jobs.lost import LostCertificate, LostEnd, tbs_digest
from memory.records import WillSign
from ra.proposal import firmware_json
from store.reading import approvals as approval_reading
from store.reading import requests, work
from store.reading.restored import organisation_called, organisations_certified_as
from store.rows import Application, Approval, Decision, DraftRow, Organisation
from store.transactions import Transaction
from store.verbs import access, applications, approvals, decisions, drafts, facts, restored
from store.verbs.restored import RestoredCertificate

PROPOSER, SECONDER = "(not known any more)", "(nor who seconded)"
"""Who decided, where no fact that was kept says so; two names, as two people decided."""

_LOST = "Lost with the register, and entered again from the certificate."


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A certificate as it is entered.

    Args:
        lost: what the register lacks.
        der: the certificate, whole.
        order: what it says.
        above: the issuing CA.
        ended: how its approval ended: when, why, by whom; None if it stands.
        people: who decided, as far as a journal says.
        environment: of the authority.
    """

    lost: LostCertificate
    der: bytes
    order: Order
    above: AuthorityCertificate
    ended: tuple[datetime, EndCause, str] | None
    people: People
    environment: Environment


def approval_end(
    end: Revoked, approval: str, causes: Mapping[str, tuple[EndCause, str]]
) -> tuple[datetime, EndCause, str] | None:
    """Return how an approval ended with a certificate; None if the end was the certificate's alone.

    Args:
        end: of the certificate.
        approval: whose it is.
        causes: as sealed facts say them: a list does not tell a breach from another revocation.
    """
    if end.reason is RevocationReason.PRIVILEGE_WITHDRAWN:
        cause, by = causes.get(approval, (EndCause.SSC, PROPOSER))
        return end.at, cause if cause is EndCause.BREACH else EndCause.SSC, by
    if end.reason is RevocationReason.CESSATION_OF_OPERATION:
        return end.at, EndCause.MANUFACTURER, causes.get(approval, (EndCause.MANUFACTURER, PROPOSER))[1]
    return None


def enter(tx: Transaction, entry: Entry, at: datetime) -> Fact:
    """Enter a certificate, with its approval and decision where these are lost too; return what the journal says of it.

    Args:
        tx: open.
        entry: the certificate.
        at: now.

    Raises:
        DeviceAlreadyApproved: another approval of the device stands in the register, which cannot be.
        KeyTaken: its key is another approval's in the register.
    """
    record, order = entry.lost.record, entry.order
    unknown = []
    standing = approval_reading.find(tx, record.approval)
    decision = _decision(tx, record)
    if decision is None:
        unknown.append("who decided and why")
        decision = _decision_made_again(tx, entry, applied_for=standing is None, at=at)
        if decision.application_id is not None:
            unknown.append("what was applied for")
    else:
        outcome = f"issued {record.serial}; entered again after a restore"
        restored.decide(
            tx,
            decision.id,
            seconder=_not(entry.people.seconder or SECONDER, decision.proposer),
            tbs_sha256=tbs_digest(record),
            outcome=outcome,
            at=at,
        )
    if standing is None:
        unknown.append("conditions, notices and what the Panel was told")
        _enter_approval(tx, entry, decision, at)
    elif record.issue > max(each.issue for each in standing.terms):
        approvals.move_dates(tx, record.approval, start=order.start, expiry=order.expiry)
    if standing is None or record.issue not in {each.issue for each in standing.terms}:
        approvals.add_terms(tx, record.approval, decision.id, _terms(order))
    said = _enter_certificate(tx, entry, decision, at)
    restored.enter(
        tx,
        RestoredCertificate(
            serial=record.serial,
            decision_id=decision.id,
            restored_at=at,
            source=entry.lost.source,
            unknown="; ".join(unknown),
        ),
    )
    return said


def end_again(tx: Transaction, lost: LostEnd, causes: Mapping[str, tuple[EndCause, str]], at: datetime) -> Fact:
    """Let the register have an end again that was stated, of a certificate that it has; return what is said of it.

    Args:
        tx: open; holds the approval.
        lost: the end.
        causes: as sealed facts say them.
        at: now.
    """
    end, approval = lost.end, lost.approval
    claim = work.claim_of(tx, end.serial)
    assert claim is not None
    whole = approval_end(end, approval, causes)
    cause = whole[1] if whole else EndCause.KEY_COMPROMISE if end.reason is RevocationReason.KEY_COMPROMISE else None
    approvals.write_end(tx, end, fate=claim.fate, cause=cause, by_act=True, at=at)
    if whole is not None:
        ended_at, of_approval, by = whole
        restored.end_approval(tx, approval, cause=of_approval, by=by, at=ended_at)
    said: dict[str, Json] = {
        "serial": end.serial,
        "ended_at": text(end.at),
        "reason": int(end.reason),
        "cause": None if cause is None else cause.value,
        "source": lost.source,
    }
    fact = Fact(kind=FactKind.END_RESTORED, at=at, actor=CONSOLE, subject=approval, approvals=(approval,), payload=said)
    facts.record(tx, fact)
    return fact


# --- rows ------------------------------------------------------------------------------------------------------------


def _decision(tx: Transaction, record: WillSign) -> Decision | None:
    """Return the decision that a certificate follows from, if the register has it."""
    try:
        found = requests.decision(tx, record.decision)
    except NoSuchThing:
        return None
    same = (found.approval, found.issue, found.proposal_sha256)
    return found if same == (record.approval, record.issue, record.proposal_sha256) else None


def _decision_made_again(tx: Transaction, entry: Entry, *, applied_for: bool, at: datetime) -> Decision:
    """Write the decision as far as it is known; that of an approval that is lost too comes with an application."""
    record, order = entry.lost.record, entry.order
    organisation = _organisation(tx, entry, at)
    application = _application(tx, entry, organisation, at) if applied_for else None
    proposer = entry.people.proposer or PROPOSER
    proposal: dict[str, Json] = {
        "version": 2,
        "environment": entry.environment,
        "kind": (DecisionKind.GRANT if record.issue == 1 else DecisionKind.REKEY).value,
        "restored": True,
        "proposed_by": proposer,
        "proposed_at": text(at),
        "officers": 2,
        "application": application,
        "approval": record.approval,
        "issue": record.issue,
        "organisation": {
            "id": organisation,
            "name": order.certificate_name,
            "certificate_name": order.certificate_name,
        },
        "device": asdict(order.device),
        "firmware": firmware_json(order.firmware),
        "start": text(order.start),
        "expiry": text(order.expiry),
        "not_before": text(order.not_before),
        "not_after": text(order.not_after),
        "maximum_devices": order.maximum_devices,
        "public_key_sha256": record.key_sha256,
    }
    decision = Decision(
        id=record.decision or f"dec-restored-{record.serial}",
        kind=DecisionKind.GRANT if record.issue == 1 else DecisionKind.REKEY,
        # Written open, and done in the next statement: no decision is born done but an urgent one.
        state=DecisionState.DRAFTED,
        application_id=application,
        approval=record.approval,
        issue=record.issue,
        proposal=canonical(proposal).decode(),
        # The digest of what was decided, which the certificate carries; the words that it is of are lost.
        proposal_sha256=record.proposal_sha256,
        reasons=_LOST,
        reasons_salt=bytes(16),
        public_key=order.public_key,
        proposer=proposer,
        proposed_at=at,
    )
    decisions.propose(tx, decision)
    restored.decide(
        tx,
        decision.id,
        seconder=_not(entry.people.seconder or SECONDER, proposer),
        tbs_sha256=tbs_digest(record),
        outcome=f"issued {record.serial}; entered again after a restore",
        at=at,
    )
    return decision


def _not(name: str, other: str) -> str:
    """Return a name, or that it is not known where it would be the other's: two people decided."""
    return name if name != other else SECONDER


def _organisation(tx: Transaction, entry: Entry, at: datetime) -> str:
    """Return the organisation that the certificate names; where none of ours is called so, it is added."""
    name = entry.order.certificate_name
    found = organisations_certified_as(tx, name)
    if len(found) == 1:
        return found[0]
    called = f"{name} (restored)" if found else name
    known = organisation_called(tx, called)
    if known is not None:
        return known
    identifier = f"org-restored-{entry.lost.record.serial}"
    access.add_organisation(tx, Organisation(id=identifier, name=called, certificate_name=name), at=at)
    added: dict[str, Json] = {"name": called}
    facts.record(tx, Fact(kind=FactKind.ORGANISATION_ADDED, at=at, actor=CONSOLE, subject=identifier, payload=added))
    return identifier


def _application(tx: Transaction, entry: Entry, organisation: str, at: datetime) -> str:
    record, order = entry.lost.record, entry.order
    application = Application(
        id=f"app-restored-{record.serial}",
        organisation_id=organisation,
        state=ApplicationState.GRANTED,
        device=order.device,
        smets_version="",
        purpose=_LOST,
        start=order.start,
        expiry=order.expiry,
        maximum_devices=order.maximum_devices,
        firmware=order.firmware,
        csr=b"",
        public_key=order.public_key,
        public_key_sha256=record.key_sha256,
        findings="[]",
        submitted_at=at,
        submitted_by=PROPOSER,
    )
    applications.submit(tx, application)
    return application.id


def _enter_approval(tx: Transaction, entry: Entry, decision: Decision, at: datetime) -> None:
    record, order = entry.lost.record, entry.order
    application = decision.application_id or _application(tx, entry, _organisation(tx, entry, at), at)
    restored.grant_application(tx, application)
    other = approval_reading.overlapping(tx, order.device, start=order.start, expiry=order.expiry)
    if other is not None and entry.ended is None:
        raise DeviceAlreadyApproved(other=other)
    ended_at, cause, by = entry.ended or (None, None, None)
    restored.enter_approval(
        tx,
        Approval(
            identifier=record.approval,
            decision_id=decision.id,
            application_id=application,
            organisation_id=requests.application(tx, application).organisation_id,
            device=order.device,
            granted_at=min(at, order.start),
            start=order.start,
            expiry=order.expiry,
            ended_at=ended_at,
            end_cause=cause,
        ),
        ended_by=by,
    )


def _enter_certificate(tx: Transaction, entry: Entry, decision: Decision, at: datetime) -> Fact:
    record = entry.lost.record
    draft = DraftRow(
        serial=record.serial,
        decision_id=decision.id,
        approval=record.approval,
        issue=record.issue,
        issuer_serial=entry.above.serial,
        state=DraftState.CLAIMED,
        tbs=record.tbs,
        tbs_sha256=tbs_digest(record),
        preview=again(record.serial, record.tbs, issuer(entry.above.der).public_key).preview,
        lint=canonical({"cleared": True, "findings": []}).decode(),
        not_before=record.not_before,
        not_after=record.not_after,
        public_key_sha256=record.key_sha256,
        drafted_at=at,
    )
    restored.claim_draft(tx, draft, at=at)
    drafts.reserve_key(tx, record.key_sha256, approval=record.approval, at=at)
    certificate = CertificateRecord(
        serial=record.serial,
        issue=record.issue,
        fingerprint=hashlib.sha256(entry.der).hexdigest(),
        not_before=record.not_before,
        not_after=record.not_after,
        signed_at=min(at, record.not_before),
    )
    drafts.record_certificate(tx, draft, certificate, entry.der)
    said: dict[str, Json] = {
        "serial": record.serial,
        "issue": record.issue,
        "sha256": certificate.fingerprint,
        "source": entry.lost.source,
    }
    fact = Fact(
        kind=FactKind.CERTIFICATE_RESTORED,
        at=at,
        actor=CONSOLE,
        subject=record.approval,
        approvals=(record.approval,),
        payload=said,
    )
    facts.record(tx, fact)
    return fact


def supersede(tx: Transaction, record: WillSign, at: datetime) -> list[Serial]:
    """Let the issues before a certificate end with it, where nothing that was stated has ended them."""
    return approvals.supersede(tx, record.approval, by_issue=record.issue, at=max(record.not_before, at))


def _terms(order: Order) -> Terms:
    return Terms(
        issue=order.issue,
        effective=order.not_before,
        expiry=order.expiry,
        maximum_devices=order.maximum_devices,
        firmware=order.firmware,
    )

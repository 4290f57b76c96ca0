"""Facts: the rows of the one journal, which is audit trail, event stream and outbox at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.actors import Actor
from core.canonical import Json


class FactKind(StrEnum):
    """What happened. A kind never changes its meaning; withheld texts appear as salted digests only."""

    AUTHORITY_CREATED = "authority-created"
    LOG_BEGUN = "log-begun"
    CLOCK_ADVANCED = "clock-advanced"
    CLOCK_ACCEPTED = "clock-accepted"
    ORGANISATION_ADDED = "organisation-added"
    ACCESS_GRANTED = "access-granted"
    ACCESS_REVOKED = "access-revoked"
    AUTHORITY_CERTIFICATE_INTENDED = "authority-certificate-intended"
    AUTHORITY_CERTIFICATE_ISSUED = "authority-certificate-issued"
    APPLICATION_SUBMITTED = "application-submitted"
    APPLICATION_CANCELLED = "application-cancelled"
    DECISION_PROPOSED = "decision-proposed"
    DECISION_REJECTED = "decision-rejected"
    DECISION_LAPSED = "decision-lapsed"
    DECISION_SECONDED = "decision-seconded"
    CERTIFICATE_DRAFTED = "certificate-drafted"
    DRAFT_ABANDONED = "draft-abandoned"
    SIGNATURE_INTENDED = "signature-intended"
    APPROVAL_GRANTED = "approval-granted"
    APPLICATION_REFUSED = "application-refused"
    CERTIFICATE_ISSUED = "certificate-issued"
    CERTIFICATE_ACCEPTED = "certificate-accepted"
    CERTIFICATE_REJECTED = "certificate-rejected"
    CERTIFICATE_REVOKED = "certificate-revoked"
    CERTIFICATE_SUPERSEDED = "certificate-superseded"
    APPROVAL_REVOKED = "approval-revoked"
    APPROVAL_WITHDRAWN = "approval-withdrawn"
    APPROVAL_EXPIRED = "approval-expired"
    OCSP_ANSWERS_SIGNED = "ocsp-answers-signed"
    CRL_PUBLISHED = "crl-published"
    CRL_REFUSED = "crl-refused"
    RESTORE_ACCEPTED = "restore-accepted"
    APPLICATION_CHANGED = "application-changed"
    EVIDENCE_ATTACHED = "evidence-attached"
    REQUIREMENT_SET = "requirement-set"
    REQUIREMENT_MET = "requirement-met"
    REQUIREMENT_WAIVED = "requirement-waived"
    STANDING_REQUIREMENT_SET = "standing-requirement-set"
    STANDING_REQUIREMENT_ENDED = "standing-requirement-ended"
    DECISION_SUPPORTED = "decision-supported"
    DECISION_ACKNOWLEDGED = "decision-acknowledged"
    APPROVAL_AMENDED = "approval-amended"
    AMENDMENT_REQUESTED = "amendment-requested"
    AMENDMENT_REQUEST_WITHDRAWN = "amendment-request-withdrawn"
    AMENDMENT_REFUSED = "amendment-refused"
    BREACH_SUSPECTED = "breach-suspected"
    BREACH_CONFIRMED = "breach-confirmed"
    BREACH_DISMISSED = "breach-dismissed"
    BREACH_CLOSED = "breach-closed"
    NOTICE_WRITTEN = "notice-written"
    NOTICE_FETCHED = "notice-fetched"
    NOTICE_DELIVERED = "notice-delivered"
    NOTICE_UNDELIVERED = "notice-undelivered"
    DOCUMENT_RENDERED = "document-rendered"
    CPL_INSTRUCTED = "cpl-instructed"
    CPL_INSTRUCTION_SUPERSEDED = "cpl-instruction-superseded"
    CPL_ACKNOWLEDGED = "cpl-acknowledged"
    CPL_RECONCILED = "cpl-reconciled"
    NCSC_CERTIFIED = "ncsc-certified"
    ADDITION_JUDGED = "addition-judged"
    DEPLOYMENTS_RECORDED = "deployments-recorded"
    REPORT_REMARKED = "report-remarked"
    REPORT_ISSUED = "report-issued"
    REMINDER_SENT = "reminder-sent"
    END_SETTLED = "end-settled"
    DECISION_SEEN = "decision-seen"
    DECISION_DISOWNED = "decision-disowned"
    DECISION_MADE_ALONE = "decision-made-alone"
    DECISION_AUTHORISED = "decision-authorised"
    FACT_REFUSED = "fact-refused"
    ROSTER_SET = "roster-set"
    ROSTER_REFUSED = "roster-refused"
    ORDER_PROPOSED = "order-proposed"
    ORDER_AUTHORISED = "order-authorised"
    ORDER_LAPSED = "order-lapsed"
    ORDER_REFUSED = "order-refused"
    ISSUING_STOPPED = "issuing-stopped"
    ISSUING_STARTED = "issuing-started"
    AUTHORITY_CERTIFICATE_ENDED = "authority-certificate-ended"
    CERTIFICATE_RESTORED = "certificate-restored"
    END_RESTORED = "end-restored"
    LIMIT_KEPT = "limit-kept"
    REPORT_QUESTION_ASKED = "report-question-asked"
    REPORT_QUESTION_ENDED = "report-question-ended"
    REPORT_QUESTION_ANSWERED = "report-question-answered"
    DOSSIER_ASKED = "dossier-asked"
    DOSSIER_SIGNED = "dossier-signed"
    REVOCATIONS_CARRIED_OUT = "revocations-carried-out"
    REVOCATIONS_FINISHED = "revocations-finished"
    AMENDMENT_REQUEST_LAPSED = "amendment-request-lapsed"
    CONTACT_CHANGED = "contact-changed"
    END_REQUESTED = "end-requested"
    END_REQUEST_WITHDRAWN = "end-request-withdrawn"
    END_REQUEST_ANSWERED = "end-request-answered"
    END_REQUEST_LAPSED = "end-request-lapsed"
    CALENDAR_ADDRESS_MADE = "calendar-address-made"
    CALENDAR_ADDRESS_REVOKED = "calendar-address-revoked"
    PASSKEY_INVITED = "passkey-invited"
    PASSKEY_ENROLLED = "passkey-enrolled"
    SESSION_REVOKED = "session-revoked"
    SUSPICION_TOLD = "suspicion-told"
    SUSPICION_ANSWERED = "suspicion-answered"
    MEETING_CALLED = "meeting-called"
    MEETING_CANCELLED = "meeting-cancelled"
    ATTENDANCE_RECORDED = "attendance-recorded"
    ATTENDANCE_STRUCK = "attendance-struck"
    AGENDA_PLACED = "agenda-placed"
    AGENDA_TAKEN_OFF = "agenda-taken-off"
    AGENDA_MINUTED = "agenda-minuted"
    INTEREST_DECLARED = "interest-declared"
    INTEREST_WITHDRAWN = "interest-withdrawn"
    COMMENT_MADE = "comment-made"
    COMMENT_RETRACTED = "comment-retracted"


@dataclass(frozen=True)
class Fact:
    """One thing that happened, written in the transaction that made it true.

    Args:
        kind: what.
        at: when, by the authority's clock.
        actor: who.
        subject: the approval identifier, application or decision it is about; None if it is about the authority.
        approvals: the identifiers of the approvals whose status answers may be others now.
        payload: the facts, JSON.
    """

    kind: FactKind
    at: datetime
    actor: Actor
    subject: str | None = None
    approvals: tuple[str, ...] = ()
    payload: Mapping[str, Json] = field(default_factory=dict)

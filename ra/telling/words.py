"""What notices are called and how their parts are headed: words for people, by kind of notice."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.approval import EndCause
from core.kinds import DecisionKind, NoticeKind


@dataclass(frozen=True)
class NoticeForm:
    """One kind of notice.

    Args:
        kind: as the register keeps it.
        title: what people read first.
        clause: the paragraph that demands the notice.
        reasons_clause: the paragraph that demands its summary of reasons.
        reasons: the heading of that summary.
    """

    kind: NoticeKind
    title: str
    clause: str
    reasons_clause: str
    reasons: str


FORMS: Mapping[DecisionKind, NoticeForm] = {
    DecisionKind.GRANT: NoticeForm(
        kind=NoticeKind.GRANT,
        title="Trial Device Approval granted",
        clause="F2.21",
        reasons_clause="F2.21(b)",
        reasons="Why the approval is granted",
    ),
    DecisionKind.REFUSE: NoticeForm(
        kind=NoticeKind.REFUSAL,
        title="Application for a Trial Device Approval not approved",
        clause="F2.24",
        reasons_clause="F2.24",
        reasons="Why it is not approved",
    ),
    DecisionKind.AMEND: NoticeForm(
        kind=NoticeKind.AMENDMENT,
        title="Trial Device Approval amended",
        clause="F2.29",
        reasons_clause="F2.29",
        reasons="Why it is amended",
    ),
    DecisionKind.REFUSE_AMENDMENT: NoticeForm(
        kind=NoticeKind.AMENDMENT_REFUSAL,
        title="Amendment of a Trial Device Approval refused",
        clause="F2.29",
        reasons_clause="F2.29",
        reasons="Why it is refused",
    ),
    DecisionKind.REVOKE: NoticeForm(
        kind=NoticeKind.REVOCATION,
        title="Trial Device Approval revoked",
        clause="F2.30",
        reasons_clause="F2.30",
        reasons="Why it is revoked",
    ),
    DecisionKind.WITHDRAW: NoticeForm(
        kind=NoticeKind.WITHDRAWAL,
        title="Trial Device Approval ended at the Manufacturer's request",
        clause="F2.30",
        reasons_clause="F2.30",
        reasons="Why it is ended",
    ),
    DecisionKind.REKEY: NoticeForm(
        kind=NoticeKind.NEW_KEY,
        title="New Trial CPA Certificate under a new key",
        clause="F2.25",
        reasons_clause="F2.25",
        reasons="Why there is a new certificate",
    ),
}
"""By the kind of the decision."""

CANCELLATION = "cancellation"
"""How a document calls a revocation that leaves the approval."""

COMPROMISED = NoticeForm(
    kind=NoticeKind.REVOCATION,
    title="Trial CPA Certificate cancelled because its key is compromised",
    clause="F2.30",
    reasons_clause="F2.30",
    reasons="Why it is cancelled",
)
"""A revocation that leaves the approval and cancels its certificate, so that a new key can be certified."""

CAUSES: Mapping[EndCause, str] = {
    EndCause.SSC: "Decision of the Security Sub-Committee",
    EndCause.BREACH: "Breach of a condition (F2.23)",
    EndCause.KEY_COMPROMISE: "The private key of the certificate is compromised",
    EndCause.MANUFACTURER: "Request of the Manufacturer",
}

_HEADINGS = {"assessment": "Assessment", "description": "Description of the Trial Device"}


def heading(form: NoticeForm, subject: str) -> str:
    """Return the heading above a passage; only who may read the passage gets it.

    Args:
        form: the kind of notice.
        subject: what the passage is about.
    """
    if subject == "reasons":
        return form.reasons
    return _HEADINGS.get(subject, subject[:1].upper() + subject[1:])


def clause(form: NoticeForm, subject: str) -> str:
    """Return the paragraph that a passage answers to."""
    return "F2.21(a)" if subject == "description" and form.kind == NoticeKind.GRANT else form.reasons_clause

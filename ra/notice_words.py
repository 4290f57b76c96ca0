"""What notices are called and how their parts are headed: words for people, by kind of notice."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.approval import EndCause


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

    kind: str
    title: str
    clause: str
    reasons_clause: str
    reasons: str


FORMS: Mapping[str, NoticeForm] = {
    "grant": NoticeForm("grant", "Trial Device Approval granted", "F2.21", "F2.21(b)", "Why the approval is granted"),
    "refuse": NoticeForm(
        "refusal", "Application for a Trial Device Approval not approved", "F2.24", "F2.24", "Why it is not approved"
    ),
    "amend": NoticeForm("amendment", "Trial Device Approval amended", "F2.29", "F2.29", "Why it is amended"),
    "refuse-amendment": NoticeForm(
        "amendment-refusal", "Amendment of a Trial Device Approval refused", "F2.29", "F2.29", "Why it is refused"
    ),
    "revoke": NoticeForm("revocation", "Trial Device Approval revoked", "F2.30", "F2.30", "Why it is revoked"),
    "withdraw": NoticeForm(
        "withdrawal",
        "Trial Device Approval ended at the Manufacturer's request",
        "F2.30",
        "F2.30",
        "Why it is ended",
    ),
    "rekey": NoticeForm(
        "new-key", "New Trial CPA Certificate under a new key", "F2.25", "F2.25", "Why there is a new certificate"
    ),
}
"""By the kind of the decision."""

CANCELLATION = "cancellation"
"""How a document calls a revocation that leaves the approval."""

COMPROMISED = NoticeForm(
    "revocation",
    "Trial CPA Certificate cancelled because its key is compromised",
    "F2.30",
    "F2.30",
    "Why it is cancelled",
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
    return "F2.21(a)" if subject == "description" and form.kind == "grant" else form.reasons_clause

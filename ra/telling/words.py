"""What notices are called and how their parts are headed: words for people."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.approval import EndCause
from core.kinds import NoticeKind


@dataclass(frozen=True)
class NoticeForm:
    """How the notice of a kind of decision is called; each kind has its own (ra/deciding/kinds/).

    Args:
        kind: as the register keeps it.
        called: as its documents call it.
        title: what people read first.
        clause: the paragraph that demands the notice.
        reasons_clause: the paragraph that demands its summary of reasons.
        reasons: the heading of that summary.
        itemised: whether what it tells is demanded item by item, as F2.21(a) to (e) do of a grant.
        demanded: the subjects of what the Code has set out in it, in words.
    """

    kind: NoticeKind
    called: str
    title: str
    clause: str
    reasons_clause: str
    reasons: str
    itemised: bool = False
    demanded: tuple[str, ...] = ("reasons",)


CAUSES: Mapping[EndCause, str] = {
    EndCause.SSC: "Decision of the Security Sub-Committee",
    EndCause.BREACH: "Breach of a condition (F2.23)",
    EndCause.KEY_COMPROMISE: "The private key of the certificate is compromised",
    EndCause.MANUFACTURER: "Request of the Manufacturer",
    EndCause.CHANGE_WITHDRAWN: "The change that it was for is withdrawn",
}

_HEADINGS = {
    "assessment": "Assessment",
    "description": "Description of the Trial Device",
    "summary": "Summary of reasons",
}
_AS_CORRECTED = frozenset(_HEADINGS)
"""Subjects whose words, in a correction, take the place of others."""


def heading(form: NoticeForm, subject: str) -> str:
    """Return the heading above a passage; only who may read the passage gets it.

    Args:
        form: the kind of notice.
        subject: what the passage is about.
    """
    if subject == "reasons":
        return form.reasons
    named = _HEADINGS.get(subject, subject[:1].upper() + subject[1:])
    return f"{named}, as corrected" if form.kind is NoticeKind.CORRECTION and subject in _AS_CORRECTED else named


def clause(form: NoticeForm, subject: str) -> str:
    """Return the paragraph that a passage answers to."""
    return "F2.21(a)" if subject == "description" and form.itemised else form.reasons_clause

"""The journal's chain: each sealed row carries the digest of itself and of the row before it."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

from verify.kit.canonical import canonical

GENESIS = bytes(32)
"""What stands before row 1."""

DATED_AHEAD = timedelta(seconds=5)
"""A row may say that it happened so much later than it was sealed: the clocks of two machines differ."""


class FactKind(StrEnum):
    """The kinds of row that say something of a decision, of a certificate or of whose keys counted."""

    DECISION_PROPOSED = "decision-proposed"
    DECISION_AUTHORISED = "decision-authorised"
    DECISION_SUPPORTED = "decision-supported"
    DECISION_SECONDED = "decision-seconded"
    DECISION_MADE_ALONE = "decision-made-alone"
    DECISION_REJECTED = "decision-rejected"
    DECISION_LAPSED = "decision-lapsed"
    CERTIFICATE_DRAFTED = "certificate-drafted"
    SIGNATURE_INTENDED = "signature-intended"
    CERTIFICATE_ISSUED = "certificate-issued"
    CERTIFICATE_REVOKED = "certificate-revoked"
    APPROVAL_GRANTED = "approval-granted"
    APPROVAL_AMENDED = "approval-amended"
    APPROVAL_REVOKED = "approval-revoked"
    APPROVAL_WITHDRAWN = "approval-withdrawn"
    APPLICATION_REFUSED = "application-refused"
    AMENDMENT_REFUSED = "amendment-refused"
    ROSTER_SET = "roster-set"


class Row(Protocol):
    """A row as it is hashed; whatever has these will do."""

    @property
    def number(self) -> int:
        """1, 2, 3 … without gaps."""

    @property
    def sealed_at(self) -> str:
        """When it was sealed."""

    @property
    def kind(self) -> str:
        """What happened."""

    @property
    def at(self) -> str:
        """When."""

    @property
    def actor(self) -> str:
        """Who did it."""

    @property
    def role(self) -> str | None:
        """As what."""

    @property
    def organisation(self) -> str | None:
        """For whom."""

    @property
    def subject(self) -> str | None:
        """What it is about."""

    @property
    def payload(self) -> str:
        """Canonical JSON."""


@dataclass(frozen=True, kw_only=True)
class SealedRow:
    """A row that was read."""

    number: int
    sealed_at: str
    kind: str
    at: str
    actor: str
    role: str | None
    organisation: str | None
    subject: str | None
    payload: str


def said(row: Row) -> dict[str, Any]:
    """Return a row as JSON has it."""
    return {
        "number": row.number,
        "sealed_at": row.sealed_at,
        "kind": row.kind,
        "at": row.at,
        "actor": row.actor,
        "role": row.role,
        "organisation": row.organisation,
        "subject": row.subject,
        "payload": row.payload,
    }


def link(previous: bytes, row: Row) -> bytes:
    """Return the digest of a row behind that of the one before it."""
    return hashlib.sha256(previous + canonical(said(row))).digest()


def head_statement(journal: str, number: int, digest: bytes) -> bytes:
    """Return what the journal's key signs of a head.

    Args:
        journal: its name.
        number: of the last row that is covered.
        digest: its link.
    """
    return canonical({"journal": journal, "number": number, "digest": digest.hex()})


def journal_name(authority: str) -> str:
    """Return the name under which the heads of an authority are signed."""
    return f"{authority} Journal"

"""The journal's hash chain: each sealed row carries the digest of itself and the row before it.

Used by the sealer, and by whoever checks the journal without trusting us.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta

from core.canonical import Json, canonical

GENESIS = bytes(32)
"""The predecessor of row 1."""

SALT_OCTETS = 32
"""Of a row's salt: kind, officer, time and subject can be guessed, and without it a leaf would confirm a guess."""

DATED_AHEAD = timedelta(seconds=5)
"""A fact dated ahead of its sealer by more than this is sealed with the sealer's instant: clocks of machines that are
kept right differ by less, so whoever wrote it went by a wrong one, and the row shows it."""


@dataclass(frozen=True)
class SealedRow:
    """A journal row as it is hashed.

    Args:
        number: 1, 2, 3 … without gaps, in the order of sealing.
        sealed_at: when it was sealed, RFC 3339 text: never earlier than the row before it, nor than an `at` that
            is not DATED_AHEAD.
        kind, at, actor, role, organisation, subject: as journalled; `at` is RFC 3339 text.
        payload: canonical JSON text (RFC 8785).
    """

    number: int
    sealed_at: str
    kind: str
    at: str
    actor: str
    role: str | None
    organisation: str | None
    subject: str | None
    payload: str


def whole(row: SealedRow) -> bytes:
    """Return a row as it is hashed, in the canonical form: the private part of the log."""
    document: Json = {
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
    return canonical(document)


def link(previous: bytes, row: SealedRow) -> bytes:
    """Return the SHA-256 over the previous digest and the row, 32 octets."""
    return link_of(previous, whole(row))


def link_of(previous: bytes, octets: bytes) -> bytes:
    """Return the link of a row that is there as it is hashed."""
    return hashlib.sha256(previous + octets).digest()


def commitment(salt: bytes, octets: bytes) -> bytes:
    """Return what the public log says of a row that is there as it is hashed: nobody can guess it without the salt.

    Args:
        salt: SALT_OCTETS random octets, of this row alone.
        octets: as `whole` returns them.
    """
    return hashlib.sha256(salt + octets).digest()


def content_digest(row: SealedRow) -> str:
    """Return the SHA-256 (hex) of what a row says, wherever in the order it is sealed, or before it is."""
    return link(GENESIS, replace(row, number=0, sealed_at="")).hex()


def journal_name(authority: str) -> str:
    """Return the name that an authority's journal heads are signed under.

    Args:
        authority: its name.
    """
    return f"{authority} Journal"


def head_statement(authority: str, number: int, digest: bytes) -> bytes:
    """Return the bytes that the journal key signs for a head.

    Args:
        authority: the journal's name; begins with TEST in a test authority.
        number: of the last row covered.
        digest: that row's link.
    """
    return canonical({"journal": authority, "number": number, "digest": digest.hex()})


def log_statement(*, log: str, key: str, number: int, digest: bytes) -> bytes:
    """Return the bytes that the journal key signs, once, for a log that begins.

    Args:
        log: its origin.
        key: of its checkpoints, as verifiers take it.
        number: of the last row that was sealed before; 0 of a new authority.
        digest: that row's link.
    """
    return canonical({"log": log, "key": key, "number": number, "link": digest.hex()})

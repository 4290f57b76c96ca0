"""A record of the authority's own memory as it travels: between its file, the register and a successor."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class SealedRecord:
    """One record.

    Args:
        number: 1, 2, 3 … without gaps.
        kind: what it is about.
        at: the wall clock of the machine that wrote it.
        body: canonical JSON (RFC 8785).
        mac: HMAC-SHA-256 over the one before and all of the above, under a key that only the authority has.
    """

    number: int
    kind: str
    at: datetime
    body: bytes
    mac: bytes

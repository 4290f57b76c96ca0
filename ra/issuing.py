"""The issuing CA in use, as values: what dates it allows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.errors import HomeMissing
from core.identifiers import Serial
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate
from core.renewal import issuing_window_end
from store.reading.authority import certificates
from store.transactions import Transaction


@dataclass(frozen=True)
class IssuingCa:
    """The newest issuing CA.

    Args:
        serial: of its certificate.
        key_id: hex of its subject key identifier.
        der: its certificate.
        not_before, not_after: its validity.
        window_end: the last instant at which it issues.
    """

    serial: Serial
    key_id: str
    der: bytes
    not_before: datetime
    not_after: datetime
    window_end: datetime


def issuing_ca(tx: Transaction) -> IssuingCa:
    """Return the issuing CA in use; HomeMissing before the ceremony."""
    return newest_issuing(certificates(tx, HierarchyRole.ISSUING))


def newest_issuing(every: Sequence[AuthorityCertificate]) -> IssuingCa:
    """Return the newest of some issuing CAs, oldest first; HomeMissing where there is none."""
    if not every:
        raise HomeMissing(path="the store")
    newest = every[-1]
    return IssuingCa(
        serial=newest.serial,
        key_id=newest.key_id,
        der=newest.der,
        not_before=newest.not_before,
        not_after=newest.not_after,
        window_end=issuing_window_end(newest.not_before),
    )

"""Issuing: the issuing CA in use, what dates it allows, and whether anything is issued at all."""

from dataclasses import dataclass, replace
from datetime import datetime

from core.errors import HomeMissing, IssuingStopped, RegisterUnreadable
from core.identifiers import Serial
from core.instants import ONE_SECOND
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate
from core.renewal import issuing_window_end
from store.reading.authority import certificates, ends
from store.reading.watching import stops_issuing
from store.transactions import Transaction


@dataclass(frozen=True)
class IssuingCa:
    """An issuing CA.

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


def root_der(tx: Transaction) -> bytes:
    """Return the certificate of the root.

    Raises:
        RegisterUnreadable: no row says which it is.
    """
    roots = certificates(tx, HierarchyRole.ROOT)
    if not roots:
        raise RegisterUnreadable(what="hierarchy role")
    return roots[0].der


def issuing_ca(tx: Transaction) -> IssuingCa:
    """Return the issuing CA in use; HomeMissing before the ceremony."""
    every = certificates(tx, HierarchyRole.ISSUING)
    if not every:
        if certificates(tx):
            raise RegisterUnreadable(what="hierarchy role")
        raise HomeMissing(path="the store")
    ended = {each.serial: each.at for each in ends(tx)}
    newest = next((each for each in reversed(every) if each.serial not in ended), None)
    if newest is not None:
        return as_issuing(newest)
    # Every one was ended before its time: nothing is issued until there is another.
    last = as_issuing(every[-1])
    return replace(last, window_end=min(last.window_end, ended[last.serial] - ONE_SECOND))


def as_issuing(certificate: AuthorityCertificate) -> IssuingCa:
    """Return what an issuing CA's certificate says of it."""
    return IssuingCa(
        serial=certificate.serial,
        key_id=certificate.key_id,
        der=certificate.der,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        window_end=issuing_window_end(certificate.not_before),
    )


def stopped_by(tx: Transaction) -> str | None:
    """Return the order by which issuing stands, as the authority has told; None while it goes on."""
    found = stops_issuing(tx)
    return None if found is None else found.subject


def require_issuing(tx: Transaction) -> None:
    """Raise IssuingStopped while issuing stands; the authority signs nothing then, whatever is recorded."""
    found = stops_issuing(tx)
    if found is not None:
        raise IssuingStopped(detail=found.sentence)

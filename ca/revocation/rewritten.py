"""A CRL written a second time, in the one form that the profile allows, from what another library read of it.

A reader forgives what it does not look for: an extension that is critical and must not be, a date of the wrong kind, an
empty list that stands there, bits that a signature does not use. Written again from its values and compared octet by
octet, a list has no room for any of it, however long it is. The values of extensions are encoded by `cryptography`.
"""

from datetime import datetime
from functools import lru_cache

from cryptography import x509

from ca import der as write
from ca.certificates import issuer
from ca.revocation.crl import AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER, EXPIRED_CERTS_ON_CRL, CrlOrder
from core.approval import RevocationReason

_FLAGS = {
    RevocationReason.KEY_COMPROMISE: x509.ReasonFlags.key_compromise,
    RevocationReason.SUPERSEDED: x509.ReasonFlags.superseded,
    RevocationReason.CESSATION_OF_OPERATION: x509.ReasonFlags.cessation_of_operation,
    RevocationReason.PRIVILEGE_WITHDRAWN: x509.ReasonFlags.privilege_withdrawn,
}

_KNOWN = 4_096


def around(order: CrlOrder, size: int, signature: bytes) -> tuple[bytes, bytes]:
    """Return what stands before and behind the entries in the one list that an order allows.

    Args:
        order: what the list says; its entries are not looked at.
        size: octets of the entries.
        signature: over it.
    """
    above = issuer(order.issuer_der)
    extensions = [
        write.extension(
            AUTHORITY_KEY_IDENTIFIER, x509.AuthorityKeyIdentifier(above.key_identifier, None, None).public_bytes()
        ),
        write.extension(CRL_NUMBER, x509.CRLNumber(order.number).public_bytes()),
    ]
    if order.expired_certs_on_crl is not None:
        extensions.append(write.extension(EXPIRED_CERTS_ON_CRL, write.generalized_time(order.expired_certs_on_crl)))
    begins = b"".join(
        (
            write.integer(1),
            write.ECDSA_WITH_SHA256,
            above.name,
            write.time(order.this_update),
            write.time(order.next_update),
            write.header(0x30, size) if size else b"",
        )
    )
    ends = write.explicit(0, write.sequence(*extensions))
    tbs = write.header(0x30, len(begins) + size + len(ends)) + begins
    signed = ends + write.ECDSA_WITH_SHA256 + write.bit_string(signature)
    return write.header(0x30, len(tbs) + size + len(signed)) + tbs, signed


def entry(serial: int, at: datetime, reason: RevocationReason, invalidity_date: datetime | None) -> bytes:
    """Write one entry: serial number, date, reason and, where known, invalidityDate; none of them critical."""
    return write.sequence(write.integer(serial), behind(at, reason, invalidity_date))


@lru_cache(maxsize=_KNOWN)
def behind(at: datetime, reason: RevocationReason, invalidity_date: datetime | None) -> bytes:
    """Write what stands behind the serial number: the same for all that end together."""
    dated = b"" if invalidity_date is None else _extension(x509.InvalidityDate(invalidity_date))
    return write.time(at) + (write.sequence(_reason(reason), dated) if dated else _alone(reason))


@lru_cache(maxsize=len(_FLAGS))
def _reason(reason: RevocationReason) -> bytes:
    return _extension(x509.CRLReason(_FLAGS[reason]))


@lru_cache(maxsize=len(_FLAGS))
def _alone(reason: RevocationReason) -> bytes:
    return write.sequence(_reason(reason))


def _extension(value: x509.CRLReason | x509.InvalidityDate) -> bytes:
    return write.extension(value.oid.dotted_string, value.public_bytes())

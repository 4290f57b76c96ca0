"""CRLs: version 2, full, one per CA (RFC 5280, 5), and so without issuingDistributionPoint (5.2.5).

The list is written entry by entry as DER, because a builder of objects needs minutes and gigabytes for a long one.
What was written is read back by ca/revocation/gate.py with another library before anybody sees it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from ca import der as write
from ca.certificates import issuer
from ca.clearance import Clearance, ClearanceKind
from ca.signing import cleared, holds_key, verified_signature
from core.approval import RevocationReason
from core.errors import IssuerMismatch
from core.identifiers import Serial, serial_number
from core.status import Revoked
from keys.signer import Signer, throwaway

AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
CRL_NUMBER = "2.5.29.20"
EXPIRED_CERTS_ON_CRL = "2.5.29.60"
"""X.509 (2019), 9.5.2.6: the list keeps certificates that expired since the date it names. Not critical."""

CRL_REASON = "2.5.29.21"
INVALIDITY_DATE = "2.5.29.24"

_VERSION_2 = write.integer(1)
_SIXTEEN_OCTETS = b"\x02\x10"
_CHUNK = 4096


@dataclass(frozen=True)
class CrlOrder:
    """What a CRL says.

    Args:
        issuer_der: the CA's certificate, DER.
        number: CRLNumber, higher than every one before it.
        this_update, next_update: its validity, aware UTC whole seconds.
        expired_certs_on_crl: the CA's notBefore; None for the root's list.
        entries: in order of their serials, each once; read once and not kept.
    """

    issuer_der: bytes
    number: int
    this_update: datetime
    next_update: datetime
    expired_certs_on_crl: datetime | None
    entries: Iterable[Revoked]


@dataclass(frozen=True)
class CrlDraft:
    """A CRL that has everything but its signature.

    Args:
        number: its CRLNumber.
        entries: how many it lists.
        tbs: TBSCertList, DER.
        issuer_key: SubjectPublicKeyInfo of the CA, DER: what the preview's throwaway key is like.
        issuer_name: the CA's subject, DER.
    """

    number: int
    entries: int
    tbs: bytes
    issuer_key: bytes
    issuer_name: bytes

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the to-be-signed bytes, 32 octets."""
        return hashlib.sha256(self.tbs).digest()

    @property
    def preview(self) -> bytes:
        """A whole CRL, DER: the same bytes under a throwaway key. Made when asked for: long lists are not linted so."""
        return write.signed(self.tbs, throwaway(self.issuer_key).sign(self.tbs))


def tbs_sha256(der: bytes) -> str:
    """Return the SHA-256 (hex) of the to-be-signed bytes of a CRL; empty if it is none."""
    try:
        return hashlib.sha256(x509.load_der_x509_crl(der).tbs_certlist_bytes).hexdigest()
    except ValueError:
        return ""


def is_as_signed(der: bytes, digest: str, issuer_der: bytes) -> bool:
    """Return whether the bytes of a CRL are those that its CA signed.

    Args:
        der: of the CRL.
        digest: SHA-256 of its to-be-signed bytes, hex.
        issuer_der: the CA's certificate.
    """
    try:
        read = x509.load_der_x509_crl(der)
        same = hashlib.sha256(read.tbs_certlist_bytes).hexdigest() == digest
        key = issuer(issuer_der).parsed.public_key()
        return same and isinstance(key, ec.EllipticCurvePublicKey) and read.is_signature_valid(key)
    except ValueError:
        return False


def draft(order: CrlOrder) -> CrlDraft:
    """Return the exact bytes of a CRL (RFC 5280, 5.1).

    Args:
        order: what it says.
    """
    above = issuer(order.issuer_der)
    entries, count = _entries(order.entries)
    tbs = write.sequence(
        _VERSION_2,
        write.ECDSA_WITH_SHA256,
        above.name,
        write.time(order.this_update),
        write.time(order.next_update),
        # An empty list is left out altogether (RFC 5280, 5.1.2.6).
        write.sequence(entries) if count else b"",
        write.explicit(0, write.sequence(*_extensions(order, above.key_identifier))),
    )
    return CrlDraft(number=order.number, entries=count, tbs=tbs, issuer_key=above.public_key, issuer_name=above.name)


def sign(crl: CrlDraft, clearance: Clearance, signer: Signer, issuer_der: bytes) -> bytes:
    """Return the CRL, DER, signed by its CA.

    Args:
        crl: what to sign.
        clearance: policy's word on exactly these bytes.
        signer: holds the CA's private key.
        issuer_der: the CA's certificate, DER.

    Raises:
        NotCleared: policy did not see these bytes.
        IssuerMismatch: the list is another CA's, or the key is.
        SignatureWrong: the signature does not verify.
    """
    label = f"CRL number {crl.number}"
    cleared(clearance, ClearanceKind.CRL, crl.digest, label)
    above = issuer(issuer_der)
    if (crl.issuer_name, crl.issuer_key) != (above.name, above.public_key):
        raise IssuerMismatch(serial=label, detail="it is the list of another CA")
    holds_key(signer, above.public_key, label)
    return write.signed(crl.tbs, verified_signature(signer, crl.tbs, label))


def _extensions(order: CrlOrder, key_identifier: bytes) -> Iterator[bytes]:
    yield write.extension(AUTHORITY_KEY_IDENTIFIER, write.sequence(write.tlv(0x80, key_identifier)))
    yield write.extension(CRL_NUMBER, write.integer(order.number))
    if order.expired_certs_on_crl is not None:
        # Critical, and OpenSSL would refuse the whole list.
        yield write.extension(EXPIRED_CERTS_ON_CRL, write.generalized_time(order.expired_certs_on_crl))


def _reason(reason: RevocationReason) -> bytes:
    return write.extension(CRL_REASON, write.tlv(0x0A, bytes((reason,))))


_REASONS = {reason: _reason(reason) for reason in RevocationReason}
_ONLY_REASON = {reason: write.sequence(der) for reason, der in _REASONS.items()}


def _entries(revoked: Iterable[Revoked]) -> tuple[bytes, int]:
    """Return the concatenated entries and their number, never holding more than a few of them as objects."""
    written, chunk, count = bytearray(), [], 0
    for entry in revoked:
        chunk.append(_entry(entry))
        count += 1
        if len(chunk) == _CHUNK:
            written += b"".join(chunk)
            chunk.clear()
    written += b"".join(chunk)
    return bytes(written), count


def _entry(entry: Revoked) -> bytes:
    """Return one revokedCertificate with its reason (RFC 5280, 5.3.1) and, where known, invalidityDate (5.3.2)."""
    return write.sequence(_serial(entry.serial), _said(entry.at, entry.reason, entry.invalidity_date))


@lru_cache(maxsize=_CHUNK)
def _said(at: datetime, reason: RevocationReason, invalidity_date: datetime | None) -> bytes:
    """What stands behind the serial number: the same for all that end together."""
    if invalidity_date is None:
        return write.time(at) + _ONLY_REASON[reason]
    since = write.extension(INVALIDITY_DATE, write.generalized_time(invalidity_date))
    return write.time(at) + write.sequence(_REASONS[reason], since)


def _serial(serial: Serial) -> bytes:
    # Ours have 16 octets and a top bit of 0, so that their text is the INTEGER already; a list holds up to a million.
    if len(serial) == 32 and "0" < serial[0] < "8":
        return _SIXTEEN_OCTETS + bytes.fromhex(serial)
    return write.integer(serial_number(serial))

"""CRLs: version 2, full, one per CA (RFC 5280, 5), and so without issuingDistributionPoint (5.2.5).

The list is written as DER, because a builder of objects needs minutes and gigabytes for a long one, and has the entries
of the list before as the octets that they are (ca/revocation/kept.py). What was written is read back by
ca/revocation/gate.py with another library before anybody sees it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

from cryptography import x509

from ca import der as write
from ca.certificates import issuer, signature_holds
from ca.clearance import Clearance, ClearanceKind
from ca.revocation.kept import Entries
from ca.revocation.octets import shows, to_be_signed
from ca.signing import cleared, holds_key, verified_signature
from core.approval import RevocationReason
from core.errors import IssuerMismatch
from core.identifiers import Serial, serial_number
from core.status import Ending, Endings, Revoked
from keys.signer import Signer, throwaway

AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
CRL_NUMBER = "2.5.29.20"
EXPIRED_CERTS_ON_CRL = "2.5.29.60"
"""X.509 (2019), 9.5.2.6: the list keeps certificates that expired since the date it names. Not critical."""

CRL_REASON = "2.5.29.21"
INVALIDITY_DATE = "2.5.29.24"

_VERSION_2 = write.integer(1)
_SIXTEEN_OCTETS = b"\x02\x10"
_KNOWN = 4096


@dataclass(frozen=True)
class CrlOrder:
    """What a CRL says.

    Args:
        issuer_der: the CA's certificate, DER.
        number: CRLNumber, higher than every one before it.
        this_update, next_update: its validity, aware UTC whole seconds.
        expired_certs_on_crl: the CA's notBefore; None for the root's list.
        entries: in order of their serials, each once; read once and not kept, unless they are encoded already.
    """

    issuer_der: bytes
    number: int
    this_update: datetime
    next_update: datetime
    expired_certs_on_crl: datetime | None
    entries: Iterable[Revoked] | Entries


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

    def is_in(self, der: bytes) -> bool:
        """Return whether a CRL has these to-be-signed bytes and no others; ValueError if it has another structure."""
        return shows(der, self.tbs)

    @property
    def preview(self) -> bytes:
        """A whole CRL, DER: the same bytes under a throwaway key. Made when asked for: long lists are not linted so."""
        return write.signed(self.tbs, throwaway(self.issuer_key).sign(self.tbs))


def tbs_sha256(der: bytes) -> str:
    """Return the SHA-256 (hex) of the to-be-signed bytes of a CRL; empty if it is none."""
    try:
        x509.load_der_x509_crl(der)
        return hashlib.sha256(to_be_signed(der)).hexdigest()
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
        signature = x509.load_der_x509_crl(der).signature
        tbs = to_be_signed(der)
    except ValueError:
        return False
    whole = der.endswith(write.ECDSA_WITH_SHA256 + write.bit_string(signature))
    same = whole and hashlib.sha256(tbs).hexdigest() == digest
    return same and signature_holds(issuer(issuer_der).public_key, tbs, signature)


def draft(order: CrlOrder) -> CrlDraft:
    """Return the exact bytes of a CRL (RFC 5280, 5.1).

    Args:
        order: what it says.
    """
    above = issuer(order.issuer_der)
    entries = order.entries.blocks if isinstance(order.entries, Entries) else [entry(each) for each in order.entries]
    count = len(order.entries) if isinstance(order.entries, Entries) else len(entries)
    # An empty list is left out altogether (RFC 5280, 5.1.2.6).
    listed = (write.header(0x30, sum(map(len, entries))), *entries) if count else ()
    tbs = write.sequence(
        _VERSION_2,
        write.ECDSA_WITH_SHA256,
        above.name,
        write.time(order.this_update),
        write.time(order.next_update),
        *listed,
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


def encoded(ended: Endings) -> Entries:
    """Return entries as they stand on a list, from what they say; in order of serials, each once."""
    said: dict[Ending, tuple[bytes, bytes]] = {}

    def written() -> Iterator[tuple[int, bytes]]:
        for serial, ending in ended:
            around = said.get(ending)
            if around is None:
                if len(said) >= _KNOWN:
                    said.clear()
                behind = _said(ending.at, ending.reason, ending.invalidity_date)
                around = said[ending] = (write.header(0x30, len(behind) + 18) + _SIXTEEN_OCTETS, behind)
            if _as_it_is(serial):
                yield int(serial, 16), around[0] + bytes.fromhex(serial) + around[1]
            else:
                yield int(serial, 16), write.sequence(write.integer(serial_number(serial)), around[1])

    return Entries.of(written())


def entry(revoked: Revoked) -> bytes:
    """Return one revokedCertificate with its reason (RFC 5280, 5.3.1) and, where known, invalidityDate (5.3.2)."""
    return write.sequence(_serial(revoked.serial), _said(revoked.at, revoked.reason, revoked.invalidity_date))


@lru_cache(maxsize=_KNOWN)
def _said(at: datetime, reason: RevocationReason, invalidity_date: datetime | None) -> bytes:
    """What stands behind the serial number: the same for all that end together."""
    if invalidity_date is None:
        return write.time(at) + _ONLY_REASON[reason]
    since = write.extension(INVALIDITY_DATE, write.generalized_time(invalidity_date))
    return write.time(at) + write.sequence(_REASONS[reason], since)


def _serial(serial: Serial) -> bytes:
    if _as_it_is(serial):
        return _SIXTEEN_OCTETS + bytes.fromhex(serial)
    return write.integer(serial_number(serial))


def _as_it_is(serial: Serial) -> bool:
    """Return whether the text is the INTEGER already: ours have 16 octets and a top bit of 0."""
    return len(serial) == 32 and "0" < serial[0] < "8"

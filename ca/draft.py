"""The exact bytes that a signature will cover, and the same bytes under a throwaway key for the lint."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from ca import der as write
from core.errors import AlreadySpent, DraftImpossible
from core.identifiers import Serial
from keys.signer import throwaway, throwaway_key


@dataclass(eq=False)
class Draft:
    """A certificate that has everything but its signature. Good for one signature.

    It can be kept in the store and made again from there: signing it again gives the same certificate.

    Args:
        serial: the serial number that was reserved for it.
        tbs: TBSCertificate, DER.
        preview: a whole certificate, DER: the same TBSCertificate signed by a throwaway key of the issuer's kind.
    """

    serial: Serial
    tbs: bytes
    preview: bytes
    _spent: bool = field(default=False, init=False, repr=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the to-be-signed bytes, 32 octets: what a seconder accepts and a clearance names."""
        return hashlib.sha256(self.tbs).digest()

    def spend(self) -> None:
        """Mark it as signed; AlreadySpent the second time."""
        if self._spent:
            raise AlreadySpent(serial=self.serial)
        self._spent = True


def drafted(builder: x509.CertificateBuilder, serial: Serial, issuer_key: bytes) -> Draft:
    """Build the certificate under a throwaway key; its TBSCertificate is what will be linted and signed.

    Args:
        builder: everything but the signature.
        serial: the one in the builder.
        issuer_key: SubjectPublicKeyInfo of the issuer, DER; the throwaway key is of its kind.

    Raises:
        DraftImpossible: the builder holds something that no certificate can.
    """
    try:
        preview = builder.sign(throwaway_key(issuer_key), hashes.SHA256())
    except ValueError as error:
        raise DraftImpossible(subject=serial, detail=str(error)) from error
    return Draft(serial, preview.tbs_certificate_bytes, preview.public_bytes(serialization.Encoding.DER))


def again(serial: Serial, tbs: bytes, issuer_key: bytes) -> Draft:
    """Return a draft made again from stored bytes, under another throwaway key.

    Args:
        serial: the one in the bytes.
        tbs: TBSCertificate, DER, as it was stored before it was to be signed.
        issuer_key: SubjectPublicKeyInfo of the issuer, DER.
    """
    return Draft(serial, tbs, write.signed(tbs, throwaway(issuer_key).sign(tbs)))


@dataclass(frozen=True)
class Description:
    """What a draft says of itself, as values.

    Args:
        key_id: lower-case hex of the subject key identifier.
        public_key_sha256: of its public key (SubjectPublicKeyInfo, DER), hex.
        subject: RFC 4514.
        not_before, not_after: its validity, aware UTC.
    """

    key_id: str
    public_key_sha256: str
    subject: str
    not_before: datetime
    not_after: datetime


def described(draft: Draft) -> Description:
    """Return what a draft says of itself."""
    preview = x509.load_der_x509_certificate(draft.preview)
    identifier = preview.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    public_key = preview.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Description(
        key_id=identifier.digest.hex(),
        public_key_sha256=hashlib.sha256(public_key).hexdigest(),
        subject=preview.subject.rfc4514_string(),
        not_before=preview.not_valid_before_utc,
        not_after=preview.not_valid_after_utc,
    )

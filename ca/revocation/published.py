"""A list that was published before, read again: whose it is, and what it says."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import CRLEntryExtensionOID

from ca.certificates import issuer, signature_holds
from core.approval import RevocationReason
from core.identifiers import serial_of
from core.status import Revoked

_REASONS = {
    x509.ReasonFlags.key_compromise: RevocationReason.KEY_COMPROMISE,
    x509.ReasonFlags.superseded: RevocationReason.SUPERSEDED,
    x509.ReasonFlags.cessation_of_operation: RevocationReason.CESSATION_OF_OPERATION,
    x509.ReasonFlags.privilege_withdrawn: RevocationReason.PRIVILEGE_WITHDRAWN,
}


@dataclass(frozen=True, kw_only=True)
class Published:
    """A list as it can be read by anybody.

    Args:
        number: CRLNumber.
        this_update, next_update: its validity.
        entries: in order.
    """

    number: int
    this_update: datetime
    next_update: datetime
    entries: tuple[Revoked, ...]


def read_published(der: bytes, issuer_der: bytes) -> Published:
    """Return what a list says.

    Args:
        der: the CRL.
        issuer_der: the CA's certificate, one of our own hierarchy.

    Raises:
        ValueError: it cannot be read, that CA did not sign it, or an entry has no reason of ours.
    """
    try:
        crl = x509.load_der_x509_crl(der)
        key = issuer(issuer_der).parsed.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or not crl.is_signature_valid(key):
            raise ValueError("its signature is not that of its CA")
        ends = crl.next_update_utc
        if ends is None:
            raise ValueError("it has no nextUpdate")
        return Published(
            number=crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number,
            this_update=crl.last_update_utc,
            next_update=ends,
            entries=tuple(map(_entry, crl)),
        )
    except (KeyError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension) as error:
        raise ValueError(str(error)) from error


def _entry(revoked: x509.RevokedCertificate) -> Revoked:
    said = {each.oid: each.value for each in revoked.extensions}
    reason = said.get(CRLEntryExtensionOID.CRL_REASON)
    since = said.get(CRLEntryExtensionOID.INVALIDITY_DATE)
    if not isinstance(reason, x509.CRLReason):
        raise TypeError(f"{serial_of(revoked.serial_number)} has no reason")
    return Revoked(
        serial=serial_of(revoked.serial_number),
        at=revoked.revocation_date_utc,
        reason=_REASONS[reason.reason],
        invalidity_date=since.invalidity_date_utc if isinstance(since, x509.InvalidityDate) else None,
    )


def answer_holds(der: bytes, serial: str, responder_der: bytes) -> bool:
    """Return whether an OCSP answer is about a certificate and carries the signature of a responder of ours.

    Args:
        der: the OCSPResponse.
        serial: of the certificate.
        responder_der: the responder's certificate.
    """
    try:
        read = ocsp.load_der_ocsp_response(der)
        about = serial_of(read.serial_number)
        return about == serial and signature_holds(
            issuer(responder_der).public_key, read.tbs_response_bytes, read.signature
        )
    except (ValueError, TypeError):
        return False

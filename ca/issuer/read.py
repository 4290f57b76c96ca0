"""From a Trial CPA Certificate of ours back to the order that it was made from: for a register that has lost it."""

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ca.certificates import issuer
from ca.issuer.extension import decode
from ca.issuer.order import Order
from ca.profile import Profile
from core.identifiers import serial_of
from keys.signer import spki


def order_in(der: bytes, profile: Profile, issuer_der: bytes) -> Order:
    """Return what a certificate says, as the order from which it would be made again.

    Whether it says nothing else is for the lint (policy/profile.py), and whose signature it has for the caller.

    Args:
        der: the certificate, or a draft's preview.
        profile: the authority's.
        issuer_der: the issuing CA's certificate.

    Raises:
        ValueError: it is no Trial CPA Certificate.
    """
    try:
        read = x509.load_der_x509_certificate(der)
        said = read.extensions.get_extension_for_oid(x509.ObjectIdentifier(profile.extension_oid)).value
        names = read.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        identifier = read.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        key = read.public_key()
    except (x509.ExtensionNotFound, x509.DuplicateExtension, AttributeError, TypeError) as error:
        raise ValueError("it is no Trial CPA Certificate") from error
    if not isinstance(said, x509.UnrecognizedExtension) or not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("it is no Trial CPA Certificate")  # noqa: TRY004 - what it holds is wrong, and not its type
    if len(names) != 1:
        raise ValueError("it is no Trial CPA Certificate")
    if identifier != issuer(issuer_der).key_identifier:
        raise ValueError("it names another issuing CA")
    statement = decode(said.value)
    return Order(
        serial=serial_of(read.serial_number),
        approval=statement.approval,
        issue=statement.issue,
        certificate_name=str(names[0].value),
        device=statement.device,
        firmware=statement.firmware,
        start=statement.start,
        expiry=statement.expiry,
        not_before=read.not_valid_before_utc,
        not_after=read.not_valid_after_utc,
        maximum_devices=statement.maximum_devices,
        public_key=spki(key),
        proposal_digest=statement.proposal_digest,
        issuer=issuer_der,
    )


def key_sha256(order: Order) -> str:
    """Return the digest by which the register knows the key of an order: of its SubjectPublicKeyInfo, hex."""
    return hashlib.sha256(order.public_key).hexdigest()

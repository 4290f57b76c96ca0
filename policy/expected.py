"""What a certificate of ours must say, worked out from the order, or from its place in the hierarchy.

Computed here a second time and not taken from ca/: the lint doubts the builder (design: one row, one rule).
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    ExtensionOID,
    NameOID,
)

from ca.issuer.order import Order
from ca.profile import Profile
from core.identifiers import serial_number
from core.kinds import HierarchyRole
from policy import der

LONGEST_COMMON_NAME = 64
"""X.520, ub-common-name; counted in octets of UTF-8, as much software does."""

_KEY_IDENTIFIER_OCTETS = 8


@dataclass(frozen=True)
class ExpectedExtension:
    """One extension as it must be.

    Args:
        critical: whether it is; None where either will do.
        value: the DER inside extnValue.
    """

    critical: bool | None
    value: bytes


@dataclass(frozen=True)
class Expected:
    """A certificate's values as they must be.

    Args:
        serial: the reserved number; None where no order names one.
        issuer, subject: distinguished names, DER.
        public_key: SubjectPublicKeyInfo, DER.
        extensions: exactly these.
    """

    serial: int | None
    issuer: bytes
    subject: bytes
    public_key: bytes
    extensions: Mapping[x509.ObjectIdentifier, ExpectedExtension]


def expected_certificate(order: Order, profile: Profile, issuer: x509.Certificate, *, stored: bool) -> Expected:
    """Return what a Trial CPA Certificate says.

    Args:
        order: the decision's values.
        profile: the authority's.
        issuer: the issuing CA.
        stored: whether it may have been drafted by an earlier release, whose policies were critical.
    """
    above = own_key_identifier(issuer)
    return Expected(
        serial=serial_number(order.serial),
        issuer=issuer.subject.public_bytes(),
        subject=_name(
            (NameOID.ORGANIZATION_NAME, order.certificate_name),
            (NameOID.COMMON_NAME, _common_name(order)),
            (NameOID.SERIAL_NUMBER, order.approval),
        ),
        public_key=order.public_key,
        extensions={
            ExtensionOID.BASIC_CONSTRAINTS: _critical(x509.BasicConstraints(ca=False, path_length=None)),
            ExtensionOID.KEY_USAGE: _critical(_usage(signs=False)),
            ExtensionOID.EXTENDED_KEY_USAGE: _plain(
                x509.ExtendedKeyUsage([x509.ObjectIdentifier(profile.statement_oid)])
            ),
            ExtensionOID.CERTIFICATE_POLICIES: _policies(profile, stored=stored),
            ExtensionOID.SUBJECT_KEY_IDENTIFIER: _subject_key(order.public_key),
            ExtensionOID.AUTHORITY_KEY_IDENTIFIER: _authority_key(above),
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME: _plain(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(profile.approval_url(order.approval))])
            ),
            ExtensionOID.CRL_DISTRIBUTION_POINTS: _crl_pointer(profile.crl_url(above.hex())),
            ExtensionOID.AUTHORITY_INFORMATION_ACCESS: _access(
                (AuthorityInformationAccessOID.OCSP, profile.ocsp_url),
                (AuthorityInformationAccessOID.CA_ISSUERS, profile.issuer_url(above.hex())),
            ),
            x509.ObjectIdentifier(profile.extension_oid): ExpectedExtension(
                critical=False, value=trial_device_approval(order)
            ),
        },
    )


def expected_hierarchy(
    certificate: x509.Certificate,
    role: HierarchyRole,
    profile: Profile,
    issuer: x509.Certificate | None,
    *,
    stored: bool,
) -> Expected:
    """Return what a certificate of the hierarchy says.

    Args:
        certificate: gives the public key, which no order names, and the number of an issuing CA.
        role: its place.
        profile: the authority's.
        issuer: what signs it; None for the root.
        stored: whether it may have been drafted by an earlier release, whose policies were critical.
    """
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    names = {
        HierarchyRole.ROOT: profile.root_name,
        HierarchyRole.ISSUING: profile.issuing_name(_issuing_number(certificate)),
        HierarchyRole.RESPONDER: profile.responder_name,
        HierarchyRole.STATEMENT: profile.statement_name,
    }
    subject = _name((NameOID.ORGANIZATION_NAME, profile.organisation), (NameOID.COMMON_NAME, names[role]))
    extensions = {ExtensionOID.SUBJECT_KEY_IDENTIFIER: _subject_key(key)}
    if role is HierarchyRole.RESPONDER:
        extensions[ExtensionOID.KEY_USAGE] = _critical(_usage(signs=False))
        extensions[ExtensionOID.EXTENDED_KEY_USAGE] = _plain(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]))
        extensions[OCSP_NO_CHECK] = _plain(x509.OCSPNoCheck())
    elif role is HierarchyRole.STATEMENT:
        extensions[ExtensionOID.KEY_USAGE] = _critical(_usage(signs=False))
    else:
        path_length = 1 if role is HierarchyRole.ROOT else 0
        extensions[ExtensionOID.BASIC_CONSTRAINTS] = _critical(x509.BasicConstraints(ca=True, path_length=path_length))
        extensions[ExtensionOID.KEY_USAGE] = _critical(_usage(signs=True))
    if issuer is not None:
        above = own_key_identifier(issuer)
        extensions[ExtensionOID.AUTHORITY_KEY_IDENTIFIER] = _authority_key(above)
        if role in {HierarchyRole.ISSUING, HierarchyRole.STATEMENT}:
            extensions[ExtensionOID.CERTIFICATE_POLICIES] = _policies(profile, stored=stored)
            extensions[ExtensionOID.CRL_DISTRIBUTION_POINTS] = _crl_pointer(profile.crl_url(above.hex()))
        if role is HierarchyRole.ISSUING:
            extensions[ExtensionOID.AUTHORITY_INFORMATION_ACCESS] = _access(
                (AuthorityInformationAccessOID.CA_ISSUERS, profile.issuer_url(above.hex()))
            )
    return Expected(
        serial=None,
        issuer=subject if issuer is None else issuer.subject.public_bytes(),
        subject=subject,
        public_key=key,
        extensions=extensions,
    )


OCSP_NO_CHECK = x509.OCSPNoCheck.oid
"""id-pkix-ocsp-nocheck (RFC 6960, 4.2.2.2.1)."""


def trial_device_approval(order: Order) -> bytes:
    """Return the value of the extension trialDeviceApproval, DER, as docs/trialcpa.asn1 has it."""
    device = order.device
    return der.sequence(
        der.integer(1),
        der.utf8(order.approval),
        der.integer(order.issue),
        der.generalized_time(order.start),
        der.generalized_time(order.expiry),
        der.integer(order.maximum_devices),
        der.sequence(*map(der.utf8, (device.type, device.manufacturer, device.model, device.hardware_version))),
        der.sequence(
            *(
                der.sequence(der.utf8(each.version), der.octets(bytes.fromhex(each.image_digest)))
                for each in order.firmware
            )
        ),
        der.octets(order.proposal_digest),
    )


def key_identifier(public_key: bytes) -> bytes:
    """Return RFC 5280, 4.2.1.2, method 2: 0100 and the last 60 bits of SHA-1 over the key's bits; 8 octets.

    Args:
        public_key: SubjectPublicKeyInfo, DER.
    """
    tail = bytearray(key_hash(public_key, "sha1")[-_KEY_IDENTIFIER_OCTETS:])
    tail[0] = 0x40 | (tail[0] & 0x0F)
    return bytes(tail)


def key_hash(public_key: bytes, hash_name: str) -> bytes:
    """Return the hash over the key's bits alone, as RFC 5280 (4.2.1.2) and RFC 6960 (4.1.1) take it."""
    point = load_der_public_key(public_key).public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return hashlib.new(hash_name, point, usedforsecurity=False).digest()


def own_key_identifier(certificate: x509.Certificate) -> bytes:
    """Return what a CA certificate of ours says about its own key, 8 octets."""
    return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def _common_name(order: Order) -> str:
    device = order.device
    name = f"{device.manufacturer} {device.model} {device.hardware_version}"
    return name if len(name.encode("utf-8")) <= LONGEST_COMMON_NAME else order.approval


def _issuing_number(certificate: x509.Certificate) -> int:
    """The number that the CN ends with; a CN that ends otherwise will not be the expected one."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    ending = re.search(r" ([1-9][0-9]{0,2})$", str(names[0].value)) if names else None
    return int(ending[1]) if ending else 1


def _name(*parts: tuple[x509.ObjectIdentifier, str]) -> bytes:
    return x509.Name([x509.NameAttribute(identifier, value) for identifier, value in parts]).public_bytes()


def _critical(value: x509.ExtensionType) -> ExpectedExtension:
    return ExpectedExtension(critical=True, value=value.public_bytes())


def _plain(value: x509.ExtensionType) -> ExpectedExtension:
    return ExpectedExtension(critical=False, value=value.public_bytes())


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _policies(profile: Profile, *, stored: bool) -> ExpectedExtension:
    policy = x509.PolicyInformation(x509.ObjectIdentifier(profile.policy_oid), None)
    value = x509.CertificatePolicies([policy]).public_bytes()
    return ExpectedExtension(critical=None if stored else False, value=value)


def _subject_key(public_key: bytes) -> ExpectedExtension:
    return _plain(x509.SubjectKeyIdentifier(key_identifier(public_key)))


def _authority_key(identifier: bytes) -> ExpectedExtension:
    return _plain(x509.AuthorityKeyIdentifier(identifier, None, None))


def _crl_pointer(url: str) -> ExpectedExtension:
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
    return _plain(x509.CRLDistributionPoints([point]))


def _access(*methods: tuple[x509.ObjectIdentifier, str]) -> ExpectedExtension:
    return _plain(
        x509.AuthorityInformationAccess(
            [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for method, url in methods]
        )
    )

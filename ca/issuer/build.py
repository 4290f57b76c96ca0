"""From an order to a draft of the Trial CPA Certificate: one extension, name and date after the other.

Nothing is decided and nothing is checked here beyond what can be put into a certificate: policy lints the result.
"""

from cryptography import x509
from cryptography.x509.oid import NameOID

from ca.certificates import elliptic_key, issuer
from ca.draft import Draft, drafted
from ca.extensions import access, authority_identifier, certificate_policy, crl_pointer, key_usage, own_identifier
from ca.issuer.extension import TrialDeviceApproval, encode
from ca.issuer.order import Order
from ca.profile import LONGEST_NAME, Profile
from core.approval import Device
from core.clauses import serves
from core.errors import DraftImpossible
from core.identifiers import serial_number


@serves("F2.25")
def draft(profile: Profile, order: Order) -> Draft:
    """Return the exact bytes to be signed for an order, and their preview.

    Args:
        profile: the authority's.
        order: everything the certificate says.

    Raises:
        DraftImpossible: the order holds something that no certificate can, such as a name that is too long.
    """
    try:
        above = issuer(order.issuer)
        builder = _with_extensions(_frame(order, above.parsed.subject), profile, order, above.key_identifier)
    except ValueError as error:
        raise DraftImpossible(subject=order.approval, detail=str(error)) from error
    return drafted(builder, order.serial, above.public_key)


def common_name(device: Device, approval: str) -> str:
    """Return the CN: manufacturer, model and hardware version, or the approval identifier where they are too long.

    The limit of 64 is counted in octets of UTF-8, the stricter of the two readings of ub-common-name (RFC 5280,
    appendix A.1), because widely used software counts so.
    """
    described = f"{device.manufacturer} {device.model} {device.hardware_version}"
    return described if len(described.encode("utf-8")) <= LONGEST_NAME else approval


@serves("F2.25")
def approval_value(order: Order) -> TrialDeviceApproval:
    """Return what the extension trialDeviceApproval says for an order."""
    return TrialDeviceApproval(
        approval=order.approval,
        issue=order.issue,
        start=order.start,
        expiry=order.expiry,
        maximum_devices=order.maximum_devices,
        device=order.device,
        firmware=order.firmware,
        proposal_digest=order.proposal_digest,
    )


def _frame(order: Order, above: x509.Name) -> x509.CertificateBuilder:
    if not 1 <= len(order.certificate_name) <= LONGEST_NAME:
        raise ValueError(f"a certificate name has 1 to {LONGEST_NAME} characters")
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, order.certificate_name),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name(order.device, order.approval)),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, order.approval),
        ],
    )
    return x509.CertificateBuilder(
        issuer_name=above,
        subject_name=subject,
        public_key=elliptic_key(order.public_key),
        serial_number=serial_number(order.serial),
        not_valid_before=order.not_before,
        not_valid_after=order.not_after,
    )


def _with_extensions(
    builder: x509.CertificateBuilder,
    profile: Profile,
    order: Order,
    issuer_key_identifier: bytes,
) -> x509.CertificateBuilder:
    key_id = issuer_key_identifier.hex()
    statement = x509.ObjectIdentifier(profile.statement_oid)
    approval = x509.ObjectIdentifier(profile.extension_oid)
    page = x509.UniformResourceIdentifier(profile.approval_url(order.approval))
    return (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=True), critical=True)
        # Not critical, as stock software would then refuse the certificate for every purpose it knows.
        .add_extension(x509.ExtendedKeyUsage([statement]), critical=False)
        .add_extension(certificate_policy(profile), critical=False)
        .add_extension(own_identifier(order.public_key), critical=False)
        .add_extension(authority_identifier(issuer_key_identifier), critical=False)
        .add_extension(x509.SubjectAlternativeName([page]), critical=False)
        .add_extension(crl_pointer(profile.crl_url(key_id)), critical=False)
        .add_extension(access(ocsp=profile.ocsp_url, issuers=profile.issuer_url(key_id)), critical=False)
        # Not critical for the same reason: it is read by those who know it (F2.25).
        .add_extension(x509.UnrecognizedExtension(approval, encode(approval_value(order))), critical=False)
    )

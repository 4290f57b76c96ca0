"""What a certificate says beside what the proposal says that officers agreed to; before it is signed, and after."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from verify.kit.evidence.parsing import Unreadable, extension
from verify.kit.evidence.profile import Arc
from verify.kit.evidence.statement import Statement
from verify.kit.instants import written

_USAGE = ".3.1"
"""What the extended key usage has behind the authority's arc (docs/trialcpa.asn1)."""


def arc_of(certificate: x509.Certificate) -> Arc:
    """Return the authority's arc, as the one usage of the certificate names it; nobody need tell us.

    Raises:
        Unreadable: it names no usage of ours.
    """
    usage = extension(certificate.extensions, x509.ExtendedKeyUsage)
    named = [each.dotted_string for each in usage.value] if usage else []
    if len(named) != 1 or not named[0].endswith(_USAGE):
        raise Unreadable("its usage is none of ours")
    return Arc(named[0].removesuffix(_USAGE))


def compared(
    certificate: x509.Certificate, statement: Statement, proposal: Mapping[str, Any], proposal_sha256: str
) -> Iterator[tuple[str, object, object]]:
    """Yield what the certificate says and what the proposal says of the same, with its name.

    Args:
        certificate: signed or not.
        statement: what its extension says of the approval.
        proposal: the document.
        proposal_sha256: of its canonical form, hex.
    """
    organisation = proposal.get("organisation")
    yield "the proposal that its certificate names", statement.proposal_digest, proposal_sha256
    yield "the public key of its certificate", key_sha256(certificate), proposal.get("public_key_sha256")
    yield "the approval of its certificate", str(statement.identifier), proposal.get("approval")
    yield "the issue of its certificate", statement.issue, proposal.get("issue")
    yield "the start in its certificate", written(statement.start), proposal.get("start")
    yield "the expiry in its certificate", written(statement.expiry), proposal.get("expiry")
    yield "the beginning of its certificate", written(certificate.not_valid_before_utc), proposal.get("not_before")
    yield "the end of its certificate", written(certificate.not_valid_after_utc), proposal.get("not_after")
    yield "the limit in its certificate", statement.maximum_devices, proposal.get("maximum_devices")
    yield "the device in its certificate", asdict(statement.device), proposal.get("device")
    firmware = [{"version": each.version, "image_sha256": each.image_digest} for each in statement.firmware]
    yield "the firmware in its certificate", firmware, proposal.get("firmware")
    named = organisation.get("certificate_name") if isinstance(organisation, Mapping) else None
    yield "the organisation in its certificate", _organisation(certificate), named


def key_sha256(certificate: x509.Certificate) -> str:
    """Return the hex digest of the public key in a certificate: SubjectPublicKeyInfo, DER."""
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def _organisation(certificate: x509.Certificate) -> str:
    return ", ".join(str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))

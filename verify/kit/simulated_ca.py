"""Certificates, lists, OCSP answers and signatures of an authority that is none: for tests of those who check them."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from verify.kit.evidence.der import GENERALIZED_TIME, INTEGER, OCTET_STRING, SEQUENCE, UTF8_STRING, tlv
from verify.kit.evidence.profile import EXAMPLE_ARC, SIGNS
from verify.kit.instants import seconds
from verify.kit.status import Document

ARC = f"{EXAMPLE_ARC}.172"
LIST_HOURS, ANSWER_HOURS = 48, 1

_NAME = "TEST Simulated CPA"
_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
_REASON = {
    "ssc": x509.ReasonFlags.privilege_withdrawn,
    "breach": x509.ReasonFlags.privilege_withdrawn,
    "key-compromise": x509.ReasonFlags.key_compromise,
    "manufacturer": x509.ReasonFlags.cessation_of_operation,
}
_LAST = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)


class Authority:
    """A root, an issuing CA, a responder and a statement signer, with keys of this process.

    Args:
        base: where it is asked, as certificates name it.
        born: when its certificates begin.
    """

    def __init__(self, base: str, born: datetime) -> None:
        self._base, self._born = base, born
        root, self._issuing_key, self._responder_key, self._statement_key = (
            ec.generate_private_key(ec.SECP256R1()) for _ in range(4)
        )
        self._root_key = root
        ca = [(_SIGNS_CERTIFICATES, True)]
        self.root = self._made("Root", root, None, [(x509.BasicConstraints(ca=True, path_length=1), True), *ca])
        below = [(x509.BasicConstraints(ca=True, path_length=0), True), *ca, (_policy(), False)]
        self.issuing = self._made("Issuing CA 1", self._issuing_key, self.root, below, signer=root)
        answers = [
            (SIGNS, True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False),
            (x509.OCSPNoCheck(), False),
        ]
        self._responder = self._made("OCSP Responder 1", self._responder_key, self.issuing, answers)
        states = [(SIGNS, True), (_policy(), False)]
        self.statement = self._made("Statement Signer 1", self._statement_key, self.issuing, states)
        self._number = 0

    def certificate(self, document: Document) -> x509.Certificate:
        """Return a certificate of an approval, as its document says it."""
        said = document["certificates"][0]
        device, approval = document["device"], document["approval"]
        access = [
            x509.AccessDescription(AuthorityInformationAccessOID.OCSP, _uri(f"{self._base}/ocsp")),
            x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, _uri(f"{self._base}/ca/issuing.cer")),
        ]
        place = x509.DistributionPoint([_uri(f"{self._base}/crl/issuing.crl")], None, None, None)
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (SIGNS, True),
            (x509.ExtendedKeyUsage([x509.ObjectIdentifier(f"{ARC}.3.1")]), False),
            (_policy(), False),
            (x509.SubjectAlternativeName([_uri(f"{self._base}/approvals/{approval}")]), False),
            (x509.CRLDistributionPoints([place]), False),
            (x509.AuthorityInformationAccess(access), False),
            (x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{ARC}.1"), _statement(document)), False),
        ]
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Meter Makers"),
                x509.NameAttribute(
                    NameOID.COMMON_NAME, f"{device['manufacturer']} {device['model']} {device['hardware_version']}"
                ),
                x509.NameAttribute(NameOID.SERIAL_NUMBER, approval),
            ]
        )
        return self._signed(
            subject,
            ec.generate_private_key(ec.SECP256R1()),
            self.issuing,
            extensions,
            self._issuing_key,
            serial=int(said["serial"], 16),
            begin=_at(said["not_before"]),
            end=_at(said["not_after"]),
        )

    def crl(self, documents: Mapping[str, Document], at: datetime) -> bytes:
        """Return the issuing CA's list of an instant: what was revoked, and what has expired."""
        entries = []
        for document in documents.values():
            for each in document["certificates"]:
                ended = _ended(each, at)
                if ended is not None:
                    entry = x509.RevokedCertificateBuilder(int(each["serial"], 16), ended[0])
                    entries.append(entry.add_extension(x509.CRLReason(ended[1]), critical=False).build())
        return self._listed(self.issuing, self._issuing_key, at, entries)

    def root_crl(self, at: datetime) -> bytes:
        """Return the root's list of an instant, which names nobody."""
        return self._listed(self.root, self._root_key, at, [])

    def answer(self, request: bytes, documents: Mapping[str, Document], at: datetime) -> bytes:
        """Return an OCSP response of an instant; ValueError if the request is none about a certificate of ours."""
        asked = ocsp.load_der_ocsp_request(request)
        serial = f"{asked.serial_number:032X}"
        found = [
            each for document in documents.values() for each in document["certificates"] if each["serial"] == serial
        ]
        if not found:
            return ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED).public_bytes(
                Encoding.DER
            )
        ended = _ended(found[0], at)
        until = at + timedelta(hours=ANSWER_HOURS)
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            asked.issuer_name_hash,
            asked.issuer_key_hash,
            asked.serial_number,
            asked.hash_algorithm,
            ocsp.OCSPCertStatus.GOOD if ended is None else ocsp.OCSPCertStatus.REVOKED,
            at,
            until if ended is not None else min(until, _at(found[0]["not_after"])),
            None if ended is None else ended[0],
            None if ended is None else ended[1],
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self._responder).certificates([self._responder])
        return builder.sign(self._responder_key, hashes.SHA256()).public_bytes(Encoding.DER)

    def stated(self, content: bytes, at: datetime) -> bytes:
        """Return a detached CMS signature of the statement signer over some octets (RFC 5652)."""
        own = self.statement.public_bytes(Encoding.DER)
        sha256 = tlv(SEQUENCE, bytes.fromhex("0609608648016503040201"))
        data = bytes.fromhex("06092a864886f70d010701")
        time = tlv(0x17, f"{at:%y%m%d%H%M%S}Z".encode())
        named = tlv(SEQUENCE, tlv(SEQUENCE, tlv(SEQUENCE, tlv(OCTET_STRING, hashlib.sha256(own).digest()))))
        attributes = b"".join(
            sorted(
                tlv(SEQUENCE, bytes.fromhex(kind), tlv(0x31, value))
                for kind, value in {
                    "06092a864886f70d010903": data,
                    "06092a864886f70d010904": tlv(OCTET_STRING, hashlib.sha256(content).digest()),
                    "06092a864886f70d010905": time,
                    "060b2a864886f70d010910022f": named,
                }.items()
            )
        )
        signature = self._statement_key.sign(tlv(0x31, attributes), ec.ECDSA(hashes.SHA256()))
        signer = tlv(
            SEQUENCE,
            tlv(INTEGER, b"\x01"),
            tlv(SEQUENCE, self.statement.issuer.public_bytes(), _integer(self.statement.serial_number)),
            sha256,
            tlv(0xA0, attributes),
            bytes.fromhex("300a06082a8648ce3d040302"),
            tlv(OCTET_STRING, signature),
        )
        certificates = b"".join(sorted((own, self.issuing.public_bytes(Encoding.DER))))
        body = tlv(
            SEQUENCE,
            tlv(INTEGER, b"\x01"),
            tlv(0x31, sha256),
            tlv(SEQUENCE, data),
            tlv(0xA0, certificates),
            tlv(0x31, signer),
        )
        return tlv(SEQUENCE, bytes.fromhex("06092a864886f70d010702"), tlv(0xA0, body))

    def _made(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        above: x509.Certificate | None,
        extensions: list[tuple[x509.ExtensionType, bool]],
        *,
        signer: ec.EllipticCurvePrivateKey | None = None,
    ) -> x509.Certificate:
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Simulated"),
                x509.NameAttribute(NameOID.COMMON_NAME, f"{_NAME} {name}"),
            ]
        )
        own = (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        return self._signed(
            subject, key, above, [*extensions, own], signer or (key if above is None else self._issuing_key)
        )

    def _signed(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        above: x509.Certificate | None,
        extensions: list[tuple[x509.ExtensionType, bool]],
        signer: ec.EllipticCurvePrivateKey,
        *,
        serial: int = 0,
        begin: datetime | None = None,
        end: datetime = _LAST,
    ) -> x509.Certificate:
        issuer = subject if above is None else above.subject
        builder = x509.CertificateBuilder(
            issuer, subject, key.public_key(), serial or x509.random_serial_number(), begin or self._born, end
        )
        for extension, critical in [*extensions, *([] if above is None else [(_above(above), False)])]:
            builder = builder.add_extension(extension, critical)
        return builder.sign(signer, hashes.SHA256())

    def _listed(
        self,
        ca: x509.Certificate,
        key: ec.EllipticCurvePrivateKey,
        at: datetime,
        entries: list[x509.RevokedCertificate],
    ) -> bytes:
        self._number += 1
        builder = x509.CertificateRevocationListBuilder(ca.subject, at, at + timedelta(hours=LIST_HOURS))
        for each in entries:
            builder = builder.add_revoked_certificate(each)
        builder = builder.add_extension(_above(ca), critical=False)
        builder = builder.add_extension(x509.CRLNumber(self._number), critical=False)
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def _above(ca: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    own = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier(own.digest, None, None)


def _policy() -> x509.CertificatePolicies:
    return x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(f"{ARC}.2.2"), None)])


def _ended(said: Mapping[str, Any], at: datetime) -> tuple[datetime, x509.ReasonFlags] | None:
    """Return the end of a certificate that has come by an instant, with its reason."""
    if said["revoked_at"] is not None and _at(said["revoked_at"]) <= at:
        return _at(said["revoked_at"]), _REASON[said["cause"]]
    expired = _at(said["not_after"]) + timedelta(seconds=1)
    return (expired, x509.ReasonFlags.cessation_of_operation) if expired <= at else None


def _statement(document: Document) -> bytes:
    """Return TrialDeviceApproval of a document's first issue."""
    terms, device = document["terms"][0], document["device"]
    members = ("type", "manufacturer", "model", "hardware_version")
    firmware = (
        tlv(SEQUENCE, _utf8(each["version"]), tlv(OCTET_STRING, bytes.fromhex(each["image_digest"])))
        for each in terms["firmware"]
    )
    return tlv(
        SEQUENCE,
        _integer(1),
        _utf8(document["approval"]),
        _integer(terms["issue"]),
        *(
            tlv(GENERALIZED_TIME, f"{_at(each):%Y%m%d%H%M%S}Z".encode())
            for each in (document["start"], terms["expiry"])
        ),
        _integer(terms["maximum_devices"]),
        tlv(SEQUENCE, *(_utf8(device[name]) for name in members)),
        tlv(SEQUENCE, *firmware),
        tlv(OCTET_STRING, hashlib.sha256(document["approval"].encode()).digest()),
    )


def _integer(value: int) -> bytes:
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def _utf8(value: str) -> bytes:
    return tlv(UTF8_STRING, value.encode("utf-8"))


def _uri(value: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(value)


def _at(said: str) -> datetime:
    return datetime.fromtimestamp(seconds(said), UTC)

"""A small authority made with `cryptography`'s own builders and none of ours: what the relying party is shown.

Everything is the default world of the profile; a test changes one thing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from verify.kit.evidence.offline import prove
from verify.kit.evidence.verdict import Verdict

ARC = "1.3.6.1.4.1.32473.172"
LIVE_ARC = "1.3.6.1.4.1.99999.172"
BASE = "http://127.0.0.1:8470"
IDENTIFIERS = {"test": "TDT-2027-0042-5", "live": "TDA-2027-0042-Y"}
SERIAL = 0x5F3A5F3A5F3A5F3A5F3A5F3A5F3A5F3A
START = datetime(2027, 1, 4, tzinfo=UTC)
EXPIRY = datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC)
NOW = datetime(2027, 2, 1, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
BORN = datetime(2027, 1, 1, tzinfo=UTC)
IMAGE = bytes(range(32))
FIRMWARE = (("0002012F", IMAGE), ("00020130", bytes(32)))
SHA1 = bytes.fromhex("06052b0e03021a")
SHA256 = bytes.fromhex("0609608648016503040201")
SHA384 = bytes.fromhex("0609608648016503040202")
ECDSA_SHA256 = bytes.fromhex("06082a8648ce3d040302")
BASIC = bytes.fromhex("06092b0601050507300101")
DEVICE = ("ESME", "AB01", "010A030B", "01")


@cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    """The key of that name, always the same: it is a TEST key, known to everybody."""
    return ec.derive_private_key(int.from_bytes(sha256(name.encode()).digest()) >> 1, ec.SECP256R1())


def tlv(tag: int, value: bytes) -> bytes:
    size = len(value)
    if size < 128:
        return bytes([tag, size]) + value
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + value


def sequence(*parts: bytes) -> bytes:
    return tlv(0x30, b"".join(parts))


def integer(value: int) -> bytes:
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def utf8(value: str) -> bytes:
    return tlv(12, value.encode())


def instant(at: datetime) -> bytes:
    return tlv(0x18, f"{at.year:04d}{at:%m%d%H%M%S}Z".encode())


def statement(
    *,
    version: int = 1,
    identifier: str = IDENTIFIERS["test"],
    issue: int = 1,
    start: datetime = START,
    expiry: datetime = EXPIRY,
    maximum: int = 500,
    device: tuple[str, ...] = DEVICE,
    firmware: Iterable[tuple[str, bytes]] = FIRMWARE,
    digest: bytes = bytes(32),
) -> bytes:
    return sequence(
        integer(version),
        utf8(identifier),
        integer(issue),
        instant(start),
        instant(expiry),
        integer(maximum),
        sequence(*map(utf8, device)),
        sequence(*(sequence(utf8(name), tlv(4, image)) for name, image in firmware)),
        tlv(4, digest),
    )


def usage(**allowed: bool) -> x509.KeyUsage:
    names = [
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    ]
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})


def short_identifier(public_key: ec.EllipticCurvePublicKey) -> bytes:
    digest = x509.SubjectKeyIdentifier.from_public_key(public_key).digest[-8:]
    return bytes([0x40 | (digest[0] & 0x0F)]) + digest[1:]


def authority_key(public_key: ec.EllipticCurvePublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier(short_identifier(public_key), None, None)


def uri(value: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(value)


def pointer(url: str) -> x509.CRLDistributionPoints:
    return x509.CRLDistributionPoints([x509.DistributionPoint([uri(url)], None, None, None)])


def name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "SSC"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def build(
    subject: x509.Name,
    issuer: Any,
    public: Any,
    signer: Any,
    extensions: Any,
    *,
    serial: int = 7,
    begin: datetime = BORN,
    end: Any = None,
) -> x509.Certificate:
    builder = x509.CertificateBuilder(issuer, subject, public, serial, begin, end or datetime(2034, 1, 1, tzinfo=UTC))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=True)


def der(thing: x509.Certificate | x509.CertificateRevocationList) -> bytes:
    return thing.public_bytes(Encoding.DER)


@dataclass
class World:
    """One hierarchy of one environment, and what it signs."""

    environment: str = "test"
    arc: str = ARC
    mark: str = "TEST "
    root_options: dict[str, Any] = field(default_factory=dict)
    issuing_options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.root_key, self.issuing_key, self.responder_key = key("root"), key("issuing"), key("responder")
        self.root_name, self.issuing_name = (
            name(f"{self.mark}Trial CPA Root"),
            name(f"{self.mark}Trial CPA Issuing CA 1"),
        )
        self.policy = x509.CertificatePolicies(
            [
                x509.PolicyInformation(
                    x509.ObjectIdentifier(f"{self.arc}.2.{1 if self.environment == 'live' else 2}"), None
                )
            ]
        )
        self.identifier = IDENTIFIERS[self.environment]
        self.crl_url = f"{BASE}/crl/{short_identifier(self.issuing_key.public_key()).hex()}.crl"
        self.root = self.authority(
            self.root_name, self.root_name, self.root_key, self.root_key, 1, [], **self.root_options
        )
        above = [
            (self.policy, False),
            (authority_key(self.root_key.public_key()), False),
            (pointer(f"{BASE}/crl/root.crl"), False),
        ]
        self.issuing = self.authority(
            self.issuing_name, self.root_name, self.issuing_key, self.root_key, 0, above, **self.issuing_options
        )
        self.responder = self.make_responder()

    def authority(
        self,
        subject: x509.Name,
        issuer: Any,
        own: Any,
        signer: Any,
        length: int,
        more: Any,
        *,
        without: Any = (),
        instead: Any = (),
        **options: Any,
    ) -> x509.Certificate:
        extensions = [
            (x509.BasicConstraints(ca=True, path_length=length), True),
            (usage(key_cert_sign=True, crl_sign=True), True),
            (x509.SubjectKeyIdentifier(short_identifier(own.public_key())), False),
            *more,
        ]
        kept = [item for item in extensions if type(item[0]) not in without]
        return build(subject, issuer, own.public_key(), signer, [*kept, *instead], **options)

    def make_responder(
        self,
        *,
        without: Any = (),
        instead: Any = (),
        signer: Any = None,
        mark: str | None = None,
        own: Any = None,
        **options: Any,
    ) -> x509.Certificate:
        extensions = [
            (usage(digital_signature=True), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False),
            (x509.OCSPNoCheck(), False),
            (authority_key(self.issuing_key.public_key()), False),
        ]
        kept = [item for item in extensions if type(item[0]) not in without]
        return build(
            name(f"{self.mark if mark is None else mark}Trial CPA OCSP Responder"),
            self.issuing_name,
            (own or self.responder_key).public_key(),
            signer or self.issuing_key,
            [*kept, *instead],
            **options,
        )

    def leaf(
        self,
        *,
        said: Any = None,
        without: Any = (),
        instead: Any = (),
        common: Any = None,
        signer: Any = None,
        curve_key: Any = None,
        **options: Any,
    ) -> bytes:
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Meter Makers"),
                x509.NameAttribute(NameOID.COMMON_NAME, common or "AB01 010A030B 01"),
                x509.NameAttribute(NameOID.SERIAL_NUMBER, options.pop("identifier", self.identifier)),
            ]
        )
        value = said if said is not None else statement(identifier=self.identifier)
        access = [
            x509.AccessDescription(AuthorityInformationAccessOID.OCSP, uri(f"{BASE}/ocsp")),
            x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, uri(f"{BASE}/ca/issuing.cer")),
        ]
        extensions = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (usage(digital_signature=True), True),
            (x509.ExtendedKeyUsage([x509.ObjectIdentifier(f"{self.arc}.3.1")]), False),
            (self.policy, False),
            (authority_key(self.issuing_key.public_key()), False),
            (x509.SubjectAlternativeName([uri(f"{BASE}/approvals/{self.identifier}")]), False),
            (pointer(self.crl_url), False),
            (x509.AuthorityInformationAccess(access), False),
            (x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{self.arc}.1"), value), False),
        ]
        kept = [item for item in extensions if type(item[0]) not in without]
        public = (curve_key or key("device")).public_key()
        options = {"serial": SERIAL, "begin": START, "end": EXPIRY, **options}
        return der(build(subject, self.issuing_name, public, signer or self.issuing_key, [*kept, *instead], **options))

    def crl(
        self,
        *ended: Any,
        at: datetime = NOW,
        until: Any = None,
        number: int = 7,
        without: Any = (),
        instead: Any = (),
        issuer: Any = None,
        signer: Any = None,
    ) -> bytes:
        """ended: (instant, ReasonFlags or None) for SERIAL, or (serial, instant, reason)."""
        builder = x509.CertificateRevocationListBuilder(issuer or self.issuing_name, at, until or at + 48 * HOUR)
        for item in ended:
            serial, when, reason = item if len(item) == 3 else (SERIAL, *item)
            entry = x509.RevokedCertificateBuilder(serial, when)
            if isinstance(reason, x509.UnrecognizedExtension):
                entry = entry.add_extension(reason, critical=True)
            elif reason is not None:
                entry = entry.add_extension(x509.CRLReason(reason), critical=False)
            builder = builder.add_revoked_certificate(entry.build())
        expired = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.60"), instant(BORN))
        extensions = [
            (authority_key(self.issuing_key.public_key()), False),
            (x509.CRLNumber(number), False),
            (expired, False),
        ]
        for extension, critical in [*(item for item in extensions if type(item[0]) not in without), *instead]:
            builder = builder.add_extension(extension, critical)
        return der(builder.sign(signer or self.issuing_key, hashes.SHA256(), ecdsa_deterministic=True))

    def root_crl(
        self, *ended: Any, at: datetime = BORN, until: Any = None, instead: Any = (), signer: Any = None
    ) -> bytes:
        return self.crl(
            *((7, *item) for item in ended),
            at=at,
            until=until or at + timedelta(days=365),
            number=1,
            without=(x509.AuthorityKeyIdentifier, x509.UnrecognizedExtension),
            instead=[(authority_key(self.root_key.public_key()), False), *instead],
            issuer=self.root_name,
            signer=signer or self.root_key,
        )

    def answer(
        self,
        ended: Any = None,
        *,
        at: datetime = NOW,
        until: Any = None,
        made: Any = None,
        hash_name: str = "sha256",
        serial: int = SERIAL,
        issuer: Any = None,
        issuer_key: Any = None,
        responder: Any = None,
        signer: Any = None,
        embed: bool = True,
        single_extensions: bytes = b"",
    ) -> bytes:
        """An OCSPResponse written by hand: cryptography's builder takes producedAt from the machine's clock."""
        responder, issuer = responder or self.responder, issuer or self.issuing
        algorithm, oid = {
            "sha1": (hashes.SHA1(), SHA1),
            "sha256": (hashes.SHA256(), SHA256),
            "sha384": (hashes.SHA384(), SHA384),
        }[hash_name]
        above = issuer_key or issuer.public_key()
        point = above.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        named = [tlv(4, hashed(algorithm, data)) for data in (issuer.subject.public_bytes(), point)]
        until = until or min(at + 12 * HOUR, max(EXPIRY, at))
        single = sequence(
            sequence(sequence(oid), *named, integer(serial)),
            tlv(0x82, b"") if ended == "unknown" else revoked(*ended) if ended else tlv(0x80, b""),
            instant(at),
            tlv(0xA0, instant(until)) if until != "never" else b"",
            tlv(0xA1, sequence(single_extensions)) if single_extensions else b"",
        )
        own = x509.SubjectKeyIdentifier.from_public_key(responder.public_key()).digest
        tbs = sequence(tlv(0xA2, tlv(4, own)), instant(made or at), sequence(single))
        signature = (signer or self.responder_key).sign(tbs, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        certificates = tlv(0xA0, sequence(der(responder))) if embed else b""
        basic = sequence(tbs, sequence(ECDSA_SHA256), tlv(3, b"\0" + signature), certificates)
        return sequence(tlv(10, b"\0"), tlv(0xA0, sequence(BASIC, tlv(4, basic))))


def hashed(algorithm: Any, data: bytes) -> bytes:
    context = hashes.Hash(algorithm)
    context.update(data)
    return context.finalize()


def revoked(at: datetime, reason: int | None) -> bytes:
    return tlv(0xA1, instant(at) + (tlv(0xA0, tlv(10, bytes([reason]))) if reason is not None else b""))


LONG = ("ESME", "M" * 30, "O" * 30, "H" * 30)
W = World()
FLAG = x509.ReasonFlags
AFTER = EXPIRY + SECOND
END = NOW - HOUR


def proved(world: World = W, **changes: Any) -> Verdict:
    """The verdict on the default world with some things changed."""
    at = changes.get("at", NOW)
    evidence = {
        "certificate": world.leaf(),
        "anchor": der(world.root),
        "issuers": [der(world.issuing)],
        "crls": [world.crl(at=at), world.root_crl()],
        "ocsp": world.answer(at=at),
        "at": at,
        "environment": world.environment,
        "arc": world.arc,
        **changes,
    }
    return prove(evidence.pop("certificate"), **evidence)


def with_answer(**options: Any) -> dict[str, Any]:
    return {"ocsp": W.answer(**options)}


def with_crl(*ended: Any, **options: Any) -> dict[str, Any]:
    return {"crls": [W.crl(*ended, **options), W.root_crl()], "ocsp": None}


def with_leaf(**options: Any) -> dict[str, Any]:
    # OCSP and list speak of the serial, so they fit whatever else the certificate says.
    return {"certificate": W.leaf(**options)}


def other_key() -> ec.EllipticCurvePrivateKey:
    return key("somebody else")

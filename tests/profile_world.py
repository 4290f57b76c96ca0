"""A sound hierarchy and order, and the means to spoil one thing about what is built of them.

The same in every run: its keys, serials and signatures follow from their names, so that the corpus made of it
(tests/lint_corpus) is the same files. They are TEST keys that everybody can work out, and sign nothing elsewhere.
"""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    SignatureAlgorithmOID,
)

from ca.clearance import Clearance
from ca.draft import Draft
from ca.hierarchy import issuing_draft, responder_draft, root_draft, statement_draft
from ca.issuer import build
from ca.issuer.order import Order
from ca.profile import TEST_ARC, Profile
from core.approval import Device, Firmware
from core.errors import Finding, Severity
from core.identifiers import Serial, new_serial, serial_number, serial_of
from policy import der
from policy.expected import trial_device_approval

PROFILE = Profile("test", TEST_ARC, "http://127.0.0.1:8470", "TEST Trial CPA")
AT = datetime(2027, 1, 4, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def private_key(name: str, curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    """The TEST key of that name: a secret that is a hash of it is none."""
    secret = hashlib.sha256(f"TEST key: {name}".encode()).digest()
    return ec.derive_private_key(int.from_bytes(secret, "big"), curve or ec.SECP256R1())


def public_key(name: str, curve: ec.EllipticCurve | None = None) -> bytes:
    key = private_key(name, curve).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def serial(name: str) -> Serial:
    return new_serial(lambda octets: hashlib.sha256(f"TEST serial: {name}".encode()).digest()[:octets])


THROWAWAY = private_key("throwaway")


def signature(
    tbs: bytes, key: ec.EllipticCurvePrivateKey = THROWAWAY, algorithm: hashes.HashAlgorithm | None = None
) -> bytes:
    """A BIT STRING with the signature, which is the same each time (RFC 6979)."""
    made = key.sign(tbs, ec.ECDSA(algorithm or hashes.SHA256(), deterministic_signing=True))
    return der.tlv(0x03, b"\x00" + made)


def signed(tbs: bytes, key: ec.EllipticCurvePrivateKey = THROWAWAY) -> bytes:
    algorithm = der.sequence(der.oid(SignatureAlgorithmOID.ECDSA_WITH_SHA256))
    return der.sequence(tbs, algorithm, signature(tbs, key))


def draft_of(tbs: bytes, serial: Serial) -> Draft:
    return Draft(serial, tbs, signed(tbs))


def drafted(draft: Draft, signer: str = "throwaway") -> Draft:
    """The same draft, its preview under a key that is the same each time: a throwaway, or the issuer's own."""
    return Draft(draft.serial, draft.tbs, signed(draft.tbs, private_key(signer)))


def a_root(at: datetime = AT, profile: Profile = PROFILE) -> Draft:
    return drafted(root_draft(profile, public_key("root"), serial("root"), at), "root")


def an_issuing(
    root: Draft, at: datetime = AT, profile: Profile = PROFILE, *, key: str = "issuing", number: int = 1
) -> Draft:
    trial = timedelta(days=730)
    return drafted(
        issuing_draft(profile, root.preview, public_key(key), serial(key), at, longest_trial=trial, number=number),
        "root",
    )


def a_responder(issuing: Draft, at: datetime = AT, *, signer: str = "issuing") -> Draft:
    responder = responder_draft(PROFILE, issuing.preview, public_key("responder"), serial("responder"), at)
    return drafted(responder, signer)


def a_statement_signer(issuing: Draft, at: datetime = AT) -> Draft:
    return drafted(
        statement_draft(PROFILE, issuing.preview, public_key("statement"), serial("statement"), at), "issuing"
    )


ROOT = a_root()
ISSUING = an_issuing(ROOT)
RESPONDER = a_responder(ISSUING)
STATEMENT = a_statement_signer(ISSUING)

ORDER = Order(
    serial=serial("certificate"),
    approval="TDT-2027-0042-5",
    issue=1,
    certificate_name="Maker Ltd",
    device=Device("ESME", "AB01", "010A030B", "01"),
    firmware=(Firmware("0002012F", "ab" * 32), Firmware("9001", "cd" * 32)),
    start=datetime(2027, 1, 4, tzinfo=UTC),
    expiry=datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC),
    not_before=datetime(2027, 1, 4, tzinfo=UTC),
    not_after=datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC),
    maximum_devices=500,
    public_key=public_key("device"),
    proposal_digest=bytes(range(32)),
    issuer=ISSUING.preview,
)
GOOD = drafted(build.draft(PROFILE, ORDER))
ISSUING_ENDS = x509.load_der_x509_certificate(ISSUING.preview).not_valid_after_utc
APPROVAL_OID = x509.ObjectIdentifier(PROFILE.extension_oid)


def own_codes(outcome: Clearance | tuple[Finding, ...]) -> set[str]:
    """The codes of our own rules; pkilint may have found the same thing, or nothing."""
    assert isinstance(outcome, tuple), "it was cleared"
    assert all(finding.severity is not Severity.NOTICE and finding.detail for finding in outcome)
    return {finding.code for finding in outcome if not finding.code.startswith("lint.")}


Extension = tuple[x509.ExtensionType, bool] | None


def rebuilt(  # one knob for each field of a certificate
    base: Draft,
    *,
    serial: Serial | None = None,
    issuer: x509.Name | None = None,
    subject: x509.Name | None = None,
    key: bytes | None = None,
    begins: datetime | None = None,
    ends: datetime | None = None,
    extensions: dict[x509.ObjectIdentifier, Extension] | None = None,
    algorithm: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None = None,
    signer: str = "throwaway",
) -> Draft:
    """The same certificate with something else in it; an extension given as None is left out."""
    read = x509.load_der_x509_certificate(base.preview)
    number = serial_number(serial or base.serial)
    builder = x509.CertificateBuilder(
        issuer_name=issuer or read.issuer,
        subject_name=subject or read.subject,
        public_key=read.public_key() if key is None else _loaded(key),
        serial_number=number,
        not_valid_before=begins or read.not_valid_before_utc,
        not_valid_after=ends or read.not_valid_after_utc,
    )
    changed = dict(extensions or {})
    for each in read.extensions:
        after = changed.pop(each.oid, (each.value, each.critical))
        if after is not None:
            builder = builder.add_extension(*after)
    for added in changed.values():
        assert added is not None
        builder = builder.add_extension(*added)
    preview = builder.sign(private_key(signer), algorithm or hashes.SHA256(), ecdsa_deterministic=True)
    return Draft(serial_of(number), preview.tbs_certificate_bytes, preview.public_bytes(Encoding.DER))


def _loaded(key: bytes) -> ec.EllipticCurvePublicKey:
    loaded = load_der_public_key(key)
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    return loaded


def octets_replaced(old: bytes, new: bytes, *, base: Draft = GOOD) -> Draft:
    """The same certificate with octets replaced, all lengths mended: for what no builder writes."""
    content = base.tbs[4:]  # the header of a SEQUENCE of 256 to 65535 octets
    assert content.count(old) >= 1
    return draft_of(der.sequence(mended(content, old, new)), base.serial)


def mended(content: bytes, old: bytes, new: bytes) -> bytes:
    """Replace within nested TLVs, so that each length around the change is right again."""
    out, place = b"", 0
    while place < len(content):
        size, start = content[place + 1], place + 2
        if size & 0x80:
            octets = size & 0x7F
            size, start = int.from_bytes(content[start : start + octets], "big"), start + octets
        whole, inside = content[place : start + size], content[start : start + size]
        if whole == old:
            whole = new
        elif old in inside and content[place] & 0x20:
            whole = der.tlv(content[place], mended(inside, old, new))
        elif old in inside:
            whole = der.tlv(content[place], inside.replace(old, new))
        out, place = out + whole, start + size
    return out


def changed_order(**values: object) -> Order:
    return replace(ORDER, **values)  # type: ignore[arg-type]


def a_name(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _access(first: x509.ObjectIdentifier, url: str) -> x509.ExtensionType:
    return x509.AuthorityInformationAccess([x509.AccessDescription(first, x509.UniformResourceIdentifier(url))])


URL = x509.UniformResourceIdentifier("http://127.0.0.1:8470/elsewhere")
OTHER_VALUES: dict[str, x509.ExtensionType] = {
    "basic-constraints": x509.BasicConstraints(ca=True, path_length=None),
    "key-usage": x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    ),
    "extended-key-usage": x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]),
    "certificate-policies": x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier(f"{TEST_ARC}.2.1"), None)]
    ),
    "subject-key-identifier": x509.SubjectKeyIdentifier(bytes(8)),
    "authority-key-identifier": x509.AuthorityKeyIdentifier(bytes(8), None, None),
    "subject-alternative-name": x509.SubjectAlternativeName([URL]),
    "crl-distribution-points": x509.CRLDistributionPoints([x509.DistributionPoint([URL], None, None, None)]),
    "authority-information-access": _access(AuthorityInformationAccessOID.OCSP, PROFILE.ocsp_url),
    "trial-device-approval": x509.UnrecognizedExtension(
        APPROVAL_OID, trial_device_approval(changed_order(maximum_devices=501))
    ),
}

"""Certificate signing requests: read, and judged by what they must not be. Only the public key goes any further.

PKCS#10 (RFC 2986) from strangers, in the forms in which the industry's own PKI takes them. What cannot be read is
malformed; what can be read and is not acceptable is refused with everything that is wrong about it.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.errors import CsrMalformed, CsrTooLarge, Finding, RulesRefused, Severity
from core.plain_text import UTF8_MARK, looks_like
from policy import der as der_writer

LARGEST_CSR = 16 * 1024
"""Octets, as sent. A request with an elliptic curve key has a few hundred; one with RSA-16384 still fits, so that it
is refused for its key and not for its size."""

Curve = Literal["P-256", "P-384"]

_CURVES: dict[str, Curve] = {"secp256r1": "P-256", "secp384r1": "P-384"}
_CURVE_OIDS = (bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06052b81040022"))
_EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_WEAK_HASHES = (hashes.MD5, hashes.SHA1)

# RFC 2986 (9.14 of PKCS#9) and the older form of one vendor, which carries the same extensions.
_EXTENSION_REQUESTS = (
    x509.ObjectIdentifier("1.2.840.113549.1.9.14"),
    x509.ObjectIdentifier("1.3.6.1.4.1.311.2.1.14"),
)

_ARMOUR = re.compile(rb"-----BEGIN ((?:NEW )?CERTIFICATE REQUEST)-----([^-]*)-----END \1-----")
_PRIVATE = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")

# AlgorithmIdentifiers of ECDSA with SHA-1 and with SHA-224 to SHA-512, with the NULL that RFC 5758 (3.2) forbids.
_NULL_PARAMETERS = (
    re.compile(re.escape(bytes.fromhex("300b06072a8648ce3d0401")) + rb"\x05\x00"),
    re.compile(re.escape(bytes.fromhex("300c06082a8648ce3d0403")) + rb"[\x01-\x04]\x05\x00"),
)

# CertificationRequest, CertificationRequestInfo, its version of one octet.
_VERSION = re.compile(rb"\x30(?:[\x00-\x7f]|\x81.|\x82..)\x30(?:[\x00-\x7f]|\x81.|\x82..)\x02\x01(.)", re.DOTALL)

# What `cryptography` was seen to raise, or documents, for hostile bytes. A Warning is one only where somebody runs
# the interpreter with warnings as errors; it is about the requested names, which nobody here reads.
_UNREADABLE = (
    ValueError,
    TypeError,
    NotImplementedError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    Warning,
)


@dataclass(frozen=True)
class ParsedCsr:
    """A request that may be certified.

    Args:
        der: the request.
        public_key: its key, DER SubjectPublicKeyInfo (RFC 5480), uncompressed point on a named curve.
        public_key_sha256: of those octets, 64 lower-case hexadecimal digits.
        curve: which.
        notices: what its tool has done otherwise than it should, and does no harm.
    """

    der: bytes
    public_key: bytes
    public_key_sha256: str
    curve: Curve
    notices: tuple[Finding, ...] = ()


def parse(data: bytes) -> ParsedCsr:
    """Read and judge one request.

    Args:
        data: PEM headed `CERTIFICATE REQUEST` or `NEW CERTIFICATE REQUEST`, with any text before and after it (RFC
            7468, 2 and 5.2), base64 without a header, or DER.

    Raises:
        CsrTooLarge: above LARGEST_CSR.
        CsrMalformed: it cannot be read, is cut off, or is not exactly one request.
        RulesRefused: it can be read and is not acceptable; all findings at once.
    """
    if len(data) > LARGEST_CSR:
        raise CsrTooLarge(limit=LARGEST_CSR)
    der = _der(data)
    try:
        request = x509.load_der_x509_csr(der)
    except _UNREADABLE:
        request, null_parameters = _without_null_parameters(der), True
    else:
        # Beside SHA-2, where it refuses it, the library lets a NULL pass.
        after_signed = der.find(request.tbs_certrequest_bytes) + len(request.tbs_certrequest_bytes)
        null_parameters = any(pattern.match(der, after_signed) for pattern in _NULL_PARAMETERS)
    findings = tuple(_findings(request))
    notices = (_NULL_PARAMETERS_TAKEN,) if null_parameters else ()
    if findings:
        raise RulesRefused((*findings, *notices))
    key = request.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return ParsedCsr(
        der=der,
        public_key=spki,
        public_key_sha256=hashlib.sha256(spki).hexdigest(),
        curve=_CURVES[key.curve.name],
        notices=notices,
    )


# --- reading -----------------------------------------------------------------------------------------------------


def _der(data: bytes) -> bytes:
    """Undo PEM or base64, whatever the line lengths and line ends."""
    if data[:1] == b"\x30":
        return data  # base64 of a SEQUENCE begins with M, so this is DER already
    require_no_private_key(data)
    other = looks_like(data)
    if other:
        raise CsrMalformed(detail=other)
    stripped = data.removeprefix(UTF8_MARK).strip()  # some editors write a byte order mark before PEM
    if not stripped:
        raise CsrMalformed(detail="it is empty")
    if b"-----" in stripped:
        stripped = _dearmoured(stripped)
    try:
        der = base64.b64decode(b"".join(stripped.split()), validate=True)
    except (binascii.Error, ValueError):
        raise CsrMalformed(detail="it is neither PEM nor base64 nor DER, or is cut off") from None
    if der[:1] != b"\x30":
        raise CsrMalformed(detail="what the base64 holds is not a PKCS#10 request")
    return der


def require_no_private_key(data: bytes) -> None:
    """Whoever has sent a private key is told so before anything else: the key is spent, whatever else is wrong."""
    for encoding in ("latin-1", "utf-16-le", "utf-16-be"):
        if _PRIVATE.search(data.decode(encoding, "replace")):
            raise CsrMalformed(detail="it holds a private key, which must never be sent; make a new key and keep it")


def _dearmoured(text: bytes) -> bytes:
    if text.count(b"-----BEGIN ") > 1:
        raise CsrMalformed(detail="it holds more than one PEM block; one request is taken at a time")
    armour = _ARMOUR.search(text)
    if armour is not None:
        return armour[2]
    if b"REQUEST-----" not in text:
        raise CsrMalformed(detail="its PEM header is not CERTIFICATE REQUEST")
    if b"-----END " not in text:
        raise CsrMalformed(detail="it is cut off: the END line is missing")
    raise CsrMalformed(detail="there is something else inside its PEM block")


def _without_null_parameters(der: bytes) -> x509.CertificateSigningRequest:
    """Read a request whose only fault may be a NULL in the algorithm identifier of its signature.

    `cryptography` refuses such a request without saying why. If it reads the same bytes without the NULL, that was
    the fault; what is signed is untouched, so that everything else can still be judged.

    Raises:
        CsrMalformed: it cannot be read without the NULL either.
    """
    version = _VERSION.match(der)
    if version is not None and version[1] != b"\x00":
        told = f"its version is {version[1][0]}, and PKCS#10 has only version 0, which tools show as 1 (RFC 2986, 4.1)"
        raise CsrMalformed(detail=told)
    places = [found for pattern in _NULL_PARAMETERS for found in pattern.finditer(der)]
    if not places:
        raise CsrMalformed(detail="it is not a PKCS#10 request, or is cut off")
    last = max(places, key=lambda found: found.start())  # the signature's identifier follows what is signed
    identifier = last[0][:1] + bytes([last[0][1] - 2]) + last[0][2:-2]
    header = 2 + (der[1] & 0x7F if der[1] & 0x80 else 0)
    content = der[header : last.start()] + identifier + der[last.end() :]
    try:
        return x509.load_der_x509_csr(der_writer.sequence(content))
    except _UNREADABLE:
        raise CsrMalformed(detail="it is not a PKCS#10 request, or is cut off") from None


# --- judging -----------------------------------------------------------------------------------------------------


_NULL_PARAMETERS_TAKEN = Finding(
    code="csr.null-parameters",
    clause="RFC 5758 3.2",
    severity=Severity.NOTICE,
    detail="The algorithm identifier of the request's signature carries NULL parameters, which ECDSA leaves out.",
    remedy="Nothing needs doing: the signature holds, and the certificate does not repeat it. mbed TLS 2.28 writes so.",
)


def _findings(request: x509.CertificateSigningRequest) -> Iterator[Finding]:
    usable_key = None
    for found in _key_findings(request):
        if isinstance(found, Finding):
            yield found
        else:
            usable_key = found
    hash_finding = _hash_finding(request, elliptic=usable_key is not None)
    if hash_finding is not None:
        yield hash_finding
    # A signature is judged only under a key and a hash that we take: for others the answer would be about the
    # cryptographic library's own limits (it answers “wrong” to every SHA-1), and verifying costs most for them.
    if usable_key is not None and hash_finding is None and not _signature_valid(request):
        yield _finding(
            "csr.signature-wrong",
            "RFC 2986 4.2",
            "The request is not signed with the private key that belongs to its public key.",
            "Make the request again with the device's own key; do not edit a request afterwards.",
        )
    yield from _extension_findings(request)


def _key_findings(request: x509.CertificateSigningRequest) -> Iterator[Finding | ec.EllipticCurvePublicKey]:
    signed = request.tbs_certrequest_bytes
    elliptic = _EC_PUBLIC_KEY in signed
    try:
        key = request.public_key()
    except (UnsupportedAlgorithm, NotImplementedError):
        yield _curve_finding("an unknown or unusable curve") if elliptic else _type_finding("unknown")
    except _UNREADABLE:
        yield _finding(
            "csr.key-invalid",
            "RFC 5480 2.2",
            "The public key is not a valid one: its numbers are not a point on the curve, or not a key at all.",
            _MAKE_P256,
        )
    else:
        if isinstance(key, rsa.RSAPublicKey):
            yield _finding(
                "csr.key-rsa",
                "RFC 5480 2.1.1",
                f"The key is RSA with {key.key_size} bits; device certificates here are for elliptic curve keys only.",
                _MAKE_P256,
            )
        elif not isinstance(key, ec.EllipticCurvePublicKey):
            yield _type_finding(type(key).__name__.removesuffix("PublicKey"))
        elif key.curve.name not in _CURVES:
            yield _curve_finding(key.curve.name)
        elif key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) in signed:
            yield key
        elif any(_EC_PUBLIC_KEY + oid in signed for oid in _CURVE_OIDS):
            yield _finding(
                "csr.key-compressed",
                "RFC 5480 2.2",
                "The public key is written as a compressed or hybrid point, so a certificate could not repeat it.",
                "Make the request with the key in uncompressed form (openssl: -conv_form uncompressed).",
            )
        else:
            yield _curve_finding("a curve written out in parameters instead of named")


def _hash_finding(request: x509.CertificateSigningRequest, *, elliptic: bool) -> Finding | None:
    try:
        algorithm = request.signature_hash_algorithm
    except _UNREADABLE:
        algorithm = None
    if isinstance(algorithm, _HASHES) or (algorithm is None and not elliptic):
        return None  # keys of other kinds come with signatures that name no hash: the key is finding enough
    if isinstance(algorithm, _WEAK_HASHES):
        return _finding(
            "csr.hash-weak",
            "RFC 6194",
            f"The request is signed with {algorithm.name.upper()}, which proves nothing any more.",
            "Sign it with SHA-256 (openssl req -sha256).",
        )
    return _finding(
        "csr.hash-unsupported",
        "RFC 5758 3.2",
        "The request is not signed by ECDSA with SHA-256, SHA-384 or SHA-512.",
        "Sign it with SHA-256 (openssl req -sha256).",
    )


def _signature_valid(request: x509.CertificateSigningRequest) -> bool:
    try:
        return request.is_signature_valid
    except _UNREADABLE:
        return False


def _extension_findings(request: x509.CertificateSigningRequest) -> Iterator[Finding]:
    """What is requested beside the key is never granted; what is requested wrongly is refused, not passed over."""
    try:
        if sum(attribute.oid in _EXTENSION_REQUESTS for attribute in request.attributes) > 1:
            yield _duplicate("It asks for extensions twice over.")
        for extension in request.extensions:
            if isinstance(extension.value, x509.UnrecognizedExtension) and extension.critical:
                yield _finding(
                    "csr.unknown-critical-extension",
                    "RFC 5280 4.2",
                    f"It asks for a critical extension that is unknown here, {extension.oid.dotted_string}.",
                    "Ask for no extensions: the certificate's contents follow from the approval.",
                )
            if isinstance(extension.value, x509.BasicConstraints) and extension.value.ca:
                yield _finding(
                    "csr.asks-for-ca",
                    "RFC 5280 4.2.1.9",
                    "It asks to become a certificate authority (CA:TRUE).",
                    "Leave basicConstraints out, or say CA:FALSE.",
                )
    except x509.DuplicateExtension as duplicate:
        yield _duplicate(f"It asks for the extension {duplicate.oid.dotted_string} more than once.")
    except _UNREADABLE:
        yield _finding(
            "csr.extension-unreadable",
            "RFC 5280 4.2",
            "The attributes or extensions that it asks for cannot be read.",
            "Ask for no extensions: the certificate's contents follow from the approval.",
        )


_MAKE_P256 = "Make a P-256 key (openssl ecparam -name prime256v1 -genkey) and a request with it."


def _duplicate(detail: str) -> Finding:
    return _finding("csr.duplicate-extension", "RFC 5280 4.2", detail, "Name each extension once, or none.")


def _curve_finding(name: str) -> Finding:
    return _finding(
        "csr.key-curve", "RFC 5480 2.1.1.1", f"The key is on {name}; P-256 and P-384 are accepted, named.", _MAKE_P256
    )


def _type_finding(name: str) -> Finding:
    return _finding("csr.key-type", "RFC 5480 2.1.1", f"The key is of the type {name}, which is not taken.", _MAKE_P256)


def _finding(code: str, clause: str, detail: str, remedy: str) -> Finding:
    return Finding(code=code, clause=clause, severity=Severity.FATAL, detail=detail, remedy=remedy)

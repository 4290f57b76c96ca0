"""How nearly every OCSP request is written: one CertID of one of our issuing CAs, and nothing else (RFC 6960, 4.1.1).

What has one of these shapes is read by comparing octets. All else is read by a parser, and answered no differently.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from asn1crypto import algos
from asn1crypto import ocsp as der
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp

from core.identifiers import SERIAL_OCTETS, Serial
from core.kinds import HierarchyRole
from core.mirror import AuthorityView, HashName

CertId: TypeAlias = "tuple[HashName, bytes, bytes]"
"""What an OCSP CertID says of the issuer: hash name, issuerNameHash, issuerKeyHash."""

Shapes: TypeAlias = "Mapping[int, Mapping[bytes, CertId]]"
"""By a request's octets in all: how it may begin, up to the octets of the serial number, which are its last, and whom
that names."""

_HASHES: Mapping[HashName, hashes.HashAlgorithm] = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}  # noqa: S303 - RFC 5019 clients ask with SHA-1; it identifies and proves nothing

_SEQUENCE = 0x30
_SMALLEST = 1 << (8 * SERIAL_OCTETS - 2)
"""As a number, a serial whose first two bits are 01, as in all of ours: no octet is added to write it."""


def issuers_of(authority: AuthorityView) -> Mapping[CertId, str]:
    """Return what a CertID says of each issuing CA: its name and its key's bits, hashed (RFC 6960, 4.1.1)."""
    issuers: dict[CertId, str] = {}
    for one in authority.certificates:
        if one.role != HierarchyRole.ISSUING:
            continue
        certificate = x509.load_der_x509_certificate(one.der)
        asked = ocsp.OCSPRequestBuilder()
        for name, algorithm in _HASHES.items():
            # The builder takes the key's hash from its second argument and the name's from the first one's issuer,
            # which for this certificate is the root: the name is hashed here.
            key_hash = asked.add_certificate(certificate, certificate, algorithm).build().issuer_key_hash
            name_hash = hashlib.new(name, certificate.subject.public_bytes(), usedforsecurity=False).digest()
            issuers[name, name_hash, key_hash] = one.key_id
    return issuers


def shapes(issuers: Iterable[CertId]) -> Shapes:
    """Return the shapes of the requests about issuing CAs: the hash's parameters are NULL or absent (RFC 5754, 2)."""
    found: dict[int, dict[bytes, CertId]] = {}
    for name, name_hash, key_hash in issuers:
        for algorithm in _algorithms(name):
            identifier = {"hash_algorithm": algorithm, "issuer_name_hash": name_hash, "issuer_key_hash": key_hash}
            about = {"req_cert": {**identifier, "serial_number": _SMALLEST}}
            octets = der.OCSPRequest({"tbs_request": {"request_list": [about]}}).dump()
            found.setdefault(len(octets), {})[octets[:-SERIAL_OCTETS]] = (name, name_hash, key_hash)
    return found


def serial_asked(known: Shapes, request: bytes) -> Serial | None:
    """Return the serial number that a request of one of the shapes asks about; None of any other request."""
    if request[:-SERIAL_OCTETS] not in known.get(len(request), ()):
        return None
    return Serial(request[-SERIAL_OCTETS:].hex().upper())


def issuer_asked(known: Shapes, request: bytes) -> CertId:
    """Return the issuer that a request of one of the shapes names; KeyError of any other."""
    return known[len(request)][request[:-SERIAL_OCTETS]]


def _algorithms(name: HashName) -> tuple[algos.DigestAlgorithm, algos.DigestAlgorithm]:
    identifier = algos.DigestAlgorithmId(name).dump()
    bare = algos.DigestAlgorithm.load(bytes([_SEQUENCE, len(identifier)]) + identifier)
    return algos.DigestAlgorithm({"algorithm": name}), bare

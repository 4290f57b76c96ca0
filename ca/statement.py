"""What the authority states as a file: a CMS signature that lies beside it (RFC 5652), as every stock tool reads it.

The content is `id-data` and not in the message. What is signed are attributes: kind of content, instant, digest and the
signer's certificate (RFC 5035), so that no other certificate of the key can be put in its place.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from asn1crypto import cms

from ca import der as write
from ca.certificates import issuer, signature_holds
from ca.signing import holds_key, verified_signature
from core.identifiers import Serial, serial_number
from keys.signer import Signer

_DATA, _SIGNED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2"
_CONTENT_TYPE, _MESSAGE_DIGEST, _SIGNING_TIME = (f"1.2.840.113549.1.9.{number}" for number in (3, 4, 5))
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_LONGEST = 64 * 1024
"""Octets of a signature with its certificates; ours have four thousand."""

_SHA_256 = write.sequence(write.oid("2.16.840.1.101.3.4.2.1"))
"""AlgorithmIdentifier without parameters (RFC 5754, 2)."""


def stated(content: bytes, signer: Signer, certificates: Sequence[bytes], serial: Serial, at: datetime) -> bytes:
    """Return a detached CMS signature over some octets; see `stated_by_digest`."""
    return stated_by_digest(hashlib.sha256(content).digest(), signer, certificates, serial, at)


def stated_by_digest(
    sha256: bytes, signer: Signer, certificates: Sequence[bytes], serial: Serial, at: datetime
) -> bytes:
    """Return a detached CMS signature over some octets, DER. Stated again at the same instant it is the same.

    Args:
        sha256: the digest of what is stated: it may be longer than anybody wants to hold.
        signer: holds the statement signer's key.
        certificates: the signer's, DER, then the CAs above it that a relying party may lack.
        serial: of the signer's certificate.
        at: the instant of signing, as it is said.

    Raises:
        IssuerMismatch: the key is not the certificate's.
        SignatureWrong: the signature does not verify.
    """
    own = issuer(certificates[0])
    holds_key(signer, own.public_key, serial)
    attributes = _set(
        (
            _attribute(_CONTENT_TYPE, write.oid(_DATA)),
            _attribute(_SIGNING_TIME, write.time(at)),
            _attribute(_MESSAGE_DIGEST, write.octet_string(sha256)),
            _attribute(_SIGNING_CERTIFICATE_V2, _signing_certificate(certificates[0])),
        )
    )
    signature = verified_signature(signer, write.tlv(0x31, attributes), serial)
    said = write.sequence(
        write.integer(1),
        write.sequence(write.name(own.parsed.issuer), write.integer(serial_number(serial))),
        _SHA_256,
        write.explicit(0, attributes),
        write.ECDSA_WITH_SHA256,
        write.octet_string(signature),
    )
    return write.sequence(
        write.oid(_SIGNED_DATA),
        write.explicit(
            0,
            write.sequence(
                write.integer(1),
                write.tlv(0x31, _SHA_256),
                write.sequence(write.oid(_DATA)),
                write.explicit(0, _set(certificates)),
                write.tlv(0x31, said),
            ),
        ),
    )


def statement_holds(signature: bytes, sha256: bytes, certificate: bytes) -> bool:
    """Return whether a detached CMS signature, as `stated_by_digest` returns it, is a certificate's over some octets.

    Args:
        signature: as it is kept, by whomever: DER.
        sha256: the digest of the octets.
        certificate: of the signer, DER.
    """
    if len(signature) > _LONGEST:
        return False
    try:
        (said,) = cms.ContentInfo.load(signature, strict=True)["content"]["signer_infos"]
        digests = [each["values"][0].native for each in said["signed_attrs"] if each["type"].native == "message_digest"]
        signed, value = said["signed_attrs"].untag().dump(), said["signature"].native
        return digests == [sha256] and signature_holds(issuer(certificate).public_key, signed, value)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        return False


def _set(members: Sequence[bytes]) -> bytes:
    """The contents of a SET OF, in the one order that DER has for it (X.690, 11.6)."""
    return b"".join(sorted(members))


def _attribute(kind: str, value: bytes) -> bytes:
    return write.sequence(write.oid(kind), write.tlv(0x31, value))


def _signing_certificate(der: bytes) -> bytes:
    """SigningCertificateV2 with one ESSCertIDv2; SHA-256 is the default and so is not written."""
    return write.sequence(write.sequence(write.sequence(write.octet_string(hashlib.sha256(der).digest()))))

"""OCSP answers, signed ahead (RFC 6960; RFC 9919, which replaces RFC 5019): one certificate, one CertID, no nonce."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache

from ca import der as write
from ca.certificates import issuer, key_digest
from ca.clearance import Clearance, ClearanceKind
from ca.signing import cleared, holds_key, verified_signature
from core.errors import IssuerMismatch
from core.identifiers import Serial, serial_number
from core.mirror import HashName
from core.status import Revoked
from keys.signer import Signer, throwaway

# OCSPResponse with a responseStatus and nothing else (RFC 6960, 4.2.1): the same octets for everybody, unsigned.
MALFORMED = bytes.fromhex("30030a0101")
INTERNAL_ERROR = bytes.fromhex("30030a0102")
TRY_LATER = bytes.fromhex("30030a0103")
UNAUTHORIZED = bytes.fromhex("30030a0106")

_SUCCESSFUL = write.tlv(0x0A, b"\x00")
_BASIC_RESPONSE = write.oid("1.3.6.1.5.5.7.48.1.1")
_GOOD = b"\x80\x00"
_HASH_OIDS: dict[HashName, str] = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1"}


@dataclass(frozen=True)
class OcspOrder:
    """What an answer says.

    Args:
        issuer_der: the certificate of the CA that issued the one asked about, DER.
        responder_der: the responder's certificate, DER: named by its key and embedded.
        serial: of the certificate asked about.
        hash_name: the hash of the CertID.
        revoked: its status; None says good. The caller asks only about serials in the register.
        this_update, next_update: its validity, aware UTC whole seconds; producedAt is thisUpdate.
    """

    issuer_der: bytes
    responder_der: bytes
    serial: Serial
    hash_name: HashName
    revoked: Revoked | None
    this_update: datetime
    next_update: datetime


@dataclass(frozen=True)
class OcspDraft:
    """An answer that has everything but its signature.

    Args:
        serial: of the certificate it speaks of.
        tbs: ResponseData, DER.
        responder_der: the responder that it names, DER.
    """

    serial: Serial
    tbs: bytes
    responder_der: bytes

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the to-be-signed bytes, 32 octets."""
        return hashlib.sha256(self.tbs).digest()

    @property
    def preview(self) -> bytes:
        """A whole OCSPResponse, DER: the same bytes under a throwaway key. Made when asked for."""
        signature = throwaway(issuer(self.responder_der).public_key).sign(self.tbs)
        return _response(self.tbs, signature, self.responder_der)


@dataclass(frozen=True)
class OcspAnswer:
    """A signed answer.

    Args:
        der: OCSPResponse, DER.
        signature: that is in it, as it was verified, DER.
    """

    der: bytes
    signature: bytes


def draft(order: OcspOrder) -> OcspDraft:
    """Return the exact bytes of an answer (RFC 6960, 4.2.1). The same order gives the same bytes.

    Args:
        order: what it says.
    """
    single = write.sequence(
        write.sequence(_issuer_part(order.issuer_der, order.hash_name), write.integer(serial_number(order.serial))),
        _GOOD if order.revoked is None else _revoked(order.revoked),
        write.generalized_time(order.this_update),
        # Without nextUpdate newer information would always be to be had (RFC 6960, 4.2.2.1) and caches keep for ever.
        write.explicit(0, write.generalized_time(order.next_update)),
    )
    produced_at = write.generalized_time(order.this_update)
    tbs = write.sequence(_responder_id(order.responder_der), produced_at, write.sequence(single))
    return OcspDraft(order.serial, tbs, order.responder_der)


def sign(answer: OcspDraft, clearance: Clearance, signer: Signer, responder_der: bytes) -> OcspAnswer:
    """Return the whole answer, signed by the responder. Signed again it is the same, octet by octet.

    Left to the caller: that the finished octets are read again before anybody else sees them.

    Args:
        answer: what to sign.
        clearance: policy's word on exactly these bytes.
        signer: holds the responder's private key.
        responder_der: the responder's certificate, DER.

    Raises:
        NotCleared: policy did not see these bytes.
        IssuerMismatch: the answer names another responder, or the key is another one's.
        SignatureWrong: the signature does not verify.
    """
    label = f"The OCSP answer for {answer.serial}"
    cleared(clearance, ClearanceKind.OCSP, answer.digest, label)
    if answer.responder_der != responder_der:
        raise IssuerMismatch(serial=label, detail="it names another responder")
    holds_key(signer, issuer(responder_der).public_key, label)
    signature = verified_signature(signer, answer.tbs, label)
    return OcspAnswer(_response(answer.tbs, signature, responder_der), signature)


def _response(tbs: bytes, signature: bytes, responder_der: bytes) -> bytes:
    basic = write.sequence(
        tbs,
        write.ECDSA_WITH_SHA256,
        write.bit_string(signature),
        write.explicit(0, write.sequence(responder_der)),
    )
    return write.sequence(_SUCCESSFUL, write.explicit(0, write.sequence(_BASIC_RESPONSE, write.octet_string(basic))))


def _revoked(revoked: Revoked) -> bytes:
    # RevokedInfo under the implicit tag 1; the reason is never left out: it tells an expiry from a revocation.
    reason = write.explicit(0, write.tlv(0x0A, bytes((revoked.reason,))))
    return write.explicit(1, write.generalized_time(revoked.at), reason)


@lru_cache(maxsize=64)
def _issuer_part(issuer_der: bytes, hash_name: HashName) -> bytes:
    """The part of a CertID (RFC 6960, 4.1.1) that all certificates of one CA share."""
    above = issuer(issuer_der)
    name_digest = hashlib.new(hash_name, above.name, usedforsecurity=False).digest()
    return b"".join(
        (
            # Without parameters, as RFC 5754 (2) prefers; readers accept both.
            write.sequence(write.oid(_HASH_OIDS[hash_name])),
            write.octet_string(name_digest),
            write.octet_string(key_digest(above.public_key, hash_name)),
        ),
    )


@lru_cache(maxsize=64)
def _responder_id(responder_der: bytes) -> bytes:
    """ResponderID byKey: always SHA-1 (RFC 6960, 4.2.1), whatever the CertID uses."""
    return write.explicit(2, write.octet_string(key_digest(issuer(responder_der).public_key, "sha1")))

"""A statement that is authorised by a passkey (WebAuthn level 3): a third kind of proof, beside key in file or token.

A browser shows what a page tells it to show. What is proved here is that the passkey on the roster answered, to the
page of the origin on the roster, with its owner present and verified, for the digest of exactly this statement; that
its owner knew what it says is not. Therefore a passkey is not enough for everything (officers/means.py).
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from pydantic import BaseModel, StringConstraints

from core.canonical import Json, read_json
from core.errors import AuthorisationRefused, RosterUnusable
from core.kinds import AuthorisationFlaw
from officers.parsing import STRICT
from officers.statement import MOST_OCTETS, Authorisation, Statement

TYPE = "trialcpa-passkey-1"
"""How a proof of this kind begins; another algorithm, or other octets, is another type. It means ES256 (COSE -7)."""

LONGEST_CREDENTIAL = 1_023
"""Octets of a credential's identifier (WebAuthn, 4, “Credential ID”)."""

LONGEST_ORIGIN = 200

PRESENT, VERIFIED, ATTESTED, EXTENDED = 0x01, 0x04, 0x40, 0x80
"""Flags of authenticator data (WebAuthn, 6.1)."""

_DATA_OCTETS = 37
"""Of authenticator data without attested credential and extensions: 32 of rpIdHash, 1 of flags, 4 of the counter."""

_PARTS = 4
_PART = re.compile(r"[A-Za-z0-9_-]+")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")


@dataclass(frozen=True, kw_only=True)
class Passkey:
    """What makes a key on the roster a passkey.

    Args:
        credential: the identifier by which browsers find it.
        origin: of the pages that may ask it; their host is the relying party's identifier.
    """

    credential: bytes
    origin: str

    @property
    def relying(self) -> str:
        """The identifier of the relying party."""
        return urlsplit(self.origin).hostname or ""

    def document(self) -> dict[str, Json]:
        """Return it as JSON."""
        return {"credential": self.credential.hex(), "origin": self.origin}


class WrittenPasskey(BaseModel):
    """A passkey in JSON, strictly read."""

    model_config = STRICT
    credential: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})+$", max_length=2 * LONGEST_CREDENTIAL)]
    origin: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ORIGIN)]

    def passkey(self) -> Passkey:
        """Return it; RosterUnusable."""
        return new_passkey(bytes.fromhex(self.credential), self.origin)


def new_passkey(credential: bytes, origin: str) -> Passkey:
    """Return a passkey.

    Raises:
        RosterUnusable: its identifier is none, or its origin is not https or http://localhost, with nothing behind it.
    """
    if not 1 <= len(credential) <= LONGEST_CREDENTIAL:
        raise RosterUnusable(detail=f"a passkey's identifier has 1 to {LONGEST_CREDENTIAL} octets")
    try:
        parts = urlsplit(origin)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        raise RosterUnusable(detail="a passkey's origin is no origin") from None
    host = parts.hostname or ""
    plain = origin == f"{parts.scheme}://{host}{port}" and _HOST.fullmatch(host) is not None
    local = parts.scheme == "http" and host == "localhost"
    if len(origin) > LONGEST_ORIGIN or not plain or not (parts.scheme == "https" or local):
        raise RosterUnusable(detail="a passkey's origin is https:// and a host, or http://localhost, and nothing else")
    if host.rpartition(".")[2].isdecimal():
        raise RosterUnusable(detail="a passkey's origin is no IP address: that can be no relying party")
    return Passkey(credential=credential, origin=origin)


def p256(x: bytes, y: bytes) -> bytes:
    """Return the P-256 key of two coordinates, as a passkey's is given: SubjectPublicKeyInfo, DER.

    Raises:
        RosterUnusable: they are no point of the curve.
    """
    try:
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), ec.SECP256R1())
        return numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except ValueError:
        raise RosterUnusable(detail="a passkey's key is no P-256 key") from None


def challenge(statement: Statement) -> bytes:
    """Return what a passkey is asked with for a statement: the SHA-256 of its octets."""
    return hashlib.sha256(statement.octets()).digest()


def answered(statement: Statement, *, data: bytes, client: bytes, signature: bytes) -> Authorisation:
    """Return a statement with what a browser answered for it; nothing of it is proved yet.

    Args:
        statement: whose challenge it was asked with.
        data: the authenticator's data.
        client: the client's data, JSON as the browser serialised it.
        signature: over both, DER.
    """
    return Authorisation(statement=statement, proof=".".join([TYPE, *map(_part, (data, client, signature))]))


def prove_answer(proof: str, statement: Statement, public_key: bytes, passkey: Passkey) -> int:
    """Prove that a passkey answered for a statement; return the counter that it showed, 0 where it has none.

    Args:
        proof: as it was sent, or kept.
        statement: what it has to be for.
        public_key: on the roster: SubjectPublicKeyInfo, DER, P-256.
        passkey: on the roster.

    Raises:
        AuthorisationRefused: with the flaw that was found first (WebAuthn, 7.2, steps 10 to 22).
    """
    data, client, signature = _parts(proof)
    _require_client(client, statement, passkey)
    if len(data) != _DATA_OCTETS:
        raise _refused(AuthorisationFlaw.MALFORMED, f"its authenticator data has not {_DATA_OCTETS} octets")
    if not hmac.compare_digest(data[:32], hashlib.sha256(passkey.relying.encode()).digest()):
        raise _refused(AuthorisationFlaw.ORIGIN, f"the passkey answered for another host than {passkey.relying}")
    flags = data[32]
    if flags & (ATTESTED | EXTENDED):
        raise _refused(AuthorisationFlaw.MALFORMED, "its authenticator data says that more follows, and nothing does")
    if not flags & PRESENT:
        raise _refused(AuthorisationFlaw.VERIFICATION, "nobody was present at the passkey")
    if not flags & VERIFIED:
        raise _refused(AuthorisationFlaw.VERIFICATION, "the passkey did not verify who was there")
    key = load_der_public_key(public_key)
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _refused(AuthorisationFlaw.KEY, "its key is no P-256 key")
    try:
        key.verify(signature, data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise _refused(AuthorisationFlaw.SIGNATURE, "its signature does not verify") from None
    return int.from_bytes(data[33:])


def _require_client(client: bytes, statement: Statement, passkey: Passkey) -> None:
    """Require what the browser says of the question: its kind, the challenge, and the page that asked."""
    try:
        said = read_json(client, once_each=True)
    except ValueError:
        raise _refused(AuthorisationFlaw.MALFORMED, "its client data is no JSON") from None
    if not isinstance(said, dict):
        raise _refused(AuthorisationFlaw.MALFORMED, "its client data is no JSON object")
    if said.get("type") != "webauthn.get":
        raise _refused(AuthorisationFlaw.ACT, "the browser was asked for something else than an answer")
    if said.get("challenge") != _part(challenge(statement)):
        raise _refused(AuthorisationFlaw.SIGNATURE, "the passkey answered for something else")
    if said.get("origin") != passkey.origin:
        raise _refused(AuthorisationFlaw.ORIGIN, f"the page that asked is not of {passkey.origin}")
    if said.get("crossOrigin") not in (None, False) or "topOrigin" in said:
        raise _refused(AuthorisationFlaw.ORIGIN, "the page that asked was framed by another")


def _parts(proof: str) -> tuple[bytes, bytes, bytes]:
    parts = proof.split(".") if len(proof) <= MOST_OCTETS else []
    if len(parts) != _PARTS or parts[0] != TYPE:
        raise _refused(AuthorisationFlaw.ALGORITHM, f"it is no answer of a passkey: that begins with {TYPE}")
    data, client, signature = (_octets(each) for each in parts[1:])
    return data, client, signature


def _part(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _octets(part: str) -> bytes:
    """The octets of a part, which has one form only (RFC 7515, 2)."""
    if _PART.fullmatch(part) and len(part) % 4 != 1:
        octets = urlsafe_b64decode(part + "=" * (-len(part) % 4))
        if _part(octets) == part:
            return octets
    raise _refused(AuthorisationFlaw.MALFORMED, "it is not base64url without padding")


def _refused(flaw: AuthorisationFlaw, detail: str) -> AuthorisationRefused:
    return AuthorisationRefused(flaw=flaw, detail=detail)

"""What an officer authorised by a passkey (WebAuthn level 3): that it answered for the digest of exactly a statement.

A browser shows what a page tells it to show. Proved here is that the passkey on the roster answered, to the page of the
origin on the roster, with its owner present and verified. That its owner knew what for is not; so where something is
issued or it is decided whose keys count, passkeys alone are not enough (`wants_a_key`).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from verify.kit.agreed import forms
from verify.kit.agreed.statements import MOST_OCTETS, Flaw, Refused
from verify.kit.canonical import read

TYPE = "trialcpa-passkey-1"
"""How a proof of this kind begins. It means ES256."""

WANTING = "all who signed for it did so by a passkey, and one at least must by a key in a file or a token"

_WITHOUT_A_KEY = frozenset({"refuse", "refuse-amendment", "revoke", "withdraw", "correct"})
"""Decisions for which passkeys alone are enough: a page that lies ends something too soon at worst."""

_PRESENT, _VERIFIED, _ATTESTED, _EXTENDED = 0x01, 0x04, 0x40, 0x80
"""Flags of authenticator data (WebAuthn, 6.1)."""

_DATA_OCTETS = 37
"""Of authenticator data without attested credential and extensions: 32 of rpIdHash, 1 of flags, 4 of the counter."""

LONGEST_CREDENTIAL = 1_023
"""Octets of a credential's identifier (WebAuthn, 4, “Credential ID”)."""

_OCTETS = re.compile(r"([0-9a-f]{2})+")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
_PARTS = 4
_PART = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True)
class Passkey:
    """What makes a key on the roster a passkey.

    Args:
        credential: the identifier by which browsers find it, hex.
        origin: of the pages that may ask it; their host is the relying party's identifier.
    """

    credential: str
    origin: str

    def said(self) -> dict[str, str]:
        """Return it as JSON has it."""
        return {"credential": self.credential, "origin": self.origin}


def read_passkey(said: object) -> Passkey:
    """Return the passkey that a member of a roster says; ValueError if it says none that the authority would take."""
    found = forms.members(said, {"credential": _is_credential, "origin": _is_origin})
    return Passkey(credential=found["credential"], origin=found["origin"])


def _is_credential(said: object) -> bool:
    return isinstance(said, str) and len(said) <= 2 * LONGEST_CREDENTIAL and _OCTETS.fullmatch(said) is not None


def _is_origin(said: object) -> bool:
    """One host's name by https, or http://localhost, with nothing behind it: no IP address can be a relying party."""
    if not isinstance(said, str) or len(said) > forms.LONGEST_WORD:
        return False
    try:
        parts = urlsplit(said)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return False
    host = parts.hostname or ""
    if said != f"{parts.scheme}://{host}{port}" or _HOST.fullmatch(host) is None:
        return False
    named = not host.rpartition(".")[2].isdecimal()
    return named and (parts.scheme == "https" or (parts.scheme == "http" and host == "localhost"))


def wants_a_key(kind: object) -> bool:
    """Return whether a kind of decision needs who signs with a key in a file or a token; unknown ones do."""
    return kind not in _WITHOUT_A_KEY


def prove_answer(proof: str, octets: bytes, key: ec.EllipticCurvePublicKey, passkey: Passkey) -> None:
    """Prove that a passkey answered for a statement (WebAuthn, 7.2, steps 10 to 22); Refused, with the first flaw.

    The counter is not looked at: that it never went back only the authority knows, which remembers it.

    Args:
        proof: as it was sent: type, authenticator data, client data and signature.
        octets: of the statement, in its canonical form.
        key: on the roster.
        passkey: on the roster.
    """
    data, client, signature = _parts(proof)
    _require_client(client, octets, passkey)
    if len(data) != _DATA_OCTETS or data[32] & (_ATTESTED | _EXTENDED):
        raise Refused(Flaw.MALFORMED, f"its authenticator data is not {_DATA_OCTETS} octets and nothing more")
    relying = urlsplit(passkey.origin).hostname or ""
    if not hmac.compare_digest(data[:32], hashlib.sha256(relying.encode()).digest()):
        raise Refused(Flaw.ORIGIN, f"the passkey answered for another host than {relying}")
    if not data[32] & _PRESENT or not data[32] & _VERIFIED:
        raise Refused(Flaw.VERIFICATION, "the passkey did not verify who was there")
    try:
        key.verify(signature, data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise Refused(Flaw.SIGNATURE, "its signature does not verify") from None


def _require_client(client: bytes, octets: bytes, passkey: Passkey) -> None:
    """Require what the browser says of the question: its kind, the challenge, and the page that asked."""
    try:
        said = read(client, foreign=True)  # a browser may add what it wants (WebAuthn, 5.8.1)
    except ValueError:
        raise Refused(Flaw.MALFORMED, "its client data is no JSON") from None
    if not isinstance(said, Mapping) or said.get("type") != "webauthn.get":
        raise Refused(Flaw.ACT, "the browser was asked for something else than an answer")
    if said.get("challenge") != _part(hashlib.sha256(octets).digest()):
        raise Refused(Flaw.SIGNATURE, "the passkey answered for something else")
    if said.get("origin") != passkey.origin:
        raise Refused(Flaw.ORIGIN, f"the page that asked is not of {passkey.origin}")
    if said.get("crossOrigin") not in (None, False) or "topOrigin" in said:
        raise Refused(Flaw.ORIGIN, "the page that asked was framed by another")


def _parts(proof: str) -> Iterable[bytes]:
    parts = proof.split(".") if len(proof) <= MOST_OCTETS else []
    if len(parts) != _PARTS or parts[0] != TYPE:
        raise Refused(Flaw.ALGORITHM, f"it is no answer of a passkey: that begins with {TYPE}")
    return [_octets(each) for each in parts[1:]]


def _part(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _octets(part: str) -> bytes:
    """The octets of a part, which has one form only (RFC 7515, 2)."""
    if _PART.fullmatch(part) and len(part) % 4 != 1:
        octets = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        if _part(octets) == part:
            return octets
    raise Refused(Flaw.MALFORMED, "it is not base64url without padding")

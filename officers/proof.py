"""The proof of a statement: a compact JWS (RFC 7515) with ES256 over exactly its octets, and nothing else.

The algorithm is ours and not the sender's: a header that says anything but what ours says is refused before a key is
looked at (RFC 8725, 3.1).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from core.canonical import canonical, read_json
from core.errors import AuthorisationRefused
from core.instants import text
from core.kinds import AuthorisationFlaw
from officers.passkey import prove_answer
from officers.roster import Member, Roster
from officers.statement import (
    LONGEST_VALID,
    MOST_OCTETS,
    Authorisation,
    Authority,
    Claim,
    Listed,
    Statement,
    stated,
)

ALGORITHM = "ES256"
TYPE = "trialcpa-authorisation+jws"
HEADER: Mapping[str, str] = {"alg": ALGORITHM, "typ": TYPE}

_PARTS = 3
_KEYS = 64
"""Officers' keys that are kept as they were read: an authority has some ten officers."""

_HALF = 32
"""Octets of r, and of s, in a proof (RFC 7518, 3.4)."""


class OfficersKey(Protocol):
    """An officer's own key, in a file or in a token: it can be used and not read."""

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, DER, of a P-256 key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the ECDSA signature with SHA-256 over `message`: DER, Ecdsa-Sig-Value (RFC 3279, 2.2.3)."""
        ...


def sign(statement: Statement, key: OfficersKey) -> Authorisation:
    """Return a statement with the proof that the holder of a key has signed it.

    Args:
        statement: names the thumbprint of the key.
        key: the officer's own.
    """
    signed = f"{_part(canonical(dict(HEADER)))}.{_part(statement.octets())}"
    r, s = decode_dss_signature(key.sign(signed.encode("ascii")))
    return Authorisation(statement=statement, proof=f"{signed}.{_part(r.to_bytes(_HALF) + s.to_bytes(_HALF))}")


def _part(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What an authorisation has to be for.

    Args:
        authority: which one asks.
        officer: who acts, by the name of their credential.
        claim: what the act says of itself.
        members: what the statement lists, if it is about several things.
    """

    authority: Authority
    officer: str
    claim: Claim
    members: tuple[Listed, ...] = ()


def prove(authorisation: Authorisation, asked: Asked, roster: Roster, at: datetime) -> int | None:
    """Prove that an officer on a roster has authorised an act, here and now.

    Args:
        authorisation: as it was sent, or kept.
        asked: what it has to be for.
        roster: who counts.
        at: now.

    Returns:
        The counter that a passkey showed, which must not go back (memory/officers.py); None of any other key.

    Raises:
        AuthorisationRefused: with the flaw that was found first.
    """
    said, claim = authorisation.statement, stated(asked.claim, asked.members)
    member = roster.member(said.key)
    if member is None:
        raise _refused(AuthorisationFlaw.KEY, "its key is not on the roster of officers")
    if member.officer != said.officer:
        raise _refused(AuthorisationFlaw.OFFICER, f"its key is {member.officer}'s, and it names {said.officer}")
    if said.officer != asked.officer:
        raise _refused(AuthorisationFlaw.OFFICER, f"{said.officer} has signed it, and {asked.officer} acts")
    counter = _counter(authorisation, member)
    if said.authority != asked.authority:
        raise _refused(AuthorisationFlaw.AUTHORITY, "it is for another authority")
    _require_same(said.claim, claim)
    if said.valid_until < at:
        raise _refused(AuthorisationFlaw.EXPIRED, f"it was valid until {text(said.valid_until)}")
    if said.valid_until - at > LONGEST_VALID:
        days = LONGEST_VALID.days
        raise _refused(AuthorisationFlaw.TOO_LONG, f"it is valid for longer than {days} days from now")
    return counter


def _counter(authorisation: Authorisation, member: Member) -> int | None:
    """Prove who signed, by the one kind of proof that the key on the roster makes; return a passkey's counter."""
    said = authorisation.statement
    if member.passkey is not None:
        return prove_answer(authorisation.proof, said, member.public_key, member.passkey)
    if payload_of(authorisation.proof, member.public_key) != said.octets():
        raise _refused(AuthorisationFlaw.SIGNATURE, "the signature is over something else")
    return None


def _require_same(said: Claim, claim: Claim) -> None:
    if said.act is not claim.act:
        raise _refused(AuthorisationFlaw.ACT, f"it authorises to {said.act}, and not to {claim.act}")
    if said.subject != claim.subject:
        raise _refused(AuthorisationFlaw.SUBJECT, f"it is about {said.subject}, and not about {claim.subject}")
    if (said.proposal_sha256, said.tbs_sha256) != (claim.proposal_sha256, claim.tbs_sha256):
        raise _refused(AuthorisationFlaw.DIGEST, "it is about another proposal, or other bytes to be signed")


def payload_of(proof: str, public_key: bytes, header: Mapping[str, str] = HEADER) -> bytes:
    """Return what a compact JWS signs, once its signature is verified.

    Args:
        proof: the JWS.
        public_key: SubjectPublicKeyInfo, DER, of a P-256 key.
        header: what its protected header has to say, exactly.

    Raises:
        AuthorisationRefused: it is no JWS, says another header, or the signature does not verify.
    """
    octets = proof.encode("ascii", "replace")
    if len(octets) > MOST_OCTETS or octets.count(b".") != _PARTS - 1:
        raise _refused(AuthorisationFlaw.MALFORMED, f"it is no compact JWS of at most {MOST_OCTETS} octets")
    if _header_of(octets) != header:
        said = ", ".join(f"{name} {value}" for name, value in header.items())
        raise _refused(AuthorisationFlaw.ALGORITHM, f"its header has to say {said}, and nothing else")
    try:
        verified = jws.deserialize_compact(octets, _key(public_key), algorithms=[ALGORITHM])
    except (JoseError, ValueError):
        raise _refused(AuthorisationFlaw.SIGNATURE, "its signature does not verify") from None
    return bytes(verified.payload)


def _header_of(octets: bytes) -> Mapping[str, Any]:
    """Return what the header says, as every other reader has to read it too.

    The library takes a member twice, and other encodings than UTF-8, which whoever proves a dossier refuses: what
    counts here must count there, or one officer makes a decision that nobody can prove (RFC 7515, 4 and 5.2).
    """
    try:
        jws.extract_compact(octets)
        part = octets.partition(b".")[0]
        said = read_json(urlsafe_b64decode(part + b"=" * (-len(part) % 4)), once_each=True)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise _refused(AuthorisationFlaw.MALFORMED, "it is no compact JWS") from None
    if not isinstance(said, dict):
        raise _refused(AuthorisationFlaw.MALFORMED, "it is no compact JWS")
    return said


@lru_cache(maxsize=_KEYS)
def _key(public_key: bytes) -> ECKey:
    """Return a key as the library for JWS wants it; of those on the roster the same again each time."""
    loaded = load_der_public_key(public_key)
    if not isinstance(loaded, ec.EllipticCurvePublicKey):
        raise _refused(AuthorisationFlaw.KEY, "its key is no P-256 key")
    return ECKey.import_key(loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def _refused(flaw: AuthorisationFlaw, detail: str) -> AuthorisationRefused:
    return AuthorisationRefused(flaw=flaw, detail=detail)

"""The proof of a statement: a compact JWS (RFC 7515) with ES256 over exactly its octets, or a passkey's answer.

The algorithm is ours and not the sender's: a header that says anything else is refused before a key is looked at
(RFC 8725, 3.1).
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from verify.kit.agreed.passkey import prove_answer
from verify.kit.agreed.roster import Member, Roster, p256
from verify.kit.agreed.statements import MOST_OCTETS, Authorisation, Authority, Claim, Flaw, Listed, Refused, stated
from verify.kit.canonical import read
from verify.kit.instants import written

HEADER: Mapping[str, str] = {"alg": "ES256", "typ": "trialcpa-authorisation+jws"}

LONGEST_VALID = timedelta(days=7)
"""How long ahead a statement may be valid."""

_PARTS, _HALF = 3, 32
"""Of a compact JWS; octets of r, and of s (RFC 7518, 3.4)."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What an authorisation has to be for.

    Args:
        authority: which one asked.
        officer: who acted.
        claim: what the act says of itself.
        members: what the statement lists, if it is about several things.
    """

    authority: Authority
    officer: str
    claim: Claim
    members: tuple[Listed, ...] = ()


def prove(said: Authorisation, asked: Asked, roster: Roster, at: datetime) -> None:
    """Prove that an officer on a roster has authorised an act; Refused, with the flaw that was found first.

    Args:
        said: what was signed.
        asked: what it has to be for.
        roster: who counts.
        at: when it was used.
    """
    claim, member = stated(asked.claim, asked.members), roster.member(said.key)
    if member is None:
        raise Refused(Flaw.KEY, "its key is not on the roster of officers")
    if member.officer != said.officer:
        raise Refused(Flaw.OFFICER, f"its key is {member.officer}'s, and it names {said.officer}")
    if said.officer != asked.officer:
        raise Refused(Flaw.OFFICER, f"{said.officer} has signed it, and {asked.officer} acts")
    _require_signed(said, member)
    if said.authority != asked.authority:
        raise Refused(Flaw.AUTHORITY, "it is for another authority")
    _require_same(said.claim, claim)
    if said.valid_until < at:
        raise Refused(Flaw.EXPIRED, f"it was valid until {written(said.valid_until)}")
    if said.valid_until - at > LONGEST_VALID:
        raise Refused(Flaw.TOO_LONG, f"it is valid for longer than {LONGEST_VALID.days} days from then")


def _require_signed(said: Authorisation, member: Member) -> None:
    """Require the one kind of proof that the key on the roster makes."""
    if member.passkey is not None:
        prove_answer(said.proof, said.octets, p256(member.public_key), member.passkey)
    elif payload_of(said.proof, member.public_key) != said.octets:
        raise Refused(Flaw.SIGNATURE, "the signature is over something else")


def _require_same(said: Claim, claim: Claim) -> None:
    if said.act is not claim.act:
        raise Refused(Flaw.ACT, f"it authorises to {said.act}, and not to {claim.act}")
    if said.subject != claim.subject:
        raise Refused(Flaw.SUBJECT, f"it is about {said.subject}, and not about {claim.subject}")
    if (said.proposal_sha256, said.tbs_sha256) != (claim.proposal_sha256, claim.tbs_sha256):
        raise Refused(Flaw.DIGEST, "it is about another proposal, or other bytes to be signed")


def payload_of(proof: str, public_key: bytes) -> bytes:
    """Return what a compact JWS signs, once its signature is verified; Refused if it is none, or does not.

    Args:
        proof: the JWS.
        public_key: of a P-256 key that is on the roster: SubjectPublicKeyInfo, DER.
    """
    parts = proof.split(".")
    if len(proof) > MOST_OCTETS or len(parts) != _PARTS:
        raise Refused(Flaw.MALFORMED, f"it is no compact JWS of at most {MOST_OCTETS} octets")
    try:
        header, payload, signature = map(_decoded, parts)
        said = read(header)
    except ValueError:
        raise Refused(Flaw.MALFORMED, "it is no compact JWS") from None
    if said != HEADER:
        wanted = ", ".join(f"{name} {value}" for name, value in HEADER.items())
        raise Refused(Flaw.ALGORITHM, f"its header has to say {wanted}, and nothing else")
    if len(signature) != 2 * _HALF:
        raise Refused(Flaw.SIGNATURE, "its signature does not verify")
    r, s = int.from_bytes(signature[:_HALF]), int.from_bytes(signature[_HALF:])
    signed = f"{parts[0]}.{parts[1]}".encode("ascii")
    try:
        p256(public_key).verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise Refused(Flaw.SIGNATURE, "its signature does not verify") from None
    return payload


def _decoded(part: str) -> bytes:
    """Return the octets of base64url without padding, in its one form (RFC 7515, 2; RFC 4648, 3.5)."""
    try:
        octets = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("it is no base64url") from None
    if base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii") != part:
        raise ValueError("it is not in its one form")
    return octets

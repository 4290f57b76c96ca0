"""The roster statement of the root: what names officers' keys where no two officers can.

Canonical JSON (RFC 8785) under an ECDSA signature of the root's key, made where that key lies, without a network and
without a register. What comes back is parsed here and nowhere else.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pydantic import BaseModel, Field, ValidationError

from core.canonical import Json, canonical, read_json
from core.errors import InstantMalformed, RosterStatementRefused, RosterUnusable
from core.instants import parse, text
from officers.parsing import STRICT, Hex, NamedAuthority, Word, first_of
from officers.roster import MOST, Member, new_member, require_usable
from officers.statement import Authority

TYPE = "trialcpa-roster-1"
"""What the statement is; another version is another type."""

LARGEST_FILE = 64 * 1024
"""Octets of a file with a statement; one about three keys has 1,500."""


@dataclass(frozen=True, kw_only=True)
class RosterStatement:
    """What the root's key signs.

    Args:
        authority: whose officers they are.
        number: of the roster, one above the newest there is: an old statement is for a number that is taken.
        members: whose keys count.
        valid_until: the last second in which it is accepted.
    """

    authority: Authority
    number: int
    members: tuple[Member, ...]
    valid_until: datetime

    def document(self) -> dict[str, Json]:
        """Return it as the JSON object that is signed."""
        members: Sequence[Member] = sorted(self.members, key=lambda each: each.key)
        return {
            "type": TYPE,
            "authority": {"name": self.authority.name, "root_key_sha256": self.authority.root_key_sha256},
            "number": self.number,
            "members": [each.document() for each in members],
            "valid_until": text(self.valid_until),
        }

    def octets(self) -> bytes:
        """Return the octets that are signed: its canonical form."""
        return canonical(self.document())

    @property
    def sha256(self) -> str:
        """The digest of what is signed, hex."""
        return hashlib.sha256(self.octets()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class SignedRoster:
    """A statement with the root's signature.

    Args:
        statement: what is signed.
        root_key: SubjectPublicKeyInfo, DER.
        signature: ECDSA with SHA-256 over its octets, DER.
    """

    statement: RosterStatement
    root_key: bytes
    signature: bytes

    def document(self) -> dict[str, Json]:
        """Return it as it is kept in the journal and in files."""
        return {
            "statement": self.statement.document(),
            "root_key": self.root_key.hex(),
            "signature": self.signature.hex(),
        }

    def octets(self) -> bytes:
        """Return the file that is carried from the root to the authority."""
        return canonical(self.document()) + b"\n"


def require_from_root(signed: SignedRoster, authority: Authority) -> None:
    """Require that the root of an authority has signed a statement for it.

    Raises:
        RosterStatementRefused: it is another authority's, or the signature does not verify.
    """
    said = signed.statement.authority
    if said != authority:
        raise RosterStatementRefused(detail=f"it is for another authority, {said.name} ({said.root_key_sha256[:16]}…)")
    if hashlib.sha256(signed.root_key).hexdigest() != authority.root_key_sha256:
        raise RosterStatementRefused(detail="the key that signed it is not this authority's root")
    try:
        key = load_der_public_key(signed.root_key)
        assert isinstance(key, ec.EllipticCurvePublicKey), "the root's key is one of ours"
        key.verify(signed.signature, signed.statement.octets(), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        raise RosterStatementRefused(detail="the root's signature does not verify") from None


# --- parsing ---------------------------------------------------------------------------------------------------------


class _Member(BaseModel):
    model_config = STRICT
    officer: Word
    key: Word
    public_key: Hex


class _Statement(BaseModel):
    model_config = STRICT
    type: Literal["trialcpa-roster-1"]
    authority: NamedAuthority
    number: Annotated[int, Field(ge=1)]
    members: Annotated[list[_Member], Field(max_length=MOST)]
    valid_until: Word


class _Signed(BaseModel):
    model_config = STRICT
    statement: _Statement
    root_key: Hex
    signature: Hex


def read_signed(octets: bytes) -> SignedRoster:
    """Return the statement that a file holds; nothing of it is proved yet.

    Raises:
        RosterStatementRefused: it is cut, or holds something else.
        RosterUnusable: what it names can be no roster.
    """
    if len(octets) > LARGEST_FILE:
        raise RosterStatementRefused(detail=f"the file has more than {LARGEST_FILE} octets")
    try:
        document: Any = read_json(octets)
        said = _Signed.model_validate(document)
        valid_until = parse(said.statement.valid_until)
    except ValidationError as error:
        raise RosterStatementRefused(detail=first_of(error)) from None
    except (ValueError, InstantMalformed):
        raise RosterStatementRefused(detail="the file is cut, or it is no roster statement") from None
    members = tuple(_member(each) for each in said.statement.members)
    require_usable(members)
    authority = said.statement.authority
    return SignedRoster(
        statement=RosterStatement(
            authority=Authority(name=authority.name, root_key_sha256=authority.root_key_sha256),
            number=said.statement.number,
            members=members,
            valid_until=valid_until,
        ),
        root_key=bytes.fromhex(said.root_key),
        signature=bytes.fromhex(said.signature),
    )


def _member(said: _Member) -> Member:
    member = new_member(said.officer, bytes.fromhex(said.public_key))
    if member.key != said.key:
        raise RosterUnusable(detail=f"a key of {said.officer} is not the one that its thumbprint names")
    return member

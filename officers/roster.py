"""The roster: whose keys count as officers'. A value; what is in force is in the authority's memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)
from joserfc.jwk import ECKey
from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from core.canonical import Json, canonical, digest
from core.errors import RosterUnusable
from core.words import counted
from officers.parsing import WHERE_SAID
from officers.passkey import Passkey

FEWEST = 2
"""Officers on a roster: nothing is decided by one (docs/adr/0012)."""

ADVISED = 3
"""Officers below which it is warned: one lost key, and two are left who must both be there."""

MOST = 100
"""Members of a roster; the committee has some ten."""

LARGEST_KEY_FILE = 4_096
"""Octets of a public key in PEM; one of P-256 has 178."""


class _WrittenPasskey(BaseModel):
    model_config = ConfigDict(extra="forbid")

    credential: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})+$")]
    origin: str


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid")

    officer: str
    key: str
    public_key: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})+$")]
    passkey: _WrittenPasskey | None = None


_MEMBERS: TypeAdapter[list[_Written]] = TypeAdapter(list[_Written])


@dataclass(frozen=True, kw_only=True)
class Member:
    """A key on the roster, and whose it is; an officer may have two.

    Args:
        officer: the name of their credential.
        key: its RFC 7638 thumbprint.
        public_key: SubjectPublicKeyInfo, DER.
        passkey: what makes it a passkey; None of a key in a file or a token.
    """

    officer: str
    key: str
    public_key: bytes
    passkey: Annotated[Passkey | None, WHERE_SAID] = None

    def document(self) -> dict[str, Json]:
        """Return it as JSON."""
        said: dict[str, Json] = {"officer": self.officer, "key": self.key, "public_key": self.public_key.hex()}
        return said if self.passkey is None else {**said, "passkey": self.passkey.document()}


@dataclass(frozen=True, kw_only=True)
class Roster:
    """Who counts.

    Args:
        number: 1 for the first; each later one has the next.
        members: the keys.
        effective_at: from when.
    """

    number: int
    members: tuple[Member, ...]
    effective_at: datetime

    def member(self, key: str) -> Member | None:
        """Return whose key has a thumbprint; None if nobody's on this roster."""
        return next((each for each in self.members if each.key == key), None)

    @property
    def officers(self) -> frozenset[str]:
        """The people: two keys of one count once."""
        return frozenset(each.officer for each in self.members)

    @property
    def sha256(self) -> str:
        """The digest of its members, hex: what two people compare."""
        return members_digest(self.members)


def members_digest(members: Sequence[Member]) -> str:
    """Return the hex digest of some members, in whatever order."""
    return digest([each.document() for each in sorted(members, key=lambda each: each.key)]).hex()


def members_text(members: Sequence[Member]) -> str:
    """Return members as they are written down: canonical JSON, in order of their keys."""
    return canonical([each.document() for each in sorted(members, key=lambda each: each.key)]).decode()


def read_members(written: str) -> tuple[Member, ...]:
    """Return members as they were written down.

    Raises:
        RosterUnusable: they are none.
    """
    try:
        found = _MEMBERS.validate_json(written, strict=True)
    except ValidationError:
        raise RosterUnusable(detail="it cannot be read") from None
    return tuple(
        Member(
            officer=each.officer,
            key=each.key,
            public_key=bytes.fromhex(each.public_key),
            passkey=None
            if each.passkey is None
            else Passkey(credential=bytes.fromhex(each.passkey.credential), origin=each.passkey.origin),
        )
        for each in found
    )


def new_member(officer: str, public_key: bytes, passkey: Passkey | None = None) -> Member:
    """Return a member by name and public key.

    Args:
        officer: the name of their credential.
        public_key: SubjectPublicKeyInfo, DER or PEM.
        passkey: what makes it a passkey; None of a key in a file or a token.

    Raises:
        RosterUnusable: that is no P-256 key.
    """
    der = _p256(officer, public_key)
    return Member(officer=officer, key=thumbprint(der), public_key=der, passkey=passkey)


def thumbprint(public_key: bytes) -> str:
    """Return the RFC 7638 thumbprint (SHA-256, base64url) of a P-256 key, SubjectPublicKeyInfo, DER."""
    loaded = load_der_public_key(public_key)
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    return ECKey.import_key(loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).thumbprint()


def public_key_pem(public_key: bytes) -> str:
    """Return a P-256 key, SubjectPublicKeyInfo, DER, as PEM: as officers keep and compare it."""
    return load_der_public_key(public_key).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def require_usable(members: Sequence[Member]) -> None:
    """Require that members can be a roster.

    Raises:
        RosterUnusable: fewer than two officers, more than there may be, a key twice, or one that is not what its
            thumbprint says. An officer who has a passkey alone is beside these two: without them nothing is issued,
            and no roster changed.
    """
    officers = {each.officer for each in members if each.passkey is None}
    if len(officers) < FEWEST:
        whose = "officer" if len(members) == len(officers) else "officer with a key in a file or a token"
        many = whose.replace("officer", "officers", 1)
        raise RosterUnusable(detail=f"it has {counted(len(officers), whose, many)}, and {FEWEST} are the fewest")
    if len(members) > MOST:
        raise RosterUnusable(detail=f"it has more than {MOST} keys")
    if len({each.key for each in members}) < len(members):
        raise RosterUnusable(detail="a key is on it twice")
    for each in members:
        if thumbprint(_p256(each.officer, each.public_key)) != each.key:
            raise RosterUnusable(detail=f"a key of {each.officer} is not the one that its thumbprint names")


def _p256(officer: str, public_key: bytes) -> bytes:
    try:
        pem = public_key.lstrip().startswith(b"-----")
        loaded = load_pem_public_key(public_key) if pem else load_der_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm):
        raise RosterUnusable(detail=f"the key of {officer} cannot be read") from None
    if not isinstance(loaded, ec.EllipticCurvePublicKey) or not isinstance(loaded.curve, ec.SECP256R1):
        raise RosterUnusable(detail=f"the key of {officer} is no P-256 key")
    return loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

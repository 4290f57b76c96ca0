"""A roster: whose keys count as officers', and the order or the statement of the root by which another one came."""

import base64
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from verify.kit.agreed import forms
from verify.kit.agreed.passkey import Passkey, read_passkey
from verify.kit.agreed.statements import AUTHORITY, Authority, authority_of
from verify.kit.canonical import canonical, read
from verify.kit.instants import moment

FEWEST, MOST = 2, 100
"""People that a roster needs; keys that it has at most."""

CHANGED_BY = 2
"""Officers who have to order another roster, none of whom is concerned."""

_LONGEST_WHY, _LONGEST_ORDER = 2_000, 64 * 1024
_CHANGES, _ROSTER = "change-roster", "trialcpa-roster-1"


class Unusable(ValueError):
    """What is no roster, no order for one, or no statement of the root about one."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """A key on the roster, and whose it is.

    Args:
        officer: by name.
        key: its RFC 7638 thumbprint.
        public_key: SubjectPublicKeyInfo, DER.
        passkey: what makes it a passkey; None of a key in a file or a token.
    """

    officer: str
    key: str
    public_key: bytes
    passkey: Passkey | None = None

    def said(self) -> dict[str, object]:
        """Return it as JSON has it."""
        said: dict[str, object] = {"officer": self.officer, "key": self.key, "public_key": self.public_key.hex()}
        return said if self.passkey is None else {**said, "passkey": self.passkey.said()}


@dataclass(frozen=True, kw_only=True)
class Roster:
    """Who counts.

    Args:
        number: 1 for the first.
        members: the keys.
        effective_at: from when.
    """

    number: int
    members: tuple[Member, ...]
    effective_at: datetime

    def member(self, key: str) -> Member | None:
        """Return whose key has a thumbprint; None if nobody's."""
        return next((each for each in self.members if each.key == key), None)

    def with_a_key(self, keys: Iterable[str]) -> bool:
        """Return whether one at least of some keys, by thumbprint, is on it and is no passkey."""
        return any(each is not None and each.passkey is None for each in map(self.member, keys))

    @property
    def sha256(self) -> str:
        """The digest of its members, hex, in order of their keys."""
        return members_digest(self.members)


@dataclass(frozen=True, kw_only=True)
class Change:
    """An order that other keys count.

    Args:
        roster: the number of the one that is changed.
        number: of the one that comes of it.
        add: keys that count from then on.
        remove: thumbprints of those that do not any more.
    """

    roster: int
    number: int
    add: tuple[Member, ...]
    remove: tuple[str, ...]


def read_members(said: object) -> tuple[Member, ...]:
    """Return the members that a list names, which can be a roster; Unusable if they cannot."""
    if not isinstance(said, list) or len(said) > MOST:
        raise Unusable("it is no list of members")
    found = tuple(_member(each) for each in said)
    if len({each.officer for each in found if each.passkey is None}) < FEWEST:
        raise Unusable(f"fewer than {FEWEST} officers with a key in a file or a token are on it")
    if len({each.key for each in found}) < len(found):
        raise Unusable("a key is on it twice")
    return found


def members_digest(members: Sequence[Member]) -> str:
    """Return the digest of some members, hex, in order of their keys."""
    return hashlib.sha256(canonical(_sorted(members))).hexdigest()


def thumbprint(public_key: bytes) -> str:
    """Return the RFC 7638 thumbprint (SHA-256, base64url) of a P-256 key, SubjectPublicKeyInfo, DER; Unusable."""
    numbers = p256(public_key).public_numbers()
    x, y = (base64.urlsafe_b64encode(each.to_bytes(32)).rstrip(b"=").decode() for each in (numbers.x, numbers.y))
    octets = canonical({"crv": "P-256", "kty": "EC", "x": x, "y": y})
    return base64.urlsafe_b64encode(hashlib.sha256(octets).digest()).rstrip(b"=").decode()


def p256(public_key: bytes) -> ec.EllipticCurvePublicKey:
    """Return a P-256 key that is in its one form (uncompressed, DER); Unusable if it is none."""
    try:
        key = load_der_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm):
        raise Unusable("a key cannot be read") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Unusable("a key is none of P-256")
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != public_key:
        raise Unusable("a key is not in its one form")
    return key


# --- by officers -----------------------------------------------------------------------------------------------------


def read_change(body: str) -> Change:
    """Return what an order changes; Unusable if it is no order to change a roster, in its canonical form."""
    if len(body) > _LONGEST_ORDER:
        raise Unusable("its order is too long")
    try:
        said = forms.members(
            read(body.encode("utf-8")),
            {
                "kind": forms.exactly(_CHANGES),
                "why": forms.text(_LONGEST_WHY),
                "roster": forms.whole(1),
                "number": forms.whole(2),
                "add": forms.several(forms.anything, MOST),
                "remove": forms.several(forms.thumbprint, MOST),
            },
        )
        added = [_added(each) for each in said["add"]]
    except ValueError as error:
        raise Unusable(f"its order cannot be read: {error}") from None
    if canonical(said) != body.encode("utf-8"):
        raise Unusable("its order is not in canonical form")
    return Change(
        roster=said["roster"],
        number=said["number"],
        add=tuple(added),
        remove=tuple(said["remove"]),
    )


def changed(roster: Roster, change: Change) -> tuple[Member, ...]:
    """Return the members that come of a change; Unusable if it cannot be made."""
    if any(roster.member(key) is None for key in change.remove) or len(set(change.remove)) < len(change.remove):
        raise Unusable("a key that is to go is not on it, or is named twice")
    if not change.add and not change.remove and change.number == roster.number + 1:
        raise Unusable("nothing is changed")
    kept = [each for each in roster.members if each.key not in change.remove]
    return read_members([each.said() for each in (*kept, *change.add)])


def counting(change: Change, signers: Collection[tuple[str, str]], roster: Roster) -> frozenset[str]:
    """Return the people who count among those who have signed for a change: nobody whose keys come or go.

    Args:
        change: what is ordered.
        signers: officer and thumbprint of each key that has signed.
        roster: who counts.
    """
    people = {officer for officer, key in signers if (held := roster.member(key)) and held.officer == officer}
    gone = {each.officer for each in roster.members if each.key in change.remove}
    return frozenset(people - gone - {each.officer for each in change.add})


# --- by the root -----------------------------------------------------------------------------------------------------


def signed_by_root(said: object, authority: Authority) -> tuple[int, tuple[Member, ...]]:
    """Return number and members of the roster that a statement of the root names; Unusable if the root signed none.

    Args:
        said: statement, key and signature, as the journal has them.
        authority: whose root it has to be.
    """
    try:
        whole = forms.members(
            said, {"statement": forms.anything, "root_key": forms.hexadecimal, "signature": forms.hexadecimal}
        )
        statement: Mapping[str, Any] = forms.members(
            whole["statement"],
            {
                "type": forms.exactly(_ROSTER),
                "authority": AUTHORITY,
                "number": forms.whole(1),
                "members": forms.several(forms.anything, MOST),
                "valid_until": forms.word,
            },
        )
        moment(statement["valid_until"])
    except ValueError as error:
        raise Unusable(str(error)) from None
    members = read_members(statement["members"])
    if any(each.passkey is not None for each in members):
        raise Unusable("the root puts no passkey on a roster: two officers do")
    if authority_of(statement["authority"]) != authority:
        raise Unusable("it is for another authority")
    key = bytes.fromhex(whole["root_key"])
    if hashlib.sha256(key).hexdigest() != authority.root_key_sha256:
        raise Unusable("the key that signed it is not this authority's root")
    try:
        root = load_der_public_key(key)
        if not isinstance(root, ec.EllipticCurvePublicKey):
            raise Unusable("the root's key is none of ours")
        octets = canonical({**statement, "members": _sorted(members)})
        root.verify(bytes.fromhex(whole["signature"]), octets, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm):
        raise Unusable("the root's signature does not verify") from None
    return statement["number"], members


def _sorted(members: Sequence[Member]) -> list[dict[str, object]]:
    return [each.said() for each in sorted(members, key=lambda each: each.key)]


def _member(said: object) -> Member:
    try:
        found, passkey = _divided(said, {"officer": forms.word, "key": forms.word, "public_key": forms.hexadecimal})
    except ValueError as error:
        raise Unusable(str(error)) from None
    key = bytes.fromhex(found["public_key"])
    if thumbprint(key) != found["key"]:
        raise Unusable(f"a key of {found['officer']} is not the one that its thumbprint names")
    return Member(officer=found["officer"], key=found["key"], public_key=key, passkey=passkey)


def _added(said: object) -> Member:
    found, passkey = _divided(said, {"officer": forms.word, "public_key": forms.hexadecimal})
    key = bytes.fromhex(found["public_key"])
    return Member(officer=found["officer"], key=thumbprint(key), public_key=key, passkey=passkey)


def _divided(said: object, wanted: Mapping[str, forms.Form]) -> tuple[Mapping[str, Any], Passkey | None]:
    """Return what is said of a key, and of a passkey what makes it one, which no other key may name."""
    if not isinstance(said, dict) or "passkey" not in said:
        return forms.members(said, wanted), None
    rest = {name: value for name, value in said.items() if name != "passkey"}
    return forms.members(rest, wanted), read_passkey(said["passkey"])

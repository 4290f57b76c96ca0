"""Checkpoints as signed notes (C2SP signed-note, tlog-checkpoint) and what witnesses add (tlog-cosignature, v1)."""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from verify.kit.merkle import OCTETS
from verify.kit.stopped import Check, Stopped

LONGEST = 16_384
"""Octets of a note that is read."""

LOG, WITNESS = 0x01, 0x04
"""Types of Ed25519 keys (C2SP signed-note): a log's, and a witness's timestamped cosignature."""

_KEY_ID, _STAMP, _SIGNATURE = 4, 8, 64
_DASH = "\u2014"
_SIZE = re.compile("0|[1-9][0-9]{0,15}")
_VKEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")


@dataclass(frozen=True, kw_only=True)
class Key:
    """A verifier's key.

    Args:
        name: of who signs.
        kind: LOG or WITNESS.
        public: 32 octets.
    """

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """Four octets that stand before each of its signatures."""
        return hashlib.sha256(f"{self.name}\n".encode() + bytes([self.kind]) + self.public).digest()[:_KEY_ID]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_coded(bytes([self.kind]) + self.public)}"

    def signs(self, signature: bytes, message: bytes) -> bool:
        """Return whether a signature is its own."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a checkpoint says, and who signed it; nothing of it is believed before `require` has looked.

    Args:
        note: as it was given.
        body: what is signed, with its last line's end.
        origin, size, root: of the log.
        signatures: name and what stands behind it, the key's identifier first.
    """

    note: str
    body: str
    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes], ...]

    def require(self, log: Key) -> None:
        """Raise Stopped unless this is the log's own."""
        if self.origin != log.name:
            raise Stopped(Check.ORIGIN, f"The checkpoint is of {self.origin}, not of {log.name}.")
        ours = [rest for name, rest in self.signatures if name == log.name and rest[:_KEY_ID] == log.id]
        if len(ours) != 1 or not log.signs(ours[0][_KEY_ID:], self.body.encode("utf-8")):
            raise Stopped(Check.SIGNATURE, "The log has not signed that checkpoint.")

    def witnessed(self, witnesses: Sequence[Key]) -> list[int]:
        """Return when each of these witnesses that has seen it did: seconds since 1970, the latest first."""
        found = []
        for key in dict.fromkeys(witnesses):  # one that is named twice has seen it once
            stamps = [
                int.from_bytes(rest[_KEY_ID : _KEY_ID + _STAMP], "big")
                for name, rest in self.signatures
                if name == key.name and rest[:_KEY_ID] == key.id and len(rest) == _KEY_ID + _STAMP + _SIGNATURE
                if key.signs(rest[_KEY_ID + _STAMP :], _cosigned(rest[_KEY_ID : _KEY_ID + _STAMP], self.body))
            ]
            found += stamps[:1]
        return sorted(found, reverse=True)


def checkpoint(note: str) -> Checkpoint:
    """Read a checkpoint strictly; Stopped if it is none."""
    try:
        return _read(note)
    except ValueError as error:
        raise Stopped(Check.FORM, f"That is no checkpoint: {error}.") from None


def key(vkey: str) -> Key:
    """Return the key that a vkey names; ValueError if it is none, or its identifier another's."""
    found = _VKEY.fullmatch(vkey.strip())
    if found is None:
        raise ValueError("it is no verifier's key")
    octets = _decoded(found[3])
    if len(octets) != 1 + OCTETS or octets[0] not in (LOG, WITNESS):
        raise ValueError("it is no Ed25519 key of a log or a witness")
    named = Key(name=found[1], kind=octets[0], public=octets[1:])
    if named.id.hex() != found[2]:
        raise ValueError("its identifier is another key's")
    return named


def key_of(private: Ed25519PrivateKey, name: str, kind: int) -> Key:
    """Return the verifier's key of a private one."""
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return Key(name=name, kind=kind, public=public)


def body_of(origin: str, size: int, root: bytes) -> str:
    """Return what a log signs."""
    return f"{origin}\n{size}\n{_coded(root)}\n"


def signed(body: str, private: Ed25519PrivateKey, name: str) -> str:
    """Return a body as a note that a log has signed."""
    ours = key_of(private, name, LOG)
    return f"{body}\n{_line(name, ours.id + private.sign(body.encode('utf-8')))}"


def cosigned(seen: Checkpoint, private: Ed25519PrivateKey, name: str, at: int) -> str:
    """Return the line that a witness adds to a note.

    Args:
        seen: the checkpoint, which it has required of the log and found consistent.
        private: the witness's key.
        name: of the witness.
        at: the present instant, seconds since 1970.
    """
    stamp = at.to_bytes(_STAMP, "big")
    ours = key_of(private, name, WITNESS)
    return _line(name, ours.id + stamp + private.sign(_cosigned(stamp, seen.body)))


def _cosigned(stamp: bytes, body: str) -> bytes:
    return f"cosignature/v1\ntime {int.from_bytes(stamp, 'big')}\n{body}".encode()


def _read(note: str) -> Checkpoint:
    if len(note.encode("utf-8")) > LONGEST or not note.endswith("\n"):
        raise ValueError("it is too long, or cut short")
    if any(ord(each) < 0x20 and each != "\n" for each in note):
        raise ValueError("it has a control character")
    body, parted, below = note.rpartition("\n\n")
    lines = body.split("\n")
    if not parted or len(lines) < 3 or "" in lines or not _SIZE.fullmatch(lines[1]):
        raise ValueError("it does not say origin, size and root")
    root = _decoded(lines[2])
    if len(root) != OCTETS:
        raise ValueError("its root has another length")
    return Checkpoint(
        note=note,
        body=f"{body}\n",
        origin=lines[0],
        size=int(lines[1]),
        root=root,
        signatures=tuple(_signature(each) for each in below.removesuffix("\n").split("\n")),
    )


def _signature(line: str) -> tuple[str, bytes]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != _DASH or not parts[1] or "+" in parts[1]:
        raise ValueError("a line below it is no signature")
    octets = _decoded(parts[2])
    if len(octets) <= _KEY_ID:
        raise ValueError("a signature is cut short")
    return parts[1], octets


def _line(name: str, octets: bytes) -> str:
    return f"{_DASH} {name} {_coded(octets)}\n"


def _coded(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _decoded(written: str) -> bytes:
    try:
        octets = base64.b64decode(written, validate=True)
    except binascii.Error:
        raise ValueError("it is not base64") from None
    if _coded(octets) != written:  # RFC 4648, 3.5: bits that nobody uses would go unseen
        raise ValueError("it is not base64 in its one form")
    return octets

"""A checkpoint of the public log as a signed note (C2SP signed-note and tlog-checkpoint), written and read strictly.

Nothing here signs: a note's text goes to whoever has the key, and comes back with its signature.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import NoteMalformed
from core.identifiers import Environment
from core.merkle import HASH_OCTETS

ED25519 = 1
"""The signature type of an Ed25519 log key."""

ED25519_KEY_OCTETS = 32
"""Of its public key."""

MOST_OCTETS = 16_384
"""Of a note that is read: a checkpoint with the cosignatures of a hundred witnesses has less."""

_KEY_ID_OCTETS = 4
_MOST_SIZE = 2**63 - 1
_DASH = "\u2014"
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME = re.compile(r"[^\s+]+")
_VKEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+(.+)")


@dataclass(frozen=True, kw_only=True)
class Signature:
    """One signature below a note.

    Args:
        name: of the key.
        key_id: four octets by which a key is told from others of its name.
        octets: the signature itself, behind the identifier of its key.
    """

    name: str
    key_id: bytes
    octets: bytes


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """What a checkpoint says.

    Args:
        origin: the log, by its name for ever.
        size: leaves of its tree.
        root: of that tree.
        text: what is signed, with the line's end that it ends in.
        signatures: in order.
    """

    origin: str
    size: int
    root: bytes
    text: str
    signatures: tuple[Signature, ...]


def origin(environment: Environment, base_url: str, generation: int) -> str:
    """Return the name of an authority's log.

    Args:
        environment: of the authority; a test authority's log says so.
        base_url: of its profile.
        generation: 1, and one more each time that a restore was accepted which lost rows.
    """
    where = base_url.partition("://")[2] or base_url
    return f"{'TEST/' if environment == 'test' else ''}{where.rstrip('/')}/log/{generation}"


def key_id(name: str, public_key: bytes) -> bytes:
    """Return the identifier of an Ed25519 key.

    Args:
        name: of the key.
        public_key: its 32 octets.
    """
    return hashlib.sha256(f"{name}\n".encode() + bytes([ED25519]) + public_key).digest()[:_KEY_ID_OCTETS]


def vkey(name: str, public_key: bytes) -> str:
    """Return an Ed25519 key in the form in which verifiers take it."""
    return f"{name}+{key_id(name, public_key).hex()}+{_base64(bytes([ED25519]) + public_key)}"


def parse_vkey(written: str) -> tuple[str, bytes]:
    """Return the name and the 32 octets of an Ed25519 key.

    Raises:
        NoteMalformed: it is no such key, or its identifier is not the one that follows from it.
    """
    found = _VKEY.fullmatch(written)
    if found is None:
        raise NoteMalformed(detail="it is no verifier key")
    name, named, coded = found.groups()
    octets = _octets(coded)
    if octets[:1] != bytes([ED25519]) or len(octets) != 1 + ED25519_KEY_OCTETS:
        raise NoteMalformed(detail="it is no Ed25519 key")
    if key_id(name, octets[1:]).hex() != named:
        raise NoteMalformed(detail="the identifier is not the key's")
    return name, octets[1:]


def checkpoint_text(log: str, size: int, root: bytes) -> str:
    """Return what is signed of a checkpoint.

    Args:
        log: its origin.
        size: leaves of its tree.
        root: of that tree.
    """
    return f"{log}\n{size}\n{_base64(root)}\n"


def signed_note(text: str, signatures: Sequence[Signature]) -> str:
    """Return a note as it is handed out."""
    lines = (f"{_DASH} {each.name} {_base64(each.key_id + each.octets)}\n" for each in signatures)
    return f"{text}\n{''.join(lines)}"


def parse_checkpoint(octets: bytes) -> Checkpoint:
    """Return what a note says that claims to be a checkpoint. No signature is verified.

    Raises:
        NoteMalformed: it is none, or not written in the one way in which each is.
    """
    if len(octets) > MOST_OCTETS:
        raise NoteMalformed(detail=f"it has more than {MOST_OCTETS} octets")
    try:
        written = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise NoteMalformed(detail="it is not UTF-8") from None
    if any(each < " " and each != "\n" for each in written):
        raise NoteMalformed(detail="it has a control character")
    text, gap, below = written.rpartition("\n\n")
    lines = text.split("\n")
    if not gap or not below.endswith("\n") or len(lines) < 3:
        raise NoteMalformed(detail="it is no signed checkpoint")
    log, size, root, *extension = lines
    if not log or not _SIZE.fullmatch(size) or int(size) > _MOST_SIZE or not all(extension):
        raise NoteMalformed(detail="it does not say of which log it is, or how large that was")
    hashed = _octets(root)
    if len(hashed) != HASH_OCTETS:
        raise NoteMalformed(detail="its root is no SHA-256")
    signatures = tuple(map(_signature, below[:-1].split("\n")))
    return Checkpoint(origin=log, size=int(size), root=hashed, text=f"{text}\n", signatures=signatures)


def _signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, coded = rest.partition(" ")
    octets = _octets(coded)
    if dash != _DASH or not _NAME.fullmatch(name) or len(octets) <= _KEY_ID_OCTETS:
        raise NoteMalformed(detail="a signature is not written as one")
    return Signature(name=name, key_id=octets[:_KEY_ID_OCTETS], octets=octets[_KEY_ID_OCTETS:])


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _octets(coded: str) -> bytes:
    """Return octets from base64 (RFC 4648, 4) in the one form that writes them."""
    try:
        octets = base64.b64decode(coded, validate=True)
    except (ValueError, binascii.Error):
        raise NoteMalformed(detail="it is not base64") from None
    if _base64(octets) != coded:
        raise NoteMalformed(detail="it is not base64 as it is written")
    return octets

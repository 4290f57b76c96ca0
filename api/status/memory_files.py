"""The two files in which a web process keeps what it has told: one is replaced whole, the other grows by lines.

Nothing here ever raises: what cannot be read or written is a sentence for an alarm, and is tried again. What was not
read is never written over, and after anything that failed the ends are written anew, whole, before they count as kept.
"""

import errno
import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from api.status import told
from core.approval import ApprovalRecord
from core.canonical import canonical, read_json
from core.chain import head_statement, journal_name
from core.mirror import SealedHead
from keys.private_file import keep

LARGEST_HEAD = 64 * 1024
LARGEST_ENDS = 1024 * 1024 * 1024
"""Octets of the two files: more was not written here. A line takes about 500."""

_SPARE_LINES = 1_000
"""Lines of things that have changed since, beyond as many as are needed, before the file is written anew."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the smaller file holds.

    Args:
        journal_key: of the authority whose register it is, SubjectPublicKeyInfo.
        name: the authority's name.
        head: the last row that was served under a head of the authority's.
        restores: which restores had been accepted by then.
        lists: the highest CRL number by key identifier.
    """

    journal_key: bytes = b""
    name: str = ""
    head: SealedHead = field(default_factory=SealedHead)
    restores: frozenset[str] = frozenset()
    lists: Mapping[str, int] = field(default_factory=dict)


class MemoryFiles:
    """The files of one web process.

    Args:
        place: where they lie and what their names begin with; None to keep nothing.
    """

    def __init__(self, place: Path | None) -> None:
        self.head = None if place is None else place.with_name(f"{place.name}.head")
        self.ends = None if place is None else place.with_name(f"{place.name}.ends")
        self.unread = place is not None
        """Whether they have still to be read; until then nothing is written."""
        self.dirty = False
        """Whether the file of ends may lack one that is known, or end in half a line."""
        self._lines = 0
        self._damage = ""
        self._failures: dict[Path, str] = {}

    @property
    def trouble(self) -> str:
        """What is wrong, a sentence; empty if nothing is."""
        return next(iter(self._failures.values()), self._damage)

    # --- reading -------------------------------------------------------------------------------------------------

    def read(self) -> tuple[Known | None, dict[str, ApprovalRecord]] | None:
        """Return what the files hold, the first without one if there is none or it is damaged.

        None if they cannot be read now: they stay as they are, and it is to be tried again.
        """
        if self.head is None or self.ends is None:
            return None
        known = None
        try:
            self.head.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            octets = contents(self.head, LARGEST_HEAD)
            lines = contents(self.ends, LARGEST_ENDS)
        except OSError as error:
            self._failed(self.ends, error)
            return None
        self._failures.clear()
        self.unread = False
        try:
            known = read_known(octets) if octets else None
        except ValueError as error:
            self._damaged(str(error))
        return known, self._read_ends(lines)

    def _read_ends(self, octets: bytes) -> dict[str, ApprovalRecord]:
        """Read every line that is whole. The last may be cut off: its end was not told, so nothing is lost with it."""
        *lines, rest = octets.split(b"\n")
        ends: dict[str, ApprovalRecord] = {}
        wrong = 0
        for each in lines:
            try:
                identifier, record = told.read(each)
            except ValueError:
                wrong += 1
                continue
            ends.pop(identifier, None)
            if record is not None:
                ends[identifier] = record
        self._lines = len(lines)
        if wrong:
            self._damaged(f"{wrong} of {len(lines)} ends cannot be read")
        if wrong or rest or self._lines > 2 * len(ends) + _SPARE_LINES:
            self.rewrite(ends)
        return ends

    # --- writing -------------------------------------------------------------------------------------------------

    def append(self, lines: Sequence[bytes], ends: Mapping[str, ApprovalRecord]) -> None:
        """Write lines down; all ends if something failed before, or if there have become too many lines."""
        if not lines or self.ends is None:
            return
        if self.unread or self.dirty:
            self.rewrite(ends)
            return
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self.ends, flags, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(b"".join(each + b"\n" for each in lines))
                file.flush()
                os.fsync(descriptor)
        except OSError as error:
            self.dirty = True
            self._failed(self.ends, error)
            return
        self._lines += len(lines)
        if self._lines > 2 * len(ends) + _SPARE_LINES:
            self.rewrite(ends)

    def rewrite(self, ends: Mapping[str, ApprovalRecord]) -> None:
        """Write all ends down anew."""
        if self.ends is None:
            return
        self.dirty = True
        if self.unread:
            return
        lines = [told.line(each) + b"\n" for each in ends.values()]
        if self._replace(self.ends, b"".join(lines)):
            self._lines, self.dirty = len(lines), False

    def keep(self, known: Known) -> bool:
        """Write the smaller file; return whether that is done with."""
        if self.head is None:
            return True
        if self.unread:
            return False
        try:
            octets = _write_known(known)
        except ValueError as error:  # whatever rows say, nothing stops for it
            self._damaged(f"it cannot be written down ({type(error).__name__})")
            return True
        return self._replace(self.head, octets)

    def _replace(self, path: Path, octets: bytes) -> bool:
        """Write a file whole or not at all; if we die in between, the one before is there."""
        try:
            keep(path, octets)
        except OSError as error:
            self._failed(path, error)
            return False
        self._failures.pop(path, None)
        return True

    def _failed(self, path: Path, error: OSError) -> None:
        said = f"What is told here cannot be kept: {error.strerror or type(error).__name__}."
        if said not in self._failures.values():
            _log.error("%s %s", said, error.filename or path)
        self._failures[path] = said

    def _damaged(self, detail: str) -> None:
        said = f"What was told here before is not known any more, or not all of it: {detail}."
        if said != self._damage:
            _log.error("%s The files are %s and %s.", said, self.head, self.ends)
        self._damage = said


def name_told(place: Path) -> str:
    """Return the name of the authority that was told from here before; empty if that is not known.

    Args:
        place: where the files lie and what their names begin with.
    """
    with suppress(OSError, ValueError):
        octets = contents(place.with_name(f"{place.name}.head"), LARGEST_HEAD)
        return read_known(octets).name if octets else ""
    return ""


def contents(path: Path, most: int, *, after: int = 0) -> bytes:
    """Return what a file holds behind its first octets; nothing if there is none, OSError if it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        file.seek(after)
        octets = file.read(most + 1)
    if len(octets) > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return octets


def _write_known(known: Known) -> bytes:
    """Return the smaller file; ValueError if it would not be read again: a name that is not Unicode, too much."""
    said: dict[str, Any] = {
        "journal_key": known.journal_key.hex(),
        "name": known.name,
        "number": str(known.head.number),  # as text: canonical JSON has no number beyond 2^53-1
        "link": known.head.link.hex(),
        "signature": known.head.signature.hex(),
        "restores": sorted(known.restores),
        "lists": {key_id: str(number) for key_id, number in known.lists.items()},
    }
    octets = canonical({**said, "sha256": hashlib.sha256(canonical(said)).hexdigest()})
    if len(octets) > LARGEST_HEAD:
        raise ValueError("it is too long")
    return octets


def is_signed(head: SealedHead, known: Known) -> bool:
    """Return whether the journal's key signed a head: whoever writes rows can write one that it did not.

    Args:
        head: the head.
        known: whose journal it is.
    """
    try:
        key = load_der_public_key(known.journal_key)
        statement = head_statement(journal_name(known.name), head.number, head.link)
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(head.signature, statement, ec.ECDSA(hashes.SHA256()))
            return True
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return False


def read_known(octets: bytes) -> Known:
    """Return what the smaller file says; ValueError if it is not as it was written.

    A row that no head of the authority's is for, as a release before has kept it, is not believed: somebody may have
    written it, and the authority may have taken it back.
    """
    try:
        said = read_json(octets)
        digest = said.pop("sha256")
        known = Known(
            journal_key=bytes.fromhex(said["journal_key"]),
            name=said["name"],
            head=SealedHead(
                number=int(said["number"]),
                link=bytes.fromhex(said["link"]),
                signature=bytes.fromhex(said.get("signature", "")),
            ),
            restores=frozenset(said["restores"]),
            lists={key_id: int(number) for key_id, number in said["lists"].items()},
        )
        written = hashlib.sha256(canonical(said)).hexdigest()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError("the file is not as it was written") from error
    if written != digest:
        raise ValueError("the file is not as it was written")
    return known if is_signed(known.head, known) else replace(known, head=SealedHead())

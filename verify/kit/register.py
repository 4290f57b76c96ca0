"""The register as the authority hands it out, compared with a copy piece by piece, however long it is.

It may be of a moment before the copy's: what changed since is passed over, everything else has to be the same.
"""

import codecs
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from verify.kit.canonical import canonical, one_of, read
from verify.kit.instants import seconds
from verify.kit.stopped import Check, Stopped

_BEGIN = '{"approvals":['
_LONGEST_DOCUMENT = 16 * 1024 * 1024
"""Characters of one approval's document, far beyond any."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A document as a copy has it.

    Args:
        approval: its identifier.
        document: in the canonical form.
        row: in which it came.
    """

    approval: str
    document: str
    row: int


@dataclass(frozen=True, kw_only=True)
class Register:
    """What a register says of itself, once it was read to its end, and where it is not the copy's.

    Args:
        log, size, root, at: of the moment of which it is; `root` in base64.
        sha256: of all its octets.
        strange: approvals that the copy does not have.
        other: approvals of which it says something else, or nothing, each with the row of the copy's document.
        last: the last of those rows from which it has what the copy has, and of which approval.
    """

    log: str
    size: int
    root: str
    at: str
    sha256: bytes
    strange: frozenset[str]
    other: Mapping[str, int]
    last: tuple[int, str]

    @property
    def differs(self) -> str | None:
        """An approval that is not the copy's, although nothing has changed since of what the copy says of it."""
        ahead = {self.last[1]} if self.last[0] > self.size else set()
        changed = {approval for approval, row in self.other.items() if row <= self.size}
        return min({*self.strange, *changed, *ahead}, default=None)


class _Text:
    """What is still to be read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._digest = hashlib.sha256()
        self.held, self.place = "", 0

    def more(self) -> bool:
        """Read the next piece; whether there was one."""
        piece = next(self._pieces, None)
        if piece is None:
            return False
        self._digest.update(piece)
        self.held = self.held[self.place :] + self._decoder.decode(piece)
        self.place = 0
        return True

    def follows(self, wanted: str) -> bool:
        """Return whether that comes next, and go behind it."""
        while len(self.held) - self.place < len(wanted) and self.more():
            pass
        found = self.held.startswith(wanted, self.place)
        self.place += len(wanted) if found else 0
        return found

    def peek(self, between: str) -> tuple[str, int] | None:
        """Return the approval of the next document and where that ends; None if there is none any more.

        Args:
            between: what stands before it.
        """
        while len(self.held) == self.place and self.more():
            pass
        if self.held.startswith("]", self.place):
            return None
        while True:
            if self.held.startswith(between, self.place):
                try:
                    said, end = one_of(self.held, self.place + len(between))
                    return str(said["approval"]), end
                except (ValueError, KeyError, TypeError, RecursionError):
                    pass  # it goes on in the next piece, or is none
            if len(self.held) - self.place > _LONGEST_DOCUMENT or not self.more():
                raise Stopped(Check.FORM, "The register has something that is no document.")

    def rest(self) -> tuple[str, bytes]:
        """Return what is left, and the SHA-256 of all."""
        while len(self.held) - self.place <= _LONGEST_DOCUMENT and self.more():
            pass
        return self.held[self.place :] + self._decoder.decode(b"", final=True), self._digest.digest()


def compared(pieces: Iterable[bytes], ours: Iterable[Kept]) -> Register:
    """Read a register, and compare each document with the copy's.

    Args:
        pieces: of the answer.
        ours: the copy's documents, by identifier.

    Raises:
        Stopped: it is no register.
    """
    text = _Text(pieces)
    try:
        strange, other, last = _documents(text, ours)
        rest, sha256 = text.rest()
        said = read(f"{{{rest[1:]}".encode()) if rest.startswith(",") else None
        if not isinstance(said, dict) or said.keys() != {"at", "log", "root", "size"}:
            raise Stopped(Check.FORM, "The register does not say of which moment it is.")
        if canonical(said) != f"{{{rest[1:]}".encode() or type(said["size"]) is not int:
            raise Stopped(Check.FORM, "The register is not in its canonical form.")
        seconds(said["at"])
    except (ValueError, TypeError):
        raise Stopped(Check.FORM, "The register is not in the form of one.") from None
    return Register(**said, sha256=sha256, strange=frozenset(strange), other=other, last=last)


def _documents(text: _Text, ours: Iterable[Kept]) -> tuple[set[str], dict[str, int], tuple[int, str]]:
    """Return the approvals that the copy does not have, those that it has otherwise, and the last that is the same."""
    if not text.follows(_BEGIN):
        raise Stopped(Check.FORM, "The register does not begin as one.")
    strange, other = set[str](), dict[str, int]()
    last = (0, "")
    between = ""
    for kept in ours:
        while not text.follows(between + kept.document):
            found = text.peek(between)
            if found is not None and found[0] < kept.approval:
                strange.add(found[0])
                text.place, between = found[1], ","
                continue
            other[kept.approval] = kept.row
            if found is not None and found[0] == kept.approval:
                text.place, between = found[1], ","
            break
        else:
            between, last = ",", max(last, (kept.row, kept.approval))
    while (found := text.peek(between)) is not None:
        strange.add(found[0])
        text.place, between = found[1], ","
    text.place += 1  # the end of the list
    return strange, other, last

"""One request while it comes in: its head's lines, and its body, in memory or in a file without a name."""

import contextlib
import io
import tempfile
from dataclasses import dataclass
from typing import BinaryIO

from api.status.exchange import Asked, Reply
from front.framing import Framing


@dataclass
class Spool:
    """How many octets of bodies may lie in files, and how many do."""

    most: int
    held: int = 0


class Incoming:
    """One request. What most requests never change is the class's, as one is made for each.

    Args:
        spool: counts what is collected into files.
        in_memory: octets of a body above which it goes into one.
        at_once: octets up to which it is handed on with the request all the same.
    """

    target: bytes = b""
    method: bytes = b""
    head_octets: int = 0
    asked: Asked | None = None
    limit: int = 0
    announced: int | None = None
    length: int = 0
    keep: bool = False
    complete: bool = False
    refusal: Reply | None = None
    framing: Framing | None = None
    _memory: bytes | bytearray = b""
    _file: BinaryIO | None = None
    _spooled: int = 0

    def __init__(self, spool: Spool, in_memory: int, at_once: int) -> None:
        self.spool = spool
        self._in_memory = in_memory
        self._at_once = at_once
        self.lines: list[tuple[bytes, bytes]] = []

    @property
    def bare(self) -> bool:
        """Whether its answer has no body: it is a HEAD."""
        return self.method == b"HEAD"

    def add(self, octets: bytes) -> bool:
        """Take a piece of the body; False if there is no room to collect it."""
        self.length += len(octets)
        if self._file is None and self.length <= self._in_memory:
            if not self._memory:
                self._memory = octets  # nearly every body is one piece
            elif isinstance(self._memory, bytearray):
                self._memory += octets  # not a list: chunks may have an octet each, and each piece an object's head
            else:
                self._memory = bytearray(self._memory + octets)
            return True
        try:
            if self._file is None:
                # Without a buffer: one would be written when it is closed, which a full disk refuses too late.
                self._file = tempfile.TemporaryFile(buffering=0, prefix="trialcpa-")  # noqa: SIM115 - `drop` closes it
                octets = bytes(self._memory) + octets
                self._memory = b""
            if self.spool.held + len(octets) > self.spool.most:
                return False
            written = self._file.write(octets)
        except OSError:
            return False
        self.spool.held += written
        self._spooled += written
        return written == len(octets)  # a disk that becomes full takes a part

    def whole(self) -> Asked:
        """Return the request; with its body if that is no longer than what can be answered at once."""
        if self.asked is None:
            raise ValueError("it has no head yet")
        if self.length == 0 or self.length > self._at_once:
            return self.asked
        body = bytes(self._memory) if self._file is None else self.opened().read()
        return self.asked.with_body(body)

    def opened(self) -> BinaryIO:
        """Return the body as a stream at its beginning."""
        if self._file is None:
            return io.BytesIO(self._memory)
        self._file.seek(0)
        return self._file

    def drop(self) -> None:
        """Let go of the body. Asked for twice, it does nothing the second time."""
        self._memory = b""
        if self._file is not None:
            file, self._file = self._file, None
            self.spool.held -= self._spooled
            self._spooled = 0
            with contextlib.suppress(OSError):
                file.close()

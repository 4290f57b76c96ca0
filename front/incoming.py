"""One request while it comes in: its head's lines, and its body, in memory or in a file without a name."""

import contextlib
import io
import tempfile
from dataclasses import dataclass, field
from typing import BinaryIO

from api.status.exchange import Asked, Reply
from front.framing import Framing


@dataclass
class Spool:
    """How many octets of bodies may lie in files, and how many do."""

    most: int
    held: int = 0


@dataclass
class Incoming:
    """One request.

    Args:
        spool: counts what is collected into files.
        in_memory: octets of a body above which it goes into one.
        at_once: octets up to which it is handed on with the request all the same.
        bare: whether its answer has no body: it is a HEAD.
        framing: counts what frames the body.
    """

    spool: Spool
    in_memory: int
    at_once: int
    framing: Framing = field(default_factory=lambda: Framing(0))
    target: bytes = b""
    lines: list[tuple[bytes, bytes]] = field(default_factory=list)
    head_octets: int = 0
    asked: Asked | None = None
    limit: int = 0
    announced: int | None = None
    length: int = 0
    keep: bool = False
    complete: bool = False
    refusal: Reply | None = None
    bare: bool = False
    _memory: bytearray = field(default_factory=bytearray)
    _file: BinaryIO | None = None
    _spooled: int = 0

    def add(self, octets: bytes) -> bool:
        """Take a piece of the body; False if there is no room to collect it."""
        self.length += len(octets)
        if self._file is None and self.length <= self.in_memory:
            self._memory += octets  # not a list: chunks may have an octet each, and each piece an object's head
            return True
        try:
            if self._file is None:
                # Without a buffer: one would be written when it is closed, which a full disk refuses too late.
                self._file = tempfile.TemporaryFile(buffering=0, prefix="trialcpa-")  # noqa: SIM115 - `drop` closes it
                octets = bytes(self._memory) + octets
                self._memory = bytearray()
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
        if self.length == 0 or self.length > self.at_once:
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
        self._memory = bytearray()
        if self._file is not None:
            file, self._file = self._file, None
            self.spool.held -= self._spooled
            self._spooled = 0
            with contextlib.suppress(OSError):
                file.close()

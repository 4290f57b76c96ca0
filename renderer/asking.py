"""Whoever asks the renderer: hands it octets, and takes an outline or a picture that is one, within a deadline.

Nothing of a document is looked at here. That nobody answers, or not as they should, is an answer, too: a page shows
what it can, and offers the file.
"""

import hashlib
import socket
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from renderer.limits import ASK_SECONDS, LARGEST_DOCUMENT, MOST_PAGES, PAGES_AT_ONCE
from renderer.png import NoPicture, require_picture
from renderer.wire import (
    FILTER,
    NETWORK,
    Asks,
    Outcome,
    Outline,
    Question,
    Reads,
    WireBroken,
    question,
    read_answer,
    read_outline,
)

__all__ = ["FILTER", "MOST_PAGES", "NETWORK", "PAGES_AT_ONCE", "Outline", "Renderer", "Unshown"]


class Unshown(StrEnum):
    """Why there is nothing to look at."""

    PROTECTED = "protected"
    UNREADABLE = "unreadable"
    NO_PAGE = "no-page"
    GAVE_UP = "gave-up"
    SILENT = "silent"
    WRONG = "wrong"
    TOO_LARGE = "too-large"


_OUTCOMES = {
    Outcome.PROTECTED: Unshown.PROTECTED,
    Outcome.UNREADABLE: Unshown.UNREADABLE,
    Outcome.NO_PAGE: Unshown.NO_PAGE,
}


AGAIN_SECONDS = 60.0
"""After which a document that was given up is tried again: the machine may just have been busy."""

_MOST_GIVEN_UP = 256


@dataclass(frozen=True)
class Renderer:
    """The renderer behind a socket.

    Args:
        path: of the socket.
        seconds: within which it answers.
    """

    path: Path
    seconds: float = ASK_SECONDS
    _given_up: dict[bytes, float] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What cost too much, and until when it is not asked again: whoever looks at it meanwhile waits for nothing."""

    def outline(self, octets: bytes, first: int) -> Outline | Unshown:
        """Return how many pages a document has, with a few of them from one on; or why that cannot be told."""
        found = self._asked(Question(Asks.OUTLINE, first, octets))
        if isinstance(found, Unshown):
            return found
        try:
            return read_outline(found, first)
        except WireBroken:
            return Unshown.WRONG

    def picture(self, octets: bytes, number: int) -> bytes | Unshown:
        """Return a page as PNG; or why there is none."""
        found = self._asked(Question(Asks.PICTURE, number, octets))
        if isinstance(found, Unshown):
            return found
        try:
            require_picture(found)
        except NoPicture:
            return Unshown.WRONG
        return found

    def confined(self) -> list[str] | Unshown:
        """Return what the process that draws has given up, in words; or why it does not say."""
        found = self._asked(Question(Asks.CONFINED, 1, b""))
        if isinstance(found, Unshown):
            return found
        return [each for each in found.decode("ascii", "replace").split(",") if each]

    def _asked(self, asked: Question) -> bytes | Unshown:
        if asked.page > MOST_PAGES or len(asked.octets) > LARGEST_DOCUMENT:
            return Unshown.NO_PAGE if asked.page > MOST_PAGES else Unshown.TOO_LARGE
        name, now = hashlib.sha256(question(asked)).digest(), time.monotonic()
        if self._given_up.get(name, now) > now:
            return Unshown.GAVE_UP
        found = self._answered(asked, now + self.seconds)
        if found is Unshown.GAVE_UP:
            if len(self._given_up) >= _MOST_GIVEN_UP:
                self._given_up.clear()
            self._given_up[name] = now + AGAIN_SECONDS
        return found

    def _answered(self, asked: Question, until: float) -> bytes | Unshown:
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.settimeout(_left(until))
                connection.connect(str(self.path))
                connection.settimeout(_left(until))
                connection.sendall(question(asked))
                outcome, body = read_answer(_reader(connection, until), asked.asks)
            except WireBroken:
                return Unshown.WRONG
            except (EOFError, ConnectionResetError, BrokenPipeError):
                return Unshown.GAVE_UP  # it was killed over this
            except OSError:
                return Unshown.SILENT
        return body if outcome is Outcome.DONE else _OUTCOMES[outcome]


def _left(until: float) -> float:
    return max(0.001, until - time.monotonic())


def _reader(connection: socket.socket, until: float) -> Reads:
    def read(length: int) -> bytes:
        found = bytearray()
        while len(found) < length:
            connection.settimeout(_left(until))
            some = connection.recv(min(length - len(found), 64 * 1024))
            if not some:
                raise EOFError
            if time.monotonic() > until:
                raise TimeoutError
            found += some
        return bytes(found)

    return read

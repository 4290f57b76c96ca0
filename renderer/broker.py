"""Who listens on the socket: never reads an octet of a document, and begins a child for each question.

A child that takes longer than it may is killed; its connection ends with it, which tells whoever asked. Not more than a
few draw at once; who comes meanwhile waits in the socket's queue.
"""

import logging
import math
import os
import selectors
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress

from renderer import confined, drawing
from renderer.limits import AT_ONCE, WALL_SECONDS
from renderer.wire import Asks, Outcome, Question, answer, outline, read_question

_log = logging.getLogger(__name__)

_CONNECTION = confined.FIRST_KEPT
"""Where a child has the connection; behind it is the end of a pipe, which closes with the child."""

_LONGEST_REST = 0.5
"""Seconds after which it is looked whether we are to stop, or somebody takes too long."""

_LOST = 1
_SUPERVISOR = 0


def serve(listening: socket.socket, *, supervised: bool, wall_seconds: float = WALL_SECONDS) -> None:
    """Answer until SIGTERM or SIGINT, or until the supervisor ends.

    Args:
        listening: the socket, which listens already.
        supervised: whether standard input ends with whoever supervises us.
        wall_seconds: for how long a child may be at work.
    """
    drawing.load()
    _Broker(listening, confined.apart(), wall_seconds).run(supervised=supervised)


class _Broker:
    def __init__(self, listening: socket.socket, given: list[str], wall_seconds: float) -> None:
        self._listening = listening
        self._given = given
        self._wall_seconds = wall_seconds
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, tuple[int, float]] = {}
        """By the end of a pipe that closes with a child: the child, and until when it may be at work."""
        self._stopping = self._listens = False

    def run(self, *, supervised: bool) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        if supervised:
            self._selector.register(_SUPERVISOR, selectors.EVENT_READ)
        try:
            while not self._stopping:
                self._turn()
        finally:
            for child, _ in self._children.values():
                os.kill(child, signal.SIGKILL)

    def _stop(self, _number: int, _frame: object) -> None:
        self._stopping = True

    def _turn(self) -> None:
        self._listen(len(self._children) < AT_ONCE)
        until = min((until for _, until in self._children.values()), default=0.0)
        rest = max(0.0, min(_LONGEST_REST, until - time.monotonic())) if self._children else _LONGEST_REST
        for key, _ in self._selector.select(rest):
            if key.fileobj is self._listening:
                self._begin()
            elif key.fd == _SUPERVISOR:
                self._stopping = self._stopping or not os.read(_SUPERVISOR, 1)
            else:
                self._end(key.fd)
        for closes, (child, until) in self._children.items():
            if time.monotonic() >= until:
                self._children[closes] = child, math.inf
                _log.warning("a document took longer than %s seconds and is given up", self._wall_seconds)
                os.kill(child, signal.SIGKILL)

    def _listen(self, so: bool) -> None:  # noqa: FBT001 - said once, above
        if so and not self._listens:
            self._selector.register(self._listening, selectors.EVENT_READ)
        elif self._listens and not so:
            self._selector.unregister(self._listening)
        self._listens = so

    def _begin(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except OSError:
            return  # they have gone again
        parent = os.getpid()
        closes, held = os.pipe()
        with connection:
            try:
                child = os.fork()
            except OSError as error:  # no memory, or no more processes: whoever asked is told by the connection's end
                _log.warning("no process can be begun for a document (%s)", error.strerror)
                os.close(closes)
                os.close(held)
                return
            if not child:
                _draw((connection.fileno(), held), parent, self._given)
        os.close(held)
        self._children[closes] = child, time.monotonic() + self._wall_seconds
        self._selector.register(closes, selectors.EVENT_READ)

    def _end(self, closes: int) -> None:
        child, _ = self._children.pop(closes)
        self._selector.unregister(closes)
        os.close(closes)
        # Its end of the pipe may be closed by what a document has made of it, too: nobody waits for one that goes on.
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if status and os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            _log.warning("a document could not be drawn to the end (%s)", os.waitstatus_to_exitcode(status))


def _draw(kept: Sequence[int], parent: int, given: list[str]) -> None:
    """In the child: answer one question, and end."""
    status = _LOST
    with suppress(BaseException):  # whatever a document makes of this process, it ends here
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        given = [*given, *confined.child(kept, parent)]
        _write(_answered(read_question(_read), given))
        status = 0
    os._exit(status)


def _answered(asked: Question, given: list[str]) -> bytes:
    try:
        match asked.asks:
            case Asks.CONFINED:
                return answer(Outcome.DONE, confined.words(given))
            case Asks.OUTLINE:
                return answer(Outcome.DONE, outline(drawing.outline(asked.octets, asked.page)))
            case Asks.PICTURE:
                return answer(Outcome.DONE, drawing.picture(asked.octets, asked.page))
    except drawing.Undrawable as error:
        return answer(error.outcome)


def _read(length: int) -> bytes:
    found = bytearray()
    while len(found) < length:
        some = os.read(_CONNECTION, length - len(found))
        if not some:
            raise EOFError
        found += some
    return bytes(found)


def _write(octets: bytes) -> None:
    left = memoryview(octets)
    while left:
        left = left[os.write(_CONNECTION, left) :]

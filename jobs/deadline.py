"""A deadline for a whole conversation: whoever says one octet in a while is within every time-out and never done."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Deadline:
    """Hangs up on whoever is not done in time.

    Args:
        seconds: from entering the block on.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._timer = threading.Timer(seconds, self._strike)
        self._timer.daemon = True
        self._guard = threading.Lock()
        self._sockets: list[socket.socket] = []

    def watch(self, connection: socket.socket) -> None:
        """Hang up on this connection too, at once if the time is over.

        A copy is kept: TLS takes the descriptor over, and what is shut down by one name is shut down by all.
        """
        with self._guard:
            self._sockets.append(connection.dup())
            if self.passed:
                self._hang_up()

    def __enter__(self) -> Self:
        """Begin to count."""
        self._timer.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        """Stop counting."""
        self._timer.cancel()
        with self._guard:
            for each in self._sockets:
                each.close()
            self._sockets.clear()

    def _strike(self) -> None:
        with self._guard:
            self.passed = True
            self._hang_up()

    def _hang_up(self) -> None:
        for each in self._sockets:
            with suppress(OSError):  # it has hung up itself
                each.shutdown(socket.SHUT_RDWR)

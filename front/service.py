"""What the front asks of what is behind it, and by whom it has the rest done."""

from abc import ABC, abstractmethod
from enum import StrEnum
from typing import BinaryIO, Protocol

from api.status.exchange import Asked, Pieces, Reply


class Turn(StrEnum):
    """Which workers do what cannot be answered at once. What holds one kind up holds up no other."""

    API = "api"
    """Whatever the API does: each of its requests ends by itself."""

    PAST = "past"
    """Questions about status for which the store is read."""

    LONG = "long"
    """What takes long by its nature: files and reports that are sent, and what is read of the public log."""

    DRAW = "draw"
    """Evidence that another process draws, which may keep whoever asks waiting for seconds."""

    WAIT = "wait"
    """Whoever prefers to wait for what the authority is about to do (api/patience.py)."""


class Later(ABC):
    """What is asked for is not there yet: the connection waits, on no thread, until the front is told.

    Args:
        seconds: for how long at most.
    """

    seconds: float

    @abstractmethod
    def now(self) -> Reply | Turn | None:
        """Answer from memory, or say who does; None while it is not there. Must not wait, and never raises."""

    @abstractmethod
    def at_last(self) -> Reply | Turn:
        """Answer whatever there is: nobody waits any longer. Must not wait, and never raises."""


class Stream(ABC):
    """An answer that goes on: what there is is sent, and what comes when it is there.

    Args:
        seconds: for how long at most.
        head: status and header fields; it has no length, and ends with the connection (RFC 9112, 6.3).
        first: what it begins with.
        quiet: what is sent from time to time while there is nothing, so that whoever is between does not think it dead.
    """

    seconds: float
    head: Reply
    first: bytes
    quiet: bytes

    @abstractmethod
    def now(self) -> Pieces | Turn | None:
        """Return what goes on from memory, or say who reads it; None while there is nothing. Must not wait."""

    @abstractmethod
    def work(self) -> Pieces | None:
        """Return what goes on, on a thread that may wait; None if there is nothing. Never raises."""

    @abstractmethod
    def at_last(self) -> Reply | Turn:
        """Answer once and whole, where no connection can be held. Must not wait, and never raises."""


class Service(Protocol):
    """What is behind the front."""

    def admit(self, asked: Asked) -> int | Reply:
        """Say of a request whose body has not come yet how many octets it may have, or refuse it. Must not wait."""
        ...

    def at_once(self, asked: Asked) -> Reply | Turn | Later | Stream:
        """Answer a whole request from memory, or say who does, or when. Must not wait, and never raises."""
        ...

    def work(self, turn: Turn, asked: Asked, body: BinaryIO, length: int) -> Reply:
        """Answer a whole request, on a thread that may wait; never raises.

        Args:
            turn: as `at_once` said.
            asked: the request, with an empty body if that is in `body` alone.
            body: the body, from its beginning.
            length: its octets.
        """
        ...

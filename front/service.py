"""What the front asks of what is behind it, and by whom it has the rest done."""

from enum import StrEnum
from typing import BinaryIO, Protocol

from api.status.exchange import Asked, Reply


class Turn(StrEnum):
    """Which workers do what cannot be answered at once. What holds one kind up holds up no other."""

    API = "api"
    """Whatever the API does: each of its requests ends by itself."""

    PAST = "past"
    """Questions about status for which the store is read."""

    LONG = "long"
    """What takes long by its nature: files and reports that are sent."""

    WAIT = "wait"
    """Whoever prefers to wait for what the authority is about to do (api/patience.py)."""


class Service(Protocol):
    """What is behind the front."""

    def admit(self, asked: Asked) -> int | Reply:
        """Say of a request whose body has not come yet how many octets it may have, or refuse it. Must not wait."""
        ...

    def at_once(self, asked: Asked) -> Reply | Turn:
        """Answer a whole request from memory, or say who does. Must not wait, and never raises."""
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

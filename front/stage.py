"""What a connection is at."""

from enum import Enum, auto


class Stage(Enum):
    """What a connection is at."""

    HEAD = auto()
    BODY = auto()
    WORK = auto()
    WAIT = auto()
    SEND = auto()
    DRAIN = auto()
    CLOSED = auto()


# Tuples, as identity is faster than an enumeration's hash, and this is asked several times for each request.
COMING_IN = (Stage.HEAD, Stage.BODY)
GOING_OUT = (Stage.WORK, Stage.SEND, Stage.WAIT)

"""What a row says that is no word of ours: noted where it is read, told by whoever fails over it.

A list goes on past such a row, and its word equals no member (store/types.py). Where something fails all the same, its
cause is the row and not the code, and whoever asked is told so.
"""

import re
from contextvars import ContextVar
from enum import StrEnum

_READ: ContextVar[str | None] = ContextVar("unreadable", default=None)
_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def begin() -> None:
    """Begin to listen: what was read for somebody else before is forgotten."""
    _READ.set(None)


def note(words: type[StrEnum]) -> None:
    """Note that a row had a word which is none of a closed list."""
    _READ.set(_INNER_CAPITAL.sub(" ", words.__name__).lower())


def noted() -> str | None:
    """Return which sort of word could not be read since `begin`, in words; None if each could."""
    return _READ.get()

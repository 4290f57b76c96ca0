"""What a row says that is no word of ours: noted where it is read, told by whoever fails over it.

A list goes on past such a row, and its word equals no member (store/types.py). Where something fails over that word,
its cause is the row and not the code, and whoever asked is told so; whatever else fails in the request is a fault.
"""

import re
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from enum import StrEnum

_READ: ContextVar[dict[str, str] | None] = ContextVar("unreadable", default=None)
_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")

_MOST = 16
"""Different words that are remembered of one request: whoever writes into rows by hand can make a million of them."""
_FRAMES = 3
"""Innermost frames in which is looked for the word: what fails over it has it in hand, or has just handed it on."""
_CAUSES = 8
"""Errors behind an error that are gone through."""


def begin() -> None:
    """Begin to listen: what was read for somebody else before is forgotten."""
    _READ.set(None)


def note(words: type[StrEnum], said: str) -> None:
    """Note that a row had a word which is none of a closed list.

    Args:
        words: the list.
        said: the word.
    """
    known = _READ.get()
    if known is None:
        known = {}
        _READ.set(known)
    if len(known) < _MOST:
        known[said] = _INNER_CAPITAL.sub(" ", words.__name__).lower()


def noted() -> tuple[str, ...]:
    """Return which sorts of words could not be read since `begin`, in words; none if each could."""
    return tuple(dict.fromkeys((_READ.get() or {}).values()))


def behind(error: BaseException) -> str | None:
    """Return which sort of word that could not be read an error comes of, in words; None if it comes of none.

    Args:
        error: what was raised: it names the word, or one of those who raised it had the word in hand.
    """
    for said, sort in (_READ.get() or {}).items():
        if any(_names(each, said) or _in_hand(each, said) for each in _causes(error)):
            return sort
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    now: BaseException | None = error
    for _ in range(_CAUSES):
        if now is None:
            return
        yield now
        now = now.__cause__ or now.__context__


def _names(error: BaseException, said: str) -> bool:
    told = (*error.args, getattr(error, "obj", None))  # of an AttributeError, what lacks the attribute
    return any(each == said or (isinstance(each, str) and repr(said) in each) for each in told)


def _in_hand(error: BaseException, said: str) -> bool:
    frames, now = [], error.__traceback__
    while now is not None:
        frames.append(now.tb_frame)
        now = now.tb_next
    return any(_holds(value, said) for each in frames[-_FRAMES:] for value in each.f_locals.values())


def _holds(value: object, said: str) -> bool:
    if isinstance(value, str):
        return value == said
    if isinstance(value, dict):
        return said in value
    if is_dataclass(value):
        return any(isinstance(word := getattr(value, each.name, None), str) and word == said for each in fields(value))
    return False

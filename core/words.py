"""Words that people are asked for (reasons, notes, conditions), and how what is counted is said to them.

The Code asks for a summary of *why* (F2.21(b), F2.24, F2.29, F2.30): blanks, and characters that nobody sees, say
nothing. Whatever asks for words asks here whether there are any.
"""

import unicodedata
from collections.abc import Sequence

from core.errors import NothingSaid

_UNSEEN = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols by their category that are drawn as nothing: fillers of Hangul, the braille blank."""


def says_something(words: str) -> bool:
    """Return whether there is at least one character in some words that a reader sees."""
    return any(unicodedata.category(each)[0] not in "ZCM" and each not in _UNSEEN for each in words)


def required(words: str, *, of: str) -> str:
    """Return words that an act cannot do without, as they were given.

    Args:
        words: what was given.
        of: what they are, as people call them: `reasons`.

    Raises:
        NothingSaid: there is nothing in them.
    """
    if not says_something(words):
        raise NothingSaid(what=of)
    return words


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return a number with what is counted: `1 model`, `2 models`, `1,000 models`.

    Args:
        count: how many.
        one: what one of them is called.
        many: what several are called; with an s after it if that is all.
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


NAMED = 5
"""How many of many are named in a sentence."""


def named(names: Sequence[str]) -> str:
    """Return names as a sentence has them: the first few, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")

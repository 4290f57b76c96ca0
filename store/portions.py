"""Many names, some to a statement."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

MOST_NAMED = 500
"""In one statement. SQLite binds 32,766 values (sqlite.org/limits.html, 9); names of two parts, and whatever else a
statement binds, stay far below."""

N = TypeVar("N")


def portions(named: Sequence[N]) -> Iterator[Sequence[N]]:
    """Yield names as they come, so many together as one statement names."""
    for first in range(0, len(named), MOST_NAMED):
        yield named[first : first + MOST_NAMED]

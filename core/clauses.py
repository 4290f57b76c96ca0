"""The paragraphs of Section F that this authority serves, and the mark of a function that serves one.

docs/clauses.md is generated from these marks, the rules of policy/, the endpoints and the tests.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

PARAGRAPHS: tuple[str, ...] = (
    "F2.18",
    "F2.19",
    "F2.20",
    *(f"F2.21({letter})" for letter in "abcde"),
    "F2.22",
    "F2.23",
    "F2.24",
    "F2.25",
    "F2.26",
    "F2.27",
    *(f"F2.28({letter})" for letter in "abcdefgh"),
    "F2.29",
    "F2.30",
    "F2.31",
)
"""F2.21 and F2.28 each by their items; the others whole."""

_P = ParamSpec("_P")
_R = TypeVar("_R")


def serves(*paragraphs: str) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Mark a function as what puts paragraphs into effect. It does nothing else; docs/clauses.md is written from it.

    Args:
        paragraphs: of PARAGRAPHS.
    """
    unknown = set(paragraphs) - set(PARAGRAPHS)
    if unknown or not paragraphs:
        raise ValueError(f"no paragraph of Section F: {sorted(unknown)}")

    def same(function: Callable[_P, _R]) -> Callable[_P, _R]:
        return function

    return same

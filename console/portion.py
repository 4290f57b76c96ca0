"""Long lists that are in no order of identifiers: a page shows a portion, and leads to the one behind it and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import request

_T = TypeVar("_T")

ROWS = 50
_LONGEST_NUMBER = 6
"""Digits of a place in a list."""


@dataclass(frozen=True, kw_only=True)
class Portion(Generic[_T]):
    """A portion of a list.

    Args:
        rows: what is shown.
        begin: how many stand before it.
        whole: how many there are.
        before, following: from where the portions beside it begin; None at an end.
    """

    rows: Sequence[_T]
    begin: int
    whole: int
    before: int | None
    following: int | None


def portion(listed: Sequence[_T], name: str, rows: int = ROWS) -> Portion[_T]:
    """Return the portion of a list that the address asks for; behind the end, or what is no number, is the first.

    Args:
        listed: all of it, in the order in which it is shown.
        name: of the address's member that says where it begins.
        rows: of a portion.
    """
    said = request.args.get(name, "")
    begin = int(said) if said.isascii() and said.isdecimal() and len(said) <= _LONGEST_NUMBER else 0
    begin = begin if begin < len(listed) else 0
    end = begin + rows
    return Portion(
        rows=listed[begin:end],
        begin=begin,
        whole=len(listed),
        before=max(0, begin - rows) if begin else None,
        following=end if end < len(listed) else None,
    )

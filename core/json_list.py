"""A long list in JSON, divided into the text of each element, so that what is wrong with one spoils only itself.

Each is read afterwards as it would be by itself (core/json_text.py). The plainest, an object that names one string, is
read here: of ten thousand nearly all are of that form.
"""

import json
import re

from core.json_text import JsonUnreadable
from core.plain_text import TextUnreadable, utf8

MOST_ODD = 1024 * 1024
"""Characters of all elements of one list that have no form in which anybody asks. To read junk strictly takes a second
for six million of them, and what is to be answered within one is not spent on that."""

_ODD_LENGTH = 8 * 1024
"""Characters: a certificate of ours with its text around it has five thousand."""

_ODD_QUOTES, _ODD_BRACKETS = 80, 2
"""A question names ten strings, and has one object within it; twice as many quotation marks are a mistake."""

_BLANK = r"[ \t\r\n]*+"
_BEGINS = re.compile(rf'{_BLANK}\{{{_BLANK}"([a-z_]+)"{_BLANK}:{_BLANK}\[{_BLANK}')
_EMPTY = re.compile(r"\]")
_PLAIN = re.compile(
    rf'\{{{_BLANK}"([a-z_]+)"{_BLANK}:{_BLANK}"([ !#-\[\]-~]*+)"{_BLANK}\}}{_BLANK}(?:,{_BLANK}(?=[^\s,\]])|(\]))'
)
_FOLLOWS = re.compile(rf"{_BLANK}(?:,{_BLANK}(?=[^\s,\]])|(\]))")
_ENDS = re.compile(rf"{_BLANK}\}}{_BLANK}")
_SCALAR = re.compile(r'[^\s"\[\]{},:]++')
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]|[^"\[\]{}]++', re.DOTALL)
_PAIRS = {"{": "}", "[": "]"}

# Only where an element ends is asked; whoever reads it looks at its numbers and at what it names twice.
_READER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def divided(octets: bytes, member: str, *, most: int, longest: int) -> list[tuple[str, str] | str]:
    """Return what the list holds that is the one member of an object.

    Args:
        octets: JSON in UTF-8, of a length that was bounded before.
        member: the name of the one member.
        most: how many elements there may be; of more, one more is returned and the rest is not looked at.
        longest: characters of one element.

    Returns:
        Of each its text; of an object that names one string of printable ASCII without an escape, the name and the
        string.

    Raises:
        JsonUnreadable: it is not such an object, or not to be divided.
    """
    try:
        text = utf8(octets)
    except TextUnreadable as error:
        raise JsonUnreadable(str(error)) from None
    begins = _BEGINS.match(text)
    if begins is None or begins[1] != member:
        raise JsonUnreadable(f"it is not an object with the one member “{member}”, a list")
    found: list[tuple[str, str] | str] = []
    place, last = begins.end(), False
    empty = _EMPTY.match(text, place)
    if empty is not None:
        place, last = empty.end(), True
    budget = _Budget()
    plain = _PLAIN.match
    while not last:
        one = plain(text, place)
        if one is not None:
            name, value, end = one.groups()
            found.append((name, value))
            place, last = one.end(), end is not None
        else:
            element = _element(text, place, longest, budget)
            follows = _FOLLOWS.match(text, place + len(element))
            if follows is None:
                raise JsonUnreadable(f"it is not JSON: after element {len(found) + 1} of its list")
            found.append(element)
            place, last = follows.end(), follows[1] is not None
        if len(found) > most:
            return found
    if _ENDS.fullmatch(text, place) is None:
        raise JsonUnreadable(f"it is not an object with the one member “{member}”, a list")
    return found


class _Budget:
    """How much of a list may have no form in which anybody asks."""

    def __init__(self) -> None:
        self._left = MOST_ODD

    def spend(self, characters: int) -> None:
        self._left -= characters
        if self._left < 0:
            raise JsonUnreadable(f"more than {MOST_ODD:,} characters of its list have no form that is known here")


def _element(text: str, place: int, longest: int, budget: _Budget) -> str:
    """Return the text of the element that begins at a place."""
    window = text[place : place + longest + 1]
    try:
        _, end = _READER.raw_decode(window)
    except (ValueError, RecursionError):
        budget.spend(min(len(window), longest))
        end = _end(window)
        if end == 0:
            raise JsonUnreadable(f"one element of its list is no JSON, or longer than {longest:,} characters") from None
        return window[:end]
    if end > longest:
        raise JsonUnreadable(f"one element of its list is longer than {longest:,} characters")
    element = window[:end]
    brackets = element.count("{") + element.count("[")
    if end > _ODD_LENGTH or brackets > _ODD_BRACKETS or element.count('"') > _ODD_QUOTES:
        budget.spend(end)
    return element


def _end(window: str) -> int:
    """Return where something ends that is not JSON, or is nested without end, by its brackets; 0 if nowhere."""
    scalar = _SCALAR.match(window)
    if scalar is not None:
        return scalar.end()
    closes = _PAIRS.get(window[:1])
    depth = place = 0
    while closes is not None:
        token = _TOKEN.match(window, place)
        if token is None:
            return 0
        place, said = token.end(), token[0]
        if said in _PAIRS:
            depth += 1
        elif said in "]}":
            depth -= 1
            if depth == 0:
                return place if said == closes else 0
    return 0

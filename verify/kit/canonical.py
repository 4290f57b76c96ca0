"""JSON of the log: read strictly, and written in the one form of RFC 8785 that its leaves are hashed in.

The log has texts, whole numbers, null, lists and objects whose members are named in ASCII. Anything else is refused, so
the order of members (RFC 8785, 3.2.3) is that of their octets.
"""

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

_LARGEST = 2**53 - 1
"""RFC 8785, 3.2.2.3: beyond it whole numbers are not exact everywhere."""

_LONGEST = 17
"""Characters of a number: sixteen digits and a sign."""


_SHALLOW = json.JSONDecoder()

_DEEPEST = 64
"""Lists and objects within each other; ours have ten at most."""

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
"""The escape of half a character; whether the other half is beside it only the whole tells."""


def canonical(value: object) -> bytes:
    """Return what was read by `read` in the canonical form, UTF-8."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return written.encode("utf-8")


def read(octets: bytes, *, foreign: bool = False) -> Any:  # noqa: ANN401 - JSON
    """Return what JSON says.

    Args:
        octets: UTF-8, of a length that was bounded before.
        foreign: whether it is of somebody who does not write as the log does: members may be named in any characters,
            and numbers be not whole.

    Raises:
        ValueError: it is no such JSON, as above, is nested too deeply, has half a character, or names a member twice.
    """
    try:
        said = json.loads(
            octets.decode("utf-8"),
            object_pairs_hook=_once_each if foreign else _members,
            parse_int=_exact if foreign else _whole,
            parse_float=_finite if foreign else _refused,
            parse_constant=_refused,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if octets.count(b"[") + octets.count(b"{") > _DEEPEST and _too_deep(said):
        raise ValueError("it is nested too deeply")
    if _SURROGATE.search(octets) is not None:
        canonical(said)  # what is half a character has no octets
    return said


def one_of(text: str, place: int) -> tuple[Any, int]:
    """Return the value that begins at a place of a text, and where it ends; nothing of it is proved to be canonical.

    Raises:
        ValueError: none begins there, or it goes on behind the text.
    """
    return _SHALLOW.raw_decode(text, place)


def _too_deep(said: object) -> bool:
    level = [said]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
    return any(isinstance(each, dict | list) for each in level)


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _once_each(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    return members


def _members(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = _once_each(pairs)
    if not "".join(members).isascii():
        raise ValueError("a member is not named in ASCII")
    return members


def _exact(digits: str) -> int:
    number = int(digits) if len(digits) <= _LONGEST else _LARGEST + 1
    if abs(number) > _LARGEST:
        raise ValueError("a number is not exact in JSON")
    return number


def _whole(digits: str) -> int:
    if digits == "-0":
        raise ValueError("a number is not exact in JSON")
    return _exact(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is beyond all bounds")
    return number


def _refused(_word: str) -> object:
    raise ValueError("a number is not whole")

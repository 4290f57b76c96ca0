"""JSON of the log: read strictly, and written in the one form of RFC 8785 that its leaves are hashed in.

The log has texts, whole numbers, null, lists and objects whose members are named in ASCII. Anything else is refused, so
the order of members (RFC 8785, 3.2.3) is that of their octets.
"""

import json
from collections.abc import Sequence
from typing import Any

_LARGEST = 2**53 - 1
"""RFC 8785, 3.2.2.3: beyond it whole numbers are not exact everywhere."""

_LONGEST = 17
"""Characters of a number: sixteen digits and a sign."""


def canonical(value: object) -> bytes:
    """Return what was read by `read` in the canonical form, UTF-8."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    return written.encode("utf-8")


def read(octets: bytes) -> Any:  # noqa: ANN401 - JSON
    """Return what JSON says.

    Args:
        octets: UTF-8, of a length that was bounded before.

    Raises:
        ValueError: it is no such JSON, as above, or names a member twice.
    """
    try:
        return json.loads(
            octets.decode("utf-8"),
            object_pairs_hook=_members,
            parse_int=_whole,
            parse_float=_refused,
            parse_constant=_refused,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _members(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    if not "".join(members).isascii():
        raise ValueError("a member is not named in ASCII")
    return members


def _whole(digits: str) -> int:
    number = int(digits) if len(digits) <= _LONGEST else _LARGEST + 1
    if abs(number) > _LARGEST or digits == "-0":
        raise ValueError("a number is not exact in JSON")
    return number


def _refused(_word: str) -> object:
    raise ValueError("a number is not whole")

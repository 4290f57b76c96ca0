"""JSON from strangers, read strictly: UTF-8, each member named once, nothing that RFC 8259 does not know."""

import json
from collections.abc import Sequence
from typing import NoReturn

from core.plain_text import TextUnreadable, utf8


class JsonUnreadable(ValueError):
    """Octets that are not such JSON. Its message says why, as half a sentence; nothing that was sent is repeated."""


def read_json(octets: bytes) -> object:
    """Return the value of a JSON text.

    A byte order mark before it is ignored (RFC 8259, 8.1).

    Raises:
        JsonUnreadable: it is anything else.
    """
    try:
        text = utf8(octets)
    except TextUnreadable as error:
        raise JsonUnreadable(str(error)) from None
    try:
        return json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_constant)
    except RecursionError:
        raise JsonUnreadable("it is nested too deeply") from None
    except ValueError:
        # Also numbers of thousands of digits, and the two hooks below.
        raise JsonUnreadable("it is not JSON in UTF-8 with each member named once") from None


def _once_each(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    # Readers differ in which of two equal names they believe (RFC 8259, 4): nobody may be asked by one and read by two.
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")

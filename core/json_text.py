"""JSON from strangers, read strictly: UTF-8, each member named once, nothing that RFC 8259 does not know."""

from collections.abc import Mapping
from typing import TypeAlias, cast

from core.canonical import LARGEST_NAMED, NestedTooDeeply, read_json, read_shallow
from core.plain_text import TextUnreadable, utf8


class JsonUnreadable(ValueError):
    """Octets that are not such JSON. Its message says why, as half a sentence; nothing that was sent is repeated."""


def read_sent(octets: bytes) -> object:
    """Return the value of a JSON text that somebody sent.

    A byte order mark before it is ignored (RFC 8259, 8.1). Half a character and a large number are taken, for whoever
    names the field in which they stand.

    Raises:
        JsonUnreadable: it is anything else.
    """
    try:
        return read_json(utf8(octets), once_each=True, halves=True, largest=LARGEST_NAMED)
    except TextUnreadable as error:
        raise JsonUnreadable(str(error)) from None
    except NestedTooDeeply:
        raise JsonUnreadable("it is nested too deeply") from None
    except ValueError:
        # Readers differ in which of two equal names they believe (RFC 8259, 4): nobody may be asked by one and read by
        # two. Also numbers of thousands of digits.
        raise JsonUnreadable("it is not JSON in UTF-8 with each member named once") from None


Plain: TypeAlias = Mapping[str, str | Mapping[str, str]]
"""An object of strings, one of which may be an object of strings."""

_BLANK = " \t\r\n"
_SINGLE = ("{", ":", "}")
"""What stands around the two strings of an object of one member, but for blanks."""

_PARTS_OF_ONE = 5
"""Into which the quotation marks of two strings divide a text."""

_OBJECTS = 2
"""One within another; a text of many would be as deep."""


def read_plain(octets: bytes) -> Plain | None:
    """Return what JSON of the plainest form says, much faster than `read_sent`, which says the same of it.

    The form is one object of strings, of which one may be such an object instead, in ASCII, with no escape but that of
    a line's end, and each member named once.

    Returns:
        None for anything else: `read_sent` reads it, or says what is wrong with it.
    """
    if not octets.isascii():
        return None
    text = octets.decode("ascii")
    lines = "\\" in text
    if lines and text.count("\\") != text.count("\\n"):
        return None
    parts = text.split('"')
    if len(parts) == _PARTS_OF_ONE:
        before, name, between, value, after = parts
        around = (before.strip(_BLANK), between.strip(_BLANK), after.strip(_BLANK))
        if around == _SINGLE and name.isprintable() and value.isprintable():
            return {_lines(name): _lines(value)} if lines else {name: value}
    return _several(text, len(parts) - 1)


def _several(text: str, marks: int) -> Plain | None:
    """Return what a text says that has so many quotation marks."""
    if "[" in text or text.count("{") > _OBJECTS:
        return None
    try:
        said = read_shallow(text)
    except ValueError:
        return None
    if not isinstance(said, dict) or not said:
        return None
    inside = [each for each in said.values() if isinstance(each, dict)]
    (inner,) = inside if len(inside) == 1 else ({},)
    strings = [each for each in (*said.values(), *inner.values()) if isinstance(each, str)]
    if len(strings) != len(said) + len(inner) - len(inside) or bool(inside) is not bool(inner):
        return None
    # Of a member that is named twice one is lost, and with it its quotation marks.
    return cast("Plain", said) if marks == 2 * (len(said) + len(inner) + len(strings)) else None


def _lines(written: str) -> str:
    return written.replace("\\n", "\n")

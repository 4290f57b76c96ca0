"""JSON from strangers, read strictly: UTF-8, each member named once, nothing that RFC 8259 does not know."""

import re
from collections.abc import Mapping
from typing import TypeAlias

from core.canonical import LARGEST_NAMED, NestedTooDeeply, read_json
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

_BLANK = r"[ \t\r\n]*"
_STRING = r'"((?:[ !#-\[\]-~]|\\n)*)"'
_MEMBER = rf"{_STRING}{_BLANK}:{_BLANK}{_STRING}"
_MEMBERS = _MEMBER.replace("(", "(?:").replace("(?:?:", "(?:")
_LIST = rf"{_MEMBERS}(?:{_BLANK},{_BLANK}{_MEMBERS})*"
_FLAT = re.compile(rf"{_BLANK}\{{{_BLANK}({_LIST}){_BLANK}\}}{_BLANK}")
_NESTED = re.compile(
    rf'{_BLANK}\{{{_BLANK}(?:({_LIST}){_BLANK},{_BLANK})?"([a-z_]*)"{_BLANK}:{_BLANK}\{{{_BLANK}({_LIST}){_BLANK}\}}'
    rf"(?:{_BLANK},{_BLANK}({_LIST}))?{_BLANK}\}}{_BLANK}"
)
_EACH = re.compile(_MEMBER)


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
    flat = _FLAT.fullmatch(text)
    if flat is not None:
        return _members(flat[1])
    nested = _NESTED.fullmatch(text)
    if nested is None:
        return None
    before, name, inside, after = nested.groups()
    members = _members(inside)
    beside = _members(",".join(each for each in (before, after) if each)) if before or after else {}
    if members is None or beside is None or name in beside:
        return None
    return {**beside, name: members}


def _members(written: str) -> Mapping[str, str] | None:
    pairs: list[tuple[str, str]] = _EACH.findall(written)
    found = dict(pairs)
    if len(found) != len(pairs):
        return None
    return {_unescaped(name): _unescaped(value) for name, value in pairs} if "\\" in written else found


def _unescaped(written: str) -> str:
    return written.replace("\\n", "\n")

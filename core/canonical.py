"""JSON in the canonical form of RFC 8785, for documents whose digest is signed or compared.

Our documents hold strings, whole numbers, booleans, null, lists and objects; no floating point number occurs, so
one is refused instead of being written in the way of ECMAScript (RFC 8785, 3.2.2.3).
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

Json: TypeAlias = "str | int | bool | None | Sequence[Json] | Mapping[str, Json]"

# Whole numbers beyond this are not exact in every JSON reader (RFC 8785, 3.2.2.3 and RFC 7493, 2.2).
LARGEST_EXACT = 2**53 - 1

LARGEST_NAMED = 10**64
"""What is beyond all reason in a number: below it, the field is named that may not hold it."""

_TEXT = json.JSONEncoder(ensure_ascii=False)
_text: Callable[[str], str] = json.encoder.encode_basestring
"""What `_TEXT` writes of a text, without asking first whether it is one."""

_SHALLOW = json.JSONDecoder()
_scan = _SHALLOW.scan_once  # type: ignore[attr-defined] # documented by its use in json.decoder alone

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""The escape of half a character; whether the other half is beside it only the whole text tells."""


_DEEPEST = 64
"""Lists and objects within each other. Ours have ten at most; what goes deeper is more than whoever walks it can."""


class NestedTooDeeply(ValueError):
    """JSON within JSON, without an end that anybody needs."""


def canonical(document: Json) -> bytes:
    """Return `document` in the one form that RFC 8785 allows, as UTF-8.

    Raises:
        ValueError: a floating point number, a number beyond 2^53-1, a lone surrogate or a foreign type.
    """
    return _write(document).encode("utf-8")


def read_json(
    written: bytes | str, *, once_each: bool = False, halves: bool = False, largest: int = LARGEST_EXACT
) -> Any:  # noqa: ANN401 - JSON
    """Return what JSON of anybody's says: all JSON is read here, ours that lay in a row or a file as well.

    Whatever comes of it can be written in the canonical form, but for numbers that are not whole, which stay what they
    are: our documents have none, and whoever expects another kind of value refuses them.

    Args:
        written: in UTF-8 (RFC 8259, 8.1), of a length that was bounded before.
        once_each: whether a member that is named twice is refused: readers differ in which they believe (RFC 8259, 4).
        halves: whether half a character is taken, for whoever names the field in which it stands.
        largest: the largest whole number that is taken, either way.

    Raises:
        ValueError: it is not JSON, has a number that is beyond `largest`, infinite or none, half a character, or a
            member twice; NestedTooDeeply if that is why.
    """
    text = written if isinstance(written, str) else written.decode("utf-8")
    longest = len(str(largest)) + 1

    def whole(digits: str) -> int:
        # By length first: to read thousands of digits takes long, and Python refuses more than 4,300 in its own way.
        number = int(digits) if len(digits) <= longest else largest + 1
        if abs(number) > largest:
            raise ValueError("it has a number that is not exact in JSON")
        return number

    try:
        said = json.loads(
            text,
            object_pairs_hook=_once_each if once_each else None,
            parse_int=whole,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
    except RecursionError:
        raise NestedTooDeeply("it is nested too deeply") from None
    if text.count("[") + text.count("{") > _DEEPEST:
        _require_shallow(said)
    if not halves and _SURROGATE.search(text) is not None:
        _TEXT.encode(said).encode("utf-8")
    return said


def read_shallow(text: str) -> object:
    """Return what JSON says in a third of the time of `read_json`, for whoever looks at everything in it afterwards.

    Of a member that is named twice the second is told. Whoever asks has seen to it that it is not deep.

    Raises:
        ValueError: it is not JSON.
    """
    if text.startswith("{"):  # as nearly everybody writes it: nothing is around it, and nobody has to look
        try:
            said, end = _scan(text, 0)
        except StopIteration:
            raise ValueError("it is not JSON") from None
        if end == len(text):
            found: object = said
            return found
    return _SHALLOW.decode(text)


def digest(document: Json) -> bytes:
    """Return the SHA-256 of the canonical form, 32 octets."""
    return hashlib.sha256(canonical(document)).digest()


def salted_digest(text: str, salt: bytes) -> str:
    """Return the hex SHA-256 of a salt and a withheld text, so that a public digest never confirms a guess.

    Args:
        text: what is withheld (F2.22).
        salt: at least 16 random octets, kept beside the text and nowhere else.
    """
    return hashlib.sha256(salt + text.encode("utf-8")).hexdigest()


def _write(value: Json) -> str:
    # In the order in which they occur: an act writes a thousand values. What is a kind of text or number, such as a
    # word of a closed list, is none of the first.
    if type(value) is str:
        return _text(value)
    if value is None:
        return "null"
    if type(value) is int and -LARGEST_EXACT <= value <= LARGEST_EXACT:
        return repr(value)
    if isinstance(value, dict):
        return _members(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join([_write(item) for item in value]) + "]"
    return _members(value) if isinstance(value, Mapping) else _single(value)


def _single(value: Json) -> str:
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            return _text(value)
        case int():
            if abs(value) > LARGEST_EXACT:
                raise ValueError(f"{value} is not exact in JSON")
            return str(value)
        case _:
            raise ValueError(f"{type(value).__name__} has no canonical form here")


def _members(value: Mapping[str, Json]) -> str:
    written = []
    for name, begins in _ordered(tuple(value)) if len(value) <= _OF_A_FORM else _in_order(value):
        said = value[name]
        # Nearly every member is a text: it is written here, without asking anybody else what it is.
        written.append(begins + (_text(said) if type(said) is str else _write(said)))
    return "{" + ",".join(written) + "}"


_FORMS = 1_024
"""Orders of members that are kept; ours are some hundreds, and what strangers name takes one another's place."""

_OF_A_FORM = 32
"""Members. What has more of them is a list by name, of which no two are alike."""


def _in_order(names: Iterable[str]) -> Sequence[tuple[str, str]]:
    """Return names as they are sorted, each as it is written too."""
    # RFC 8785, 3.2.3: members are sorted by their UTF-16 code units, not by code points; in ASCII they are the same.
    ordered = sorted(names) if "".join(names).isascii() else sorted(names, key=lambda name: name.encode("utf-16-be"))
    return [(name, f"{_text(name)}:") for name in ordered]


@lru_cache(maxsize=_FORMS)
def _ordered(names: tuple[str, ...]) -> Sequence[tuple[str, str]]:
    return _in_order(names)


def _require_shallow(said: object) -> None:
    level = [said]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
    if any(isinstance(each, dict | list) for each in level):
        raise NestedTooDeeply("it is nested too deeply")


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _once_each(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    return members


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("it has a number beyond all bounds")
    return number


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")

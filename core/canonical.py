"""JSON in the canonical form of RFC 8785, for documents whose digest is signed or compared.

Our documents hold strings, whole numbers, booleans, null, lists and objects; no floating point number occurs, so
one is refused instead of being written in the way of ECMAScript (RFC 8785, 3.2.2.3).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "str | int | bool | None | Sequence[Json] | Mapping[str, Json]"

# Whole numbers beyond this are not exact in every JSON reader (RFC 8785, 3.2.2.3 and RFC 7493, 2.2).
LARGEST_EXACT = 2**53 - 1

_TEXT = json.JSONEncoder(ensure_ascii=False)


def canonical(document: Json) -> bytes:
    """Return `document` in the one form that RFC 8785 allows, as UTF-8.

    Raises:
        ValueError: a floating point number, a number beyond 2^53-1, a lone surrogate or a foreign type.
    """
    return _write(document).encode("utf-8")


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
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            return _TEXT.encode(value)
        case int():
            if abs(value) > LARGEST_EXACT:
                raise ValueError(f"{value} is not exact in JSON")
            return str(value)
        case Mapping():
            # RFC 8785, 3.2.3: members are sorted by their UTF-16 code units, not by code points.
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return "{" + ",".join(f"{_write(name)}:{_write(value[name])}" for name in names) + "}"
        case list() | tuple():
            return "[" + ",".join(_write(item) for item in value) + "]"
        case _:
            raise ValueError(f"{type(value).__name__} has no canonical form here")

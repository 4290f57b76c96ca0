"""JSON objects of which every member is in its form; anything more, less or else is refused."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Form: TypeAlias = Callable[[object], bool]

LONGEST_WORD, LONGEST_HEX = 200, 2_000

_HEX = re.compile(r"([0-9a-f]{2})+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NONCE = re.compile(r"[0-9a-f]{32}")
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


def members(said: object, forms: Mapping[str, Form]) -> dict[str, Any]:
    """Return an object that has exactly the members that are named, each in its form.

    Args:
        said: what JSON said.
        forms: by name.

    Raises:
        ValueError: it is no such object; what a stranger wrote is not repeated.
    """
    if not isinstance(said, dict) or said.keys() != forms.keys():
        raise ValueError(f"it does not have exactly the members {', '.join(sorted(forms))}")
    for name, form in forms.items():
        if not form(said[name]):
            raise ValueError(f"{name}: it is not in its form")
    return said


def word(said: object) -> bool:
    """Text of some length."""
    return isinstance(said, str) and 1 <= len(said) <= LONGEST_WORD


def hexadecimal(said: object) -> bool:
    """Octets in lower-case hexadecimal digits."""
    return isinstance(said, str) and len(said) <= LONGEST_HEX and _HEX.fullmatch(said) is not None


def sha256(said: object) -> bool:
    """A digest in hexadecimal digits."""
    return isinstance(said, str) and _SHA256.fullmatch(said) is not None


def nonce(said: object) -> bool:
    """16 octets in hexadecimal digits."""
    return isinstance(said, str) and _NONCE.fullmatch(said) is not None


def thumbprint(said: object) -> bool:
    """A thumbprint of RFC 7638 by SHA-256, base64url."""
    return isinstance(said, str) and _THUMBPRINT.fullmatch(said) is not None


def anything(_said: object) -> bool:
    """What is looked at in another place."""
    return True


def anytext(said: object) -> bool:
    """Text, of whatever length."""
    return isinstance(said, str)


def exactly(wanted: str) -> Form:
    """One word and no other."""
    return lambda said: said == wanted


def text(longest: int) -> Form:
    """Text that is not empty and not longer than that."""
    return lambda said: isinstance(said, str) and 1 <= len(said) <= longest


def whole(least: int) -> Form:
    """A whole number that is not less than that."""
    return lambda said: type(said) is int and said >= least


def perhaps(form: Form) -> Form:
    """That, or null."""
    return lambda said: said is None or form(said)


def several(form: Form, most: int | None = None) -> Form:
    """A list of those, of at most so many."""
    return lambda said: isinstance(said, list) and (most is None or len(said) <= most) and all(map(form, said))

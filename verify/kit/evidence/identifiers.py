"""The identifier code of an approval (F2.25) and the environment that it names, read strictly."""

import re
from dataclasses import dataclass
from typing import Literal

Environment = Literal["test", "live"]

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SHAPE = re.compile(r"(TDA|TDT)-([0-9]{4})-([0-9]{4}|[1-9][0-9]{4,6})-([0-9A-Z])")


@dataclass(frozen=True)
class ApprovalIdentifier:
    """An identifier code.

    Args:
        environment: live (`TDA`) or test (`TDT`).
        written: its one canonical form.
    """

    environment: Environment
    written: str

    def __str__(self) -> str:
        return self.written


def read_identifier(written: str) -> ApprovalIdentifier:
    """Return the identifier that a certificate names; ValueError unless it is in its canonical form."""
    shape = _SHAPE.fullmatch(written)
    if shape is None:
        raise ValueError("it is no approval identifier in its canonical form")
    prefix, year, number, check = shape.groups()
    if check_character(f"{prefix}{year}{number}") != check:
        raise ValueError("its approval identifier has another check character")
    return ApprovalIdentifier("live" if prefix == "TDA" else "test", written)


def check_character(body: str) -> str:
    """Return the ISO 7064 MOD 37-36 check character."""
    size = len(_ALPHABET)
    product = size
    for character in body:
        total = (product + _ALPHABET.index(character)) % size or size
        product = total * 2 % (size + 1)
    return _ALPHABET[(size + 1 - product) % size]

"""One bit of a vector's evidence changed: which bits are tried, and of which alone it may go unseen.

The evidence's octets are what is written there: of a log's evidence and of a dossier's files the texts in UTF-8, of
everything else what the base64 says.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cryptography import x509

from verify.kit.canonical import canonical, read
from verify.kit.vectors import judged

SMALL = 160
"""Octets of a part that is tried bit by bit in a dense sweep."""

DENSE, QUICK = 7, 1_201
"""Of a larger part each so-manieth bit is tried, from the first on; of all parts each 1201st where it is to be quick.

Both are prime to eight: so each seventh bit meets every octet, and all the bits of octets in turn.
"""

WHOLLY = frozenset({"active", "grown", "register-signed", "check-good"})
"""The vectors of which a dense sweep tries each bit: a yes of each kind, but for decisions, which are longer."""

_NOT_GENUINE_AT_LEAST = {24, 28}
"""Checks that fail of a certificate that is genuine."""


class Written(Enum):
    """How a part stands in the evidence."""

    TEXT = "text"
    BASE64 = "base64"
    JSON = "json"


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some octets of the evidence.

    Args:
        name: of the member, or of the dossier's file.
        octets: as they are.
        path: where they are: the names of members, and the place in a list.
        form: how they stand there.
    """

    name: str
    octets: bytes
    path: tuple[str | int, ...]
    form: Written

    def told(self, octets: bytes) -> object:
        """Return other octets as they would stand there; ValueError where no JSON has them."""
        match self.form:
            case Written.TEXT:
                return octets.decode()
            case Written.BASE64:
                return base64.b64encode(octets).decode()
            case Written.JSON:
                return read(octets)


def parts(evidence: Mapping[str, Any]) -> Iterator[Part]:
    """Yield all that a vector's evidence consists of."""
    plain = Written.TEXT if "log" in evidence else Written.BASE64
    for name, said in evidence.items():
        if isinstance(said, str):
            yield _part(name, said, (name,), plain)
        elif isinstance(said, list):
            yield from (_part(name, each, (name, place), plain) for place, each in enumerate(said))
        elif name == "row":
            yield Part(name=name, octets=canonical(said), path=(name,), form=Written.JSON)
        elif said is not None:
            yield from (_part(file, each, (name, file), Written.TEXT) for file, each in said.items())


def _part(name: str, said: str, path: tuple[str | int, ...], form: Written) -> Part:
    octets = base64.b64decode(said) if form is Written.BASE64 else said.encode()
    return Part(name=name, octets=octets, path=path, form=form)


def _with(held: Any, path: tuple[str | int, ...], other: object) -> Any:
    """Return JSON with something else at one place."""
    if not path:
        return other
    copy: Any = list(held) if isinstance(held, list) else dict(held)
    copy[path[0]] = _with(held[path[0]], path[1:], other)
    return copy


def tried(name: str, part: Part, *, dense: bool) -> range:
    """Return the numbers of the bits of a part that are tried."""
    each = len(part.octets) <= SMALL or name in WHOLLY
    return range(0, 8 * len(part.octets), (1 if each else DENSE) if dense else QUICK)


def flipped(octets: bytes, bit: int) -> bytes:
    """Return octets of which one bit is another."""
    place = bit // 8
    return octets[:place] + bytes([octets[place] ^ 1 << bit % 8]) + octets[place + 1 :]


def changed(vector: Mapping[str, Any], part: Part, bit: int) -> dict[str, Any] | None:
    """Return the vector with one bit of its evidence changed; None where that is in no JSON."""
    try:
        evidence = _with(vector["evidence"], part.path, part.told(flipped(part.octets, bit)))
        json.dumps(evidence, ensure_ascii=False).encode("utf-8")
    except ValueError:
        return None
    return {**vector, "evidence": evidence}


def fails(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether a verdict names something that the vector's own does not; or, if that is against it, is no yes.

    Args:
        before: the vector's verdict.
        after: the one about the evidence with one bit changed.
    """
    if "check" in after:
        return True
    if any(set(after.get(name, ())) - set(before.get(name, ())) for name in ("checks", "codes")):
        return True
    against = before.get("outcome") == "refuted" or not set(before.get("checks", ())) <= _NOT_GENUINE_AT_LEAST
    return against and after.get("valid") is not True and after.get("outcome") != "proved"


def passed_over(vector: Mapping[str, Any], part: Part, bit: int, after: Mapping[str, Any]) -> bool:
    """Return whether it is a bit of the issuer's name in a list, and the verdict the one without that list.

    A list in a name that is nobody's of the path is passed over (check 25), as those of other issuing CAs are; here no
    check needs it, because another list covers the instant, or the answer states the same end. Of no other bit may it
    be said that it means nothing.
    """
    if part.name != "lists":
        return False
    name = x509.load_der_x509_crl(part.octets).issuer.public_bytes()
    start = part.octets.index(name)
    evidence = vector["evidence"]
    kept = [each for each in evidence["lists"] if base64.b64decode(each) != part.octets]
    without = judged({**vector, "evidence": {**evidence, "lists": kept}})
    return start <= bit // 8 < start + len(name) and after == without

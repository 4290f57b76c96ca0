"""The corpus of the lint and of the publish gate under tests/vectors/lint: how its files are written and read.

A case is a text file: a comment that says what it is, the facts that differ from those of a sound order (`sound.facts`
beside it), what is to be found, and the document itself. Its README says how to add one; it needs no Python.
"""

import base64
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509 import ocsp

from core import instants
from core.identifiers import Serial, serial_of

CORPUS = Path(__file__).parent / "vectors" / "lint"
AUTHORITY = "authority"
KINDS = ("certificate", "hierarchy", "crl", "ocsp", "gate")
SOUND = "sound.facts"
CLEAN = "clean"
NONE = "none"

Value = str | bytes
"""One fact of a case: words, or octets that stand in the file as PEM."""

_PROFILE = ("environment", "arc", "base-url", "authority-name")
_VERDICT = ("expect", "linter")
FACTS: dict[str, tuple[str, ...]] = {
    "certificate": (
        *_VERDICT,
        *_PROFILE,
        *("serial", "approval", "issue", "certificate-name", "device", "firmware", "start", "expiry"),
        *("not-before", "not-after", "maximum-devices", "public-key", "proposal-digest", "issuer"),
        *("stored", "draft-serial", "to-be-signed", "certificate"),
    ),
    "hierarchy": (
        *_VERDICT,
        *_PROFILE,
        "role",
        "issuer",
        "at",
        "stored",
        "draft-serial",
        "to-be-signed",
        "certificate",
    ),
    "crl": (
        *_VERDICT,
        *("issuer", "number", "this-update", "next-update", "expired-certs-on-crl"),
        *("draft-number", "draft-entries", "to-be-signed", "list"),
    ),
    "ocsp": (
        *_VERDICT,
        *("issuer", "responder", "serial", "hash", "revoked", "this-update", "next-update"),
        *("draft-serial", "to-be-signed", "answer"),
    ),
    "gate": (
        "expect",
        *("issuer", "number", "this-update", "next-update", "expired-certs-on-crl"),
        *("register", "at", "previous", "list"),
    ),
}
"""What a file of each kind may say, in this order; anything else in it is a slip of the pen."""

_LABELS = {
    "certificate": "CERTIFICATE",
    "issuer": "CERTIFICATE",
    "responder": "CERTIFICATE",
    "list": "X509 CRL",
    "previous": "X509 CRL",
    "answer": "OCSP RESPONSE",
    "public-key": "PUBLIC KEY",
    "to-be-signed": "TO BE SIGNED",
}


@dataclass(frozen=True)
class Facts:
    """What a file says, by name; a name may stand there more than once, and `none` is no value."""

    values: Mapping[str, tuple[Value, ...]]

    def all(self, name: str) -> tuple[str, ...]:
        values = self.values.get(name, ())
        assert all(isinstance(value, str) for value in values), f"{name} is in words"
        return () if values == (NONE,) else tuple(map(str, values))

    def maybe(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands there more than once"
        return values[0] if values else None

    def one(self, name: str) -> str:
        value = self.maybe(name)
        assert value is not None, f"there is no {name}"
        return value

    def number(self, name: str) -> int:
        return int(self.one(name))

    def yes(self, name: str) -> bool:
        said = self.one(name)
        assert said in {"yes", "no"}, f"{name} is yes or no"
        return said == "yes"

    def instant(self, name: str) -> datetime:
        return instants.parse(self.one(name))

    def octets(self, name: str) -> bytes:
        """PEM, or the name of a certificate of the corpus' own authority."""
        (value,) = self.values[name]
        if isinstance(value, bytes):
            return value
        return from_pem((CORPUS / AUTHORITY / f"{value}.pem").read_text("ascii"))

    def or_else(self, name: str, otherwise: bytes) -> bytes:
        return self.octets(name) if name in self.values else otherwise


def read(path: Path) -> Facts:
    """Read a file of the corpus alone; `AssertionError` where it says what files of its kind do not say."""
    values: dict[str, tuple[Value, ...]] = {}
    for name, value in _read(path.read_text("utf-8")):
        assert name in FACTS[path.parent.name], f"{path.name}: nothing here is called {name!r}"
        values[name] = (*values.get(name, ()), value)
    return Facts(values)


def read_case(path: Path) -> Facts:
    """Read a case, and what it leaves unsaid from the sound order beside it."""
    return Facts({**read(path.with_name(SOUND)).values, **read(path).values})


def written(kind: str, comment: str, facts: Mapping[str, tuple[Value, ...]]) -> str:
    """Return the text of a file, as `read` reads it."""
    assert facts.keys() <= set(FACTS[kind])
    lines = [f"# {line}" for line in textwrap.wrap(comment, 110)]
    lines += [
        f"{name}: {value}" if isinstance(value, str) else f"{name}:\n{pem(value, _LABELS[name])}"
        for name in FACTS[kind]
        for value in facts.get(name, ())
    ]
    return "\n".join(lines) + "\n"


def pem(octets: bytes, label: str) -> str:
    """Return octets between lines that name them, without an end of line; of damaged ones no library makes PEM."""
    body = textwrap.wrap(base64.b64encode(octets).decode("ascii"), 64)
    return "\n".join((f"-----BEGIN {label}-----", *body, f"-----END {label}-----"))


def from_pem(text: str) -> bytes:
    lines = text.splitlines()
    return base64.b64decode("".join(line for line in lines if not line.startswith("-----")), validate=True)


def own_serial(certificate: bytes) -> Serial:
    """Return the serial number that a certificate says, 0 where it cannot be read."""
    try:
        return serial_of(x509.load_der_x509_certificate(certificate).serial_number)
    except ValueError:
        return serial_of(0)


def signed_of(document: bytes) -> bytes:
    """Return what the signature of a certificate or a list covers, damaged or not: its first element."""
    start, _ = _content(document, 0)
    begins, ends = _content(document, start)
    return document[start:ends] if begins < ends else b""


def signed_of_answer(answer: bytes) -> bytes:
    """Return what the signature of an OCSP answer covers; nothing where it cannot be read."""
    try:
        return ocsp.load_der_ocsp_response(answer).tbs_response_bytes
    except ValueError:
        return b""


def _content(der: bytes, place: int) -> tuple[int, int]:
    """Where the content of the element at `place` begins and ends; damaged octets have it end with them."""
    if place + 2 > len(der):
        return len(der), len(der)
    size, start = der[place + 1], place + 2
    if size & 0x80:
        octets = size & 0x7F
        size, start = int.from_bytes(der[start : start + octets], "big"), start + octets
    return start, min(start + size, len(der))


def _read(text: str) -> Iterator[tuple[str, Value]]:
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("#") or not line:
            continue
        name, colon, value = line.partition(":")
        assert colon, f"no fact: {line!r}"
        if value:
            yield name, value.strip()
            continue
        begin = next(lines)
        assert begin == f"-----BEGIN {_LABELS[name]}-----", f"{name} begins with {begin!r}"
        block = [begin]
        while not block[-1].startswith("-----END "):
            block.append(next(lines))
        yield name, from_pem("\n".join(block))

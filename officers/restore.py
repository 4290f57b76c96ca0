"""What officers sign for where a register went back: everything that is to be entered again, as one document.

Canonical JSON (RFC 8785); its digest is what their statements are about. It holds the very bytes of each certificate:
whoever signs reads them there and believes nobody's summary. It holds the roster by which they will count: one that is
older than they know is seen before it is agreed to.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import AwareDatetime, ConfigDict, TypeAdapter, ValidationError

from core.canonical import Json, canonical, read_json
from core.errors import AuthorisationRefused
from core.kinds import AuthorisationFlaw
from officers.claims import to_restore
from officers.parsing import first_of
from officers.statement import Authority, Claim

LARGEST_FILE = 64 * 1024 * 1024
"""Octets of a file with one; a certificate has some 2,500 in it."""

_AS_JSON = ConfigDict(ser_json_bytes="hex", val_json_bytes="hex", extra="forbid", strict=True)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A sealed row of the journal: its number, and its link, which no other row has."""

    __pydantic_config__ = _AS_JSON

    number: int
    link: bytes


@dataclass(frozen=True, kw_only=True)
class CountingKey:
    """A key by which officers will count: whose it is, and its RFC 7638 thumbprint."""

    __pydantic_config__ = _AS_JSON

    officer: str
    key: str


@dataclass(frozen=True, kw_only=True)
class CountingRoster:
    """The roster that is remembered: its number, and whose keys count."""

    __pydantic_config__ = _AS_JSON

    number: int
    members: tuple[CountingKey, ...]


@dataclass(frozen=True, kw_only=True)
class CertificateAgain:
    """A certificate that is entered again.

    Args:
        approval, issue, serial: which one.
        tbs: TBSCertificate, DER: the bytes that it has, or that are signed once more.
        proposer, seconder: who decided, as it is entered; empty where nobody knows any more.
    """

    __pydantic_config__ = _AS_JSON

    approval: str
    issue: int
    serial: str
    tbs: bytes
    proposer: str
    seconder: str


@dataclass(frozen=True, kw_only=True)
class EndAgain:
    """An end that is entered again.

    Args:
        approval, serial: of which certificate.
        at: since when.
        reason: CRLReason.
        invalidity_date: since when its key is known to be compromised, if known.
        cause, by: why the approval ended, and by whom; None where only a list or the memory says that it did.
    """

    __pydantic_config__ = _AS_JSON

    approval: str
    serial: str
    at: AwareDatetime
    reason: int
    invalidity_date: AwareDatetime | None
    cause: str | None
    by: str | None


@dataclass(frozen=True, kw_only=True)
class ListBehind:
    """A list that was signed and that the register lacks; the next number is above it. It may be beyond 2^53."""

    __pydantic_config__ = _AS_JSON

    ca: str
    number: str


@dataclass(frozen=True, kw_only=True)
class Restore:
    """What is accepted with a register that went back.

    Args:
        authority: whose register it is.
        roster: by which officers count; None where no roster asks for their signatures.
        restored_to: the last sealed row that the register has.
        sealed_before: the last one that a head was signed for, as far as that is remembered.
        certificates, ends: what is entered again.
        lists: what was published since.
    """

    __pydantic_config__ = _AS_JSON

    authority: Authority
    roster: CountingRoster | None
    restored_to: Row
    sealed_before: Row
    certificates: tuple[CertificateAgain, ...]
    ends: tuple[EndAgain, ...]
    lists: tuple[ListBehind, ...]
    type: Literal["trialcpa-restore-1"] = "trialcpa-restore-1"

    def document(self) -> dict[str, Json]:
        """Return it as the JSON object that is digested."""
        made: dict[str, Json] = _RESTORE.dump_python(self, mode="json")
        return made

    @cached_property
    def sha256(self) -> str:
        """The digest of all of it, hex: what officers sign for."""
        return hashlib.sha256(canonical(self.document())).hexdigest()

    def claim(self) -> Claim:
        """Return what the acceptance of exactly this says of itself."""
        return to_restore(self.sha256)


_RESTORE: TypeAdapter[Restore] = TypeAdapter(Restore)


@dataclass(frozen=True, kw_only=True)
class ToSign:
    """The file that is carried to the officers.

    Args:
        restore: what they sign for.
        at: when it was looked at, by the authority's clock; only a test authority's is believed.
    """

    __pydantic_config__ = _AS_JSON

    restore: Restore
    at: AwareDatetime

    def octets(self) -> bytes:
        """Return the octets of the file."""
        return canonical(_TO_SIGN.dump_python(self, mode="json")) + b"\n"


_TO_SIGN: TypeAdapter[ToSign] = TypeAdapter(ToSign)


def read_to_sign(octets: bytes) -> ToSign:
    """Return what a file holds that is to be signed for.

    Raises:
        AuthorisationRefused: it is cut, too large, or says less, more, or otherwise than such a file does.
    """
    if len(octets) > LARGEST_FILE:
        raise _malformed(f"the file has more than {LARGEST_FILE} octets")
    try:
        said: Any = read_json(octets)
        found = _TO_SIGN.validate_json(octets)
        canonical(said)  # what has no canonical form has no digest
    except ValidationError as error:
        raise _malformed(first_of(error)) from None
    except ValueError:
        raise _malformed("the file is cut, or it is not what trialcpa store accept-restore writes") from None
    # Every member is written in one way only: what is shown is what is digested, and nothing stands beside it.
    if _TO_SIGN.dump_python(found, mode="json") != said:
        raise _malformed("something in the file is written otherwise than we write it")
    return found


def _malformed(detail: str) -> AuthorisationRefused:
    return AuthorisationRefused(flaw=AuthorisationFlaw.MALFORMED, detail=detail)

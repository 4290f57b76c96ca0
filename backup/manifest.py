"""The manifest: what a backup is of, and the digest of each member; the last member of the archive."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import ConfigDict, TypeAdapter, ValidationError

from core.canonical import canonical, read_json
from core.identifiers import Environment

VERSION = 1

_AS_JSON = ConfigDict(extra="forbid", strict=False)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One member: its octets, and their SHA-256 (hex)."""

    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup holds.

    Args:
        version: of the form; see VERSION.
        authority, environment: whose it is.
        root_sha256: of the root's newest certificate (hex): people compare it with the transcript of the ceremony.
        revision: of the register's schema.
        made_at: by the authority's clock, when the register's state was fixed.
        rows, link: the last sealed row of the journal and its link (hex).
        unsealed: facts that were not sealed yet.
        records, seal: the newest record of the memory and its seal (hex).
        tables: rows of each table.
        members: each by its name, but the manifest.
        sealed: the row that a head was last signed for, as the memory had it before the register's state was fixed: up
            to there each row must be as it was sealed. 0 in backups of before.
    """

    __pydantic_config__ = _AS_JSON

    version: int
    authority: str
    environment: Environment
    root_sha256: str
    revision: str
    made_at: datetime
    rows: int
    link: str
    unsealed: int
    records: int
    seal: str
    tables: Mapping[str, int]
    members: Mapping[str, Member]
    sealed: int = 0

    def octets(self) -> bytes:
        """Return it as canonical JSON (RFC 8785)."""
        return canonical(_ADAPTER.dump_python(self, mode="json"))


_ADAPTER = TypeAdapter(Manifest)


def read_manifest(octets: bytes) -> Manifest:
    """Return what a manifest says; ValueError if it is none, or one of another form."""
    try:
        read_json(octets)
        return _ADAPTER.validate_json(octets)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(each) for each in first["loc"])
        raise ValueError(f"its manifest cannot be read: {where}: {first['msg']}") from error
    except ValueError as error:
        raise ValueError(f"its manifest cannot be read: {error}") from error

"""What the public log answers in JSON."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from ra.views import FROM

TO = Field(alias="to")


@dataclass(frozen=True, kw_only=True)
class ConsistencyAnswer:
    """That one tree goes on from another: their sizes, and the proof, base64."""

    old: Annotated[int, FROM]
    new: Annotated[int, TO]
    hashes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FeedRow:
    """A row of the public log.

    Args:
        number: of the row; it is leaf number - 1.
        public: what is public of the approvals that it changed; empty where that is nothing.
        commitment: SHA-256 of salt and private row, hexadecimal.
        leaf: the hash of the other members in the canonical form (RFC 9162, 2.1.1), hexadecimal.
    """

    number: int
    sealed_at: datetime
    public: dict[str, Any]
    commitment: str
    leaf: str


@dataclass(frozen=True, kw_only=True)
class FeedAnswer:
    """Rows of the public log one after the other, and the newest checkpoint, a signed note (C2SP tlog-checkpoint)."""

    rows: tuple[FeedRow, ...]
    checkpoint: str


@dataclass(frozen=True, kw_only=True)
class RegisterAnswer:
    """The public register, in the canonical form.

    Args:
        log: the origin of the log.
        size: the rows that it rests upon.
        root: of their tree, base64.
        at: when the last of them was sealed.
        approvals: of each the last document in the log, by identifier.
    """

    log: str
    size: int
    root: str
    at: datetime
    approvals: tuple[dict[str, Any], ...]

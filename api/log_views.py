"""What the public log answers in JSON."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from ra.views import FROM

TO = Field(alias="to")


@dataclass(frozen=True, kw_only=True)
class InclusionAnswer:
    """That a row is in a tree: its leaf data, in the canonical form, and the audit path, base64."""

    row: int
    size: int
    leaf_data: str
    hashes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ConsistencyAnswer:
    """That one tree goes on from another: their sizes, and the proof, base64."""

    old: Annotated[int, FROM]
    new: Annotated[int, TO]
    hashes: tuple[str, ...]


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

"""What use cases answer with: frozen dataclasses, those of a subject in its views.py. Here: their way to JSON and back.

The API sends them, what is kept under an Idempotency-Key is made of them, and the command line reads them back.
Instants are written as RFC 3339 in UTC with `Z`, days as RFC 3339 full-date.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import Field, TypeAdapter

from core.canonical import Json, read_json
from core.waiting import Pending

R = TypeVar("R")
V = TypeVar("V")

FROM = Field(alias="from")
"""How a member is called that Python has no name for."""

LARGEST_PAGE = 200
"""Rows on a page that somebody may ask for."""


@dataclass(frozen=True, kw_only=True)
class Bounded:
    """A list that shows so many and no more.

    Args:
        truncated: whether there are more than are shown here.
    """

    truncated: bool


@dataclass(frozen=True, kw_only=True)
class Page(Bounded):
    """One page of a list.

    Args:
        next: what the next page is asked for with, as `after`; null if there is none.
        truncated: whether there are more than are shown here: those from `next` on.
    """

    next: str | None


@dataclass(frozen=True)
class Rows(Generic[R]):
    """The rows of a page, and what its view says of the rest."""

    found: Sequence[R]
    next: str | None
    truncated: bool


@dataclass(frozen=True, kw_only=True)
class FirmwareAnswer:
    """A firmware version with the SHA-256 of its image."""

    version: str
    image_sha256: str


@dataclass(frozen=True, kw_only=True)
class DecidedChange:
    """What a change makes different (F2.29)."""

    after: str
    before: str
    subject: str


@dataclass(frozen=True, kw_only=True)
class PendingAnswer:
    """A change that is decided and waits: it holds from `effective` on, and not before.

    Args:
        issue: of its certificate.
        decision: which decided it.
    """

    issue: int
    decision: str
    effective: datetime
    changes: tuple[DecidedChange, ...]

    @staticmethod
    def of(pending: Pending) -> "PendingAnswer":
        """Return what waits as people are shown it."""
        return PendingAnswer(
            issue=pending.issue,
            decision=pending.decision,
            effective=pending.effective,
            changes=tuple(DecidedChange(**vars(each)) for each in pending.changes),
        )


def document(view: object) -> dict[str, Json]:
    """Return a view as JSON.

    Args:
        view: an instance of a frozen dataclass whose members are JSON, instants, days, enums, or more such views.
    """
    adapter = _ADAPTERS[type(view)]
    # A member that is not what its view says comes from a row that lies: no answer says it, rather than any text.
    written: dict[str, Json] = adapter.dump_python(view, mode="json", by_alias=True, warnings="error")
    return written


def view_of(kind: type[V], said: str | bytes) -> V:
    """Return the view that was written as JSON; what a later release may have added is passed over.

    Args:
        kind: the dataclass.
        said: the JSON text.

    Raises:
        ValueError: it is not JSON, or not of that kind.
    """
    read_json(said)  # nothing that no reader of JSON holds exactly becomes a value
    read: V = _ADAPTERS[kind].validate_json(said)
    return read


def cut(most: int, read: Callable[[int], Sequence[R]]) -> tuple[Sequence[R], bool]:
    """Return the first rows of a list, and whether there are more.

    Args:
        most: rows that may be shown.
        read: returns as many rows as it is told, or all if there are fewer.
    """
    found = read(most + 1)
    return found[:most], len(found) > most


def page(limit: int, read: Callable[[int], Sequence[R]], cursor: Callable[[R], str]) -> Rows[R]:
    """Return one page of a list, with how it goes on.

    Args:
        limit: rows that were asked for; at most LARGEST_PAGE are given.
        read: returns as many rows as it is told from where the page begins, or all if there are fewer.
        cursor: says of a row how the page behind it is asked for.
    """
    found, truncated = cut(min(limit, LARGEST_PAGE), read)
    return Rows(found, cursor(found[-1]) if truncated else None, truncated)


class _Adapters(dict[type[Any], TypeAdapter[Any]]):
    """Made once for each kind: pydantic compiles what it reads and writes."""

    def __missing__(self, kind: type[Any]) -> TypeAdapter[Any]:
        return self.setdefault(kind, TypeAdapter(kind))


_ADAPTERS = _Adapters()

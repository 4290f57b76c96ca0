"""What use cases answer with: frozen dataclasses, those of a subject in its views.py. Here: their way to JSON and back.

The API sends them, what is kept under an Idempotency-Key is made of them, and the command line reads them back.
Instants are written as RFC 3339 in UTC with `Z`, days as RFC 3339 full-date.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter

from core.canonical import Json

V = TypeVar("V")

LARGEST_PAGE = 200
"""Rows on a page that somebody may ask for."""


@dataclass(frozen=True, kw_only=True)
class FirmwareAnswer:
    """A firmware version with the SHA-256 of its image."""

    version: str
    image_sha256: str


def document(view: object) -> dict[str, Json]:
    """Return a view as JSON.

    Args:
        view: an instance of a frozen dataclass whose members are JSON, instants, days, enums, or more such views.
    """
    written: dict[str, Json] = _ADAPTERS[type(view)].dump_python(view, mode="json")
    return written


def view_of(kind: type[V], said: str | bytes) -> V:
    """Return the view that was written as JSON; what a later release may have added is passed over.

    Args:
        kind: the dataclass.
        said: the JSON text.

    Raises:
        ValueError: it is not JSON, or not of that kind.
    """
    read: V = _ADAPTERS[kind].validate_json(said)
    return read


def next_cursor(identifiers: list[str], limit: int) -> str | None:
    """Return the cursor for the page behind one with these rows; None if it was the last.

    Args:
        identifiers: of the rows, in order.
        limit: how many were asked for.
    """
    full = len(identifiers) >= min(limit, LARGEST_PAGE)
    return identifiers[-1] if full and identifiers else None


class _Adapters(dict[type[Any], TypeAdapter[Any]]):
    """Made once for each kind: pydantic compiles what it reads and writes."""

    def __missing__(self, kind: type[Any]) -> TypeAdapter[Any]:
        return self.setdefault(kind, TypeAdapter(kind))


_ADAPTERS = _Adapters()

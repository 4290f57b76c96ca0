"""Lists come in pages, each with the cursor for the next."""

from core.canonical import Json

LARGEST_PAGE = 200
"""Rows on a page that somebody may ask for."""


def page(listed: list[Json], name: str, limit: int, identifiers: list[str]) -> dict[str, Json]:
    """Return a page of a list with the cursor for the next; None if this was the last."""
    full = len(identifiers) >= min(limit, LARGEST_PAGE)
    return {name: listed, "next": identifiers[-1] if full and identifiers else None}

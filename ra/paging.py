"""Lists come in pages, each with the cursor for the next."""

from core.canonical import Json
from ra.views import LARGEST_PAGE, next_cursor

__all__ = ["LARGEST_PAGE", "page"]


def page(listed: list[Json], name: str, limit: int, identifiers: list[str]) -> dict[str, Json]:
    """Return a page of a list with the cursor for the next; None if this was the last."""
    return {name: listed, "next": next_cursor(identifiers, limit)}

"""Settings of what one organisation may pile up: each a whole number, with what is usual where it is not said."""

from typing import Protocol

from core.deployments import MOST_LINES
from ra.bounds import MEBIOCTET, Bounds

_MOST = 1_000_000_000


class Whole(Protocol):
    """Reads a whole number out of the settings."""

    def __call__(self, table: str, key: str, default: int, *, least: int, most: int) -> int:
        """Return it, or the default where nothing is said."""
        ...


def read_bounds(read: Whole) -> Bounds:
    """Return the bounds that the settings say.

    Args:
        read: out of them.
    """
    usual = Bounds()

    def whole(key: str, default: int, *, least: int = 1) -> int:
        return read("bounds", key, default, least=least, most=_MOST)

    return Bounds(
        open_applications=whole("open_applications", usual.open_applications),
        open_amendment_requests=whole("open_amendment_requests", usual.open_amendment_requests),
        evidence_octets=whole("evidence_mebioctets", usual.evidence_octets // MEBIOCTET) * MEBIOCTET,
        calendar_addresses=whole("calendar_addresses", usual.calendar_addresses),
        acts_per_day=whole("acts_per_day", usual.acts_per_day),
        # Below what one report may hold, a report that is taken on no day could be sent for ever.
        deployment_lines_per_day=whole("deployment_lines_per_day", usual.deployment_lines_per_day, least=MOST_LINES),
    )

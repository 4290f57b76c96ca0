"""Interests in an application, as the command line shows them."""

from collections.abc import Sequence

from rich.console import Console

from app.cli import shown
from ra.committee.views import InterestAnswer


def show(console: Console, found: Sequence[InterestAnswer]) -> None:
    """Show interests, those that were withdrawn too.

    Args:
        console: where.
        found: as the service shows them.
    """
    shown.table(
        console,
        ("interest", "whose", "what", "declared", "withdrawn"),
        [
            (
                each.interest,
                each.officer,
                each.text,
                shown.when(each.declared_at),
                shown.when(each.withdrawn_at) if each.withdrawn_at else "",
            )
            for each in found
        ],
        none="Nobody has declared one.",
    )

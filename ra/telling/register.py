"""register: the public register for people, as a table. It is public, so nobody is asked who they are."""

from collections.abc import Iterable, Iterator, Sequence

from core.errors import RegisterTooLong
from core.register import Moment
from documents.register import register_csv, register_xlsx

MOST_IN_A_WORKBOOK = 20_000
"""Approvals in one workbook: it is made whole in memory, and takes half a minute of one core. CSV has no bound."""


def as_csv(pages: Iterable[Sequence[str]], moment: Moment) -> Iterator[bytes]:
    """Yield the approvals of a register, page by page.

    Args:
        pages: of each approval the last document, by identifier.
        moment: of which it is.
    """
    return register_csv(pages, moment)


def as_xlsx(pages: Iterable[Sequence[str]], moment: Moment) -> Iterator[bytes]:
    """Yield the same as a workbook, in one piece.

    Args:
        pages: as for `as_csv`.
        moment: of which it is.

    Raises:
        RegisterTooLong: they are more than a workbook is made of.
    """
    found, count = list[Sequence[str]](), 0
    for page in pages:
        found.append(page)
        count += len(page)
        if count > MOST_IN_A_WORKBOOK:
            raise RegisterTooLong(limit=MOST_IN_A_WORKBOOK)
    yield register_xlsx(found, moment)

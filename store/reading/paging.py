"""Where a page of a list begins: behind the last row of the page before, from the oldest on or from the newest."""

from typing import Any

from sqlalchemy import ColumnElement, Select


def behind(query: Select[Any], column: ColumnElement[str], after: str, *, newest: bool = False) -> Select[Any]:
    """Return a question for the rows behind one, in order.

    Args:
        query: for all of them.
        column: whose values rise with time, one for each row.
        after: the value of the last row of the page before; empty for the first page.
        newest: whether the newest comes first.
    """
    if newest:
        return (query.where(column < after) if after else query).order_by(column.desc())
    return query.where(column > after).order_by(column)

"""Signs of life, and the alarms of processes that nobody can ask. None is a fact: it holds now, or it is gone."""

from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete
from sqlalchemy.dialects import postgresql, sqlite

from core.alarms import Alarm
from core.kinds import ProcessRole
from store.tables import alarms, signs_of_life
from store.transactions import Transaction


def live(tx: Transaction, process: ProcessRole, *, at: datetime) -> None:
    """Leave a sign of life: one row for each kind of process, whichever of them was here last.

    Args:
        tx: open.
        process: who is alive.
        at: by the machine's clock.
    """
    _put(tx, signs_of_life, {"process": process, "at": at}, fate=("at",))


def raise_alarm(tx: Transaction, raiser: ProcessRole, alarm: Alarm) -> None:
    """Write an alarm; one that is there begins when the alarm does, which its raiser has read from it if it could.

    Args:
        tx: open.
        raiser: who noticed it.
        alarm: it.
    """
    said = {"code": alarm.code, "subject": alarm.subject, "since": alarm.since, "sentence": alarm.sentence}
    _put(tx, alarms, {"raised_by": raiser, **said}, fate=("since", "sentence"))


def end_alarm(tx: Transaction, raiser: ProcessRole, alarm: Alarm) -> bool:
    """Take an alarm away that is over; return whether it was there."""
    a = alarms.c
    query = delete(alarms).where(a.raised_by == raiser, a.code == alarm.code, a.subject == alarm.subject)
    return bool(tx.connection.execute(query).rowcount)


def _put(tx: Transaction, table: Table, values: dict[str, Any], *, fate: tuple[str, ...]) -> None:
    """Write a row, or of one that is there the columns that may change: two processes may do so at once."""
    dialect = sqlite if tx.dialect == "sqlite" else postgresql
    row = dialect.insert(table).values(values)
    key = [column.name for column in table.primary_key]
    tx.connection.execute(
        row.on_conflict_do_update(index_elements=key, set_={name: row.excluded[name] for name in fate})
    )

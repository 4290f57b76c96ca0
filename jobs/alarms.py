"""Alarms of a process that has no socket: what it notices is a row of the register, where web reads it.

If we die between two turns the rows stay as they are; the next process of the kind says what is still so.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime

from core.alarms import Alarm, AlarmCode, Noticed, Standing
from core.kinds import ProcessRole
from jobs.aside import MOST_TOLD
from store.reading import watching as reading
from store.transactions import Transaction
from store.verbs import watching as verbs


class Alarms:
    """The rows of one process.

    Args:
        raiser: the kind of process.
        log: where each begin and each end is told, once.
        alone: whether there is no other process of the kind at work: what it does not notice is over. One that is not
            alone ends only what it found at its start, and what it has raised.
    """

    def __init__(self, raiser: ProcessRole, log: logging.Logger, *, alone: bool) -> None:
        self._raiser = raiser
        self._alone = alone
        self._standing = Standing(log)
        self._own: set[tuple[AlarmCode, str]] | None = None

    def hold(
        self,
        read: Callable[[], AbstractContextManager[Transaction]],
        begin: Callable[[str], AbstractContextManager[Transaction]],
        noticed: Iterable[Noticed],
        at: datetime,
    ) -> int:
        """Let the register say what is so now; a turn in which nothing changed writes nothing.

        Args:
            read: opens a reading transaction.
            begin: opens a writing transaction for a label.
            noticed: everything that is so now.
            at: this moment.

        Returns:
            How many rows were written or taken away.
        """
        with read() as tx:
            rows = {each.key: each for each in reading.alarms(tx, self._raiser)}
        if self._own is None or self._alone:
            self._own = set(rows)
        since = {key: each.since for key, each in rows.items()}
        held = {each.key: each for each in self._standing.hold(bounded(noticed), at, known=since)}
        missing = [each for each in held.values() if not _says(rows.get(each.key), each)]
        over = [each for key, each in rows.items() if key not in held and key in self._own]
        if missing or over:
            with begin("alarms") as tx:
                for each in over:
                    verbs.end_alarm(tx, self._raiser, each)
                for each in missing:
                    verbs.raise_alarm(tx, self._raiser, each)
        self._own = (self._own & set(rows)) - {each.key for each in over} | set(held)
        return len(missing) + len(over)


def bounded(noticed: Iterable[Noticed]) -> list[Noticed]:
    """Return at most MOST_TOLD of a code, those that were noticed first, and in one more how many others there are."""
    by_code: dict[AlarmCode, dict[str, Noticed]] = {}
    for each in noticed:
        by_code.setdefault(each.code, {})[each.subject] = each
    told: list[Noticed] = []
    for code, same in by_code.items():
        told += list(same.values())[:MOST_TOLD]
        others = list(same.values())[MOST_TOLD:]
        if others:
            told.append(Noticed.more(code, sum(each.as_many for each in others)))
    return told


def _says(row: Alarm | None, held: Alarm) -> bool:
    return row is not None and row.sentence == held.sentence

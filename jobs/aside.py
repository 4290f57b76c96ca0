"""Rows that a job cannot deal with: told, passed over for a while, and tried again; they keep no other row waiting.

A register in which somebody else has written may hold anything. What nothing foresaw in one row is an alarm about that
row. All of this is lost with the process, and found again by the next one.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from core.alarms import AlarmCode, Noticed, printable
from core.errors import (
    LeaseLost,
    MemoryForked,
    MemoryFull,
    MemoryUnusable,
    StoreUnavailable,
    StoreWentBack,
    TokenOutOfUse,
)
from core.trouble import Trouble

_log = logging.getLogger(__name__)

R = TypeVar("R")
T = TypeVar("T")

TRIED_AGAIN = timedelta(seconds=60)
"""When a row that could not be dealt with is tried again."""

MOST_TOLD = 20
"""Rows of one job that have an alarm each; of the others there is the number."""

NO_ROW_S_FAULT = (
    StoreUnavailable,
    StoreWentBack,
    LeaseLost,
    MemoryForked,
    MemoryFull,
    MemoryUnusable,
    TokenOutOfUse,
)
"""What is wrong with everything, and not with one row."""


@dataclass
class _Row:
    until: datetime
    said: Noticed
    trouble: Trouble


class Aside:
    """Rows that one job passes over. It outlives the turns.

    Args:
        job: its name, as alarms have it.
    """

    def __init__(self, job: str) -> None:
        self._job = job
        self._rows: dict[str, _Row] = {}

    def passed_over(self, noticed: list[Noticed], at: datetime) -> frozenset[str]:
        """Return the rows that are not to be tried at `at`, and say that they stand aside.

        Args:
            noticed: what is so in this turn; it is added to.
            at: now.
        """
        gone = [name for name, row in self._rows.items() if row.until + TRIED_AGAIN < at]
        for name in gone:
            self._done(name)  # it was due to be tried and nobody came upon it
        over = {name: self._rows[name].said for name in self.stand_aside(at)}
        noticed.extend(said for _, said in sorted(over.items())[:MOST_TOLD])
        if len(over) > MOST_TOLD:
            more = f"The authority's job {self._job} passes over {len(over) - MOST_TOLD} more rows of the register."
            noticed.append(Noticed(code=AlarmCode.JOB_FAILS, subject=f"{self._job}: more", sentence=more))
        return frozenset(over)

    def stand_aside(self, at: datetime) -> frozenset[str]:
        """Return the rows that are not to be tried at `at`, for a job that tells of them elsewhere."""
        return frozenset(name for name, row in self._rows.items() if row.until > at)

    def alone(self, noticed: list[Noticed], name: str, at: datetime, act: Callable[[], T]) -> T | None:
        """Do something about one row; if it fails, put the row aside.

        Args:
            noticed: what is so in this turn; it is added to.
            name: of the row.
            at: now.
            act: what is done.

        Returns:
            What `act` returned; None if it failed.

        Raises:
            StoreUnavailable, StoreWentBack, LeaseLost, MemoryForked, MemoryFull, MemoryUnusable, TokenOutOfUse: it is
                not the row.
        """
        try:
            done = act()
        except NO_ROW_S_FAULT:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a row may hold: the others are not to wait for it
            self.put(noticed, name, at, type(error).__name__, error)
            return None
        self._done(name)
        return done

    def together(
        self,
        noticed: list[Noticed],
        rows: Sequence[R],
        name: Callable[[R], str],
        at: datetime,
        act: Callable[[Sequence[R]], T],
    ) -> list[T]:
        """Do something about rows together; if that fails, about each alone, and put aside those on which it fails.

        Args:
            noticed: what is so in this turn; it is added to.
            rows: in order.
            name: of a row.
            at: now.
            act: what is done about some of them, as a whole or not at all.

        Returns:
            What `act` returned each time that it did not fail.
        """
        if len(rows) > 1:
            try:
                done = act(rows)
            except NO_ROW_S_FAULT:
                raise
            except Exception:  # noqa: BLE001 - see below: on which of them it fails
                _log.info("%s: a portion of %d is done row by row", self._job, len(rows))
            else:
                for each in rows:
                    self._done(name(each))
                return [done]
        alone = (self.alone(noticed, name(each), at, partial(act, [each])) for each in rows)
        return [each for each in alone if each is not None]

    def put(
        self, noticed: list[Noticed], name: str, at: datetime, why: str, error: BaseException | None = None
    ) -> None:
        """Put a row aside.

        Args:
            noticed: what is so in this turn; it is added to.
            name: of the row.
            at: now.
            why: in a word or two, for everybody.
            error: what nobody foresaw; the log gets its traceback.
        """
        sentence = (
            f"The authority's job {self._job} cannot deal with {printable(name, 64)} ({why}); it is passed over and "
            "tried again."
        )
        subject = f"{self._job}: {printable(name, 64)}"
        said = Noticed(code=AlarmCode.JOB_FAILS, subject=subject, sentence=sentence, told=True)
        row = self._rows.get(name)
        trouble = Trouble(_log) if row is None else row.trouble
        trouble.begins(sentence, logging.ERROR, error)
        self._rows[name] = _Row(until=at + TRIED_AGAIN, said=said, trouble=trouble)
        if len(self._rows) <= MOST_TOLD:
            noticed.append(said)

    def _done(self, name: str) -> None:
        row = self._rows.pop(name, None)
        if row is not None:
            row.trouble.ends(f"The authority's job {self._job} passes over {printable(name, 64)} no more.")

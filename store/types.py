"""Column types that are the same on SQLite (STRICT tables) and PostgreSQL."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Dialect,
    Integer,
    LargeBinary,
    Text,
    literal_column,
)
from sqlalchemy.types import TypeDecorator

from core import unreadable
from core.instants import from_seconds, seconds

_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""Beyond these there is no instant; a day is left at the beginning, so that one may count back from it."""
_LEAST, _MOST = seconds(_FIRST), seconds(_LAST)


def instant_of(value: int) -> datetime:
    """Return the instant of a number of seconds; of one that no calendar has, the nearest that it has.

    Only somebody who writes into the database by hand makes such a number: one row of theirs must not keep whole lists
    from being read.
    """
    return from_seconds(min(max(value, _LEAST), _MOST))


_LARGEST = 2**63 - 1


def number_of(value: object) -> int:
    """Return what stands in a column of numbers, as a number: of a fraction or one that is too large the nearest that a
    column holds; of a text or octets the largest, as SQLite sorts them behind every number.

    Whoever owns the file can take the rule out of it that a number is one. What is so large is under no head, in no
    calendar and beyond every limit: that is told of where it is read.
    """
    if isinstance(value, int):
        return value
    return max(-_LARGEST, min(int(value), _LARGEST)) if isinstance(value, float) else _LARGEST


def octets_of(value: object) -> bytes:
    """Return what stands in a column of octets, as octets: of a text its own, of a number none."""
    return (
        value.encode("utf-8", "replace")
        if isinstance(value, str)
        else bytes(value)
        if isinstance(value, bytes)
        else b""
    )


class Instant(TypeDecorator[datetime]):
    """An instant as whole seconds since 1970-01-01T00:00:00Z.

    One form on both databases: it compares, ranges and survives the year 9999 alike, and no driver's idea of a time
    zone comes between (docs/adr/0003).
    """

    impl = BigInteger().with_variant(Integer(), "sqlite")
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002 - signature of SQLAlchemy
        """Write an aware instant as seconds."""
        return None if value is None else seconds(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[object], datetime | None]:  # noqa: ARG002 - signature of SQLAlchemy
        """Read seconds as an aware instant in UTC; without the steps of a decorator, as an act reads hundreds."""
        return _read_instant


def _read_instant(value: object) -> datetime | None:
    if value is None:
        return None
    if type(value) is int and _LEAST <= value <= _MOST:
        return from_seconds(value)
    return instant_of(number_of(value))


def text_of(value: object) -> str | None:
    """Return what stands in a column of text, as text: octets that are none, or a number, are somebody's who owns the
    file, and one row of theirs must not keep the others from being read.
    """
    if value is None or isinstance(value, str):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


class String(Text):
    """A column of text."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[object], str | None] | None:  # noqa: ARG002 - signature of SQLAlchemy
        """Read text as text; PostgreSQL has nothing else in such a column."""
        return text_of if dialect.name == "sqlite" else None


class Word(TypeDecorator[StrEnum]):
    """A column that holds a word of a closed list: rows carry the member, the database the plain text.

    What is written or compared with must be one of the words; anything else is a fault and raises ValueError. A word
    that is read and is none of them, in a database whose constraints somebody has switched off, stays the text that it
    is: it equals no member, and whoever acts upon it fails on that row and not on the whole list.

    Args:
        words: the list.
    """

    impl = String
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - signature of SQLAlchemy
        """Write a member as its text; a driver must not wonder what a member is."""
        return None if value is None else self.words(value).value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[object], StrEnum | None]:  # noqa: ARG002 - signature of SQLAlchemy
        """Read a text as the member; without the steps of a decorator, as for an instant."""
        known: dict[object, StrEnum] = {each.value: each for each in self.words}

        def read(value: object) -> StrEnum | None:
            found = known.get(value)
            if found is None and value is not None:
                said = text_of(value)
                found = known.get(said, said)  # type: ignore[arg-type]  # see above
                if said not in known:
                    unreadable.note(self.words, str(said))
            return found

        return read


def one_of(column: str, values: Iterable[str], *, name: str | None = None) -> CheckConstraint:
    """Return the rule that a column holds one of some words."""
    return CheckConstraint(f"{column} IN ({_listed(values)})", name=name or f"{column}_known")


def among(column: str, *words: str) -> str:
    """Return the SQL that a column holds one of some words: the text of a CHECK or of a partial index.

    Args:
        column: its name.
        words: members of a closed list, as SQL spells them in this order.
    """
    return f"{column} = '{words[0]}'" if len(words) == 1 else f"{column} IN ({_listed(words)})"


def one_of_words(column: ColumnElement[Any], words: Iterable[StrEnum]) -> ColumnElement[bool]:
    """Return the condition that a column holds one of some words of ours, which stand in the statement itself.

    An IN list of bound values is put together anew each time that it is asked.
    """
    return column.in_([literal_column(f"'{each.value}'") for each in words])


def not_among(column: str, *words: str) -> str:
    """Return the SQL that a column holds none of some words."""
    return f"{column} <> '{words[0]}'" if len(words) == 1 else f"{column} NOT IN ({_listed(words)})"


def word(
    name: str, words: type[StrEnum], *, among: Iterable[StrEnum] | None = None, nullable: bool = False
) -> tuple[Column[StrEnum], CheckConstraint]:
    """Return a column for a word of a closed list, and the rule that it holds nothing else.

    Args:
        name: of the column.
        words: the list.
        among: the words of it that may stand in this column; None for all.
        nullable: whether there may be none.
    """
    return Column(name, Word(words), nullable=nullable), one_of(name, words if among is None else among)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{each}'" for each in words)


class _SqliteNumber(Integer):
    """A column of numbers of SQLite."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[object], int | None]:  # noqa: ARG002 - signature of SQLAlchemy
        """Read a number as a number."""
        return lambda value: None if value is None else number_of(value)


def _as_octets(value: object) -> bytes | None:
    # Nearly all are octets, and a proof reads some hundred of them.
    return value if type(value) is bytes else None if value is None else octets_of(value)


class Octets(LargeBinary):
    """A column of octets."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[object], bytes | None] | None:  # noqa: ARG002 - signature of SQLAlchemy
        """Read octets as octets; PostgreSQL has nothing else in such a column, and its driver gives them so."""
        return _as_octets if dialect.name == "sqlite" else None


Number = BigInteger().with_variant(_SqliteNumber(), "sqlite")

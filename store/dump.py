"""The register as plain lines, and back: every table in a form that both databases read.

Instants are whole seconds and words are text in either (docs/adr/0003), so a row is numbers, texts, octets and nothing.
A row is one line, a JSON array in the order of the columns; octets are in base64. The state is that of one
transaction.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, Integer, LargeBinary, Table, Text, column, func, insert, select, table
from sqlalchemy import text as sql
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.sql.expression import ColumnClause, TableClause
from sqlalchemy.sql.sqltypes import _Binary
from sqlalchemy.types import TypeDecorator, TypeEngine

from core.alarms import printable
from core.canonical import read_json
from store import committee_tables, console_tables, log_tables, trial_tables
from store.tables import metadata
from store.transactions import Transaction, violated

_TABLES = {each.name: each for each in metadata.sorted_tables}
"""In an order in which each comes behind those that it refers to."""

_OF_ONE = (log_tables.log_leaves, trial_tables.evidence, console_tables.passkeys, committee_tables.meetings)
assert all(each.metadata is metadata for each in _OF_ONE)

_AT_ONCE = {"evidence_files": 1, "renderings": 4, "crls": 4}
_USUALLY_AT_ONCE = 500
"""Rows that are held at once; a file of evidence may have some mebioctets."""

_PORTION_OCTETS = 4 * 1024 * 1024


_MOST_SAID = 200
"""Characters of a key, or of a reason: whoever wrote the row chose the first."""

Row: TypeAlias = Mapping[str, int | str | bytes | None]
"""A row as it stands in the lines, by column."""

Judge: TypeAlias = Callable[[Row], Row | str]
"""Returns a row as it is to be written, or why it is left out."""


class Unloadable(Exception):
    """Lines that are no rows of this register; its text says why."""


class _Foreign(Exception):
    """A value of another kind than its column has; its text says which column."""


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A row that was not written.

    Args:
        table: its table.
        key: the values of its primary key, as far as they can be shown.
        why: in a few words.
    """

    table: str
    key: str
    why: str


def names() -> tuple[str, ...]:
    """Return the names of the tables, in an order in which they can be loaded."""
    return tuple(_TABLES)


def counted(tx: Transaction, name: str) -> int:
    """Return how many rows a table has."""
    return int(tx.connection.execute(select(func.count()).select_from(_TABLES[name])).scalar_one())


def is_empty(tx: Transaction) -> bool:
    """Return whether no table has a row."""
    return all(tx.connection.execute(select(sql("1")).select_from(each).limit(1)).first() is None for each in _every())


def stay(tx: Transaction) -> None:
    """Say that a transaction is still read from: a server ends one that rests for too long."""
    tx.connection.execute(select(sql("1")))


def dumped(tx: Transaction, name: str) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a table in order of its key, some mebioctets at a time, each with how many rows it has."""
    plain, of = table(name, *(column(each.name) for each in _TABLES[name].columns)), _TABLES[name]
    query = select(plain).order_by(*(plain.c[each.name] for each in of.primary_key.columns))
    at_once = _AT_ONCE.get(name, _USUALLY_AT_ONCE)
    octets = [isinstance(_bare(each.type), _Binary) for each in of.columns]
    held, size, rows = list[bytes](), 0, 0
    for row in tx.connection.execute(query, execution_options={"yield_per": at_once}):
        said = [_said(each, octets=binary) for each, binary in zip(row, octets, strict=True)]
        line = json.dumps(said, separators=(",", ":")).encode("ascii") + b"\n"
        held.append(line)
        size, rows = size + len(line), rows + 1
        if size >= _PORTION_OCTETS:
            yield rows, b"".join(held)
            held, size, rows = [], 0, 0
    if held:
        yield rows, b"".join(held)


def load(
    tx: Transaction, name: str, lines: Iterable[bytes], left: Callable[[LeftOut], None], judge: Judge | None = None
) -> int:
    """Write the rows of a table that has none; return how many were written.

    A row with a value of another kind, one that a constraint refuses, and one that is judged not to be ours are left
    out: whoever owned the database may have planted it, and no such row keeps the others from being written.

    Args:
        tx: open.
        name: of the table.
        lines: its rows.
        left: told of each row that is left out.
        judge: asked about each row before it is written; None if every row is taken.

    Raises:
        Unloadable: a line is no row of this table at all.
    """
    loading = _Loading(tx, name, left)
    for line in lines:
        row = loading.read(line)
        if row is None:
            continue
        judged = row if judge is None else judge(row)
        if isinstance(judged, str):
            left(loading.left_out(row, judged))
        else:
            loading.hold(judged)
    loading.write()
    return loading.written


def go_on_counting(tx: Transaction) -> None:
    """Let the next row of each table that counts by itself get a number behind those that were loaded."""
    if tx.dialect == "sqlite":
        return  # it takes the number behind the largest
    for each in _every():
        counts = each.autoincrement_column
        if counts is not None:
            newest = tx.connection.execute(select(func.max(counts))).scalar()
            sequence = func.pg_get_serial_sequence(each.name, counts.name)
            if newest is not None:
                tx.connection.execute(select(func.setval(sequence, newest)))


def _every() -> Iterable[Table]:
    return _TABLES.values()


def _plain(name: str) -> TableClause:
    """Return a table as numbers, texts and octets: no instant is made of a number, no member of a word."""
    return table(name, *(column(each.name, _bare(each.type)) for each in _TABLES[name].columns))


def _bare(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    bare = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    if isinstance(bare, _Binary):
        return LargeBinary()
    return BigInteger() if isinstance(bare, Integer) else Text()


def _said(value: Any, *, octets: bool) -> int | str | dict[str, str] | None:  # noqa: ANN401 - a value of any column
    """Return a value as it stands in a line; one of another kind, of which SQLite has four, as what it is."""
    if isinstance(value, bytes | memoryview):
        encoded = base64.b64encode(value).decode("ascii")
        return encoded if octets else {"octets": encoded}
    if isinstance(value, float):
        return {"real": repr(value)}
    return {"text": value} if octets and isinstance(value, str) else value


class _Loading:
    """A table whose rows are being written.

    Args:
        tx: open.
        name: of the table.
        left: told of each row that is left out.
    """

    def __init__(self, tx: Transaction, name: str, left: Callable[[LeftOut], None]) -> None:
        self._tx, self._name, self._left = tx, name, left
        self._plain = _plain(name)
        self._columns = list(self._plain.c)
        self._key = [each.name for each in _TABLES[name].primary_key.columns]
        self._at_once = _AT_ONCE.get(name, _USUALLY_AT_ONCE)
        self._held = list[Row]()
        self._read = 0
        self.written = 0

    def read(self, line: bytes) -> Row | None:
        """Return the row that a line says; None if a value is of another kind: it is left out."""
        self._read += 1
        row = dict[str, Any]()
        try:
            said = list[Any](read_json(line, largest=2**63))
            row = {each.name: value for each, value in zip(self._columns, said, strict=True)}
            return {each.name: _value(row[each.name], each) for each in self._columns}
        except (ValueError, TypeError) as error:
            raise Unloadable(f"row {self._read} of {self._name} cannot be read: {error}") from error
        except _Foreign as error:
            self._left(self.left_out(row, str(error)))
            return None

    def hold(self, row: Row) -> None:
        """Write a row, with others."""
        self._held.append(row)
        if len(self._held) >= self._at_once:
            self.write()

    def write(self) -> None:
        """Write what is held; where one of the rows is refused, one by one."""
        rows, self._held = self._held, []
        if not rows:
            return
        if self._refusal(rows) is None:
            self.written += len(rows)
            return
        for row in rows:
            why = self._refusal([row])
            if why is None:
                self.written += 1
            else:
                self._left(self.left_out(row, f"the database refuses it ({why})"))

    def left_out(self, row: Mapping[str, Any], why: str) -> LeftOut:
        """Return a row as it is told of."""
        key = "/".join(str(row.get(each)) for each in self._key)
        return LeftOut(table=self._name, key=printable(key, _MOST_SAID), why=printable(why, _MOST_SAID))

    def _refusal(self, rows: list[Row]) -> str | None:
        """Write rows, or none of them; return what the database says if it refuses one."""
        try:
            with self._tx.connection.begin_nested():
                self._tx.connection.execute(insert(self._plain), [dict(each) for each in rows])
        except (IntegrityError, DataError) as error:
            return _broken(error)
        except UnicodeError:
            return "half a character"
        return None


def _broken(error: DBAPIError) -> str:
    """Return which rule a row breaks: what PostgreSQL says beside it repeats the row, which may be withheld (F2.22)."""
    diagnostic = getattr(error.orig, "diag", None)
    if diagnostic is not None and not diagnostic.constraint_name:
        return str(diagnostic.message_primary or type(error.orig).__name__)
    return violated(error)


def _value(value: Any, of: ColumnClause[Any]) -> int | str | bytes | None:  # noqa: ANN401 - as JSON has it
    if value is None:
        return None
    if isinstance(of.type, Integer):
        if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
            return value
    elif isinstance(value, str):
        return base64.b64decode(value, validate=True) if isinstance(of.type, _Binary) else value
    raise _Foreign(f"{of.name} holds a value of another kind")

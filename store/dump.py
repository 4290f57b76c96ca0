"""The register as plain lines, and back: every table in a form that both databases read.

Instants are whole seconds and words are text in either (docs/adr/0003), so a row is numbers, texts, octets and nothing.
A row is one line, a JSON array in the order of the columns; octets are in base64. The state is that of one
transaction.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import BigInteger, Integer, LargeBinary, Table, Text, column, func, insert, select, table
from sqlalchemy import text as sql
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.sql.expression import ColumnClause, TableClause
from sqlalchemy.sql.sqltypes import _Binary
from sqlalchemy.types import TypeDecorator, TypeEngine

from core.canonical import read_json
from store import trial_tables
from store.tables import metadata
from store.transactions import Transaction

_TABLES = {each.name: each for each in metadata.sorted_tables}
"""In an order in which each comes behind those that it refers to."""

assert trial_tables.evidence.metadata is metadata

_AT_ONCE = {"evidence_files": 1, "renderings": 4, "crls": 4}
_USUALLY_AT_ONCE = 500
"""Rows that are held at once; a file of evidence may have some mebioctets."""

_PORTION_OCTETS = 4 * 1024 * 1024


class Unloadable(Exception):
    """Lines that are no rows of this register; its text says why."""


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
    plain, of = _plain(name), _TABLES[name]
    query = select(plain).order_by(*(plain.c[each.name] for each in of.primary_key.columns))
    at_once = _AT_ONCE.get(name, _USUALLY_AT_ONCE)
    held, size, rows = list[bytes](), 0, 0
    for row in tx.connection.execute(query, execution_options={"yield_per": at_once}):
        line = json.dumps([_said(each) for each in row], separators=(",", ":")).encode("ascii") + b"\n"
        held.append(line)
        size, rows = size + len(line), rows + 1
        if size >= _PORTION_OCTETS:
            yield rows, b"".join(held)
            held, size, rows = [], 0, 0
    if held:
        yield rows, b"".join(held)


def load(tx: Transaction, name: str, lines: Iterable[bytes]) -> int:
    """Write the rows of a table that has none; return how many there were.

    Raises:
        Unloadable: a line is no row of this table, or a constraint refuses it.
    """
    plain = _plain(name)
    columns, at_once = list(plain.c), _AT_ONCE.get(name, _USUALLY_AT_ONCE)
    held, rows = list[dict[str, Any]](), 0
    for line in lines:
        held.append(_read(line, columns, name, rows + 1))
        rows += 1
        if len(held) >= at_once:
            _write(tx, plain, held, rows)
            held = []
    _write(tx, plain, held, rows)
    return rows


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


def _said(value: Any) -> int | str | None:  # noqa: ANN401 - a value of any column
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes | memoryview) else value


def _read(line: bytes, columns: list[ColumnClause[Any]], name: str, number: int) -> dict[str, Any]:
    try:
        said = list[Any](read_json(line, largest=2**63))
        return {each.name: _value(value, each) for each, value in zip(columns, said, strict=True)}
    except (ValueError, TypeError) as error:
        raise Unloadable(f"row {number} of {name} cannot be read: {error}") from error


def _value(value: Any, of: ColumnClause[Any]) -> int | str | bytes | None:  # noqa: ANN401 - as JSON has it
    if value is None:
        return None
    if isinstance(of.type, Integer):
        if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
            return value
    elif isinstance(value, str):
        return base64.b64decode(value, validate=True) if isinstance(of.type, _Binary) else value
    raise ValueError(f"{of.name} is of another kind")


def _write(tx: Transaction, plain: TableClause, rows: list[dict[str, Any]], number: int) -> None:
    if not rows:
        return
    try:
        tx.connection.execute(insert(plain), rows)
    except (IntegrityError, DataError, UnicodeError) as error:
        raise Unloadable(f"the database refuses a row of {plain.name}, number {number} or one before it") from error

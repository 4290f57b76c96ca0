"""Statements that are asked again and again are asked of SQLite with what was found out the first times (ADR 67).

SQLAlchemy finds anew for each asking how a statement is compiled, in which order its values go, and how rows are read:
that takes ten times as long as SQLite takes to answer by an index. It is the same for the same object, so it is kept
with it: SQLAlchemy's own text, its own conversions of values and rows, and its own results and errors.
"""

import sqlite3
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, cast

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Connection,
    CursorResult,
    Delete,
    Dialect,
    Executable,
    Insert,
    Select,
    TextClause,
    Update,
)
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler

_KINDS = (Select, CompoundSelect, Insert, Update, Delete, TextClause)

KEPT_STATEMENTS = 400
"""Of which SQLite keeps what it made of them, for each connection: more than a process asks. Of the usual 128 one act
pushes out what the next one asks."""

_ONCE_AND_AGAIN = 2
"""Askings of the same object after which it is one that is kept: what is put together for one act is asked once."""

_MOST_LISTED = 8
"""Values of a list for which a text of its own is kept; a longer list is put together anew, as SQLAlchemy does."""

_SINGLE = (str, bytes, int, float, datetime)
"""Values that are one; what is neither one nor a list, SQLAlchemy deals with."""

_Value = tuple[str | None, int | None, Any]
_Way = tuple[bool, tuple[tuple[str, int], ...]]
"""In which a statement is asked: whether many times at once, and with which names; of a list how long, or -1."""


def _converted(process: Callable[[Any], Any] | None, value: Any) -> Any:  # noqa: ANN401 - a value of any kind
    return value if process is None else process(value)


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """What was found out about a statement that is asked with values of certain names.

    Args:
        sql: its text.
        values: in their order: the name of a value, its place where it is one of a list, and its conversion; or no
            name, no place, and what is the same each time.
        rows: how its rows are read; None where SQLite has to be asked for the names.
    """

    sql: str
    values: Sequence[_Value]
    rows: SimpleResultMetaData | None

    def bound(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return values as SQLite takes them."""
        return tuple(
            kept
            if name is None
            else _converted(kept, given[name])
            if place is None
            else _converted(kept, given[name][place])
            for name, place, kept in self.values
        )


class _Known:
    """What is known of one statement.

    Args:
        statement: the object; it is not kept alive.
    """

    def __init__(self, statement: Executable) -> None:
        key = id(statement)
        self.statement = weakref.ref(statement, lambda _: _STATEMENTS.pop(key, None))
        self.asked = 0
        self.ways: dict[_Way, _Prepared | None] = {}


_STATEMENTS: dict[int, _Known] = {}


class _Rows(IteratorResult[Any]):
    """Rows that SQLite still has to give: what it says instead becomes SQLAlchemy's own error.

    Args:
        metadata: how they are read.
        cursor: that gives them.
        asked: what a failure is told with.
    """

    def __init__(
        self, metadata: SimpleResultMetaData, cursor: sqlite3.Cursor, asked: "tuple[Prepared, str, Any]"
    ) -> None:
        super().__init__(metadata, cast("Iterator[Any]", cursor))
        self.cursor, self.rowcount = cursor, cursor.rowcount
        self._asked = asked

    def _fetchiter_impl(self) -> Iterator[Any]:
        try:
            yield from self.iterator
        except sqlite3.Error as error:
            self._failed(error)

    def _fetchone_impl(self, hard_close: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - SQLAlchemy's own signature
        try:
            return super()._fetchone_impl(hard_close)
        except sqlite3.Error as error:
            self._failed(error)

    def _fetchall_impl(self) -> Any:  # noqa: ANN401 - SQLAlchemy's own, of raw rows
        try:
            return super()._fetchall_impl()
        except sqlite3.Error as error:
            self._failed(error)

    def _failed(self, error: sqlite3.Error) -> NoReturn:
        connection, sql, bound = self._asked
        connection.failed(error, sql, bound)


class Prepared(Connection):
    """A connection of SQLAlchemy's to SQLite that knows statements again.

    What it does not know, or knows to need more than that, SQLAlchemy deals with as ever.
    """

    def execute(
        self,
        statement: Executable,
        parameters: Any = None,  # noqa: ANN401 - SQLAlchemy's own signature
        *,
        execution_options: Any = None,  # noqa: ANN401 - likewise
    ) -> CursorResult[Any]:
        """Ask a statement, as `Connection.execute` does."""
        prepared = None if execution_options else self._known(statement, parameters)
        if prepared is None:
            return super().execute(statement, parameters, execution_options=execution_options)
        try:
            if isinstance(parameters, list):
                bound: Any = [prepared.bound(each) for each in parameters]
            else:
                bound = prepared.bound(parameters or {})
        except Exception:  # noqa: BLE001 - whatever is wrong with a value, SQLAlchemy says it in its own words
            return super().execute(statement, parameters)
        cursor = cast("sqlite3.Cursor", self.connection.cursor())
        try:
            (cursor.executemany if isinstance(parameters, list) else cursor.execute)(prepared.sql, bound)
        except sqlite3.Error as error:
            self.failed(error, prepared.sql, bound)
        rows = prepared.rows or SimpleResultMetaData([each[0] for each in cursor.description or ()])
        return cast("CursorResult[Any]", _Rows(rows, cursor, (self, prepared.sql, bound)))

    def failed(self, error: sqlite3.Error, sql: str, bound: Any) -> NoReturn:  # noqa: ANN401 - what was bound, of any kind
        """Raise what SQLAlchemy makes of an error of SQLite's."""
        self._handle_dbapi_exception(error, sql, bound, None, None)

    def _known(self, statement: Executable, parameters: Any) -> _Prepared | None:  # noqa: ANN401 - see execute
        """Return what is known of a statement; None if SQLAlchemy has to deal with it."""
        if (
            self._execution_options or self._transaction is None or self._has_events or self.engine._has_events  # noqa: SLF001 - whoever listens hears of everything; nothing else says so
        ):
            return None
        known = _STATEMENTS.get(id(statement))
        if known is None or known.statement() is not statement:
            if not isinstance(statement, _KINDS):
                return None
            known = _STATEMENTS[id(statement)] = _Known(statement)
        known.asked += 1
        if known.asked <= _ONCE_AND_AGAIN:
            return None
        way = _way(parameters)
        if way is None:
            return None
        if way not in known.ways:
            known.ways[way] = _prepared(statement, way, parameters, self.dialect)
        return known.ways[way]


def _way(parameters: Any) -> _Way | None:  # noqa: ANN401 - whatever was given
    """Return in which way a statement is asked; None if that is not kept."""
    if isinstance(parameters, list):
        return (True, tuple((name, -1) for name in parameters[0])) if parameters else None
    named = []
    for name, value in (parameters or {}).items():
        if value is None or isinstance(value, _SINGLE):
            named.append((name, -1))
            continue
        listed = len(value) if isinstance(value, list | tuple) else 0
        if not 0 < listed <= _MOST_LISTED:
            return None
        named.append((name, listed))
    return False, tuple(named)


def _prepared(statement: Executable, way: _Way, given: Any, dialect: Dialect) -> _Prepared | None:  # noqa: ANN401 - as above
    """Return what can be known of a statement; None if it is put together anew by what it is asked with."""
    many, named = way
    names = [name for name, _ in named]
    compiled = statement.compile(dialect=dialect, column_keys=names, for_executemany=many)  # type: ignore[attr-defined] # of each of _KINDS
    assert isinstance(compiled, SQLCompiler)
    if (
        (many and (compiled.post_compile_params or compiled.effective_returning))
        or compiled.literal_execute_params
        or compiled.escaped_bind_names
        or compiled.insert_prefetch
        or compiled.update_prefetch
        or compiled.implicit_returning
    ):
        return None
    if compiled.post_compile_params:
        state = compiled.construct_expanded_state(given)
        if any(len(some) != len(_listed(compiled, name, given)) for name, some in state.parameter_expansion.items()):
            return None  # lists of more than one column each
        sql, places, processors = state.statement, state.positiontup, dict[str, Any](state.processors)
        listed = {
            each: (name, place) for name, some in state.parameter_expansion.items() for place, each in enumerate(some)
        }
    else:
        listed = {}
        sql, places, processors = compiled.string, compiled.positiontup, dict[str, Any](compiled._bind_processors)  # noqa: SLF001 - nothing else says how values are converted
    values: list[_Value] = []
    for place in places or ():
        name, index = listed.get(place, (place, None))
        value = _value(compiled.binds[name], name, index, names, processors.get(place))
        if value is None:
            return None
        values.append(value)
    return _Prepared(sql=sql, values=values, rows=_rows(compiled))


def _listed(compiled: SQLCompiler, place: str, given: Mapping[str, Any]) -> Sequence[Any]:
    bind = compiled.binds[place]
    listed: Sequence[Any] = given.get(bind.key, given.get(place, bind.value))
    return listed


def _value(
    bind: BindParameter[Any],
    place: str,
    index: int | None,
    names: Sequence[str],
    process: Any,  # noqa: ANN401 - SQLAlchemy's own
) -> _Value | None:
    """Return where the value in a place comes from; None if SQLAlchemy has to see to it."""
    name = next((each for each in (bind.key, place) if each in names), None)
    if name is not None:
        return name, index, process
    if bind.required or bind.callable is not None:
        return None
    same: Any = bind.value
    return None, None, _converted(process, same if index is None else same[index])


def _rows(compiled: SQLCompiler) -> SimpleResultMetaData | None:
    """Return how rows are read; None where the statement does not say what is in them."""
    columns = compiled._result_columns  # noqa: SLF001 - as its own results are made
    if not columns:
        return None
    processors = [each.type._cached_result_processor(compiled.dialect, None) for each in columns]  # noqa: SLF001 - likewise
    return SimpleResultMetaData(
        [each.keyname for each in columns], [each.objects for each in columns], _processors=processors
    )

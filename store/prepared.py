"""Statements that are asked again and again, on SQLite: what SQLAlchemy finds out of one anew each time is kept.

To ask costs SQLite two microseconds and SQLAlchemy thirteen: which text it is, which values stand where, how they and
what comes are to be written. That is the same whenever the same object is asked, as our acts ask (docs/adr/0046). Kept
is what SQLAlchemy itself has compiled, its processors and its rows; whatever is other than plain goes its way, and so
does what fails: SQLite has undone a statement that fails, and it says why once more, to who knows what to make of it.
"""

# ruff: noqa: SLF001 - SQLAlchemy tells nobody what it keeps; which release it is, is locked, and the tests compare both ways
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.engine.cursor import CursorResult
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import SelectBase

_Values = Sequence[tuple[str, Callable[[Any], Any] | None, Any]]

_AT_ONCE = 100
"""Rows that are fetched before it is known whether there are more."""

_MOST = 4_096
"""Statements that are kept; there are a few hundred, and one that is put together for each question is asked once."""

_FAILS = (sqlite3.Error, LookupError, ValueError, TypeError, AttributeError, OverflowError)
"""What a driver, or what writes a value for it, may raise."""

_REQUIRED = object()
"""In place of a value that whoever asks must give."""


class Written:
    """What came of a statement that writes.

    Args:
        rowcount: rows that it concerned.
    """

    def __init__(self, rowcount: int) -> None:
        self.rowcount = rowcount


class _Plain:
    """A statement as it is asked.

    Args:
        compiled: what SQLAlchemy has made of it, or of one that is written like it.
        said: the values that it has of its own, by their names in the text.
    """

    def __init__(self, compiled: SQLCompiler, said: Mapping[str, Any]) -> None:
        self.text = str(compiled)
        self._values: _Values = [_value(compiled, name, said) for name in compiled.positiontup or ()]
        columns = compiled._result_columns
        self.rows = None
        if columns:
            self.rows = SimpleResultMetaData(
                [each.keyname for each in columns],
                extra=[each.objects for each in columns],
                _processors=[each.type._cached_result_processor(compiled.dialect, None) for each in columns],
            )

    def given(self, said: Mapping[str, Any]) -> list[Any]:
        """Return the values in their places.

        Raises:
            KeyError: one is missing.
        """
        values = []
        for name, written, kept in self._values:
            value = said.get(name, kept)
            if value is _REQUIRED:
                raise KeyError(name)
            values.append(value if written is None else written(value))
        return values


class Prepared(Connection):
    """A connection to SQLite that asks plain statements without finding out anew how.

    Args:
        engine: whose.
        known: what is kept of statements; of one engine.
    """

    def __init__(self, engine: Engine, known: "Known") -> None:
        super().__init__(engine)
        self._known = known

    def open_transaction(self, how: str) -> None:
        """Begin a transaction in the words of SQLite, which is over when this connection's is."""
        self.begin()
        try:
            self.connection.cursor().execute(how)
        except sqlite3.Error:
            self.exec_driver_sql(how)

    def execute(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> CursorResult[Any]:  # noqa: ANN401 - what SQLAlchemy takes
        """Ask as SQLAlchemy does, which gives the same."""
        said = {} if parameters is None else parameters
        plain = None if execution_options else self._plain(statement, said)
        if plain is not None:
            try:
                return self._answered(plain, self._asked(plain, said))  # type: ignore[return-value] # as far as it is used
            except _FAILS:
                pass  # it fails again, and is told in the words that everybody expects
        return super().execute(statement, parameters, execution_options=execution_options)

    def as_driven(self, statement: Any, said: Mapping[str, Any]) -> Sequence[Any]:  # noqa: ANN401 - as above
        """Return the rows as the driver hands them over, all at once."""
        plain = self._plain(statement, said)
        if plain is not None:
            try:
                rows: list[Any] = self._asked(plain, said).fetchall()
            except _FAILS:
                pass  # as above
            else:
                return rows
        cursor = super().execute(statement, said).cursor
        return [] if cursor is None else cursor.fetchall()

    def _plain(self, statement: Any, said: Any) -> _Plain | None:  # noqa: ANN401 - as above
        return self._known.plain(statement, said) if type(said) is dict and self._asks_plainly() else None

    def _asks_plainly(self) -> bool:
        """Return whether nobody listens, nothing is set, and a transaction is open that no other is within."""
        return (
            self._transaction is not None
            and self._nested_transaction is None
            and self._transaction.is_active
            and self._execution_options is self.engine._execution_options
            and not (self._has_events or self.engine._has_events or self._echo)
        )

    def _asked(self, plain: _Plain, said: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a cursor of the driver
        cursor = self.connection.cursor()
        cursor.execute(plain.text, plain.given(said))
        return cursor

    def _answered(self, plain: _Plain, cursor: Any) -> "IteratorResult[Any] | Written":  # noqa: ANN401 - as above
        if plain.rows is None:
            return Written(cursor.rowcount)
        first = cursor.fetchmany(_AT_ONCE)
        if len(first) < _AT_ONCE:
            return IteratorResult(plain.rows, iter(first))
        return IteratorResult(plain.rows, chain(first, _others(cursor, plain.text)))


class Known:
    """What is kept of the statements of one engine: nothing of one that was asked once, as it may never be again.

    Args:
        engine: whose.
    """

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect
        self._compiled = engine.get_execution_options().get("compiled_cache", engine._compiled_cache)
        self._kept: WeakKeyDictionary[Any, dict[tuple[str, ...], _Plain | None]] = WeakKeyDictionary()

    def plain(self, statement: Any, said: Mapping[str, Any]) -> _Plain | None:  # noqa: ANN401 - a statement
        """Return how to ask a statement with values of these names; None if SQLAlchemy is to ask it."""
        try:
            forms = self._kept.get(statement)
        except TypeError:
            return None  # nothing that could be kept
        if forms is None:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[statement] = {}
            return None
        names = tuple(said)
        if names not in forms:
            forms[names] = self._found(statement, names)
        return forms[names]

    def _found(self, statement: Any, names: tuple[str, ...]) -> _Plain | None:  # noqa: ANN401 - a statement
        if not isinstance(statement, SelectBase | UpdateBase) or getattr(statement, "_execution_options", None):
            return None
        # Where it has been asked before, SQLAlchemy has compiled it.
        compiled, own, more, _ = statement._compile_w_cache(
            self._dialect, compiled_cache=self._compiled, column_keys=sorted(names)
        )
        if more or not isinstance(compiled, SQLCompiler) or not _is_plain(compiled):
            return None
        return _Plain(compiled, compiled.construct_params(extracted_parameters=own, _check=False))


def _is_plain(compiled: SQLCompiler) -> bool:
    """Return whether its text is finished, and nothing is to be found before it is asked or afterwards."""
    names = [each.keyname for each in compiled._result_columns]
    return not (
        any(each.callable or (each.key != name and not each.unique) for name, each in compiled.binds.items())
        or compiled.post_compile_params
        or compiled.literal_execute_params
        or compiled.escaped_bind_names
        or any(isinstance(each, tuple | list) for each in compiled._bind_processors.values())
        or (isinstance(compiled.statement, UpdateBase) and _has_more(compiled))
        or (names and not compiled._ordered_columns)
        or len(set(names)) < len(names)
    )


def _has_more(compiled: SQLCompiler) -> bool:
    return bool(compiled.effective_returning or compiled.insert_prefetch or compiled.update_prefetch)


def _value(compiled: SQLCompiler, name: str, said: Mapping[str, Any]) -> tuple[str, Callable[[Any], Any] | None, Any]:
    bound: Any = compiled.binds[name]
    written: Any = compiled._bind_processors.get(name)
    return bound.key, written, _REQUIRED if bound.required else said[name]


def _others(cursor: sqlite3.Cursor, text: str) -> Iterator[Any]:
    """Return what is left, with what SQLite says when it fails in the midst of it in SQLAlchemy's words."""
    try:
        yield from cursor
    except sqlite3.Error as error:
        raise DBAPIError.instance(text, (), error, sqlite3.Error, hide_parameters=True) from error

"""What is asked in short gives what SQLAlchemy gives: rows, numbers of rows, and errors in the same words."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, case, column, delete, event, func, insert, literal_column, select, update
from sqlalchemy.exc import IntegrityError, StatementError

from core.clock import SystemClock
from core.errors import StoreUnavailable
from core.kinds import ProcessRole
from store import schema
from store.prepared import Known, Prepared, Written
from store.tables import signs_of_life
from store.transactions import Store, sqlite_url

_NOW = SystemClock().now().replace(microsecond=0)
_T = signs_of_life
_INSERT = insert(_T).values(process=bindparam("which"), at=bindparam("seen"))
_ALL = select(_T).order_by(_T.c.process)
_ONE = select(_T.c.process, _T.c.at).where(_T.c.process == bindparam("which"))
_AMONG = select(_T.c.process).where(_T.c.process.in_(bindparam("some", expanding=True)))
_LITERAL = select(literal_column("1").label("one"), _T.c.at).where(_T.c.process == ProcessRole.COURIER)
_OTHER = _T.alias("other")
_TWICE = select(_T.c.process, _OTHER.c.process).where(_T.c.process == _OTHER.c.process).order_by(_T.c.process)
_UPDATE = update(_T).where(_T.c.process == bindparam("which")).values(at=bindparam("seen"))
_DELETE = delete(_T).where(_T.c.process == bindparam("which"))
_NUMBERS = func.json_each(bindparam("some")).table_valued(column("value"))
_MANY: Any = select(_NUMBERS.c.value)
_THREE_HUNDRED = {"some": f"[{','.join(map(str, range(300)))}]"}
_TOO_LARGE = case((_NUMBERS.c.value > 150, func.abs(literal_column("-9223372036854775807 - 1"))), else_=0)
_COURIER, _WEB = {"which": ProcessRole.COURIER}, {"which": ProcessRole.WEB}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(sqlite_url(tmp_path / "store.sqlite"))
    schema.upgrade(made)
    yield made
    made.close()


def _known(connection: Connection, statement: Any, given: dict[str, Any]) -> bool:
    assert isinstance(connection, Prepared)
    return connection._known.plain(statement, given) is not None


@pytest.mark.parametrize(
    ("statement", "given", "plain"),
    [
        (_ALL, {}, True),
        (_ONE, _COURIER, True),
        (_LITERAL, {}, True),
        (_MANY, _THREE_HUNDRED, True),
        (_AMONG, {"some": [ProcessRole.COURIER, ProcessRole.WEB]}, False),
        (_TWICE, {}, True),
    ],
    ids=["all", "one", "literal", "many", "among", "twice"],
)
def test_rows_are_those_of_sqlalchemy(store: Store, statement: Any, given: dict[str, Any], *, plain: bool) -> None:
    with store.begin("write") as tx:
        for which in (_COURIER, _WEB, _COURIER | {"which": ProcessRole.AUTHORITY}):
            tx.connection.execute(_INSERT, which | {"seen": _NOW})
    with store.read() as tx:
        first = tx.connection.execute(statement, given).all()
        for _ in range(2):
            again = tx.connection.execute(statement, given).all()
            assert again == first
            assert [dict(each._mapping) for each in again] == [dict(each._mapping) for each in first]
            assert [[type(one) for one in each] for each in again] == [[type(one) for one in each] for each in first]
        assert _known(tx.connection, statement, given) is plain
        answered = tx.connection.execute(statement, given)
        assert isinstance(tx.connection, Prepared)
        assert hasattr(answered, "cursor") is not plain
        assert answered.first() == first[0]
        assert tx.connection.execute(statement, given).scalars().all() == [each[0] for each in first]


def test_what_is_written_is_counted_and_goes_with_its_transaction(store: Store) -> None:
    with store.begin("write") as tx:
        for number in range(3):
            tx.connection.execute(_DELETE, _COURIER)
            tx.connection.execute(_INSERT, _COURIER | {"seen": _NOW})
            assert tx.connection.execute(_UPDATE, _COURIER | {"seen": _NOW}).rowcount == 1, number
        changed = tx.connection.execute(_UPDATE, _WEB | {"seen": _NOW})
        assert (changed.rowcount, isinstance(changed, Written)) == (0, True)
    with pytest.raises(ZeroDivisionError), store.begin("nothing of it stays") as tx:
        raise ZeroDivisionError(tx.connection.execute(_INSERT, _WEB | {"seen": _NOW}).rowcount)
    with store.read() as tx:
        assert tx.connection.execute(_ALL).all() == [(ProcessRole.COURIER, _NOW)]


def test_what_fails_is_told_as_ever(store: Store) -> None:
    with store.begin("write") as tx:
        tx.connection.execute(_INSERT, _COURIER | {"seen": _NOW})
    for fails, given, told in (
        (_INSERT, _COURIER | {"seen": _NOW}, IntegrityError),  # it is there
        (_ONE, {}, StatementError),  # a value is missing
        (_ONE, {"which": "nobody"}, StatementError),  # it is no word of the list
    ):
        said = set()
        for _ in range(3):
            with pytest.raises(told) as found, store.begin("it fails") as tx:
                tx.connection.execute(fails, given)
            said.add(str(found.value))
        assert len(said) == 1


def test_what_fails_in_the_midst_of_its_rows_is_told_as_ever(store: Store) -> None:
    statement = select(_TOO_LARGE)
    for _ in range(3):
        with pytest.raises(StoreUnavailable), store.read() as tx:
            tx.connection.execute(statement, _THREE_HUNDRED).all()


def test_whoever_listens_hears_and_what_is_within_another_goes_its_way(store: Store) -> None:
    heard: list[object] = []
    with store.begin("write") as tx:
        for _ in range(3):
            tx.connection.execute(_ALL)
            tx.connection.execute(_UPDATE, _WEB | {"seen": _NOW})
        with tx.connection.begin_nested():
            assert not isinstance(tx.connection.execute(_UPDATE, _WEB | {"seen": _NOW}), Written)
            assert not isinstance(tx.connection.execute(_UPDATE, _WEB | {"seen": _NOW}), Written)
        assert isinstance(tx.connection.execute(_UPDATE, _WEB | {"seen": _NOW}), Written)
    event.listen(store._engine, "before_execute", lambda *said: heard.append(said[1]))
    with store.read() as tx:
        tx.connection.execute(_ALL)
    assert heard == [_ALL]


def test_what_was_asked_once_is_not_kept(store: Store) -> None:
    known = Known(store._engine)
    for number in range(10):
        assert known.plain(select(_T).limit(number), {}) is None
    assert len(known._kept) < 10

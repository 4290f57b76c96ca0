"""What is asked of SQLite with what was found out before is answered, and refused, as SQLAlchemy does it."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    BindParameter,
    Column,
    Executable,
    Integer,
    MetaData,
    Table,
    bindparam,
    create_engine,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from core.kinds import DeliveryState
from store import prepared
from store.prepared import Prepared
from store.types import Instant, String, Word

_NOW = datetime(2027, 5, 1, tzinfo=UTC)
_METADATA = MetaData()
_T = Table(
    "things",
    _METADATA,
    Column("number", Integer, primary_key=True),
    Column("name", String, unique=True),
    Column("state", Word(DeliveryState)),
    Column("at", Instant),
    sqlite_strict=True,
)
_OTHER = _T.alias()
_NUMBERS: BindParameter[Any] = bindparam("numbers", expanding=True)
_ASKED: dict[str, tuple[Executable, list[Any]]] = {
    "one": (select(_T).where(_T.c.number == bindparam("n")), [{"n": 1}, {"n": 2}, {"n": 99}, {"n": None}]),
    "constants": (select(_T.c.name).where(_T.c.state == DeliveryState.WAITING, _T.c.at <= _NOW), [{}] * 4),
    "computed": (select(func.count().label("many"), literal("x").label("x")).select_from(_T), [None] * 4),
    "twice the same name": (
        select(_T.c.name, _OTHER.c.name).join(_OTHER, _OTHER.c.number == _T.c.number).limit(bindparam("most")),
        [{"most": 2}] * 4,
    ),
    "lists": (
        select(_T).where(_T.c.number.in_(_NUMBERS)).order_by(_T.c.number),
        [{"numbers": some} for some in ([1], [2], [1, 2, 3], [3, 1, 2], [], {1, 2}, {3}, list(range(20)), (2, 3))],
    ),
    "a list of constants": (
        select(_T).where(_T.c.state.in_([DeliveryState.WAITING, DeliveryState.DELIVERED])),
        [{}] * 4,
    ),
    "pairs": (
        select(_T).where(tuple_(_T.c.number, _T.c.name).in_(bindparam("pairs", expanding=True))),
        [{"pairs": [(1, "a"), (2, "b")]}, {"pairs": [(1, "a")]}, {"pairs": [(3, "c"), (1, "a")]}] * 2,
    ),
    "words": (text("SELECT name, number FROM things WHERE number > :n ORDER BY number"), [{"n": n} for n in range(4)]),
    "written": (
        update(_T).where(_T.c.number == bindparam("n")).values(at=bindparam("since")).returning(_T.c.name, _T.c.at),
        [{"n": n, "since": _NOW} for n in (1, 2, 3, 99)],
    ),
}


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Prepared]:
    engine = create_engine(f"sqlite:///{tmp_path / 'things.sqlite'}", hide_parameters=True)
    _METADATA.create_all(engine)
    connection = Prepared(engine)
    with connection:
        rows = [
            {"number": n, "name": name, "state": DeliveryState.WAITING, "at": _NOW} for n, name in enumerate("abc", 1)
        ]
        connection.execute(insert(_T), rows)
        yield connection
    engine.dispose()


def _kept(statement: Executable) -> int:
    known = prepared._STATEMENTS.get(id(statement))
    return 0 if known is None else sum(each is not None for each in known.ways.values())


@pytest.mark.parametrize("what", _ASKED)
def test_rows_are_those_of_sqlalchemy(asking: Prepared, what: str) -> None:
    statement, asked = _ASKED[what]
    for given in [asked[0]] * 3 + asked:
        result = asking.execute(statement, given)
        plain = super(Prepared, asking).execute(statement, given)
        assert (result.rowcount, list(result.keys())) == (plain.rowcount, list(plain.keys()))
        found, expected = result.all(), plain.all()
        assert found == expected
        assert [each._mapping for each in found] == [each._mapping for each in expected]
        assert [[type(one) for one in each] for each in found] == [[type(one) for one in each] for each in expected]
    assert bool(_kept(statement)) is (what != "pairs")


def test_each_way_of_reading_a_result_is_there(asking: Prepared) -> None:
    query, single = select(_T).order_by(_T.c.number), select(_T).where(_T.c.name == bindparam("name"))
    for _ in range(5):
        assert [each.name for each in asking.execute(query)] == ["a", "b", "c"]
        assert asking.execute(query).scalars().all() == [1, 2, 3]
        assert asking.execute(query).mappings().all()[1]["name"] == "b"
        assert asking.execute(query).first() == (1, "a", DeliveryState.WAITING, _NOW)
        assert asking.execute(single, {"name": "c"}).one().at == _NOW
        assert asking.execute(single, {"name": "d"}).one_or_none() is None
        assert asking.execute(single, {"name": "d"}).scalar() is None
        assert len(asking.execute(query).cursor.fetchall()) == 3
    assert _kept(query) == _kept(single) == 1


def test_what_is_written_is_there_and_counted(asking: Prepared) -> None:
    into = insert(_T)
    changed = update(_T).where(_T.c.number == bindparam("n")).values(name=bindparam("called"))
    gone = delete(_T).where(_T.c.number >= bindparam("n"))
    for n in range(10, 15):
        asking.execute(into, {"number": n, "name": str(n), "state": DeliveryState.WAITING, "at": None})
        asking.execute(into, [{"number": n + each, "name": str(n + each)} for each in (100, 200)])
        assert asking.execute(changed, {"n": n, "called": f"-{n}"}).rowcount == 1
        assert asking.execute(changed, {"n": 99, "called": "nobody"}).rowcount == 0
    assert asking.execute(select(func.count()).select_from(_T)).scalar_one() == 18
    assert _kept(into) == 2
    assert [asking.execute(gone, {"n": n}).rowcount for n in (200, 110, 13, 12)] == [5, 5, 2, 1]


def test_a_refusal_is_sqlalchemys_own_and_says_no_value(asking: Prepared) -> None:
    into = insert(_T)
    for n in range(20, 24):
        asking.execute(into, {"number": n, "name": f"held {n}"})
        with pytest.raises(IntegrityError, match="UNIQUE") as refused:
            asking.execute(into, {"number": 100 + n, "name": f"held {n}"})
        assert "held" not in str(refused.value)
        with pytest.raises(StatementError):
            asking.execute(into, {"number": n, "name": "x", "at": "no instant"})
    assert _kept(into) == 2  # with an instant, and without


def test_what_fails_while_rows_are_read_is_sqlalchemys_error_too(asking: Prepared) -> None:
    asking.execute(update(_T).where(_T.c.number == 1).values(name="[1]"))
    query = select(func.json_extract(_T.c.name, "$[0]")).order_by(_T.c.number)
    for _ in range(4):
        with pytest.raises(DBAPIError, match="JSON"):
            asking.execute(query).all()
        with pytest.raises(DBAPIError, match="JSON"):
            list(asking.execute(query))
        with pytest.raises(DBAPIError, match="JSON"):
            asking.execute(query).one_or_none()
    assert _kept(query) == 1


def test_a_value_that_is_missing_is_missed_each_time(asking: Prepared) -> None:
    query = select(_T).where(_T.c.number == bindparam("n"))
    for given in ({"n": 1}, {"n": 1}, {"n": 1}, {}, {"m": 1}, {}, {}):
        if given.get("n"):
            asking.execute(query, given).one()
            continue
        with pytest.raises(StatementError, match="required for bind parameter 'n'"):
            asking.execute(query, given)


def test_what_is_gone_is_forgotten(asking: Prepared) -> None:
    gc.collect()
    before = len(prepared._STATEMENTS)
    for n in range(50):
        query = select(_T).where(_T.c.number == n)
        for _ in range(3):
            asking.execute(query).all()
    del query
    gc.collect()
    assert len(prepared._STATEMENTS) <= before + 1  # SQLAlchemy itself keeps the first of its shape

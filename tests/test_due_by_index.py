"""Whose answers are due is found by indexes: the authority asks in every turn, among very many certificates."""

from pathlib import Path

from sqlalchemy.dialects import sqlite

from store import schema
from store.reading.work import _PRESIGNING
from store.transactions import Store, sqlite_url


def test_sqlite_walks_through_no_certificates(tmp_path: Path) -> None:
    store = Store(sqlite_url(tmp_path / "store.sqlite"))
    schema.upgrade(store)
    query = str(_PRESIGNING.compile(dialect=sqlite.dialect()))
    with store.read() as tx:
        told = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", tuple(range(query.count("?")))).all()
    store.close()
    steps = [str(each[3]) for each in told]
    assert sum("certificates USING INDEX" in each for each in steps) == 3
    assert [each for each in steps if each.startswith("SCAN certificates")] == []
    assert all("(" in each for each in steps if "certificates USING INDEX" in each)

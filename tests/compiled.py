"""Statements and addresses are compiled once for all tests of a process: a store is new, what it is asked is not.

An engine keeps what it has compiled by its own dialect. Those of one kind of database are alike here, so that the
next test's engine finds it. And a service is made anew for each test, with the same two hundred addresses: how one is
put together, and what /openapi.json says of it, depend on nothing but the code. It saves a third of the suite's time,
and changes nothing that a test could see (tests/test_compiled.py).
"""

from types import SimpleNamespace
from typing import Any

import pytest
from flask_openapi3.openapi import OpenAPI
from flask_openapi3.utils import parse_method
from sqlalchemy import Engine, create_engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from store import transactions

_MOST = 2_000
"""Statements that are kept: the whole program has some hundreds."""

BUILDER: Any = Rule._compile_builder
"""How Werkzeug puts an address together, when nothing is kept."""

DESCRIBED: Any = OpenAPI._collect_openapi_info
"""How flask-openapi3 describes an address, when nothing is kept."""


def once_for_all(patch: pytest.MonkeyPatch) -> None:
    """Let every engine and every service that is made from now on share what has been compiled.

    Args:
        patch: undoes it.
    """
    _statements(patch)
    _addresses(patch)
    _descriptions(patch)


def _statements(patch: pytest.MonkeyPatch) -> None:
    kept: LRUCache[Any, Any] = LRUCache(_MOST)
    for kind in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        patch.setattr(kind, "__eq__", lambda one, other: type(one) is type(other))
        patch.setattr(kind, "__hash__", lambda one: hash(type(one)))

    def made(*arguments: Any, **named: Any) -> Engine:
        engine = create_engine(*arguments, **named)
        engine.update_execution_options(compiled_cache=kept)
        return engine

    patch.setattr(transactions, "create_engine", made)


def _addresses(patch: pytest.MonkeyPatch) -> None:
    kept: dict[Any, Any] = {}

    def builder(rule: Any, append_unknown: bool = True) -> Any:  # noqa: FBT001, FBT002 - as Werkzeug's own
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in kept:
            kept[key] = BUILDER(rule, append_unknown)
        return kept[key]

    patch.setattr(Rule, "_compile_builder", builder)


def _descriptions(patch: pytest.MonkeyPatch) -> None:
    kept: dict[Any, Any] = {}

    def collected(app: OpenAPI, rule: str, func: Any, *, method: str, **said: Any) -> Any:
        key = (rule, method, func.__code__)
        if key not in kept:
            alone = SimpleNamespace(
                responses=app.responses,
                operation_id_callback=app.operation_id_callback,
                components_schemas={},
                paths={},
                tags=[],
                tag_names=[],
            )
            kept[key] = (DESCRIBED(alone, rule, func, method=method, **said), alone)
        found, alone = kept[key]
        app.components_schemas.update(alone.components_schemas)
        for tag in alone.tags:
            if tag.name not in app.tag_names:
                app.tags.append(tag)
                app.tag_names.append(tag.name)
        for address, item in alone.paths.items():
            parse_method(address, method, app.paths, getattr(item, method.lower()))
        return found

    patch.setattr(OpenAPI, "_collect_openapi_info", collected)

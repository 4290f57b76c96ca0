"""Statements that are compiled once for all stores of a test process.

SQLAlchemy keeps what it has compiled with each engine, and a service has one engine for as long as it lives. Each test
has its own, and would compile a hundred and more statements anew.
"""

from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.util import LRUCache

from store import transactions

_MOST = 4_000
"""Statements that are kept: all that the suite has, on either database."""


def compile_once() -> None:
    """Let every engine that a store makes from now on use what another one has compiled."""
    made = transactions._engine
    first: dict[str, Engine] = {}

    def engine(url: str) -> Engine:
        new = made(url)

        def connected(*_: Any) -> None:
            # By now its dialect has asked the server what it is; one that has not would compile something else.
            first.setdefault(new.dialect.name, new)

        shared = first.get(new.dialect.name)
        if shared is None:
            new._compiled_cache = LRUCache(_MOST)
            event.listen(new, "checkout", connected)
        else:
            # Connecting is the pool's, and stays with what was made for it.
            new.dialect, new._compiled_cache = shared.dialect, shared._compiled_cache
        return new

    transactions._engine = engine

"""Rows that several may write at the same moment, each in a transaction of its own: one of them does."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

INSERT: Mapping[str, Callable[[Any], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""By dialect: both databases know ON CONFLICT DO NOTHING, SQLAlchemy spells it once for each."""

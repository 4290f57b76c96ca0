"""Column types that are the same on SQLite (STRICT tables) and PostgreSQL."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary, Text
from sqlalchemy.types import TypeDecorator

from core.instants import from_seconds, seconds


class Instant(TypeDecorator[datetime]):
    """An instant as whole seconds since 1970-01-01T00:00:00Z.

    One form on both databases: it compares, ranges and survives the year 9999 alike, and no driver's idea of a time
    zone comes between (docs/adr/0003).
    """

    impl = BigInteger().with_variant(Integer(), "sqlite")
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002 - signature of SQLAlchemy
        """Write an aware instant as seconds."""
        return None if value is None else seconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002 - signature of SQLAlchemy
        """Read seconds as an aware instant in UTC."""
        return None if value is None else from_seconds(int(value))


Number = BigInteger().with_variant(Integer(), "sqlite")
Octets = LargeBinary
String = Text

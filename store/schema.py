"""Brings a store to the revision that this release works with, and says which one that is."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from store.transactions import Store

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).parent / "migrations"


def _config() -> "Config":
    # A sixth of what each command would import; only the first start and an upgrade need it.
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


@cache
def needed_revision() -> str:
    """Return the newest revision of this release: their files begin with their numbers."""
    return max(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def upgrade(store: Store) -> None:
    """Bring the store to the newest revision, in one transaction where the database can (both of ours can)."""
    from alembic import command  # noqa: PLC0415 - as in _config

    config = _config()
    with store.migration_connection() as connection:
        if store.dialect == "sqlite":
            # A table that is written anew is dropped while others refer to it; only outside a transaction can SQLite
            # be told not to mind, and before the commit it is asked whether every reference still holds. This
            # connection does not go back to the pool: however this ends, nobody else works on one that does not mind.
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if store.dialect == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
            raise AssertionError("the migration broke a reference")
        connection.commit()

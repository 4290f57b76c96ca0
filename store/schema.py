"""Brings a store to the revision that this release works with, and says which one that is."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from store.transactions import Store


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def needed_revision() -> str:
    """Return the newest revision of this release."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise AssertionError("this release has no revision")
    return head


def upgrade(store: Store) -> None:
    """Bring the store to the newest revision, in one transaction where the database can (both of ours can)."""
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

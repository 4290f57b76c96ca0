"""Runs the revisions on the connection that store.schema hands over; there is no alembic.ini and no global state."""

from alembic import context

from store import tables

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=tables.metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()

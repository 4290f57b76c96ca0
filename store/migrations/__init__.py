"""store.migrations — how a store comes to its present shape, one revision after the other (Alembic)."""

"""api — machine-facing HTTP: bytes and JSON in, problem documents out; must never decide, sign or open the database."""

"""Approvals of one device never overlap while they have not ended: said in each database's own language.

PostgreSQL has an exclusion constraint for exactly this (with btree_gist, which its packages ship and which needs no
superuser). SQLite has none, so two triggers refuse the second approval in the transaction that writes it.
"""

NAME = "approvals_never_overlap"

_SQLITE_TRIGGER = """
CREATE TRIGGER {name} BEFORE {event} ON approvals
WHEN NEW.ended_at IS NULL AND EXISTS (
    SELECT 1 FROM approvals AS other
    WHERE other.device_key = NEW.device_key AND other.identifier <> NEW.identifier AND other.ended_at IS NULL
      AND other.start <= NEW.expiry AND NEW.start <= other.expiry
)
BEGIN SELECT RAISE(ABORT, '{constraint}'); END
"""

CREATE: dict[str, tuple[str, ...]] = {
    "sqlite": (
        _SQLITE_TRIGGER.format(name=f"{NAME}_insert", event="INSERT", constraint=NAME),
        _SQLITE_TRIGGER.format(name=f"{NAME}_update", event="UPDATE OF start, expiry, device_key", constraint=NAME),
    ),
    "postgresql": (
        "CREATE EXTENSION IF NOT EXISTS btree_gist",
        (
            f"ALTER TABLE approvals ADD CONSTRAINT {NAME} EXCLUDE USING gist "
            "(device_key WITH =, int8range(start, expiry, '[]') WITH &&) WHERE (ended_at IS NULL)"
        ),
    ),
}
"""The statements by dialect; the first migration runs them."""

"""Reminders that were sent, each under a key that says to whom, about what and on which day."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, text

from store.transactions import Transaction
from store.types import Instant

# In words that both databases know: two couriers that were equally fast never break each other.
_KEEP = text("INSERT INTO reminders (key, sent_at) VALUES (:key, :sent_at) ON CONFLICT (key) DO NOTHING").bindparams(
    bindparam("sent_at", type_=Instant)
)


def keep(tx: Transaction, keys: Sequence[str], *, at: datetime) -> int:
    """Note that reminders were sent; return how many of them had not been noted."""
    return sum(int(tx.connection.execute(_KEEP, {"key": key, "sent_at": at}).rowcount) for key in keys)

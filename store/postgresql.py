"""PostgreSQL with a deadline for every use: what the server ends by itself, and what we end when the server is silent.

A server that has stopped still has a kernel that acknowledges: keepalive and user timeout see nothing wrong with it.
So each wait for an answer ends by our own clock as well, a little after the server would have ended it by its own.
"""

from typing import Any

from psycopg import Connection, OperationalError
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy import URL
from sqlalchemy import Connection as Borrowed

LOCK_SECONDS = 8
"""How long a statement waits for a lock; shorter than a statement may take, or it would never be what ends it."""

STATEMENT_SECONDS = 10
"""How long one statement may take: far above what any of ours takes, and as long as a person waits for a page."""

IDLE_SECONDS = 4
"""How long a writing transaction may rest between two statements: below the lease's length (5 s by default,
`authority.lease_seconds`), so that whoever froze with locks in hand has lost them when its successor comes."""

READING_IDLE_SECONDS = 60
"""The same for a reader, which holds up nobody but the server's own tidying."""

CONNECT_SECONDS = 5
"""How long making a connection may take, for each address of the host."""

GRACE_SECONDS = 2
"""How much later than the server we end a wait: its own word, if it still has one, says more than our silence."""

PEER_GONE_SECONDS = 10
"""After how long without a sign of life the kernel gives up a peer: keepalive, and octets never acknowledged
(TCP_USER_TIMEOUT, RFC 5482), on both ends."""

_PROBES = 3
_PROBE_SECONDS = 2

_IN_CLIENT = {
    "connect_timeout": str(CONNECT_SECONDS),
    "keepalives": "1",
    "keepalives_idle": str(PEER_GONE_SECONDS - _PROBES * _PROBE_SECONDS),
    "keepalives_interval": str(_PROBE_SECONDS),
    "keepalives_count": str(_PROBES),
    "tcp_user_timeout": str(PEER_GONE_SECONDS * 1000),
}

_IN_SERVER = {
    "lock_timeout": f"{LOCK_SECONDS}s",
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "idle_in_transaction_session_timeout": f"{READING_IDLE_SECONDS}s",
    "tcp_keepalives_idle": f"{PEER_GONE_SECONDS - _PROBES * _PROBE_SECONDS}",
    "tcp_keepalives_interval": f"{_PROBE_SECONDS}",
    "tcp_keepalives_count": f"{_PROBES}",
    "tcp_user_timeout": f"{PEER_GONE_SECONDS}s",
}

WRITING = f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'"
"""The first statement of a writing transaction."""


class Deadlined(Connection[Any]):
    """A connection that waits for no answer longer than it has patience."""

    patience: float | None = STATEMENT_SECONDS + GRACE_SECONDS
    """Seconds; None waits for ever, which only a migration may."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for the server's answer.

        Raises:
            OperationalError: it did not come in time. The connection is closed: an answer that comes later is none.
        """
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:  # asked, and not answered
                self.close()
            raise


def with_deadlines(url: URL) -> URL:
    """Return a database's address with every deadline in it; options of its own stay, and ours come last."""
    given = url.query.get("options", "")
    theirs = given if isinstance(given, str) else " ".join(given)
    ours = " ".join(f"-c {name}={value}" for name, value in _IN_SERVER.items())
    asked = {**_IN_CLIENT, "options": f"{theirs} {ours}".strip()}
    return url.set(drivername="postgresql+psycopg").update_query_dict(asked, append=False)


def connect(_dialect: object, _record: object, words: list[Any], named: dict[str, Any]) -> Deadlined:
    """Make a connection: SQLAlchemy's `do_connect`."""
    return Deadlined.connect(*words, **named)


def allow(borrowed: Borrowed, seconds: int | None) -> None:
    """Allow each statement of this transaction more time than others have; None is for ever."""
    _driver(borrowed).patience = None if seconds is None else seconds + GRACE_SECONDS
    borrowed.exec_driver_sql(f"SET LOCAL statement_timeout = '{seconds or 0}s'")
    if seconds is None:
        borrowed.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


def allow_no_more(borrowed: Borrowed) -> None:
    """Take the time back that was allowed, when the transaction has ended."""
    if not borrowed.invalidated and not borrowed.closed:
        _driver(borrowed).patience = Deadlined.patience


def _driver(borrowed: Borrowed) -> Deadlined:
    driver: object = borrowed.connection.dbapi_connection
    assert isinstance(driver, Deadlined)
    return driver

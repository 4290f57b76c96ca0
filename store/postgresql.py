"""PostgreSQL with a deadline for every use: what the server ends by itself, and what we end when the server is silent.

A server that has stopped still has a kernel that acknowledges: keepalive and user timeout see nothing wrong with it.
So each wait for an answer ends by our own clock as well, a little after the server would have ended it by its own.
"""

import selectors
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection, Error, OperationalError
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy import URL
from sqlalchemy import Connection as Borrowed

from core.errors import StoreUnavailable

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

CHANNEL = "trialcpa"
"""On which is told that something was committed; of each database its own."""

WRITING = f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'; NOTIFY {CHANNEL}"
"""The first words of a writing transaction. What is to be told is sent with its commit, or never."""


def writing(patience: float | None) -> str:
    """Return WRITING; with `patience` for each lock, in seconds, where that is less than LOCK_SECONDS."""
    return WRITING if patience is None else f"SET LOCAL lock_timeout = '{int(patience * 1000)}ms'; {WRITING}"


LISTEN_SECONDS = 0.2
"""How long at a time is listened: whoever closes waits for it."""


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


class Notices:
    """A connection of its own on which is heard that something was committed.

    Nothing is waited for but the socket, so a server that has stopped holds nobody; when it is gone the kernel says so,
    by the keepalive at the latest.

    Args:
        words: what a connection is made with, by place.
        named: the same by name.
    """

    def __init__(self, words: Sequence[Any], named: Mapping[str, Any]) -> None:
        try:
            self._connection = Deadlined.connect(*words, **named, autocommit=True)
            self._connection.execute(f"LISTEN {CHANNEL}")
        except Error as error:
            raise StoreUnavailable(detail=type(error).__name__) from error
        self._socket = selectors.DefaultSelector()
        self._socket.register(self._connection.fileno(), selectors.EVENT_READ)

    def heard(self) -> bool:
        """Wait for LISTEN_SECONDS at most, and say whether something was committed."""
        if not self._socket.select(LISTEN_SECONDS):
            return False
        driver = self._connection.pgconn
        try:
            driver.consume_input()
            found = False
            while driver.notifies() is not None:
                found = True
        except Error as error:
            raise StoreUnavailable(detail=type(error).__name__) from error
        return found

    def close(self) -> None:
        """Let the connection go."""
        self._socket.close()
        self._connection.close()


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

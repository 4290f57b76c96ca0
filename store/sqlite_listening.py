"""Hearing of commits to an SQLite file: by the number that each connection sees change when another one has written."""

import contextlib
import sqlite3
import time

from core.errors import StoreUnavailable

LOOK_SECONDS = 0.02
"""How often the number is asked for: a fifth of what a revocation may take to verification, and fifty times in a second
is next to nothing."""


class Versions:
    """`PRAGMA data_version` (sqlite.org/pragma.html#pragma_data_version), on a connection that never writes.

    Args:
        file: the database.
        look: seconds between two looks at it.
    """

    def __init__(self, file: str, look: float = LOOK_SECONDS) -> None:
        self._look = look
        try:
            self._connection = sqlite3.connect(file, timeout=LOOK_SECONDS, isolation_level=None)
            self._seen = self._version()
        except sqlite3.Error as error:
            raise StoreUnavailable(detail=type(error).__name__) from error

    def heard(self) -> bool:
        """Wait until the next look, and say whether another connection has committed meanwhile."""
        time.sleep(self._look)
        try:
            version = self._version()
        except sqlite3.Error as error:
            raise StoreUnavailable(detail=type(error).__name__) from error
        before, self._seen = self._seen, version
        return version != before

    def close(self) -> None:
        """Let the connection go."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

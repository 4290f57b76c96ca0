"""A database that is there and does not answer: its processes are stopped, and its kernel goes on acknowledging."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]


@contextmanager
def frozen(server: str) -> Iterator[None]:
    """Stop every process of a PostgreSQL server until the block ends.

    Args:
        server: its URL, which names the folder of its socket and its data.
    """
    folder = Path(server.split("host=")[1])
    postmaster = psutil.Process(int((folder / "postmaster.pid").read_text().splitlines()[0]))
    os.kill(postmaster.pid, signal.SIGSTOP)  # first: it starts no more of them
    stopped = [postmaster.pid]
    try:
        for child in postmaster.children(recursive=True):
            with suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGSTOP)
                stopped.append(child.pid)
        yield
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

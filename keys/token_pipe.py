"""The process that speaks to a token (keys/token_process.py): started with a pipe to it, and parted with."""

import subprocess
import sys
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection

_PARTING = 2.0
"""Seconds in which a process ends that is no longer spoken to."""


def started() -> "tuple[subprocess.Popen[bytes], Connection]":
    """Start one; return it with our end of the pipe.

    Raises:
        OSError: no file, process or memory is to be had.
    """
    ours, theirs = Pipe()
    with theirs:
        # -P: nothing is imported from wherever the command was given.
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-m", "keys.token_process", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
        )
    return process, ours


def part(process: "subprocess.Popen[bytes]", connection: Connection) -> None:
    """End one, and raise nothing: whoever parts with a token has something else to do.

    One that even kill -9 does not end, because the kernel holds it fast in a driver, is left to the kernel.
    """
    with suppress(OSError):
        connection.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_PARTING)
        return
    with suppress(subprocess.TimeoutExpired, OSError):
        process.kill()
        process.wait(_PARTING)

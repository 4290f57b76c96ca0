"""Does the proxy hand on whole requests only? Half of some are sent through it, and it is seen what comes of them.

What is behind it waits for a body without a deadline: a proxy that hands on halves would let anybody hold its threads.
"""

import socket
import time
from contextlib import ExitStack
from pathlib import Path

from app.status_settings import Address
from core.errors import ProxyUnfit

HALVES = 16
"""Half-sent requests at the same time: more than others begin meanwhile, and fewer than the proxy takes of one peer."""

_TRIES = 3
_HELD_SECONDS = 0.5
_PATIENCE_SECONDS = 2.0
_CONNECTED = ("02", "03")
"""A connection that waits to be taken, and one that is, as /proc/net/unix writes it (SS_CONNECTING, SS_CONNECTED)."""

_HALF = b"POST /ocsp HTTP/1.1\r\nHost: half.invalid\r\nContent-Length: 64\r\n\r\n0"


def require_whole(proxy: Address, behind: Path) -> None:
    """Raise ProxyUnfit if halves of requests come through, or nobody is there.

    Args:
        proxy: where it takes questions.
        behind: the socket that it hands them on to.
    """
    # Others ask meanwhile, and connections come and go: it passes halves on only if it does so each time.
    if all(_come_through(proxy, behind) for _ in range(_TRIES)):
        raise ProxyUnfit(host=proxy.host, port=proxy.port, detail="half-sent requests come through it")


def _come_through(proxy: Address, behind: Path) -> bool:
    before = connections(behind)
    try:
        with ExitStack() as stack:
            for _ in range(HALVES):
                asking = socket.create_connection((proxy.host, proxy.port), timeout=_PATIENCE_SECONDS)
                stack.enter_context(asking).sendall(_HALF)
            time.sleep(_HELD_SECONDS)
            return connections(behind) >= before + HALVES
    except OSError as error:
        detail = f"it does not answer ({error.strerror or type(error).__name__})"
        raise ProxyUnfit(host=proxy.host, port=proxy.port, detail=detail) from None


def connections(behind: Path) -> int:
    """Return how many connections a Unix socket of this machine has, as Linux tells everybody (proc(5))."""
    lines = Path("/proc/net/unix").read_text(encoding="utf-8", errors="replace").splitlines()
    found = [line.split(maxsplit=7) for line in lines[1:]]
    return sum(1 for each in found if len(each) > 7 and each[5] in _CONNECTED and each[7] == str(behind))

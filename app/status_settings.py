"""Where the console is found, where the processes listen that answer for status alone and draw pictures, and where the
proxy before status does. docs/settings.md has each key.

On an address with a port the first front listens, which lets nobody wait; on a Unix socket the second, which is faster
and has no deadlines: only a proxy can reach it.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

SOCKET = "unix:run/status.sock"
RENDERER = "unix:run/renderer.sock"

_SCHEME = "unix:"
_NOBODY = "none"
_ORIGIN = re.compile(r"https?://(?P<name>[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?)(:[1-9][0-9]{0,4})?")
_LOOKS_LIKE_IPV4 = re.compile(r"[0-9.]+")
_MOST_PORT = 65_535


@dataclass(frozen=True)
class Address:
    """An address and a port of this machine or another."""

    host: str
    port: int


Listens: TypeAlias = Address | Path
"""An address, or the path of a Unix socket."""


def read_listens(value: str, at: Callable[[str], Path], problem: Callable[[str], None]) -> Listens:
    """Return where status listens.

    Args:
        value: `unix:PATH`, or `HOST:PORT`.
        at: where a path of the settings leads.
        problem: told in a sentence what is wrong.
    """
    if not value.startswith(_SCHEME):
        return _address(value) or _wrong(f"status.listens must be {_SCHEME}PATH or HOST:PORT.", problem)
    # Whether a socket can be there is asked by whoever listens: most homes have nobody who does.
    return at(value.removeprefix(_SCHEME))


def read_proxy(value: str, problem: Callable[[str], None]) -> Address | None:
    """Return where the proxy before status takes questions in the clear; None if there is none.

    Args:
        value: `HOST:PORT`; empty for none.
        problem: told in a sentence what is wrong.
    """
    if not value:
        return None
    return _address(value) or _wrong("status.proxy must be HOST:PORT.", problem)


def read_renderer(value: str, at: Callable[[str], Path], problem: Callable[[str], None]) -> Path | None:
    """Return the socket on which the renderer listens; None where nobody draws.

    Args:
        value: `unix:PATH`, or `none`.
        at: where a path of the settings leads.
        problem: told in a sentence what is wrong.
    """
    if not value.startswith(_SCHEME) and value != _NOBODY:
        problem(f"renderer.listens must be {_SCHEME}PATH or {_NOBODY}.")
    return at(value.removeprefix(_SCHEME)) if value.startswith(_SCHEME) else None


def read_origin(value: str, problem: Callable[[str], None]) -> str | None:
    """Return the origin of the console's pages; None if none is said.

    Passkeys know no addresses, and no names in the clear but this machine's.

    Args:
        value: `https://NAME`, with a port where it is another, or `http://localhost:PORT`; empty for none.
        problem: told in a sentence what is wrong.
    """
    if not value:
        return None
    found = _ORIGIN.fullmatch(value)
    name = found["name"] if found else ""
    local = value.startswith("http://") and name == "localhost"
    if not found or _LOOKS_LIKE_IPV4.fullmatch(name) or not (local or value.startswith("https://")):
        problem("console.origin must be https://NAME, or http://localhost:PORT, without a path.")
    return value


def _address(value: str) -> Address | None:
    host, _, port = value.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(host)
        number = int(port)
    except ValueError:
        return None
    return Address(host, number) if 1 <= number <= _MOST_PORT else None


def _wrong(sentence: str, problem: Callable[[str], None]) -> Address:
    problem(sentence)
    return Address("127.0.0.1", 1)

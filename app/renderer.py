"""How the renderer's process begins: this one opens its socket, and becomes another program with nothing around it.

What it becomes has an empty environment, no settings in its memory and no folder of the authority's: what a stranger's
document could make of it finds none of these (ADR 64).
"""

import importlib.util
import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from app.unix_socket import make_room
from core.errors import ExtraMissing, PlaceUnusable

PACKAGE, EXTRA = "pypdfium2", "pictures"
_MODE = 0o660
"""The socket is its owner's and its group's, to which web belongs."""

_QUEUE = 32
"""Questions that may wait."""


def can_draw() -> bool:
    """Return whether the package that draws is installed; it is not loaded."""
    return importlib.util.find_spec(PACKAGE) is not None


def become_renderer(path: Path, *, supervised: bool) -> NoReturn:
    """Listen, and become the renderer (renderer/__main__.py).

    Args:
        path: of the socket.
        supervised: whether it ends when standard input does.

    Raises:
        ExtraMissing: nothing here can draw.
        PlaceUnusable: no socket can be there.
    """
    if not can_draw():
        raise ExtraMissing(missing=PACKAGE, extra=EXTRA)
    make_room(path)
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(str(path))
        path.chmod(_MODE)
        listening.listen(_QUEUE)
    except OSError as error:
        raise PlaceUnusable(path=path, detail=error.strerror or type(error).__name__) from None
    os.set_inheritable(listening.fileno(), True)  # noqa: FBT003 - as Python has it
    words = [str(listening.fileno()), *(["--supervised"] if supervised else [])]
    sys.stdout.flush()
    sys.stderr.flush()
    # Without the folder we are in, and without what the environment says of Python (-I).
    os.execve(sys.executable, [sys.executable, "-I", "-m", "renderer", *words], {})  # noqa: S606 - our own program

"""Where a Unix socket can be: the place of one that a process left behind is made free, and no other."""

import errno
import os
import socket
from pathlib import Path

from core.errors import PlaceUnusable

_NOBODY = (errno.ECONNREFUSED, errno.ENOENT)
_LOOK_SECONDS = 1.0

_LONGEST_PATH = 107
"""Octets of a socket's path (unix(7), sun_path, less its end)."""


def fits(path: Path) -> bool:
    """Return whether a socket can have this path, as long as it is."""
    return len(os.fsencode(path)) <= _LONGEST_PATH


def make_room(path: Path) -> None:
    """Remove a socket that a process left behind which was killed, and see that another can be made.

    Behind a socket that refuses there is nobody. One that takes nobody in has somebody who is at something else, or has
    been stopped: its place is not taken.

    Raises:
        PlaceUnusable: somebody listens there, it is no socket, or no socket can be there.
    """
    if not fits(path):
        raise PlaceUnusable(path=path, detail=f"the path of a socket has {_LONGEST_PATH} octets at most")
    with socket.socket(socket.AF_UNIX) as asking, socket.socket(socket.AF_UNIX) as tried:
        asking.settimeout(_LOOK_SECONDS)
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            if asking.connect_ex(str(path)) not in _NOBODY:
                raise PlaceUnusable(path=path, detail="another process listens there")
            if path.is_socket():
                path.unlink()
            tried.bind(str(path))
            path.unlink()
        except OSError as error:
            raise PlaceUnusable(path=path, detail=error.strerror or type(error).__name__) from None

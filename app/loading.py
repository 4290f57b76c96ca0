"""While code is loaded nobody looks for garbage in it: all of it stays, and to look again and again took a sixth."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Set what the block loads aside: it is never looked through. A block that loads nothing changes nothing."""
    looking, known = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > known:
            gc.freeze()
        if looking:
            gc.enable()

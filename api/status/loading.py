"""A look for circular garbage that waits while a whole register is read in.

What is read lives as long as the snapshot, and has no circles: to look through it while it grows finds nothing, and no
more does the look through everything when the process first rests (app/garbage.py), for which everybody waits.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY = 100_000
"""Objects from which what was made is set aside: fewer are looked through in a few milliseconds."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Have nothing looked through until the block ends, and what was made in it never, if that is much.

    What is set aside goes by its count of references, as nearly all does.
    """
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
        if gc.get_count()[0] >= MANY:
            gc.freeze()
    finally:
        if looked:
            gc.enable()

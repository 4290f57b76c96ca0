"""A look for circular garbage that waits while a whole register is read in.

What is read lives as long as the snapshot, and has no circles. Python would look through all of it again each time that
it has grown by a quarter; and once more afterwards, in the first minute, while everybody who asks waits.
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

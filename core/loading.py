"""While much is loaded nobody looks for circular garbage in it: code, or a whole register.

Code stays, and what is read lives as long as the snapshot: neither has circles. To look through either while it grows
finds nothing and takes a sixth of a start; no more does the look through everything when the process first rests
(app/garbage.py), for which everybody waits.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

MANY = 100_000
"""Objects from which what was made is set aside: fewer are looked through in a few milliseconds."""


@contextmanager
def loading() -> Iterator[None]:
    """Have nothing looked through until the block ends, and never what it made, if that is code or many objects.

    What is set aside goes by its count of references, as nearly all does. What a block that raises has made is left to
    be looked through, but for its code.
    """
    looked, known = gc.isenabled(), len(sys.modules)
    gc.disable()
    much = False
    try:
        yield
        much = gc.get_count()[0] >= MANY
    finally:
        if much or len(sys.modules) > known:
            gc.freeze()
        if looked:
            gc.enable()

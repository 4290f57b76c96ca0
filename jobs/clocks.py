"""What the clocks of this machine show, as the memory keeps it: never a row's word."""

from collections.abc import Callable

from core.clock import Clock, boot_time
from core.instants import ONE_SECOND
from memory.records import At


def clocks(machine: Clock, clock: Clock | None = None) -> Callable[[], At]:
    """Return what says what the clocks show.

    Args:
        machine: the machine's own.
        clock: the authority's, which in a test authority may run ahead; None before there is one.
    """

    def read() -> At:
        wall = machine.now()
        boot, boot_id = boot_time()
        ahead = 0 if clock is None else max(0, (clock.now() - wall) // ONE_SECOND)
        return At(wall=wall, boot=boot, boot_id=boot_id, offset=ahead)

    return read

"""A process that is told to stop stops, whatever it was doing at that moment."""

import subprocess
import sys

import pytest

from app.stopping import SIGNALS

_INTERRUPTED = """
import os
from app.stopping import stopped_by_signal

def told():
    os.kill(os.getpid(), {number})

stopping = stopped_by_signal()
{held}
assert stopping.wait(5)
print("stopped")
"""

MOMENTS = {
    "while nothing is held": "told()",
    "while the lock inside the event is held": "with stopping._cond: told()",
    "twice, the second time while it is being set": "with stopping._cond: told(); told()",
}


@pytest.mark.parametrize("number", SIGNALS, ids=lambda each: each.name)
@pytest.mark.parametrize("held", MOMENTS.values(), ids=MOMENTS)
def test_a_signal_stops_a_process_at_every_moment(number: int, held: str) -> None:
    program = _INTERRUPTED.format(number=int(number), held=held)
    done = subprocess.run([sys.executable, "-c", program], timeout=20, capture_output=True, text=True, check=True)
    assert done.stdout == "stopped\n"

"""How a process is told to stop: once, by SIGINT or SIGTERM, whatever it is doing at that moment."""

import queue
import signal
import threading

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Ctrl-C, and what a service manager sends."""


def stopped_by_signal() -> threading.Event:
    """Return what is set when this process is told to stop; the main thread calls this once.

    Python runs a signal's handler between two steps of the main thread, which may just hold the lock inside the very
    event that is to be set: it would wait for itself for ever. So the handler only puts a word into a queue that may
    be interrupted anywhere (`queue.SimpleQueue`), and a thread of its own sets the event.

    Returns:
        An event that nobody has set yet.
    """
    stopping = threading.Event()
    told: queue.SimpleQueue[int] = queue.SimpleQueue()

    def listen() -> None:
        told.get()
        stopping.set()

    threading.Thread(target=listen, name="stop signal", daemon=True).start()
    for number in SIGNALS:
        signal.signal(number, lambda number, _frame: told.put(number))
    return stopping

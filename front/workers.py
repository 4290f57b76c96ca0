"""Bounded pools of threads. A pool that is full says so at once; nobody waits to be let in."""

import logging
import threading
from collections import deque
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Job:
    """One piece of work that waits for a thread, is done by one, or was called off before.

    Args:
        work: what is to be done.
        call_off: takes it back; False if a thread has begun it, and will end it.
    """

    def __init__(self, work: Callable[[], None], call_off: Callable[["Job"], bool]) -> None:
        self.work = work
        self._call_off = call_off

    def call_off(self) -> bool:
        """Take it back; False if a thread has begun it, and will end it."""
        return self._call_off(self)


class Workers:
    """Threads that do one piece of work after another, made when they are first needed.

    Args:
        name: of the threads.
        threads: how many work at the same time.
        waiting: how many pieces of work may wait.
    """

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        self._name = name
        self._most_threads = threads
        self._most_waiting = waiting
        self._changed = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._threads = 0
        self._resting = 0

    def submit(self, work: Callable[[], None]) -> Job | None:
        """Have `work` done; None if there is no room for it. What it raises is logged."""
        with self._changed:
            free = self._resting + self._most_threads - self._threads
            if len(self._jobs) >= free + self._most_waiting:
                return None
            job = Job(work, self._take_back)
            self._jobs.append(job)
            if self._resting >= len(self._jobs):
                self._changed.notify()
            elif self._threads < self._most_threads:
                self._begin_thread()
            if not self._threads:  # nobody would ever do it
                self._jobs.clear()
                return None
            return job

    def _begin_thread(self) -> None:
        self._threads += 1
        try:
            threading.Thread(target=self._run, name=f"{self._name}-{self._threads}", daemon=True).start()
        except (
            RuntimeError
        ):  # the machine has none left: those that there are go on, and the next piece of work asks again
            self._threads -= 1

    def _take_back(self, job: Job) -> bool:
        with self._changed:
            if job not in self._jobs:
                return False
            self._jobs.remove(job)
            return True

    def _run(self) -> None:
        while True:
            with self._changed:
                self._resting += 1
                while not self._jobs:
                    self._changed.wait()
                self._resting -= 1
                job = self._jobs.popleft()
            try:
                job.work()
            except Exception:  # noqa: BLE001 - the thread lives on for the next
                _log.exception("a worker's job failed")

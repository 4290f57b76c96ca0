"""What the jobs of one turn look at: one state of the register, until one of them writes.

A turn in which nothing is due asks twenty times and writes nothing: it opens the register once, and finds once that it
did not go back. Whoever acts upon what was looked at writes conditionally, in a transaction of their own.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from core.errors import StoreUnavailable
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate
from jobs.recall import require_not_behind
from memory.memory import Memory
from memory.records import Head
from store.reading import authority as reading
from store.transactions import Store, Transaction

LASTS_SECONDS = 1.0
"""How old a state may be that a job is given: behind one that took longer, what others did meanwhile is seen."""


@dataclass
class _State:
    """A reading transaction that is open.

    Args:
        tx: it.
        opened: closes it.
        until: for how long it is given to one more job (monotonic).
        head: of which it was found that the register has its row.
        certificates: of the hierarchy, of each role that somebody has asked for.
    """

    tx: Transaction
    opened: ExitStack
    until: float
    head: Head | None = None
    certificates: dict[HierarchyRole, list[AuthorityCertificate]] = field(default_factory=dict)


class Look:
    """The register as the jobs of a turn see it. Outside of a turn each reading is a transaction by itself."""

    def __init__(self) -> None:
        self._lasts = False
        self._state: _State | None = None
        self._lent = False

    @contextmanager
    def lasting(self) -> Iterator[None]:
        """Let what is read until the block ends, or until somebody writes, be one state."""
        self._lasts = True
        try:
            yield
        finally:
            self._lasts = False
            self.end()

    @contextmanager
    def read(self, store: Store, memory: Memory) -> Iterator[Transaction]:
        """Open a reading transaction, or go on with the one of the job before.

        Args:
            store: the register.
            memory: what it must not be behind.

        Raises:
            StoreWentBack: it is not the one that was sealed last.
            StoreUnavailable: it does not answer in time.
        """
        if not self._lasts or self._lent:
            with store.read() as tx:
                require_not_behind(tx, memory)
                yield tx
            return
        state = self._opened(store)
        self._lent = True
        try:
            if state.head != memory.head:
                require_not_behind(state.tx, memory)
                state.head = memory.head
            yield state.tx
        except BaseException:
            # A database may answer nothing more in a transaction in which something failed: the next job has its own.
            self._state = None
            with state.opened:
                raise
        finally:
            self._lent = False
            if self._state is not state:
                _close(state)

    def end(self) -> None:
        """Let whoever reads next see the register as it is then: somebody is about to write."""
        state, self._state = self._state, None
        if state is not None and not self._lent:
            _close(state)

    def certificates(self, tx: Transaction, role: HierarchyRole) -> list[AuthorityCertificate]:
        """Return the signed certificates of a role, oldest first; a state is asked for them once."""
        state = self._state
        if state is None or state.tx is not tx:
            return reading.certificates(tx, role)
        if role not in state.certificates:
            state.certificates[role] = reading.certificates(tx, role)
        return state.certificates[role]

    def _opened(self, store: Store) -> _State:
        if self._state is not None and time.monotonic() >= self._state.until:
            self.end()
        if self._state is None:
            opened = ExitStack()
            tx = opened.enter_context(store.read())
            self._state = _State(tx=tx, opened=opened, until=time.monotonic() + LASTS_SECONDS)
        return self._state


def _close(state: _State) -> None:
    with suppress(StoreUnavailable):  # nothing rests upon the end of a reading; who reads next finds it out
        state.opened.close()

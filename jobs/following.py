"""following: that everything in the register follows from the journal is looked at for ever, in a thread of its own.

It is what `trialcpa audit verify` does (verify/audited.py), a portion at a time: rows of the journal as they come, then
the tables, pass after pass. Each portion is one state of the register, so that what somebody does meanwhile is in the
rows that come with it. Nobody waits for it; what does not follow is an alarm, and /v1/consistency names it.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from core.alarms import AlarmCode, Noticed, printable
from core.errors import StoreUnavailable
from ra.auditing.exported import BEGIN, Place, portion
from store.transactions import Store
from verify.audited import Audit, Pinned

PASS_SECONDS = 10.0
"""After a pass over the tables."""

_SHARE = 20
"""It takes at most one part in so many of one processor's time."""

_AT_ONCE = 0.01
"""Seconds that it works before it rests for its share."""

_AGAIN_SECONDS = 5.0
"""After the register did not answer."""

_MOST_NAMED = 20
"""Alarms at once; where more does not follow, the same is wrong with all of it."""

_MOST_SAID = 300

_OF_TABLES = frozenset({"table", "unsealed", "waiting"})


@dataclass(frozen=True)
class Unfounded:
    """A row that does not follow: which, and what is wrong with it."""

    row: str
    detail: str


@dataclass
class Following:
    """Where it stands; after a start it begins anew.

    Args:
        store: the register.
        journal_key: of the authority's journal: SubjectPublicKeyInfo, DER.
        monotonic: seconds of the processor that this thread has used; a test hands in its own.
    """

    store: Store
    journal_key: bytes
    monotonic: Callable[[], float] = time.thread_time
    passes: int = field(default=0, init=False)
    _audit: Audit | None = field(default=None, init=False, repr=False)
    _place: Place = field(default=BEGIN, init=False, repr=False)
    _of_rows: list[Unfounded] = field(default_factory=list, init=False, repr=False)
    _of_tables: list[Unfounded] = field(default_factory=list, init=False, repr=False)
    _last_pass: list[Unfounded] = field(default_factory=list, init=False, repr=False)
    _stopped: str | None = field(default=None, init=False, repr=False)

    def run(self, stopping: threading.Event) -> None:
        """Look until `stopping` is set; what goes wrong with it stops nobody else."""
        while not stopping.is_set() and self._stopped is None:
            try:
                over = self.step(stopping.wait)
            except StoreUnavailable:
                stopping.wait(_AGAIN_SECONDS)
                continue
            except Exception as error:  # noqa: BLE001 - whatever the register may hold: an alarm says so
                self._stopped = f"What follows from the journal cannot be looked at ({type(error).__name__})."
                return
            if over:
                stopping.wait(PASS_SECONDS)

    def step(self, rest: Callable[[float], object] = lambda _: None) -> bool:
        """Look at one portion; return whether a pass over the tables is over with it.

        Args:
            rest: waits so many seconds.

        Raises:
            StoreUnavailable: the register does not answer.
        """
        with self.store.read() as tx:
            found = portion(tx, self._place)
        if self._audit is None:
            self._audit = Audit(Pinned(journal_keys=(hashlib.sha256(self.journal_key).hexdigest(),)))
        audit, began = self._audit, self.monotonic()
        try:
            for line in found.lines:
                audit.take(line)
                self._sort(audit, of_table=audit.register.compares(line) or line["is"] in _OF_TABLES)
                if (spent := self.monotonic() - began) >= _AT_ONCE:
                    rest(spent * _SHARE)
                    began = self.monotonic()
        except ValueError as error:  # a line of which nothing can be read
            self._stopped = f"The journal cannot be read on: {error}."
            return True
        if found.then is not None:
            self._place = found.then
            return False
        audit.register.finish()
        self._sort(audit, of_table=True)
        self._last_pass, self._of_tables = self._of_tables, []
        self.passes += 1
        self._place = replace(BEGIN, row=audit.rows, table=0)
        return True

    def found(self) -> Sequence[Unfounded]:
        """Return the rows that do not follow, as far as it has looked."""
        tables = {each.row: each for each in (*self._last_pass, *self._of_tables)}
        return [*self._of_rows, *tables.values()]

    def noticed(self) -> list[Noticed]:
        """Return an alarm for each row that does not follow, or that it cannot go on."""
        told = {each.row: each for each in self.found()}
        said = [
            Noticed(
                code=AlarmCode.REGISTER_UNFOUNDED,
                subject=printable(each.row, _MOST_SAID),
                sentence=f"{printable(f'{each.row}: {each.detail}', _MOST_SAID)} It does not follow from the journal.",
            )
            for each in list(told.values())[:_MOST_NAMED]
        ]
        if self._stopped is not None:
            said.append(Noticed(code=AlarmCode.REGISTER_UNFOUNDED, subject="", sentence=self._stopped))
        return said

    def _sort(self, audit: Audit, *, of_table: bool) -> None:
        """Keep what was found: of rows for good, of tables until they are looked at again."""
        findings = audit.findings
        kept = self._of_tables if of_table else self._of_rows
        new = findings.problems[: max(0, _MOST_NAMED - len(kept))]
        kept += [Unfounded(row=each.row, detail=each.detail) for each in new]
        findings.problems.clear()
        findings.unknown.clear()
        findings.notes.clear()
        findings.more = 0

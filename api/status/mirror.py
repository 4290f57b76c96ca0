"""The mirror: it keeps the newest snapshot close behind the store.

While the store is silent the last snapshot stays, growing older; above the allowed age it answers no more.
"""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from immutables import Map

from api.status.awaiting import awaiting
from api.status.finished import Finished
from api.status.indexes import reported_on
from api.status.ready import Ready
from api.status.remembered import WebMemory
from api.status.shapes import issuers_of, shapes
from api.status.snapshot import Snapshot, amended, build
from core.clock import Clock
from core.errors import RegisterWentBack, StatusStale
from core.identifiers import Serial
from core.loading import loading
from core.mirror import AuthorityView, Changes, Hearing, PublishedCrl, SignedAnswer, StatusSource, Units
from core.trouble import Trouble, tried

DEFAULT_MAX_AGE = 600.0
"""Seconds after which a snapshot is too old to answer from (design: ten minutes)."""

DEFAULT_INTERVAL = 0.1
"""Seconds between two polls: with the time a poll takes, well below the 250 ms promised."""

CATCH_UP_SECONDS = 1.0
"""How long whoever has written waits for a poll that is under way; one takes a few milliseconds."""

AT_ONCE = 1_000
"""Approvals that are read and told together, of those that changed: in some 50 ms."""

UNITS_AGAIN_SECONDS = 1.0
"""After which the units are tried again where they could not be read; the store is asked for each until then."""

_log = logging.getLogger(__name__)


class Mirror:
    """Follows a source and hands out the newest snapshot.

    Args:
        source: where to read; its failures leave the last snapshot in place.
        clock: the machine's clock; the authority's offset is added to it.
        max_age: seconds above which a snapshot is refused.
        monotonic: seconds that only grow, for ages; a test hands in its own.
        remembered: what this process has told, before it was started as well.
        hearing: begins to tell when something may have changed; without it that is looked for from time to time.
    """

    def __init__(
        self,
        source: StatusSource,
        clock: Clock,
        *,
        max_age: float = DEFAULT_MAX_AGE,
        monotonic: Callable[[], float] = time.monotonic,
        remembered: WebMemory | None = None,
        hearing: Callable[[], Hearing] | None = None,
    ) -> None:
        self._hearing = hearing
        self.remembered = WebMemory() if remembered is None else remembered
        self._source = source
        self._clock = clock
        self._max_age = max_age
        self._monotonic = monotonic
        self._began = monotonic()
        self._cursor: Hashable | None = None
        self._snapshot: Snapshot | None = None
        self._anew = False
        self._polling = threading.Lock()
        self._stopping = threading.Event()
        self._unheld = threading.Event()
        self._readings = 0
        self._reported: frozenset[datetime] = frozenset()
        self._threads: list[threading.Thread] = []
        now = clock.now()
        self._told = (now, timedelta(0), now)  # of one second there is one instant

    def follow(self) -> None:
        """Poll once: fetch what has changed and swap the snapshot. Whatever the source raises comes through.

        Whoever has just written calls `catch_up`.
        """
        with self._polling:
            self._poll()

    def catch_up(self) -> None:
        """Follow after a commit, so that whoever acted reads their own write at once, and be held up by nobody.

        While the first snapshot is still being read there is nothing to read one's own write from; and a poll that
        takes too long is left to whoever makes it.
        """
        if self._snapshot is None or not self._polling.acquire(timeout=CATCH_UP_SECONDS):
            return
        try:
            self._poll()
        finally:
            self._polling.release()

    def _poll(self) -> None:
        """Fetch what has changed and swap the snapshot; only under the lock."""
        began = self._monotonic()
        known = self.remembered
        if known.open():
            # More is remembered than the last snapshot was made with, if there was one.
            self._anew, self._cursor = True, None
        old = None if self._anew else self._snapshot
        if known.knows_nobody:
            # Before anything is told: what others of this machine have told is about this authority, or is not.
            known.begin(self._source, self._source.authority())
        heard = known.hear(self.now())
        changes = self._source.changes(self._cursor)
        behind = not known.stands(self._source, changes.heads)
        forget = behind and known.accepted(self._source)
        behind = behind and not forget
        whole = old is None or changes.everything or forget
        described = (whole or changes.authority) and not (behind and old)
        authority = known.at_our_time(self._source.authority()) if described else None
        of_another = authority is not None and known.is_of_another(authority)
        if old is not None and (behind or of_another):
            # Nothing more is read of it: what was told last stays, and the cursor with it.
            new = self._with_ends(old, heard)
        elif authority is not None and of_another:
            new = self._read_ours(authority, began)
        elif authority is not None and whole:
            if changes.restored and not forget and not behind:
                known.restored(self._source)
            new = self._read_all(authority, began, old, behind=behind, forget=forget)
        else:
            new = self._read_changes(
                replace(changes, approvals=changes.approvals | heard), authority, cast("Snapshot", old)
            )
        # One assignment: a reader has the old one or the new one.
        self._snapshot = replace(new, fetched_at=began, went_back=behind or of_another)
        self._anew = False
        if new.deployed is None:
            self._unheld.set()
        if not behind and not of_another:
            known.served(changes.heads, at_once=forget)
            # Last: if a read above failed, the next poll asks for the same changes again.
            self._cursor = changes.cursor

    def _with_ends(self, old: Snapshot, heard: frozenset[str]) -> Snapshot:
        """Return what was told last, with the ends that another process of this machine has told."""
        if not heard:
            return old
        found = [old.approvals[each] for each in heard if each in old.approvals]
        kept = self.remembered.ends_kept(found, heard, old.approvals, self._instant(old.authority))
        return amended(old, heard, kept)

    def _read_ours(self, authority: AuthorityView, began: float) -> Snapshot:
        """Return what was told as ended, where the register says that it is another authority's."""
        known = self.remembered
        kept = known.ends_of_ours(self._source.approvals(None), {})
        return build(known.lists_kept(authority, {}, behind=True), kept, began)

    def _read_all(
        self, authority: AuthorityView, began: float, old: Snapshot | None, *, behind: bool, forget: bool
    ) -> Snapshot:
        known = self.remembered
        known.begin(self._source, authority)
        self._readings += 1
        before = {} if old is None else old.approvals
        lists = {} if old is None or forget else old.authority.crls
        with loading():
            found = self._source.approvals(None)
            kept = known.ends_kept(found, None, before, self._instant(authority), forget=forget)
            return build(known.lists_kept(authority, lists, behind=behind), kept, began)

    def _read_changes(self, changes: Changes, read: AuthorityView | None, old: Snapshot) -> Snapshot:
        new, known = old, self.remembered
        if changes.restored:
            known.restored(self._source)
        if read is not None:
            authority = known.lists_kept(read, old.authority.crls, behind=False)
            new = replace(new, authority=authority)
            issuers = issuers_of(authority)
            if issuers != new.issuers:
                # What was answered of a certificate by its bytes rests on who may have signed it.
                finished = Map({name: Finished(held) for name, held in new.approvals.items()})
                new = replace(new, issuers=issuers, shapes=shapes(issuers), finished=finished, ready=Ready(), turn=0)
        named = sorted(changes.approvals)
        for first in range(0, len(named), AT_ONCE):
            some = frozenset(named[first : first + AT_ONCE])
            kept = known.ends_kept(self._source.approvals(some), some, old.approvals, self._instant(new.authority))
            # Of very many, those that have been read are told while the others are read.
            self._snapshot = new = amended(new, some, kept)
        if new.deployed is None:
            self._reported |= changes.reported
        elif changes.reported:
            new = replace(new, deployed=reported_on(new.deployed, self._source.reported(changes.reported)))
        return new

    def read_units(self) -> None:
        """Read the units, if they are not held, beside the polls, which go on. What the source raises comes through.

        What is reported meanwhile is read again in the end. Where everything was read anew meanwhile, so are they.
        """
        with self._polling:
            if self._snapshot is None or self._snapshot.deployed is not None:
                return
            readings, self._reported = self._readings, frozenset()
        with loading():
            held = Map(self._source.deployed())
        with self._polling:
            if self._reported:
                held = reported_on(held, self._source.reported(self._reported))
            if self._readings == readings:
                self._snapshot = replace(self._snapshot, deployed=held)

    def _instant(self, authority: AuthorityView) -> datetime:
        return self._clock.now() + authority.clock_offset

    def start(self, interval: float = DEFAULT_INTERVAL) -> None:
        """Follow in a background thread until `stop`: at once, and whenever something has changed; units in another.

        Args:
            interval: seconds between two polls, where nobody tells of changes.
        """
        if self._threads:
            raise RuntimeError("the mirror is already following")
        self._stopping.clear()
        self._threads = [
            threading.Thread(target=self._run, args=(interval,), name="mirror", daemon=True),
            threading.Thread(target=self._hold_units, name="mirror of units", daemon=True),
        ]
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        """End the background threads and wait for them; the last snapshot stays."""
        self._stopping.set()
        self._unheld.set()
        if self._threads:
            for each in self._threads:
                each.join()
            self._threads = []
            self.remembered.close()

    def view(self) -> Snapshot:
        """Return the newest snapshot.

        Raises:
            StatusStale: there is none yet, or it is older than allowed: never a stale yes.
        """
        snapshot = self._snapshot
        if snapshot is not None and self._monotonic() - snapshot.fetched_at <= self._max_age:
            return snapshot
        self.held()
        raise StatusStale(age=int(self.age()), limit=int(self._max_age))

    @property
    def holds(self) -> bool:
        """Whether there is a snapshot."""
        return self._snapshot is not None

    def held(self) -> Snapshot:
        """Return the newest snapshot whatever its age, for what says itself how long it holds: CRLs, certificates.

        Raises:
            StatusStale: there is none yet.
        """
        if self._snapshot is None:
            raise StatusStale(age="an unknown number of", limit=int(self._max_age))
        return self._snapshot

    def require_whole(self) -> None:
        """Raise RegisterWentBack if the register is older than what was told from it."""
        if self._snapshot is not None and self._snapshot.went_back:
            raise RegisterWentBack

    def age(self) -> float:
        """Return the seconds since the last poll that succeeded, or since the mirror was made."""
        snapshot = self._snapshot
        return self._monotonic() - (self._began if snapshot is None else snapshot.fetched_at)

    def now(self) -> datetime:
        """Return the authority's present instant: the machine's, plus the offset of a test authority."""
        now, snapshot = self._clock.now(), self._snapshot
        if snapshot is None:
            return now
        told, offset = self._told, snapshot.authority.clock_offset
        if told[0] is not now or told[1] is not offset:
            told = self._told = (now, offset, now + offset)
        return told[2]

    def past_answer(self, serial: Serial, at: datetime) -> SignedAnswer | None:
        """Return an OCSP answer (SHA-256 CertID) of the past; a read of the store, which may raise."""
        return self._source.past_answer(serial, at)

    def past_crl(self, key_id: str, number: int) -> PublishedCrl | None:
        """Return a CRL of the past; a read of the store, which may raise."""
        return self._source.past_crl(key_id, number)

    def units(self, approval: str, device_id: str, at: datetime) -> Units:
        """Return whether a device is deployed under an approval, else how many are; a read, which may raise.

        Asked only until the units are held in memory.
        """
        return self._source.units(approval, device_id, at)

    def _run(self, interval: float) -> None:
        trouble = Trouble(_log)
        with awaiting(self._hearing, interval, self._stopping) as wait:
            while not self._stopping.is_set():
                words = "the store cannot be followed; answers come from the last snapshot"
                if tried(self.follow, trouble, words, over="the store is followed again"):
                    wait()
                else:
                    self._stopping.wait(interval)  # nobody tells when it can be

    def _hold_units(self) -> None:
        trouble = Trouble(_log)
        while self._unheld.wait() and not self._stopping.is_set():
            self._unheld.clear()
            words = "the units cannot be read; the store is asked about each"
            if not tried(self.read_units, trouble, words, over="the units have been read"):
                self._stopping.wait(UNITS_AGAIN_SECONDS)
                self._unheld.set()

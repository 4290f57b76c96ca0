"""What the register says is left to do, and whether it takes a small write, looked at by threads of its own: whoever
asks is told the last that was seen.

A register that says nothing holds those threads and nobody else; how long it has been silent is told. Writing, and
each thing that is read apart, has a thread of its own: a register that somebody else writes to for a minute still
answers questions, and a lock on what only the courier needs makes nobody believe that status is not known.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Generic, TypeVar

from api import problems
from api.comparing import Comparing
from api.counting import AT_ONCE, Counts, counts
from api.ends_told import EndsTold
from api.readiness import Check, Purpose, Readiness, answered, for_status, noticed, status_checks
from api.service import JSON_TYPE
from api.status.exchange import Reply
from api.status.mirror import Mirror
from api.status.snapshot import Snapshot
from api.status.tally import Tallied
from api.writing import Known, Written, answers_not_in_force, writing_checks
from core.alarms import Alarm, AlarmCode, Standing
from core.errors import StatusStale, StoreUnavailable
from core.instants import text
from core.renewal import Lasting, lasting
from core.trouble import Trouble
from ra.views import document
from store.reading.watching import Backlog, Telling, alarms, backlog, telling
from store.transactions import Store, Transaction

T = TypeVar("T")

OLD_SECONDS = 5.0
"""How old what was heard may be; it is heard anew each second."""

WRITE_SECONDS = 5.0
"""How often a small write is tried."""

QUIET_SECONDS = 10.0
"""How long after the start nothing is logged: the other processes need a few seconds, and an alarm says it anyway."""

_SECONDS = 1.0
_SOON_SECONDS = 0.1
"""How often it looks, and how often while not everything is well: the moment at which it is, is waited for."""

STANDS_SECONDS = 60.0
"""How long ago it may have looked: the deadlines of the store end a look within half of that (store/postgresql.py)."""

_SHARE = 50
"""Counting the OCSP answers of a large register takes at most one part in so many of the time."""

_log = logging.getLogger(__name__)


def told(found: Readiness) -> Reply:
    """Return readiness as /readyz answers it."""
    status = HTTPStatus.OK if found.ready else HTTPStatus.SERVICE_UNAVAILABLE
    fields = [("Content-Type", JSON_TYPE), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
    return Reply(status, problems.encode(document(found)), fields)


@dataclass(frozen=True)
class _Heard(Generic[T]):
    """What the register has said.

    Args:
        asked: monotonic seconds at which it was asked.
        found: what it said; None if it said nothing.
        said: why it said nothing.
    """

    asked: float
    found: T | None = None
    said: str = "The register has not answered yet."

    def at(self, now: float) -> tuple[T | None, str]:
        """Return what is still believed, or why nothing is."""
        age = now - self.asked
        if self.found is not None and age > OLD_SECONDS:
            return None, f"The register has not answered for {int(age)} seconds."
        return self.found, self.said


class Lookout:
    """Looks at the register from time to time.

    Args:
        store: the register.
        mirror: what the status plane answers from; it also knows the present instant.
        write: writes something small, or raises StoreUnavailable; it has the store's deadlines. None of a process that
            writes nothing, and is therefore never fit for writing.
        disks: folders that are written to, by what lies there.
        tallied: what is counted, for /metrics.
        lease: how long an authority process says that it will be at work.
        monotonic: seconds that only grow; a test hands in its own.
        free: octets that are left where a folder lies; a test hands in its own.
    """

    def __init__(
        self,
        store: Store,
        mirror: Mirror,
        write: Callable[[], None] | None,
        disks: Mapping[str, Path],
        *,
        lease: timedelta = timedelta(seconds=5),
        tallied: Tallied | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._store = store
        self._mirror = mirror
        self._write = write
        self._disks = disks
        self._monotonic = monotonic
        self._free = free
        self._began = monotonic()
        self._lease = lease
        self._heard: _Heard[Backlog] = _Heard(self._began)
        self._telling: _Heard[Telling] = _Heard(self._began)
        self._unread = {
            name: Trouble(_log) for name in (self.look.__name__, self.hear_courier.__name__, self.hear_alarms.__name__)
        }
        self._left: dict[str, int | None] = {}
        self._lasting: tuple[Lasting, ...] = ()
        self._answers: tuple[float, int | None] = (self._began, None)
        self._looked = (self._began, mirror.now())
        self._written: tuple[float, bool, StoreUnavailable | None] = (self._began, False, None)
        self._unforeseen = Trouble(_log)
        self._writing_since: float | None = None
        self._standing = Standing(_log)
        self._elsewhere: tuple[Alarm, ...] = ()
        self.tallied = tallied or Tallied()
        self.comparing = Comparing(store, mirror)
        self.ends_told = EndsTold(store)
        self.counts: Counts | None = None
        """What a large register has, as it was counted last."""
        self._stopping = threading.Event()

    def start(self) -> None:
        """Look in background threads until `stop`."""
        steps: tuple[tuple[Callable[[], None], Callable[[], float]], ...] = (
            (self.look, self._pause),
            (self.hear_courier, lambda: _SECONDS),
            (self.hear_alarms, lambda: _SECONDS),
            (self.count_answers, lambda: _SECONDS),
            *(((self.try_write, lambda: WRITE_SECONDS),) if self._write is not None else ()),
            (self.comparing.step, self.comparing.pause),
            (self.ends_told.hear, self.ends_told.pause),
        )
        for step in steps:
            threading.Thread(target=self._repeat, args=step, name=f"lookout {step[0].__name__}", daemon=True).start()

    def stop(self) -> None:
        """End the background threads, when they have looked."""
        self._stopping.set()

    def look(self) -> None:
        """Look once, without writing."""
        self._heard = self._hear(self.look, lambda tx: backlog(tx, self._mirror.now()))
        self._left = {name: self._room(folder) for name, folder in self._disks.items()}
        self._look_ahead(self._heard.found)
        checks = self._checks(Purpose.WRITING)
        tell = self._monotonic() - self._began >= QUIET_SECONDS
        beside = (*self.comparing.noticed(), *self.ends_told.noticed())
        found = (*noticed(checks, self._standing.alarms), *beside)
        self._standing.hold(found, self._mirror.now(), tell=tell)
        self._looked = (self._monotonic(), self._mirror.now())

    def hear_courier(self) -> None:
        """Hear once how the courier is doing. A lock on what it writes is none of status's business."""
        self._telling = self._hear(self.hear_courier, lambda tx: telling(tx, self._mirror.now()))

    def hear_alarms(self) -> None:
        """Hear once what other processes have noticed; what was heard last is believed until more is heard."""
        heard = self._hear(self.hear_alarms, alarms)
        if heard.found is not None:
            self._elsewhere = heard.found

    def count_answers(self) -> None:
        """Count the OCSP answers that are not in force, and the rest, if it is time: a large register takes seconds."""
        began, view = self._monotonic(), self._view()
        if view is not None and began >= self._answers[0]:
            found = answers_not_in_force(view, self._mirror.now())
            if len(view.approvals) > AT_ONCE:
                self.counts = counts(view, self._mirror.now())
            ended = self._monotonic()
            self._answers = (ended + _SHARE * (ended - began), found)

    def try_write(self) -> None:
        """Write once."""
        if self._write is None:
            return
        self._writing_since = self._monotonic()
        try:
            self._write()
        except StoreUnavailable as error:
            self._written = (self._monotonic(), True, error)
        else:
            self._written = (self._monotonic(), True, None)
        finally:
            self._writing_since = None

    @property
    def lasting(self) -> tuple[Lasting, ...]:
        """What has an end, as it was seen last."""
        return self._lasting

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What somebody should look at: what was seen from here, and what the register last said of the others."""
        found = (*self._standing.alarms, *self._elsewhere, *self._standing_still())
        return tuple(sorted(found, key=lambda each: each.key))

    def readiness(self, purpose: Purpose = Purpose.STATUS) -> Readiness:
        """Return whether the service is fit to serve, from memory."""
        return answered(self._checks(purpose), self.alarms)

    def ready(self, purpose: Purpose = Purpose.STATUS) -> Reply:
        """Return the answer of /readyz, from memory; never raises."""
        try:
            found = self.readiness(purpose)
        except Exception as error:  # noqa: BLE001 - it is asked every second: told once, and answered each time
            self._tell(self._unforeseen, error)
            status, described = problems.problem(error)
            return Reply(status, problems.encode(described), problems.headers(status))
        self._unforeseen.ends("/readyz is answered again")
        return told(found)

    def _basic_checks(self) -> tuple[Backlog | None, tuple[Check, ...]]:
        left, said = self._heard.at(self._monotonic())
        if not self._lasting:
            self._look_ahead(left)  # before the first look: what has an end stands in the snapshot
        return left, status_checks(left, said, self._mirror, self._lasting, self._lease)

    def _checks(self, purpose: Purpose) -> tuple[Check, ...]:
        left, checks = self._basic_checks()
        if purpose is Purpose.STATUS:
            return for_status(checks)
        since, (ended, tried, error) = self._writing_since, self._written
        waiting = 0.0 if since is None else self._monotonic() - since
        known = Known(
            left=left,
            telling=self._telling.at(self._monotonic())[0],
            view=self._view(),
            now=self._mirror.now(),
            written=Written(tried=tried, error=error, waiting=waiting, age=self._monotonic() - ended),
            disks=self._left,
            answers=self._answers[1],
            tokens=tuple(each for each in self._elsewhere if each.code is AlarmCode.TOKEN_OUT_OF_USE),
        )
        return (*checks, *writing_checks(known))

    def _standing_still(self) -> tuple[Alarm, ...]:
        looked, at = self._looked
        if self._monotonic() - looked <= STANDS_SECONDS:
            return ()
        sentence = f"What is told here is as it was at {text(at)}: nobody has looked since; the log says more."
        return (Alarm(code=AlarmCode.LOOKOUT_STANDS, subject="", since=at, sentence=sentence),)

    def _view(self) -> Snapshot | None:
        try:
            return self._mirror.held()
        except StatusStale:
            return None

    def _look_ahead(self, left: Backlog | None) -> None:
        """Find what has an end; which answers were not renewed is not known while the register is silent."""
        view = self._view()
        if view is not None:
            known, answer = view.authority, None if left is None else left.overdue_answer
            credentials = known.credentials.values()
            now = self._mirror.now()
            crls = {each: crl for each in known.crls if (crl := known.crl(each, now)) is not None}
            self._lasting = tuple(lasting(known.certificates, crls, credentials, answer, now))

    def _room(self, folder: Path) -> int | None:
        try:
            return self._free(folder)
        except OSError:
            return None

    def _hear(self, step: Callable[[], None], read: Callable[[Transaction], T]) -> "_Heard[T]":
        """Read what the register says; whatever keeps it from being read is told in words, and in the log once."""
        began, trouble = self._monotonic(), self._unread[step.__name__]
        try:
            with self._store.read() as tx:
                heard = _Heard(began, read(tx))
        except StoreUnavailable as error:
            return _Heard(began, None, str(error))  # the alarm tells of it
        except Exception as error:  # noqa: BLE001 - a row that somebody has changed must not end what tells of it
            said = "What the register says cannot be read."
            trouble.begins(f"{said} ({type(error).__name__})", logging.ERROR, error)
            return _Heard(began, None, said)
        trouble.ends("what the register says can be read again")
        return heard

    def _pause(self) -> float:
        return _SECONDS if all(each.ok for each in self._basic_checks()[1]) else _SOON_SECONDS

    def _repeat(self, step: Callable[[], None], pause: Callable[[], float]) -> None:
        trouble = Trouble(_log)
        while not self._stopping.is_set():
            seconds = _SECONDS
            try:
                step()
                seconds = pause()
            except Exception as error:  # noqa: BLE001 - whatever it is, the thread lives on, and what was seen grows old
                self._tell(trouble, error)
            else:
                trouble.ends("the lookout looks again")
            self._stopping.wait(seconds)

    @staticmethod
    def _tell(trouble: Trouble, error: Exception) -> None:
        """Tell once of what nobody foresaw, and where it is."""
        trouble.begins(f"the lookout fails: {type(error).__name__}", logging.ERROR, error)

"""The courier: tells subscribers what happened, in the journal's sealed order, until each has heard it; and runs the
errands that bring words to people: notices, reminders.

It reads with a cursor and holds no private key. A delivery is signed with an HMAC under a secret that subscriber and
courier share. If we die between a delivery and the cursor's move, the same delivery is made again: its `number` tells
the subscriber that it knows it already.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from ca.certificates import signature_holds
from core.alarms import AlarmCode, Noticed
from core.canonical import canonical
from core.chain import head_statement, journal_name
from core.clock import Clock, SystemClock
from core.errors import StoreUnavailable, TrialCpaError
from core.facts import FactKind
from core.kinds import ProcessRole
from core.trouble import Trouble
from jobs.alarms import Alarms
from jobs.errand import Errand, whereabouts
from jobs.webhook import SIGNATURE_HEADER, Subscriber, post
from store.reading import journal, work
from store.reading.authority import authority_row
from store.transactions import Store, Transaction
from store.verbs import sealing, watching

__all__ = ["SIGNATURE_HEADER", "TOLD", "Courier", "Subscriber"]

_log = logging.getLogger(__name__)

TOLD = frozenset(
    {
        FactKind.APPROVAL_GRANTED,
        FactKind.CERTIFICATE_ISSUED,
        FactKind.CERTIFICATE_REVOKED,
        FactKind.CERTIFICATE_SUPERSEDED,
        FactKind.APPROVAL_REVOKED,
        FactKind.APPROVAL_WITHDRAWN,
        FactKind.APPROVAL_EXPIRED,
        FactKind.CRL_PUBLISHED,
    }
)
"""What subscribers hear of: what happened to approvals and lists; never who did it, never a reason in words."""

IDLE_SECONDS = 1.0
"""How often is looked for what nobody has told: what is to be tried again, and what a time makes due."""

REST_SECONDS = 0.1
"""After each look: what is committed by the hundred is told by the portion."""

LONGEST_PAUSE_SECONDS = 300.0
_PORTION = 200

PORTION_SECONDS = 30.0
"""After which the cursor moves, and others may have the thread, however slowly a subscriber takes its portion."""

MOST_AT_ONCE = 32
"""Subscribers that are spoken to at the same moment. Each has one at most; one that hangs gives its thread back after
jobs.webhook.DEADLINE_SECONDS, and is then left in peace for longer and longer."""


REFUSED_SECONDS = 5.0
"""How long a subscriber is left in peace when the register did not take down what it has heard: as often as web tries a
small write (api/lookout.py), so that telling goes on when writing does."""

HANGS_SECONDS = 1_500.0
"""How long an errand's turn may take. Each of its waits has a deadline; the longest turn, a portion of reminders that a
relay takes as slowly as it may (jobs/remind.py: 10 of jobs.mail.DEADLINE_SECONDS), is over before."""

SIGN_SECONDS = 10.0
"""How often the courier leaves a sign of life, and says what it has noticed."""


@dataclass
class Courier:
    """The courier process.

    Args:
        store: the register.
        subscribers: whom it tells.
        errands: what else it does; each has a thread of its own, which nobody else can hold up.
        calls: errands that wait for subscribers; they share the threads of the feed.
        machine: the machine's own clock, for signs of life.
        clock: the authority's, for what is noticed.
    """

    store: Store
    subscribers: list[Subscriber]
    errands: Sequence[Errand] = ()
    calls: Sequence[Errand] = ()
    machine: Clock = field(default_factory=SystemClock)
    clock: Clock = field(default_factory=SystemClock)
    _quiet_until: dict[str, float] = field(default_factory=dict, init=False)
    _head: journal.Head | None = field(default=None, init=False)
    _heard: dict[str, int] = field(default_factory=dict, init=False)
    _untold: dict[str, Trouble] = field(default_factory=dict, init=False)
    _lanes: "list[_Lane]" = field(default_factory=list, init=False)
    _signed: float | None = field(default=None, init=False)
    _unsigned: Trouble = field(default_factory=lambda: Trouble(_log), init=False)
    _alarms: Alarms = field(default_factory=lambda: Alarms(ProcessRole.COURIER, _log, alone=False), init=False)

    def run(self, stopping: threading.Event) -> None:
        """Deliver until `stopping` is set; a subscriber that fails is tried again after a growing pause.

        Nobody waits for somebody else: not a subscriber for one that fails or hangs, and no notice for either.
        """
        shared: list[Callable[[], int]] = [partial(self._tell, each) for each in self.subscribers]
        shared += [each.turn for each in self.calls]
        silent = Trouble(_log)
        with (
            ThreadPoolExecutor(len(self.errands) + 1, "errand") as own,
            ThreadPoolExecutor(max(1, min(len(shared), MOST_AT_ONCE)), "call") as calling,
        ):
            lanes = [_Lane(each.turn, own, stopping) for each in self.errands]
            lanes += [_Lane(each, calling, stopping) for each in shared]
            self._lanes = list(lanes)
            lanes.append(_Lane(self.sign, own, stopping))  # last: what waits for a lock must hold up nobody
            hearing = self.store.hearing(REST_SECONDS)
            while not stopping.is_set():
                try:
                    with self.store.read() as tx:
                        work.pulse(tx)
                except StoreUnavailable as error:
                    silent.begins(f"{error} Nobody is told anything until it answers.")
                else:
                    silent.ends("The register answers again; subscribers are told.")
                    for each in lanes:
                        each.wake()
                stopping.wait(REST_SECONDS)
                hearing.wait(IDLE_SECONDS, stopping)
            hearing.close()

    def deliver(self, subscriber: Subscriber) -> int:
        """Deliver one portion in order; return how many rows the subscriber has now heard or need not hear.

        What it has heard is taken down before it is told anything more: while the register is read-only or full nobody
        is told the same things again and again.
        """
        with self.store.read() as tx:
            seen = journal.cursor(tx, subscriber.reader)
            head = self._signed_up_to(tx)
            rows = [each for each in journal.sealed_after(tx, seen, _PORTION) if each.row.number <= head]
        heard = self._heard.pop(subscriber.reader, seen)
        if heard > seen:
            self._take_down(subscriber, seen, heard)
            return heard - seen
        if seen > head > 0:
            # Somebody has moved it, or a release before went by a number that somebody wrote.
            _log.warning(
                "%s was said to have heard of rows that are under no head; it goes on at row %d",
                subscriber.address,
                head,
            )
            self._take_down(subscriber, seen, head)
            return 1
        done, enough = seen, time.monotonic() + PORTION_SECONDS
        trouble = self._untold.setdefault(subscriber.reader, Trouble(_log))
        for each in rows:
            if each.row.kind in TOLD:
                why = post(subscriber, _body(each))
                if why is not None:
                    trouble.begins(f"{subscriber.address} was not told, and is tried again: {why}")
                    subscriber.failures += 1
                    break
                trouble.ends(f"{subscriber.address} is told again.")
            subscriber.failures = 0
            done = each.row.number
            if time.monotonic() > enough:
                break
        if done > seen:
            self._take_down(subscriber, seen, done)
        return done - seen

    def _signed_up_to(self, tx: Transaction) -> int:
        """Return the last row that is there and under a head of the authority's; 0 if there is none.

        Nothing is told of what is behind it: whoever writes rows can give one a number, and the authority takes that
        back. Who has heard of such a number would hear of nothing that comes before it.
        """
        heads = journal.standing_heads(tx)
        if not heads or heads[0] == self._head:
            return heads[0].number if heads else 0
        row = authority_row(tx)
        for each in heads:
            statement = head_statement(journal_name(row.name), each.number, each.link)
            if signature_holds(row.journal_key, statement, each.signature):
                self._head = each
                return each.number
        return 0

    def _take_down(self, subscriber: Subscriber, seen: int, heard: int) -> None:
        self._heard[subscriber.reader] = heard
        with self.store.begin("move cursor") as tx:
            sealing.advance_cursor(tx, subscriber.reader, expected=seen, to=heard)
        del self._heard[subscriber.reader]

    def sign(self) -> int:
        """Leave a sign of life and say what was noticed, from time to time."""
        if self._signed is not None and time.monotonic() - self._signed < SIGN_SECONDS:
            return 0
        try:
            with self.store.begin("sign of life") as tx:
                watching.live(tx, ProcessRole.COURIER, at=self.machine.now())
            self._alarms.hold(self.store.read, self.store.begin, self._noticed(), self.clock.now())
        except StoreUnavailable as error:
            self._unsigned.begins(f"{error} What is delivered cannot be recorded.")
            raise
        self._unsigned.ends("The register takes the courier's writes again.")
        self._signed = time.monotonic()
        return 0

    def _noticed(self) -> list[Noticed]:
        """What stands in the way of the courier at this moment; its log has said who and why."""
        untold = sum(each.present for each in list(self._untold.values()))
        failing = sum(each.failing for each in self._lanes)
        hanging = sum(each.hanging for each in self._lanes)
        found = []
        if untold:
            said = f"{untold} of {len(self.subscribers)} subscribers cannot be told what happened, and are tried again."
            found.append(Noticed(code=AlarmCode.SUBSCRIBER_UNTOLD, sentence=said, told=True))
        if failing:
            said = f"{failing} of the courier's errands fail and are tried again; the courier's log says more."
            found.append(Noticed(code=AlarmCode.ERRAND_FAILS, sentence=said, told=True))
        if hanging:
            minutes = int(HANGS_SECONDS) // 60
            said = f"{hanging} of the courier's errands have not come to an end for more than {minutes} minutes."
            found.append(Noticed(code=AlarmCode.ERRAND_FAILS, subject="hangs", sentence=said))
        return found

    def _tell(self, subscriber: Subscriber) -> int:
        if time.monotonic() < self._quiet_until.get(subscriber.reader, 0.0):
            return 0
        try:
            told = self.deliver(subscriber)
        except StoreUnavailable:
            self._quiet_until[subscriber.reader] = time.monotonic() + REFUSED_SECONDS
            raise
        if subscriber.failures:
            pause = IDLE_SECONDS * 2 ** min(subscriber.failures, 16)
            self._quiet_until[subscriber.reader] = time.monotonic() + min(pause, LONGEST_PAUSE_SECONDS)
        return told


class _Lane:
    """One thing that the courier does again and again, by one thread at a time.

    Args:
        turn: does what is due, one portion.
        threads: whose.
        stopping: set when no turn is to follow.
    """

    def __init__(self, turn: Callable[[], int], threads: ThreadPoolExecutor, stopping: threading.Event) -> None:
        self._turn = turn
        self._threads = threads
        self._stopping = stopping
        self._busy = False
        self._since: float | None = None
        self._trouble = Trouble(_log)

    @property
    def failing(self) -> bool:
        """Whether its last turn failed."""
        return self._trouble.present

    @property
    def hanging(self) -> bool:
        """Whether its turn has taken longer than any may."""
        since = self._since
        return since is not None and time.monotonic() - since > HANGS_SECONDS

    def wake(self) -> None:
        """Take a turn, unless one is being taken."""
        if not self._busy:
            self._busy = True
            self._threads.submit(self._go)

    def _go(self) -> None:
        done = self._guarded()
        if done and not self._stopping.is_set():
            with suppress(RuntimeError):  # the threads are told to end at this moment
                self._threads.submit(self._go)  # behind the others
                return
        self._busy = False

    def _guarded(self) -> int:
        self._since = time.monotonic()
        try:
            done = self._turn()
        except StoreUnavailable:
            return 0  # whoever wakes us tells of it
        except TrialCpaError as error:
            self._trouble.begins(f"{error}")
        except Exception as error:  # noqa: BLE001 - one errand that fails must not end the others
            self._trouble.begins(f"an errand failed: {whereabouts(error)}", logging.ERROR)
        else:
            self._trouble.ends("an errand that failed is done again")
            return done
        finally:
            self._since = None
        return 0  # the next turn tries again


def _body(sealed: journal.Sealed) -> bytes:
    row = sealed.row
    return canonical(
        {
            "number": row.number,
            "kind": row.kind,
            "at": row.at,
            "subject": row.subject,
            "approvals": list(sealed.approvals),
        }
    )

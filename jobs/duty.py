"""What every job of the authority has at hand, and the lease under which it works."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.alarms import AlarmCode, Noticed, printable
from core.clock import Clock
from jobs.aside import Aside
from jobs.growing import Growing
from jobs.keyring import Keyring
from jobs.listed import Kept
from jobs.look import Look
from jobs.pace import Pace
from jobs.published import Refused, Seen
from jobs.recall import COPY_CHANGED, Copy, require_not_behind
from jobs.registering import Registering
from memory.memory import Memory
from policy.linted import Linted
from ra.desk import Rules
from store.transactions import Store, Transaction
from store.verbs import authority

_MOST_SAID, _MOST_NAMED = 4_000, 100
"""Characters of an alarm: a row may hold a megabyte where a serial number should be."""


@dataclass(frozen=True)
class Duty:
    """The authority at work.

    Args:
        store: the register.
        keyring: its signers.
        pace: how often.
        clock: the authority's; asked again by a job between whose steps signatures take their time.
        machine: the machine's own clock: leases are about machines.
        holder: the name of this process, which no other has.
        epoch: the lease under which it works.
        memory: what the authority remembers by itself.
        copy: the register's copy of that.
        rules: what the settings say about decisions.
        noticed: what its jobs have noticed in this turn.
        asides: of each job, the rows that it passes over.
        refused: of each key, the last list that the gate refused.
        seen: the lists that the register was seen to hold as they were signed.
        linted: the shapes of OCSP answers and lists of which one was linted.
        kept: the entries of the lists that were published.
        look: the register as the jobs of this turn see it.
        growing: the right edge of the public log's tree.
        registering: what is known of the public register, to be signed.
    """

    store: Store
    keyring: Keyring
    pace: Pace
    clock: Clock
    machine: Clock
    holder: str
    epoch: int
    memory: Memory
    copy: Copy
    rules: Rules = field(default_factory=Rules)
    noticed: list[Noticed] = field(default_factory=list)
    asides: dict[str, Aside] = field(default_factory=dict)
    refused: dict[str, Refused] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    linted: Linted = field(default_factory=Linted)
    kept: Kept = field(default_factory=Kept)
    look: Look = field(default_factory=Look)
    growing: Growing = field(default_factory=Growing)
    registering: Registering = field(default_factory=Registering)

    def notice(self, code: AlarmCode, sentence: str, subject: str = "") -> None:
        """Say that something is so in this turn; what no turn says any more is over (jobs/alarms.py).

        Args:
            code: what it is about.
            sentence: for everybody: nothing that is withheld, no address.
            subject: what tells it from others of its code; empty if there can only be one.
        """
        said, about = printable(sentence, _MOST_SAID), printable(subject, _MOST_NAMED)
        self.noticed.append(Noticed(code=code, sentence=said, subject=about))

    def notice_more(self, code: AlarmCode, many: int) -> None:
        """Say how many things of a kind there are beside those that were noticed one by one."""
        if many:
            self.noticed.append(Noticed.more(code, many))

    @property
    def issuing_stands(self) -> bool:
        """Whether an officer has stopped that Trial CPA Certificates are drafted and signed. Status goes on."""
        held = self.memory.issuing
        return held is not None and held.stopped

    def aside(self, job: str) -> Aside:
        """Return the rows that a job passes over, by its name."""
        return self.asides.setdefault(job, Aside(job))

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Open a reading transaction, in a turn one with the job before; StoreWentBack if the register went back."""
        with self.look.read(self.store, self.memory) as tx:
            yield tx

    @contextmanager
    def begin(self, label: str) -> Iterator[Transaction]:
        """Open a writing transaction that commits only while this process holds the lease.

        With it goes what was remembered since the last commit, so that a successor finds it where it finds the act.

        Raises:
            LeaseLost: another process holds the lease.
            StoreWentBack: the register is not the one that was sealed last.
        """
        with self.begin_to_tell(label) as tx:
            require_not_behind(tx, self.memory)
            yield tx
            copied, whole = self.copy.carry(tx)
            if not whole:
                self.notice(AlarmCode.MEMORY_COPY_CHANGED, COPY_CHANGED)
        self.copy.known = copied

    @contextmanager
    def begin_to_tell(self, label: str) -> Iterator[Transaction]:
        """Open a writing transaction for an alarm, which is told in a register that went back, too."""
        self.look.end()
        with self.store.begin(label) as tx:
            authority.require_lease(tx, self.holder, self.epoch)
            yield tx


@dataclass(frozen=True, kw_only=True)
class Lease:
    """What came of asking for the lease.

    Args:
        epoch: under which this process works; None while another one holds the lease.
        void_until: when the lease would have ended that was void, because none ends so late; None if it was not.
    """

    epoch: int | None
    void_until: datetime | None = None


def take_lease(store: Store, holder: str, machine: Clock, length: timedelta) -> Lease:
    """Take or renew the lease, unless another authority process holds it."""
    with store.begin("lease") as tx:
        real = machine.now()
        void = authority.void_lease(tx, real=real, length=length)
        return Lease(epoch=authority.take_lease(tx, holder, real=real, length=length), void_until=void)


def release_lease(store: Store, holder: str, machine: Clock) -> None:
    """Give the lease back at an orderly stop."""
    with store.begin("release lease") as tx:
        authority.release_lease(tx, holder, real=machine.now())


def later(at: datetime, by: timedelta) -> datetime:
    """Return `at + by`, or the end of time if that lies beyond it."""
    try:
        return at + by
    except OverflowError:
        return datetime.max.replace(microsecond=0, tzinfo=at.tzinfo)

"""The authority process: one turn does everything that the store says is due; turns follow each other for ever.

Only the holder of the lease works; a second authority process waits for its turn. An error in one job is logged and
the other jobs go on: a CRL that the gate refuses must not keep revocations out of OCSP.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from core.alarms import AlarmCode, Noticed
from core.clock import Clock
from core.errors import LeaseLost, StoreUnavailable, StoreWentBack, TrialCpaError
from core.instants import text
from core.kinds import ProcessRole
from core.trouble import Trouble
from jobs.alarms import Alarms
from jobs.aside import Aside
from jobs.audit import Audit
from jobs.carry_out import carry_out_revocations
from jobs.clocks import BelievedClock, Second, second_clocks
from jobs.disowned import notice_disowned
from jobs.dossiers import sign_dossiers
from jobs.doubt import Limits
from jobs.draft import draft_proposals
from jobs.duty import Duty, Lease, later, release_lease, take_lease
from jobs.ends import remember_ends
from jobs.expire import close_requests, lapse_passed, record_expiries
from jobs.following import Following
from jobs.growing import Growing
from jobs.hierarchy import keys_missed, renew_responder
from jobs.identity import compare_identity
from jobs.keyring import Keyring
from jobs.limits import compare_limits
from jobs.listed import Kept
from jobs.log import begin_log, tend_log
from jobs.orders import take_up_orders, take_up_stops
from jobs.pace import Pace
from jobs.presign import presign
from jobs.publish import publish_if_due
from jobs.published import Refused, Seen
from jobs.recall import COPY_CHANGED, Copy, catch_up, require_memory_not_behind
from jobs.register import sign_register
from jobs.registering import Registering
from jobs.roster import show_rosters
from jobs.seal import seal, seal_own
from jobs.sign import sign_seconded
from jobs.statement_signer import renew_statement_signer
from keys.place import Tokens
from memory.memory import Memory
from policy.linted import Linted
from ra.desk import Rules
from store.hearing import Hearing
from store.reading import work
from store.transactions import Store

_log = logging.getLogger(__name__)

WAITING_SECONDS = 0.5
"""Rest of an authority process that waits for the lease, or for the store to come back."""

STAYS = timedelta(hours=24)
LASTING = frozenset(
    {
        AlarmCode.ACT_UNPROVED,
        AlarmCode.DECISION_UNPROVED,
        AlarmCode.END_UNPROVED,
        AlarmCode.FACT_AHEAD,
        AlarmCode.JOURNAL_CHANGED,
        AlarmCode.LEASE_VOID,
        AlarmCode.LIST_UNKNOWN,
        AlarmCode.MEMORY_COPY_CHANGED,
        AlarmCode.REGISTER_CONTRADICTS,
    }
)
"""What is not over because nothing says it any more: somebody changed the register, and has to be looked for."""

_MOST_STAY = 1_000
"""Of those, what is kept; whoever writes a million rows is looked for because of the first."""

Job: TypeAlias = Callable[[Duty, datetime], int]
"""Something that is done in a turn; it returns how much was."""

_RENEWALS = 3
"""The lease is renewed this many times in its length."""


@dataclass
class Authority:
    """One authority process.

    Args:
        store: the register.
        clock: the authority's clock (a test authority's may run ahead).
        machine: the machine's own clock, for leases.
        keyring: the signers.
        memory: what this authority remembers by itself, outside the store.
        pace: how often.
        rules: what the settings say about decisions: how many officers must agree.
        holder: a name that no other process has.
        second: asks other clocks where this machine's is doubted; None for those that there are.
        audit: where its reading of the register again stands.
        reopen: opens the keys anew, where that needs nobody; None where a person has to give their passphrase.
        following: looks, beside the turns, whether everything follows from the journal; None where nobody does.
        tokens: in which some of the keys are; None where none is.
    """

    store: Store
    clock: Clock
    machine: Clock
    keyring: Keyring
    memory: Memory
    pace: Pace = field(default_factory=Pace)
    rules: Rules = field(default_factory=Rules)
    holder: str = field(default_factory=lambda: f"authority-{secrets.token_hex(8)}")
    second: Second | None = None
    audit: Audit = field(default_factory=Audit, repr=False)
    reopen: Callable[[], Keyring] | None = field(default=None, repr=False)
    following: Following | None = field(default=None, repr=False)
    tokens: Tokens | None = field(default=None, repr=False)
    _believed: BelievedClock = field(init=False, repr=False)
    _renewed: float = field(default=0.0, init=False, repr=False)
    _epoch: int | None = field(default=None, init=False, repr=False)
    _copy: Copy = field(init=False, repr=False)
    _silent: Trouble = field(default_factory=lambda: Trouble(_log), init=False, repr=False)
    _waiting: Trouble = field(default_factory=lambda: Trouble(_log), init=False, repr=False)
    _troubles: dict[str, Trouble] = field(default_factory=dict, init=False, repr=False)
    _failing: Trouble = field(default_factory=lambda: Trouble(_log), init=False, repr=False)
    _asides: dict[str, Aside] = field(default_factory=dict, init=False, repr=False)
    _refused: dict[str, Refused] = field(default_factory=dict, init=False, repr=False)
    _seen: Seen = field(default_factory=Seen, init=False, repr=False)
    _linted: Linted = field(default_factory=Linted, init=False, repr=False)
    _kept: Kept = field(default_factory=Kept, init=False, repr=False)
    _growing: Growing = field(default_factory=Growing, init=False, repr=False)
    _registering: Registering = field(default_factory=Registering, init=False, repr=False)
    _noticed: dict[str, list[Noticed]] = field(default_factory=dict, init=False, repr=False)
    _stays: dict[tuple[AlarmCode, str], tuple[Noticed, datetime]] = field(default_factory=dict, init=False, repr=False)
    _alarms: Alarms = field(
        default_factory=lambda: Alarms(ProcessRole.AUTHORITY, _log, alone=True), init=False, repr=False
    )

    def __post_init__(self) -> None:
        self._believed = BelievedClock(
            self.clock,
            self.memory,
            self.second or second_clocks(self.store),
            Limits(most_jump=self.pace.most_jump, longest_rest=self.pace.longest_rest),
            self.memory.begun.environment,
        )

    def run(self, stopping: threading.Event, ready: Callable[[], None] = lambda: None) -> None:
        """Work until `stopping` is set; `ready` is called once the lease is held for the first time."""
        hearing = self.store.hearing()
        if self.following is not None:
            threading.Thread(target=self.following.run, args=(stopping,), name="following", daemon=True).start()
        try:
            self._work(stopping, ready, hearing)
        finally:
            hearing.close()
        if self._epoch is not None:
            with suppress(StoreUnavailable):  # it runs out by itself
                release_lease(self.store, self.holder, self.machine)

    def _work(self, stopping: threading.Event, ready: Callable[[], None], hearing: Hearing) -> None:
        announced, before = False, (0, 0)
        while not stopping.is_set():
            try:
                before = self._pulse()  # first: what is done while the turn looks elsewhere is not slept over
                worked = self.turn()
            except StoreUnavailable as error:
                self._silent.begins(f"{error} Nothing is signed until it answers.")
                worked = None
            else:
                self._silent.ends("The register answers again; the authority works.")
            if worked is not None and not announced:
                announced = True
                ready()
            if worked is None:
                stopping.wait(WAITING_SECONDS)
            elif not worked:
                self._rest(stopping, before, hearing)

    def turn(self) -> int | None:
        """Do everything that is due now, once.

        Returns:
            How much was done; None if another process holds the lease.

        Raises:
            StoreWentBack: the register is older than what was sealed; nothing is done, and people must look.
            MemoryBehind, MemoryForked, MemoryUnusable: what was signed before is not known.
        """
        try:
            done = self._turn()
        except TrialCpaError:
            raise
        except Exception as error:  # noqa: BLE001 - a value that nothing foresaw, where no job has come to yet
            self._failing.begins(
                f"The authority cannot work ({type(error).__name__}); it tries again.", logging.ERROR, error
            )
            return None
        self._failing.ends("The authority works again.")
        return done

    def _turn(self) -> int | None:
        duty = self._duty()
        if duty is None:
            return None
        with duty.look.lasting():
            return self._worked(duty)

    def _worked(self, duty: Duty) -> int:
        self._require_not_behind(duty)
        self._noticed["clock"] = self._believed.look()
        # Each job asks for itself: an instant taken before a long job would be in the past after it.
        done = 0
        for job in self._jobs():
            if duty.keyring is not self.keyring:
                duty = replace(duty, keyring=self.keyring)  # one that was taken up is used in the same turn
            done += self._guarded(job, duty, self._believed.now())
        if done:
            done += self._guarded(seal_own, duty, self._believed.now())
        done += self._guarded(tend_log, duty, self._believed.now())
        doubt = self._believed.doubt
        if doubt is None or doubt.agreed:
            done += self._guarded(sign_register, duty, self._believed.now())
        self._guarded(self.look_at_tokens, duty, self._believed.now())
        self._guarded(self.tell_alarms, duty, self._believed.now())
        return done

    def _jobs(self) -> tuple[Job, ...]:
        """Return what is done in this turn: all of it, or what is done while the clock is doubted.

        Ends are always taken. What states them is renewed while a second clock shows what ours does; if none does, what
        is in force stays, and nothing is said to be newer than what may be.
        """
        # First: what the others act upon is sealed, under a signed head, before they do.
        always: tuple[Job, ...] = (
            begin_log,
            seal,
            take_up_stops,
            show_rosters,
            compare_identity,
            self.take_up_keys,
            carry_out_revocations,
            remember_ends,
            notice_disowned,
        )
        renewed: tuple[Job, ...] = (presign, publish_if_due)
        doubt = self._believed.doubt
        if doubt is not None:
            return (*always, *renewed, self.audit.audit) if doubt.agreed else (*always, self.audit.audit)
        dated: tuple[Job, ...] = (
            take_up_orders,
            renew_responder,
            renew_statement_signer,
            record_expiries,
            lapse_passed,
            close_requests,
            compare_limits,
            draft_proposals,
            sign_seconded,
            sign_dossiers,
        )
        return (*always, *dated, *renewed, self.audit.audit)

    def settle(self, most: int = 1_000) -> None:
        """Take turns until nothing is due: for tests, benches and `--once`."""
        for _ in range(most):
            if not self.turn():
                return

    def _rest(self, stopping: threading.Event, before: tuple[int, int], hearing: Hearing) -> None:
        """Wait until somebody has acted or a second has passed: what time alone makes due is due to the second."""
        until = time.monotonic() + 1.0
        try:
            while (left := until - time.monotonic()) > 0 and not stopping.is_set():
                # Our own commits, and what is none of ours, are told as well: the pulse says whether to work.
                if hearing.wait(left, stopping) and self._pulse() != before:
                    return
        except StoreUnavailable:
            stopping.wait(WAITING_SECONDS)  # the next turn finds it, and tells

    def _pulse(self) -> tuple[int, int]:
        with self.store.read() as tx:
            return work.pulse(tx)

    def _duty(self) -> Duty | None:
        # The lease is about the machine, so its renewal goes by the machine's own seconds.
        age = time.monotonic() - self._renewed
        if self._epoch is None or age > self.pace.lease_length.total_seconds() / _RENEWALS:
            before, self._epoch = self._epoch, None
            lease = take_lease(self.store, self.holder, self.machine, self.pace.lease_length)
            self._epoch = lease.epoch
            self._noticed["lease"] = _void(lease)
            self._renewed = time.monotonic()
            if self._epoch is not None and self._epoch != before:
                self._take_over()
        if self._epoch is None:
            self._waiting.begins("Another authority process holds the lease; this one waits for it.", logging.INFO)
            return None
        self._waiting.ends("This authority process holds the lease now.")
        return Duty(
            store=self.store,
            keyring=self.keyring,
            pace=self.pace,
            clock=self._believed,
            machine=self.machine,
            holder=self.holder,
            epoch=self._epoch,
            memory=self.memory,
            copy=self._copy,
            asides=self._asides,
            refused=self._refused,
            seen=self._seen,
            linted=self._linted,
            kept=self._kept,
            growing=self._growing,
            registering=self._registering,
            rules=self.rules,
        )

    def _require_not_behind(self, duty: Duty) -> None:
        """Do nothing on top of a register that went back; what stands in it says so to whoever asks."""
        try:
            with duty.read():
                return
        except StoreWentBack as error:
            noticed = Noticed(code=AlarmCode.STORE_WENT_BACK, sentence=str(error))
            with suppress(LeaseLost):  # whoever works instead finds the same, and tells it
                self._alarms.hold(duty.store.read, duty.begin_to_tell, [noticed], self._believed.now())
            raise

    def _lasting(self, at: datetime) -> list[Noticed]:
        """Return what was noticed in an act that is over: it stays for a while, so that somebody sees it."""
        for each in (one for noticed in self._noticed.values() for one in noticed if one.code in LASTING):
            if len(self._stays) < _MOST_STAY or (each.code, each.subject) in self._stays:
                self._stays[each.code, each.subject] = (each, later(at, STAYS))
        self._stays = {key: kept for key, kept in self._stays.items() if kept[1] > at}
        return [each for each, _ in self._stays.values()]

    def _take_over(self) -> None:
        """Know what another process of this authority remembered, before anything is signed."""
        now = self._believed.now()
        try:
            whole = catch_up(self.store, self.memory, now)
            require_memory_not_behind(self.store, self.memory, self.keyring)
        except Exception:
            self._epoch = None  # what cannot take over works on nothing, and does not keep others from it
            raise
        self._copy = Copy(self.memory, whole=whole)
        self._growing, self._registering = Growing(), Registering()
        self._kept = Kept()  # what was taken over may have come before what was known
        if not whole:
            changed = Noticed(code=AlarmCode.MEMORY_COPY_CHANGED, sentence=COPY_CHANGED)
            self._stays[changed.code, changed.subject] = (changed, later(now, STAYS))

    def take_up_keys(self, duty: Duty, at: datetime) -> int:
        """Open the key of an issuing CA or a responder that an operator has made since.

        Until it is at hand everything goes on under the keys before it, and what needs it waits.
        """
        missed = keys_missed(duty, at)
        if missed and self.reopen is not None:
            self.keyring = self.reopen()
            missed = keys_missed(replace(duty, keyring=self.keyring), at)
        for each in missed:
            told = f"The key of {each.subject} ({each.key_id}) is not at hand; start the authority process again."
            duty.notice(AlarmCode.KEY_NOT_AT_HAND, told, subject=each.key_id)
        return 0

    def look_at_tokens(self, duty: Duty, at: datetime) -> int:  # noqa: ARG002 - all jobs are alike
        """Say which token is out of use. Everything that its keys are not needed for goes on."""
        for name, why in (self.tokens.out_of_use() if self.tokens is not None else {}).items():
            told = f"The token {name} is out of use ({why.code}): nothing is signed with the keys in it."
            duty.notice(AlarmCode.TOKEN_OUT_OF_USE, told, subject=name)
        return 0

    def tell_alarms(self, duty: Duty, at: datetime) -> int:
        """Let the register say what the jobs of this turn have noticed; the last job of a turn."""
        noticed = [*self._lasting(at), *(each for one in self._noticed.values() for each in one)]
        noticed += [] if self.following is None else self.following.noticed()
        return self._alarms.hold(duty.read, duty.begin, noticed, at)

    def _guarded(self, job: Callable[[Duty, datetime], int], duty: Duty, at: datetime) -> int:
        name = job.__name__
        trouble = self._troubles.setdefault(name, Trouble(_log))
        try:
            done = int(job(duty, at))
        except LeaseLost as error:
            self._epoch = None
            _log.warning("%s", error)
            duty.noticed.clear()  # the next holder notices
            return 0
        except StoreUnavailable:
            raise
        except TrialCpaError as error:
            trouble.begins(f"{name}: {error} {error.hint}", logging.ERROR)
            why = error.code
        except OSError as error:
            # The folder of the keys is on a disk too, which may be full or read-only.
            why = error.strerror or type(error).__name__
            trouble.begins(f"{name}: {why}", logging.ERROR)
        except Exception as error:  # noqa: BLE001 - whatever the register may hold: the other jobs go on
            why = type(error).__name__
            trouble.begins(f"{name}: {why}", logging.ERROR, error)
        else:
            trouble.ends(f"{name} is done again.")
            self._noticed[name] = list(duty.noticed)
            duty.noticed.clear()
            return done
        # It may not have come to where it notices what it noticed before: that stays, with the new.
        kept = {(each.code, each.subject): each for each in (*self._noticed.get(name, ()), *duty.noticed)}
        failure = Noticed(
            code=AlarmCode.JOB_FAILS,
            subject=name,
            sentence=f"The authority's job {name} fails and is tried again ({why}); the authority's log says more.",
            told=True,
        )
        self._noticed[name] = list((kept | {(failure.code, name): failure}).values())
        duty.noticed.clear()
        return 0


def _void(lease: Lease) -> list[Noticed]:
    if lease.void_until is None:
        return []
    said = f"The authority's lease was to end at {text(lease.void_until)}, later than any lease does: it was void."
    return [Noticed(code=AlarmCode.LEASE_VOID, sentence=said)]

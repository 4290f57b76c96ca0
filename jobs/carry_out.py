"""carry_out: many approvals that officers revoked by one decision are ended, a portion at a time, and told of.

The decision counts as every other does: by what its officers signed, as it was sealed. A portion is one transaction; an
approval that has ended meanwhile keeps its first end, and is counted. If we die in a portion nothing of it was done; if
we die behind it, the next turn goes on behind it. Lists and answers follow as ends are remembered (jobs/ends.py).

An approval whose rows cannot be read keeps no other one waiting: it is passed over, and tried again when all others are
through. What has become of each is in the outcomes; how far it has come is a number that says only where to go on.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from core.actors import AUTHORITY
from core.alarms import AlarmCode
from core.canonical import Json
from core.clauses import serves
from core.facts import Fact, FactKind
from jobs.aside import NO_ROW_S_FAULT, Aside
from jobs.duty import Duty
from jobs.evidence import Evidence
from jobs.seal import seal
from ra.deciding import notice
from ra.deciding.end_many import end_approvals
from ra.deciding.many import is_of_many, listed_in, of_one
from ra.telling.listing import instruct
from store.reading import requests, work
from store.reading import revocations as reading
from store.reading.revocations import UnderWay
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import facts
from store.verbs import revocations as verbs

ENDED_AT_ONCE, TOLD_AT_ONCE = 1_000, 100
"""Approvals of one transaction."""

ENDED_IN_A_TURN = 2_000
"""Approvals after which what was ended is sealed, remembered, answered and listed, in the same turn: no channel is to
be far behind another, and nobody else is to wait for long."""

SECONDS = 2.0
"""For how long one turn goes on with it."""

_log = logging.getLogger(__name__)


def carry_out_revocations(duty: Duty, at: datetime) -> int:
    """Go on with the revocations of many that were decided; return how many approvals were dealt with, or told of."""
    with duty.read() as tx:
        under_way = reading.under_way(tx)
    aside = duty.aside("carry_out_revocations")
    over = aside.passed_over(duty.noticed, at) if under_way else frozenset[str]()
    waiting = [each for each in under_way if each.decision not in over]
    return sum(aside.alone(duty.noticed, each.decision, at, partial(_one, duty, each, at)) or 0 for each in waiting)


def _one(duty: Duty, act: UnderWay, at: datetime) -> int:
    with duty.read() as tx:
        evidence = Evidence(tx, duty.memory, duty.rules, [act.decision])
        lacking = evidence.lacking(act.decision)
        decision = requests.decision(tx, act.decision)
    listed = listed_in(decision) if is_of_many(decision) else None
    if lacking is not None and lacking.waits:
        return 0
    if lacking is not None or listed is None:
        why = "its list is not the one that it was decided by" if lacking is None else lacking.why
        duty.notice(
            AlarmCode.ACT_UNPROVED,
            f"The register says that {act.total} approvals are revoked by {act.decision}; {why}: none is.",
            subject=act.decision,
        )
        return 0
    if len(listed) != act.total:
        with duty.begin("carry out revocations") as tx:  # the list counts, and not what a row says of it
            verbs.reopen(tx, act.decision, total=len(listed), at=at)
        return 1
    aside = duty.aside("carry_out_revocations")
    carrying = _CarryingOut(duty=duty, aside=aside, decision=decision, listed=listed, at=at)
    return carrying.go_on(act.done, act.told)


@dataclass(frozen=True, kw_only=True)
class _CarryingOut:
    """One turn's work on one revocation of many.

    Args:
        duty: whose.
        aside: where approvals stand that cannot be dealt with now.
        decision: by which they are revoked; it is proved.
        listed: the approvals, in order.
        at: now.
    """

    duty: Duty
    aside: Aside
    decision: Decision
    listed: Sequence[str]
    at: datetime

    def go_on(self, ended: int, told: int) -> int:
        """Go on for a while from how far it has come; return how many approvals were dealt with, or told of."""
        done, until = 0, time.monotonic() + SECONDS
        while ended < len(self.listed) and done < ENDED_IN_A_TURN and time.monotonic() < until:
            portion = self.listed[ended : ended + ENDED_AT_ONCE]
            if not self._all_or_each(portion, ended, self._end):
                return done  # another process was first: the next turn reads how far it is
            ended, done = ended + len(portion), done + len(portion)
        if done:
            seal(self.duty, self.duty.clock.now())  # so that the ends count in this turn, and none is judged twice
            return done
        waits = self._channels_wait()
        while told < len(self.listed) and time.monotonic() < until:
            portion = self.listed[told : told + TOLD_AT_ONCE]
            if not self._all_or_each(portion, told, self._tell):
                return done
            told, done = told + len(portion), done + len(portion)
            if waits:
                return done  # answers and lists come first; but what cannot be answered holds up no notice for ever
        return done if told < len(self.listed) else done + self._the_rest(until)

    def _channels_wait(self) -> bool:
        with self.duty.read() as tx:
            return work.ends_wait(tx, self.duty.clock.now())

    def _the_rest(self, until: float) -> int:
        """Try again what was passed over; when nothing is left, the act is finished."""
        if self.aside.stand_aside(self.at).intersection(self.listed):
            return 0  # they are tried together
        with self.duty.read() as tx:
            become = reading.counted(tx, self.decision.id)
            whole = become.ended + become.already_ended == len(self.listed)
            unended = [] if whole else reading.without_outcome(tx, self.decision.id, self.listed)
            untold = reading.untold(tx, self.decision.id, None)
        done = 0
        for left, most, act in ((unended, ENDED_AT_ONCE, self._end), (untold, TOLD_AT_ONCE, self._tell)):
            for first in range(0, len(left), most):
                if time.monotonic() >= until:
                    return done
                portion = left[first : first + most]
                self._all_or_each(portion, None, act)
                done += len(portion)
        if not unended:
            self._tell((), None)  # it is finished, unless one is passed over again
        return done

    def _all_or_each(
        self, portion: Sequence[str], place: int | None, act: Callable[[Sequence[str], int | None], bool]
    ) -> bool:
        """Do something about a portion together; if that fails, about each alone, and pass over those where it fails.

        Args:
            portion: of the approvals.
            place: of its first in the list, where the act goes on with it; None where it is tried again.
            act: what is done.

        Returns:
            False if another process has gone on from there.
        """
        try:
            return act(portion, place)
        except NO_ROW_S_FAULT:
            raise
        except Exception:  # noqa: BLE001 - see below: on which of them it fails
            _log.info("a portion of %d of %s is done one by one", len(portion), self.decision.id)
        for count, each in enumerate(portion):
            here = None if place is None else place + count
            going_on = self.aside.alone(self.duty.noticed, each, self.at, partial(act, (each,), here))
            if going_on is None:
                going_on = here is None or self._pass_over(here, act)
            if not going_on:
                return False
        return True

    def _pass_over(self, place: int, act: Callable[[Sequence[str], int | None], bool]) -> bool:
        if act == self._tell:
            with self.duty.begin("tell of revocations") as tx:
                return verbs.tell(tx, self.decision.id, told=place, by=1)
        with self.duty.begin("carry out revocations") as tx:
            if not verbs.advance(tx, self.decision.id, done=place, by=1):
                return False
            self._carried_out(tx, place, 1, {}, self.duty.clock.now())
        return True

    @serves("F2.30", "F2.31")
    def _end(self, portion: Sequence[str], place: int | None) -> bool:
        """End a portion of the approvals; return whether it was this call that did."""
        duty, decision = self.duty, self.decision
        with duty.begin("carry out revocations") as tx:
            if place is not None and not verbs.advance(tx, decision.id, done=place, by=len(portion)):
                return False
            at = duty.clock.now()  # only now: waiting for our turn to write must not backdate an end
            open_still = reading.without_outcome(tx, decision.id, portion)
            outcomes = end_approvals(tx, open_still, decision=decision, actor=AUTHORITY, at=at) if open_still else {}
            verbs.record(tx, decision.id, outcomes)
            begins = self.listed.index(portion[0]) if place is None else place
            self._carried_out(tx, begins, len(portion), outcomes, at)
        return True

    def _carried_out(
        self, tx: Transaction, begins: int, count: int, outcomes: Mapping[str, datetime | None], at: datetime
    ) -> None:
        before: list[Json] = [each for each, ended in outcomes.items() if ended is None]
        said: dict[str, Json] = {
            "decision": self.decision.id,
            "from": begins,
            "to": begins + count,
            "ended": len(outcomes) - len(before),
            "already_ended": before,
        }
        facts.record(tx, Fact(FactKind.REVOCATIONS_CARRIED_OUT, at, AUTHORITY, subject=self.decision.id, payload=said))

    @serves("F2.27", "F2.30")
    def _tell(self, portion: Sequence[str], place: int | None) -> bool:
        """Write the notices of a portion of the ended, and tell the Panel; return whether it was this call that did."""
        duty, decision, total = self.duty, self.decision, len(self.listed)
        with duty.begin("tell of revocations") as tx:
            if place is not None and not verbs.tell(tx, decision.id, told=place, by=len(portion)):
                return False
            at = duty.clock.now()
            for approval in reading.untold(tx, decision.id, portion):
                instruct(tx, approval, cause=decision.id, actor=AUTHORITY, at=at)
                notice.write(tx, of_one(decision, approval), actor=AUTHORITY, at=at)
            last = place is None or place + len(portion) == total
            if last and reading.is_done(tx, decision.id, total) and verbs.finish(tx, decision.id, at=at):
                said: dict[str, Json] = {"decision": decision.id, "total": total}
                facts.record(tx, Fact(FactKind.REVOCATIONS_FINISHED, at, AUTHORITY, subject=decision.id, payload=said))
        return True

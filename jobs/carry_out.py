"""carry_out: many approvals that officers revoked by one decision are ended, a portion at a time, and told of.

The decision counts as every other does: by what its officers signed, as it was sealed. A portion is one transaction; an
approval that has ended meanwhile keeps its first end, and is counted. If we die in a portion nothing of it was done; if
we die behind it, the next turn goes on behind it. Lists and answers follow as ends are remembered (jobs/ends.py).
"""

import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from core.actors import AUTHORITY
from core.alarms import AlarmCode
from core.canonical import Json
from core.clauses import serves
from core.facts import Fact, FactKind
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
from store.verbs import facts
from store.verbs import revocations as verbs

ENDED_AT_ONCE, TOLD_AT_ONCE = 1_000, 100
"""Approvals of one transaction."""

ENDED_IN_A_TURN = 2_000
"""Approvals after which what was ended is sealed, remembered, answered and listed, in the same turn: no channel is to
be far behind another, and nobody else is to wait for long."""

SECONDS = 2.0
"""For how long one turn goes on with it."""


def carry_out_revocations(duty: Duty, at: datetime) -> int:
    """Go on with the revocations of many that were decided; return how many approvals were dealt with, or told of."""
    with duty.read() as tx:
        under_way = reading.under_way(tx)
    aside = duty.aside("carry_out_revocations")
    over = aside.passed_over(duty.noticed, at) if under_way else frozenset[str]()
    waiting = [each for each in under_way if each.decision not in over]
    return sum(aside.alone(duty.noticed, each.decision, at, partial(_one, duty, each)) or 0 for each in waiting)


def _one(duty: Duty, act: UnderWay) -> int:
    with duty.read() as tx:
        evidence = Evidence(tx, duty.memory, duty.rules, [act.decision])
        lacking = evidence.lacking(act.decision)
        decision = requests.decision(tx, act.decision)
    listed = listed_in(decision) if is_of_many(decision) else None
    if lacking is not None and lacking.waits:
        return 0
    if lacking is not None or listed is None or len(listed) != act.total:
        why = "its list is not the one that it was decided by" if lacking is None else lacking.why
        duty.notice(
            AlarmCode.ACT_UNPROVED,
            f"The register says that {act.total} approvals are revoked by {act.decision}; {why}: none is.",
            subject=act.decision,
        )
        return 0
    done, until = 0, time.monotonic() + SECONDS
    ended, told = act.done, act.told
    while ended < act.total and done < ENDED_IN_A_TURN and time.monotonic() < until:
        portion = listed[ended : ended + ENDED_AT_ONCE]
        if not _end(duty, decision, portion, ended):
            return done  # another process was first: the next turn reads how far it is
        ended, done = ended + len(portion), done + len(portion)
    if done:
        seal(duty, duty.clock.now())  # so that the ends count in this turn, and none is judged twice
        return done
    waits = _waits_for_channels(duty)
    while told < act.total and time.monotonic() < until:
        portion = listed[told : told + TOLD_AT_ONCE]
        if not _tell(duty, decision, portion, told, act.total):
            break
        told, done = told + len(portion), done + len(portion)
        if waits:
            break  # answers and lists come before notices; but what cannot be answered is to hold up none for ever
    return done


def _waits_for_channels(duty: Duty) -> bool:
    with duty.read() as tx:
        return work.ends_wait(tx, duty.clock.now())


@serves("F2.30", "F2.31")
def _end(duty: Duty, decision: Decision, portion: Sequence[str], done: int) -> bool:
    """End a portion of the approvals; return whether it was this call that did."""
    with duty.begin("carry out revocations") as tx:
        if not verbs.advance(tx, decision.id, done=done, by=len(portion)):
            return False
        at = duty.clock.now()  # only now: waiting for our turn to write must not backdate an end
        outcomes = end_approvals(tx, portion, decision=decision, actor=AUTHORITY, at=at)
        verbs.record(tx, decision.id, outcomes)
        before: list[Json] = [each for each, ended in outcomes.items() if ended is None]
        said: dict[str, Json] = {
            "decision": decision.id,
            "from": done,
            "to": done + len(portion),
            "ended": len(portion) - len(before),
            "already_ended": before,
        }
        facts.record(tx, Fact(FactKind.REVOCATIONS_CARRIED_OUT, at, AUTHORITY, subject=decision.id, payload=said))
    return True


@serves("F2.27", "F2.30")
def _tell(duty: Duty, decision: Decision, portion: Sequence[str], told: int, total: int) -> bool:
    """Write the notices of a portion of the ended, and tell the Panel; return whether it was this call that did."""
    with duty.begin("tell of revocations") as tx:
        if not verbs.tell(tx, decision.id, told=told, by=len(portion)):
            return False
        at, ended = duty.clock.now(), reading.ended_by(tx, decision.id, portion)
        for approval in ended:
            instruct(tx, approval, cause=decision.id, actor=AUTHORITY, at=at)
            notice.write(tx, of_one(decision, approval), actor=AUTHORITY, at=at)
        if told + len(portion) == total and verbs.finish(tx, decision.id, at=at):
            said: dict[str, Json] = {"decision": decision.id, "total": total}
            facts.record(tx, Fact(FactKind.REVOCATIONS_FINISHED, at, AUTHORITY, subject=decision.id, payload=said))
    return True

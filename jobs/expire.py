"""expire: the journal learns what time has done. Nothing waits for it: status is computed from the instant."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from core.actors import AUTHORITY
from core.clauses import serves
from core.facts import Fact, FactKind
from jobs.duty import Duty
from jobs.ends import make_expiries_final
from ra.deciding.lapse import lapse, passed
from ra.telling.lapsed_request import close_end_request, close_request
from ra.telling.listing import EXPIRY, instruct
from store.reading import approvals as approval_reading
from store.reading import requests, work
from store.reading.amendment_requests import open_after_the_end
from store.reading.end_requests import ends_open_after_the_end
from store.rows import Decision
from store.verbs import approvals, facts

_PORTION = 500
"""Proposals whose approvals are read at once."""


@serves("F2.31")
def record_expiries(duty: Duty, at: datetime) -> int:
    """Journal every approval that has expired since the last turn; return how many."""
    make_expiries_final(duty, at)
    aside = duty.aside("record_expiries")
    with duty.read() as tx:
        expired = work.expired_unrecorded(tx, at, aside.passed_over(duty.noticed, at))
    return sum(aside.together(duty.noticed, expired, str, at, lambda some: _record(duty, some, at)))


def _record(duty: Duty, expired: Sequence[str], at: datetime) -> int:
    with duty.begin("record expiries") as tx:
        approval_reading.hold(tx, expired)
        for identifier in expired:
            if approvals.record_expiry(tx, identifier, at=at):
                facts.record(
                    tx,
                    Fact(
                        kind=FactKind.APPROVAL_EXPIRED,
                        at=at,
                        actor=AUTHORITY,
                        subject=identifier,
                        approvals=(identifier,),
                    ),
                )
                instruct(tx, identifier, cause=EXPIRY, actor=AUTHORITY, at=at)
    return len(expired)


def lapse_passed(duty: Duty, at: datetime) -> int:
    """Let proposals lapse whose dates have passed or whose approval has ended; return how many."""
    aside = duty.aside("lapse_passed")
    over = aside.passed_over(duty.noticed, at)
    with duty.read() as tx:
        waiting = [each for each in requests.open_decisions(tx) if each.id not in over]
    lapsed = 0
    for first in range(0, len(waiting), _PORTION):
        portion, whys = waiting[first : first + _PORTION], dict[str, str]()
        for some in aside.together(duty.noticed, portion, lambda each: each.id, at, lambda some: _whys(duty, some, at)):
            whys |= some
        for decision in portion:
            if decision.id in whys:
                why = whys[decision.id]
                lapsed += aside.alone(duty.noticed, decision.id, at, partial(_lapse, duty, decision, why, at)) or 0
    return lapsed


def _whys(duty: Duty, waiting: Sequence[Decision], at: datetime) -> dict[str, str]:
    """Return why proposals can no longer be decided, by identifier; those that can are left out."""
    with duty.read() as tx:
        approval_reading.read_ahead(tx, (each.approval for each in waiting if each.approval is not None))
        found = {each.id: passed(tx, each, at) for each in waiting}
    return {each: why for each, why in found.items() if why is not None}


def _lapse(duty: Duty, decision: Decision, why: str, at: datetime) -> int:
    with duty.begin("lapse") as tx:
        return int(lapse(tx, decision, why=why, actor=AUTHORITY, at=at))


@serves("F2.29", "F2.30", "F2.31")
def close_requests(duty: Duty, at: datetime) -> int:
    """Close requests for amendments and ends whose approvals have ended, by an act or by time; return how many.

    One that a proposal holds waits until that is decided or has lapsed: then it is open again, and found here.
    """
    aside = duty.aside("close_requests")
    with duty.read() as tx:
        over = aside.passed_over(duty.noticed, at)
        waiting = [(each.id, _close) for each in open_after_the_end(tx, at, but=over)]
        waiting += [(each, _close_end) for each in ends_open_after_the_end(tx, at, but=over)]
    closed = 0
    for asked, close in waiting:
        closed += aside.alone(duty.noticed, asked, at, partial(close, duty, asked, at)) or 0
    return closed


def _close(duty: Duty, request: str, at: datetime) -> int:
    with duty.begin("close request") as tx:
        return int(close_request(tx, request, actor=AUTHORITY, at=at))


def _close_end(duty: Duty, request: str, at: datetime) -> int:
    with duty.begin("close request for an end") as tx:
        return int(close_end_request(tx, request, actor=AUTHORITY, at=at))

"""expire: the journal learns what time has done. Nothing waits for it: status is computed from the instant."""

from datetime import datetime

from core.actors import AUTHORITY
from core.clauses import serves
from core.facts import Fact, FactKind
from jobs.duty import Duty
from ra.deciding.lapse import lapse, passed
from ra.telling.listing import EXPIRY, instruct
from store.reading import requests, work
from store.verbs import approvals, facts


@serves("F2.31")
def record_expiries(duty: Duty, at: datetime) -> int:
    """Journal every approval that has expired since the last turn; return how many."""
    with duty.store.read() as tx:
        expired = work.expired_unrecorded(tx, at)
    if not expired:
        return 0
    with duty.begin("record expiries") as tx:
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
    with duty.store.read() as tx:
        waiting = [(each, why) for each in requests.open_decisions(tx) if (why := passed(tx, each, at)) is not None]
    for decision, why in waiting:
        with duty.begin("lapse") as tx:
            lapse(tx, decision, why=why, actor=AUTHORITY, at=at)
    return len(waiting)

"""lapsed_request: what a Manufacturer asks of an approval is closed because that has ended, and it is told.

Nobody decides this: it follows from the end (F2.31), whoever or whatever brought that about. The notice names the
request and no word of it. Of a request for an amendment all three are told, who would have been told of its outcome; of
one for the end its Manufacturer alone.
"""

from collections.abc import Sequence
from datetime import datetime

from core.actors import Actor
from core.canonical import Json
from core.classification import Recipient
from core.clauses import serves
from core.facts import Fact, FactKind
from core.instants import text
from core.kinds import AmendmentRequestState, EndRequestState, NoticeKind
from core.status import open_at
from ra.telling.undecided import Undecided, write_undecided
from store.reading import approvals as approval_reading
from store.reading.amendment_requests import amendment_request
from store.reading.end_requests import end_request
from store.transactions import Transaction
from store.verbs import amendment_requests, end_requests, facts

TITLE = "Request for an amendment closed: the approval has ended"
END_TITLE = "Request for the end of an approval closed: it has ended"
_CLAUSE = "F2.31"


@serves("F2.29", "F2.31")
def close_request(tx: Transaction, identifier: str, *, actor: Actor, at: datetime) -> bool:
    """Close an open request for an amendment whose approval has ended, with its notice; return whether there was one.

    Args:
        tx: of this act alone.
        identifier: of the request.
        actor: who found that the approval has ended.
        at: now.
    """
    asked = amendment_request(tx, identifier)
    approval = approval_reading.locked(tx, asked.approval)
    # Asked again under the lock: its Manufacturer may have taken it back at this moment.
    if amendment_request(tx, identifier).state is not AmendmentRequestState.OPEN or open_at(approval, at):
        return False
    free, lapsed = AmendmentRequestState.OPEN, AmendmentRequestState.LAPSED
    amendment_requests.move(tx, identifier, needed=free, to=lapsed, at=at)
    said: dict[str, Json] = {"request": identifier}
    facts.record(tx, Fact(FactKind.AMENDMENT_REQUEST_LAPSED, at, actor, subject=asked.approval, payload=said))
    told = Undecided(
        kind=NoticeKind.REQUEST_LAPSED,
        title=TITLE,
        clause=_CLAUSE,
        facts=_asked("F2.29", "Request for an amendment", identifier, asked.asked_at),
        named=said,
    )
    write_undecided(tx, told, asked.approval, actor=actor, at=at)
    return True


@serves("F2.30", "F2.31")
def close_end_request(tx: Transaction, identifier: str, *, actor: Actor, at: datetime) -> bool:
    """Close an open request for the end of an approval that has ended otherwise; for the rest see `close_request`."""
    asked = end_request(tx, identifier)
    approval = approval_reading.locked(tx, asked.approval)
    if end_request(tx, identifier).state is not EndRequestState.OPEN or open_at(approval, at):
        return False
    end_requests.move(tx, identifier, needed=EndRequestState.OPEN, to=EndRequestState.LAPSED, at=at)
    said: dict[str, Json] = {"request": identifier}
    facts.record(tx, Fact(FactKind.END_REQUEST_LAPSED, at, actor, subject=asked.approval, payload=said))
    told = Undecided(
        kind=NoticeKind.END_REQUEST_LAPSED,
        title=END_TITLE,
        clause=_CLAUSE,
        facts=_asked("F2.30", "Request for the end", identifier, asked.asked_at),
        named=said,
        recipients=(Recipient.MANUFACTURER,),
    )
    write_undecided(tx, told, asked.approval, actor=actor, at=at)
    return True


def _asked(clause: str, label: str, request: str, at: datetime) -> Sequence[Json]:
    return [
        {"clause": clause, "label": label, "value": request},
        {"clause": clause, "label": "Asked", "instant": text(at)},
    ]

"""answer_end: the SSC refuses a request for the end of an approval, or answers it in words (F2.30).

No decision: the approval stands as it did, and what an officer says here makes nothing true. To grant it is one.
"""

from datetime import datetime

from core.actors import Actor
from core.canonical import Json
from core.classification import Classification, Passage, Recipient
from core.clauses import serves
from core.facts import Fact, FactKind
from core.instants import text
from core.kinds import EndRequestState, NoticeKind
from core.words import required
from policy.roles import Operation
from ra.access import authorise
from ra.applying.request_end import EndRequestInWords
from ra.applying.views import EndRequested
from ra.desk import Desk
from ra.repeat import RequestKey, once
from ra.telling.undecided import Undecided, write_undecided
from store.reading import approvals as approval_reading
from store.reading.end_requests import end_request
from store.transactions import Transaction
from store.verbs import end_requests, facts


@serves("F2.30")
def answer_end_request(
    desk: Desk,
    actor: Actor,
    identifier: str,
    outcome: EndRequestInWords,
    answer: str,
    request: RequestKey | None = None,
) -> EndRequested:
    """Refuse a request, or answer it in words; its Manufacturer is told in a notice, and nobody else outside the SSC.

    Args:
        desk: where.
        actor: an officer.
        identifier: of the request.
        outcome: whether it is refused, or answered.
        answer: the words, for the Manufacturer.
        request: the Idempotency-Key, if one was sent.

    Raises:
        NoSuchThing: there is none.
        WrongState: it is closed, or a decision that is proposed names it.
        NothingSaid: there is nothing in the answer.
    """
    authorise(actor, Operation.ANSWER_END_REQUEST)
    at = desk.clock.now()
    with desk.store.begin("answer request for an end") as tx:
        return once(
            desk, tx, actor, request, EndRequested, lambda: _answer(tx, actor, identifier, outcome, answer, at), at=at
        )


def _answer(
    tx: Transaction, actor: Actor, identifier: str, outcome: EndRequestInWords, answer: str, at: datetime
) -> EndRequested:
    asked = end_request(tx, identifier)
    approval_reading.locked(tx, asked.approval)
    words = required(answer, of="the answer")
    end_requests.move(
        tx, identifier, needed=EndRequestState.OPEN, to=outcome, at=at, answer=words, answered_by=actor.name
    )
    passage = Passage.of("answer", words, Classification.AMBER, [Recipient.MANUFACTURER])
    said: dict[str, Json] = {"request": identifier, "outcome": outcome.value, "answer_salted_sha256": passage.digest}
    facts.record(tx, Fact(FactKind.END_REQUEST_ANSWERED, at, actor, subject=asked.approval, payload=said))
    told = Undecided(
        kind=NoticeKind.END_REQUEST_ANSWERED,
        title=f"Request for the end of a Trial Device Approval {outcome.value}",
        clause="F2.30",
        facts=[
            {"clause": "F2.30", "label": "Request for the end", "value": identifier},
            {"clause": "F2.30", "label": "Asked", "instant": text(asked.asked_at)},
        ],
        named={"request": identifier},
        passages=[("Answer of the Sub-Committee", passage)],
        recipients=(Recipient.MANUFACTURER,),
    )
    number = write_undecided(tx, told, asked.approval, actor=actor, at=at)
    return EndRequested(request=identifier, approval=asked.approval, state=outcome, notice=number)

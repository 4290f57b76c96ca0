"""request_end: a Manufacturer asks for the end of its approval, or takes that back (F2.30).

The Code lets the SSC end an approval at any time; that its Manufacturer asks is a reason, and a task, and no more.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from core.actors import Actor
from core.clauses import serves
from core.errors import WrongState
from core.facts import Fact, FactKind
from core.kinds import EndRequestState
from core.words import required
from policy.roles import Operation, permitted
from ra.access import authorise_approval, authorise_own, own_organisation
from ra.applying.views import EndRequestAnswer, EndRequested, EndRequestPage
from ra.desk import Desk, new_identifier
from ra.repeat import RequestKey, once
from ra.standing import require_open
from ra.views import page
from store.reading import approvals as approval_reading
from store.reading import end_requests as reading
from store.reading.end_requests import EndRequest
from store.transactions import Transaction
from store.verbs import end_requests as verbs
from store.verbs import facts

EndRequestInWords: TypeAlias = Literal[EndRequestState.REFUSED, EndRequestState.ANSWERED]
"""What becomes of a request where the SSC does not end the approval."""


@dataclass(frozen=True)
class RequestEnd:
    """That an approval is to end.

    Args:
        approval: its identifier.
        reasons: why, in the Manufacturer's words.
    """

    approval: str
    reasons: str


@serves("F2.30")
def request_end(desk: Desk, actor: Actor, command: RequestEnd, request: RequestKey | None = None) -> EndRequested:
    """Ask for the end of an approval; nothing ends by it.

    Raises:
        NoSuchThing: there is no such approval, or it is another Manufacturer's.
        NothingSaid: no word of why.
        AlreadyEnded: it has ended.
        WrongState: its end is asked for already; to ask again says nothing new.
    """
    at = desk.clock.now()
    with desk.store.begin("request end") as tx:
        return once(desk, tx, actor, request, EndRequested, lambda: _ask(tx, actor, command, at=at), at=at)


def withdraw_end_request(desk: Desk, actor: Actor, identifier: str, request: RequestKey | None = None) -> EndRequested:
    """Take a request back, as long as it has not been proposed for decision; WrongState after that."""
    at = desk.clock.now()
    with desk.store.begin("withdraw request for an end") as tx:
        return once(desk, tx, actor, request, EndRequested, lambda: _withdraw(tx, actor, identifier, at=at), at=at)


def show_end_request(desk: Desk, actor: Actor, identifier: str) -> EndRequestAnswer:
    """Return a request; another Manufacturer's is as if it were not there."""
    with desk.store.read() as tx:
        asked = reading.end_request(tx, identifier)
        _authorise(tx, actor, Operation.READ_END_REQUEST, asked)
    return end_request_shown(asked, named=permitted(actor, Operation.READ_NAMES, owner=None))


def end_requests(
    desk: Desk,
    actor: Actor,
    *,
    approval: str | None = None,
    state: EndRequestState | None = None,
    after: str,
    limit: int,
) -> EndRequestPage:
    """Return a page of requests; a Manufacturer sees its own.

    Args:
        desk: where.
        actor: who asks.
        approval: about this one only.
        state: in this state only.
        after: the identifier of the last of the page before; empty for the first.
        limit: rows on the page.

    Raises:
        NoSuchThing: there is no such approval, or it is another Manufacturer's.
    """
    only = own_organisation(actor, Operation.READ_END_REQUEST)
    with desk.store.read() as tx:
        if approval is not None:
            authorise_approval(actor, Operation.READ_END_REQUEST, approval_reading.record(tx, approval))
        rows = page(
            limit,
            lambda most: reading.end_request_list(
                tx, organisation_id=only, approval=approval, state=state, after=after, limit=most
            ),
            lambda each: each.id,
        )
    named = permitted(actor, Operation.READ_NAMES, owner=None)
    shown = tuple(end_request_shown(each, named=named) for each in rows.found)
    return EndRequestPage(requests=shown, next=rows.next, truncated=rows.truncated)


def end_request_shown(asked: EndRequest, *, named: bool) -> EndRequestAnswer:
    """Return a request as it is shown.

    Args:
        asked: the request.
        named: whether the officer who answered is named.
    """
    return EndRequestAnswer(
        request=asked.id,
        approval=asked.approval,
        state=asked.state,
        reasons=asked.reasons,
        asked_at=asked.asked_at,
        asked_by=asked.asked_by,
        decision=asked.decision_id,
        answer=asked.answer,
        answered_by=asked.answered_by if named else None,
        closed_at=asked.closed_at,
    )


def _authorise(tx: Transaction, actor: Actor, operation: Operation, asked: EndRequest) -> None:
    owner = approval_reading.approval(tx, asked.approval).organisation_id
    authorise_own(actor, operation, kind="request for an end", identifier=asked.id, owner=owner)


def _ask(tx: Transaction, actor: Actor, command: RequestEnd, *, at: datetime) -> EndRequested:
    # Held until the commit: of two at the same moment one is the first.
    approval = approval_reading.locked(tx, command.approval)
    authorise_approval(actor, Operation.REQUEST_END, approval)
    reasons = required(command.reasons, of="reasons")
    require_open(approval, at)
    known = reading.end_asked(tx, command.approval)
    if known is not None:
        needed = "closed before its end is asked for again"
        raise WrongState(kind="Request for an end", identifier=known.id, state=known.state, needed=needed)
    asked = EndRequest(
        id=new_identifier("enr", at),
        approval=command.approval,
        state=EndRequestState.OPEN,
        reasons=reasons,
        asked_at=at,
        asked_by=actor.name,
    )
    verbs.ask(tx, asked)
    # Why is between the Manufacturer and the SSC; the fact names the request only.
    facts.record(tx, Fact(FactKind.END_REQUESTED, at, actor, subject=asked.approval, payload={"request": asked.id}))
    return EndRequested(request=asked.id, approval=asked.approval, state=asked.state)


def _withdraw(tx: Transaction, actor: Actor, identifier: str, *, at: datetime) -> EndRequested:
    asked = reading.end_request(tx, identifier)
    _authorise(tx, actor, Operation.REQUEST_END, asked)
    to = EndRequestState.WITHDRAWN
    verbs.move(tx, identifier, needed=EndRequestState.OPEN, to=to, at=at)
    said = {"request": asked.id}
    facts.record(tx, Fact(FactKind.END_REQUEST_WITHDRAWN, at, actor, subject=asked.approval, payload=said))
    return EndRequested(request=asked.id, approval=asked.approval, state=to)

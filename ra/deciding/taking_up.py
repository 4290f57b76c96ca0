"""A decision takes up a Manufacturer's request for an amendment, or for an end: nobody else decides about it then."""

from datetime import datetime

from core.errors import WrongState
from core.kinds import AmendmentRequestState, EndRequestState
from store.reading.amendment_requests import amendment_request
from store.reading.end_requests import end_request
from store.transactions import Transaction
from store.verbs import amendment_requests, end_requests


def take_up(tx: Transaction, request: str, approval: str, *, at: datetime) -> None:
    """Hold a request for the decision that is proposed.

    Args:
        tx: in which the decision is written.
        request: its identifier.
        approval: which the decision is about; a request about another is as if it were not there.
        at: now.

    Raises:
        NoSuchThing, WrongState: there is none that is open.
    """
    asked = amendment_request(tx, request)
    if asked.approval != approval:
        needed = f"a request about {approval}"
        raise WrongState(kind="Amendment request", identifier=request, state=asked.state, needed=needed)
    free, held = AmendmentRequestState.OPEN, AmendmentRequestState.PROPOSED
    amendment_requests.move(tx, request, needed=free, to=held, at=at)


def give_back(tx: Transaction, request: str | None, *, at: datetime) -> None:
    """Open a request again whose decision came to nothing; None where there was no request."""
    if request is not None:
        held, free = AmendmentRequestState.PROPOSED, AmendmentRequestState.OPEN
        amendment_requests.move(tx, request, needed=held, to=free, at=at)


def take_up_end(tx: Transaction, request: str | None, approval: str) -> None:
    """Hold a request for the end of an approval for the decision that is proposed; None where it names none.

    Raises:
        NoSuchThing, WrongState: there is none of this approval that is open.
    """
    if request is None:
        return
    asked = end_request(tx, request)
    if asked.approval != approval:
        needed = f"a request about {approval}"
        raise WrongState(kind="Request for an end", identifier=request, state=asked.state, needed=needed)
    end_requests.move(tx, request, needed=EndRequestState.OPEN, to=EndRequestState.PROPOSED)


def give_back_end(tx: Transaction, request: str | None) -> None:
    """Open a request for an end again whose decision came to nothing; None where there was no request."""
    if request is not None:
        end_requests.move(tx, request, needed=EndRequestState.PROPOSED, to=EndRequestState.OPEN)

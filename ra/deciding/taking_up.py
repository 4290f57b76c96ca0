"""A decision takes up a Manufacturer's request for an amendment: nobody else decides about it meanwhile."""

from datetime import datetime

from core.errors import WrongState
from core.kinds import AmendmentRequestState
from store.reading.amendment_requests import amendment_request
from store.transactions import Transaction
from store.verbs import amendment_requests


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

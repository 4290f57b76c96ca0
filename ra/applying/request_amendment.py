"""request: a Manufacturer asks for an amendment of its approval, or takes that back (F2.29)."""

import json
from dataclasses import dataclass
from datetime import date, datetime

from core.actors import Actor
from core.approval import Firmware
from core.canonical import Json, canonical
from core.clauses import serves
from core.errors import NoSuchThing
from core.facts import Fact, FactKind
from core.instants import text
from core.kinds import AmendmentRequestState
from policy.roles import Operation, permitted
from ra.access import authorise, authorise_approval
from ra.desk import Desk, new_identifier
from ra.proposal import firmware_json
from ra.repeat import RequestKey, keep, recall
from ra.standing import require_open
from store.reading import amendment_requests as reading
from store.reading import approvals as approval_reading
from store.verbs import amendment_requests, facts


@dataclass(frozen=True)
class RequestAmendment:
    """What is asked for; what is None or empty is to stay.

    Args:
        approval: its identifier.
        reasons: why, in the Manufacturer's words.
        start, expiry: UTC days.
        maximum_devices: the limit.
        firmware_added: versions with the SHA-256 of their images.
        firmware_removed: version strings.
        other: anything else, in words.
    """

    approval: str
    reasons: str
    start: date | None = None
    expiry: date | None = None
    maximum_devices: int | None = None
    firmware_added: tuple[Firmware, ...] = ()
    firmware_removed: tuple[str, ...] = ()
    other: str = ""

    def asked(self) -> dict[str, Json]:
        """Return the request as it is kept and shown."""
        return {
            "start": self.start.isoformat() if self.start else None,
            "expiry": self.expiry.isoformat() if self.expiry else None,
            "maximum_devices": self.maximum_devices,
            "firmware_added": firmware_json(self.firmware_added),
            "firmware_removed": [*self.firmware_removed],
            "other": self.other,
        }


@serves("F2.29")
def request_amendment(
    desk: Desk, actor: Actor, command: RequestAmendment, request: RequestKey | None = None
) -> dict[str, Json]:
    """Ask for an amendment. The rules look at it when officers propose it: what is asked for decides nothing.

    Raises:
        NoSuchThing: there is no such approval, or it is another Manufacturer's.
        AlreadyEnded: it has ended; a new approval has to be applied for (F2.31).
    """
    at = desk.clock.now()
    with desk.store.begin("request amendment") as tx:
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        approval = approval_reading.record(tx, command.approval)
        authorise_approval(actor, Operation.REQUEST_AMENDMENT, approval)
        require_open(approval, at)
        asked = reading.AmendmentRequest(
            id=new_identifier("amr", at),
            approval=approval.identifier,
            state=AmendmentRequestState.OPEN,
            asked=canonical(command.asked()).decode(),
            reasons=command.reasons,
            asked_at=at,
            asked_by=actor.name,
        )
        amendment_requests.ask(tx, asked)
        # What is asked for is the Manufacturer's business until it is decided; the fact names it only.
        requested: dict[str, Json] = {"request": asked.id}
        facts.record(
            tx,
            Fact(kind=FactKind.AMENDMENT_REQUESTED, at=at, actor=actor, subject=approval.identifier, payload=requested),
        )
        outcome: dict[str, Json] = {"request": asked.id, "approval": approval.identifier, "state": asked.state}
        keep(tx, actor, request, outcome, at=at)
    return outcome


def withdraw_request(desk: Desk, actor: Actor, identifier: str, request: RequestKey | None = None) -> dict[str, Json]:
    """Take a request back, as long as it has not been proposed for decision; WrongState after that."""
    at = desk.clock.now()
    with desk.store.begin("withdraw amendment request") as tx:
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        asked = reading.amendment_request(tx, identifier)
        owner = approval_reading.approval(tx, asked.approval).organisation_id
        _authorise(actor, Operation.REQUEST_AMENDMENT, asked, owner)
        amendment_requests.move(
            tx, identifier, needed=AmendmentRequestState.OPEN, to=AmendmentRequestState.WITHDRAWN, at=at
        )
        taken: dict[str, Json] = {"request": identifier}
        facts.record(
            tx,
            Fact(kind=FactKind.AMENDMENT_REQUEST_WITHDRAWN, at=at, actor=actor, subject=asked.approval, payload=taken),
        )
        outcome: dict[str, Json] = {"request": identifier, "approval": asked.approval, "state": "withdrawn"}
        keep(tx, actor, request, outcome, at=at)
    return outcome


def show_request(desk: Desk, actor: Actor, identifier: str) -> dict[str, Json]:
    """Return a request; another Manufacturer's is as if it were not there."""
    with desk.store.read() as tx:
        asked = reading.amendment_request(tx, identifier)
        owner = approval_reading.approval(tx, asked.approval).organisation_id
    _authorise(actor, Operation.READ_AMENDMENT_REQUEST, asked, owner)
    return _shown(asked)


def requests_of(desk: Desk, actor: Actor, approval: str) -> dict[str, Json]:
    """Return the requests about an approval, oldest first."""
    with desk.store.read() as tx:
        authorise_approval(actor, Operation.READ_AMENDMENT_REQUEST, approval_reading.record(tx, approval))
        return {"requests": [_shown(each) for each in reading.requests_of(tx, approval)]}


def _authorise(actor: Actor, operation: Operation, asked: reading.AmendmentRequest, owner: str) -> None:
    """Authorise an act on a request; another Manufacturer's is as if it were not there."""
    if permitted(actor, operation, owner=actor.organisation) and not permitted(actor, operation, owner=owner):
        raise NoSuchThing(kind="amendment request", identifier=asked.id)
    authorise(actor, operation, owner=owner)


def _shown(asked: reading.AmendmentRequest) -> dict[str, Json]:
    return {
        "request": asked.id,
        "approval": asked.approval,
        "state": asked.state,
        "asked": json.loads(asked.asked),
        "reasons": asked.reasons,
        "asked_at": text(asked.asked_at),
        "asked_by": asked.asked_by,
        "decision": asked.decision_id,
        "closed_at": _instant(asked.closed_at),
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else text(at)

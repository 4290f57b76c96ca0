"""request_amendment: a Manufacturer asks for an amendment of its approval, or takes that back (F2.29)."""

from dataclasses import dataclass
from datetime import date, datetime

from core.actors import Actor
from core.approval import Firmware
from core.canonical import canonical
from core.clauses import serves
from core.facts import Fact, FactKind
from core.kinds import OPEN_REQUEST, AmendmentRequestState
from core.words import required
from policy.roles import Operation
from ra.access import authorise_approval, authorise_own
from ra.applying.as_asked import oddities, otherwise
from ra.applying.views import AmendmentAsked, AmendmentRequestAnswer, AmendmentRequested, AmendmentRequestList
from ra.bounds import require_amendment_request
from ra.desk import Desk, new_identifier
from ra.repeat import RequestKey, once
from ra.standing import require_open
from ra.views import FirmwareAnswer, document, view_of
from store.reading import amendment_requests as reading
from store.reading import approvals as approval_reading
from store.reading import requests
from store.transactions import Transaction
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

    def asked(self) -> AmendmentAsked:
        """Return the request as it is kept and shown."""
        return AmendmentAsked(
            start=self.start,
            expiry=self.expiry,
            maximum_devices=self.maximum_devices,
            firmware_added=tuple(
                FirmwareAnswer(version=each.version, image_sha256=each.image_digest) for each in self.firmware_added
            ),
            firmware_removed=self.firmware_removed,
            other=self.other,
        )


@serves("F2.29")
def request_amendment(
    desk: Desk, actor: Actor, command: RequestAmendment, request: RequestKey | None = None
) -> AmendmentRequested:
    """Ask for an amendment. The rules look at it when officers propose it: what is asked for decides nothing.

    Raises:
        NoSuchThing: there is no such approval, or it is another Manufacturer's.
        AlreadyEnded: it has ended; a new approval has to be applied for (F2.31).
        BoundReached: the organisation has as many open as it may.
    """
    at = desk.clock.now()
    with desk.store.begin("request amendment") as tx:
        return once(desk, tx, actor, request, AmendmentRequested, lambda: _ask(desk, tx, actor, command, at=at), at=at)


def withdraw_request(
    desk: Desk, actor: Actor, identifier: str, request: RequestKey | None = None
) -> AmendmentRequested:
    """Take a request back, as long as it has not been proposed for decision; WrongState after that."""
    at = desk.clock.now()
    with desk.store.begin("withdraw amendment request") as tx:
        return once(
            desk, tx, actor, request, AmendmentRequested, lambda: _withdraw(tx, actor, identifier, at=at), at=at
        )


def show_request(desk: Desk, actor: Actor, identifier: str) -> AmendmentRequestAnswer:
    """Return a request; another Manufacturer's is as if it were not there."""
    at = desk.clock.now()
    with desk.store.read() as tx:
        asked = reading.amendment_request(tx, identifier)
        owner = approval_reading.approval(tx, asked.approval).organisation_id
        authorise_request(actor, Operation.READ_AMENDMENT_REQUEST, asked.id, owner)
        return request_shown(tx, asked, at)


def requests_of(desk: Desk, actor: Actor, approval: str) -> AmendmentRequestList:
    """Return the requests about an approval, oldest first."""
    at = desk.clock.now()
    with desk.store.read() as tx:
        authorise_approval(actor, Operation.READ_AMENDMENT_REQUEST, approval_reading.record(tx, approval))
        return AmendmentRequestList(tuple(request_shown(tx, each, at) for each in reading.requests_of(tx, approval)))


def authorise_request(actor: Actor, operation: Operation, identifier: str, owner: str) -> None:
    """Authorise an act on a request; another Manufacturer's is as if it were not there."""
    authorise_own(actor, operation, kind="amendment request", identifier=identifier, owner=owner)


def _ask(desk: Desk, tx: Transaction, actor: Actor, command: RequestAmendment, *, at: datetime) -> AmendmentRequested:
    approval = approval_reading.record(tx, command.approval)
    authorise_approval(actor, Operation.REQUEST_AMENDMENT, approval)
    require_open(approval, at)
    require_amendment_request(tx, desk.rules.bounds, approval.organisation)
    asked = reading.AmendmentRequest(
        id=new_identifier("amr", at),
        approval=approval.identifier,
        state=AmendmentRequestState.OPEN,
        asked=canonical(document(command.asked())).decode(),
        reasons=required(command.reasons, of="reasons"),
        asked_at=at,
        asked_by=actor.name,
    )
    amendment_requests.ask(tx, asked)
    # What is asked for is the Manufacturer's business until it is decided; the fact names it only.
    _record(tx, FactKind.AMENDMENT_REQUESTED, asked, actor=actor, at=at)
    found = oddities(tx, asked, at)
    return AmendmentRequested(request=asked.id, approval=asked.approval, state=asked.state, findings=found)


def _withdraw(tx: Transaction, actor: Actor, identifier: str, *, at: datetime) -> AmendmentRequested:
    asked = reading.amendment_request(tx, identifier)
    owner = approval_reading.approval(tx, asked.approval).organisation_id
    authorise_request(actor, Operation.REQUEST_AMENDMENT, asked.id, owner)
    withdrawn = AmendmentRequestState.WITHDRAWN
    amendment_requests.move(tx, identifier, needed=AmendmentRequestState.OPEN, to=withdrawn, at=at)
    _record(tx, FactKind.AMENDMENT_REQUEST_WITHDRAWN, asked, actor=actor, at=at)
    return AmendmentRequested(request=asked.id, approval=asked.approval, state=withdrawn)


def _record(tx: Transaction, kind: FactKind, asked: reading.AmendmentRequest, *, actor: Actor, at: datetime) -> None:
    facts.record(tx, Fact(kind, at, actor, subject=asked.approval, payload={"request": asked.id}))


def request_shown(tx: Transaction, asked: reading.AmendmentRequest, at: datetime) -> AmendmentRequestAnswer:
    """Return a request as it is shown."""
    granted = asked.state is AmendmentRequestState.GRANTED and asked.decision_id is not None
    became = otherwise(tx, asked, requests.decision(tx, asked.decision_id or "")) if granted else ()
    return AmendmentRequestAnswer(
        request=asked.id,
        approval=asked.approval,
        state=asked.state,
        asked=view_of(AmendmentAsked, asked.asked),
        reasons=asked.reasons,
        asked_at=asked.asked_at,
        asked_by=asked.asked_by,
        decision=asked.decision_id,
        closed_at=asked.closed_at,
        findings=oddities(tx, asked, at) if asked.state in OPEN_REQUEST else (),
        otherwise=tuple(each.detail for each in became),
    )

"""notices: who reads which notice, in which form; what was typeset is kept, and a first reading is noted.

Manufacturer, DCC and Panel get the copy that was redacted for them (F2.22), byte for byte as its digest in the journal
says. The SSC and the auditor read the whole record, and each copy as its recipient gets it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.actors import Actor
from core.canonical import Json, canonical
from core.classification import Recipient
from core.clauses import serves
from core.errors import BodyMalformed, NoSuchThing
from core.facts import Fact, FactKind
from core.kinds import Rendition
from policy.roles import Operation, permitted, recipient_of
from ra.access import authorise, authorise_approval, not_permitted, own_organisation
from ra.desk import Desk
from ra.telling.views import CopyAnswer, NoticeEntry, NoticePage, UndeliveredLine, UndeliveredPage, WayAnswer
from ra.telling.writing import document_of
from ra.views import document, page
from store.reading import approvals as approval_reading
from store.reading import notices as reading
from store.reading.notices import Copy, Delivery, Notice
from store.transactions import Transaction
from store.verbs import facts, receipts
from store.verbs import notices as verbs

NO_ADDRESS: Final = "no-address"
"""What stands for the state of a delivery where there is none, because no address is known."""


@dataclass(frozen=True)
class FetchedNotice:
    """What is sent to whoever fetched a notice.

    Args:
        name: of the file, without its ending: `TTN-2027-0001-dcc`.
        octets: canonical JSON, or a PDF.
        approval: that it tells of; None if it is of none.
    """

    name: str
    octets: bytes
    approval: str | None


@dataclass(frozen=True)
class _Sight:
    """What somebody may see: one recipient's copies, or (None) the whole record; of one organisation or all."""

    recipient: Recipient | None
    organisation: str | None


def listed(
    desk: Desk, actor: Actor, *, after: str, limit: int, approval: str | None = None, newest: bool = False
) -> NoticePage:
    """Return a page of the notices that `actor` may see, and the cursor for the next.

    Args:
        desk: where.
        actor: who asks.
        after: the number of the last notice of the page before; empty for the first.
        limit: notices on the page.
        approval: those of one approval only.
        newest: whether the newest comes first.

    Raises:
        NoSuchThing: there is no such approval, or it is another Manufacturer's.
    """
    sight = _sight(actor)
    with desk.store.read() as tx:
        if approval is not None:
            authorise_approval(actor, Operation.READ_NOTICES, approval_reading.record(tx, approval))
        rows = page(
            limit,
            lambda most: reading.notice_list(
                tx,
                organisation_id=sight.organisation,
                recipient=sight.recipient,
                approval=approval,
                after=after,
                limit=most,
                newest=newest,
            ),
            lambda each: each.number,
        )
        numbers = [each.number for each in rows.found]
        copies, corrections = reading.copies(tx, numbers), reading.corrections(tx, numbers)
        ways = reading.deliveries_of(tx, numbers) if sight.recipient is None else []
    shown = tuple(
        _entry(each, _seen(copies[each.number], sight), ways, corrections.get(each.number, ())) for each in rows.found
    )
    return NoticePage(notices=shown, next=rows.next, truncated=rows.truncated)


@serves("F2.21(a)", "F2.21(b)", "F2.21(c)", "F2.21(d)", "F2.21(e)", "F2.22", "F2.24", "F2.25", "F2.29", "F2.30")
def fetch(desk: Desk, actor: Actor, number: str, *, recipient: Recipient | None, pdf: bool) -> FetchedNotice:
    """Return one notice; the first time that its own recipient gets it is noted.

    Args:
        desk: where.
        actor: who asks.
        number: of the notice.
        recipient: whose copy; None means the actor's own, or the whole record for those who may read it.
        pdf: the PDF of one copy; otherwise JSON.

    Raises:
        NoSuchThing: there is none, or it is another Manufacturer's.
        OperationNotPermitted: another recipient's copy.
        BodyMalformed: a PDF of the whole record, which does not exist.
    """
    sight = _sight(actor)
    if recipient is not None and recipient is not sight.recipient:
        authorise(actor, Operation.READ_DELIVERIES)
    whose = recipient or sight.recipient
    with desk.store.read() as tx:
        found = reading.notice(tx, number)
        if sight.organisation is not None and found.organisation_id != sight.organisation:
            raise NoSuchThing(kind="notice", identifier=number)
        if whose is None:
            return FetchedNotice(name=number, octets=_whole(tx, found, pdf=pdf), approval=found.approval)
        copy, written = reading.copy(tx, number, whose)
    octets = pdf_of(desk, actor, number, whose) if pdf else written.encode()
    if whose is sight.recipient and copy.fetched_at is None:
        _note_fetched(desk, actor, found, whose)
    return FetchedNotice(name=f"{number}-{whose.value}", octets=octets, approval=found.approval)


def pdf_of(desk: Desk, actor: Actor, number: str, recipient: Recipient) -> bytes:
    """Return the PDF of one copy, typeset when it is first asked for and kept from then on.

    Args:
        desk: where.
        actor: for whom it is typeset, if it has not been before.
        number: of the notice.
        recipient: whose copy.
    """
    from documents.notice import notice_pdf  # noqa: PLC0415 - a typesetter is loaded when something is to be typeset

    subject = f"notice {number} {recipient.value}"
    with desk.store.read() as tx:
        kept = reading.rendering(tx, subject, Rendition.PDF)
        if kept is not None:
            return kept
        found = reading.notice(tx, number)
        _, written = reading.copy(tx, number, recipient)
    said = document_of(written)
    made = notice_pdf(said)
    at = desk.clock.now()
    with desk.store.begin("keep rendering") as tx:
        # Whoever is first wins; everybody serves the same bytes, also after a new release of the typesetter.
        if verbs.keep_rendering(tx, subject, Rendition.PDF, made, at=at):
            # The same document gives the same PDF: a plain digest of it would confirm a guess of the words.
            salted = hashlib.sha256(bytes.fromhex(str(said["salt"])) + made).hexdigest()
            rendered: dict[str, Json] = {"subject": subject, "form": "pdf", "salted_sha256": salted}
            facts.record(tx, Fact(FactKind.DOCUMENT_RENDERED, at, actor, subject=found.subject, payload=rendered))
        kept = reading.rendering(tx, subject, Rendition.PDF)
    return made if kept is None else kept


def undelivered(desk: Desk, actor: Actor, *, after: str, limit: int) -> UndeliveredPage:
    """Return copies that have not reached their recipient: each channel that failed or waits, or that there is none.

    A copy that its recipient has fetched is off the list; one that was given up stays on it.

    Args:
        desk: where.
        actor: who asks.
        after: `next` of the page before; empty for the first.
        limit: copies on the page.
    """
    authorise(actor, Operation.READ_DELIVERIES)
    number, _, recipient = after.partition("/")
    with desk.store.read() as tx:
        rows = page(
            limit,
            lambda most: reading.undelivered(tx, after=(number, recipient), limit=most),
            lambda each: f"{each[1].notice}/{each[1].recipient}",
        )
    shown = tuple(line for notice, copy, ways in rows.found for line in _ways(notice, copy, ways))
    return UndeliveredPage(undelivered=shown, next=rows.next, truncated=rows.truncated)


# --- parts -------------------------------------------------------------------------------------------------------


def _sight(actor: Actor) -> _Sight:
    """Return what an actor may see: the whole record and where each copy went, or the copies made for it.

    Raises:
        OperationNotPermitted: it may see no notices, or no copy is made for it.
    """
    organisation = own_organisation(actor, Operation.READ_NOTICES)
    if permitted(actor, Operation.READ_EVERY_PASSAGE, owner=None):
        authorise(actor, Operation.READ_DELIVERIES)
        return _Sight(None, organisation)
    recipient = recipient_of(actor)
    if recipient is None:
        raise not_permitted(actor, Operation.READ_NOTICES)
    return _Sight(recipient, organisation)


def _note_fetched(desk: Desk, actor: Actor, found: Notice, recipient: Recipient) -> None:
    at = desk.clock.now()
    with desk.store.begin("note fetching") as tx:
        if verbs.note_fetched(tx, found.number, recipient, at=at):
            receipts.note_notified(tx, found.number, recipient)
            fetched: dict[str, Json] = {"number": found.number, "recipient": recipient.value}
            facts.record(tx, Fact(FactKind.NOTICE_FETCHED, at, actor, subject=found.subject, payload=fetched))


def _whole(tx: Transaction, found: Notice, *, pdf: bool) -> bytes:
    """The record that never leaves, with the fate of each copy."""
    if pdf:
        raise BodyMalformed(detail="a PDF is one recipient's copy; add ?recipient=manufacturer, dcc or panel")
    record, salt = reading.record(tx, found.number)
    ways = reading.deliveries_of(tx, [found.number])
    copies = reading.copies(tx, [found.number])[found.number]
    # The salt beside the record: together they give the digest that the journal shows.
    fate: list[Json] = [document(_copy(each, ways)) for each in copies]
    whole = {**document_of(record), "record_salt": salt.hex(), "fate": fate}
    return canonical(whole)


def _seen(copies: Sequence[Copy], sight: _Sight) -> list[Copy]:
    return [each for each in copies if sight.recipient in (None, each.recipient)]


def _entry(
    notice: Notice, copies: Sequence[Copy], ways: Sequence[Delivery], corrected_by: tuple[str, ...]
) -> NoticeEntry:
    return NoticeEntry(
        notice=notice.number,
        kind=notice.kind,
        approval=notice.approval,
        application=notice.application_id,
        serial=notice.serial,
        written_at=notice.written_at,
        corrects=notice.corrects,
        corrected_by=corrected_by,
        copies=tuple(_copy(each, ways) for each in copies),
    )


def _copy(copy: Copy, ways: Sequence[Delivery]) -> CopyAnswer:
    return CopyAnswer(
        recipient=copy.recipient,
        classification=copy.classification,
        withheld=copy.withheld,
        document_sha256=copy.document_sha256,
        fetched_at=copy.fetched_at,
        deliveries=tuple(
            WayAnswer(
                channel=each.channel,
                address=each.address,
                state=each.state,
                attempts=each.attempts,
                last_error=each.last_error,
                delivered_at=each.delivered_at,
            )
            for each in ways
            if (each.notice, each.recipient) == (copy.notice, copy.recipient)
        ),
    )


def _ways(notice: Notice, copy: Copy, ways: Sequence[Delivery]) -> list[UndeliveredLine]:
    """One line for each channel that has not delivered; one that says so where no address is known."""
    nowhere = UndeliveredLine(
        notice=notice.number,
        recipient=copy.recipient,
        kind=notice.kind,
        approval=notice.approval,
        application=notice.application_id,
        channel=None,
        address=None,
        state=NO_ADDRESS,
        attempts=0,
        last_error=None,
        since=notice.written_at,
    )
    return [
        replace(
            nowhere,
            channel=each.channel,
            address=each.address,
            state=each.state,
            attempts=each.attempts,
            last_error=each.last_error,
            since=each.opened_at,
        )
        for each in ways
    ] or [nowhere]

"""Notices as they were written, their copies, how far each copy has come, and what was typeset from them.

The documents themselves are read one by one: a list needs none of them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, exists, not_, or_, select, tuple_

from core.classification import Classification, Recipient
from core.errors import NoSuchThing
from core.identifiers import Serial
from core.kinds import URGENT, Channel, DeliveryState, NoticeKind, Rendition
from store.reading.paging import behind
from store.tables import decisions
from store.transactions import Transaction
from store.trial_tables import contacts, deliveries, notice_copies, notices, renderings

_C = notice_copies.c


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One notice, without its words.

    Args:
        number: `TDN-2027-0001`, or `TTN-…` of a test authority.
        kind: what it tells.
        decision_id: the decision it tells of; None where time alone brought it about.
        approval: the approval it is about, if there is one.
        application_id: the application it goes back to.
        organisation_id: the Manufacturer's.
        serial: the certificate that travels with it, if one does.
        written_at: when.
        corrects: the number of the notice that it corrects, if it corrects one.
    """

    number: str
    kind: NoticeKind
    decision_id: str | None
    approval: str | None
    application_id: str | None
    organisation_id: str
    serial: Serial | None
    written_at: datetime
    corrects: str | None = None

    @property
    def subject(self) -> str:
        """What its facts are about: the approval, or the application that was refused."""
        return self.approval or self.application_id or self.number


@dataclass(frozen=True, kw_only=True)
class Copy:
    """What one recipient gets, without its words.

    Args:
        notice: the notice's number.
        recipient: whose copy it is.
        classification: of the copy.
        withheld: how many passages and conditions it lacks.
        document_sha256: hex digest of its canonical JSON.
        fetched_at: when its recipient first read it.
    """

    notice: str
    recipient: Recipient
    classification: Classification
    withheld: int
    document_sha256: str
    fetched_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One copy on its way to one address.

    Args:
        id: its identifier.
        notice, recipient: the copy.
        channel: how it goes.
        address: a mail address, or a webhook's without what is secret in it.
        state: what became of it.
        attempts: how often it was tried and failed, or was delivered.
        due: the next attempt.
        opened_at: since when it waits.
        last_error: why the last attempt failed.
        delivered_at: when it was taken.
    """

    id: str
    notice: str
    recipient: Recipient
    channel: Channel
    address: str
    state: DeliveryState
    attempts: int
    due: datetime
    opened_at: datetime
    last_error: str | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Sending:
    """What is needed to find a copy's addresses.

    Args:
        notice: the notice.
        recipient: whose copy.
        contact: the Manufacturer's address for notices as it holds; empty if it has none.
        urgent_contact: likewise, for urgent notices.
        urgent: whether it is: one officer alone has decided what it tells, or a breach is suspected.
        reached_before: whether a copy for the Manufacturer had been taken by mail before that contact began to hold.
    """

    notice: Notice
    recipient: Recipient
    contact: str
    urgent_contact: str
    urgent: bool
    reached_before: bool

    @property
    def contacts(self) -> tuple[str, ...]:
        """The mail addresses at which the Manufacturer is to have it."""
        both = (self.contact, self.urgent_contact) if self.urgent else (self.contact,)
        return tuple(dict.fromkeys(each for each in both if each))


def notice(tx: Transaction, number: str) -> Notice:
    """Return a notice; NoSuchThing if there is none."""
    row = tx.connection.execute(_notices().where(notices.c.number == number)).one_or_none()
    if row is None:
        raise NoSuchThing(kind="notice", identifier=number)
    return _notice(row)


def notice_list(
    tx: Transaction,
    *,
    organisation_id: str | None,
    recipient: Recipient | None = None,
    approval: str | None,
    after: str,
    limit: int,
    newest: bool = False,
) -> list[Notice]:
    """Return notices of one organisation or all, of one approval or all, by number from behind `after` on.

    Args:
        tx: reads.
        organisation_id: of which Manufacturer; None for all.
        recipient: those of which this one has a copy; None for all.
        approval: about which; None for all.
        after: the number.
        limit: notices.
        newest: whether the newest comes first.
    """
    query = behind(_notices(), notices.c.number, after, newest=newest).limit(limit)
    if organisation_id is not None:
        query = query.where(notices.c.organisation_id == organisation_id)
    if recipient is not None:
        query = query.where(exists().where(_C.notice == notices.c.number, _C.recipient == recipient))
    if approval is not None:
        query = query.where(notices.c.approval == approval)
    return [_notice(row) for row in tx.connection.execute(query)]


def corrections(tx: Transaction, numbers: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return, for each of some notices that was corrected, the numbers of those that correct it, in order."""
    c = notices.c
    query = select(c.corrects, c.number).where(c.corrects.in_(list(numbers))).order_by(c.number)
    found: dict[str, tuple[str, ...]] = {}
    for row in tx.connection.execute(query) if numbers else ():
        found[row.corrects] = (*found.get(row.corrects, ()), row.number)
    return found


def record(tx: Transaction, number: str) -> tuple[str, bytes]:
    """Return (canonical JSON, salt) of the whole record of a notice, every passage included."""
    row = tx.connection.execute(
        select(notices.c.record, notices.c.record_salt).where(notices.c.number == number)
    ).one_or_none()
    if row is None:
        raise NoSuchThing(kind="notice", identifier=number)
    return str(row.record), bytes(row.record_salt)


def copies(tx: Transaction, numbers: Collection[str]) -> dict[str, list[Copy]]:
    """Return the copies of some notices, by number, in the order of core.classification.Recipient."""
    found: dict[str, list[Copy]] = {number: [] for number in numbers}
    query = _copies().where(notice_copies.c.notice.in_(list(numbers)))
    for row in tx.connection.execute(query) if numbers else ():
        found[row.notice].append(_copy(row))
    for some in found.values():
        some.sort(key=lambda each: list(Recipient).index(each.recipient))
    return found


def copy(tx: Transaction, number: str, recipient: Recipient) -> tuple[Copy, str]:
    """Return one copy with its document in canonical JSON; NoSuchThing if there is none."""
    c = notice_copies.c
    row = tx.connection.execute(
        _copies().add_columns(c.document).where(c.notice == number, c.recipient == recipient)
    ).one_or_none()
    if row is None:
        raise NoSuchThing(kind="notice", identifier=number)
    return _copy(row), str(row.document)


def rendering(tx: Transaction, subject: str, form: Rendition) -> bytes | None:
    """Return what was typeset of a subject in a form, if anything was."""
    found = tx.connection.execute(
        select(renderings.c.octets).where(renderings.c.subject == subject, renderings.c.form == form)
    ).scalar()
    return None if found is None else bytes(found)


# --- deliveries --------------------------------------------------------------------------------------------------


def deliveries_of(tx: Transaction, numbers: Collection[str]) -> list[Delivery]:
    """Return the deliveries of some notices, oldest first."""
    if not numbers:
        return []
    d = deliveries.c
    query = select(deliveries).where(d.notice.in_(list(numbers))).order_by(d.opened_at, d.id)
    return [_delivery(row) for row in tx.connection.execute(query)]


@dataclass(frozen=True)
class Way:
    """Some of the deliveries: those of a channel to certain addresses.

    Args:
        channel: of these alone.
        addresses: to these, or to all others.
        others: which of the two.
    """

    channel: Channel
    addresses: frozenset[str] = frozenset()
    others: bool = False


def delivery_due(tx: Transaction, at: datetime, way: Way | None = None) -> Delivery | None:
    """Return the delivery that has been due the longest at `at`, if any is.

    Args:
        tx: reads.
        at: now.
        way: of these alone; None for all.
    """
    d = deliveries.c
    query = select(deliveries).where(d.state == DeliveryState.WAITING, d.due <= at)
    if way is not None:
        named = d.address.not_in(way.addresses) if way.others else d.address.in_(way.addresses)
        query = query.where(d.channel == way.channel, named)
    row = tx.connection.execute(query.order_by(d.due, d.id).limit(1)).one_or_none()
    return None if row is None else _delivery(row)


def sending(tx: Transaction, number: str, recipient: Recipient) -> Sending:
    """Return what is needed to find the addresses of one copy."""
    row = tx.connection.execute(_sendings().where(_C.notice == number, _C.recipient == recipient)).one()
    return _sending(row)


def sendings(tx: Transaction, *, since: datetime) -> list[tuple[Sending, frozenset[tuple[Channel, str]]]]:
    """Return copies that may need a delivery opened, each with the (channel, address) pairs it has one for.

    Args:
        tx: reads.
        since: a copy written before that and fetched or delivered since has reached its recipient: a new address
            gets no history.
    """
    query = _sendings().where(or_(notices.c.written_at >= since, _unreached()))
    found = [_sending(row) for row in tx.connection.execute(query.order_by(_C.notice, _C.recipient))]
    held: dict[tuple[str, Recipient], set[tuple[Channel, str]]] = {}
    for each in deliveries_of(tx, {one.notice.number for one in found}):
        held.setdefault((each.notice, each.recipient), set()).add((each.channel, each.address))
    return [(one, frozenset(held.get((one.notice.number, one.recipient), ()))) for one in found]


def undelivered(tx: Transaction, *, after: tuple[str, str], limit: int) -> list[tuple[Notice, Copy, list[Delivery]]]:
    """Return copies that their recipient has not fetched and that some channel, or none at all, has delivered.

    Args:
        tx: reads.
        after: (number, recipient) of the last copy of the page before; two empty texts for the first page.
        limit: copies on the page.
    """
    d = deliveries.c
    of_copy = and_(d.notice == _C.notice, d.recipient == _C.recipient, not_(_left_behind()))
    missing = or_(not_(exists().where(of_copy)), exists().where(of_copy, d.state != DeliveryState.DELIVERED))
    query = (
        _copies()
        .where(_C.fetched_at.is_(None), missing, tuple_(_C.notice, _C.recipient) > tuple_(*after))
        .order_by(_C.notice, _C.recipient)
        .limit(limit)
    )
    found = [_copy(row) for row in tx.connection.execute(query)]
    numbers = {each.notice for each in found}
    heads = {row.number: _notice(row) for row in tx.connection.execute(_notices().where(notices.c.number.in_(numbers)))}
    open_ones = [each for each in deliveries_of(tx, numbers) if each.state is not DeliveryState.DELIVERED]
    return [
        (
            heads[each.notice],
            each,
            [one for one in open_ones if (one.notice, one.recipient) == (each.notice, each.recipient)],
        )
        for each in found
    ]


# --- rows --------------------------------------------------------------------------------------------------------


def _unreached() -> Any:  # noqa: ANN401 - a condition of SQLAlchemy
    d = deliveries.c
    taken = exists().where(d.notice == _C.notice, d.recipient == _C.recipient, d.state == DeliveryState.DELIVERED)
    return and_(_C.fetched_at.is_(None), not_(taken))


def _left_behind() -> Any:  # noqa: ANN401 - a condition of SQLAlchemy
    """A delivery by mail to an address that its Manufacturer has left since: it waits for nobody any more."""
    d, n = deliveries.c, notices.alias().c
    holds = exists().where(
        n.number == d.notice,
        contacts.c.organisation_id == n.organisation_id,
        contacts.c.held_until.is_(None),
        or_(contacts.c.notices == d.address, contacts.c.urgent == d.address),
    )
    return and_(
        d.channel == Channel.MAIL,
        d.recipient == Recipient.MANUFACTURER,
        d.state != DeliveryState.DELIVERED,
        not_(holds),
    )


def _notices() -> Select[Any]:
    return select(*(column for column in notices.c if column.name not in {"record", "record_salt"}))


def _copies() -> Select[Any]:
    return select(*(column for column in notice_copies.c if column.name != "document"))


def _sendings() -> Select[Any]:
    d = deliveries.c
    taken = exists().where(
        d.notice == _C.notice,
        d.recipient == _C.recipient,
        d.recipient == Recipient.MANUFACTURER,
        d.channel == Channel.MAIL,
        d.delivered_at < contacts.c.held_from,
    )
    return (
        _notices()
        .add_columns(
            _C.recipient,
            contacts.c.notices.label("contact"),
            contacts.c.urgent.label("urgent_contact"),
            decisions.c.urgent.label("urgent"),
            taken.label("reached_before"),
        )
        .join(notice_copies, _C.notice == notices.c.number)
        .outerjoin(
            contacts, and_(contacts.c.organisation_id == notices.c.organisation_id, contacts.c.held_until.is_(None))
        )
        .outerjoin(decisions, decisions.c.id == notices.c.decision_id)
    )


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        number=row.number,
        kind=row.kind,
        decision_id=row.decision_id,
        approval=row.approval,
        application_id=row.application_id,
        organisation_id=row.organisation_id,
        serial=None if row.serial is None else Serial(row.serial),
        written_at=row.written_at,
        corrects=row.corrects,
    )


def _copy(row: Row[Any]) -> Copy:
    return Copy(
        notice=row.notice,
        recipient=row.recipient,
        classification=row.classification,
        withheld=row.withheld,
        document_sha256=row.document_sha256,
        fetched_at=row.fetched_at,
    )


def _sending(row: Row[Any]) -> Sending:
    return Sending(
        notice=_notice(row),
        recipient=row.recipient,
        contact=row.contact or "",
        urgent_contact=row.urgent_contact or "",
        urgent=bool(row.urgent) or row.kind in URGENT,
        reached_before=bool(row.reached_before),
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        notice=row.notice,
        recipient=row.recipient,
        channel=row.channel,
        address=row.address,
        state=row.state,
        attempts=row.attempts,
        due=row.due,
        opened_at=row.opened_at,
        last_error=row.last_error,
        delivered_at=row.delivered_at,
    )

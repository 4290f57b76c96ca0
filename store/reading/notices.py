"""Notices as they were written, their copies, how far each copy has come, and what was typeset from them.

The documents themselves are read one by one: a list needs none of them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Row, Select, and_, bindparam, exists, not_, or_, select, tuple_

from core.classification import Classification, Recipient
from core.errors import NoSuchThing
from core.identifiers import Serial
from core.kinds import Channel, DeliveryState, NoticeKind, Rendition
from store.portions import portions
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


def notice(tx: Transaction, number: str) -> Notice:
    """Return a notice; NoSuchThing if there is none."""
    row = tx.connection.execute(heads().where(notices.c.number == number)).one_or_none()
    if row is None:
        raise NoSuchThing(kind="notice", identifier=number)
    return head(row)


def notice_list(
    tx: Transaction,
    *,
    organisation_id: str | None,
    recipient: Recipient | None = None,
    approval: str | None,
    after: str,
    limit: int,
) -> list[Notice]:
    """Return notices of one organisation or all, of one approval or all, by number from behind `after` on.

    Args:
        tx: reads.
        organisation_id: of which Manufacturer; None for all.
        recipient: those of which this one has a copy; None for all.
        approval: about which; None for all.
        after: the number.
        limit: notices.
    """
    query = heads().where(notices.c.number > after).order_by(notices.c.number).limit(limit)
    if organisation_id is not None:
        query = query.where(notices.c.organisation_id == organisation_id)
    if recipient is not None:
        query = query.where(exists().where(_C.notice == notices.c.number, _C.recipient == recipient))
    if approval is not None:
        query = query.where(notices.c.approval == approval)
    return [head(row) for row in tx.connection.execute(query)]


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
    found = [
        _delivery(row)
        for some in portions(sorted(numbers))
        for row in tx.connection.execute(_DELIVERIES_OF, {"numbers": list(some)})
    ]
    return sorted(found, key=lambda each: (each.opened_at, each.id))


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
    if way is None:
        row = tx.connection.execute(_DUE, {"at": at}).one_or_none()
    else:
        asked = {"at": at, "channel": way.channel, "addresses": list(way.addresses)}
        row = tx.connection.execute(_DUE_TO_OTHERS if way.others else _DUE_TO, asked).one_or_none()
    return None if row is None else _delivery(row)


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
    named = heads().where(notices.c.number.in_(numbers))
    by_number = {row.number: head(row) for row in tx.connection.execute(named)}
    open_ones = [each for each in deliveries_of(tx, numbers) if each.state is not DeliveryState.DELIVERED]
    return [
        (
            by_number[each.notice],
            each,
            [one for one in open_ones if (one.notice, one.recipient) == (each.notice, each.recipient)],
        )
        for each in found
    ]


# --- rows --------------------------------------------------------------------------------------------------------


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


def heads() -> Select[Any]:
    """Return the query for notices without their records."""
    return select(*(column for column in notices.c if column.name not in {"record", "record_salt"}))


def _copies() -> Select[Any]:
    return select(*(column for column in notice_copies.c if column.name != "document"))


_D = deliveries.c
_ADDRESSES: BindParameter[Any] = bindparam("addresses", expanding=True)
_DUE = (
    select(deliveries)
    .where(_D.state == DeliveryState.WAITING, _D.due <= bindparam("at"))
    .order_by(_D.due, _D.id)
    .limit(1)
)
_DUE_BY = _DUE.where(_D.channel == bindparam("channel"))
_DUE_TO, _DUE_TO_OTHERS = _DUE_BY.where(_D.address.in_(_ADDRESSES)), _DUE_BY.where(_D.address.not_in(_ADDRESSES))
_DELIVERIES_OF = select(deliveries).where(deliveries.c.notice.in_(bindparam("numbers", expanding=True)))


def head(row: Row[Any]) -> Notice:
    """Return a notice from its row."""
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

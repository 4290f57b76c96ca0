"""Copies of notices with what is needed to find their addresses, for the courier."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, exists, func, not_, or_, select

from core.classification import Recipient
from core.kinds import URGENT, Channel, DeliveryState
from store.portions import portions
from store.reading.notices import Notice, deliveries_of, head, heads
from store.tables import decisions
from store.transactions import Transaction
from store.trial_tables import contacts, deliveries, notice_copies, notice_counters, notices

_C = notice_copies.c


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
    return _with_deliveries(tx, tx.connection.execute(query.order_by(_C.notice, _C.recipient)))


def sendings_of(tx: Transaction, numbers: Sequence[str]) -> list[tuple[Sending, frozenset[tuple[Channel, str]]]]:
    """Return the copies of some notices as `sendings` does."""
    return [
        each
        for some in portions(numbers)
        for each in _with_deliveries(tx, tx.connection.execute(_SENDINGS_OF, {"numbers": list(some)}))
    ]


def written(tx: Transaction) -> dict[int, int]:
    """Return the number of the last notice of each year: whoever takes the next waits for whoever has taken this."""
    return {row.year: row.last for row in tx.connection.execute(_COUNTERS)}


def contacts_set(tx: Transaction) -> int:
    """Return how many contacts were ever set: each of them may be where notices of before go from now on."""
    return int(tx.connection.execute(_CONTACTS_SET).scalar_one())


def _with_deliveries(tx: Transaction, rows: Iterable[Row[Any]]) -> list[tuple[Sending, frozenset[tuple[Channel, str]]]]:
    found = [_sending(row) for row in rows]
    held: dict[tuple[str, Recipient], set[tuple[Channel, str]]] = {}
    for each in deliveries_of(tx, {one.notice.number for one in found}):
        held.setdefault((each.notice, each.recipient), set()).add((each.channel, each.address))
    return [(one, frozenset(held.get((one.notice.number, one.recipient), ()))) for one in found]


def _unreached() -> Any:  # noqa: ANN401 - a condition of SQLAlchemy
    d = deliveries.c
    taken = exists().where(d.notice == _C.notice, d.recipient == _C.recipient, d.state == DeliveryState.DELIVERED)
    return and_(_C.fetched_at.is_(None), not_(taken))


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
        heads()
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


_SENDINGS_OF = _sendings().where(_C.notice.in_(bindparam("numbers", expanding=True))).order_by(_C.notice, _C.recipient)
_COUNTERS = select(notice_counters)
_CONTACTS_SET = select(func.count()).select_from(contacts)


def _sending(row: Row[Any]) -> Sending:
    return Sending(
        notice=head(row),
        recipient=row.recipient,
        contact=row.contact or "",
        urgent_contact=row.urgent_contact or "",
        urgent=bool(row.urgent) or row.kind in URGENT,
        reached_before=bool(row.reached_before),
    )

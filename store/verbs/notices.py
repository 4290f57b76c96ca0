"""Notices: numbered and written once, copies fetched, deliveries tried until they are taken or given up."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert, text, update

from core.classification import Recipient
from core.kinds import Channel, DeliveryState, Rendition
from store.reading.notices import Copy, Delivery, Notice
from store.transactions import Transaction
from store.trial_tables import deliveries, notice_copies, notices
from store.types import Instant, Octets, Word

# One statement each, in words that both databases know: two who write at the same moment never break each other.
_NEXT_NUMBER = text(
    "INSERT INTO notice_counters (year, last) VALUES (:year, 1) "
    "ON CONFLICT (year) DO UPDATE SET last = notice_counters.last + 1 RETURNING last"
)
_KEEP_RENDERING = text(
    "INSERT INTO renderings (subject, form, sha256, octets, made_at) "
    "VALUES (:subject, :form, :sha256, :octets, :made_at) ON CONFLICT (subject, form) DO NOTHING"
).bindparams(
    bindparam("form", type_=Word(Rendition)), bindparam("octets", type_=Octets), bindparam("made_at", type_=Instant)
)
_OPEN = text(
    "INSERT INTO deliveries (id, notice, recipient, channel, address, state, due, opened_at) "
    "VALUES (:id, :notice, :recipient, :channel, :address, :state, :due, :opened_at) "
    "ON CONFLICT (notice, recipient, channel, address) DO NOTHING"
).bindparams(
    bindparam("recipient", type_=Word(Recipient)),
    bindparam("channel", type_=Word(Channel)),
    bindparam("state", type_=Word(DeliveryState)),
    bindparam("due", type_=Instant),
    bindparam("opened_at", type_=Instant),
)

_INSERT, _INSERT_COPIES = insert(notices), insert(notice_copies)


def next_number(tx: Transaction, year: int) -> int:
    """Take the next notice number of a year; one that is not written frees it again, so there is no gap."""
    return int(tx.connection.execute(_NEXT_NUMBER, {"year": year}).scalar_one())


def write(
    tx: Transaction, notice: Notice, *, record: str, record_salt: bytes, documents: Sequence[tuple[Copy, str]]
) -> None:
    """Write a notice with its whole record and one copy for each recipient, document included.

    A second notice of one decision breaks the key: whoever writes it is wrong about what was decided.
    """
    tx.connection.execute(
        _INSERT,
        {
            "number": notice.number,
            "kind": notice.kind,
            "decision_id": notice.decision_id,
            "approval": notice.approval,
            "application_id": notice.application_id,
            "organisation_id": notice.organisation_id,
            "serial": notice.serial,
            "corrects": notice.corrects,
            "record": record,
            "record_salt": record_salt,
            "written_at": notice.written_at,
        },
    )
    tx.connection.execute(
        _INSERT_COPIES,
        [
            {
                "notice": copy.notice,
                "recipient": copy.recipient,
                "classification": copy.classification,
                "withheld": copy.withheld,
                "document": document,
                "document_sha256": copy.document_sha256,
            }
            for copy, document in documents
        ],
    )


def note_fetched(tx: Transaction, number: str, recipient: Recipient, *, at: datetime) -> bool:
    """Note that a recipient has read its copy; return whether this was the first time."""
    c = notice_copies.c
    return bool(
        tx.connection.execute(
            update(notice_copies)
            .where(c.notice == number, c.recipient == recipient, c.fetched_at.is_(None))
            .values(fetched_at=at)
        ).rowcount
    )


def keep_rendering(tx: Transaction, subject: str, form: Rendition, octets: bytes, *, at: datetime) -> bool:
    """Keep what was typeset, unless somebody was first; return whether this call did it."""
    sha256 = hashlib.sha256(octets).hexdigest()
    kept = {"subject": subject, "form": form, "sha256": sha256, "octets": octets, "made_at": at}
    return bool(tx.connection.execute(_KEEP_RENDERING, kept).rowcount)


def open_delivery(tx: Transaction, delivery: Delivery) -> bool:
    """Open a delivery unless the copy has one to this address; return whether this call did it."""
    opened = {
        "id": delivery.id,
        "notice": delivery.notice,
        "recipient": delivery.recipient,
        "channel": delivery.channel,
        "address": delivery.address,
        "state": DeliveryState.WAITING,
        "due": delivery.due,
        "opened_at": delivery.opened_at,
    }
    return bool(tx.connection.execute(_OPEN, opened).rowcount)


def claim_delivery(tx: Transaction, delivery: Delivery, *, until: datetime) -> bool:
    """Keep other couriers from a delivery until an instant; False if one of them was first."""
    d = deliveries.c
    return bool(
        tx.connection.execute(
            update(deliveries)
            .where(d.id == delivery.id, d.state == DeliveryState.WAITING, d.due == delivery.due)
            .values(due=until)
        ).rowcount
    )


def mark_delivered(tx: Transaction, identifier: str, *, at: datetime) -> bool:
    """Record that a delivery was taken; False if that is on record already."""
    d = deliveries.c
    return bool(
        tx.connection.execute(
            update(deliveries)
            .where(d.id == identifier, d.state != DeliveryState.DELIVERED)
            .values(state=DeliveryState.DELIVERED, attempts=d.attempts + 1, delivered_at=at, last_error=None)
        ).rowcount
    )


def mark_failed(
    tx: Transaction, identifier: str, *, claimed_until: datetime, due: datetime, error: str, given_up: bool
) -> bool:
    """Record a failed attempt.

    Args:
        tx: writes.
        identifier: of the delivery.
        claimed_until: the claim under which it was tried; whoever lost it records nothing.
        due: the next attempt.
        error: a short sentence, without words of the notice.
        given_up: whether it was the last attempt.
    """
    d = deliveries.c
    return bool(
        tx.connection.execute(
            update(deliveries)
            .where(d.id == identifier, d.state == DeliveryState.WAITING, d.due == claimed_until)
            .values(
                state=DeliveryState.GIVEN_UP if given_up else DeliveryState.WAITING,
                attempts=d.attempts + 1,
                due=due,
                last_error=error,
            )
        ).rowcount
    )

"""What the register says of how the service is doing: who is alive, what waits, and what processes have noticed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, func, select, text, type_coerce

from core.alarms import Alarm, AlarmCode
from core.instants import seconds
from core.kinds import DeliveryState, ProcessRole
from core.renewal import Span
from store.reading.approvals import of_issuer_in_service
from store.reading.authority import authority_row
from store.reading.memory import last_remembered
from store.reading.renewal import overdue_answer
from store.tables import alarms as alarm_rows
from store.tables import certificates, journal, lease, signs_of_life, waits_to_be_sealed
from store.transactions import Transaction
from store.trial_tables import deliveries, notice_copies
from store.types import Number, instant_of

_CODES = frozenset(AlarmCode)

_ALARMS = (
    select(
        alarm_rows.c.code,
        alarm_rows.c.subject,
        alarm_rows.c.sentence,
        type_coerce(alarm_rows.c.since, Number).label("began"),
    )
    .where(alarm_rows.c.since.is_not(None), alarm_rows.c.subject.is_not(None), alarm_rows.c.sentence.is_not(None))
    .order_by(alarm_rows.c.code, alarm_rows.c.subject, alarm_rows.c.raised_by)
)
_DOUBTS = select(alarm_rows.c.sentence).where(alarm_rows.c.code == AlarmCode.CLOCK_DOUBTFUL)
_ALARMS_OF = _ALARMS.where(alarm_rows.c.raised_by == bindparam("raiser"))

MOST_AHEAD = timedelta(minutes=5)
"""How far the authority's clock may be ahead of ours by what a row says; what says more is believed by nobody."""

UNDELIVERED = timedelta(hours=1)
"""How long a notice may be on its way: a relay that turns strangers away at first takes them after some minutes, and
whoever is told to come again does so within the hour (RFC 5321, 4.5.4.1)."""


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """What the authority has left to do, and whether it is there: all that status depends on.

    Args:
        lease_until: when the lease runs out, by the machine's clock; None if there never was one.
        unsealed: facts without a number.
        unsealed_since: the instant of the oldest of them, by the authority's clock.
        unlisted: certificates that have ended and are on no CRL.
        unlisted_since: the earliest of their ends.
        presign_due: certificates whose OCSP answers are due to be signed.
        presign_due_since: the earliest instant at which one became due.
        overdue_answer: the validity of the OCSP answer that ends first of those that should have been renewed.
        remembered: when the authority last remembered something, by its clock.
    """

    lease_until: datetime | None
    unsealed: int
    unsealed_since: datetime | None
    unlisted: int
    unlisted_since: datetime | None
    presign_due: int
    presign_due_since: datetime | None
    overdue_answer: Span | None = None
    remembered: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Telling:
    """What the courier has left to do, and whether it is there: a lock on its tables is none of status's business.

    Args:
        courier_seen: the courier's last sign of life, by the machine's clock; None if there never was one.
        undelivered: copies of notices that are on their way for too long.
        undelivered_since: when the first of them was sent.
        given_up: deliveries that nobody tries any more, of copies that did not arrive otherwise and were not fetched.
    """

    courier_seen: datetime | None
    undelivered: int
    undelivered_since: datetime | None
    given_up: int


def backlog(tx: Transaction, at: datetime) -> Backlog:
    """Return what the authority has left to do at `at`, by its clock."""
    c, j = certificates.c, journal.c
    until = tx.connection.execute(select(func.max(lease.c.expires_at, type_=lease.c.expires_at.type))).scalar()
    unsealed = tx.connection.execute(
        select(func.count(), func.min(j.at, type_=j.at.type)).where(waits_to_be_sealed)
    ).one()
    unlisted = tx.connection.execute(
        select(func.count(), func.min(c.ends_at, type_=c.ends_at.type)).where(
            c.listed_in.is_(None), c.ends_at <= at, of_issuer_in_service()
        )
    ).one()
    due = tx.connection.execute(
        select(func.count(), func.min(c.presign_due, type_=c.presign_due.type)).where(c.presign_due <= at)
    ).one()
    return Backlog(
        lease_until=until,
        unsealed=int(unsealed[0]),
        unsealed_since=unsealed[1],
        unlisted=int(unlisted[0]),
        unlisted_since=unlisted[1],
        presign_due=int(due[0]),
        presign_due_since=due[1],
        overdue_answer=overdue_answer(tx, at),
        remembered=last_known(tx),
    )


def telling(tx: Transaction, at: datetime) -> Telling:
    """Return what the courier has left to do at `at`, by the authority's clock."""
    d = deliveries.c
    waiting = tx.connection.execute(
        select(func.count(), func.min(d.opened_at, type_=d.opened_at.type)).where(
            d.state == DeliveryState.WAITING, d.opened_at <= at - UNDELIVERED
        )
    ).one()
    return Telling(
        courier_seen=last_sign(tx, ProcessRole.COURIER),
        undelivered=int(waiting[0]),
        undelivered_since=waiting[1],
        given_up=_given_up(tx),
    )


def last_sign(tx: Transaction, process: ProcessRole) -> datetime | None:
    """Return the last sign of life of a kind of process, by the machine's clock; None if there never was one."""
    found: datetime | None = tx.connection.execute(
        select(signs_of_life.c.at).where(signs_of_life.c.process == process)
    ).scalar()
    return found


def other_clock(tx: Transaction) -> datetime | None:
    """Return what the clock of the database's machine shows; None where that is this machine, whose clock we know."""
    if tx.dialect != "postgresql":
        return None
    here = "inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr()"
    row = tx.connection.execute(text(f"SELECT clock_timestamp() AS shown, {here} AS here")).one()
    shown: datetime = row.shown
    return None if row.here else shown.astimezone(UTC)


def last_known(tx: Transaction) -> datetime:
    """Return when the authority last remembered something, as a row says it, by its clock, which runs ahead in a test.

    Before it remembered anything that is when it was made.
    """
    row, remembered = authority_row(tx), last_remembered(tx)
    if remembered is None:
        return row.created_at
    try:
        return remembered + row.clock_offset
    except OverflowError:
        return remembered


def doubts_clock(tx: Transaction) -> str | None:
    """Return in a sentence why the authority doubts its clock; None if it does not."""
    return tx.connection.execute(_DOUBTS).scalars().first()


def stops_issuing(tx: Transaction) -> Alarm | None:
    """Return the alarm by which the authority tells that issuing stands, about the order that stopped it."""
    return next((each for each in alarms(tx, ProcessRole.AUTHORITY) if each.code is AlarmCode.ISSUING_STOPPED), None)


def alarms(tx: Transaction, raiser: ProcessRole | None = None) -> tuple[Alarm, ...]:
    """Return the alarms of one kind of process, or of all; one whose beginning cannot be read is passed over."""
    rows = tx.connection.execute(*((_ALARMS,) if raiser is None else (_ALARMS_OF, {"raiser": raiser})))
    # A code that this release does not know is another one's: its process will take the row away.
    return tuple(
        Alarm(code=AlarmCode(row.code), subject=row.subject, since=since, sentence=row.sentence)
        for row in rows
        if row.code in _CODES and seconds(since := instant_of(row.began)) == row.began
    )


def _given_up(tx: Transaction) -> int:
    """Deliveries of copies of which each delivery was given up, and that nobody has fetched either."""
    d, c = deliveries.c, notice_copies.c
    other = deliveries.alias()
    taken = (
        select(other.c.id)
        .where(other.c.notice == d.notice, other.c.recipient == d.recipient, other.c.state != DeliveryState.GIVEN_UP)
        .exists()
    )
    query = (
        select(func.count())
        .select_from(deliveries)
        .join(notice_copies, (c.notice == d.notice) & (c.recipient == d.recipient))
        .where(d.state == DeliveryState.GIVEN_UP, c.fetched_at.is_(None), ~taken)
    )
    return int(tx.connection.execute(query).scalar() or 0)

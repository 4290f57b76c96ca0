"""What the authority process has to do, read from what the store says: there is no queue that could be lost."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, or_, select

from core.approval import EndCause, RevocationReason
from core.identifiers import Serial
from core.kinds import DecisionState, DraftState
from core.mirror import PublishedCrl
from core.status import Revoked, first_end, first_second_after
from store.reading.approvals import of_issuer_in_service, of_known_cause
from store.reading.requests import draft_row
from store.rows import DraftRow
from store.tables import (
    approvals,
    certificates,
    crls,
    decisions,
    drafts,
    journal,
    ocsp_answers,
    terms,
    waits_to_be_sealed,
)
from store.transactions import Transaction
from store.trial_tables import limit_comparisons

_MOST_EXPIRED = 500
"""Approvals whose expiry is journalled in one transaction."""


@dataclass(frozen=True, kw_only=True)
class Presign:
    """A certificate whose OCSP answers are due.

    Args:
        serial: the certificate.
        approval: whose it is.
        fate: its fate as it was read; a later change makes the answers due again.
    """

    serial: Serial
    approval: str
    fate: int


@dataclass(frozen=True, kw_only=True)
class ClaimedEnd:
    """An end as the register says it; what it says is not believed without proof (jobs/ends.py).

    Args:
        end: the entry that a list would have.
        approval: whose certificate it is.
        cause: of a revocation; None for a supersession.
        fate: the certificate's fate as it was read.
        due: when its answers are due.
    """

    end: Revoked
    approval: str
    cause: EndCause | None
    fate: int
    due: datetime


def limits_to_compare(tx: Transaction, at: datetime, limit: int, but: Collection[str] = ()) -> list[tuple[str, int]]:
    """Return (approval, issue) of later issues that have taken over and whose limit has not been compared (F2.21(d)).

    Args:
        tx: open.
        at: this moment.
        limit: the most.
        but: approvals that are passed over.
    """
    c, done = terms.c, limit_comparisons.c
    compared = select(done.issue).where(done.approval == c.approval, done.issue == c.issue).exists()
    query = select(c.approval, c.issue).where(c.issue > 1, c.effective <= at, ~compared)
    rows = tx.connection.execute(query.order_by(c.approval, c.issue).limit(limit + len(but)))
    return [(str(row.approval), int(row.issue)) for row in rows if row.approval not in but][:limit]


def pulse(tx: Transaction) -> tuple[int, int]:
    """Return something that changes with every act, for the price of two index look-ups.

    Every act writes a fact: either the newest row is another one, or another number of rows waits to be sealed.
    """
    waiting = select(func.count()).select_from(journal).where(waits_to_be_sealed).scalar_subquery()
    newest = select(func.max(journal.c.id)).scalar_subquery()
    row = tx.connection.execute(select(newest.label("newest"), waiting.label("waiting"))).one()
    return int(row.newest or 0), int(row.waiting)


def drafts_to_sign(tx: Transaction, limit: int, but: Collection[str] = ()) -> list[list[DraftRow]]:
    """Return the drafts of seconded decisions that are not signed, oldest first; claimed ones before all others.

    Args:
        tx: open.
        limit: the most decisions.
        but: serials of those that are passed over.

    Returns:
        For each decision its drafts, in order of issue.
    """
    d = drafts.c
    unsigned = d.state.in_([DraftState.CLAIMED, DraftState.DRAFTED])
    first = (
        select(d.decision_id)
        .join(decisions, decisions.c.id == d.decision_id)
        .where(decisions.c.state == DecisionState.SECONDED, unsigned)
        .group_by(d.decision_id, decisions.c.seconded_at)
        .order_by(func.min(d.state), decisions.c.seconded_at, func.min(d.serial))
        .limit(limit + len(but))
    )
    named = list(tx.connection.execute(first).scalars())
    found: dict[str, list[DraftRow]] = {each: [] for each in named}
    for row in tx.connection.execute(select(drafts).where(d.decision_id.in_(named), unsigned).order_by(d.issue)):
        found[row.decision_id].append(draft_row(row))
    units = [rows for rows in found.values() if rows and not any(each.serial in but for each in rows)]
    return units[:limit]


def presigning_due(
    tx: Transaction, at: datetime, limit: int, latest: datetime, but: Collection[str] = ()
) -> list[Presign]:
    """Return certificates whose OCSP answers must be signed anew by `at`, the most urgent first.

    Args:
        tx: open.
        at: this moment.
        limit: the most.
        latest: when answers that are signed now will be due at the latest. What is due later was signed by a clock
            that was ahead: it counts as missing. So does what is dated ahead and due at its certificate's end.
        but: serials of those that are passed over.
    """
    columns, answers = certificates.c, ocsp_answers.c
    # Of those that end within the life of an answer only: few, and found by an index.
    until_its_end = and_(
        columns.listed_in.is_(None),
        columns.ends_at > at,
        columns.ends_at <= latest,
        columns.presign_due == columns.ends_at,
        select(answers.id).where(answers.serial == columns.serial, answers.this_update > at).exists(),
    )
    query = (
        select(columns.serial, columns.approval, columns.fate)
        .where(or_(columns.presign_due <= at, columns.presign_due > latest, until_its_end))
        .order_by(columns.presign_due, columns.serial)
        .limit(limit + len(but))
    )
    rows = [row for row in tx.connection.execute(query) if row.serial not in but]
    return [Presign(serial=Serial(row.serial), approval=row.approval, fate=row.fate) for row in rows[:limit]]


def acts_to_state(tx: Transaction, at: datetime) -> list[ClaimedEnd]:
    """Return every end by an act, revocation or supersession, that has come by `at` and is on no CRL."""
    c = certificates.c
    query = select(certificates).where(
        c.listed_in.is_(None),
        c.ends_at <= at,
        or_(c.ends_at == c.revoked_at, c.ends_at == c.superseded_at),
        # Under a CA that was ended no list will have it: it is remembered once, and that is all.
        or_(c.final_at.is_(None), of_issuer_in_service()),
        of_known_cause(),
    )
    return [claimed_end(row) for row in tx.connection.execute(query.order_by(c.ends_at, c.serial))]


def expiries_to_make_final(
    tx: Transaction, at: datetime, limit: int, *, behind: ClaimedEnd | None = None
) -> list[ClaimedEnd]:
    """Return certificates that have expired by `at`, and whose end is not final yet, the earliest first.

    Args:
        tx: open.
        at: this moment.
        limit: the most.
        behind: those that come after this one in that order; None for all.
    """
    c = certificates.c
    query = select(certificates).where(c.listed_in.is_(None), c.final_at.is_(None), c.not_after < at, c.ends_at <= at)
    query = query.where(c.ends_at > c.not_after, of_known_cause())
    if behind is not None:
        ended, serial = behind.end.at, behind.end.serial
        query = query.where(or_(c.ends_at > ended, and_(c.ends_at == ended, c.serial > serial)))
    rows = tx.connection.execute(query.order_by(c.ends_at, c.serial).limit(limit))
    return [claimed_end(row) for row in rows]


def to_be_listed(tx: Transaction, at: datetime) -> list[ClaimedEnd]:
    """Return everything that has ended by `at`, by an act or by time, and is on no CRL."""
    c = certificates.c
    query = select(certificates).where(c.listed_in.is_(None), c.ends_at <= at, of_known_cause()).order_by(c.serial)
    return [claimed_end(row) for row in tx.connection.execute(query)]


def claim_of(tx: Transaction, serial: Serial) -> ClaimedEnd | None:
    """Return the end that the register says of one certificate; None if there is no such certificate."""
    row = tx.connection.execute(select(certificates).where(certificates.c.serial == serial)).one_or_none()
    return None if row is None else claimed_end(row)


def claimed_end(row: Row[Any]) -> ClaimedEnd:
    """Return the end that a row of `certificates` says."""
    ended_at, (_, reason, _) = first_end(
        first_second_after(row.not_after), row.superseded_at, row.revoked_at, row.cause
    )
    compromised = reason is RevocationReason.KEY_COMPROMISE
    return ClaimedEnd(
        end=Revoked(
            serial=Serial(row.serial),
            at=ended_at,
            reason=reason,
            invalidity_date=row.invalidity_date if compromised else None,
        ),
        approval=row.approval,
        cause=row.cause if ended_at == row.revoked_at else None,
        fate=row.fate,
        due=row.presign_due,
    )


def expired_unrecorded(tx: Transaction, at: datetime, but: Collection[str] = ()) -> list[str]:
    """Return approvals that have expired by `at` and whose expiry is not in the journal, but those passed over."""
    columns = approvals.c
    query = (
        select(columns.identifier)
        .where(
            columns.ended_at.is_(None),
            # What a wrong clock recorded ahead of now has not happened yet.
            or_(columns.expiry_recorded_at.is_(None), columns.expiry_recorded_at > at),
            columns.expiry < at,
        )
        .order_by(columns.expiry, columns.identifier)
        .limit(_MOST_EXPIRED + len(but))
    )
    found = [str(each) for each in tx.connection.execute(query).scalars()]
    return [each for each in found if each not in but][:_MOST_EXPIRED]


def last_crl(tx: Transaction, key_id: str, *, with_bytes: bool) -> PublishedCrl | None:
    """Return the newest CRL of a key; its bytes only when asked for."""
    newest = tx.connection.execute(select(func.max(crls.c.number)).where(crls.c.key_id == key_id)).scalar()
    return None if newest is None else crl(tx, key_id, int(newest), with_bytes=with_bytes)


def crl_numbers(tx: Transaction, key_id: str) -> list[int]:
    """Return the numbers of every published CRL of a key, in order."""
    query = select(crls.c.number).where(crls.c.key_id == key_id).order_by(crls.c.number)
    return [int(number) for number in tx.connection.execute(query).scalars()]


def free_crl_number(tx: Transaction, key_id: str, number: int) -> int:
    """Return the first number from one on under which the register holds no CRL of a key."""
    c, above = crls.c, crls.alias()
    taken = select(c.number).where(c.key_id == key_id, c.number == number)
    if tx.connection.execute(taken).scalar() is None:
        return number
    follows = select(above.c.number).where(above.c.key_id == key_id, above.c.number == c.number + 1).exists()
    last = select(func.min(c.number)).where(c.key_id == key_id, c.number >= number, ~follows)
    return int(tx.connection.execute(last).scalar() or number) + 1


def signed_drafts(tx: Transaction, after: tuple[str, int], limit: int) -> list[tuple[DraftRow, bytes]]:
    """Return drafts that became certificates, with these, DER, in order of approval and issue from behind one on."""
    d = drafts.c
    query = (
        select(drafts, certificates.c.der)
        .join(certificates, certificates.c.serial == d.serial)
        .where(or_(d.approval > after[0], (d.approval == after[0]) & (d.issue > after[1])))
        .order_by(d.approval, d.issue)
        .limit(limit)
    )
    return [(draft_row(row), bytes(row.der)) for row in tx.connection.execute(query)]


def crl(tx: Transaction, key_id: str, number: int, *, with_bytes: bool) -> PublishedCrl | None:
    """Return a CRL of a key by its number; its bytes only when asked for."""
    columns = [crls.c.number, crls.c.this_update, crls.c.next_update, crls.c.entries]
    query = select(*columns, *([crls.c.der] if with_bytes else [])).where(
        crls.c.key_id == key_id, crls.c.number == number
    )
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        return None
    return PublishedCrl(
        key_id=key_id,
        number=row.number,
        this_update=row.this_update,
        next_update=row.next_update,
        entries=row.entries,
        der=bytes(row.der) if with_bytes else b"",
    )

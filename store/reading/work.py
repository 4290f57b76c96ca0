"""What the authority process has to do, read from what the store says: there is no queue that could be lost."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Integer, Row, Select, Text, and_, bindparam, func, or_, select, union_all

from core.approval import EndCause, RevocationReason
from core.identifiers import Serial
from core.kinds import DecisionState, DraftState
from core.mirror import PublishedCrl
from core.status import Revoked, first_end, first_second_after
from store.portions import portions
from store.reading.approvals import of_issuer_in_service, of_known_cause
from store.reading.requests import draft_row
from store.rows import DUE_NOW, DraftRow
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
from store.types import Instant, one_of_words

_MOST_EXPIRED = 500
"""Approvals whose expiry is journalled in one transaction."""

# What the authority asks in each turn, or more often, is put together once: that costs more than the asking.
_AT, _MOST = bindparam("at", type_=Instant()), bindparam("most", type_=Integer())
_PULSE = select(
    select(func.max(journal.c.id)).scalar_subquery().label("newest"),
    select(func.count()).select_from(journal).where(waits_to_be_sealed).scalar_subquery().label("waiting"),
)
_LIMITS = (
    select(terms.c.approval, terms.c.issue)
    .where(
        terms.c.issue > 1,
        terms.c.effective <= _AT,
        ~select(limit_comparisons.c.issue)
        .where(limit_comparisons.c.approval == terms.c.approval, limit_comparisons.c.issue == terms.c.issue)
        .exists(),
    )
    .order_by(terms.c.approval, terms.c.issue)
    .limit(_MOST)
)
_SAID = select(journal.c.kind, journal.c.at, journal.c.actor, journal.c.subject, journal.c.payload).where(
    journal.c.id == bindparam("id")
)
_UNSIGNED = one_of_words(drafts.c.state, (DraftState.CLAIMED, DraftState.DRAFTED))
_TO_SIGN = (
    select(drafts.c.decision_id)
    .join(decisions, decisions.c.id == drafts.c.decision_id)
    .where(decisions.c.state == DecisionState.SECONDED, _UNSIGNED)
    .group_by(drafts.c.decision_id, decisions.c.seconded_at)
    .order_by(func.min(drafts.c.state), decisions.c.seconded_at, func.min(drafts.c.serial))
    .limit(_MOST)
)
_LATEST = bindparam("latest", type_=Instant())


def _first_due(*so: ColumnElement[bool]) -> Select[Any]:
    c = certificates.c
    first = select(c.serial, c.approval, c.fate, c.presign_due).where(*so).order_by(c.presign_due, c.serial)
    return select(first.limit(_MOST).subquery())


# Three questions, of which no two find the same, each with an index of its own and to its limit; one question with OR
# walks through all certificates.
_ANY_DUE = union_all(
    _first_due(certificates.c.presign_due <= _AT),
    _first_due(certificates.c.presign_due > _LATEST),
    # Of those that end within the life of an answer only: few.
    _first_due(
        certificates.c.listed_in.is_(None),
        certificates.c.ends_at > _AT,
        certificates.c.ends_at <= _LATEST,
        certificates.c.presign_due == certificates.c.ends_at,
        select(ocsp_answers.c.id)
        .where(ocsp_answers.c.serial == certificates.c.serial, ocsp_answers.c.this_update > _AT)
        .exists(),
    ),
).subquery()
_PRESIGNING = (
    select(_ANY_DUE.c.serial, _ANY_DUE.c.approval, _ANY_DUE.c.fate, _ANY_DUE.c.presign_due)
    .order_by(_ANY_DUE.c.presign_due, _ANY_DUE.c.serial)
    .limit(_MOST)
)
_ACTS = (
    select(certificates)
    .where(
        certificates.c.listed_in.is_(None),
        certificates.c.ends_at <= _AT,
        or_(
            certificates.c.ends_at == certificates.c.revoked_at, certificates.c.ends_at == certificates.c.superseded_at
        ),
        # Under a CA that was ended no list will have it: it is remembered once, and that is all.
        or_(certificates.c.final_at.is_(None), of_issuer_in_service()),
        of_known_cause(),
    )
    .order_by(certificates.c.ends_at, certificates.c.serial)
)
_CHANGED = select(certificates.c.serial).where(certificates.c.presign_due == DUE_NOW).limit(1)
_EXPIRING = (
    select(certificates)
    .where(
        certificates.c.listed_in.is_(None),
        certificates.c.final_at.is_(None),
        certificates.c.not_after < _AT,
        certificates.c.ends_at <= _AT,
        certificates.c.ends_at > certificates.c.not_after,
        of_known_cause(),
    )
    .order_by(certificates.c.ends_at, certificates.c.serial)
    .limit(_MOST)
)
_ENDED_THEN = bindparam("ended", type_=Instant())
_EXPIRING_BEHIND = _EXPIRING.where(
    or_(
        certificates.c.ends_at > _ENDED_THEN,
        and_(certificates.c.ends_at == _ENDED_THEN, certificates.c.serial > bindparam("serial")),
    )
)
_TO_BE_LISTED = (
    select(certificates)
    .where(certificates.c.listed_in.is_(None), certificates.c.ends_at <= _AT, of_known_cause())
    .order_by(certificates.c.serial)
)
_ACTS_OF = _ACTS.where(certificates.c.serial.in_(bindparam("named", expanding=True, type_=Text())))
_CLAIM = select(certificates).where(certificates.c.serial == bindparam("serial"))
_EXPIRED = (
    select(approvals.c.identifier)
    .where(
        approvals.c.ended_at.is_(None),
        # What a wrong clock recorded ahead of now has not happened yet.
        or_(approvals.c.expiry_recorded_at.is_(None), approvals.c.expiry_recorded_at > _AT),
        approvals.c.expiry < _AT,
    )
    .order_by(approvals.c.expiry, approvals.c.identifier)
    .limit(_MOST)
)
_CRL = select(crls.c.number, crls.c.this_update, crls.c.next_update, crls.c.entries)
_OF_KEY = crls.c.key_id == bindparam("key_id")
_NUMBERED = crls.c.number == bindparam("number", type_=Integer())
_CRL_NUMBERED = _CRL.where(_OF_KEY, _NUMBERED)
_CRL_NUMBERED_BYTES = _CRL_NUMBERED.add_columns(crls.c.der)
_LAST_CRL = _CRL.where(_OF_KEY).order_by(crls.c.number.desc()).limit(1)
_LAST_CRL_BYTES = _LAST_CRL.add_columns(crls.c.der)


@dataclass(frozen=True, kw_only=True)
class Presign:
    """A certificate whose OCSP answers are due.

    Args:
        serial: the certificate.
        approval: whose it is.
        fate: its fate as it was read; a later change makes the answers due again.
        changed: whether no answer says what it is now: it is new, or its fate has changed.
    """

    serial: Serial
    approval: str
    fate: int
    changed: bool = False


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
    rows = tx.connection.execute(_LIMITS, {"at": at, "most": limit + len(but)})
    return [(str(row.approval), int(row.issue)) for row in rows if row.approval not in but][:limit]


def pulse(tx: Transaction) -> tuple[int, int]:
    """Return something that changes with every act, for the price of two index look-ups.

    Every act writes a fact: either the newest row is another one, or another number of rows waits to be sealed.
    """
    row = tx.connection.execute(_PULSE).one()
    return int(row.newest or 0), int(row.waiting)


Said: TypeAlias = tuple[object, ...]
"""What a row of the journal says, whether it is sealed or not."""


def said(tx: Transaction, identifier: int) -> Said | None:
    """Return what a row of the journal says and always will; None if it is not there."""
    row = tx.connection.execute(_SAID, {"id": identifier}).first()
    return None if row is None else tuple(row)


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
    named = list(tx.connection.execute(_TO_SIGN, {"most": limit + len(but)}).scalars())
    if not named:
        return []
    found: dict[str, list[DraftRow]] = {each: [] for each in named}
    for row in tx.connection.execute(select(drafts).where(d.decision_id.in_(named), _UNSIGNED).order_by(d.issue)):
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
    asked = {"at": at, "latest": latest, "most": limit + len(but)}
    rows = [row for row in tx.connection.execute(_PRESIGNING, asked) if row.serial not in but]
    return [
        Presign(serial=Serial(row.serial), approval=row.approval, fate=row.fate, changed=row.presign_due == DUE_NOW)
        for row in rows[:limit]
    ]


def acts_to_state(tx: Transaction, at: datetime, of: Sequence[str] | None = None) -> list[ClaimedEnd]:
    """Return every end by an act, revocation or supersession, that has come by `at` and is on no CRL.

    Args:
        tx: open.
        at: this moment.
        of: only of these certificates; None for all.
    """
    if of is None:
        return [claimed_end(row) for row in tx.connection.execute(_ACTS, {"at": at})]
    return [
        claimed_end(row)
        for named in portions(of)
        for row in tx.connection.execute(_ACTS_OF, {"at": at, "named": named})
    ]


def ends_wait(tx: Transaction, at: datetime) -> bool:
    """Return whether an end by an act, which has come by `at`, waits to be listed, or any change to be answered."""
    listed = tx.connection.execute(_ACTS.limit(1), {"at": at}).first()
    return listed is not None or tx.connection.execute(_CHANGED).first() is not None


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
    query, asked = _EXPIRING, {"at": at, "most": limit}
    if behind is not None:
        query, asked = _EXPIRING_BEHIND, asked | {"ended": behind.end.at, "serial": behind.end.serial}
    return [claimed_end(row) for row in tx.connection.execute(query, asked)]


def to_be_listed(tx: Transaction, at: datetime) -> list[ClaimedEnd]:
    """Return everything that has ended by `at`, by an act or by time, and is on no CRL."""
    return [claimed_end(row) for row in tx.connection.execute(_TO_BE_LISTED, {"at": at})]


def claim_of(tx: Transaction, serial: Serial) -> ClaimedEnd | None:
    """Return the end that the register says of one certificate; None if there is no such certificate."""
    row = tx.connection.execute(_CLAIM, {"serial": serial}).one_or_none()
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
    asked = {"at": at, "most": _MOST_EXPIRED + len(but)}
    found = [str(each) for each in tx.connection.execute(_EXPIRED, asked).scalars()]
    return [each for each in found if each not in but][:_MOST_EXPIRED]


def last_crl(tx: Transaction, key_id: str, *, with_bytes: bool) -> PublishedCrl | None:
    """Return the newest CRL of a key; its bytes only when asked for."""
    query = _LAST_CRL_BYTES if with_bytes else _LAST_CRL
    return _crl(tx.connection.execute(query, {"key_id": key_id}).one_or_none(), key_id, with_bytes=with_bytes)


def crl_numbers(tx: Transaction, key_id: str) -> list[int]:
    """Return the numbers of every published CRL of a key, in order."""
    query = select(crls.c.number).where(crls.c.key_id == key_id).order_by(crls.c.number)
    return [int(number) for number in tx.connection.execute(query).scalars()]


def free_crl_number(tx: Transaction, key_id: str, number: int) -> int:
    """Return the first number from one on under which the register holds no CRL of a key."""
    if crl(tx, key_id, number, with_bytes=False) is None:
        return number
    c, above = crls.c, crls.alias()
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
    query = _CRL_NUMBERED_BYTES if with_bytes else _CRL_NUMBERED
    row = tx.connection.execute(query, {"key_id": key_id, "number": number}).one_or_none()
    return _crl(row, key_id, with_bytes=with_bytes)


def _crl(row: Row[Any] | None, key_id: str, *, with_bytes: bool) -> PublishedCrl | None:
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

"""Approvals and their ends: granted once, ended once; the first end wins."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, exists, func, insert, or_, select, type_coerce, update
from sqlalchemy.exc import DBAPIError

from core.approval import EndCause, Terms
from core.errors import AlreadyEnded, DeviceAlreadyApproved, NoSuchThing
from core.identifiers import Serial
from core.instants import text
from core.kinds import KeyState
from core.status import Revoked, first_second_after
from store import overlap
from store.portions import portions
from store.rows import DUE_NOW, Approval, firmware_text
from store.tables import approvals, certificates, public_keys, terms
from store.transactions import Transaction, violated
from store.types import Instant, Number

_A, _C = approvals.c, certificates.c
_INSERT, _INSERT_TERMS = insert(approvals), insert(terms)
_AT = bindparam("now", type_=Instant())
_STATED = exists().where(
    _C.approval == _A.identifier, _C.final_at.is_not(None), _C.ends_at > _C.not_after, _C.not_after >= _A.expiry
)
STANDS = and_(_A.ended_at.is_(None), _A.expiry >= _AT, _A.expiry_recorded_at.is_(None), ~_STATED)
"""That an approval has not ended at `now`, and nobody has said that it has expired."""

_END = update(approvals).where(_A.identifier == bindparam("approval"), STANDS)
# The condition says that it is earlier than every end on record, so it becomes the end.
CANCEL = (
    update(certificates)
    .where(_C.ends_at > _AT, _C.final_at.is_(None))
    .values(fate=_C.fate + 1)
    .returning(_C.approval, _C.serial, _C.public_key_sha256)
)
"""Cancels certificates that still stand at `now`; whoever executes it says which, and what becomes of them."""

_CANCEL = CANCEL.where(_C.approval == bindparam("of_approval"))
_CANCEL_OF_KEY = _CANCEL.where(_C.public_key_sha256 == bindparam("of_key"))
_NAMED = certificates.c.serial.in_(bindparam("serials", expanding=True))
_FATES = select(certificates.c.serial, certificates.c.fate).where(_NAMED)
_FINAL = update(certificates).where(_NAMED, certificates.c.final_at.is_(None)).values(final_at=bindparam("since"))


def grant(tx: Transaction, approval: Approval) -> None:
    """Write a granted approval.

    Raises:
        DeviceAlreadyApproved: it would overlap another approval of the device, by constraint: two seconders at the
            same moment cannot both win.
    """
    try:
        tx.connection.execute(
            _INSERT,
            {
                "identifier": approval.identifier,
                "decision_id": approval.decision_id,
                "application_id": approval.application_id,
                "organisation_id": approval.organisation_id,
                **approval.device.listed(),
                "device_key": approval.device.key,
                "granted_at": approval.granted_at,
                "start": approval.start,
                "expiry": approval.expiry,
            },
        )
    except DBAPIError as error:
        if overlap.NAME in violated(error):
            raise DeviceAlreadyApproved(other="which was granted at the same moment") from error
        raise


def add_terms(tx: Transaction, approval: str, decision_id: str, added: Terms) -> None:
    """Write what one issue's certificate will say."""
    tx.connection.execute(
        _INSERT_TERMS,
        {
            "approval": approval,
            "issue": added.issue,
            "decision_id": decision_id,
            "effective": added.effective,
            "expiry": added.expiry,
            "maximum_devices": added.maximum_devices,
            "firmware": firmware_text(added.firmware),
        },
    )


def move_dates(tx: Transaction, identifier: str, *, start: datetime, expiry: datetime) -> None:
    """Write the dates for which an approval holds its device (F2.29).

    Raises:
        DeviceAlreadyApproved: another approval of the device has some of these seconds, by constraint; the rest of the
            transaction stands.
    """
    try:
        with tx.connection.begin_nested():
            tx.connection.execute(
                update(approvals).where(approvals.c.identifier == identifier).values(start=start, expiry=expiry)
            )
    except DBAPIError as error:
        if overlap.NAME in violated(error):
            raise DeviceAlreadyApproved(other="which was granted meanwhile") from error
        raise


def end(tx: Transaction, identifier: str, *, cause: EndCause, by: str, at: datetime) -> list[Serial]:
    """End an approval that has not ended: one conditional write, then its certificates that still stand.

    An end that is dated before the expiry comes too late all the same once that was journalled or stated: a clock that
    is a second behind undoes nothing that was published.

    Args:
        tx: open; holds the approval (store/reading/approvals.py, `hold`), as whoever makes an expiry final does.
        identifier: of the approval.
        cause: why.
        by: who.
        at: the end.

    Returns:
        The serials cancelled. From the commit on, verification says so.

    Raises:
        AlreadyEnded: it was ended before or has expired; the first end stands.
        NoSuchThing: there is no such approval.
    """
    won = tx.connection.execute(
        _END, {"approval": identifier, "now": at, "ended_at": at, "end_cause": cause, "ended_by": by}
    ).rowcount
    if not won:
        raise AlreadyEnded(identifier=identifier, state=_first_end(tx, identifier))
    return cancel_certificates(tx, identifier, cause=cause, at=at)


def _first_end(tx: Transaction, identifier: str) -> str:
    """Return when an approval has ended, in words."""
    row = tx.connection.execute(
        select(approvals.c.ended_at, approvals.c.expiry).where(approvals.c.identifier == identifier)
    ).one_or_none()
    if row is None:
        raise NoSuchThing(kind="approval", identifier=identifier)
    if row.ended_at is not None:
        return f"it was ended at {text(row.ended_at)}, and the first end stands"
    return f"it expired at {text(first_second_after(row.expiry))}, and the first end stands"


def last_end(tx: Transaction, approval: str) -> str:
    """Return, in words, when the last certificate of an approval ended; whoever asks has found that none stands."""
    last = select(func.max(certificates.c.ends_at, type_=certificates.c.ends_at.type))
    found = tx.connection.execute(last.where(certificates.c.approval == approval)).scalar()
    ended = f", and the last one ended at {text(found)}" if found is not None else ""
    return f"no certificate of it stands{ended}"


def cancel_certificates(
    tx: Transaction,
    approval: str,
    *,
    cause: EndCause,
    at: datetime,
    key: str | None = None,
    invalidity_date: datetime | None = None,
) -> list[Serial]:
    """Revoke every certificate of an approval, or of one of its keys, that still stands at `at`; return their serials.

    A certificate that has been superseded or has expired keeps its first end; so does one whose end is final, although
    a clock that is behind would have an end before that.
    """
    rows = tx.connection.execute(
        _CANCEL if key is None else _CANCEL_OF_KEY,
        {
            "of_approval": approval,
            **cancelled(cause=cause, at=at, invalidity_date=invalidity_date),
            **({} if key is None else {"of_key": key}),
        },
    ).all()
    if cause is EndCause.KEY_COMPROMISE and rows:
        compromise_keys(tx, {row.public_key_sha256 for row in rows}, at=at)
    return sorted(Serial(row.serial) for row in rows)


def cancelled(*, cause: EndCause, at: datetime, invalidity_date: datetime | None) -> dict[str, object]:
    """Return what CANCEL writes of certificates that end at `at`, which is its `now`."""
    row = {"revoked_at": at, "cause": cause, "invalidity_date": invalidity_date, "ends_at": at}
    return {"now": at, **row, "presign_due": DUE_NOW}


def compromise_keys(tx: Transaction, keys: Collection[str], *, at: datetime) -> None:
    """Note that keys are compromised: none is ever certified again (shared profile: public key)."""
    tx.connection.execute(
        update(public_keys).where(public_keys.c.sha256.in_(keys)).values(state=KeyState.COMPROMISED, since=at)
    )


def supersede(tx: Transaction, approval: str, *, by_issue: int, at: datetime) -> list[Serial]:
    """Let every earlier certificate of an approval end at `at`, the later issue's effective instant, whose end is not
    final.
    """
    c = certificates.c
    rows = tx.connection.execute(
        update(certificates)
        .where(c.approval == approval, c.issue < by_issue, c.ends_at > at, c.final_at.is_(None))
        .values(superseded_at=at, ends_at=at, fate=certificates.c.fate + 1, presign_due=DUE_NOW)
        .returning(certificates.c.serial)
    ).all()
    return [Serial(row.serial) for row in rows]


def withdraw_waiting(tx: Transaction, approval: str, serials: Sequence[Serial], *, at: datetime) -> list[Serial]:
    """Let certificates whose notBefore has not come never begin; return the serials of those that had not ended."""
    c = certificates.c
    rows = tx.connection.execute(
        update(certificates)
        .where(c.approval == approval, c.serial.in_(serials), c.not_before > at, c.ends_at > at, c.final_at.is_(None))
        .values(revoked_at=at, cause=EndCause.CHANGE_WITHDRAWN, ends_at=at, fate=c.fate + 1, presign_due=DUE_NOW)
        .returning(c.serial)
    ).all()
    return sorted(Serial(row.serial) for row in rows)


def restore_course(tx: Transaction, serial: Serial, *, at: datetime) -> None:
    """Let a certificate hold to its own end again, whose place nothing is to take any more: nobody has said an end of
    it yet.
    """
    c = certificates.c
    tx.connection.execute(
        update(certificates)
        .where(c.serial == serial, c.superseded_at > at, c.revoked_at.is_(None), c.final_at.is_(None))
        .values(superseded_at=None, ends_at=type_coerce(c.not_after, Number) + 1, fate=c.fate + 1, presign_due=DUE_NOW)
    )


def record_expiry(tx: Transaction, identifier: str, *, at: datetime) -> bool:
    """Note that the authority has journalled an expiry; return whether this call did it. Status never waits for it."""
    return bool(
        tx.connection.execute(
            update(approvals)
            .where(
                approvals.c.identifier == identifier,
                approvals.c.expiry < at,
                approvals.c.ended_at.is_(None),
                or_(approvals.c.expiry_recorded_at.is_(None), approvals.c.expiry_recorded_at > at),
            )
            .values(expiry_recorded_at=at)
        ).rowcount
    )


def make_final(tx: Transaction, fates: Mapping[Serial, int], *, at: datetime) -> set[Serial]:
    """Let the ends of certificates be final: nobody ends them otherwise from this commit on.

    Args:
        tx: open; holds their approvals.
        fates: serials, each with the fate that its end was read with.
        at: now.

    Returns:
        Those whose fate is still that one; the others are judged anew.
    """
    confirmed = set[Serial]()
    for named in portions(list(fates)):
        rows = tx.connection.execute(_FATES, {"serials": named})
        same = {Serial(row.serial) for row in rows if row.fate == fates[Serial(row.serial)]}
        tx.connection.execute(_FINAL, {"serials": list(same), "since": at})
        confirmed |= same
    return confirmed


def write_end(tx: Transaction, end: Revoked, *, fate: int, cause: EndCause | None, by_act: bool, at: datetime) -> bool:
    """Let the register have the end of a certificate that was published; return whether its fate was still `fate`.

    Args:
        tx: open; holds the approval.
        end: as lists say it from now on.
        fate: as it was read.
        cause: of a revocation; None for a supersession or an expiry.
        by_act: whether it is a revocation or a supersession.
        at: now.
    """
    c = certificates.c
    superseded = by_act and cause is None
    won = tx.connection.execute(
        update(certificates)
        .where(c.serial == end.serial, c.fate == fate)
        .values(
            revoked_at=end.at if cause is not None else None,
            cause=cause,
            invalidity_date=end.invalidity_date,
            superseded_at=end.at if superseded else None,
            ends_at=end.at,
            final_at=at,
            fate=c.fate + 1,
            presign_due=DUE_NOW,
        )
        .returning(c.public_key_sha256)
    ).one_or_none()
    if won is not None and cause is EndCause.KEY_COMPROMISE:
        key = public_keys.c.sha256 == won.public_key_sha256
        tx.connection.execute(update(public_keys).where(key).values(state=KeyState.COMPROMISED, since=at))
    return won is not None


def restore_end(tx: Transaction, identifier: str, *, cause: EndCause, by: str, at: datetime) -> None:
    """Let the register have an end of an approval again that somebody took out of it; one that it has stays."""
    a = approvals.c
    tx.connection.execute(
        update(approvals)
        .where(a.identifier == identifier, a.ended_at.is_(None))
        .values(ended_at=at, end_cause=cause, ended_by=by)
    )

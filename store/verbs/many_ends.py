"""Many approvals are ended by one act: the conditions of store/verbs/approvals.py, in a statement for many of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, tuple_, update

from core.approval import EndCause
from core.errors import NoSuchThing
from core.identifiers import Serial
from store.portions import portions
from store.reading import approvals as reading
from store.tables import approvals, certificates
from store.transactions import Transaction
from store.verbs.approvals import CANCEL, STANDS, cancelled, compromise_keys

_C = certificates.c
_SOME: BindParameter[Any] = bindparam("some", expanding=True)
_END = update(approvals).where(approvals.c.identifier.in_(_SOME), STANDS).returning(approvals.c.identifier)
_CANCEL = CANCEL.where(_C.approval.in_(_SOME))
_CANCEL_OF_KEYS = CANCEL.where(tuple_(_C.approval, _C.public_key_sha256).in_(_SOME))


def end(
    tx: Transaction, identifiers: Sequence[str], *, cause: EndCause, by: str, at: datetime
) -> dict[str, list[Serial]]:
    """End those of some approvals that have not ended: conditional writes, then their certificates that still stand.

    Args:
        tx: open; holds the approvals.
        identifiers: of the approvals.
        cause: why.
        by: who.
        at: the end.

    Returns:
        By approval that was ended by this the serials cancelled, in order; of one that had ended, the first end stands.

    Raises:
        NoSuchThing: one of them is no approval.
    """
    won: set[str] = set()
    for some in portions(identifiers):
        asked = {"some": some, "now": at, "ended_at": at, "end_cause": cause, "ended_by": by}
        won.update(tx.connection.execute(_END, asked).scalars())
    lost = [each for each in identifiers if each not in won]
    known = reading.known(tx, lost) if lost else {}
    for each in lost:
        if each not in known:
            raise NoSuchThing(kind="approval", identifier=each)
    ended: dict[str, list[Serial]] = {each: [] for each in identifiers if each in won}
    written = cancelled(cause=cause, at=at, invalidity_date=None)
    for some in portions(list(ended)):
        for row in tx.connection.execute(_CANCEL, {"some": some, **written}):
            ended[row.approval].append(Serial(row.serial))
    return {each: sorted(serials) for each, serials in ended.items()}


def cancel_of_keys(
    tx: Transaction, keys: Mapping[str, str], *, at: datetime, invalidity_date: datetime | None
) -> dict[str, list[Serial]]:
    """Cancel the certificates of compromised keys that still stand at `at`.

    Args:
        tx: open; holds the approvals.
        keys: by approval the digest of the key that is compromised.
        at: the end.
        invalidity_date: since when the keys are known to be.

    Returns:
        By approval of which one was cancelled their serials, in order; the others had ended.
    """
    ended: dict[str, list[Serial]] = {}
    compromised: set[str] = set()
    written = cancelled(cause=EndCause.KEY_COMPROMISE, at=at, invalidity_date=invalidity_date)
    for pairs in portions(list(keys.items())):
        for row in tx.connection.execute(_CANCEL_OF_KEYS, {"some": pairs, **written}):
            ended.setdefault(row.approval, []).append(Serial(row.serial))
            compromised.add(row.public_key_sha256)
    for some in portions(sorted(compromised)):
        compromise_keys(tx, some, at=at)
    return {each: sorted(ended[each]) for each in keys if each in ended}

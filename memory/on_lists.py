"""What a list says, as it follows from the records: all of it, or what is otherwise than on a list made before."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime

from core.approval import RevocationReason
from core.identifiers import Serial
from core.instants import from_seconds, seconds
from core.status import Ending, Revoked, first_second_after
from memory import beliefs
from memory.records import Accepted, WillSign, record_of

_KNOWN = 4_096

_ALL = """
    SELECT c.serial, c.not_after, e.at, e.reason, e.invalidity_date
    FROM certificate AS c LEFT JOIN ended AS e ON e.serial = c.serial AND e.at <= :at
    WHERE c.issuer = :issuer AND (c.not_after < :at OR e.at IS NOT NULL) ORDER BY c.serial
"""
_ENDED_SINCE = """
    SELECT serial FROM ended WHERE record > :record AND at <= :at
    UNION SELECT serial FROM ended WHERE at > :since AND at <= :at
"""
_EXPIRED_SINCE = "SELECT serial FROM certificate WHERE issuer = :issuer AND not_after >= :since AND not_after < :at"
_SIGNED_SINCE = "SELECT body FROM record WHERE number > :record AND kind = :kind"


def endings(cursor: sqlite3.Cursor, issuer: str, at: datetime) -> Iterator[tuple[Serial, Ending]]:
    """Return the entries of an issuing CA's list made at `at`, in order of serials: all ended, all expired (F2.31)."""
    known: dict[tuple[int | None, int, int | None], Ending] = {}
    for serial, not_after, ended, reason, since in cursor.execute(_ALL, {"issuer": issuer, "at": seconds(at)}):
        said = (ended, not_after if ended is None else reason, since)
        ending = known.get(said)
        if ending is None:
            if len(known) >= _KNOWN:
                known.clear()
            ending = known[said] = _ending(*said)
        yield serial, ending


MOST_CHANGED = 20_000
"""More than that are looked up one by one for longer than all are read in order."""


def changed(
    cursor: sqlite3.Cursor, issuer: str, record: int, since: datetime, at: datetime
) -> list[tuple[Serial, Revoked | None]] | None:
    """Return the certificates of which a list made at `at` may say other than one made before, in order of serials.

    Args:
        cursor: of the book.
        issuer: key identifier of the issuing CA.
        record: the newest one that was known when that list was made.
        since: its date.
        at: now.

    Returns:
        Serial number and entry of each, None for one that has not ended; None where they are more than MOST_CHANGED.
    """
    asked = {"issuer": issuer, "record": record, "since": seconds(since), "at": seconds(at)}
    serials = {row[0] for query in (_ENDED_SINCE, _EXPIRED_SINCE) for row in cursor.execute(query, asked)}
    # A date that an operator has settled, and a certificate whose end had come before it was remembered.
    newest = cursor.execute("SELECT max(number) FROM record").fetchone()[0] or 0
    acted = beliefs.acceptances(cursor, record, newest)
    serials.update(each.after["serial"] for each in acted if each.what is Accepted.LIST)
    for (body,) in cursor.execute(_SIGNED_SINCE, {"record": record, "kind": WillSign.kind}):
        signed = record_of(WillSign.kind, body)
        if isinstance(signed, WillSign) and signed.not_after < at:
            serials.add(signed.serial)
    if len(serials) > MOST_CHANGED:
        return None
    found = (beliefs.certificate(cursor, serial) for serial in sorted(serials))
    ours = (known for known in found if known is not None and known.issuer == issuer)
    return [(known.serial, beliefs.status(cursor, known, at)) for known in ours]


def _ending(ended: int | None, other: int, since: int | None) -> Ending:
    if ended is None:
        # As core/status.py has it: the first second in which it no longer holds, and the reason of an expiry.
        at = first_second_after(from_seconds(other))
        return Ending(at=at, reason=RevocationReason.CESSATION_OF_OPERATION, invalidity_date=None)
    return Ending(
        at=from_seconds(ended),
        reason=RevocationReason(other),
        invalidity_date=None if since is None else from_seconds(since),
    )

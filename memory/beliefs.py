"""What follows from the records: which certificates there are, what has ended, what may be signed.

Each function takes a cursor of the book; what is asked and what is then written are one transaction of it.
"""

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from core.approval import RevocationReason
from core.identifiers import Serial
from core.instants import from_seconds, seconds
from core.kinds import HierarchyRole
from core.status import Revoked, first_second_after
from memory.records import Acceptance, At, Head, Hierarchy, Listed, WillSign, body_of, record_of


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """A Trial CPA Certificate that was signed, or was to be.

    Args:
        serial, approval, issue, device, key_sha256, not_before, not_after, issuer: as in WillSign.
        tbs_sha256: of its TBSCertificate, hex.
    """

    serial: Serial
    approval: str
    issue: int
    device: str
    key_sha256: str
    not_before: datetime
    not_after: datetime
    issuer: str
    tbs_sha256: str


@dataclass(frozen=True, kw_only=True)
class Certified:
    """A certificate of the hierarchy that was signed, or was to be; members as in Hierarchy."""

    role: HierarchyRole
    serial: Serial
    key_id: str
    key_sha256: str
    not_before: datetime
    not_after: datetime
    tbs_sha256: str


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a certificate stands at an instant.

    Args:
        known: the certificate.
        stated: its end by an act, whenever that is; None if none was stated.
        status: what a list or an answer made at that instant says; None means good.
        end: the first second in which it will not hold any more, as far as it is known.
    """

    known: Remembered
    stated: Revoked | None
    status: Revoked | None
    end: datetime


_REMEMBERED = "serial, approval, issue, device, key_sha256, not_before, not_after, issuer, tbs_sha256"
_CERTIFIED = "role, serial, key_id, key_sha256, not_before, not_after, tbs_sha256"


def certificate(cursor: sqlite3.Cursor, serial: str) -> Remembered | None:
    """Return a certificate by its serial number."""
    row = cursor.execute(f"SELECT {_REMEMBERED} FROM certificate WHERE serial = ?", (serial,)).fetchone()  # noqa: S608 - columns of ours
    return None if row is None else _remembered(row)


def certificates_after(cursor: sqlite3.Cursor, serial: str, most: int) -> list[Remembered]:
    """Return the certificates behind a serial, in order of serials."""
    query = f"SELECT {_REMEMBERED} FROM certificate WHERE serial > ? ORDER BY serial LIMIT ?"  # noqa: S608 - columns of ours
    return [_remembered(row) for row in cursor.execute(query, (serial, most))]


def issues(cursor: sqlite3.Cursor, approval: str) -> list[Remembered]:
    """Return the certificates of an approval, in order of issue."""
    query = f"SELECT {_REMEMBERED} FROM certificate WHERE approval = ? ORDER BY issue"  # noqa: S608 - columns of ours
    return [_remembered(row) for row in cursor.execute(query, (approval,))]


def hierarchy(cursor: sqlite3.Cursor, role: HierarchyRole) -> list[Certified]:
    """Return the certificates of the hierarchy of a role, oldest first."""
    query = f"SELECT {_CERTIFIED} FROM hierarchy WHERE role = ? ORDER BY record"  # noqa: S608 - columns of ours
    return [_certified(row) for row in cursor.execute(query, (role,))]


def hierarchy_records(cursor: sqlite3.Cursor, role: HierarchyRole) -> list[Hierarchy]:
    """Return the records of the hierarchy of a role, oldest first."""
    query = "SELECT body FROM record JOIN hierarchy ON record = number WHERE role = ? ORDER BY number"
    found = [record_of(Hierarchy.kind, body) for (body,) in cursor.execute(query, (role,))]
    return [each for each in found if isinstance(each, Hierarchy)]


def certified_at(cursor: sqlite3.Cursor, serial: str) -> datetime | None:
    """Return when a certificate of the hierarchy was remembered, by the machine's clock; None if it never was."""
    query = "SELECT at FROM record JOIN hierarchy ON record = number WHERE serial = ?"
    row = cursor.execute(query, (serial,)).fetchone()
    return None if row is None else from_seconds(row[0])


def signing(cursor: sqlite3.Cursor, serial: str) -> tuple[WillSign, datetime] | None:
    """Return what was remembered before a certificate was signed, and when; None if nothing was."""
    query = "SELECT body, at FROM record JOIN certificate ON record = number WHERE serial = ?"
    row = cursor.execute(query, (serial,)).fetchone()
    found = None if row is None else record_of(WillSign.kind, row[0])
    return (found, from_seconds(row[1])) if isinstance(found, WillSign) else None


def acceptances(cursor: sqlite3.Cursor, after: int, to: int) -> list[Acceptance]:
    """Return the acts of an operator behind a record and up to another, in order."""
    query = "SELECT body FROM record WHERE number > ? AND number <= ? AND kind = ? ORDER BY number"
    found = [record_of(Acceptance.kind, body) for (body,) in cursor.execute(query, (after, to, Acceptance.kind))]
    return [each for each in found if isinstance(each, Acceptance)]


def certified(cursor: sqlite3.Cursor, serial: str) -> Certified | None:
    """Return a certificate of the hierarchy by its serial number."""
    row = cursor.execute(f"SELECT {_CERTIFIED} FROM hierarchy WHERE serial = ?", (serial,)).fetchone()  # noqa: S608 - columns of ours
    return None if row is None else _certified(row)


def uses(cursor: sqlite3.Cursor) -> dict[str, tuple[int, int]]:
    """Return how many Trial CPA Certificates and how many lists each CA's key was to sign, by key identifier."""
    issued = dict(cursor.execute("SELECT issuer, count(*) FROM certificate GROUP BY issuer").fetchall())
    listed = dict(cursor.execute("SELECT key_id, count(*) FROM list GROUP BY key_id").fetchall())
    return {key: (issued.get(key, 0), listed.get(key, 0)) for key in issued.keys() | listed.keys()}


def root_entries(cursor: sqlite3.Cursor, at: datetime) -> list[Revoked]:
    """Return the entries of the root's list made at `at`, in order of serials: the issuing CAs that were ended."""
    rows = cursor.execute(
        "SELECT e.serial, e.at, e.reason, e.invalidity_date FROM ended AS e JOIN hierarchy AS h USING (serial) "
        "WHERE h.role = ? AND e.at <= ? ORDER BY e.serial",
        (HierarchyRole.ISSUING, seconds(at)),
    )
    return [_revoked(*row) for row in rows]


def end(cursor: sqlite3.Cursor, serial: str) -> Revoked | None:
    """Return the end by an act that was stated of a certificate; None if none was."""
    row = cursor.execute("SELECT at, reason, invalidity_date FROM ended WHERE serial = ?", (serial,)).fetchone()
    return None if row is None else _revoked(serial, *row)


def ends_after(cursor: sqlite3.Cursor, serial: str, most: int) -> list[Revoked]:
    """Return the ends by an act that were stated of certificates behind a serial, in order of serials."""
    query = "SELECT serial, at, reason, invalidity_date FROM ended WHERE serial > ? ORDER BY serial LIMIT ?"
    return [_revoked(*row) for row in cursor.execute(query, (serial, most))]


def newest_end(cursor: sqlite3.Cursor) -> datetime | None:
    """Return the latest end by an act that was stated; None if none was."""
    newest = cursor.execute("SELECT max(at) FROM ended").fetchone()[0]
    return None if newest is None else from_seconds(newest)


def status(cursor: sqlite3.Cursor, known: Remembered, at: datetime) -> Revoked | None:
    """Return what a list or an answer made at `at` says of a certificate; None means good."""
    return _status(known, end(cursor, known.serial), at)


def standing(cursor: sqlite3.Cursor, serial: str, at: datetime) -> Standing | None:
    """Return how a certificate stands, by its serial number; None if none is remembered."""
    known = certificate(cursor, serial)
    if known is None:
        return None
    stated = end(cursor, serial)
    return Standing(
        known=known, stated=stated, status=_status(known, stated, at), end=_known_end(cursor, known, stated, at)
    )


def _status(known: Remembered, ended: Revoked | None, at: datetime) -> Revoked | None:
    if ended is not None and ended.at <= at:
        return ended
    return _expired(known.serial, known.not_after) if known.not_after < at else None


def _known_end(cursor: sqlite3.Cursor, known: Remembered, ended: Revoked | None, at: datetime) -> datetime:
    ends = [first_second_after(known.not_after)]
    if ended is not None:
        ends.append(ended.at)
        if ended.at <= at:
            return min(ends)  # no issue that has not begun ends it before that
    # A later issue that waits ends this one when it takes effect; one that ended before it began never does.
    later = cursor.execute(
        "SELECT min(c.not_before) FROM certificate AS c LEFT JOIN ended AS e USING (serial) "
        "WHERE c.approval = ? AND c.issue > ? AND c.not_before > ? AND (e.at IS NULL OR e.at > c.not_before)",
        (known.approval, known.issue, seconds(at)),
    ).fetchone()[0]
    if later is not None:
        ends.append(from_seconds(later))
    return min(ends)


def entries(cursor: sqlite3.Cursor, at: datetime, behind: str, most: int) -> list[Revoked]:
    """Return a portion of the entries of all issuing CAs' lists made at `at`, in order of serials, behind one."""
    query = """
        SELECT c.serial, c.not_after, e.at, e.reason, e.invalidity_date
        FROM certificate AS c LEFT JOIN ended AS e ON e.serial = c.serial AND e.at <= :at
        WHERE c.serial > :behind AND (c.not_after < :at OR e.at IS NOT NULL) ORDER BY c.serial LIMIT :most
    """
    rows = cursor.execute(query, {"at": seconds(at), "behind": behind, "most": most})
    return [
        _expired(serial, from_seconds(not_after)) if ended is None else _revoked(serial, ended, reason, since)
        for serial, not_after, ended, reason, since in rows
    ]


def newest_list(cursor: sqlite3.Cursor, key_id: str, now: datetime | None = None) -> Listed | None:
    """Return the newest list of a key; of those that are not dated ahead of `now`, if that is given."""
    return next(iter(newest_lists(cursor, key_id, now, 1)), None)


def newest_lists(cursor: sqlite3.Cursor, key_id: str, now: datetime | None, most: int) -> list[Listed]:
    """Return the newest lists of a key, the newest first; of those that are not dated ahead of `now`, if given."""
    rows = cursor.execute(
        "SELECT * FROM list WHERE key_id = ? AND this_update <= ? ORDER BY number DESC LIMIT ?",
        (key_id, seconds(now) if now is not None else 2**62, most),
    ).fetchall()
    return [
        Listed(
            key_id=key,
            number=number,
            this_update=from_seconds(begins),
            next_update=from_seconds(ends),
            count=count,
            tbs_sha256=digest,
        )
        for key, number, begins, ends, count, digest, _ in rows
    ]


def unlisted(cursor: sqlite3.Cursor, held: Listed, at: datetime) -> bool:
    """Return whether a list made at `at` would have an entry that one of the same key, made before, lacks."""
    query = "SELECT record FROM list WHERE key_id = ? AND number = ?"
    (record,) = cursor.execute(query, (held.key_id, held.number)).fetchone()
    asked = {"key": held.key_id, "since": seconds(held.this_update), "record": record, "at": seconds(at)}
    ended = """
        SELECT 1 FROM ended AS e JOIN certificate AS c USING (serial)
        WHERE c.issuer = :key AND e.at <= :at AND e.record > :record LIMIT 1
    """
    # A list that was made while the clock was behind lacks an end that was known by then.
    behind = """
        SELECT 1 FROM ended AS e JOIN certificate AS c USING (serial)
        WHERE c.issuer = :key AND e.at > :since AND e.at <= :at LIMIT 1
    """
    expired = """
        SELECT 1 FROM certificate AS c LEFT JOIN ended AS e USING (serial)
        WHERE c.issuer = :key AND c.not_after >= :since AND c.not_after < :at AND e.at IS NULL LIMIT 1
    """
    # Whose list has it the record does not say; one list more of each CA does no harm.
    signer = """
        SELECT 1 FROM ended AS e JOIN hierarchy AS h USING (serial)
        WHERE h.role = 'statement' AND e.at <= :at AND (e.record > :record OR e.at > :since) LIMIT 1
    """
    return any(cursor.execute(query, asked).fetchone() for query in (ended, behind, expired, signer))


def head(cursor: sqlite3.Cursor) -> Head:
    """Return the last row of the journal that a head was signed for; row 0 before the first."""
    row = cursor.execute("SELECT number, link FROM link ORDER BY number DESC LIMIT 1").fetchone()
    return Head(number=0, link=bytes(32)) if row is None else Head(number=int(row[0]), link=bytes(row[1]))


def signed(cursor: sqlite3.Cursor, record: Head) -> bool:
    """Return whether a head was ever signed."""
    query = "SELECT 1 FROM record WHERE kind = ? AND body = ? LIMIT 1"
    return cursor.execute(query, (record.kind, body_of(record))).fetchone() is not None


def link_of(cursor: sqlite3.Cursor, number: int) -> bytes | None:
    """Return the link of a sealed row as it was when it was sealed; None if that is not known."""
    if number == 0:
        return bytes(32)
    row = cursor.execute("SELECT link FROM link WHERE number = ?", (number,)).fetchone()
    return None if row is None else bytes(row[0])


def links(cursor: sqlite3.Cursor, numbers: Collection[int]) -> dict[int, bytes]:
    """Return the links of sealed rows as they were when they were sealed; those that are known."""
    found = {0: bytes(32)} if 0 in numbers else {}
    rows = cursor.execute(
        "SELECT number, link FROM link WHERE number IN (SELECT value FROM json_each(?))", (json.dumps(sorted(numbers)),)
    )
    return found | {int(number): bytes(link) for number, link in rows}


def heads_around(cursor: sqlite3.Cursor, number: int) -> tuple[Head, Head] | None:
    """Return the nearest rows before and from a number on whose links are known; None if it is under no head."""
    below = cursor.execute("SELECT number, link FROM link WHERE number < ? ORDER BY number DESC LIMIT 1", (number,))
    before = below.fetchone() or (0, bytes(32))
    above = cursor.execute("SELECT number, link FROM link WHERE number >= ? ORDER BY number LIMIT 1", (number,))
    after = above.fetchone()
    if after is None:
        return None
    return Head(number=int(before[0]), link=bytes(before[1])), Head(number=int(after[0]), link=bytes(after[1]))


def last_at(cursor: sqlite3.Cursor) -> At | None:
    """Return what the clocks said when something was last signed."""
    row = cursor.execute("SELECT wall, boot, boot_id, ahead FROM clock").fetchone()
    return None if row is None else At(wall=from_seconds(row[0]), boot=row[1], boot_id=row[2], offset=row[3])


def _remembered(row: tuple[str, str, int, str, str, int, int, str, str]) -> Remembered:
    serial, approval, issue, device, key, begins, ends, issuer, digest = row
    return Remembered(
        serial=Serial(serial),
        approval=approval,
        issue=issue,
        device=device,
        key_sha256=key,
        not_before=from_seconds(begins),
        not_after=from_seconds(ends),
        issuer=issuer,
        tbs_sha256=digest,
    )


def _certified(row: tuple[str, str, str, str, int, int, str]) -> Certified:
    role, serial, key_id, key, begins, ends, digest = row
    return Certified(
        role=HierarchyRole(role),
        serial=Serial(serial),
        key_id=key_id,
        key_sha256=key,
        not_before=from_seconds(begins),
        not_after=from_seconds(ends),
        tbs_sha256=digest,
    )


def _expired(serial: str, not_after: datetime) -> Revoked:
    # As core/status.py has it: the first second in which it no longer holds, and the reason of an expiry.
    at = first_second_after(not_after)
    return Revoked(serial=Serial(serial), at=at, reason=RevocationReason.CESSATION_OF_OPERATION)


def _revoked(serial: str, at: int, reason: int, since: int | None) -> Revoked:
    return Revoked(
        serial=Serial(serial),
        at=from_seconds(at),
        reason=RevocationReason(reason),
        invalidity_date=None if since is None else from_seconds(since),
    )

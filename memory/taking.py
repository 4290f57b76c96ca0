"""What a record changes, and what it must not contradict: asked in the transaction that writes it."""

import hashlib
import sqlite3
from datetime import datetime
from typing import assert_never

from core.approval import RevocationReason
from core.errors import MemoryContradicted
from core.instants import seconds, text
from core.kinds import HierarchyRole
from core.status import Revoked
from memory import log, officers
from memory.beliefs import Certified, Remembered, certificate, certified, end, head, hierarchy, issues, newest_list
from memory.records import (
    Acceptance,
    Accepted,
    At,
    Begun,
    Consumed,
    Ended,
    Head,
    Hierarchy,
    Issuing,
    Listed,
    LogBegun,
    Record,
    Register,
    RosterSet,
    Tree,
    WillSign,
)

# --- what may be written ---------------------------------------------------------------------------------------------


_APPROVAL_GOES_ON = frozenset({RevocationReason.SUPERSEDED, RevocationReason.KEY_COMPROMISE})
"""Why a certificate ends whose approval may have another one; every other end by an act is the approval's."""


def news(cursor: sqlite3.Cursor, record: Record, now: datetime) -> bool:
    """Return whether a record says something new.

    Args:
        cursor: of the book, writing.
        record: what is about to be signed, or to be stated.
        now: the authority's clock.

    Raises:
        MemoryContradicted: it contradicts what is remembered; it must not be signed.
    """
    match record:
        case WillSign():
            new = _certificate_is_new(cursor, record)
        case Hierarchy():
            new = _hierarchy_is_new(cursor, record)
        case Ended():
            new = _end_is_new(cursor, record, now)
        case Listed():
            new = _list_is_new(cursor, record, now)
        case Head():
            new = _head_is_new(cursor, record)
        case Begun():
            begun = cursor.execute("SELECT 1 FROM record LIMIT 1").fetchone()
            _require(begun is None, "the memory", "it has begun already")
            new = True
        case Acceptance():
            _require_in_date(cursor, record)
            new = True
        case RosterSet() | Consumed() | Issuing() | LogBegun() | Tree() | Register():
            new = _is_news_elsewhere(cursor, record)
        case At():
            new = True
        case _:
            assert_never(record)
    return new


def _is_news_elsewhere(cursor: sqlite3.Cursor, record: officers.OfOfficers | log.OfTheLog) -> bool:
    return log.news(cursor, record) if isinstance(record, log.OfTheLog) else officers.news(cursor, record)


def refused(cursor: sqlite3.Cursor, record: Record, now: datetime) -> bool:
    """Return whether a record would contradict what is remembered."""
    try:
        news(cursor, record, now)
    except MemoryContradicted:
        return True
    return False


def _certificate_is_new(cursor: sqlite3.Cursor, record: WillSign) -> bool:
    same = certificate(cursor, record.serial)
    if same is not None:
        _require(same == _of(record), f"certificate {record.serial}", "other bytes were to be signed under this serial")
        return False
    subject = f"issue {record.issue} of {record.approval}"
    siblings = issues(cursor, record.approval)
    if siblings:
        last = siblings[-1]
        _require(record.issue > last.issue, subject, f"issue {last.issue} was signed before, serial {last.serial}")
        _require(record.device == last.device, subject, "earlier issues are for another device")
    for each in siblings:
        ended = end(cursor, each.serial)
        lasting = ended is None or ended.reason in _APPROVAL_GOES_ON
        _require(lasting, subject, f"issue {each.issue} ended for a reason that ends the approval")
    known = cursor.execute(
        "SELECT c.approval, e.reason FROM certificate AS c LEFT JOIN ended AS e USING (serial) WHERE c.key_sha256 = ?",
        (record.key_sha256,),
    ).fetchall()
    for approval, reason in known:
        _require(approval == record.approval, subject, f"its key was certified under {approval}")
        _require(reason != RevocationReason.KEY_COMPROMISE, subject, "its key was ended as compromised")
    above = [each for each in hierarchy(cursor, HierarchyRole.ISSUING) if each.key_id == record.issuer]
    _require(bool(above), subject, "its issuing CA is none of ours")
    _require(all(end(cursor, each.serial) is None for each in above), subject, "its issuing CA was ended")
    within = any(each.not_before <= record.not_before and record.not_after <= each.not_after for each in above)
    _require(within, subject, "it would outlive its issuing CA")
    return True


def _hierarchy_is_new(cursor: sqlite3.Cursor, record: Hierarchy) -> bool:
    row = cursor.execute("SELECT tbs_sha256 FROM hierarchy WHERE serial = ?", (record.serial,)).fetchone()
    subject = f"the {record.role}'s certificate {record.serial}"
    if row is not None:
        same = row[0] == hashlib.sha256(record.tbs).hexdigest()
        _require(same, subject, "other bytes were to be signed under this serial")
        return False
    for other in HierarchyRole:
        if other is not record.role:
            elsewhere = any(each.key_sha256 == record.key_sha256 for each in hierarchy(cursor, other))
            _require(not elsewhere, subject, f"its key is the {other}'s")
    for each in hierarchy(cursor, record.role):
        ended = end(cursor, each.serial) if each.key_sha256 == record.key_sha256 else None
        _require(ended is None, subject, f"its key was ended with certificate {each.serial}")
    return True


def _end_is_new(cursor: sqlite3.Cursor, record: Ended, now: datetime) -> bool:
    subject = f"the end of certificate {record.serial}"
    known = certificate(cursor, record.serial) or certified(cursor, record.serial)
    if known is None:
        raise MemoryContradicted(what=subject, detail="no such certificate was signed")
    said = Revoked(serial=record.serial, at=record.at, reason=record.reason, invalidity_date=record.invalidity_date)
    stated = end(cursor, record.serial)
    if stated is not None:
        _require(stated == said, subject, f"it was stated as {text(stated.at)}, {stated.reason.name}")
        return False
    _require(record.at <= known.not_after, subject, "it expired before that")
    if isinstance(known, Certified):
        _require(known.role is not HierarchyRole.ROOT, subject, "nobody stands above the root who could end it")
        return True
    # Once a list has said that it expired, that is its end. A list that is dated ahead of now binds nobody.
    listed = newest_list(cursor, known.issuer, now)
    said_expired = listed is not None and known.not_after < listed.this_update
    _require(not said_expired, subject, f"CRL {listed.number if listed else 0} says that it expired")
    return True


def _list_is_new(cursor: sqlite3.Cursor, record: Listed, now: datetime) -> bool:
    newest = newest_list(cursor, record.key_id)
    subject = f"CRL {record.number}"
    if newest is not None:
        _require(record.number > newest.number, subject, f"CRL {newest.number} was signed before")
    # A list that a wrong clock dated ahead is not the newest: it counts as missing.
    before = newest_list(cursor, record.key_id, now)
    if before is not None:
        dated = record.this_update >= before.this_update
        _require(dated, subject, f"CRL {before.number} is dated {text(before.this_update)}")
    return True


def _head_is_new(cursor: sqlite3.Cursor, record: Head) -> bool:
    before = head(cursor)
    subject = f"the journal's head at row {record.number}"
    if record.number == before.number:
        _require(record.link == before.link, subject, "another link was signed for this row")
        return False
    _require(record.number > before.number, subject, f"a head was signed at row {before.number}")
    return True


def _require_in_date(cursor: sqlite3.Cursor, record: Acceptance) -> None:
    """What an operator has accepted holds of what was remembered then, and of nothing that came since."""
    match record.what:
        case Accepted.RESTORE:
            before, said = head(cursor), record.before.get("number")
            _require(said in (None, str(before.number)), "the restore", f"a head was signed at row {before.number}")
            link = record.before.get("link", before.link.hex())
            _require(link == before.link.hex(), "the restore", "another link was signed for that row")
        case Accepted.LIST:
            stated = end(cursor, record.before["serial"])
            if stated is not None:
                same = record.before["at"] == str(seconds(stated.at))
                subject = f"the settled end of certificate {stated.serial}"
                _require(same, subject, f"it was stated as {text(stated.at)}, {stated.reason.name}")
        case Accepted.CLOCK:
            pass  # a clock is measured anew
        case _:
            assert_never(record.what)


def _require(holds: bool, what: str, detail: str) -> None:  # noqa: FBT001 - what has to hold, said first
    if not holds:
        raise MemoryContradicted(what=what, detail=detail)


# --- what a record changes -------------------------------------------------------------------------------------------


def take(cursor: sqlite3.Cursor, number: int, record: Record) -> None:
    """Let what follows from a record, which stands in the book as `number`, be known."""
    match record:
        case WillSign():
            _take_certificate(cursor, number, record)
        case Hierarchy():
            _take_hierarchy(cursor, number, record)
        case Ended():
            since = None if record.invalidity_date is None else seconds(record.invalidity_date)
            ended = (record.serial, seconds(record.at), int(record.reason), since, number)
            cursor.execute("INSERT INTO ended VALUES (?, ?, ?, ?, ?)", ended)
        case Listed():
            begins, ends = seconds(record.this_update), seconds(record.next_update)
            listed = (record.key_id, record.number, begins, ends, record.count, record.tbs_sha256, number)
            cursor.execute("INSERT INTO list VALUES (?, ?, ?, ?, ?, ?, ?)", listed)
        case Head(number=row, link=link) | Begun(journal_number=row, journal_link=link):
            if row:
                cursor.execute("INSERT OR REPLACE INTO link VALUES (?, ?)", (row, link))
        case At():
            read = (seconds(record.wall), record.boot, record.boot_id, record.offset)
            cursor.execute("INSERT OR REPLACE INTO clock VALUES (1, ?, ?, ?, ?)", read)
        case Acceptance():
            _take_acceptance(cursor, record)
        case RosterSet() | Consumed() | Issuing() | LogBegun() | Tree() | Register():
            _take_elsewhere(cursor, number, record)
        case _:
            assert_never(record)


def _take_elsewhere(cursor: sqlite3.Cursor, number: int, record: officers.OfOfficers | log.OfTheLog) -> None:
    if isinstance(record, log.OfTheLog):
        log.take(cursor, number, record)
    else:
        officers.take(cursor, number, record)


def _take_certificate(cursor: sqlite3.Cursor, number: int, record: WillSign) -> None:
    said = _of(record)
    values = (
        said.serial,
        said.approval,
        said.issue,
        said.device,
        said.key_sha256,
        seconds(said.not_before),
        seconds(said.not_after),
        said.issuer,
        said.tbs_sha256,
        number,
    )
    cursor.execute("INSERT INTO certificate VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)


def _take_hierarchy(cursor: sqlite3.Cursor, number: int, record: Hierarchy) -> None:
    values = (
        record.serial,
        record.role,
        record.key_id,
        record.key_sha256,
        seconds(record.not_before),
        seconds(record.not_after),
        hashlib.sha256(record.tbs).hexdigest(),
        number,
    )
    cursor.execute("INSERT INTO hierarchy VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)


def _take_acceptance(cursor: sqlite3.Cursor, record: Acceptance) -> None:
    match record.what:
        case Accepted.RESTORE:
            number, link = int(record.after["number"]), bytes.fromhex(record.after["link"])
            cursor.execute("DELETE FROM link WHERE number >= ?", (number,))
            if number:
                cursor.execute("INSERT INTO link VALUES (?, ?)", (number, link))
            if record.before.get("number") != str(number):
                log.end(cursor)  # its tree had leaves that the register has no rows for any more
        case Accepted.CLOCK:
            cursor.execute("DELETE FROM clock")
        case Accepted.LIST:
            moved = (int(record.after["at"]), record.after["serial"])
            cursor.execute("UPDATE ended SET at = ? WHERE serial = ?", moved)
        case _:
            assert_never(record.what)


def _of(record: WillSign) -> Remembered:
    return Remembered(
        serial=record.serial,
        approval=record.approval,
        issue=record.issue,
        device=record.device,
        key_sha256=record.key_sha256,
        not_before=record.not_before,
        not_after=record.not_after,
        issuer=record.issuer,
        tbs_sha256=hashlib.sha256(record.tbs).hexdigest(),
    )

"""What is remembered of officers: whose keys count, which of their statements were used, and whether issuing stands.

Each function takes a cursor of the book; what is asked and what is then written are one transaction of it.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import TypeAlias, assert_never

from core.errors import MemoryContradicted
from core.instants import seconds
from core.kinds import AuthorisedAct
from memory.records import (
    Acceptance,
    Accepted,
    Begun,
    Consumed,
    Head,
    Issuing,
    Record,
    RosterSet,
    record_of,
)
from officers.roster import Roster

OfOfficers: TypeAlias = RosterSet | Consumed | Issuing


def news(cursor: sqlite3.Cursor, record: OfOfficers) -> bool:
    """Return whether a record says something new.

    Raises:
        MemoryContradicted: a roster that does not follow the newest, a statement that was used, or an order that was
            carried out.
    """
    match record:
        case RosterSet():
            return _roster_is_new(cursor, record)
        case Consumed():
            return _consumption_is_new(cursor, record)
        case Issuing():
            return _issuing_is_new(cursor, record)
        case _:
            assert_never(record)


def take(cursor: sqlite3.Cursor, number: int, record: OfOfficers) -> None:
    """Let what follows from a record, which stands in the book as `number`, be known."""
    match record:
        case RosterSet():
            cursor.execute("INSERT INTO roster VALUES (?, ?, ?)", (record.number, seconds(record.effective_at), number))
        case Consumed():
            values = (record.statement_sha256, record.subject, record.act, record.officer, record.fact_sha256, number)
            cursor.execute("INSERT INTO consumed VALUES (?, ?, ?, ?, ?, ?)", values)
            if record.counter is not None:
                shown = (record.key, record.counter, record.statement_sha256, number)
                cursor.execute("INSERT OR REPLACE INTO passkey VALUES (?, ?, ?, ?)", shown)
        case Issuing():
            cursor.execute("INSERT OR REPLACE INTO issuing VALUES (1, ?, ?)", (int(record.stopped), number))
        case _:
            assert_never(record)


def newest_roster(cursor: sqlite3.Cursor) -> RosterSet | None:
    """Return the newest roster, in force or to come; None before the first."""
    return _roster(cursor, "ORDER BY number DESC LIMIT 1")


def roster_at(cursor: sqlite3.Cursor, at: datetime) -> Roster | None:
    """Return the roster that is in force; None before the first: nobody's key counts, and none is asked for."""
    found = _roster(cursor, "WHERE effective_at <= ? ORDER BY number DESC LIMIT 1", seconds(at))
    return None if found is None else roster_of(found)


def roster_of(record: RosterSet) -> Roster:
    """Return a remembered roster as the value that proofs are asked with."""
    return Roster(number=record.number, members=record.members, effective_at=record.effective_at)


def rosters(cursor: sqlite3.Cursor) -> list[RosterSet]:
    """Return every roster there was, in order."""
    rows = cursor.execute(
        "SELECT kind, body FROM record JOIN roster ON roster.record = record.number ORDER BY roster.number"
    )
    return [each for each in (record_of(kind, body) for kind, body in rows) if isinstance(each, RosterSet)]


def consumed_for(cursor: sqlite3.Cursor, subject: str, acts: Collection[AuthorisedAct]) -> list[Consumed]:
    """Return what was consumed for a decision, approval, breach or order, of some acts, in order."""
    found = _consumed(cursor, "SELECT record FROM consumed WHERE subject = ? ORDER BY record", subject)
    return [each for each in found if each.act in acts]


def consumed_about(cursor: sqlite3.Cursor, subjects: Collection[str]) -> list[Consumed]:
    """Return what was consumed for any of some decisions, approvals, breaches or orders, in order."""
    return _consumed_of(cursor, "subject", subjects)


def consumed_by(cursor: sqlite3.Cursor, statements: Collection[str]) -> list[Consumed]:
    """Return what some statements, by their digests, were consumed for, in order."""
    return _consumed_of(cursor, "statement_sha256", statements)


def ordered(cursor: sqlite3.Cursor) -> frozenset[str]:
    """Return every order that an officer's authorisation was ever used for: there are few, and they have an index."""
    acts = "('stop-issuing', 'start-issuing', 'change-roster')"  # as its index says it
    found = cursor.execute(f"SELECT DISTINCT subject FROM consumed WHERE act IN {acts}")  # noqa: S608 - words of ours
    return frozenset(each for (each,) in found)


def certified_before(cursor: sqlite3.Cursor, serial: str, subject: str, facts: Collection[str]) -> bool:
    """Return whether a certificate was to be signed before officers agreed to something: they can have meant it.

    Args:
        cursor: of the book.
        serial: of the certificate.
        subject: what they agreed about.
        facts: digests of the facts for which that was consumed; none for what they agreed to before there were rosters.
    """
    agreed, values = "SELECT record FROM roster WHERE number = 1", tuple[str, ...]()
    if facts:
        one_of = "fact_sha256 IN (SELECT value FROM json_each(?))"
        agreed = f"SELECT max(record) FROM consumed WHERE subject = ? AND {one_of}"  # noqa: S608 - words of ours
        values = (subject, json.dumps(sorted(facts)))
    query = f"SELECT 1 FROM certificate WHERE serial = ? AND record < ({agreed})"  # noqa: S608 - words of ours
    return cursor.execute(query, (serial, *values)).fetchone() is not None


def sealed_before_rosters(cursor: sqlite3.Cursor) -> int:
    """Return the last row of the journal under a head that was signed before there was a roster; 0 without one.

    A restore that was accepted since counts: rows of such numbers were sealed anew.
    """
    first = cursor.execute("SELECT record FROM roster WHERE number = 1").fetchone()
    if first is None:
        return 0
    kinds = (Head.kind, Begun.kind, Acceptance.kind)
    query = "SELECT kind, body FROM record WHERE number < ? AND kind IN (?, ?, ?) ORDER BY number DESC"
    before = (_stood_at(record_of(kind, body)) for kind, body in cursor.execute(query, (*first, *kinds)))
    number = next(each for each in before if each is not None)
    query = "SELECT kind, body FROM record WHERE number > ? AND kind = 'accepted'"  # as its index says it
    since = (_stood_at(record_of(kind, body)) for kind, body in cursor.execute(query, first))
    return min([number, *(each for each in since if each is not None)])


def _stood_at(record: Record) -> int | None:
    """Return where a record says that the journal stands; None if it says nothing of that."""
    match record:
        case Head(number=number) | Begun(journal_number=number):
            return number
        case Acceptance(what=Accepted.RESTORE):
            return int(record.after["number"])
        case _:
            return None


def issuing(cursor: sqlite3.Cursor) -> Issuing | None:
    """Return when issuing was last stopped or started again; None if it never was."""
    row = cursor.execute("SELECT kind, body FROM record JOIN issuing ON record.number = issuing.record").fetchone()
    found = None if row is None else record_of(*row)
    assert found is None or isinstance(found, Issuing)
    return found


def stops(cursor: sqlite3.Cursor) -> list[Issuing]:
    """Return each time that issuing was stopped or started again, in order."""
    rows = cursor.execute("SELECT kind, body FROM record WHERE kind = ? ORDER BY number", (Issuing.kind,))
    return [each for each in (record_of(kind, body) for kind, body in rows) if isinstance(each, Issuing)]


def _roster_is_new(cursor: sqlite3.Cursor, record: RosterSet) -> bool:
    before = newest_roster(cursor)
    subject, follows = f"roster {record.number}", 1 if before is None else before.number + 1
    if before == record:
        return False
    if record.number != follows:
        raise MemoryContradicted(what=subject, detail=f"the next is roster {follows}")
    return True


def _issuing_is_new(cursor: sqlite3.Cursor, record: Issuing) -> bool:
    before = issuing(cursor)
    if before == record:
        return False
    subject = "that issuing stops" if record.stopped else "that issuing goes on"
    if record.stopped == (before is not None and before.stopped):
        raise MemoryContradicted(what=subject, detail="it does already")
    if any(each.order == record.order for each in stops(cursor)):
        raise MemoryContradicted(what=subject, detail=f"order {record.order} was carried out before")
    return True


def _consumption_is_new(cursor: sqlite3.Cursor, record: Consumed) -> bool:
    for each in _consumed_before(cursor, record):
        if each != record:
            what = f"the authorisation by {record.officer} to {record.act} {record.subject}"
            detail = f"their statement {each.statement_sha256[:16]} was used for that, or for another act"
            raise MemoryContradicted(what=what, detail=detail)
        return False
    if record.counter is not None:
        _require_later(cursor, record, record.counter)
    return True


def _require_later(cursor: sqlite3.Cursor, record: Consumed, counter: int) -> None:
    """Require that a passkey's counter goes on (WebAuthn, 6.1.1): one that goes back is of a copy, or of an old answer.

    One that has no counter always shows 0. A statement about several things is one answer.
    """
    query = "SELECT counter, statement_sha256 FROM passkey WHERE key = ?"
    last, statement = cursor.execute(query, (record.key,)).fetchone() or (0, None)
    if counter > last or counter == last == 0 or statement == record.statement_sha256:
        return
    what = f"the authorisation by {record.officer} to {record.act} {record.subject}"
    raise MemoryContradicted(what=what, detail=f"their passkey showed {counter}, and {last} before")


def _consumed_before(cursor: sqlite3.Cursor, record: Consumed) -> Iterator[Consumed]:
    """Yield what was consumed that another consumption must be equal to.

    A statement counts once for each thing that it is about. An officer agrees to a thing once; only revoking alone
    may be done again, after another certificate was issued: there the fact tells the acts apart.
    """
    query = "SELECT record FROM consumed WHERE statement_sha256 = ? AND subject = ?"
    yield from _consumed(cursor, query, record.statement_sha256, record.subject)
    if record.act is not AuthorisedAct.REVOKE:
        query = "SELECT record FROM consumed WHERE subject = ? AND act = ? AND officer = ?"
        yield from _consumed(cursor, query, record.subject, record.act, record.officer)


def _roster(cursor: sqlite3.Cursor, behind: str, *values: int) -> RosterSet | None:
    query = f"SELECT kind, body FROM record JOIN (SELECT record AS held FROM roster {behind}) ON number = held"  # noqa: S608 - words of ours
    row = cursor.execute(query, values).fetchone()
    found = None if row is None else record_of(*row)
    assert found is None or isinstance(found, RosterSet)
    return found


def _consumed_of(cursor: sqlite3.Cursor, column: str, values: Collection[str]) -> list[Consumed]:
    query = f"""
        SELECT r.kind, r.body FROM consumed AS c JOIN record AS r ON r.number = c.record
        WHERE c.{column} IN (SELECT value FROM json_each(?)) ORDER BY r.number
    """  # noqa: S608 - a column of ours
    rows = cursor.execute(query, (json.dumps(sorted(values)),)) if values else ()
    return [each for each in (record_of(kind, body) for kind, body in rows) if isinstance(each, Consumed)]


def _consumed(cursor: sqlite3.Cursor, query: str, *values: str) -> Iterator[Consumed]:
    numbers = [number for (number,) in cursor.execute(query, values).fetchall()]
    for number in numbers:
        row = cursor.execute("SELECT kind, body FROM record WHERE number = ?", (number,)).fetchone()
        found = record_of(*row)
        assert isinstance(found, Consumed)
        yield found

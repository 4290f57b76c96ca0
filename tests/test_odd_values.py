"""Whatever a row holds ends as an alarm: nothing leaves the turn, and who is honest beside it is served.

Somebody who owns the database switches its constraints off and writes what no calendar, no list of words and no parser
knows. On SQLite, which lets a test do so; what reads the rows is the same on both databases.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column
from sqlalchemy.dialects.sqlite import dialect

from core.alarms import AlarmCode
from core.approval import EndCause
from core.errors import StoreWentBack
from core.facts import FactKind
from core.kinds import DecisionState, DraftState
from jobs.courier import Courier, Subscriber
from store import officers_tables, tables, trial_tables
from store.reading import journal as reading
from tests.channels_world import HASHES, Channels
from tests.cycle_world import device
from tests.world import World

HUGE = 1_000_000
NUMBERS = (2**62, -(2**62), 253_402_300_799, -62_135_596_800, 0)
"""Seconds: far behind the year 9999 and before the year 0, the last of 9999, the first of year 1, and 1970."""

BROKEN_TEXT = "CAST(x'fffe41' AS TEXT)"
TEXTS = ("", "[" * HUGE, "no such word", "\x00\x07\ud7ff", '{"at": null}', "9" * 40, BROKEN_TEXT)
OCTETS = (b"", b"\x30\x84\xff\xff\xff\xff", b"\x30\x03\x02\x01\x01", b"0" * HUGE)

MINUTE = timedelta(seconds=61)

READ = (
    tables.applications,
    tables.decisions,
    tables.approvals,
    tables.terms,
    tables.public_keys,
    tables.drafts,
    tables.certificates,
    tables.authority_certificates,
    tables.ocsp_answers,
    tables.crls,
    tables.journal,
    tables.journal_heads,
    tables.memory_records,
    tables.alarms,
    tables.lease,
    tables.authority,
    officers_tables.authorisations,
    officers_tables.orders,
    officers_tables.order_authorisations,
    officers_tables.rosters,
    trial_tables.secondings,
    trial_tables.witnesses,
    trial_tables.cpl_instructions,
)
"""What the authority reads."""


@pytest.fixture
def world(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[World]:
    made = World(store_copy("sqlite"), keys_folder)
    yield made
    made.close()


def _by_hand(world: World) -> sqlite3.Connection:
    connection = sqlite3.connect(world.url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute("PRAGMA foreign_keys = OFF")
    fences = "SELECT type, name FROM sqlite_master WHERE type = 'trigger' OR (type = 'index' AND name LIKE 'uq_%')"
    for kind, name in connection.execute(fences).fetchall():
        connection.execute(f"DROP {kind} {name}")
    return connection


FOREIGN: dict[str, tuple[object, ...]] = {"TEXT": (b"\xff\xfe",), "BLOB": ("a text", 5)}
FOREIGN_NUMBERS = ("soon", b"\xff", 2.0**70, 1.5)
"""What stands in a column of another kind, once nothing says any more of which kind it is; SQLite keeps 2^70 so."""


def _foreign(column: Column[Any]) -> tuple[object, ...]:
    return (*FOREIGN.get(column.type.compile(dialect()), FOREIGN_NUMBERS), None)


def _without_kinds(world: World) -> None:
    """Take out of every table that its columns hold one kind of value, and that there is always one."""
    with closing(_by_hand(world)) as by_hand:
        by_hand.execute("PRAGMA writable_schema = ON")
        every = by_hand.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql LIKE '%STRICT%'")
        for name, sql in every.fetchall():
            loose = re.sub(r"(?<!IS) NOT NULL", "", sql.replace(" STRICT", ""))
            by_hand.execute("UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = ?", (loose, name))
    world.store.close()


def _values(column: Column[Any]) -> tuple[object, ...]:
    kind = column.type.compile(dialect())
    fitting: tuple[object, ...] = {"TEXT": TEXTS, "BLOB": OCTETS}.get(kind, NUMBERS)
    return (*fitting, *([None] if column.nullable else []))


def _peopled(world: World) -> dict[str, str]:
    """An authority in the middle of everything: proposed, drafted, seconded, claimed, granted, ended."""
    made = {"granted": world.granted(device=device(1)), "ended": world.granted(device=device(2))}
    world.revoked(made["ended"], EndCause.KEY_COMPROMISE)
    world.authority.settle()
    world.drafted(device=device(3))
    world.seconded(world.drafted(device=device(4)))
    with closing(_by_hand(world)) as by_hand:
        claimed = "UPDATE drafts SET state = ?, claimed_at = 0 WHERE decision_id IN (SELECT id FROM decisions"
        by_hand.execute(f"{claimed} WHERE state = ?)", (DraftState.CLAIMED, DecisionState.SECONDED))
        by_hand.execute("UPDATE certificates SET presign_due = 0, listed_in = NULL")
    return made


def _require_served(world: World, number: int) -> None:
    """An honest grant, and its revocation, reach every channel."""
    approval = world.granted(device=replace(device(1), model=f"{number:08X}"))
    (certificate,) = world.record(approval).certificates
    channels = Channels(world)
    assert {channels.ocsp(certificate.serial, name).status for name in HASHES} == {"good"}
    world.revoked(approval)
    world.authority.settle()
    channels.follow()
    assert certificate.serial in channels.crl()
    assert {channels.ocsp(certificate.serial, name).status for name in HASHES} == {"revoked"}


def _swept(world: World, every: int, values: Callable[[Column[Any]], tuple[object, ...]] = _values) -> Iterator[str]:
    """Put every `every`-th odd value into every column that the authority reads, one after the other, and take it out.

    It stands in all rows of the table at once, as far as they need not differ.
    """
    count = 0
    with closing(_by_hand(world)) as by_hand:
        for table, column in ((each, column) for each in READ for column in each.columns):
            for value in values(column):
                count += 1
                if count % every:
                    continue
                before = by_hand.execute(f"SELECT rowid, {column.name} FROM {table.name}").fetchall()
                put = BROKEN_TEXT if value == BROKEN_TEXT else "?"
                given = () if value == BROKEN_TEXT else (value,)
                with suppress(sqlite3.IntegrityError):  # the key that SQLite counts rows by is always a number
                    by_hand.execute(f"UPDATE OR IGNORE {table.name} SET {column.name} = {put}", given)
                yield f"{table.name}.{column.name} = {value!r:.20}"
                # What the authority has put right itself, a number that nobody gave, is right as it is.
                kept = [(was, row, *given) for row, was in before]
                back = f"UPDATE OR IGNORE {table.name} SET {column.name} = ? WHERE rowid = ? AND {column.name} IS {put}"
                by_hand.executemany(back, kept)


@pytest.mark.parametrize("every", [pytest.param(23, id="some"), pytest.param(1, id="all", marks=pytest.mark.long)])
def test_no_value_in_any_column_leaves_the_turn(world: World, every: int) -> None:
    _peopled(world)
    tried = alarmed = 0
    for _ in _swept(world, every):
        # What was put aside for a minute is tried again; a lease that is held by a strange name runs out.
        world.at(world.clock.now() + MINUTE)
        world.machine.advance(MINUTE)
        with suppress(StoreWentBack):  # a journal that is another one has its own alarm, and its own way on
            world.authority.turn()
        tried += 1
        alarmed += bool(world.alarms())
    assert tried > 40
    assert alarmed > tried // 4
    world.at(world.clock.now() + MINUTE)
    world.authority.settle()


@pytest.mark.parametrize("every", [pytest.param(17, id="some"), pytest.param(1, id="all", marks=pytest.mark.long)])
def test_no_value_of_another_kind_leaves_a_turn_and_status_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    """What the authority, web and the courier read, when nothing says any more that a number is a number."""
    monkeypatch.setattr("jobs.courier.post", lambda *_: None)
    _peopled(world)
    _without_kinds(world)
    channels, courier = Channels(world), Courier(world.store, [])
    tried = alarmed = 0
    for number, _ in enumerate(_swept(world, every, _foreign)):
        world.at(world.clock.now() + MINUTE)
        world.machine.advance(MINUTE)
        with suppress(StoreWentBack):
            world.authority.turn()
        channels.follow()
        courier.deliver(Subscriber(f"http://listener.test/{number}", b"a secret of a test"))
        tried += 1
        alarmed += bool(world.alarms())
    assert tried > 40
    assert every > 1 or alarmed > tried // 4  # what is compared in each turn is in the table below
    world.at(world.clock.now() + MINUTE)
    world.authority.settle()
    channels.follow()


_FACT = "INSERT INTO journal (kind, at, actor, approvals, payload, seal_number, link, sealed_at) VALUES "

NOTICED = {
    "nothing for an arc": ("UPDATE authority SET arc = NULL", AlarmCode.AUTHORITY_CHANGED),
    "octets for a name": ("UPDATE authority SET name = x'fffe'", AlarmCode.AUTHORITY_CHANGED),
    "a number for a list": ("UPDATE crls SET der = 5", AlarmCode.REGISTER_CONTRADICTS),
    "a text for a list": ("UPDATE crls SET der = 'a text'", AlarmCode.REGISTER_CONTRADICTS),
    "a text for a certificate": ("UPDATE authority_certificates SET der = 'a'", AlarmCode.REGISTER_CONTRADICTS),
    "a text for a number": (
        _FACT + "('crl-refused', 0, 'console', '', '{}', 'soon', x'00', 0)",
        AlarmCode.JOURNAL_CHANGED,
    ),
    "octets for a number, and nothing for a link": (
        _FACT + "('crl-refused', 0, 'console', '', '{}', x'ff', NULL, NULL)",
        AlarmCode.JOURNAL_CHANGED,
    ),
    "a number of 2^70": (
        _FACT + "('crl-refused', 0, 'console', '', '{}', 1180591620717411303424, 'text', 'soon')",
        AlarmCode.JOURNAL_CHANGED,
    ),
}


@pytest.mark.parametrize("name", NOTICED)
def test_a_value_of_another_kind_in_what_each_turn_compares_is_an_alarm(world: World, name: str) -> None:
    statement, code = NOTICED[name]
    world.granted(device=device(1))
    world.authority.settle()
    _without_kinds(world)
    channels = Channels(world)
    with closing(_by_hand(world)) as by_hand:
        by_hand.execute(statement)
        # Two turns: what is noticed first, and what comes of it.
        for _ in range(2):
            world.at(world.clock.now() + MINUTE)
            world.machine.advance(MINUTE)
            world.authority.turn()
            channels.follow()
    assert code in {each.code for each in world.alarms()}


ODD_TEXTS = (
    BROKEN_TEXT,
    "CAST(x'610062' AS TEXT)",
    "CAST(x'eda080' AS TEXT)",
    "x'fffe'",
    """'{"credential":"\\ud800"}'""",
)
"""No UTF-8, a NUL, half a character, octets where a text should be, and half a character in what JSON says."""


def test_no_text_of_a_fact_that_waits_stops_the_sealing(world: World) -> None:
    world.authority.settle()
    with closing(_by_hand(world)) as by_hand:
        # Whoever owns the file can write octets into a column of text, too.
        by_hand.execute("PRAGMA writable_schema = ON")
        by_hand.execute("UPDATE sqlite_master SET sql = replace(sql, ' STRICT', '') WHERE name = 'journal'")
        world.store.close()
    names = ("kind", "at", "actor", "role", "organisation", "subject", "approvals", "payload")
    kinds = ("decision-proposed", "decision-seconded", "certificate-revoked", "decision-made-alone", "roster-set")
    with closing(_by_hand(world)) as by_hand:
        for name in (each for each in names if each != "at"):
            for odd, kind in ((odd, kind) for odd in ODD_TEXTS for kind in kinds):
                said = {"kind": f"'{kind}'", "at": "0", "actor": "'a'", "approvals": "''", "payload": "'{}'", name: odd}
                by_hand.execute(f"INSERT INTO journal ({', '.join(said)}) VALUES ({', '.join(said.values())})")
    world.applied(device=device(1))
    world.authority.settle()
    with world.store.read() as tx:
        left = [each.row.kind for each in reading.unsealed(tx, HUGE)]
        sealed = {each.row.kind for each in reading.sealed_after(tx, 0, HUGE)}
        assert reading.last_sealed(tx)[:2] == (world.memory.head.number, world.memory.head.link)
    assert (left, FactKind.APPLICATION_SUBMITTED in sealed) == ([], True)
    assert {AlarmCode.ACT_UNPROVED} <= {each.code for each in world.alarms()}


def _rows(by_hand: sqlite3.Connection, table: str, number: int, **changed: str | None) -> None:
    """Copy the newest row of a table many times over; `{}` in what is changed stands for the copy's number."""
    names = [row[1] for row in by_hand.execute(f"PRAGMA table_info({table})")]
    (row,) = by_hand.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY rowid DESC LIMIT 1").fetchall()
    for copy in range(number):
        odd = {name: value and value.format(f"{copy:02d}") for name, value in changed.items()}
        said = {**dict(zip(names, row, strict=True)), **odd}
        marks = ", ".join("?" for _ in names)
        by_hand.execute(f"INSERT INTO {table} VALUES ({marks})", [said[name] for name in names])


def test_a_hundred_rows_that_cannot_be_dealt_with_hold_up_nobody(world: World) -> None:
    _peopled(world)
    with closing(_by_hand(world)) as by_hand:
        odd = "0" * 62 + "{}"
        at_once: dict[str, str] = {"seconded_at": "0", "proposed_at": "0"}
        _rows(by_hand, "decisions", 60, id="dec-claimed-{}", state="seconded", seconded_tbs_sha256="", **at_once)
        _rows(by_hand, "drafts", 60, serial="0{}", decision_id="dec-claimed-{}", state="claimed", tbs_sha256=odd)
        _rows(by_hand, "decisions", 60, id="dec-proposed-{}", state="proposed", proposal="[", **at_once)
        _rows(by_hand, "decisions", 60, id="dec-kind-{}", state="drafted", kind="no such kind", **at_once)
        _rows(by_hand, "certificates", 60, serial="1{}", approval="a-{}", fingerprint=odd, presign_due="-1")
        _rows(by_hand, "certificates", 60, serial="2{}", approval="b-{}", fingerprint="1" + odd[1:], cause="none")
        never: dict[str, str | None] = {"ended_at": None, "end_cause": None, "ended_by": None}
        ids = {"decision_id": "x-{}", "application_id": "x-{}"}
        _rows(by_hand, "approvals", 60, identifier="expired-{}", expiry="-1", **never, **ids)
    world.authority.turn()
    _require_served(world, 1)
    assert AlarmCode.JOB_FAILS in {each.code for each in world.alarms()}
    # Nothing is lost by having been put aside: it is tried again, and told again.
    world.at(world.clock.now() + MINUTE)
    world.authority.settle()
    assert AlarmCode.JOB_FAILS in {each.code for each in world.alarms()}

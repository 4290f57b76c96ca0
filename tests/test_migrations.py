"""A register that was lived in under revision 0001 comes to this release's revision whole, or stays as it was.

tests/vectors/registers/0001 holds such a register as the release of 0001 wrote it, row by row in the order in which
rows may be written: applications, decisions and drafts in every state, approvals active, waiting, revoked, withdrawn,
expired and given a new key, a signature that was intended and never made, a journal sealed but for its last rows.
Octets are in base64, instants are seconds. Its keys lie beside it, sealed with the passphrase that every test uses.
"""

import base64
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from cryptography import x509
from sqlalchemy import event, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError

from core.actors import Role
from core.clock import FixedClock
from core.kinds import DecisionState, HierarchyRole
from core.status import approval_status
from jobs.beginning import prove_register
from jobs.clocks import clocks
from keys.ceremony import RECORD_FILE
from keys.record_key import make_record_key
from memory.memory import Memory
from ra.applying.look import application
from ra.deciding import look as look_at_decisions
from ra.desk import Desk, Rules
from ra.telling import approvals as look
from store import schema
from store.overlap import NAME as OVERLAP
from store.reading import approvals as approval_reading
from store.reading import journal as journal_reading
from store.reading import work
from store.reading.authority import authority_row, certificates
from store.tables import approvals, credentials, decisions, drafts, journal, metadata
from store.transactions import Store, violated
from tests.audit_world import audited, exported
from tests.world import (
    AUDITOR,
    BORN,
    DEVICE,
    LONGEST_TRIAL,
    OFFICER_1,
    OFFICER_2,
    PASSPHRASE,
    PROFILE,
    World,
    grant,
    keyring,
    memory_folder,
)
from verify.kit.agreed.journal import Head, LinkedRow, check
from verify.kit.evidence.offline import prove

LIVED_IN = Path(__file__).parent / "vectors" / "registers" / "0001"
WRITTEN_LAST = datetime(2027, 1, 22, 9, 0, tzinfo=UTC)
"""When the last row of that register was written."""

Contents = dict[str, list[dict[str, Any]]]


def _rows() -> Contents:
    found: Contents = {}
    for line in (LIVED_IN / "rows.jsonl").read_text("utf-8").splitlines():
        said = json.loads(line)
        row = {
            name: base64.b64decode(value["base64"]) if isinstance(value, dict) else value
            for name, value in said["row"].items()
        }
        found.setdefault(said["table"], []).append(row)
    return found


ROWS = _rows()


def contents(store: Store, columns: Contents = ROWS) -> Contents:
    """Every row of every table of 0001, in the columns that it had then."""
    with store.read() as tx:
        return {
            table: _in_order(
                [dict(row) for row in tx.connection.execute(text(f"SELECT {_names(rows[0])} FROM {table}")).mappings()]
            )
            for table, rows in columns.items()
        }


def _in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(sorted(row.items())))


def _names(row: dict[str, Any]) -> str:
    return ", ".join(f'"{name}"' for name in row)


def _made_at_0001(store: Store) -> Store:
    config = schema._config()
    with store.migration_connection() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.commit()
    with store.begin("live in it") as tx:
        for table, rows in ROWS.items():
            marks = ", ".join(f":{name}" for name in rows[0])
            tx.connection.execute(text(f"INSERT INTO {table} ({_names(rows[0])}) VALUES ({marks})"), rows)
        if store.dialect == "postgresql":
            for table in ("journal", "ocsp_answers"):
                counted = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
                tx.connection.exec_driver_sql(counted)
    assert store.revision() == "0001"
    return store


@pytest.fixture
def lived_in(store_kind: str, empty_store_url: Callable[[str], str]) -> Iterator[Store]:
    store = _made_at_0001(Store(empty_store_url(store_kind)))
    yield store
    store.close()


@pytest.fixture
def upgraded(lived_in: Store) -> Store:
    schema.upgrade(lived_in)
    lived_in.require_revision(schema.needed_revision())
    return lived_in


def test_the_revision_that_this_release_needs_is_the_newest_that_alembic_knows() -> None:
    assert schema.needed_revision() == ScriptDirectory.from_config(schema._config()).get_current_head()


def test_the_register_was_lived_in() -> None:
    # A migration that is tried on empty tables, or on one state of each thing, is not tried.
    assert all(ROWS.values())
    assert len(ROWS) == 20
    assert {row["state"] for row in ROWS["applications"]} == {
        "submitted",
        "proposed",
        "granted",
        "refused",
        "cancelled",
    }
    assert {row["state"] for row in ROWS["decisions"]} == {
        "proposed",
        "drafted",
        "seconded",
        "done",
        "rejected",
        "lapsed",
    }
    assert {row["kind"] for row in ROWS["decisions"]} == {"grant", "refuse", "revoke", "withdraw", "rekey"}
    assert {row["state"] for row in ROWS["drafts"]} == {"drafted", "claimed", "signed", "abandoned"}
    assert {row["state"] for row in ROWS["public_keys"]} == {"reserved", "certified", "compromised"}
    assert {row["end_cause"] for row in ROWS["approvals"]} == {None, "breach", "manufacturer"}
    assert {row["cause"] for row in ROWS["certificates"]} == {None, "breach", "key-compromise", "manufacturer"}
    assert {row["seal_number"] is None for row in ROWS["journal"]} == {True, False}


# --- nothing is lost ----------------------------------------------------------------------------------------------


def test_every_column_of_every_row_is_there_afterwards(lived_in: Store) -> None:
    kept = {table: _in_order(rows) for table, rows in ROWS.items()}
    assert contents(lived_in) == kept
    schema.upgrade(lived_in)
    lived_in.require_revision(schema.needed_revision())
    after = contents(lived_in)
    for table, rows in kept.items():
        assert after[table] == rows, table


def test_what_is_new_says_nothing_of_what_was(upgraded: Store) -> None:
    with upgraded.read() as tx:
        run = tx.connection.execute
        added = run(text("SELECT gbcs_version, contact, assurance, earlier_cpa, version, changed_at FROM applications"))
        assert {tuple(row) for row in added} == {("", "", "[]", "null", 1, None)}
        added = run(
            text(
                "SELECT officers, meeting, minute, passages, conditions, amendment_request, breach, lapses_at, "
                "acknowledged_by, acknowledged_at FROM decisions"
            )
        )
        assert {tuple(row) for row in added} == {(2, "", "", "[]", "[]", None, None, None, None, None)}
        new = [table for name, table in metadata.tables.items() if name not in ROWS]
        assert new
        for table in new:
            assert run(select(table)).first() is None, table.name


def test_the_journal_still_proves_what_it_proved(upgraded: Store) -> None:
    assert journal_problems(upgraded) == ()
    with upgraded.read() as tx:
        waiting = journal_reading.unsealed(tx, 1_000)
        assert len(waiting) + journal_reading.last_sealed(tx)[0] == len(ROWS["journal"])


def journal_problems(store: Store) -> tuple[str, ...]:
    with store.read() as tx:
        rows = [LinkedRow(each.row, each.link.hex()) for each in journal_reading.sealed_after(tx, 0, 10_000)]
        heads = [Head(each.number, each.link.hex(), each.signature) for each in journal_reading.heads(tx)]
        key = authority_row(tx).journal_key
    return check(rows, heads, journal=PROFILE.journal_name, journal_key=key)


def test_this_release_reads_what_the_earlier_one_wrote(upgraded: Store) -> None:
    desk = Desk(upgraded, FixedClock(WRITTEN_LAST), Rules(longest_trial=LONGEST_TRIAL))
    for row in ROWS["applications"]:
        assert application(desk, AUDITOR, row["id"]).state == row["state"]
    for row in ROWS["decisions"]:
        shown = look_at_decisions.decision(desk, AUDITOR, row["id"])
        assert (shown.kind, shown.state) == (row["kind"], row["state"])
    states: Counter[str] = Counter()
    for row in ROWS["approvals"]:
        assert look.approval(desk, AUDITOR, row["identifier"]).approval == row["identifier"]
        with upgraded.read() as tx:
            record = approval_reading.record(tx, row["identifier"])
        states[approval_status(record, WRITTEN_LAST).state.value] += 1
    # Of the three not yet started, two have no certificate: one signature was intended, one not yet.
    assert states == {"active": 2, "cancelled": 2, "withdrawn": 1, "expired": 1, "not_yet_started": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The keys of that register as a machine has them: nobody else can read them."""
    made = tmp_path_factory.mktemp("lived-in")
    for key in shutil.copytree(LIVED_IN / "keys", made / "keys").iterdir():
        key.chmod(0o600)
    return made


def brought_here(url: str, folder: Path) -> World:
    """That authority under this release: its register is upgraded, and it has begun to remember."""
    store = _made_at_0001(Store(url))
    schema.upgrade(store)
    with store.begin("access that was granted long ago") as tx:
        for officer in (OFFICER_1, OFFICER_2):
            grant(tx, officer, WRITTEN_LAST)
    proved = prove_register(store, keyring(folder), {}, folder / "watermark.json")
    key = make_record_key(folder / "keys" / RECORD_FILE, PASSPHRASE)
    place, clock = memory_folder(url, folder), FixedClock(WRITTEN_LAST)
    Memory.begin(place, key, proved.begun, clocks(clock), records=proved.records, links=proved.links).close()
    store.close()
    return World(url, folder, FixedClock(WRITTEN_LAST), clock)


def test_what_was_under_way_is_finished_by_this_release(
    store_kind: str, empty_store_url: Callable[[str], str], folder: Path
) -> None:
    world = brought_here(empty_store_url(store_kind), folder)
    world.authority.settle()
    was = {state: [row["id"] for row in ROWS["decisions"] if row["state"] == state] for state in DecisionState}
    # 1. What was seconded is signed: where the signature was intended, exactly the bytes that were.
    assert {world.decision_state(each) for each in was[DecisionState.SECONDED]} == {"done"}
    (claimed,) = (row for row in ROWS["drafts"] if row["state"] == "claimed")
    with world.store.read() as tx:
        _, der = approval_reading.certificate_der(tx, claimed["serial"])
    assert x509.load_der_x509_certificate(der).tbs_certificate_bytes == claimed["tbs"]
    # 2. What was proposed or drafted can be seconded, and is done.
    assert len(was[DecisionState.PROPOSED] + was[DecisionState.DRAFTED]) == 4
    for decision in was[DecisionState.PROPOSED] + was[DecisionState.DRAFTED]:
        world.seconded(decision)
    world.authority.settle()
    assert {world.decision_state(each) for each in was[DecisionState.PROPOSED] + was[DecisionState.DRAFTED]} == {"done"}
    # 3. What was ended stays ended, and what the journal proves it goes on proving.
    for state in (DecisionState.DONE, DecisionState.REJECTED, DecisionState.LAPSED):
        assert {world.decision_state(each) for each in was[state]} == {state}
    assert journal_problems(world.store) == ()
    # 4. All of it is provable from its first row on (docs/adr/0054); officers signed nothing then, and that is told.
    found = audited(exported(world.store)).findings
    assert not found.problems
    assert any(each.startswith("Before officers had keys of their own") for each in found.notes)
    world.close()


def test_a_register_of_before_follows_from_its_journal_when_it_is_upgraded(upgraded: Store) -> None:
    found = audited(exported(upgraded)).findings
    assert not found.problems
    assert found.notes


def test_an_authority_made_before_goes_on_with_lists_and_certificates_of_the_new_form(
    store_kind: str, empty_store_url: Callable[[str], str], folder: Path
) -> None:
    """Its policies were critical and its lists named their place (adr 20); whoever has the kit believes all of it."""
    world = brought_here(empty_store_url(store_kind), folder)
    with world.store.read() as tx:
        issuing, root = (certificates(tx, role)[-1] for role in (HierarchyRole.ISSUING, HierarchyRole.ROOT))
        before = work.last_crl(tx, issuing.key_id, with_bytes=True)
    assert before is not None
    world.at(WRITTEN_LAST + timedelta(days=1))
    world.authority.settle()
    with world.store.read() as tx:
        after = work.last_crl(tx, issuing.key_id, with_bytes=True)
        root_list = work.last_crl(tx, root.key_id, with_bytes=True)
        claimed = next(row["serial"] for row in ROWS["drafts"] if row["state"] == "claimed")
        _, old = approval_reading.certificate_der(tx, claimed)
    assert after is not None
    assert root_list is not None
    assert after.number > before.number
    assert [_names_place(each.der) for each in (before, after)] == [True, False]
    approval = world.granted(device=replace(DEVICE, model="0F0F0F0F"), start=date(2027, 2, 1))
    newest = world.record(approval).certificates[-1].serial
    with world.store.read() as tx:
        _, new = approval_reading.certificate_der(tx, newest)
    assert [_critical_policy(each) for each in (issuing.der, old, new)] == [True, True, False]
    for certificate in (old, new):
        for own, at in ((before, before.this_update), (after, after.this_update)):
            verdict = prove(
                certificate,
                anchor=root.der,
                issuers=[issuing.der],
                crls=[own.der, root_list.der],
                at=at,
                environment="test",
                arc=PROFILE.arc,
            )
            assert verdict.proved, verdict.failures
    world.close()


def _names_place(der: bytes) -> bool:
    found = x509.load_der_x509_crl(der).extensions
    return any(each.critical and isinstance(each.value, x509.IssuingDistributionPoint) for each in found)


def _critical_policy(der: bytes) -> bool:
    return x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.CertificatePolicies).critical


def test_whose_a_file_is_comes_from_the_journal_and_what_the_ssc_said_stays_with_it(lived_in: Store) -> None:
    config = schema._config()
    with lived_in.migration_connection() as connection:
        if lived_in.dialect == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, "0016")
        connection.commit()
    application, digest = ROWS["applications"][0]["id"], "ab" * 32
    files = (("ev-1", "application", "manufacturer"), ("ev-2", "application", "ssc-officer"), ("ev-3", "report", "dcc"))
    with lived_in.begin("live in it") as tx:
        run = tx.connection.execute
        run(text("INSERT INTO evidence_files (sha256, size, octets) VALUES (:sha256, 1, :octets)"),
            {"sha256": digest, "octets": b"."})  # fmt: skip
        for identifier, kind, role in files:
            run(text("INSERT INTO evidence VALUES (:id, :kind, :id, :sha256, 'a', 'text/plain', 1, :salt, 1, 'x')"),
                {"id": identifier, "kind": kind, "sha256": digest, "salt": b"s" * 16})  # fmt: skip
            fact = {
                "id": 90_000 + len(identifier + role),
                "role": role,
                "payload": json.dumps({"evidence": identifier}),
            }
            run(text("INSERT INTO journal (id, kind, at, actor, role, approvals, payload) VALUES "
                     "(:id, 'evidence-attached', 1, 'x', :role, '', :payload)"), fact)  # fmt: skip
        for identifier, state, reason in (("req-1", "waived", "x"), ("req-2", "met", "x"), ("req-3", "open", None)):
            closed = None if reason is None else 1
            run(text("INSERT INTO requirements VALUES (:id, :of, NULL, 'x', :state, 1, 'x', :closed, 'x', :reason)"),
                {"id": identifier, "of": application, "state": state, "closed": closed, "reason": reason})  # fmt: skip
    schema.upgrade(lived_in)
    with lived_in.read() as tx:
        run = tx.connection.execute
        kept = run(text("SELECT id, party, classification FROM evidence ORDER BY id")).all()
        reasons = run(text("SELECT id, reason_class FROM requirements ORDER BY id")).all()
    assert [tuple(row) for row in kept] == [
        ("ev-1", "manufacturer", "amber"),
        ("ev-2", "ssc", "red"),
        ("ev-3", "dcc", "amber"),
    ]
    assert [tuple(row) for row in reasons] == [("req-1", "red"), ("req-2", "amber"), ("req-3", None)]


# --- what must never be true still cannot be written --------------------------------------------------------------


def _copied(store: Store, table: Any, where: Any, **values: Any) -> None:
    with store.begin("plant") as tx:
        row = dict(tx.connection.execute(select(table).where(where).limit(1)).mappings().one())
        tx.connection.execute(insert(table).values(**{**row, **values}))


def test_every_reference_holds_and_is_kept(upgraded: Store) -> None:
    with upgraded.read() as tx:
        if upgraded.dialect == "sqlite":
            assert tx.connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        else:
            unproved = "SELECT conname FROM pg_constraint WHERE NOT convalidated"
            assert tx.connection.exec_driver_sql(unproved).all() == []
        looking = inspect(tx.connection)
        referred = {(name, key["referred_table"]) for name in metadata.tables for key in looking.get_foreign_keys(name)}
    # The tables that SQLite writes anew are referred to by their own names.
    assert {table for table, to in referred if to == "decisions"} >= {"approvals", "drafts", "terms", "notices"}
    assert {to for _, to in referred} <= set(metadata.tables)
    drafted = drafts.c.state == "abandoned"
    with pytest.raises(IntegrityError):
        _copied(upgraded, drafts, drafted, serial="77" * 16, tbs_sha256="77" * 32, decision_id="dec-none")
    _copied(upgraded, drafts, drafted, serial="77" * 16, tbs_sha256="77" * 32)  # the same, of a decision that is there
    with pytest.raises(IntegrityError), upgraded.begin("take away") as tx:
        tx.connection.execute(text("DELETE FROM decisions"))


def test_what_the_rebuilt_tables_refused_they_refuse_still(upgraded: Store) -> None:
    open_decision = decisions.c.state == "drafted"
    with pytest.raises(IntegrityError):  # one open decision for one application
        _copied(upgraded, decisions, open_decision, id="dec-other", issue=7)
    with pytest.raises(IntegrityError):  # one decision for one issue
        _copied(upgraded, decisions, open_decision, id="dec-other", application_id=None)
    with pytest.raises(IntegrityError):  # two people
        _copied(upgraded, decisions, decisions.c.kind == "withdraw", id="dec-other", seconder="officer-1")
    _copied(upgraded, decisions, open_decision, id="dec-other", issue=7, application_id=None)
    sealed = journal.c.seal_number == 1
    with pytest.raises(IntegrityError):
        _copied(upgraded, journal, sealed, id=9_999)
    with pytest.raises(IntegrityError):
        _copied(upgraded, journal, sealed, id=9_999, seal_number=9_999, refused="It is not so.")
    _copied(upgraded, journal, sealed, id=9_999, seal_number=9_999)
    officer = credentials.c.role == "ssc-officer"
    for refused in ({"role": "manufacturer", "organisation_id": None}, {"expires_at": BORN}, {"organisation_id": "x"}):
        with pytest.raises(IntegrityError):  # an organisation for a Manufacturer, an end, one that there is
            _copied(upgraded, credentials, officer, id="key-other", key_sha256="77" * 32, **refused)
    with pytest.raises(IntegrityError):  # one credential for one key
        _copied(upgraded, credentials, officer, id="key-other")
    with pytest.raises(IntegrityError), upgraded.begin("another word") as tx:
        tx.connection.execute(text("UPDATE credentials SET role = 'somebody'"))
    _copied(upgraded, credentials, officer, id="key-other", key_sha256="77" * 32, role=Role.MONITOR)


def test_two_approvals_of_a_device_never_overlap_afterwards(upgraded: Store) -> None:
    with upgraded.begin("make room") as tx:
        # Approvals whose certificates do not hold their dates fast.
        free = tx.connection.execute(
            text("SELECT identifier FROM approvals WHERE identifier NOT IN (SELECT approval FROM certificates)")
        ).scalars()
        one, other = sorted(free)
        key = tx.connection.execute(select(approvals.c.device_key).where(approvals.c.identifier == one)).scalar_one()
    with pytest.raises(IntegrityError) as refused, upgraded.begin("move") as tx:
        tx.connection.execute(update(approvals).where(approvals.c.identifier == other).values(device_key=key))
    assert OVERLAP in violated(refused.value)
    # By insertion: under a grant of its own, so that the dates alone stand in the way.
    with upgraded.begin("a grant") as tx:
        asked = tx.connection.execute(select(decisions).where(decisions.c.state == "drafted").limit(1)).one()
    new = {"identifier": "TDT-2027-0099-X", "decision_id": asked.id, "application_id": asked.application_id}
    with pytest.raises(IntegrityError) as refused:
        _copied(upgraded, approvals, approvals.c.identifier == one, **new)
    assert OVERLAP in violated(refused.value)
    _copied(upgraded, approvals, approvals.c.identifier == one, **new, device_key="another device")


# --- or it stays as it was ----------------------------------------------------------------------------------------


class DiedError(Exception):
    """The migration died here."""


@contextmanager
def _dying_at(store: Store, number: int) -> Iterator[list[str]]:
    """Let the store die before its `number`th statement from now on, a commit counted as one."""
    seen: list[str] = []

    def count(statement: str) -> None:
        seen.append(statement)
        if len(seen) == number:
            raise DiedError

    def execute(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        count(statement)

    def commit(_connection: Any) -> None:
        count("COMMIT")

    event.listen(store._engine, "before_cursor_execute", execute)
    event.listen(store._engine, "commit", commit)
    try:
        yield seen
    finally:
        event.remove(store._engine, "before_cursor_execute", execute)
        event.remove(store._engine, "commit", commit)


def _schema(store: Store) -> set[tuple[Any, ...]]:
    """Everything that the database was told to make."""
    asked = {
        "sqlite": ["SELECT type, name, tbl_name, sql FROM sqlite_master"],
        "postgresql": [
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint",
            "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
            "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns",
        ],
    }[store.dialect]
    with store.read() as tx:
        return {tuple(row) for query in asked for row in tx.connection.exec_driver_sql(query)}


def _references_are_enforced(store: Store) -> bool:
    """Whether each connection of the pool minds its references; PostgreSQL's always do."""
    if store.dialect != "sqlite":
        return True
    with store.read() as one, store.read() as other:
        return all(tx.connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1 for tx in (one, other))


def test_references_are_enforced_on_the_connection_that_migrated(upgraded: Store) -> None:
    assert _references_are_enforced(upgraded)


def test_a_migration_that_dies_before_any_of_its_statements_leaves_everything_as_it_was(
    lived_in: Store, request: pytest.FixtureRequest
) -> None:
    before, made = contents(lived_in), _schema(lived_in)
    # All that it writes is one transaction (asserted below), so that each death is undone in the same way.
    apart = 1 if request.config.getoption("--long") else 16
    number, last = 1 - apart, ""
    while True:
        number += apart
        with _dying_at(lived_in, number) as seen:
            try:
                schema.upgrade(lived_in)
            except DiedError:
                last = seen[-1]
            else:
                break
        assert lived_in.revision() == "0001", last
        assert _schema(lived_in) == made, last
        assert contents(lived_in) == before, last
        assert _references_are_enforced(lived_in), last
    assert number > 60, "it died before every statement, or every sixteenth"
    assert [place for place, each in enumerate(seen) if each == "COMMIT"] == [len(seen) - 1], seen
    assert contents(lived_in) == before
    lived_in.require_revision(schema.needed_revision())


def test_a_register_that_the_new_rules_refuse_stays_at_the_earlier_revision(lived_in: Store) -> None:
    with lived_in.begin("under 0001") as tx:
        tx.connection.execute(text("UPDATE decisions SET issue = NULL WHERE kind = 'grant' AND state = 'rejected'"))
    before, made = contents(lived_in), _schema(lived_in)
    with pytest.raises(IntegrityError):
        schema.upgrade(lived_in)
    assert lived_in.revision() == "0001"
    assert (contents(lived_in), _schema(lived_in)) == (before, made)
    assert _references_are_enforced(lived_in)


def test_a_migration_that_leaves_a_reference_to_nothing_is_taken_back(empty_store_url: Callable[[str], str]) -> None:
    store = _made_at_0001(Store(empty_store_url("sqlite")))
    with store.migration_connection() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("UPDATE drafts SET decision_id = 'dec-none' WHERE state = 'abandoned'")
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
    before = contents(store)
    with pytest.raises(AssertionError, match="broke a reference"):
        schema.upgrade(store)
    assert store.revision() == "0001"
    assert contents(store) == before
    assert _references_are_enforced(store)
    store.close()

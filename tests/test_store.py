"""The store on both databases: migrations give exactly the tables, and what must never be true cannot be written."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Table, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from core.errors import SchemaMismatch, StoreUnavailable, StoreUrlUnusable
from core.kinds import HierarchyRole
from ra.deciding.kinds.grant import ProposeGrant
from store import schema, tables
from store.overlap import NAME as OVERLAP
from store.tables import (
    acceptances,
    alarms,
    applications,
    approval_counters,
    approvals,
    authority,
    authority_certificates,
    authority_ends,
    certificates,
    credentials,
    crls,
    cursors,
    decisions,
    dossiers,
    drafts,
    idempotency,
    journal,
    journal_heads,
    lease,
    memory_records,
    metadata,
    ocsp_answers,
    organisations,
    public_keys,
    signs_of_life,
    terms,
)
from store.transactions import Store, sqlite_url, violated
from store.types import Word
from tests.planting import (
    OTHER,
    Plant,
    WrittenError,
    both,
    change,
    copy,
    furnished_worlds,
    rules_of,
    write_and_take_back,
)
from tests.trial_rows import ADDED_TO_DECISIONS
from tests.world import NOW, World

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def test_migrating_from_nothing_gives_exactly_the_tables(
    store_kind: str, empty_store_url: Callable[[str], str]
) -> None:
    store = Store(empty_store_url(store_kind))
    assert store.revision() is None
    with pytest.raises(SchemaMismatch):
        store.require_revision(schema.needed_revision())
    schema.upgrade(store)
    schema.upgrade(store)  # a second time changes nothing
    store.require_revision(schema.needed_revision())
    with store.migration_connection() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    # Alembic does not compare CHECKs; one that a migration forgot, or wrote otherwise, would be missed.
    made = Store(empty_store_url(store_kind))
    with made.begin("tables") as tx:
        metadata.create_all(tx.connection)
    assert _checks(store) == _checks(made)
    store.close()
    made.close()


def _checks(store: Store) -> set[tuple[str, str, str]]:
    with store.read() as tx:
        looking = inspect(tx.connection)
        found = {
            (table, str(each["name"]), str(each["sqltext"]))
            for table in metadata.tables
            for each in looking.get_check_constraints(table)
        }
    assert len(found) > 40
    return found


def test_sqlite_is_strict_and_durable(store_copy: Callable[[str], str]) -> None:
    store = Store(store_copy("sqlite"))
    with store.read() as tx:
        run = tx.connection.exec_driver_sql
        assert run("PRAGMA journal_mode").scalar() == "wal"
        assert run("PRAGMA synchronous").scalar() == 2  # FULL
        assert run("PRAGMA foreign_keys").scalar() == 1
        listed = run("PRAGMA table_list").all()
    strict = {row[1]: row[5] for row in listed if row[1] in metadata.tables}
    assert strict == dict.fromkeys(metadata.tables, 1)
    with pytest.raises(DBAPIError), store.begin("wrong type") as tx:
        tx.connection.execute(text("UPDATE authority SET clock_offset = 'soon'"))
    store.close()


def test_a_word_is_a_member_in_a_row_and_plain_text_in_the_database(world: World) -> None:
    c, held = authority_certificates.c, HierarchyRole
    with world.store.begin("two words") as tx:
        run = tx.connection.execute
        run(update(authority_certificates).where(c.role == held.RESPONDER).values(role=held.ISSUING))
        assert [type(each) for each in run(select(c.role)).scalars()] == [held] * 4
        assert sorted(run(select(c.role)).scalars()) == [held.ISSUING, held.ISSUING, held.ROOT, held.STATEMENT]
        assert {type(each) for each in run(text("SELECT role FROM authority_certificates")).scalars()} == {str}
        assert run(select(c.serial).where(c.role == held.RESPONDER)).all() == []
        assert len(run(select(c.serial).where(c.role.in_([held.RESPONDER, held.ISSUING]))).all()) == 2


def test_what_is_no_word_of_a_column_can_neither_be_written_nor_asked_for(world: World) -> None:
    for asked in (update(credentials).values(role="root"), select(credentials).where(credentials.c.role == "root")):
        with pytest.raises(StatementError, match="'root' is not a valid Role"), world.store.begin("no word") as tx:
            tx.connection.execute(asked)


def test_every_column_of_a_closed_list_has_its_rule() -> None:
    listed = [
        (table, column) for table in metadata.tables.values() for column in table.c if isinstance(column.type, Word)
    ]
    assert len(listed) > 20
    unruled = {
        f"{table.name}.{column.name}"
        for table, column in listed
        if f"ck_{table.name}_{column.name}_known" not in {str(rule.name) for rule in table.constraints}
    }
    # A delivery is of a copy, whose recipient is known.
    assert unruled == {"deliveries.recipient"}


# --- planted violations -------------------------------------------------------------------------------------------

ANOTHER = "TDT-2027-0099-X"

VIOLATIONS: dict[str, Plant] = {
    "a second authority": copy(authority, id=2),
    "an unknown environment": change(authority, environment="staging"),
    "a test authority that does not say so": change(authority, name="Trial CPA"),
    "a live authority with a moved clock": change(authority, environment="live", clock_offset=1),
    "a clock that runs behind": change(authority, clock_offset=-1),
    "a certificate of the hierarchy of no role": change(authority_certificates, role="sub"),
    "a hierarchy serial used twice": copy(authority_certificates),
    "a signature without an instant": change(authority_certificates, issued_at=None),
    "two organisations of one name": copy(organisations, id="org-other"),
    "an organisation's name that no certificate holds": change(organisations, certificate_name="x" * 65),
    "an empty certificate name": change(organisations, certificate_name=""),
    "a credential of no role": copy(credentials, id="k", key_sha256=OTHER, role="root"),
    "a manufacturer of no organisation": change(credentials, organisation_id=None, role="manufacturer"),
    "a key of two credentials": copy(credentials, id="k"),
    "a credential that never holds": change(credentials, expires_at=NOW - 900 * DAY),
    "an idempotency key used twice": copy(idempotency),
    "an application in no state": change(applications, state="pending"),
    "an application that ends before it starts": change(applications, expiry=NOW - 900 * DAY),
    "an application for no device": change(applications, maximum_devices=0),
    "an application of nobody": change(applications, organisation_id="org-none"),
    "a decision of no kind": change(decisions, kind="suspend"),
    "a decision in no state": change(decisions, state="maybe", closed_at=None),
    "proposer and seconder in one": change(decisions, seconder=decisions.c.proposer),
    "done by one person": change(decisions, seconder=None, seconded_at=None),
    "an urgent grant": change(decisions, urgent=1),
    "a seconder without an instant": change(decisions, seconded_at=None),
    "done and not closed": change(decisions, closed_at=None),
    "seconded without its bytes": change(decisions, state="seconded", closed_at=None, seconded_tbs_sha256=None),
    "one issue decided twice": copy(decisions, id="dec-other"),
    "an approval of one decision twice": copy(approvals, identifier=ANOTHER, ended_at=NOW, end_cause="ssc"),
    "an approval identifier used twice": copy(approvals),
    "an end without a cause": change(approvals, ended_at=NOW),
    "a cause without an end": change(approvals, end_cause="ssc"),
    "an approval ended by its key": change(approvals, ended_at=NOW, end_cause="key-compromise"),
    "an end after the expiry": change(approvals, ended_at=text("expiry + 1"), end_cause="ssc"),
    "terms without an issue": change(terms, issue=0),
    "terms of one issue twice": copy(terms),
    "other terms for a certificate that is there": change(terms, expiry=NOW + 900 * DAY),
    "a key in no state": change(public_keys, state="lost"),
    "a public key under two approvals": copy(public_keys, approval=ANOTHER),
    "a certified key given to another approval": change(public_keys, approval=ANOTHER),
    "a draft in no state": change(drafts, state="printed"),
    "a serial drafted twice": copy(drafts, tbs_sha256=OTHER, state="abandoned"),
    "one issue drafted twice": copy(drafts, serial="77" * 16, tbs_sha256=OTHER),
    "the same bytes drafted twice": copy(drafts, serial="77" * 16, state="abandoned"),
    "signed and never claimed": change(drafts, claimed_at=None),
    "a draft of no issuer": change(drafts, issuer_serial="00" * 16),
    "a serial certified twice": copy(certificates, fingerprint=OTHER, issue=2),
    "one issue certified twice": copy(certificates, serial="77" * 16, fingerprint=OTHER),
    "one certificate twice": copy(certificates, serial="77" * 16, issue=2),
    "a certificate that was never drafted": change(certificates, serial="77" * 16),
    "notAfter a second before the approval's expiry": change(
        certificates, not_after=text("not_after - 1"), ends_at=text("ends_at - 1")
    ),
    "notAfter a second after the approval's expiry": change(
        certificates, not_after=text("not_after + 1"), ends_at=text("ends_at + 1")
    ),
    "notBefore earlier than the start": change(certificates, not_before=text("not_before - 1")),
    "a certificate of another approval's key": change(certificates, public_key_sha256=OTHER),
    "revoked without a cause": change(certificates, revoked_at=NOW, ends_at=NOW),
    "revoked for an unknown cause": change(certificates, revoked_at=NOW, ends_at=NOW, cause="remove-from-crl"),
    "revoked and going on": change(certificates, revoked_at=NOW, cause="ssc"),
    "superseded and going on": change(certificates, superseded_at=NOW),
    "ended for no reason": change(certificates, ends_at=NOW),
    "going on after the expiry": change(certificates, ends_at=text("not_after + 2")),
    "an invalidity date of no key": change(certificates, revoked_at=NOW, ends_at=NOW, cause="ssc", invalidity_date=NOW),
    "a certificate answered twice": copy(acceptances),
    "a rejection without a reason": change(acceptances, accepted=0),
    "an answer that is neither yes nor no": change(acceptances, accepted=2),
    "an acceptance of no certificate": change(acceptances, serial="77" * 16),
    "an answer for another hash": change(ocsp_answers, hash_name="md5"),
    "an answer of no certificate": change(ocsp_answers, serial="77" * 16),
    "an answer that ends before it begins": change(ocsp_answers, next_update=NOW - 900 * DAY),
    "a CRL number used twice": copy(crls),
    "a CRL without a number": change(crls, number=0),
    "a CRL that is never valid": change(crls, next_update=NOW - 900 * DAY),
    "a fact that is sealed and refused": change(journal, refused="It is not so."),
    "a sealed number used twice": copy(journal),
    "a number without a link": change(journal, link=None),
    "a sealed row without an instant": change(journal, sealed_at=None),
    "a head signed twice": copy(journal_heads),
    "a second lease": copy(lease),
    "the authority twice": copy(authority),
    "a hierarchy certificate that is not hashed": change(authority_certificates, tbs_sha256="ab"),
    "a hierarchy certificate that never holds": change(authority_certificates, not_after=text("not_before")),
    "a hierarchy certificate that was ended for no reason of ours": change(authority_ends, reason=8),
    "a hierarchy certificate that was ended twice": copy(authority_ends),
    "an end of no hierarchy certificate": change(authority_ends, serial="none"),
    "a dossier under an identifier that is taken": copy(dossiers),
    "a dossier of no approval": change(dossiers, approval=ANOTHER),
    "a dossier whose manifest has no digest": change(dossiers, manifest_sha256="ab"),
    "a dossier signed by nobody": change(dossiers, signature=b"cms", signed_at=NOW),
    "a dossier signed at no time": change(dossiers, signed_at=NOW),
    "a dossier signed under no certificate": change(dossiers, signature=b"cms", signed_at=NOW, signer_serial="none"),
    "an organisation numbered twice": copy(organisations, name="Other"),
    "an organisation without a name": copy(organisations, id="org-other", name=""),
    "a credential numbered twice": copy(credentials, key_sha256=OTHER),
    "a credential that is not hashed": change(credentials, key_sha256="ab"),
    "a credential of no organisation": change(credentials, organisation_id="org-none"),
    "a request that is not hashed": change(idempotency, request_sha256="ab"),
    "an application numbered twice": copy(applications),
    "an application's key that is not hashed": change(applications, public_key_sha256="ab"),
    "a year counted twice": copy(approval_counters),
    "a decision numbered twice": copy(decisions, issue=99),
    "a decision of no application": change(decisions, application_id="app-none"),
    "a proposal that is not hashed": change(decisions, proposal_sha256="ab"),
    "two open decisions of one application": both(
        copy(decisions, id="dec-1", state="proposed", closed_at=None, issue=98),
        copy(decisions, id="dec-2", state="proposed", closed_at=None, issue=99),
    ),
    "an approval that ends before it starts": change(approvals, start=text("expiry")),
    "an approval of no decision": change(approvals, decision_id="dec-none"),
    "an approval of no application": change(approvals, application_id="app-none"),
    "an approval of nobody": change(approvals, organisation_id="org-none"),
    "one decision that approves two applications": both(
        copy(applications, id="app-other"),
        copy(approvals, identifier=ANOTHER, application_id="app-other", ended_at=NOW, end_cause="ssc"),
    ),
    "terms of no approval": copy(terms, approval=ANOTHER),
    "terms that nobody decided": change(terms, decision_id="dec-none"),
    "terms that end before they begin": change(terms, expiry=text("effective")),
    "terms for no device": change(terms, maximum_devices=0),
    "a key that is not hashed": copy(public_keys, sha256="ab"),
    "a draft of no decision": change(drafts, decision_id="dec-none"),
    "a draft that is not hashed": change(drafts, tbs_sha256="ab"),
    "a second issue that was never drafted": both(
        copy(terms, issue=2), copy(certificates, serial="77" * 16, issue=2, fingerprint=OTHER)
    ),
    "a certificate that is not hashed": change(certificates, fingerprint="ab"),
    "revoked after it expired, and going on till then": change(
        certificates, revoked_at=text("not_after + 5"), ends_at=text("not_after + 5"), cause="ssc"
    ),
    "an answer that is neither, with a reason": change(acceptances, accepted=2, reason="."),
    "an answer numbered twice": copy(ocsp_answers, id=1),
    "an answer of no responder": change(ocsp_answers, responder_serial="77" * 16),
    "a fact numbered twice": copy(journal, id=1, seal_number=None, link=None, sealed_at=None),
    "a reader in two places": copy(cursors),
    "a record remembered twice": copy(memory_records),
    "an alarm raised twice": copy(alarms),
    "an alarm of a process that is asked itself": copy(alarms, raised_by="web"),
    "two signs of one life": copy(signs_of_life),
    "a sign of something else": copy(signs_of_life, process="something"),
}

IMPLIED = {
    # What other tables refer to; the primary key is narrower.
    "uq_drafts_serial_approval_issue_not_before_not_after",
    "uq_public_keys_sha256_approval",
    "uq_terms_approval_issue_effective_expiry",
    # Terms are an approval's.
    "fk_certificates_approval",
}
"""Rules that cannot be broken without breaking another first."""


@pytest.fixture(scope="module")
def furnished(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Callable[[str], World]]:
    yield from furnished_worlds(store_copy, keys_folder)


@pytest.mark.parametrize("name", VIOLATIONS)
def test_what_must_never_be_true_cannot_be_written(furnished: Any, store_kind: str, name: str) -> None:
    world = furnished(store_kind)
    with pytest.raises(IntegrityError):
        write_and_take_back(world.store, VIOLATIONS[name])


def test_every_rule_was_seen_to_refuse(furnished: Callable[[str], World]) -> None:
    # PostgreSQL names the rule that it enforced; what it enforces is what the tables state.
    store, seen = furnished("postgresql").store, set()
    for plant in VIOLATIONS.values():
        with pytest.raises(IntegrityError) as refused:
            write_and_take_back(store, plant)
        seen.add(violated(refused.value))
    stated = {name for table in vars(tables).values() if isinstance(table, Table) for name in rules_of(table)}
    assert stated - seen - ADDED_TO_DECISIONS == IMPLIED


def test_the_rules_refuse_no_more_than_they_should(furnished: Any, store_kind: str) -> None:
    # The same helpers with values that are allowed: so it is the value that was refused above, not the helper.
    allowed: list[Plant] = [
        change(authority, clock_offset=60),
        change(certificates, revoked_at=NOW, cause="key-compromise", invalidity_date=NOW, ends_at=NOW),
        change(certificates, superseded_at=NOW, ends_at=NOW),
        change(acceptances, accepted=0, reason="It is wrong."),
        change(approvals, ended_at=approvals.c.expiry, end_cause="breach"),
        copy(public_keys, sha256=OTHER),
        copy(crls, number=99_999_999_999),
        copy(journal, seal_number=99_999),
    ]
    for plant in allowed:
        with pytest.raises(WrittenError):
            write_and_take_back(furnished(store_kind).store, plant)


# --- overlap ------------------------------------------------------------------------------------------------------


def _other_approval(world: World, **changes: Any) -> Plant:
    """A second approval, granted by hand past every rule of ra/ and policy/."""
    decision = world.proposed(
        ProposeGrant(
            world.applied(start=datetime(2027, 7, 1, tzinfo=UTC).date(), expiry=datetime(2027, 8, 1).date()),  # noqa: DTZ001 - a day
            "Sound.",
        )
    )
    with world.store.read() as tx:
        asked = tx.connection.execute(select(decisions).where(decisions.c.id == decision)).one()
        first = dict(tx.connection.execute(select(approvals)).mappings().first() or {})
    row = {**first, "identifier": asked.approval, "decision_id": asked.id, "application_id": asked.application_id}
    return lambda tx: tx.connection.execute(insert(approvals).values(**{**row, **changes}))


def test_two_approvals_of_a_device_never_share_a_second(world: World) -> None:
    world.granted()
    record = world.record("TDT-2027-0001-N")
    start, expiry = record.start, record.terms[0].expiry
    plants = {
        dates: _other_approval(world, start=dates[0], expiry=dates[1])
        for dates in ((start, expiry), (expiry, expiry + DAY), (start - DAY, start), (start + DAY, expiry - DAY))
    }
    for plant in plants.values():
        with pytest.raises(IntegrityError) as refused, world.store.begin("overlap") as tx:
            plant(tx)
        assert OVERLAP in violated(refused.value)
    beside = _other_approval(world, start=expiry + SECOND, expiry=expiry + DAY)
    with world.store.begin("beside") as tx:
        beside(tx)


def test_an_approval_that_has_ended_makes_room(world: World) -> None:
    approval = world.granted()
    plant = _other_approval(world)
    world.revoked(approval)
    with world.store.begin("after the end") as tx:
        plant(tx)


def test_of_two_overlapping_grants_at_the_same_moment_one_is_refused(world: World) -> None:
    world.granted()
    far = {"start": NOW + 300 * DAY, "expiry": NOW + 310 * DAY}
    plants = [_other_approval(world, **far), _other_approval(world, **far)]
    stores = [Store(world.url) for _ in plants]
    together, told = threading.Barrier(2), []

    def write(store: Store, plant: Plant) -> None:
        together.wait()
        try:
            with store.begin("at once") as tx:
                plant(tx)
            told.append("written")
        except (IntegrityError, StoreUnavailable):
            told.append("refused")

    threads = [threading.Thread(target=write, args=pair) for pair in zip(stores, plants, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert sorted(told) == ["refused", "written"]


# --- transactions -------------------------------------------------------------------------------------------------


def test_a_transaction_that_raises_leaves_nothing_behind(world: World) -> None:
    half = insert(organisations).values(id="org-half", name="Half", created_at=NOW)
    with pytest.raises(WrittenError):
        write_and_take_back(world.store, lambda tx: tx.connection.execute(half))
    with world.store.read() as tx:
        assert tx.connection.execute(select(organisations).where(organisations.c.id == "org-half")).first() is None


def test_a_reader_sees_one_state_and_cannot_write(world: World) -> None:
    with world.store.read() as tx:
        before = tx.connection.execute(select(organisations.c.id)).all()
        with world.store.begin("meanwhile") as other:
            other.connection.execute(insert(organisations).values(id="org-new", name="New", created_at=NOW))
        assert tx.connection.execute(select(organisations.c.id)).all() == before


def test_a_store_that_is_not_there_is_said_to_be_unavailable(store_kind: str) -> None:
    url = {"sqlite": "sqlite:////nowhere/at/all.sqlite", "postgresql": "postgresql://127.0.0.1:1/none"}[store_kind]
    store = Store(url)
    with pytest.raises(StoreUnavailable), store.read():
        pytest.fail("there is nothing to read")
    with pytest.raises(StoreUnavailable), store.begin("nothing"):
        pytest.fail("there is nothing to write")
    store.close()


def test_the_end_of_time_is_kept_as_it_is(world: World) -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    with world.store.begin("far") as tx:
        tx.connection.execute(insert(organisations).values(id="org-far", name="Far", created_at=last))
    with world.store.read() as tx:
        found = tx.connection.execute(select(organisations.c.created_at).where(organisations.c.id == "org-far"))
        assert found.scalar() == last


@pytest.mark.parametrize("name", ["a%20b", "a?b", "a b", "a#b", "Müller & Söhne", "a'b", "%2e%2e"])
def test_a_register_lies_in_its_folder_whatever_that_is_called(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    file = tmp_path / name / "store.sqlite"
    with closing(Store(sqlite_url(file))) as store:
        assert store.revision() is None
    assert sorted(each.parent for each in tmp_path.rglob("*.sqlite")) == [file.parent]


@pytest.mark.parametrize(
    "url", ["mysql://u:secret@h/x", "nonsense", "secret", "postgresql://u:secret@h:port/x", "file:secret", ""]
)
def test_an_address_that_names_no_register_of_ours_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(StoreUrlUnusable) as error:
        Store(url)
    assert "secret" not in f"{error.value} {error.value.hint}"


def test_a_driver_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "store.postgresql", None)
    monkeypatch.delattr("store.postgresql", raising=False)
    with pytest.raises(StoreUrlUnusable, match="driver is missing") as error:
        Store("postgresql://u@h/x")
    assert "trialcpa[postgres]" in error.value.hint

"""The dossier of an approval: asked for, signed by the authority's turn, fetched; and strangers prove what is in it."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zipfile import ZipFile

import pytest
from cryptography import x509
from sqlalchemy import insert, select, update

from app.cli.dossier import fetched
from app.client import Client, Fetched
from core import note
from core.alarms import AlarmCode
from core.approval import EndCause
from core.canonical import canonical
from core.dossier import ASKED_WITHIN, MANIFEST, SIGNATURE, packed
from core.errors import InputUnusable
from core.facts import FactKind
from core.instants import ONE_SECOND
from store.tables import dossiers
from tests.api_world import Api, refused
from tests.documents_world import Pdf
from tests.dossier_world import root_of
from tests.journal_lines import lines
from tests.test_log import with_log
from tests.test_statement_signer import openssl_verifies
from tests.world import World, keyring
from verify.kit.agreed.decision import prove_files
from verify.kit.agreed.dossier import trusted
from verify.kit.agreed.findings import Against, Outcome
from verify.kit.agreed.journal import check_stretches, read_export
from verify.kit.canonical import read
from verify.kit.inclusion import carried, proved
from verify.kit.note import key


@pytest.fixture
def world(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[World]:
    made = World(store_copy("sqlite"), keys_folder)
    yield made
    made.close()


def asked(api: Api, approval: str, who: str = "auditor") -> Any:
    return api.ask(who, "GET", f"/v1/approvals/{approval}/dossier")


def dossier_of(world: World, approval: str) -> dict[str, bytes]:
    """The files of a dossier, as an auditor gets it."""
    api = Api(world)
    assert asked(api, approval).status_code == 202
    world.authority.settle()
    return files_of(asked(api, approval).data)


def files_of(archive: bytes) -> dict[str, bytes]:
    with ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_it_is_signed_in_the_authoritys_turn_and_told_in_the_journal(world: World) -> None:
    approval, api = world.granted(), Api(world)
    waiting = asked(api, approval)
    assert (waiting.status_code, waiting.headers["Retry-After"]) == (202, "1")
    identifier = json.loads(waiting.data)["dossier"]
    assert json.loads(asked(api, approval, "officer-1").data)["dossier"] == identifier, "it is put together once"
    world.authority.settle()
    fetched = asked(api, approval)
    assert (fetched.status_code, fetched.content_type) == (200, "application/zip")
    assert fetched.data == asked(api, approval).data
    manifest = files_of(fetched.data)[MANIFEST]
    for kind in (FactKind.DOSSIER_ASKED, FactKind.DOSSIER_SIGNED):
        (said,) = map(json.loads, lines(world, kind))
        assert (said["dossier"], said["manifest_sha256"]) == (identifier, hashlib.sha256(manifest).hexdigest())
    world.passes(ASKED_WITHIN + ONE_SECOND)
    assert json.loads(asked(api, approval).data)["dossier"] != identifier


def test_its_story_says_a_reason_once_and_of_what_class_it_is(world: World) -> None:
    approval = world.granted()
    world.revoked(approval, EndCause.BREACH)
    world.authority.settle()
    said = Pdf(dossier_of(world, approval)["story.pdf"]).text
    assert said.count("It has to be.") == 1
    assert said.count("It looks sound.") == 1


def test_what_nothing_proves_keeps_no_other_dossier_waiting(world: World) -> None:
    approval, api = world.granted(), Api(world)
    before = world.clock.now()
    world.passes(ONE_SECOND)
    assert asked(api, approval).status_code == 202
    said = {"approval": approval, "asked_by": "auditor-1", "manifest": "{}", "manifest_sha256": "0" * 64}
    planted = [{"id": f"dos-{number:04d}", "asked_at": before, "parts": b"PK", **said} for number in range(50)]
    with world.store.begin("planted") as tx:
        tx.connection.execute(insert(dossiers), planted)
    world.authority.settle()
    signed = select(dossiers.c.id).where(dossiers.c.signature.is_not(None))
    with world.store.read() as tx:
        found = tx.connection.execute(signed).scalars().all()
    assert len(found) == 1
    assert found[0] not in {each["id"] for each in planted}


def test_its_manifest_names_every_file_and_openssl_takes_its_signature(world: World, tmp_path: Path) -> None:
    files = dossier_of(world, world.granted())
    said = json.loads(files[MANIFEST])
    assert (said["format"], said["version"]) == ("trialcpa-dossier", 1)
    named = {each["name"]: (each["sha256"], each["octets"]) for each in said["files"]}
    there = {name: each for name, each in files.items() if name not in {MANIFEST, SIGNATURE}}
    assert named == {name: (hashlib.sha256(each).hexdigest(), len(each)) for name, each in there.items()}
    root, at = x509.load_der_x509_certificate(root_of(world)), int(world.clock.now().timestamp())
    assert openssl_verifies(root, tmp_path, files[MANIFEST], files[SIGNATURE], at=at).returncode == 0
    assert openssl_verifies(root, tmp_path, files[MANIFEST] + b" ", files[SIGNATURE], at=at).returncode != 0


def test_each_decision_in_it_is_proved_offline_and_so_are_the_rows_of_the_journal(world: World) -> None:
    approval = world.granted()
    world.revoked(approval, EndCause.BREACH)
    world.authority.settle()
    files = dossier_of(world, approval)
    journal_key = keyring(world.folder).journal.public_key
    trust = trusted(root_of(world), journal_key=journal_key)
    folders = {name.split("/")[1] for name in files if name.startswith("decisions/")}
    assert len(folders) == 2
    for each in folders:
        parts = {name.rpartition("/")[2]: octets for name, octets in files.items() if name.split("/")[1:2] == [each]}
        told = prove_files(parts, trust)
        assert told.outcome is Outcome.PROVED, told
    export = read_export(files["journal.jsonl"])
    assert check_stretches(export, journal=trust.journal, journal_key=journal_key) == ()
    kinds = {row.kind for row in export.rows}
    assert {FactKind.APPROVAL_GRANTED, FactKind.CERTIFICATE_ISSUED, FactKind.NOTICE_WRITTEN} <= kinds


def test_what_the_log_says_of_it_is_proved_with_it_and_with_each_decision(world: World) -> None:
    with_log(world).settle()
    approval, held = world.granted(), world.memory.log
    assert held is not None
    files = dossier_of(world, approval)
    assert carried(proved(read(files["log.json"]), key(held.key)), approval)["approval"] == approval
    (folder,) = {name.split("/")[1] for name in files if name.startswith("decisions/")}
    parts = {name.rpartition("/")[2]: octets for name, octets in files.items() if name.split("/")[1:2] == [folder]}
    trust = trusted(root_of(world), journal_key=keyring(world.folder).journal.public_key)
    told = prove_files(parts, trust)
    assert told.outcome is Outcome.PROVED
    assert any("log.json was not looked at" in each for each in told.unchecked)
    # Another generation is of the same key: a restore that lost rows begins it.
    name, public = note.parse_vkey(held.key)
    for of, outcome in (
        (held.key, Outcome.PROVED),
        (note.vkey(name.replace("/log/1", "/log/2"), public), Outcome.PROVED),
        (note.vkey(name.replace("8470", "8471"), public), Outcome.REFUTED),
        (note.vkey(name, bytes(32)), Outcome.REFUTED),
        ("x", Outcome.REFUTED),
    ):
        assert prove_files(parts, replace(trust, log_key=of)).outcome is outcome, of
    for forged in (b"{}", b"[]", parts["log.json"].replace(b'"hashes": [', b'"hashes": ["",')):
        found = prove_files({**parts, "log.json": forged}, replace(trust, log_key=held.key))
        assert [each.code for each in found.against] == [Against.LOG_UNPROVED], forged


def test_what_was_changed_since_it_was_asked_for_is_not_signed(world: World) -> None:
    approval, api = world.granted(), Api(world)
    asked(api, approval)
    with world.store.begin("forge") as tx:
        said = json.loads(tx.connection.execute(select(dossiers.c.manifest)).scalar_one())
        forged = canonical({**said, "asked_by": "nobody"}).decode()
        digest = hashlib.sha256(forged.encode()).hexdigest()
        tx.connection.execute(update(dossiers).values(manifest=forged, manifest_sha256=digest))
    world.authority.settle()
    assert asked(api, approval).status_code == 202
    assert AlarmCode.REGISTER_CONTRADICTS in {each.code for each in world.alarms()}


def test_the_command_asks_until_it_is_signed() -> None:
    answers = [Fetched(b"{}", "application/json", None)] * 2 + [Fetched(b"PK", "application/zip", "it.zip")]
    client = SimpleNamespace(fetch=lambda *_: answers.pop(0))
    assert fetched(cast("Client", client), "TDT-2027-0042-5", sleep=0) == Fetched(b"PK", "application/zip", "it.zip")
    client = SimpleNamespace(fetch=lambda *_: Fetched(b"{}", "application/json", None))
    with pytest.raises(InputUnusable, match="not signed yet"):
        fetched(cast("Client", client), "TDT-2027-0042-5", sleep=0)


@pytest.mark.parametrize("who", ["manufacturer", "dcc", "panel"])
def test_it_is_for_ssc_and_auditor(world: World, who: str) -> None:
    refused(asked(Api(world), world.granted(), who), 403, "operation-not-permitted")


def test_of_an_approval_that_is_not_there_is_none(world: World) -> None:
    refused(asked(Api(world), "TDT-2027-0042-5"), 404, "not-found")


def test_the_same_files_are_packed_into_the_same_octets() -> None:
    assert packed({"a": b"1", "b": b"2"}) == packed({"b": b"2", "a": b"1"})

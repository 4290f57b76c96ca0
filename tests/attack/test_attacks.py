"""Whoever owns the web process writes rows: nothing is signed by them, no published end is lost, and an alarm tells."""

import base64
import hashlib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select, update

from api.status.questions import ByCertificate
from app.cli.journal import EXIT_BROKEN, EXIT_UNKNOWN, lines, prove
from core.alarms import AlarmCode
from core.chain import head_statement
from core.identifiers import serial_number
from core.instants import ONE_SECOND, seconds
from core.kinds import HierarchyRole
from core.reasons import ReasonCode
from jobs.keyring import profile_begun
from ra.deciding.kinds.amendment import ProposeAmendment
from ra.deciding.kinds.rekey import ProposeRekey
from store.tables import authority, certificates, journal_heads
from tests.acting import propose
from tests.attack.cases import REFUSED, Case
from tests.attack.forging import Scene, forge, restarted, signed, turns
from tests.channels_world import HASHES, Channels
from tests.world import NOW, OFFICER_1, PROFILE, World, csr_pem


def named(case: Case) -> str:
    return f"{case.row}-{case.name.replace(' ', '-')}"


@pytest.mark.parametrize("case", REFUSED, ids=named)
def test_rows_alone_have_nothing_signed_and_undo_nothing(before: Scene, case: Case) -> None:
    world = before.world
    known, ended = signed(world), world.memory.end(before.ended_serial)
    assert ended is not None
    world.at(world.clock.now() + ONE_SECOND)
    case.attack(before)
    turns(world)
    assert signed(world) == known
    assert world.memory.end(before.ended_serial) == ended
    assert world.memory.end(before.good_serial) is None
    assert case.alarm in {each.code for each in world.alarms()}
    assert profile_begun(world.memory.begun) == PROFILE == world.authority.keyring.profile
    # What is published says what it said before.
    channels = Channels(world)
    channels.follow()
    for name in HASHES:
        assert channels.ocsp(ended.serial, name).status in {"revoked", "try_later"}
    issuing = world.memory.hierarchy(HierarchyRole.ISSUING)[-1]
    newest = channels.mirror.view().authority.crls.get(issuing.key_id)
    if newest is not None:
        assert [each.serial_number for each in x509.load_der_x509_crl(newest.der)] == [serial_number(ended.serial)]


@pytest.mark.parametrize("holder", ["'somebody else'", "holder"])
@pytest.mark.parametrize("ends", [253402300799, 2**62, -1])
def test_a_lease_that_was_moved_keeps_no_authority_from_its_work(before: Scene, holder: str, ends: int) -> None:
    """Row 31: what is decided is signed, by this process and by one that is started afterwards."""
    world = before.world
    world.seconded(before.decision)
    forge(world, f"UPDATE lease SET holder = {holder}, expires_at = {ends}")
    restarted(world)
    turns(world)
    assert len(signed(world)) == 3
    assert (AlarmCode.LEASE_VOID in {each.code for each in world.alarms()}) is (ends > 0)


def test_a_decision_that_lapsed_is_not_brought_back_by_its_rows(before: Scene) -> None:
    """The approval was revoked before its new key was certified; no certificate comes behind that end."""
    world = before.world
    rekey = ProposeRekey(before.good, csr_pem(), compromised=False, reasons="A new key.")
    decision = propose(world.desk, OFFICER_1, rekey).decision
    turns(world)
    world.seconded(decision)
    world.revoked(before.good)
    turns(world)
    assert world.decision_state(decision) == "lapsed"
    known = signed(world)
    forge(
        world,
        f"UPDATE decisions SET state = 'seconded', closed_at = NULL, outcome = NULL WHERE id = '{decision}'",
        f"UPDATE drafts SET state = 'drafted' WHERE decision_id = '{decision}'",
        f"INSERT INTO public_keys SELECT public_key_sha256, approval, 'reserved', {seconds(NOW)} FROM drafts "
        f"WHERE decision_id = '{decision}'",
        f"UPDATE approvals SET ended_at = NULL, end_cause = NULL, ended_by = NULL WHERE identifier = '{before.good}'",
    )
    turns(world)
    assert signed(world) == known
    assert AlarmCode.REGISTER_CONTRADICTS in {each.code for each in world.alarms()}


@pytest.mark.parametrize("payload", ["x", "[]", "7"])
def test_a_fact_that_is_no_object_proves_nothing_and_keeps_no_end_from_being_stated(
    before: Scene, payload: str
) -> None:
    world = before.world
    forge(
        world,
        "INSERT INTO journal (kind, at, actor, subject, approvals, payload) "
        f"VALUES ('certificate-revoked', {seconds(NOW)}, 'officer-1', '{before.good}', '', '{payload}')",
    )
    turns(world)
    world.revoked(before.good)
    turns(world)
    assert world.memory.end(before.good_serial) is not None


def test_nothing_is_alarmed_where_nobody_attacks(before: Scene) -> None:
    world = before.world
    turns(world)
    world.seconded(before.decision)
    turns(world)
    assert len(signed(world)) == 3
    assert world.alarms() == ()


def test_bytes_that_were_not_signed_under_a_serial_are_not_recognised(before: Scene) -> None:
    """Row 23, in the web process: a digest in a row makes nobody's certificate ours."""
    world = before.world
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Mallory")])
    forged = (
        x509.CertificateBuilder(name, name, key.public_key(), serial_number(before.good_serial))
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=30))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    with world.store.read() as tx:
        another = bytes(tx.connection.execute(_der(before.ended_serial)).scalar_one())
        genuine = bytes(tx.connection.execute(_der(before.good_serial)).scalar_one())
    channels = Channels(world)
    assert channels.told(ByCertificate(genuine)).codes != (ReasonCode.NOT_ISSUED_HERE.value,)
    with world.store.begin("forge") as tx:
        tx.connection.execute(update(certificates).values(fingerprint=certificates.c.serial + "0" * 32))
    for der in (forged, another):
        with world.store.begin("forge") as tx:
            changed = update(certificates).where(certificates.c.serial == before.good_serial)
            tx.connection.execute(changed.values(der=der, fingerprint=hashlib.sha256(der).hexdigest()))
        fresh = Channels(world)
        assert fresh.told(ByCertificate(der)).codes == (ReasonCode.NOT_ISSUED_HERE.value,)


def test_an_export_is_believed_about_its_key_by_nobody_who_knows_it(before: Scene, tmp_path: Path) -> None:
    """Row 35: key and heads are replaced, and everything in the export agrees."""
    world, file = before.world, tmp_path / "journal.jsonl"
    world.authority.settle()
    genuine = base64.b64encode(world.authority.keyring.journal.public_key).decode()
    assert _proved(world, file, "--key", genuine) == 0
    forger = ec.generate_private_key(ec.SECP256R1())
    with world.store.begin("forge") as tx:
        for head in tx.connection.execute(select(journal_heads)).all():
            statement = head_statement(PROFILE.journal_name, head.number, bytes(head.link))
            signature = forger.sign(statement, ec.ECDSA(hashes.SHA256()))
            changed = update(journal_heads).where(journal_heads.c.number == head.number)
            tx.connection.execute(changed.values(signature=signature))
        public = forger.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        tx.connection.execute(update(authority).values(journal_key=public))
    assert _proved(world, file) == EXIT_UNKNOWN, "by its own key it is unbroken: that says nothing"
    assert _proved(world, file, "--key", genuine) == EXIT_BROKEN


def _proved(world: World, file: Path, *options: str) -> int:
    file.write_text("\n".join(lines(world.store)))
    return CliRunner().invoke(prove, [str(file), *options]).exit_code


def _der(serial: str) -> Any:
    return select(certificates.c.der).where(certificates.c.serial == serial)


@pytest.mark.parametrize(
    ("moved", "said", "stated"),
    [
        (False, "when the later issue begins", True),
        (False, "when it was signed", False),
        (True, "when it was signed", True),
        (True, "before it was signed", False),
    ],
)
def test_a_supersession_is_not_dated_before_what_the_memory_has_of_it(
    before: Scene, said: str, *, moved: bool, stated: bool
) -> None:
    """A fact in the authority's own name. Where a start moves, the old issue ends when the new one is signed."""
    world = before.world
    wanted: Any = ProposeRekey(before.good, csr_pem(), compromised=False, reasons="A new key.")
    if moved:
        wanted = ProposeAmendment(before.good, "Not yet.", start=date(2027, 1, 6))
    decision = propose(world.desk, OFFICER_1, wanted).decision
    turns(world)
    world.seconded(decision)
    while len(world.memory.issues(before.good)) == 1:
        world.authority.turn()
    begins, now = world.memory.issues(before.good)[-1].not_before, world.clock.now()
    assert now < begins
    instants = {"when the later issue begins": begins, "when it was signed": now}
    at = instants.get(said, now - timedelta(hours=1))
    forge(
        world,
        f"UPDATE certificates SET superseded_at = {seconds(at)}, ends_at = {seconds(at)}, presign_due = 0 "
        f"WHERE serial = '{before.good_serial}'",
        f"UPDATE journal SET at = {seconds(min(at, now))} WHERE kind = 'certificate-superseded'",
    )
    world.passes(timedelta(days=4))
    turns(world)
    assert (world.memory.end(before.good_serial) is not None) is stated
    assert (AlarmCode.END_UNPROVED in {each.code for each in world.alarms()}) is not stated

"""What a register lost comes back: from the memory, and from files that our own keys have signed; nothing else does."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.cli.handed_files import read_handed
from app.cli.journal import lines
from ca.certificates import tbs_of
from core.actors import Actor, Role
from core.approval import EndCause
from core.errors import HandedIn, RestoreIncomplete, WrongState
from core.facts import Fact, FactKind
from core.handed import Handed
from core.identifiers import ApprovalIdentifier
from core.kinds import HierarchyRole, Witnessed
from core.status import State, approval_status
from intake.handed import read_journal
from jobs.handed import People, learn
from jobs.restore import NUMBERS_SKIPPED, Asked, look
from ra.deciding.look import decision as looked_at
from ra.deciding.witness import Witness, witness
from ra.waiting.seeing import RESTORED_WITHIN
from ra.waiting.tasks import tasks
from store.reading import approvals as approval_reading
from store.reading import authority as reading
from store.reading import requests, work
from store.transactions import sqlite_url
from store.verbs import facts
from tests.audit_world import audited, exported
from tests.cycle_world import device
from tests.roster_world import ON_SQLITE
from tests.status_world import World as AnotherAuthority
from tests.test_rekey import rekey
from tests.test_restore_agreed import Cut, cut_off
from tests.test_went_back import Standby
from tests.world import NOW, OFFICER_1, OFFICER_2, World, keyring, memory_folder


@dataclass(frozen=True)
class Kept:
    """What was published and exported before everything was lost."""

    ders: dict[str, bytes]
    crl: bytes
    journal: bytes


def kept(world: World) -> Kept:
    """What mirrors, Manufacturers and an auditor have."""
    with world.store.read() as tx:
        issuing = reading.certificates(tx, HierarchyRole.ISSUING)[-1]
        found = work.last_crl(tx, issuing.key_id, with_bytes=True)
        held = {
            record.identifier: approval_reading.certificate_der(tx, record.certificates[-1].serial)[1]
            for record in approval_reading.records(tx)
        }
    assert found is not None
    journal = "\n".join(lines(world.store)).encode()
    return Kept(ders=held, crl=found.der, journal=journal)


def der_of(world: World, approval: str) -> bytes:
    with world.store.read() as tx:
        serial = approval_reading.record(tx, approval).certificates[-1].serial
        return approval_reading.certificate_der(tx, serial)[1]


def of_restored(world: World) -> list[str]:
    return [each.subject for each in tasks(world.desk, OFFICER_1).tasks if each.kind == "certificate-restored"]


def test_what_the_memory_knows_is_entered_as_it_was(world: World, tmp_path: Path) -> None:
    """The register is yesterday's; since then: granted, revoked, decided, and another key."""
    stands, over = world.granted(), world.granted(device=device(2))
    half = world.drafted(device=device(3))
    standby = Standby(world, tmp_path)
    world.revoked(over, EndCause.BREACH)
    lost = world.granted(device=device(4))
    gone = world.granted(device=device(5))
    world.revoked(gone)
    world.seconded(half)
    world.seconded(rekey(world, stands, compromised=True))
    world.authority.settle()
    decided = world.decision_state(half)
    world.seconded(rekey(world, lost, compromised=False))
    world.authority.settle()
    before = {each: world.record(each) for each in _approvals(world)}
    ders = {each: der_of(world, each) for each in before}
    standby.promote()

    with pytest.raises(WrongState, match="another one by now"):
        world.accept_restore(shown="0" * 64)
    shown = look(world.store, world.memory, keyring(world.folder), Asked(), world.clock.now()).difference
    found = world.accept_restore(shown=shown.sha256)
    assert {each.record.approval for each in found.certificates} >= {lost, gone}
    after = {each: world.record(each) for each in before}
    for name, record in before.items():
        mine = after[name]
        assert [each.serial for each in mine.certificates] == [each.serial for each in record.certificates]
        assert der_of(world, name) == ders[name]
        assert mine.device == record.device
        assert mine.terms == record.terms
        for at in (NOW, NOW + timedelta(days=3), NOW + timedelta(days=400)):
            assert approval_status(mine, at).state == approval_status(record, at).state, (name, at)
    assert (decided, world.decision_state(half)) == ("done", "done")
    world.authority.settle()
    assert world.alarms() == ()
    assert len(of_restored(world)) == len(found.certificates)
    later = ApprovalIdentifier.parse(world.granted(device=device(6))).number
    assert later > max(ApprovalIdentifier.parse(each).number for each in before) + NUMBERS_SKIPPED - 10
    assert world.alarms() == ()


def _approvals(world: World) -> list[str]:
    with world.store.read() as tx:
        return [each.identifier for each in approval_reading.records(tx)]


# --- register and memory are both yesterday's ---------------------------------------------------------------------


@dataclass(frozen=True)
class Lost:
    """An authority whose register and memory are yesterday's, and what others have kept of today."""

    world: World
    kept: Kept
    stands: str
    over: str
    gone: str

    def handed(self, *without: str) -> Handed:
        certificates = {name: der for name, der in self.kept.ders.items() if name not in without}
        lists = {} if "crl" in without else {"issuing.crl": self.kept.crl}
        journals = {} if "journal" in without else {"journal": read_journal("journal", self.kept.journal)}
        return Handed(certificates=certificates, lists=lists, journals=journals)


@pytest.fixture
def lost(tmp_path: Path, store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Lost]:
    world = World(store_copy("sqlite"), keys_folder)
    over = world.granted()
    world.store.close()
    url = sqlite_url(tmp_path / "yesterday.sqlite")
    shutil.copy(world.url.removeprefix("sqlite:///"), tmp_path / "yesterday.sqlite")
    shutil.copytree(memory_folder(world.url, keys_folder), memory_folder(url, keys_folder))
    world.passes(timedelta(seconds=30))
    stands, gone = world.granted(device=device(2)), world.granted(device=device(3))
    world.revoked(gone)
    world.authority.settle()
    world.passes(timedelta(seconds=30))
    published = kept(world)
    world.revoked(over, EndCause.BREACH)  # on no list that was kept, but sealed in the journal that was
    world.authority.settle()
    published = replace(published, journal=kept(world).journal)
    world.close()
    restored = World(url, keys_folder)
    restored.passes(timedelta(minutes=2))
    yield Lost(world=restored, kept=published, stands=stands, over=over, gone=gone)
    restored.close()


def test_what_nobody_remembers_comes_back_from_what_was_signed(lost: Lost) -> None:
    world = lost.world
    with pytest.raises(WrongState, match="whole"):
        world.accept_restore(handed=lost.handed())  # nothing is behind: only a backup that was put back says so
    with pytest.raises(RestoreIncomplete, match="1 certificates are named"):
        world.accept_restore(handed=lost.handed(lost.gone), put_back=True)
    assert world.record(lost.over).ended_at is None
    found = world.accept_restore(handed=lost.handed(), put_back=True)
    assert {each.record.approval for each in found.certificates} == {lost.stands, lost.gone}
    assert {each.approval for each in found.ends} == {lost.over, lost.gone}
    now = world.clock.now()
    assert approval_status(world.record(lost.stands), now).state is State.NOT_YET_STARTED
    assert world.record(lost.over).end_cause is EndCause.BREACH
    assert world.record(lost.gone).end_cause is EndCause.SSC
    newest = found.lists[-1].number
    world.authority.settle()
    with world.store.read() as tx:
        issuing = reading.certificates(tx, HierarchyRole.ISSUING)[-1]
        after = work.last_crl(tx, issuing.key_id, with_bytes=False)
    assert after is not None
    assert (after.number > newest, after.entries) == (True, 2)
    assert world.alarms() == ()
    assert ApprovalIdentifier.parse(world.granted(device=device(7))).number > NUMBERS_SKIPPED


def test_if_we_die_behind_what_files_prove_officers_have_signed_for_the_same_still(lost: Lost) -> None:
    world, handed = lost.world, lost.handed()
    signed = world.signed_for_restore(Asked(handed=handed, put_back=True), OFFICER_1.name, OFFICER_2.name)
    before = world.memory.last
    cut_off(world, Cut("before commit accept restore"), signed, handed=handed, put_back=True)
    assert world.memory.last > before + len(signed)  # the certificates, the ends, the list
    world.accept_restore(handed=handed, put_back=True, signed=signed)
    assert world.record(lost.over).end_cause is EndCause.BREACH


def test_officers_are_asked_within_a_day_until_one_has_looked(lost: Lost) -> None:
    world = lost.world
    world.accept_restore(handed=lost.handed("journal"), put_back=True)
    waiting = [each for each in tasks(world.desk, OFFICER_1).tasks if each.kind == "certificate-restored"]
    assert len(waiting) == 2
    assert {each.due for each in waiting} == {world.clock.now() + RESTORED_WITHIN}
    first = next(each for each in waiting if lost.stands in each.sentence)
    assert "who decided and why" in first.sentence
    assert "it is valid meanwhile" in first.sentence
    decision = first.link.rsplit("/", 1)[-1]
    shown = looked_at(world.desk, OFFICER_1, decision)
    assert "not known any more" in shown.proposer
    witness(world.desk, OFFICER_1, Witness(decision, Witnessed.SEEN))
    assert of_restored(world) == [each.subject for each in waiting if each is not first]
    with world.store.read() as tx:
        assert requests.decision(tx, decision).approval == lost.stands


@ON_SQLITE
def test_who_proposed_is_who_signed_for_it_and_not_who_says_so(world: World) -> None:
    decision = world.drafted()
    mallory = Actor("mallory", Role.SSC_OFFICER, None, "cred-mallory")
    with world.store.begin("pretend") as tx:
        facts.record(tx, Fact(FactKind.DECISION_PROPOSED, world.clock.now(), mallory, subject=decision))
    world.seconded(decision)
    with world.store.begin("pretend") as tx:
        facts.record(tx, Fact(FactKind.DECISION_PROPOSED, world.clock.now(), mallory, subject=decision))
        facts.record(tx, Fact(FactKind.DECISION_PROPOSED, world.clock.now(), mallory, subject="dec-another"))
    world.authority.settle()
    found = people_of(world)
    assert found[decision] == People(proposer=OFFICER_1.name, seconder=OFFICER_2.name, signed=True)
    assert "dec-another" not in found


def people_of(world: World) -> dict[str, People]:
    """Who decided, by an export of the journal."""
    with world.store.read() as tx:
        every = tuple(reading.certificates(tx))
    handed = Handed(journals={"journal": read_journal("journal", "\n".join(lines(world.store)).encode())})
    return learn(handed, world.memory, keyring(world.folder), every, world.clock.now()).people


def _changed(octets: bytes, old: bytes, new: bytes) -> Handed:
    return Handed(journals={"journal": read_journal("journal", octets.replace(old, new, 1))})


def _flipped(der: bytes) -> bytes:
    return der[:-1] + bytes([der[-1] ^ 1])


BAD: dict[str, tuple[Callable[[Kept, Lost], Handed], str]] = {
    "a certificate with another signature": (
        lambda had, lost: Handed(certificates={"c": _flipped(had.ders[lost.stands])}),
        "no issuing CA of ours",
    ),
    "to-be-signed bytes alone": (
        lambda had, lost: Handed(certificates={"c": tbs_of(had.ders[lost.stands])}),
        "no issuing CA of ours",
    ),
    "a list with another signature": (lambda had, _: Handed(lists={"l": _flipped(had.crl)}), "no CA of ours"),
    "another authority's list": (
        lambda _had, _: Handed(lists={"l": AnotherAuthority().publish(datetime(2027, 1, 3, tzinfo=UTC)).der}),
        "no CA of ours",
    ),
    "another authority's journal": (
        lambda had, _: _changed(had.journal, b"TEST Trial CPA Journal", b"TEST Others Journal"),
        "another authority",
    ),
    "a journal with another row": (
        lambda had, _: _changed(had.journal, b'"actor": "', b'"actor": "x'),
        "no head of ours",
    ),
    "a journal with half a role": (
        lambda had, _: _changed(had.journal, b'"role": null', b'"role": 1.5'),
        "cannot be linked",
    ),
    "a journal that begins late": (
        lambda had, _: Handed(
            journals={"j": read_journal("j", b"\n".join(had.journal.splitlines()[:1] + had.journal.splitlines()[2:]))}
        ),
        "row 1 is missing",
    ),
    "a journal without heads": (
        lambda had, _: Handed(
            journals={
                "j": read_journal("j", b"\n".join(each for each in had.journal.splitlines() if b'"head"' not in each))
            }
        ),
        "no head of ours",
    ),
}


@pytest.mark.parametrize("name", list(BAD))
def test_what_our_keys_have_not_signed_is_not_taken_in(lost: Lost, name: str) -> None:
    make, reason = BAD[name]
    records = lost.world.memory.last
    with pytest.raises(HandedIn, match=reason):
        lost.world.accept_restore(handed=make(lost.kept, lost), put_back=True)
    assert (lost.world.memory.last, _approvals(lost.world)) == (records, [lost.over])


def test_files_are_told_apart_by_what_they_are(lost: Lost, tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    folder.mkdir()
    for name, der in lost.kept.ders.items():
        (folder / f"{name}.cer").write_bytes(der)
    (tmp_path / "issuing.crl").write_bytes(lost.kept.crl)
    (tmp_path / "journal.jsonl").write_bytes(lost.kept.journal)
    handed = read_handed([folder, tmp_path / "issuing.crl", tmp_path / "journal.jsonl"])
    assert sorted(handed.certificates.values()) == sorted(lost.kept.ders.values())
    assert list(handed.lists.values()) == [lost.kept.crl]
    assert [len(each.rows) > 10 for each in handed.journals.values()] == [True]
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8 something else")
    with pytest.raises(HandedIn, match="no certificate, no CRL and no exported journal"):
        read_handed([tmp_path / "photo.jpg"])
    (tmp_path / "journal.jsonl").write_bytes(b'{"journal": "x", "key": "AA=="}\n{"row": 1}\n')
    with pytest.raises(HandedIn, match="line 2 is not"):
        read_handed([tmp_path / "journal.jsonl"])


def test_what_was_entered_again_is_proved_by_an_audit(lost: Lost) -> None:
    world = lost.world
    world.accept_restore(handed=lost.handed(), put_back=True)
    world.authority.settle()
    world.granted(device=device(7))
    found = audited(exported(world.store)).findings
    assert not found.problems

"""The authority's jobs on both databases: on time, through the gate or not at all, and back after anything."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509 import ocsp
from sqlalchemy import delete, func, select, text, update

from ca.revocation import crl as lists
from ca.revocation import gate
from core.alarms import AlarmCode
from core.approval import Device, EndCause
from core.errors import RegisterUnproved
from core.facts import FactKind
from core.instants import seconds
from core.kinds import HierarchyRole
from core.mirror import PublishedCrl
from core.status import State, approval_status
from jobs import hierarchy
from jobs.authority import Authority
from jobs.pace import Pace
from jobs.root_list import publish_root_crl
from policy import linters
from store.reading import authority as authority_reading
from store.tables import certificates, crls, journal, lease, ocsp_answers
from store.transactions import Store
from tests.attack.forging import forge
from tests.channels_world import HASHES, Channels, Proof
from tests.world import BORN, DEVICE, NOW, World, keyring, root_key_of

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
START = datetime(2027, 1, 4, tzinfo=UTC)
OTHER = Device("ESME", "AB01", "010A030C", "01")
EXPIRY = datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC)


def newest(world: World) -> PublishedCrl:
    channels = Channels(world)
    return channels.mirror.view().authority.crls[channels.issuing.key_id]


def told(world: World, kind: FactKind) -> int:
    with world.store.read() as tx:
        query = select(func.count()).select_from(journal).where(journal.c.kind == kind)
        return int(tx.connection.execute(query).scalar() or 0)


def settled_at(world: World, instant: datetime) -> None:
    world.at(instant)
    world.authority.settle()


def answers(world: World) -> list[Any]:
    with world.store.read() as tx:
        return list(tx.connection.execute(select(ocsp_answers).order_by(ocsp_answers.c.id)).all())


# --- CRL ----------------------------------------------------------------------------------------------------------


def test_the_list_is_reissued_on_schedule_although_nothing_was_revoked(world: World) -> None:
    world.authority.settle()
    first = newest(world)
    settled_at(world, NOW + 12 * HOUR - SECOND)
    assert newest(world).number == first.number
    settled_at(world, NOW + 12 * HOUR)
    second = newest(world)
    assert second.number > first.number
    assert (second.this_update, second.next_update) == (NOW + 12 * HOUR, NOW + 60 * HOUR)
    assert second.entries == 0


@pytest.mark.clause("F2.31")
def test_the_list_is_reissued_at_every_change_and_every_number_is_kept(world: World) -> None:
    approval = world.granted()
    before = newest(world)
    world.revoked(approval)
    world.authority.settle()
    after = newest(world)
    assert after.number > before.number
    assert after.entries == 1
    channels = Channels(world)
    kept = channels.mirror.past_crl(before.key_id, before.number)
    assert kept is not None
    assert len(list(x509.load_der_x509_crl(kept.der))) == 0


def _forget_lists(world: World, *, after: int) -> None:
    """What a store restored from an older copy no longer knows."""
    with world.store.begin("restore") as tx:
        tx.connection.execute(update(certificates).values(listed_in=None))
        tx.connection.execute(delete(crls).where(crls.c.number > after))


def test_the_number_rises_also_after_a_restore_that_forgot_some(world: World) -> None:
    approval = world.granted()
    copied = newest(world).number
    settled_at(world, START)
    world.revoked(approval)
    settled_at(world, START + 13 * HOUR)
    lost = newest(world).number
    assert lost > copied
    _forget_lists(world, after=copied)
    settled_at(world, START + 13 * HOUR + SECOND)
    assert newest(world).number > lost
    assert newest(world).number >= seconds(START)


def _break_the_last_list(world: World) -> None:
    with world.store.begin("tamper") as tx:
        row = tx.connection.execute(select(crls).order_by(crls.c.number.desc()).limit(1)).one()
        tx.connection.execute(update(crls).where(crls.c.number == row.number).values(der=bytes(row.der)[:-40]))


def _unrevoke_by_hand(world: World) -> None:
    with world.store.begin("tamper") as tx:
        tx.connection.execute(
            update(certificates).values(
                revoked_at=None, cause=None, invalidity_date=None, ends_at=text("not_after + 1"), listed_in=None
            )
        )


def _change_the_reason_by_hand(world: World) -> None:
    with world.store.begin("tamper") as tx:
        tx.connection.execute(update(certificates).values(cause=EndCause.MANUFACTURER.value, invalidity_date=None))


def _entries(world: World) -> list[tuple[int, datetime, list[object]]]:
    listed = x509.load_der_x509_crl(newest(world).der)
    return [(each.serial_number, each.revocation_date_utc, list(each.extensions)) for each in listed]


@pytest.mark.parametrize("tamper", [_break_the_last_list, _unrevoke_by_hand, _change_the_reason_by_hand])
def test_a_register_that_was_changed_by_hand_changes_no_list_and_stops_none(world: World, tamper: Any) -> None:
    approval = world.granted()
    world.revoked(approval)
    world.authority.settle()
    good = _entries(world)
    tamper(world)
    settled_at(world, NOW + 13 * HOUR)
    assert newest(world).this_update == NOW + 13 * HOUR
    assert _entries(world) == good
    assert AlarmCode.REGISTER_CONTRADICTS in {each.code for each in world.alarms()}


def test_a_list_that_the_gate_refuses_is_not_published_and_the_last_good_one_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval = world.granted()
    world.revoked(approval)
    world.authority.settle()
    good = newest(world)
    # What the authority wrote is not what it remembers: a fault of its own, which nothing else would find.
    draft = lists.draft
    monkeypatch.setattr(lists, "draft", lambda order: draft(replace(order, entries=())))
    settled_at(world, NOW + 13 * HOUR)
    assert newest(world).number == good.number
    for _ in range(3):
        world.authority.turn()
    # The same refusal is told once, not at every turn; and the other jobs go on.
    assert told(world, FactKind.CRL_REFUSED) == 1
    with world.store.read() as tx:
        query = select(func.count()).select_from(journal).where(journal.c.seal_number.is_(None))
        assert tx.connection.execute(query).scalar() == 0
    assert AlarmCode.JOB_FAILS in {each.code for each in world.alarms()}


def test_after_a_refusal_the_next_list_is_signed_a_minute_later_or_when_something_has_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, holds = world.granted(), world.granted(device=OTHER)
    world.revoked(ended)
    world.authority.settle()
    good = newest(world)
    draft, inspect = lists.draft, gate.inspect
    before: list[bytes | None] = []

    def inspected(der: bytes, **said: Any) -> tuple[str, ...]:
        before.append(said["previous"])
        return inspect(der, **said)

    monkeypatch.setattr(lists, "draft", lambda order: draft(replace(order, entries=())))
    monkeypatch.setattr(gate, "inspect", inspected)
    settled_at(world, NOW + 13 * HOUR)
    for waited in (1, 2, 56):
        world.passes(waited * SECOND)
        world.authority.turn()
        assert AlarmCode.JOB_FAILS in {each.code for each in world.alarms()}
    assert len(before) == 1
    for _ in range(10):
        world.passes(60 * SECOND)
        world.authority.turn()
    # However often it was refused: what was published last is what the next one is compared with.
    assert before == [good.der] * 11
    world.revoked(holds)
    world.passes(SECOND)
    for _ in range(3):
        world.authority.turn()
    assert len(before) == 12
    monkeypatch.setattr(lists, "draft", draft)
    world.passes(60 * SECOND)
    world.authority.settle()
    assert newest(world).entries == 2


def test_a_list_that_somebody_changed_does_not_keep_the_next_from_being_compared(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.revoked(world.granted())
    world.authority.settle()
    good = newest(world)
    settled_at(world, NOW + 13 * HOUR)
    forge(world, f"UPDATE crls SET der = (SELECT min(tbs) FROM drafts) WHERE number = {newest(world).number}")
    monkeypatch.setattr(gate, "inspect", lambda _, **said: [str(said["previous"] == good.der)])
    settled_at(world, NOW + 26 * HOUR)
    with world.store.read() as tx:
        refused = tx.connection.execute(select(journal.c.payload).where(journal.c.kind == FactKind.CRL_REFUSED))
        assert [json.loads(each)["problems"] for each in refused.scalars()] == [["True"]]


def test_no_row_lets_the_root_s_key_sign(world: World) -> None:
    root = root_key_of(world.folder)
    first = publish_root_crl(world.store, world.memory, root, NOW)
    forge(world, f"UPDATE crls SET der = (SELECT min(tbs) FROM authority_certificates) WHERE number = {first.number}")
    second = publish_root_crl(world.store, world.memory, root, NOW + HOUR)
    forge(
        world,
        "UPDATE authority_certificates SET der = (SELECT der FROM authority_certificates WHERE role = 'issuing') "
        "WHERE role = 'root'",
    )
    with pytest.raises(RegisterUnproved):
        publish_root_crl(world.store, world.memory, root, NOW + DAY)
    known = world.memory.newest_list(first.key_id)
    assert known is not None
    assert known.number == second.number


# --- OCSP ---------------------------------------------------------------------------------------------------------


def test_a_certificate_is_linted_whole_once_and_its_answers_by_their_shapes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From draft to publication: the bytes that were seconded are those that were linted, and are not again."""
    linted: list[tuple[str, bytes]] = []

    def counted(kind: str) -> None:
        lint = getattr(linters, kind)

        def linting(der: bytes) -> object:
            linted.append((kind, der))
            return lint(der)

        monkeypatch.setattr(linters, kind, linting)

    counted("certificate")
    counted("ocsp")
    for device in (DEVICE, OTHER):
        world.granted(device=device)
    kinds = [kind for kind, _ in linted]
    assert len(set(linted)) == len(linted)
    assert kinds.count("certificate") == 2
    assert kinds.count("ocsp") == len(HASHES)


def test_answers_are_renewed_at_half_their_life(world: World) -> None:
    world.granted()
    first = answers(world)
    assert {(row.this_update, row.next_update) for row in first} == {(NOW, NOW + 12 * HOUR)}
    settled_at(world, NOW + 6 * HOUR - SECOND)
    assert len(answers(world)) == len(first)
    settled_at(world, NOW + 6 * HOUR)
    fresh = answers(world)[len(first) :]
    assert {row.hash_name for row in fresh} == set(HASHES)
    assert {(row.this_update, row.next_update) for row in fresh} == {(NOW + 6 * HOUR, NOW + 18 * HOUR)}


def test_no_good_answer_outlives_the_certificate(world: World) -> None:
    world.granted()
    for left in (13 * HOUR, 12 * HOUR, 7 * HOUR, HOUR, 10 * SECOND, 5 * SECOND, 2 * SECOND, SECOND, 0 * SECOND):
        settled_at(world, EXPIRY - left)
    for row in answers(world):
        assert row.next_update <= EXPIRY
        assert ocsp.load_der_ocsp_response(bytes(row.der)).next_update_utc == row.next_update
    settled_at(world, EXPIRY + SECOND)
    assert all(row.revoked_at == EXPIRY + SECOND for row in answers(world)[-2:])


def test_one_certificate_in_its_last_second_keeps_no_other_waiting(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.granted()
    other = world.granted(start=EXPIRY.date() + DAY, expiry=datetime(2027, 7, 30, tzinfo=UTC).date())
    settled_at(world, EXPIRY - 6 * HOUR)  # half of twelve hours: due again in the very last second
    world.at(EXPIRY)
    world.revoked(other)
    world.authority.turn()
    (certificate,) = world.record(other).certificates
    channels = Channels(world)
    for name in HASHES:
        assert channels.ocsp(certificate.serial, name) == Proof("revoked", EXPIRY, "privilegeWithdrawn")
    assert caplog.messages == [], "there is nothing wrong with a last second"


def test_the_responder_is_renewed_at_half_its_life_and_keeps_its_key(world: World) -> None:
    world.granted()
    settled_at(world, BORN + 15 * DAY - HOUR)
    with world.store.read() as tx:
        (old,) = authority_reading.certificates(tx, HierarchyRole.RESPONDER)
    half = old.not_before + (old.not_after - old.not_before) / 2
    settled_at(world, half.replace(microsecond=0) + SECOND)
    with world.store.read() as tx:
        every = authority_reading.certificates(tx, HierarchyRole.RESPONDER)
    assert len(every) == 2
    assert every[1].key_id == old.key_id
    assert every[1].not_after - world.clock.now() > 29 * DAY
    settled_at(world, world.clock.now() + 7 * HOUR)
    last = ocsp.load_der_ocsp_response(bytes(answers(world)[-1].der))
    assert last.certificates == [x509.load_der_x509_certificate(every[1].der)]
    assert last.next_update_utc is not None
    assert last.next_update_utc <= every[1].not_after


def test_a_renewal_that_died_before_its_signature_is_signed_later_as_it_was_drafted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.authority.settle()
    half = BORN + timedelta(days=15)
    world.at(half)

    def dies(*_: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(hierarchy, "sign_certificate", dies)
        with pytest.raises(KeyboardInterrupt):
            world.authority.settle()
    settled_at(world, half + 2 * DAY)
    with world.store.read() as tx:
        newest = authority_reading.certificates(tx, HierarchyRole.RESPONDER)[-1]
        assert authority_reading.intended(tx, HierarchyRole.RESPONDER) == []
    assert newest.not_before == half


# --- time ---------------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.31")
def test_an_expiry_is_recorded_once_and_listed(world: World) -> None:
    approval = world.granted()
    settled_at(world, EXPIRY)
    assert told(world, FactKind.APPROVAL_EXPIRED) == 0
    settled_at(world, EXPIRY + SECOND)
    settled_at(world, EXPIRY + DAY)
    assert told(world, FactKind.APPROVAL_EXPIRED) == 1
    assert list(Channels(world).crl()) == [world.record(approval).certificates[0].serial]


def test_what_was_revoked_does_not_expire_as_well(world: World) -> None:
    world.revoked(world.granted())
    settled_at(world, EXPIRY + DAY)
    assert told(world, FactKind.APPROVAL_EXPIRED) == 0


def test_after_three_years_asleep_one_settling_brings_everything_back(world: World) -> None:
    approval = world.granted()
    waiting = world.drafted(
        start=datetime(2027, 8, 1, tzinfo=UTC).date(), expiry=datetime(2027, 9, 1, tzinfo=UTC).date()
    )
    world.at(NOW + 3 * 365 * DAY)
    now = world.clock.now()
    assert approval_status(world.record(approval), now).state is State.EXPIRED, "nobody was needed for that"
    world.authority.settle()
    channels = Channels(world)
    serial = world.record(approval).certificates[0].serial
    for name in HASHES:
        assert channels.ocsp(serial, name) == Proof("revoked", EXPIRY + SECOND, "cessationOfOperation")
    assert channels.crl()[serial][:2] == (EXPIRY + SECOND, "cessationOfOperation")
    assert newest(world).this_update == now
    assert world.decision_state(waiting) == "lapsed"
    with world.store.read() as tx:
        assert authority_reading.certificates(tx, HierarchyRole.RESPONDER)[-1].not_after > now


def test_beyond_the_end_of_the_issuing_ca_nothing_crashes_and_nothing_is_valid(world: World) -> None:
    approval = world.granted()
    settled_at(world, datetime(2050, 1, 1, tzinfo=UTC))
    channels = Channels(world)
    serial = world.record(approval).certificates[0].serial
    assert channels.by_approval(approval).state == "expired"
    for name in HASHES:
        assert channels.ocsp(serial, name).status in {"try_later", "revoked"}


# --- the lease ----------------------------------------------------------------------------------------------------


@pytest.fixture
def other(world: World) -> Iterator[Authority]:
    made = Authority(Store(world.url), world.clock, world.machine, keyring(world.folder), world.memory, Pace())
    yield made
    made.store.close()


@pytest.mark.locks
def test_a_second_authority_waits_and_takes_over_when_the_lease_runs_out(world: World, other: Authority) -> None:
    decision = world.drafted()
    approval = world.seconded(decision)
    assert other.turn() is None
    # A test clock that leaps ahead does not make a lease run out: leases are about machines.
    world.clock.advance(HOUR)
    assert other.turn() is None
    world.machine.advance(Pace().lease_length + SECOND)
    assert other.turn()
    assert world.decision_state(decision) == "done"
    with world.store.read() as tx:
        held = tx.connection.execute(select(lease)).one()
    assert (held.holder, held.epoch) == (other.holder, 2)
    # The first one still believes in its lease; its next commit finds out, and its next turn waits.
    world.revoked(approval)
    lists = told(world, FactKind.CRL_PUBLISHED)
    world.authority.turn()
    assert told(world, FactKind.CRL_PUBLISHED) == lists
    assert world.authority.turn() is None
    other.settle()
    assert len(Channels(world).crl()) == 1


@pytest.mark.locks
def test_an_authority_that_stops_gives_the_lease_back(world: World, other: Authority) -> None:
    ready, stopping = threading.Event(), threading.Event()
    running = threading.Thread(target=world.authority.run, args=(stopping, ready.set))
    running.start()
    assert ready.wait(30)
    assert other.turn() is None
    stopping.set()
    running.join()
    assert other.turn() is not None


def test_a_running_authority_signs_what_is_seconded(world: World) -> None:
    decision = world.drafted()
    stopping = threading.Event()
    running = threading.Thread(target=world.authority.run, args=(stopping,))
    running.start()
    try:
        world.seconded(decision)
        waited = threading.Event()
        for _ in range(600):
            if world.decision_state(decision) == "done":
                break
            waited.wait(0.05)
    finally:
        stopping.set()
        running.join()
    assert world.decision_state(decision) == "done"

"""The mirror: what it holds is what the source says, and what it cannot confirm it does not tell for long."""

import threading
import time
from collections.abc import Hashable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.status import mirror as mirroring
from api.status.mirror import CATCH_UP_SECONDS, Mirror
from api.status.snapshot import Snapshot, amended, build
from core.approval import Device, EndCause
from core.approval import ended_by_act as ended
from core.clock import FixedClock
from core.errors import StatusStale, StoreUnavailable
from core.identifiers import Serial
from core.mirror import Changes, Held, MirroredApproval
from tests.status_world import ESME, GRANTED, HOUR, NOON, SECOND, World


class Seconds:
    """Monotonic seconds that stand until they are moved."""

    def __init__(self) -> None:
        self.value = 1000.0

    def __call__(self) -> float:
        return self.value


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def mirror(world: World, seconds: Seconds) -> Mirror:
    return Mirror(world, FixedClock(NOON), max_age=600, monotonic=seconds)


def test_an_approval_is_found_by_each_of_its_names(world: World, mirror: Mirror) -> None:
    identifier = world.grant()
    mirror.follow()
    view = mirror.view()
    certificate = view.approvals[identifier].record.certificates[0]
    assert view.by_serial(certificate.serial) == (view.approvals[identifier], certificate)
    assert view.by_fingerprint(certificate.fingerprint) == (view.approvals[identifier], certificate)
    assert view.of_model("ab01", "010a030B") == (view.approvals[identifier],)
    assert view.by_serial(Serial("0" * 32)) is None
    assert view.by_fingerprint("00") is None
    assert view.of_model("ab01", "other") == ()


def test_only_the_approvals_named_are_read_again(world: World, mirror: Mirror) -> None:
    first, second = world.grant(1), world.grant(2, device=replace(ESME, model="other"))
    mirror.follow()
    before = mirror.view()
    world.reads.clear()
    world.end(second, NOON, EndCause.SSC)
    mirror.follow()
    assert world.reads == ["changes", "approvals"]
    assert mirror.view().approvals[second].record.ended_at == NOON
    assert mirror.view().approvals[first] is before.approvals[first]
    assert before.approvals[second].record.ended_at is None, "a snapshot that was handed out never changes"


def test_of_very_many_changes_the_first_are_told_while_the_others_are_read(
    world: World, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirroring, "AT_ONCE", 1)
    names = [world.grant(number) for number in (1, 2, 3)]
    mirror.follow()
    before, read, told = mirror.age(), world.approvals, []
    for each in names:
        world.end(each, NOON, EndCause.SSC)

    def seen(identifiers: frozenset[str] | None) -> Sequence[Held]:
        told.append([held.record.ended_at is not None for _, held in sorted(mirror.view().approvals.items())])
        if len(told) == 3:
            raise StoreUnavailable
        return read(identifiers)

    with monkeypatch.context() as patch:
        patch.setattr(world, "approvals", seen)
        with pytest.raises(StoreUnavailable):
            mirror.follow()
    assert told == [[False, False, False], [True, False, False], [True, True, False]]
    assert mirror.age() == before, "what was confirmed whole is as old as it was"
    mirror.follow()
    assert all(held.record.ended_at == NOON for held in mirror.view().approvals.values())


def test_nothing_is_read_when_nothing_has_changed_and_the_age_starts_anew(
    world: World, mirror: Mirror, seconds: Seconds
) -> None:
    mirror.follow()
    world.reads.clear()
    seconds.value += 300
    assert mirror.age() == 300
    mirror.follow()
    assert world.reads == ["changes"]
    assert mirror.age() == 0


def test_a_credential_and_the_clock_offset_follow(world: World, mirror: Mirror) -> None:
    mirror.follow()
    assert mirror.now() == NOON
    world.advance(timedelta(days=3))
    world.credentials.clear()
    mirror.follow()
    assert mirror.now() == NOON + timedelta(days=3)
    assert not mirror.view().authority.credentials


def test_an_approval_that_the_source_no_longer_has_is_gone_under_every_name(world: World, mirror: Mirror) -> None:
    gone, stays = world.grant(1), world.grant(2)
    mirror.follow()
    certificate = mirror.view().approvals[gone].record.certificates[0]
    world.forget(gone)
    mirror.follow()
    view = mirror.view()
    assert view.by_serial(certificate.serial) is None
    assert view.by_fingerprint(certificate.fingerprint) is None
    assert [held.record.identifier for held in view.of_model(ESME.manufacturer, ESME.model)] == [stays]


def test_a_silent_store_leaves_the_last_snapshot_until_it_is_too_old(
    world: World, mirror: Mirror, seconds: Seconds
) -> None:
    world.grant()
    mirror.follow()
    view = mirror.view()
    world.broken = True
    with pytest.raises(StoreUnavailable):
        mirror.follow()
    seconds.value += 600
    assert mirror.view() is view, "exactly the allowed age is allowed"
    seconds.value += 1
    with pytest.raises(StatusStale) as stale:
        mirror.view()
    assert stale.value.fields == {"age": 601, "limit": 600}
    assert mirror.held() is view
    world.broken = False
    mirror.follow()
    assert mirror.view().approvals == view.approvals


def test_before_the_first_poll_nothing_is_told(mirror: Mirror) -> None:
    for ask in (mirror.view, mirror.held):
        with pytest.raises(StatusStale):
            ask()


def test_a_change_that_could_not_be_read_is_asked_for_again(world: World, mirror: Mirror) -> None:
    identifier = world.grant()
    mirror.follow()
    world.end(identifier, NOON, EndCause.SSC)

    def failing(_identifiers: frozenset[str] | None) -> list[MirroredApproval]:
        raise StoreUnavailable

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "approvals", failing)
        with pytest.raises(StoreUnavailable):
            mirror.follow()
    assert mirror.view().approvals[identifier].record.ended_at is None
    mirror.follow()
    assert mirror.view().approvals[identifier].record.ended_at == NOON


def test_the_thread_follows_outlives_a_failure_and_ends(world: World, caplog: pytest.LogCaptureFixture) -> None:
    failed, followed = threading.Event(), threading.Event()
    asking, identifier = world.changes, world.grant()

    def changes(cursor: Hashable | None) -> Changes:
        try:
            answered = asking(cursor)
        except StoreUnavailable:
            failed.set()
            raise
        if failed.is_set() and not answered.approvals:
            followed.set()  # the poll before this one has brought the change, or this one has nothing to bring
        return answered

    world.changes = changes  # type: ignore[method-assign]
    mirror = Mirror(world, FixedClock(NOON))
    mirror.follow()
    mirror.start(interval=0.001)
    try:
        world.broken = True
        assert failed.wait(10)
        world.end(identifier, NOON, EndCause.SSC)
        world.broken = False
        assert followed.wait(10)
        assert mirror.view().approvals[identifier].record.ended_at == NOON
        with pytest.raises(RuntimeError):
            mirror.start()
    finally:
        mirror.stop()
    assert "cannot be followed" in caplog.text
    assert "mirror" not in {thread.name for thread in threading.enumerate()}


def test_whoever_writes_while_the_first_snapshot_is_read_is_not_held_up(world: World) -> None:
    reading, enough, read = threading.Event(), threading.Event(), world.approvals

    def slow(identifiers: frozenset[str] | None) -> Sequence[MirroredApproval]:
        reading.set()
        assert enough.wait(10)
        return read(identifiers)

    world.approvals = slow  # type: ignore[method-assign]
    identifier = world.grant()
    mirror = Mirror(world, FixedClock(NOON))
    mirror.start(interval=0.001)
    try:
        assert reading.wait(10)
        began = time.monotonic()
        mirror.catch_up()
        assert time.monotonic() - began < CATCH_UP_SECONDS
        enough.set()
        while mirror.age() > 1 or not _has(mirror, identifier):
            assert time.monotonic() - began < 10
        # Later, a poll that takes too long is not waited for either, and one that does not is.
        enough.clear()
        reading.clear()
        world.end(identifier, NOON, EndCause.SSC)
        assert reading.wait(10)
        began = time.monotonic()
        mirror.catch_up()
        assert CATCH_UP_SECONDS <= time.monotonic() - began < CATCH_UP_SECONDS + 5
        enough.set()
        mirror.catch_up()
        assert mirror.view().approvals[identifier].record.ended_at == NOON
    finally:
        enough.set()
        mirror.stop()


def _has(mirror: Mirror, identifier: str) -> bool:
    try:
        return identifier in mirror.view().approvals
    except StatusStale:
        return False


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["grant", "end", "amend", "forget"]), st.integers(1, 4)), max_size=12))
def test_following_step_by_step_gives_the_view_of_reading_everything_anew(acts: list[tuple[str, int]]) -> None:
    world = World()
    mirror = Mirror(world, FixedClock(NOON))
    mirror.follow()
    names: dict[int, str] = {}
    for act, number in acts:
        if act == "grant" and number not in names:
            names[number] = world.grant(number, device=Device("ESME", "AB01", f"M{number % 2}", "1"))
        elif act == "forget" and number in names and not ended(world.kept[names[number]].record):
            world.forget(names.pop(number))
        elif act == "end" and number in names:
            world.end(names[number], NOON, EndCause.SSC)
        elif act == "amend" and number in names:
            world.amend(names[number], effective=NOON + HOUR, signed_at=GRANTED + HOUR)
        mirror.follow()
    followed, anew = mirror.view(), build(world.authority(), world.approvals(None), 0.0)
    assert replace(followed, fetched_at=0.0) == anew


def test_ten_thousand_approvals_stay_apart(world: World) -> None:
    identifier = world.grant()
    template = world.kept[identifier]

    def copy(number: int) -> MirroredApproval:
        certificate = replace(
            template.record.certificates[0], serial=Serial(f"{number:032X}"), fingerprint=f"{number:064x}"
        )
        record = replace(template.record, identifier=f"TDT-2027-{number}", certificates=(certificate,))
        return replace(template, record=record)

    view: Snapshot = build(world.authority(), [copy(number) for number in range(10_000)], 0.0)
    ended = replace(copy(7777), record=replace(copy(7777).record, ended_at=NOON + SECOND))
    changed = amended(view, frozenset({"TDT-2027-7777"}), [ended])
    assert [name for name, held in changed.approvals.items() if held.record.ended_at] == ["TDT-2027-7777"]
    assert len(changed.approvals) == len(changed.serials) == len(changed.fingerprints) == 10_000
    assert len(changed.of_model(ESME.manufacturer, ESME.model)) == 10_000

"""The files in which a web process keeps what it told: damaged, full, of another authority; nothing is lost for it."""

import json
import logging
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.status.memory_files import Known, name_told
from api.status.mirror import Mirror
from api.status.remembered import HEAD_SECONDS, WebMemory
from core.approval import EndCause
from core.canonical import LARGEST_EXACT
from core.chain import GENESIS
from core.mirror import SealedHead
from tests.status_plane import Plane, problem
from tests.status_world import JOURNAL_KEY, NAME, NOON, SECOND, signed_head
from tests.status_world import World as StatusWorld


@pytest.fixture
def plane() -> Plane:
    """Two approvals, one of them ended and listed, told from a register whose last sealed row is the fifth."""
    plane = Plane()
    plane.world.links = {3: b"three", 5: b"five"}
    return plane


def ends_of(place: Path) -> Path:
    return place.with_name(f"{place.name}.ends")


def head_of(place: Path) -> Path:
    return place.with_name(f"{place.name}.head")


def opened(place: Path) -> WebMemory:
    remembered = WebMemory(place)
    remembered.open()
    return remembered


def told_twice(place: Path) -> tuple[Plane, str, str]:
    """A process with two ends told and written down."""
    plane = Plane()
    plane.world.links = {5: b"five"}
    plane.mirror.remembered = WebMemory(place)
    one, other = plane.world.grant(1), plane.world.grant(2)
    for each in (one, other):
        plane.world.end(each, NOON, EndCause.SSC)
    plane.world.amend(plane.world.grant(3), effective=NOON, signed_at=NOON)
    plane.mirror.follow()
    return plane, one, other


def test_what_was_told_is_read_again_as_it_was(tmp_path: Path) -> None:
    plane, one, other = told_twice(tmp_path / "run" / "web")
    again = opened(tmp_path / "run" / "web")
    assert again.head == SealedHead(number=5, link=b"five")
    assert again._ends == {name: held.record for name, held in plane.world.kept.items()}
    assert {one, other} < set(again._ends)
    assert again.trouble == ""
    for path in (head_of(tmp_path / "run" / "web"), ends_of(tmp_path / "run" / "web")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("damage", "left", "told_of"),
    [
        (lambda octets: octets[:-40], {1, 2}, False),  # the last line is cut off: its end was not told
        (lambda octets: b"x" + octets, {2, 3}, True),
        (lambda octets: octets.replace(b'"ssc"', b'"sxc"'), {3}, True),
        (lambda _: b"\x00\xff\n" * 5, set(), True),
        (lambda _: b"[" * 30_000 + b"\n", set(), True),
    ],
)
def test_damaged_ends_hold_no_start_up_and_what_is_whole_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[bytes], bytes], left: set[int], *, told_of: bool
) -> None:
    plane, *_ = told_twice(tmp_path / "web")
    path = ends_of(tmp_path / "web")
    path.write_bytes(damage(path.read_bytes()))
    again = opened(tmp_path / "web")
    names = list(plane.world.kept)
    assert set(again._ends) == {names[number - 1] for number in left}
    assert bool(again.trouble) is told_of
    assert ("not known any more" in caplog.text) is told_of
    assert opened(tmp_path / "web")._ends == again._ends  # it was written anew
    assert opened(tmp_path / "web").trouble == ""


@pytest.mark.parametrize("octets", [b"{}", b"[]", b"\xff", b'{"sha256": 1}', b"[" * 30_000, None])
def test_a_damaged_head_holds_no_start_up_and_raises_an_alarm(tmp_path: Path, octets: bytes | None) -> None:
    plane, *_ = told_twice(tmp_path / "web")
    path = head_of(tmp_path / "web")
    written = path.read_bytes()
    path.write_bytes(written.replace(b'"number":"5"', b'"number":"6"') if octets is None else octets)
    again = Mirror(plane.world, plane.clock, remembered=WebMemory(tmp_path / "web"))
    again.follow()
    assert "not known any more" in again.remembered.trouble
    assert again.remembered.head.number == 5
    assert json.loads(path.read_bytes())["number"] == "5"


def test_a_folder_that_takes_nothing_is_told_and_nothing_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plane, *_ = told_twice(tmp_path / "web")

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device", "web")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", full)
        plane.world.end(plane.world.grant(4), NOON, EndCause.SSC)
        plane.mirror.follow()
        assert "No space left on device" in plane.mirror.remembered.trouble
    assert len([each for each in caplog.records if each.levelno == logging.ERROR]) == 1
    plane.world.end(plane.world.grant(5), NOON, EndCause.SSC)
    plane.mirror.follow()
    assert plane.mirror.remembered.trouble == ""


def test_the_file_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.status.memory_files._SPARE_LINES", 4)
    plane, one, _ = told_twice(tmp_path / "web")
    for number in range(20):
        held = plane.world.kept[one]
        plane.world.keep(replace(held, record=replace(held.record, ended_at=NOON + number * SECOND)))
        plane.mirror.follow()
    assert len(ends_of(tmp_path / "web").read_bytes().splitlines()) <= 2 * 3 + 4
    assert opened(tmp_path / "web")._ends[one] == plane.world.kept[one].record


def test_the_last_row_is_written_down_from_time_to_time_and_at_the_end(tmp_path: Path) -> None:
    seconds = 0.0
    remembered = WebMemory(tmp_path / "web", monotonic=lambda: seconds)
    assert remembered.open()

    def written() -> int:
        return int(json.loads(head_of(tmp_path / "web").read_bytes())["number"])

    remembered.begin(StatusWorld(), StatusWorld().authority())
    remembered.served([signed_head(1, GENESIS)])
    remembered.served([signed_head(2, GENESIS)])
    assert written() == 1
    seconds += HEAD_SECONDS
    remembered.served([signed_head(2, GENESIS)])
    assert written() == 2
    remembered.served([signed_head(3, GENESIS)])
    remembered.close()
    assert written() == 3


# --- lists -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [7, 5 * 10**15, 2**62])
@pytest.mark.parametrize("how", ["another number", "another time", "other octets", "another CA"])
def test_a_list_that_its_ca_did_not_sign_so_is_not_served_and_raises_no_floor(
    plane: Plane, tmp_path: Path, how: str, number: int
) -> None:
    plane.mirror.remembered = WebMemory(tmp_path / "web")
    world = plane.world
    first = world.publish(NOON)
    plane.mirror.follow()
    other = StatusWorld().publish(NOON)
    forged = {
        "another number": replace(first, number=number),
        "another time": replace(first, next_update=first.next_update + SECOND),
        "other octets": replace(first, number=number, der=b"list"),
        "another CA": replace(other, number=1, key_id=first.key_id),
    }[how]
    world.lists.append(forged)
    world.advance(timedelta(0))
    plane.mirror.follow()
    assert plane.mirror.view().authority.crls[first.key_id] == first
    world.lists.pop()
    second = world.publish(NOON + SECOND)
    plane.mirror.follow()
    assert plane.mirror.view().authority.crls[first.key_id] == second
    plane.mirror.remembered.close()
    assert opened(tmp_path / "web")._known.lists == {first.key_id: second.number}


def test_numbers_of_any_length_are_written_down(tmp_path: Path) -> None:
    """An INTEGER of a CRL may have 20 octets (RFC 5280, 5.2.3); a row's number is what a row says."""
    remembered = opened(tmp_path / "web")
    known = Known(journal_key=JOURNAL_KEY, name=NAME, head=signed_head(LARGEST_EXACT, b"x"), lists={"ca": 2**159})
    assert remembered._files.keep(known)
    assert opened(tmp_path / "web")._known == known
    assert remembered._files.keep(Known(name="\ud800"))
    assert "cannot be written down" in remembered.trouble
    assert remembered._files.keep(Known(lists={str(each): 1 for each in range(10_000)}))
    assert opened(tmp_path / "web")._known == known


# --- what fails is tried again -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fails", ["open", "fsync", "half a line"])
def test_an_end_that_could_not_be_written_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    seconds = 0.0
    place = tmp_path / "web"
    plane, *_ = told_twice(place)
    plane.mirror.remembered = WebMemory(place, monotonic=lambda: seconds)
    plane.mirror.follow()
    ended = plane.world.grant(4)
    plane.world.end(ended, NOON, EndCause.SSC)

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device", "web")

    def half(_: int) -> None:
        os.truncate(ends_of(place), ends_of(place).stat().st_size - 40)
        full()

    with monkeypatch.context() as patched:
        patched.setattr(os, "open" if fails == "open" else "fsync", half if fails == "half a line" else full)
        plane.mirror.follow()
        assert "No space left on device" in plane.mirror.remembered.trouble
    plane.mirror.remembered.served([signed_head(6, b"six")], at_once=True)
    assert "No space left on device" in plane.mirror.remembered.trouble  # the other file is no sign that this one works
    seconds += HEAD_SECONDS
    plane.mirror.follow()  # nothing more has ended
    assert plane.mirror.remembered.trouble == ""
    again = opened(place)
    assert (again._ends, again.trouble) == (plane.mirror.remembered._ends, "")
    assert ended in again._ends


def test_what_was_not_read_is_not_written_over_and_is_read_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 0.0
    place = tmp_path / "web"
    plane, one, other = told_twice(place)
    plane.mirror.remembered.close()
    files = (head_of(place), ends_of(place))
    before = [each.read_bytes() for each in files]
    plane.world.forget(one)
    plane.world.links = {6: b"six"}
    mirror = Mirror(plane.world, plane.clock, remembered=WebMemory(place, monotonic=lambda: seconds))

    def unreadable(*_: object, **__: object) -> int:
        raise OSError(5, "Input/output error", "web")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", unreadable)
        mirror.follow()
    new = plane.world.grant(5)
    plane.world.end(new, NOON, EndCause.SSC)
    mirror.follow()
    mirror.remembered.close()
    assert "Input/output error" in mirror.remembered.trouble
    assert [each.read_bytes() for each in files] == before
    seconds += HEAD_SECONDS
    mirror.follow()
    assert mirror.view().went_back
    assert mirror.remembered.trouble == ""
    assert {one, other, new} <= set(mirror.view().approvals)
    assert {one, other, new} <= set(opened(place)._ends)


# --- another authority -------------------------------------------------------------------------------------------


YEAR = timedelta(days=365)


@pytest.mark.parametrize("started_anew", [False, True])
@pytest.mark.parametrize(
    ("row", "refused"),
    [
        ({"clock_offset": YEAR}, False),  # nobody needs to be told: it counts for nothing
        ({"environment": "test", "clock_offset": YEAR}, True),
        ({"environment": "test", "name": "TEST Trial CPA", "clock_offset": YEAR}, True),
        ({"name": "TEST Trial CPA"}, True),
    ],
)
def test_no_row_moves_the_clock_by_which_a_live_authority_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: dict[str, Any], *, refused: bool, started_anew: bool
) -> None:
    plane, says = Plane(), dict[str, Any](name="Trial CPA", environment="live")
    described = plane.world.authority
    monkeypatch.setattr(plane.world, "authority", lambda: replace(described(), **says))
    plane.mirror.remembered = WebMemory(tmp_path / "web")
    good = plane.world.grant(1)
    plane.mirror.follow()
    assert (plane.mirror.now(), name_told(tmp_path / "web")) == (NOON, "Trial CPA")
    says |= row
    if started_anew:
        plane.mirror.remembered.close()
        plane.mirror = Mirror(plane.world, plane.clock, remembered=WebMemory(tmp_path / "web"))
    plane.world.advance(timedelta(0))  # the authority describes itself anew
    plane.mirror.follow()
    view = plane.mirror.view()
    assert plane.mirror.now() == NOON
    assert view.went_back is refused
    assert bool(plane.mirror.remembered.of_another) is refused
    assert (good in view.approvals) is not (refused and started_anew)
    says |= {"name": "Trial CPA", "environment": "live", "clock_offset": timedelta(0)}
    plane.mirror.follow()
    assert not plane.mirror.view().went_back
    assert good in plane.mirror.view().approvals


def test_a_test_authority_has_its_clock_moved_as_ever(tmp_path: Path) -> None:
    plane = Plane()
    plane.mirror.remembered = WebMemory(tmp_path / "web")
    plane.mirror.follow()
    plane.world.advance(YEAR)
    plane.mirror.follow()
    assert plane.mirror.now() == NOON + YEAR


def test_a_row_that_says_another_authority_empties_nothing(tmp_path: Path) -> None:
    place = tmp_path / "web"
    plane, one, other = told_twice(place)
    good = plane.world.grant(4)
    plane.mirror.remembered.close()
    mine = opened(place)
    mine._known = replace(mine._known, journal_key=b"another")
    mine._files.keep(mine._known)
    files = (head_of(place), ends_of(place))
    before = [each.read_bytes() for each in files]
    plane.world.forget(one)
    stranger = plane.world.grant(5)
    plane.world.end(stranger, NOON, EndCause.SSC)
    # As it starts, and again, and where rows are missing as well.
    for links in ({5: b"five"}, {5: b"five", 6: b"six"}, {3: b"three"}):
        plane.world.links = links
        plane.mirror = Mirror(plane.world, plane.clock, remembered=WebMemory(place))
        for _ in range(2):
            plane.mirror.follow()
        view = plane.mirror.view()
        assert view.went_back
        assert {one, other} < set(view.approvals)
        assert not {good, stranger} & set(view.approvals)
        assert str(ends_of(place)) in plane.mirror.remembered.of_another
        plane.mirror.remembered.close()
        assert [each.read_bytes() for each in files] == before
    # An operator who knows that it is so moves the files away.
    for each in files:
        each.unlink()
    mirror = Mirror(plane.world, plane.clock, remembered=WebMemory(place))
    mirror.follow()
    assert not mirror.view().went_back
    assert good in mirror.view().approvals


def test_a_process_that_lives_sees_it_with_the_next_change_of_the_authority(plane: Plane) -> None:
    good = plane.world.grant(1)
    assert plane.verify({"approval": good}).status == 200
    remembered = plane.mirror.remembered
    known = remembered._known
    remembered._known = replace(known, journal_key=b"another")
    plane.world.advance(timedelta(0))
    for _ in range(2):
        problem(plane.verify({"approval": good}), 503, "register-went-back")
    remembered._known = known
    assert plane.verify({"approval": good}).status == 200
    assert remembered.of_another == ""

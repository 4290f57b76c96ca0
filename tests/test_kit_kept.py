"""A copy's file in which a bit is another is never believed, and one by an earlier release is proved anew."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.kit_bits import flipped
from tests.test_kit_mirror import APPROVAL, NOW, Told, all_of, copy_of, log_of
from verify.kit import mirror
from verify.kit.mirror import Mirror
from verify.kit.simulated import Log, granted, revoked
from verify.kit.stopped import Check, Stopped

EVERY = tuple(granted(number, NOW)["approval"] for number in (1, 2, 3))


@pytest.fixture
def log() -> Log:
    return log_of(3)


def written_by(log: Log, folder: Path) -> Path:
    """The file of a copy in which an approval was written over when it ended."""
    copy, source = copy_of(folder, log), Told(log)
    all_of(copy, source)
    log.add(NOW, revoked(log.document(APPROVAL), NOW))
    all_of(copy, source)
    return folder / "copy.sqlite"


def said(file: Path, log: Log, at: int) -> list[Any]:
    """What a copy answers about all, and how far it is; or that it stopped."""
    try:
        copy = Mirror(file, log.key, clock=lambda: at, longest=600)
        answers = [copy.holding.answer("approval", each, at).members for each in EVERY]
        return [copy.size, copy.documents(), *answers]
    except (Stopped, sqlite3.Error):
        return []


def bits(octets: int, step: int) -> Iterable[int]:
    return range(0, 8 * octets, step)


@pytest.mark.parametrize("step", [2_003, pytest.param(127, marks=pytest.mark.long)])
def test_with_one_bit_of_its_file_changed_a_copy_says_what_it_said_or_nothing(
    log: Log, tmp_path: Path, step: int
) -> None:
    """Both steps are prime to eight: all the bits of octets in turn. What SQLite does not read may be anything."""
    octets, other = written_by(log, tmp_path).read_bytes(), tmp_path / "other.sqlite"
    whole = said(tmp_path / "copy.sqlite", log, NOW)
    assert [each["valid"] for each in whole[2:]] == [False, True, True]
    stopped = 0
    for bit in bits(len(octets), step):
        for left in tmp_path.glob("other.sqlite*"):
            left.unlink()
        other.write_bytes(flipped(octets, bit))
        found = said(other, log, NOW)
        assert found in (whole, []), bit
        stopped += not found
        assert said(other, log, NOW + 601) == [], bit  # no older copy is believed for longer
    assert stopped > 5


@pytest.mark.parametrize(
    "changed",
    [
        "UPDATE documents SET document = CAST(replace(document, '2027-', '2028-') AS BLOB)",
        "UPDATE documents SET number = number + 1",
        "DELETE FROM documents WHERE number = 7",
        "UPDATE state SET proved_at = proved_at + 1",
        "UPDATE state SET size = size - 1",
        "UPDATE state SET kept = zeroblob(32)",
        "UPDATE state SET kept = NULL",
        "UPDATE state SET note = NULL",
        "UPDATE state SET seal = NULL",
        "DELETE FROM state",
    ],
)
def test_what_is_not_as_it_was_written_is_not_believed(log: Log, tmp_path: Path, changed: str) -> None:
    file = written_by(log, tmp_path)
    assert said(file, log, NOW)
    with closing(sqlite3.connect(file)) as database, database:
        assert database.execute(changed).rowcount > 0
    with pytest.raises(Stopped, match="not as it was written") as found:
        copy_of(tmp_path, log)
    assert found.value.check is Check.ROOT


def test_what_was_laid_aside_and_is_another_is_not_taken_in(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "PORTION", 7)
    copy, source = copy_of(tmp_path, log), Told(log)
    log.add(NOW, granted(4, NOW))
    log.add(NOW)
    assert copy.follow(source) is False
    with closing(sqlite3.connect(tmp_path / "copy.sqlite")) as database, database:
        database.execute("UPDATE aside SET document = CAST(replace(document, '2027-', '2028-') AS BLOB)")
    with pytest.raises(Stopped, match="laid aside"):
        copy.follow(source)
    assert (copy.size, copy.documents()) == (0, {})
    all_of(copy, source)  # from the first row on
    assert copy.size == len(log.rows)


# --- by an earlier release -------------------------------------------------------------------------------------------


def earlier(file: Path) -> None:
    """Make of a file what a release wrote there that kept no digests."""
    with closing(sqlite3.connect(file)) as database, database:
        for column in ("kept", "laid", "seal"):
            database.execute(f"ALTER TABLE state DROP COLUMN {column}")


def test_a_copy_by_an_earlier_release_is_proved_anew_before_it_answers(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "PORTION", 3)
    file = written_by(log, tmp_path)
    whole = said(file, log, NOW)
    earlier(file)
    copy = copy_of(tmp_path, log)
    assert (copy.size, copy.documents(), copy.compare(Told(log))) == (0, {}, None)
    with pytest.raises(Stopped, match="newest"):
        copy.holding.answer("approval", EVERY[1], NOW)
    copy.follow(Told(log))
    all_of(copy_of(tmp_path, log), Told(log))  # as after a kill
    assert said(file, log, NOW) == whole


@pytest.mark.parametrize("more", [0, 2])
def test_of_a_log_that_does_not_go_on_from_an_earlier_copys_checkpoint_both_notes_are_kept(
    log: Log, tmp_path: Path, more: int
) -> None:
    file = written_by(log, tmp_path)
    earlier(file)
    other = Log()
    for number in range(11, 11 + len(log.rows) + more):
        other.add(NOW, granted(number, NOW))
    copy = copy_of(tmp_path, log)
    with pytest.raises(Stopped) as found:
        all_of(copy, Told(other))
    assert found.value.check is Check.TWO_HISTORIES
    assert [code for _, code, _, _ in copy.wrong()] == ["two-histories"]
    all_of(copy, Told(log))
    assert copy.size == len(log.rows)

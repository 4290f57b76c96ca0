"""A copy that wants witnesses follows the notes that they leave in files: as far as enough of them have seen."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.test_kit_mirror import NOW, Told, log_of
from tests.test_kit_program import exits, simulator
from verify.kit.cosigned import Cosigned
from verify.kit.mirror import Mirror
from verify.kit.note import WITNESS, Key, checkpoint, cosigned, key_of
from verify.kit.simulated import Log, granted
from verify.kit.simulator import Simulator
from verify.kit.stopped import Check, Stopped

__all__ = ["simulator"]  # a fixture that is asked for by its name

PRIVATE = {name: Ed25519PrivateKey.from_private_bytes(name.encode() * 32) for name in "vw"}
KNOWN: dict[str, Key] = {name: key_of(each, name, WITNESS) for name, each in PRIVATE.items()}


def leaves(folder: Path, log: Log, name: str, at: int = NOW) -> str:
    """A witness leaves its cosigned note, and says where."""
    place = folder / f"{name}.txt"
    place.write_text(log.note() + cosigned(checkpoint(log.note()), PRIVATE[name], name, at))
    return str(place)


def follows(folder: Path, log: Log, places: list[str], wanted: int) -> Mirror:
    known = list(KNOWN.values())
    copy = Mirror(folder / "copy", log.key, witnesses=known, wanted=wanted, clock=lambda: NOW)
    copy.follow(Cosigned(Told(log), places, log.key, known, wanted))
    return copy


def test_a_copy_goes_as_far_as_its_witness_has_seen(tmp_path: Path) -> None:
    log = log_of()
    place = leaves(tmp_path, log, "w", NOW - 100)
    log.add(NOW, granted(9, NOW))
    copy = follows(tmp_path, log, [place], 1)
    assert (copy.size, copy.holding.believed_until) == (10, NOW + 500)
    assert follows(tmp_path, log, [place], 1).size == 10, "nothing newer has been seen"
    leaves(tmp_path, log, "w")
    copy = follows(tmp_path, log, [place], 1)
    assert (copy.size, copy.holding.believed_until) == (11, NOW + 600)


def test_two_witnesses_are_counted_together_if_they_have_seen_the_same(tmp_path: Path) -> None:
    log = log_of()
    places = [leaves(tmp_path, log, "v"), leaves(tmp_path, log, "w")]
    log.add(NOW, granted(9, NOW))
    leaves(tmp_path, log, "w")
    with pytest.raises(Stopped) as stopped:
        follows(tmp_path, log, places, 2)
    assert stopped.value.check is Check.UNREACHABLE, "it is asked again"
    assert follows(tmp_path, log, places, 1).size == 11, "the newest that one has seen"
    leaves(tmp_path, log, "v")
    assert follows(tmp_path, log, [*places, *places], 2).size == 11
    with pytest.raises(Stopped) as stopped:
        follows(tmp_path, log, [places[0], places[0]], 2)
    assert stopped.value.check is Check.UNREACHABLE, "one that is named twice has seen it once"


def test_what_is_no_note_of_this_log_hinders_no_other(tmp_path: Path) -> None:
    log, other = log_of(), log_of(3)
    good = leaves(tmp_path, log, "w")
    bad = []
    for number, octets in enumerate((b"", b"\xff", b"x" * 99_999, log.note().replace("\n10\n", "\n11\n").encode())):
        bad.append(str(tmp_path / f"{number}"))
        Path(bad[-1]).write_bytes(octets)
    (tmp_path / "elsewhere").mkdir()
    there = [*bad, str(tmp_path / "none"), leaves(tmp_path / "elsewhere", other, "v")]
    assert follows(tmp_path, log, [*there[:-1], good], 1).size == 10
    with pytest.raises(Stopped):
        follows(tmp_path, log, there[:-1], 1)


def test_witnesses_that_saw_two_trees_stop_a_copy(tmp_path: Path) -> None:
    log, other = Log(), Log()
    log.add(NOW, granted(1, NOW))
    other.add(NOW, granted(2, NOW))
    places = [leaves(tmp_path, log, "v"), leaves(tmp_path, other, "w")]
    with pytest.raises(Stopped) as stopped:
        follows(tmp_path, log, places, 1)
    assert stopped.value.check is Check.TWO_HISTORIES


def test_witness_and_copy_as_they_are_typed(
    simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def typed(*words: str) -> tuple[int, str, str]:
        code = exits([*words, "--log-key", str(simulator.log.key)])
        said = capsys.readouterr()
        return code, said.out, said.err

    note, copy = str(tmp_path / "note"), ("mirror", str(tmp_path / "copy"), "--base", simulator.base, "--once")
    named = ("witness", str(tmp_path / "seen"), "--key", str(tmp_path / "key"), "--name", "dcc.example/w")
    wants = ("--witness", typed(*named, "--show-key")[1].strip(), "--wanted", "1", "--note", note)
    code, _, said = typed(*copy, *wants)
    assert (code, "No checkpoint of this log" in said) == (2, True)
    assert typed(*named, "--base", simulator.base, "--note", note)[0] == 0
    code, told, said = typed(*copy, *wants)
    assert (code, "proved" in told) == (0, True), said
    simulator.log.add(NOW, granted(9, NOW))
    code, _, said = typed(*copy, *wants)
    assert (code, "the register more" in said) == (2, True), "its witness has not seen that yet"
    code, _, said = typed(*copy, "--note", note)
    assert (code, "--wanted" in said) == (2, True)

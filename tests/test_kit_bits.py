"""With any one bit of its evidence changed every vector fails; where a bit means nothing, it is said why."""

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.kit_bits import changed, fails, parts, passed_over, tried
from tests.kit_vectors import FOLDER
from verify.kit.canonical import read
from verify.kit.vectors import conforms, judged, named

VECTORS: dict[str, dict[str, Any]] = {file.stem: read(file.read_bytes()) for file in sorted(FOLDER.glob("*.json"))}
ELSEWHERE = FOLDER.parents[1] / "elsewhere"


def unseen(name: str, *, dense: bool) -> tuple[int, list[str]]:
    """How many bits of a vector were tried, and those that went unseen and mean something."""
    vector, count, wrong = VECTORS[name], 0, []
    for part in parts(vector["evidence"]):
        for bit in tried(name, part, dense=dense):
            other = changed(vector, part, bit)
            if other is None:
                continue
            said, count = judged(other), count + 1
            if not fails(vector["verdict"], said) and not passed_over(vector, part, bit, said):
                wrong.append(f"bit {bit} of {part.name}: {said}")
    return count, wrong


def test_of_every_vector_some_bits_are_tried_and_none_goes_unseen() -> None:
    found = {name: unseen(name, dense=False) for name in VECTORS}
    assert {name: wrong for name, (_, wrong) in found.items() if wrong} == {}
    assert sum(count for count, _ in found.values()) > 2_000


@pytest.mark.long
@pytest.mark.parametrize("name", VECTORS)
def test_of_no_bit_of_its_evidence_a_change_goes_unseen(name: str) -> None:
    count, wrong = unseen(name, dense=True)
    assert (wrong, count > 200) == ([], True)


def test_the_bits_that_may_go_unseen_are_of_the_name_in_a_list_that_is_not_needed() -> None:
    """The one place: it is there, so the sweeps above do not pass for want of it; and a bit beside it is seen."""
    vector = VECTORS["check-revoked-by-list-and-answer"]
    (part,) = [each for each in parts(vector["evidence"]) if each.name == "lists"][:1]
    through = []
    for bit in range(0, 8 * len(part.octets), 13):
        other = changed(vector, part, bit)
        said = judged(other or {})
        if not fails(vector["verdict"], said):
            assert passed_over(vector, part, bit, said)
            through.append(bit // 8)
    assert through
    assert max(through) - min(through) < 60


# --- in Go -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def go() -> str:
    found = shutil.which("go")
    if found is None:
        pytest.skip("Go is not installed here, so what is written in it is not tried")
    return found


@pytest.mark.long
def test_the_checks_written_again_elsewhere_judge_as_the_kit_does(go: str, tmp_path: Path) -> None:
    """Its verdicts are those of the vectors; and of evidence with one bit changed a no where ours is one."""
    judge = tmp_path / "judge"
    subprocess.run([go, "build", "-o", str(judge), "."], cwd=ELSEWHERE, check=True, timeout=300)
    assert list(conforms(named(FOLDER), [str(judge)])) == []
    dice = random.Random(13)
    others = [
        changed(vector, part, bit)
        for vector in VECTORS.values()
        for part in parts(vector["evidence"])
        for bit in dice.sample(range(8 * len(part.octets)), min(20, len(part.octets)))
    ]
    asked = [each for each in others if each is not None]
    lines = "".join(json.dumps({name: each[name] for name in ("question", "evidence")}) + "\n" for each in asked)
    ran = subprocess.run([judge, "--each"], input=lines, capture_output=True, text=True, timeout=600, check=True)
    differ = [
        (each["name"], theirs, ours)
        for each, theirs, ours in zip(asked, map(json.loads, ran.stdout.splitlines()), map(judged, asked), strict=True)
        if theirs != ours
    ]
    assert len(asked) > 3_000
    yes = [(theirs.get("valid"), theirs.get("outcome")) for _, theirs, _ in differ]
    assert yes == [(ours.get("valid"), ours.get("outcome")) for _, _, ours in differ]
    # Libraries differ in what they can read of a certificate at all: where one says 21 or part-unreadable, another says
    # 22 or certificate-foreign. Nothing else may, and of the log nothing.
    assert [each for each in differ if not each[0].startswith(("check-", "decision-"))] == []
    assert len(differ) * 20 < len(asked), differ


@pytest.mark.long
def test_what_is_written_elsewhere_is_in_order_and_sees_every_bit(go: str) -> None:
    beside = Path(go).resolve().parent / "gofmt"
    formatter = str(beside) if beside.exists() else "gofmt"
    ran = subprocess.run([formatter, "-l", "."], cwd=ELSEWHERE, capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == ""
    for words in (["vet", "."], ["test", "-timeout", "50m", "-count=1", "."]):
        subprocess.run([go, *words], cwd=ELSEWHERE, check=True, timeout=3_600)

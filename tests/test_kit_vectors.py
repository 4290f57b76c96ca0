"""The vectors are what they say, here and through the runner; of evidence with one bit changed nothing is believed."""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit_vectors import FOLDER, made
from tests.test_kit_evidence import of_certificate
from verify.kit.canonical import read
from verify.kit.vectors import NUMBERS, conforms, judged

VECTORS = {
    file.stem: json.loads(file.read_bytes())
    for file in sorted(FOLDER.glob("*.json"))
    if not file.stem.startswith(("check-", "decision-"))
}
JUDGE = [sys.executable, "-c", "from verify.kit.program import main; main(['conformance', '--judge'])"]
SAID = {
    "active": (True, "active", []),
    "active-device": (True, "active", []),
    "firmware": (False, "active", ["firmware-not-approved"]),
    "one-unit": (False, "active", ["not-known-to-a-copy"]),
    "not-yet": (False, "unknown", ["not-granted-then"]),
    "last-second": (True, "active", []),
    "expired": (False, "expired", ["expired"]),
    "revoked": (False, "cancelled", ["revoked"]),
    "before-it-was-revoked": (True, "active", []),
}
FAILS = {
    "row-changed": "root",
    "another-place": "root",
    "another-log": "origin",
    "signature": "signature",
    "no-checkpoint": "form",
    "went-back": "went-back",
    "two-histories": "two-histories",
}


def test_the_vectors_are_those_that_are_made_and_their_verdicts_are_written_here_by_hand() -> None:
    verdicts: dict[str, dict[str, Any]] = {
        name: {"valid": valid, "state": state, "reasons": reasons} for name, (valid, state, reasons) in SAID.items()
    }
    verdicts |= {
        name: {"check": {str(each): number for each, number in NUMBERS.items()}[check]} for name, check in FAILS.items()
    }
    verdicts["grown"] = {"grown": True}
    assert {name: {"name": name, **each, "verdict": verdicts[name]} for name, each in made().items()} == VECTORS


def test_the_kit_judges_each_as_it_says() -> None:
    assert {name: judged(vector) for name, vector in VECTORS.items()} == {
        name: vector["verdict"] for name, vector in VECTORS.items()
    }


def changed(vector: dict[str, Any], step: int) -> Iterator[dict[str, Any]]:
    written = json.dumps(vector["evidence"])
    for place in range(0, len(written), step):
        other = chr(ord(written[place]) ^ 1)
        try:
            yield {**vector, "evidence": json.loads(written[:place] + other + written[place + 1 :])}
        except ValueError:
            continue


@pytest.mark.parametrize("step", [23, pytest.param(1, marks=pytest.mark.long)])
def test_with_one_bit_of_its_evidence_changed_every_vector_fails(step: int) -> None:
    tried = 0
    for vector in VECTORS.values():
        for other in changed(vector, step):
            assert "check" in judged(other), other
            tried += 1
    assert tried > 500


def test_the_runner_tells_which_vectors_another_verifier_judges_otherwise(tmp_path: Path) -> None:
    for name in ("active", "signature"):
        (tmp_path / f"{name}.json").write_bytes((FOLDER / f"{name}.json").read_bytes())
    assert list(conforms(tmp_path, JUDGE)) == []
    always = [sys.executable, "-c", "print('{\"check\": 2}')"]
    assert [each.split(":")[0] for each in conforms(tmp_path, always)] == ["active.json"]
    assert len(list(conforms(tmp_path, ["no-such-verifier"]))) == 2


@pytest.mark.long
def test_the_checks_written_again_elsewhere_judge_as_the_kit_does(tmp_path: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("Go is not installed here, so what is written in it is not tried")
    judge, folder = tmp_path / "judge", FOLDER.parents[1] / "elsewhere"
    subprocess.run(["go", "build", "-o", str(judge), "."], cwd=folder, check=True, timeout=300)
    assert list(conforms(FOLDER, [str(judge)], "[!d]*")) == []  # all but those of decisions
    for other in (each for vector in VECTORS.values() for each in changed(vector, 53)):
        said = subprocess.run([judge], input=json.dumps(other), capture_output=True, text=True, timeout=60, check=True)
        assert "check" in json.loads(said.stdout), other
    for name in ("check-good", "check-revoked-by-list-and-answer", "check-before-it-was-revoked"):
        for other in of_certificate(read((FOLDER / f"{name}.json").read_bytes()), 60, random.Random(13)):
            said = subprocess.run(
                [judge], input=json.dumps(other), capture_output=True, text=True, timeout=60, check=True
            )
            assert not json.loads(said.stdout).get("valid") or judged(other)["valid"], other

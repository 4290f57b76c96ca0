"""The vectors are what they say, here and through the runner."""

import json
import sys
from pathlib import Path
from typing import Any

from tests.kit_vectors import FOLDER, made
from verify.kit.vectors import NUMBERS, conforms, judged

VECTORS = {
    file.stem: json.loads(file.read_bytes())
    for file in sorted(FOLDER.glob("*.json"))
    if not file.stem.startswith(("check-", "decision-", "register-"))
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


def test_the_runner_tells_which_vectors_another_verifier_judges_otherwise(tmp_path: Path) -> None:
    for name in ("active", "signature"):
        (tmp_path / f"{name}.json").write_bytes((FOLDER / f"{name}.json").read_bytes())
    assert list(conforms(tmp_path, JUDGE)) == []
    always = [sys.executable, "-c", "print('{\"check\": 2}')"]
    assert [each.split(":")[0] for each in conforms(tmp_path, always)] == ["active.json"]
    assert len(list(conforms(tmp_path, ["no-such-verifier"]))) == 2

"""The vectors are what they say, here and through the runner."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.kit_vectors import FOLDER, made
from verify.kit.program import COMMANDS, main
from verify.kit.vectors import NUMBERS, conforms, judged, named

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
    assert list(conforms(named(tmp_path), JUDGE)) == []
    always = [sys.executable, "-c", "print('{\"check\": 2}')"]
    assert [each.split(":")[0] for each in conforms(named(tmp_path), always)] == ["active.json"]
    assert len(list(conforms(named(tmp_path), ["no-such-verifier"]))) == 2


def test_it_says_how_many_were_tried_and_nothing_was_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    def ran(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["conformance", *words])
        told = capsys.readouterr()
        return int(str(ended.value.code)), told.out, told.err

    code, out, error = ran("--like", "log-*", "--", "false")
    assert (code, out) == (2, "")
    assert "no vector is named 'log-*'" in error
    assert "check" in error
    assert ran("--like", "active", "--", *JUDGE)[:2] == (0, "1 vector was tried: each is judged as it says.\n")
    code, out, _ = ran("--like", "act*", "--", "false")
    assert (code, out.splitlines()[-1]) == (1, "2 vectors were tried: 2 judged otherwise.")
    assert ran("--", "./no-such-judge") == (
        2,
        "",
        "trialcpa-verify: there is no program './no-such-judge' that can be run: no vector was tried\n",
    )


def test_the_pattern_of_the_helps_example_names_vectors() -> None:
    like = shlex.split(COMMANDS["conformance"].example)[1]
    assert len(named(FOLDER, like)) > 1

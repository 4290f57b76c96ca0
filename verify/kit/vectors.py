"""One vector: a question, the evidence for it, and what follows; for this kit and for verifiers that others write.

The evidence is a log's key, one checkpoint, and either a row with its proof that the question is answered from, or an
earlier checkpoint with the proof that the log only grew. The checks are numbered in verify/README.md.
"""

import base64
import binascii
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from verify.kit.canonical import canonical, read
from verify.kit.holding import Holding
from verify.kit.merkle import consistent, included, leaf_hash
from verify.kit.note import Key, checkpoint, key
from verify.kit.stopped import Check, Stopped

NUMBERS: Mapping[Check, int] = {each: number for number, each in enumerate(Check, 1)}
"""By which a vector names the check that fails."""

SECONDS = 30
"""That somebody's verifier may take for one vector."""


def judged(vector: Mapping[str, Any]) -> dict[str, Any]:
    """Return what follows from a vector: `valid`, `state` and `reasons`; or `grown`; or the `check` that fails.

    It is what the row says; that no later row says otherwise only a copy knows, which has them all.
    """
    try:
        return _judged(vector["question"], vector["evidence"])
    except Stopped as stopped:
        return {"check": NUMBERS[stopped.check]}


def _judged(question: Mapping[str, Any], evidence: Mapping[str, Any]) -> dict[str, Any]:
    log = _key(evidence)
    try:
        seen = checkpoint(evidence["checkpoint"])
        seen.require(log)
        if "earlier" in evidence:
            earlier = checkpoint(evidence["earlier"])
            earlier.require(log)
            if seen.size < earlier.size:
                raise Stopped(Check.WENT_BACK, "It was larger before.")
            if not consistent(earlier.size, earlier.root, seen.size, seen.root, _hashes(evidence)):
                raise Stopped(Check.TWO_HISTORIES, "It is not proved that it only grew.")
            return {"grown": True}
        row = evidence["row"]
        if not isinstance(row.get("number"), int):
            raise Stopped(Check.FORM, "It is no row.")
        if not included(leaf_hash(canonical(row)), row["number"] - 1, seen.size, _hashes(evidence), seen.root):
            raise Stopped(Check.ROOT, "The row is not proved to be in the log.")
        holding = Holding(0)
        now = question["now"]
        holding.take(row["public"].get("approvals", ()), now)
        found = holding.asked({name: value for name, value in question.items() if name != "now"}, now).members
        return {
            "valid": found["valid"],
            "state": found["state"],
            "reasons": [each["code"] for each in found["reasons"]],
        }
    except (KeyError, TypeError, AttributeError):
        raise Stopped(Check.FORM, "It is no evidence.") from None


def conforms(folder: Path, command: Sequence[str]) -> Iterator[str]:
    """Yield a line for each vector of which somebody's verifier says something else.

    Args:
        folder: of vectors.
        command: gets a vector, without its verdict, as JSON on its standard input, and writes its verdict as JSON.
    """
    for file in sorted(folder.glob("*.json")):
        vector = read(file.read_bytes())
        said = _said(vector, command)
        if said != vector["verdict"]:
            yield f"{file.name}: {json.dumps(said)} in place of {json.dumps(vector['verdict'])}"


def _said(vector: Mapping[str, Any], command: Sequence[str]) -> object:
    asked = json.dumps({name: value for name, value in vector.items() if name != "verdict"})
    try:
        ran = subprocess.run(  # noqa: S603 - it is the command that was named
            command, input=asked.encode("ascii"), capture_output=True, timeout=SECONDS, check=False
        )
        return read(ran.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return f"nothing ({error})"


def _key(evidence: Mapping[str, Any]) -> Key:
    try:
        return key(evidence["log"])
    except (KeyError, ValueError, TypeError):
        raise Stopped(Check.FORM, "It names no key of a log.") from None


def _hashes(evidence: Mapping[str, Any]) -> list[bytes]:
    try:
        found = [base64.b64decode(each, validate=True) for each in evidence["hashes"]]
    except (KeyError, TypeError, binascii.Error):
        raise Stopped(Check.FORM, "It has no proof.") from None
    if [base64.b64encode(each).decode("ascii") for each in found] != evidence["hashes"]:
        raise Stopped(Check.FORM, "Its proof is not in its one form.")
    return found

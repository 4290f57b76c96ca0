"""One vector: a question, the evidence for it, and what follows; for this kit and for verifiers that others write.

The evidence is of one of five kinds: a log's key, one checkpoint, and a row with its proof that the question is
answered from, or an earlier checkpoint with the proof that the log only grew; a certificate with root, issuers, lists
and OCSP answer; a decision's dossier with root and journal key; a register with
its signature and the root. The checks are numbered in verify/README.md.
"""

import base64
import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from verify.kit.agreed import forms
from verify.kit.agreed.decision import prove_files
from verify.kit.agreed.dossier import trusted
from verify.kit.canonical import canonical, read
from verify.kit.evidence.cms import stated
from verify.kit.evidence.command import claimed
from verify.kit.evidence.offline import prove
from verify.kit.evidence.parsing import Unreadable
from verify.kit.holding import Holding
from verify.kit.instants import moment, seconds, written
from verify.kit.merkle import consistent, included, leaf_hash
from verify.kit.note import Key, checkpoint, key
from verify.kit.stopped import Check, Stopped

NUMBERS: Mapping[Check, int] = {each: number for number, each in enumerate(Check, 1)}
"""By which a vector names the check that fails."""

_OF_CERTIFICATE = frozenset({"certificate", "root", "issuers", "lists", "ocsp"})
_OF_DECISION = frozenset({"dossier", "root", "journal_key"})
_OF_REGISTER = frozenset({"register", "signature", "root"})
_REGISTER: Mapping[str, forms.Form] = {
    "approvals": forms.several(forms.anything),
    "at": forms.text(20),
    "log": forms.anytext,
    "root": forms.anytext,
    "size": forms.whole(0),
}

SECONDS = 30
"""That somebody's verifier may take for one vector."""


def judged(vector: Mapping[str, Any]) -> dict[str, Any]:
    """Return what follows from a vector: `valid`, `state` and `reasons`; or `grown`; or the `check` that fails.

    Of a certificate these are `valid`, `state` and the numbers of the `checks` that fail, of a decision its `outcome`
    and the `codes` of what is against it, or missing. Of a row it is what that says; that no later one says otherwise
    only a copy knows, which has them all.
    """
    question, evidence = vector["question"], vector["evidence"]
    try:
        if "certificate" in evidence:
            return _checked(question, evidence)
        if "dossier" in evidence:
            return _decided(evidence)
        if "register" in evidence:
            return _registered(evidence)
        return _judged(question, evidence)
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


def _checked(question: Mapping[str, Any], evidence: Mapping[str, Any]) -> dict[str, Any]:
    if evidence.keys() != _OF_CERTIFICATE:
        raise Stopped(Check.FORM, "It is no evidence about a certificate.")
    device, answer = question.get("device"), evidence["ocsp"]
    verdict = prove(
        _octets(evidence["certificate"]),
        anchor=_octets(evidence["root"]),
        issuers=_each(evidence["issuers"]),
        crls=_each(evidence["lists"]),
        ocsp=None if answer is None else _octets(answer),
        at=moment(question["at"]),
        environment=question["environment"],
        arc=question["arc"],
        device=None if device is None else claimed(device),
    )
    return {"valid": verdict.valid, "state": verdict.state.value, "checks": list(verdict.checks)}


def _decided(evidence: Mapping[str, Any]) -> dict[str, Any]:
    dossier = evidence["dossier"]
    if evidence.keys() != _OF_DECISION or not isinstance(dossier, dict):
        raise Stopped(Check.FORM, "It is no evidence about a decision.")
    try:
        files = {name: said.encode("utf-8") for name, said in dossier.items()}
        trust = trusted(_octets(evidence["root"]), journal_key=_octets(evidence["journal_key"]))
    except (AttributeError, ValueError):
        raise Stopped(Check.FORM, "It is no evidence about a decision.") from None
    told = prove_files(files, trust)
    codes = sorted({each.code.value for each in (*told.against, *told.missing)})
    return {"outcome": told.outcome.value, "codes": codes}


def _registered(evidence: Mapping[str, Any]) -> dict[str, Any]:
    if evidence.keys() != _OF_REGISTER:
        raise Stopped(Check.FORM, "It is no evidence about a register.")
    octets, message, root = (_octets(evidence[name]) for name in ("register", "signature", "root"))
    try:
        said = forms.members(read(octets), _REGISTER)
        seconds(said["at"])
    except (TypeError, ValueError):
        raise Stopped(Check.FORM, "It is no register.") from None
    if canonical(said) != octets:
        raise Stopped(Check.FORM, "The register is not in its canonical form.")
    try:
        return {"signed_at": written(stated(message, hashlib.sha256(octets).digest(), root).at)}
    except Unreadable as error:
        raise Stopped(Check.SIGNATURE, f"The register is not signed by the authority: {error}.") from None


def named(folder: Path, like: str = "*") -> Sequence[Path]:
    """Return the files of the vectors that a pattern of names names; ValueError if it names none.

    Args:
        folder: of vectors.
        like: the pattern; `.json` may be left out.
    """
    found = sorted(folder.glob(f"{like.removesuffix('.json')}.json"))
    if not found:
        there = ", ".join(sorted({file.stem.partition("-")[0] for file in folder.glob("*.json")}))
        raise ValueError(f"no vector is named {like!r} in {folder}; names there begin with: {there or 'none is there'}")
    return found


def conforms(files: Iterable[Path], command: Sequence[str]) -> Iterator[str]:
    """Yield a line for each vector of which somebody's verifier says something else.

    Args:
        files: of vectors.
        command: gets a vector, without its verdict, as JSON on its standard input, and writes its verdict as JSON.
    """
    for file in files:
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
        return _each(evidence["hashes"])
    except KeyError:
        raise Stopped(Check.FORM, "It has no proof.") from None


def _each(written: object) -> list[bytes]:
    if not isinstance(written, list):
        raise Stopped(Check.FORM, "It is no list of octets.")
    return [_octets(each) for each in written]


def _octets(written: object) -> bytes:
    try:
        if isinstance(written, str):
            found = base64.b64decode(written, validate=True)
            if base64.b64encode(found).decode("ascii") == written:
                return found
    except ValueError:
        pass
    raise Stopped(Check.FORM, "It is no base64 in its one form.")

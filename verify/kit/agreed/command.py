"""`trialcpa-verify decision`: a dossier's files in, what is proved of it out, for people and as JSON."""

import argparse
import base64
import json
import sys
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from errno import ENOENT
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from verify.kit.agreed.decision import prove_files
from verify.kit.agreed.dossier import JOURNAL, PARTS, trusted
from verify.kit.agreed.findings import Against, Finding, Outcome, Told
from verify.kit.evidence.parsing import PARSE_ERRORS, Unreadable
from verify.kit.instants import written
from verify.kit.terminal import harmless

_EXIT: Mapping[Outcome, int] = {Outcome.PROVED: 0, Outcome.REFUTED: 1, Outcome.UNDECIDED: 2}

_NOT_READ = (Unreadable, BadZipFile, RuntimeError, EOFError, OSError, zlib.error)
"""What reading a dossier raises; RuntimeError is what `zipfile` says of encryption."""


class _SeveralDecisions(ValueError):
    """What was named is more than the dossier of one decision; nothing is said of any."""


def describe(parser: argparse.ArgumentParser) -> None:
    """Say which words the command takes."""
    parser.add_argument("dossier", type=Path, metavar="FOLDER|ZIP")
    parser.add_argument("--root", type=Path, required=True, help="the root's certificate that you hold")
    parser.add_argument("--transcript", type=Path, help="of the ceremony; transcript.sig beside it")
    parser.add_argument("--journal-key", metavar="BASE64", help="the journal's key, where you have no transcript")
    parser.add_argument("--journal", type=Path, help="the whole journal, in place of the dossier's")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")


def run(chosen: argparse.Namespace) -> int:
    """Prove who agreed to what; return the exit code.

    Raises:
        ValueError, OSError: what is to be trusted cannot be, or several decisions are named.
    """
    paper, known = chosen.transcript, chosen.journal_key
    if not chosen.dossier.exists():
        raise FileNotFoundError(ENOENT, "there is none", str(chosen.dossier))
    try:
        trust = trusted(
            chosen.root.read_bytes(),
            journal_key=None if known is None else _journal_key(known),
            transcript=None if paper is None else paper.read_bytes(),
            signature=None if paper is None else _beside(paper),
        )
    except ValueError as error:
        raise ValueError(f"What is to be trusted cannot be: {error}.") from None
    try:
        journal = {} if chosen.journal is None else {JOURNAL: chosen.journal.read_bytes()}
        told = prove_files(parts(chosen.dossier) | journal, trust)
    except _SeveralDecisions:
        raise
    except _NOT_READ as error:
        told = Told(decision="", against=[Finding(Against.PART_UNREADABLE, f"{chosen.dossier}: {error}.")])
    words = json.dumps(document(told), indent=2) if chosen.json else harmless("\n".join(_lines(told)))
    sys.stdout.write(f"{words}\n")
    return _EXIT[told.outcome]


def parts(dossier: Path) -> dict[str, bytes]:
    """Return the files of a dossier that are read, by name.

    Args:
        dossier: a folder, or a ZIP with the files at its top or in one folder.

    Raises:
        Unreadable: one of them is larger than such a part ever is, or there twice.
        BadZipFile: it is no ZIP, or a broken one.
        ValueError: parts lie in several folders.
    """
    if dossier.is_dir():
        if (dossier / "decisions").is_dir():
            raise _several(dossier)
        return {name: _within(name, dossier / name) for name in PARTS if (dossier / name).is_file()}
    found: dict[str, bytes] = {}
    with ZipFile(dossier) as packed:
        placed = [each.rpartition("/") for each in packed.namelist()]
        if len({folder for folder, _, name in placed if name in PARTS}) > 1:
            raise _several(dossier)
        for each in packed.infolist():
            name = each.filename.rpartition("/")[2]
            if name not in PARTS:
                continue
            if name in found:
                raise Unreadable(f"{name} is there twice")
            with packed.open(each) as opened:
                found[name] = opened.read(PARTS[name] + 1)
            _require_within(name, len(found[name]))
    return found


def document(told: Told) -> dict[str, object]:
    """Return what was found as JSON."""
    return {
        "outcome": told.outcome.value,
        "decision": told.decision,
        "about": told.about,
        "proposal_sha256": told.proposal_sha256,
        "against": [asdict(each) for each in told.against],
        "missing": [asdict(each) for each in told.missing],
        "unchecked": list(told.unchecked),
        "story": [{**asdict(each), "at": written(each.at)} for each in told.story],
    }


def _lines(told: Told) -> list[str]:
    about = f" ({told.about})" if told.about else ""
    lines = [f"Decision {told.decision}{about}: {told.outcome.value}."]
    lines += [f"  against   {each.detail}  [{each.code}]" for each in told.against]
    lines += [f"  missing   {each.detail}  [{each.code}]" for each in told.missing]
    lines += [f"  not seen  {each}" for each in told.unchecked]
    if told.outcome is Outcome.REFUTED:
        return lines
    if told.proposal_sha256 is not None:
        lines += ["", f"Proposal  SHA-256 {told.proposal_sha256}"]
    for each in told.story:
        lines.append(f"{written(each.at)}  row {each.row}  {each.who}: {each.what}")
        if each.key is not None and each.statement is not None:
            lines.append(f"    by key {each.key} of roster {each.roster}, statement {each.statement[:16]}…")
    return lines


def _journal_key(said: str) -> bytes:
    """Return the journal's key as it was typed; ValueError if it is none: that is no word against a dossier."""
    octets, key, whole = b"", None, False
    try:
        octets = base64.b64decode(said, validate=True)
        key = load_der_public_key(octets)
        whole = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == octets
    except PARSE_ERRORS:
        pass
    if not whole or not isinstance(key, EllipticCurvePublicKey):
        raise ValueError(
            f"--journal-key {said[:16]!r}… of {len(said)} characters is no key that can be read: it is the base64 of a "
            "SubjectPublicKeyInfo, 124 characters of which the first are MFkw; if it was cut, copy the whole, or name "
            "--transcript in its place"
        )
    return octets


def _several(dossier: Path) -> _SeveralDecisions:
    return _SeveralDecisions(
        f"{dossier} holds several decisions, as the dossier of an approval does: unpack it, and name the folder of "
        "one, decisions/dec-…"
    )


def _beside(transcript: Path) -> bytes:
    signature = transcript.with_suffix(".sig")
    if not signature.is_file():
        raise ValueError(f"there is no {signature.name} beside {transcript}, by which the root has signed it")
    return signature.read_bytes()


def _within(name: str, file: Path) -> bytes:
    _require_within(name, file.stat().st_size)
    return file.read_bytes()


def _require_within(name: str, octets: int) -> None:
    if octets > PARTS[name]:
        raise Unreadable(f"{name} has more than {PARTS[name]} octets")

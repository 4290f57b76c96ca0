"""`trialcpa-verify`: what a stranger proves of us, offline, from files and what they hold of us from before."""

import base64
import json
import sys
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import click

from app.terminal import harmless
from core.instants import text
from verify.decision import prove_files
from verify.dossier import PARTS, trusted
from verify.findings import Against, Finding, Outcome, Told
from verify.kit import program
from verify.parsing import Unreadable

EXIT: Mapping[Outcome, int] = {Outcome.PROVED: 0, Outcome.REFUTED: 1, Outcome.UNDECIDED: 2}

_NOT_READ = (Unreadable, BadZipFile, RuntimeError, EOFError, OSError, zlib.error)
"""What reading a dossier raises; RuntimeError is what `zipfile` says of encryption."""


class _SeveralDecisions(Exception):
    """What was named is more than the dossier of one decision; nothing is said of any."""


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(
    epilog="\b\nExample:\n  trialcpa-verify decision dossier --root root.cer",
    context_settings={"help_option_names": ["-h", "--help"]},
)
def cli() -> None:
    """Prove what a Trial CPA authority says, offline, trusting nothing but what you hold of it from before.

    mirror, ask, witness, proof, conformance and simulator can be installed alone; each has a --help of its own.
    """


@cli.command(
    short_help="Prove who agreed to what.",
    epilog="\b\nExample:\n  trialcpa decide export dec-6564f1a2-9c3b1d2e4f60718a --to dossier\n"
    "  trialcpa-verify decision dossier --root root.cer --transcript transcript.txt",
)
@click.argument("dossier", type=click.Path(exists=True, path_type=Path), metavar="FOLDER|ZIP")
@click.option("--root", type=_FILE, required=True, help="The root's certificate that you hold.")
@click.option(
    "--transcript",
    type=_FILE,
    help="The ceremony's transcript, transcript.sig beside it: it names the journal's key and the first officers'.",
)
@click.option(
    "--journal-key", "known", metavar="BASE64", help="The journal's public key, where you have no transcript."
)
@click.option("--journal", type=_FILE, help="The whole journal (trialcpa journal export), in place of the dossier's.")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def decision(
    *, dossier: Path, root: Path, transcript: Path | None, known: str | None, journal: Path | None, as_json: bool
) -> None:
    """Prove who agreed to what: exit 0 if that is proved, 1 if it is refuted, 2 if something is missing."""
    try:
        trust = trusted(
            root.read_bytes(),
            journal_key=None if known is None else base64.b64decode(known, validate=True),
            transcript=None if transcript is None else transcript.read_bytes(),
            signature=None if transcript is None else _beside(transcript),
        )
    except ValueError as error:
        raise click.UsageError(f"What is to be trusted cannot be: {error}.") from None
    try:
        told = prove_files(parts(dossier) | ({} if journal is None else {"journal.jsonl": journal.read_bytes()}), trust)
    except _SeveralDecisions:
        raise click.UsageError(
            f"{dossier} holds several decisions, as the dossier of an approval does: unpack it, and name the folder of "
            "one, decisions/dec-…"
        ) from None
    except _NOT_READ as error:
        told = Told(decision="", against=[Finding(Against.PART_UNREADABLE, f"{dossier}: {error}.")])
    click.echo(json.dumps(document(told), indent=2) if as_json else harmless("\n".join(_lines(told))))
    raise SystemExit(EXIT[told.outcome])


def parts(dossier: Path) -> dict[str, bytes]:
    """Return the files of a dossier that are read, by name.

    Args:
        dossier: a folder, or a ZIP with the files at its top or in one folder.

    Raises:
        Unreadable: one of them is larger than such a part ever is, or there twice.
        BadZipFile: it is no ZIP, or a broken one.
        _SeveralDecisions: parts lie in several folders.
    """
    if dossier.is_dir():
        if (dossier / "decisions").is_dir():
            raise _SeveralDecisions
        return {name: _within(name, dossier / name) for name in PARTS if (dossier / name).is_file()}
    found: dict[str, bytes] = {}
    with ZipFile(dossier) as packed:
        placed = [each.rpartition("/") for each in packed.namelist()]
        if len({folder for folder, _, name in placed if name in PARTS}) > 1:
            raise _SeveralDecisions
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
    """Return what was found as JSON.

    Args:
        told: by verify.decision.
    """
    return {
        "outcome": told.outcome.value,
        "decision": told.decision,
        "about": told.about,
        "proposal_sha256": told.proposal_sha256,
        "against": [asdict(each) for each in told.against],
        "missing": [asdict(each) for each in told.missing],
        "unchecked": list(told.unchecked),
        "story": [{**asdict(each), "at": text(each.at)} for each in told.story],
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
        lines.append(f"{text(each.at)}  row {each.row}  {each.who}: {each.what}")
        if each.key is not None and each.statement is not None:
            lines.append(f"    by key {each.key} of roster {each.roster}, statement {each.statement[:16]}…")
    return lines


def _beside(transcript: Path) -> bytes:
    signature = transcript.with_suffix(".sig")
    if not signature.is_file():
        raise click.UsageError(f"There is no {signature.name} beside {transcript}, by which the root has signed it.")
    return signature.read_bytes()


def _within(name: str, file: Path) -> bytes:
    _require_within(name, file.stat().st_size)
    return file.read_bytes()


def _require_within(name: str, octets: int) -> None:
    if octets > PARTS[name]:
        raise Unreadable(f"{name} has more than {PARTS[name]} octets")


def main(words: Sequence[str] | None = None) -> None:
    """Run the command.

    Args:
        words: what was typed after the program's name; None is what was.
    """
    typed = sys.argv[1:] if words is None else words
    if typed and typed[0] in program.COMMANDS:
        program.main(typed)
    try:
        cli(typed, standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()

"""`trialcpa audit`: the whole register as one file, and the proof that everything in it follows from the journal."""

import json
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import click

from app.audit_sent import sent
from app.cli.journal import EXIT_BROKEN, EXIT_UNKNOWN, known_key, links_kept, of_transcript
from app.cli.options import home_option
from app.cli.service import Service, asks_service
from app.house import home_of, open_house
from app.settings import load
from core.errors import NoteMalformed
from core.note import parse_vkey
from core.words import counted
from keys.private_file import written
from ra.auditing.exported import export as exported
from verify.audited import Audit, Pinned
from verify.exported import Said, read_lines
from verify.kit.agreed.dossier import trusted
from verify.kit.evidence.parsing import Unreadable, one_certificate

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(
    epilog="\b\nExample:\n  trialcpa audit export register.jsonl\n"
    "  trialcpa audit verify register.jsonl --transcript transcript.txt"
)
def audit() -> None:
    """Prove that everything in the register follows from the journal, with nothing of ours but keys."""


@audit.command(
    short_help="Write the whole register into FILE, at the machine.",
    epilog="\b\nExample:\n  trialcpa audit export register.jsonl --home var",
)
@click.argument("file", type=_NEW_FILE)
@home_option
def export(file: Path, home: Path | None) -> None:
    """Write the whole register into FILE, for an auditor; the service may run meanwhile.

    It is of one moment. Words that are withheld are not in it: proposals have their salted digests. The file is yours
    alone (0600), and FILE must not exist.
    """
    house = open_house(load(home_of(home)))
    with closing(house), written(file, over=False) as stream:
        lines = 0
        for each in exported(house.store):
            stream.write(json.dumps(each).encode() + b"\n")
            lines += 1
    click.echo(f"{file}: {counted(lines, 'line')}.")


@audit.command(
    short_help="Write it into FILE, as a running service sends it.",
    epilog="\b\nExample:\n  trialcpa audit fetch register.jsonl --key-file auditor.key",
)
@click.argument("file", type=_NEW_FILE)
@asks_service
def fetch(file: Path, service: Service) -> None:
    """Write the whole register into FILE, as a running service sends it; for officers and auditors.

    It comes in portions, each of one moment: what is sealed meanwhile comes with the next of them.
    """
    with written(file, over=False) as stream, service.connect() as client:
        lines = 0
        for each in sent(client):
            lines += 1
            whole = {**each, "lines": lines} if each["is"] == "end" else each
            stream.write(json.dumps(whole).encode() + b"\n")
    click.echo(f"{file}: {counted(lines, 'line')}.")


@audit.command(
    short_help="Prove FILE, or what a running service sends.",
    epilog="\b\nExample:\n  trialcpa audit verify register.jsonl --transcript transcript.txt",
)
@click.argument("file", type=_FILE, required=False)
@click.option("--transcript", type=_FILE, help="The ceremony's, with its .sig: journal's key and first officers.")
@click.option("--root", type=_FILE, help="The root's certificate that you hold.")
@click.option("--key", "known", metavar="SHA-256|BASE64", help="The journal's key as you got it by another way.")
@click.option("--log-key", metavar="VKEY", help="The log's key as verifiers take it.")
@click.option("--head", "kept", multiple=True, metavar="FILE|ROW:LINK", help="What you kept from before.")
@asks_service
def verify(
    *,
    file: Path | None,
    transcript: Path | None,
    root: Path | None,
    known: str | None,
    log_key: str | None,
    kept: tuple[str, ...],
    service: Service,
) -> None:
    """Prove FILE, or what a service sends: exit 0 if all follows, 1 if a row does not, 2 if that cannot be known."""
    found = Audit(_pinned(transcript, root, known, log_key, kept))
    try:
        if file is not None:
            with file.open("rb") as stream:
                prove(found, read_lines(stream))
        else:
            with service.connect() as client:
                prove(found, sent(client))
    except Unreadable as error:
        _show(found)
        click.echo(f"{file or service.url}: {error}. Nothing behind that was looked at.")
        raise SystemExit(EXIT_BROKEN) from None
    _show(found)
    click.echo(
        f"{found.name}: rows 1 to {found.rows}, under heads up to {found.covered}, in the log up to {found.logged}; "
        f"{counted(len(found.state.approvals), 'approval')}, {counted(len(found.state.certs), 'certificate')}, "
        f"{counted(len(found.state.lists), 'list')}, {counted(len(found.state.notices), 'notice')}."
    )
    if found.findings.problems:
        raise SystemExit(EXIT_BROKEN)
    click.echo("Everything in the register follows from the journal, as far as it is sealed.")
    if found.findings.unknown:
        raise SystemExit(EXIT_UNKNOWN)


def prove(found: Audit, lines: Iterable[Said]) -> None:
    """Let an audit take lines, one after the other.

    Raises:
        Unreadable: one of them is none.
    """
    for each in lines:
        found.take(each)


def _show(found: Audit) -> None:
    told = found.findings
    for problem in told.problems:
        click.echo(str(problem))
    if told.more:
        click.echo(f"{counted(told.more, 'more row')} do not follow.")
    for each in told.unknown:
        click.echo(f"It cannot be known {each}")
    for each in told.notes:
        click.echo(f"Note: {each}")


def _pinned(
    transcript: Path | None, root: Path | None, known: str | None, log_key: str | None, kept: tuple[str, ...]
) -> Pinned:
    if transcript is not None and root is None:
        raise click.UsageError("A transcript counts by the root that has signed it: hand in --root, too.")
    keys = [] if known is None else [known_key(known)]
    officers = None
    if transcript is not None and root is not None:
        keys.append(of_transcript(transcript, root))
        signature = transcript.with_suffix(".sig").read_bytes()
        officers = trusted(root.read_bytes(), transcript=transcript.read_bytes(), signature=signature).officers
    try:
        if log_key is not None:
            parse_vkey(log_key)
        anchor = None if root is None else one_certificate(root.read_bytes())
    except (NoteMalformed, Unreadable) as error:
        raise click.UsageError(f"What is to be trusted cannot be: {error}.") from None
    heads, links = links_kept(kept)
    return Pinned(
        journal_keys=tuple(keys),
        log_key=log_key,
        root=anchor,
        officers=officers,
        links={**{each.number: each.digest for each in heads}, **links},
    )

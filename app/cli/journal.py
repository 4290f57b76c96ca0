"""`trialcpa journal`: an export that an auditor can prove without trusting us, and the proof."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from app.cli.options import home_option
from app.cli.service import Service, asks_service
from app.client import path
from app.house import home_of, open_house, profile_of
from app.settings import load
from core.chain import GENESIS, SealedRow
from ra.auditing.views import JournalPage
from store.reading import journal as reading
from store.reading.authority import authority_row
from store.transactions import Store
from verify.kit.agreed import journal as proving
from verify.kit.agreed.dossier import journal_key_of, trusted
from verify.kit.evidence.parsing import Unreadable

EXIT_BROKEN, EXIT_UNKNOWN = 1, 2

_PORTION = 1_000
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_SHA_256 = re.compile(r"[0-9A-Fa-f]{64}")
_ROW_AND_LINK = re.compile(r"([1-9][0-9]{0,15}):([0-9A-Fa-f]{64})")


@click.group(
    epilog="\b\nExample:\n  trialcpa journal fetch > journal.jsonl\n"
    "  trialcpa journal prove journal.jsonl --transcript transcript.txt"
)
def journal() -> None:
    """Fetch or export the journal, or prove an export: order, links, signed heads."""


@journal.command(
    short_help="Fetch the journal from a running service.",
    epilog="\b\nExample:\n  trialcpa journal fetch --key-file auditor.key > journal.jsonl",
)
@asks_service
def fetch(service: Service) -> None:
    """Print the sealed journal as a service sends it, one JSON object a line; for officers and auditors."""
    with service.connect() as client:
        pages = list(client.pages(JournalPage, path("journal")))
    for line in proving.export_lines(fetched(pages)):
        click.echo(line)


def fetched(pages: Sequence[JournalPage]) -> proving.Export:
    """Return the journal in pages as one export; nothing of it is believed, nor changed.

    Args:
        pages: all of them, in order; at least one.
    """
    rows = [proving.LinkedRow(SealedRow(**vars(each.row)), each.link) for page in pages for each in page.rows]
    heads = [
        proving.Head(each.number, each.link, bytes.fromhex(each.signature)) for page in pages for each in page.heads
    ]
    key = bytes.fromhex(pages[-1].public_key)
    stretches = [proving.Stretch(GENESIS.hex(), rows)] if rows else []
    return proving.Export(name=pages[-1].journal, key=key, stretches=stretches, heads=heads)


@journal.command(
    short_help="Print the sealed journal.", epilog="\b\nExample:\n  trialcpa journal export > journal.jsonl"
)
@home_option
def export(home: Path | None) -> None:
    """Print the sealed journal, one JSON object a line: its name and key, rows, then signed heads."""
    for line in lines(open_house(load(home_of(home))).store):
        click.echo(line)


def lines(store: Store) -> Iterator[str]:
    """Yield the lines of an export."""
    with store.read() as tx:
        row = authority_row(tx)
    key = base64.b64encode(row.journal_key).decode()
    yield json.dumps({"journal": profile_of(row).journal_name, "key": key})
    after = 0
    while True:
        with store.read() as tx:
            rows = reading.sealed_after(tx, after, _PORTION)
        for each in rows:
            yield json.dumps({"row": asdict(each.row), "link": each.link.hex()})
        if not rows:
            break
        after = rows[-1].row.number
    with store.read() as tx:
        for head in reading.heads(tx):
            if head.number <= after:
                signature = head.signature.hex()
                yield json.dumps({"head": head.number, "link": head.link.hex(), "signature": signature})


@journal.command(
    short_help="Prove an export.",
    epilog="\b\nExample:\n  trialcpa journal fetch > journal.jsonl\n"
    "  trialcpa journal prove journal.jsonl --transcript transcript.txt \\\n    --head kept.jsonl",
)
@click.argument("file", type=_FILE)
@click.option(
    "--transcript", type=_FILE, help="The ceremony's transcript that you hold: it says which key is the journal's."
)
@click.option(
    "--root", type=_FILE, help="The root's certificate that you hold: the transcript must be signed by it (.sig)."
)
@click.option(
    "--key",
    "known",
    metavar="SHA-256|BASE64",
    help="The journal's key as you got it by another way: its SHA-256, as in the ceremony's transcript, or whole.",
)
@click.option(
    "--head",
    "kept",
    multiple=True,
    metavar="FILE|ROW:LINK",
    help="What you kept from before: an export, or the number and link of a row. Repeat it for several.",
)
def prove(*, file: Path, transcript: Path | None, root: Path | None, known: str | None, kept: tuple[str, ...]) -> None:
    """Prove an export by what you hold from elsewhere: exit 0 if it is unbroken, 1 if not, 2 if that cannot be known.

    It needs nothing of the authority. The export names its key itself, and whoever makes both anew makes them agree:
    without --transcript or --key nothing says whose journal it is.
    """
    if root is not None and transcript is None:
        raise click.UsageError("--root says by whom a transcript is signed; there is no --transcript.")
    export = _read(file)
    stated = None if transcript is None else of_transcript(transcript, root)
    pinned = [stated] if stated is not None else []
    pinned += [known_key(known)] if known is not None else []
    heads, links = links_kept(kept)
    found = proving.prove(export, keys_sha256=pinned, heads=heads, links=links)
    for problem in found.problems:
        click.echo(problem)
    if found.problems:
        raise SystemExit(EXIT_BROKEN)
    click.echo(
        f"{export.name}: rows 1 to {len(export.rows)} in unbroken order; signed heads: {len(export.heads)}; "
        f"by {'the key that you know' if pinned else 'the key in the export itself'}."
    )
    for each in found.unknown:
        click.echo(f"It cannot be known {each}")
    if not pinned:
        raise SystemExit(EXIT_UNKNOWN)


def _read(file: Path) -> proving.Export:
    try:
        return proving.read_export(file.read_bytes())
    except Unreadable as error:
        raise click.UsageError(f"{file}: {error}.") from None


def of_transcript(transcript: Path, root: Path | None) -> str:
    """Return the SHA-256 of the journal's key, hex, that a transcript says."""
    said = transcript.read_bytes()
    if root is not None:
        signature = transcript.with_suffix(".sig")
        if not signature.is_file():
            raise click.UsageError(
                f"There is no {signature.name} beside {transcript}, by which the root has signed it."
            )
        try:
            trusted(root.read_bytes(), transcript=said, signature=signature.read_bytes())
        except ValueError as error:
            raise click.UsageError(f"What is to be trusted cannot be: {error}.") from None
    stated = journal_key_of(said)
    if stated is None:
        raise click.UsageError(f"{transcript} does not say which key is the journal's.")
    return stated


def known_key(known: str) -> str:
    """Return the SHA-256 of a key, hex, of how it was typed."""
    if _SHA_256.fullmatch(known):
        return known.lower()
    try:
        return hashlib.sha256(base64.b64decode(known, validate=True)).hexdigest()
    except ValueError:
        raise click.BadParameter("this is neither a SHA-256 in hexadecimal nor base64.", param_hint="--key") from None


def links_kept(words: Sequence[str]) -> tuple[list[proving.Head], dict[int, str]]:
    """Return the heads in files that were kept, and the links of rows that were typed."""
    heads: list[proving.Head] = []
    links: dict[int, str] = {}
    for each in words:
        typed = _ROW_AND_LINK.fullmatch(each)
        if typed and links.setdefault(int(typed[1]), typed[2].lower()) != typed[2].lower():
            raise click.BadParameter(f"row {typed[1]} is there twice, and not the same.", param_hint="--head")
        if typed:
            continue
        if not Path(each).is_file():
            raise click.BadParameter(f"{each}: there is no such file, nor is it ROW:LINK.", param_hint="--head")
        held = _read(Path(each)).heads
        if not held:
            raise click.BadParameter(f"{each}: it has no signed head.", param_hint="--head")
        heads += held
    return heads, links

"""`trialcpa store`: the schema of the register."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from app.cli import asking
from app.cli.handed_files import read_handed
from app.cli.options import home_option
from app.cli.shown import many
from app.home_files import write_whole
from app.house import home_of, keyring_of, opened
from app.officer import authorisation_in
from app.settings import load
from core.errors import InputUnusable
from core.instants import text
from jobs import restore
from jobs.lost import Difference
from jobs.put_back import marked, unmark
from officers.restore import ToSign
from store import schema
from store.transactions import Store

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(epilog="\b\nExample:\n  trialcpa store upgrade")
def store() -> None:
    """Show the store's schema revision, upgrade it, or accept a backup that was put back."""


@store.command(
    short_help="Print which revision the store has.",
    epilog="\b\nExample:\n  trialcpa store revision --home /var/lib/trialcpa",
)
@home_option
def revision(home: Path | None) -> None:
    """Print the revision that the store has and the one that this release needs."""
    register = Store(load(home_of(home)).store_url)
    click.echo(f"store {register.revision() or 'empty'}, this release {schema.needed_revision()}")


@store.command(
    short_help="Bring the store to this release's revision.",
    epilog="\b\nExample:\n  trialcpa store upgrade --home /var/lib/trialcpa",
)
@home_option
def upgrade(home: Path | None) -> None:
    """Bring the store to the revision that this release needs; stop the services first."""
    register = Store(load(home_of(home)).store_url)
    before = register.revision()
    schema.upgrade(register)
    click.echo(f"{before or 'empty'} → {register.revision()}")


@store.command(
    "accept-restore",
    short_help="Accept a backup that was put back.",
    epilog="\b\nExample:\n  trialcpa store accept-restore --from issuing.crl --to-sign restore.json\n"
    "  trialcpa store accept-restore --from issuing.crl --authorisation jane.json \\\n"
    "    --authorisation joe.json",
)
@home_option
@click.option(
    "--from",
    "files",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="CRLs, certificates, journals since; files or folders.",
)
@click.option("--to-sign", type=_FILE, help="Write what officers sign for, and accept nothing yet.")
@click.option(
    "--authorisation",
    "authorisations",
    multiple=True,
    type=_FILE,
    help="Of trialcpa officer sign --restore; one per officer.",
)
@click.option("--why", help="A sentence, for the record; else it is asked for.")
@click.option("--yes", is_flag=True, help="Do not ask: the difference was looked at before.")
def accept_restore(
    *,
    home: Path | None,
    files: tuple[Path, ...],
    to_sign: Path | None,
    authorisations: tuple[Path, ...],
    why: str | None,
    yes: bool,
) -> None:
    """Accept a register that is older than what this authority has sealed, after a backup was put back.

    Shows first what it lost. Accepting enters that again: ends that were stated, and certificates from their bytes,
    which stay valid and become a task of the officers. Stop the authority meanwhile; nothing is signed before this.
    Where there is a roster two officers sign for it: --to-sign writes what they sign, the same --from files beside it.
    """
    signed = [authorisation_in(each).authorisation for each in authorisations]
    with opened(home) as (house, memory):
        keys_dir = house.settings.keys_dir
        asked = restore.Asked(
            handed=read_handed(files),
            put_back=marked(keys_dir) is not None,
            signed=signed,
            rules=house.settings.rules,
        )
        keyring, at = keyring_of(house, memory), house.clock.now()
        lost = restore.look(house.store, memory, keyring, asked, at).difference
        _show(lost)
        if to_sign is not None:
            _write_to_sign(lost, to_sign, at)
            return
        sentence = why or asking.words("Why, in a sentence", instead="--why")
        if not yes and not lost.wanting:
            asking.require_agreed("Enter all of it again, and let the authority work", instead="--yes")
        asked = replace(asked, shown=lost.sha256, sentence=sentence)
        restore.accept_restore(house.store, memory, keyring, at, asked)
        # If we die before this, the authority still refuses to start, and accepting again finds nothing lost.
        unmark(keys_dir)
    click.echo(
        f"Accepted at journal row {lost.restored_to}. Entered again: {many(len(lost.certificates), 'certificate')} and "
        f"{many(len(lost.ends), 'end')}; {restore.NUMBERS_SKIPPED} approval numbers are left out."
    )
    if lost.certificates:
        click.echo("Each of these certificates is a task of the officers, due within a day: trialcpa status.")


def _write_to_sign(lost: Difference, file: Path, at: datetime) -> None:
    """Write what officers sign for; nothing is signed for while something is wanting, or where nobody is asked to."""
    restore.require_whole(lost)
    if lost.agreed.roster is None:
        raise click.UsageError("This authority has no roster of officers: nobody is asked to sign.")
    if file.exists():
        raise InputUnusable(path=file, detail="there is a file already.")
    write_whole(file, ToSign(restore=lost.agreed, at=at).octets())
    click.echo(f"Each of the officers looks at it and signs for it: trialcpa officer sign --restore {file.name}")


def _show(lost: Difference) -> None:
    """Show what the register lost."""
    click.echo(f"The register ends at row {lost.restored_to}; a head was signed for row {lost.sealed_before}.")
    for one in lost.certificates:
        record = one.record
        dates = f"{text(record.not_before)} to {text(record.not_after)}"
        click.echo(f"certificate  {record.approval} issue {record.issue}, {record.serial}, {dates} (from {one.source})")
    for end in lost.ends:
        said = f"{text(end.end.at)}, {end.end.reason.name}"
        click.echo(f"end          {end.approval}, {end.end.serial}, {said} (from {end.source})")
    for each in lost.lists:
        made = f"{text(each.this_update)}, {many(each.entries, 'entry', 'entries')}"
        click.echo(f"list         CRL {each.number} of {each.ca}, {made}; the next number is above it")
    for serial, name in lost.wanting:
        click.echo(f"wanting      {serial}, named in {name}: its certificate is nowhere")
    click.echo(f"Digest of this difference: {lost.sha256}")
    if lost.agreed.roster is not None:
        click.echo("Officers sign for it: --to-sign FILE writes what they sign; hand in each by --authorisation FILE.")

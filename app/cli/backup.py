"""`trialcpa backup` and `trialcpa restore`: one sealed file, what it proves, and the way back (docs/backup.md)."""

import secrets
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from app.cli.options import home_option
from app.cli.shown import many
from app.home_files import write_secret
from app.house import home_of, open_house
from app.settings import FILE_NAME, load, moved
from backup.sealing import Identity, Key, Lock, Passphrase, Recipient
from core.clock import SystemClock
from core.errors import BackupLockUnusable, BackupUnusable, HomeOccupied
from jobs.backing_up import Taken, back_up
from jobs.backup_proof import Finding, Outcome, PutBack, prove
from jobs.proved import note_proved
from jobs.put_back import STORE_FILE, Opened, load_register, mark, open_backup, require_empty
from keys.passphrase import FromPrompt, PassphraseSource, chosen_passphrase, parse_source
from memory.book import RESERVE_NAME
from store import schema
from store.dump import LeftOut
from store.transactions import Store, sqlite_url

LARGEST_IDENTITY = 64 * 1024

EXIT_LEFT_OUT = 3
"""Of `backup verify`: it can be restored, and somebody has written rows that are left out then."""

_FILE = click.Path(dir_okay=False, path_type=Path)
_THERE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _WithFile(click.Group):
    """A group that makes a backup where no command of it is named: `trialcpa backup FILE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command in that was left out."""
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=_WithFile,
    options_metavar="FILE",
    subcommand_metavar="--recipient age1… | verify FILE",
    epilog="\b\nExample:\n  trialcpa backup /srv/backup/today.age --recipient age1…\n"
    "  trialcpa backup verify /srv/backup/today.age --identity key.txt",
)
def backup() -> None:
    """Back up register, memory, sealed keys and settings into one sealed file, or verify one (docs/backup.md).

    The service may run. Run it as the authority's user. The root's folder and the passphrase of the keys are not in it.
    """


def _opening(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--root-sha256", help="What the root must be: SHA-256 (hex), from the ceremony's transcript."),
        click.option("--keys-passphrase", help="Of the sealed keys, to prove them too: file:PATH, fd:N or prompt."),
        click.option("--passphrase", help="What the file is sealed under: file:PATH, fd:N or prompt."),
        click.option("--identity", type=_THERE, help="The age key that opens the file, as age-keygen writes it."),
    ):
        command = option(command)
    return command


@backup.command(hidden=True)
@click.argument("file", type=_FILE)
@click.option("--recipient", help="Seal to the holder of an age key, age1…: this machine cannot open it again.")
@click.option("--passphrase", help="Seal under a passphrase: file:PATH, fd:N or prompt.")
@home_option
def make(file: Path, recipient: str | None, passphrase: str | None, home: Path | None) -> None:
    """Make a backup."""
    lock = _lock(recipient, passphrase)
    settings = load(home_of(home))
    with closing(open_house(settings)) as house, _showing() as told:
        taken = Taken(
            store=house.store,
            keys_dir=settings.keys_dir,
            settings=settings.home / FILE_NAME,
            revision=schema.needed_revision(),
        )
        made = back_up(taken, file, lock, house.clock.now(), told)
    rows = sum(made.tables.values())
    held = f"{many(rows, 'row')}, the journal to row {made.rows}, {many(made.records, 'record')} of the memory"
    click.echo(f"{file}: {held}.")
    click.echo(f"Root SHA-256 {made.root_sha256}. Prove it now: trialcpa backup verify {file}")


@backup.command(
    short_help="Prove what is in a backup.",
    epilog="\b\nExample:\n  trialcpa backup verify today.age --identity key.txt",
)
@click.argument("file", type=_THERE)
@_opening
def verify(file: Path, **given: str | Path | None) -> None:
    """Put a backup into a scratch place and prove what is in it.

    Exit with 1 if anything does not hold, with 3 if it can be restored without some rows, each of which is named.
    When it was proved is noted beside it, in FILE.proved.json, for trialcpa doctor.
    """
    with _opened(file, file.absolute().parent, given) as (opened, findings):
        _show(opened, findings)
    try:
        note_proved(file, SystemClock().now(), holds=not _wrong(findings))
    except OSError as error:
        click.echo(f"That it was proved is noted nowhere: {error.strerror} ({file.parent}).", err=True)
    raise SystemExit(1 if _wrong(findings) else EXIT_LEFT_OUT if _planted(opened) else 0)


@click.command(epilog="\b\nExample:\n  trialcpa restore today.age --home /var/lib/trialcpa --identity key.txt")
@click.argument("file", type=_THERE)
@click.option(
    "--home", type=click.Path(file_okay=False, path_type=Path), required=True, help="A folder that is empty, or new."
)
@click.option("--store", "store_url", help="An empty PostgreSQL database; default: an SQLite file in the home.")
@_opening
def restore(file: Path, home: Path, store_url: str | None, **given: str | Path | None) -> None:
    """Put a backup into an empty home and an empty store. Nothing is signed there before it is accepted."""
    home = home.absolute()
    _require_free(home)
    home.parent.mkdir(parents=True, exist_ok=True)
    with _target(store_url) as target, _opened(file, home.parent, given) as (opened, findings):
        _show(opened, findings)
        if _wrong(findings):
            raise BackupUnusable(path=file, detail="something in it does not hold; nothing was restored")
        text = moved(opened.settings, store_url=store_url or f"sqlite:///{STORE_FILE}")
        write_secret(opened.home / FILE_NAME, text)
        load(opened.home)
        if target is not None:
            with closing(Store(sqlite_url(opened.store_path))) as unpacked, _showing() as told:
                refused = load_register(unpacked, target, told)
            _name(refused)
            opened.store_path.unlink()
        mark(opened.keys_dir, opened.manifest)
        # If we die before this, there is no home; a PostgreSQL register that was loaded is dropped and loaded again.
        opened.home.rename(home)
    source = load(home).passphrase
    click.echo(f"Restored into {home}; its keys' passphrase comes from {source}, which no backup has.")
    click.echo(f"Nothing is signed before: trialcpa store accept-restore --home {home} --from FILE…")


@contextmanager
def _opened(
    file: Path, beside: Path, given: dict[str, str | Path | None]
) -> Iterator[tuple[Opened, tuple[Finding, ...]]]:
    """Yield a backup in a scratch place, which goes when this ends, and what was found about it."""
    keys_passphrase = given["keys_passphrase"]
    prompt = FromPrompt(instead="--keys-passphrase file:PATH")
    passphrase = None if keys_passphrase is None else parse_source(str(keys_passphrase), prompt).read()
    key = _key(given["identity"], given["passphrase"])
    with tempfile.TemporaryDirectory(prefix=f".{secrets.token_hex(4)}-restoring-", dir=beside) as scratch:
        with _showing() as told:
            opened = open_backup(file, key, Path(scratch), schema.needed_revision(), told)
        wanted = given["root_sha256"]
        if wanted is not None and str(wanted).lower() != opened.manifest.root_sha256:
            raise BackupUnusable(
                path=file, detail=f"it is another authority's: its root is {opened.manifest.root_sha256}"
            )
        with closing(Store(sqlite_url(opened.store_path))) as store:
            place = PutBack(
                manifest=opened.manifest,
                store=store,
                keys_dir=opened.keys_dir,
                passphrase=passphrase,
                left_out=Counter(each.table for each in opened.left_out),
                taken_back=len(opened.taken_back),
            )
            findings = tuple(prove(place, SystemClock().now()))
        (opened.keys_dir / RESERVE_NAME).unlink(missing_ok=True)
        yield opened, findings


@contextmanager
def _target(store_url: str | None) -> Iterator[Store | None]:
    """Yield the register to be restored into, which has to be empty; None if it is a file in the home."""
    if store_url is None:
        yield None
        return
    with closing(Store(store_url)) as store:
        require_empty(store)
        yield store


def _name(left_out: Sequence[LeftOut]) -> None:
    for each in left_out:
        click.echo(f"Left out: {each.table} {each.key}: {each.why}.")


def _planted(opened: Opened) -> bool:
    """Return whether somebody has written rows: a backup that is made while facts are sealed has some to seal anew."""
    return bool(opened.left_out) or not all(each.as_sealed for each in opened.taken_back)


def _show(opened: Opened, findings: tuple[Finding, ...]) -> None:
    _name(opened.left_out)
    for fact in opened.taken_back:
        whose = "it may have been sealed just then" if fact.as_sealed else "the authority did not give it"
        click.echo(
            f"Taken back: journal {fact.row_id}: its number, {fact.number}, is under no head, and {whose}; it waits to "
            "be sealed."
        )
    if _planted(opened):
        click.echo("Somebody has written rows into this register: look for whoever did (docs/backup.md).")
    table = Table("what", "", "found", box=None, pad_edge=False)
    for each in findings:
        table.add_row(each.what, each.outcome.value, each.detail)
    Console(highlight=False, markup=False).print(table)


def _wrong(findings: tuple[Finding, ...]) -> bool:
    return any(each.outcome is Outcome.WRONG for each in findings)


def _lock(recipient: str | None, passphrase: str | None) -> Lock:
    if (recipient is None) == (passphrase is None):
        raise click.UsageError("Say --recipient or --passphrase.")
    if recipient is not None:
        return Recipient(recipient)
    return Passphrase(chosen_passphrase(_source(str(passphrase))))


def _key(identity: str | Path | None, passphrase: str | Path | None) -> Key:
    if (identity is None) == (passphrase is None):
        raise click.UsageError("Say --identity or --passphrase.")
    if passphrase is not None:
        return Passphrase(_source(str(passphrase)).read())
    with Path(str(identity)).open("rb") as file:
        octets = file.read(LARGEST_IDENTITY + 1)
    if len(octets) > LARGEST_IDENTITY:
        raise BackupLockUnusable(detail=f"{identity} is too large for a key")
    return Identity(octets.decode("utf-8", "replace"))


def _source(setting: str) -> PassphraseSource:
    return parse_source(setting, FromPrompt(of="the backup", instead="--passphrase file:PATH"))


def _require_free(home: Path) -> None:
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise HomeOccupied(path=home)


@contextmanager
def _showing() -> Iterator[Callable[[str, int], None]]:
    """Show how far it is on a terminal that somebody looks at."""
    console = Console(stderr=True)
    with console.status("Begins …") as status:
        yield lambda what, count: status.update(f"{what}: {count}")

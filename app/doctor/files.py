"""What is seen on the machine alone: settings, permissions, keys' files, disks, backups. No private file is opened."""

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from api.writing import disk_check
from app.doctor.findings import Finding, FindingCode, found, of_checks, of_error
from app.settings import FILE_NAME, Settings
from core.errors import KeyUnusable, TrialCpaError
from core.instants import text
from core.words import counted
from jobs.keyring import KEY_FILES, next_number
from jobs.proved import PROVED, last_proved
from keys.ceremony import JOURNAL_FILE, RECORD_FILE, ROOT_FILE
from keys.passphrase import FromFile
from keys.place import key_in_token
from keys.token import find_token
from keys.token_uri import KeyInToken
from memory.book import FILE_NAME as MEMORY_FILE
from memory.copying import CopyRead
from store.transactions import sqlite_file

Said = Iterator[Finding | str]
"""Findings, and sentences of what is well."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_STRANGERS = stat.S_IWGRP | stat.S_IRWXO
"""What the processes of an authority share a group reads, and nobody else."""

_WRITERS = stat.S_IWGRP | stat.S_IWOTH
_TOKEN_SECONDS = 5.0
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """How something is to be kept.

    Args:
        forbidden: bits of its mode that must not be set.
        wanted: the mode that is advised.
    """

    forbidden: int
    wanted: str


_PRIVATE = _Kept(forbidden=_OTHERS, wanted="0600")
_SHARED = _Kept(forbidden=_STRANGERS, wanted="0640")
_PRIVATE_FOLDER = _Kept(forbidden=_OTHERS, wanted="0700")
_FOLDER = _Kept(forbidden=_WRITERS, wanted="go-w")


def readable(folder: Path) -> bool:
    """Return whether whoever we are at this moment may look into a folder."""
    return os.access(folder, os.R_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def look_at_settings(settings: Settings, *, live: bool) -> Said:
    """What the settings say that a live authority should not.

    Args:
        settings: of the authority.
        live: whether it is one.
    """
    yield f"The settings of {settings.home} can be used."
    source = settings.passphrase
    if live and isinstance(source, FromFile) and source.path.resolve().is_relative_to(settings.keys_dir.resolve()):
        yield found(FindingCode.OPENED_BESIDE, path=source.path)
    root = settings.home / "root" / ROOT_FILE
    if live and readable(root.parent) and root.exists():
        yield found(FindingCode.ROOT_AT_HAND, path=root)


def look_at_permissions(settings: Settings) -> Said:
    """Whether nobody else gets at what is private."""
    wrong = 0
    places = _places(settings)
    owner = _owner(settings.keys_dir)
    for path, kept in places.items():
        for finding in _judged(path, kept, owner if path.is_relative_to(settings.keys_dir) else None):
            wrong += 1
            yield finding
    if not readable(settings.keys_dir):
        yield found(FindingCode.NOT_SEEN, path=settings.keys_dir)
    elif not wrong:
        yield f"{counted(len(places), 'file or folder', 'files and folders')}: nobody else gets at them."


def _places(settings: Settings) -> dict[Path, _Kept]:
    found_here = {settings.home: _FOLDER, settings.home / FILE_NAME: _SHARED, settings.keys_dir: _PRIVATE_FOLDER}
    if readable(settings.keys_dir):
        found_here |= {each: _PRIVATE for each in settings.keys_dir.iterdir() if each.is_file()}
    secrets = [each.secret_file for each in settings.webhooks]
    if isinstance(settings.passphrase, FromFile):
        secrets.append(settings.passphrase.path)
    if settings.tokens is not None and isinstance(settings.tokens.pin, FromFile):
        secrets.append(settings.tokens.pin.path)
    if settings.mail is not None and settings.mail.password_file is not None:
        secrets.append(settings.mail.password_file)
    file = sqlite_file(settings.store_url)
    if file is not None:
        secrets += [file, *(file.with_name(f"{file.name}-{end}") for end in ("wal", "shm"))]
    if settings.backups.folder is not None and readable(settings.backups.folder):
        secrets += settings.backups.folder.glob("*.age")
    found_here |= dict.fromkeys(secrets, _PRIVATE)
    return found_here


def _judged(path: Path, kept: _Kept, owner: int | None) -> Iterator[Finding]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return  # whoever needs it says so
    except OSError:
        yield found(FindingCode.NOT_SEEN, path=path)
        return
    mode = stat.S_IMODE(status.st_mode)
    if mode & kept.forbidden:
        yield found(FindingCode.OPEN_TO_OTHERS, path=path, mode=f"{mode:04o}", wanted=kept.wanted)
    if owner is not None and status.st_uid != owner:
        yield found(FindingCode.OF_ANOTHER_USER, path=path, owner=_name(status.st_uid), wanted=_name(owner))


def _owner(folder: Path) -> int | None:
    try:
        return folder.stat().st_uid
    except OSError:
        return None


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def look_at_key_files(settings: Settings) -> Said:
    """Whether the files of the keys are there, by what the memory says; none is opened."""
    folder = settings.keys_dir
    if not readable(folder):
        yield found(FindingCode.NOT_SEEN, path=folder)
        return
    wanted = [JOURNAL_FILE, RECORD_FILE]
    if (folder / MEMORY_FILE).exists():
        with closing(CopyRead(folder / MEMORY_FILE, reading=True)) as memory:
            newest = ((name, next_number(memory, role) - 1) for role, name in KEY_FILES)
            wanted += [name(number) for name, number in newest if number]
    missing = [each for each in wanted if not (folder / each).exists()]
    yield from (found(FindingCode.KEY_FILE_MISSING, path=folder / each) for each in missing)
    if not missing:
        yield f"The files of {counted(len(wanted), 'key')} are there."
    yield from look_at_tokens(settings)


def look_at_tokens(settings: Settings) -> Said:
    """Whether the tokens are there that files of keys name; nobody logs in to any."""
    if settings.tokens is None:
        return  # then no file of a key is opened, not even to see what kind it is
    named: dict[str, list[tuple[Path, KeyInToken]]] = {}
    for path in sorted(settings.keys_dir.glob("*.key")):
        try:
            in_token = key_in_token(path)
        except KeyUnusable:
            continue  # others get at it, or it says nothing that can be followed: permissions, and its opening, tell
        if in_token is not None:
            named.setdefault(in_token.token_name, []).append((path, in_token))
    for token, keys in named.items():
        _, key = keys[0]
        try:
            there = find_token(key, settings.tokens.module, seconds=_TOKEN_SECONDS)
        except TrialCpaError as error:
            yield of_error(error)
            continue
        if there.final_try:
            yield found(FindingCode.TOKEN_FINAL_TRY, token=token)
        there.close()
        several = counted(len(keys), "key")
        yield f"The token {token} is there, in which {several} should be; no backup of ours has what is in it."


def look_at_disks(settings: Settings) -> Said:
    """Whether what is written to has room; the rule is that of /readyz."""
    places = {"the keys and the memory": settings.keys_dir, "what is being received": Path(tempfile.gettempdir())}
    file = sqlite_file(settings.store_url)
    if file is not None:
        places["the register"] = file.parent
    if settings.backups.folder is not None:
        places["the backups"] = settings.backups.folder
    yield from of_checks(disk_check(name, _free(folder)) for name, folder in places.items())


def _free(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def look_at_backups(settings: Settings, now: datetime) -> Said:
    """When the last backup was made, and when one was last proved.

    Args:
        settings: of the authority.
        now: the machine's instant.
    """
    chosen = settings.backups
    if chosen.folder is None:
        yield found(FindingCode.BACKUPS_UNNAMED, path=settings.home / FILE_NAME)
        return
    if not readable(chosen.folder):
        missing = not chosen.folder.exists()
        code = FindingCode.BACKUP_MISSING if missing else FindingCode.NOT_SEEN
        yield found(code, path=chosen.folder)
        return
    made = {each: _made(each) for each in chosen.folder.glob("*.age")}
    if not made:
        yield found(FindingCode.BACKUP_MISSING, path=chosen.folder)
        return
    newest = max(made, key=lambda each: made[each])
    age = now - made[newest]
    if age > chosen.hours * _HOUR:
        yield found(FindingCode.BACKUP_OLD, path=newest, hours=age // _HOUR, most=chosen.hours)
    else:
        yield f"The newest of {counted(len(made), 'backup')} was made at {text(made[newest])}."
    yield from _proved(chosen.folder, newest, chosen.verified_days, now)


def _made(path: Path) -> datetime:
    return datetime.fromtimestamp(int(path.stat().st_mtime), UTC)


def _proved(folder: Path, newest: Path, days: int, now: datetime) -> Said:
    last = last_proved(folder)
    if last is not None and not last.holds:
        yield found(FindingCode.BACKUP_WRONG, at=text(last.at), path=folder / last.name.removesuffix(PROVED))
        return
    if last is None or now - last.at > timedelta(days=days):
        said = "none" if last is None else f"{last.name.removesuffix(PROVED)}, at {text(last.at)}"
        yield found(FindingCode.BACKUP_UNPROVED, days=days, last=said, path=newest)
        return
    yield f"{last.name.removesuffix(PROVED)} was proved at {text(last.at)}."

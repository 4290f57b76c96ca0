"""`trialcpa init --production`: each process has a user of its own, and each file the owner and mode that this needs.

The users are those of deploy/systemd/trialcpa.sysusers; the units there run as them.
"""

import grp
import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from app.settings import FILE_NAME, Settings, changed
from core.errors import ProductionUnready
from keys.passphrase import FromFile
from store.transactions import sqlite_file

AUTHORITY, WEB, COURIER, SHARED = "trialcpa-authority", "trialcpa-web", "trialcpa-courier", "trialcpa"
RENDERER = "trialcpa-renderer"
"""The users, and the group that reads the settings."""

WEB_STATE = "/var/lib/trialcpa-web"
STATUS_SOCKET = "unix:/run/trialcpa/status.sock"
RENDERER_SOCKET = "unix:/run/trialcpa-renderer/renderer.sock"
BACKUPS = "/var/backups/trialcpa"


@dataclass(frozen=True)
class Owners:
    """Whose the files are.

    Args:
        authority: the user that reads the keys.
        shared: the group that reads the settings.
    """

    authority: int
    shared: int


def owners() -> Owners:
    """Return whose the files of an authority in production are.

    Raises:
        ProductionUnready: we are not root, or a user or the group is missing.
    """
    if os.geteuid() != 0:
        raise ProductionUnready(detail="only root gives files to other users")
    try:
        users = {name: pwd.getpwnam(name).pw_uid for name in (AUTHORITY, WEB, COURIER, RENDERER)}
        return Owners(authority=users[AUTHORITY], shared=grp.getgrnam(SHARED).gr_gid)
    except KeyError as error:
        missing = str(error.args[0]).rpartition(": ")[2]
        raise ProductionUnready(detail=f"there is no user or group {missing}") from error


def require_shared_store(store_url: str) -> None:
    """Raise ProductionUnready if the register is a file: processes of several users cannot share one."""
    if sqlite_file(store_url) is not None:
        raise ProductionUnready(detail="processes of several users need PostgreSQL: name it with --store")


def settings_of_production(text: str) -> str:
    """Return the settings file with the places that the units give to web, status, renderer and backups.

    Args:
        text: the file as the ceremony wrote it.
    """
    for table, key, value in (
        ("web", "memory", WEB_STATE),
        ("status", "listens", STATUS_SOCKET),
        ("renderer", "listens", RENDERER_SOCKET),
        ("backup", "directory", BACKUPS),
    ):
        text = changed(text, table, key, f'"{value}"')
    return text


def hand_over(settings: Settings, root_dir: Path, to: Owners) -> None:
    """Give every file of a home its owner and its mode; what was done before is done again.

    Args:
        settings: of the home.
        root_dir: where the root's key lies, until it is taken offline.
        to: whose they are.
    """
    _give(settings.home, 0, to.shared, 0o750)
    _give(settings.home / FILE_NAME, 0, to.shared, 0o640)
    for each in (settings.keys_dir, *settings.keys_dir.rglob("*")):
        _give(each, to.authority, 0, 0o700 if each.is_dir() else 0o600)
    if isinstance(settings.passphrase, FromFile):
        _give(settings.passphrase.path, to.authority, 0, 0o600)
    if settings.tokens is not None and isinstance(settings.tokens.pin, FromFile):
        _give(settings.tokens.pin.path, to.authority, 0, 0o600)
    for each in (root_dir, *root_dir.rglob("*")) if root_dir.exists() else ():
        _give(each, 0, 0, 0o700 if each.is_dir() else 0o600)


def _give(path: Path, user: int, group: int, mode: int) -> None:
    # A link is not followed: it would give away what it leads to.
    os.chown(path, user, group, follow_symlinks=False)
    if not path.is_symlink():
        path.chmod(mode)

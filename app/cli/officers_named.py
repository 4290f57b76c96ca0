"""Officers who are named on a command line with the file of their public key: NAME=PUBLIC.pem."""

from collections.abc import Iterable
from pathlib import Path

import click

from core.errors import InputUnusable
from officers.passkey_file import read_passkey_file
from officers.roster import LARGEST_KEY_FILE, Member, new_member, require_usable


def members_named(named: Iterable[str]) -> tuple[Member, ...]:
    """Return the officers who are named with their public keys, as NAME=PUBLIC.pem.

    Raises:
        InputUnusable: a file cannot be read.
        RosterUnusable: they cannot be a roster.
    """
    members = [member_named(each) for each in named]
    if members:
        require_usable(members)
    return tuple(members)


def member_named(named: str, *, passkeys: bool = False) -> Member:
    """Return an officer who is named with a public key, as NAME=PUBLIC.pem.

    Args:
        named: as on the command line.
        passkeys: whether the file may be a passkey's, as the console gives it: on the roster it comes by officers only.

    Raises:
        InputUnusable: the file cannot be read, or is a passkey's where none may be.
        RosterUnusable: it holds no such key.
    """
    name, _, path = named.partition("=")
    if not name.strip() or not path:
        raise click.UsageError("An officer is named with a file, as in --officer jane.doe=jane.pub.pem")
    try:
        with Path(path).open("rb") as file:
            octets = file.read(LARGEST_KEY_FILE)
    except OSError as error:
        raise InputUnusable(path=path, detail=f"it cannot be read ({error.strerror}).") from None
    if not octets.lstrip().startswith(b"{"):
        return new_member(name.strip(), octets)
    if not passkeys:
        raise InputUnusable(path=path, detail="it is a passkey's: that comes on the roster by trialcpa roster change.")
    return read_passkey_file(name.strip(), octets)

"""Officers who are named on a command line with the file of their public key: NAME=PUBLIC.pem."""

from collections.abc import Iterable
from pathlib import Path

import click

from core.errors import InputUnusable
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


def member_named(named: str) -> Member:
    """Return an officer who is named with a public key, as NAME=PUBLIC.pem.

    Raises:
        InputUnusable: the file cannot be read.
        RosterUnusable: it holds no such key.
    """
    name, _, path = named.partition("=")
    if not name.strip() or not path:
        raise click.UsageError("An officer is named with a file, as in --officer jane.doe=jane.pub.pem")
    try:
        with Path(path).open("rb") as file:
            return new_member(name.strip(), file.read(LARGEST_KEY_FILE))
    except OSError as error:
        raise InputUnusable(path=path, detail=f"it cannot be read ({error.strerror}).") from None

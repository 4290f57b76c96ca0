"""Where a passphrase comes from: a file, an open file descriptor, a credential of systemd, or a person at the terminal.

Never the command line (every user of the machine reads it) and never the environment (every child inherits it).
"""

import getpass
import os
import re
import secrets
import stat
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from core.errors import PassphraseUnusable
from keys.private_file import NotPrivate, read_private

LONGEST = 1024
"""Octets; what is longer is not a passphrase but the wrong file."""

FEWEST_CHARACTERS = 15
"""Of a passphrase that is chosen. Whoever has the file needs nothing else: it is the single factor, for which NIST
SP 800-63B-4 (3.1.1.2) demands as many."""


@dataclass(frozen=True)
class FromFile:
    """The first and only line of a file that nobody but its owner may read.

    Args:
        path: of the file.
    """

    path: Path

    def read(self) -> bytes:
        """Return the passphrase; PassphraseUnusable if the file is missing, open to others, or empty."""
        try:
            return _stripped(read_private(self.path, LONGEST + 2), self)
        except NotPrivate as error:
            raise PassphraseUnusable(source=self, detail=str(error)) from error

    def __str__(self) -> str:
        return f"file:{self.path}"


@dataclass(frozen=True)
class FromDescriptor:
    """What an already open file descriptor gives until its end; it is closed afterwards, so it can be read once.

    Args:
        number: of the descriptor, as our parent process numbered it.
    """

    number: int

    def read(self) -> bytes:
        """Return the passphrase; PassphraseUnusable if nothing is open there, or nothing comes."""
        try:
            with os.fdopen(self.number, "rb") as file:
                return _stripped(file.read(LONGEST + 3), self)
        except OSError as error:
            raise PassphraseUnusable(source=self, detail=f"it cannot be read ({error.strerror})") from error

    def __str__(self) -> str:
        return f"fd:{self.number}"


@dataclass(frozen=True)
class FromCredential:
    """What systemd has laid out for this process alone (LoadCredential=, LoadCredentialEncrypted=).

    Its folder is the process's own. Where it gives access by an ACL, the group's bits of the mode are the ACL's mask.

    Args:
        folder: of the credentials of this process; None if systemd gave it none.
        name: of the credential.
    """

    folder: Path | None
    name: str

    def read(self) -> bytes:
        """Return the passphrase; PassphraseUnusable if there is none, or others get at it."""
        if self.folder is None:
            raise PassphraseUnusable(source=self, detail="systemd gave this process no credentials")
        others = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP
        try:
            return _stripped(read_private(self.folder / self.name, LONGEST + 2, others=others), self)
        except NotPrivate as error:
            raise PassphraseUnusable(source=self, detail=str(error)) from error

    def __str__(self) -> str:
        return f"credential:{self.name}"


@dataclass(frozen=True)
class FromPrompt:
    """A person at the terminal; what is typed is not shown.

    Args:
        twice: ask again and compare, for a passphrase that is being chosen (`chosen_passphrase`).
        of: what it opens, for the question.
        what: it is called, for the question.
        instead: what is said where nobody can be asked.
    """

    twice: bool = False
    of: str = "the authority's keys"
    what: str = "Passphrase"
    instead: str = 'keys.passphrase = "file:PATH" in trialcpa.toml'

    def read(self) -> bytes:
        """Return the passphrase; PassphraseUnusable if it is empty, nobody is there, or the two differ."""
        new = f"New {self.what.lower()} of {self.of}, {FEWEST_CHARACTERS} characters at least: "
        try:
            with warnings.catch_warnings():
                # Without a terminal it would read what is piped in, and show it.
                warnings.simplefilter("error", getpass.GetPassWarning)
                typed = getpass.getpass(new if self.twice else f"{self.what} of {self.of}: ")
                same = not self.twice or getpass.getpass("Once more: ") == typed
        except EOFError as error:
            raise PassphraseUnusable(source=self, detail="nothing was typed") from error
        except (OSError, getpass.GetPassWarning) as error:
            said = f"there is no terminal to ask at; say {self.instead}"
            raise PassphraseUnusable(source=self, detail=said) from error
        if not same:
            raise PassphraseUnusable(source=self, detail="the two that were typed differ")
        return _stripped(typed.encode("utf-8"), self)

    def __str__(self) -> str:
        return "prompt"


PassphraseSource: TypeAlias = FromFile | FromDescriptor | FromCredential | FromPrompt

_CREDENTIAL = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,62}")


def parse_source(setting: str, prompt: FromPrompt = FromPrompt(), credentials: Path | None = None) -> PassphraseSource:
    """Return the source that a setting names: `file:PATH`, `fd:N`, `credential:NAME` or `prompt`.

    Args:
        setting: what it says.
        prompt: how a person is asked.
        credentials: the folder of those that systemd gave this process.

    Raises:
        PassphraseUnusable: anything else. The words are not repeated: somebody may have typed a passphrase.
    """
    scheme, _, rest = setting.partition(":")
    if setting == "prompt":
        return prompt
    if scheme == "file" and rest:
        return FromFile(Path(rest))
    # 0 to 2 are the terminal's; a passphrase there would be mixed with everything else.
    if scheme == "fd" and rest.isascii() and rest.isdigit() and 2 < int(rest[:10]) < 2**31:
        return FromDescriptor(int(rest))
    if scheme == "credential" and _CREDENTIAL.fullmatch(rest):
        return FromCredential(credentials, rest)
    detail = "it is none of file:PATH, fd:N, credential:NAME and prompt"
    raise PassphraseUnusable(source="named in the settings", detail=detail)


def chosen_passphrase(source: PassphraseSource) -> bytes:
    """Return a passphrase under which something is to be sealed: every one that somebody chooses comes from here.

    Args:
        source: where it comes from; a person types it twice.

    Raises:
        PassphraseUnusable: as of reading it, or it is shorter than one may be.
    """
    read = (replace(source, twice=True) if isinstance(source, FromPrompt) else source).read()
    if len(read.decode("utf-8", "replace")) < FEWEST_CHARACTERS:
        detail = f"a new passphrase has {FEWEST_CHARACTERS} characters at least, and this has fewer"
        raise PassphraseUnusable(source=source, detail=detail)
    return read


def new_passphrase() -> str:
    """Return a random passphrase of 192 bits, printable, for the file of a test authority."""
    return secrets.token_urlsafe(24)


def _stripped(read: bytes, source: PassphraseSource) -> bytes:
    """Take one newline off the end, which editors and echo put there; all else belongs to the passphrase."""
    passphrase = read.removesuffix(b"\n").removesuffix(b"\r") if read.endswith(b"\n") else read
    if not passphrase:
        raise PassphraseUnusable(source=source, detail="it is empty")
    if len(passphrase) > LONGEST:
        raise PassphraseUnusable(source=source, detail=f"it is longer than {LONGEST} octets")
    return passphrase

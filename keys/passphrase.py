"""Where a passphrase comes from: a file, an open file descriptor, or a person at the terminal.

Never the command line (every user of the machine reads it) and never the environment (every child inherits it).
"""

import getpass
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from core.errors import PassphraseUnusable
from keys.private_file import NotPrivate, read_private

LONGEST = 1024
"""Octets; what is longer is not a passphrase but the wrong file."""


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
class FromPrompt:
    """A person at the terminal; what is typed is not shown.

    Args:
        twice: ask again and compare, for a passphrase that is being chosen.
        of: what it opens, for the question.
        what: it is called, for the question.
    """

    twice: bool = False
    of: str = "the authority's keys"
    what: str = "Passphrase"

    def read(self) -> bytes:
        """Return the passphrase; PassphraseUnusable if it is empty, nobody is there, or the two differ."""
        try:
            typed = getpass.getpass(f"{self.what} of {self.of}: ")
            if self.twice and getpass.getpass("Once more: ") != typed:
                raise PassphraseUnusable(source=self, detail="the two that were typed differ")
        except (EOFError, OSError) as error:
            raise PassphraseUnusable(source=self, detail="there is no terminal to ask at") from error
        return _stripped(typed.encode("utf-8"), self)

    def __str__(self) -> str:
        return "prompt"


PassphraseSource: TypeAlias = FromFile | FromDescriptor | FromPrompt


def parse_source(setting: str, prompt: FromPrompt = FromPrompt()) -> PassphraseSource:
    """Return the source that a setting names: `file:PATH`, `fd:N` or `prompt`.

    Args:
        setting: what it says.
        prompt: how a person is asked.

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
    raise PassphraseUnusable(source="named in the settings", detail="it is none of file:PATH, fd:N and prompt")


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

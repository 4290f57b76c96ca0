"""Texts that people give to a command: as they stand, or out of a file, so that they need not be typed in one line."""

import sys
from pathlib import Path
from typing import Any

import click

from app.cli.form_files import LARGEST_TEXT_FILE
from core.errors import InputUnusable
from core.words import says_something

_FROM = "@"
"""A text that begins so names a file: what others on this machine may not read belongs on no command line."""


class WordsType(click.ParamType[str]):
    """A text, `@FILE` for the contents of a file, or `@-` for what is typed."""

    name = "TEXT|@FILE"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str:
        """Return the text; InputUnusable if it names a file that is no text, usage if there is nothing in it."""
        said = str(value)
        words = (_text_of(said.removeprefix(_FROM)) if said.startswith(_FROM) else said).strip()
        if not says_something(words):
            self.fail("there is nothing in it.", param, ctx)
        return words


WORDS = WordsType()


def _text_of(name: str) -> str:
    try:
        if name == "-":
            octets = sys.stdin.buffer.read(LARGEST_TEXT_FILE + 1)
        else:
            with Path(name).open("rb") as file:
                octets = file.read(LARGEST_TEXT_FILE + 1)
    except OSError as error:
        raise InputUnusable(path=name, detail=f"it cannot be read ({error.strerror}).") from None
    if len(octets) > LARGEST_TEXT_FILE:
        raise InputUnusable(path=name, detail=f"it is larger than {LARGEST_TEXT_FILE // 1024} KiB.")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise InputUnusable(path=name, detail="it is not text in UTF-8.") from None

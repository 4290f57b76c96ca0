"""Texts that people give to a command: as they stand, or out of a file, so that they need not be typed in one line."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from app.cli.form_files import LARGEST_TEXT_FILE
from core.classification import Classification
from core.errors import InputUnusable
from core.plain_text import TextUnreadable, utf8
from core.words import says_something

_F = TypeVar("_F", bound=Callable[..., Any])

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


class WordsOfFileType(WordsType):
    """The contents of a file, `FILE`, or of what is typed, `-`."""

    name = "FILE"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str:
        """Return the text; for errors see `WordsType`."""
        return super().convert(f"{_FROM}{value}", param, ctx)


WORDS = WordsType()
WORDS_OF_FILE = WordsOfFileType()


class Renamed(click.Option):
    """An option that had other names once: they are taken still, and only the first is shown."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return how help shows it."""
        names, self.opts = self.opts, self.opts[:1]
        try:
            return super().get_help_record(ctx)
        finally:
            self.opts = names

    def get_error_hint(self, ctx: click.Context | None) -> str:  # noqa: ARG002 - click's signature
        """Return what it is called where something is wrong with it."""
        return f"'{self.opts[0]}'"


def why_option(said: str, *, former: str | None = None, required: bool = True) -> Callable[[_F], _F]:
    """Add `--why`: the one name for the words in which somebody says why.

    Args:
        said: its help.
        former: what it was called there before, which is taken still.
        required: whether the command does nothing without it.
    """
    names = ("--why", *(() if former is None else (former,)), "why")
    return click.option(*names, cls=Renamed, type=WORDS, required=required, help=said)


def class_option(said: str, *, metavar: str | None = None) -> Callable[[_F], _F]:
    """Add `--class`: from whom the SSC keeps what it says or attaches; `said` is its help.

    Args:
        said: its help.
        metavar: what stands for the four classes in a help that has no room for them.
    """
    classes = click.Choice([each.value for each in Classification])
    return click.option("--class", "classification", type=classes, metavar=metavar, help=said)


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
        return utf8(octets)
    except TextUnreadable as error:
        raise InputUnusable(path=name, detail=f"{error}.") from None

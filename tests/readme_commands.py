"""The commands of the README, as somebody copies them: in order, with where their output goes."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from app.cli.main import cli

README = Path(__file__).parents[1] / "README.md"
HANDBOOK = README.parent / "docs" / "handbook.md"
_FENCED = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SUBSTITUTED = re.compile(r"\$\(date -u \+%Y-%m\)")


@dataclass(frozen=True)
class Copied:
    """A command of ours.

    Args:
        words: behind the program's name.
        to: the file that takes what it prints; None for the terminal.
    """

    words: tuple[str, ...]
    to: str | None

    @property
    def whole(self) -> bool:
        """Whether it can be run as it stands: dots stand for what is somebody's own."""
        return not any("…" in each for each in self.words)


def copied(month: str) -> Iterator[Copied]:
    """Return each command of the README's blocks.

    Args:
        month: what `$(date -u +%Y-%m)` prints.
    """
    for block in _FENCED.findall(README.read_text("utf-8")):
        for line in block.splitlines():
            if line.startswith("trialcpa "):
                words = shlex.split(_SUBSTITUTED.sub(month, line), comments=True)[1:]
                ends = words.index(">") if ">" in words else len(words)
                yield Copied(tuple(words[:ends]), "".join(words[ends + 1 :]) or None)


def unknown_in(words: tuple[str, ...]) -> list[str]:
    """Return the words of a command that no command or option of ours is called."""
    command: click.Command = cli
    found = []
    for each in words:
        if isinstance(command, click.Group):
            below = command.get_command(click.Context(command), each)
            if below is None:
                return [each]
            command = below
        elif each.startswith("--") and each not in {name for one in command.params for name in one.opts}:
            found.append(each)
    return found

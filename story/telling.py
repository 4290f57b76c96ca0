"""How the story is told: numbered steps, one line for each proof, and one line at the end."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

WIDTH = 100
"""Columns; a narrower terminal gets its own width."""

_NAME_COLUMNS = 25


class Stopped(Exception):
    """What comes next needs what has just failed; the failure has been told."""


@dataclass(frozen=True)
class Proof:
    """One thing that was looked at.

    Args:
        name: of the channel or the tool; the last line names it if it fails.
        ok: whether it said what it should.
        detail: what it said, for people.
    """

    name: str
    ok: bool
    detail: str


class Teller:
    """Tells people what happens and remembers what failed.

    Args:
        console: where to; None is standard output.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._width = min(WIDTH, self._console.width) if self._console.is_terminal else WIDTH
        self._step = 0
        self._failed: list[str] = []

    @property
    def failed(self) -> Sequence[str]:
        """The names of what failed, each once, in order."""
        return tuple(dict.fromkeys(self._failed))

    def part(self, title: str, explanation: str) -> None:
        """Begin a part."""
        self._console.print()
        self._print(Text(title, style="bold reverse"))
        for line in textwrap.wrap(explanation, self._width):
            self._print(Text(line, style="dim"))

    def step(self, title: str) -> None:
        """Begin a step; the proofs that follow belong to it."""
        self._step += 1
        self._console.print()
        lines = textwrap.wrap(title, self._width - 4)
        self._print(Text.assemble((f"{self._step:2}. ", "bold cyan"), (lines[0], "bold")))
        for line in lines[1:]:
            self._print(Text(f"    {line}", style="bold"))

    def note(self, sentence: str) -> None:
        """Say something that needs no proof."""
        for line in textwrap.wrap(sentence, self._width - 6):
            self._print(Text(f"      {line}", style="dim"))

    def prove(self, name: str, ok: bool, detail: str) -> bool:  # noqa: FBT001 - it is the point of the call
        """Tell one proof; return whether it holds."""
        if not ok:
            self._failed.append(name)
        indent = 4 + 2 + _NAME_COLUMNS
        lines = textwrap.wrap(detail, max(20, self._width - indent), break_on_hyphens=False) or [""]
        style = "" if ok else "bold red"
        mark = ("✓", "green") if ok else ("✗", style)
        self._print(Text.assemble("    ", mark, f" {name:<{_NAME_COLUMNS - 1}} ", (lines[0], style)))
        for line in lines[1:]:
            self._print(Text(f"{' ' * indent}{line}", style=style))
        return ok

    def tell(self, proofs: Sequence[Proof]) -> bool:
        """Tell several proofs; return whether all hold."""
        told = [self.prove(proof.name, proof.ok, proof.detail) for proof in proofs]
        return all(told)

    def need(self, name: str, ok: bool, detail: str) -> None:  # noqa: FBT001 - as in prove
        """Tell a proof without which this part cannot go on; raises Stopped if it fails."""
        if not self.prove(name, ok, detail):
            raise Stopped(name)

    def end(self) -> bool:
        """Tell the last line; return whether everything agreed."""
        self._console.print()
        if self.failed:
            self._print(Text(f"not every channel agrees: {', '.join(self.failed)}", style="bold red"))
        else:
            self._print(Text("every channel agrees", style="bold green"))
        return not self.failed

    def _print(self, words: Text) -> None:
        self._console.print(words, soft_wrap=True)

"""What an audit has found: rows that do not follow from the journal, what nothing tells, and what is only said."""

from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_NAMED = 100
"""Rows that are named; of all others is told how many there are."""


@dataclass(frozen=True)
class Found:
    """One row that is not what it has to be.

    Args:
        row: which: `row 17` of the journal, else its table and its key.
        detail: what is wrong with it, a sentence.
    """

    row: str
    detail: str

    def __str__(self) -> str:
        return f"{self.row}: {self.detail}"


@dataclass
class Findings:
    """What was found, in the order in which it was.

    Args:
        problems: rows, the first first.
        more: how many there are beyond these.
        unknown: what could not be found out, each goes on from "It cannot be known".
        notes: what is said with a proof, and takes nothing from it.
    """

    problems: list[Found] = field(default_factory=list)
    more: int = 0
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def against(self, row: str, detail: str) -> None:
        """Say that a row is not what it has to be."""
        if len(self.problems) < MOST_NAMED:
            self.problems.append(Found(row, detail))
        else:
            self.more += 1

    def cannot_know(self, what: str) -> None:
        """Say that something could not be found out, once."""
        if what not in self.unknown and len(self.unknown) < MOST_NAMED:
            self.unknown.append(what)

    def note(self, what: str) -> None:
        """Say something that takes nothing from the proof, once."""
        if what not in self.notes and len(self.notes) < MOST_NAMED:
            self.notes.append(what)

    def all_against(self, row: str, details: Iterable[str]) -> None:
        """Say several things of one row."""
        for each in details:
            self.against(row, each)

"""Errands: what the courier does beside the feed of facts, and how a failure on one is told."""

import traceback
from pathlib import Path
from typing import Protocol


class Errand(Protocol):
    """Something that the courier does, a portion at a time."""

    def turn(self) -> int:
        """Do what is due, at most one portion; return how much was done."""
        ...


def whereabouts(error: BaseException) -> str:
    """Return what failed and where, without the error's text: it might quote what is withheld (F2.22)."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"

"""Judges are built once, kept under build/, and asked as programs; whoever has no compiler is not asked for one."""

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BUILT = Path(__file__).parents[2] / "build" / "judges"
_FOREIGN = 300.0
"""Seconds within which a judge is built and has judged."""


def have(command: str, called: str) -> None:
    """Leave the test out where a program is missing."""
    if shutil.which(command) is None:
        pytest.skip(f"{called} is not installed here, so this judge is not asked")


def built(folder: Path, *command: str) -> None:
    """Build a judge from what lies in its folder."""
    BUILT.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=_FOREIGN)
    assert done.returncode == 0, done.stderr


def ask(*command: str) -> str:
    """Return what a judge says."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_FOREIGN)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def lines(said: str) -> dict[str, str]:
    """Return a judge's lines, each a name and what it says of it."""
    return dict(line.split(": ", 1) for line in said.splitlines())

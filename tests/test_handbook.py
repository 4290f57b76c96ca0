"""docs/handbook.md: six pages at most, whose commands, units, settings and codes are those that there are."""

import re
import shlex

from app.doctor.findings import FindingCode
from core import errors
from core.alarms import AlarmCode
from core.errors import TrialCpaError
from tests.readme_commands import HANDBOOK, README, unknown_in

TEXT = HANDBOOK.read_text("utf-8")
LINES_OF_A_PAGE = 55
_BLOCKS = re.findall(r"^```\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
LINES = [line for block in _BLOCKS for line in block.splitlines()]


def test_it_has_six_pages_at_most() -> None:
    assert len(TEXT.splitlines()) <= 6 * LINES_OF_A_PAGE


def test_each_command_in_it_is_one_of_ours() -> None:
    # What the map of PostgreSQL's users says begins with a name of the database.
    typed = [
        line.partition("trialcpa ")[2] for line in LINES if re.match(r"(runuser -u \S+ -- )?trialcpa [a-z]+ ?", line)
    ]
    inline = re.findall(r"`(?:runuser -u \S+ -- )?trialcpa ([^`\n]+)`", TEXT)
    commands = [shlex.split(line) for line in (*typed, *inline) if not re.fullmatch(r"\S+ trialcpa", line)]
    assert len(commands) > 30
    assert [words for words in commands if unknown_in(tuple(words))] == []


def test_units_and_files_that_it_names_are_there() -> None:
    folder = README.parent
    named = re.findall(r"(?:deploy|docs)/[\w./-]*\w(?![\w*])", TEXT)
    assert [each for each in named if not (folder / each).exists()] == []
    enabled = [
        word for line in LINES if line.startswith("systemctl ") for word in line.split() if word.startswith("trialcpa")
    ]
    units = {each.name for each in (folder / "deploy" / "systemd").iterdir()}
    assert {each for each in enabled if not {each, f"{each}.service"} & units} == set()


def test_codes_that_it_names_are_codes() -> None:
    every = {each.code for each in vars(errors).values() if isinstance(each, type) and issubclass(each, TrialCpaError)}
    every |= {each.value for each in (*AlarmCode, *FindingCode)}
    disasters = [line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| `")]
    named = {each for cell in disasters for each in re.findall(r"`([a-z-]+)`", cell)}
    assert len(named) > 5
    assert named <= every


def test_a_release_brings_it() -> None:
    assert "docs/handbook.md" in (README.parent / "script" / "release").read_text("utf-8")

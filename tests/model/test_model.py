"""Whatever is done in whatever order, every channel says what a model of sixty lines says; and a defect is found."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Machine

LONGEST_MODEL = 60
"""Lines: what is to be believed must be read at a glance."""


def run(make: Callable[[], Machine], **changes: Any) -> None:
    hurried = settings(deadline=None, suppress_health_check=list(HealthCheck), report_multiple_bugs=False, **changes)
    run_state_machine_as_test(make, settings=hurried)  # type: ignore[no-untyped-call]


@pytest.fixture
def machine(store_copy: Callable[[str], str], keys_folder: Path) -> Callable[[], Machine]:
    return lambda: Machine(store_copy("sqlite"), keys_folder)


def test_the_model_can_be_read_at_a_glance() -> None:
    assert len((Path(__file__).parent / "model.py").read_text().splitlines()) <= LONGEST_MODEL


def test_every_channel_says_what_the_model_says_whatever_is_done(machine: Callable[[], Machine]) -> None:
    run(machine, max_examples=10, stateful_step_count=20)

"""Whatever is done in whatever order, every channel says what a model of ninety lines says; and defects are found."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from jobs import expire
from ra.deciding import lapse, later_issue
from ra.reporting import figures as report_figures
from store.verbs import approvals
from tests.model.machine import Machine
from tests.model.witness import SECOND

LONGEST_MODEL = 90
"""Lines: what is to be believed must be read at a glance."""

Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
def machine(store_copy: Callable[[str], str], keys_folder: Path) -> Callable[[], Machine]:
    return lambda: Machine(store_copy("sqlite"), keys_folder)


def run(make: Callable[[], Machine], *, examples: int, steps: int, **changes: Any) -> None:
    chosen = settings(
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        max_examples=examples,
        stateful_step_count=steps,
        **changes,
    )
    # A function will do, Hypothesis says; its type says a class only.
    run_state_machine_as_test(make, settings=chosen)  # type: ignore[arg-type]


def test_the_model_can_be_read_at_a_glance() -> None:
    assert len((Path(__file__).parent / "model.py").read_text().splitlines()) <= LONGEST_MODEL


@pytest.mark.clause("F2.23")
@pytest.mark.clause("F2.25")
@pytest.mark.clause("F2.26")
@pytest.mark.clause("F2.27")
@pytest.mark.clause("F2.28(a)")
@pytest.mark.clause("F2.28(b)")
@pytest.mark.clause("F2.28(c)")
@pytest.mark.clause("F2.28(d)")
@pytest.mark.clause("F2.28(e)")
@pytest.mark.clause("F2.28(f)")
@pytest.mark.clause("F2.28(g)")
@pytest.mark.clause("F2.29")
@pytest.mark.clause("F2.30")
@pytest.mark.clause("F2.31")
@pytest.mark.parametrize(
    ("examples", "steps"), [pytest.param(10, 20, id="short"), pytest.param(250, 40, id="long", marks=pytest.mark.long)]
)
def test_every_channel_says_what_the_model_says_whatever_is_done(
    machine: Callable[[], Machine], examples: int, steps: int
) -> None:
    run(machine, examples=examples, steps=steps)


# --- the machine can fail -----------------------------------------------------------------------------------------


def supersede_late(patch: pytest.MonkeyPatch) -> None:
    kept = approvals.supersede

    def late(tx: Any, approval: str, *, by_issue: int, at: datetime) -> Any:
        return kept(tx, approval, by_issue=by_issue, at=at + SECOND)

    patch.setattr(approvals, "supersede", late)


def leave_certificates_of_what_is_revoked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(approvals, "cancel_certificates", lambda *_, **__: [])


def forget_the_panel_at_an_expiry(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(expire, "instruct", lambda *_, **__: [])


def count_from_the_beginning_in_each_report(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(report_figures, "counted_in", lambda _: {})


def second_what_has_lapsed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lapse, "passed", lambda *_: None)


def build_on_what_was_decided_last(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(later_issue, "holding", lambda record, _: record.certificates[-1])


PLANTS = (
    build_on_what_was_decided_last,
    supersede_late,
    leave_certificates_of_what_is_revoked,
    forget_the_panel_at_an_expiry,
    count_from_the_beginning_in_each_report,
    second_what_has_lapsed,
)


def one_life(machine: Machine) -> None:
    """Grants, amendments, one that waits and is carried, then withdrawn, one that lapses, a report, a revocation and an
    expiry; all is looked at each time.
    """
    grant = partial(machine.grant, begins=0, lasts=40, limit=2, firmware=frozenset({"0001"}))
    for step in (
        partial(grant, device="01", meanwhile="nothing"),
        partial(grant, device="02", meanwhile="restart"),
        partial(
            machine.amend,
            which=0,
            change={"firmware": frozenset({"0001", "9001"}), "effective": (8, 0)},
            meanwhile="nothing",
        ),
        partial(machine.amend, which=0, change={"limit": 3}, meanwhile="nothing"),
        partial(machine.wait_for_a_turn, which=0, beside=0),
        partial(machine.deploy, which=0, units=2, again=False),
        machine.correct,
        machine.panel_does_what_is_due,
        machine.issue_report,
        partial(grant, device="03", meanwhile=None),
        machine.require,
        partial(machine.second, which=0, late=0, meanwhile="nothing"),
        partial(machine.meet, which=0),
        partial(machine.second, which=0, late=0, meanwhile="nothing"),
        partial(
            machine.amend, which=0, change={"limit": 1, "effective": (2, 0), "condition": "set"}, meanwhile="nothing"
        ),
        partial(machine.withdraw_waiting, which=0),
        partial(
            machine.amend, which=0, change={"limit": 2, "effective": (3, 0), "condition": "end"}, meanwhile="nothing"
        ),
        machine.ask_again,
        partial(machine.end, which=1, withdrawn=False),
        partial(machine.amend, which=0, change={"expiry": 45}, meanwhile=None),
        partial(machine.second, which=0, late=1, meanwhile="nothing"),
        partial(machine.wait_for_a_turn, which=0, beside=-1),
        partial(machine.wait, by=timedelta(days=50)),
    ):
        step()
        machine.everything_agrees()


def test_a_life_that_is_as_it_should_be_passes(machine: Callable[[], Machine]) -> None:
    living = machine()
    one_life(living)
    living.teardown()


@pytest.mark.parametrize(
    "plant",
    [each if place % 3 == 0 else pytest.param(each, marks=pytest.mark.long) for place, each in enumerate(PLANTS)],
)
def test_a_planted_defect_is_seen(
    machine: Callable[[], Machine], monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    plant(monkeypatch)
    living = machine()
    with pytest.raises(AssertionError):
        one_life(living)
    living.teardown()


@pytest.mark.long
@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_defect_is_found_by_chance(
    machine: Callable[[], Machine], monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        # The same places are searched every time, and what is found there is not made shorter.
        run(machine, examples=100, steps=30, derandomize=True, database=None, phases=[Phase.generate])

"""The fold over stints: any history against a plain dictionary, in any order, once or many times over."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.approval import ApprovalRecord, Device, Terms
from core.deployments import Event, Line, LineCode, Stint, sentence
from core.instants import first_second, last_second
from ra.reporting import ledger as deployment_ledger
from ra.reporting.catalogue import Catalogue
from ra.reporting.ledger import Ledger
from tests.deployments_world import LATER, VERSION, eui
from tests.world import FIRMWARE

START = first_second(LATER.replace(month=1, day=4).date())
EXPIRY = last_second(LATER.replace(month=6).date())
NAMES = ("A", "B")
CATALOGUE = Catalogue(
    ApprovalRecord(
        name, "org", Device("ESME", "AB01", name, "01"), START, START, (Terms(1, START, EXPIRY, 5, FIRMWARE),)
    )
    for name in NAMES
)
NOW = START + timedelta(days=100)
DEVICES = [eui(number) for number in range(4)]


def taken(stints: Sequence[Stint], lines: Sequence[Line]) -> tuple[list[Stint], list[str]]:
    """The stints after a report, as the register would hand them over the next time, and what became of each line."""
    ledger = Ledger(CATALOGUE, [replace(each) for each in stints], NOW)
    verdicts = {each.number: each.outcome.value for each in ledger.take(lines)}
    begun, changed = ledger.changes()
    fates = {each.id: each for each in changed}
    after = [fates.get(each.id, each) for each in stints]
    after += [replace(each, id=len(after) + number) for number, each in enumerate(begun, 1)]
    return [replace(each, changed=False) for each in after], [verdicts[line.number] for line in lines]


def overlapping(stints: Sequence[Stint]) -> list[tuple[Stint, Stint]]:
    standing = [each for each in stints if each.void_reason is None]
    return [
        (one, other)
        for place, one in enumerate(standing)
        for other in standing[place + 1 :]
        if one.device_id == other.device_id
        and one.deployed_at < (other.decommissioned_at or NOW + timedelta(1))
        and other.deployed_at < (one.decommissioned_at or NOW + timedelta(1))
    ]


@st.composite
def lines(draw: st.DrawFn) -> list[Line]:
    """Anything that can be read: most of it contradicts the rest."""
    made = []
    for number in range(1, draw(st.integers(1, 14)) + 1):
        event = draw(st.sampled_from(Event))
        device = draw(st.sampled_from(DEVICES[:3]))
        whole_day = draw(st.booleans())
        hours = 0 if whole_day else draw(st.sampled_from([0, 10]))
        on = START + timedelta(days=draw(st.integers(0, 4)), hours=hours)
        named = draw(st.sampled_from(NAMES)) if event is Event.DEPLOYED or draw(st.booleans()) else None
        by = draw(st.sampled_from([each for each in DEVICES if each != device])) if event is Event.REPLACED else ""
        why = draw(st.sampled_from(["x", "y"])) if event in {Event.CORRECTED, Event.NOT_DECOMMISSIONED} else ""
        made.append(Line(number, event, device, on, whole_day, named, None, VERSION, by, why))
    return made


@settings(max_examples=300)
@given(st.lists(lines(), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_whatever_is_reported_a_device_is_in_one_place_and_the_same_again_changes_nothing(
    reports: list[list[Line]], chance: object
) -> None:
    stints: list[Stint] = []
    for report in reports:
        before = stints
        stints, first = taken(stints, report)
        assert overlapping(stints) == []
        # What was recorded stays: nothing is edited but its later fate, and a fate once written stays too.
        for old, new in zip(before, stints, strict=False):
            assert (old.device_id, old.approval, old.deployed_at) == (new.device_id, new.approval, new.deployed_at)
            undone = {each.at for each in new.undone}
            assert old.decommissioned_at in {None, new.decommissioned_at, *undone}
            assert new.undone[: len(old.undone)] == old.undone
            assert old.void_reason in {None, new.void_reason}
        shuffled = list(report)
        chance.shuffle(shuffled)  # type: ignore[attr-defined]
        for again in (report, report[::-1], shuffled):
            after, outcomes = taken(stints, again)
            assert after == stints
            assert "recorded" not in outcomes
            was = dict(zip((line.number for line in report), first, strict=True))
            for line, outcome in zip(again, outcomes, strict=True):
                assert (outcome == "known") is (was[line.number] in {"recorded", "known"})


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Line], dict[str, str]]:
    """What may happen to devices in the course of a trial, and where each is in the end: a plain dictionary."""
    where: dict[str, tuple[str, Line]] = {}
    told: list[Line] = []
    for number in range(1, draw(st.integers(1, 25)) + 1):
        on = START + timedelta(days=number)
        device = draw(st.sampled_from(DEVICES))
        line = Line(number, Event.DEPLOYED, device, on, firmware=VERSION, approval=draw(st.sampled_from(NAMES)))
        if device not in where:
            where[device] = (str(line.approval), line)
        else:
            approval, since = where.pop(device)
            free = [each for each in DEVICES if each not in where and each != device]
            event = draw(st.sampled_from([Event.DECOMMISSIONED, Event.CORRECTED, *[Event.REPLACED] * bool(free)]))
            line = replace(line, event=event, approval=None)
            if event is Event.REPLACED:
                line = replace(line, by=draw(st.sampled_from(free)))
                where[line.by] = (approval, line)
            if event is Event.CORRECTED:
                line = replace(line, on=since.on, why=f"mistake {number}")
        told.append(line)
    return told, {device: approval for device, (approval, _) in where.items()}


@settings(max_examples=200)
@given(histories(), st.randoms(use_true_random=False))
def test_a_true_history_is_recorded_whole_line_by_line_at_once_or_in_any_order(
    history: tuple[list[Line], dict[str, str]], chance: object
) -> None:
    told, where = history
    shuffled = list(told)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    for reports in ([[line] for line in told], [told], [told[::-1]], [shuffled]):
        stints: list[Stint] = []
        for report in reports:
            stints, outcomes = taken(stints, report)
            assert set(outcomes) == {"recorded"}, report
        assert {each.device_id: each.approval for each in stints if each.open} == where


def test_lines_that_wait_for_each_other_are_gone_through_a_bounded_number_of_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns = 0
    take = Ledger._take

    def counted(self: Ledger, line: Line) -> object:
        nonlocal turns
        turns += 1
        return take(self, line)

    monkeypatch.setattr(Ledger, "_take", counted)
    corrections = [
        Line(number, Event.CORRECTED, DEVICES[0], START, why=f"{number}", firmware=VERSION) for number in range(1, 101)
    ]
    up = Line(0, Event.DEPLOYED, DEVICES[0], START, approval="A", firmware=VERSION)
    taken([], [*corrections, up])
    assert turns <= (len(corrections) + 1) * deployment_ledger.MOST_TURNS


def test_every_code_has_its_sentence() -> None:
    names = ["what", "fields", "approval", "start", "ended", "since", "until", "most", "first", "second"]
    fields = dict.fromkeys(names, "1")
    for code in LineCode:
        assert sentence(code, **fields).endswith("."), code


def test_a_whole_day_that_was_known_by_an_hour_stays_known_when_that_was_corrected() -> None:
    hour = Line(1, Event.DEPLOYED, DEVICES[0], START + timedelta(hours=10), firmware=VERSION, approval="A")
    day = replace(hour, number=2, on=START, whole_day=True)
    back = replace(day, number=3, event=Event.CORRECTED, approval=None, why="never")
    stints, outcomes = taken(taken([], [hour])[0], [day, back])
    assert outcomes == ["known", "recorded"]
    assert taken(stints, [day, back]) == (stints, ["known", "known"])

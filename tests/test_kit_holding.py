"""A copy answers at once what it would if it worked each answer out from nothing, and nothing when it is too old."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.instants import seconds
from tests.test_kit_status import document, with_issuers
from tests.test_status import BASE, SPAN, arbitrary, instant
from verify.kit.holding import BACK, Answer, Holding
from verify.kit.instants import text
from verify.kit.simulated import granted
from verify.kit.status import Document
from verify.kit.stopped import Check, Stopped

ZERO = seconds(BASE)
LONGEST = 25
APPROVALS = 2


@dataclass
class Taken:
    """Documents that a copy takes, and when it was the newest with them."""

    documents: list[dict[str, Any]]
    proved: int


def names(number: int) -> Iterator[tuple[str, str]]:
    yield "approval", f"approval {number}"
    for issue in range(1, 5):
        yield "serial", f"{number} serial {issue}"
        yield "sha256", f"{number} sha256 {issue}"


QUESTIONS = [each for number in range(APPROVALS + 1) for each in names(number)]
seconds_drawn = st.integers(-2, SPAN + 5).map(lambda number: ZERO + number)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """One that the log could carry of one of few approvals, with ends of it that are disputed or not."""
    record, number = draw(arbitrary()), draw(st.integers(0, APPROVALS - 1))
    ended = [draw(st.none() | st.integers(0, SPAN - 1).map(instant)) for _ in record.certificates]
    said = document(with_issuers(record, ended), ended) | {"approval": f"approval {number}"}
    for each in said["certificates"]:
        each |= {"serial": f"{number} serial {each['issue']}", "sha256": f"{number} sha256 {each['issue']}"}
    ends = {said["ended_at"], *(each["revoked_at"] for each in said["certificates"])} - {None}
    return said | {"disputed": sorted(each for each in ends if draw(st.booleans()))}


lives = st.lists(st.builds(Taken, st.lists(documents(), max_size=2), seconds_drawn), min_size=1, max_size=4)


def said(given: Answer | Stopped) -> object:
    if isinstance(given, Stopped):
        return given.check
    return json.dumps(given.members), given.since, given.until


@given(lives, st.lists(seconds_drawn, min_size=1, max_size=4))
def test_what_is_at_hand_is_what_is_worked_out_from_nothing(life: list[Taken], clock: list[int]) -> None:
    """Whatever a copy took, was asked, and of whichever second, before."""
    copy, documents = Holding(LONGEST), dict[str, Document]()
    for taken in life:
        copy.take(deepcopy(taken.documents), taken.proved)
        documents |= {each["approval"]: each for each in taken.documents}
        plain = Holding(LONGEST)
        plain.take(deepcopy(list(documents.values())), taken.proved)
        for now, (kind, value) in product([*clock, *reversed(clock)], QUESTIONS):
            fast = tried(partial(copy.answer, kind, value, now))
            assert said(fast) == said(tried(partial(plain.asked, {kind: value}, now)))
            if isinstance(fast, Answer):
                assert taken.proved - BACK <= now <= fast.until <= taken.proved + LONGEST
            else:
                assert fast.check is Check.TOO_OLD


def tried(ask: Callable[[], Answer]) -> Answer | Stopped:
    try:
        return ask()
    except Stopped as stopped:
        return stopped


@given(documents())
def test_an_answer_is_true_until_it_says_so(carried: dict[str, Any]) -> None:
    """What was answered once is what is answered in every second until which it may be relied on."""
    copy = Holding(10**6)
    copy.take([carried], ZERO)
    for kind, value in QUESTIONS:
        answers = list[Answer]()
        for now in range(ZERO - 2, ZERO + SPAN + 2):
            answers.append(copy.answer(kind, value, now))
            assert all(each.what == answers[-1].what for each in answers if now <= each.until)


def test_a_second_end_that_is_disputed_is_told_from_its_instant_on() -> None:
    carried = granted(1, ZERO)
    serial = carried["certificates"][0]["serial"]
    ends = {"superseded_at": text(ZERO + 5), "revoked_at": text(ZERO + 10), "cause": "ssc"}
    carried["certificates"][0] |= ends
    copy = Holding(600)
    copy.take([carried | {"disputed": [text(ZERO + 10)]}], ZERO)
    given_before = copy.answer("serial", serial, ZERO + 7)
    assert given_before.until == ZERO + 9
    for now, codes in ((7, ["superseded"]), (9, ["superseded"]), (10, ["superseded", "end-disputed"])):
        reasons = copy.answer("serial", serial, ZERO + now).members["reasons"]
        assert [each["code"] for each in reasons] == codes


def test_whoever_changes_an_answer_changes_no_other() -> None:
    carried = granted(1, ZERO)
    copy = Holding(600)
    copy.take([carried], ZERO)
    copy.answer("approval", carried["approval"], ZERO).members["valid"] = "no"
    assert copy.answer("approval", carried["approval"], ZERO).members["valid"] is True


@pytest.mark.parametrize("kind", ["device", "at", "anything"])
def test_what_is_no_question_is_said_to_be_none(kind: str) -> None:
    copy = Holding(600)
    copy.take([], ZERO)
    with pytest.raises(ValueError, match="name exactly one"):
        copy.answer(kind, "approval 1", ZERO)

"""The table of what is promised of speed: each row can be measured and judged, and says whether it holds."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bench import national
from bench.national import Figure, Run, Unmeasured, kept, row, table
from bench.promises import FIRST_FRONT, PROMISES, SECOND_FRONT, Aim, Part, Promise

_LEAST = Promise(what="Something", aim=Aim(value=0.75, unit="of all"), part=Part.BATCH, others="nobody has it")
_MOST = replace(_LEAST, aim=Aim(value=4, unit="s", most=True))
_FIGURE = Figure(what="Something", value=3, said="more about it", size="100 approvals", whole=True)


def _cells(line: str) -> list[str]:
    return [each.strip() for each in line.strip("|").split("|")]


def test_every_part_is_measured_and_promised() -> None:
    assert set(national.MEASURED_BY) == set(Part) == {each.part for each in PROMISES}


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.what)
def test_a_promise_has_an_aim_a_source_and_somebody_who_measures_it(promise: Promise) -> None:
    assert promise.aim.value > 0
    assert promise.aim.unit
    assert promise.aim.source
    assert callable(national.MEASURED_BY[promise.part])
    assert "|" not in f"{promise.what}{promise.aim}{promise.others}"


def test_no_two_promises_have_one_name() -> None:
    assert [what for what, times in Counter(each.what for each in PROMISES).items() if times > 1] == []


def test_both_fronts_are_promised_the_same_questions() -> None:
    asked = [[each.what for each in PROMISES if each.aim is aim] for aim in (SECOND_FRONT, FIRST_FRONT)]
    assert [len(each) for each in asked] == [6, 6]


@pytest.mark.parametrize(
    ("promise", "figure", "said"),
    [
        (_LEAST, _FIGURE, "yes"),
        (_LEAST, replace(_FIGURE, value=0.75), "yes"),
        (_LEAST, replace(_FIGURE, value=0.749), "**no**"),
        (_LEAST, replace(_FIGURE, whole=False), "not measured here (reached with less than was promised)"),
        (_LEAST, replace(_FIGURE, value=0.1, whole=False), "**no**"),
        (_MOST, _FIGURE, "yes"),
        (_MOST, replace(_FIGURE, value=4.01), "**no**"),
        (_MOST, None, "not measured here (there is no cc)"),
    ],
)
def test_a_row_says_whether_it_holds(promise: Promise, figure: Figure | None, said: str) -> None:
    line, _ = row(promise, figure, "load 1.0", "there is no cc")
    what, aim, _, holds, size, others = _cells(line)
    assert (what, aim, holds) == ("Something", str(promise.aim), said)
    assert size == ("–" if figure is None else "100 approvals; load 1.0")
    assert others == "told elsewhere (28 November, 2 vCPU 2.5 GHz): nobody has it"


def test_a_peer_of_the_same_run_comes_first_and_others_are_not_said_twice() -> None:
    line, others = row(_LEAST, replace(_FIGURE, peers="openssl in this run 9"), "load 1.0")
    assert _cells(line)[-1] == others
    assert others.startswith("openssl in this run 9; told elsewhere")
    again, _ = row(_LEAST, replace(_FIGURE, peers="openssl in this run 9"), "load 1.0", above=others)
    assert _cells(again)[-1] == "as above"


def test_a_part_that_is_measured_tells_of_each_of_its_promises() -> None:
    (line,) = table([Part.BATCH], Run(share=1_000))
    assert _cells(line)[0] == next(each.what for each in PROMISES if each.part is Part.BATCH)
    assert "100 approvals" in _cells(line)[4]


def test_a_part_that_cannot_be_measured_says_why_in_each_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    def cannot(_run: Run) -> Iterator[Figure]:
        raise Unmeasured("there is no cc")

    monkeypatch.setattr(national, "MEASURED_BY", {Part.FIRST_FRONT: cannot})
    lines = list(table([Part.FIRST_FRONT], Run()))
    assert len(lines) == sum(each.part is Part.FIRST_FRONT for each in PROMISES)
    assert {_cells(line)[3] for line in lines} == {"not measured here (there is no cc)"}


def test_a_figure_that_nobody_promised_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(national, "MEASURED_BY", {Part.AHEAD: lambda _run: iter([_FIGURE])})
    with pytest.raises(KeyError, match="Something"):
        list(table([Part.AHEAD], Run()))


def test_rows_are_written_in_place_of_those_about_the_same_and_words_stay() -> None:
    one, two = PROMISES[0], PROMISES[-1]
    before, after = (row(one, replace(_FIGURE, value=value), "load 1.0")[0] for value in (1, 2))
    other, _ = row(two, None, "load 1.0", "so")
    page = kept("# Results\n\n## work\n\nwords of it\n", [before])
    page += "\n## rates\n\nmore\n"
    page = page.replace(before, f"{before}\n\nWhere the time goes.")
    page = kept(page, [other])
    page = kept(page, [after])
    lines = page.splitlines()
    assert before not in lines
    assert lines.index(after) + 1 == lines.index(other)
    assert lines[lines.index(other) + 2] == "Where the time goes."
    assert {"words of it", "more", "## work", "## rates", f"## {national.HEADING}"} <= set(lines)
    assert kept(page, [after]) == page

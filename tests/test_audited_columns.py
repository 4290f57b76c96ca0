"""Each column of each thing in an export: a value that somebody has changed is named, or a table here says why not."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from store.reading.exported import ANSWERS, APPROVALS, KEPT, NOTICES
from tests.audit_rich import live
from tests.audit_world import audited, exported, named
from tests.world import World
from verify.audited import Audit, Pinned
from verify.kit.evidence.parsing import Unreadable

Line = dict[str, Any]

TABLES = tuple(each.name for each in (*KEPT, APPROVALS, NOTICES, ANSWERS))
WITHIN = {"terms": "approval", "certificates": "approval"}
"""What is exported inside another line."""

BELIEVED = {
    ("answer", "id"): "a number of the database's own: answers are found by serial, digest and responder",
    ("certificates", "fate"): "counts writes, so that two processes see each other's: compared with itself alone",
    ("certificates", "presign_due"): "when its next OCSP answer is due to be signed: that one is late is an alarm",
    ("certificates", "final_at"): "when the memory had its end; named where it is before that end",
    ("kept-draft", "claimed_epoch"): "the lease under which it was claimed, which is over; named where there is none",
}
"""Columns of which some values are believed, each with the reason. All others are named whatever stands there."""


@dataclass(frozen=True)
class Rich:
    """An export, line by line, and what an audit makes of it up to its last line."""

    lines: list[Line]
    audit: Audit
    places: dict[str, list[tuple[int, str | None, int]]] = field(default_factory=lambda: defaultdict(list))

    def row(self, place: tuple[int, str | None, int]) -> Line:
        """What stands at a place."""
        number, within, index = place
        line = self.lines[number]
        found: Line = line if within is None else line[within][index]
        return found

    def changed(self, place: tuple[int, str | None, int], column: str, value: object) -> Line:
        """The line of a place with one column changed."""
        number, within, index = place
        line = deepcopy(self.lines[number])
        (line if within is None else line[within][index])[column] = value
        return line


@pytest.fixture(scope="module")
def rich(store_copy: Callable[[str], str], keys_folder: Path) -> Rich:
    made = live(World(store_copy("sqlite"), keys_folder))
    lines: list[Line] = [json.loads(each) for each in exported(made.store).splitlines()]
    made.close()
    found = Rich(lines[:-1], Audit(Pinned()))
    for number, line in enumerate(found.lines):
        found.audit.take(line)
        found.places[line["is"]].append((number, None, 0))
        for within, outer in WITHIN.items():
            if line["is"] == outer:
                found.places[within] += [(number, within, index) for index in range(len(line[within]))]
    assert not found.audit.findings.problems
    return found


def others(value: object, known: list[object]) -> Iterator[object]:
    """Other values that could stand in a column: other rows', the next ones, and none."""
    yield from [each for each in known if each != value][:2]
    if isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, str):
        yield value[:-1] + ("1" if value.endswith("0") else "0")
    elif value is None:
        yield from ("x", 1)
    if value is not None:
        yield None


def believed(rich: Rich, kind: str, refuted: Callable[[tuple[int, str | None, int], str, object], bool]) -> set[str]:
    """The columns of a kind of which a value was changed, and nothing was said."""
    found, places = set[str](), rich.places[kind]
    columns = [each for each in rich.row(places[0]) if each not in {"is", *WITHIN}]
    for column in columns:
        known = list[object]()
        for each in places:
            value = rich.row(each)[column]
            known += [value] if value not in known else []
        for place in places:
            for value in others(rich.row(place)[column], known):
                if column not in found and not refuted(place, column, value):
                    found.add(column)
    return found


@pytest.mark.parametrize("kind", sorted({*TABLES, *WITHIN} - {"restored"}))
def test_no_column_of_a_table_says_anything_else_than_follows(rich: Rich, kind: str) -> None:
    register, findings = rich.audit.register, rich.audit.findings
    table = WITHIN.get(kind, kind)
    others_of_table = rich.places[table]
    key = {column.name for each in KEPT if each.name == kind for column in each.key}

    def refuted(place: tuple[int, str | None, int], column: str, value: object) -> bool:
        findings.problems.clear()
        register.begin({"name": table}, 0)
        try:
            register.take(rich.changed(place, column, value))
            if column in key:  # it may say the same as another row, and that is there twice
                for each in others_of_table:
                    if each != place and not findings.problems:
                        register.take(rich.lines[each[0]])
        except Unreadable:
            return True
        return bool(findings.problems)

    assert believed(rich, kind, refuted) == {column for what, column in BELIEVED if what == kind}


BESIDE_ROWS = (
    "authority",
    "certificate",
    "checkpoint",
    "draft",
    "head",
    "hierarchy",
    "list",
    "order",
    "part",
    "proposal",
    "refused",
    "roster",
    "row",
    "statement",
)
"""What stands before or behind a row of the journal."""


def test_every_kind_of_line_is_looked_at(rich: Rich) -> None:
    assert rich.places.keys() - {"table", "unsealed"} == {*TABLES, *WITHIN, *BESIDE_ROWS} - {"restored"}


@pytest.mark.long
@pytest.mark.parametrize("kind", BESIDE_ROWS)
def test_nothing_beside_a_row_of_the_journal_says_anything_else_than_follows(rich: Rich, kind: str) -> None:
    every = rich.places[kind]
    rich.places[kind] = [every[0], every[len(every) // 2], every[-1]]

    def refuted(place: tuple[int, str | None, int], column: str, value: object) -> bool:
        return refuted_whole(rich, place[0], rich.changed(place, column, value))

    assert believed(rich, kind, refuted) == {column for what, column in BELIEVED if what == kind}


def refuted_whole(rich: Rich, line: int, changed: Line) -> bool:
    """Whether a whole export with one line changed is refuted."""
    lines = [*rich.lines[:line], changed, *rich.lines[line + 1 :]]
    try:
        return bool(named(audited(whole(lines))))
    except Unreadable:
        return True


def whole(lines: list[Line]) -> bytes:
    """An export of some lines, with its last line."""
    end = {"is": "end", "lines": len(lines) + 1, "rows": 0}
    return b"".join(json.dumps(each).encode() + b"\n" for each in [*lines, end])

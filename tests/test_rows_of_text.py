"""What is at the ends of a cell, and where a row is divided: the same as by whoever goes the long way."""

import csv
import re
import sys

from hypothesis import given
from hypothesis import strategies as st

from core.plain_text import trimmed
from intake.table import divided, row_of

_LONG_WAY = re.compile(r"\A[\s\u200b-\u200f\u202a\u202c\u2060\ufeff]+|[\s\u200b-\u200f\u202a\u202c\u2060\ufeff]+\Z")


def test_each_character_is_a_blank_or_none_as_patterns_have_it() -> None:
    for number in range(sys.maxunicode + 1):
        between = f"{chr(number)}x{chr(number)} x{chr(number)}"
        assert trimmed(between) == _LONG_WAY.sub("", between), hex(number)


@given(st.lists(st.text(alphabet="ab =';,\t\u200b\u00a0\"", max_size=8), max_size=6), st.sampled_from(",;\t"))
def test_a_row_has_the_cells_that_a_reader_of_csv_finds(cells: list[str], separator: str) -> None:
    text = separator.join(cells)
    table = divided(f"sep={separator}\n{text}".encode())
    found = [row_of(table, each) for each in table.records]
    assert len(found) == 1
    try:
        read = next(csv.reader([text], delimiter=separator, strict=True), [])
    except csv.Error:
        assert found[0] is None
        return
    if text.count('"') % 2:
        assert found[0] is None
        return
    assert found[0] is not None
    held = [each.text for each in found[0].cells]
    assert held == [_told(each) for each in read][: len(held)]
    assert not any(_told(each) for each in read[len(held) :])


def test_a_cell_that_no_reader_takes_is_told_as_before() -> None:
    table = divided(b"a,b\n1," + b"x" * (csv.field_size_limit() + 1))
    assert row_of(table, table.records[0]) is not None
    assert row_of(table, table.records[1]) is None


def _told(cell: str) -> str:
    kept = _LONG_WAY.sub("", cell)
    guarded = re.fullmatch(r"=\"(.*)\"|'([^']*)", kept, re.DOTALL)
    return _LONG_WAY.sub("", (guarded[1] or guarded[2] or "").replace('""', '"')) if guarded else kept

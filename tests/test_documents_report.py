"""The monthly report as PDF and as a workbook: each item under its letter, and each approval against its limit."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openpyxl
import pytest

from documents.report import CHARTED, report_pdf
from documents.report_book import report_xlsx
from documents.report_words import nearest_to_limit, share
from tests.documents_world import Pdf, report, squeezed

HOSTILE = '=cmd|"/c calc"!A1'


def _read(**changed: Any) -> Pdf:
    return Pdf(report_pdf(report(**changed)))


def _sheet(name: str, **changed: Any) -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(io.BytesIO(report_xlsx(report(**changed))))
    return [tuple(row) for row in book[name].iter_rows(values_only=True)]


@pytest.mark.parametrize(
    ("said"),
    [
        pytest.param(
            "71 (a) Trial Devices on the Central Products List 142 entries", marks=pytest.mark.clause("F2.28(a)")
        ),
        pytest.param("13 models instructed, not acknowledged 26 entries", marks=pytest.mark.clause("F2.28(a)")),
        pytest.param("72 (b) added to the list since the previous report", marks=pytest.mark.clause("F2.28(b)")),
        pytest.param("74 (c) removed from the list since the previous report", marks=pytest.mark.clause("F2.28(c)")),
        pytest.param("41,001 (d) Trial Devices deployed", marks=pytest.mark.clause("F2.28(d)")),
        pytest.param("42,002 (e) deployed since the previous report 77 in", marks=pytest.mark.clause("F2.28(e)")),
        pytest.param("43,003 (f) decommissioned since the previous report 78", marks=pytest.mark.clause("F2.28(f)")),
        pytest.param("(g) Expiring in the next 3 months", marks=pytest.mark.clause("F2.28(g)")),
        pytest.param("(h) Other information", marks=pytest.mark.clause("F2.28(h)")),
        pytest.param("Told late by the installer.", marks=pytest.mark.clause("F2.28(h)")),
        pytest.param("9a" * 32, marks=pytest.mark.clause("F2.28(h)")),
        pytest.param("3 devices were never installed."),
        pytest.param("10:00:00 UTC on 2 June 2027 11:00:00 BST on 2 June 2027"),
        pytest.param("May 2027"),
    ],
)
def test_the_report_says(said: str) -> None:
    assert squeezed(said) in squeezed(_read().text)


@pytest.mark.clause("F2.28(d)")
def test_what_is_above_its_limit_is_said_in_words_and_hatched() -> None:
    above, within = _read(above=1), _read(above=0)
    assert above.text.count("ABOVE LIMIT") == 1
    assert "ABOVE LIMIT" not in within.text
    assert b"/PatternType 1" in above.everything
    assert b"/PatternType 1" not in within.everything


def test_an_issued_report_is_archival_and_one_not_issued_says_so_on_each_page() -> None:
    issued = _read()
    assert b"<pdfuaid:part>1</pdfuaid:part>" in issued.raw
    assert b"/Title(Monthly report on Trial Devices, May 2027)" in issued.raw
    assert "NOT ISSUED" not in issued.text
    open_one = _read(issued=False, issued_at=None, since=None, environment="test", approvals=60)
    assert len(open_one.pages) > 2
    assert all("NOT ISSUED" in page and "TEST" in page for page in open_one.pages)
    assert squeezed("The beginning: this is the first report") in squeezed(open_one.text)


def test_a_thousand_approvals_are_all_in_the_table_and_the_fullest_in_the_chart() -> None:
    pdf = _read(approvals=1000, above=3)
    pages = pdf.pages
    text = "\n".join(pages)
    assert f"The {CHARTED} approvals, of 1,000" in text
    assert text.count("ABOVE LIMIT") == 3
    listed = re.findall(r"TDA-2027-\d{4}-Y", text)
    assert set(listed) == {f"TDA-2027-{number:04d}-Y" for number in range(1, 1001)}
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf.raw
    assert len(pages) > 30
    assert all("Manufacturer and device" in page for page in pages[3:-1])  # the head returns on each page


def test_a_report_of_nothing_is_a_report() -> None:
    text = _read(approvals=0, corrections=[]).text
    assert "There is none." in text
    assert "Corrections" not in text
    assert len(_sheet("Approvals", approvals=0)) == 1


def test_the_chart_is_of_those_nearest_to_their_limit() -> None:
    listed = report(approvals=100, above=2)["approvals"]
    nearest = nearest_to_limit(listed, 10)
    assert len(nearest) == 10
    assert [share(each) for each in nearest] == sorted((share(each) for each in listed), reverse=True)[:10]
    assert share({"limit": 0, "deployed": 0}) == 1000  # no limit to divide by


def test_the_same_report_gives_the_same_bytes_from_any_thread() -> None:
    one = report(approvals=30)
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(lambda _: report_pdf(one), range(8))) == {report_pdf(one)}
        assert set(threads.map(lambda _: report_xlsx(one), range(8))) == {report_xlsx(one)}


def test_markup_in_a_remark_is_shown_and_never_obeyed() -> None:
    items = report()["items"]
    items["h"]["remarks"][0]["text"] = '#panic("x") *b* $x$ \\ ]'
    items["h"]["attachments"][0]["name"] = "#import *.csv"
    text = squeezed(_read(items=items).text)
    assert squeezed('#panic("x") *b* $x$ \\ ]') in text
    assert "#import*.csv" in text


# --- the workbook -------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.28(a)")
@pytest.mark.clause("F2.28(b)")
@pytest.mark.clause("F2.28(c)")
@pytest.mark.clause("F2.28(d)")
@pytest.mark.clause("F2.28(e)")
@pytest.mark.clause("F2.28(f)")
def test_the_summary_has_each_item_as_a_number_under_its_letter() -> None:
    rows = _sheet("Summary")
    first = {letter: next(row[2] for row in rows if row[0] == f"({letter})") for letter in "abcdefgh"}
    assert first == {"a": 71, "b": 72, "c": 74, "d": 41_001, "e": 42_002, "f": 43_003, "g": 2, "h": 1}


def test_the_workbook_has_numbers_as_numbers_text_as_text_and_a_chart() -> None:
    book = openpyxl.load_workbook(io.BytesIO(report_xlsx(report(approvals=40, above=2))))
    assert book.sheetnames == ["Summary", "Approvals", "Expiring", "Remarks and corrections"]
    approvals = book["Approvals"]
    assert approvals.freeze_panes == "A2"
    assert approvals.auto_filter.ref == "A1:N41"
    model, limit = approvals["E2"], approvals["J2"]
    assert (model.value, model.data_type, model.number_format, model.quotePrefix) == ("00000000", "s", "@", True)
    assert (limit.value, limit.data_type) == (50, "n")
    chart = book["Summary"]._charts[0]
    assert [series.val.numRef.f for series in chart.series] == ["'Summary'!$F$2:$F$21", "'Summary'!$G$2:$G$21"]
    assert [row[4] for row in _sheet("Summary", approvals=40, above=2)[1:3]] == ["TDA-2027-0001-Y", "TDA-2027-0002-Y"]


def test_no_text_of_a_report_becomes_a_formula() -> None:
    one = report()
    for each in (*one["approvals"], *one["items"]["g"]["expiring"]):
        each["manufacturer"] = each["device"]["model"] = HOSTILE
    one["items"]["h"]["remarks"][0]["text"] = one["corrections"][0]["sentence"] = HOSTILE
    book = openpyxl.load_workbook(io.BytesIO(report_xlsx(one)))
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row if cell.value == HOSTILE}
    assert kinds == {"s"}
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]

"""The Panel's list as it comes, CSV or workbook, in whatever columns; and beside it what it should show."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.approval import Device, EndCause, Firmware
from core.errors import ListTooLong, ListUnreadable, OperationNotPermitted, TrialCpaError
from core.facts import FactKind
from intake import cpl_list
from intake.cpl_list import COLUMNS, ListedEntry, ProductsList, read_list
from intake.workbook import NUMBER
from ra.telling.instructions import Asked, exported
from ra.telling.reconcile import reconcile
from ra.telling.views import DifferenceAnswer, Reconciled, WrongAnswer
from tests.journal_lines import lines
from tests.test_workbook import book
from tests.world import DCC, DEVICE, MANUFACTURER, PANEL, World

HEADER = ["Approval", "Trial", "Expiry", "Device type", "Manufacturer", "Model", "Hardware version",
          "Firmware version", "Image SHA-256"]  # fmt: skip
LINE = ["TDT-2027-0001-X", "Trial Device", "2027-06-30", "ESME", "AB01", "010A030B", "01", "0002012F", "AB" * 32]


def table(*rows: list[str], separator: str = ",", end: str = "\r\n") -> str:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=separator, lineterminator=end).writerows([HEADER, *rows])
    return written.getvalue()


def changed(**changes: str) -> list[str]:
    fields = ["approval", "trial", "expiry", "device_type", "manufacturer", "model", "hardware_version",
              "firmware_version", "image_sha256"]  # fmt: skip
    return [changes.get(field, value) for field, value in zip(fields, LINE, strict=True)]


def one(found: ProductsList) -> ListedEntry:
    assert found.unreadable == ()
    (entry,) = found.entries
    return entry


# --- reading ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets",
    [
        table(LINE).encode(),
        table(LINE).encode("utf-8-sig"),
        table(LINE).encode("utf-16"),
        table(LINE, separator=";").encode(),
        table(LINE, separator="\t", end="\n").encode(),
        table(LINE, end="\r").encode(),
        ("sep=;\r\n" + table(LINE, separator=";")).encode(),
        ('"' + "by maker, " * 20 + '"\r\n' + table(LINE, separator=";")).encode(),
        table([*LINE, "", " "]).encode(),
        ("Central Products List\r\n\r\nas of today,,,\r\n" + table(LINE)).encode(),
        table([f"  {each} " for each in LINE]).encode(),
        book(HEADER, LINE),
        book(["Central Products List"], [], HEADER, [], LINE),
    ],
)
def test_a_list_is_read_in_every_form_that_a_spreadsheet_saves(octets: bytes) -> None:
    entry = one(read_list(octets))
    assert (entry.marked, entry.approval, entry.expiry) == (True, LINE[0], date(2027, 6, 30))
    assert (entry.device, entry.firmware_version) == (DEVICE, "0002012F")
    assert entry.image_sha256 == "ab" * 32


def test_columns_are_found_by_name_in_any_order_and_case_and_others_are_left_aside() -> None:
    header = ["IMAGE_HASH", "renewal date", "fw version", "Model ID", "manufacturer identifier", "EXPIRES-ON",
              "Is trial?", "Trial Device Approval"]  # fmt: skip
    row = ["cd" * 32, "never", "9001", "433100AC", "106C", "30/06/2027", "y", "x"]
    found = read_list((",".join(header) + "\n" + ",".join(row)).encode())
    entry = one(found)
    assert (entry.device, entry.firmware_version) == (Device("", "106C", "433100AC", ""), "9001")
    assert (entry.expiry, found.fields) == (date(2027, 6, 30), frozenset(COLUMNS) - {"device_type", "hardware_version"})
    named = {**COLUMNS, "approval": ("zulassung",)}
    octets = (",".join([*header[:-1], "Zulassung"]) + "\n" + ",".join(row)).encode()
    assert one(read_list(octets, named)).approval == "x"
    with pytest.raises(ListUnreadable):
        read_list(octets)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "the nearest lacks “approval”, “trial”"),
        (b"\n\n,,\n", "the nearest lacks"),
        (b"approval,trial,manufacturer,model,firmware\n1,2,3,4,5", "the nearest lacks “expiry”"),
        (b"approval,trial,expiry,expiry date,manufacturer,model,firmware\n", "line 1: “expiry” and “expiry date”"),
        (b"\x00\x01\x02\x03", "neither a workbook nor text"),
        (b"%PDF-1.7\n", "it is a PDF"),
        (b"\xff\xfea", "not the Unicode text"),
        (b"\xef\xbb\xbf\xff", "not the Unicode text"),
        (b"\n" * 30 + table(LINE).encode(), ""),
        (book(["a"], ["b"]), "the nearest lacks"),
    ],
)
def test_what_has_no_columns_of_a_list_is_refused_with_what_was_looked_for(octets: bytes, words: str) -> None:
    if not words:  # empty lines are no rows
        one(read_list(octets))
        return
    with pytest.raises(ListUnreadable) as refusal:
        read_list(octets)
    assert words in str(refusal.value)


def test_a_list_saved_in_the_old_way_of_windows_is_read() -> None:
    entry = one(read_list(table(changed(manufacturer="Zähler – Ø")).encode("cp1252")))
    assert entry.device.manufacturer == "Zähler – Ø"


def test_one_sheet_holds_the_list_and_two_are_one_too_many() -> None:
    def second(state: str) -> Callable[[Any], None]:
        def prepare(made: openpyxl.Workbook) -> None:
            made.create_sheet("Notes").append(["nothing"])
            made.create_sheet("Copy").append(HEADER)
            made["Copy"].append(changed(approval="other"))
            made["Copy"].sheet_state = state

        return prepare

    assert one(read_list(book(HEADER, LINE, prepare=second("hidden")))).approval == LINE[0]
    with pytest.raises(ListUnreadable, match="“Sheet” and “Copy” both hold a list"):
        read_list(book(HEADER, LINE, prepare=second("visible")))


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        (changed(trial="perhaps", approval=""), "Trial", "not clear whether"),
        (changed(expiry="31/02/2027"), "Expiry", "no date"),
        (changed(expiry="soon"), "Expiry", "no date"),
        (changed(firmware_version=""), "Firmware version", "is missing"),
        (changed(model="x" * 1_001), "Model", "more than 1,000 characters"),
        ([*LINE, "", "more"], "", "11 cells where the header has 9"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_with_its_column_and_harms_no_other(
    line: list[str], column: str, words: str
) -> None:
    for octets in (table(LINE, line, LINE).encode(), book(HEADER, LINE, line, LINE)):
        found = read_list(octets)
        assert [each.line for each in found.entries] == [2, 4]
        ((number, named, sentence),) = [(each.line, each.column, each.sentence) for each in found.unreadable]
        assert (number, named, found.lines) == (3, column, 3)
        assert words in sentence


def test_a_quotation_mark_that_is_never_closed_harms_its_own_line_only() -> None:
    body = table(LINE).rstrip() + '\r\n"open,Trial,x\r\n' + ",".join(changed(approval="second")) + "\r\n"
    found = read_list((body + 'a"b,"c"d,""e"\r\n' + ",".join(LINE)).encode())
    assert [each.approval for each in found.entries] == [LINE[0], "second", LINE[0]]
    assert [(each.line, each.column) for each in found.unreadable] == [(3, ""), (5, "")]


def test_a_cell_may_run_over_lines() -> None:
    found = read_list(table(changed(model="A\nB"), LINE).encode())
    assert [(each.line, each.device.model) for each in found.entries] == [(2, "A\nB"), (4, "010A030B")]


def test_what_begins_like_a_formula_is_text() -> None:
    entry = one(read_list(table(changed(approval="=cmd|' /C calc'!A0", model="@SUM(1)")).encode()))
    assert (entry.approval, entry.device.model) == ("=cmd|' /C calc'!A0", "@SUM(1)")


def test_lines_of_ordinary_products_are_taken_as_they_come() -> None:
    ordinary = changed(approval="", trial="No", expiry="renew by 2029", firmware_version="")
    strange = changed(approval="", trial="", model="x" * 1_001)
    found = read_list(table(ordinary, strange, LINE).encode())
    assert [each.trial for each in found.entries] == [False, True]
    assert found.unreadable == ()


def test_a_number_in_a_workbook_is_told_and_its_leading_zeros_are_not_made_up() -> None:
    found = read_list(book(HEADER, [*LINE[:4], 106, *LINE[5:7], 9001, LINE[8]]))
    entry = one(found)
    assert (entry.device.manufacturer, entry.firmware_version) == ("106", "9001")
    assert [(each.line, each.column, each.sentence) for each in found.remarks] == [
        (2, "Manufacturer", NUMBER),
        (2, "Firmware version", NUMBER),
    ]


def test_a_list_may_be_long_and_not_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = table(*[LINE] * 8).encode()
    monkeypatch.setattr(cpl_list, "MOST_LINES", 10)
    assert len(read_list(octets).entries) == 8
    with pytest.raises(ListTooLong):
        read_list(octets + b"\r\n")


@settings(max_examples=150)
@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda text: (table(LINE) + text).encode("utf-8", "replace"))
)
def test_whatever_comes_is_read_or_refused_and_never_a_fault_of_ours(octets: bytes) -> None:
    try:
        found = read_list(octets)
    except TrialCpaError:
        return
    assert found.entries[0].approval == LINE[0]


# --- comparing ----------------------------------------------------------------------------------------------------

START = datetime(2027, 1, 4, tzinfo=UTC)
TWO = (Firmware("0002012F", "ab" * 32), Firmware("00020130", "cd" * 32))


@pytest.fixture(scope="module")
def trial(store_copy: Any, keys_folder: Path) -> Iterator[tuple[World, str]]:
    """An approval of two versions that has started; nothing here changes it."""
    made = World(store_copy("sqlite"), keys_folder)
    approval = made.granted(firmware=TWO)
    made.at(START)
    yield made, approval
    made.close()


def compared(world: World, *rows: list[str]) -> Reconciled:
    return reconcile(world.desk, PANEL, table(*rows).encode())


def right(approval: str) -> list[list[str]]:
    return [changed(approval=approval), changed(approval=approval, firmware_version="00020130", image_sha256="cd" * 32)]


def differs(said: Reconciled) -> bool:
    return any((said.missing, said.wrong, said.gone, said.unknown, said.unreadable))


@pytest.mark.clause("F2.27")
def test_a_list_that_shows_what_it_should_differs_in_nothing(trial: tuple[World, str]) -> None:
    world, approval = trial
    rows = [changed(approval=each[0].lower(), manufacturer="ab01", model="010a030b", firmware_version=each[7],
                    image_sha256=each[8]) for each in right(approval)]  # fmt: skip
    said = compared(world, *rows)
    assert not differs(said)
    assert (said.lines, said.form, said.not_compared, said.remarks) == (2, "csv", (), ())
    assert said.as_of == START


@pytest.mark.clause("F2.27")
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_our_own_export_comes_back_as_it_went_out(trial: tuple[World, str], form: str) -> None:
    world, _ = trial
    said = reconcile(world.desk, PANEL, exported(world.desk, DCC, Asked(), form))
    assert not differs(said)
    assert said.lines == len(TWO)


@pytest.mark.clause("F2.27")
@pytest.mark.parametrize(
    ("field", "has", "should"),
    [
        ("expiry", "2027-06-29", "2027-06-30"),
        ("expiry", "", "2027-06-30"),
        ("model", "10A030B", "010A030B"),
        ("device_type", "GSME", "ESME"),
        ("hardware_version", "02", "01"),
        ("image_sha256", "00" * 32, "ab" * 32),
    ],
)
def test_a_value_that_is_valid_and_wrong_is_told_with_what_it_should_be(
    trial: tuple[World, str], field: str, has: str, should: str
) -> None:
    world, approval = trial
    said = compared(world, changed(approval=approval, **{field: has}), right(approval)[1])
    wrong = DifferenceAnswer(field=field, has=has, should=should)
    assert said.wrong == (WrongAnswer(line=2, approval=approval, firmware_version="0002012F", fields=(wrong,)),)
    assert not differs(replace(said, wrong=()))


@pytest.mark.clause("F2.27")
def test_an_entry_without_marker_or_without_its_own_approval_is_wrong_and_not_missing(trial: tuple[World, str]) -> None:
    world, approval = trial
    unmarked = changed(approval="", trial="", expiry="")
    named = changed(approval="TDA-0000", firmware_version="00020130", image_sha256="cd" * 32)
    said = compared(world, unmarked, named)
    assert [(each.line, [one_.field for one_ in each.fields]) for each in said.wrong] == [
        (3, ["approval"]),
        (2, ["approval", "trial", "expiry"]),
    ]
    assert not said.missing
    assert not said.unknown
    nameless = changed(approval=approval, trial="")
    assert compared(world, nameless).wrong[0].fields == (
        DifferenceAnswer(field="trial", has="", should="Trial Device"),
    )
    # Beside the entry itself, an ordinary line for the same model is somebody else's business.
    assert compared(world, *right(approval), unmarked).wrong == ()


@pytest.mark.clause("F2.27")
def test_an_entry_that_is_missing_is_told_with_what_the_panel_was_told_about_it(trial: tuple[World, str]) -> None:
    world, approval = trial
    said = compared(world, right(approval)[0])
    (lacking,) = said.missing
    assert (lacking.approval, lacking.firmware_version) == (approval, "00020130")
    assert (lacking.instruction_state, lacking.due) == ("pending", START)


def test_an_entry_of_nobody_is_unknown_and_one_that_is_repeated_is_remarked_on(trial: tuple[World, str]) -> None:
    world, approval = trial
    foreign = changed(approval="TDT-2026-0009-0", model="OTHER")
    said = compared(world, *right(approval), foreign, right(approval)[0])
    assert [(each.line, each.approval, each.model) for each in said.unknown] == [(4, "TDT-2026-0009-0", "OTHER")]
    assert [(each.line, each.sentence) for each in said.remarks] == [(5, "The same entry stands on line 2 already.")]


def test_a_list_without_some_columns_is_compared_in_the_others(trial: tuple[World, str]) -> None:
    world, approval = trial
    octets = "\n".join(
        ["approval,trial,expiry,manufacturer,model,firmware"]
        + [f"{approval},x,2027-06-30,AB01,010A030B,{each.version}" for each in TWO]
    ).encode()
    said = reconcile(world.desk, PANEL, octets)
    assert not differs(said)
    assert said.not_compared == ("device_type", "hardware_version", "image_sha256")


@pytest.mark.clause("F2.31")
def test_what_should_be_gone_or_not_there_yet_is_told_with_the_reason(world: World) -> None:
    approval = world.granted()
    line = changed(approval=approval)
    (early,) = compared(world, line).gone
    assert "The trial has not begun" in early.sentence
    leaked = world.granted(device=Device("ESME", "AB01", "M3", "01"))
    world.revoked(leaked, EndCause.KEY_COMPROMISE)  # the certificate alone has ended
    (early,) = compared(world, changed(approval=leaked, model="M3")).gone
    assert "The trial has not begun" in early.sentence
    world.at(START)
    (other,) = compared(world, line, changed(approval=approval, firmware_version="12")).gone
    assert (other.line, "not among the versions" in other.sentence) == (3, True)
    world.revoked(approval)
    (ended,) = compared(world, line).gone
    assert (ended.approval, "was revoked at 00:00:00 UTC" in ended.sentence) == (approval, True)
    later = world.granted(device=Device("ESME", "AB01", "M2", "01"), expiry=date(2027, 2, 1))
    world.at(datetime(2027, 2, 2, tzinfo=UTC))
    (expired,) = compared(world, changed(approval=later, model="M2")).gone
    assert "expired at 23:59:59 UTC on 1 February 2027" in expired.sentence


@pytest.mark.clause("F2.29")
def test_a_comparison_changes_nothing_and_is_journalled_by_its_counts(world: World) -> None:
    approval = world.granted()
    world.at(START + timedelta(days=1))
    before = exported(world.desk, PANEL, Asked(), "csv")
    said = compared(world, changed(approval=approval, expiry="2027-01-01"), changed(expiry="UNIQUEWORD"))
    assert before == exported(world.desk, PANEL, Asked(), "csv")
    (payload,) = lines(world, FactKind.CPL_RECONCILED)
    assert json.loads(payload) == {
        "form": "csv", "sha256": said.sha256, "lines": 2, "missing": 0, "wrong": 1, "gone": 0, "unknown": 0,
        "unreadable": 1,
    }  # fmt: skip
    for actor in (MANUFACTURER, DCC):
        with pytest.raises(OperationNotPermitted):
            reconcile(world.desk, actor, b"")

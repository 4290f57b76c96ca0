"""A reconciliation never says clean when the list is not (F2.27, F2.31)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from io import BytesIO

import pytest
from openpyxl import Workbook

from ra.telling.instructions import record_ncsc_certificate
from ra.telling.reconcile import reconcile
from ra.telling.views import Reconciled
from tests.world import OFFICER_1, PANEL, World

START = datetime(2027, 1, 4, 12, 0, tzinfo=UTC)
HEADER = ["Approval", "Trial", "Expiry", "Manufacturer", "Model", "Firmware Version"]


def line(approval: str = "", trial: str = "Trial", expiry: str = "2027-06-30", firmware: str = "0002012F") -> list[str]:
    return [approval, trial, expiry, "AB01", "010A030B", firmware]


def compared(world: World, *rows: Sequence[str], merged: Sequence[str] = ()) -> Reconciled:
    book = Workbook()
    for row in (HEADER, *rows):
        book.worksheets[0].append(list(row))
    for area in merged:
        book.worksheets[0].merge_cells(area)
    written = BytesIO()
    book.save(written)
    return reconcile(world.desk, PANEL, written.getvalue())


@pytest.mark.clause("F2.27")
def test_merged_cells_are_read_downwards_and_refused_across(world: World) -> None:
    approval = world.granted()
    world.at(START)
    downwards = [f"{column}2:{column}3" for column in "ABCDE"]
    said = compared(world, line(approval), line("x", "", firmware="00020199"), merged=downwards)
    assert (said.missing, said.unreadable) == ((), ())
    (gone,) = said.gone
    assert (gone.line, gone.approval, gone.firmware_version) == (3, approval, "00020199")
    assert {each.line for each in said.remarks} == {3}
    across = compared(world, line(approval), line("other"), merged=["A3:B3"])
    assert [(each.line, each.column) for each in across.unreadable] == [(3, "Trial")]
    # A row that is nothing but the lower half of a merged one is no row.
    whole = compared(world, line(approval), [], merged=[*downwards, "F2:F3"])
    assert (whole.lines, whole.gone, whole.unreadable, whole.remarks) == (1, (), (), ())


@pytest.mark.clause("F2.31")
def test_a_device_of_ours_without_marker_or_identifier_is_judged_in_every_state(world: World) -> None:
    approval = world.granted()
    bare = line(trial="", expiry="")
    before = compared(world, bare)
    assert ["not begun" in each.sentence for each in before.gone] == [True]
    world.at(START)
    (wrong,) = compared(world, bare).wrong
    assert {each.field for each in wrong.fields} >= {"approval", "trial", "expiry"}
    world.revoked(approval)
    for row in (bare, line(), line("TDT-2027-9999-Q")):
        (gone,) = compared(world, row).gone
        assert (gone.approval, "revoked" in gone.sentence) == (approval, True), row
    assert compared(world, line(trial="", expiry="", firmware="00099999")).gone == ()  # it was never ours
    record_ncsc_certificate(world.desk, OFFICER_1, approval, certificate="NCSC-9", certified_on=date(2027, 1, 4))
    assert compared(world, bare).gone == ()  # the ordinary product's own entry
    assert len(compared(world, line(approval)).gone) == 1  # its marker is to be replaced


@pytest.mark.clause("F2.27")
@pytest.mark.parametrize("wrong", [{"expiry": "the last of June"}, {"trial": "perhaps"}, {"expiry": "#REF!"}])
def test_a_line_that_cannot_be_read_is_not_also_missing(world: World, wrong: dict[str, str]) -> None:
    approval = world.granted()
    world.at(START)
    said = compared(world, line(approval, **wrong))
    assert ({each.line for each in said.unreadable}, said.missing) == ({2}, ())
    assert len(compared(world, line(approval, firmware="00020199", **wrong)).missing) == 1

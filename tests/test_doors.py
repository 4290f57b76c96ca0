"""One table of input forms, tests/vectors/doors/, over every way in of its kind: what one reader takes, the next does.

Each kind of value has its ways in here as functions from what is sent to the value, or to our own refusal.
"""

import json
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import click
import openpyxl
import pytest

from api.forms.deciding import RevokeBody
from api.forms.fields import day_of
from api.status.questions import BySerial, parse_question
from app.cli.fetch import _meant
from app.cli.options import INSTANT
from core.days import DayOrder, order_in, read_day
from core.deployments import Line, Verdict
from core.errors import (
    DayAmbiguous,
    DeviceIdMalformed,
    FileCompressed,
    InstantMalformed,
    SerialMalformed,
    TrialCpaError,
)
from core.identifiers import parse_device_id, parse_serial
from core.instants import read_instant, text
from core.plain_text import TextUnreadable, as_saved, utf8
from intake.cpl_list import ProductsList, read_list
from intake.deployment_lines import read_lines, read_table
from tests.test_workbook import book

DOORS = Path(__file__).parent / "vectors" / "doors"
NOW = datetime(2028, 1, 1, tzinfo=UTC)
EUI = "00-DB-12-34-56-78-90-01"
LINE = {"event": "deployed", "device_id": EUI, "on": "2027-06-30", "approval": "TDT-2027-0042-5"}


def table(name: str) -> dict[str, Any]:
    return tomllib.loads((DOORS / f"{name}.toml").read_text("utf-8"))


# --- the ways in --------------------------------------------------------------------------------------------------


class ToldError(Exception):
    """A line that was refused: its code, and the sentence."""


def only(found: list[Line | Verdict]) -> Line:
    (line,) = found
    if isinstance(line, Verdict):
        raise ToldError(f"{line.code} {line.detail}")
    return line


def in_csv(column: str) -> Callable[[str], Line]:
    def read(sent: str) -> Line:
        line = LINE | {column: sent}
        rows = (",".join(f'"{each}"' for each in one) for one in (line.keys(), line.values()))
        return only(read_table("\r\n".join(rows).encode()))

    return read


def in_workbook(column: str) -> Callable[[str], Line]:
    return lambda sent: only(read_table(book(list(LINE), list((LINE | {column: sent}).values()))))


def in_json(column: str) -> Callable[[str], Line]:
    return lambda sent: only(read_lines(json.dumps({"lines": [LINE | {column: sent}]}).encode()))


def asked(**members: str) -> Any:
    return parse_question(json.dumps({"approval": "TDT-2027-0042-5"} | members).encode(), NOW)


def by_serial(sent: str) -> str:
    subject = parse_question(json.dumps({"serial": sent}).encode(), NOW).subject
    assert isinstance(subject, BySerial)
    return subject.serial


def revoked(sent: str) -> datetime | None:
    body = {"kind": "revoke", "approval": "TDT-2027-0042-5", "cause": "ssc", "reasons": "x", "invalidity_date": sent}
    return RevokeBody.model_validate_json(json.dumps(body)).command().invalidity_date


def in_list(sent: str) -> Any:
    found = listed(sent)
    if found.unreadable:
        raise ToldError(found.unreadable[0].sentence)
    return found.entries[0].expiry


def listed(*expiries: str) -> ProductsList:
    head = "Approval,Trial,Expiry,Manufacturer,Model,Firmware Version\n"
    return read_list((head + "".join(f'T,Trial,"{each}",AB01,010A030B,0002012F\n' for each in expiries)).encode())


DEVICE_IDS: Mapping[str, Callable[[str], str]] = {
    "core": parse_device_id,
    "verify": lambda sent: str(asked(device_id=sent).device_id),
    "csv": lambda sent: in_csv("device_id")(sent).device_id,
    "workbook": lambda sent: in_workbook("device_id")(sent).device_id,
    "json": lambda sent: in_json("device_id")(sent).device_id,
}
SERIALS: Mapping[str, Callable[[str], str]] = {"core": parse_serial, "verify": by_serial}
INSTANTS: Mapping[str, Callable[[str], datetime | None]] = {
    "core": read_instant,
    "verify": lambda sent: asked(at=sent).at,
    "decision": revoked,
    "command line": lambda sent: INSTANT.convert(sent, None, None),
    "csv": lambda sent: in_csv("on")(sent).on,
    "workbook": lambda sent: in_workbook("on")(sent).on,
    "json": lambda sent: in_json("on")(sent).on,
}
DAYS: Mapping[str, Callable[[str], Any]] = {
    "core": lambda sent: read_day(sent, field="start"),
    "application": lambda sent: day_of(sent, "start"),
    "csv": lambda sent: in_csv("on")(sent).on.date(),
    "workbook": lambda sent: in_workbook("on")(sent).on.date(),
    "json": lambda sent: in_json("on")(sent).on.date(),
    "list": in_list,
}
REFUSALS = (TrialCpaError, ToldError, click.BadParameter)


@pytest.mark.parametrize("way", DEVICE_IDS)
def test_a_device_is_named_in_any_form_at_every_door(way: str) -> None:
    cases = table("device-ids")
    assert {each: DEVICE_IDS[way](each) for each in cases["sent"]} == dict.fromkeys(cases["sent"], cases["read"])
    for case in cases["refused"]:
        with pytest.raises((DeviceIdMalformed, ToldError)) as refused:
            DEVICE_IDS[way](case["sent"])
        if refused.type is DeviceIdMalformed:
            assert case["told"] in str(refused.value)


@pytest.mark.parametrize("way", SERIALS)
def test_a_serial_is_read_as_it_is_pasted_and_what_a_spreadsheet_made_of_it_is_told(way: str) -> None:
    cases = table("serials")
    assert {each: SERIALS[way](each) for each in cases["sent"]} == dict.fromkeys(cases["sent"], cases["read"])
    assert [SERIALS[way](each) for each in cases["figures"]] == [each.rjust(32, "0") for each in cases["figures"]]
    for case in cases["refused"]:
        with pytest.raises(SerialMalformed, match=case["told"].replace("+", "[+]")):
            SERIALS[way](case["sent"])


def test_the_command_line_fetches_a_certificate_by_a_serial_in_any_form() -> None:
    cases = table("serials")
    assert {_meant(each).name for each in cases["sent"]} == {cases["read"]}


@pytest.mark.parametrize("way", INSTANTS)
def test_an_instant_is_read_as_rfc_3339_lets_people_write_it(way: str) -> None:
    cases = table("instants")
    assert {each: text(INSTANTS[way](each) or NOW) for each in cases["sent"]} == dict.fromkeys(
        cases["sent"], cases["read"]
    )
    for sent in cases["refused"]:
        with pytest.raises(REFUSALS):
            INSTANTS[way](sent)


@pytest.mark.parametrize("way", DAYS)
def test_a_day_is_read_as_spreadsheets_and_people_write_it(way: str) -> None:
    cases = table("days")
    assert {each: str(DAYS[way](each)) for each in cases["sent"]} == dict.fromkeys(cases["sent"], cases["read"])
    for sent in cases["refused"]:
        if way == "list" and not sent:
            continue  # an entry may have no expiry, and is compared so
        with pytest.raises(REFUSALS):
            DAYS[way](sent)
    for sent in cases["ambiguous"]["sent"]:
        with pytest.raises(REFUSALS) as refused:
            DAYS[way](sent)
        told = str(refused.value)
        assert cases["ambiguous"]["day_first"] in told
        assert cases["ambiguous"]["month_first"] in told


def test_the_same_day_twice_over_is_no_doubt() -> None:
    assert str(read_day("03/03/2027", field="on")) == "2027-03-03"


def test_of_a_date_in_numbers_the_column_says_what_comes_first_or_the_sender_does() -> None:
    cases = table("days")["ambiguous"]
    first, shows, otherwise = cases["day_first"], cases["told_by_the_column"], cases["told_otherwise_by_the_column"]
    for sent in cases["sent"]:
        columns = (
            ([sent, shows], DayOrder.DAY_FIRST),
            ([sent], DayOrder.UNKNOWN),
            ([sent, otherwise], DayOrder.UNKNOWN),
        )
        for column, order in (*columns, ([sent, shows, otherwise], DayOrder.UNKNOWN)):
            assert order_in(column) is order
            rows = "".join(f'deployed,{EUI},"{on}",TDT-2027-0042-5\n' for on in column)
            lines = read_table(f"event,device_id,on,approval\n{rows}".encode())
            said = read_lines(json.dumps({"lines": [LINE | {"on": on} for on in column]}).encode())
            entries = {each.line: str(each.expiry) for each in listed(*column).entries}
            for found in (lines[0], said[0]):
                known = str(found.on.date()) if isinstance(found, Line) else found.code
                assert known == (first if order is DayOrder.DAY_FIRST else "day-ambiguous")
            assert entries.get(2) == (first if order is DayOrder.DAY_FIRST else None)
        body = f'event,device_id,on,approval\ndeployed,{EUI},"{sent}",TDT-2027-0042-5\n'.encode()
        assert str(only(read_table(body, DayOrder.DAY_FIRST)).on.date()) == first
        assert str(read_day(sent, field="on", order=DayOrder.DAY_FIRST)) == first
        with pytest.raises(DayAmbiguous):
            read_day(sent, field="on")
        with pytest.raises(InstantMalformed):
            read_day(otherwise, field="on", order=DayOrder.DAY_FIRST)


# --- text and workbooks -------------------------------------------------------------------------------------------

_CPL = ("Approval", "Trial", "Expiry", "Manufacturer", "Model", "Firmware Version")
_ENTRY = ("TDT-2027-0001-X", "Trial", "2027-06-30", "AB01", "010A030B", "0012")
_REPORT = ("event", "device_id", "on", "approval", "model", "manufacturer", "firmware_version")
_DEPLOYED = ("deployed", EUI, "2027-06-30", "TDT-2027-0042-5", "010A030B", "AB01", "0012")


Rows = list[tuple[str, ...]]


def _each(rows: Rows, form: str) -> bytes:
    """Every cell in some form, `@` standing for it."""
    return _joined([tuple(form.replace("@", each) for each in row) for row in rows]).encode()


def _joined(rows: Rows, separator: str = ",", end: str = "\r\n") -> str:
    return "".join(separator.join(row) + end for row in rows)


def _strict(rows: Rows) -> bytes:
    return _replaced(book(*map(list, rows)), b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                     b"http://purl.oclc.org/ooxml/spreadsheetml/main")  # fmt: skip


def _replaced(octets: bytes, old: bytes, new: bytes) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(BytesIO(octets)) as before, zipfile.ZipFile(written, "w") as after:
        for name in before.namelist():
            after.writestr(name, before.read(name).replace(old, new))
    return written.getvalue()


def _zip(name: str) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        made.writestr(name, "x")
    return written.getvalue()


def _template(rows: Rows) -> bytes:
    made = openpyxl.Workbook()
    made.template = True
    for row in rows:
        made.active.append(row)
    written = BytesIO()
    made.save(written)
    return written.getvalue()


READ: Mapping[str, Callable[[Rows], bytes]] = {
    "CSV UTF-8 of Excel": lambda rows: _joined(rows).encode("utf-8-sig"),
    "CSV of Excel": lambda rows: _joined(rows).encode("cp1252"),
    "CSV (Macintosh)": lambda rows: _joined(rows, end="\r").encode("mac_roman"),
    "CSV (MS-DOS), with its end of file": lambda rows: _joined(rows).encode("cp437") + b"\x1a",
    "Text (tab delimited)": lambda rows: _joined(rows, "\t").encode("cp1252"),
    "Unicode text": lambda rows: _joined(rows, "\t").encode("utf-16"),
    "UTF-16, big end first": lambda rows: b"\xfe\xff" + _joined(rows, "\t").encode("utf-16-be"),
    "Google Sheets": lambda rows: _joined(rows, end="\n").encode().rstrip(),
    "LibreOffice with semicolons": lambda rows: _joined(rows, ";").encode(),
    "a line sep=": lambda rows: b"sep=;\r\n" + _joined(rows, ";").encode(),
    "a line sep= after a mark": lambda rows: b"\xef\xbb\xbfsep=,\r\n" + _joined(rows).encode(),
    "a line sep= that was saved again": lambda rows: b'"sep=;";;;;\r\n' + _joined(rows, ";").encode(),
    "every cell in quotation marks": lambda rows: _each(rows, '"@"'),
    "empty cells at the ends of rows": lambda rows: _joined([(*row, "", "") for row in rows]).encode(),
    "empty rows": lambda rows: ("\r\n,,,,\r\n" + _joined(rows) + ",,,\r\n\r\n").encode(),
    "what guards a cell of our export": lambda rows: _each(rows, "\u00a0@"),
    "formulas that keep text": lambda rows: _each(rows, '="@"'),
    "the same in quotation marks": lambda rows: _each(rows, '"=""@"""'),
    "apostrophes": lambda rows: _each(rows, "'@"),
    "a workbook": lambda rows: book(*map(list, rows)),
    "a template": _template,
    "a workbook with a second sheet": lambda rows: book(
        *map(list, rows), prepare=lambda made: made.create_sheet("Notes").append(["x"])
    ),
}  # fmt: skip
TOLD: Mapping[str, tuple[Callable[[Rows], bytes], str]] = {
    "UTF-16 without its mark": (lambda rows: _joined(rows).encode("utf-16-le"), "UTF-16 without its byte order mark"),
    "UTF-16 without its mark, big end first": (lambda rows: _joined(rows).encode("utf-16-be"), "UTF-16 without"),
    "gzip": (lambda _: b"\x1f\x8b\x08" + bytes(20), "compressed with gzip"),
    "Excel 97-2003": (lambda _: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504), "Excel 97-2003"),
    "Excel binary": (lambda _: _zip("xl/workbook.bin"), ".xlsb"),
    "OpenDocument": (lambda _: _zip("mimetype"), ".ods"),
    "Numbers": (lambda _: _zip("Index/Document.iwa"), "Apple Numbers"),
    "Strict Open XML": (_strict, "Strict Open XML"),
    "XML Spreadsheet 2003": (lambda _: b'<?xml version="1.0"?>\r\n<?mso-application progid="Excel.Sheet"?>', "XML"),
    "a web page": (lambda _: b"<html xmlns:x='x'><table>", "web page"),
    "SYLK": (lambda _: b"ID;PWXL;N;E\r\n", "SYLK"),
    "DIF": (lambda _: b'TABLE\r\n0,1\r\n"EXCEL"\r\n', "DIF"),
    "PDF": (lambda _: b"%PDF-1.7\n", "PDF"),
    "nothing": (lambda _: b"\x00\x01\x02\x03", "text"),
}


@pytest.mark.parametrize("form", READ)
def test_a_table_is_read_in_every_form_in_which_a_spreadsheet_saves_it(form: str) -> None:
    (entry,) = read_list(READ[form]([_CPL, _ENTRY])).entries
    assert (entry.approval, entry.firmware_version, str(entry.expiry)) == (_ENTRY[0], "0012", "2027-06-30")
    line = only(read_table(READ[form]([_REPORT, _DEPLOYED])))
    assert (line.device_id, line.firmware, line.model and line.model.model) == (EUI, "0012", "010A030B")


@pytest.mark.parametrize("form", TOLD)
def test_what_no_reader_of_tables_takes_is_told_as_what_it_is(form: str) -> None:
    make, told = TOLD[form]
    reads: tuple[tuple[Callable[[bytes], object], Rows], ...] = (
        (read_list, [_CPL, _ENTRY]),
        (read_table, [_REPORT, _DEPLOYED]),
    )
    for read, rows in reads:
        with pytest.raises(TrialCpaError, match=told) as refused:
            read(make(rows))
        assert isinstance(refused.value, FileCompressed) is (form == "gzip")


def test_a_number_in_a_workbook_is_not_turned_back_into_text() -> None:
    head, row = list(_REPORT), [12 if each == "0012" else each for each in _DEPLOYED]
    with pytest.raises(ToldError, match="must be text"):
        only(read_table(book(head, row)))


def test_text_has_its_mark_read_and_what_is_no_text_is_told() -> None:
    assert utf8(b"\xef\xbb\xbfx") == utf8(b"x") == as_saved("x".encode("utf-16")) == "x"
    for octets, told in (
        ("{}".encode("utf-16"), "UTF-16, as its byte order mark says"),
        ("{}".encode("utf-16-le"), "UTF-16 without"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"PK\x03\x04", "ZIP"),
        (b"\xff", "not text in UTF-8"),
    ):
        with pytest.raises(TextUnreadable, match=told):
            utf8(octets)

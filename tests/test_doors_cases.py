"""Small files that were refused, or read wrongly, once: each gives what is right, over HTTP and at the command line."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.cli.deployment_files import chunks
from app.cli.form_files import read_toml
from core.approval import Device, Firmware
from core.errors import InputUnusable
from tests.api_world import Api, application, done, refused
from tests.test_workbook import book
from tests.world import World

CASES = Path(__file__).parent / "vectors" / "doors" / "cases"
DEVICE_ID = "00-DB-12-34-56-78-90-01"
LOST = Device("ESME", "AB01", "LOSTMARK", "01")


@pytest.fixture(scope="module")
def api(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Api]:
    """The authority of the cases, some weeks into the trial that they name."""
    world = World(store_copy("sqlite"), keys_folder)
    made = Api(world)
    made.approval = made.granted()  # type: ignore[attr-defined]
    made.lost = world.granted(device=LOST, firmware=(Firmware("00000001", "cd" * 32),))  # type: ignore[attr-defined]
    world.at(datetime(2027, 2, 1, 12, tzinfo=UTC))
    world.authority.settle()
    made.mirror.follow()
    yield made
    world.close()


def case(api: Api, name: str) -> bytes:
    """A file as it is, but for the identifier of the approval and the days on which its world lives."""
    octets = (CASES / name).read_bytes()
    changes = {"TDT-2026-0001-I": approval(api), "2026-11-28": "2027-01-28", "28/11/2026": "28/01/2027"}
    for old, new in changes.items():
        octets = octets.replace(old.encode(), new.encode())
    return octets


def approval(api: Api) -> str:
    return str(api.approval)  # type: ignore[attr-defined]


def reconciled(api: Api, octets: bytes, **query: str) -> dict[str, Any]:
    path = "/v1/cpl/reconciliations" + "".join(f"?{name}={value}" for name, value in query.items())
    return done(api.ask("panel", "POST", path, octets, Content_Type="text/csv"))


def reported(api: Api, octets: bytes, media_type: str = "text/csv", query: str = "") -> dict[str, Any]:
    taken = done(api.ask("dcc", "POST", f"/v1/deployments{query}", octets, Content_Type=media_type))
    assert taken["lines"] == 1
    return dict(taken["results"][0])


def verified(api: Api, octets: bytes) -> dict[str, Any]:
    return done(api.ask("dcc", "POST", "/v1/verify", octets))


def test_every_case_is_tried_here() -> None:
    tried = set(re.findall(r'"([a-z-]+\.[a-z]+)"', Path(__file__).read_text("utf-8")))
    assert {path.name for path in CASES.iterdir()} <= tried


def test_what_is_merged_stands_in_each_of_its_rows(api: Api) -> None:
    octets = (CASES / "cpl-merged-cells.xlsx").read_bytes()  # the approval that it names is nobody's here
    said = reconciled(api, octets)
    assert [each["line"] for each in said["unknown"]] == [3]
    own = book(*_merged(approval(api)), prepare=_merge)
    said = reconciled(api, own)
    assert [(each["line"], each["firmware_version"]) for each in said["gone"]] == [(3, "00020199")]
    assert approval(api) not in [each["approval"] for each in said["missing"]]
    assert said["unreadable"] == []


def _merged(identifier: str) -> list[list[Any]]:
    head = ["Approval", "Trial", "Expiry", "Manufacturer", "Model", "Firmware Version"]
    return [head, [identifier, "Trial", "2027-06-30", "AB01", "010A030B", "0002012F"], [None] * 5 + ["00020199"]]


def _merge(made: Any) -> None:
    for column in "ABCDE":
        made.active.merge_cells(f"{column}2:{column}3")


@pytest.mark.clause("F2.31")
def test_a_device_whose_approval_has_ended_is_found_without_its_marker(api: Api) -> None:
    lost = str(api.lost)  # type: ignore[attr-defined]
    octets = case(api, "cpl-ended-trial-without-marker.csv")
    assert reconciled(api, octets)["gone"] == []
    api.world.revoked(lost)
    api.settle()
    (gone,) = reconciled(api, octets)["gone"]
    assert (gone["line"], gone["approval"], gone["firmware_version"]) == (2, lost, "00000001")
    assert "revoked" in gone["sentence"]
    certified = {"certificate": "CPA-0002", "certified_on": "2027-01-20"}
    done(api.ask("officer-1", "POST", f"/v1/approvals/{lost}/ncsc-certificate", certified))
    assert reconciled(api, octets)["gone"] == []


def test_a_date_of_a_spreadsheet_is_read_and_an_entry_that_cannot_be_read_is_not_missing(api: Api) -> None:
    octets = case(api, "cpl-date-dd-mmm-yy.csv")
    said = reconciled(api, octets)
    assert [said[name] for name in ("missing", "wrong", "gone", "unknown", "unreadable")] == [[]] * 5
    said = reconciled(api, octets.replace(b"30-Jun-27", b"the last of June"))
    assert ([each["line"] for each in said["unreadable"]], said["missing"]) == ([2], [])
    doubtful = octets.replace(b"30-Jun-27", b"03/04/2027")
    (told,) = reconciled(api, doubtful)["unreadable"]
    assert "2027-04-03" in told["sentence"]
    assert "2027-03-04" in told["sentence"]
    (wrong,) = reconciled(api, doubtful, dates="day-first")["wrong"]
    assert wrong["fields"] == [{"field": "expiry", "has": "2027-04-03", "should": "2027-06-30"}]


def test_a_report_of_deployments_is_read_as_programs_write_it(api: Api) -> None:
    for name in ("deployments-sep-line.csv", "deployments-bare-eui-uk-date.csv"):
        result = reported(api, case(api, name))
        assert (result["device_id"], result["code"]) in {
            (DEVICE_ID, "firmware-missing"),  # the file with `sep=` names none, and an ESME has one
            (DEVICE_ID, None),
        }
    again = case(api, "deployments-bare-eui-uk-date.csv")
    assert reported(api, again, "application/vnd.ms-excel")["outcome"] == "known"
    row = [None if each == "-" else each for each in again.decode().splitlines()[1].split(",")]
    as_book = book(again.decode().splitlines()[0].split(","), row)
    xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert reported(api, as_book, xlsx)["outcome"] == "known"
    doubtful = again.replace(b"28/01/2027", b"04/01/2027").replace(b"9001,", b"9002,")
    assert reported(api, doubtful)["code"] == "day-ambiguous"
    assert reported(api, doubtful, query="?dates=day-first")["outcome"] == "recorded"
    refused(
        api.ask("dcc", "POST", "/v1/deployments", b"\x1f\x8b\x08" + again, Content_Type="text/csv"),
        415,
        "file-compressed",
    )


def test_a_question_is_answered_in_any_form_in_which_it_is_asked(api: Api) -> None:
    for name in ("verify-bom.json", "verify-at-milliseconds.json", "verify-trailing-blank.json"):
        assert verified(api, case(api, name))["state"] == "active", name
    told = refused(
        api.ask("dcc", "POST", "/v1/verify", case(api, "verify-decimal-serial.json")), 400, "serial-malformed"
    )
    assert "looks decimal" in told["detail"]
    for other in ("utf-16", "utf-16-le"):
        octets = case(api, "verify-bom.json").decode("utf-8-sig").encode(other)
        assert "UTF-16" in refused(api.ask("dcc", "POST", "/v1/verify", octets), 400, "body-malformed")["detail"]


def test_a_request_with_words_before_it_is_read(api: Api) -> None:
    device = {"type": "ESME", "manufacturer": "AB01", "model": "CERTTOOL", "hardware_version": "01"}
    days = {"start": "2027-03-01", "expiry": "2027-06-30"}
    body = application(device=device, **days, csr=(CASES / "csr-certtool-default.pem").read_text("utf-8"))
    done(api.ask("manufacturer", "POST", "/v1/applications", body), 201)


def test_a_form_with_a_byte_order_mark_is_read_and_another_encoding_told(tmp_path: Path) -> None:
    _, raw = read_toml(CASES / "application-bom.toml")
    assert raw["device"]["manufacturer"] == "AB01"
    there = tmp_path / "application.toml"
    for encoding in ("utf-16", "utf-16-le"):
        there.write_text((CASES / "application-bom.toml").read_text("utf-8-sig"), encoding)
        with pytest.raises(InputUnusable, match="UTF-16"):
            read_toml(there)


def test_a_file_is_cut_into_parts_that_are_read_as_the_whole_is(api: Api) -> None:
    lines = [f"deployed;00DB1234567800{place:02X};{on};{approval(api)};0002012F" for place, on in
             enumerate(["04/01/2027", "05/01/2027", "28/01/2027", "06/01/2027"])]  # fmt: skip
    whole = "sep=;\r\nEvent;Device ID;on;approval;firmware_version\r\n" + "\r\n".join(lines) + "\r\n"
    parts = chunks(whole.encode("utf-16"), 1)
    assert [[part.line(number) for number in part.numbers] for part in parts] == [[3], [4], [5], [6]]
    for part in parts:
        assert part.order.said == "day-first"
        assert reported(api, part.octets, part.content_type, f"?dates={part.order.said}")["outcome"] == "recorded"

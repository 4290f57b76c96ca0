"""The Central Products List over HTTP: listed, exported, acknowledged, compared; and what bad input gets."""

import csv
import io
from datetime import timedelta

import openpyxl
import pytest

from api.forms.fields import CSV_TYPE, XLSX_TYPE
from intake.workbook import read_workbook
from ra.telling import reconcile
from tests.api_world import Api, application, done, refused
from tests.test_cpl_list import LINE, changed, table
from tests.test_workbook import SHEET, book, with_part
from tests.world import NOW, World

FIRMWARE = [{"version": "0002012F", "image_sha256": "ab" * 32}, {"version": "9001", "image_sha256": "cd" * 32}]
ADDRESS = "/v1/cpl/instructions"


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


@pytest.mark.clause("F2.27")
@pytest.mark.clause("F2.31")
def test_the_panel_is_told_acknowledges_and_is_told_to_remove_at_the_end(api: Api) -> None:
    approval = api.granted(firmware=FIRMWARE)
    page = done(api.ask("panel", "GET", ADDRESS))
    assert [(each["kind"], each["trial"], each["overdue"]) for each in page["instructions"]] == [
        ("add", "Trial Device", False)
    ] * 2
    first, second = [each["instruction"] for each in page["instructions"]]
    said = {"outcome": "loaded"}
    loaded = done(api.ask("panel", "POST", f"{ADDRESS}/{first}/acknowledgement", said, Idempotency_Key="k"))
    assert (loaded["state"], loaded["acknowledged_by"]) == ("loaded", "panel")
    assert done(api.ask("panel", "POST", f"{ADDRESS}/{first}/acknowledgement", said, Idempotency_Key="k")) == loaded
    refused(api.ask("panel", "POST", f"{ADDRESS}/{first}/acknowledgement", said), 409, "wrong-state")
    rejection = {"outcome": "rejected", "reason": "Which hash is it?"}
    assert (
        done(api.ask("panel", "POST", f"{ADDRESS}/{second}/acknowledgement", rejection))["reason"]
        == (rejection["reason"])
    )
    api.world.at(NOW + timedelta(days=2))
    overdue = done(api.ask("officer-1", "GET", f"{ADDRESS}?overdue=true"))["instructions"]
    assert [each["instruction"] for each in overdue] == [second]
    done(
        api.ask("officer-1", "POST", f"/v1/approvals/{approval}/revocation", {"cause": "ssc", "reasons": "It has to."})
    )
    answer = api.ask("panel", "POST", f"{ADDRESS}/{second}/acknowledgement", said)
    assert "nothing is to be done any more" in refused(answer, 409, "instruction-superseded")["detail"]
    pending = done(api.ask("panel", "GET", f"{ADDRESS}?state=pending&due_before=2027-01-06T00:00:00Z"))["instructions"]
    assert [(each["kind"], each["firmware_version"]) for each in pending] == [("remove", "0002012F")]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "outcome"),
        ({"outcome": "published"}, "outcome"),
        ({"outcome": "rejected"}, "a rejection says why"),
        ({"outcome": "rejected", "reason": "  "}, "“reason”: there is nothing in it to read"),
        ({"outcome": "loaded", "reason": "Because."}, "a rejection says why"),
    ],
)
def test_an_acknowledgement_says_loaded_or_rejected_and_why(api: Api, body: dict[str, str], named: str) -> None:
    answer = api.ask("panel", "POST", f"{ADDRESS}/cpl-none/acknowledgement", body)
    assert named in refused(answer, 400, "body-malformed")["detail"]


def test_an_instruction_of_nobody_is_not_found(api: Api) -> None:
    refused(api.ask("panel", "POST", f"{ADDRESS}/cpl-none/acknowledgement", {"outcome": "loaded"}), 404, "not-found")
    refused(api.ask("panel", "GET", f"{ADDRESS}?state=published"), 400, "body-malformed")
    refused(api.ask("panel", "GET", f"{ADDRESS}?due_before=tomorrow"), 400, "instant-malformed")


@pytest.mark.clause("F2.27")
def test_an_export_holds_every_instruction_as_text_that_a_spreadsheet_does_not_change(api: Api) -> None:
    device = {**application()["device"], "manufacturer": "=cmd|'x'!A0", "model": "0012"}
    api.granted(firmware=FIRMWARE, device=device)
    sheet = api.ask("panel", "GET", f"{ADDRESS}?limit=1", Accept=XLSX_TYPE)
    assert (sheet.status_code, sheet.mimetype, sheet.headers["Vary"]) == (200, XLSX_TYPE, "Accept")
    (only,) = read_workbook(sheet.data)
    header, *rows = [[cell.text for cell in row.cells] for row in only.rows]
    assert [row[header.index("firmware_version")] for row in rows] == ["0002012F", "9001"]
    cell = openpyxl.load_workbook(io.BytesIO(sheet.data)).active.cell(2, header.index("manufacturer") + 1)
    assert (cell.value, cell.data_type) == ("=cmd|'x'!A0", "s")
    text = api.ask("panel", "GET", ADDRESS, Accept=CSV_TYPE)
    assert (text.mimetype, text.headers["Content-Disposition"]) == (
        CSV_TYPE,
        'attachment; filename="cpl-instructions.csv"',
    )
    listed = list(csv.DictReader(io.StringIO(text.data.decode("utf-8-sig"))))
    assert [each["model"].strip() for each in listed] == ["0012", "0012"]
    assert not listed[0]["manufacturer"].startswith("=")
    refused(api.ask("panel", "GET", ADDRESS, Accept="application/pdf"), 406, "not-acceptable")
    refused(api.ask("manufacturer", "GET", ADDRESS, Accept=CSV_TYPE), 403, "operation-not-permitted")


@pytest.mark.clause("F2.31")
def test_a_certificate_of_the_ncsc_is_recorded_once(api: Api) -> None:
    approval = api.granted()
    address = f"/v1/approvals/{approval.lower()}/ncsc-certificate"
    body = {"certificate": "NCSC-CPA-17", "certified_on": "2027-01-03"}
    assert done(api.ask("officer-1", "POST", address, body)) == {"approval": approval, "instructions": [], **body}
    refused(api.ask("officer-2", "POST", address, body), 409, "wrong-state")
    other = f"/v1/approvals/{api.granted(device={**application()['device'], 'model': 'M2'})}/ncsc-certificate"
    refused(api.ask("officer-1", "POST", other, body | {"certified_on": "2027-01-04"}), 422, "ncsc-certificate-refused")
    refused(api.ask("officer-1", "POST", other, body | {"certified_on": "yesterday"}), 400, "instant-malformed")


@pytest.mark.clause("F2.29")
def test_a_list_is_compared_whatever_it_is_said_to_be(api: Api) -> None:
    approval = api.granted()
    api.world.at(NOW + timedelta(days=1))
    line = changed(approval=approval, expiry="29/06/2027")
    for octets, said, form in (
        (table(line).encode(), CSV_TYPE, "csv"),
        (book([*table().split(",")], line), XLSX_TYPE, "xlsx"),
        (table(line).encode(), "application/octet-stream", "csv"),
    ):
        found = done(api.ask("panel", "POST", "/v1/cpl/reconciliations", octets, Content_Type=said))
        assert found["form"] == form
        assert found["wrong"] == [
            {
                "line": 2,
                "approval": approval,
                "firmware_version": "0002012F",
                "fields": [{"field": "expiry", "has": "2027-06-29", "should": "2027-06-30"}],
            }
        ]


def test_a_list_that_cannot_be_read_is_refused_with_a_sentence(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "/v1/cpl/reconciliations"
    refused(api.ask("panel", "POST", address, b"", Content_Type=CSV_TYPE), 400, "list-unreadable")
    answer = api.ask("panel", "POST", address, ",".join(LINE).encode(), Content_Type=CSV_TYPE)
    assert "“approval”" in refused(answer, 400, "list-unreadable")["detail"]
    entity = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
    refused(api.ask("panel", "POST", address, with_part(book(), SHEET, entity)), 400, "workbook-refused")
    bomb = with_part(book(), SHEET, b"<x>" + b" " * 70_000_000 + b"</x>")
    refused(api.ask("panel", "POST", address, bomb), 413, "workbook-too-large")
    monkeypatch.setattr("api.cpl.LARGEST_LIST", 100)
    refused(api.ask("panel", "POST", address, b"x" * 101), 413, "body-too-large")
    monkeypatch.setattr(reconcile, "LARGEST_LIST", 100)
    monkeypatch.setattr("api.cpl.LARGEST_LIST", 1_000)
    refused(api.ask("panel", "POST", address, b"x" * 101), 413, "body-too-large")

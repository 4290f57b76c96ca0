"""The Panel's list, reports, deployments and the journal in a browser: acts once, what is wrong told, nothing lost."""

from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.chart import HEIGHT, MOST_BARS, WIDTH, bars
from core.cpl import InstructionState
from ra.reporting.contents import ReportLine
from ra.telling.instructions import Asked, instructions
from tests.api_world import Api
from tests.console_world import Pages
from tests.deployments_world import csv_of, deployed
from tests.signing import another_device
from tests.test_console import HOSTILE
from tests.world import World


@pytest.fixture
def pages(world: World) -> Pages:
    return Pages(Api(world))


def form(pages: Pages, who: str, fresh: str = "A") -> dict[str, Any]:
    csrf = pages.fields(pages.get(who, "/console/sessions").text, "/console/sign-out")["csrf_token"]
    return {"csrf_token": csrf, "fresh": fresh * 22}


def instructed(pages: Pages) -> list[str]:
    found = instructions(pages.desk, pages.actor("panel"), Asked(), after="", limit=99).instructions
    return [each.instruction for each in found]


def test_instructions_are_acknowledged_together_and_each_stands_alone(pages: Pages) -> None:
    for number in (1, 2):
        pages.api.granted(device=another_device(number))
    one, two, *_ = listed = instructed(pages)
    place = "/console/list/acknowledgement"
    page = pages.get("panel", "/console/list").text
    assert all(each in page for each in listed)
    assert 'type="checkbox"' not in pages.get("dcc", "/console/list").text
    said = {**form(pages, "panel"), "instruction": [one, "cpl-none"], "what": "loaded"}
    partly = pages.post("panel", place, said)
    assert partly.status_code == 422
    assert "cpl-none" in partly.text
    assert pages.post("panel", place, {**said, "instruction": []}).status_code == 422
    assert pages.post("panel", place, {**said, "what": ""}).status_code == 422
    rest = {**form(pages, "panel", "B"), "instruction": listed[1:], "what": "loaded"}
    assert pages.post("panel", place, rest).status_code == 303
    assert pages.post("panel", place, rest).status_code == 303, "the same form again is the same act"
    again = pages.post("panel", place, {**rest, "fresh": "C" * 22, "instruction": [two]})
    assert again.status_code == 422
    left = instructions(pages.desk, pages.actor("panel"), Asked(state=InstructionState.PENDING), after="", limit=9)
    assert left.instructions == ()
    assert pages.post("dcc", place, {**rest, **form(pages, "dcc")}).status_code == 403


def test_a_rejection_wants_its_reason_and_it_is_text(pages: Pages) -> None:
    pages.api.granted()
    said = {**form(pages, "panel"), "instruction": instructed(pages), "what": "rejected", "reason": ""}
    assert pages.post("panel", "/console/list/acknowledgement", said).status_code == 422
    said["reason"] = HOSTILE
    assert pages.post("panel", "/console/list/acknowledgement", said).status_code == 303
    page = pages.get("panel", "/console/list?show=rejected").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_a_list_is_compared_with_what_it_should_show(pages: Pages) -> None:
    approval = pages.api.granted()
    place = "/console/list/reconciliation"
    table = pages.get("panel", "/console/list/file?as=csv")
    assert approval in table.text
    assert pages.get("panel", "/console/list/file").data[:2] == b"PK"

    def compared(octets: bytes) -> Any:
        return pages.post("panel", place, {**form(pages, "panel"), "file": (BytesIO(octets), "list.csv")})

    pages.api.world.clock.instant += timedelta(days=30)
    pages._browsers.clear()  # sessions of before are over
    empty = compared(table.data.splitlines(keepends=True)[0])
    assert empty.status_code == 200
    assert "Missing" in empty.text
    for wrong in (b"", b"\x00\x01", b"a,b\n1,2\n", b"PK\x03\x04nothing"):
        refused = compared(wrong)
        assert refused.status_code == 422, wrong
        assert "Nothing was done" in refused.text


def test_deployments_are_reported_by_a_file_and_told_line_by_line(pages: Pages) -> None:
    approval = pages.api.granted()
    pages.api.world.clock.instant += timedelta(days=7)
    octets = csv_of([deployed(1, approval), deployed(2, "TDT-2027-0999-X"), deployed(3, approval, by="=1+1")])

    def sent(body: bytes, who: str = "dcc") -> Any:
        return pages.post(who, "/console/deployments", {**form(pages, who), "file": (BytesIO(body), "x.csv")})

    answer = sent(octets)
    assert answer.status_code == 200
    assert "3 lines were read" in answer.text
    assert answer.text.index("Refused") < answer.text.index("Recorded"), "what was refused comes first"
    assert "1 recorded" not in sent(octets).text, "the same file again changes nothing"
    assert sent(b"").status_code == 422
    assert sent(b"\x00" * 99).status_code == 422
    assert sent(octets, "panel").status_code == 403
    report = pages.get("dcc", f"/console/reports/{month(pages)}").text
    assert "1 of 500" in report
    assert f"<title>{approval}: 1 of 500</title>" in report, "the chart says its numbers"


def month(pages: Pages) -> str:
    now = pages.desk.clock.now()
    return f"{now.year}-{now.month:02d}"


def test_a_report_is_remarked_issued_once_and_saved(pages: Pages) -> None:
    pages.api.granted()
    place = f"/console/reports/{month(pages)}"
    assert pages.post("dcc", f"{place}/remark", {**form(pages, "dcc"), "text": " "}).status_code == 422
    assert pages.post("dcc", f"{place}/remark", {**form(pages, "dcc"), "text": HOSTILE}).status_code == 303
    assert "<script>alert" not in pages.get("auditor", place).text
    early = pages.post("dcc", f"{place}/issue", form(pages, "dcc", "B"))
    assert early.status_code == 422, "its month is not over, and that is not said"
    assert pages.post("dcc", f"{place}/issue", {**form(pages, "dcc", "C"), "early": "yes"}).status_code == 303
    assert pages.post("dcc", f"{place}/issue", {**form(pages, "dcc", "D"), "early": "yes"}).status_code == 422
    assert pages.get("dcc", f"{place}/file").data[:5] == b"%PDF-"
    assert pages.get("dcc", f"{place}/file?as=xlsx").data[:2] == b"PK"
    assert pages.get("dcc", "/console/reports/2027-13").status_code in {400, 404}
    assert month(pages) in pages.get("dcc", "/console/reports").text


def test_the_journal_is_searched(pages: Pages) -> None:
    approval = pages.api.granted()
    page = pages.get("auditor", "/console/journal").text
    assert pages.api.mirror.held().authority.journal_key.hex() in page
    found = pages.get("auditor", f"/console/journal?q={approval}").text
    assert "Approval granted" in found
    assert approval in found
    assert "Nothing is found" in pages.get("auditor", f"/console/journal?q={approval[:-1]}").text
    odd = pages.get("auditor", "/console/journal?q=%25%20_<script>alert(1)</script>&after=x")
    assert odd.status_code == 200
    assert "<script>alert" not in odd.text
    kinds = pages.get("auditor", "/console/journal?q=approval-granted").text
    assert "Application submitted" not in kinds
    assert "Application submitted" not in pages.get("auditor", "/console/journal?q=Approval+granted").text


def test_the_journal_is_searched_in_a_time(pages: Pages) -> None:
    pages.api.granted()
    today = pages.desk.clock.now().date()

    def found(said: str = "", first: str = "", last: str = "") -> tuple[int, str]:
        answer = pages.browser("auditor").get(
            "/console/journal", base_url=pages.origin, query_string={"q": said, "from": first, "to": last}
        )
        return answer.status_code, answer.text

    whole, before = found("officer-1", f"{today:%d %B %Y}"), found("officer-1", last=f"{today - timedelta(days=1)}")
    assert (whole[0], before[0]) == (200, 200)
    assert "Decision proposed" in whole[1]
    assert "Nothing is found" in before[1]
    assert "Approval granted" in found(first=f"{today}", last=f"{today}")[1], "of everybody, on that day"
    assert "Nothing is found" in found(first=f"{today + timedelta(days=1)}")[1]
    wrong = found("officer-1", "03/04/2027")
    assert wrong[0] == 422
    assert "From: “03/04/2027” may be" in wrong[1]


def test_a_chart_has_a_bar_for_each_approval_and_says_which_is_above() -> None:
    def line(deployed: int, limit: int) -> ReportLine:
        return cast(
            "ReportLine", SimpleNamespace(approval="A", deployed=deployed, limit=limit, above_limit=deployed > limit)
        )

    assert bars([line(0, 500)]) is None
    found = bars([line(250, 500), line(500, 500), line(1000, 500), line(0, 0)])
    assert found is not None
    half, whole, twice, none = found.bars
    assert (whole.y, found.above) == (found.limit, 1)
    assert half.height == pytest.approx(whole.height / 2, abs=0.1)
    assert twice.y == pytest.approx(HEIGHT - 12 - (HEIGHT - 24) / 1.15, abs=0.1)
    assert (twice.above, none.height) == (True, 0)
    many = bars([line(1, 1)] * 500)
    assert many is not None
    assert len(many.bars) == MOST_BARS
    assert all(each.x >= 0 and each.x + each.width <= WIDTH for each in many.bars)

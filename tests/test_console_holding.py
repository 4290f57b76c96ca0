"""A Manufacturer's approval in a browser: certificates saved and answered, requests made and taken back, notices."""

import pytest
from cryptography import x509

from ra.applying.request_amendment import requests_of
from ra.telling.approvals import approval as approval_of
from tests.api_world import Api
from tests.console_world import Pages
from tests.test_console import HOSTILE
from tests.world import World


@pytest.fixture
def pages(world: World) -> Pages:
    return Pages(Api(world))


def form(pages: Pages, who: str = "manufacturer", fresh: str = "A") -> dict[str, str]:
    csrf = pages.fields(pages.get(who, "/console/sessions").text, "/console/sign-out")["csrf_token"]
    return {"csrf_token": csrf, "fresh": fresh * 22}


def test_a_certificate_is_saved_in_each_form_and_answered_once(pages: Pages) -> None:
    place = f"/console/approvals/{pages.api.granted()}"
    chain = pages.get("manufacturer", f"{place}/certificate")
    assert len(x509.load_pem_x509_certificates(chain.data)) == 3
    assert chain.headers["Content-Disposition"].startswith("attachment;")
    x509.load_der_x509_certificate(pages.get("manufacturer", f"{place}/certificate?as=cer&issue=1").data)
    assert pages.get("manufacturer", f"{place}/certificate?as=p7c").data[:1] == b"\x30"
    assert pages.get("manufacturer", f"{place}/certificate?issue=9").status_code == 404
    assert pages.get("rival", f"{place}/certificate").status_code == 404

    serial = approval_of(pages.desk, pages.actor("manufacturer"), place.rpartition("/")[2]).certificates[0].serial
    said = {**form(pages), "serial": serial, "answer": "reject", "reason": ""}
    assert pages.post("manufacturer", f"{place}/acceptance", said).status_code == 422, "a rejection says what is wrong"
    assert pages.post("manufacturer", f"{place}/acceptance", {**said, "answer": ""}).status_code == 422
    rival = {**said, **form(pages, "rival"), "answer": "accept"}
    assert pages.post("rival", f"{place}/acceptance", rival).status_code == 404
    said = {**said, "reason": HOSTILE}
    assert pages.post("manufacturer", f"{place}/acceptance", said).status_code == 303
    assert pages.post("manufacturer", f"{place}/acceptance", said).status_code == 303, "the same form is the same act"
    assert pages.post("manufacturer", f"{place}/acceptance", {**said, "fresh": "B" * 22}).status_code == 422
    page = pages.get("manufacturer", f"{place}/holder").text
    assert "Rejected" in page
    assert "<script>alert" not in page


def test_an_amendment_is_asked_for_with_what_was_typed_not_lost_and_taken_back(pages: Pages) -> None:
    approval = pages.api.granted()
    place = f"/console/approvals/{approval}"
    said = {
        **form(pages),
        "what": "amendment",
        "maximum_devices": "1,000",
        "expiry": "31 May 2027",
        "firmware_added": f"2.0 {'c' * 64}\n\n",
        "firmware_removed": "1 2",
        "reasons": HOSTILE,
    }
    wrong = {"maximum_devices": "many", "expiry": "05/06/2027", "firmware_added": "2.0 c", "reasons": " "}
    for name, value in wrong.items():
        refused = pages.post("manufacturer", f"{place}/amendment-requests", {**said, name: value})
        assert refused.status_code == 422, name
        assert "Nothing was done" in refused.text
        assert 'value="31 May 2027"' in refused.text or name == "expiry"
        assert "<script>alert" not in refused.text
    assert pages.post("manufacturer", f"{place}/amendment-requests", said).status_code == 303
    (asked,) = requests_of(pages.desk, pages.actor("manufacturer"), approval).requests
    assert (asked.asked.maximum_devices, str(asked.asked.expiry)) == (1000, "2027-05-31")
    assert (asked.asked.firmware_added[0].version, asked.asked.firmware_removed) == ("2.0", ("1", "2"))
    back = {**form(pages, fresh="C"), "request": asked.request}
    assert pages.post("rival", f"{place}/withdrawal", {**back, **form(pages, "rival")}).status_code == 404
    assert pages.post("manufacturer", f"{place}/withdrawal", back).status_code == 303
    assert "Withdrawn" in pages.get("manufacturer", f"{place}/holder").text


def test_an_end_is_asked_for_once_and_nothing_ends_by_it(pages: Pages) -> None:
    approval = pages.api.granted()
    place = f"/console/approvals/{approval}"
    said = {**form(pages), "what": "end", "reasons": "The trial is over."}
    assert pages.post("manufacturer", f"{place}/end", {**said, "reasons": ""}).status_code == 422
    assert pages.post("manufacturer", f"{place}/end", said).status_code == 303
    assert pages.post("manufacturer", f"{place}/end", {**said, "fresh": "D" * 22}).status_code == 422
    assert approval_of(pages.desk, pages.actor("manufacturer"), approval).ended_at is None


def test_a_notice_is_saved_by_whom_it_is_for(pages: Pages) -> None:
    pages.api.granted()
    page = pages.get("manufacturer", "/console/notices").text
    place = page.partition('href="/console/notices/')[2].partition('"')[0].replace("&amp;", "&")
    saved = pages.get("manufacturer", f"/console/notices/{place}")
    assert saved.data[:5] == b"%PDF-"
    assert "sandbox" in saved.headers["Content-Security-Policy"]
    number = place.partition("/")[0]
    assert pages.get("rival", f"/console/notices/{number}/file").status_code == 404
    assert b'"' in pages.get("dcc", f"/console/notices/{number}/file?as=json").data
    assert pages.get("auditor", f"/console/notices/{number}/file?for=panel").data[:5] == b"%PDF-"

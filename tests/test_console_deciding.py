"""Every kind of decision in a browser: by one form; requests answered, and what is done witnessed."""

import re
from html import unescape
from typing import Any

import pytest

from ra.applying.request_end import show_end_request
from ra.deciding.look import decision as decision_of
from ra.deciding.views import DecisionAnswer
from ra.telling import notices
from tests.api_world import Api, done
from tests.browser_world import notice_of
from tests.console_world import Pages
from tests.signing import another_device, sign_for_proposed
from tests.world import World, csr_pem

REASONS = "It was <b>decided</b>."


@pytest.fixture
def pages(world: World) -> Pages:
    return Pages(Api(world))


def _fields(page: str) -> dict[str, str]:
    form = next(each for each in re.findall(r"<form.*?</form>", page, re.DOTALL) if "data-live" in each)
    return {
        name: unescape(said) for name, said in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
    }


def _compose(pages: Pages, place: str, **typed: Any) -> DecisionAnswer:
    """Preview, which writes nothing; then propose, twice by one form."""
    fields = {**_fields(pages.get("officer-1", place).text), "reasons": REASONS, **typed}
    seen = pages.post("officer-1", place, {**fields, "do": "preview"})
    assert seen.status_code == 200, seen.text
    assert "officers have to agree" in seen.text
    sent = [pages.post("officer-1", place, {**fields, "do": "propose"}) for _ in range(2)]
    assert [each.status_code for each in sent] == [303, 303], sent[0].text
    assert sent[0].location == sent[1].location
    return decision_of(pages.desk, pages.actor("auditor"), sent[0].location.rpartition("/")[2])


def _taken_back(pages: Pages, made: DecisionAnswer) -> None:
    done(pages.api.ask("officer-1", "POST", f"/v1/decisions/{made.decision}/rejection", {"why": "x"}))


def test_a_new_key_an_end_and_a_revocation_are_composed_as_they_are_previewed(pages: Pages) -> None:
    approval = pages.api.granted()
    place = f"/console/approvals/{approval}"
    assert f"{place}/rekey" in pages.get("officer-1", place).text
    assert f"{place}/rekey" not in pages.get("auditor", place).text
    made = _compose(pages, f"{place}/rekey", csr=csr_pem().decode(), old_key="replaced")
    assert (made.kind, made.proposal["cause"]) == ("rekey", "replacement")
    _taken_back(pages, made)

    for wrong in ({"cause": "expired"}, {"invalidity_date": "yesterday"}):
        fields = _fields(pages.get("officer-1", f"{place}/revocation").text)
        answer = pages.post(
            "officer-1", f"{place}/revocation", {**fields, "reasons": REASONS, "cause": "ssc", "do": "propose", **wrong}
        )
        assert answer.status_code == 422, wrong
        assert "It was &lt;b&gt;decided" in answer.text, "what was typed is kept"
    made = _compose(pages, f"{place}/revocation", cause="ssc")
    assert (made.kind, made.proposal["cause"], made.officers, made.urgent) == ("revoke", "ssc", 2, False)
    _taken_back(pages, made)
    made = _compose(pages, f"{place}/ending")
    assert (made.kind, made.proposal["cause"]) == ("withdraw", "manufacturer")
    _taken_back(pages, made)
    assert pages.post("officer-1", f"{place}/waiting", {**fields, "reasons": "x", "do": "propose"}).status_code == 422


@pytest.mark.long
def test_a_notice_is_corrected_and_both_are_shown_as_they_are(pages: Pages) -> None:
    approval = pages.api.granted()
    notice = notice_of(pages, approval)
    assert f"/console/notices/{notice}/correction" in pages.get("officer-1", "/console/notices").text
    assert "/correction" not in pages.get("dcc", "/console/notices").text
    made = _compose(pages, f"/console/notices/{notice}/correction", summary="It was assessed otherwise.")
    assert (made.kind, made.proposal["notice"]) == ("correct", notice)
    assert [each.subject for each in made.passages] == ["reasons", "summary"]
    assert pages.get("officer-1", "/console/notices/TDN-2027-0999/correction").status_code == 404


@pytest.mark.long
def test_many_are_revoked_by_one_act_whose_page_says_how_far_it_has_come(pages: Pages) -> None:
    named = [pages.api.granted(device=another_device(each)) for each in range(2)]
    place = "/console/revocations"
    fields = {**_fields(pages.get("officer-1", place).text), "reasons": REASONS, "cause": "ssc", "do": "preview"}
    for wrong in (
        {"approvals": ""},
        {"approvals": named[0], "issuing_ca": "0" * 40},
        {"issuing_ca": "0" * 40},
        {"issuing_ca": "x"},
        {"approvals": "TDA-2027-9999-9"},
        {"approvals": f"{named[0]} x"},
        {"approvals": named[0], "cause": "breach"},
    ):
        assert pages.post("officer-1", place, {**fields, **wrong}).status_code == 422, wrong
    made = _compose(pages, place, approvals="\r\n".join([*named, named[0]]), cause="ssc")
    assert made.proposal["approvals"] == sorted(named)
    signed = sign_for_proposed(pages.desk, pages.actor("officer-1"), made.decision)
    done(pages.api.ask("officer-1", "POST", f"/v1/decisions/{made.decision}/authorisation", signed))
    seconded = pages.api.ask(
        "officer-2", "POST", f"/v1/decisions/{made.decision}/second", pages.api.second_body(made.decision)
    )
    done(seconded)
    pages.api.settle()
    page = pages.get("officer-1", f"/console/decisions/{made.decision}").text
    assert "2 of 2 approvals dealt with: 2 ended by this" in page
    assert named[1] in page
    many = {**fields, "approvals": "TDA-2027-0001-X " * 20_000}
    assert pages.post("officer-1", place, many).status_code == 422, "a list of many is read"
    assert pages.post("officer-1", place, {**fields, "remark": "x" * 3_000_000}).status_code == 413


def test_a_request_for_an_end_is_granted_or_answered_in_words(pages: Pages) -> None:
    approval = pages.api.granted()
    asked = done(
        pages.api.ask(
            "manufacturer", "POST", f"/v1/approvals/{approval}/end-requests", {"reasons": "It <i>broke</i>."}
        ),
        201,
    )["request"]
    place = f"/console/end-requests/{asked}"
    assert f"{place}" in pages.get("officer-1", "/console/home").text
    page = pages.get("officer-1", place).text
    assert "It &lt;i&gt;broke" in page
    composing = f"/console/approvals/{approval}/ending?request={asked}"
    assert composing in page
    assert f'value="{asked}" checked' in pages.get("officer-1", composing).text
    made = _compose(pages, f"/console/approvals/{approval}/ending", request=asked)
    assert made.proposal["request"] == asked
    _taken_back(pages, made)

    fields = {**pages.fields(page, f"{place}/answer"), "outcome": "refused", "answer": "It runs on."}
    for wrong in ({"outcome": ""}, {"outcome": "granted"}, {"answer": " "}, {"answer": "a\x00"}):
        assert pages.post("officer-1", f"{place}/answer", {**fields, **wrong}).status_code == 422, wrong
    for who in ("auditor", "manufacturer"):
        assert f"{place}/answer" not in pages.get(who, place).text
    for _ in range(2):
        assert pages.post("officer-1", f"{place}/answer", fields).location == place
    it = show_end_request(pages.desk, pages.actor("manufacturer"), asked)
    assert (it.state, it.answer) == ("refused", "It runs on.")
    assert pages.post("officer-1", f"{place}/answer", {**fields, "fresh": "A" * 22}).status_code == 422


def test_what_is_done_is_acknowledged_seen_and_disowned_once(pages: Pages) -> None:
    approval = pages.api.granted()
    revoked = {"cause": "ssc", "reasons": "x"}
    urgent = done(pages.api.ask("officer-1", "POST", f"/v1/approvals/{approval}/revocation", revoked))["decision"]
    place = f"/console/decisions/{urgent}"
    own = pages.get("officer-1", place).text
    assert f"{place}/acknowledgement" not in own
    assert f"{place}/witness" in own
    page = pages.get("officer-2", place).text
    told = pages.fields(page, f"{place}/acknowledgement")
    for _ in range(2):
        assert pages.post("officer-2", f"{place}/acknowledgement", told).status_code == 303
    said = pages.fields(page, f"{place}/witness")
    for wrong in ({}, {"saw": "perhaps"}, {"saw": "disowned"}, {"saw": "disowned", "disown": " "}):
        assert pages.post("officer-2", f"{place}/witness", {**said, **wrong}).status_code == 422, wrong
    assert (
        pages.post("officer-2", f"{place}/witness", {**said, "saw": "disowned", "disown": "Not <u>me</u>."}).location
        == place
    )
    it = decision_of(pages.desk, pages.actor("auditor"), urgent)
    assert it.acknowledged_by == "officer-2"
    assert [(each.officer, each.saw, each.why) for each in it.witnesses] == [
        ("officer-2", "disowned", "Not <u>me</u>.")
    ]
    page = pages.get("officer-2", place).text
    assert "Not &lt;u&gt;me" in page
    assert f"{place}/witness" not in page
    assert notices.listed(pages.desk, pages.actor("auditor"), after="", limit=9, approval=approval).notices

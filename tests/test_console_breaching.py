"""Breaches in a browser: suspected, told, judged by what was signed; each form once, and by officers alone."""

import re
from html import unescape

import pytest

from officers.claims import to_confirm
from ra.reporting.breach import shown
from tests.api_world import Api
from tests.console_world import Pages
from tests.world import World

NOTE = "It was <b>moved</b>."


def _granted(pages: Pages) -> str:
    """An approval with a condition."""
    api = pages.api
    conditions = [{"text": "It stays in one house."}]
    decision = api.proposed(kind="grant", application=api.applied(), conditions=conditions)
    api.settle()
    seconded = api.ask("officer-2", "POST", f"/v1/decisions/{decision}/second", api.second_body(decision))
    api.settle()
    return str(seconded.get_json()["approval"])


def _form(page: str) -> dict[str, str]:
    found = re.search(r'<form class="act" method="post">.*?</form>', page, re.DOTALL)
    assert found is not None
    return {name: unescape(said) for name, said in re.findall(r'name="([a-z_]+)" value="([^"]*)"', found[0])}


@pytest.fixture
def pages(world: World) -> Pages:
    return Pages(Api(world))


def _suspected(pages: Pages, approval: str) -> str:
    place = f"/console/approvals/{approval}/suspicion"
    fields = _form(pages.get("officer-1", place).text)
    for wrong in ({"condition": "9"}, {"condition": "x"}, {"condition": "\u0661"}, {"note": " "}, {"note": "a\x00"}):
        answer = pages.post("officer-1", place, {**fields, "condition": "1", "note": NOTE, **wrong})
        assert answer.status_code in {404, 422}, wrong
    sent = [pages.post("officer-1", place, {**fields, "condition": "1", "note": NOTE}) for _ in range(2)]
    assert [each.status_code for each in sent] == [303, 303]
    assert sent[0].location == sent[1].location, "the same form again is the same act"
    return str(sent[0].location.rpartition("/")[2])


def test_a_breach_is_suspected_told_and_confirmed_by_what_was_signed(pages: Pages) -> None:
    approval = _granted(pages)
    breach = _suspected(pages, approval)
    place = f"/console/breaches/{breach}"
    page = pages.get("officer-2", place).text
    assert "It was &lt;b&gt;moved" in page
    assert f"trialcpa officer sign --breach {breach}" in page
    assert breach in pages.get("officer-2", f"/console/approvals/{approval}").text

    telling = {**pages.fields(page, f"{place}/telling"), "told": "Where is it?"}
    assert pages.post("officer-2", f"{place}/telling", {**telling, "told": ""}).status_code == 422
    assert pages.post("officer-2", f"{place}/telling", telling).status_code == 303

    fields = pages.fields(page, f"{place}/judgement")
    signed = pages.pasted("officer-2", to_confirm(breach))
    right = {**fields, "outcome": "confirmed", "why": "It is <i>there</i>.", "authorisation": signed}
    for wrong in ({"authorisation": ""}, {"outcome": ""}, {"outcome": "both"}, {"why": " "}):
        refused = pages.post("officer-2", f"{place}/judgement", {**right, **wrong})
        assert refused.status_code == 422, wrong
    assert "It is &lt;i&gt;there" in pages.post("officer-2", f"{place}/judgement", {**right, "authorisation": "x"}).text
    of_another = pages.pasted("officer-1", to_confirm(breach))
    assert pages.post("officer-2", f"{place}/judgement", {**right, "authorisation": of_another}).status_code == 422
    assert pages.post("officer-2", f"{place}/judgement", right).status_code == 303
    assert pages.post("officer-2", f"{place}/judgement", right).status_code == 303
    assert shown(pages.desk, pages.actor("auditor"), breach).state == "confirmed"
    page = pages.get("officer-2", place).text
    assert f"/console/approvals/{approval}/revoke?cause=breach&amp;breach={breach}" in page
    closing = {**pages.fields(page, "/console/sign-out"), "why": "x"}
    assert pages.post("officer-2", f"{place}/closing", closing).status_code == 422, "its approval stands"


def test_a_suspicion_is_dismissed_without_a_signature(pages: Pages) -> None:
    breach = _suspected(pages, _granted(pages))
    place = f"/console/breaches/{breach}"
    fields = pages.fields(pages.get("officer-2", place).text, f"{place}/judgement")
    assert (
        pages.post("officer-2", f"{place}/judgement", {**fields, "outcome": "dismissed", "why": "No."}).location
        == place
    )
    assert shown(pages.desk, pages.actor("auditor"), breach).state == "dismissed"
    stale = {**fields, "fresh": "A" * 22, "outcome": "dismissed", "why": "No."}
    assert pages.post("officer-2", f"{place}/judgement", stale).status_code == 422
    for who in ("manufacturer", "dcc", "panel"):
        assert pages.get(who, place).status_code in {403, 404}

"""What stands beside decisions in a browser: orders, suspicions, contacts, requirements, questions, files, health."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.shown import instants
from core.kinds import AuthorisedAct, EvidenceSubject
from officers.claims import to_order
from ra.applying.contacts import contacts_of
from ra.applying.evidence import Subject, attachments
from ra.applying.requirements import standing
from ra.ordering.look import order as order_of
from ra.reporting.breach import suspect_limit
from ra.reporting.report import month_of
from ra.reporting.suspicion import show_suspicion
from tests.acting import member
from tests.api_world import Api, done
from tests.console_world import Pages
from tests.world import DCC, NOW, World


@pytest.fixture(scope="module")
def pages(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Pages]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Pages(Api(world))
    world.close()


@pytest.fixture(scope="module")
def breach(pages: Pages) -> str:
    """A suspected breach of the limit, which its Manufacturer was told of."""
    approval = pages.api.granted()
    with pages.api.world.store.begin("suspect") as tx:
        found = suspect_limit(tx, approval, deployed=501, maximum=500, actor=DCC, at=NOW)
    done(pages.api.ask("officer-1", "POST", f"/v1/breaches/{found}/telling", {"text": "Where <b>are</b> they?"}))
    return str(found)


def _form(pages: Pages, who: str, place: str, action: str) -> dict[str, str]:
    return pages.fields(pages.get(who, place).text, action)


def test_a_manufacturer_answers_what_it_was_told_once_and_attaches_a_file(pages: Pages, breach: str) -> None:
    place = f"/console/suspicions/{breach}"
    assert f'href="{place}"' in pages.get("manufacturer", "/console/home").text, "the task leads there"
    assert "Where &lt;b&gt;are" in pages.get("manufacturer", place).text
    files = f"{place}/files"
    sending = _form(pages, "manufacturer", files, files)
    sent = {**sending, "file": (io.BytesIO(b"%PDF-1.7\n%%EOF\n"), "<i>a.pdf")}
    assert pages.post("manufacturer", files, sent).status_code == 303
    assert pages.post("manufacturer", files, {**sending, "file": (io.BytesIO(b""), "a.pdf")}).status_code == 422
    held = attachments(pages.desk, pages.actor("auditor"), Subject(EvidenceSubject.SUSPICION, breach)).evidence
    assert [each.media_type for each in held] == ["application/pdf"]

    act = f"{place}/answer"
    fields = {**_form(pages, "manufacturer", place, act), "answer": "In <u>one</u> house."}
    for wrong in ({"answer": " "}, {"answer": "a\x00"}, {"answer": "x" * 10_001}):
        assert pages.post("manufacturer", act, {**fields, **wrong}).status_code == 422
    for _ in range(2):
        assert pages.post("manufacturer", act, fields).location == place
    assert show_suspicion(pages.desk, pages.actor("auditor"), breach).answer == "In <u>one</u> house."
    assert pages.post("manufacturer", act, {**fields, "fresh": "A" * 22}).status_code == 422
    page = pages.get("officer-1", f"/console/breaches/{breach}").text
    assert "In &lt;u&gt;one" in page
    assert f'action="{act}"' not in pages.get("officer-1", place).text


def test_issuing_is_stopped_by_an_order_that_was_signed_for(pages: Pages) -> None:
    fields = {**_form(pages, "officer-1", "/console/orders", "/console/orders"), "why": "A <b>doubt</b>."}
    for wrong in ({}, {"kind": "restore"}, {"kind": "start-issuing"}, {"kind": "stop-issuing", "why": " "}):
        answer = pages.post("officer-1", "/console/orders", {**fields, **wrong})
        assert answer.status_code == 422, wrong
    given = [pages.post("officer-1", "/console/orders", {**fields, "kind": "stop-issuing"}) for _ in range(2)]
    place = given[0].location
    assert place == given[1].location
    name = place.rpartition("/")[2]
    page = pages.get("officer-2", place).text
    assert f"trialcpa order authorise {name}" in page
    it = order_of(pages.desk, pages.actor("auditor"), name)
    act = f"{place}/authorisation"
    signing = pages.fields(page, act)
    claim = to_order(AuthorisedAct.STOP_ISSUING, name, it.body_sha256)
    other = to_order(AuthorisedAct.STOP_ISSUING, name, "0" * 64)
    for wrong_proof in ("", "x", pages.pasted("officer-1", claim), pages.pasted("officer-2", other)):
        assert pages.post("officer-2", act, {**signing, "authorisation": wrong_proof}).status_code == 422
    right = {**signing, "authorisation": pages.pasted("officer-2", claim)}
    assert pages.post("officer-2", act, right).location == place
    assert [each.officer for each in order_of(pages.desk, pages.actor("auditor"), name).authorised_by] == ["officer-2"]
    assert act not in pages.get("auditor", place).text


def test_a_key_leaves_and_comes_by_an_order(pages: Pages) -> None:
    fields = _form(pages, "officer-1", "/console/orders", "/console/orders") | {"kind": "change-roster", "why": "x"}
    third = member("officer-3")
    for wrong in ({}, {"officer": "officer-4"}, {"officer": "officer-4", "public_key": "x"}, {"remove": "0" * 43}):
        assert pages.post("officer-1", "/console/orders", {**fields, **wrong}).status_code == 422, wrong
    made = pages.post("officer-1", "/console/orders", {**fields, "remove": third.key})
    page = pages.get("officer-2", made.location).text
    assert "officer-3" in page
    assert third.key in page


def test_contacts_requirements_and_questions_are_written_once(pages: Pages) -> None:
    place = "/console/contacts"
    fields = _form(pages, "manufacturer", place, place) | {"notices": "new@maker.example", "urgent": ""}
    assert pages.post("manufacturer", place, {**fields, "notices": "no address"}).status_code == 422
    assert pages.post("manufacturer", place, fields).location == place
    held = contacts_of(pages.desk, pages.actor("auditor"), holding=True, after="", limit=9).contacts
    assert [each.notices for each in held] == ["new@maker.example"]
    assert "new@maker.example" not in pages.get("rival", place).text

    place = "/console/requirements"
    fields = _form(pages, "officer-1", place, place) | {"requirement": "A <i>plan</i>."}
    assert pages.post("officer-1", place, {**fields, "requirement": " "}).status_code == 422
    for _ in range(2):
        assert pages.post("officer-1", place, fields).location == place
    (one,) = standing(pages.desk, pages.actor("auditor")).standing
    assert "A &lt;i&gt;plan" in pages.get("rival", place).text
    ending = _form(pages, "officer-1", place, f"{place}/{one.standing}/end")
    assert pages.post("officer-1", f"{place}/{one.standing}/end", ending).location == place
    assert standing(pages.desk, pages.actor("auditor")).standing[0].ended_at is not None

    month = month_of(pages.desk.clock.now())
    place = f"/console/reports/{month}"
    asking = _form(pages, "officer-1", place, f"{place}/question") | {"question": "How <b>many</b>?", "which": "each"}
    assert pages.post("officer-1", f"{place}/question", {**asking, "which": ""}).status_code == 422
    assert pages.post("officer-1", f"{place}/question", asking).location == place
    assert pages.post("officer-1", f"{place}/question", asking).location == place
    page = pages.get("dcc", place).text
    assert page.count("How &lt;b&gt;many") == 1
    answering = pages.fields(page, f"{place}/answer") | {"answer": "Nobody <u>knows</u>."}
    assert pages.post("dcc", f"{place}/answer", {**answering, "answer": ""}).status_code == 422
    assert pages.post("dcc", f"{place}/answer", answering).location == place
    assert "Nobody &lt;u&gt;knows" in pages.get("officer-1", place).text
    ended = _form(pages, "officer-1", place, f"{place}/question-end")
    assert pages.post("officer-1", f"{place}/question-end", ended).location == place


def _ageless(said: str) -> str:
    """Without figures: some checks say how old something is."""
    return re.sub("[0-9.]+", "", said)


def test_health_is_what_readyz_says_and_a_certificate_leads_to_its_approval(pages: Pages, breach: str) -> None:
    page = _ageless(pages.get("admin", "/console/health").text)
    told = {_ageless(instants(each.detail)) for each in pages.console.health().checks}
    assert {each for each in told if each not in page} == set()
    shown = show_suspicion(pages.desk, pages.actor("auditor"), breach).approval
    serial = done(pages.api.ask("auditor", "GET", f"/v1/approvals/{shown}"))["certificates"][0]["serial"]
    assert pages.get("manufacturer", f"/console/certificates/{serial}").location.endswith(f"{shown}/holder")
    assert pages.get("officer-1", f"/console/certificates/{serial}").location.endswith(shown)
    assert pages.get("rival", f"/console/certificates/{serial}").status_code == 404
    assert pages.get("officer-1", "/console/certificates/xyz").status_code == 400


def test_what_officers_say_of_entries_is_said_once(pages: Pages, breach: str) -> None:
    approval = show_suspicion(pages.desk, pages.actor("auditor"), breach).approval
    place = f"/console/approvals/{approval}/entries"
    certified = f"/console/approvals/{approval}/ncsc-certificate"
    addition = f"/console/approvals/{approval}/addition"
    fields = _form(pages, "officer-1", place, certified) | {
        "certificate": "CPA-9",
        "certified_on": NOW.date().isoformat(),
    }
    for wrong in ({"certificate": ""}, {"certified_on": "soon"}, {"certified_on": "2999-01-01"}):
        assert pages.post("officer-1", certified, {**fields, **wrong}).status_code == 422, wrong
    for _ in range(2):
        assert pages.post("officer-1", certified, fields).location == place
    said = _form(pages, "officer-1", place, addition)
    for addition_said in ("", "perhaps", "stands"):  # its certificate holds: there is nothing to say
        assert pages.post("officer-1", addition, {**said, "addition": addition_said}).status_code == 422


def test_an_administrator_revokes_access_and_nobody_else_does(pages: Pages) -> None:
    panel = pages.browser("panel")
    assert panel.get("/console/home", base_url=pages.origin).status_code == 200
    fields = {**_form(pages, "admin", "/console/people", "/console/people/revocation")}
    fields["credential"] = str(pages.actor("panel").credential)
    for who in ("officer-1", "auditor", "dcc"):
        csrf = _form(pages, who, "/console/sessions", "/console/sign-out")["csrf_token"]
        assert pages.post(who, "/console/people/revocation", {**fields, "csrf_token": csrf}).status_code == 403
    assert panel.get("/console/home", base_url=pages.origin).status_code == 200
    assert pages.post("admin", "/console/people/revocation", fields).location == "/console/people"
    assert panel.get("/console/home", base_url=pages.origin).status_code == 302, "its session is over"
    assert pages.post("admin", "/console/people/revocation", fields).status_code == 409

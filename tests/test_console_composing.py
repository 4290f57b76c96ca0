"""Composing in a browser: what is previewed is what comes of it, for each recipient its own, and it leaves nothing."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from console.guard import SECRET
from core.kinds import AuthorisedAct
from officers import claims
from officers.statement import Listed
from ra.deciding.look import decision as decision_of
from ra.deciding.look import decisions as decisions_of
from tests.api_world import Api, done
from tests.console_world import Pages
from tests.evidence_world import journal
from tests.world import World

_NOBODY = ("admin", "auditor", "manufacturer", "rival", "dcc", "panel")


def _form(pages: Pages, place: str, who: str = "officer-1") -> dict[str, Any]:
    """The fields of the form as the page gives it."""
    page = pages.get(who, place).text
    form = next(each for each in re.findall(r"<form.*?</form>", page, re.DOTALL) if "data-live" in each)
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
    typed = re.findall(r'<input type="text" id="[^"]+" name="([^"]+)" value="([^"]*)"', form)
    ticked = re.findall(r'name="([a-z0-9-]+-to)" value="([^"]*)" checked', form)
    fields: dict[str, Any] = {**dict(hidden), **dict(typed)}
    for name, value in ticked:
        fields.setdefault(name, []).append(value)
    return fields


def _sheet(page: str, to: str) -> str:
    return page.partition(f'aria-label="What the {to} will get"')[2].partition("</section>")[0]


def _decided(pages: Pages) -> int:
    return len(decisions_of(pages.desk, pages.actor("auditor"), after="", limit=50).decisions)


def test_each_recipient_is_shown_its_own_and_nothing_is_written_by_it(world: World) -> None:
    pages = Pages(Api(world))
    application = pages.api.applied()
    place = f"/console/applications/{application}/grant"
    fields = _form(pages, place) | {
        "do": "preview",
        "reasons": "It was <b>assessed</b>.",
        "assessment": "Only for the maker.",
        "assessment-to": ["manufacturer"],
        "remark": "Among ourselves.",
        "remark-class": "red",
        "remark-to": ["manufacturer", "dcc", "panel"],
        "condition-1": "Report each week.",
        "condition-1-to": ["manufacturer", "dcc"],
        "maximum_devices": "1",
    }
    before = (_decided(pages), len(journal(world.store)))
    for _ in range(2):
        page = pages.post("officer-1", place, fields).text
        maker, dcc, panel = (_sheet(page, each) for each in ("Manufacturer", "DCC", "Panel"))
        assert all("It was &lt;b&gt;assessed" in each for each in (maker, dcc, panel))
        assert "Only for the maker." in maker
        assert "Only for the maker." not in dcc + panel
        assert "Report each week." in maker
        assert "Report each week." in dcc
        assert "Report each week." not in panel
        assert "Among ourselves." not in maker + dcc + panel
        assert "At most 1 device;" in page, "the certificate in words"
    assert (_decided(pages), len(journal(world.store))) == before

    more = pages.post("officer-1", place, {**fields, "do": "condition"}).text
    assert 'name="condition-2"' in more
    assert "Only for the maker." in more, "nothing that was typed is lost"
    assert '<option value="red" selected>' in more


def test_what_was_previewed_is_proposed_signed_for_and_seconded(world: World) -> None:
    pages = Pages(Api(world))
    application = pages.api.applied()
    place = f"/console/applications/{application}/grant"
    fields = _form(pages, place) | {"do": "propose", "reasons": "It was assessed.", "assessment": "By us."}
    proposed = pages.post("officer-1", place, fields)
    again = pages.post("officer-1", place, fields)
    assert (proposed.status_code, again.status_code) == (303, 303)
    assert again.location == proposed.location, "the same form again is the same proposal"
    assert _decided(pages) == 1
    assert pages.post("officer-1", place, {**fields, "fresh": "A" * 22}).status_code == 422, "it is proposed already"

    decision = proposed.location.rpartition("/")[2]
    page = pages.get("officer-1", proposed.location).text
    assert f"trialcpa officer sign --decision {decision} --act propose" in page
    act = f"/console/decisions/{decision}/authorisation"
    assert act not in pages.get("officer-2", proposed.location).text, "who proposed it signs"
    signing = pages.fields(page, act)
    listed = Listed(decision=decision, proposal_sha256=signing["proposal_sha256"])
    pasted = pages.pasted("officer-1", claims.about(AuthorisedAct.PROPOSE, listed))
    for wrong in ({}, {"authorisation": "x"}, {"authorisation": pasted, "proposal_sha256": "0" * 64}):
        assert pages.post("officer-1", act, {**signing, **wrong}).status_code == 422
    stolen = pages.fields(pages.get("officer-2", proposed.location).text, "/console/sign-out")
    other = {**signing, **stolen, "authorisation": pasted}
    assert pages.post("officer-2", act, other).status_code in {403, 422}
    assert decision_of(pages.desk, pages.actor("auditor"), decision).authorised_at is None
    assert pages.post("officer-1", act, {**signing, "authorisation": pasted}).status_code == 303
    assert pages.post("officer-1", act, {**signing, "authorisation": pasted}).status_code == 303
    assert decision_of(pages.desk, pages.actor("auditor"), decision).authorised_at is not None
    assert "Sign for it" not in pages.get("officer-1", proposed.location).text


def test_a_refusal_and_an_amendment_are_composed(world: World) -> None:
    pages = Pages(Api(world))
    approval = pages.api.granted()
    asked = {"maximum_devices": 70, "reasons": "There are more houses."}
    sent = done(pages.api.ask("manufacturer", "POST", f"/v1/approvals/{approval}/amendment-requests", asked), 201)
    led = pages.get("officer-1", f"/console/amendment-requests/{sent['request']}")
    fields = _form(pages, led.location)
    assert fields["maximum_devices"] == "70"
    place = f"/console/approvals/{approval}/amendment"
    page = pages.post("officer-1", place, {**fields, "do": "preview", "reasons": "More houses."}).text
    assert "Maximum devices" in page
    assert "At most 70 devices" in page
    done_ = pages.post("officer-1", place, {**fields, "do": "propose", "reasons": "More houses."})
    made = decision_of(pages.desk, pages.actor("auditor"), done_.location.rpartition("/")[2])
    assert (made.kind, made.amendment_request) == ("amend", sent["request"])

    application = pages.api.applied()
    place = f"/console/applications/{application}/refusal"
    done_ = pages.post("officer-1", place, _form(pages, place) | {"do": "propose", "reasons": "Not yet."})
    assert decision_of(pages.desk, pages.actor("auditor"), done_.location.rpartition("/")[2]).kind == "refuse"


@pytest.mark.parametrize(
    "wrong",
    [
        {"reasons": ""},
        {"reasons": "a\x00b"},
        {"reasons": "a" * 10_001},
        {"reasons-class": "secret"},
        {"reasons-to": ["everybody"]},
        {"start": "04/03/2027"},
        {"expiry": "never"},
        {"maximum_devices": "-1"},
        {"maximum_devices": "\u0661"},
        {"maximum_devices": "9" * 40},
        {"expiry": "2020-01-01"},
        {"meeting": "m" * 201},
    ],
)
def test_what_cannot_be_read_or_proposed_is_told_and_kept(
    shared_pages: tuple[Pages, str], wrong: dict[str, Any]
) -> None:
    pages, application = shared_pages
    place = f"/console/applications/{application}/grant"
    fields = _form(pages, place) | {"reasons": "It was assessed.", "assessment": "kept <i>"} | wrong
    for do in ("preview", "propose"):
        answer = pages.post("officer-1", place, {**fields, "do": do})
        assert answer.status_code == 422
        assert "It cannot be proposed like this" in answer.text
        assert "kept &lt;i&gt;" in answer.text
    assert _decided(pages) == 0


def test_forms_with_odd_counts_and_wishes_do_no_harm(shared_pages: tuple[Pages, str]) -> None:
    pages, application = shared_pages
    place = f"/console/applications/{application}/grant"
    fields = _form(pages, place) | {"reasons": "It was assessed.", "do": "condition"}
    for count in ("-1", "x", "9" * 30, "\u0661", ""):
        assert pages.post("officer-1", place, {**fields, "conditions": count}).status_code == 200
    assert 'name="condition-101"' not in pages.post("officer-1", place, {**fields, "conditions": "100"}).text
    assert pages.post("officer-1", place, {**fields, "do": "everything"}).status_code == 200
    assert _decided(pages) == 0


@pytest.mark.parametrize("who", _NOBODY)
def test_nobody_else_composes_anything(shared_pages: tuple[Pages, str], who: str) -> None:
    pages, application = shared_pages
    csrf = pages.fields(pages.get(who, "/console/sessions").text, "/console/sign-out")["csrf_token"]
    for place in (f"/console/applications/{application}/grant", f"/console/applications/{application}/refusal"):
        for do in ("preview", "propose", "condition"):
            answer = pages.post(who, place, {"csrf_token": csrf, "do": do, "reasons": "x"})
            assert answer.status_code == 403
    assert _decided(pages) == 0


def test_a_form_of_another_session_composes_nothing(shared_pages: tuple[Pages, str]) -> None:
    pages, application = shared_pages
    place = f"/console/applications/{application}/grant"
    of_another = _form(pages, place, "officer-2")
    assert pages.post("officer-1", place, {**of_another, "do": "propose", "reasons": "x"}).status_code == 400
    with pages.browser("officer-2").session_transaction(base_url=pages.origin) as session:
        assert SECRET in session


@pytest.fixture(scope="module")
def shared_pages(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[tuple[Pages, str]]:
    """A console with one application, about which nothing is ever proposed."""
    world = World(store_copy("sqlite"), keys_folder)
    pages = Pages(Api(world))
    yield pages, pages.api.applied()
    world.close()

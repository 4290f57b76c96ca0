"""The console: every page by every role, forms that are stale, foreign or sent twice, and names from hostile hands."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.guard import COOKIE, OPEN
from core.actors import CONSOLE
from core.kinds import AuthorisedAct
from officers import claims
from officers.statement import Listed, revocation_digest
from ra.access import revoke_access
from ra.deciding.look import decision as decision_of
from ra.desk import IDLE_MINUTES
from ra.entering.sessions import SESSION_LIFE
from ra.reporting.report import month_of
from ra.telling.approvals import approval as approval_of
from tests import committee_world, console_makers
from tests.api_world import Api, done
from tests.browser_world import beside, drafted, notice_of
from tests.console_world import ORIGIN, Pages
from tests.evidence_world import journal
from tests.signing import another_device
from tests.world import World

IDLE = timedelta(minutes=IDLE_MINUTES - 1)
"""As long as somebody may do nothing and find their session still there."""

HOSTILE = "W" * 64 + " \N{RIGHT-TO-LEFT OVERRIDE}\u05e7\u05e8\u05d9\u05d0\u05d4 <script>alert(1)</script> =1+1 &amp;"

_TABLE = re.compile('<table class="wide">.*?</table>', re.DOTALL)

_EVERYBODY = {"officer-1", "admin", "auditor", "manufacturer", "rival", "dcc", "panel"}
_READERS = {"officer-1", "admin", "auditor"}

MAY: dict[str, tuple[str, set[str]]] = {
    "root": ("GET /console", _EVERYBODY),
    "home": ("GET /console/home", _EVERYBODY),
    "applications": ("GET /console/applications", _READERS | {"manufacturer", "rival"}),
    "application": ("GET /console/applications/{application}", _READERS | {"manufacturer"}),
    "require": ("POST /console/applications/{application}/requirements", {"officer-1"}),
    "close_it": ("POST /console/applications/{application}/requirements/{requirement}/closing", {"officer-1"}),
    "evidence": ("GET /console/evidence/{evidence}", _READERS),
    "evidence_shown": ("GET /console/evidence/{evidence}/shown", _READERS),
    "evidence_page": ("GET /console/evidence/{evidence}/pages/1", _READERS),
    "decisions": ("GET /console/decisions", _READERS),
    "decision": ("GET /console/decisions/{decision}", _READERS),
    "compose_grant": ("GET /console/applications/{application}/grant", {"officer-1"}),
    "compose_refusal": ("GET /console/applications/{application}/refusal", {"officer-1"}),
    "compose_amendment": ("GET /console/approvals/{approval}/amendment", {"officer-1"}),
    **{
        f"compose_{endpoint}": (f"GET /console/{place}", {"officer-1"})
        for endpoint, place in (
            ("rekey", "approvals/{approval}/rekey"),
            ("revocation", "approvals/{approval}/revocation"),
            ("revocations", "revocations"),
            ("withdrawal", "approvals/{approval}/ending"),
            ("waiting_withdrawal", "approvals/{approval}/waiting"),
            ("correction", "notices/{notice}/correction"),
        )
    },
    "end_request": ("GET /console/end-requests/{ending}", _READERS | {"manufacturer"}),
    "answer_end": ("POST /console/end-requests/{ending}/answer", {"officer-1"}),
    "acknowledge_it": ("POST /console/decisions/{decision}/acknowledgement", {"officer-1"}),
    "witness_it": ("POST /console/decisions/{decision}/witness", {"officer-1"}),
    "amendment_request": ("GET /console/amendment-requests/{request}", {"officer-1"}),
    "compose_amendment_refusal": ("GET /console/amendment-requests/{request}/refusal", {"officer-1"}),
    "sign_it": ("POST /console/decisions/{decision}/authorisation", {"officer-1"}),
    "second_it": ("POST /console/decisions/{decision}/second", {"officer-1"}),
    "reject_it": ("POST /console/decisions/{decision}/rejection", {"officer-1"}),
    "approvals": ("GET /console/approvals", _EVERYBODY),
    "approval": ("GET /console/approvals/{approval}", _EVERYBODY - {"rival"}),
    "told": ("GET /console/approvals/{approval}/told", {"officer-1", "admin", "auditor", "dcc", "panel"}),
    "dossier_of": ("GET /console/approvals/{approval}/dossier", _READERS),
    "ask_dossier": ("POST /console/approvals/{approval}/dossier", _READERS),
    "revoking": ("GET /console/approvals/{approval}/revoke", {"officer-1"}),
    "revoke_it": ("POST /console/approvals/{approval}/revoke", {"officer-1"}),
    "suspect_it": ("GET /console/approvals/{approval}/suspicion", {"officer-1"}),
    "breach": ("GET /console/breaches/{breach}", _READERS),
    "judge_it": ("POST /console/breaches/{breach}/judgement", {"officer-1"}),
    "tell_it": ("POST /console/breaches/{breach}/telling", {"officer-1"}),
    "close_breach": ("POST /console/breaches/{breach}/closing", {"officer-1"}),
    "calendars": ("GET /console/calendars", _EVERYBODY),
    "make_calendar": ("POST /console/calendars", _EVERYBODY),
    "revoke_calendar": ("POST /console/calendars/cal-none/revocation", set()),
    "keys": ("GET /console/keys", _READERS),
    "listed_sessions": ("GET /console/sessions", _EVERYBODY),
    "end_session": ("POST /console/sessions/ses-none/end", set()),
    "people": ("GET /console/people", {"admin"}),
    "send_invitation": ("POST /console/people/invitation", {"admin"}),
    "end_access": ("POST /console/people/revocation", set()),
    "sign_out": ("POST /console/sign-out", set()),
    **console_makers.MAY,
    **committee_world.MAY,
}
"""Whom each page lets in; who is not named is told no, or that there is no such thing. Others are for everybody."""


@pytest.fixture(scope="module")
def pages(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Pages]:
    world = World(store_copy("sqlite"), keys_folder)
    api = Api(world)
    yield Pages(api)
    world.close()


@pytest.fixture(scope="module")
def named(pages: Pages) -> dict[str, str]:
    """A thing of each kind."""
    api = pages.api
    decision = api.proposed(
        kind="grant",
        application=api.applied(device=another_device(1)),
        conditions=[{"text": HOSTILE, "recipients": ["manufacturer"]}],
    )
    api.settle()
    approval = done(api.ask("officer-2", "POST", f"/v1/decisions/{decision}/second", api.second_body(decision)))[
        "approval"
    ]
    api.settle()
    place, suspicion = f"/v1/approvals/{approval}/breaches", {"condition": 1, "note": HOSTILE}
    breach = str(done(api.ask("officer-2", "POST", place, suspicion), 201)["breach"])
    application = api.applied(device=another_device(2), purpose=HOSTILE)
    body = b"%PDF-1.7\n<script>alert(1)</script>\n%%EOF\n"
    place = f"/v1/applications/{application}/evidence?name=%3Cb%3Ex.pdf"
    sent = api.send("manufacturer", "POST", place, body, Content_Type="application/pdf")
    decision = api.proposed(kind="grant", application=application)
    api.settle()
    place, needed = f"/v1/applications/{application}/requirements", {"text": HOSTILE}
    requirement = str(done(api.ask("officer-2", "POST", place, needed), 201)["requirement"])
    place, asked = f"/v1/approvals/{approval}/amendment-requests", {"reasons": HOSTILE, "other": HOSTILE}
    ending = api.ask("manufacturer", "POST", f"/v1/approvals/{approval}/end-requests", {"reasons": HOSTILE})
    done(api.ask("officer-2", "POST", f"/v1/breaches/{breach}/telling", {"text": HOSTILE}))
    return {
        **committee_world.convened(api, application, decision, HOSTILE),
        "breach": breach,
        "ending": str(done(ending, 201)["request"]),
        "requirement": requirement,
        "request": str(done(api.ask("manufacturer", "POST", place, asked), 201)["request"]),
        "application": application,
        "approval": approval,
        "decision": decision,
        "draft": drafted(pages, HOSTILE),
        "notice": notice_of(pages, approval),
        **beside(pages, approval),
        "month": month_of(pages.desk.clock.now()),
        "evidence": str(done(sent, 201)["evidence"]),
        "credential": next(each for each in [pages.actor("dcc").credential] if each),
    }


def _csrf(pages: Pages, who: str) -> str:
    return pages.fields(pages.get(who, "/console/sessions").text, "/console/sign-out")["csrf_token"]


def seconding(pages: Pages, who: str, decision: str) -> dict[str, str]:
    """The form by which somebody seconds, as the page gives it, with what their tool prints."""
    place = f"/console/decisions/{decision}"
    fields = pages.fields(pages.get(who, place).text, f"{place}/second")
    listed = Listed(
        decision=decision, proposal_sha256=fields["proposal_sha256"], tbs_sha256=tuple(fields["tbs_sha256"].split())
    )
    return {**fields, "authorisation": pages.pasted(who, claims.about(AuthorisedAct.SECOND, listed))}


def test_each_page_is_in_the_table(pages: Pages) -> None:
    assert {rule.endpoint for rule in pages.app.url_map.iter_rules()} | {"offered", "come_in_as", "try_example"} == set(
        MAY
    ) | OPEN


def test_no_two_pages_have_one_address(pages: Pages) -> None:
    asked = Counter(
        (each, re.sub("<[^>]*>", "<>", rule.rule))
        for rule in pages.app.url_map.iter_rules()
        for each in {"GET", "POST"} & (rule.methods or set())
    )
    shared = {each for each, count in asked.items() if count > 1}
    assert not shared, "the first of them is answered, and the others never"


@pytest.mark.parametrize("who", sorted(_EVERYBODY))
def test_who_sees_what(pages: Pages, named: dict[str, str], who: str) -> None:
    """Each page for each role, and for another Manufacturer: what is not theirs tells nothing and does nothing."""
    csrf = _csrf(pages, who)
    fields = {"csrf_token": csrf, "credential": named["credential"]}
    told = len(journal(pages.api.world.store))
    for mine in (False, True):  # first what must leave nothing behind
        for endpoint, (said, may) in MAY.items():
            # Of whoever's access or session is over nothing more is asked.
            if endpoint in {"sign_out", "end_access"} or (who in may) is not mine:
                continue
            place = said.partition(" ")[2].format(**named)
            for method in sorted(_methods(pages, endpoint)):
                answer = pages.get(who, place) if method == "GET" else pages.post(who, place, fields)
                let_in = {200, 202, 302, 303, 409, 422}  # 409, 422: let in, and told that the form says too little
                assert (answer.status_code in let_in) is mine, (endpoint, method, answer.status_code)
                if not mine:
                    assert answer.status_code in {403, 404}, (endpoint, method)
                    found = [each for each in (named["evidence"], "W" * 64, "Acme", "alert(1)") if each in answer.text]
                    assert not found, (endpoint, method)
        assert mine or len(journal(pages.api.world.store)) == told


def _methods(pages: Pages, endpoint: str) -> set[str]:
    return {
        method
        for rule in pages.app.url_map.iter_rules(endpoint)
        for method in (rule.methods or set()) & {"GET", "POST"}
    }


def test_a_session_of_the_console_is_none_of_the_service(pages: Pages) -> None:
    browser = pages.signed_in("officer-1")
    kept = browser.get_cookie(COOKIE, domain="console.example")
    assert kept is not None
    assert pages.api.send(None, "GET", "/v1/applications", Cookie=f"{COOKIE}={kept.value}").status_code == 401
    key = {"Authorization": f"Bearer {pages.api.keys['officer-1']}"}
    assert pages.browser(None).get("/console/home", base_url=ORIGIN, headers=key).status_code == 302


def test_each_cell_of_a_table_says_of_which_column_it_is(pages: Pages) -> None:
    """Where a table is stacked on a narrow screen its head is out of sight."""
    templates = sorted(Path(pages.app.root_path, "pages").iterdir())
    tables = [(each.name, found) for each in templates for found in _TABLE.findall(each.read_text())]
    assert len(tables) > 30
    for name, table in tables:
        columns = re.findall('<th scope="col">(.*?)</th>', table)
        labels = re.findall(r'data-label="([^"]*)"', table)
        assert set(labels) <= set(columns), name
        unlabelled = [
            cell for cell in re.findall("<td[^>]*>", table) if "data-label" not in cell and "colspan" not in cell
        ]
        assert not unlabelled, name


def test_without_a_session_every_page_but_the_door_asks_to_sign_in(pages: Pages, named: dict[str, str]) -> None:
    for said, _ in MAY.values():
        method, _, path = said.partition(" ")
        client = pages.browser(None)
        answer = client.open(path.format(**named), method=method, base_url=ORIGIN)
        expected = {302} if method == "GET" else {400}  # a form without the token of any session
        assert answer.status_code in expected, path
        if method == "GET":
            assert answer.location.startswith("/console/sign-in?then=/console"), path


def test_what_a_browser_may_do_with_a_page_is_said_with_each(pages: Pages, named: dict[str, str]) -> None:
    for path in ("/console/sign-in", "/console/home", "/console/none", f"/console/decisions/{named['decision']}"):
        answer = pages.get("officer-1", path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not re.search(r"<[^>]+ (style|on\w+)=", answer.text), "nothing that the policy would not let run"
        assert "<style" not in answer.text


def test_hsts_is_said_by_https_alone(pages: Pages) -> None:
    here = Pages(pages.api, origin="http://localhost:8470")
    assert "Strict-Transport-Security" not in here.get(None, "/console/sign-in").headers


def test_cookies_are_for_this_origin_and_no_script(pages: Pages) -> None:
    (cookie,) = pages.get(None, "/console/sign-in").headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-trialcpa=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_another_name_leads_to_the_console_and_takes_no_form(pages: Pages) -> None:
    client = pages.browser(None)
    answer = client.get("/console/sign-in?then=/console/home", base_url="http://127.0.0.1:8470")
    assert (answer.status_code, answer.location) == (307, f"{ORIGIN}/console/sign-in?then=/console/home")
    assert client.post("/console/sign-in", base_url="http://127.0.0.1:8470").status_code == 403


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "x"}])
def test_a_form_of_another_page_is_not_taken(pages: Pages, headers: dict[str, str]) -> None:
    client = pages.signed_in("panel")
    csrf = pages.fields(client.get("/console/sessions", base_url=ORIGIN).text, "/console/sign-out")["csrf_token"]
    data = {"csrf_token": csrf}
    assert client.post("/console/sign-out", base_url=ORIGIN, data=data, headers=headers).status_code == 403
    assert client.get("/console/home", base_url=ORIGIN).status_code == 200


def test_a_form_without_the_token_of_its_session_is_not_taken(pages: Pages) -> None:
    of_another = _csrf(pages, "panel")
    for token in ("", "x", of_another):
        assert pages.post("dcc", "/console/sign-out", {"csrf_token": token}).status_code == 400
    assert pages.get("dcc", "/console/home").status_code == 200


@pytest.mark.parametrize("then", ["https://evil.example", "//evil.example", "/console//evil", "/console/\\evil", "/v1"])
def test_nobody_is_led_elsewhere_by_signing_in(pages: Pages, then: str) -> None:
    page = pages.browser(None).get("/console/sign-in", base_url=ORIGIN, query_string={"then": then}).text
    assert 'name="then" value="/console/home"' in page


def test_what_strangers_wrote_is_text(pages: Pages, named: dict[str, str]) -> None:
    page = pages.get("officer-2", f"/console/applications/{named['application']}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    file = pages.get("officer-2", f"/console/evidence/{named['evidence']}")
    assert file.headers["Content-Disposition"].startswith("attachment;")
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert "sandbox" in file.headers["Content-Security-Policy"]


def test_a_session_ends_by_time_by_leaving_by_revocation_and_with_its_access(world: World) -> None:
    pages = Pages(Api(world))
    leaving, revoked, lasting = (pages.signed_in("officer-1") for _ in range(3))
    for client in (leaving, revoked, lasting):
        assert client.get("/console/home", base_url=ORIGIN).status_code == 200
    kept = leaving.get_cookie("__Host-trialcpa", domain="console.example")
    csrf = pages.fields(leaving.get("/console/sessions", base_url=ORIGIN).text, "/console/sign-out")
    assert leaving.post("/console/sign-out", base_url=ORIGIN, data=csrf).status_code == 303
    assert kept is not None
    leaving.set_cookie("__Host-trialcpa", kept.value, domain="console.example", secure=True)
    assert leaving.get("/console/home", base_url=ORIGIN).status_code == 302, "the cookie of before lets nobody in"

    listed = pages.get("admin", "/console/sessions").text
    with revoked.session_transaction(base_url=ORIGIN):
        page = revoked.get("/console/sessions", base_url=ORIGIN).text
    own = re.findall(r'action="(/console/sessions/[^"]+/end)"', page)
    assert len(own) == 2
    assert set(own) < set(re.findall(r'action="(/console/sessions/[^"]+/end)"', listed)), "an administrator sees all"
    assert pages.post("panel", own[0], {"csrf_token": _csrf(pages, "panel")}).status_code == 404
    for each in own:
        assert pages.post("admin", each, {"csrf_token": _csrf(pages, "admin")}).status_code == 303
    assert revoked.get("/console/home", base_url=ORIGIN).status_code == 302
    assert lasting.get("/console/home", base_url=ORIGIN).status_code == 302

    dismissed = pages.signed_in("panel")
    assert dismissed.get("/console/home", base_url=ORIGIN).status_code == 200
    revoke_access(world.desk, CONSOLE, pages.actor("panel").credential or "")
    assert dismissed.get("/console/home", base_url=ORIGIN).status_code == 302, "it ends with its access"

    old, begun = pages.signed_in("dcc"), world.clock.instant
    for _ in range(int(SESSION_LIFE / IDLE)):
        world.clock.instant += IDLE
        assert old.get("/console/home", base_url=ORIGIN).status_code == 200
    world.clock.instant = begun + SESSION_LIFE - timedelta(seconds=1)
    assert old.get("/console/home", base_url=ORIGIN).status_code == 200
    world.clock.instant += timedelta(seconds=1)
    assert old.get("/console/home", base_url=ORIGIN).status_code == 302


def test_a_test_authority_offers_its_people_and_a_live_one_has_no_such_page(world: World) -> None:
    api = Api(world)
    assert Pages(api).get(None, "/console/demo").status_code == 404
    assert Pages(api).browser(None).post("/console/demo/example", base_url=ORIGIN).status_code in {400, 404}
    assert "/console/demo" not in Pages(api).get(None, "/console/sign-in").text
    pages = Pages(api, demo=True)
    client = pages.browser(None)
    assert "/console/demo" in client.get("/console/sign-in", base_url=ORIGIN).text
    page = client.get("/console/demo?then=/console/decisions", base_url=ORIGIN).text
    fields = pages.fields(page, "/console/demo")
    assert client.post("/console/demo", base_url=ORIGIN, data={**fields, "name": "nobody"}).status_code == 401
    assert client.post("/console/demo", base_url=ORIGIN, data={**fields, "name": "monitor"}).status_code == 403
    come = client.post("/console/demo", base_url=ORIGIN, data={**fields, "name": "officer-2"})
    assert (come.status_code, come.location) == (303, "/console/decisions")
    assert client.get("/console/decisions", base_url=ORIGIN).status_code == 200


def test_exactly_what_was_shown_is_seconded_once_by_what_was_signed_elsewhere(world: World) -> None:
    pages = Pages(Api(world))
    decision = pages.api.proposed(kind="grant", application=pages.api.applied())
    pages.api.settle()
    place = f"/console/decisions/{decision}"
    page = pages.get("officer-2", place).text
    assert f"trialcpa officer sign --decision {decision} --act second" in page
    assert f"{place}/second" not in pages.get("officer-1", place).text, "another officer seconds"

    fields = seconding(pages, "officer-2", decision)
    for wrong in ({"authorisation": ""}, {"authorisation": "{}"}, {"proposal_sha256": "0" * 64}):
        refused = pages.post("officer-2", f"{place}/second", {**fields, **wrong})
        assert refused.status_code == 422
        assert "Nothing was done" in refused.text
    assert (
        pages.post("officer-2", f"{place}/second", {**fields, "authorisation": "kept <b>"}).text.count("kept &lt;b")
        == 1
    )

    assert pages.post("officer-2", f"{place}/second", fields).status_code == 303
    assert pages.post("officer-2", f"{place}/second", fields).status_code == 303, "the same form again is the same act"
    stale = pages.post("officer-2", f"{place}/second", {**fields, "fresh": "A" * 22})
    assert stale.status_code == 422
    pages.api.settle()
    made = decision_of(pages.desk, pages.actor("auditor"), decision)
    assert made.approval is not None
    assert approval_of(pages.desk, pages.actor("auditor"), made.approval).certificates


def test_a_proposal_is_rejected_with_words_that_are_not_lost(world: World) -> None:
    pages = Pages(Api(world))
    decision = pages.api.proposed(kind="grant", application=pages.api.applied())
    place = f"/console/decisions/{decision}"
    fields = pages.fields(pages.get("officer-2", place).text, f"{place}/rejection")
    refused = pages.post("officer-2", f"{place}/rejection", {**fields, "why": "not <i>yet</i>"})
    assert refused.status_code == 422
    assert "not &lt;i&gt;yet" in refused.text
    listed = Listed(decision=decision, proposal_sha256=fields["proposal_sha256"])
    signed = pages.pasted("officer-2", claims.about(AuthorisedAct.REJECT, listed))
    said = {**fields, "why": "not yet", "authorisation": signed}
    assert pages.post("officer-2", f"{place}/rejection", said).status_code == 303
    assert "Rejected" in pages.get("officer-2", place).text


def test_a_revocation_wants_its_identifier_typed_and_shows_how_soon_it_was_told(world: World) -> None:
    pages = Pages(Api(world))
    approval = pages.api.granted()
    place = f"/console/approvals/{approval}/revoke"
    assert "What will be true" not in pages.get("officer-1", place).text
    page = pages.get("officer-1", f"{place}?cause=ssc").text
    assert f"trialcpa officer sign --revoke {approval} --cause ssc" in page
    order = revocation_digest(approval, cause="ssc", invalidity_date=None, breach=None)
    signed = pages.pasted("officer-1", claims.to_revoke(approval, order))
    fields: dict[str, Any] = {
        "csrf_token": _csrf(pages, "officer-1"),
        **{name: value for name, value in _hidden(page).items() if name in {"fresh", "cause", "breach"}},
        "reasons": "It failed.",
        "typed": f" {approval.lower()} ",
        "authorisation": signed,
    }
    for wrong in ({"typed": approval[:-1]}, {"typed": ""}, {"cause": "manufacturer"}, {"reasons": " "}):
        assert pages.post("officer-1", place, {**fields, **wrong}).status_code == 422, wrong
    assert approval_of(pages.desk, pages.actor("dcc"), approval).ended_at is None
    sent = pages.post("officer-1", place, fields)
    assert (sent.status_code, sent.location) == (303, f"/console/approvals/{approval}/told")
    assert pages.post("officer-1", place, fields).status_code == 303, "the same form again is the same act"
    shown = pages.get("officer-1", f"/console/approvals/{approval}").text
    assert "How soon the end was told" in shown
    assert "Revoke at once" not in shown


def _hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))

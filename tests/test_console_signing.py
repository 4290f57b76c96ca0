"""Signing by a passkey in a browser: the page asks for exactly its statement, and takes no answer for another."""

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from core.kinds import AuthorisedAct
from officers import claims
from officers.passkey import challenge
from officers.passkey_file import read_passkey_file
from officers.statement import Listed, read_statement
from ra.deciding.look import decision as decision_of
from ra.entering.passkeys import Relying, enrol, invite, new_challenge
from ra.ordering.order import ChangeRoster
from ra.telling.approvals import approval as approval_of
from tests.api_world import Api
from tests.console_world import ORIGIN, Pages
from tests.passkey_world import OfficersPasskey, b64
from tests.roster_world import ordered
from tests.test_console_passkeys import Authenticator
from tests.world import OFFICER_1, OFFICER_2, OFFICER_3, World

HERS = OfficersPasskey("officer-2")


@pytest.fixture
def pages(world: World) -> Pages:
    """A console whose officer-2 has a passkey on the roster."""
    HERS.count = 0
    api = Api(world)
    ordered(world, ChangeRoster(why="She travels.", add=(HERS.member(),)), OFFICER_1, OFFICER_3)
    world.passes(timedelta(seconds=1))
    return Pages(api)


def _asked(page: str, act: str) -> tuple[dict[str, str], dict[str, Any]]:
    """The hidden fields of a form, and what its passkey is asked."""
    form = next(
        each for each in re.findall(r"<form.*?</form>", page, re.DOTALL) if f'action="{act}"' in each or not act
    )
    fields = {
        name: unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    }
    options = json.loads(unescape(re.findall(r'data-asks="([^"]*)"', form)[0]))
    return fields, options


def _response(statement: str, **changes: Any) -> str:
    data, client, signature = HERS.parts(challenge(read_statement(statement.encode())), **changes)
    said = {"authenticatorData": b64(data), "clientDataJSON": b64(client), "signature": b64(signature)}
    return json.dumps({"id": "x", "rawId": b64(HERS.passkey.credential), "type": "public-key", "response": said})


def test_a_decision_is_seconded_by_the_passkey_on_the_roster(pages: Pages) -> None:
    decision = pages.api.proposed(kind="grant", application=pages.api.applied())
    pages.api.settle()
    place = f"/console/decisions/{decision}"
    assert "data-asks" not in pages.get("officer-1", place).text, "officer-1 has none"
    page = pages.get("officer-2", place).text
    fields, options = _asked(page, f"{place}/second")
    statement = read_statement(fields["statement"].encode())
    assert options["challenge"] == b64(challenge(statement))
    assert options["userVerification"] == "required"
    assert options["rpId"] == "console.example"
    assert [each["id"] for each in options["allowCredentials"]] == [b64(HERS.passkey.credential)]
    listed = Listed(
        decision=decision, proposal_sha256=fields["proposal_sha256"], tbs_sha256=tuple(fields["tbs_sha256"].split())
    )
    assert statement.claim == claims.about(AuthorisedAct.SECOND, listed)
    assert statement.officer == "officer-2"

    rejecting, _ = _asked(page, f"{place}/rejection")
    for wrong in (
        _response(rejecting["statement"]),
        _response(fields["statement"], client={"origin": "https://evil.example"}),
        _response(fields["statement"], host="evil.example"),
        _response(fields["statement"], flags=0x01),
        "{}",
        "[",
        json.dumps({"response": {"authenticatorData": 1, "clientDataJSON": "", "signature": ""}}),
        "x" * 20_000,
    ):
        refused = pages.post("officer-2", f"{place}/second", {**fields, "response": wrong})
        assert refused.status_code == 422, wrong
    for other in ("{}", "", "x" * 20_000, rejecting["statement"]):
        said = {**fields, "statement": other, "response": _response(rejecting["statement"])}
        assert pages.post("officer-2", f"{place}/second", said).status_code == 422
    own = pages.fields(pages.get("officer-1", place).text, f"{place}/rejection")
    stolen = {"why": "x", "statement": rejecting["statement"], "response": _response(rejecting["statement"])}
    assert pages.post("officer-1", f"{place}/rejection", {**own, **stolen}).status_code == 422, "it is officer-2's"
    assert decision_of(pages.desk, pages.actor("auditor"), decision).seconder is None

    sent = {**fields, "response": _response(fields["statement"])}
    assert pages.post("officer-2", f"{place}/second", sent).status_code == 303
    pages.api.settle()
    made = decision_of(pages.desk, pages.actor("auditor"), decision)
    assert made.state == "done"
    assert approval_of(pages.desk, pages.actor("auditor"), made.approval or "").certificates


def test_an_approval_is_revoked_by_the_passkey_on_the_roster(pages: Pages) -> None:
    approval = pages.api.granted()
    place = f"/console/approvals/{approval}/revoke"
    page = pages.get("officer-2", f"{place}?cause=ssc").text
    form = page.partition('<form class="act danger" method="post">')[2].partition("</form>")[0]
    fields, _ = _asked(f"<form>{form}</form>", "")
    said = {**fields, "reasons": "It failed.", "typed": approval, "response": _response(fields["statement"])}
    assert pages.post("officer-2", place, {**said, "cause": "key-compromise"}).status_code == 422, "another order"
    assert pages.post("officer-2", place, said).status_code == 303
    pages.api.settle()
    assert approval_of(pages.desk, pages.actor("officer-2"), approval).ended_at is not None
    assert pages.api.world.memory.end(pages.api.world.memory.issues(approval)[0].serial) is not None


def test_a_page_of_another_origin_asks_no_passkey(pages: Pages) -> None:
    decision = pages.api.proposed(kind="grant", application=pages.api.applied())
    elsewhere = Pages(pages.api, origin="http://localhost:8470")
    assert "data-asks" not in elsewhere.get("officer-2", f"/console/decisions/{decision}").text


def test_keys_are_shown_with_the_file_that_goes_to_whoever_keeps_the_roster(pages: Pages) -> None:
    page = pages.get("officer-2", "/console/keys").text
    assert HERS.member().key in page
    assert "You have enrolled none." in page
    one, relying = Authenticator(), Relying(identifier="console.example", origin=ORIGIN)
    made = invite(pages.desk, pages.actor("admin"), pages.actor("officer-1").credential or "")
    question = new_challenge()
    enrol(pages.desk, made.secret, challenge=question, relying=relying, response=one.make(question))
    page = pages.get("officer-1", "/console/keys").text
    file = unescape(page.partition("<summary>The file</summary><pre>")[2].partition("</pre>")[0])
    found = read_passkey_file("officer-1", file.encode())
    assert found.passkey is not None
    assert (found.passkey.credential, found.passkey.origin) == (one.identifier, ORIGIN)
    assert found.key in page
    assert found.key not in pages.get("officer-2", "/console/keys").text
    ordered(pages.api.world, ChangeRoster(why="He, too.", add=(found,)), OFFICER_2, OFFICER_3)
    assert "On the roster" in pages.get("officer-1", "/console/keys").text


def test_a_passkey_is_wished_for_that_can_be_on_the_roster(pages: Pages) -> None:
    made = invite(pages.desk, pages.actor("admin"), pages.actor("officer-1").credential or "")
    page = pages.browser(None).get(f"/console/invitations/{made.secret}", base_url=ORIGIN).text
    options = json.loads(unescape(re.findall(r'data-options="([^"]*)"', page)[0]))
    assert [each["alg"] for each in options["pubKeyCredParams"]] == [-7, -8, -257]

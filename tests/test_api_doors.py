"""A role is judged before a request is, and what is another organisation's is as if it were not there."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.app import PUBLIC, WITH_ITS_OWN_DOOR, description
from api.incoming import request_key
from core.actors import Actor
from core.identifiers import ApprovalIdentifier
from policy.roles import permitted
from ra.doors import ACTS
from tests.api_world import PEOPLE, Api, done, refused
from tests.evidence_world import TEXT
from tests.world import World

_OF_THE_STATUS_PLANE = ("/v1/verify",)
"""It asks for a role by itself, before Flask sees anything (api/status/exchange.py)."""


@pytest.fixture(scope="module")
def api(keys_folder: Path, store_copy: Callable[[str], str]) -> Iterator[Api]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Api(world)
    world.close()


def operations(api: Api) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, address and description of everything that takes a credential and a role."""
    for path, item in description(api.flask)["paths"].items():
        for method, said in item.items():
            ours = path.startswith("/v1/") and not path.startswith(_OF_THE_STATUS_PLANE)
            if ours and path not in PUBLIC | WITH_ITS_OWN_DOOR:
                yield method.upper(), path, said


def test_every_address_has_an_act_and_every_act_an_address(api: Api) -> None:
    described = {said["operationId"] for _, _, said in operations(api)}
    # Of the status plane a page of the console asks, too.
    assert described | {"metrics", "verify"} == set(ACTS)


def test_whose_role_never_lets_them_is_told_so_whatever_they_send(api: Api) -> None:
    """Not what is wrong with the body, the query or the header; and not whether there is such a thing."""
    tried = 0
    for method, path, said in operations(api):
        operation = ACTS[said["operationId"]]
        for who, (role, organisation) in PEOPLE.items():
            mine = None if organisation is None else "org"
            if permitted(Actor(who, role, mine), operation, owner=mine):
                continue
            address = path.replace("{", "").replace("}", "") + ("?nonsense=1" if method == "GET" else "")
            body = None if method == "GET" else b'{"nonsense": '
            refused(api.send(who, method, address, body, Idempotency_Key=" "), 403, "operation-not-permitted")
            tried += 1
    assert tried > 300


def test_the_guard_stands_before_the_body_is_read(api: Api) -> None:
    big = b" " * 300_000
    refused(api.send("dcc", "POST", "/v1/applications", big), 403, "operation-not-permitted")
    refused(api.send("manufacturer", "POST", "/v1/applications", big), 413, "body-too-large")
    refused(api.send("dcc", "POST", "/v1/decisions", TEXT, Content_Type="text/plain"), 403, "operation-not-permitted")
    assert api.send("monitor", "HEAD", "/v1/approvals").status_code == 403


# --- what is another's --------------------------------------------------------------------------------------------


def test_a_stranger_finds_no_difference_between_what_is_anothers_and_what_is_not_there(api: Api) -> None:
    approval, number = api.granted(), str(ApprovalIdentifier("test", 2027, 4711))
    shown = done(api.ask("manufacturer", "GET", f"/v1/approvals/{approval}"))
    serial, application = shown["certificates"][0]["serial"], listed(api, "applications")
    request = done(
        api.ask("manufacturer", "POST", f"/v1/approvals/{approval}/amendment-requests",
                {"reasons": "More.", "maximum_devices": 600}), 201)["request"]  # fmt: skip
    there = {
        "approval": (approval, number),
        "application": (application, "app-0"),
        "serial": (serial, "00" * 15 + "01"),
        "request": (request, "amr-0"),
        "notice": (listed(api, "notices"), "TDN-2027-4711"),
    }
    bodies: dict[str, Any] = {
        "changeApplication": {"purpose": "x"},
        "requestAmendment": {"reasons": "x", "maximum_devices": 1},
        "answerCertificate": {"accepted": True},
        "requestEnd": {"reasons": "x"},
    }
    tried = set()
    for method, path, said in operations(api):
        names = [name for name in there if f"{{{name}}}" in path]
        if not names or not permitted(Actor("x", PEOPLE["rival"][0], "org"), ACTS[said["operationId"]], owner="org"):
            continue
        (name,) = names
        told = []
        for each in there[name]:
            file = "requestBody" in said and said["operationId"].startswith("attach")
            query, media = ("?name=a.txt", "text/plain") if file else ("", "application/json")
            body = TEXT if file else bodies.get(said["operationId"])
            answer = api.send("rival", method, path.replace(f"{{{name}}}", each) + query, body, Content_Type=media)
            told.append((answer.status_code, answer.get_data(as_text=True).replace(each, "…")))
        assert told[0] == told[1], (method, path, told)
        assert told[0][0] == 404, (method, path, told)
        tried.add(said["operationId"])
    assert set(bodies) < tried
    assert len(tried) >= 18, sorted(tried)


def listed(api: Api, of: str) -> str:
    found = done(api.ask("manufacturer", "GET", f"/v1/{of}"))[of]
    return str(found[0][of.removesuffix("s")])


# --- once ---------------------------------------------------------------------------------------------------------


def with_key_and_query(api: Api) -> dict[str, list[str]]:
    """The acts that take an Idempotency-Key and a query, with the names in it."""
    found = {}
    for _, path, said in operations(api):
        given = {(each["in"], each["name"]) for each in said.get("parameters", [])}
        query = sorted(name for where, name in given if where == "query")
        if query and ("header", "Idempotency-Key") in given:
            found[path] = query
    return found


def test_a_key_is_for_one_query_wherever_there_is_one(api: Api) -> None:
    every = with_key_and_query(api)
    assert {"/v1/reports/{month}", "/v1/deployments", "/v1/cpl/reconciliations"} < set(every)
    assert len(every) == 8
    for path, query in every.items():
        asked = [f"{path}?{'&'.join(f'{name}={value}' for name in query)}" for value in "ab"]
        turned = f"{path}?{'&'.join(f'{name}=a' for name in reversed(query))}"
        first, other, same, none = (digest(api, each) for each in (*asked, turned, path))
        assert first == same
        assert len({first, other, none}) == 3


def digest(api: Api, address: str) -> str:
    with api.flask.test_request_context(address, method="POST", json={}):
        key = request_key("k")
        assert key is not None
        return key.request_sha256


def test_a_report_issued_under_a_key_is_not_told_to_who_asked_for_another(world: World) -> None:
    api = Api(world)
    month = f"{world.clock.now():%Y-%m}"
    first = api.ask("dcc", "POST", f"/v1/reports/{month}?early=true", Idempotency_Key="k")
    done(first, 201)
    assert api.ask("dcc", "POST", f"/v1/reports/{month}?early=true", Idempotency_Key="k").data == first.data
    for other in ("", "?early=false", f"?early=true&months={month}"):
        again = api.ask("dcc", "POST", f"/v1/reports/{month}{other}", Idempotency_Key="k")
        assert json.loads(again.data)["code"] == "idempotency-key-reused", again.data
        assert again.status_code == 409

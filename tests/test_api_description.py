"""/openapi.json describes what is answered: schemathesis asks both sides, and models are held to real answers."""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator, meta
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.forms.fields import Sent
from tests.api_world import PEOPLE, Api, application, done
from tests.front_world import request
from tests.served_world import Web
from tests.world import NOW, World

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 30
"""For each operation and form of input: enough to meet every member."""


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_the_front_answers_it_from_memory_and_not_again_to_whom_has_it(world: World) -> None:
    web = Web(world)
    with web.listening() as front:
        answered = front.ask(request("/openapi.json", method="GET"))
        head, _, body = answered.partition(b"\r\n\r\n")
        assert json.loads(body) == json.loads(json.dumps(web.described))
        (tag,) = re.findall(rb'ETag: ("[0-9a-f]{32}")\r\n', head)
        again = front.ask(request("/openapi.json", method="GET", fields=b"If-None-Match: " + tag + b"\r\n"))
        assert (again[9:12], again.partition(b"\r\n\r\n")[2]) == (b"304", b"")
        assert front.ask(request("/openapi.json", method="HEAD")).endswith(b"\r\n\r\n")
        assert web.reached == []
        assert front.status(request("/openapi.json", method="PUT")) == 405


@pytest.fixture(scope="module")
def shared(store_copy: Callable[[str], str], keys_folder: Any) -> Iterator[Api]:
    world = World(store_copy("sqlite"), keys_folder)
    api = Api(world)
    api.approval = api.granted()  # type: ignore[attr-defined]
    api.look()
    yield api
    world.close()


@pytest.fixture(scope="module")
def described(shared: Api) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", shared.plane)


@pytest.mark.long
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_whatever_is_asked_is_answered_as_described_and_is_never_our_fault(
    shared: Api, described: Any, mode: GenerationMode
) -> None:
    asked = 0
    for found in described.get_all_operations():
        operation = found.ok()
        if operation.label in {"POST /ocsp", "POST /ocsp/{request}"}:
            continue  # octets that only tests/test_ocsp_channel.py knows how to make
        if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
            continue  # any words can stand in a path

        @settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(operation.as_strategy(mode), st.sampled_from(sorted(PEOPLE)))
        def ask(case: Case[Any], who: str) -> None:
            nonlocal asked
            asked += 1
            case.call_and_validate(headers={"Authorization": f"Bearer {shared.keys[who]}"}, checks=CHECKS)

        ask()
    assert asked > 50


def test_the_description_is_openapi_3_1_and_every_reference_in_it_leads_somewhere(shared: Api) -> None:
    document = done(shared.ask(None, "GET", "/openapi.json"))
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "http://127.0.0.1:8470"}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"

    def references(inside: Any) -> Iterator[str]:
        if isinstance(inside, dict):
            if isinstance(inside.get("$ref"), str):
                yield inside["$ref"]
            inside = list(inside.values())
        if isinstance(inside, list):
            for each in inside:
                yield from references(each)

    found = set(references(document))
    assert len(found) > 20
    for reference in found:
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]
    names = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(names) == len(set(names))
    for schema in document["components"]["schemas"].values():
        meta.validate(schema)


def test_real_answers_of_the_status_plane_are_as_described(shared: Api) -> None:
    approval: str = shared.approval  # type: ignore[attr-defined]
    device = application()["device"] | {"firmware_version": "0002012F", "firmware_hash": "ab" * 32}
    pem = shared.ask("dcc", "GET", f"/v1/approvals/{approval}/certificate").get_data(as_text=True)
    leaf = pem.split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    serial = done(shared.ask("dcc", "GET", f"/v1/approvals/{approval}"))["certificates"][0]["serial"]
    document = done(shared.ask(None, "GET", "/openapi.json"))
    questions: list[dict[str, Any]] = [
        {"approval": approval},
        {"certificate": leaf},
        {"serial": serial},
        {"serial": "00"},
        {"device": device},
        {"device": device | {"firmware_version": "00000000"}},
        {"device": {"manufacturer": "x", "model": "y", "type": "IHD"}},
        {"approval": approval, "at": "2027-01-03T11:00:00Z", "device_id": "00-DB-12-34-56-78-90-01"},
    ]
    asked, answered = (
        Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})
        for name in ("VerifyQuestion", "VerifyAnswer")
    )
    for question in questions:
        asked.validate(question)
        answered.validate(done(shared.ask("dcc", "POST", "/v1/verify", question)))
    answered.validate(done(shared.ask("dcc", "GET", f"/v1/verify/{approval}")))
    refused = Draft202012Validator({"$ref": "#/components/schemas/Problem", "components": document["components"]})
    for wrong in ({}, {"approval": approval, "serial": serial}, {"approval": ""}, {"approval": approval, "x": 1}):
        assert not asked.is_valid(wrong)
        problem = shared.ask("dcc", "POST", "/v1/verify", wrong)
        assert problem.status_code == 400
        refused.validate(problem.get_json())
    assert shared.world.clock.now() == NOW


def test_no_two_forms_share_a_name_in_the_description(shared: Api) -> None:
    # Of two of one name the description would hold only the one that was added last.
    shared.ask(None, "GET", "/openapi.json")
    here = [module for name, module in sorted(sys.modules.items()) if name.split(".")[0] in {"api", "ra"}]
    views = {one for module in here for one in vars(module).values() if isinstance(one, type) and is_dataclass(one)}
    told = {one for one in views if one.__module__.endswith((".views", ".contents", ".documents", ".answers"))}
    names = Counter(each.__name__ for each in told | _below(Sent))
    assert [name for name, times in names.items() if times > 1] == []
    assert len(names) > 100


def test_the_description_is_valid(shared: Api) -> None:
    document = done(shared.ask(None, "GET", "/openapi.json"))
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def _below(form: type[BaseModel]) -> set[type[BaseModel]]:
    return {one for each in form.__subclasses__() for one in (each, *_below(each))}


def test_every_body_has_a_form_that_a_client_made_of_the_description_can_send(shared: Api) -> None:
    # Generators know JSON whose members are described, and octets; of other media types they make nothing, or text.
    document = done(shared.ask(None, "GET", "/openapi.json"))
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody")
            if body is None:
                continue
            assert body["required"] is True, (method, path)
            for media_type, said in body["content"].items():
                if media_type == "application/json":
                    assert "$ref" in said["schema"] or said["schema"]["properties"], path
                else:
                    assert said["schema"] == {"type": "string", "format": "binary"}, path
            assert {"application/json", "application/octet-stream"} & set(body["content"]), path


def test_the_bounds_that_the_code_holds_to_are_in_the_description(shared: Api) -> None:
    document = done(shared.ask(None, "GET", "/openapi.json"))
    limits = {
        path: (each["schema"]["minimum"], each["schema"]["maximum"])
        for path, said in document["paths"].items()
        for each in said.get("get", {}).get("parameters", ())
        if each["name"] == "limit"
    }
    assert limits.pop("/v1/feed") == (1, 1_000)
    assert len(limits) > 5
    assert set(limits.values()) == {(1, 200)}
    grant = document["components"]["schemas"]["GrantBody"]["properties"]
    assert grant["application"]["minLength"] == 1
    operations = [one for path, every in document["paths"].items() if path.startswith("/v1") for one in every.values()]
    named = [each for one in operations for each in one.get("parameters", ()) if each["in"] == "path"]
    places = [each["schema"] for each in named if each["name"] in {"approval", "serial"}]
    assert len(places) > 10
    assert all("pattern" in each for each in places)

"""/v1/deployments over HTTP: each form, what comes back, what is refused, and what verification says of a unit then."""

from typing import Any

import pytest

from api import deployments as resource
from core.instants import text
from tests.api_world import Api, done, refused
from tests.deployments_world import LATER, csv_of, deployed, eui, gone, inventory, json_of, seen
from tests.world import World

FORMS = {"csv": "text/csv", "json": "application/json", "duis": "application/xml"}


@pytest.fixture
def api(world: World) -> Api:
    made = Api(world)
    made.approval = made.granted(maximum_devices=2)  # type: ignore[attr-defined]
    world.at(LATER)
    made.mirror.follow()
    return made


def approval(api: Api) -> str:
    return str(api.approval)  # type: ignore[attr-defined]


def send(api: Api, body: bytes, media: str = "text/csv", **headers: str) -> Any:
    return api.ask("dcc", "POST", "/v1/deployments", body, Content_Type=media, **headers)


def unit(api: Api, device: int, **more: str) -> dict[str, Any]:
    return done(api.ask("dcc", "POST", "/v1/verify", {"approval": approval(api), "device_id": eui(device)} | more))


@pytest.mark.clause("F2.28(d)")
def test_a_report_is_taken_in_each_form_and_its_batch_is_shown(api: Api) -> None:
    bodies = {
        "csv": csv_of([deployed(1, approval(api))]),
        "json": json_of([deployed(2, approval(api))]),
        "duis": inventory(seen(3)),
    }
    for form, media in FORMS.items():
        answer = done(send(api, bodies[form], f"{media}; charset=utf-8"))
        assert (answer["lines"], answer["recorded"]) == (1, 1)
        batch = done(api.ask("auditor", "GET", f"/v1/deployments/batches/{answer['batch']}"))
        assert (batch["form"], batch["lines"], batch["recorded"], batch["ignored"]) == (form, 1, 1, 0)
        assert done(send(api, bodies[form], media))["known"] == 1
    refused(api.ask("auditor", "GET", "/v1/deployments/batches/dep-none"), 404, "not-found")


@pytest.mark.clause("F2.21(d)")
@pytest.mark.clause("F2.28(d)")
def test_the_devices_of_an_approval_are_counted_beside_its_limit(api: Api) -> None:
    path = f"/v1/approvals/{approval(api).lower()}/deployments"
    send(api, csv_of([*(deployed(device, approval(api)) for device in (1, 2, 3)), gone(3, on="2027-01-20")]))
    shown = done(api.ask("officer-1", "GET", path))
    assert (shown["deployed"], shown["decommissioned"], shown["limit"], shown["above_limit"]) == (2, 1, 2, False)
    assert shown["device"] is None
    send(api, csv_of([deployed(4, approval(api))]))
    shown = done(api.ask("dcc", "GET", f"{path}?device_id={eui(3).lower()}"))
    assert (shown["deployed"], shown["above_limit"]) == (3, True)
    assert shown["device"]["deployed"] is False
    assert [each["decommissioned_at"] for each in shown["device"]["stints"]] == ["2027-01-20T00:00:00Z"]
    assert done(api.ask("dcc", "GET", f"{path}?device_id={eui(9)}"))["device"]["stints"] == []
    refused(api.ask("dcc", "GET", f"{path}?device_id=LS1"), 400, "device-id-malformed")
    refused(api.ask("dcc", "GET", "/v1/approvals/TDT-2027-0042-5/deployments"), 404, "not-found")


@pytest.mark.clause("F2.21(d)")
@pytest.mark.clause("F2.26")
def test_verification_follows_what_is_deployed_now_and_was_deployed_then(api: Api) -> None:
    assert unit(api, 1)["valid"] is True  # there is room
    send(api, csv_of([deployed(1, approval(api)), deployed(2, approval(api), on="2027-01-10")]))
    assert unit(api, 1)["valid"] is unit(api, 2)["valid"] is True
    further = unit(api, 3)
    assert (further["valid"], [each["code"] for each in further["reasons"]]) == (False, ["limit-reached"])
    assert "2 of 2" in further["reasons"][0]["detail"]
    # More than allowed is a fact: who is deployed stays covered, a further one is not.
    send(api, csv_of([deployed(3, approval(api), on="2027-01-20")]))
    assert unit(api, 3)["valid"] is True
    assert "3 of 2" in unit(api, 4)["reasons"][0]["detail"]
    then = [unit(api, 3, at=text(LATER.replace(month=1, day=day)))["valid"] for day in (9, 11, 20)]
    assert then == [True, False, True]
    send(api, csv_of([gone(1, on="2027-01-25"), gone(2, on="2027-01-25")]))
    assert unit(api, 4)["valid"] is True
    assert unit(api, 4, at="2027-01-24T00:00:00Z")["valid"] is False


@pytest.mark.clause("F2.23")
def test_officers_see_the_breach_that_a_report_above_the_limit_makes_them_suspect(api: Api) -> None:
    send(api, csv_of([deployed(device, approval(api)) for device in range(3)]))
    listed = done(api.ask("officer-1", "GET", f"/v1/approvals/{approval(api)}/breaches"))["breaches"]
    assert [each["state"] for each in listed] == ["suspected"]


def test_what_is_no_report_is_refused_whole_with_what_was_expected(api: Api) -> None:
    good = csv_of([deployed(1, approval(api))])
    refused(send(api, good, "text/plain"), 415, "media-type-unsupported")
    refused(send(api, good, "application/json"), 400, "deployments-malformed")
    refused(send(api, good, "text/xml"), 400, "inventory-unusable")
    told = refused(send(api, b"event,device_id\nx,y\n"), 400, "deployments-malformed")
    assert "event, device_id, on" in told["detail"]
    refused(send(api, json_of([])), 400, "deployments-malformed")


def test_a_report_is_bounded_in_octets_and_lines(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    many = b"event,device_id,on\n" + b"x,x,x\n" * 100_001
    refused(send(api, many), 413, "deployments-too-many")
    refused(send(api, b'{"lines":[' + b"0," * 100_000 + b"0]}", "application/json"), 413, "deployments-too-many")
    monkeypatch.setattr(resource, "LARGEST_REPORT", 1_000)
    refused(send(api, b"x" * 1_001), 413, "body-too-large")


def test_one_key_is_one_report_whatever_its_form(api: Api) -> None:
    body = json_of([deployed(1, approval(api), note="x")]).replace(
        b'"x"', b"1.5"
    )  # no canonical form, still one request
    first = send(api, body, "application/json", Idempotency_Key="k1")
    again = send(api, body, "application/json", Idempotency_Key="k1")
    assert (first.status_code, first.get_json()) == (again.status_code, again.get_json())
    assert first.get_json()["refused"] == 1
    refused(send(api, body + b" ", "application/json", Idempotency_Key="k1"), 409, "idempotency-key-reused")

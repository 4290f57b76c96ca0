"""Bad input gets a clear sentence and a stable code, leaves nothing half-done, and is never our fault."""

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.incoming import BODY_LIMIT
from store.reading import requests
from tests.api_world import Api, application, done, refused
from tests.conftest import KINDS
from tests.world import World, csr_pem

VECTORS = Path(__file__).parent / "vectors" / "csr"
CSRS = sorted(path for path in VECTORS.glob("*.case") if not path.stem.startswith("accepted"))
LONG = "x" * 20_000


@pytest.fixture(scope="module", params=KINDS)
def shared(request: pytest.FixtureRequest, store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Api]:
    """One API for all cases that leave nothing behind; it holds one approval."""
    world = World(store_copy(request.param), keys_folder)
    api = Api(world)
    api.approval = api.granted()  # type: ignore[attr-defined]
    yield api
    world.close()


@pytest.fixture
def unchanged(shared: Api) -> Iterator[Api]:
    """The shared API; nothing may have been written when the test ends."""

    def written() -> int:
        with shared.world.store.read() as tx:
            return len(requests.application_list(tx, organisation_id=None, after="", limit=10_000)) + len(
                requests.decision_list(tx, after="", limit=10_000)
            )

    before = written()
    yield shared
    assert written() == before


UNREADABLE = "it is not JSON in UTF-8 with each member named once"
DEEP = "it is nested too deeply"
NO_OBJECT = "it is not a JSON object"
GOOD = json.dumps(application(), sort_keys=True)[1:]

# What is sent, and the words it is refused with: each would be taken, or refused for something else, without its check.
JSONS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", UNREADABLE),
    "not JSON": (b"device=ESME", UNREADABLE),
    "truncated": (b"{" + GOOD.encode()[:-9], UNREADABLE),
    "named twice": (b'{"purpose": "a", ' + GOOD.encode(), UNREADABLE),
    "named twice inside": (b"{" + GOOD.replace('"type"', '"model": "a", "type"').encode(), UNREADABLE),
    "NaN": (b'{"maximum_devices": NaN}', UNREADABLE),
    "Infinity": (b'{"maximum_devices": -Infinity}', UNREADABLE),
    "nested": (b'{"device": ' + b"[" * 8 + b"]" * 8 + b"}", DEEP),
    "nested in many ways": (b'{"a": ' * 8 + b"[]" + b"}" * 8, DEEP),
    "nested beyond any stack": (b"[" * 120_000, DEEP),
    "quotes only": (b'{"' + b'\\"' * 100_000, UNREADABLE),
    "not UTF-8": (b'{"purpose": "\xff\xfe"}', "not text in UTF-8"),
    "UTF-16": ('{"purpose": "a"}'.encode("utf-16"), "UTF-16"),
    "a list": (b"[]", NO_OBJECT),
    "a string of JSON": (json.dumps("{" + GOOD).encode(), NO_OBJECT),
    "null": (b"null", NO_OBJECT),
    "a number of many digits": (b'{"maximum_devices": ' + b"9" * 10_000 + b"}", UNREADABLE),
}


@pytest.mark.parametrize("case", JSONS.values(), ids=JSONS.keys())
def test_json_that_cannot_be_taken_is_refused_for_what_it_is(unchanged: Api, case: tuple[bytes, str]) -> None:
    body, words = case
    for who, path in (("manufacturer", "/v1/applications"), ("officer-1", "/v1/decisions")):
        assert words in refused(unchanged.ask(who, "POST", path, body), 400, "body-malformed")["detail"]


def test_a_body_that_is_oversized_or_not_said_to_be_json_is_refused(unchanged: Api) -> None:
    path = "/v1/applications"
    refused(unchanged.ask("manufacturer", "POST", path, b" " * (BODY_LIMIT + 1)), 413, "body-too-large")
    for media_type in ("application/x-www-form-urlencoded", "text/plain", "application/jsonp", ""):
        answer = unchanged.ask("manufacturer", "POST", path, application(), Content_Type=media_type)
        refused(answer, 415, "media-type-unsupported")


FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"surprise": 1}, "surprise"),
    ({"\ud800": 1}, "raw data as a unicode string"),
    ({"purpose": None}, "purpose"),
    ({"purpose": ""}, "purpose"),
    ({"purpose": LONG}, "purpose"),
    ({"purpose": "a\x00b"}, "purpose"),
    ({"purpose": "\ud800"}, "purpose"),
    ({"purpose": {"a": 1}}, "purpose"),
    ({"maximum_devices": "5"}, "maximum_devices"),
    ({"maximum_devices": 5.0}, "maximum_devices"),
    ({"maximum_devices": True}, "maximum_devices"),
    ({"maximum_devices": 2**70}, "maximum_devices"),
    ({"device": "ESME"}, "device"),
    ({"device": {"type": "ESME"}}, "device.manufacturer"),
    ({"device": {**application()["device"], "colour": "red"}}, "device.colour"),
    ({"device": {**application()["device"], "model": LONG}}, "device.model"),
    ({"firmware": {}}, "firmware"),
    ({"firmware": [{"version": "1"}]}, "firmware.0.image_sha256"),
    ({"firmware": application()["firmware"] * 1_001}, "firmware"),
    ({"start": 20270104}, "start"),
    ({"csr": ""}, "csr"),
    ({"csr": 7}, "csr"),
    ({"smets_version": "\x00"}, "smets_version"),
]


@pytest.mark.parametrize(("change", "named"), FIELDS, ids=lambda value: str(value)[:40])
def test_a_field_of_another_form_is_named(unchanged: Api, change: dict[str, Any], named: str) -> None:
    answer = unchanged.ask("manufacturer", "POST", "/v1/applications", application() | change)
    assert named in refused(answer, 400, "body-malformed")["detail"]


def test_what_may_stand_in_a_field_is_told_as_it_is_sent(unchanged: Api) -> None:
    path = f"/v1/approvals/{unchanged.approval}/revocation"  # type: ignore[attr-defined]
    answer = unchanged.ask("officer-1", "POST", path, {"cause": "manufacturer", "reasons": "x"})
    told = "“cause”: input should be 'ssc', 'breach' or 'key-compromise'"
    assert told in refused(answer, 400, "body-malformed")["detail"]


@pytest.mark.parametrize("missing", sorted(application().keys() - {"smets_version"}))
def test_a_field_that_is_missing_is_named(unchanged: Api, missing: str) -> None:
    body = {name: value for name, value in application().items() if name != missing}
    answer = unchanged.ask("manufacturer", "POST", "/v1/applications", body)
    assert f"“{missing}” is missing" in refused(answer, 400, "body-malformed")["detail"]


@pytest.mark.parametrize(
    "day",
    [
        "2027-02-29", "2027-13-01", "2027104", "2027-W01-1", "01/30/2027", "0000-01-01", "10000-01-01",
        "2027-01-04T00:00:01Z", "tomorrow", "2027-01-04\x00", "٢٠٢٧-٠١-٠٤",
    ],
)  # fmt: skip
@pytest.mark.parametrize("field", ["start", "expiry"])
def test_what_is_no_day_is_malformed(unchanged: Api, field: str, day: str) -> None:
    answer = unchanged.ask("manufacturer", "POST", "/v1/applications", application(**{field: day}))
    assert refused(answer, 400, "instant-malformed")["detail"].startswith(field)
    doubtful = unchanged.ask("manufacturer", "POST", "/v1/applications", application(**{field: "04/01/2027"}))
    told = refused(doubtful, 400, "day-ambiguous")["detail"]
    assert told.startswith(field)
    assert "2027-01-04" in told
    assert "2027-04-01" in told


DATES: list[tuple[str, str, str]] = [
    ("2027-01-02", "2027-06-30", "start-before-today"),
    ("0001-01-01", "2027-06-30", "start-before-today"),
    ("2027-03-01", "2027-02-28", "expiry-before-start"),
    ("9999-12-31", "0001-01-01", "expiry-before-start"),
    ("2027-01-04", "9999-12-31", "beyond-issuing-ca"),
    ("9999-12-31", "9999-12-31", "beyond-issuing-ca"),
    ("2027-01-04", "2029-02-01", "trial-too-long"),
]


@pytest.mark.clause("F2.21(c)")
@pytest.mark.parametrize(("start", "expiry", "code"), DATES)
def test_dates_that_could_never_be_granted_are_refused(unchanged: Api, start: str, expiry: str, code: str) -> None:
    answer = unchanged.ask("manufacturer", "POST", "/v1/applications", application(start=start, expiry=expiry))
    findings = refused(answer, 422, "rules-refused")["findings"]
    assert code in {each["code"] for each in findings if each["severity"] == "fatal"}
    assert all(each["clause"] and each["detail"] and each["remedy"] for each in findings)


NAMES: list[tuple[dict[str, Any], str]] = [
    ({"device": {**application()["device"], "manufacturer": "x" * 31}}, "device-name-length"),
    ({"device": {**application()["device"], "hardware_version": ""}}, "device-name-length"),
    ({"device": {**application()["device"], "model": "a\x00b"}}, "name-unprintable"),
    ({"device": {**application()["device"], "model": "a\u202eb"}}, "name-unprintable"),
    ({"device": {**application()["device"], "type": "TOASTER"}}, "device-type"),
    ({"device": {**application()["device"], "type": "\x00"}}, "device-type"),
    ({"firmware": []}, "firmware-missing"),
    ({"firmware": [{"version": "1", "image_sha256": "zz"}]}, "firmware-digest"),
    ({"firmware": application()["firmware"] * 2}, "firmware-repeated"),
    ({"maximum_devices": 0}, "maximum-devices"),
    ({"maximum_devices": -5}, "maximum-devices"),
    ({"smets_version": "SMETS1"}, "smets-1"),
]


@pytest.mark.parametrize(("change", "code"), NAMES, ids=lambda value: str(value)[:40])
def test_names_and_limits_outside_the_rules_are_refused(unchanged: Api, change: dict[str, Any], code: str) -> None:
    answer = unchanged.ask("manufacturer", "POST", "/v1/applications", application(**change))
    assert code in {each["code"] for each in refused(answer, 422, "rules-refused")["findings"]}


@pytest.mark.parametrize("path", CSRS, ids=lambda path: path.stem)
def test_a_request_for_a_certificate_that_will_not_do_is_refused_with_its_reasons(unchanged: Api, path: Path) -> None:
    _, expect, text = path.read_bytes().split(b"\n", 2)
    wanted = expect.removeprefix(b"expect: ").decode()
    answer = unchanged.ask("manufacturer", "POST", "/v1/applications", application(csr=text.decode("latin-1")))
    if wanted == "malformed":
        refused(answer, 400, "csr-malformed")
    else:
        findings = refused(answer, 422, "rules-refused")["findings"]
        assert " ".join(each["code"] for each in findings) == wanted


def test_an_oversized_request_for_a_certificate_is_too_large(unchanged: Api) -> None:
    refused(
        unchanged.ask("manufacturer", "POST", "/v1/applications", application(csr="A" * 20_000)), 413, "csr-too-large"
    )


def test_a_key_that_is_already_certified_is_a_conflict(shared: Api) -> None:
    csr = csr_pem().decode()
    first = shared.applied(csr=csr, device={**application()["device"], "model": "KEY-1"})
    shared.proposed(kind="grant", application=first)
    shared.settle()
    again = application(csr=csr, device={**application()["device"], "model": "KEY-2"})
    refused(shared.ask("rival", "POST", "/v1/applications", again), 409, "key-already-certified")


def test_overlap_with_another_approval_of_the_device_is_a_conflict(shared: Api) -> None:
    lower = {name: value.lower() if name != "type" else value for name, value in application()["device"].items()}
    again = shared.applied(device=lower, start="2027-06-30", expiry="2027-07-01")
    body = {"kind": "grant", "application": again, "reasons": "Another."}
    refused(shared.ask("officer-1", "POST", "/v1/decisions", body), 409, "approval-overlaps")


IDENTIFIERS = ["TDT-2027-0001-0", "TDT-2027-0001", "nonsense", "x" * 65, "TDT 2027 0001 ٠", "%00", "a%2Fb", "%FF"]


@pytest.mark.parametrize("identifier", IDENTIFIERS)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/approvals/{}", None),
        ("GET", "/v1/approvals/{}/certificate", None),
        ("POST", "/v1/approvals/{}/revocation", {"cause": "ssc", "reasons": "x"}),
        ("GET", "/v1/certificates/{}", None),
        ("GET", "/v1/applications/{}", None),
        ("POST", "/v1/applications/{}/cancellation", None),
        ("GET", "/v1/decisions/{}", None),
        ("POST", "/v1/decisions/{}/rejection", {"why": "x"}),
    ],
)
def test_identifiers_that_are_none_are_refused_everywhere(
    unchanged: Api, method: str, path: str, body: Any, identifier: str
) -> None:
    answer = unchanged.ask("officer-1", method, path.format(identifier), body)
    assert answer.status_code in {400, 403, 404}, answer.data
    document = answer.get_json()
    assert document["code"] in {
        "identifier-malformed", "serial-malformed", "body-malformed", "not-found", "unknown-address",
        "operation-not-permitted",
    }  # fmt: skip


def test_a_wrong_check_character_is_refused_and_the_right_one_never_told(unchanged: Api) -> None:
    right: str = unchanged.approval  # type: ignore[attr-defined]
    for wrong in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".replace(right[-1], ""):
        answer = unchanged.ask("dcc", "GET", f"/v1/approvals/{right[:-1]}{wrong}")
        assert right not in json.dumps(refused(answer, 400, "identifier-malformed"))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "amend"},
        {"kind": ["grant"]},
        {"kind": "grant", "application": "a", "reasons": "x", "approval": "b"},
        {"kind": "revoke", "approval": "TDT-2027-0001-0", "cause": "manufacturer", "reasons": "x"},
        {"kind": "revoke", "approval": "TDT-2027-0001-0", "cause": "keyCompromise", "reasons": "x"},
        {"kind": "rekey", "approval": "TDT-2027-0001-0", "csr": "x", "compromised": "yes", "reasons": "x"},
        {"kind": "refuse", "application": "a b", "reasons": "x"},
        {"kind": "refuse", "application": "a"},
    ],
    ids=str,
)
def test_a_proposal_of_another_form_is_malformed(unchanged: Api, body: dict[str, Any]) -> None:
    refused(unchanged.ask("officer-1", "POST", "/v1/decisions", body), 400, "body-malformed")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"invalidity_date": "2027-01-03T12:00:01Z"}, 422, "rules-refused"),
        ({"invalidity_date": "2027-01-03"}, 400, "instant-malformed"),
        ({"invalidity_date": "2027-01-03T11:00:00,5Z"}, 400, "instant-malformed"),
        ({"invalidity_date": "0001-01-01T00:00:00+23:59"}, 400, "instant-malformed"),
        ({"invalidity_date": "2027-01-03T11:00:00Z", "cause": "ssc"}, 422, "rules-refused"),
        ({"cause": "superseded"}, 400, "body-malformed"),
        ({"reasons": ""}, 400, "body-malformed"),
    ],
    ids=str,
)
def test_a_revocation_that_cannot_be_is_refused(unchanged: Api, change: dict[str, str], status: int, code: str) -> None:
    body = {"cause": "key-compromise", "reasons": "x"} | change
    path = f"/v1/approvals/{unchanged.approval}/revocation"  # type: ignore[attr-defined]
    refused(unchanged.ask("officer-1", "POST", path, body), status, code)


@pytest.mark.parametrize(
    ("effective", "status", "code"),
    [
        ("2027-01-03T11:59:59Z", 422, "rules-refused"),
        ("2027-01-03T12:00:00Z", 422, "rules-refused"),
        ("9999-12-31T23:59:59Z", 422, "rules-refused"),
        ("9999-12-31T23:59:59-01:00", 400, "instant-malformed"),
        ("soon", 400, "instant-malformed"),
    ],
)
def test_an_effective_instant_that_cannot_be_is_refused(unchanged: Api, effective: str, status: int, code: str) -> None:
    body = {
        "kind": "rekey", "approval": unchanged.approval, "csr": csr_pem().decode(),  # type: ignore[attr-defined]
        "compromised": False, "reasons": "x", "effective": effective,
    }  # fmt: skip
    refused(unchanged.ask("officer-1", "POST", "/v1/decisions", body), status, code)


def test_what_is_not_there_is_not_found(unchanged: Api) -> None:
    digests = {"proposal_sha256": "0" * 64}
    for method, path, body in (
        ("GET", "/v1/applications/app-1", None),
        ("POST", "/v1/decisions/dec-1/second", digests),
        ("POST", "/v1/decisions/dec-1/rejection", {"why": "x"}),
        ("GET", "/v1/decisions/dec-1", None),
        ("GET", "/v1/certificates/ABCDEF", None),
        ("GET", "/v1/approvals/TDT-2027-9999-1", None),
        ("POST", "/v1/decisions", {"kind": "grant", "application": "app-1", "reasons": "x"}),
    ):
        answer = unchanged.ask("officer-1", method, path, body)
        code = "identifier-malformed" if answer.status_code == 400 else "not-found"
        refused(answer, answer.status_code, code)
        assert answer.status_code == 404 or "approvals" in path


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/", 404, "unknown-address"),
        ("/v1", 404, "unknown-address"),
        ("/v1/nothing", 404, "unknown-address"),
        ("/v1//applications", 404, "unknown-address"),
        ("/v1/applications?limit=0", 400, "body-malformed"),
        ("/v1/applications?limit=201", 400, "body-malformed"),
        ("/v1/applications?limit=1e2", 400, "body-malformed"),
        ("/v1/applications?limit=%D9%A5", 400, "body-malformed"),
        ("/v1/applications?limit=1&limit=2", 400, "body-malformed"),
        ("/v1/applications?after=%00", 400, "body-malformed"),
        ("/v1/applications?page=2", 400, "body-malformed"),
        ("/v1/decisions?after=" + "x" * 65, 400, "body-malformed"),
    ],
)
def test_an_address_or_a_query_that_is_not_described_is_refused(
    unchanged: Api, path: str, status: int, code: str
) -> None:
    refused(unchanged.ask("auditor", "GET", path), status, code)


def test_a_method_that_an_address_does_not_take_is_told_with_those_it_takes(unchanged: Api) -> None:
    for path in ("/v1/applications", "/v1/decisions/x/second", "/readyz", "/openapi.json"):
        answer = unchanged.ask("officer-1", "DELETE", path)
        refused(answer, 405, "method-not-allowed")
        assert answer.headers["Allow"]


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "ä"])
def test_an_idempotency_key_of_another_form_is_refused(unchanged: Api, key: str) -> None:
    answer = unchanged.ask("manufacturer", "POST", "/v1/applications", application(), Idempotency_Key=key)
    assert "Idempotency-Key" in refused(answer, 400, "body-malformed")["detail"]


def test_a_cancellation_takes_no_members(unchanged: Api) -> None:
    answer = unchanged.ask("manufacturer", "POST", "/v1/applications/app-1/cancellation", {"why": "x"})
    refused(answer, 400, "body-malformed")


def test_a_body_shorter_than_announced_is_malformed(unchanged: Api) -> None:
    answer = unchanged.ask("manufacturer", "POST", "/v1/applications", b'{"a": 1}', Content_Length="50")
    refused(answer, 400, "body-malformed")


def test_what_nobody_foresaw_is_told_as_ours_and_not_what_it_was(
    unchanged: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(sys.modules["ra.applying.look"], "applications", broken)
    answer = unchanged.ask("auditor", "GET", "/v1/applications")
    document = refused(answer, 500, "internal")
    assert b"swordfish" not in answer.data
    assert document["reference"] in caplog.text
    assert "swordfish" in caplog.text


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(application())),
    JUNK,
    st.sampled_from(
        ["/v1/applications", "/v1/decisions", "/v1/decisions/dec-1/second", "/v1/decisions/dec-1/rejection"]
    ),
)
def test_no_json_whatsoever_is_our_fault(shared: Api, field: str, value: Any, path: str) -> None:
    for body in ({**application(), field: value}, {"kind": "grant", field: value}, value):
        answer = shared.ask("manufacturer" if "app" in path else "officer-1", "POST", path, json.dumps(body).encode())
        assert answer.status_code < 500, answer.data
        assert answer.status_code == 201 or answer.mimetype == "application/problem+json"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_no_octets_whatsoever_are_our_fault(shared: Api, body: bytes) -> None:
    for path in ("/v1/applications", "/v1/decisions"):
        who = "manufacturer" if "app" in path else "officer-1"
        assert shared.ask(who, "POST", path, body).status_code in {400, 413}


def _at_once(*acts: Callable[[], int]) -> list[int]:
    """Do them at the same moment; return what each was answered."""
    gate = threading.Barrier(len(acts))
    answered: list[int] = []

    def run(act: Callable[[], int]) -> None:
        gate.wait()
        answered.append(act())

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answered)


def test_two_people_at_the_same_moment_get_one_act_and_one_conflict(world: World) -> None:
    api = Api(world)
    decision = api.proposed(kind="grant", application=api.applied())
    api.settle()
    body = api.second_body(decision)
    third = "officer-2"
    path = f"/v1/decisions/{decision}/second"

    def second() -> int:
        return api.ask(third, "POST", path, body).status_code

    assert _at_once(second, second, second) == [200, 409, 409]
    api.settle()
    approval = str(done(api.ask("auditor", "GET", f"/v1/decisions/{decision}"))["approval"])
    shown = done(api.ask("dcc", "GET", f"/v1/approvals/{approval}"))
    assert len(shown["certificates"]) == 1

    def revoke() -> int:
        reasons = {"cause": "ssc", "reasons": "x"}
        return api.ask("officer-1", "POST", f"/v1/approvals/{approval}/revocation", reasons).status_code

    assert _at_once(revoke, revoke, revoke) == [200, 409, 409]


def test_the_same_keyed_request_at_the_same_moment_is_done_once(world: World) -> None:
    api = Api(world)
    body = application()

    def apply() -> int:
        return api.ask("manufacturer", "POST", "/v1/applications", body, Idempotency_Key="k").status_code

    answered = _at_once(apply, apply, apply)
    assert 201 in answered
    assert set(answered) <= {201, 409}
    assert len(done(api.ask("manufacturer", "GET", "/v1/applications"))["applications"]) == 1


def test_the_names_that_the_validator_has_for_its_types_reach_nobody(unchanged: Api) -> None:
    for body in (
        {"kind": "grant", "application": "x", "reasons": 5},
        {"kind": "grant", "application": 5, "reasons": ""},
    ):
        told = refused(unchanged.send("officer-1", "POST", "/v1/decisions", body), 400, "body-malformed")["detail"]
        assert not re.search(r"constrained|function|Body|_trimmed|instance", told), told
        assert "must be text" in told

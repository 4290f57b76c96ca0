"""The status plane: routes, credentials, caches, and never a 5xx for bad input."""

import base64
import hashlib
import json
from datetime import timedelta

import pytest
from cryptography.x509 import ocsp
from hypothesis import given, settings
from hypothesis import strategies as st

from api.status.ocsp import TRY_LATER
from core.actors import Role
from core.approval import EndCause
from core.instants import text
from tests.status_plane import BEARER, Plane, max_age, problem
from tests.status_world import API_KEY, EXPIRY, NOON, SECOND, START


@pytest.fixture
def plane() -> Plane:
    return Plane()


# --- verification ------------------------------------------------------------------------------------------------


def test_a_question_is_answered_in_the_words_of_the_contract(plane: Plane) -> None:
    identifier = plane.world.grant()
    plane.world.presign(identifier, NOON)
    answered = plane.verify({"approval": identifier.lower().replace("-", " ")})
    assert (answered.status, answered.headers["Content-Type"]) == (200, "application/json")
    assert answered.headers["Cache-Control"] == "no-store"
    document = json.loads(answered.body)
    proof = ocsp.load_der_ocsp_response(base64.b64decode(document.pop("ocsp")))
    assert proof.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert document == {
        "valid": True,
        "state": "active",
        "approval": identifier,
        "issue": 1,
        "serial": plane.world.kept[identifier].record.certificates[0].serial,
        "not_before": "2027-01-04T00:00:00Z",
        "not_after": "2027-06-30T23:59:59Z",
        "deemed_cpa_certificate": True,
        "device": {"type": "ESME", "manufacturer": "AB01", "model": "010A030B", "hardware_version": "01"},
        "reasons": [],
        "pending": [],
        "as_of": "2027-02-01T12:00:00Z",
        "fresh_until": "2027-02-01T13:00:00Z",
    }


def test_a_reason_carries_code_clause_detail_and_remedy(plane: Plane) -> None:
    document = json.loads(plane.verify({"serial": "5F3A"}).body)
    assert [sorted(one) for one in document["reasons"]] == [["clause", "code", "detail", "remedy"]]
    assert all(document["reasons"][0].values())


def test_the_answer_follows_the_authoritys_clock(plane: Plane) -> None:
    identifier = plane.world.grant()
    assert json.loads(plane.verify({"approval": identifier}).body)["state"] == "active"
    plane.world.advance(EXPIRY + SECOND - NOON)
    answered = json.loads(plane.verify({"approval": identifier}).body)
    assert (answered["state"], answered["as_of"]) == ("expired", text(EXPIRY + SECOND))


def test_get_is_the_same_answer_with_a_tag_and_a_bounded_lifetime(plane: Plane) -> None:
    identifier = plane.world.grant()
    path = f"/v1/verify/{identifier}"
    first = plane.ask("GET", path, **BEARER)
    assert json.loads(first.body) == json.loads(plane.verify({"approval": identifier}).body)
    assert max_age(first) == 3599
    assert "private" in first.headers["Cache-Control"]

    plane.clock.advance(5 * SECOND)
    for tags in (first.headers["ETag"], f'"x", {first.headers["ETag"]}', "*", first.headers["ETag"][2:]):
        again = plane.ask("GET", path, **BEARER, HTTP_IF_NONE_MATCH=tags)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert max_age(again) == 3599
    assert plane.ask("GET", path, **BEARER, HTTP_IF_NONE_MATCH='"x"').status == 200

    plane.world.end(identifier, plane.clock.now(), EndCause.SSC)
    changed = plane.ask("GET", path, **BEARER, HTTP_IF_NONE_MATCH=first.headers["ETag"])
    assert (changed.status, json.loads(changed.body)["state"]) == (200, "cancelled")


def test_a_cache_never_keeps_an_answer_beyond_the_next_known_change(plane: Plane) -> None:
    identifier = plane.world.grant()
    for left in (7200, 600, 2, 1, 0):
        plane.clock.instant = EXPIRY - left * SECOND
        answered = plane.ask("GET", f"/v1/verify/{identifier}", **BEARER)
        assert max_age(answered) <= min(3600, left)
        assert plane.clock.now() + max_age(answered) * SECOND <= EXPIRY


def test_get_takes_no_query_and_a_wrong_identifier_is_refused(plane: Plane) -> None:
    identifier = plane.world.grant()
    problem(plane.ask("GET", f"/v1/verify/{identifier}", **BEARER, QUERY_STRING="at=x"), 400, "body-malformed")
    problem(plane.ask("GET", "/v1/verify/TDT-2027-0042-6", **BEARER), 400, "identifier-malformed")
    problem(plane.ask("GET", "/v1/verify/\xc3\xa9", **BEARER), 400, "identifier-malformed")


def test_verification_needs_a_credential_that_is_known_in_force_and_allowed(plane: Plane) -> None:
    identifier = plane.world.grant()
    plane.world.admit("expired", Role.DCC, NOON)
    plane.world.admit("last second", Role.DCC, NOON + SECOND)
    plane.world.admit("admin", Role.SSC_ADMIN)
    cases = [
        ({}, 401, "credential-missing"),
        ({"HTTP_AUTHORIZATION": "Basic YTpi"}, 401, "credential-invalid"),
        ({"HTTP_AUTHORIZATION": "Bearer"}, 401, "credential-invalid"),
        ({"HTTP_AUTHORIZATION": "Bearer "}, 401, "credential-invalid"),
        ({"HTTP_AUTHORIZATION": "Bearer wrong"}, 401, "credential-invalid"),
        ({"HTTP_AUTHORIZATION": "Bearer \xff\u20ac"}, 401, "credential-invalid"),
        ({"HTTP_AUTHORIZATION": f"Bearer {hashlib.sha256(API_KEY.encode()).hexdigest()}"}, 401, "credential-invalid"),
        ({"HTTP_AUTHORIZATION": "Bearer expired"}, 401, "credential-invalid"),
        ({"HTTP_AUTHORIZATION": "Bearer admin"}, 403, "operation-not-permitted"),
    ]
    for method, path, body in (
        ("POST", "/v1/verify", json.dumps({"approval": identifier}).encode()),
        ("GET", f"/v1/verify/{identifier}", b""),
    ):
        for environ, status, code in cases:
            answered = plane.ask(method, path, body, **environ)
            problem(answered, status, code)
            assert ("WWW-Authenticate" in answered.headers) is (status == 401)
        for good in ("Bearer last second", f"bearer  {API_KEY} "):
            assert plane.ask(method, path, body, HTTP_AUTHORIZATION=good).status == 200


def test_a_revoked_credential_stops_with_the_next_poll(plane: Plane) -> None:
    identifier = plane.world.grant()
    assert plane.verify({"approval": identifier}).status == 200
    plane.world.credentials.clear()
    plane.world.advance(timedelta(0))
    problem(plane.verify({"approval": identifier}), 401, "credential-invalid")


# --- a silent store ----------------------------------------------------------------------------------------------


def test_a_stale_snapshot_answers_nothing_but_what_proves_itself(plane: Plane) -> None:
    identifier = plane.world.grant()
    plane.world.presign(identifier, NOON)
    crl = plane.world.publish(NOON)
    request = plane.world.ocsp_request(plane.world.certificate(identifier))
    assert plane.verify({"approval": identifier}).status == 200
    plane.world.broken = True
    plane.silence = 600
    assert plane.verify({"approval": identifier}).status == 200
    plane.silence = 601
    for answered in (
        plane.verify({"approval": identifier}),
        plane.ask("GET", f"/v1/verify/{identifier}", **BEARER),
    ):
        problem(answered, 503, "status-stale")
        assert int(answered.headers["Retry-After"]) > 0
    assert plane.ask("POST", "/ocsp", request).body == TRY_LATER
    assert plane.ask("GET", f"/approvals/{identifier}").status == 503
    assert b"Active" not in plane.ask("GET", f"/approvals/{identifier}").body
    assert plane.ask("GET", f"/crl/{crl.key_id}.crl").body == crl.der
    assert plane.ask("GET", "/ca/root.cer").status == 200
    assert plane.ask("GET", "/healthz").body == b"alive\n"


def test_a_past_that_needs_the_store_is_unavailable_without_it(plane: Plane) -> None:
    identifier = plane.world.grant()
    crl = plane.world.publish(NOON)
    plane.mirror.follow()
    plane.world.broken = True
    problem(plane.verify({"approval": identifier, "at": text(START)}), 503, "store-unavailable")
    unit = "00-DB-12-34-56-78-90-01"
    problem(plane.verify({"approval": identifier, "device_id": unit}), 503, "store-unavailable")
    problem(plane.ask("GET", f"/crl/{crl.key_id}/7.crl"), 503, "store-unavailable")
    assert plane.ask("GET", f"/crl/{crl.key_id}/1.crl").body == crl.der


def test_what_we_did_not_foresee_is_a_500_that_tells_nothing(plane: Plane, caplog: pytest.LogCaptureFixture) -> None:
    identifier = plane.world.grant()
    plane.mirror.follow()

    def failing(*_: object) -> None:
        raise KeyError("secret detail")

    plane.world.past_answer = failing  # type: ignore[method-assign,assignment]
    answered = plane.verify({"approval": identifier, "at": text(START)})
    problem(answered, 500, "internal")
    assert b"secret" not in answered.body
    assert "secret detail" in caplog.text


# --- routes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/verify/", "/v1/verify/a/b", "/v1/approvals", "/readyz", "/crl/", "/crl/x.crl", "/approvals/"],
)
def test_everything_else_goes_to_the_application_behind(plane: Plane, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answered = plane.ask(method, path)
        assert (answered.status, answered.body) == (299, path.encode())


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/verify", "POST"),
        ("/v1/verify/TDT-2027-0042-5", "GET, HEAD"),
        ("/ocsp", "GET, HEAD, POST"),
        ("/ca/root.cer", "GET, HEAD"),
        ("/healthz", "GET, HEAD"),
        ("/approvals/TDT-2027-0042-5", "GET, HEAD"),
    ],
)
def test_a_method_that_an_address_does_not_have_is_405_and_says_which_it_has(
    plane: Plane, path: str, allowed: str
) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        if method in allowed.split(", "):
            continue
        answered = plane.ask(method, path)
        problem(answered, 405, "method-not-allowed")
        assert answered.headers["Allow"] == allowed


def test_head_is_get_without_the_body(plane: Plane) -> None:
    identifier = plane.world.grant()
    for path in ("/healthz", "/ca/root.cer", "/ca/chain.pem", f"/approvals/{identifier}", f"/v1/verify/{identifier}"):
        got, head = plane.ask("GET", path, **BEARER), plane.ask("HEAD", path, **BEARER)
        assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")


SHARED = Plane()
SHARED.world.presign(SHARED.world.grant(), NOON)
PATHS = st.sampled_from(["/v1/verify", "/v1/verify/", "/ocsp", "/ocsp/", "/crl/", "/ca/", "/approvals/", "/healthz"])
LATIN = st.text(st.characters(max_codepoint=255), max_size=30)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS"]),
    st.tuples(PATHS, LATIN).map("".join),
    st.binary(max_size=60) | st.text(max_size=30).map(lambda value: json.dumps({"approval": value}).encode()),
    LATIN,
)
def test_no_request_whatever_is_answered_with_a_5xx(method: str, path: str, body: bytes, tag: str) -> None:
    answered = SHARED.ask(method, path, body, **BEARER, HTTP_IF_NONE_MATCH=tag)
    assert answered.status < 500

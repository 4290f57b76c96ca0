"""OCSP: requests of strangers, answers chosen and never made, and how long caches may keep them."""

import base64
import email.utils
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from asn1crypto import ocsp as der_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given, settings
from hypothesis import strategies as st

from api.status.ocsp import (
    MALFORMED_REQUEST,
    REQUEST_LIMIT,
    TRY_LATER,
    UNAUTHORIZED,
    request_in_path,
    respond,
)
from api.status.snapshot import Snapshot, build
from core.approval import EndCause
from core.kinds import HierarchyRole
from core.mirror import AuthorityCertificate, HashName, SignedAnswer
from tests.status_world import EXPIRY, HOUR, NOON, SECOND, World

UNSUCCESSFUL = {MALFORMED_REQUEST, TRY_LATER, UNAUTHORIZED}


@pytest.fixture
def world() -> World:
    return World()


def view(world: World) -> Snapshot:
    return build(world.authority(), world.approvals(None), 0.0)


def max_age(headers: Sequence[tuple[str, str]]) -> int:
    found = re.search(r"max-age=(\d+)", dict(headers)["Cache-Control"])
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("hash_name", ["sha1", "sha256"])
def test_both_hashes_of_certid_are_answered_with_an_answer_for_that_hash(world: World, hash_name: HashName) -> None:
    identifier = world.grant()
    world.presign(identifier, NOON)
    answered = respond(view(world), world.ocsp_request(world.certificate(identifier), hash_name), NOON)
    body, headers = answered.body, answered.headers
    response = ocsp.load_der_ocsp_response(body)
    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert response.hash_algorithm.name == hash_name
    assert response.serial_number == world.certificate(identifier).serial_number
    assert dict(headers)["Content-Type"] == "application/ocsp-response"


def test_the_constants_are_what_the_standard_calls_them() -> None:
    for octets, status in (
        (MALFORMED_REQUEST, ocsp.OCSPResponseStatus.MALFORMED_REQUEST),
        (TRY_LATER, ocsp.OCSPResponseStatus.TRY_LATER),
        (UNAUTHORIZED, ocsp.OCSPResponseStatus.UNAUTHORIZED),
    ):
        assert ocsp.load_der_ocsp_response(octets).response_status is status


@pytest.mark.parametrize("hash_name", ["sha1", "sha256"])
def test_openssl_asks_with_a_nonce_and_accepts_the_answer(world: World, tmp_path: Path, hash_name: str) -> None:
    identifier = world.grant()
    world.presign(identifier, NOON)
    files = {"root": world.root, "issuing": world.issuing, "leaf": world.certificate(identifier)}
    for name, certificate in files.items():
        (tmp_path / name).write_bytes(certificate.public_bytes(Encoding.PEM))
    ask = f"openssl ocsp -{hash_name} -issuer issuing -cert leaf -nonce -reqout request"
    subprocess.run(ask.split(), cwd=tmp_path, check=True, capture_output=True)
    check = "openssl ocsp -respin response -issuer issuing -cert leaf -CAfile root -verify_other issuing -no_nonce"
    for status, act in (("good", None), ("revoked", EndCause.SSC)):
        if act is not None:
            world.end(identifier, NOON, act)
            world.presign(identifier, NOON)
        (tmp_path / "response").write_bytes(respond(view(world), (tmp_path / "request").read_bytes(), NOON).body)
        command = check.replace("-cert", f"-{hash_name} -cert")
        # openssl judges an answer's times by its own clock only.
        told = subprocess.run(
            ["faketime", f"{NOON:%Y-%m-%d %H:%M:%S}", *command.split()],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "TZ": "UTC"},
        )
        assert "Response verify OK" in told.stderr
        assert f"leaf: {status}" in told.stdout


@pytest.mark.parametrize("length", [0, 129, 200])
def test_a_nonce_of_a_length_that_none_has_is_a_malformed_request(world: World, length: int) -> None:
    # RFC 9654, 2.1.
    identifier = world.grant()
    world.presign(identifier, NOON)
    builder = ocsp.OCSPRequestBuilder().add_certificate(world.certificate(identifier), world.issuing, hashes.SHA256())
    request = builder.add_extension(x509.OCSPNonce(b"n" * length), critical=False).build().public_bytes(Encoding.DER)
    assert respond(view(world), request, NOON).body == MALFORMED_REQUEST


@pytest.mark.parametrize("length", [1, 16, 32, 33, 128])
def test_a_nonce_of_any_other_length_is_neither_refused_nor_echoed(world: World, length: int) -> None:
    identifier = world.grant()
    world.presign(identifier, NOON)
    builder = ocsp.OCSPRequestBuilder().add_certificate(world.certificate(identifier), world.issuing, hashes.SHA256())
    request = builder.add_extension(x509.OCSPNonce(b"n" * length), critical=False).build().public_bytes(Encoding.DER)
    response = ocsp.load_der_ocsp_response(respond(view(world), request, NOON).body)
    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert not list(response.extensions)


@pytest.mark.parametrize("count", [0, 2, 3])
def test_a_request_with_several_certids_is_unauthorized(world: World, count: int) -> None:
    identifier = world.grant()
    world.presign(identifier, NOON)
    one = der_ocsp.OCSPRequest.load(world.ocsp_request(world.certificate(identifier)))
    several = [one["tbs_request"]["request_list"][0]] * count
    request = der_ocsp.OCSPRequest({"tbs_request": {"request_list": several}}).dump()
    assert respond(view(world), request, NOON).body == UNAUTHORIZED


def test_what_is_not_ours_is_unauthorized_and_never_good(world: World) -> None:
    identifier = world.grant()
    world.presign(identifier, NOON)
    own, foreign = world.certificate(identifier), World()
    other = foreign.certificate(foreign.grant())
    requests = [
        foreign.ocsp_request(other),  # another issuer of the same name
        world.ocsp_request(other),  # our issuer, a serial that we never issued
        world.ocsp_request(world.responder),
        world.ocsp_request(world.issuing),
    ]
    for algorithm in (hashes.SHA224(), hashes.SHA384(), hashes.SHA512()):
        builder = ocsp.OCSPRequestBuilder().add_certificate(own, world.issuing, algorithm)
        requests.append(builder.build().public_bytes(Encoding.DER))
    for issuer_name, issuer_key in ((b"n" * 32, None), (None, b"k" * 32)):
        asked = ocsp.load_der_ocsp_request(world.ocsp_request(own))
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            issuer_name or asked.issuer_name_hash,
            issuer_key or asked.issuer_key_hash,
            asked.serial_number,
            hashes.SHA256(),
        )
        requests.append(builder.build().public_bytes(Encoding.DER))
    for request in requests:
        answered = respond(view(world), request, NOON)
        body, headers = answered.body, answered.headers
        assert body == UNAUTHORIZED
        assert dict(headers)["Cache-Control"] == "no-store"


def test_a_grant_whose_certificate_is_not_recorded_is_unauthorized(world: World) -> None:
    identifier = world.grant()
    request = world.ocsp_request(world.certificate(identifier))
    held = world.kept[identifier]
    world.keep(replace(held, record=replace(held.record, certificates=())))
    assert respond(view(world), request, NOON).body == UNAUTHORIZED


def test_with_two_issuing_cas_each_serial_is_known_under_its_own(world: World) -> None:
    identifier, later = world.grant(), World()
    world.presign(identifier, NOON)
    authority = world.authority()
    described = next(one for one in later.authority().certificates if one.role == HierarchyRole.ISSUING)
    second: AuthorityCertificate = replace(described, key_id="ff" * 8)
    both = build(replace(authority, certificates=[*authority.certificates, second]), world.approvals(None), 0.0)
    certificate = world.certificate(identifier)
    assert respond(both, later.ocsp_request(certificate), NOON).body == UNAUTHORIZED
    assert respond(both, world.ocsp_request(certificate), NOON).body not in UNSUCCESSFUL


def test_an_answer_is_shown_from_its_first_to_its_last_second(world: World) -> None:
    identifier = world.grant()
    world.presign(identifier, NOON)
    request = world.ocsp_request(world.certificate(identifier))

    def told(at: datetime) -> bool:
        return respond(view(world), request, at).body not in UNSUCCESSFUL

    assert not told(NOON - SECOND)
    assert told(NOON)
    assert told(NOON + 12 * HOUR)
    assert respond(view(world), request, NOON + 12 * HOUR + SECOND).body == TRY_LATER


def test_the_newest_true_answer_is_chosen_whatever_their_order(world: World) -> None:
    identifier = world.grant()
    held_answers: list[SignedAnswer] = []
    for hour in (2, 0, 1):
        world.presign(identifier, NOON + hour * HOUR)
        held_answers += world.kept[identifier].answers
    world.keep(replace(world.kept[identifier], answers=tuple(held_answers)))
    request = world.ocsp_request(world.certificate(identifier))
    for hour, newest in ((0, 0), (1, 1), (2, 2), (5, 2)):
        response = ocsp.load_der_ocsp_response(respond(view(world), request, NOON + hour * HOUR).body)
        assert response.this_update_utc == NOON + newest * HOUR


@pytest.mark.clause("F2.30")
def test_after_a_revocation_the_old_good_is_not_shown_and_the_new_answer_is(world: World) -> None:
    identifier = world.grant()
    world.presign(identifier, NOON - HOUR)
    request = world.ocsp_request(world.certificate(identifier))
    old = respond(view(world), request, NOON - SECOND).body
    world.end(identifier, NOON, EndCause.KEY_COMPROMISE, approval=False)
    assert old not in UNSUCCESSFUL
    assert respond(view(world), request, NOON).body == TRY_LATER
    before = world.kept[identifier].answers
    world.presign(identifier, NOON)
    world.keep(replace(world.kept[identifier], answers=(*before, *world.kept[identifier].answers)))
    for at in (NOON, NOON + HOUR):
        response = ocsp.load_der_ocsp_response(respond(view(world), request, at).body)
        assert response.certificate_status is ocsp.OCSPCertStatus.REVOKED


def test_an_answer_that_we_cannot_read_ourselves_is_not_shown(world: World) -> None:
    identifier = world.grant()
    world.presign(identifier, NOON)
    held = world.kept[identifier]
    world.keep(replace(held, answers=tuple(replace(one, der=b"0\x03") for one in held.answers)))
    request = world.ocsp_request(world.certificate(identifier))
    assert respond(view(world), request, NOON).body == UNAUTHORIZED


def test_no_cache_keeps_an_answer_beyond_an_hour_its_validity_or_the_next_known_change(world: World) -> None:
    identifier = world.grant()
    request = world.ocsp_request(world.certificate(identifier))
    for signed in (NOON, EXPIRY - 2 * HOUR, EXPIRY + SECOND):
        world.presign(identifier, signed)
        answered = view(world)
        for minutes in (0, 30, 90, 119, 120, 11 * 60 + 30, 12 * 60):
            at = signed + minutes * HOUR / 60
            said = respond(answered, request, at)
            body, fields = said.body, said.headers
            if body in UNSUCCESSFUL:
                continue
            response, headers = ocsp.load_der_ocsp_response(body), dict(fields)
            assert response.next_update_utc is not None
            left = (response.next_update_utc - at) / SECOND
            assert max_age(fields) <= 3600
            assert max_age(fields) < left or max_age(fields) == left == 0
            assert max_age(fields) > 0 or left <= 1 or at == EXPIRY
            if at <= EXPIRY:
                assert at + max_age(fields) * SECOND <= EXPIRY
            assert email.utils.parsedate_to_datetime(headers["Expires"]) == response.next_update_utc
            assert email.utils.parsedate_to_datetime(headers["Last-Modified"]) == response.this_update_utc
            for word in ("public", "no-transform", "must-revalidate"):
                assert word in headers["Cache-Control"]


def test_a_known_replacement_bounds_the_cache_of_an_answer_signed_before_it_was_known(world: World) -> None:
    identifier = world.grant()
    world.presign(identifier, NOON - HOUR)
    good = world.kept[identifier].answers
    world.amend(identifier, effective=NOON + 10 * SECOND, signed_at=NOON - SECOND)
    world.keep(replace(world.kept[identifier], answers=good))
    answered = respond(view(world), world.ocsp_request(world.certificate(identifier)), NOON)
    body, headers = answered.body, answered.headers
    assert body not in UNSUCCESSFUL
    assert max_age(headers) == 9


def test_get_carries_the_request_in_every_form_that_clients_write(world: World) -> None:
    identifier = world.grant()
    certificate = world.certificate(identifier)
    for number in range(200):  # other serials, so that + and / occur at many places
        asked = ocsp.load_der_ocsp_request(world.ocsp_request(certificate))
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            asked.issuer_name_hash, asked.issuer_key_hash, certificate.serial_number + number, hashes.SHA256()
        )
        request = builder.build().public_bytes(Encoding.DER)
        plain = base64.b64encode(request).decode()
        for form in (plain, quote(plain, safe=""), quote(quote(plain, safe=""), safe="")):
            assert request_in_path(unquote(form)) == request
        for form in (
            "/" + plain,
            plain.rstrip("="),
            base64.urlsafe_b64encode(request).decode(),
            plain.replace("+", " "),
        ):
            assert request_in_path(form) == request


def test_a_request_at_the_limit_is_read_and_one_octet_more_is_not(world: World) -> None:
    identifier = world.grant()
    world.presign(identifier, NOON)
    builder = ocsp.OCSPRequestBuilder().add_certificate(world.certificate(identifier), world.issuing, hashes.SHA256())

    def padded(length: int) -> bytes:
        padding = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.32473.1"), b"n" * length)
        return builder.add_extension(padding, critical=False).build().public_bytes(Encoding.DER)

    spare = REQUEST_LIMIT - len(padded(REQUEST_LIMIT - 300)) + REQUEST_LIMIT - 300
    assert len(padded(spare)) == REQUEST_LIMIT
    assert respond(view(world), padded(spare), NOON).body not in UNSUCCESSFUL
    assert respond(view(world), padded(spare + 1), NOON).body == MALFORMED_REQUEST
    assert request_in_path("A" * (REQUEST_LIMIT * 2 + 4)) is None


WORLD = World()
WORLD.presign(WORLD.grant(), NOON)
VIEW = view(WORLD)
REQUEST = WORLD.ocsp_request(WORLD.certificate("TDT-2027-0042-5"))


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=80))
def test_any_octets_get_an_unsuccessful_response(octets: bytes) -> None:
    assert respond(VIEW, octets, NOON).body in UNSUCCESSFUL


@settings(max_examples=600, deadline=None)
@given(st.integers(0, len(REQUEST) - 1), st.integers(0, 255), st.sampled_from(["set", "cut", "insert"]))
def test_a_changed_request_gets_our_answer_or_an_unsuccessful_response(place: int, octet: int, how: str) -> None:
    changed = {
        "set": REQUEST[:place] + bytes([octet]) + REQUEST[place + 1 :],
        "cut": REQUEST[:place],
        "insert": REQUEST[:place] + bytes([octet]) + REQUEST[place:],
    }[how]
    answered = respond(VIEW, changed, NOON)
    body, headers = answered.body, answered.headers
    assert body in UNSUCCESSFUL or ocsp.load_der_ocsp_response(body).certificate_status is ocsp.OCSPCertStatus.GOOD
    assert dict(headers)["Content-Type"] == "application/ocsp-response"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_in_the_path_is_octets_or_nothing(text: str) -> None:
    decoded = request_in_path(text)
    assert decoded is None or respond(VIEW, decoded, NOON).body in UNSUCCESSFUL

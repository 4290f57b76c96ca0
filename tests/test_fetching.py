"""OCSP, CRLs and CA certificates over HTTP: the bytes as signed, and how long caches may keep them."""

import base64
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from api.status import fetching
from api.status.ocsp import MALFORMED_REQUEST, REQUEST_LIMIT
from api.status.snapshot import build
from core.approval import EndCause
from core.errors import NoSuchThing
from core.kinds import HierarchyRole
from tests.status_plane import Plane, max_age, problem
from tests.status_world import DAY, HOUR, NOON, SECOND, World


@pytest.fixture
def plane() -> Plane:
    return Plane()


def test_ocsp_by_get_and_post_is_the_same_and_get_has_a_tag(plane: Plane) -> None:
    identifier = plane.world.grant()
    plane.world.presign(identifier, NOON)
    request = plane.world.ocsp_request(plane.world.certificate(identifier))
    posted = plane.ask("POST", "/ocsp", request, CONTENT_TYPE="application/ocsp-request")
    assert plane.ask("POST", "/ocsp/", request, CONTENT_TYPE="text/plain").body == posted.body
    path = f"/ocsp/{base64.b64encode(request).decode()}"
    got = plane.ask("GET", path)
    assert (got.status, got.body, got.headers) == (200, posted.body, posted.headers)
    assert ocsp.load_der_ocsp_response(got.body).certificate_status is ocsp.OCSPCertStatus.GOOD
    again = plane.ask("GET", path, HTTP_IF_NONE_MATCH=got.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    head = plane.ask("HEAD", path)
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(got.body)))


def test_bad_ocsp_requests_get_an_ocsp_answer(plane: Plane) -> None:
    plane.world.grant()
    for answered in (
        plane.ask("POST", "/ocsp", b""),
        plane.ask("POST", "/ocsp", b"0" * (REQUEST_LIMIT + 1)),
        plane.ask("POST", "/ocsp", b"junk"),
        plane.ask("GET", "/ocsp"),
        plane.ask("GET", "/ocsp/"),
        plane.ask("GET", "/ocsp/%%%"),
        plane.ask("GET", "/ocsp/\xe9\n"),
        plane.ask("GET", "/ocsp/" + "A" * 100_000),
    ):
        assert (answered.status, answered.body) == (200, MALFORMED_REQUEST)
        assert answered.headers["Content-Type"] == "application/ocsp-response"
        assert answered.headers["Cache-Control"] == "no-store"


def test_crls_are_served_by_key_and_for_ever_by_number(plane: Plane) -> None:
    identifier = plane.world.grant()
    first = plane.world.publish(NOON)
    plane.world.end(identifier, NOON + HOUR, EndCause.SSC)
    second = plane.world.publish(NOON + HOUR)
    plane.clock.advance(2 * HOUR)
    newest = plane.ask("GET", f"/crl/{first.key_id}.crl")
    assert (newest.body, newest.headers["Content-Type"]) == (second.der, "application/pkix-crl")
    assert x509.load_der_x509_crl(newest.body).next_update_utc == second.next_update
    assert newest.headers["Last-Modified"] == "Mon, 01 Feb 2027 13:00:00 GMT"
    assert newest.headers["Expires"] == "Wed, 03 Feb 2027 13:00:00 GMT"
    assert max_age(newest) == 3600
    tag = {"HTTP_IF_NONE_MATCH": newest.headers["ETag"]}
    assert plane.ask("GET", f"/crl/{first.key_id}.crl", **tag).status == 304
    for crl in (first, second):
        numbered = plane.ask("GET", f"/crl/{crl.key_id}/{crl.number}.crl")
        assert numbered.body == crl.der
        assert "immutable" in numbered.headers["Cache-Control"]
        assert max_age(numbered) <= 3600
    plane.clock.instant = second.next_update - 10 * SECOND
    assert max_age(plane.ask("GET", f"/crl/{first.key_id}.crl")) == 9
    plane.clock.advance(DAY)
    assert max_age(plane.ask("GET", f"/crl/{first.key_id}.crl")) == 0
    problem(plane.ask("GET", f"/crl/{first.key_id}/3.crl"), 404, "not-found")
    problem(plane.ask("GET", f"/crl/{'00' * 8}.crl"), 404, "not-found")
    problem(plane.ask("GET", f"/crl/{'00' * 8}/1.crl"), 404, "not-found")


def test_the_hierarchy_is_served_one_by_one_and_as_a_chain(plane: Plane) -> None:
    world = plane.world
    for role, certificate in (("root", world.root), ("issuing", world.issuing), ("responder", world.responder)):
        key_id = next(one.key_id for one in world.authority().certificates if one.role == role)
        got = plane.ask("GET", f"/ca/{key_id}.cer")
        assert (got.body, got.headers["Content-Type"]) == (
            certificate.public_bytes(Encoding.DER),
            "application/pkix-cert",
        )
        assert plane.ask("GET", f"/ca/{key_id}.cer", HTTP_IF_NONE_MATCH=got.headers["ETag"]).status == 304
    assert plane.ask("GET", "/ca/root.cer").body == world.root.public_bytes(Encoding.DER)
    chain = plane.ask("GET", "/ca/chain.pem")
    assert chain.headers["Content-Type"] == "application/pem-certificate-chain"
    assert x509.load_pem_x509_certificates(chain.body) == [world.issuing, world.root]
    problem(plane.ask("GET", f"/ca/{'00' * 8}.cer"), 404, "not-found")


def test_the_chain_is_that_of_the_ca_that_issues_now_and_older_ones_stay_fetchable() -> None:
    world, later = World(), World()
    authority = world.authority()
    renewed = next(one for one in later.authority().certificates if one.role == HierarchyRole.ISSUING)
    view = build(replace(authority, certificates=[*authority.certificates, renewed]), [], 0.0)
    assert x509.load_pem_x509_certificates(fetching.chain(view).body) == [later.issuing, world.root]
    first = next(one for one in authority.certificates if one.role == HierarchyRole.ISSUING)
    for one in (first, renewed):
        assert fetching.authority_certificate(view, one.key_id, NOON).body == one.der
    with pytest.raises(NoSuchThing):
        fetching.chain(build(replace(authority, certificates=[]), [], 0.0))

"""The one path from a cleared draft to a certificate: each of its guards, broken once."""

import hashlib
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from ca.certificates import issuer, key_id
from ca.clearance import Clearance, ClearanceKind
from ca.draft import Draft, again, described
from ca.hierarchy import root_draft
from ca.issuer import build
from ca.signing import sign_certificate
from core.errors import AlreadySpent, IssuerMismatch, NotCleared, OutlivesIssuer, SignatureWrong
from core.identifiers import new_serial
from keys.signer import SoftwareSigner
from tests.authority_world import (
    AT,
    LEAF_KEY,
    PROFILE,
    World,
    clearance,
    make_world,
    new_signer,
    sign,
    the_world,
)


def _parsed(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def _draft(world: World, **changes: object) -> Draft:
    return build.draft(PROFILE, world.order(**changes))


def test_signed_again_after_a_crash_it_is_the_same_certificate() -> None:
    world = the_world()
    drafted = _draft(world)
    first = sign(drafted, world.issuing_key, world.issuing)
    from_the_store = Draft(drafted.serial, drafted.tbs, drafted.preview)
    assert sign(from_the_store, world.issuing_key, world.issuing) == first
    assert _parsed(first).tbs_certificate_bytes == drafted.tbs
    assert hashlib.sha256(drafted.tbs).digest() == drafted.digest


def test_draft_made_again_from_stored_bytes_is_the_same_draft() -> None:
    world = the_world()
    drafted = _draft(world)
    remade = again(drafted.serial, drafted.tbs, world.issuing_key.public_key)
    assert (remade.digest, _parsed(remade.preview).tbs_certificate_bytes) == (drafted.digest, drafted.tbs)
    assert sign(remade, world.issuing_key, world.issuing) == sign(drafted, world.issuing_key, world.issuing)
    assert described(remade) == described(drafted)
    assert described(remade).key_id == key_id(LEAF_KEY)


def test_preview_is_the_same_bytes_under_a_key_that_nobody_trusts() -> None:
    world = the_world()
    drafted = _draft(world)
    preview = _parsed(drafted.preview)
    assert preview.tbs_certificate_bytes == drafted.tbs
    assert drafted.preview != sign(drafted, world.issuing_key, world.issuing)
    with pytest.raises(InvalidSignature):
        preview.verify_directly_issued_by(_parsed(world.issuing))


def test_draft_is_signed_once() -> None:
    world = the_world()
    drafted = _draft(world)
    sign(drafted, world.issuing_key, world.issuing)
    with pytest.raises(AlreadySpent):
        sign(drafted, world.issuing_key, world.issuing)


def test_nothing_is_signed_without_clearance_of_exactly_these_bytes() -> None:
    world = the_world()
    drafted, other = _draft(world), _draft(world)
    for wrong in (
        clearance(other),
        Clearance(ClearanceKind.CRL, drafted.digest),
        Clearance(ClearanceKind.OCSP, drafted.digest),
        Clearance(ClearanceKind.CERTIFICATE, b""),
    ):
        with pytest.raises(NotCleared):
            sign_certificate(drafted, wrong, world.issuing_key, world.issuing)
    sign(drafted, world.issuing_key, world.issuing)  # a refusal spends nothing


def test_preview_that_is_not_these_bytes_is_refused() -> None:
    world = the_world()
    drafted = _draft(world)
    with pytest.raises(NotCleared):
        sign(Draft(drafted.serial, drafted.tbs, _draft(world).preview), world.issuing_key, world.issuing)


def test_serial_that_is_not_the_reserved_one_is_refused() -> None:
    world = the_world()
    drafted = _draft(world)
    with pytest.raises(NotCleared):
        sign(Draft(new_serial(), drafted.tbs, drafted.preview), world.issuing_key, world.issuing)


def test_key_of_another_is_refused() -> None:
    world = the_world()
    for wrong in (world.root_key, world.responder_key, new_signer()):
        with pytest.raises(IssuerMismatch, match="key at hand"):
            sign(_draft(world), wrong, world.issuing)


def test_certificate_in_the_name_of_another_is_refused() -> None:
    world = the_world()
    with pytest.raises(IssuerMismatch, match="another issuer"):
        sign(_draft(world), world.root_key, world.root)


def test_key_identifier_of_another_key_of_the_same_name_is_refused() -> None:
    world, twin = the_world(), make_world()
    assert issuer(world.issuing).name == issuer(twin.issuing).name
    with pytest.raises(IssuerMismatch, match="another key"):
        sign(_draft(twin), world.issuing_key, world.issuing)


def test_certificate_without_authority_key_identifier_is_refused() -> None:
    world = the_world()
    own = root_draft(PROFILE, world.root_key.public_key, new_serial(), AT)
    with pytest.raises(IssuerMismatch, match="which key"):
        sign(own, world.root_key, world.root)


def test_only_the_root_signs_itself() -> None:
    world = the_world()
    with pytest.raises(IssuerMismatch, match="not at hand"):
        sign(_draft(world), world.issuing_key, None)
    with pytest.raises(IssuerMismatch, match="key of another"):
        sign(root_draft(PROFILE, world.root_key.public_key, new_serial(), AT), new_signer(), None)


@pytest.mark.parametrize(
    "changes",
    [
        {"not_after": datetime(2034, 1, 2, tzinfo=UTC)},  # one second after the issuing CA's end
        {"not_before": datetime(2027, 1, 2, 23, 59, 59, tzinfo=UTC)},  # one second before its beginning
    ],
)
def test_certificate_that_does_not_nest_is_refused(changes: dict[str, datetime]) -> None:
    world = the_world()
    with pytest.raises(OutlivesIssuer):
        sign(_draft(world, **changes), world.issuing_key, world.issuing)


def test_certificate_may_last_as_long_as_its_issuer() -> None:
    world = the_world()
    end = issuer(world.issuing).not_after
    assert _parsed(world.leaf(not_after=end, expiry=end)).not_valid_after_utc == end


def test_signature_that_does_not_verify_never_leaves() -> None:
    world = the_world()

    class Broken(SoftwareSigner):
        def sign(self, message: bytes) -> bytes:
            return super().sign(message + b"!")

    broken = Broken(world.issuing_key._key)
    with pytest.raises(SignatureWrong):
        sign(_draft(world), broken, world.issuing)

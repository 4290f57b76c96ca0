"""OCSP answers, signed ahead: what they say, what foreign software reads in them, and each guard of the signature."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import load_der_x509_certificate
from cryptography.x509 import ocsp as reader
from hypothesis import given, settings
from hypothesis import strategies as st

from ca.certificates import issuer
from ca.clearance import Clearance, ClearanceKind
from ca.revocation import ocsp
from core.approval import RevocationReason
from core.errors import IssuerMismatch, NotCleared
from core.identifiers import Serial, new_serial, serial_of
from core.mirror import HashName
from core.status import Revoked
from policy.pkix import lint_ocsp
from tests.authority_world import AT, clearance, make_world, new_signer, pem, run, the_world, write

SERIAL = Serial("4" + "1" * 31)
HASHES: dict[HashName, hashes.HashAlgorithm] = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}


def _revoked(serial: Serial = SERIAL, reason: RevocationReason = RevocationReason.KEY_COMPROMISE) -> Revoked:
    return Revoked(serial, AT - timedelta(days=1), reason)


@pytest.mark.parametrize("hash_name", HASHES)
def test_answer_says_what_was_ordered(hash_name: HashName) -> None:
    world = the_world()
    answer = reader.load_der_ocsp_response(world.answer(SERIAL, hash_name=hash_name))
    assert answer.response_status is reader.OCSPResponseStatus.SUCCESSFUL
    assert answer.certificate_status is reader.OCSPCertStatus.GOOD
    assert (answer.this_update_utc, answer.next_update_utc) == (AT, AT + timedelta(hours=12))
    assert answer.produced_at_utc == AT
    assert serial_of(answer.serial_number) == SERIAL
    assert list(answer.extensions) == []
    assert [each.public_bytes(serialization.Encoding.DER) for each in answer.certificates] == [world.responder]
    key = load_der_x509_certificate(world.responder).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("hash_name", HASHES)
def test_cert_id_is_the_one_that_others_ask_with(hash_name: HashName) -> None:
    world = the_world()
    leaf, above = load_der_x509_certificate(world.leaf(serial=SERIAL)), issuer(world.issuing).parsed
    asked = reader.OCSPRequestBuilder().add_certificate(leaf, above, HASHES[hash_name]).build()
    answer = reader.load_der_ocsp_response(world.answer(SERIAL, hash_name=hash_name))
    assert answer.hash_algorithm.name == hash_name
    assert answer.serial_number == asked.serial_number
    assert (answer.issuer_name_hash, answer.issuer_key_hash) == (asked.issuer_name_hash, asked.issuer_key_hash)


def test_responder_is_named_by_its_key() -> None:
    world = the_world()
    answer = reader.load_der_ocsp_response(world.answer(SERIAL))
    point = (
        issuer(world.responder)
        .parsed.public_key()
        .public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    )
    assert answer.responder_name is None
    assert answer.responder_key_hash == hashlib.sha1(point).digest()


@pytest.mark.parametrize("reason", RevocationReason)
def test_revoked_answer_says_when_and_why(reason: RevocationReason) -> None:
    answer = reader.load_der_ocsp_response(the_world().answer(SERIAL, _revoked(reason=reason)))
    assert answer.certificate_status is reader.OCSPCertStatus.REVOKED
    assert answer.revocation_time_utc == AT - timedelta(days=1)
    assert answer.revocation_reason is not None
    assert answer.revocation_reason.name == reason.name.lower()


_instants = st.datetimes(
    datetime(1950, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(9999, 12, 31, 23, 59, 59),  # noqa: DTZ001 - the same
    timezones=st.just(UTC),
).map(lambda at: at.replace(microsecond=0))


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 2**159 - 1).map(serial_of), _instants, _instants, _instants, st.sampled_from(RevocationReason))
def test_any_answer_is_written_and_read_back_by_another_library(
    serial: Serial,
    this_update: datetime,
    next_update: datetime,
    revoked_at: datetime,
    reason: RevocationReason,
) -> None:
    revoked = Revoked(serial, revoked_at, reason)
    der = the_world().answer(serial, revoked, this_update=this_update, next_update=next_update)
    answer = reader.load_der_ocsp_response(der)
    assert serial_of(answer.serial_number) == serial
    assert (answer.this_update_utc, answer.next_update_utc) == (this_update, next_update)
    assert (answer.revocation_time_utc, answer.produced_at_utc) == (revoked_at, this_update)


def test_the_same_bytes_as_another_writer_makes() -> None:
    # `cryptography` writes NULL parameters beside the CertID's hash, which we leave out, and its own producedAt.
    world = the_world()
    leaf = load_der_x509_certificate(world.leaf(serial=SERIAL))
    made = (
        reader.OCSPResponseBuilder()
        .add_response(
            leaf,
            issuer(world.issuing).parsed,
            hashes.SHA256(),
            reader.OCSPCertStatus.GOOD,
            AT,
            AT + timedelta(hours=12),
            None,
            None,
        )
        .responder_id(reader.OCSPResponderEncoding.HASH, issuer(world.responder).parsed)
        .sign(world.responder_key._key, hashes.SHA256())
    )
    sha256_with_null = bytes.fromhex("300d06096086480165030402010500")
    sha256_alone = bytes.fromhex("300b0609608648016503040201")
    theirs = made.tbs_response_bytes
    ours = ocsp.draft(world.ocsp_order(SERIAL)).tbs
    assert (sha256_with_null in theirs, sha256_with_null in ours) == (True, False)
    assert len(theirs) == len(ours) + 2
    assert theirs.endswith(ours.partition(sha256_alone)[2])


def test_signed_again_it_is_the_same_answer() -> None:
    world = the_world()
    assert world.answer(SERIAL) == world.answer(SERIAL)
    assert world.answer(SERIAL, _revoked()) == world.answer(SERIAL, _revoked())
    assert len({world.answer(SERIAL, hash_name=name) for name in HASHES}) == 2
    assert world.answer(SERIAL) != world.answer(new_serial())


@pytest.mark.parametrize(
    ("der", "status"),
    [
        (ocsp.MALFORMED, reader.OCSPResponseStatus.MALFORMED_REQUEST),
        (ocsp.INTERNAL_ERROR, reader.OCSPResponseStatus.INTERNAL_ERROR),
        (ocsp.TRY_LATER, reader.OCSPResponseStatus.TRY_LATER),
        (ocsp.UNAUTHORIZED, reader.OCSPResponseStatus.UNAUTHORIZED),
    ],
)
def test_unsuccessful_answers_read_as_what_they_are_called(der: bytes, status: reader.OCSPResponseStatus) -> None:
    assert reader.load_der_ocsp_response(der).response_status is status


# --- what others say ---


@pytest.mark.parametrize("hash_name", HASHES)
def test_openssl_believes_it(tmp_path: Path, hash_name: HashName) -> None:
    world = the_world()
    write(
        tmp_path,
        **{
            "root.pem": pem(world.root),
            "issuing.pem": pem(world.issuing),
            "leaf.pem": pem(world.leaf(serial=SERIAL)),
            "other.pem": pem(world.leaf()),
            "good.der": world.answer(SERIAL, hash_name=hash_name),
            "revoked.der": world.answer(SERIAL, _revoked(), hash_name=hash_name),
        },
    )
    command = ["openssl", "ocsp", f"-{hash_name}", "-issuer", "issuing.pem", "-CAfile", "root.pem", "-no_nonce"]
    at = AT + timedelta(hours=1)
    code, said = run(tmp_path, *command, "-cert", "leaf.pem", "-respin", "good.der", at=at)
    assert code == 0, said
    assert "Response verify OK" in said
    assert "leaf.pem: good" in said
    code, said = run(tmp_path, *command, "-cert", "leaf.pem", "-respin", "revoked.der", at=at)
    assert "Response verify OK" in said
    assert "leaf.pem: revoked" in said
    assert "Reason: keyCompromise" in said
    code, said = run(tmp_path, *command, "-cert", "other.pem", "-respin", "good.der", at=at)
    assert "other.pem: ERROR: No Status found" in said
    code, said = run(tmp_path, *command, "-cert", "leaf.pem", "-respin", "good.der", at=AT + timedelta(hours=13))
    assert "Status times invalid" in said


def test_gnutls_believes_it(tmp_path: Path) -> None:
    world = the_world()
    write(
        tmp_path,
        **{
            "issuing.pem": pem(world.issuing),
            "responder.pem": pem(world.responder),
            "revoked.der": world.answer(SERIAL, _revoked()),
        },
    )
    code, said = run(tmp_path, "ocsptool", "--response-info", "--load-response", "revoked.der")
    assert code == 0, said
    assert "Certificate Status: revoked" in said
    assert SERIAL.lower() in said
    verify = ["ocsptool", "--verify-response", "--load-response", "revoked.der", "--load-trust", "issuing.pem"]
    code, said = run(tmp_path, *verify, at=AT + timedelta(hours=1))
    assert code == 0, said
    assert "Verifying OCSP Response: Success" in said


def test_linter_finds_nothing() -> None:
    world = the_world()
    for name in HASHES:
        assert lint_ocsp(world.answer(SERIAL, hash_name=name)) == ()
        assert lint_ocsp(world.answer(SERIAL, _revoked(), hash_name=name)) == ()
    assert lint_ocsp(ocsp.draft(world.ocsp_order(SERIAL)).preview) == ()


# --- each guard of the signature ---


def test_preview_is_the_same_bytes_under_a_key_that_nobody_trusts() -> None:
    world = the_world()
    drafted = ocsp.draft(world.ocsp_order(SERIAL))
    assert reader.load_der_ocsp_response(drafted.preview).tbs_response_bytes == drafted.tbs
    assert reader.load_der_ocsp_response(world.answer(SERIAL)).tbs_response_bytes == drafted.tbs
    assert drafted.preview != world.answer(SERIAL)


def test_answer_is_signed_only_as_cleared_and_by_its_own_responder() -> None:
    world, twin = the_world(), make_world()
    drafted = ocsp.draft(world.ocsp_order(SERIAL))
    good = clearance(drafted)
    for wrong in (
        Clearance(ClearanceKind.CERTIFICATE, drafted.digest),
        Clearance(ClearanceKind.OCSP, ocsp.draft(world.ocsp_order(SERIAL, _revoked())).digest),
    ):
        with pytest.raises(NotCleared):
            ocsp.sign(drafted, wrong, world.responder_key, world.responder)
    with pytest.raises(IssuerMismatch, match="another responder"):
        ocsp.sign(drafted, good, twin.responder_key, twin.responder)
    for key in (new_signer(), world.issuing_key):
        with pytest.raises(IssuerMismatch, match="key at hand"):
            ocsp.sign(drafted, good, key, world.responder)

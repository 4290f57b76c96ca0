"""The lint of an OCSP answer: for each rule a planted defect that no other rule of ours finds."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from ca.clearance import Clearance, ClearanceKind
from ca.hierarchy import issuing_draft, responder_draft
from ca.revocation import ocsp
from ca.revocation.ocsp import OcspDraft, OcspOrder
from core.approval import RevocationReason
from core.identifiers import new_serial
from core.mirror import HashName
from core.status import Revoked
from policy import der, pkix
from policy.expected import key_hash
from policy.ocsp_rules import LONGEST_ANSWER, OCSP_RULES
from policy.profile import clear_ocsp
from tests.profile_world import (
    AT,
    DAY,
    ISSUING,
    PROFILE,
    RESPONDER,
    ROOT,
    SECOND,
    THROWAWAY,
    fresh_key,
    own_codes,
    rebuilt,
)
from tests.profile_world import (
    ORDER as CERTIFICATE,
)

CA = x509.load_der_x509_certificate(ISSUING.preview)
ANSWERS = x509.load_der_x509_certificate(RESPONDER.preview)
REVOKED = Revoked(CERTIFICATE.serial, AT - DAY, RevocationReason.PRIVILEGE_WITHDRAWN)
ORDER = OcspOrder(
    issuer_der=ISSUING.preview,
    responder_der=RESPONDER.preview,
    serial=CERTIFICATE.serial,
    hash_name="sha256",
    revoked=REVOKED,
    this_update=AT,
    next_update=AT + LONGEST_ANSWER,
)
GOOD_ORDER = replace(ORDER, revoked=None)
HASH_OIDS: dict[HashName, str] = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1"}
NONCE = "1.3.6.1.5.5.7.48.1.2"


def _spki(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _hash(name: HashName) -> bytes:
    return der.sequence(der.oid(x509.ObjectIdentifier(HASH_OIDS[name])))


def _certificate_id(
    name: HashName = "sha256", serial: str = CERTIFICATE.serial, *, called: HashName | None = None
) -> bytes:
    subject = hashlib.new(name, CA.subject.public_bytes()).digest()
    return der.sequence(
        _hash(called or name), der.octets(subject), der.octets(key_hash(_spki(CA), name)), der.integer(int(serial, 16))
    )


def _status(at: datetime = REVOKED.at, reason: int | None = 9) -> bytes:
    reasons = b"" if reason is None else der.tlv(0xA0, bytes([0x0A, 1, reason]))
    return der.tlv(0xA1, der.generalized_time(at) + reasons)


def _extension(oid: str, value: bytes) -> bytes:
    return der.sequence(der.extension(x509.ObjectIdentifier(oid), value, critical=False))


def _answer(  # one knob for each field of an answer
    *,
    version: bytes = b"",
    responder: bytes | None = None,
    produced: datetime = AT,
    subject: bytes | None = None,
    status: bytes | None = None,
    begins: datetime = AT,
    ends: datetime | None = AT + LONGEST_ANSWER,
    single_extensions: bytes = b"",
    extensions: bytes = b"",
    times: int = 1,
) -> OcspDraft:
    single = der.sequence(
        _certificate_id() if subject is None else subject,
        _status() if status is None else status,
        der.generalized_time(begins),
        b"" if ends is None else der.tlv(0xA0, der.generalized_time(ends)),
        der.tlv(0xA1, single_extensions) if single_extensions else b"",
    )
    by_key = der.tlv(0xA2, der.octets(key_hash(_spki(ANSWERS), "sha1")))
    tbs = der.sequence(
        version,
        by_key if responder is None else responder,
        der.generalized_time(produced),
        der.sequence(*[single] * times),
        der.tlv(0xA1, extensions) if extensions else b"",
    )
    return OcspDraft(ORDER.serial, tbs, RESPONDER.preview)


class _WithPreview(OcspDraft):
    """A draft whose preview is another one's, or is signed or dressed in another way."""

    shown: bytes = _answer().preview

    @property
    def preview(self) -> bytes:
        return self.shown


def _shown(draft: OcspDraft, preview: bytes) -> OcspDraft:
    other = _WithPreview(draft.serial, draft.tbs, draft.responder_der)
    object.__setattr__(other, "shown", preview)
    return other


def _dressed(
    *certificates: bytes,
    algorithm: str = "1.2.840.10045.4.3.2",
    digest: type[hashes.SHA256 | hashes.SHA384] = hashes.SHA256,
) -> OcspDraft:
    """The good answer with other certificates beside it, or under another signature algorithm."""
    tbs = _answer().tbs
    basic = der.sequence(
        tbs,
        der.sequence(der.oid(x509.ObjectIdentifier(algorithm))),
        der.tlv(0x03, b"\x00" + THROWAWAY.sign(tbs, ec.ECDSA(digest()))),
        der.tlv(0xA0, der.sequence(*certificates)) if certificates else b"",
    )
    response = der.sequence(der.oid(x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.1")), der.octets(basic))
    return _shown(_answer(), der.sequence(b"\x0a\x01\x00", der.tlv(0xA0, response)))


def _of_responder(der_: bytes, **changes: object) -> tuple[OcspDraft, OcspOrder]:
    order = replace(ORDER, responder_der=der_, **changes)  # type: ignore[arg-type]
    return ocsp.draft(order), order


def _of_another_ca() -> tuple[OcspDraft, OcspOrder]:
    other = issuing_draft(PROFILE, ROOT.preview, fresh_key(), new_serial(), AT, longest_trial=DAY, number=2)
    return _of_responder(responder_draft(PROFILE, other.preview, fresh_key(), new_serial(), AT).preview)


def _not_delegated() -> tuple[OcspDraft, OcspOrder]:
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    return _of_responder(rebuilt(RESPONDER, extensions={usage.oid: (usage, False)}).preview)


def _dying() -> tuple[OcspDraft, OcspOrder]:
    return _of_responder(rebuilt(RESPONDER, ends=AT + LONGEST_ANSWER - SECOND).preview)


def _unborn() -> tuple[OcspDraft, OcspOrder]:
    return _of_responder(rebuilt(RESPONDER, begins=AT + SECOND).preview)


def _times(begins: datetime, ends: datetime) -> OcspOrder:
    return replace(ORDER, this_update=begins, next_update=ends)


def _nonce(octets: int) -> bytes:
    return _extension(NONCE, der.octets(bytes(octets)))


BY_NAME = der.tlv(0xA1, ANSWERS.subject.public_bytes())
OTHER_KEY = der.tlv(0xA2, der.octets(bytes(20)))
PLANTED: list[tuple[str, Callable[[], tuple[OcspDraft, OcspOrder]]]] = [
    ("draft", lambda: (_shown(_answer(status=b"\x80\x00"), _answer().preview), ORDER)),
    ("draft", lambda: (replace(_answer(), serial=new_serial()), ORDER)),
    (
        "signature-algorithm",
        lambda: (_dressed(RESPONDER.preview, algorithm="1.2.840.10045.4.3.3", digest=hashes.SHA384), ORDER),
    ),
    ("responder-id", lambda: (_answer(responder=BY_NAME), ORDER)),
    ("responder-id", lambda: (_answer(responder=OTHER_KEY), ORDER)),
    ("responder-certificate", lambda: (_dressed(), ORDER)),
    ("responder-certificate", lambda: (_dressed(RESPONDER.preview, ISSUING.preview), ORDER)),
    ("responder-certificate", lambda: (_dressed(ISSUING.preview), ORDER)),
    ("responder-delegated", _of_another_ca),
    ("responder-delegated", _not_delegated),
    ("responder-outlived", _dying),
    ("responder-outlived", _unborn),
    ("certificate-id", lambda: (_answer(subject=_certificate_id("sha1")), ORDER)),
    ("certificate-id", lambda: (_answer(subject=_certificate_id(serial=new_serial())), ORDER)),
    (
        "certificate-id",
        lambda: (_answer(subject=_certificate_id(called="sha1")), ORDER),
    ),
    ("single-response", lambda: (_answer(times=2), ORDER)),
    ("status", lambda: (_answer(status=b"\x80\x00"), ORDER)),
    ("status", lambda: (_answer(), GOOD_ORDER)),
    ("status", lambda: (_answer(status=b"\x82\x00"), ORDER)),
    ("status", lambda: (_answer(status=_status(reason=1)), ORDER)),
    ("status", lambda: (_answer(status=_status(reason=None)), ORDER)),
    ("status", lambda: (_answer(status=_status(at=AT)), ORDER)),
    ("status", lambda: (_answer(), replace(ORDER, revoked=replace(REVOKED, serial=new_serial())))),
    (
        "status",
        lambda: (_answer(status=_status(at=AT + SECOND)), replace(ORDER, revoked=replace(REVOKED, at=AT + SECOND))),
    ),
    ("this-update", lambda: (_answer(begins=AT - SECOND), ORDER)),
    ("next-update", lambda: (_answer(ends=None), ORDER)),
    ("next-update", lambda: (_answer(ends=AT + DAY), ORDER)),
    ("next-update", lambda: (_answer(ends=AT), _times(AT, AT))),
    ("too-long", lambda: (_answer(ends=AT + LONGEST_ANSWER + SECOND), _times(AT, AT + LONGEST_ANSWER + SECOND))),
    ("produced-at", lambda: (_answer(produced=AT - SECOND), ORDER)),
    ("produced-at", lambda: (_answer(produced=AT + SECOND), ORDER)),
    ("extension-unexpected", lambda: (_answer(extensions=_nonce(32)), ORDER)),
    ("extension-unexpected", lambda: (_answer(extensions=_nonce(200)), ORDER)),
    ("extension-unexpected", lambda: (_answer(single_extensions=_extension("1.2.3.4", b"\x05\x00")), ORDER)),
]


@pytest.mark.parametrize(("code", "plant"), PLANTED, ids=[code for code, _ in PLANTED])
def test_a_planted_defect_is_found_by_its_own_rule_and_no_other(
    code: str, plant: Callable[[], tuple[OcspDraft, OcspOrder]]
) -> None:
    assert own_codes(clear_ocsp(*plant())) == {f"ocsp.{code}"}


def test_each_rule_has_a_planted_defect() -> None:
    assert {f"ocsp.{code}" for code, _ in PLANTED} == {rule.code for rule in OCSP_RULES}


def test_the_linter_misses_what_our_own_rules_are_for() -> None:
    for missed in (
        _answer(ends=None),
        _answer(ends=AT + timedelta(days=6)),
        _answer(produced=AT - SECOND),
        _answer(extensions=_nonce(200)),
    ):
        assert pkix.lint_ocsp(missed.preview) == ()


def test_two_writers_agree_on_the_bytes() -> None:
    assert _answer().tbs == ocsp.draft(ORDER).tbs


@pytest.mark.parametrize("hash_name", ["sha1", "sha256"])
@pytest.mark.parametrize("reason", [None, *RevocationReason])
def test_what_the_builder_makes_is_cleared_for_exactly_its_bytes(
    hash_name: HashName, reason: RevocationReason | None
) -> None:
    revoked = None if reason is None else replace(REVOKED, reason=reason)
    order = replace(ORDER, hash_name=hash_name, revoked=revoked)
    draft = ocsp.draft(order)
    assert clear_ocsp(draft, order) == Clearance(ClearanceKind.OCSP, draft.digest)


def test_what_cannot_be_read_is_a_finding_and_never_an_exception() -> None:
    for preview in (b"", b"\x30\x00", _answer().preview[:-1], ocsp.TRY_LATER):
        assert own_codes(clear_ocsp(_shown(_answer(), preview), ORDER)) == {"profile.unreadable"}
    for version in (0, 1):  # the default written out, and a version that there is not
        draft = _answer(version=der.tlv(0xA0, der.integer(version)))
        assert own_codes(clear_ocsp(draft, ORDER)) == {"profile.unreadable"}
    assert own_codes(clear_ocsp(_answer(times=0), ORDER)) == {"profile.unreadable"}

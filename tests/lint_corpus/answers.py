"""OCSP answers: for each rule defects that no other rule of ours finds, and what is sound."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from ca.draft import Draft
from ca.revocation import ocsp
from ca.revocation.ocsp import OcspOrder
from core.approval import RevocationReason
from core.mirror import HashName
from core.status import Revoked
from policy import der
from policy.expected import key_hash
from policy.ocsp_rules import LONGEST_ANSWER
from tests.lint_corpus.writing import Case, Written, of_answer, of_ocsp_order
from tests.profile_world import (
    AT,
    DAY,
    ISSUING,
    RESPONDER,
    ROOT,
    SECOND,
    a_responder,
    an_issuing,
    rebuilt,
    serial,
    signature,
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
SOUND: Written = of_ocsp_order(ORDER)

_HASHES: dict[HashName, str] = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1"}
_NONCE = "1.3.6.1.5.5.7.48.1.2"
_SHA256, _SHA384 = "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3"
_GOOD, _UNKNOWN = b"\x80\x00", b"\x82\x00"


def _oid(dotted: str) -> bytes:
    return der.oid(x509.ObjectIdentifier(dotted))


def _spki(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _certificate_id(
    name: HashName = "sha256", number: str = CERTIFICATE.serial, *, called: str = "", null: bytes = b""
) -> bytes:
    subject = hashlib.new(name, CA.subject.public_bytes()).digest()
    return der.sequence(
        der.sequence(_oid(called or _HASHES[name]), null),
        der.octets(subject),
        der.octets(key_hash(_spki(CA), name)),
        der.integer(int(number, 16)),
    )


def _status(at: datetime = REVOKED.at, reason: int | None = 9) -> bytes:
    reasons = b"" if reason is None else der.tlv(0xA0, bytes([0x0A, 1, reason]))
    return der.tlv(0xA1, der.generalized_time(at) + reasons)


def _extension(oid: str, value: bytes) -> bytes:
    return der.sequence(der.extension(x509.ObjectIdentifier(oid), value, critical=False))


def _nonce(octets: int) -> bytes:
    return _extension(_NONCE, der.octets(bytes(octets)))


def to_be_signed(  # one knob for each field of an answer
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
) -> bytes:
    single = der.sequence(
        _certificate_id() if subject is None else subject,
        _status() if status is None else status,
        der.generalized_time(begins),
        b"" if ends is None else der.tlv(0xA0, der.generalized_time(ends)),
        der.tlv(0xA1, single_extensions) if single_extensions else b"",
    )
    by_key = der.tlv(0xA2, der.octets(key_hash(_spki(ANSWERS), "sha1")))
    return der.sequence(
        version,
        by_key if responder is None else responder,
        der.generalized_time(produced),
        der.sequence(*[single] * times),
        der.tlv(0xA1, extensions) if extensions else b"",
    )


def _response(
    tbs: bytes, *certificates: bytes, algorithm: str = _SHA256, digest: hashes.HashAlgorithm | None = None
) -> bytes:
    basic = der.sequence(
        tbs,
        der.sequence(_oid(algorithm)),
        signature(tbs, algorithm=digest),
        der.tlv(0xA0, der.sequence(*certificates)) if certificates else b"",
    )
    response = der.sequence(_oid("1.3.6.1.5.5.7.48.1.1"), der.octets(basic))
    return der.sequence(b"\x0a\x01\x00", der.tlv(0xA0, response))


def cases() -> Iterator[Case]:
    for code, what, tbs, order in (*_planted(), *_responders()):
        yield _case(f"{code}: {what}", tbs, order, f"ocsp.{code}")
    yield from _missed_by_the_linter()
    yield from _shown()
    for name in _HASHES:
        for reason in (None, *RevocationReason):
            order = replace(ORDER, hash_name=name, revoked=None if reason is None else replace(REVOKED, reason=reason))
            status = "good" if reason is None else reason.name.replace("_", " ").lower()
            yield _case(f"clean: {status}, {name}", ocsp.draft(order).tbs, order)
    for what, tbs in (
        ("the default version written out", to_be_signed(version=der.tlv(0xA0, der.integer(0)))),
        ("a version that there is not", to_be_signed(version=der.tlv(0xA0, der.integer(1)))),
        ("about no certificate", to_be_signed(times=0)),
    ):
        yield _case(f"unreadable: {what}", tbs, ORDER, "profile.unreadable")


def _case(what: str, tbs: bytes, order: OcspOrder, *expect: str) -> Case:
    return Case(what, expect, {**of_ocsp_order(order), **of_answer(_response(tbs, order.responder_der), tbs)})


def _shown() -> Iterator[Case]:
    """Answers whose preview is another one's, or is dressed or signed in another way; of some nothing can be read."""
    tbs, ordered = to_be_signed(), of_ocsp_order(ORDER)
    good = _response(tbs, RESPONDER.preview)

    def shown(what: str, code: str, preview: bytes, tbs: bytes = tbs) -> Case:
        return Case(what, (code,), {**ordered, **of_answer(preview, tbs)})

    yield shown("draft: the preview shows other bytes", "ocsp.draft", good, to_be_signed(status=_GOOD))
    other = {**ordered, **of_answer(good, tbs), "draft-serial": (serial("other"),)}
    yield Case("draft: it goes by another serial", ("ocsp.draft",), other)
    under = _response(tbs, RESPONDER.preview, algorithm=_SHA384, digest=hashes.SHA384())
    yield shown("signature-algorithm: SHA-384", "ocsp.signature-algorithm", under)
    for what, certificates in (
        ("none", ()),
        ("the issuing CA's beside it", (RESPONDER.preview, ISSUING.preview)),
        ("the issuing CA's", (ISSUING.preview,)),
    ):
        dressed = _response(tbs, *certificates)
        yield shown(f"responder-certificate: {what}", "ocsp.responder-certificate", dressed)
    for what, preview in (
        ("nothing", b""),
        ("empty SEQUENCE", b"\x30\x00"),
        ("cut off", good[:-1]),
        ("try later", ocsp.TRY_LATER),
    ):
        yield shown(f"unreadable: {what}", "profile.unreadable", preview)


def _missed_by_the_linter() -> Iterator[Case]:
    """What our own rules are for: pkilint has nothing against these."""
    for code, what, tbs in (
        ("next-update", "none", to_be_signed(ends=None)),
        ("next-update", "six days", to_be_signed(ends=AT + timedelta(days=6))),
        ("produced-at", "a second early", to_be_signed(produced=AT - SECOND)),
        ("extension-unexpected", "nonce of 200 octets", to_be_signed(extensions=_nonce(200))),
    ):
        yield replace(_case(f"{code}: {what}", tbs, ORDER, f"ocsp.{code}"), linter=())


def _again(**knobs: Any) -> Draft:
    return rebuilt(RESPONDER, signer="issuing", **knobs)


def _responders() -> Iterator[tuple[str, str, bytes, OcspOrder]]:
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    for code, what, responder in (
        (
            "responder-delegated",
            "by another CA",
            a_responder(an_issuing(ROOT, key="issuing 2", number=2), signer="issuing 2"),
        ),
        ("responder-delegated", "signed by another key", a_responder(ISSUING, signer="throwaway")),
        ("responder-delegated", "for no answers", _again(extensions={usage.oid: (usage, False)})),
        ("responder-outlived", "ends before it", _again(ends=AT + LONGEST_ANSWER - SECOND)),
        ("responder-outlived", "begins after it", _again(begins=AT + SECOND)),
    ):
        order = replace(ORDER, responder_der=responder.preview)
        yield code, what, ocsp.draft(order).tbs, order


def _planted() -> Iterator[tuple[str, str, bytes, OcspOrder]]:
    good, too_long, late = to_be_signed(), AT + LONGEST_ANSWER + SECOND, AT + SECOND
    by_name = der.tlv(0xA1, ANSWERS.subject.public_bytes())
    other_key = der.tlv(0xA2, der.octets(bytes(20)))
    other_subject = _certificate_id(number=serial("other"))
    others = replace(ORDER, revoked=replace(REVOKED, serial=serial("other")))
    yield from (
        ("responder-id", "by name", to_be_signed(responder=by_name), ORDER),
        ("responder-id", "another key", to_be_signed(responder=other_key), ORDER),
        ("certificate-id", "another hash", to_be_signed(subject=_certificate_id("sha1")), ORDER),
        ("certificate-id", "another serial", to_be_signed(subject=other_subject), ORDER),
        (
            "certificate-id",
            "a hash that goes by another's name",
            to_be_signed(subject=_certificate_id(called=_HASHES["sha1"])),
            ORDER,
        ),
        ("encoding", "NULL after the hash", to_be_signed(subject=_certificate_id(null=b"\x05\x00")), ORDER),
        ("single-response", "two", to_be_signed(times=2), ORDER),
        ("status", "good", to_be_signed(status=_GOOD), ORDER),
        ("status", "revoked and ordered good", good, replace(ORDER, revoked=None)),
        ("status", "unknown", to_be_signed(status=_UNKNOWN), ORDER),
        ("status", "another reason", to_be_signed(status=_status(reason=1)), ORDER),
        ("status", "no reason", to_be_signed(status=_status(reason=None)), ORDER),
        ("status", "another instant", to_be_signed(status=_status(at=AT)), ORDER),
        ("status", "the revocation of another certificate", good, others),
        (
            "status",
            "in the future",
            to_be_signed(status=_status(at=late)),
            replace(ORDER, revoked=replace(REVOKED, at=late)),
        ),
        ("this-update", "a second early", to_be_signed(begins=AT - SECOND), ORDER),
        ("next-update", "not the one ordered", to_be_signed(ends=AT + DAY), ORDER),
        ("next-update", "not after thisUpdate", to_be_signed(ends=AT), replace(ORDER, next_update=AT)),
        ("too-long", "by a second", to_be_signed(ends=too_long), replace(ORDER, next_update=too_long)),
        ("produced-at", "a second late", to_be_signed(produced=late), ORDER),
        ("extension-unexpected", "nonce", to_be_signed(extensions=_nonce(32)), ORDER),
        (
            "extension-unexpected",
            "of the single answer",
            to_be_signed(single_extensions=_extension("1.2.3.4", b"\x05\x00")),
            ORDER,
        ),
    )

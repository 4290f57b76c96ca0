"""CRLs: for each rule defects that no other rule of ours finds, and what is sound."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import SignatureAlgorithmOID

from ca.revocation import crl
from ca.revocation.crl import CrlOrder
from core.approval import RevocationReason
from core.identifiers import serial_of
from core.status import Revoked
from policy import der
from tests.lint_corpus.writing import Case, Written, of_crl, of_crl_order
from tests.profile_world import AT, DAY, ISSUING, PROFILE, ROOT, SECOND, signature, signed

CA = x509.load_der_x509_certificate(ISSUING.preview)
KEY_ID = CA.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
FIRST, SECOND_ONE = serial_of(1 << 126), serial_of((1 << 126) + 5)
ENTRIES = (
    Revoked(FIRST, AT - DAY, RevocationReason.KEY_COMPROMISE, AT - 2 * DAY),
    Revoked(SECOND_ONE, AT, RevocationReason.CESSATION_OF_OPERATION),
)
ORDER = CrlOrder(
    issuer_der=ISSUING.preview,
    number=7,
    this_update=AT,
    next_update=AT + 2 * DAY,
    expired_certs_on_crl=CA.not_valid_before_utc,
    entries=ENTRIES,
)
ROOT_ORDER = replace(ORDER, issuer_der=ROOT.preview, expired_certs_on_crl=None, next_update=AT + 365 * DAY)
SOUND: Written = of_crl_order(ORDER)

ALGORITHM = der.sequence(der.oid(SignatureAlgorithmOID.ECDSA_WITH_SHA256))
SHA384 = der.sequence(der.oid(SignatureAlgorithmOID.ECDSA_WITH_SHA384))
AKI, NUMBER, IDP, EXPIRED = "2.5.29.35", "2.5.29.20", "2.5.29.28", "2.5.29.60"
Extensions = dict[str, tuple[bytes, bool]]


POINT = der.sequence(der.tlv(0xA0, der.tlv(0xA0, der.tlv(0x86, PROFILE.crl_url(KEY_ID.hex()).encode()))))
"""IssuingDistributionPoint as lists of an earlier release have it, critical."""

GOOD_EXTENSIONS: Extensions = {
    AKI: (der.sequence(der.tlv(0x80, KEY_ID)), False),
    NUMBER: (der.integer(7), False),
    EXPIRED: (der.generalized_time(CA.not_valid_before_utc), False),
}


def _extensions(values: Extensions) -> bytes:
    each = (
        der.extension(x509.ObjectIdentifier(oid), value, critical=critical) for oid, (value, critical) in values.items()
    )
    return der.sequence(*each)


def entry(serial: str = FIRST, at: datetime = AT, reason: int | None = 4, more: Extensions | None = None) -> bytes:
    values = {} if reason is None else {"2.5.29.21": (bytes([0x0A, 1, reason]), False)}
    values |= more or {}
    parts = (_extensions(values),) if values else ()
    return der.sequence(der.integer(int(serial, 16)), der.time(at), *parts)


GENERALIZED = der.sequence(
    der.integer(int(FIRST, 16)),
    der.generalized_time(AT),
    der.sequence(der.extension(x509.CRLReason.oid, b"\x0a\x01\x04", critical=False)),
)
"""An entry whose date is of the wrong kind: UTCTime goes through 2049 (RFC 5280, 5.1.2.6)."""

GOOD_ENTRIES = (
    entry(at=AT - DAY, reason=1, more={"2.5.29.24": (der.generalized_time(AT - 2 * DAY), False)}),
    entry(SECOND_ONE, reason=5),
)


def to_be_signed(  # one knob for each field of a list
    *,
    version: bytes = der.integer(1),
    algorithm: bytes = ALGORITHM,
    issuer: bytes = CA.subject.public_bytes(),
    begins: datetime = AT,
    ends: datetime | None = AT + 2 * DAY,
    entries: tuple[bytes, ...] = GOOD_ENTRIES,
    listed: bytes | None = None,
    extensions: Extensions | None = None,
    without: str = "",
) -> bytes:
    present = {oid: value for oid, value in (GOOD_EXTENSIONS | (extensions or {})).items() if oid != without}
    return der.sequence(
        version,
        algorithm,
        issuer,
        der.time(begins),
        b"" if ends is None else der.time(ends),
        (der.sequence(*entries) if entries else b"") if listed is None else listed,
        der.tlv(0xA0, _extensions(present)),
    )


def _flipped(oid: str) -> bytes:
    value, critical = GOOD_EXTENSIONS[oid]
    return to_be_signed(extensions={oid: (value, not critical)})


def _saying(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    return to_be_signed(extensions={oid: (value, critical)})


def _holding(*entries: bytes) -> bytes:
    return to_be_signed(entries=entries)


def cases() -> Iterator[Case]:
    for code, what, tbs, order in _planted():
        yield _case(f"{code}: {what}", signed(tbs), order, f"crl.{code}")
    yield from _drafts()
    for what, order in _sound():
        yield _case(f"clean: {what}", signed(crl.draft(order).tbs), order)
    for what, tbs in (("nothing", b""), ("empty SEQUENCE", b"\x30\x00"), ("cut off", to_be_signed()[:-1])):
        yield _case(f"unreadable: {what}", signed(tbs), ORDER, "profile.unreadable")


def _case(what: str, preview: bytes, order: CrlOrder, *expect: str) -> Case:
    return Case(what, expect, {**of_crl_order(order), **of_crl(preview)})


def _drafts() -> Iterator[Case]:
    """Drafts that do not go by what they hold, and a list under another algorithm than ours."""
    good, ordered = signed(to_be_signed()), of_crl_order(ORDER)
    shown = of_crl(good, to_be_signed(entries=()))
    yield Case("draft: the preview shows other bytes", ("crl.draft",), {**ordered, **shown})
    yield Case("draft: it goes by another number", ("crl.draft",), {**ordered, **of_crl(good, number=8)})
    yield Case("draft: it counts another entry", ("crl.draft",), {**ordered, **of_crl(good, entries=3)})
    tbs = to_be_signed(algorithm=SHA384)
    preview = der.sequence(tbs, SHA384, signature(tbs, algorithm=hashes.SHA384()))
    yield _case("signature-algorithm: SHA-384", preview, ORDER, "crl.signature-algorithm")
    unused = der.sequence(to_be_signed(), ALGORITHM, der.tlv(0x03, b"\x01" + signature(to_be_signed())[3:]))
    yield _case("encoding: bits that the signature does not use", unused, ORDER, "crl.encoding")


def _planted() -> Iterator[tuple[str, str, bytes, CrlOrder]]:
    good, other_identifier = to_be_signed(), der.sequence(der.tlv(0x80, bytes(8)))
    at, null = der.generalized_time(AT), b"\x05\x00"
    root_keeps = replace(ROOT_ORDER, expired_certs_on_crl=CA.not_valid_before_utc)
    yield from (
        ("version", "none", to_be_signed(version=b""), ORDER),
        ("issuer", "the root", to_be_signed(issuer=CA.issuer.public_bytes()), ORDER),
        ("this-update", "not the one ordered", good, replace(ORDER, this_update=AT + SECOND)),
        ("next-update", "none", to_be_signed(ends=None), ORDER),
        ("next-update", "not the one ordered", to_be_signed(ends=AT + DAY), ORDER),
        ("next-update", "not after thisUpdate", to_be_signed(ends=AT), replace(ORDER, next_update=AT)),
        ("authority-key-identifier", "missing", to_be_signed(without=AKI), ORDER),
        ("authority-key-identifier", "critical", _flipped(AKI), ORDER),
        ("authority-key-identifier", "another value", _saying(AKI, other_identifier), ORDER),
        ("number", "missing", to_be_signed(without=NUMBER), ORDER),
        ("number", "critical", _flipped(NUMBER), ORDER),
        ("number", "another value", _saying(NUMBER, der.integer(6)), ORDER),
        ("number", "0", _saying(NUMBER, der.integer(0)), replace(ORDER, number=0)),
        ("expired-certs-on-crl", "missing", to_be_signed(without=EXPIRED), ORDER),
        (
            "expired-certs-on-crl",
            "not ordered",
            to_be_signed(without=EXPIRED),
            replace(ORDER, expired_certs_on_crl=None),
        ),
        ("expired-certs-on-crl", "critical", _flipped(EXPIRED), ORDER),
        ("expired-certs-on-crl", "another value", _saying(EXPIRED, at), ORDER),
        (
            "expired-certs-on-crl",
            "not since the CA began",
            _saying(EXPIRED, at),
            replace(ORDER, expired_certs_on_crl=AT),
        ),
        ("expired-certs-on-crl", "on the root's list", crl.draft(root_keeps).tbs, ROOT_ORDER),
        ("extension-unexpected", "1.2.3.4", _saying("1.2.3.4", null), ORDER),
        ("extension-unexpected", "issuingDistributionPoint", _saying(IDP, POINT, critical=True), ORDER),
        ("entry-order", "backwards", _holding(*GOOD_ENTRIES[::-1]), ORDER),
        ("entry-order", "twice", _holding(entry(), entry()), ORDER),
        ("entry-date", "in the future", _holding(entry(at=AT + SECOND)), ORDER),
        ("entry-reason", "none", _holding(entry(reason=None)), ORDER),
        *(("entry-reason", f"{reason}", _holding(entry(reason=reason)), ORDER) for reason in (0, 2, 3, 6, 8, 10)),
        ("entry-extension", "1.2.3.4", _holding(entry(more={"1.2.3.4": (null, False)})), ORDER),
        ("encoding", "an empty list that stands there", to_be_signed(listed=der.sequence()), ORDER),
        ("encoding", "GeneralizedTime before 2050", _holding(GENERALIZED), ORDER),
        ("entry-extension", "invalidityDate critical", _holding(entry(more={"2.5.29.24": (at, True)})), ORDER),
    )


def _sound() -> Iterator[tuple[str, CrlOrder]]:
    each = (Revoked(serial_of(int(FIRST, 16) + reason), AT, reason) for reason in RevocationReason)
    yield "the sound order", ORDER
    yield "the root's list", ROOT_ORDER
    yield "an empty list", replace(ORDER, entries=())
    yield "the root's list, empty", replace(ROOT_ORDER, entries=())
    yield "each reason", replace(ORDER, entries=tuple(sorted(each, key=lambda entry: entry.serial)))

"""The lint of a CRL: for each rule a planted defect that no other rule of ours finds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import SignatureAlgorithmOID

from ca.clearance import Clearance, ClearanceKind
from ca.revocation import crl
from ca.revocation.crl import CrlDraft, CrlOrder
from core.approval import RevocationReason
from core.identifiers import serial_number, serial_of
from core.status import Revoked
from policy import der
from policy.crl_rules import ENTRY_RULES, STRUCTURE_RULES
from policy.profile import LONGEST_LINTED_CRL, clear_crl
from tests.profile_world import AT, DAY, ISSUING, PROFILE, ROOT, SECOND, THROWAWAY, own_codes

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
    distribution_point=PROFILE.crl_url(KEY_ID.hex()),
    expired_certs_on_crl=CA.not_valid_before_utc,
    entries=ENTRIES,
)
ROOT_ORDER = replace(
    ORDER, issuer_der=ROOT.preview, distribution_point=None, expired_certs_on_crl=None, next_update=AT + 365 * DAY
)
ALGORITHM = der.sequence(der.oid(SignatureAlgorithmOID.ECDSA_WITH_SHA256))
SHA384 = der.sequence(der.oid(SignatureAlgorithmOID.ECDSA_WITH_SHA384))
AKI, NUMBER, IDP, EXPIRED = "2.5.29.35", "2.5.29.20", "2.5.29.28", "2.5.29.60"
NAME = der.tlv(0x86, str(ORDER.distribution_point).encode())
GOOD_EXTENSIONS: dict[str, tuple[bytes, bool]] = {
    AKI: (der.sequence(der.tlv(0x80, KEY_ID)), False),
    NUMBER: (der.integer(7), False),
    IDP: (der.sequence(der.tlv(0xA0, der.tlv(0xA0, NAME))), True),
    EXPIRED: (der.generalized_time(CA.not_valid_before_utc), False),
}


def _extensions(values: dict[str, tuple[bytes, bool]]) -> bytes:
    each = (
        der.extension(x509.ObjectIdentifier(oid), value, critical=critical) for oid, (value, critical) in values.items()
    )
    return der.sequence(*each)


def _entry(
    serial: str = FIRST,
    at: datetime = AT,
    reason: int | None = 4,
    more: dict[str, tuple[bytes, bool]] | None = None,
) -> bytes:
    values = {} if reason is None else {"2.5.29.21": (bytes([0x0A, 1, reason]), False)}
    values |= more or {}
    parts = (_extensions(values),) if values else ()
    return der.sequence(der.integer(int(serial, 16)), der.time(at), *parts)


GOOD_ENTRIES = (
    _entry(at=AT - DAY, reason=1, more={"2.5.29.24": (der.generalized_time(AT - 2 * DAY), False)}),
    _entry(SECOND_ONE, reason=5),
)


def _list(  # one knob for each field of a list
    *,
    version: bytes = der.integer(1),
    algorithm: bytes = ALGORITHM,
    issuer: bytes = CA.subject.public_bytes(),
    begins: datetime = AT,
    ends: datetime | None = AT + 2 * DAY,
    entries: tuple[bytes, ...] = GOOD_ENTRIES,
    extensions: dict[str, tuple[bytes, bool]] | None = None,
    count: int | None = None,
    number: int = 7,
) -> CrlDraft:
    tbs = der.sequence(
        version,
        algorithm,
        issuer,
        der.time(begins),
        b"" if ends is None else der.time(ends),
        der.sequence(*entries) if entries else b"",
        der.tlv(0xA0, _extensions(GOOD_EXTENSIONS | (extensions or {}))),
    )
    real = crl.draft(ORDER)
    return CrlDraft(number, len(entries) if count is None else count, tbs, real.issuer_key, real.issuer_name)


def _without(oid: str) -> CrlDraft:
    kept = {name: value for name, value in GOOD_EXTENSIONS.items() if name != oid}
    good, less = _extensions(GOOD_EXTENSIONS), _extensions(kept)
    content = _list().tbs[4:].replace(der.tlv(0xA0, good), der.tlv(0xA0, less))
    return replace(_list(), tbs=der.sequence(content))


def _flipped(oid: str) -> CrlDraft:
    value, critical = GOOD_EXTENSIONS[oid]
    return _list(extensions={oid: (value, not critical)})


class _OtherPreview(CrlDraft):
    """A draft whose preview is not made by the builder."""

    shown: bytes

    @property
    def preview(self) -> bytes:
        return self.shown


def _shown(draft: CrlDraft, preview: bytes, count: int = 2) -> CrlDraft:
    other = _OtherPreview(draft.number, count, draft.tbs, draft.issuer_key, draft.issuer_name)
    object.__setattr__(other, "shown", preview)
    return other


def _under_sha384() -> CrlDraft:
    draft = _list(algorithm=SHA384)
    signature = THROWAWAY.sign(draft.tbs, ec.ECDSA(hashes.SHA384()))
    return _shown(draft, der.sequence(draft.tbs, SHA384, der.tlv(0x03, b"\x00" + signature)))


OTHER_URL = der.sequence(der.tlv(0xA0, der.tlv(0xA0, der.tlv(0x86, b"http://127.0.0.1:8470/crl/00.crl"))))
PLANTED: list[tuple[str, Callable[[], tuple[CrlDraft, CrlOrder]]]] = [
    ("draft", lambda: (_shown(_list(entries=()), _list().preview), ORDER)),
    ("draft", lambda: (_list(number=8), ORDER)),
    ("draft", lambda: (_list(count=3), ORDER)),
    ("version", lambda: (_list(version=b""), ORDER)),
    ("signature-algorithm", lambda: (_under_sha384(), ORDER)),
    ("issuer", lambda: (_list(issuer=CA.issuer.public_bytes()), ORDER)),
    ("this-update", lambda: (_list(), replace(ORDER, this_update=AT + SECOND))),
    ("next-update", lambda: (_list(ends=None), ORDER)),
    ("next-update", lambda: (_list(ends=AT + DAY), ORDER)),
    ("next-update", lambda: (_list(ends=AT), replace(ORDER, next_update=AT))),
    ("authority-key-identifier", lambda: (_without(AKI), ORDER)),
    ("authority-key-identifier", lambda: (_flipped(AKI), ORDER)),
    (
        "authority-key-identifier",
        lambda: (_list(extensions={AKI: (der.sequence(der.tlv(0x80, bytes(8))), False)}), ORDER),
    ),
    ("number", lambda: (_without(NUMBER), ORDER)),
    ("number", lambda: (_flipped(NUMBER), ORDER)),
    ("number", lambda: (_list(extensions={NUMBER: (der.integer(6), False)}), ORDER)),
    (
        "number",
        lambda: (_list(extensions={NUMBER: (der.integer(0), False)}, number=0), replace(ORDER, number=0)),
    ),
    ("issuing-distribution-point", lambda: (_without(IDP), ORDER)),
    ("issuing-distribution-point", lambda: (_flipped(IDP), ORDER)),
    ("issuing-distribution-point", lambda: (_list(extensions={IDP: (OTHER_URL, True)}), ORDER)),
    (
        "issuing-distribution-point",
        lambda: (
            _list(extensions={IDP: (OTHER_URL, True)}),
            replace(ORDER, distribution_point="http://127.0.0.1:8470/crl/00.crl"),
        ),
    ),
    ("expired-certs-on-crl", lambda: (_without(EXPIRED), ORDER)),
    ("expired-certs-on-crl", lambda: (_without(EXPIRED), replace(ORDER, expired_certs_on_crl=None))),
    ("expired-certs-on-crl", lambda: (_flipped(EXPIRED), ORDER)),
    ("expired-certs-on-crl", lambda: (_list(extensions={EXPIRED: (der.generalized_time(AT), False)}), ORDER)),
    (
        "expired-certs-on-crl",
        lambda: (
            _list(extensions={EXPIRED: (der.generalized_time(AT), False)}),
            replace(ORDER, expired_certs_on_crl=AT),
        ),
    ),
    ("extension-unexpected", lambda: (_list(extensions={"1.2.3.4": (b"\x05\x00", False)}), ORDER)),
    ("entry-order", lambda: (_list(entries=(GOOD_ENTRIES[1], GOOD_ENTRIES[0])), ORDER)),
    ("entry-order", lambda: (_list(entries=(_entry(), _entry())), ORDER)),
    ("entry-date", lambda: (_list(entries=(_entry(at=AT + SECOND),)), ORDER)),
    ("entry-reason", lambda: (_list(entries=(_entry(reason=None),)), ORDER)),
    *(
        ("entry-reason", lambda reason=reason: (_list(entries=(_entry(reason=reason),)), ORDER))
        for reason in (0, 2, 3, 6, 8, 10)
    ),
    (
        "entry-extension",
        lambda: (_list(entries=(_entry(more={"1.2.3.4": (b"\x05\x00", False)}),)), ORDER),
    ),
    (
        "entry-extension",
        lambda: (_list(entries=(_entry(more={"2.5.29.24": (der.generalized_time(AT), True)}),)), ORDER),
    ),
]


@pytest.mark.clause("F2.31")
@pytest.mark.parametrize(("code", "plant"), PLANTED, ids=[code for code, _ in PLANTED])
def test_a_planted_defect_is_found_by_its_own_rule_and_no_other(
    code: str, plant: Callable[[], tuple[CrlDraft, CrlOrder]]
) -> None:
    assert own_codes(clear_crl(*plant())) == {f"crl.{code}"}


def test_each_rule_has_a_planted_defect() -> None:
    planted = {f"crl.{code}" for code, _ in PLANTED}
    assert planted == {rule.code for rule in (*STRUCTURE_RULES, *ENTRY_RULES)}


def test_two_writers_agree_on_the_bytes() -> None:
    assert _list().tbs == crl.draft(ORDER).tbs


@pytest.mark.parametrize("order", [ORDER, ROOT_ORDER, replace(ORDER, entries=()), replace(ROOT_ORDER, entries=())])
def test_what_the_builder_makes_is_cleared_for_exactly_its_bytes(order: CrlOrder) -> None:
    draft = crl.draft(order)
    assert clear_crl(draft, order) == Clearance(ClearanceKind.CRL, draft.digest)


def test_the_list_of_the_root_has_no_issuing_distribution_point() -> None:
    draft = crl.draft(replace(ROOT_ORDER, distribution_point=ORDER.distribution_point))
    assert own_codes(clear_crl(draft, ROOT_ORDER)) == {"crl.issuing-distribution-point"}
    draft = crl.draft(replace(ROOT_ORDER, expired_certs_on_crl=CA.not_valid_before_utc))
    assert own_codes(clear_crl(draft, ROOT_ORDER)) == {"crl.expired-certs-on-crl"}


def test_every_entry_of_a_list_at_the_limit_is_looked_at_and_a_longer_list_by_its_structure() -> None:
    def entries(number: int) -> tuple[Revoked, ...]:
        return tuple(
            Revoked(serial_of(serial_number(FIRST) + place), AT, RevocationReason.SUPERSEDED) for place in range(number)
        )

    for number in (LONGEST_LINTED_CRL, LONGEST_LINTED_CRL + 1):
        order = replace(ORDER, entries=entries(number))
        assert isinstance(clear_crl(crl.draft(order), order), Clearance)
    late = (*entries(LONGEST_LINTED_CRL - 1), Revoked(serial_of(1 << 126 | 1 << 125), AT + DAY, ENTRIES[0].reason))
    order = replace(ORDER, entries=late)
    assert own_codes(clear_crl(crl.draft(order), order)) == {"crl.entry-date"}
    order = replace(ORDER, entries=entries(LONGEST_LINTED_CRL + 1))
    draft = crl.draft(order)
    assert own_codes(clear_crl(draft, replace(order, next_update=AT + timedelta(days=3)))) == {"crl.next-update"}


def test_what_cannot_be_read_is_a_finding_and_never_an_exception() -> None:
    for tbs in (b"", b"\x30\x00", _list().tbs[:-1]):
        assert own_codes(clear_crl(replace(_list(), tbs=tbs), ORDER)) == {"profile.unreadable"}

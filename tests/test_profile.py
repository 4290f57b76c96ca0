"""The lint before every signature: for each rule a planted defect that no other rule of ours finds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import (
    ExtensionOID,
    NameOID,
)

from ca.clearance import Clearance, ClearanceKind
from ca.draft import Draft
from ca.hierarchy import issuing_draft, root_draft
from ca.issuer import build
from ca.issuer.order import Order
from core.approval import Device, Firmware
from core.errors import Severity
from core.identifiers import new_serial, serial_of
from core.kinds import HierarchyRole
from policy import der, pkix
from policy.certificate_rules import TRIAL_RULES
from policy.expected import key_identifier, trial_device_approval
from policy.profile import clear_certificate, clear_hierarchy
from tests.profile_world import (
    APPROVAL_OID,
    AT,
    DAY,
    GOOD,
    ISSUING,
    ISSUING_ENDS,
    ORDER,
    OTHER_VALUES,
    PROFILE,
    ROOT,
    SECOND,
    Extension,
    a_name,
    changed_order,
    draft_of,
    fresh_key,
    octets_replaced,
    own_codes,
    rebuilt,
)


def _built(order: Order) -> tuple[Draft, Order]:
    return build.draft(PROFILE, order), order


def _say_approval(order: Order) -> tuple[Draft, Order]:
    """A certificate whose extension says what the order says, where the builder would refuse to."""
    value = x509.UnrecognizedExtension(APPROVAL_OID, trial_device_approval(order))
    return rebuilt(GOOD, extensions={APPROVAL_OID: (value, False)}), order


def _other_key(curve: ec.EllipticCurve) -> tuple[Draft, Order]:
    key = fresh_key(curve)
    own = x509.SubjectKeyIdentifier(key_identifier(key))
    draft = rebuilt(GOOD, key=key, extensions={ExtensionOID.SUBJECT_KEY_IDENTIFIER: (own, False)})
    return draft, changed_order(public_key=key)


def _without_version() -> Draft:
    return draft_of(der.sequence(GOOD.tbs[4:].removeprefix(bytes.fromhex("a003020102"))), GOOD.serial)


def _ends_before_it_begins() -> tuple[Draft, Order]:
    start = datetime(2027, 7, 1, tzinfo=UTC)
    return octets_replaced(b"270104000000Z", b"270701000000Z"), changed_order(start=start, not_before=start)


NAMES = ((NameOID.ORGANIZATION_NAME, "Maker Ltd"), (NameOID.COMMON_NAME, "AB01 010A030B 01"))
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
PLANTED: list[tuple[str, Callable[[], tuple[Draft, Order]]]] = [
    ("draft", lambda: (Draft(ORDER.serial, ROOT.tbs, GOOD.preview), ORDER)),
    ("draft", lambda: (Draft(new_serial(), GOOD.tbs, GOOD.preview), ORDER)),
    ("version", lambda: (_without_version(), ORDER)),
    ("serial", lambda: (GOOD, changed_order(serial=new_serial()))),
    ("serial", lambda: _built(changed_order(serial=serial_of(1)))),
    ("serial", lambda: _built(changed_order(serial=serial_of(1 << 127)))),
    ("signature-algorithm", lambda: (rebuilt(GOOD, algorithm=hashes.SHA384()), ORDER)),
    ("issuer", lambda: (rebuilt(GOOD, issuer=a_name((NameOID.COMMON_NAME, "TEST Trial CPA Root"))), ORDER)),
    ("subject", lambda: (rebuilt(GOOD, subject=a_name(*NAMES)), ORDER)),
    ("subject", lambda: (rebuilt(GOOD, subject=a_name(*NAMES, (NameOID.SERIAL_NUMBER, "TDT-2027-0043-3"))), ORDER)),
    ("subject", lambda: (GOOD, changed_order(certificate_name="Other Ltd"))),
    ("public-key", lambda: (rebuilt(GOOD, key=fresh_key()), ORDER)),
    ("public-key", lambda: _other_key(ec.SECP521R1())),
    ("public-key", lambda: _other_key(ec.SECP256K1())),
    ("encoding", lambda: (octets_replaced(b"\x17\x0d270104000000Z", b"\x18\x0f20270104000000Z"), ORDER)),
    ("outlives-issuer", lambda: _built(changed_order(expiry=ISSUING_ENDS + DAY, not_after=ISSUING_ENDS + DAY))),
    ("outlives-issuer", lambda: _built(changed_order(start=ORDER.start - DAY, not_before=ORDER.start - DAY))),
    ("extension-unexpected", lambda: (rebuilt(GOOD, extensions={UNKNOWN.oid: (UNKNOWN, False)}), ORDER)),
    ("identifier", lambda: _built(changed_order(approval="TDA-2027-0042-Y"))),
    ("identifier", lambda: _built(changed_order(approval="TDT-2027-0042-6"))),
    ("identifier", lambda: _built(changed_order(approval="TDT202700425"))),
    ("bounds", lambda: _say_approval(changed_order(issue=0))),
    ("bounds", lambda: _say_approval(changed_order(maximum_devices=0))),
    ("bounds", lambda: _say_approval(changed_order(firmware=()))),
    ("bounds", lambda: _say_approval(changed_order(proposal_digest=bytes(31)))),
    ("not-before", lambda: (rebuilt(GOOD, begins=ORDER.start + SECOND), ORDER)),
    ("not-before", lambda: _built(changed_order(not_before=ORDER.start + DAY))),
    ("not-before", lambda: _built(changed_order(issue=2, start=ORDER.start + DAY))),
    ("not-before", lambda: _built(changed_order(start=ORDER.start + SECOND, not_before=ORDER.start + SECOND))),
    ("not-before", _ends_before_it_begins),
    ("not-after", lambda: (rebuilt(GOOD, ends=ORDER.expiry - SECOND), ORDER)),
    ("not-after", lambda: (rebuilt(GOOD, ends=ORDER.expiry + SECOND), ORDER)),
    ("not-after", lambda: _built(changed_order(not_after=ORDER.expiry - DAY))),
    ("not-after", lambda: _built(changed_order(expiry=ORDER.expiry - SECOND, not_after=ORDER.expiry - SECOND))),
]


@pytest.mark.clause("F2.25")
@pytest.mark.parametrize(("code", "plant"), PLANTED, ids=[code for code, _ in PLANTED])
def test_a_planted_defect_is_found_by_its_own_rule_and_no_other(
    code: str, plant: Callable[[], tuple[Draft, Order]]
) -> None:
    assert own_codes(clear_certificate(*plant(), PROFILE)) == {f"profile.{code}"}


@pytest.mark.clause("F2.25")
@pytest.mark.parametrize("code", OTHER_VALUES)
@pytest.mark.parametrize("defect", ["missing", "critical", "value"])
def test_each_extension_is_there_as_critical_as_it_must_be_and_says_what_was_ordered(code: str, defect: str) -> None:
    other = OTHER_VALUES[code]
    present = x509.load_der_x509_certificate(GOOD.preview).extensions.get_extension_for_oid(other.oid)
    after: Extension = {
        "missing": None,
        "critical": (present.value, not present.critical),
        "value": (other, present.critical),
    }[defect]
    draft = rebuilt(GOOD, extensions={other.oid: after})
    assert own_codes(clear_certificate(draft, ORDER, PROFILE)) == {f"profile.{code}"}


def test_each_rule_has_a_planted_defect() -> None:
    planted = {f"profile.{code}" for code, _ in PLANTED} | {f"profile.{code}" for code in OTHER_VALUES}
    assert planted == {rule.code for rule in TRIAL_RULES}


DEFAULTS = {
    "critical": (bytes.fromhex("0603551d0e0404"), bytes.fromhex("0603551d0e0101000404")),
    "cA": (bytes.fromhex("04023000"), bytes.fromhex("04053003010100")),
}


@pytest.mark.parametrize("which", [*DEFAULTS, "NULL", "unique identifier"])
def test_what_readers_forgive_is_never_signed(which: str) -> None:
    """An explicit DEFAULT and NULL parameters pass every linter tried; the library refuses some of them itself."""
    if which == "NULL":
        draft = octets_replaced(
            bytes.fromhex("300a06082a8648ce3d040302"), bytes.fromhex("300c06082a8648ce3d0403020500")
        )
    elif which == "unique identifier":
        draft = octets_replaced(ORDER.public_key, ORDER.public_key + bytes.fromhex("81020055"))
    elif which == "critical":
        own = der.extension(
            ExtensionOID.SUBJECT_KEY_IDENTIFIER, der.octets(key_identifier(ORDER.public_key)), critical=False
        )
        explicit = der.sequence(own[2:7], b"\x01\x01\x00", own[7:])
        draft = octets_replaced(own, explicit)
    else:
        draft = octets_replaced(*DEFAULTS["cA"])
    codes = own_codes(clear_certificate(draft, ORDER, PROFILE))
    assert codes == {"profile.encoding" if which == "unique identifier" else "profile.unreadable"}


LEAP = datetime(2028, 2, 29, tzinfo=UTC)
SOUND = [
    ORDER,
    changed_order(public_key=fresh_key(ec.SECP384R1())),
    changed_order(device=Device("GPF", "M" * 30, "N" * 30, "H" * 30)),
    changed_order(device=Device("CHF", "M" * 30, "N" * 30, "HH")),
    changed_order(device=Device("IHD", "Ünlü", "Ø", "é"), certificate_name="Söhne & Co"),
    changed_order(certificate_name="M" * 64),
    changed_order(issue=2, not_before=datetime(2027, 3, 1, 12, 0, 1, tzinfo=UTC)),
    changed_order(issue=2, not_before=ORDER.start),
    changed_order(expiry=ORDER.start + DAY - SECOND, not_after=ORDER.start + DAY - SECOND),
    changed_order(maximum_devices=2**40, issue=300),
    changed_order(start=LEAP, not_before=LEAP, expiry=LEAP + DAY - SECOND, not_after=LEAP + DAY - SECOND),
    changed_order(firmware=tuple(Firmware(f"{number:08d}", "ab" * 32) for number in range(100))),
]


@pytest.mark.parametrize("order", SOUND, ids=range(len(SOUND)))
def test_what_the_builder_makes_of_a_sound_order_is_cleared_for_exactly_its_bytes(order: Order) -> None:
    draft = build.draft(PROFILE, order)
    assert clear_certificate(draft, order, PROFILE) == Clearance(ClearanceKind.CERTIFICATE, draft.digest)


def test_a_certificate_that_ends_with_the_calendar_is_cleared() -> None:
    born = datetime(9999, 12, 30, tzinfo=UTC)
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    root = root_draft(PROFILE, fresh_key(), new_serial(), born)
    issuing = issuing_draft(PROFILE, root.preview, fresh_key(), new_serial(), born, longest_trial=timedelta(days=730))
    assert isinstance(clear_hierarchy(root, HierarchyRole.ROOT, PROFILE, None), Clearance)
    assert isinstance(clear_hierarchy(issuing, HierarchyRole.ISSUING, PROFILE, root.preview), Clearance)
    order = changed_order(start=born, not_before=born, expiry=end, not_after=end, issuer=issuing.preview)
    assert isinstance(clear_certificate(build.draft(PROFILE, order), order, PROFILE), Clearance)


def test_what_cannot_be_read_is_a_finding_and_never_an_exception() -> None:
    for preview in (b"", b"\x30\x00", GOOD.preview[:-1], ORDER.public_key):
        codes = own_codes(clear_certificate(Draft(ORDER.serial, GOOD.tbs, preview), ORDER, PROFILE))
        assert codes == {"profile.unreadable"}
    assert own_codes(clear_certificate(GOOD, changed_order(issuer=b"no certificate"), PROFILE)) == {
        "profile.unreadable"
    }


# --- pkilint -----------------------------------------------------------------------------------------------------


def test_the_linter_speaks_at_warning_and_a_crash_of_it_is_a_finding() -> None:
    urn = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("urn:tda:TDT-2027-0042-5")])
    draft = rebuilt(GOOD, extensions={urn.oid: (urn, False)})
    assert any(finding.code.startswith("lint.") for finding in pkix.lint_certificate(draft.preview))
    assert pkix.lint_certificate(GOOD.preview) == ()
    for lint in (pkix.lint_certificate, pkix.lint_crl, pkix.lint_ocsp):
        for broken in (b"", b"\x30\x00", GOOD.preview[:-1]):
            assert {finding.severity for finding in lint(broken)} == {Severity.FATAL}
    assert [finding.code for finding in pkix.lint_chain(b"", b"")] == ["lint.crashed"]


def test_the_linter_alone_refuses_what_our_own_rules_let_pass() -> None:
    order = changed_order(issuer=ISSUING.preview)
    profile = replace(PROFILE, base_url="http://-a.example:8470")  # no linter takes this for a host
    issuing = issuing_draft(profile, ROOT.preview, fresh_key(), new_serial(), AT, longest_trial=timedelta(days=1))
    order = replace(order, issuer=issuing.preview)
    outcome = clear_certificate(build.draft(profile, order), order, profile)
    assert isinstance(outcome, tuple)
    assert {finding.code.split(".")[0] for finding in outcome} == {"lint"}


def test_the_chain_is_linted_with_and_without_its_signature() -> None:
    assert pkix.lint_chain(ISSUING.preview, GOOD.preview, signed=False) == ()
    assert {finding.code for finding in pkix.lint_chain(ISSUING.preview, GOOD.preview)} == {
        "lint.pkix.signature_verification_failed"
    }
    assert pkix.lint_chain(ROOT.preview, GOOD.preview, signed=False)

"""Trial CPA Certificates: for each rule defects that no other rule of ours finds, and what is sound."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from ca.draft import Draft
from ca.issuer import build
from ca.issuer.order import Order
from ca.profile import Profile
from core.approval import Device, Firmware
from core.identifiers import serial_of
from policy import der
from policy.expected import key_identifier, trial_device_approval
from tests.lint_corpus.writing import Case, Written, of_draft, of_order, of_profile
from tests.profile_world import (
    APPROVAL_OID,
    AT,
    DAY,
    GOOD,
    ISSUING_ENDS,
    ORDER,
    OTHER_VALUES,
    PROFILE,
    ROOT,
    SECOND,
    Extension,
    a_name,
    a_root,
    an_issuing,
    changed_order,
    draft_of,
    drafted,
    octets_replaced,
    public_key,
    rebuilt,
    serial,
)

SOUND: Written = {**of_profile(PROFILE), **of_order(ORDER), "stored": ("no",)}


def cases() -> Iterator[Case]:
    for code, what, (draft, order) in (*_planted(), *_extensions(), *_encodings()):
        yield _case(f"{code}: {what}", draft, order, f"profile.{code}")
    for what, draft, order in _unreadable():
        yield _case(f"unreadable: {what}", draft, order, "profile.unreadable")
    for what, order in _sound():
        yield _case(f"clean: {what}", _built(order)[0], order)
    yield _linter_alone()
    yield _urn()
    yield from _of_an_earlier_release()


def _case(
    what: str, draft: Draft, order: Order, *expect: str, profile: Profile = PROFILE, stored: bool = False
) -> Case:
    facts: Written = {**of_profile(profile), **of_order(order), "stored": ("yes" if stored else "no",)}
    return Case(what, expect, {**facts, **of_draft(draft)})


def _of_an_earlier_release() -> Iterator[Case]:
    """Policies were critical: what was drafted then and waits in the store is signed as it was accepted."""
    oid = ExtensionOID.CERTIFICATE_POLICIES
    own = x509.load_der_x509_certificate(GOOD.preview).extensions.get_extension_for_oid(oid).value
    critical = rebuilt(GOOD, extensions={oid: (own, True)})
    yield _case("clean: critical policies, stored", critical, ORDER, stored=True)
    other = rebuilt(GOOD, extensions={oid: (OTHER_VALUES["certificate-policies"], True)})
    yield _case(
        "certificate-policies: another value, stored", other, ORDER, "profile.certificate-policies", stored=True
    )


def _built(order: Order, profile: Profile = PROFILE) -> tuple[Draft, Order]:
    return drafted(build.draft(profile, order)), order


def _say_approval(order: Order) -> tuple[Draft, Order]:
    """A certificate whose extension says what the order says, where the builder would refuse to."""
    value = x509.UnrecognizedExtension(APPROVAL_OID, trial_device_approval(order))
    return rebuilt(GOOD, extensions={APPROVAL_OID: (value, False)}), order


def _other_key(curve: ec.EllipticCurve) -> tuple[Draft, Order]:
    key = public_key("elsewhere", curve)
    own = x509.SubjectKeyIdentifier(key_identifier(key))
    draft = rebuilt(GOOD, key=key, extensions={ExtensionOID.SUBJECT_KEY_IDENTIFIER: (own, False)})
    return draft, changed_order(public_key=key)


def _ends_before_it_begins() -> tuple[Draft, Order]:
    start = datetime(2027, 7, 1, tzinfo=UTC)
    return octets_replaced(b"270104000000Z", b"270701000000Z"), changed_order(start=start, not_before=start)


Planted = tuple[str, str, tuple[Draft, Order]]


def _planted() -> Iterator[Planted]:
    names = ((NameOID.ORGANIZATION_NAME, "Maker Ltd"), (NameOID.COMMON_NAME, "AB01 010A030B 01"))
    other_name = a_name(*names, (NameOID.SERIAL_NUMBER, "TDT-2027-0043-3"))
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    without_version = GOOD.tbs[4:].removeprefix(bytes.fromhex("a003020102"))
    utc, generalized = b"\x17\x0d270104000000Z", b"\x18\x0f20270104000000Z"
    beyond, before, late = ISSUING_ENDS + DAY, ORDER.start - DAY, ORDER.start + SECOND
    yield from (
        ("draft", "the preview shows other bytes", (Draft(ORDER.serial, ROOT.tbs, GOOD.preview), ORDER)),
        ("draft", "it goes by another serial", (Draft(serial("other"), GOOD.tbs, GOOD.preview), ORDER)),
        ("version", "none", (draft_of(der.sequence(without_version), GOOD.serial), ORDER)),
        ("serial", "not the reserved one", (GOOD, changed_order(serial=serial("other")))),
        ("serial", "1", _built(changed_order(serial=serial_of(1)))),
        ("serial", "17 octets", _built(changed_order(serial=serial_of(1 << 127)))),
        ("signature-algorithm", "SHA-384", (rebuilt(GOOD, algorithm=hashes.SHA384()), ORDER)),
        ("issuer", "other name", (rebuilt(GOOD, issuer=a_name((NameOID.COMMON_NAME, "TEST Trial CPA Root"))), ORDER)),
        ("subject", "no serialNumber", (rebuilt(GOOD, subject=a_name(*names)), ORDER)),
        ("subject", "another approval", (rebuilt(GOOD, subject=other_name), ORDER)),
        ("subject", "another organisation", (GOOD, changed_order(certificate_name="Other Ltd"))),
        ("public-key", "another key", (rebuilt(GOOD, key=public_key("elsewhere")), ORDER)),
        ("public-key", "P-521", _other_key(ec.SECP521R1())),
        ("public-key", "secp256k1", _other_key(ec.SECP256K1())),
        ("encoding", "GeneralizedTime before 2050", (octets_replaced(utc, generalized), ORDER)),
        ("outlives-issuer", "ends after it", _built(changed_order(expiry=beyond, not_after=beyond))),
        ("outlives-issuer", "begins before it", _built(changed_order(start=before, not_before=before))),
        ("extension-unexpected", "1.2.3.4", (rebuilt(GOOD, extensions={unknown.oid: (unknown, False)}), ORDER)),
        ("identifier", "of the live authority", _built(changed_order(approval="TDA-2027-0042-Y"))),
        ("identifier", "check digit", _built(changed_order(approval="TDT-2027-0042-6"))),
        ("identifier", "without hyphens", _built(changed_order(approval="TDT202700425"))),
        ("bounds", "issue 0", _say_approval(changed_order(issue=0))),
        ("bounds", "no devices", _say_approval(changed_order(maximum_devices=0))),
        ("bounds", "no firmware", _say_approval(changed_order(firmware=()))),
        ("bounds", "digest of 31 octets", _say_approval(changed_order(proposal_digest=bytes(31)))),
        ("not-before", "a second late", (rebuilt(GOOD, begins=late), ORDER)),
        ("not-before", "issue 1 after the start", _built(changed_order(not_before=ORDER.start + DAY))),
        ("not-before", "issue 2 before the start", _built(changed_order(issue=2, start=ORDER.start + DAY))),
        ("not-before", "start within a day", _built(changed_order(start=late, not_before=late))),
        ("not-before", "after the end", _ends_before_it_begins()),
        ("not-after", "a second early", (rebuilt(GOOD, ends=ORDER.expiry - SECOND), ORDER)),
        ("not-after", "a second late", (rebuilt(GOOD, ends=ORDER.expiry + SECOND), ORDER)),
        ("not-after", "before the expiry", _built(changed_order(not_after=ORDER.expiry - DAY))),
        (
            "not-after",
            "within a day",
            _built(changed_order(expiry=ORDER.expiry - SECOND, not_after=ORDER.expiry - SECOND)),
        ),
    )


def _extensions() -> Iterator[Planted]:
    """Each extension missing, as critical as it must not be, and saying something else."""
    read = x509.load_der_x509_certificate(GOOD.preview).extensions
    for code, other in OTHER_VALUES.items():
        present = read.get_extension_for_oid(other.oid)
        defects: dict[str, Extension] = {
            "missing": None,
            "critical inverted": (present.value, not present.critical),
            "another value": (other, present.critical),
        }
        for what, after in defects.items():
            yield code, what, (rebuilt(GOOD, extensions={other.oid: after}), ORDER)


def _encodings() -> Iterator[Planted]:
    unique = octets_replaced(ORDER.public_key, ORDER.public_key + bytes.fromhex("81020055"))
    yield "encoding", "unique identifier", (unique, ORDER)


def _unreadable() -> Iterator[tuple[str, Draft, Order]]:
    """An explicit DEFAULT and NULL parameters pass every linter tried; the library refuses some of them itself."""
    own = der.extension(
        ExtensionOID.SUBJECT_KEY_IDENTIFIER, der.octets(key_identifier(ORDER.public_key)), critical=False
    )
    explicit = der.sequence(own[2:7], b"\x01\x01\x00", own[7:])
    algorithm, null = bytes.fromhex("300a06082a8648ce3d040302"), bytes.fromhex("300c06082a8648ce3d0403020500")
    yield "NULL parameters", octets_replaced(algorithm, null), ORDER
    yield "explicit critical FALSE", octets_replaced(own, explicit), ORDER
    yield "explicit cA FALSE", octets_replaced(bytes.fromhex("04023000"), bytes.fromhex("04053003010100")), ORDER
    for what, preview in (
        ("nothing", b""),
        ("empty SEQUENCE", b"\x30\x00"),
        ("cut off", GOOD.preview[:-1]),
        ("a public key", ORDER.public_key),
    ):
        yield what, Draft(ORDER.serial, GOOD.tbs, preview), ORDER
    yield "the issuer", GOOD, changed_order(issuer=b"no certificate")


def _sound() -> Iterator[tuple[str, Order]]:
    leap = datetime(2028, 2, 29, tzinfo=UTC)
    effective = datetime(2027, 3, 1, 12, 0, 1, tzinfo=UTC)
    one_day, leap_day = ORDER.start + DAY - SECOND, leap + DAY - SECOND
    firmware = tuple(Firmware(f"{number:08d}", "ab" * 32) for number in range(100))
    yield from (
        ("the sound order", ORDER),
        ("P-384", changed_order(public_key=public_key("device", ec.SECP384R1()))),
        ("common name too long", changed_order(device=Device("GPF", "M" * 30, "N" * 30, "H" * 30))),
        ("common name as long as it may be", changed_order(device=Device("CHF", "M" * 30, "N" * 30, "HH"))),
        ("beyond ASCII", changed_order(device=Device("IHD", "Ünlü", "Ø", "é"), certificate_name="Söhne & Co")),
        ("organisation as long as it may be", changed_order(certificate_name="M" * 64)),
        ("issue 2 within a day", changed_order(issue=2, not_before=effective)),
        ("issue 2 at the start", changed_order(issue=2, not_before=ORDER.start)),
        ("one day", changed_order(expiry=one_day, not_after=one_day)),
        ("great numbers", changed_order(maximum_devices=2**40, issue=300)),
        ("29 February", changed_order(start=leap, not_before=leap, expiry=leap_day, not_after=leap_day)),
        ("100 firmware versions", changed_order(firmware=firmware)),
        ("it ends with the calendar", _ending_with_the_calendar()),
    )


def _ending_with_the_calendar() -> Order:
    born, end = datetime(9999, 12, 30, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    issuing = an_issuing(a_root(born), born)
    return changed_order(start=born, not_before=born, expiry=end, not_after=end, issuer=issuing.preview)


def _linter_alone() -> Case:
    profile = replace(PROFILE, base_url="http://-a.example:8470")  # no linter takes this for a host
    issuing = an_issuing(a_root(), AT, profile)
    draft, order = _built(changed_order(issuer=issuing.preview), profile)
    case = _case("linter: a host that is none", draft, order, profile=profile)
    return replace(case, linter=("lint.pkix.invalid_uri_syntax",))


def _urn() -> Case:
    urn = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("urn:tda:TDT-2027-0042-5")])
    draft = rebuilt(GOOD, extensions={urn.oid: (urn, False)})
    case = _case("linter: the status page as a URN", draft, ORDER, "profile.subject-alternative-name")
    return replace(case, linter=("lint.pkix.invalid_uri_syntax",))

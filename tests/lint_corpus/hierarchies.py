"""Root, issuing CA and responder: for each rule defects that no other rule of ours finds, and what is sound."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from ca.draft import Draft
from ca.profile import Profile
from core.identifiers import serial_of
from core.instants import text
from core.kinds import HierarchyRole
from policy.expected import key_identifier
from tests.lint_cases import NONE
from tests.lint_corpus.writing import Case, Written, of_draft, of_profile
from tests.profile_world import (
    AT,
    DAY,
    ISSUING,
    ISSUING_ENDS,
    OTHER_VALUES,
    PROFILE,
    RESPONDER,
    ROOT,
    SECOND,
    STATEMENT,
    a_name,
    a_responder,
    a_root,
    a_statement_signer,
    an_issuing,
    public_key,
    rebuilt,
)

SOUND: Written = {**of_profile(PROFILE), "at": (text(AT),), "stored": ("no",)}
DRAFTS: dict[HierarchyRole, Draft] = {
    HierarchyRole.ROOT: ROOT,
    HierarchyRole.ISSUING: ISSUING,
    HierarchyRole.RESPONDER: RESPONDER,
    HierarchyRole.STATEMENT: STATEMENT,
}
ABOVE = {
    HierarchyRole.ROOT: NONE,
    HierarchyRole.ISSUING: HierarchyRole.ROOT,
    HierarchyRole.RESPONDER: HierarchyRole.ISSUING,
    HierarchyRole.STATEMENT: HierarchyRole.ISSUING,
}


def cases() -> Iterator[Case]:
    for code, what, role, draft in _planted():
        yield _case(f"{code}: {role}, {what}", role, draft, f"profile.{code}")
    yield from (*_drafted_elsewhen(), *_of_an_earlier_release())
    for role, draft in DRAFTS.items():
        yield _case(f"clean: {role}", role, draft)
    for what, day, number in (
        ("29 February", datetime(2028, 2, 29, tzinfo=UTC), 12),
        ("28 February", datetime(2075, 2, 28, tzinfo=UTC), 12),
        ("at the end of the calendar", datetime(9999, 12, 30, tzinfo=UTC), 1),
    ):
        root = a_root(day)
        yield _case(f"clean: root, born {what}", HierarchyRole.ROOT, root, at=day)
        issuing = an_issuing(root, day, number=number)
        yield _case(f"clean: issuing, born {what}", HierarchyRole.ISSUING, issuing, issuer=root.preview, at=day)
    for role, issuer in (
        (HierarchyRole.ROOT, HierarchyRole.ROOT),
        (HierarchyRole.ISSUING, NONE),
        (HierarchyRole.RESPONDER, NONE),
    ):
        what = "a root with an issuer" if role == HierarchyRole.ROOT else f"{role} without an issuer"
        yield _case(f"unreadable: {what}", role, DRAFTS[role], "profile.unreadable", issuer=issuer)
    live = Profile("live", "1.3.6.1.4.1.99999.1", "http://cpa.ssc.gov.uk", "Trial CPA")
    yield _case("clean: root, live", HierarchyRole.ROOT, a_root(profile=live), profile=live)
    yield _case(
        "a test root is no live one", HierarchyRole.ROOT, ROOT, "profile.issuer", "profile.subject", profile=live
    )


def _case(
    what: str,
    role: HierarchyRole,
    draft: Draft,
    *expect: str,
    issuer: str | bytes | None = None,
    profile: Profile = PROFILE,
    at: datetime = AT,
    stored: bool = False,
) -> Case:
    above = ABOVE[role] if issuer is None else issuer
    facts: Written = {"role": (role,), "issuer": (above,), "at": (text(at),), "stored": ("yes" if stored else "no",)}
    return Case(what, expect, {**of_profile(profile), **facts, **of_draft(draft)})


def _drafted_elsewhen() -> Iterator[Case]:
    """Sound by itself, and of another day: its length is right, and it would hold from another year on."""
    year = timedelta(days=365)
    for role, draft, by in (
        (HierarchyRole.ROOT, a_root(AT + year), "a year late"),
        (HierarchyRole.ROOT, a_root(AT - year), "a year early"),
        (HierarchyRole.ISSUING, an_issuing(ROOT, AT + year), "a year late"),
        (HierarchyRole.RESPONDER, a_responder(ISSUING, AT + SECOND), "a second late"),
        (HierarchyRole.STATEMENT, a_statement_signer(ISSUING, AT + SECOND), "a second late"),
    ):
        yield _case(f"begins: {role}, {by}", role, draft, "profile.begins")
    within = rebuilt(ROOT, begins=AT)
    yield _case("life: root, begins within a day", HierarchyRole.ROOT, within, "profile.begins", "profile.life")
    begins = ISSUING_ENDS - DAY
    late = rebuilt(RESPONDER, begins=begins, ends=ISSUING_ENDS + SECOND)
    yield _case(
        "outlives-issuer: responder, by a second", HierarchyRole.RESPONDER, late, "profile.outlives-issuer", at=begins
    )


def _of_an_earlier_release() -> Iterator[Case]:
    """Policies were critical: what was drafted then and waits in the store is signed as it was accepted."""
    policy = x509.load_der_x509_certificate(ISSUING.preview).extensions.get_extension_for_class(
        x509.CertificatePolicies
    )
    critical = rebuilt(ISSUING, extensions={policy.oid: (policy.value, True)})
    yield _case(
        "certificate-policies: issuing, critical", HierarchyRole.ISSUING, critical, "profile.certificate-policies"
    )
    yield _case("clean: issuing, critical policies, stored", HierarchyRole.ISSUING, critical, stored=True)


Planted = tuple[str, str, HierarchyRole, Draft]


def _rebuilt(code: str, what: str, role: HierarchyRole, **knobs: Any) -> Planted:
    return code, what, role, rebuilt(DRAFTS[role], **knobs)


def _with(code: str, what: str, role: HierarchyRole, value: x509.ExtensionType, *, critical: bool) -> Planted:
    return _rebuilt(code, what, role, extensions={value.oid: (value, critical)})


def _less(code: str, role: HierarchyRole, oid: x509.ObjectIdentifier) -> Planted:
    return _rebuilt(code, "missing", role, extensions={oid: None})


def _planted() -> Iterator[Planted]:
    no_test = a_name((NameOID.ORGANIZATION_NAME, PROFILE.organisation), (NameOID.COMMON_NAME, "Trial CPA Issuing CA 1"))
    p384 = public_key("issuing", ec.SECP384R1())
    own = {ExtensionOID.SUBJECT_KEY_IDENTIFIER: (x509.SubjectKeyIdentifier(key_identifier(p384)), False)}
    policy, usage = OTHER_VALUES["certificate-policies"], OTHER_VALUES["extended-key-usage"]
    deeper, endless = (x509.BasicConstraints(ca=True, path_length=length) for length in (2, None))
    identifier, pointer = OTHER_VALUES["subject-key-identifier"], OTHER_VALUES["crl-distribution-points"]
    root_ends, issuing_ends = (datetime(year, 1, day, 23, 59, 59, tzinfo=UTC) for year, day in ((2051, 3), (2032, 2)))
    yield from (
        ("draft", "the preview shows other bytes", HierarchyRole.ROOT, Draft(ROOT.serial, ISSUING.tbs, ROOT.preview)),
        _rebuilt("serial", "5", HierarchyRole.ISSUING, serial=serial_of(5)),
        _rebuilt("signature-algorithm", "SHA-512", HierarchyRole.RESPONDER, algorithm=hashes.SHA512()),
        _rebuilt("issuer", "without TEST", HierarchyRole.RESPONDER, issuer=no_test),
        _rebuilt("subject", "without TEST", HierarchyRole.ISSUING, subject=no_test),
        _rebuilt("public-key", "P-384", HierarchyRole.ISSUING, key=p384, extensions=own),
        _with("extension-unexpected", "a policy", HierarchyRole.ROOT, policy, critical=True),
        _with("extension-unexpected", "extended key usage", HierarchyRole.ISSUING, usage, critical=False),
        _with("basic-constraints", "path length 2", HierarchyRole.ROOT, deeper, critical=True),
        _with("basic-constraints", "no path length", HierarchyRole.ISSUING, endless, critical=True),
        _with("key-usage", "another value", HierarchyRole.ISSUING, OTHER_VALUES["key-usage"], critical=True),
        _less("extended-key-usage", HierarchyRole.RESPONDER, ExtensionOID.EXTENDED_KEY_USAGE),
        _with("certificate-policies", "the live one", HierarchyRole.ISSUING, policy, critical=False),
        _with("subject-key-identifier", "another value", HierarchyRole.ROOT, identifier, critical=False),
        _less("authority-key-identifier", HierarchyRole.RESPONDER, ExtensionOID.AUTHORITY_KEY_IDENTIFIER),
        _with("crl-distribution-points", "another value", HierarchyRole.ISSUING, pointer, critical=False),
        _less("authority-information-access", HierarchyRole.ISSUING, ExtensionOID.AUTHORITY_INFORMATION_ACCESS),
        _less("ocsp-no-check", HierarchyRole.RESPONDER, x509.OCSPNoCheck.oid),
        _rebuilt("life", "a year less", HierarchyRole.ROOT, ends=root_ends),
        _rebuilt("life", "less than five years", HierarchyRole.ISSUING, ends=issuing_ends),
        _rebuilt("life", "ends within a day", HierarchyRole.ISSUING, ends=ISSUING_ENDS - SECOND),
        _rebuilt("life", "30 days and a second", HierarchyRole.RESPONDER, ends=AT + timedelta(days=30)),
        _rebuilt(
            "life", "two years and a day", HierarchyRole.STATEMENT, ends=datetime(2029, 1, 4, 23, 59, 59, tzinfo=UTC)
        ),
        _with("extension-unexpected", "extended key usage", HierarchyRole.STATEMENT, usage, critical=False),
        _less("certificate-policies", HierarchyRole.STATEMENT, ExtensionOID.CERTIFICATE_POLICIES),
        _less("crl-distribution-points", HierarchyRole.STATEMENT, ExtensionOID.CRL_DISTRIBUTION_POINTS),
        _with("key-usage", "another value", HierarchyRole.STATEMENT, OTHER_VALUES["key-usage"], critical=True),
    )

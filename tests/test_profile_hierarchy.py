"""The lint of root, issuing CA and responder: for each rule a planted defect that no other rule of ours finds."""

from collections.abc import Callable
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
from ca.profile import Profile
from core.identifiers import new_serial, serial_of
from core.kinds import HierarchyRole
from policy.certificate_rules import HIERARCHY_RULES
from policy.expected import key_identifier
from policy.profile import clear_hierarchy
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
    a_name,
    fresh_key,
    own_codes,
    rebuilt,
)

DRAFTS: dict[HierarchyRole, tuple[Draft, bytes | None]] = {
    HierarchyRole.ROOT: (ROOT, None),
    HierarchyRole.ISSUING: (ISSUING, ROOT.preview),
    HierarchyRole.RESPONDER: (RESPONDER, ISSUING.preview),
}


@pytest.mark.parametrize("role", DRAFTS)
def test_what_the_ceremony_makes_is_cleared_for_exactly_its_bytes(role: HierarchyRole) -> None:
    draft, issuer = DRAFTS[role]
    assert clear_hierarchy(draft, role, PROFILE, issuer) == Clearance(ClearanceKind.CERTIFICATE, draft.digest)


@pytest.mark.parametrize("day", [datetime(2028, 2, 29, tzinfo=UTC), datetime(2075, 2, 28, tzinfo=UTC)])
def test_a_hierarchy_born_on_an_odd_day_is_cleared(day: datetime) -> None:
    root = root_draft(PROFILE, fresh_key(), new_serial(), day)
    issuing = issuing_draft(
        PROFILE, root.preview, fresh_key(), new_serial(), day, longest_trial=timedelta(days=730), number=12
    )
    assert isinstance(clear_hierarchy(root, HierarchyRole.ROOT, PROFILE, None), Clearance)
    assert isinstance(clear_hierarchy(issuing, HierarchyRole.ISSUING, PROFILE, root.preview), Clearance)


def _planted_in(role: HierarchyRole, **knobs: object) -> tuple[HierarchyRole, Draft]:
    return role, rebuilt(DRAFTS[role][0], **knobs)  # type: ignore[arg-type]


def _with_extension(role: HierarchyRole, value: x509.ExtensionType, *, critical: bool) -> tuple[HierarchyRole, Draft]:
    return _planted_in(role, extensions={value.oid: (value, critical)})


def _less_extension(role: HierarchyRole, oid: x509.ObjectIdentifier) -> tuple[HierarchyRole, Draft]:
    return _planted_in(role, extensions={oid: None})


NO_TEST = a_name((NameOID.ORGANIZATION_NAME, PROFILE.organisation), (NameOID.COMMON_NAME, "Trial CPA Issuing CA 1"))
DEEPER = x509.BasicConstraints(ca=True, path_length=2)
P384 = fresh_key(ec.SECP384R1())
POLICY = OTHER_VALUES["certificate-policies"]
HIERARCHY_PLANTED: list[tuple[str, Callable[[], tuple[HierarchyRole, Draft]]]] = [
    ("draft", lambda: (HierarchyRole.ROOT, Draft(ROOT.serial, ISSUING.tbs, ROOT.preview))),
    ("serial", lambda: _planted_in(HierarchyRole.ISSUING, serial=serial_of(5))),
    ("signature-algorithm", lambda: _planted_in(HierarchyRole.RESPONDER, algorithm=hashes.SHA512())),
    ("issuer", lambda: _planted_in(HierarchyRole.RESPONDER, issuer=NO_TEST)),
    ("subject", lambda: _planted_in(HierarchyRole.ISSUING, subject=NO_TEST)),
    (
        "public-key",
        lambda: _planted_in(
            HierarchyRole.ISSUING,
            key=P384,
            extensions={ExtensionOID.SUBJECT_KEY_IDENTIFIER: (x509.SubjectKeyIdentifier(key_identifier(P384)), False)},
        ),
    ),
    (
        "outlives-issuer",
        lambda: _planted_in(HierarchyRole.RESPONDER, begins=ISSUING_ENDS - DAY, ends=ISSUING_ENDS + SECOND),
    ),
    ("extension-unexpected", lambda: _with_extension(HierarchyRole.ROOT, POLICY, critical=True)),
    (
        "extension-unexpected",
        lambda: _with_extension(HierarchyRole.ISSUING, OTHER_VALUES["extended-key-usage"], critical=False),
    ),
    (
        "basic-constraints",
        lambda: _with_extension(HierarchyRole.ROOT, x509.BasicConstraints(ca=True, path_length=2), critical=True),
    ),
    (
        "basic-constraints",
        lambda: _with_extension(HierarchyRole.ISSUING, x509.BasicConstraints(ca=True, path_length=None), critical=True),
    ),
    ("key-usage", lambda: _with_extension(HierarchyRole.ISSUING, OTHER_VALUES["key-usage"], critical=True)),
    ("extended-key-usage", lambda: _less_extension(HierarchyRole.RESPONDER, ExtensionOID.EXTENDED_KEY_USAGE)),
    ("certificate-policies", lambda: _with_extension(HierarchyRole.ISSUING, POLICY, critical=True)),
    (
        "subject-key-identifier",
        lambda: _with_extension(HierarchyRole.ROOT, OTHER_VALUES["subject-key-identifier"], critical=False),
    ),
    (
        "authority-key-identifier",
        lambda: _less_extension(HierarchyRole.RESPONDER, ExtensionOID.AUTHORITY_KEY_IDENTIFIER),
    ),
    (
        "crl-distribution-points",
        lambda: _with_extension(HierarchyRole.ISSUING, OTHER_VALUES["crl-distribution-points"], critical=False),
    ),
    (
        "authority-information-access",
        lambda: _less_extension(HierarchyRole.ISSUING, ExtensionOID.AUTHORITY_INFORMATION_ACCESS),
    ),
    ("ocsp-no-check", lambda: _less_extension(HierarchyRole.RESPONDER, x509.OCSPNoCheck.oid)),
    ("life", lambda: _planted_in(HierarchyRole.ROOT, ends=datetime(2051, 1, 3, 23, 59, 59, tzinfo=UTC))),
    ("life", lambda: _planted_in(HierarchyRole.ROOT, begins=AT)),
    ("life", lambda: _planted_in(HierarchyRole.ISSUING, ends=datetime(2032, 1, 2, 23, 59, 59, tzinfo=UTC))),
    ("life", lambda: _planted_in(HierarchyRole.ISSUING, ends=ISSUING_ENDS - SECOND)),
    ("life", lambda: _planted_in(HierarchyRole.RESPONDER, ends=AT + timedelta(days=30))),
]


@pytest.mark.parametrize(("code", "plant"), HIERARCHY_PLANTED, ids=[code for code, _ in HIERARCHY_PLANTED])
def test_a_defect_planted_in_the_hierarchy_is_found_by_its_own_rule_and_no_other(
    code: str, plant: Callable[[], tuple[HierarchyRole, Draft]]
) -> None:
    role, draft = plant()
    assert own_codes(clear_hierarchy(draft, role, PROFILE, DRAFTS[role][1])) == {f"profile.{code}"}


def test_each_rule_of_the_hierarchy_has_a_planted_defect() -> None:
    elsewhere = {"profile.version", "profile.encoding"}  # the same rules, planted in a Trial CPA Certificate above
    assert {f"profile.{code}" for code, _ in HIERARCHY_PLANTED} | elsewhere == {rule.code for rule in HIERARCHY_RULES}


@pytest.mark.parametrize(
    ("role", "issuer"),
    [(HierarchyRole.ROOT, ROOT.preview), (HierarchyRole.ISSUING, None), (HierarchyRole.RESPONDER, None)],
)
def test_only_the_root_signs_itself(role: HierarchyRole, issuer: bytes | None) -> None:
    assert "profile.unreadable" in own_codes(clear_hierarchy(DRAFTS[role][0], role, PROFILE, issuer))


def test_a_live_hierarchy_is_not_a_test_one() -> None:
    live = Profile("live", "1.3.6.1.4.1.99999.1", "http://cpa.ssc.gov.uk", "Trial CPA")
    assert isinstance(
        clear_hierarchy(root_draft(live, fresh_key(), new_serial(), AT), HierarchyRole.ROOT, live, None), Clearance
    )
    assert own_codes(clear_hierarchy(ROOT, HierarchyRole.ROOT, live, None)) == {"profile.issuer", "profile.subject"}

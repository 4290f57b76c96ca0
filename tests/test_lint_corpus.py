"""The corpus of the lint and of the publish gate: each file gets exactly the findings that it names."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ca.certificates import issuer
from ca.clearance import Clearance, ClearanceKind
from ca.draft import Draft
from ca.issuer.order import Order
from ca.profile import Profile
from ca.revocation.crl import CrlDraft, CrlOrder
from ca.revocation.gate import inspect
from ca.revocation.ocsp import OcspDraft, OcspOrder
from core.approval import Device, Firmware, RevocationReason
from core.errors import Finding, Severity
from core.identifiers import Serial
from core.instants import parse
from core.kinds import HierarchyRole
from core.status import Revoked, endings
from policy.certificate_rules import HIERARCHY_RULES, TRIAL_RULES
from policy.crl_rules import ENTRY_RULES, STRUCTURE_RULES
from policy.linted import Linted
from policy.ocsp_rules import OCSP_RULES
from policy.profile import clear_certificate, clear_crl, clear_hierarchy, clear_ocsp
from policy.rules import Rule
from tests.lint_cases import (
    AUTHORITY,
    CLEAN,
    CORPUS,
    KINDS,
    NONE,
    SOUND,
    Facts,
    own_serial,
    read,
    read_case,
    signed_of,
    signed_of_answer,
)
from tests.lint_corpus.files import generated

ROLES = {role.value: role for role in HierarchyRole}
CASES = {kind: sorted((CORPUS / kind).glob("*.case")) for kind in KINDS}
"""Read from the folders: a file that is dropped into one is a case."""


def _of_kind(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", CASES[kind], ids=lambda path: path.stem)


def _check(case: Facts, outcome: Clearance | tuple[Finding, ...], cleared: Clearance) -> None:
    """Our own rules find exactly what is named. What pkilint finds is looked at only where a case names it."""
    findings = () if isinstance(outcome, Clearance) else outcome
    assert all(finding.severity is not Severity.NOTICE and finding.detail for finding in findings)
    linted = {finding.code for finding in findings if finding.code.startswith("lint.")}
    expected = set(case.all("expect")) - {CLEAN}
    assert {finding.code for finding in findings} - linted == expected
    named = case.all("linter")
    if named or not expected:
        assert linted == set(named) - {CLEAN}
    if not findings:
        assert outcome == cleared


def _profile(case: Facts) -> Profile:
    environment = case.one("environment")
    assert environment in {"test", "live"}
    return Profile(
        environment="live" if environment == "live" else "test",
        arc=case.one("arc"),
        base_url=case.one("base-url"),
        name=case.one("authority-name"),
    )


def _draft(case: Facts) -> Draft:
    preview = case.octets("certificate")
    serial = case.maybe("draft-serial")
    tbs = case.or_else("to-be-signed", signed_of(preview))
    return Draft(own_serial(preview) if serial is None else Serial(serial), tbs, preview)


def _order(case: Facts) -> Order:
    kind, manufacturer, model, hardware_version = case.one("device").split(" | ")
    return Order(
        serial=Serial(case.one("serial")),
        approval=case.one("approval"),
        issue=case.number("issue"),
        certificate_name=case.one("certificate-name"),
        device=Device(kind, manufacturer, model, hardware_version),
        firmware=tuple(Firmware(*each.split(" ")) for each in case.all("firmware")),
        start=case.instant("start"),
        expiry=case.instant("expiry"),
        not_before=case.instant("not-before"),
        not_after=case.instant("not-after"),
        maximum_devices=case.number("maximum-devices"),
        public_key=case.octets("public-key"),
        proposal_digest=bytes.fromhex(case.one("proposal-digest")),
        issuer=case.octets("issuer"),
    )


def _crl_order(case: Facts) -> CrlOrder:
    since = case.maybe("expired-certs-on-crl")
    return CrlOrder(
        issuer_der=case.octets("issuer"),
        number=case.number("number"),
        this_update=case.instant("this-update"),
        next_update=case.instant("next-update"),
        expired_certs_on_crl=None if since is None else parse(since),
        entries=(),
    )


def _revoked(text: str) -> Revoked:
    serial, at, reason, *since = text.split(" ")
    return Revoked(Serial(serial), parse(at), RevocationReason[reason], parse(since[0]) if since else None)


@dataclass(frozen=True)
class _ShownList(CrlDraft):
    """A draft whose preview is the one of the file."""

    shown: bytes

    @property
    def preview(self) -> bytes:
        return self.shown


@dataclass(frozen=True)
class _ShownAnswer(OcspDraft):
    """The same for an answer."""

    shown: bytes

    @property
    def preview(self) -> bytes:
        return self.shown


def _list(case: Facts) -> _ShownList:
    shown, above = case.octets("list"), issuer(case.octets("issuer"))
    number, entries = case.maybe("draft-number"), case.maybe("draft-entries")
    return _ShownList(
        number=case.number("number") if number is None else int(number),
        entries=_entries(shown) if entries is None else int(entries),
        tbs=case.or_else("to-be-signed", signed_of(shown)),
        issuer_key=above.public_key,
        issuer_name=above.name,
        shown=shown,
    )


def _entries(crl: bytes) -> int:
    try:
        return len(x509.load_der_x509_crl(crl))
    except ValueError:
        return 0


def _answer(case: Facts) -> tuple[_ShownAnswer, OcspOrder]:
    hash_name, revoked = case.one("hash"), case.maybe("revoked")
    assert hash_name in {"sha1", "sha256"}
    order = OcspOrder(
        issuer_der=case.octets("issuer"),
        responder_der=case.octets("responder"),
        serial=Serial(case.one("serial")),
        hash_name="sha1" if hash_name == "sha1" else "sha256",
        revoked=None if revoked is None else _revoked(revoked),
        this_update=case.instant("this-update"),
        next_update=case.instant("next-update"),
    )
    shown = case.octets("answer")
    serial = Serial(case.maybe("draft-serial") or order.serial)
    tbs = case.or_else("to-be-signed", signed_of_answer(shown))
    return _ShownAnswer(serial, tbs, order.responder_der, shown), order


@pytest.mark.clause("F2.25")
@_of_kind("certificate")
def test_a_trial_cpa_certificate_gets_the_findings_it_names(path: Path) -> None:
    case = read_case(path)
    draft = _draft(case)
    outcome = clear_certificate(draft, _order(case), _profile(case), stored=case.yes("stored"))
    _check(case, outcome, Clearance(ClearanceKind.CERTIFICATE, hashlib.sha256(draft.tbs).digest()))


@_of_kind("hierarchy")
def test_a_certificate_of_the_hierarchy_gets_the_findings_it_names(path: Path) -> None:
    case = read_case(path)
    draft, role = _draft(case), case.one("role")
    assert role in ROLES
    above = None if case.values["issuer"] == (NONE,) else case.octets("issuer")
    outcome = clear_hierarchy(
        draft, ROLES[role], _profile(case), above, at=case.instant("at"), stored=case.yes("stored")
    )
    _check(case, outcome, Clearance(ClearanceKind.CERTIFICATE, hashlib.sha256(draft.tbs).digest()))


@pytest.mark.clause("F2.31")
@_of_kind("crl")
def test_a_list_gets_the_findings_it_names(path: Path) -> None:
    case = read_case(path)
    draft = _list(case)
    outcome = clear_crl(draft, _crl_order(case), Linted())
    _check(case, outcome, Clearance(ClearanceKind.CRL, hashlib.sha256(draft.tbs).digest()))


@_of_kind("ocsp")
def test_an_answer_gets_the_findings_it_names(path: Path) -> None:
    case = read_case(path)
    draft, order = _answer(case)
    _check(case, clear_ocsp(draft, order, Linted()), Clearance(ClearanceKind.OCSP, hashlib.sha256(draft.tbs).digest()))


@_of_kind("gate")
def test_a_list_passes_the_gate_or_is_kept_back_for_the_problems_it_names(path: Path) -> None:
    """The gate speaks in sentences: a case names how each of them begins, in whatever order."""
    case = read_case(path)
    told = inspect(
        case.octets("list"),
        order=_crl_order(case),
        previous=None if case.values["previous"] == (NONE,) else case.octets("previous"),
        register=lambda: endings(map(_revoked, case.all("register"))),
        at=case.instant("at"),
    )
    expected = sorted(set(case.all("expect")) - {CLEAN})
    assert len(told) == len(expected), told
    assert all(each.startswith(begin) for each, begin in zip(sorted(told), expected, strict=True)), told


@pytest.mark.parametrize(
    ("kind", "rules"),
    [
        ("certificate", TRIAL_RULES),
        ("hierarchy", HIERARCHY_RULES),
        ("crl", (*STRUCTURE_RULES, *ENTRY_RULES)),
        ("ocsp", OCSP_RULES),
    ],
)
def test_each_rule_has_a_case_that_it_alone_refuses(kind: str, rules: tuple[Rule[Any], ...]) -> None:
    verdicts = [read_case(path).all("expect") for path in CASES[kind]]
    alone = {verdict[0] for verdict in verdicts if len(verdict) == 1} - {CLEAN, "profile.unreadable"}
    # Of the hierarchy these cannot be planted otherwise; they are the same rules as those of a Trial CPA Certificate.
    elsewhere = {"profile.version", "profile.encoding"} if kind == "hierarchy" else set()
    assert alone | elsewhere == {rule.code for rule in rules}
    assert (CLEAN,) in verdicts


def test_every_file_of_the_corpus_is_collected() -> None:
    files = {path for path in CORPUS.rglob("*") if path.is_file()}
    cases = {path for paths in CASES.values() for path in paths}
    beside = (
        {CORPUS / kind / SOUND for kind in KINDS} | {CORPUS / "README.md"} | set((CORPUS / AUTHORITY).glob("*.pem"))
    )
    assert files == cases | beside


def test_a_case_that_says_what_is_not_known_here_is_no_case(tmp_path: Path) -> None:
    for kind, text in (("crl", "nunber: 7\n"), ("ocsp", "at: 2027-01-04T09:30:00Z\n"), ("gate", "no fact\n")):
        path = tmp_path / kind / "misspelt.case"
        path.parent.mkdir()
        path.write_text(text)
        with pytest.raises(AssertionError, match=r"called|no fact"):
            read(path)


def test_making_the_corpus_again_changes_nothing() -> None:
    """A file that was put there by hand is nobody's but its author's; what is made is the same, octet by octet."""
    changed = [name for name, text in generated().items() if (CORPUS / name).read_bytes() != text.encode()]
    assert changed == []

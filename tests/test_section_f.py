"""Section F as rules: each finds its own defect and nothing else does, and no date makes any of them crash."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.approval import DEVICE_TYPES, Device, EndCause, Firmware
from core.assurance import EarlierCpa
from core.errors import Severity
from policy.rules import judge, rule
from policy.section_f.application import (
    APPLICATION_RULES,
    EXAMPLE_PURPOSE,
    GRANT_RULES,
    MOST_DEVICES,
    MOST_FIRMWARE_VERSIONS,
    ApplicationFacts,
    application_findings,
    grant_findings,
)
from policy.section_f.assurance import AssuranceFacts
from policy.section_f.new_key import REKEY_RULES, RekeyFacts, rekey_findings
from policy.section_f.revocation import REVOCATION_RULES, RevocationFacts, revocation_findings

DIGEST = "ab" * 32
DEVICE = Device("ESME", "AB01", "010A030B", "01")
TODAY = date(2027, 1, 4)
# What F2.19 finds has a test of its own (test_section_f_assurance.py); here nothing is asked and nothing is wrong.
EVIDENCE = AssuranceFacts(DEVICE, (), (), EarlierCpa("CPA-1", "AB01", "OLDER", "01", date(2020, 1, 1)), TODAY)
AS_SHOWN = EarlierCpa("CPA-0001", "AB01", "OLDER", "01", date(2020, 1, 1))
OTHER = Device("ESME", "AB01", "010A030C", "01")
SOUND = ApplicationFacts(
    device=DEVICE,
    firmware=(Firmware("0002012F", DIGEST),),
    start=TODAY,
    expiry=date(2027, 6, 30),
    maximum_devices=500,
    today=TODAY,
    longest_trial=timedelta(days=730),
    issuing_ends=datetime(2034, 1, 2, 23, 59, 59, tzinfo=UTC),
    issuing_window_end=datetime(2032, 1, 2, 23, 59, 59, tzinfo=UTC),
    smets_version="SMETS V1.58",
    certificate_name="Maker Ltd",
    evidence=EVIDENCE,
)
NOON = datetime(2027, 3, 1, 12, 0, 0, tzinfo=UTC)
SOUND_REKEY = RekeyFacts(
    effective=datetime(2027, 3, 2, tzinfo=UTC),
    at=NOON,
    start=TODAY,
    expiry=date(2027, 6, 30),
    issuing_ends=SOUND.issuing_ends,
    issuing_window_end=SOUND.issuing_window_end,
)
SOUND_REVOCATION = RevocationFacts(EndCause.KEY_COMPROMISE, NOON, NOON)


def _firmware(*versions: str) -> tuple[Firmware, ...]:
    return tuple(Firmware(version, DIGEST) for version in versions)


@pytest.mark.clause("F2.18")
def test_a_sound_application_has_no_finding() -> None:
    assert application_findings(SOUND) == ()
    assert grant_findings(SOUND) == ()


DEFECTS = [
    ("smets-1", {"smets_version": "SMETS1"}),
    ("smets-1", {"smets_version": "smets 1 v1.2"}),
    ("smets-1", {"smets_version": "SMETS V1.2"}),
    ("smets-1", {"smets_version": "SMETS V1.57"}),
    ("gbcs-version", {"gbcs_version": "four"}),
    ("gbcs-version", {"gbcs_version": "4"}),
    ("gbcs-version", {"gbcs_version": "4.2 "}),
    ("gbcs-version", {"gbcs_version": "4.2\n"}),
    ("gbcs-version", {"gbcs_version": "4.2.1"}),
    ("device-type", {"device": replace(DEVICE, type="METER")}),
    ("device-type", {"device": replace(DEVICE, type="esme")}),
    ("device-name-length", {"device": replace(DEVICE, manufacturer="")}),
    ("device-name-length", {"device": replace(DEVICE, model="M" * 31)}),
    ("device-name-length", {"device": replace(DEVICE, hardware_version="H" * 31)}),
    ("name-unprintable", {"device": replace(DEVICE, manufacturer="AB\x0001")}),
    ("name-unprintable", {"device": replace(DEVICE, model="\u202e010A")}),
    ("name-unprintable", {"device": replace(DEVICE, model="010A\ud800")}),
    ("name-unprintable", {"device": replace(DEVICE, hardware_version=" 01")}),
    ("name-unprintable", {"device": replace(DEVICE, hardware_version="01\u00a0")}),
    ("name-unprintable", {"firmware": _firmware("0002\u20281")}),
    ("name-unprintable", {"firmware": _firmware("9001 ")}),
    ("name-unprintable", {"certificate_name": "Maker\nLtd"}),
    ("firmware-missing", {"firmware": ()}),
    (
        "firmware-too-many",
        {"firmware": _firmware(*(f"{number:04d}" for number in range(MOST_FIRMWARE_VERSIONS + 1)))},
    ),
    ("firmware-version-length", {"firmware": _firmware("")}),
    ("firmware-version-length", {"firmware": _firmware("123456789")}),
    ("firmware-digest", {"firmware": (Firmware("9001", "ab" * 31),)}),
    ("firmware-digest", {"firmware": (Firmware("9001", "ab" * 31 + "zz"),)}),
    ("firmware-digest", {"firmware": (Firmware("9001", DIGEST + "\n"),)}),
    ("firmware-repeated", {"firmware": _firmware("000a", "000A")}),
    ("maximum-devices", {"maximum_devices": 0}),
    ("maximum-devices", {"maximum_devices": MOST_DEVICES + 1}),
    ("maximum-devices", {"maximum_devices": -(10**5000)}),
    ("start-before-today", {"start": TODAY - timedelta(days=1)}),
    ("expiry-before-start", {"start": date(2027, 7, 1)}),
    ("trial-too-long", {"expiry": TODAY + timedelta(days=730)}),
    ("beyond-issuing-ca", {"issuing_ends": datetime(2027, 6, 30, 23, 59, 58, tzinfo=UTC)}),
    ("issuing-window-closed", {"issuing_window_end": datetime(2027, 1, 3, 23, 59, 59, tzinfo=UTC)}),
    ("certificate-name-length", {"certificate_name": ""}),
    ("certificate-name-length", {"certificate_name": "M" * 65}),
    ("example-value", {"live": True}),
    ("example-value", {"live": True, "device": OTHER, "contact": "trials@example.com"}),
    ("example-value", {"live": True, "device": OTHER, "contact": "trials@meters.EXAMPLE"}),
    ("example-value", {"live": True, "device": OTHER, "purpose": f"\n{EXAMPLE_PURPOSE}\n"}),
    ("example-value", {"live": True, "device": OTHER, "evidence": replace(EVIDENCE, earlier=AS_SHOWN)}),
    ("contact-malformed", {"contact": "nobody"}),
    ("contact-malformed", {"contact": "a@b"}),
    ("contact-malformed", {"contact": "a b@c.example"}),
    ("contact-malformed", {"contact": "a@c.example, b@c.example"}),
    ("contact-malformed", {"contact": "A <a@c.example>"}),
    ("contact-malformed", {"contact": "a@c.example\nBcc: b@c.example"}),
    ("contact-malformed", {"contact": "a@c..example"}),
    ("contact-malformed", {"contact": "a@-c.example"}),
    ("contact-malformed", {"contact": "a" * 65 + "@c.example"}),
    ("contact-malformed", {"contact": "a@" + "b.c" * 90}),
]


@pytest.mark.clause("F2.18")
@pytest.mark.clause("F2.21")
@pytest.mark.parametrize(("code", "changed"), DEFECTS, ids=lambda value: value if isinstance(value, str) else "")
def test_each_defect_is_found_by_its_own_rule_and_by_no_other(code: str, changed: dict[str, object]) -> None:
    facts = replace(SOUND, **changed)  # type: ignore[arg-type]
    for findings in (application_findings(facts), grant_findings(facts)):
        assert [finding.code for finding in findings] == [code]
        assert findings[0].severity is Severity.FATAL
        assert findings[0].detail.isprintable()
        assert len(findings[0].detail) < 300
        assert findings[0].remedy


@pytest.mark.clause("F2.21")
def test_a_contact_that_is_not_the_one_held_is_told_and_refuses_nothing() -> None:
    (found,) = application_findings(replace(SOUND, contact="a@c.example", contact_held="b@c.example"))
    assert (found.code, found.severity) == ("contact-not-the-one-held", Severity.NOTICE)


def test_each_rule_has_a_defect_here() -> None:
    advisory = {"smets-version", "contact-not-the-one-held"}
    assert {code for code, _ in DEFECTS} | advisory == {rule.code for rule in APPLICATION_RULES}
    assert set(APPLICATION_RULES) <= set(GRANT_RULES)


AT_THE_LIMIT = [
    {"live": True, "device": OTHER, "contact": "trials@example.co.uk", "purpose": "Forty homes in Leeds."},
    {"device": Device("CHF", "M" * 30, "N" * 30, "H" * 30), "smets_version": "CHTS V1.4"},
    {"device": replace(DEVICE, manufacturer="Ünlü & Söhne")},
    {"firmware": _firmware("12345678", "1")},
    {"firmware": _firmware(*(str(number) for number in range(MOST_FIRMWARE_VERSIONS)))},
    {"maximum_devices": 1},
    {"maximum_devices": MOST_DEVICES},
    {"expiry": TODAY},
    {"expiry": TODAY + timedelta(days=729)},
    {"issuing_ends": datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC)},
    {"issuing_window_end": datetime(2027, 1, 4, tzinfo=UTC)},
    {"certificate_name": "M" * 64},
    {"certificate_name": "M"},
    {"smets_version": "SMETS V2.0"},
    {"smets_version": "SMETS2 V5.1"},
    {"gbcs_version": "4.2"},
    {"gbcs_version": ""},
    {"contact": "trials+gb@meters.acme.example"},
    {"contact": "a@c.example", "contact_held": "a@c.example"},
    {"contact": "a" * 64 + "@c.example"},
    {"start": date(2028, 2, 29), "expiry": date(2028, 2, 29)},
    {
        "start": date(9999, 12, 31),
        "expiry": date(9999, 12, 31),
        "today": date(9999, 12, 31),
        "issuing_ends": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        "issuing_window_end": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    },
]


@pytest.mark.parametrize("changed", AT_THE_LIMIT, ids=str)
def test_what_lies_exactly_at_a_limit_is_allowed(changed: dict[str, object]) -> None:
    assert application_findings(replace(SOUND, **changed)) == ()  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", DEVICE_TYPES)
def test_every_device_type_of_the_dcc_can_be_tried(kind: str) -> None:
    version = "CHTS V1.4" if kind in {"CHF", "GPF"} else "SMETS V1.58"
    assert application_findings(replace(SOUND, device=replace(DEVICE, type=kind), smets_version=version)) == ()


@pytest.mark.clause("F2.18")
@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("ESME", None),
        ("ESME", ""),
        ("ESME", " "),
        ("ESME", "the newest"),
        ("ESME", "1.58"),
        ("ESME", "SMETS V"),
        ("GSME", "CHTS V1.4"),
        ("CHF", "SMETS V1.58"),
        ("GPF", "SMETS2 V5.1"),
    ],
)
def test_a_version_that_is_empty_unreadable_or_of_another_kind_of_device_is_a_finding(
    kind: str, version: str | None
) -> None:
    facts = replace(SOUND, device=replace(DEVICE, type=kind), smets_version=version)
    (found,) = application_findings(facts)
    assert (found.code, found.severity, found.clause) == ("smets-version", Severity.WARNING, "F2.18")


def test_all_findings_are_told_at_once() -> None:
    facts = replace(
        SOUND, device=Device("X", "", "", ""), firmware=_firmware("", "123456789"), start=date(1, 1, 1), expiry=date.max
    )
    codes = [finding.code for finding in application_findings(facts)]
    assert codes.count("device-name-length") == 3
    assert codes.count("firmware-version-length") == 2
    assert {"device-type", "start-before-today", "trial-too-long", "beyond-issuing-ca"} <= set(codes)


REKEY_DEFECTS = [
    ("effective-not-whole", {"effective": datetime(2027, 3, 2, 0, 0, 0, 1, tzinfo=UTC)}),
    ("effective-not-whole", {"effective": datetime(2027, 3, 2, tzinfo=timezone(timedelta(hours=1)))}),
    ("effective-not-in-future", {"effective": NOON}),
    ("effective-not-in-future", {"at": datetime(2027, 3, 3, tzinfo=UTC)}),
    ("effective-before-start", {"start": date(2027, 3, 3)}),
    ("effective-after-expiry", {"effective": datetime(2027, 7, 1, tzinfo=UTC)}),
    ("effective-after-expiry", {"effective": datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC)}),
    ("beyond-issuing-ca", {"issuing_ends": datetime(2027, 6, 30, 23, 59, 58, tzinfo=UTC)}),
    ("issuing-window-closed", {"issuing_window_end": NOON - timedelta(seconds=1)}),
    ("same-key-again", {"same_key": True}),
    ("same-key-again", {"same_key": True, "issuer_ended": True, "compromised": True}),
]


@pytest.mark.clause("F2.25")
@pytest.mark.parametrize(("code", "changed"), REKEY_DEFECTS, ids=lambda value: value if isinstance(value, str) else "")
def test_each_defect_of_a_new_key_is_found_by_its_own_rule(code: str, changed: dict[str, object]) -> None:
    findings = rekey_findings(replace(SOUND_REKEY, **changed))  # type: ignore[arg-type]
    assert [finding.code for finding in findings] == [code]


def test_a_sound_rekey_has_no_finding_and_each_of_its_rules_a_defect() -> None:
    assert rekey_findings(SOUND_REKEY) == ()
    assert rekey_findings(replace(SOUND_REKEY, same_key=True, issuer_ended=True)) == ()
    assert rekey_findings(replace(SOUND_REKEY, effective=NOON + timedelta(seconds=1))) == ()
    assert rekey_findings(replace(SOUND_REKEY, effective=datetime(2027, 6, 30, 23, 59, 58, tzinfo=UTC))) == ()
    assert {code for code, _ in REKEY_DEFECTS} == {rule.code for rule in REKEY_RULES}


REVOCATION_DEFECTS = [
    ("invalidity-date-unfounded", {"cause": EndCause.SSC}),
    ("invalidity-date-malformed", {"invalidity_date": NOON - timedelta(microseconds=1)}),
    ("invalidity-date-in-future", {"invalidity_date": NOON + timedelta(seconds=1)}),
    ("breach-without-cause", {"breach_cited": True}),
    ("breach-not-cited", {"cause": EndCause.BREACH, "invalidity_date": None}),
    ("request-without-end", {"request_named": True}),
    ("ended-before", {"ended": ["TDA-2027-0042-Y"]}),
]


@pytest.mark.clause("F2.30")
@pytest.mark.parametrize(("code", "changed"), REVOCATION_DEFECTS)
def test_each_defect_of_a_revocation_is_found_by_its_own_rule(code: str, changed: dict[str, object]) -> None:
    findings = revocation_findings(replace(SOUND_REVOCATION, **changed))  # type: ignore[arg-type]
    assert [finding.code for finding in findings] == [code]


def test_a_sound_revocation_has_no_finding_and_each_of_its_rules_a_defect() -> None:
    assert revocation_findings(SOUND_REVOCATION) == ()
    for cause in EndCause:
        cited = cause is EndCause.BREACH
        assert revocation_findings(RevocationFacts(cause, None, NOON, breach_cited=cited)) == ()
    assert {code for code, _ in REVOCATION_DEFECTS} == {rule.code for rule in REVOCATION_RULES}


def test_a_rule_that_crashes_is_a_fatal_finding_and_the_others_still_speak() -> None:
    @rule("broken", "F2.18", Severity.NOTICE, "None.")
    def broken(facts: ApplicationFacts) -> tuple[str, ...]:
        raise KeyError(facts.expiry)

    codes = [(each.code, each.severity) for each in judge((broken, *APPLICATION_RULES), replace(SOUND, firmware=()))]
    assert codes == [("rule-crashed", Severity.FATAL), ("firmware-missing", Severity.FATAL)]
    naive = replace(SOUND_REKEY, effective=datetime(2027, 3, 2))  # noqa: DTZ001 - what a fault of ours would hand in
    assert "rule-crashed" in {finding.code for finding in rekey_findings(naive)}


INSTANTS = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0))


ANYTHING = st.builds(
    ApplicationFacts,
    device=st.builds(Device, st.text(), st.text(), st.text(), st.text()),
    firmware=st.lists(st.builds(Firmware, st.text(), st.text()), max_size=4).map(tuple),
    start=st.dates(),
    expiry=st.dates(),
    maximum_devices=st.integers(),
    today=st.dates(),
    longest_trial=st.timedeltas(),
    issuing_ends=INSTANTS,
    issuing_window_end=INSTANTS,
    smets_version=st.text() | st.none(),
    certificate_name=st.text(),
    evidence=st.just(EVIDENCE),
    gbcs_version=st.text(),
    contact=st.text() | st.emails(),
)


@given(ANYTHING)
def test_nothing_that_is_applied_for_makes_a_rule_crash(facts: ApplicationFacts) -> None:
    findings = application_findings(facts)
    assert "rule-crashed" not in {finding.code for finding in findings}
    for finding in findings:
        finding.detail.encode("utf-8")


@given(INSTANTS, INSTANTS, st.dates(), st.dates(), INSTANTS, INSTANTS)
def test_nothing_in_a_rekey_makes_a_rule_crash(
    effective: datetime, at: datetime, start: date, expiry: date, ends: datetime, window: datetime
) -> None:
    findings = rekey_findings(RekeyFacts(effective, at, start, expiry, ends, window))
    assert "rule-crashed" not in {finding.code for finding in findings}

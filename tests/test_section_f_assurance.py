"""F2.19 as rules: each finds its own defect, only the same model in (b) refuses, and nothing named makes one crash."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.approval import DEVICE_TYPES, Device
from core.assurance import (
    AssuranceCertificate,
    EarlierCpa,
    assurance_of,
    assurance_text,
    earlier_cpa_of,
    earlier_cpa_text,
)
from core.errors import Severity
from policy.section_f.assurance import (
    ASSURANCE_RULES,
    DEFAULT_SCHEMES,
    LONGEST_CERTIFICATE_TEXT,
    AssuranceFacts,
    assurance_findings,
)

TODAY = date(2027, 1, 4)
DEVICE = Device("ESME", "AB01", "010A030B", "01")
ZIGBEE = AssuranceCertificate("ZigBee", "ZB-1", "AB01", "010A030B", "01", date(2026, 5, 1))
DLMS = AssuranceCertificate("DLMS", "1234", "AB01", "010A030B", "")
EARLIER = EarlierCpa("NCSC-77", "AB01", "010A0000", "01", date(2020, 1, 1), date(2028, 1, 1))
SOUND = AssuranceFacts(DEVICE, DEFAULT_SCHEMES["ESME"], (ZIGBEE, DLMS), EARLIER, TODAY)


def codes(**changed: object) -> list[tuple[str, Severity]]:
    found = assurance_findings(replace(SOUND, **changed))  # type: ignore[arg-type]
    for each in found:
        assert each.clause == "F2.19"
        assert each.detail.isprintable()
        assert each.remedy
    return [(each.code, each.severity) for each in found]


@pytest.mark.clause("F2.19")
def test_all_assurance_certificates_and_an_earlier_cpa_certificate_are_enough() -> None:
    assert codes() == []


@pytest.mark.clause("F2.19")
def test_a_scheme_that_the_type_needs_and_that_is_not_named_is_missing() -> None:
    assert codes(held=()) == [("assurance-missing", Severity.WARNING)] * 2
    assert codes(held=(ZIGBEE,)) == [("assurance-missing", Severity.WARNING)]
    assert codes(schemes=(), held=()) == []
    assert codes(schemes=("zigbee", "DLMS")) == []
    assert codes(schemes=("ZigBee", "DLMS", "Wi-SUN")) == [("assurance-missing", Severity.WARNING)]


def test_every_device_type_of_the_dcc_has_a_default() -> None:
    assert set(DEFAULT_SCHEMES) == set(DEVICE_TYPES)


@pytest.mark.clause("F2.19")
@pytest.mark.parametrize(
    "wrong",
    [replace(ZIGBEE, model="010A030C"), replace(ZIGBEE, manufacturer="AB02"), replace(ZIGBEE, hardware_version="02")],
    ids=["model", "manufacturer", "hardware_version"],
)
def test_a_certificate_that_names_another_model_contradicts_and_does_not_count(wrong: AssuranceCertificate) -> None:
    assert codes(held=(wrong, DLMS)) == [
        ("assurance-missing", Severity.WARNING),
        ("assurance-other-model", Severity.WARNING),
    ]
    assert codes(held=(wrong, ZIGBEE, DLMS)) == [("assurance-other-model", Severity.WARNING)]


def test_names_are_compared_without_case_and_never_as_numbers() -> None:
    lower = replace(ZIGBEE, scheme="ZIGBEE", manufacturer="ab01", model="010a030b")
    assert codes(held=(lower, DLMS)) == []
    assert "assurance-other-model" in dict(codes(held=(replace(ZIGBEE, model="10A030B"), DLMS)))


@pytest.mark.clause("F2.19")
def test_without_an_earlier_cpa_certificate_something_is_missing() -> None:
    assert codes(earlier=None) == [("earlier-cpa-missing", Severity.WARNING)]


@pytest.mark.clause("F2.19")
@pytest.mark.parametrize("hardware", ["01", ""])
def test_the_very_model_that_is_to_be_tried_cannot_prove_itself(hardware: str) -> None:
    same = replace(EARLIER, manufacturer="ab01", model="010a030b", hardware_version=hardware)
    assert codes(earlier=same) == [("earlier-cpa-same-model", Severity.FATAL)]


def test_another_hardware_version_is_another_device_model() -> None:
    assert codes(earlier=replace(EARLIER, model="010A030B", hardware_version="02")) == []


@pytest.mark.clause("F2.19")
def test_a_cpa_certificate_of_another_manufacturer_is_shown_to_the_officers() -> None:
    assert codes(earlier=replace(EARLIER, manufacturer="ZZ99")) == [
        ("earlier-cpa-other-manufacturer", Severity.WARNING)
    ]


@pytest.mark.clause("F2.19")
def test_an_earlier_certificate_that_has_expired_since_still_counts() -> None:
    assert codes(earlier=replace(EARLIER, expires_on=TODAY)) == []
    yesterday = replace(EARLIER, expires_on=TODAY - timedelta(days=1))
    assert codes(earlier=yesterday) == [("earlier-cpa-expired", Severity.NOTICE)]
    assert codes(earlier=replace(EARLIER, expires_on=None)) == []


def test_dates_that_cannot_be_are_shown() -> None:
    tomorrow = TODAY + timedelta(days=1)
    warned = [("certificate-dates", Severity.WARNING)]
    assert codes(held=(replace(ZIGBEE, issued_on=tomorrow), DLMS)) == warned
    assert codes(held=(replace(ZIGBEE, issued_on=TODAY), DLMS)) == []
    assert codes(earlier=replace(EARLIER, issued_on=tomorrow)) == warned
    assert ("certificate-dates", Severity.WARNING) in codes(earlier=replace(EARLIER, expires_on=date(2019, 12, 31)))
    assert codes(earlier=replace(EARLIER, issued_on=TODAY, expires_on=TODAY)) == []


def _member(name: str, said: str) -> dict[str, Any]:  # of any type: which member is a text, only the name can tell
    return {name: said}


@pytest.mark.parametrize("name", ["certificate", "manufacturer", "model", "hardware_version", "scheme"])
def test_what_is_no_text_of_a_certificate_is_refused(name: str) -> None:
    for wrong in (
        "x" * (LONGEST_CERTIFICATE_TEXT + 1),
        "a\x00b",
        " a",
        "a\u202eb",
        *([""] if name != "hardware_version" else []),
    ):
        held = replace(ZIGBEE, **_member(name, wrong))
        assert ("certificate-text", Severity.FATAL) in codes(held=(held, ZIGBEE, DLMS))
        if name != "scheme":
            assert ("certificate-text", Severity.FATAL) in codes(earlier=replace(EARLIER, **_member(name, wrong)))
    longest = "x" * LONGEST_CERTIFICATE_TEXT
    assert "certificate-text" not in dict(codes(held=(replace(ZIGBEE, **_member(name, longest)), ZIGBEE, DLMS)))


def test_each_rule_is_broken_here() -> None:
    future = TODAY + timedelta(days=1)
    broken = {
        code
        for changed in (
            {"held": (), "earlier": None},
            {"held": (replace(ZIGBEE, model="X"),), "earlier": EarlierCpa("1", "Z", "X", "", future, TODAY)},
            {"earlier": replace(EARLIER, model=DEVICE.model, expires_on=date(2021, 1, 1))},
            {"held": (replace(ZIGBEE, certificate=""),)},
        )
        for code, _ in codes(**changed)
    }
    assert broken == {rule.code for rule in ASSURANCE_RULES}


DAYS = st.dates() | st.none()
HELD = st.builds(AssuranceCertificate, st.text(), st.text(), st.text(), st.text(), st.text(), DAYS)
EARLIERS = st.builds(EarlierCpa, st.text(), st.text(), st.text(), st.text(), st.dates(), DAYS) | st.none()


@given(
    st.builds(
        AssuranceFacts,
        device=st.builds(Device, st.text(), st.text(), st.text(), st.text()),
        schemes=st.lists(st.text(), max_size=4).map(tuple),
        held=st.lists(HELD, max_size=4).map(tuple),
        earlier=EARLIERS,
        today=st.dates(),
    )
)
def test_nothing_that_is_named_makes_a_rule_crash(facts: AssuranceFacts) -> None:
    for each in assurance_findings(facts):
        assert each.code != "rule-crashed"
        each.detail.encode("utf-8")
        assert len(each.detail) < 1_500


PRINTED = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    st.lists(st.builds(AssuranceCertificate, PRINTED, PRINTED, PRINTED, PRINTED, PRINTED, DAYS)).map(tuple),
    st.builds(EarlierCpa, PRINTED, PRINTED, PRINTED, PRINTED, st.dates(), DAYS) | st.none(),
)
def test_what_is_kept_is_what_was_said(held: tuple[AssuranceCertificate, ...], earlier: EarlierCpa | None) -> None:
    assert assurance_of(assurance_text(held)) == held
    assert earlier_cpa_of(earlier_cpa_text(earlier)) == earlier

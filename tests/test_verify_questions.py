"""What /v1/verify makes of questions that it does not understand: a refusal by kind, never more."""

import base64
import contextlib
import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from api.status.certificates import der_of
from api.status.questions import QUESTION_LIMIT, TEXT_LIMIT, parse_question
from api.status.snapshot import build
from api.status.verify import answer
from core.errors import (
    BodyMalformed,
    CertificateMalformed,
    DeviceIdMalformed,
    IdentifierMalformed,
    InstantInFuture,
    InstantMalformed,
    RequestMalformed,
    SerialMalformed,
)
from core.instants import text
from tests.status_world import NOON, SECOND, World

UNIT = "00-DB-12-34-56-78-90-01"
GOOD = '{"approval":"TDT-2027-0042-5"'


WORLD = World()
LEAF = WORLD.certificate(WORLD.grant()).public_bytes(Encoding.DER)
VIEW = build(WORLD.authority(), WORLD.approvals(None), 0.0)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", BodyMalformed),
        (b"\xff\xfe", BodyMalformed),
        (b"[]", BodyMalformed),
        (b'"x"', BodyMalformed),
        (b"{}", BodyMalformed),
        (b'{"at":"2027-01-01T00:00:00Z"}', BodyMalformed),
        (b'{"approval":"TDT-2027-0042-5","serial":"5F"}', BodyMalformed),
        (b'{"approval":null}', BodyMalformed),
        (b'{"approval":42}', BodyMalformed),
        (b'{"approval":""}', BodyMalformed),
        (b'{"approval":NaN}', BodyMalformed),
        (b'{"approval":"TDT-2027-0042-5","at":Infinity}', BodyMalformed),
        (b'{"approval":' + b"1" * 5000 + b"}", BodyMalformed),
        (b"[" * 30_000, BodyMalformed),
        (b'{"device":' * 9_000, BodyMalformed),
        ((GOOD + ',"approval":"TDT-2027-0042-5"}').encode(), BodyMalformed),
        ((GOOD + ',"firmware":"x"}').encode(), BodyMalformed),
        ((GOOD + ',"at":7}').encode(), BodyMalformed),
        ((GOOD + ',"at":"yesterday"}').encode(), InstantMalformed),
        ((GOOD + ',"at":"2027-01-05"}').encode(), InstantMalformed),
        ((GOOD + ',"at":"2027-01-05T00:00:00,5Z"}').encode(), InstantMalformed),
        ((GOOD + ',"at":"2027-01-05T00:00:00"}').encode(), InstantMalformed),
        ((GOOD + f',"at":"{text(NOON + SECOND)}"}}').encode(), InstantInFuture),
        ((GOOD + ',"device_id":"00-DB"}').encode(), DeviceIdMalformed),
        (b'{"approval":"TDT-2027-0042-6"}', IdentifierMalformed),
        (b'{"approval":"\\ud800"}', IdentifierMalformed),
        (b'{"serial":"xyz"}', SerialMalformed),
        (b'{"certificate":"x"}', CertificateMalformed),
        (b'{"device":[]}', BodyMalformed),
        (b'{"device":{}}', BodyMalformed),
        (b'{"device":{"model":"1","firmware_version":"1"}}', BodyMalformed),
        (b'{"device":{"manufacturer":"1","firmware_version":"1"}}', BodyMalformed),
        (b'{"device":{"manufacturer":"1","model":10,"firmware_version":"1"}}', BodyMalformed),
        (b'{"device":{"manufacturer":"1","model":"1","firmware_version":"1","firmware_hash":"00"}}', BodyMalformed),
        (
            b'{"device":{"manufacturer":"1","model":"1","type":"IHD","firmware_hash":"' + b"0" * 64 + b'"}}',
            BodyMalformed,
        ),
        (b'{"device":{"manufacturer":"1","model":"1","firmware_version":"1","eui":"1"}}', BodyMalformed),
    ],
)
def test_a_question_that_is_not_understood_is_refused_by_its_kind(body: bytes, error: type[RequestMalformed]) -> None:
    assert len(body) <= QUESTION_LIMIT * 2
    with pytest.raises(RequestMalformed) as refused:
        parse_question(body, NOON)
    assert type(refused.value) is error
    assert refused.value.hint


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=40), st.integers(0, len(LEAF) - 1), st.integers(0, 255))
def test_any_octets_in_the_armour_are_unknown_or_malformed(octets: bytes, place: int, octet: int) -> None:
    for der in (octets, LEAF[:place], LEAF[:place] + bytes([octet]) + LEAF[place:], LEAF + octets):
        if der == LEAF:
            continue
        armour = f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(der).decode()}\n-----END CERTIFICATE-----"
        with contextlib.suppress(CertificateMalformed):
            question = parse_question(json.dumps({"certificate": armour}).encode(), NOON)
            answered = answer(VIEW, question, NOON, WORLD.past_answer, WORLD.units)
            assert answered["state"] == "unknown"


@pytest.mark.parametrize(
    ("octets", "whole"),
    [
        ("3006 3000 3000 0300", True),
        ("308106 3000 3000 0300", True),
        ("30840000000A 300430003000 3000 0300", True),
        ("3008 3000 3000 0300 0500", False),
        ("3004 3000 3000", False),
        ("3006 3000 3000 0400", False),
        ("3106 3000 3000 0300", False),
        ("3006 3000 3000 0301", False),
        ("3006 3000 3000 0300 00", False),
        ("3080 3000 3000 0300 0000", False),
        ("308500000000 06 3000 3000 0300", False),
        ("3005 3000 3000 03", False),
        ("30", False),
        ("", False),
    ],
)
def test_only_the_outline_of_a_certificate_is_taken_for_one(octets: str, whole: bool) -> None:  # noqa: FBT001
    armour = base64.b64encode(bytes.fromhex(octets)).decode()
    expected = contextlib.nullcontext() if whole else pytest.raises(CertificateMalformed)
    with expected:
        der_of(f"-----BEGIN CERTIFICATE-----\n{armour}\n-----END CERTIFICATE-----\n")


def test_a_text_at_its_limit_is_read_and_one_character_more_is_not() -> None:
    for name in ("type", "manufacturer", "model", "hardware_version", "firmware_version"):
        for length, understood in ((TEXT_LIMIT, True), (TEXT_LIMIT + 1, False)):
            device = {"manufacturer": "1", "model": "1", "firmware_version": "1", name: "x" * length}
            expected = contextlib.nullcontext() if understood else pytest.raises(BodyMalformed)
            with expected:
                parse_question(json.dumps({"device": device}).encode(), NOON)


def test_a_wrong_check_character_is_refused_and_the_right_one_is_not_told() -> None:
    with pytest.raises(IdentifierMalformed) as refused:
        parse_question(b'{"approval":"TDT-2027-0042-6"}', NOON)
    assert "0042-5" not in f"{refused.value} {refused.value.hint}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.dictionaries(
    st.sampled_from(["approval", "certificate", "serial", "device", "at", "device_id", "x"]),
    JSON
    | st.dictionaries(
        st.sampled_from(["type", "manufacturer", "model", "hardware_version", "firmware_version", "firmware_hash"]),
        st.text(max_size=70) | JSON,
    )
    | st.sampled_from(["TDT-2027-0042-5", "5F3A", UNIT, "2027-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59"]),
    max_size=3,
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | MEMBERS.map(lambda asked: json.dumps(asked).encode()))
def test_no_question_whatever_does_anything_but_answer_or_refuse(body: bytes) -> None:
    with contextlib.suppress(RequestMalformed):
        answered = answer(VIEW, parse_question(body, NOON), NOON, WORLD.past_answer, WORLD.units)
        assert answered["valid"] is False or answered["state"] == "active"
        json.dumps(answered)

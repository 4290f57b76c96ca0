"""/v1/verify: every row of the table of ends, every way to ask, and what hostile questions get."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from api.status.ocsp import TRY_LATER, respond
from api.status.snapshot import build
from core.approval import Device, EndCause, Firmware
from core.errors import (
    BodyMalformed,
    CertificateMalformed,
)
from core.instants import text
from tests.status_plane import ask, codes
from tests.status_world import DAY, ESME, EXPIRY, FIRMWARE, GRANTED, HOUR, NOON, SECOND, START, World

DEVICE = {"manufacturer": "AB01", "model": "010A030B", "firmware_version": "0002012F"}
UNIT = "00-DB-12-34-56-78-90-01"


@pytest.fixture
def world() -> World:
    return World()


def pem(world: World, identifier: str, issue: int = 1) -> str:
    return world.certificate(identifier, issue).public_bytes(Encoding.PEM).decode()


def serial(world: World, identifier: str, issue: int = 1) -> str:
    return next(one.serial for one in world.kept[identifier].record.certificates if one.issue == issue)


def every_way(world: World, identifier: str, issue: int = 1) -> list[dict[str, Any]]:
    return [
        {"approval": identifier},
        {"certificate": pem(world, identifier, issue)},
        {"serial": serial(world, identifier, issue)},
        {"device": DEVICE},
    ]


# --- how an approval ends ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One row of the table of ends."""

    act: Callable[[World, str, datetime], object] | None
    at: datetime
    before: tuple[str, list[str]]
    after: tuple[str, list[str]]
    reason: str | None


def _end(cause: EndCause) -> Callable[[World, str, datetime], object]:
    return lambda world, identifier, at: world.end(identifier, at, cause)


ACTIVE: tuple[str, list[str]] = ("active", [])
ROWS = {
    "start": Row(None, START, ("not_yet_started", ["not-yet-started"]), ACTIVE, None),
    "expiry": Row(None, EXPIRY + SECOND, ACTIVE, ("expired", ["expired"]), "cessation_of_operation"),
    "ssc": Row(_end(EndCause.SSC), NOON, ACTIVE, ("cancelled", ["revoked"]), "privilege_withdrawn"),
    "breach": Row(_end(EndCause.BREACH), NOON, ACTIVE, ("cancelled", ["revoked-for-breach"]), "privilege_withdrawn"),
    "key": Row(_end(EndCause.KEY_COMPROMISE), NOON, ACTIVE, ("cancelled", ["key-compromise"]), "key_compromise"),
    "withdrawn": Row(
        _end(EndCause.MANUFACTURER), NOON, ACTIVE, ("withdrawn", ["withdrawn-at-request"]), "cessation_of_operation"
    ),
}


@pytest.mark.clause("F2.31")
@pytest.mark.clause("F2.30")
@pytest.mark.clause("F2.26")
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_each_end_is_told_by_verification_and_ocsp_from_its_first_second_on(world: World, row: Row) -> None:
    identifier = world.grant()
    world.presign(identifier, row.at - HOUR)
    if row.act is not None:
        row.act(world, identifier, row.at)
    request = world.ocsp_request(world.certificate(identifier))

    def responded(at: datetime) -> bytes:
        return respond(build(world.authority(), world.approvals(None), 0.0), request, at).body

    for question in every_way(world, identifier):
        last, first = ask(world, question, row.at - SECOND), ask(world, question, row.at)
        assert (last["state"], codes(last)) == row.before
        assert (first["state"], codes(first)) == row.after
        for answered in (last, first):
            assert answered["valid"] is answered["deemed_cpa_certificate"] is (answered["state"] == "active")
            assert answered["approval"] == identifier
        assert last["fresh_until"] == text(row.at - SECOND) or row.act is not None
        assert base64.b64decode(last["ocsp"]) == responded(row.at - SECOND)
        # No answer that has become untrue is shown as proof, and none at all is shown by the responder.
        if row.reason is not None:
            assert first["ocsp"] is None
            assert responded(row.at) == TRY_LATER

    world.presign(identifier, row.at)
    told = ocsp.load_der_ocsp_response(responded(row.at))
    assert base64.b64decode(ask(world, {"approval": identifier}, row.at)["ocsp"]) == responded(row.at)
    if row.reason is None:
        assert told.certificate_status is ocsp.OCSPCertStatus.GOOD
    else:
        assert told.certificate_status is ocsp.OCSPCertStatus.REVOKED
        assert told.revocation_time_utc == row.at
        assert told.revocation_reason is not None
        assert told.revocation_reason.name == row.reason


@pytest.mark.clause("F2.29")
def test_a_replaced_certificate_is_cancelled_and_its_approval_lives_in_the_later_one(world: World) -> None:
    identifier = world.grant()
    world.amend(identifier, effective=NOON, signed_at=NOON - DAY, maximum_devices=9)
    for question in ({"serial": serial(world, identifier)}, {"certificate": pem(world, identifier)}):
        before, after = ask(world, question, NOON - SECOND), ask(world, question)
        assert (before["state"], before["valid"], before["issue"]) == ("active", True, 1)
        assert before["fresh_until"] == text(NOON - SECOND)
        assert (after["state"], after["valid"], after["issue"]) == ("cancelled", False, 1)
        assert codes(after) == ["superseded"]
        assert "issue 2" in after["reasons"][0]["detail"]
    for broad in ({"approval": identifier}, {"device": DEVICE}):
        assert ask(world, broad, NOON - SECOND)["issue"] == 1
        assert (ask(world, broad)["issue"], ask(world, broad)["valid"]) == (2, True)
    later = {"serial": serial(world, identifier, 2)}
    assert ask(world, later, NOON - SECOND)["state"] == "not_yet_started"
    assert ask(world, later)["valid"] is True


@pytest.mark.clause("F2.25")
def test_a_grant_without_its_certificate_is_never_valid(world: World) -> None:
    identifier = world.grant(issue=False)
    for now, state in ((START - SECOND, "not_yet_started"), (START, "active"), (EXPIRY + SECOND, "expired")):
        answered = ask(world, {"approval": identifier}, now)
        assert (answered["state"], answered["valid"]) == (state, False)
        assert "certificate-not-issued" in codes(answered)
        assert answered["ocsp"] is answered["serial"] is answered["issue"] is None
        assert answered["fresh_until"] <= text(now + 10 * SECOND), "a no that lifts in seconds is not kept for an hour"


# --- what is not ours --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"approval": "TDT-2027-0042-5"}, "unknown-approval"),
        ({"approval": "TDA-2027-0042-Y"}, "unknown-approval"),
        ({"serial": "5F3A"}, "unknown-serial"),
        ({"serial": "0A" * 20}, "unknown-serial"),
        ({"device": DEVICE}, "device-not-approved"),
    ],
)
def test_what_was_never_granted_is_unknown(world: World, question: dict[str, Any], code: str) -> None:
    world.grant(7, device=Device("ESME", "other", "other", "1"))
    answered = ask(world, question)
    assert (answered["state"], answered["valid"], codes(answered)) == ("unknown", False, [code])
    assert answered["approval"] is answered["ocsp"] is answered["not_after"] is answered["device"] is None


@pytest.mark.clause("F2.25")
@pytest.mark.parametrize(
    "every",
    [pytest.param(9, id="a bit of each octet"), pytest.param(1, id="each bit", marks=pytest.mark.long)],
)
def test_a_certificate_is_recognised_by_its_exact_bytes_and_no_changed_bit_passes(world: World, every: int) -> None:
    identifier = world.grant()
    certificate = world.certificate(identifier)
    assert ask(world, {"certificate": pem(world, identifier)})["valid"] is True
    der = certificate.public_bytes(Encoding.DER)
    outcomes = set()
    for place in range(0, len(der) * 8, every):
        changed = bytearray(der)
        changed[place // 8] ^= 1 << place % 8
        armour = base64.encodebytes(bytes(changed)).decode()
        try:
            answered = ask(world, {"certificate": f"-----BEGIN CERTIFICATE-----\n{armour}-----END CERTIFICATE-----\n"})
        except CertificateMalformed:
            outcomes.add("malformed")
        else:
            assert (answered["state"], codes(answered)) == ("unknown", ["not-issued-here"])
            outcomes.add("unknown")
    assert outcomes == {"malformed", "unknown"}


@pytest.mark.clause("F2.25")
def test_a_foreign_certificate_with_our_names_and_serial_is_unknown(world: World) -> None:
    identifier = world.grant()
    other = World()
    other.grant()
    for foreign in (pem(other, identifier), other.issuing.public_bytes(Encoding.PEM).decode()):
        assert codes(ask(world, {"certificate": foreign})) == ["not-issued-here"]


def test_a_certificate_is_read_in_every_form_of_pem_and_only_alone(world: World) -> None:
    own = pem(world, world.grant())
    body = "".join(own.splitlines()[1:-1])
    one_line = f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"
    for form in (own, own.replace("\n", "\r\n"), one_line, f"subject=CN = x\n\n{own}\n", own.strip()):
        assert ask(world, {"certificate": form})["valid"] is True
    for wrong in (
        own + own,
        body,
        own[:-40],
        own.replace("CERTIFICATE", "CERTIFICATE REQUEST"),
        own.replace("CERTIFICATE", "PRIVATE KEY"),
        own + "-----BEGIN X509 CRL-----\nAA==\n-----END X509 CRL-----\n",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nMAB=\n-----END CERTIFICATE-----\n",
        "\ud800",
    ):
        with pytest.raises(CertificateMalformed):
            ask(world, {"certificate": wrong})


def test_a_changed_bit_in_the_padding_of_the_armour_is_refused(world: World) -> None:
    armours = (pem(world, world.grant(number)) for number in range(1, 50))
    padded = next(armour for armour in armours if "=\n-----END" in armour)
    place = padded.index("=\n-----END" if "==\n" not in padded else "==\n") - 1
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    changed = padded[:place] + alphabet[alphabet.index(padded[place]) ^ 1] + padded[place + 1 :]
    assert ask(world, {"certificate": padded})["valid"] is True
    with pytest.raises(CertificateMalformed):
        ask(world, {"certificate": changed})


# --- by device ---------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.26")
def test_by_device_case_does_not_matter_and_other_fields_do(world: World) -> None:
    identifier = world.grant()
    same = {"manufacturer": "ab01", "model": "010a030b", "firmware_version": "0002012f", "type": "esme"}
    assert ask(world, {"device": same})["approval"] == identifier
    assert ask(world, {"device": same})["valid"] is True
    assert ask(world, {"device": same})["device"] == {
        "type": "ESME",
        "manufacturer": "AB01",
        "model": "010A030B",
        "hardware_version": "01",
    }
    for name, other in (("type", "GSME"), ("hardware_version", "1"), ("model", "10A030B"), ("manufacturer", "AB1")):
        assert codes(ask(world, {"device": {**same, name: other}})) == ["device-not-approved"]


@pytest.mark.clause("F2.26")
def test_by_device_the_active_approval_answers_else_the_coming_one_else_the_last_that_ended(world: World) -> None:
    old = world.grant(1, start=START, expiry=START + 30 * DAY - SECOND)
    ended = world.grant(2, start=START + 40 * DAY, expiry=START + 90 * DAY - SECOND)
    world.end(ended, START + 50 * DAY, EndCause.MANUFACTURER)
    coming = world.grant(3, start=START + 60 * DAY, expiry=START + 120 * DAY - SECOND, granted_at=START + 55 * DAY)

    def asked(now: datetime) -> tuple[str, str, str]:
        answered = ask(world, {"device": DEVICE}, now)
        return answered["approval"], answered["state"], answered["fresh_until"]

    assert asked(START + 29 * DAY)[:2] == (old, "active")
    assert asked(START + 35 * DAY)[:2] == (ended, "not_yet_started")
    assert asked(START + 45 * DAY)[:2] == (ended, "active")
    assert asked(START + 50 * DAY)[:2] == (ended, "withdrawn")
    assert asked(START + 55 * DAY - SECOND) == (ended, "withdrawn", text(START + 55 * DAY - SECOND))
    assert asked(START + 55 * DAY)[:2] == (coming, "not_yet_started")
    assert asked(START + 60 * DAY)[:2] == (coming, "active")
    assert asked(START + 130 * DAY)[:2] == (coming, "expired")
    before = ask(world, {"device": DEVICE, "at": text(GRANTED - DAY)})
    assert (before["state"], codes(before)) == ("unknown", ["not-granted-then"])


@pytest.mark.clause("F2.18")
def test_by_device_what_fits_several_devices_is_not_answered_with_any_of_them(world: World) -> None:
    first = world.grant(1)
    assert ask(world, {"device": DEVICE})["valid"] is True
    second = world.grant(2, device=replace(ESME, hardware_version="02"))
    answered = ask(world, {"device": DEVICE})
    assert (answered["valid"], answered["state"], codes(answered)) == (False, "unknown", ["device-ambiguous"])
    assert answered["reasons"][0]["detail"].endswith("differ in: hardware_version.")
    assert answered["approval"] is None
    world.grant(3, device=replace(ESME, type="GSME"))
    assert "type, hardware_version" in ask(world, {"device": DEVICE})["reasons"][0]["detail"]
    told = {**DEVICE, "type": "ESME", "hardware_version": "02"}
    assert ask(world, {"device": told})["approval"] == second
    assert ask(world, {"device": {**told, "hardware_version": "01"}})["approval"] == first


@pytest.mark.clause("F2.25")
def test_each_firmware_version_is_asked_for_by_itself_and_by_its_image(world: World) -> None:
    world.presign(world.grant(firmware=(FIRMWARE, Firmware("9001", "cd" * 32))), NOON)
    for version, image in (("0002012F", "ab" * 32), ("9001", "CD" * 32)):
        assert ask(world, {"device": {**DEVICE, "firmware_version": version}})["valid"] is True
        assert ask(world, {"device": {**DEVICE, "firmware_version": version, "firmware_hash": image}})["valid"] is True
    other = ask(world, {"device": {**DEVICE, "firmware_version": "9002"}})
    swapped = ask(world, {"device": {**DEVICE, "firmware_hash": "cd" * 32}})
    for answered, code in ((other, "firmware-not-approved"), (swapped, "firmware-hash-mismatch")):
        assert (answered["state"], answered["valid"], codes(answered)) == ("active", False, [code])
        assert answered["deemed_cpa_certificate"] is False
        assert answered["ocsp"] is None


@pytest.mark.clause("F2.29")
def test_firmware_that_an_amendment_adds_counts_from_its_effective_instant(world: World) -> None:
    identifier = world.grant()
    later = Firmware("9001", "cd" * 32)
    world.amend(identifier, effective=NOON, signed_at=NOON - DAY, firmware=(FIRMWARE, later))
    question = {"device": {**DEVICE, "firmware_version": "9001"}}
    assert codes(ask(world, question, NOON - SECOND)) == ["firmware-not-approved"]
    assert ask(world, question, NOON)["valid"] is True


def test_firmware_may_be_left_out_only_for_types_without_one(world: World) -> None:
    world.grant(1, device=Device("IHD", "AB01", "D1", "1"))
    world.grant(2)
    assert ask(world, {"device": {"manufacturer": "AB01", "model": "D1", "type": "ihd"}})["valid"] is True
    for missing in ({"manufacturer": "AB01", "model": "D1"}, {"manufacturer": "AB01", "model": "010", "type": "ESME"}):
        with pytest.raises(BodyMalformed):
            ask(world, {"device": missing})


# --- units -------------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.21(d)")
def test_a_unit_is_within_the_limit_if_deployed_or_if_there_is_room(world: World) -> None:
    identifier = world.grant(maximum=2)
    world.presign(identifier, NOON)
    units = [f"00-DB-12-34-56-78-90-0{number}" for number in range(4)]
    for deployed, asked, within in ((1, 3, True), (2, 1, True), (2, 3, False), (3, 1, True), (3, 3, False)):
        world.deploy(identifier, *units[:deployed])
        for question in every_way(world, identifier):
            answered = ask(world, {**question, "device_id": units[asked].lower()})
            assert answered["valid"] is within
            assert codes(answered) == ([] if within else ["limit-reached"])
            assert (answered["ocsp"] is not None) is within
    assert "3 of 2" in ask(world, {"approval": identifier, "device_id": units[3]})["reasons"][0]["detail"]


def test_all_reasons_are_told_at_once(world: World) -> None:
    identifier = world.grant(maximum=1)
    world.deploy(identifier, UNIT)
    world.end(identifier, NOON, EndCause.SSC)
    question = {"device": {**DEVICE, "firmware_version": "9"}, "device_id": "00-00-00-00-00-00-00-00"}
    assert codes(ask(world, question)) == ["revoked", "firmware-not-approved", "limit-reached"]

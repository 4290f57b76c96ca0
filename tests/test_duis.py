"""Inventories of the DCC as they are (service request 8.2): which devices count, and what is refused unread."""

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import FILE_NAME, load
from core.approval import Device, Firmware
from core.deployments import DECOMMISSIONED_STATUSES, DEPLOYED_STATUSES, DEVICE_STATUSES, Line
from core.errors import BodyTooLarge, InventoryUnusable, RequestMalformed, SettingsInvalid
from core.instants import text
from intake.duis import DEEPEST, INVENTORY_LIMIT, read_inventory
from ra.desk import Desk
from tests.deployments_world import (
    LATER,
    codes,
    deployed,
    eui,
    gone,
    inventory,
    outcomes,
    rows,
    seen,
    send,
    send_inventory,
    standing,
    told,
)
from tests.world import World

HUB = Device("CHF", "106C", "433100AC", "01")
HUB_NAMES = {"DeviceManufacturer": "106C", "DeviceModel": "433100AC", "DeviceFirmwareVersion": "9001"}


def read(body: bytes) -> list[Any]:
    return read_inventory(body, deployed=DEPLOYED_STATUSES, decommissioned=DECOMMISSIONED_STATUSES)


@pytest.fixture
def trial(world: World) -> World:
    world.first = world.granted()  # type: ignore[attr-defined]
    world.at(LATER)
    return world


# --- which devices count -----------------------------------------------------------------------------------------


@pytest.mark.clause("F2.28(d)")
def test_each_status_counts_as_the_settings_say(trial: World) -> None:
    answer = send_inventory(
        trial, *(seen(number, status) for number, status in enumerate(DEVICE_STATUSES)), seen(20, None)
    )
    by_status = dict(zip(DEVICE_STATUSES, told(answer), strict=False))
    for status in DEPLOYED_STATUSES:
        assert by_status[status] == ("recorded", None, None)
    for status in DECOMMISSIONED_STATUSES:
        assert by_status[status] == ("refused", "never-deployed", "DeviceID")
    for status in ("Pending", "Whitelisted"):
        assert by_status[status] == ("ignored", "status-not-counted", "DeviceStatus")
    assert told(answer)[-1] == ("ignored", "status-missing", "DeviceStatus")
    assert (answer.recorded, answer.refused, answer.ignored) == (5, 2, 3)
    # Other settings, other counts.
    rules = replace(trial.desk.rules, deployed_statuses=("Pending",), decommissioned_statuses=("commissioned",))
    trial.desk = Desk(trial.store, trial.clock, rules)
    answer = send_inventory(trial, seen(0, "Pending"), seen(3, "Commissioned"), seen(2, "InstalledNotCommissioned"))
    assert told(answer) == [
        ("recorded", None, None),
        ("recorded", None, None),
        ("ignored", "status-not-counted", "DeviceStatus"),
    ]


@pytest.mark.clause("F2.28(d)")
def test_a_device_counts_from_its_commissioning_else_from_the_day_it_was_seen(trial: World) -> None:
    send_inventory(trial, seen(1, DateCommissioned="2027-01-07Z"), seen(2), seen(3, DateCommissioned="2027-01-08"))
    assert {row["device_id"]: text(row["deployed_at"]) for row in rows(trial)} == {
        eui(1): "2027-01-07T00:00:00Z",
        eui(2): "2027-01-20T08:30:00Z",
        eui(3): "2027-01-08T00:00:00Z",
    }
    answer = send_inventory(
        trial,
        seen(4, DateCommissioned="yesterday"),
        seen(5, DateCommissioned="2027-02-30"),
        seen(6, DateCommissioned="2027-01-03"),
        seen(7, DateCommissioned="2027-03-01"),
    )
    assert told(answer) == [
        ("refused", "instant-malformed", "DateCommissioned"),
        ("refused", "instant-malformed", "DateCommissioned"),
        ("refused", "before-start", "DateCommissioned"),
        ("refused", "instant-in-future", "DateCommissioned"),
    ]


@pytest.mark.clause("F2.28(f)")
def test_inventories_sent_again_and_again_add_only_what_is_new(trial: World) -> None:
    approval = str(trial.first)  # type: ignore[attr-defined]
    early = [seen(1), seen(2, DateCommissioned="2027-01-07Z")]
    assert outcomes(send_inventory(trial, *early)) == ["recorded"] * 2
    for day in ("2027-01-20", "2027-01-25", "2027-01-30"):
        # Firmware changes in the field: a later inventory shows it and is still about the same deployment.
        later = [seen(1, DeviceFirmwareVersion="0002FFFF"), seen(2, DateCommissioned="2027-01-09Z")]
        assert outcomes(send_inventory(trial, *later, seen=f"{day}T08:30:00Z")) == ["known"] * 2
    down = seen(2, "Decommissioned", DateCommissioned="2027-01-07Z")
    assert outcomes(send_inventory(trial, seen(1), down, seen="2027-01-31T00:00:00Z")) == ["known", "recorded"]
    before = rows(trial)
    for day in ("2027-01-31", "2027-02-01"):
        assert outcomes(send_inventory(trial, seen(1), down, seen=f"{day}T00:00:00Z")) == ["known", "known"]
    # An inventory from before it came down says nothing new; the DCC's own line about the same device is known too.
    assert outcomes(send_inventory(trial, *early, seen="2027-01-22T00:00:00Z")) == ["known"] * 2
    assert outcomes(send(trial, deployed(2, approval, on="2027-01-07"), gone(2, on="2027-01-31"))) == ["known"] * 2
    assert rows(trial) == before
    assert standing(trial) == {eui(1): approval}


@pytest.mark.clause("F2.28(d)")
@pytest.mark.clause("F2.18")
def test_a_hub_counts_once_by_its_chf(trial: World) -> None:
    today = trial.clock.now().date()
    hub = trial.granted(device=HUB, smets_version="CHTS V1.4", firmware=(Firmware("9001", "cd" * 32),), start=today)
    parts = [seen(1, **HUB_NAMES, DeviceType="CHF"), seen(2, **HUB_NAMES, DeviceType="GPF")]
    answer = send_inventory(trial, *parts, seen(3), seen="2027-02-01T10:00:00Z")
    assert told(answer)[:2] == [("recorded", None, None), ("ignored", "counted-with-hub", "DeviceType")]
    assert standing(trial)[eui(1)] == hub
    gone_parts = [each | {"DeviceStatus": "Withdrawn"} for each in parts]
    assert outcomes(send_inventory(trial, *gone_parts, seen="2027-02-01T11:00:00Z")) == ["recorded", "ignored"]
    # A part of another hub is of no approval.
    other = seen(4, **HUB_NAMES | {"DeviceModel": "433100AD"}, DeviceType="GPF")
    assert codes(send_inventory(trial, other)) == ["device-not-approved"]


def test_each_wrong_device_is_told_by_element_and_harms_no_other(trial: World) -> None:
    answer = send_inventory(
        trial,
        seen(1, DeviceID="00DB00000000001"),
        seen(2, DeviceModel="X" * 31),
        {name: value for name, value in seen(3).items() if name != "DeviceManufacturer"},
        seen(4, DeviceFirmwareVersion="123456789"),
        seen(5, DeviceModel="OTHER"),
        seen(6),
        seen(6),
        seen(7, DeviceFirmwareVersion=""),
        {"DeviceType": "ESME"},
    )
    assert told(answer) == [
        ("refused", "device-id-malformed", "DeviceID"),
        ("refused", "line-malformed", "DeviceModel"),
        ("refused", "line-malformed", "DeviceManufacturer"),
        ("refused", "line-malformed", "DeviceFirmwareVersion"),
        ("refused", "device-not-approved", "DeviceModel"),
        ("recorded", None, None),
        ("refused", "device-named-twice", "DeviceID"),
        ("recorded", None, None),
        ("refused", "device-id-malformed", "DeviceID"),
    ]
    assert [each.line for each in answer.results] == list(range(1, 10))


# --- what is refused unread --------------------------------------------------------------------------------------

GOOD = inventory(seen(1))
ENTITY = b'<!DOCTYPE x [ <!ENTITY e SYSTEM "file:///etc/passwd"> ]>'
LAUGHS = b'<!DOCTYPE x [ <!ENTITY a "ha"> <!ENTITY b "&a;&a;&a;"> ]>'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "not well-formed"),
        (b"not XML", "not well-formed"),
        (GOOD[:-20], "not well-formed"),
        (GOOD + b"<again/>", "not well-formed"),
        (GOOD.replace(b"<sr:Body>", b"<sr:Body>&SW1A1AA;"), "not well-formed"),
        (GOOD.replace(b"?>", b"?>" + ENTITY, 1), "document type or entities"),
        (GOOD.replace(b"?>", b"?>" + LAUGHS, 1), "document type or entities"),
        (GOOD.replace(b"?>", b'?><!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">', 1), "document type or entities"),
        (GOOD.replace(b'encoding="UTF-8"', b'encoding="nothing"'), "cannot be read|well-formed"),
        (GOOD.replace(b"www.dccinterface", b"www.other"), "not a Response in the namespace"),
        (GOOD.replace(b"sr:Response>", b"sr:Request>").replace(b"<sr:Response ", b"<sr:Request "), "not a Response"),
        (inventory(seen(1), ResponseCode="E65"), "response code is E65"),
        (inventory(seen(1), ResponseCode="LS1 4AP"), "none that can be read"),
        (inventory(seen(1), ServiceReferenceVariant="11.2"), "it answers 11.2; an inventory answers 8.2"),
        (inventory(seen(1), ServiceReferenceVariant="LS1 4AP"), "it answers another service"),
        (inventory(), "names no device"),
        (inventory(seen(1), seen="2027-01-20"), "when it was made"),
        (inventory(seen(1), seen="2027-02-30T00:00:00Z"), "when it was made"),
        (inventory(seen(1), seen="0001-01-01T00:00:00+14:00"), "when it was made"),
        (b"<x>" * (DEEPEST + 1), "nested too deeply"),
    ],
)
def test_any_other_message_is_refused_in_a_sentence(body: bytes, expected: str) -> None:
    with pytest.raises(InventoryUnusable, match=expected) as refused:
        read(body)
    for word in ("SW1A1AA", "LS1", "passwd", "nothing"):
        assert word not in f"{refused.value} {refused.value.hint}"
    assert refused.value.__cause__ is None


def test_a_message_is_read_up_to_its_limit_and_not_beyond() -> None:
    padded = GOOD[:-1] + b" " * (INVENTORY_LIMIT - len(GOOD)) + b">"
    assert len(read(padded)) == 1
    with pytest.raises(BodyTooLarge):
        read(padded + b" ")


def test_an_element_counts_in_its_place_and_its_namespace_only() -> None:
    moved = GOOD.replace(b"<sr:DeviceStatus>", b"<sr:Wrapped><sr:DeviceStatus>").replace(
        b"</sr:DeviceStatus>", b"</sr:DeviceStatus></sr:Wrapped>"
    )
    foreign = GOOD.replace(b"sr:DeviceStatus", b"DeviceStatus")
    twice = GOOD.replace(b"<sr:DeviceStatus>", b"<sr:DeviceStatus>Pending</sr:DeviceStatus><sr:DeviceStatus>")
    inside = GOOD.replace(b"Commissioned<", b"Commissioned<sr:x/><")
    for body in (moved, foreign, twice, inside):
        assert [each.code for each in read(body)] == ["status-missing"]
    assert isinstance(read(GOOD)[0], Line)
    long = GOOD.replace(b"Commissioned<", b"Commissioned" + b" " * 100_000 + b"<")
    assert [each.code for each in read(long)] == ["status-missing"]


@given(st.data())
def test_whatever_octets_come_they_are_read_or_refused(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(GOOD)))
    cut = data.draw(st.integers(0, 30))
    body = GOOD[:place] + data.draw(st.binary(max_size=20)) + GOOD[place + cut :]
    with contextlib.suppress(RequestMalformed):
        for each in read(body):
            assert each.number >= 1


# --- settings ----------------------------------------------------------------------------------------------------


def test_the_statuses_are_settings_and_a_wrong_one_is_told(tmp_path: Any) -> None:
    def loaded(lines: str) -> Any:
        (tmp_path / FILE_NAME).write_text(f"[deployments]\n{lines}\n", encoding="utf-8")
        return load(tmp_path).rules

    assert loaded("").deployed_statuses == DEPLOYED_STATUSES
    chosen = loaded('deployed_statuses = ["Commissioned"]\ndecommissioned_statuses = ["Withdrawn", "Suspended"]')
    assert (chosen.deployed_statuses, chosen.decommissioned_statuses) == (("Commissioned",), ("Withdrawn", "Suspended"))
    for wrong in ('deployed_statuses = ["Gone"]', "deployed_statuses = 1", 'decommissioned_statuses = ["Recovered"]'):
        with pytest.raises(SettingsInvalid, match="deployments"):
            loaded(wrong)

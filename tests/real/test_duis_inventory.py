"""The DCC's own messages: inventories are taken in as they are, everything else is refused in a sentence."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from core.approval import Device, Firmware
from core.deployments import DECOMMISSIONED_STATUSES, DEPLOYED_STATUSES, Form
from core.errors import InventoryUnusable
from core.instants import text
from intake.duis import read_inventory
from ra.reporting.record import record_deployments
from store import schema
from store.transactions import Store
from tests import world as default_world
from tests.deployments_world import everything_stored, outcomes, rows, told
from tests.world import DCC, World, hold_ceremony, memory_folder

DATA = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "data" / "duis"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real data is not beside this checkout")

HUB = Device("CHF", "106C", "433100AC", "01")
BEGUN = datetime(2025, 12, 1, 9, 0, tzinfo=UTC)
"""Four weeks before the newest of the messages was made."""


@pytest.fixture
def then(
    store_kind: str, empty_store_url: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A test authority at the time of the messages, with a trial of the hub that one of them shows."""
    monkeypatch.setattr(default_world, "BORN", BEGUN)
    monkeypatch.setattr(default_world, "NOW", BEGUN)
    url = empty_store_url(store_kind)
    store = Store(url)
    schema.upgrade(store)
    hold_ceremony(store, tmp_path, memory_folder(url, tmp_path))
    store.close()
    made = World(url, tmp_path)
    made.granted(
        device=HUB,
        smets_version="CHTS V1.4",
        firmware=(Firmware("9001", "cd" * 32),),
        start=date(2025, 12, 8),
        expiry=date(2026, 6, 30),
    )
    made.at(datetime(2025, 12, 29, tzinfo=UTC))
    yield made
    made.close()


def octets(name: str) -> bytes:
    return (DATA / name).read_bytes()


@needs_data
@pytest.mark.clause("F2.28(d)")
def test_the_inventories_of_the_dcc_are_taken_in_as_they_are(then: World) -> None:
    answer = record_deployments(then.desk, DCC, Form.DUIS, octets("read-inventory-response-5.4.xml"))
    assert told(answer) == [
        ("recorded", None, None),
        ("ignored", "status-missing", "DeviceStatus"),
        ("ignored", "counted-with-hub", "DeviceType"),
    ]
    (hub,) = rows(then)
    assert (hub["device_id"], hub["firmware_version"]) == ("88-73-84-90-6A-10-02-DB", "9001")
    assert text(hub["deployed_at"]) == "2025-12-28T00:00:00Z"
    again = record_deployments(then.desk, DCC, Form.DUIS, octets("read-inventory-response-5.4.xml"))
    assert outcomes(again) == ["known", "ignored", "ignored"]
    pending = record_deployments(then.desk, DCC, Form.DUIS, octets("read-inventory-response-4g.xml"))
    assert told(pending) == [("ignored", "status-not-counted", "DeviceStatus")] * 2
    stored = everything_stored(then)
    # Whole words: five digits in a row stand in some digest sooner or later.
    for about_the_home in (b"123456789012", b"1111-111", b"12334"):
        assert re.search(rb"(?<![0-9A-Za-z])%b(?![0-9A-Za-z])" % re.escape(about_the_home), stored) is None


@needs_data
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("duis-xxe.xml", "document type or entities"),
        ("acknowledgement-error.xml", "response code is E65"),
        ("readfw-response.xml", "it answers 11.2; an inventory answers 8.2"),
        ("readfw-response-badsignature.xml", "it answers 11.2; an inventory answers 8.2"),
        ("8.2_READ_INVENTORY_REQUEST_DUIS.XML", "it is not a Response"),
        ("8.4_UPDATE_INVENTORY_REQUEST_DUIS.XML", "it is not a Response"),
        ("DUIS_Schema_V5.4.xsd", "it is not a Response"),
    ],
)
def test_every_other_message_is_refused_in_a_sentence(name: str, expected: str) -> None:
    with pytest.raises(InventoryUnusable, match=expected):
        read_inventory(octets(name), deployed=DEPLOYED_STATUSES, decommissioned=DECOMMISSIONED_STATUSES)

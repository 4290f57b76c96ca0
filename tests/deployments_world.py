"""Reports of deployments as the DCC would write them, and what the register holds afterwards."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from sqlalchemy import select

from core.deployments import Form
from ra.repeat import RequestKey
from ra.reporting.record import record_deployments
from ra.reporting.views import ReportTaken
from store.tables import journal, metadata
from store.trial_tables import breaches, deployments
from tests.world import DCC, DEVICE, FIRMWARE, World

LATER = datetime(2027, 2, 1, 12, 0, tzinfo=UTC)
"""Some weeks into the trial."""

VERSION = FIRMWARE[0].version
MODEL = {"manufacturer": DEVICE.manufacturer, "model": DEVICE.model}
COLUMNS = ("event", "device_id", "on", "approval", "type", "manufacturer", "model", "hardware_version",
           "firmware_version", "by", "why")  # fmt: skip

_NAMESPACE = "http://www.dccinterface.co.uk/ServiceUserGateway"


def eui(number: int) -> str:
    digits = f"00DB{number:012X}"
    return "-".join(digits[place : place + 2] for place in range(0, 16, 2))


def deployed(device: int, approval: str, on: str = "2027-01-05", **more: str) -> dict[str, str]:
    return {"event": "deployed", "device_id": eui(device), "on": on, "approval": approval,
            "firmware_version": VERSION} | more  # fmt: skip


def gone(device: int, on: str = "2027-01-10", **more: str) -> dict[str, str]:
    return {"event": "decommissioned", "device_id": eui(device), "on": on} | more


def replaced(device: int, by: int, on: str = "2027-01-10", **more: str) -> dict[str, str]:
    return {"event": "replaced", "device_id": eui(device), "by": eui(by), "on": on, "firmware_version": VERSION} | more


def corrected(device: int, on: str = "2027-01-05", why: str = "never installed", **more: str) -> dict[str, str]:
    return {"event": "corrected", "device_id": eui(device), "on": on, "why": why} | more


def csv_of(lines: Iterable[Mapping[str, str]]) -> bytes:
    rows = [",".join(COLUMNS), *(",".join(line.get(name, "") for name in COLUMNS) for line in lines)]
    return "\r\n".join(rows).encode()


def json_of(lines: Iterable[Mapping[str, Any]]) -> bytes:
    return json.dumps({"lines": [nested(line) for line in lines]}).encode()


def nested(line: Mapping[str, Any]) -> dict[str, Any]:
    device = {name: line[name] for name in COLUMNS[4:8] if name in line}
    return {name: value for name, value in line.items() if name not in device} | ({"device": device} if device else {})


def inventory(*devices: Mapping[str, str], seen: str = "2027-01-20T08:30:00.250Z", **head: str) -> bytes:
    """A response to service request 8.2 that says of each device what its mapping says, element by element."""
    named = {"ResponseCode": "I0", "ResponseDateTime": seen, "ServiceReferenceVariant": "8.2"} | head
    elements = "".join(f"<sr:Device>{''.join(map(_element, each.items()))}</sr:Device>" for each in devices)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<sr:Response xmlns:sr="{_NAMESPACE}" schemaVersion="5.4"><sr:Header>'
        f"{_element(('ResponseCode', named['ResponseCode']))}"
        f"{_element(('ResponseDateTime', named['ResponseDateTime']))}"
        "</sr:Header><sr:Body><sr:ResponseMessage><sr:ServiceReference>8.2</sr:ServiceReference>"
        f"{_element(('ServiceReferenceVariant', named['ServiceReferenceVariant']))}"
        f"<sr:DSPInventory>{elements}</sr:DSPInventory></sr:ResponseMessage></sr:Body></sr:Response>"
    ).encode()


def seen(device: int, status: str | None = "Commissioned", **more: str) -> dict[str, str]:
    said = {"DeviceID": eui(device), "DeviceType": DEVICE.type, "DeviceStatus": status or "",
            "DeviceManufacturer": DEVICE.manufacturer, "DeviceModel": DEVICE.model,
            "DeviceFirmwareVersion": VERSION} | more  # fmt: skip
    return {name: value for name, value in said.items() if value}


def _element(item: tuple[str, str]) -> str:
    return f"<sr:{item[0]}>{escape(item[1])}</sr:{item[0]}>"


# --- sending and looking ------------------------------------------------------------------------------------------


def send(world: World, *lines: Mapping[str, str], form: Form = Form.CSV, key: RequestKey | None = None) -> ReportTaken:
    body = csv_of(lines) if form is Form.CSV else json_of(lines)
    return record_deployments(world.desk, DCC, form, body, key)


def send_inventory(world: World, *devices: Mapping[str, str], **head: str) -> ReportTaken:
    return record_deployments(world.desk, DCC, Form.DUIS, inventory(*devices, **head))


def told(answer: ReportTaken) -> list[tuple[str, str | None, str | None]]:
    """Outcome, code and column of each line."""
    return [(each.outcome, each.code, each.column) for each in answer.results]


def codes(answer: ReportTaken) -> list[str | None]:
    return [each.code for each in answer.results]


def outcomes(answer: ReportTaken) -> list[str]:
    return [each.outcome for each in answer.results]


def rows(world: World) -> list[dict[str, Any]]:
    """Every stint, as it is in the register."""
    with world.store.read() as tx:
        return [dict(row._mapping) for row in tx.connection.execute(select(deployments).order_by(deployments.c.id))]


def standing(world: World) -> dict[str, str]:
    """The approval of each device that is deployed now."""
    return {
        row["device_id"]: row["approval"]
        for row in rows(world)
        if row["decommissioned_at"] is None and row["voided_at"] is None
    }


def recorded_facts(world: World) -> list[dict[str, Any]]:
    with world.store.read() as tx:
        found = tx.connection.execute(
            select(journal.c.payload).where(journal.c.kind == "deployments-recorded").order_by(journal.c.id)
        )
        return [json.loads(payload) for payload in found.scalars()]


def suspected(world: World) -> list[str]:
    """The approvals whose limit is suspected to be exceeded."""
    with world.store.read() as tx:
        query = select(breaches.c.approval).where(breaches.c.condition.is_(None), breaches.c.state == "suspected")
        return list(tx.connection.execute(query).scalars())


def everything_stored(world: World) -> bytes:
    """The whole register: every value of every row and, of SQLite, the very octets of its files."""
    stored = []
    with world.store.read() as tx:
        for table in metadata.sorted_tables:
            for row in tx.connection.execute(select(table)):
                stored += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    if world.url.startswith("sqlite:///"):
        place = Path(world.url.removeprefix("sqlite:///"))
        stored += [path.read_bytes() for path in place.parent.glob(f"{place.name}*")]
    return b"\n".join(stored)

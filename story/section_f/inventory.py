"""The DCC's answer to a Read Inventory request (DUIS 5.4, service 8.2), written as its systems write it.

It carries addresses, as real ones do; the story then looks whether any of them has got in.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from xml.sax.saxutils import escape

NAMESPACE = "http://www.dccinterface.co.uk/ServiceUserGateway"
POSTCODE = "ZZ99 9ZZ"
UPRN = "906700345512"
"""Marked: nobody has them, so that they would be found anywhere."""


def inventory(devices: Sequence[tuple[str, date]], model: Mapping[str, str], firmware: str, at: datetime) -> bytes:
    """Return a message.

    Args:
        devices: EUI-64 and day of commissioning of each.
        model: type, manufacturer and model of them all.
        firmware: the version that they run.
        at: when it was made.
    """
    entries = "".join(_device(each, since, model, firmware) for each, since in devices)
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>'
        f'<sr:Response xmlns:sr="{NAMESPACE}" schemaVersion="5.4">'
        "<sr:Header><sr:RequestID>90-B3-D5-1F-30-01-00-00:90-B3-D5-1F-30-00-00-02:1</sr:RequestID>"
        "<sr:ResponseCode>I0</sr:ResponseCode>"
        f"<sr:ResponseDateTime>{at:%Y-%m-%dT%H:%M:%S}.000Z</sr:ResponseDateTime></sr:Header>"
        "<sr:Body><sr:ResponseMessage><sr:ServiceReference>8.2</sr:ServiceReference>"
        "<sr:ServiceReferenceVariant>8.2</sr:ServiceReferenceVariant>"
        f"<sr:DSPInventory>{entries}</sr:DSPInventory></sr:ResponseMessage></sr:Body></sr:Response>\n"
    ).encode()


def device_id(number: int) -> str:
    """Return the EUI-64 of the trial's device of that number."""
    return f"00-DB-12-34-56-78-{number >> 8:02X}-{number & 0xFF:02X}"


def _device(identifier: str, since: date, model: Mapping[str, str], firmware: str) -> str:
    said = {
        "DeviceID": identifier,
        "DeviceType": model["type"],
        "DeviceStatus": "Commissioned",
        "DeviceManufacturer": model["manufacturer"],
        "DeviceModel": model["model"],
        "SMETSCHTSVersion": "SMETS V1.58",
        "DeviceFirmwareVersion": firmware,
        "DeviceFirmwareVersionStatus": "Active",
        "CPLStatus": "Active",
        "DateCommissioned": f"{since.isoformat()}Z",
        "UPRN": UPRN,
    }
    elements = "".join(f"<sr:{name}>{escape(value)}</sr:{name}>" for name, value in said.items())
    where = f"<sr:PropertyFilter><sr:PostCode>{POSTCODE}</sr:PostCode></sr:PropertyFilter>"
    return f"<sr:Device>{elements}{where}<sr:DeviceGBCSVersion>4.2</sr:DeviceGBCSVersion></sr:Device>"

"""An inventory of the DCC, taken in as it is: the response to service request 8.2 (DUIS 5.4, Read Inventory).

Of each device seven elements are read, by name. The message also carries UPRN, postcode, address and meter point
numbers: their characters pass by and are never put into a value. The signature is not checked: whoever sends the
message has authenticated as the DCC.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from core.deployments import (
    DEVICE_TEXT_LIMIT,
    FIRMWARE_LIMIT,
    Event,
    Line,
    LineCode,
    Model,
    Outcome,
    Verdict,
    sentence,
)
from core.errors import BodyTooLarge, DeviceIdMalformed, InventoryUnusable
from core.identifiers import parse_device_id
from core.instants import first_second

NAMESPACE = "http://www.dccinterface.co.uk/ServiceUserGateway"

INVENTORY_LIMIT = 4 * 1024 * 1024
"""Octets of a message: the schema allows 17 devices, each well below 4 KiB; this is sixty times as much."""

DEEPEST = 16
"""Elements within each other; an inventory has 7."""

LONGEST_VALUE = 64
"""Characters of an element that is read; a date with its time is the longest, at about 30."""

_DEVICE = ("Response", "Body", "ResponseMessage", "DSPInventory", "Device")
_HEAD = {
    ("Response", "Header", "ResponseCode"),
    ("Response", "Header", "ResponseDateTime"),
    ("Response", "Body", "ResponseMessage", "ServiceReferenceVariant"),
}
_READ = frozenset(
    {
        "DeviceID",
        "DeviceType",
        "DeviceStatus",
        "DeviceManufacturer",
        "DeviceModel",
        "DeviceFirmwareVersion",
        "DateCommissioned",
    }
)
_PREFIX = f"{{{NAMESPACE}}}"
_GOOD = re.compile(r"I[0-9]{1,4}")
_CODE = re.compile(r"[A-Z]{1,2}[0-9]{1,6}")
_VARIANT = re.compile(r"[0-9]{1,2}(\.[0-9]{1,2}){1,3}")
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?")


@dataclass
class _Message:
    """What was read: the head by element, each device by element."""

    root: str = ""
    head: dict[str, str] = field(default_factory=dict)
    devices: list[dict[str, str]] = field(default_factory=list)


class _Reader:
    """What the parser reports to: it keeps the characters of the elements that are wanted, and of no other."""

    def __init__(self) -> None:
        self.message = _Message()
        self._path: list[str] = []
        self._kept: list[str] | None = None

    def start(self, tag: str, _attributes: object) -> None:
        if not self._path:
            self.message.root = tag
        # A name of another namespace is kept whole and matches nothing.
        self._path.append(tag.removeprefix(_PREFIX) if tag.startswith(_PREFIX) else f"!{tag}")
        if len(self._path) > DEEPEST:
            raise InventoryUnusable(detail="its elements are nested too deeply")
        if tuple(self._path) == _DEVICE:
            self.message.devices.append({})
        self._kept = [] if self._wanted() else None

    def data(self, text: str) -> None:
        if self._kept is not None and sum(map(len, self._kept)) <= LONGEST_VALUE:
            self._kept.append(text[: LONGEST_VALUE + 1])

    def end(self, _tag: str) -> None:
        if self._kept is not None and self._wanted():
            self._keep(self._path[-1], "".join(self._kept))
        self._kept = None
        self._path.pop()

    def close(self) -> _Message:
        return self.message

    def _wanted(self) -> bool:
        path = tuple(self._path)
        return path in _HEAD or (path[:-1] == _DEVICE and path[-1] in _READ)

    def _keep(self, name: str, value: str) -> None:
        held = self.message.head if len(self._path) < len(_DEVICE) else self.message.devices[-1]
        # Said twice, or at more length than any value has: it is nothing that can be believed.
        held[name] = "" if name in held or len(value) > LONGEST_VALUE else value.strip()


def read_inventory(body: bytes, *, deployed: Collection[str], decommissioned: Collection[str]) -> list[Line | Verdict]:
    """Return what an inventory says of each device, in its order; what is decided already comes as a verdict.

    Args:
        body: the message, XML.
        deployed: the statuses (sr:DeviceStatus) that count as deployed.
        decommissioned: those that count as taken out.

    Raises:
        BodyTooLarge: above INVENTORY_LIMIT.
        InventoryUnusable: not XML, with a document type or entities, another message, or one that tells an error.
    """
    message = _parsed(body)
    seen = _taken_at(message)
    lines: list[Line | Verdict] = []
    named: set[str] = set()
    for number, device in enumerate(message.devices, 1):
        read = _line(number, device, seen, _folded(deployed), _folded(decommissioned))
        if isinstance(read, Line) and read.device_id in named:
            read = _refused(number, LineCode.NAMED_TWICE, "device_id", read.device_id)
        if read.device_id is not None:
            named.add(read.device_id)
        lines.append(read)
    return lines


def _parsed(body: bytes) -> _Message:
    if len(body) > INVENTORY_LIMIT:
        raise BodyTooLarge(limit=INVENTORY_LIMIT)
    parser = DefusedXMLParser(target=_Reader(), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(body)
        message: _Message = parser.close()
    except DefusedXmlException:
        raise InventoryUnusable(detail="it declares a document type or entities, which no message does") from None
    except ParseError as error:
        # The parser's own words may repeat what it read.
        line, column = error.position
        raise InventoryUnusable(detail=f"it is not well-formed XML (line {line}, column {column})") from None
    except (ValueError, LookupError):
        raise InventoryUnusable(detail="its encoding cannot be read") from None
    return message


def _taken_at(message: _Message) -> datetime:
    """When an inventory was taken; InventoryUnusable if the message is none."""
    if message.root != f"{_PREFIX}Response":
        raise InventoryUnusable(detail=f"it is not a Response in the namespace {NAMESPACE}")
    code, variant = message.head.get("ResponseCode", ""), message.head.get("ServiceReferenceVariant", "")
    if not _GOOD.fullmatch(code):
        told = code if _CODE.fullmatch(code) else "none that can be read"
        raise InventoryUnusable(detail=f"its response code is {told}, so the request failed and there is no inventory")
    if variant != "8.2":
        told = variant if _VARIANT.fullmatch(variant) else "another service"
        raise InventoryUnusable(detail=f"it answers {told}; an inventory answers 8.2")
    if not message.devices:
        raise InventoryUnusable(detail="it names no device")
    at = _INSTANT.fullmatch(message.head.get("ResponseDateTime", ""))
    try:
        taken = datetime.fromisoformat(at[1] + at[3].replace("Z", "+00:00")).astimezone(UTC) if at else None
    except (ValueError, OverflowError):
        taken = None
    if taken is None:
        raise InventoryUnusable(detail="it does not say when it was made (ResponseDateTime)")
    return taken


def _line(
    number: int, device: dict[str, str], seen: datetime, deployed: Collection[str], decommissioned: Collection[str]
) -> Line | Verdict:
    try:
        device_id = parse_device_id(device.get("DeviceID", ""))
    except DeviceIdMalformed:
        return _refused(number, LineCode.DEVICE_ID_MALFORMED, "device_id", None)
    status = device.get("DeviceStatus", "").casefold()
    if status not in deployed and status not in decommissioned:
        code = LineCode.STATUS_NOT_COUNTED if status else LineCode.STATUS_MISSING
        return Verdict(
            number=number,
            outcome=Outcome.IGNORED,
            device_id=device_id,
            approval=None,
            code=code,
            column="status",
            detail=sentence(code),
        )
    model = Model(device.get("DeviceManufacturer", ""), device.get("DeviceModel", ""), device.get("DeviceType", ""))
    firmware = device.get("DeviceFirmwareVersion", "")
    for value, column, least, most in (
        (model.manufacturer, "manufacturer", 1, DEVICE_TEXT_LIMIT),
        (model.model, "model", 1, DEVICE_TEXT_LIMIT),
        (model.type, "type", 1, DEVICE_TEXT_LIMIT),
        (firmware, "firmware_version", 0, FIRMWARE_LIMIT),
    ):
        if not least <= len(value) <= most or not value.isprintable():
            what = f"this element must have {least} to {most} printable characters"
            return _refused(number, LineCode.MALFORMED, column, device_id, what=what)
    since = _commissioned(device.get("DateCommissioned"))
    if isinstance(since, LineCode):
        return _refused(number, since, "on", device_id)
    if status in decommissioned:
        # An inventory does not say since when: the day on which it was seen is the first that is known.
        return Line(number=number, event=Event.DECOMMISSIONED, device_id=device_id, on=seen, model=model, seen=seen)
    return Line(
        number=number,
        event=Event.DEPLOYED,
        device_id=device_id,
        on=seen if since is None else first_second(since),
        whole_day=since is not None,
        model=model,
        firmware=firmware,
        seen=seen,
    )


def _commissioned(value: str | None) -> date | LineCode | None:
    """The day (xs:date, with or without a zone), None if the element is absent."""
    if value is None:
        return None
    shape = _DATE.fullmatch(value)
    try:
        return date.fromisoformat(shape[1]) if shape else LineCode.INSTANT_MALFORMED
    except ValueError:
        return LineCode.INSTANT_MALFORMED


def _folded(statuses: Collection[str]) -> frozenset[str]:
    return frozenset(status.casefold() for status in statuses)


def _refused(number: int, code: LineCode, column: str, device_id: str | None, **fields: object) -> Verdict:
    return Verdict(
        number=number,
        outcome=Outcome.REFUSED,
        device_id=device_id,
        approval=None,
        code=code,
        column=column,
        detail=sentence(code, **fields),
    )

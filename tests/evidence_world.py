"""What an application evidences, files that prove it, and what the journal says of both."""

import json
import zipfile
from datetime import date
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from sqlalchemy import text

from core.assurance import AssuranceCertificate, EarlierCpa
from core.facts import FactKind
from store.transactions import Store
from tests.world import DEVICE

HELD = (
    AssuranceCertificate("ZigBee", "ZB-2026-1", DEVICE.manufacturer, DEVICE.model, DEVICE.hardware_version),
    AssuranceCertificate("DLMS", "1234", DEVICE.manufacturer, DEVICE.model, "", date(2026, 5, 1)),
)
EARLIER = EarlierCpa("NCSC-77", DEVICE.manufacturer, "010A0000", "01", date(2020, 1, 1), date(2030, 1, 1))
CONTACT = "trials@acme.example"

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
TEXT = b"The meter was tested in Leeds.\r\nIt passed.\r\n"
CSV = b"test,result\r\nheat,passed\r\n"


def whole(**changes: Any) -> dict[str, Any]:
    """The changes that make tests.world.application one against which nothing is found."""
    return {"assurance": HELD, "earlier_cpa": EARLIER, "gbcs_version": "4.2", "contact": CONTACT, **changes}


def said(**changes: Any) -> dict[str, Any]:
    """The same as `whole`, as it is sent over HTTP."""
    named = {"manufacturer": DEVICE.manufacturer, "model": DEVICE.model}
    return {
        "assurance": [
            {**named, "scheme": "ZigBee", "certificate": "ZB-2026-1", "hardware_version": "01"},
            {**named, "scheme": "DLMS", "certificate": "1234", "issued_on": "2026-05-01"},
        ],
        "earlier_cpa": {**named, "model": "010A0000", "certificate": "NCSC-77", "issued_on": "2020-01-01"},
        "gbcs_version": "4.2",
        "contact": CONTACT,
        **changes,
    }


def workbook(*rows: list[str]) -> bytes:
    """A workbook as openpyxl writes it."""
    made = Workbook()
    for row in rows or [["test", "result"]]:
        made.worksheets[0].append(row)
    written = BytesIO()
    made.save(written)
    return written.getvalue()


def members(octets: bytes) -> dict[str, bytes]:
    """The members of an archive."""
    with zipfile.ZipFile(BytesIO(octets)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive(contents: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of members."""
    written = BytesIO()
    with zipfile.ZipFile(written, "w", compression) as made:
        for name, octets in contents.items():
            made.writestr(name, octets)
    return written.getvalue()


def journal(store: Store, *kinds: FactKind) -> list[dict[str, Any]]:
    """The rows of the journal in order of writing, of some kinds or all."""
    with store.read() as tx:
        rows = tx.connection.execute(text("SELECT * FROM journal ORDER BY id")).mappings().all()
    found = [{**row, "payload": json.loads(row["payload"])} for row in rows]
    return [row for row in found if not kinds or row["kind"] in {kind.value for kind in kinds}]


def journal_text(store: Store) -> str:
    """Everything that the journal says, as one text to search."""
    with store.read() as tx:
        return "\n".join(str(tuple(row)) for row in tx.connection.execute(text("SELECT * FROM journal")))

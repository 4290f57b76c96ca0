"""The public register as a table for people: one line for each approval. What is signed is the JSON, not this."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from core.approval import DEVICE_COLUMNS, ApprovalRecord
from core.canonical import read_json
from core.instants import parse, text
from core.public_record import disputed_of, record_of
from core.register import Moment
from core.status import approval_status
from documents.tables import Sheet, csv_text, workbook

COLUMNS = (
    "approval",
    "state",
    *DEVICE_COLUMNS,
    "granted",
    "start",
    "issue",
    "effective",
    "expiry",
    "maximum_devices",
    "firmware",
    "certificate",
    "certificate_sha256",
    "ended_at",
    "end_cause",
    "disputed",
    "as_of",
    "log_rows",
)
"""The last two say of which moment the line is: when the last of so many rows of the log was sealed."""

_NUMBERS = ("issue", "maximum_devices", "log_rows")


def register_csv(pages: Iterable[Sequence[str]], moment: Moment) -> Iterator[bytes]:
    """Yield a register as CSV, page by page; see `documents.tables` for how text survives a spreadsheet.

    Args:
        pages: of each approval the last document, by identifier.
        moment: of which it is.
    """
    yield csv_text(COLUMNS, ())
    empty = len(csv_text(COLUMNS, ()))
    for page in pages:
        rows = [[str(each) for each in _row(document, moment)] for document in page]
        yield csv_text(COLUMNS, rows, numbers=_NUMBERS)[empty:]


def register_xlsx(pages: Iterable[Sequence[str]], moment: Moment) -> bytes:
    """Return a register as a workbook: the approvals, and of which moment they are.

    Args:
        pages: as for `register_csv`.
        moment: of which it is.
    """
    rows = [_row(document, moment) for page in pages for document in page]
    about: list[tuple[str, str | int]] = [
        ("Log", moment.log),
        ("Rows of the log", moment.size),
        ("Root of its tree", moment.root.hex()),
        ("Last of them sealed at", moment.at),
        ("Approvals", len(rows)),
        ("Signed is", "the register as JSON (/v1/register), not this table"),
    ]
    sheets = [Sheet("Approvals", COLUMNS, rows), Sheet("About", ("What", "Value"), about, filtered=False)]
    return workbook(sheets, title="Public register of Trial Device Approvals", at=parse(moment.at))


def _row(document: str, moment: Moment) -> list[str | int]:
    said = read_json(document)
    record, at = record_of(said), parse(moment.at)
    status = approval_status(record, at)
    terms = status.terms or record.terms[-1]
    certificate = status.certificate or (record.certificates[-1] if record.certificates else None)
    return [
        record.identifier,
        str(status.state),
        *record.device.listed().values(),
        text(record.granted_at),
        text(record.start),
        terms.issue,
        text(terms.effective),
        text(terms.expiry),
        terms.maximum_devices,
        ", ".join(each.version for each in terms.firmware),
        "" if certificate is None else certificate.serial,
        "" if certificate is None else certificate.fingerprint,
        _ended(record),
        record.end_cause or "",
        ", ".join(text(each) for each in sorted(disputed_of(said))),
        moment.at,
        moment.size,
    ]


def _ended(record: ApprovalRecord) -> str:
    ended: datetime | None = record.ended_at
    return "" if ended is None else text(ended)

"""The workbook of the DCC's monthly report (F2.28): numbers as numbers, identifiers as text, and a native chart."""

from collections.abc import Mapping, Sequence

from openpyxl.chart import BarChart, Reference
from openpyxl.worksheet.worksheet import Worksheet

from core import instants, local_time
from core.approval import DEVICE_MEMBERS
from core.canonical import Json
from core.words import counted
from documents.report_words import (
    Members,
    covered,
    day_of,
    figures,
    members,
    month_of,
    nearest_to_limit,
    number,
    objects,
    questions,
)
from documents.tables import Sheet, workbook

CHARTED = 20
"""Approvals in the chart: more cannot be told apart on a screen. The sheet of approvals has all of them."""

Rows = list[Sequence[str | int | None]]

_DEVICE_HEADS = ("Device type", "Device manufacturer", "Model", "Hardware version")
_SUMMARY_WIDTH = 3
_CHART_AT_COLUMN = _SUMMARY_WIDTH + 2


def report_xlsx(document: Mapping[str, Json]) -> bytes:
    """Return a monthly report as XLSX: Summary with the chart, Approvals, Expiring, Remarks and corrections.

    Args:
        document: the report as it was computed or frozen; the same document gives the same bytes.
    """
    dated = instants.parse(str(document["issued_at"] or document["until"]))
    sheets = [_summary(document), _approvals(document), _expiring(document), _remarks(document)]
    return workbook(sheets, title=f"Monthly report on Trial Devices, {month_of(document['report'])}", at=dated)


def _summary(document: Members) -> Sheet:
    items = members(document["items"])
    rows: Rows = [
        ("", "Monthly report on Trial Devices", month_of(document["report"])),
        ("", "Authority", str(document["authority"])),
        ("", "Environment", str(document["environment"])),
        ("", "Covers", covered(document)),
        ("", "After", _moment(document["since"], "the beginning: this is the first report")),
        ("", "Up to", _moment(document["until"], "")),
        ("", "Issued", _moment(document["issued_at"], "not yet")),
    ]
    for figure in figures(items):
        rows.append((f"({figure.letter})", _capital(figure.words), figure.number))
        rows.extend((f"({figure.letter})", f"   {many}", count) for _, many, count in figure.beside)
    expiring, further = objects(members(items["g"])["expiring"]), members(items["h"])
    ahead = number(document["look_ahead_months"])
    rows += [
        ("(g)", f"Approvals that expire in the next {counted(ahead, 'month')}: sheet Expiring", len(expiring)),
        ("(h)", "Remarks: sheet Remarks and corrections", len(objects(further["remarks"]))),
        ("(h)", "Attachments: sheet Remarks and corrections", len(objects(further["attachments"]))),
        ("", "Corrections to earlier reports: sheet Remarks and corrections", len(objects(document["corrections"]))),
    ]
    charted = nearest_to_limit(objects(document["approvals"]), CHARTED)
    return Sheet("Summary", ("Item", "F2.28", "Figure"), rows, filtered=False, draw=_chart_of(charted))


def _chart_of(charted: Sequence[Members]) -> "_Chart | None":
    return _Chart(charted) if charted else None


class _Chart:
    """A native bar chart of devices deployed beside each limit, and the few figures that it draws."""

    def __init__(self, charted: Sequence[Members]) -> None:
        self._charted = charted

    def __call__(self, there: Worksheet) -> None:
        column, last = _CHART_AT_COLUMN, len(self._charted) + 1
        for offset, head in enumerate(("Nearest to their limit", "Deployed", "Limit")):
            self._text(there, 1, column + offset, head)
        for row, each in enumerate(self._charted, start=2):
            self._text(there, row, column, str(each["approval"]))
            there.cell(row, column + 1, number(each["deployed"]))
            there.cell(row, column + 2, number(each["limit"]))
        there.column_dimensions[there.cell(1, column).column_letter].width = 24
        chart = BarChart()
        chart.type, chart.style = "bar", 10
        chart.title = "Deployed and limit (F2.28(d), F2.21(d))"
        chart.y_axis.title = "Devices"
        chart.title.overlay = chart.y_axis.title.overlay = False  # else Excel draws them over the bars
        chart.x_axis.delete = chart.y_axis.delete = False
        chart.x_axis.scaling.orientation = "maxMin"  # the fullest at the top, as in the table
        chart.add_data(
            Reference(there, min_col=column + 1, max_col=column + 2, min_row=1, max_row=last), titles_from_data=True
        )
        chart.set_categories(Reference(there, min_col=column, min_row=2, max_row=last))
        chart.series[0].graphicalProperties.solidFill = "12476B"
        chart.series[1].graphicalProperties.solidFill = "C3CCD3"
        chart.height, chart.width = max(7.5, 1.0 * len(self._charted) + 3), 22
        there.add_chart(chart, f"{there.cell(1, column + 4).coordinate}")

    @staticmethod
    def _text(there: Worksheet, row: int, column: int, text: str) -> None:
        cell = there.cell(row, column)
        cell.value = text
        cell.data_type, cell.number_format, cell.quotePrefix = "s", "@", True


def _approvals(document: Members) -> Sheet:
    header = (
        "Approval", "Manufacturer", *_DEVICE_HEADS, "State", "Start", "Expiry", "Limit",
        "(d) Deployed", "(e) Deployed since", "(f) Decommissioned since", "Above the limit",
    )  # fmt: skip
    rows: Rows = [
        (
            *_whose(each),
            str(each["state"]),
            day_of(each["start"]).isoformat(),
            day_of(each["expiry"]).isoformat(),
            *(number(each[name]) for name in ("limit", "deployed", "deployed_since", "decommissioned_since")),
            "yes" if each["above_limit"] else "no",
        )
        for each in objects(document["approvals"])
    ]
    return Sheet("Approvals", header, rows)


def _expiring(document: Members) -> Sheet:
    listed = objects(members(members(document["items"])["g"])["expiring"])
    rows: Rows = [(*_whose(each), day_of(each["expiry"]).isoformat()) for each in listed]
    return Sheet("Expiring", ("Approval", "Manufacturer", *_DEVICE_HEADS, "Expiry"), rows)


def _whose(each: Members) -> tuple[str, ...]:
    device = members(each["device"])
    return (str(each["approval"]), str(each["manufacturer"]), *(str(device[name]) for name in DEVICE_MEMBERS))


def _remarks(document: Members) -> Sheet:
    further = members(members(document["items"])["h"])
    rows: Rows = [
        *(
            ("question", "", str(each["text"]), str(each["question"]), str(each["asked_at"]), None)
            for each in questions(further)
        ),
        *(
            ("answer", "", str(each["answer"]), str(each["answered_by"]), str(each["answered_at"]), None)
            for each in questions(further)
            if each["answer"] is not None
        ),
        *(
            ("remark", "", str(each["text"]), str(each["made_by"]), str(each["made_at"]), None)
            for each in objects(further["remarks"])
        ),
        *(
            (
                "attachment",
                "",
                f"{each['name']} ({each['media_type']})",
                f"SHA-256 {each['sha256']}",
                "",
                number(each["size"]),
            )
            for each in objects(further["attachments"])
        ),
        *(
            ("correction", str(each["approval"]), str(each["sentence"]), "", "", number(each["devices"]))
            for each in objects(document["corrections"])
        ),
    ]
    return Sheet(
        "Remarks and corrections", ("Kind", "Approval", "Text", "By or digest", "At", "Devices or bytes"), rows
    )


def _moment(value: Json, otherwise: str) -> str:
    if value is None:
        return otherwise
    at = instants.parse(str(value))
    return f"{local_time.utc(at)} ({local_time.uk(at)})"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]

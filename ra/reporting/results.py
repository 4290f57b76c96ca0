"""results: what became of each line of a report of deployments, as a table to keep and to work off."""

from documents.tables import csv_text
from ra.reporting.views import ReportTaken

COLUMNS = ("line", "outcome", "device_id", "approval", "code", "column", "detail")


def results_csv(taken: ReportTaken) -> bytes:
    """Return every line's result as CSV for spreadsheets, in the order of the lines."""
    rows = (
        (
            str(each.line),
            each.outcome.value,
            each.device_id or "",
            each.approval or "",
            each.code or "",
            each.column or "",
            each.detail,
        )
        for each in taken.results
    )
    return csv_text(COLUMNS, rows, numbers=("line",))

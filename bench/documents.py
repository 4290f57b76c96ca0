"""How long people wait for paper: 300 notices (100 decisions) as PDF, and a monthly report over 1,000 approvals."""

import time
from dataclasses import dataclass

from documents.notice import notice_pdf
from documents.report import report_pdf
from documents.report_book import report_xlsx
from tests.documents_world import notice, report

RECIPIENTS = ("manufacturer", "dcc", "panel")


@dataclass(frozen=True)
class Documents:
    """What was seen.

    Args:
        notices: how many were typeset, no two alike.
        seconds: for all of them, one after the other.
        approvals: how many the report is about.
        report: seconds for its PDF.
        book: seconds for its workbook.
    """

    notices: int
    seconds: float
    approvals: int
    report: float
    book: float


def measure(notices: int, approvals: int) -> Documents:
    """Typeset so many notices, then one report of so many approvals as PDF and as a workbook."""
    copies = [
        notice(
            notice=f"TTN-2027-{number:04d}",
            recipient=RECIPIENTS[number % 3],
            approval=f"TDA-2027-{number // 3:04d}-Y",
            status_page=f"http://127.0.0.1:8470/approvals/TDA-2027-{number // 3:04d}-Y",
        )
        for number in range(notices)
    ]
    begun = time.perf_counter()
    made = [notice_pdf(copy) for copy in copies]
    seconds = time.perf_counter() - begun
    if len(set(made)) != notices:
        raise AssertionError("two notices were alike")
    document = report(approvals, above=approvals // 100)
    begun = time.perf_counter()
    report_pdf(document)
    typeset = time.perf_counter() - begun
    begun = time.perf_counter()
    report_xlsx(document)
    return Documents(notices, seconds, approvals, typeset, time.perf_counter() - begun)

"""Monthly reports: remarked while they are made, issued once, and never changed."""

from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from core.errors import WrongState
from store.reading.reports import IssuedReport
from store.transactions import Transaction
from store.trial_tables import report_remarks, reports


def hold(tx: Transaction) -> None:
    """Let nobody else issue or remark a report until the commit, so that no remark is written into one just issued.

    On SQLite a writing transaction has the whole store to itself; there is nothing more to lock.
    """
    if tx.dialect == "postgresql":
        tx.connection.exec_driver_sql("LOCK TABLE reports IN SHARE ROW EXCLUSIVE MODE")


def issue(tx: Transaction, report: IssuedReport) -> None:
    """Write an issued report; WrongState if the month has one: a report is issued once."""
    try:
        tx.connection.execute(insert(reports).values(**vars(report)))
    except IntegrityError as error:
        raise WrongState(kind="Report", identifier=report.month, state="issued", needed="not yet issued") from error


def remark(tx: Transaction, identifier: str, month: str, *, text: str, by: str, at: datetime) -> None:
    """Write a remark for a month's report."""
    tx.connection.execute(insert(report_remarks).values(id=identifier, month=month, text=text, made_at=at, made_by=by))

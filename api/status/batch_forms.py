"""In which form a batch comes and goes: JSON, or a table."""

from datetime import datetime
from http import HTTPStatus

from api.status import batch, batch_table
from api.status.exchange import Asked, Reply, liking
from api.status.snapshot import Snapshot
from api.status.verify import PastAnswer, UnitsAt

JSON_TYPE, TABLE_TYPE = "application/json", "text/csv"

_FIELDS = [("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]


def batch_reply(view: Snapshot, asked: Asked, now: datetime, past_answer: PastAnswer, units: UnitsAt) -> Reply:
    """Answer a batch: in the form in which it was asked, or in the one that is liked better.

    Args:
        view: what is known.
        asked: the request.
        now: the present instant.
        past_answer: as for `verdict`.
        units: as for `verdict`.

    Raises:
        RequestMalformed, RequestTooLarge, RequestUnsupported: it is no batch that can be divided into questions.
    """
    sheet = batch_table.read_questions(asked.body) if _is_table(asked) else None
    questions = batch.asked_in_json(asked.body) if sheet is None else sheet.asked
    told = batch.each_answered(view, questions, now, past_answer, units)
    if _wants_table(asked, otherwise=sheet is not None):
        if sheet is None:
            sheet = batch_table.numbered(questions)
        fields = [("Content-Type", f"{TABLE_TYPE}; charset=utf-8"), *_FIELDS]
        return Reply(HTTPStatus.OK, batch_table.written(sheet, told, now), fields)
    return Reply(HTTPStatus.OK, headers=[("Content-Type", JSON_TYPE), *_FIELDS], pieces=batch.written(told, now))


def _is_table(asked: Asked) -> bool:
    """Tell by what it is said to be; where nothing is said that we know, by what it begins with."""
    said = asked.fields.get("content-type", "").partition(";")[0].strip().lower()
    if said in {JSON_TYPE, TABLE_TYPE}:
        return said == TABLE_TYPE
    return not asked.body.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"["))


def _wants_table(asked: Asked, *, otherwise: bool) -> bool:
    table, other = liking(asked, TABLE_TYPE), liking(asked, JSON_TYPE)
    return otherwise if table == other else table > other

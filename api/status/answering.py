"""One question answered: with what is kept if it is asked as nearly everybody asks, else the plain way."""

from datetime import datetime

from api.status.questions import parse_question
from api.status.quickly import quickly
from api.status.snapshot import Snapshot
from api.status.template import Template, template
from api.status.verify import PastAnswer, UnitsAt, verdict


def answered(
    view: Snapshot, body: bytes, now: datetime, past_answer: PastAnswer, units: UnitsAt
) -> tuple[Template, datetime]:
    """Return the answer to a question, and the instant that it speaks of.

    Args:
        view: what is known.
        body: the question, as it was sent.
        now: the present instant.
        past_answer: as for `verdict`.
        units: as for `verdict`.

    Raises:
        TrialCpaError: what the question is refused with.
    """
    ready = quickly(view, body, now, past_answer)
    if ready is not None:
        return ready
    question = parse_question(body, now)
    found = template(verdict(view, question, now, past_answer, units))
    return found, now if question.at is None else question.at

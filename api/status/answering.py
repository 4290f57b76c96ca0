"""One question answered: with what is kept if it is asked as nearly everybody asks, else the plain way."""

from datetime import datetime

from api.status.questions import parse_question
from api.status.quickly import Answered, quickly
from api.status.ready import LONGEST, Told
from api.status.snapshot import Snapshot
from api.status.template import template
from api.status.verify import PastAnswer, UnitsAt, verdict


def answered(view: Snapshot, body: bytes, now: datetime, past_answer: PastAnswer, units: UnitsAt) -> Answered:
    """Return the answer to a question.

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
    return Answered(found, now if question.at is None else question.at)


def hold(view: Snapshot, body: bytes, found: Answered) -> None:
    """Have a question found by its octets from now on, for as long as its answer is kept.

    Args:
        view: from which it was answered.
        body: the question, as it was sent.
        found: the answer.
    """
    told, _, place = found
    if place is None or len(body) > LONGEST:
        return

    def made(since: datetime, until: datetime) -> Told | None:
        if told.change is not None:
            # Nearer to the change than it lasts, an answer is fresh for less long than the others of its kind.
            until = min(until, told.change - told.lasting) if told.change - since > told.lasting else since
        return (since, until, told.instants, told.before, told.after) if since < until else None

    finished, words = place
    finished.spell(view.ready.questions, body, words, made)

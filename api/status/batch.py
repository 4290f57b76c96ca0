"""Many questions at once: each is answered as it would be alone, from one snapshot and for one instant.

Of ten thousand nearly all name an approval or a serial number and nothing else, and are answered with what is kept of
it: a look-up, and references to its octets. The others go the way of a single question. What is wrong with one is
told in its place, by the document with which it would have been refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias, cast

from api import problems
from api.status.answering import answered
from api.status.exchange import Pieces, refusal
from api.status.impatient import Impatient
from api.status.questions import QUESTION_LIMIT
from api.status.snapshot import Snapshot
from api.status.template import Template
from api.status.verify import PastAnswer, UnitsAt
from core.errors import BodyMalformed, BodyTooLarge, QuestionsTooMany
from core.json_list import divided
from core.json_text import JsonUnreadable

MOST_QUESTIONS = 10_000
"""Of one batch: what is answered within a second even if nothing of it is kept."""

BATCH_LIMIT = 16 * 1024 * 1024
"""Octets of a batch: so many certificates of ours in PEM, which have 1,300 each."""

QUESTIONS, ANSWERS = "questions", "answers"
"""The one member of what is asked, and of what is answered."""

_BEGINS, _ENDS = f'{{"{ANSWERS}":['.encode("ascii"), b"]}"

_AT_A_TIME = 16
"""Answers that are handed on together: 24 KiB of them."""

Posed: TypeAlias = tuple[str, str] | str
"""The text of a question; or the one string that it names, behind what that is called."""

Answered: TypeAlias = Template | tuple[Template, datetime] | bytes
"""An answer about the present, or one and the instant that it speaks of; or the document of a problem."""


def asked_in_json(body: bytes) -> Sequence[Posed]:
    """Return what a batch in JSON asks, question by question.

    Raises:
        BodyMalformed: it cannot be divided into questions.
        QuestionsTooMany: they are more than are answered at once.
    """
    try:
        return require_not_too_many(divided(body, QUESTIONS, most=MOST_QUESTIONS, longest=QUESTION_LIMIT))
    except JsonUnreadable as error:
        raise BodyMalformed(detail=str(error)) from None


def require_not_too_many(asked: Sequence[Posed]) -> Sequence[Posed]:
    """Return the questions; QuestionsTooMany if they are more than are answered at once."""
    if len(asked) > MOST_QUESTIONS:
        raise QuestionsTooMany(limit=MOST_QUESTIONS)
    return asked


def each_answered(
    view: Snapshot, asked: Iterable[Posed], now: datetime, past_answer: PastAnswer, units: UnitsAt
) -> Iterator[Answered]:
    """Yield the answer to each question, in their order.

    Args:
        view: what is known.
        asked: the questions.
        now: the present instant.
        past_answer: as for `verdict`.
        units: as for `verdict`.
    """
    store = Impatient(past_answer, units)
    finished, serials = view.finished, cast("Mapping[str, str]", view.serials)
    known: dict[Posed, Answered] = {}
    for each in asked:
        if isinstance(each, tuple) and not view.went_back:
            name, value = each
            identifier = value if name == "approval" else serials.get(value) if name == "serial" else None
            entry = None if identifier is None else finished.get(identifier)
            kept = None if entry is None else entry.find(value, Template, now)
            if kept is not None:
                yield kept
                continue
        told = known.get(each)
        if told is None:
            body = each.encode() if isinstance(each, str) else problems.encode(dict([each]))
            told = known[each] = _told(view, body, now, store.past_answer, store.units)
        yield told


def _told(view: Snapshot, body: bytes, now: datetime, past_answer: PastAnswer, units: UnitsAt) -> Answered:
    if len(body) > QUESTION_LIMIT:
        return refusal(BodyTooLarge(limit=QUESTION_LIMIT)).body
    try:
        ready, as_of, _ = answered(view, body, now, past_answer, units)
    except Exception as error:  # noqa: BLE001 - as for a question alone; one that nobody foresaw spoils no other
        return refusal(error).body
    return ready if as_of == now else (ready, as_of)


def written(told: Iterable[Answered], now: datetime) -> Pieces:
    """Return the answers as JSON, in pieces that refer to what is kept of them: not even ten thousand are long.

    Args:
        told: the answers.
        now: the instant that those about the present speak of.
    """
    instants, said = None, None
    pieces: list[Sequence[bytes]] = []
    piece: list[bytes] = [_BEGINS]
    count, length, between = 0, len(_BEGINS) + len(_ENDS), b""
    for count, each in enumerate(told, 1):
        if isinstance(each, Template):
            if said is None or each.instants is not instants:
                instants = each.instants
                said = instants.said(now)
            if each.change is not None and each.change <= said.until:
                octets = each.filled(now)
                piece += (between, octets)
                length += len(octets)
            else:
                piece += (between, each.before, said.octets, each.after)
                length += each.around + len(said.octets)
        else:
            octets = each[0].filled(each[1]) if isinstance(each, tuple) else each
            piece += (between, octets)
            length += len(octets)
        between = b","
        if not count % _AT_A_TIME:
            pieces.append(piece)
            piece = []
    pieces.append([*piece, _ENDS])
    return Pieces(pieces, length + max(count - 1, 0))

"""questions: the SSC says what else the monthly report is to tell, once or in each; the DCC answers (F2.28(h))."""

from datetime import datetime

from core.actors import Actor
from core.clauses import serves
from core.errors import WrongState
from core.facts import Fact, FactKind
from core.words import required
from policy.roles import Operation
from ra.access import authorise
from ra.desk import Desk, new_identifier
from ra.repeat import RequestKey, once
from ra.reporting.views import QuestionAnswer, QuestionAnswered, QuestionAsked, QuestionEnded, QuestionList
from ra.standing import require_open_month
from store.reading import report_questions as reading
from store.reading import reports
from store.transactions import Transaction
from store.verbs import facts, report_questions
from store.verbs import reports as report_verbs


@serves("F2.28(h)")
def ask(desk: Desk, actor: Actor, words: str, month: str | None, request: RequestKey | None = None) -> QuestionAsked:
    """Ask the DCC to tell something in a month's report, or in each from now on.

    Args:
        desk: where.
        actor: an officer.
        words: what is asked.
        month: `2027-05`; None for a standing question.
        request: the Idempotency-Key, if one was sent.

    Raises:
        MonthMalformed: not `2027-05`.
        NothingSaid: there is nothing in the words.
        WrongState, ReportOutOfTurn: the month's report, or a later one, has been issued.
    """
    authorise(actor, Operation.ASK_OF_REPORT)
    at = desk.clock.now()
    with desk.store.begin("ask of report") as tx:
        return once(desk, tx, actor, request, QuestionAsked, lambda: _ask(tx, actor, words, month, at=at), at=at)


def end_question(desk: Desk, actor: Actor, identifier: str, request: RequestKey | None = None) -> QuestionEnded:
    """End a standing question: reports that are not issued need not answer it.

    Raises:
        NoSuchThing: there is none.
        WrongState: it is for one report only, or has ended.
    """
    authorise(actor, Operation.ASK_OF_REPORT)
    at = desk.clock.now()

    def act() -> QuestionEnded:
        report_verbs.hold(tx)
        report_questions.end(tx, identifier, at=at)
        facts.record(tx, Fact(FactKind.REPORT_QUESTION_ENDED, at, actor, subject=identifier))
        return QuestionEnded(identifier, at)

    with desk.store.begin("end question") as tx:
        return once(desk, tx, actor, request, QuestionEnded, act, at=at)


@serves("F2.28(h)")
def answer_question(
    desk: Desk, actor: Actor, month: str, identifier: str, words: str, request: RequestKey | None = None
) -> QuestionAnswered:
    """Answer a question in a month's report; that something is not available to the DCC is an answer, too.

    Args:
        desk: where.
        actor: of the DCC.
        month: `2027-05`.
        identifier: of the question.
        words: the answer.
        request: the Idempotency-Key, if one was sent.

    Raises:
        MonthMalformed, ReportOutOfTurn, WrongState: nothing can be added to that report.
        NoSuchThing: there is no such question.
        NothingSaid: there is nothing in the answer.
        WrongState: that report is not asked, or has answered it.
    """
    authorise(actor, Operation.REMARK_REPORT)
    at = desk.clock.now()
    with desk.store.begin("answer question") as tx:
        return once(
            desk,
            tx,
            actor,
            request,
            QuestionAnswered,
            lambda: _answer(tx, actor, month, identifier, words, at=at),
            at=at,
        )


def questions(desk: Desk, actor: Actor) -> QuestionList:
    """Return every question, oldest first."""
    authorise(actor, Operation.READ_REPORT)
    with desk.store.read() as tx:
        found = reading.question_list(tx)
    return QuestionList(
        tuple(
            QuestionAnswer(
                question=each.id,
                month=each.month,
                text=each.text,
                asked_at=each.asked_at,
                asked_by=each.asked_by,
                ended_at=each.ended_at,
            )
            for each in found
        )
    )


def _ask(tx: Transaction, actor: Actor, words: str, month: str | None, *, at: datetime) -> QuestionAsked:
    report_verbs.hold(tx)  # a report that is issued at this moment has answered it, or comes before it
    if month is not None:
        require_open_month(tx, month)
    text = required(words, of="the question")
    made = reading.Question(id=new_identifier("ask", at), month=month, text=text, asked_at=at, asked_by=actor.name)
    report_questions.ask(tx, made)
    # The words are between the SSC and the DCC until a report is issued; the fact names the question only.
    facts.record(tx, Fact(FactKind.REPORT_QUESTION_ASKED, at, actor, subject=made.id, payload={"month": month}))
    return QuestionAsked(made.id, month)


def _answer(
    tx: Transaction, actor: Actor, month: str, identifier: str, words: str, *, at: datetime
) -> QuestionAnswered:
    report_verbs.hold(tx)
    require_open_month(tx, month)
    reading.question(tx, identifier)
    asked = reading.asked_of(tx, month, after=reports.newest_month(tx) or "")
    if identifier not in {each.question.id for each in asked}:
        raise WrongState(kind="Question", identifier=identifier, state=f"not asked of {month}", needed="asked of it")
    text = required(words, of="the answer")
    report_questions.answer(tx, identifier, month, text=text, by=actor.name, at=at)
    facts.record(tx, Fact(FactKind.REPORT_QUESTION_ANSWERED, at, actor, subject=identifier, payload={"month": month}))
    return QuestionAnswered(identifier, month, at)

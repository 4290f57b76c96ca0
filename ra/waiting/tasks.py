"""tasks: what waits for whom, computed from the register at the moment somebody asks; nothing is ticked off by hand.

One list each for the SSC, a Manufacturer, the DCC and the Panel. A task says that there is something and where it is;
the words that officers, Manufacturers and the Panel wrote are not repeated: lists are mailed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from typing import assert_never

from core.actors import Actor, Party, PartyKind
from core.classification import in_words
from core.cpl import InstructionState, Kind
from core.instants import ONE_SECOND, first_second, last_second
from core.local_time import overdue_before, uk, utc
from core.renewal import Lasting
from core.words import counted
from policy.roles import Operation, party_of, permitted
from ra.access import authorise, not_permitted
from ra.desk import Desk, Rules
from ra.reporting.report import month_of
from ra.views import cut
from ra.waiting import of_the_ssc
from ra.waiting.of_the_ssc import COMING, certificate_named, link_of
from ra.waiting.seeing import restored, to_witness
from ra.waiting.views import TaskAnswer, TaskList
from store.reading import deployments as deployment_reading
from store.reading import reports as report_reading
from store.reading import tasks as reading
from store.reading.renewal import everything_lasting
from store.reading.report_questions import asked_of
from store.reading.suspicions import unanswered
from store.reading.tasks import RunningApproval
from store.transactions import Transaction

UNDELIVERED_FOR_LONG = timedelta(days=1)
"""A notice that has not arrived for so long is urgent."""

_INSTRUCTIONS: Mapping[Kind, str] = {
    Kind.ADD: "add the entry of",
    Kind.CHANGE: "change the entry of",
    Kind.REMOVE: "remove the entry of",
    Kind.REPLACE_MARKER: "replace the trial marker of",
}


def whose_list(actor: Actor, operation: Operation) -> Party:
    """Return whose list an actor sees; OperationNotPermitted if it acts for nobody."""
    authorise(actor, operation)
    party = party_of(actor)
    if party is None:
        raise not_permitted(actor, operation)
    return party


def tasks(desk: Desk, actor: Actor) -> TaskList:
    """Return what waits for the actor's party, what is urgent first."""
    party = whose_list(actor, Operation.READ_TASKS)
    at = desk.clock.now()
    with desk.store.read() as tx:
        own = [to_witness(tx, actor.name, at)] if permitted(actor, Operation.WITNESS_DECISION, owner=None) else []
        return _listed(party, at, (*_every_kind(tx, party, at, desk.rules), *own))


def tasks_of(tx: Transaction, party: Party, at: datetime, rules: Rules) -> TaskList:
    """Return what waits for a party at an instant, whoever asks: what is urgent first, then by when it is due."""
    return _listed(party, at, _every_kind(tx, party, at, rules))


def _every_kind(tx: Transaction, party: Party, at: datetime, rules: Rules) -> Sequence[Iterator[TaskAnswer]]:
    return (*_kinds(tx, party, at, rules), _ending(tx, party, at))


def _listed(party: Party, at: datetime, every: Sequence[Iterator[TaskAnswer]]) -> TaskList:
    kinds = [_oldest(kind) for kind in every]
    end = datetime.max.replace(tzinfo=at.tzinfo)
    found = [each for told, _ in kinds for each in told]
    found.sort(key=lambda each: (not each.urgent, each.due or end, each.since, each.subject))
    return TaskList(party=party.kind, as_of=at, tasks=tuple(found), truncated=any(more for _, more in kinds))


def _oldest(kind: Iterator[TaskAnswer]) -> tuple[Sequence[TaskAnswer], bool]:
    return cut(reading.MOST_OF_A_KIND, lambda most: list(islice(kind, most)))


def _kinds(tx: Transaction, party: Party, at: datetime, rules: Rules) -> Sequence[Iterator[TaskAnswer]]:
    match party.kind:
        case PartyKind.SSC:
            kinds = [
                of_the_ssc.applications(tx),
                of_the_ssc.decisions(tx, at),
                of_the_ssc.revocations(tx),
                restored(tx),
                of_the_ssc.breaches(tx),
                of_the_ssc.rejections(tx, at),
                of_the_ssc.unacknowledged(tx, at),
                of_the_ssc.additions(tx, at),
                of_the_ssc.requests(tx),
                of_the_ssc.end_requests(tx),
                _expiring(tx, party, at, rules),
                _undelivered(tx, party, at),
                _after_end(tx, at),
                _instructions(tx, at, due_by=overdue_before(at) - ONE_SECOND, or_rejected=True),
            ]
        case PartyKind.MANUFACTURER:
            kinds = [
                _requirements(tx, party.organisation or ""),
                _unanswered(tx, party.organisation or "", at),
                _to_answer(tx, party.organisation or ""),
                _expiring(tx, party, at, rules),
                _undelivered(tx, party, at),
            ]
        case PartyKind.DCC:
            kinds = [
                _report(tx, at, rules),
                _after_end(tx, at),
                _expiring(tx, party, at, rules),
                _undelivered(tx, party, at),
            ]
        case PartyKind.PANEL:
            kinds = [
                _instructions(tx, at, due_by=at + COMING, or_rejected=False),
                _expiring(tx, party, at, rules),
                _undelivered(tx, party, at),
            ]
        case _:
            assert_never(party.kind)
    return kinds


def days_left(expiry: datetime, day: date) -> int:
    """Return how many UTC days after `day` an approval expires; 0 on the day itself."""
    return (expiry.date() - day).days


def threshold(left: int, expiry_days: Sequence[int]) -> int | None:
    """Return the smallest of the days on which people are reminded that `left` has come down to; None before all."""
    return min((each for each in expiry_days if left <= each), default=None)


def expiry_words(approval: RunningApproval, day: date) -> str:
    """Return, in a sentence, when an approval expires as seen from a UTC day."""
    left = days_left(approval.expiry, day)
    when = {0: "today", 1: "tomorrow"}.get(left, f"in {left} days")
    return (
        f"Approval {approval.identifier} of {approval.organisation} ({approval.device.words}) expires {when}: "
        f"at {utc(approval.expiry)}, which is {uk(approval.expiry)}."
    )


# --- of a Manufacturer and the DCC -------------------------------------------------------------------------------


def _requirements(tx: Transaction, organisation: str) -> Iterator[TaskAnswer]:
    for each in reading.applications_waiting(tx, organisation_id=organisation):
        what = f"Your application for {each.device.words} has {counted(each.open_requirements, 'open requirement')}"
        told = f"{what}; it cannot be granted before each is met or waived (F2.20)."
        since, link = each.oldest_requirement or each.submitted_at, f"/v1/applications/{each.id}/requirements"
        yield TaskAnswer(kind="requirement-open", subject=each.id, sentence=told, since=since, link=link)


def _unanswered(tx: Transaction, organisation: str, at: datetime) -> Iterator[TaskAnswer]:
    for each in reading.certificates_unanswered(tx, at, organisation_id=organisation):
        told = f"Check {certificate_named(each)} against your request, and accept or reject it (F2.25)."
        yield TaskAnswer(
            kind="certificate-to-answer",
            subject=each.serial,
            sentence=told,
            since=each.since,
            link=link_of(each),
        )


def _to_answer(tx: Transaction, organisation: str) -> Iterator[TaskAnswer]:
    for each in islice(unanswered(tx, organisation), reading.MOST_OF_A_KIND + 1):
        told = f"A breach of the conditions of {each.approval} is suspected ({each.notice}); you may answer (F2.23)."
        yield TaskAnswer(
            kind="suspicion-to-answer",
            subject=each.breach,
            sentence=told,
            since=each.told_at,
            link=f"/v1/suspicions/{each.breach}",
            urgent=True,
        )


def _report(tx: Transaction, at: datetime, rules: Rules) -> Iterator[TaskAnswer]:
    """The report of the month that has ended, if there was anything to report."""
    this_month = at.date().replace(day=1)
    begun, month = first_second(this_month), month_of(first_second(this_month) - timedelta(days=1))
    granted, newest = reading.first_grant(tx), report_reading.newest_month(tx)
    if granted is None or granted >= begun or (newest is not None and newest >= month):
        return
    due = last_second(this_month.replace(day=rules.report_day))
    told = f"The monthly report for {month} is to be issued by {utc(due)} (F2.28)."
    asked = sum(each.answer is None for each in asked_of(tx, month, after=newest or ""))
    if asked:
        told += f" It has still to answer {asked} question{'s' if asked > 1 else ''} of the Sub-Committee (F2.28(h))."
    yield TaskAnswer(
        kind="report-to-issue",
        subject=month,
        sentence=told,
        since=begun,
        link=f"/v1/reports/{month}",
        due=due,
        urgent=at > due,
    )


def _after_end(tx: Transaction, at: datetime) -> Iterator[TaskAnswer]:
    """Devices that are still deployed after the end of their approval, until none is left (F2.28(d), F2.31)."""
    for each in deployment_reading.deployed_after_end(tx, at, limit=reading.MOST_OF_A_KIND + 1):
        many = "1 device is" if each.devices == 1 else f"{each.devices:,} devices are"
        yield TaskAnswer(
            kind="deployed-after-end",
            subject=each.approval,
            sentence=f"{many} still deployed under {each.approval}, which ended at {utc(each.ended_at)} (F2.31).",
            since=each.ended_at,
            link=f"/v1/approvals/{each.approval}/deployments",
        )


# --- of several --------------------------------------------------------------------------------------------------


def _expiring(tx: Transaction, party: Party, at: datetime, rules: Rules) -> Iterator[TaskAnswer]:
    if not rules.expiry_days:
        return
    first, last = max(rules.expiry_days), min(rules.expiry_days)
    until = last_second(at.date() + timedelta(days=first))
    for each in reading.running(tx, at, until=until, organisation_id=party.organisation):
        left = days_left(each.expiry, at.date())
        within = threshold(left, rules.expiry_days) or first
        told = f"{expiry_words(each, at.date())} It is within {within} days of its end (F2.31)."
        since = first_second(each.expiry.date() - timedelta(days=within))
        link = f"/v1/approvals/{each.identifier}"
        yield TaskAnswer(
            kind="approval-expiring",
            subject=each.identifier,
            sentence=told,
            since=since,
            link=link,
            due=each.expiry,
            urgent=left <= last,
        )


def concerns(each: Lasting, party: Party) -> bool:
    """Return whether a party is told of an end: the SSC of everything, the others of the keys of their own people."""
    if party.kind is PartyKind.SSC:
        return True
    holder = None if each.role is None else Actor(each.name, each.role, each.organisation)
    return holder is not None and party_of(holder) == party


def _ending(tx: Transaction, party: Party, at: datetime) -> Iterator[TaskAnswer]:
    """What has an end: for the SSC all of it, for the others the API keys of their own."""
    for each in sorted(everything_lasting(tx, at), key=lambda one: one.ends):
        within = each.within(at)
        if within is not None and concerns(each, party):
            yield TaskAnswer(
                kind=f"{each.what.value}-ends",
                subject=each.subject or each.what.value,
                sentence=each.told(at),
                since=each.ends - within,
                link="/v1/authority",
                due=each.ends - ONE_SECOND,
                urgent=each.urgent(at),
            )


def _undelivered(tx: Transaction, party: Party, at: datetime) -> Iterator[TaskAnswer]:
    for each in reading.copies_waiting(tx, recipient=party.recipient, organisation_id=party.organisation):
        late = each.given_up or at - each.written_at > UNDELIVERED_FOR_LONG
        if party.recipient is None:
            told = f"Notice {each.notice} has not reached {in_words(each.recipient)}" + (
                "; its delivery was given up." if each.given_up else " yet."
            )
            yield TaskAnswer(
                kind="notice-undelivered",
                subject=each.notice,
                sentence=told,
                since=each.written_at,
                link="/v1/notices/undelivered",
                urgent=late,
            )
        else:
            about = each.kind.replace("-", " ") + (f", {each.approval}" if each.approval else "")
            told = f"Notice {each.notice} ({about}) waits to be read."
            yield TaskAnswer(
                kind="notice-to-read",
                subject=each.notice,
                sentence=told,
                since=each.written_at,
                link=f"/v1/notices/{each.notice}",
                urgent=late,
            )


def _instructions(tx: Transaction, at: datetime, *, due_by: datetime, or_rejected: bool) -> Iterator[TaskAnswer]:
    for each in reading.instructions_waiting(tx, due_by=due_by, or_rejected=or_rejected):
        what = f"{_INSTRUCTIONS[each.kind]} {each.approval}, firmware {each.firmware_version}"
        overdue, rejected = each.due < overdue_before(at), each.state is InstructionState.REJECTED
        if rejected:
            kind, told = "cpl-rejected", f"The Panel could not {what}, on the Central Products List"
        elif overdue:
            kind, told = "cpl-overdue", f"Overdue: {what}, on the Central Products List"
        else:
            kind, told = "cpl-due", f"{what[0].upper()}{what[1:]}, on the Central Products List"
        sentence = f"{told}; due at {utc(each.due)} (F2.27, F2.31)."
        yield TaskAnswer(
            kind=kind,
            subject=each.id,
            sentence=sentence,
            since=each.since,
            link="/v1/cpl/instructions",
            due=each.due,
            urgent=overdue or rejected,
        )

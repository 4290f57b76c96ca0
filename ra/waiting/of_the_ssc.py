"""What waits for the Security Sub-Committee alone: applications, decisions, breaches, rejections, requests."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from core.kinds import BreachState, DecisionKind
from core.local_time import overdue_before, uk, utc
from core.words import counted
from ra.deciding.every_kind import task_of
from ra.waiting.views import TaskAnswer
from store.reading import tasks as reading
from store.reading.receipts import unacknowledged as unacknowledged_ends
from store.reading.tasks import WaitingBreach, WaitingCertificate, WaitingDecision
from store.transactions import Transaction

LAPSES_SOON = timedelta(days=3)
"""A proposal that lapses within this time is urgent: officers do not meet every day."""

COMING = timedelta(days=7)
"""The Panel is told of an instruction so long before it is due: it works in office hours."""


def applications(tx: Transaction) -> Iterator[TaskAnswer]:
    """Yield each application that waits for a decision (F2.18)."""
    for each in reading.applications_waiting(tx):
        told = f"{each.organisation}'s application for {each.device.words} waits for a decision (F2.18)"
        if each.open_requirements:
            told += f"; it has {counted(each.open_requirements, 'open requirement')}"
        yield TaskAnswer(
            kind="application-waiting",
            subject=each.id,
            sentence=f"{told}.",
            since=each.submitted_at,
            link=f"/v1/applications/{each.id}",
        )


def decisions(tx: Transaction, at: datetime) -> Iterator[TaskAnswer]:
    """Yield each proposal that another officer must second or reject."""
    for each in reading.decisions_waiting(tx):
        told = f"{each.proposer} proposes {_named(each)}; another officer must second or reject it."
        soon = each.lapses_at is not None and each.lapses_at - at <= LAPSES_SOON
        if each.lapses_at is not None:
            told += f" It lapses at {utc(each.lapses_at)}."
        if each.open_requirements and each.kind is DecisionKind.GRANT:
            unmet = counted(each.open_requirements, "open requirement")
            told += f" Its application has {unmet}: it cannot be seconded (F2.20)."
        link = f"/v1/decisions/{each.id}"
        yield TaskAnswer(
            kind="decision-to-second",
            subject=each.id,
            sentence=told,
            since=each.proposed_at,
            link=link,
            due=each.lapses_at,
            urgent=soon,
        )


def revocations(tx: Transaction) -> Iterator[TaskAnswer]:
    """Yield each revocation that one officer decided and a second has to acknowledge (F2.30)."""
    for each in reading.revocations_unacknowledged(tx):
        told = f"{each.proposer} alone decided {_named(each)}; a second officer must acknowledge it (F2.30)."
        link = f"/v1/decisions/{each.id}"
        yield TaskAnswer(
            kind="revocation-to-acknowledge",
            subject=each.id,
            sentence=told,
            since=each.proposed_at,
            link=link,
            urgent=True,
        )


def breaches(tx: Transaction) -> Iterator[TaskAnswer]:
    """Yield each breach that is to be judged, or for which a revocation is owed (F2.23)."""
    for each in reading.breaches_open(tx):
        what = "the limit of devices (F2.21(d))" if each.condition is None else f"condition {each.condition}"
        yield _owed(each, what) if each.state == BreachState.CONFIRMED else _suspected(each, what)


def _suspected(breach: WaitingBreach, what: str) -> TaskAnswer:
    told = f"A breach of {what} of {breach.approval} is suspected; it must be confirmed or dismissed (F2.23)."
    if breach.kept_at is not None:
        told += f" What made it was corrected at {utc(breach.kept_at)}: as far as is known, the limit was kept."
    return TaskAnswer(
        kind="breach-suspected",
        subject=breach.id,
        sentence=told,
        since=breach.suspected_at,
        link=_breaches_link(breach),
    )


def _owed(breach: WaitingBreach, what: str) -> TaskAnswer:
    told = f"A breach of {what} of {breach.approval} is confirmed: a revocation for it is owed (F2.23)."
    since = breach.judged_at or breach.suspected_at
    return TaskAnswer(
        kind="revocation-owed", subject=breach.id, sentence=told, since=since, link=_breaches_link(breach), urgent=True
    )


def _breaches_link(breach: WaitingBreach) -> str:
    return f"/v1/approvals/{breach.approval}/breaches"


def rejections(tx: Transaction, at: datetime) -> Iterator[TaskAnswer]:
    """Yield each certificate that its Manufacturer has rejected (F2.25)."""
    for each in reading.certificates_rejected(tx, at):
        told = (
            f"The Manufacturer has rejected {certificate_named(each)}; the officers must decide what follows (F2.25)."
        )
        yield TaskAnswer(
            kind="certificate-rejected",
            subject=each.serial,
            sentence=told,
            since=each.since,
            link=link_of(each),
            urgent=True,
        )


def unacknowledged(tx: Transaction, at: datetime) -> Iterator[TaskAnswer]:
    """Yield each end that the DCC or the Panel has not acknowledged, its working day being over (F2.30, F2.31).

    The Code names no time. One who is told on a day has its office hours, or those of the next working day, as the
    Panel has for an instruction (docs/assumptions.md).
    """
    for each in unacknowledged_ends(tx, ended_before=overdue_before(at), limit=reading.MOST_OF_A_KIND + 1):
        silent = [who for who, when in (("the DCC", each.dcc_at), ("the Panel", each.panel_at)) if when is None]
        told = f"{' and '.join(silent)} {'has' if len(silent) == 1 else 'have'} not acknowledged an end"
        yield TaskAnswer(
            kind="end-unacknowledged",
            subject=each.approval,
            sentence=f"{told[0].upper()}{told[1:]} of {each.approval}, at {utc(each.ended_at)} (F2.30, F2.31).",
            since=each.ended_at,
            link=f"/v1/approvals/{each.approval}/receipts",
            urgent=True,
        )


def additions(tx: Transaction, at: datetime) -> Iterator[TaskAnswer]:
    """Yield each approval whose addition to the list is asked about (F2.26, F2.27)."""
    for record, since in reading.additions_to_judge(tx, at):
        told = (
            f"The Trial CPA Certificate of {record.identifier} was cancelled for its key, and none holds on "
            f"{uk(record.start)}, when its entry is to be added: say whether the addition stands, with the remark "
            "“certificate awaited” (F2.27), or waits until a certificate holds (F2.26)."
        )
        yield TaskAnswer(
            kind="addition-to-judge",
            subject=record.identifier,
            sentence=told,
            since=since,
            due=record.start,
            link=f"/v1/approvals/{record.identifier}",
            urgent=record.start <= at + COMING,
        )


def requests(tx: Transaction) -> Iterator[TaskAnswer]:
    """Yield each request for an amendment (F2.29)."""
    for each in reading.requests_open(tx):
        told = f"The Manufacturer asks for an amendment of {each.approval} (F2.29)."
        link = f"/v1/amendment-requests/{each.id}"
        yield TaskAnswer(kind="amendment-requested", subject=each.id, sentence=told, since=each.asked_at, link=link)


def end_requests(tx: Transaction) -> Iterator[TaskAnswer]:
    """Yield each request for an end (F2.30)."""
    for each in reading.end_requests_open(tx):
        told = f"The Manufacturer asks for the end of {each.approval}; end it, or answer (F2.30)."
        link = f"/v1/end-requests/{each.id}"
        yield TaskAnswer(kind="end-requested", subject=each.id, sentence=told, since=each.asked_at, link=link)


def _named(decision: WaitingDecision) -> str:
    return task_of(decision.kind, decision.thing)


def certificate_named(certificate: WaitingCertificate) -> str:
    """Return what people call a certificate: of which approval, and which issue."""
    return f"the Trial CPA Certificate of {certificate.approval}, issue {certificate.issue}"


def link_of(certificate: WaitingCertificate) -> str:
    """Return where a certificate is."""
    return f"/v1/certificates/{certificate.serial}"

"""story: an approval told from its application on, in the words and the order in which a person would."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from core.approval import Device, EndCause
from core.canonical import Json
from core.classification import in_words
from core.kinds import (
    AmendmentRequestState,
    AuthorisedAct,
    BreachState,
    DecisionKind,
    EndRequestState,
    RequirementState,
)
from core.local_time import utc
from core.words import counted
from ra.applying.views import ApplicationAnswer
from ra.auditing.gathered import Decided, Gathered, Stands
from ra.committee.views import InterestAnswer
from ra.deciding.views import AuthorisationKept, DecisionAnswer
from ra.reporting.views import BreachAnswer
from ra.telling.views import CopyAnswer

_KINDS: dict[DecisionKind, str] = {
    DecisionKind.GRANT: "to grant the approval",
    DecisionKind.REFUSE: "to refuse the application",
    DecisionKind.AMEND: "to amend the approval",
    DecisionKind.REFUSE_AMENDMENT: "to refuse an amendment",
    DecisionKind.REVOKE: "to revoke the approval",
    DecisionKind.WITHDRAW: "to end the approval at the Manufacturer's request",
    DecisionKind.REKEY: "to certify another key",
    DecisionKind.WITHDRAW_WAITING: "to withdraw what was decided for later",
    DecisionKind.CORRECT: "to correct a notice",
}

_CAUSES: dict[EndCause, str] = {
    EndCause.SSC: "by the Security Sub-Committee",
    EndCause.BREACH: "for a breach of its conditions",
    EndCause.KEY_COMPROMISE: "because its key was compromised",
    EndCause.MANUFACTURER: "at the Manufacturer's request",
    EndCause.CHANGE_WITHDRAWN: "because the change was withdrawn before it began",
}


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Args:
        at: when.
        words: what.
        who: whose act it was; empty where nobody's.
    """

    at: datetime
    words: str
    who: str = ""


def told(found: Gathered, *, authority: str, environment: str, at: datetime) -> dict[str, Json]:
    """Return what a dossier's PDF says.

    Args:
        found: everything about the approval.
        authority: its name.
        environment: test or live.
        at: as of when.
    """
    approval, application = found.approval, found.application
    return {
        "approval": approval.approval,
        "authority": authority,
        "test": environment != "live",
        "as_of": utc(at),
        "device": _named(approval.device),
        "meta": [
            _meta("Manufacturer", approval.organisation),
            _meta("Device", _named(approval.device)),
            _meta("State", approval.state.value.replace("_", " ")),
            _meta("Starts", utc(approval.start)),
            _meta("Expires", utc(approval.expiry)),
            _meta("Devices", f"{found.deployments.deployed} of {approval.maximum_devices}"),
        ],
        "purpose": application.purpose,
        "events": [
            {
                "day": _day(each.at),
                "time": f"{each.at:%H:%M:%S}",
                "words": each.words,
                "who": each.who,
            }
            for each in events(found, at)
        ],
        "decisions": [_decision(each) for each in found.decisions],
        "certificates": [
            {
                "issue": each.issue,
                "serial": each.serial,
                "holds": f"{utc(each.not_before)} to {utc(each.not_after)}",
                "ended": "" if each.ended_at is None else utc(each.ended_at),
                "sha256": each.sha256,
            }
            for each in approval.certificates
        ],
        "notices": [
            {"notice": notice.notice, "kind": _plain(notice.kind), "to": in_words(copy.recipient), "how": _way(copy)}
            for notice in found.notices
            for copy in notice.copies
        ],
        "evidence": [{"name": each.name, "sha256": each.sha256, "size": each.size} for each in application.evidence],
        "conditions": [
            {"number": each.number, "text": each.text, "ended": "" if each.ended_at is None else utc(each.ended_at)}
            for each in found.conditions.conditions
        ],
    }


def _named(device: Device) -> str:
    return f"{device.type} {device.manufacturer} {device.model}, hardware {device.hardware_version}"


def _meta(label: str, value: str) -> dict[str, Json]:
    return {"label": label, "value": value, "beside": None}


def _plain(word: str) -> str:
    return word.replace("-", " ").replace("_", " ")


# --- what happened ------------------------------------------------------------------------------------------------


def events(found: Stands, at: datetime) -> tuple[Event, ...]:
    """Return everything that has happened to an approval, from its application on, in order."""
    return tuple(sorted(_events(found, at), key=lambda one: one.at))


def _declared(said: InterestAnswer) -> Iterator[Event]:
    yield Event(said.declared_at, f"{said.officer} declared an interest: {said.text}", said.declared_by)
    if said.withdrawn_at is not None:
        yield Event(said.withdrawn_at, f"The interest of {said.officer} was withdrawn.", said.withdrawn_by or "")


def _events(found: Stands, at: datetime) -> Iterator[Event]:
    approval = found.approval
    yield from _applied(found.application, approval.organisation)
    for declared in found.interests:
        yield from _declared(declared)
    for each in found.decided:
        yield from _decided(each)
    yield from _asked(found)
    for made in approval.certificates:
        yield Event(made.signed_at, f"Certificate {made.serial}, issue {made.issue}, was signed.", "the authority")
        if made.acceptance is not None:
            answered = "accepted" if made.acceptance.accepted else f"rejected: {made.acceptance.reason}"
            yield Event(made.acceptance.at, f"The Manufacturer's answer to issue {made.issue}: {answered}.")
    yield from _told(found)
    if approval.ended_at is not None:
        cause = "" if approval.end_cause is None else f" {_CAUSES[approval.end_cause]}"
        yield Event(approval.ended_at, f"The approval ended{cause}.")
    elif approval.expiry < at:
        yield Event(approval.expiry, "The approval expired with this second.")


def _asked(found: Stands) -> Iterator[Event]:
    """What the Manufacturer asked for, and how that was closed where no decision was taken about it."""
    for one in found.requests:
        yield Event(one.asked_at, f"An amendment was asked for: {one.reasons}", one.asked_by)
        yield from _closed(one.closed_at, one.state, "an amendment")
    for each in found.end_requests:
        yield Event(each.asked_at, f"Its end was asked for: {each.reasons}", each.asked_by)
        if each.answer is not None and each.closed_at is not None:
            said = f"The request for the end was {each.state}: {each.answer}"
            yield Event(each.closed_at, said, each.answered_by or "")
        yield from _closed(each.closed_at, each.state, "the end")


def _closed(at: datetime | None, state: AmendmentRequestState | EndRequestState, what: str) -> Iterator[Event]:
    if at is None:
        return
    if state in {AmendmentRequestState.WITHDRAWN, EndRequestState.WITHDRAWN}:
        yield Event(at, f"The Manufacturer took its request for {what} back.")
    elif state in {AmendmentRequestState.LAPSED, EndRequestState.LAPSED}:
        yield Event(at, f"The request for {what} was closed, because the approval had ended.")


def _told(found: Stands) -> Iterator[Event]:
    """Who was told what, what the Panel was told to do, and what was done about a condition."""
    for notice in found.notices:
        to = ", ".join(in_words(copy.recipient) for copy in notice.copies)
        yield Event(notice.written_at, f"Notice {notice.notice} ({_plain(notice.kind)}) was written to: {to}.")
    for breach in found.breaches:
        yield from _breach(breach)
    for step in found.instructions:
        yield Event(step.instructed_at, f"The Panel was told: {step.sentence}")
        if step.acknowledged_at is not None:
            answered = _plain(step.state) + (f": {step.reason}" if step.reason else "")
            yield Event(
                step.acknowledged_at,
                f"The Panel's answer to {step.instruction}: {answered}.",
                step.acknowledged_by or "",
            )


def _day(said: date) -> str:
    """A day as people say it: `4 January 2027`."""
    return f"{said.day} {said:%B %Y}"


def _applied(application: ApplicationAnswer, organisation: str) -> Iterator[Event]:
    device = _named(application.device)
    yield Event(
        application.submitted_at,
        f"{organisation} applied for a trial of {device}: at most {counted(application.maximum_devices, 'device')}, "
        f"from {_day(application.start)} to {_day(application.expiry)}.",
        application.submitted_by,
    )
    for file in application.evidence:
        yield Event(file.attached_at, f"{file.name} was attached.", file.attached_by or "")
    for each in application.requirements:
        yield Event(each.set_at, f"A further requirement was set: {each.text}", each.set_by or "")
        if each.closed_at is not None:
            how = "met" if each.state is RequirementState.MET else "waived"
            why = f": {each.reason}" if each.reason else ""
            yield Event(each.closed_at, f"The requirement “{each.text}” was {how}{why}.", each.closed_by or "")


def _decided(said: DecisionAnswer) -> Iterator[Event]:
    what = _KINDS[said.kind]
    urgent = ", urgently and alone" if said.urgent else ""
    yield Event(said.proposed_at, f"It was proposed {what}{urgent} ({said.decision}).", said.proposer)
    if said.authorised_at is not None:
        yield Event(said.authorised_at, "The proposer signed for the proposal.", said.proposer)
    if said.seconded_at is not None:
        yield Event(said.seconded_at, f"It was decided {what}.", said.seconder or "")
    elif said.closed_at is not None and not said.urgent:
        yield Event(said.closed_at, f"The proposal {what} came to nothing: {said.outcome or said.state.value}.")
    if said.acknowledged_at is not None:
        yield Event(said.acknowledged_at, "Another officer was informed.", said.acknowledged_by or "")
    for each in said.witnesses:
        yield Event(each.at, f"{said.decision}: {each.saw.value}{f', {each.why}' if each.why else ''}.", each.officer)


def _breach(breach: BreachAnswer) -> Iterator[Event]:
    of = breach.clause if breach.condition is None else f"condition {breach.condition}"
    yield Event(breach.suspected_at, f"A breach of {of} was suspected: {breach.note}", breach.suspected_by)
    if breach.told is not None:
        yield Event(breach.told.at, f"Its Manufacturer was told of it in {breach.told.notice}.", breach.told.by)
        if breach.told.answered_at is not None:
            answer = f"The Manufacturer's answer: {breach.told.answer}"
            yield Event(breach.told.answered_at, answer, breach.told.answered_by or "")
    if breach.judged_at is not None:
        how = "dismissed" if breach.state is BreachState.DISMISSED else "confirmed"
        yield Event(breach.judged_at, f"It was {how}{f': {breach.why}' if breach.why else ''}", breach.judged_by or "")
    if breach.closed_at is not None and breach.closed_at != breach.judged_at:
        by = f", by {breach.decision}" if breach.decision else ""
        yield Event(breach.closed_at, f"The breach of {of} was closed{by}.")


# --- who decided, who was told ----------------------------------------------------------------------------------------


def _decision(each: Decided) -> dict[str, Json]:
    said = each.said
    officers: list[Json] = [
        {"officer": str(one.statement["officer"]), "act": str(one.statement["act"]), "key": one.key}
        for one in sorted(each.signed.authorisations, key=lambda one: one.statement["act"] != AuthorisedAct.PROPOSE)
        if _is_about(one, said)
    ]
    of = " · ".join(part for part in (said.meeting, said.minute) if part)
    return {
        "decision": said.decision,
        "what": _KINDS[said.kind],
        "state": said.state.value,
        "when": utc(said.seconded_at or said.closed_at or said.proposed_at),
        "proposal_sha256": said.proposal_sha256,
        # Where a passage says the same it says it with its class: nobody reads it twice.
        "reasons": "" if any(one.text == said.reasons for one in said.passages) else said.reasons,
        "minute": of,
        "passages": [
            {"subject": _plain(one.subject), "class": one.classification.value, "text": one.text}
            for one in said.passages
        ],
        "officers": officers,
    }


def _is_about(signed: AuthorisationKept, said: DecisionAnswer) -> bool:
    """Whether an officer signed for the decision itself, and not for a roster by which it counts."""
    statement = signed.statement
    return statement["act"] != AuthorisedAct.CHANGE_ROSTER and (
        signed.listed is not None
        or statement["subject"] in {said.decision, said.approval}
        or statement["proposal_sha256"] == said.proposal_sha256
    )


def _way(copy: CopyAnswer) -> str:
    ways = [
        f"{each.channel.value} to {each.address}: {each.state.value}"
        + (f", {utc(each.delivered_at)}" if each.delivered_at is not None else "")
        for each in copy.deliveries
    ]
    fetched = [] if copy.fetched_at is None else [f"fetched {utc(copy.fetched_at)}"]
    return "; ".join([*ways, *fetched]) or "not yet"

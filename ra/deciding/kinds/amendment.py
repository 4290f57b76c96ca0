"""To amend an approval (F2.29).

What the certificate says leads to a new certificate: same identifier, issue + 1, valid from the effective instant, at
which the old one is superseded. Anything else leads to a notice only. A start is amended only before it has come; the
new certificate then takes the old one's place when it is recorded, so that the old start brings nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from core.actors import Actor
from core.approval import ApprovalRecord, Firmware, Terms
from core.canonical import Json
from core.classification import Passage
from core.clauses import serves
from core.errors import DeviceAlreadyApproved, Finding, WrongState
from core.facts import Fact, FactKind
from core.identifiers import Serial
from core.instants import first_second, last_second, next_midnight, parse, text
from core.kinds import AmendmentRequestState, DecisionKind, NoticeKind, Waiting
from core.waiting import difference
from policy import csr as csr_policy
from policy.section_f.amendment import AmendmentFacts, amended_firmware, amendment_findings
from ra import proposal as proposals
from ra.applying.apply import require_key_free
from ra.deciding import later_issue
from ra.deciding.kind import CertifyingKind, Proposed
from ra.deciding.later_issue import Basis
from ra.deciding.taking_up import give_back, take_up
from ra.desk import Desk
from ra.findings import refuse_fatal
from ra.grounds import NO_MINUTES, Grounds, Minutes, grounds_of
from ra.grounds import conditions_of as conditions_said
from ra.proposal import Tabled, approval_of, new_decision, said_in
from ra.standing import require_certified, require_open, why_ended
from ra.telling.listing import Foreseen
from ra.telling.matter import NoticeSaid
from ra.telling.words import NoticeForm
from store.reading import approvals as approval_reading
from store.reading import requests
from store.reading.conditions import Condition, conditions_of
from store.reading.deployments import deployed_at
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import amendment_requests, conditions, facts

DESCRIPTION = "description"
"""The subject of the passage that describes the device anew (F2.21(a))."""


@dataclass(frozen=True)
class ProposeAmendment:
    """Amend an approval. What is None or empty stays as it is.

    Args:
        approval: its identifier.
        reasons: a summary of why.
        start, expiry: UTC days.
        maximum_devices: the limit of F2.21(d).
        firmware_added: versions with the SHA-256 of their images.
        firmware_removed: version strings.
        conditions_removed: numbers of conditions that end; new ones are in `minutes`.
        effective: when it begins to hold; by default the next 00:00:00Z, never before the start; of what the
            certificate does not say, by default when it is decided. If the start is amended it is the new start.
        waiting: what becomes of the changes that wait behind that instant; None carries them.
        request: the Manufacturer's request that it answers.
        csr: a request for a new key; without one the key stays.
        minutes: what comes with the decision; a passage `description` describes the device anew.
    """

    approval: str
    reasons: str | Passage
    start: date | None = None
    expiry: date | None = None
    maximum_devices: int | None = None
    firmware_added: tuple[Firmware, ...] = ()
    firmware_removed: tuple[str, ...] = ()
    conditions_removed: tuple[int, ...] = ()
    effective: datetime | None = None
    waiting: Waiting | None = None
    request: str | None = None
    csr: bytes | None = None
    minutes: Minutes = NO_MINUTES


@dataclass(frozen=True)
class _Amended:
    """The approval with the change, beside what holds at its instant."""

    basis: Basis
    terms: Terms
    start: datetime
    certificate: bool
    instant: datetime

    @property
    def approval(self) -> ApprovalRecord:
        return self.basis.approval


FORM = NoticeForm(
    kind=NoticeKind.AMENDMENT,
    called=NoticeKind.AMENDMENT.value,
    title="Trial Device Approval amended",
    clause="F2.29",
    reasons_clause="F2.29",
    reasons="Why it is amended",
)


class Amendment(CertifyingKind[ProposeAmendment]):
    """An amendment; without a new certificate where nothing changes that the certificate says."""

    kind = DecisionKind.AMEND
    counted_as = DecisionKind.AMEND
    task = "to amend {}"

    def table(self, desk: Desk, tx: Transaction, tabled: Tabled, command: ProposeAmendment) -> Proposed:
        """Return the amendment as proposed, with what the rules find; hold the request that it answers."""
        approval = approval_reading.record(tx, command.approval)
        require_open(approval, tabled.at)
        amended = _amended(approval, command, tabled.at)
        standing = conditions_of(tx, approval.identifier)
        found = _findings(desk, tx, command, amended, standing, tabled.at)
        refuse_fatal(found)
        grounds = grounds_of(command.reasons, command.minutes, first_number=len(standing) + 1)
        said: dict[str, Json] = {
            "approval": approval.identifier,
            "request": command.request,
            "changes": _changes(amended, command, grounds, standing),
            "conditions_removed": list(command.conditions_removed),
            "effective": text(amended.instant) if amended.certificate or command.effective else None,
        }
        public_key = _certify(tx, command, amended, said) if amended.certificate else None
        decision = replace(
            new_decision(self.kind, said, grounds, tabled),
            approval=approval.identifier,
            issue=amended.terms.issue if amended.certificate else None,
            public_key=public_key,
            amendment_request=command.request,
        )
        if command.request is not None:
            take_up(tx, command.request, approval.identifier, at=tabled.at)
        return Proposed(decision, found)

    def released(self, tx: Transaction, decision: Decision, at: datetime) -> None:
        """The request that it answers, if there is one, is open again."""
        give_back(tx, decision.amendment_request, at=at)

    def passed(self, tx: Transaction, decision: Decision, at: datetime) -> str | None:
        """The approval stands; an effective instant and a start that moves have not come."""
        if decision.issue is not None:
            return later_issue.why_passed(tx, decision, at) or _number_taken(tx, decision)
        effective = _effective(decision)
        if effective is not None and effective <= at:
            return f"its effective instant {text(effective)} has passed"
        return why_ended(approval_reading.record(tx, approval_of(decision)), at) or _number_taken(tx, decision)

    @serves("F2.29")
    def decide(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
        """What the certificate does not say holds from now on; the rest, and its words, with the certificate."""
        if decision.issue is None or conditions_said(decision):
            approval_reading.locked(tx, approval_of(decision))
            # Asked again behind the lock: of two that are seconded at the same moment one is first.
            if _number_taken(tx, decision) is not None:
                state, needed = "with other conditions by now", "as it was when this was proposed"
                raise WrongState(kind="Approval", identifier=approval_of(decision), state=state, needed=needed)
        if decision.issue is None:
            _amend_words(tx, decision, actor, at)

    def reserve(self, tx: Transaction, decision: Decision) -> None:
        """Hold the device for the dates that are asked for."""
        later_issue.reserve(tx, decision)

    @serves("F2.25", "F2.29")
    def certified(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> dict[Serial, int]:
        """Dates and words hold, and the issues before it end."""
        # The first issue's terms still say when the trial was to start; the row already holds old and new together.
        moved = any(each["subject"] == "start" for each in said_in(decision)["changes"])
        superseded = later_issue.take_over(tx, decision, at, at_once=moved)
        _amend_words(tx, decision, actor, at)
        return superseded

    def foreseen(self, tx: Transaction, decision: Decision, at: datetime) -> Foreseen | None:
        """What the certificate says is what the list shows."""
        return None if decision.issue is None else later_issue.foreseen(tx, decision, at)

    def told(self, decision: Decision, at: datetime | None) -> NoticeSaid:
        """From the effective instant; what the certificate does not say changes with the decision."""
        effective = said_in(decision).get("effective") or (None if at is None else text(at))
        return NoticeSaid(FORM, effective=None if effective is None else str(effective))


def _number_taken(tx: Transaction, decision: Decision) -> str | None:
    """Return that a number of a condition is another one's since it was proposed; None if all of them are free.

    Officers have read the numbers, and signed for them: none is given anew. What is seconded has its numbers already,
    though its conditions are written with its certificate.
    """
    numbers = {number for number, _ in conditions_said(decision)}
    if not numbers:
        return None
    approval = approval_of(decision)
    others = [each for each in requests.seconded_of(tx, approval) if each.id != decision.id]
    taken = {each.number for each in conditions_of(tx, approval)}
    taken |= {number for each in others for number, _ in conditions_said(each)}
    if numbers.isdisjoint(taken):
        return None
    return f"another decision has set condition {min(numbers & taken)} since it was proposed: propose it again"


def _effective(decision: Decision) -> datetime | None:
    said = said_in(decision)["effective"]
    return None if said is None else parse(said)


def _amend_words(tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
    """Write what an amendment changes beside the certificate, and the fact (F2.29)."""
    said, approval = said_in(decision), approval_of(decision)
    since = max(_effective(decision) or at, at)
    conditions.set_conditions(tx, approval, decision.id, conditions_said(decision), since=since)
    ended = conditions.end_conditions(tx, approval, said["conditions_removed"], decision_id=decision.id, until=since)
    if decision.amendment_request is not None:
        needed, to = AmendmentRequestState.PROPOSED, AmendmentRequestState.GRANTED
        amendment_requests.move(tx, decision.amendment_request, needed=needed, to=to, at=at, decision_id=decision.id)
    amended: dict[str, Json] = {
        "decision": decision.id,
        "issue": decision.issue,
        "changed": [each["subject"] for each in said["changes"]],
        "conditions_ended": [*ended],
    }
    facts.record(
        tx, Fact(FactKind.APPROVAL_AMENDED, at, actor, subject=approval, approvals=(approval,), payload=amended)
    )


def _amended(approval: ApprovalRecord, command: ProposeAmendment, at: datetime) -> _Amended:
    start = approval.start if command.start is None else first_second(command.start)
    named = command.effective or max(next_midnight(at), approval.start)
    effective = start if start != approval.start else named
    basis = later_issue.basis_at(approval, effective)
    held = basis.terms
    terms = Terms(
        issue=basis.issue,
        effective=effective,
        expiry=held.expiry if command.expiry is None else last_second(command.expiry),
        maximum_devices=held.maximum_devices if command.maximum_devices is None else command.maximum_devices,
        firmware=amended_firmware(held.firmware, command.firmware_added, command.firmware_removed),
    )
    same = (start, terms.expiry, terms.maximum_devices, terms.firmware) == (
        approval.start,
        held.expiry,
        held.maximum_devices,
        held.firmware,
    )
    # What is withdrawn takes a certificate: the issue that holds until then is to hold on.
    withdraws = command.waiting is Waiting.WITHDRAW and bool(basis.behind)
    certificate = not same or command.csr is not None or withdraws
    instant = effective if certificate else command.effective or at
    return _Amended(basis, terms, start, certificate=certificate, instant=instant)


def _findings(
    desk: Desk,
    tx: Transaction,
    command: ProposeAmendment,
    amended: _Amended,
    standing: Sequence[Condition],
    at: datetime,
) -> tuple[Finding, ...]:
    approval, held, terms, minutes = amended.approval, amended.basis.terms, amended.terms, command.minutes
    facts = AmendmentFacts(
        at=at,
        start=approval.start,
        expiry=held.expiry,
        new_start=amended.start,
        new_expiry=terms.expiry,
        effective=amended.instant,
        certificate=amended.certificate,
        named=command.effective,
        notice=bool(command.conditions_removed or minutes.conditions or _describes(minutes)),
        approved=held.firmware,
        added=command.firmware_added,
        removed=command.firmware_removed,
        conditions=frozenset(each.number for each in standing if each.holds_at(amended.instant)),
        ended_conditions=command.conditions_removed,
        maximum_devices=terms.maximum_devices,
        deployed=deployed_at(tx, [approval.identifier], at).get(approval.identifier, 0),
    )
    trial = later_issue.trial_of(desk, tx, amended.basis, amended.start, terms, at)
    found = amendment_findings(facts, trial)
    if not amended.certificate and command.waiting is not Waiting.WITHDRAW:
        return found  # what waits goes on waiting
    return (*found, *later_issue.findings(amended.basis, terms, command.waiting, trial))


def _certify(tx: Transaction, command: ProposeAmendment, amended: _Amended, said: dict[str, Json]) -> bytes:
    """Add what the new certificate will say, and return the key that it will certify."""
    basis, approval, terms = amended.basis, amended.approval, amended.terms
    require_certified(approval)
    expiry = later_issue.last_expiry(basis, terms, command.waiting)
    other = approval_reading.overlapping(
        tx, approval.device, start=amended.start, expiry=expiry, other_than=approval.identifier
    )
    if other is not None:
        raise DeviceAlreadyApproved(other=other)
    if command.csr is None:
        public_key = later_issue.key_held(tx, basis)
        require_key_free(tx, proposals.sha256(public_key), approval=approval.identifier)
    else:
        parsed = csr_policy.parse(command.csr)
        public_key = parsed.public_key
        require_key_free(tx, parsed.public_key_sha256)
        said["csr_sha256"] = proposals.sha256(parsed.der)
    organisation, key = requests.organisation(tx, approval.organisation), proposals.sha256(public_key)
    said |= proposals.certified(approval.identifier, approval.device, organisation, amended.start, terms)
    said |= later_issue.waiting_said(
        basis, terms, command.waiting, organisation=organisation, start=amended.start, key=key
    )
    said["public_key_sha256"] = key
    return public_key


def _changes(
    amended: _Amended, command: ProposeAmendment, grounds: Grounds, standing: Sequence[Condition]
) -> list[Json]:
    """Return what will be different, each with before and after; words of conditions stay where they are."""
    held_terms, terms = amended.basis.terms, amended.terms
    pairs: list[tuple[str, str, str]] = [
        ("start", text(amended.approval.start), text(amended.start)),
        *((each.subject, each.before, each.after) for each in difference(held_terms, terms)),
    ]
    held = [each.number for each in standing if each.holds_at(amended.instant)]
    then = sorted({*held, *(number for number, _ in grounds.conditions)} - set(command.conditions_removed))
    pairs.append(("conditions", _numbers(held), _numbers(then)))
    if _describes(command.minutes):
        pairs.append((DESCRIPTION, "as it was", "described anew"))
    if command.csr is not None:
        pairs.append(("key", "as it was", "a new one"))
    return [
        {"subject": subject, "before": before, "after": after} for subject, before, after in pairs if before != after
    ]


def _describes(minutes: Minutes) -> bool:
    return any(each.subject == DESCRIPTION for each in minutes.passages)


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"

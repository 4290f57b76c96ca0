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
from core.errors import DeviceAlreadyApproved, Finding
from core.facts import Fact, FactKind
from core.identifiers import Serial
from core.instants import first_second, last_second, next_midnight, text
from core.kinds import AmendmentRequestState, DecisionKind, NoticeKind
from policy import csr as csr_policy
from policy.section_f.amendment import AmendmentFacts, amended_firmware, amendment_findings
from policy.section_f.application import TrialFacts
from ra import proposal as proposals
from ra.applying.apply import require_key_free
from ra.deciding import later_issue
from ra.deciding.kind import CertifyingKind, Proposed
from ra.deciding.taking_up import give_back, take_up
from ra.desk import Desk
from ra.findings import refuse_fatal
from ra.grounds import NO_MINUTES, Grounds, Minutes, grounds_of
from ra.grounds import conditions_of as conditions_said
from ra.issuing import issuing_ca
from ra.proposal import Tabled, approval_of, certified_terms, new_decision, said_in
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
from store.verbs import amendment_requests, approvals, conditions, facts

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
        effective: when it begins to hold; by default the next 00:00:00Z, never before the start. If the start is
            amended it is the new start.
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
    request: str | None = None
    csr: bytes | None = None
    minutes: Minutes = NO_MINUTES


@dataclass(frozen=True)
class _Amended:
    """The approval with the change."""

    approval: ApprovalRecord
    terms: Terms
    start: datetime
    certificate: bool


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
            "effective": text(amended.terms.effective) if amended.certificate else None,
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
            return later_issue.why_passed(tx, decision, at)
        return why_ended(approval_reading.record(tx, approval_of(decision)), at)

    @serves("F2.29")
    def decide(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
        """What the certificate does not say holds from now on; the rest, and its words, with the certificate."""
        if decision.issue is None:
            approval_reading.locked(tx, approval_of(decision))
            _amend_words(tx, decision, actor, at)

    def reserve(self, tx: Transaction, decision: Decision) -> None:
        """Hold the device for the dates that are asked for.

        The approval holds old and new dates together until the certificate is recorded: no other approval of the
        device can come between a signature and its record.
        """
        said = certified_terms(decision)
        row = approval_reading.approval(tx, said.approval)
        approvals.move_dates(tx, said.approval, start=min(row.start, said.start), expiry=max(row.expiry, said.expiry))

    @serves("F2.25", "F2.29")
    def certified(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> list[Serial]:
        """Dates and words hold, and the issues before it end."""
        said = certified_terms(decision)
        # The first issue's terms still say when the trial was to start; the row already holds old and new together.
        moved = any(each["subject"] == "start" for each in said_in(decision)["changes"])
        # Signed late, it takes over from the instant it is recorded: no instant at which neither or both hold. A start
        # that moves is not to come with the old certificate, which therefore ends now.
        takes_over = at if moved else max(said.terms.effective, at)
        approvals.move_dates(tx, said.approval, start=said.start, expiry=said.expiry)
        _amend_words(tx, decision, actor, at)
        return approvals.supersede(tx, said.approval, by_issue=said.terms.issue, at=takes_over)

    def foreseen(self, tx: Transaction, decision: Decision, at: datetime) -> Foreseen | None:
        """What the certificate says is what the list shows."""
        return None if decision.issue is None else later_issue.foreseen(tx, decision, at)

    def told(self, decision: Decision, at: datetime | None) -> NoticeSaid:
        """From the effective instant; what the certificate does not say changes with the decision."""
        effective = said_in(decision).get("effective") or (None if at is None else text(at))
        return NoticeSaid(FORM, effective=None if effective is None else str(effective))


def _amend_words(tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
    """Write what an amendment changes beside the certificate, and the fact (F2.29)."""
    said, approval = said_in(decision), approval_of(decision)
    conditions.set_conditions(tx, approval, decision.id, conditions_said(decision), at=at)
    ended = conditions.end_conditions(tx, approval, said["conditions_removed"], decision_id=decision.id, at=at)
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
    last = approval.terms[-1]
    start = approval.start if command.start is None else first_second(command.start)
    effective = command.effective or max(next_midnight(at), approval.start)
    terms = Terms(
        issue=last.issue + 1,
        effective=start if start != approval.start else effective,
        expiry=last.expiry if command.expiry is None else last_second(command.expiry),
        maximum_devices=last.maximum_devices if command.maximum_devices is None else command.maximum_devices,
        firmware=amended_firmware(last.firmware, command.firmware_added, command.firmware_removed),
    )
    same = (start, terms.expiry, terms.maximum_devices, terms.firmware) == (
        approval.start,
        last.expiry,
        last.maximum_devices,
        last.firmware,
    )
    return _Amended(approval, terms, start, certificate=not same or command.csr is not None)


def _findings(
    desk: Desk,
    tx: Transaction,
    command: ProposeAmendment,
    amended: _Amended,
    standing: Sequence[Condition],
    at: datetime,
) -> tuple[Finding, ...]:
    approval, last, terms = amended.approval, amended.approval.terms[-1], amended.terms
    minutes = command.minutes
    facts = AmendmentFacts(
        at=at,
        start=approval.start,
        expiry=last.expiry,
        new_start=amended.start,
        new_expiry=terms.expiry,
        effective=terms.effective,
        certificate=amended.certificate,
        notice=bool(command.conditions_removed or minutes.conditions or _describes(minutes)),
        approved=last.firmware,
        added=command.firmware_added,
        removed=command.firmware_removed,
        conditions=frozenset(each.number for each in standing if each.ended_at is None),
        ended_conditions=command.conditions_removed,
        maximum_devices=terms.maximum_devices,
        deployed=deployed_at(tx, [approval.identifier], at).get(approval.identifier, 0),
    )
    return amendment_findings(facts, _trial(desk, tx, amended, at))


def _trial(desk: Desk, tx: Transaction, amended: _Amended, at: datetime) -> TrialFacts:
    """Return the approval as it would be, as the rules look at any approval."""
    terms, issuing = amended.terms, issuing_ca(tx)
    organisation = requests.organisation(tx, amended.approval.organisation)
    return TrialFacts(
        device=amended.approval.device,
        firmware=terms.firmware,
        start=amended.start.date(),
        expiry=terms.expiry.date(),
        maximum_devices=terms.maximum_devices,
        today=at.date(),
        longest_trial=desk.rules.longest_trial,
        issuing_ends=issuing.not_after,
        issuing_window_end=issuing.window_end,
        certificate_name=organisation.certificate_name or organisation.name,
    )


def _certify(tx: Transaction, command: ProposeAmendment, amended: _Amended, said: dict[str, Json]) -> bytes:
    """Add what the new certificate will say, and return the key that it will certify."""
    approval, terms = amended.approval, amended.terms
    require_certified(approval)
    other = approval_reading.overlapping(
        tx, approval.device, start=amended.start, expiry=terms.expiry, other_than=approval.identifier
    )
    if other is not None:
        raise DeviceAlreadyApproved(other=other)
    if command.csr is None:
        public_key = approval_reading.public_key_of(tx, approval.certificates[-1].serial)
        require_key_free(tx, proposals.sha256(public_key), approval=approval.identifier)
    else:
        parsed = csr_policy.parse(command.csr)
        public_key = parsed.public_key
        require_key_free(tx, parsed.public_key_sha256)
        said["csr_sha256"] = proposals.sha256(parsed.der)
    organisation = requests.organisation(tx, approval.organisation)
    said |= proposals.certified(approval.identifier, approval.device, organisation, amended.start, terms)
    said["public_key_sha256"] = proposals.sha256(public_key)
    return public_key


def _changes(
    amended: _Amended, command: ProposeAmendment, grounds: Grounds, standing: Sequence[Condition]
) -> list[Json]:
    """Return what will be different, each with before and after; words of conditions stay where they are."""
    last, terms = amended.approval.terms[-1], amended.terms
    pairs: list[tuple[str, str, str]] = [
        ("start", text(amended.approval.start), text(amended.start)),
        ("expiry", text(last.expiry), text(terms.expiry)),
        ("maximum devices", str(last.maximum_devices), str(terms.maximum_devices)),
        ("firmware", _listed(last.firmware), _listed(terms.firmware)),
    ]
    held = [each.number for each in standing if each.ended_at is None]
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


def _listed(firmware: Sequence[Firmware]) -> str:
    return ", ".join(each.version for each in firmware) or "none"


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"

"""Propose to amend an approval (F2.29), or to refuse the amendment that its Manufacturer asked for.

What the certificate says leads to a new certificate: same identifier, issue + 1, valid from the effective instant, at
which the old one is superseded. Anything else leads to a notice only. A start is amended only before it has come; the
new certificate then takes the old one's place when it is recorded, so that the old start brings nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from core.approval import ApprovalRecord, Firmware, Terms
from core.canonical import Json
from core.classification import Passage
from core.errors import DeviceAlreadyApproved, Finding, WrongState
from core.instants import first_second, last_second, next_midnight, text
from core.kinds import AmendmentRequestState, DecisionKind
from policy import csr as csr_policy
from policy.section_f.amendment import AmendmentFacts, amended_firmware, amendment_findings
from ra import proposal as proposals
from ra.applying.apply import Apply, application_facts, require_key_free
from ra.desk import Desk
from ra.findings import refuse_fatal
from ra.grounds import NO_MINUTES, Grounds, Minutes, grounds_of
from ra.proposal import Tabled, new_decision
from ra.standing import require_certified, require_open
from store.reading import approvals as approval_reading
from store.reading import requests
from store.reading.amendment_requests import amendment_request
from store.reading.conditions import Condition, conditions_of
from store.reading.deployments import deployed_at
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import amendment_requests

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
class ProposeAmendmentRefusal:
    """Refuse an amendment that was asked for (F2.29)."""

    request: str
    reasons: str | Passage
    minutes: Minutes = NO_MINUTES


@dataclass(frozen=True)
class _Amended:
    """The approval with the change."""

    approval: ApprovalRecord
    terms: Terms
    start: datetime
    certificate: bool


def table_amendment(
    desk: Desk, tx: Transaction, tabled: Tabled, command: ProposeAmendment
) -> tuple[Decision, Sequence[Finding]]:
    """Return the amendment as proposed, with what the rules find."""
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
    public_key = None
    if amended.certificate:
        public_key = _certify(tx, command, amended, said)
    decision = new_decision(DecisionKind.AMEND, proposals.amendment(tabled, grounds, said), grounds, tabled)
    if command.request is not None:
        _take_up(tx, command.request, approval.identifier, tabled)
    return (
        replace(
            decision,
            approval=approval.identifier,
            issue=amended.terms.issue if amended.certificate else None,
            public_key=public_key,
            amendment_request=command.request,
        ),
        found,
    )


def table_amendment_refusal(
    tx: Transaction, tabled: Tabled, command: ProposeAmendmentRefusal
) -> tuple[Decision, Sequence[Finding]]:
    """Return the refusal as proposed."""
    asked = amendment_request(tx, command.request)
    grounds = grounds_of(command.reasons, command.minutes)
    document = proposals.amendment_refusal(tabled, grounds, asked.approval, asked.id)
    decision = new_decision(DecisionKind.REFUSE_AMENDMENT, document, grounds, tabled)
    _take_up(tx, asked.id, asked.approval, tabled)
    return replace(decision, approval=asked.approval, amendment_request=asked.id), ()


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
    as_it_would_be = Apply(
        device=approval.device,
        smets_version="",
        firmware=terms.firmware,
        start=amended.start.date(),
        expiry=terms.expiry.date(),
        maximum_devices=terms.maximum_devices,
        purpose="",
        csr=b"",
    )
    organisation = requests.organisation(tx, approval.organisation)
    return amendment_findings(facts, application_facts(desk, tx, as_it_would_be, organisation, at=at))


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


def _take_up(tx: Transaction, request: str, approval: str, tabled: Tabled) -> None:
    """Hold the request for this decision; another approval's is as if it were not there."""
    asked = amendment_request(tx, request)
    if asked.approval != approval:
        needed = f"a request about {approval}"
        raise WrongState(kind="Amendment request", identifier=request, state=asked.state, needed=needed)
    state = AmendmentRequestState
    amendment_requests.move(tx, request, needed=state.OPEN, to=state.PROPOSED, at=tabled.at)


def _describes(minutes: Minutes) -> bool:
    return any(each.subject == DESCRIPTION for each in minutes.passages)


def _listed(firmware: Sequence[Firmware]) -> str:
    return ", ".join(each.version for each in firmware) or "none"


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"

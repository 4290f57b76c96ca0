"""Propose to grant an application, or to refuse it (F2.21, F2.24)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from core.approval import Terms
from core.classification import Passage
from core.clauses import serves
from core.errors import DeviceAlreadyApproved, Finding, WrongState
from core.identifiers import ApprovalIdentifier
from core.instants import first_second, last_second
from core.kinds import ApplicationState, DecisionKind
from policy.section_f.application import grant_findings
from policy.section_f.requirements import RequirementFacts, requirement_findings
from ra import proposal as proposals
from ra.applying.apply import application_facts, as_applied, require_key_free
from ra.applying.requirements import open_of
from ra.desk import Desk
from ra.findings import refuse_fatal
from ra.grounds import NO_MINUTES, Minutes, grounds_of
from ra.proposal import Tabled, new_decision
from store.reading import approvals as approval_reading
from store.reading import requests
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import applications, decisions


@dataclass(frozen=True)
class ProposeGrant:
    """Grant an application. What is None is as the application says.

    Args:
        application: its identifier.
        reasons: why, and the assessment undertaken (F2.21(b)); words alone are Amber, for all three recipients.
        start, expiry: UTC days.
        maximum_devices: the limit of F2.21(d).
        minutes: what comes with the decision; its conditions are those of F2.21(e).
    """

    application: str
    reasons: str | Passage
    start: date | None = None
    expiry: date | None = None
    maximum_devices: int | None = None
    minutes: Minutes = NO_MINUTES


@dataclass(frozen=True)
class ProposeRefusal:
    """Refuse an application (F2.24)."""

    application: str
    reasons: str | Passage
    minutes: Minutes = NO_MINUTES


@serves("F2.18")
def table_grant(
    desk: Desk, tx: Transaction, tabled: Tabled, command: ProposeGrant
) -> tuple[Decision, Sequence[Finding]]:
    """Reserve the identifier and return the decision as proposed, with what the rules find."""
    # Held until the commit: what is proposed is what the application says.
    application = requests.locked_application(tx, command.application)
    if application.state != ApplicationState.SUBMITTED:
        needed = ApplicationState.SUBMITTED
        raise WrongState(kind="Application", identifier=application.id, state=application.state, needed=needed)
    organisation = requests.organisation(tx, application.organisation_id)
    start = command.start or application.start.date()
    expiry = command.expiry or application.expiry.date()
    limit = application.maximum_devices if command.maximum_devices is None else command.maximum_devices
    wanted = replace(as_applied(application), start=start, expiry=expiry, maximum_devices=limit)
    found = (
        *grant_findings(application_facts(desk, tx, wanted, organisation, at=tabled.at)),
        *open_requirements(tx, application.id),
    )
    refuse_fatal(found)
    terms = Terms(
        issue=1,
        effective=first_second(start),
        expiry=last_second(expiry),
        maximum_devices=limit,
        firmware=application.firmware,
    )
    other = approval_reading.overlapping(tx, application.device, start=terms.effective, expiry=terms.expiry)
    if other is not None:
        raise DeviceAlreadyApproved(other=other)
    require_key_free(tx, application.public_key_sha256)
    number = decisions.next_number(tx, tabled.at.year)
    identifier = str(ApprovalIdentifier(tabled.environment, tabled.at.year, number))
    applications.move(tx, application.id, needed=ApplicationState.SUBMITTED, to=ApplicationState.PROPOSED)
    grounds = grounds_of(command.reasons, command.minutes)
    document = proposals.grant(tabled, grounds, identifier, application, organisation, terms)
    decision = replace(
        new_decision(DecisionKind.GRANT, document, grounds, tabled),
        application_id=application.id,
        approval=identifier,
        issue=1,
        public_key=application.public_key,
    )
    return decision, found


def table_refusal(tx: Transaction, tabled: Tabled, command: ProposeRefusal) -> tuple[Decision, Sequence[Finding]]:
    """Return the refusal as proposed."""
    application = requests.application(tx, command.application)
    applications.move(tx, application.id, needed=ApplicationState.SUBMITTED, to=ApplicationState.PROPOSED)
    grounds = grounds_of(command.reasons, command.minutes)
    document = proposals.refusal(tabled, grounds, application)
    decision = new_decision(DecisionKind.REFUSE, document, grounds, tabled)
    return replace(decision, application_id=application.id), ()


@serves("F2.20")
def open_requirements(tx: Transaction, application: str) -> tuple[Finding, ...]:
    """Return what open requirements have against a grant (F2.20); asked when proposed and again when seconded."""
    return requirement_findings(RequirementFacts(len(open_of(tx, application))))

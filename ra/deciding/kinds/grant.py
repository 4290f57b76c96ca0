"""To grant an application (F2.18, F2.21): the approval comes to be when it is seconded, its certificate follows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from core.actors import Actor
from core.approval import ApprovalRecord, CertificateRecord, Terms
from core.canonical import Json
from core.classification import Passage
from core.clauses import serves
from core.errors import DeviceAlreadyApproved, Finding, WrongState
from core.facts import Fact, FactKind
from core.identifiers import ApprovalIdentifier, Serial
from core.instants import first_second, last_second
from core.kinds import ApplicationState, DecisionKind, DecisionState, NoticeKind
from policy.section_f.application import grant_findings
from policy.section_f.requirements import RequirementFacts, requirement_findings
from ra import proposal as proposals
from ra.applying.apply import application_facts, as_applied, require_key_free
from ra.applying.requirements import held_open_of, open_of
from ra.deciding.kind import CertifyingKind, Proposed
from ra.desk import Desk
from ra.findings import refuse_fatal
from ra.grounds import NO_MINUTES, Minutes, conditions_of, grounds_of
from ra.proposal import Tabled, application_of, certified_terms, new_decision, said_in
from ra.telling.listing import Foreseen
from ra.telling.matter import NoticeSaid
from ra.telling.words import NoticeForm
from store.reading import approvals as approval_reading
from store.reading import requests
from store.reading.requirements import Requirement
from store.rows import Approval, Decision
from store.transactions import Transaction
from store.verbs import applications, approvals, conditions, decisions, facts

FORM = NoticeForm(
    kind=NoticeKind.GRANT,
    called=NoticeKind.GRANT.value,
    title="Trial Device Approval granted",
    clause="F2.21",
    itemised=True,
    demanded=("reasons", "assessment", "description"),
    reasons_clause="F2.21(b)",
    reasons="Why the approval is granted",
)


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


class Grant(CertifyingKind[ProposeGrant]):
    """The grant of an application."""

    kind = DecisionKind.GRANT
    counted_as = DecisionKind.GRANT
    task = "to grant {}"

    @serves("F2.18")
    def table(self, desk: Desk, tx: Transaction, tabled: Tabled, command: ProposeGrant) -> Proposed:
        """Reserve the identifier and return the decision as proposed, with what the rules find."""
        # Held until the commit: what is proposed is what the application says.
        application = requests.locked_application(tx, command.application)
        if application.state is not ApplicationState.SUBMITTED:
            needed = ApplicationState.SUBMITTED.value
            raise WrongState(kind="Application", identifier=application.id, state=application.state, needed=needed)
        organisation = requests.organisation(tx, application.organisation_id)
        start = command.start or application.start.date()
        expiry = command.expiry or application.expiry.date()
        limit = application.maximum_devices if command.maximum_devices is None else command.maximum_devices
        wanted = replace(as_applied(application), start=start, expiry=expiry, maximum_devices=limit)
        found = (
            *grant_findings(application_facts(desk, tx, wanted, organisation, at=tabled.at)),
            *_open_requirements(held_open_of(tx, application.id)),
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
        said: dict[str, Json] = {
            "application": application.id,
            **proposals.certified(identifier, application.device, organisation, terms.effective, terms),
            "smets_version": application.smets_version,
            "gbcs_version": application.gbcs_version,
            "csr_sha256": proposals.sha256(application.csr),
            "public_key_sha256": application.public_key_sha256,
        }
        decision = replace(
            new_decision(self.kind, said, grounds_of(command.reasons, command.minutes), tabled),
            application_id=application.id,
            approval=identifier,
            issue=terms.issue,
            public_key=application.public_key,
        )
        return Proposed(decision, found)

    def released(self, tx: Transaction, decision: Decision, at: datetime) -> None:
        """The application waits for a decision again; a grant that was seconded stands, its certificate or not."""
        if decision.state is not DecisionState.SECONDED:
            needed, to = ApplicationState.PROPOSED, ApplicationState.SUBMITTED
            applications.move(tx, application_of(decision), needed=needed, to=to)

    def require_still_right(self, tx: Transaction, decision: Decision) -> None:
        """A requirement may have been set since (F2.20)."""
        refuse_fatal(_open_requirements(held_open_of(tx, application_of(decision))))

    def against(self, tx: Transaction, decision: Decision) -> tuple[Finding, ...]:
        """The requirements that are open now."""
        return _open_requirements(open_of(tx, application_of(decision)))

    def passed(self, tx: Transaction, decision: Decision, at: datetime) -> str | None:
        """A grant's start is today or later (UTC)."""
        start = certified_terms(decision).start
        return f"its start date {start.date()} has passed" if start < first_second(at.date()) else None

    @serves("F2.21(a)", "F2.21(c)", "F2.21(d)", "F2.21(e)")
    def decide(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
        """The approval comes to be, with its conditions."""
        said = certified_terms(decision)
        application = requests.application(tx, application_of(decision))
        applications.move(tx, application.id, needed=ApplicationState.PROPOSED, to=ApplicationState.GRANTED)
        approvals.grant(
            tx,
            Approval(
                identifier=said.approval,
                decision_id=decision.id,
                application_id=application.id,
                organisation_id=application.organisation_id,
                device=said.device,
                granted_at=at,
                start=said.start,
                expiry=said.expiry,
                ended_at=None,
                end_cause=None,
            ),
        )
        approvals.add_terms(tx, said.approval, decision.id, said.terms)
        conditions.set_conditions(tx, said.approval, decision.id, conditions_of(decision), since=at)
        granted = {"decision": decision.id, "application": application.id}
        facts.record(
            tx,
            Fact(
                FactKind.APPROVAL_GRANTED, at, actor, subject=said.approval, approvals=(said.approval,), payload=granted
            ),
        )

    def certified(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> dict[Serial, int]:
        """Everything has been true since it was seconded; a first certificate supersedes none."""
        return {}

    def foreseen(self, tx: Transaction, decision: Decision, at: datetime) -> Foreseen | None:
        """The entry that is added on the start date (F2.27)."""
        said = certified_terms(decision)
        certificate = CertificateRecord(
            serial=Serial(""), issue=1, fingerprint="", not_before=said.start, not_after=said.expiry, signed_at=at
        )
        record = ApprovalRecord(
            identifier=said.approval,
            organisation="",
            device=said.device,
            granted_at=at,
            start=said.start,
            terms=(said.terms,),
            certificates=(certificate,),
        )
        # There is no approval yet by which the register could find the version.
        return Foreseen(record, requests.application(tx, application_of(decision)).smets_version)

    def told(self, decision: Decision, at: datetime | None) -> NoticeSaid:
        """It holds from its start (F2.21(c))."""
        return NoticeSaid(FORM, effective=str(said_in(decision)["start"]))


@serves("F2.20")
def _open_requirements(found: Sequence[Requirement]) -> tuple[Finding, ...]:
    """What open requirements have against a grant (F2.20); asked when proposed and again when seconded."""
    return requirement_findings(RequirementFacts(tuple(each.id for each in found)))

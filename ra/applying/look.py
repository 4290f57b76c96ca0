"""What is shown of an application: what it says, where it stands, and what is missing for a grant (F2.18 to F2.20)."""

from collections.abc import Mapping
from datetime import datetime

from core.actors import Actor
from core.assurance import assurance_of, earlier_cpa_of
from core.clauses import serves
from core.errors import Finding, Severity
from core.kinds import UNDECIDED, ApplicationState, EvidenceSubject, RequirementState
from policy.roles import Operation, permitted
from policy.section_f.application import ApplicationFacts, grant_findings
from policy.section_f.assurance import asked_and_held
from ra.access import own_organisation
from ra.applying.apply import application_facts, as_applied, authorise_application
from ra.applying.evidence import attachments_shown
from ra.applying.last_time import changes_of, earlier
from ra.applying.requirements import requirement_shown
from ra.applying.same_model import known_of_model
from ra.applying.views import (
    ApplicationAnswer,
    ApplicationListed,
    ApplicationPage,
    AssuranceAsked,
    RequirementList,
)
from ra.desk import Desk
from ra.findings import findings_of
from ra.views import FirmwareAnswer, page
from store.reading import evidence, requests, requirements
from store.reading.requirements import Requirement
from store.rows import Application
from store.transactions import Transaction

STAGES: Mapping[ApplicationState, str] = {
    ApplicationState.SUBMITTED: "The Security Sub-Committee has it; it can be changed until a decision is proposed.",
    ApplicationState.PROPOSED: "A decision about it has been proposed and waits for another officer.",
    ApplicationState.GRANTED: "It has been granted; the approval and its certificate are listed under approvals.",
    ApplicationState.REFUSED: "It has been refused; the notice gives the reasons. The Manufacturer may apply again.",
    ApplicationState.CANCELLED: "The Manufacturer has taken it back.",
}
"""Where an application stands, by its state, in words."""


@serves("F2.20")
def application(desk: Desk, actor: Actor, identifier: str) -> ApplicationAnswer:
    """Return an application with its requirements, its evidence and what is missing for a grant as of today.

    An applicant is not told which officer did what; another Manufacturer's application is as if it were not there.
    """
    at = desk.clock.now()
    with desk.store.read() as tx:
        found = requests.application(tx, identifier)
        authorise_application(actor, Operation.READ_APPLICATION, found)
        return application_shown(desk, tx, found, actor, at=at)


def application_shown(
    desk: Desk, tx: Transaction, found: Application, reader: Actor, *, at: datetime
) -> ApplicationAnswer:
    """Return an application with all that belongs to it.

    Args:
        desk: the authority's.
        tx: open.
        found: the application.
        reader: to whom; officers are named, and what speaks of others is told, to the SSC and the auditor only.
        at: now.
    """
    named = permitted(reader, Operation.READ_NAMES, owner=None)
    required = requirements.requirements_of(tx, found.id)
    attached = evidence.attachments_of(tx, EvidenceSubject.APPLICATION, found.id)
    organisation = requests.organisation(tx, found.organisation_id)
    facts = application_facts(desk, tx, as_applied(found), organisation, at=at)
    asked = asked_and_held(facts.evidence)
    return ApplicationAnswer(
        **vars(_listed(found)),
        manufacturer=organisation.name,
        asked=tuple(AssuranceAsked(asked=each.asked, held=each.held) for each in asked),
        changes=changes_of(tx, found),
        earlier=earlier(tx, found),
        requirements=tuple(requirement_shown(each, reader) for each in required),
        evidence=attachments_shown(attached, reader),
        missing=_missing(found, required, facts),
        for_officers=known_of_model(tx, found, at) if named and found.state in UNDECIDED else (),
    )


def applications(
    desk: Desk, actor: Actor, *, after: str, limit: int, approval: str | None = None, newest: bool = False
) -> ApplicationPage:
    """Return a page of the applications that `actor` may see, and the cursor for the next.

    Args:
        desk: where.
        actor: who asks.
        after: the identifier of the last of the page before; empty for the first.
        limit: rows on the page.
        approval: only the application for one approval.
        newest: whether the newest comes first.
    """
    only = own_organisation(actor, Operation.READ_APPLICATION)
    with desk.store.read() as tx:
        rows = page(
            limit,
            lambda most: requests.application_list(
                tx, organisation_id=only, approval=approval, after=after, limit=most, newest=newest
            ),
            lambda each: each.id,
        )
    return ApplicationPage(applications=tuple(map(_listed, rows.found)), next=rows.next, truncated=rows.truncated)


def requirements_of(desk: Desk, actor: Actor, application: str) -> RequirementList:
    """Return the requirements of an application; another Manufacturer's is as if it were not there."""
    with desk.store.read() as tx:
        authorise_application(actor, Operation.READ_APPLICATION, requests.application(tx, application))
        found = requirements.requirements_of(tx, application)
    return RequirementList(tuple(requirement_shown(each, actor) for each in found))


def _listed(found: Application) -> ApplicationListed:
    return ApplicationListed(
        application=found.id,
        organisation=found.organisation_id,
        state=found.state,
        stage=STAGES[found.state],
        device=found.device,
        smets_version=found.smets_version,
        gbcs_version=found.gbcs_version,
        purpose=found.purpose,
        contact=found.contact,
        start=found.start.date(),
        expiry=found.expiry.date(),
        maximum_devices=found.maximum_devices,
        firmware=tuple(FirmwareAnswer(version=each.version, image_sha256=each.image_digest) for each in found.firmware),
        public_key_sha256=found.public_key_sha256,
        assurance=assurance_of(found.assurance),
        earlier_cpa=earlier_cpa_of(found.earlier_cpa),
        findings=findings_of(found.findings),
        submitted_at=found.submitted_at,
        submitted_by=found.submitted_by,
        version=found.version,
        changed_at=found.changed_at,
    )


def _missing(found: Application, required: list[Requirement], facts: ApplicationFacts) -> tuple[str, ...]:
    """A sentence for each thing that stands between an application and a grant; none once it is decided."""
    if found.state not in UNDECIDED:
        return ()
    # Judged anew: dates pass, and settings change.
    findings = grant_findings(facts)
    return (
        *(f"This further requirement is open: {each.text}" for each in required if each.state == RequirementState.OPEN),
        *(_told(each) for each in findings if each.severity is not Severity.NOTICE),
    )


def _told(finding: Finding) -> str:
    return f"{finding.detail} {finding.remedy}".strip()

"""apply: a Manufacturer applies for a Trial Device Approval (F2.18, F2.19), or takes its application back."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from core.actors import Actor
from core.approval import Device, Firmware
from core.assurance import (
    AssuranceCertificate,
    EarlierCpa,
    assurance_of,
    assurance_text,
    earlier_cpa_of,
    earlier_cpa_text,
)
from core.canonical import Json, canonical
from core.clauses import serves
from core.errors import Finding, KeyTaken
from core.facts import Fact, FactKind
from core.instants import first_second, last_second
from core.kinds import ApplicationState, KeyState
from policy import csr
from policy.csr import ParsedCsr
from policy.roles import Operation
from policy.section_f import application as application_rules
from policy.section_f.assurance import AssuranceFacts
from ra.access import authorise, authorise_own
from ra.applying.contacts import state_first_contact
from ra.applying.requirements import instantiate_standing
from ra.applying.stated import stated_sha256
from ra.applying.views import ApplicationCancelled, ApplicationTaken
from ra.bounds import require_application
from ra.desk import Desk, new_identifier
from ra.findings import findings_json, refuse_fatal
from ra.issuing import issuing_ca
from ra.repeat import RequestKey, once
from store.reading import contacts, requests
from store.reading.authority import authority_row
from store.rows import Application, Organisation
from store.transactions import Transaction
from store.verbs import applications, facts


@dataclass(frozen=True)
class Apply:
    """What an application says.

    Args:
        device: the device model to be tried.
        smets_version: as DUIS writes it, `SMETS V1.58` or `CHTS V1.4`.
        firmware: the versions the trial starts with.
        start, expiry: the proposed UTC days, both inclusive.
        maximum_devices: the proposed limit (F2.21(d)).
        purpose: why, in the Manufacturer's words.
        csr: one PKCS#10 request, as it was sent.
        gbcs_version: as DUIS writes it, `4.2`; empty if it is not said.
        contact: the e-mail address for notices, which becomes the organisation's if it has none; empty if they are only
            fetched. Never journalled.
        assurance: the Assurance Certificates other than CPA that it holds for this model (F2.19).
        earlier_cpa: the CPA Certificate from the NCSC for another model (F2.19).
    """

    device: Device
    smets_version: str
    firmware: tuple[Firmware, ...]
    start: date
    expiry: date
    maximum_devices: int
    purpose: str
    csr: bytes
    gbcs_version: str = ""
    contact: str = ""
    assurance: tuple[AssuranceCertificate, ...] = ()
    earlier_cpa: EarlierCpa | None = None


@serves("F2.18", "F2.19")
def apply(desk: Desk, actor: Actor, command: Apply, request: RequestKey | None = None) -> ApplicationTaken:
    """Take an application in. Findings advise the officers; only what could never be granted is refused.

    Every standing requirement becomes one of its own (F2.20).

    Raises:
        CsrMalformed, RulesRefused: with every fatal finding at once.
        KeyTaken: the public key is another approval's, or compromised.
        BoundReached: the organisation has as many open as it may.
    """
    authorise(actor, Operation.APPLY, owner=actor.organisation)
    at = desk.clock.now()
    parsed = csr.parse(command.csr)
    with desk.store.begin("apply") as tx:
        return once(
            desk, tx, actor, request, ApplicationTaken, lambda: take_in(desk, tx, actor, command, parsed, at=at), at=at
        )


def take_in(
    desk: Desk, tx: Transaction, actor: Actor, command: Apply, parsed: ParsedCsr, *, at: datetime
) -> ApplicationTaken:
    """Take an application in, within the transaction of whatever brings it; refused as `apply` says."""
    organisation = requests.organisation(tx, actor.organisation or "")
    found = judged(desk, tx, command, organisation, at=at)
    require_key_free(tx, parsed.public_key_sha256)
    require_application(tx, desk.rules.bounds, organisation.id)
    application = Application(
        id=new_identifier("app", at),
        organisation_id=organisation.id,
        state=ApplicationState.SUBMITTED,
        device=command.device,
        smets_version=command.smets_version,
        purpose=command.purpose,
        start=first_second(command.start),
        expiry=last_second(command.expiry),
        maximum_devices=command.maximum_devices,
        firmware=lowered(command.firmware),
        csr=parsed.der,
        public_key=parsed.public_key,
        public_key_sha256=parsed.public_key_sha256,
        findings=canonical(findings_json(found)).decode(),
        submitted_at=at,
        submitted_by=actor.name,
        gbcs_version=command.gbcs_version,
        contact=command.contact,
        assurance=assurance_text(command.assurance),
        earlier_cpa=earlier_cpa_text(command.earlier_cpa),
    )
    applications.submit(tx, application)
    submitted: dict[str, Json] = {
        "device": asdict(command.device),
        "public_key_sha256": parsed.public_key_sha256,
        "stated_sha256": stated_sha256(application),
    }
    facts.record(tx, Fact(FactKind.APPLICATION_SUBMITTED, at, actor, subject=application.id, payload=submitted))
    instantiate_standing(tx, application.id, actor=actor, at=at)
    state_first_contact(tx, actor, organisation, command.contact, application=application.id, at=at)
    return ApplicationTaken(application.id, application.state, found)


def cancel_application(
    desk: Desk, actor: Actor, identifier: str, request: RequestKey | None = None
) -> ApplicationCancelled:
    """Take an application back, as long as it has not been proposed for decision.

    Raises:
        NoSuchThing: there is none, or it is another Manufacturer's.
        WrongState: it is proposed, decided or cancelled.
    """
    at = desk.clock.now()
    with desk.store.begin("cancel application") as tx:
        return once(
            desk, tx, actor, request, ApplicationCancelled, lambda: _cancel(tx, actor, identifier, at=at), at=at
        )


def authorise_application(actor: Actor, operation: Operation, application: Application) -> None:
    """Authorise an act on an application; another Manufacturer's is as if it were not there."""
    owner = application.organisation_id
    authorise_own(actor, operation, kind="application", identifier=application.id, owner=owner)


def judged(
    desk: Desk, tx: Transaction, command: Apply, organisation: Organisation, *, at: datetime
) -> tuple[Finding, ...]:
    """Return what the rules find about an application; RulesRefused if anything is fatal."""
    told = application_rules.application_findings(application_facts(desk, tx, command, organisation, at=at))
    found = (*told, *csr.parse(command.csr).notices)
    refuse_fatal(found)
    return found


def application_facts(
    desk: Desk, tx: Transaction, command: Apply, organisation: Organisation, *, at: datetime
) -> application_rules.ApplicationFacts:
    """Gather what the rules judge."""
    issuing = issuing_ca(tx)
    held = contacts.held(tx, organisation.id)
    return application_rules.ApplicationFacts(
        device=command.device,
        firmware=command.firmware,
        start=command.start,
        expiry=command.expiry,
        maximum_devices=command.maximum_devices,
        today=at.date(),
        longest_trial=desk.rules.longest_trial,
        issuing_ends=issuing.not_after,
        issuing_window_end=issuing.window_end,
        smets_version=command.smets_version or None,
        certificate_name=organisation.certificate_name or organisation.name,
        evidence=AssuranceFacts(
            device=command.device,
            schemes=desk.rules.assurance.get(command.device.type, ()),
            held=command.assurance,
            earlier=command.earlier_cpa,
            today=at.date(),
        ),
        gbcs_version=command.gbcs_version,
        contact=command.contact,
        contact_held=None if held is None else held.notices,
        purpose=command.purpose,
        live=authority_row(tx).environment == "live",
    )


def as_applied(application: Application) -> Apply:
    """Return what an application on record says, in the form in which the rules judge it."""
    return Apply(
        device=application.device,
        smets_version=application.smets_version,
        firmware=application.firmware,
        start=application.start.date(),
        expiry=application.expiry.date(),
        maximum_devices=application.maximum_devices,
        purpose=application.purpose,
        csr=application.csr,
        gbcs_version=application.gbcs_version,
        contact=application.contact,
        assurance=assurance_of(application.assurance),
        earlier_cpa=earlier_cpa_of(application.earlier_cpa),
    )


def require_key_free(tx: Transaction, sha256: str, *, approval: str | None = None) -> None:
    """Raise KeyTaken if a public key belongs to another approval or is compromised."""
    holder = requests.key_holder(tx, sha256)
    if holder is not None and (holder[0] != approval or holder[1] == KeyState.COMPROMISED):
        raise KeyTaken(sha256=sha256)


def lowered(firmware: Sequence[Firmware]) -> tuple[Firmware, ...]:
    """Return firmware with the one textual form of its digests; the versions are kept exactly as given."""
    return tuple(Firmware(item.version, item.image_digest.lower()) for item in firmware)


def _cancel(tx: Transaction, actor: Actor, identifier: str, *, at: datetime) -> ApplicationCancelled:
    authorise_application(actor, Operation.CANCEL_APPLICATION, requests.application(tx, identifier))
    applications.move(tx, identifier, needed=ApplicationState.SUBMITTED, to=ApplicationState.CANCELLED)
    facts.record(tx, Fact(FactKind.APPLICATION_CANCELLED, at, actor, subject=identifier))
    return ApplicationCancelled(identifier, ApplicationState.CANCELLED)

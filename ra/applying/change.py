"""change: a Manufacturer changes what its application says, until it is proposed for decision (F2.18, F2.19)."""

from dataclasses import fields, replace
from datetime import date, datetime
from typing import TypedDict

from core.actors import Actor
from core.approval import Device, Firmware
from core.assurance import AssuranceCertificate, EarlierCpa, assurance_text, earlier_cpa_text
from core.canonical import Json, canonical
from core.clauses import serves
from core.errors import WrongState
from core.facts import Fact, FactKind
from core.instants import first_second, last_second
from core.kinds import ApplicationState
from policy import csr as csr_policy
from policy.csr import ParsedCsr
from policy.roles import Operation
from ra.applying.apply import Apply, as_applied, authorise_application, judged, lowered, require_key_free
from ra.applying.contacts import state_first_contact
from ra.applying.last_time import keep_said
from ra.applying.stated import stated_sha256
from ra.applying.views import ApplicationChanged
from ra.desk import Desk
from ra.findings import findings_json
from ra.repeat import RequestKey, once
from store.reading import requests
from store.rows import Application
from store.transactions import Transaction
from store.verbs import applications, facts


class Change(TypedDict, total=False):
    """What an application is to say instead; members as in Apply, what is left out stays as it is."""

    device: Device
    smets_version: str
    firmware: tuple[Firmware, ...]
    start: date
    expiry: date
    maximum_devices: int
    purpose: str
    csr: bytes
    gbcs_version: str
    contact: str
    assurance: tuple[AssuranceCertificate, ...]
    earlier_cpa: EarlierCpa | None


@serves("F2.18", "F2.19")
def change_application(
    desk: Desk,
    actor: Actor,
    identifier: str,
    change: Change,
    request: RequestKey | None = None,
    *,
    upon: int | None = None,
) -> ApplicationChanged:
    """Change an application; the rules run over the whole of it again. A change of nothing makes no version.

    Args:
        desk: where.
        actor: who.
        identifier: of the application.
        change: what it is to say instead.
        request: what makes the same request sent twice one act.
        upon: the version that whoever changes it has read; None if they do not say.

    Raises:
        NoSuchThing: there is none, or it is another Manufacturer's.
        WrongState: it is proposed, decided or cancelled, or another change or a proposal came first, or after `upon`.
        CsrMalformed, RulesRefused: with every fatal finding at once; nothing is changed.
        KeyTaken: the new public key is an approval's, or compromised.
    """
    at = desk.clock.now()
    parsed = csr_policy.parse(change["csr"]) if "csr" in change else None
    with desk.store.begin("change application") as tx:
        return once(
            desk,
            tx,
            actor,
            request,
            ApplicationChanged,
            lambda: changed_in(desk, tx, actor, identifier, change, parsed, upon=upon, at=at),
            at=at,
        )


def changed_in(
    desk: Desk,
    tx: Transaction,
    actor: Actor,
    identifier: str,
    change: Change,
    parsed: ParsedCsr | None,
    *,
    upon: int | None,
    at: datetime,
) -> ApplicationChanged:
    """Change an application within the transaction of whatever brings it; refused as `change_application` says."""
    found = to_be_changed(tx, actor, identifier)
    if upon not in (None, found.version):
        state, needed = f"at version {found.version}", f"at version {upon}"
        raise WrongState(kind="Application", identifier=found.id, state=state, needed=needed)
    before = as_applied(found)
    after = changed_by(before, change, parsed)
    changed = [each.name for each in fields(Apply) if getattr(before, each.name) != getattr(after, each.name)]
    organisation = requests.organisation(tx, found.organisation_id)
    findings = judged(desk, tx, after, organisation, at=at)
    version = found.version
    if changed:
        if parsed is not None:
            require_key_free(tx, parsed.public_key_sha256)
        version += 1
        said = replace(as_changed(found, after, parsed), version=version, changed_at=at)
        said = replace(said, findings=canonical(findings_json(findings)).decode())
        # The write repeats the version that was read: of two changes, or a change and a proposal, one is first.
        applications.change(tx, said, version=found.version)
        keep_said(tx, found)
        # Names and a digest: what an application says is between the SSC and the applicant.
        payload: dict[str, Json] = {"members": [*changed], "version": version, "stated_sha256": stated_sha256(said)}
        facts.record(tx, Fact(FactKind.APPLICATION_CHANGED, at, actor, subject=found.id, payload=payload))
        state_first_contact(tx, actor, organisation, after.contact, application=found.id, at=at)
    return ApplicationChanged(
        application=found.id, state=found.state, version=version, changed=tuple(changed), findings=findings
    )


def to_be_changed(tx: Transaction, actor: Actor, identifier: str) -> Application:
    """Return an application that its Manufacturer may change.

    Raises:
        NoSuchThing: there is none, or it is another Manufacturer's.
        OperationNotPermitted: nobody changes it for a Manufacturer.
        WrongState: it is proposed, decided or cancelled.
    """
    found = requests.application(tx, identifier)
    authorise_application(actor, Operation.CHANGE_APPLICATION, found)
    if found.state is not ApplicationState.SUBMITTED:
        needed = ApplicationState.SUBMITTED
        raise WrongState(kind="Application", identifier=found.id, state=found.state, needed=needed)
    return found


def changed_by(before: Apply, change: Change, parsed: ParsedCsr | None) -> Apply:
    """Return what an application would say after a change."""
    after = replace(before, **change)
    after = replace(after, firmware=lowered(after.firmware))
    # One request can be written in many ways; the register keeps one, and only that is compared.
    return after if parsed is None else replace(after, csr=parsed.der)


def as_changed(found: Application, after: Apply, parsed: ParsedCsr | None) -> Application:
    """Return the row of an application as it would be after a change, under the version that it has."""
    said = replace(
        found,
        device=after.device,
        smets_version=after.smets_version,
        purpose=after.purpose,
        start=first_second(after.start),
        expiry=last_second(after.expiry),
        maximum_devices=after.maximum_devices,
        firmware=after.firmware,
        gbcs_version=after.gbcs_version,
        contact=after.contact,
        assurance=assurance_text(after.assurance),
        earlier_cpa=earlier_cpa_text(after.earlier_cpa),
    )
    if parsed is None:
        return said
    return replace(said, csr=parsed.der, public_key=parsed.public_key, public_key_sha256=parsed.public_key_sha256)

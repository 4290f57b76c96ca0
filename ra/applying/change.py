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
    desk: Desk, actor: Actor, identifier: str, change: Change, request: RequestKey | None = None
) -> ApplicationChanged:
    """Change an application; the rules run over the whole of it again. A change of nothing makes no version.

    Raises:
        NoSuchThing: there is none, or it is another Manufacturer's.
        WrongState: it is proposed, decided or cancelled, or another change or a proposal came first.
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
            lambda: _change(desk, tx, actor, identifier, change, parsed, at=at),
            at=at,
        )


def _change(
    desk: Desk,
    tx: Transaction,
    actor: Actor,
    identifier: str,
    change: Change,
    parsed: ParsedCsr | None,
    *,
    at: datetime,
) -> ApplicationChanged:
    found = requests.application(tx, identifier)
    authorise_application(actor, Operation.CHANGE_APPLICATION, found)
    if found.state != ApplicationState.SUBMITTED:
        needed = ApplicationState.SUBMITTED
        raise WrongState(kind="Application", identifier=found.id, state=found.state, needed=needed)
    before = as_applied(found)
    after = _after(before, change, parsed)
    changed = [each.name for each in fields(Apply) if getattr(before, each.name) != getattr(after, each.name)]
    organisation = requests.organisation(tx, found.organisation_id)
    findings = judged(desk, tx, after, organisation, at=at)
    version = found.version
    if changed:
        if parsed is not None:
            require_key_free(tx, parsed.public_key_sha256)
        version += 1
        said = replace(_said(found, after, parsed), version=version, changed_at=at)
        said = replace(said, findings=canonical(findings_json(findings)).decode())
        # The write repeats the version that was read: of two changes, or a change and a proposal, one is first.
        applications.change(tx, said, version=found.version)
        # Names and a digest: what an application says is between the SSC and the applicant.
        payload: dict[str, Json] = {"members": [*changed], "version": version, "stated_sha256": stated_sha256(said)}
        facts.record(tx, Fact(FactKind.APPLICATION_CHANGED, at, actor, subject=found.id, payload=payload))
        state_first_contact(tx, actor, organisation, after.contact, application=found.id, at=at)
    return ApplicationChanged(
        application=found.id, state=found.state, version=version, changed=tuple(changed), findings=findings
    )


def _after(before: Apply, change: Change, parsed: ParsedCsr | None) -> Apply:
    after = replace(before, **change)
    after = replace(after, firmware=lowered(after.firmware))
    # One request can be written in many ways; the register keeps one, and only that is compared.
    return after if parsed is None else replace(after, csr=parsed.der)


def _said(found: Application, after: Apply, parsed: ParsedCsr | None) -> Application:
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

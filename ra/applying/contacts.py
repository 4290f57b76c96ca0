"""contacts: where a Manufacturer is reached; its own at any time, with all that it was before (F2.21, F2.30).

A contact belongs to the organisation, not to what it once applied for: every notice, of old approvals too, goes to the
one that holds when it is sent. What an application states is the first, if there is none. No address is in the journal.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from core.actors import Actor
from core.canonical import Json, canonical, salted_digest
from core.classification import SALT_OCTETS
from core.clauses import serves
from core.facts import Fact, FactKind
from policy.roles import Operation
from policy.section_f.contact import ContactFacts, contact_findings
from ra.access import authorise, own_organisation
from ra.applying.views import ContactAnswer, ContactChanged, ContactPage
from ra.desk import Desk, new_identifier
from ra.findings import refuse_fatal
from ra.repeat import RequestKey, once
from ra.views import page
from store.reading import contacts as reading
from store.reading import requests
from store.reading.authority import authority_row
from store.reading.contacts import Contact
from store.rows import Organisation
from store.transactions import Transaction
from store.verbs import contacts, facts


@dataclass(frozen=True)
class ChangeContact:
    """Where an organisation is reached from now on; what is None stays as it is.

    Args:
        notices: the e-mail address for notices; empty if they are only fetched.
        urgent: a second address, which urgent notices go to as well; empty for none.
    """

    notices: str | None = None
    urgent: str | None = None


@serves("F2.21(b)", "F2.30")
def change_contact(
    desk: Desk, actor: Actor, command: ChangeContact, request: RequestKey | None = None
) -> ContactChanged:
    """Change the contact of the actor's own organisation; a change of nothing makes no other.

    Raises:
        RulesRefused: an address that nothing can be sent to.
    """
    authorise(actor, Operation.CHANGE_CONTACT, owner=actor.organisation)
    at = desk.clock.now()
    with desk.store.begin("change contact") as tx:
        return once(desk, tx, actor, request, ContactChanged, lambda: _change(tx, actor, command, at=at), at=at)


def contacts_of(
    desk: Desk,
    actor: Actor,
    *,
    organisation: str | None = None,
    holding: bool | None = None,
    after: str,
    limit: int,
) -> ContactPage:
    """Return a page of contacts, those that held before included; a Manufacturer sees its own and no other.

    Args:
        desk: where.
        actor: who asks.
        organisation: only of this one; another's is as if it had none.
        holding: only those that hold, or only those that do not any more.
        after: the identifier of the last of the page before; empty for the first.
        limit: rows on the page.
    """
    own = own_organisation(actor, Operation.READ_CONTACTS)
    if own is not None and organisation not in (None, own):
        return ContactPage(contacts=(), next=None, truncated=False)
    only = own or organisation
    with desk.store.read() as tx:
        rows = page(
            limit,
            lambda most: reading.contact_list(tx, organisation=only, holding=holding, after=after, limit=most),
            lambda each: each.id,
        )
    return ContactPage(contacts=tuple(map(contact_shown, rows.found)), next=rows.next, truncated=rows.truncated)


@serves("F2.21(b)")
def state_first_contact(
    tx: Transaction, actor: Actor, organisation: Organisation, notices: str, *, application: str, at: datetime
) -> None:
    """Let what an application states be the contact of an organisation that has none.

    Args:
        tx: of the act, in which the organisation is held.
        actor: who states it.
        organisation: whose.
        notices: the address, which the rules of applications have seen; empty if none is stated.
        application: in which.
        at: now.
    """
    if notices and reading.held(tx, organisation.id) is None:
        _take_over(tx, actor, organisation, (notices, ""), None, application=application, at=at)


def contact_shown(found: Contact) -> ContactAnswer:
    """Return a contact as it is shown."""
    return ContactAnswer(
        contact=found.id,
        organisation=found.organisation,
        manufacturer=found.name,
        notices=found.notices,
        urgent=found.urgent,
        since=found.held_from,
        until=found.held_until,
        set_by=found.set_by,
        application=found.application,
    )


def _change(tx: Transaction, actor: Actor, command: ChangeContact, *, at: datetime) -> ContactChanged:
    organisation = requests.organisation(tx, actor.organisation or "")
    before = reading.held(tx, organisation.id)
    was = ("", "") if before is None else (before.notices, before.urgent)
    notices = was[0] if command.notices is None else command.notices
    urgent = was[1] if command.urgent is None else command.urgent
    live = authority_row(tx).environment == "live"
    found = contact_findings(ContactFacts(notices=notices, urgent=urgent, live=live))
    refuse_fatal(found)
    if before is None or (notices, urgent) != was:
        before = _take_over(tx, actor, organisation, (notices, urgent), before, application=None, at=at)
    return ContactChanged(
        contact=before.id, notices=before.notices, urgent=before.urgent, since=before.held_from, findings=found
    )


def _take_over(
    tx: Transaction,
    actor: Actor,
    organisation: Organisation,
    addresses: tuple[str, str],
    before: Contact | None,
    *,
    application: str | None,
    at: datetime,
) -> Contact:
    contact = Contact(
        id=new_identifier("con", at),
        organisation=organisation.id,
        name=organisation.name,
        notices=addresses[0],
        urgent=addresses[1],
        salt=secrets.token_bytes(SALT_OCTETS),
        application=application,
        held_from=at,
        held_until=None,
        set_by=actor.name,
    )
    contacts.take_over(tx, contact)
    words = canonical({"notices": contact.notices, "urgent": contact.urgent}).decode()
    said: dict[str, Json] = {
        "contact": contact.id,
        "before": None if before is None else before.id,
        "application": application,
        "salted_sha256": salted_digest(words, contact.salt),
    }
    facts.record(tx, Fact(FactKind.CONTACT_CHANGED, at, actor, subject=organisation.id, payload=said))
    return contact

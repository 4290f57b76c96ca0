"""Who is asking, and may they? Credentials are granted, listed, revoked and looked up here."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.actors import Actor, Role, is_ours
from core.approval import ApprovalRecord
from core.errors import CredentialInvalid, CredentialRefused, NoSuchThing, OperationNotPermitted
from core.facts import Fact, FactKind
from core.instants import text
from policy.roles import Operation, needs_organisation, permitted
from ra.desk import Desk, new_identifier
from store.reading import requests
from store.rows import Credential, Organisation
from store.verbs import access, facts

KEY_OCTETS = 32
"""Random octets in an API key: 256 bits, so that its plain SHA-256 can be stored; there is nothing to guess."""

_KEY_PREFIX = "tcpa_"
_NAME = re.compile(r"[a-z0-9][a-z0-9.@_-]{0,63}")


@dataclass(frozen=True)
class GrantedAccess:
    """A new credential; the only time that its key is shown.

    Args:
        credential: as it is listed.
        api_key: the secret.
    """

    credential: Credential
    api_key: str


def authorise(actor: Actor, operation: Operation, *, owner: str | None = None) -> None:
    """Raise OperationNotPermitted unless the table of roles lets `actor` do it to a thing of `owner`."""
    if not permitted(actor, operation, owner=owner):
        raise not_permitted(actor, operation)


def not_permitted(actor: Actor, operation: str) -> OperationNotPermitted:
    """Return the refusal of an operation to the role that somebody has."""
    return OperationNotPermitted(role=actor.role.value if actor.role else "none", operation=str(operation))


def authorise_approval(actor: Actor, operation: Operation, found: ApprovalRecord) -> None:
    """Authorise an act on an approval; another Manufacturer's is as if it were not there."""
    authorise_own(actor, operation, kind="approval", identifier=found.identifier, owner=found.organisation)


def authorise_own(actor: Actor, operation: Operation, *, kind: str, identifier: str, owner: str) -> None:
    """Authorise an act on a thing that has an owner; another Manufacturer's is as if it were not there.

    Args:
        actor: who asks.
        operation: what it wants to do.
        kind: what sort of thing it is, in words.
        identifier: which.
        owner: the organisation whose it is.

    Raises:
        NoSuchThing: the actor may do it to its own, and this is another's.
        OperationNotPermitted: the actor may not do it at all.
    """
    if permitted(actor, operation, owner=actor.organisation) and not permitted(actor, operation, owner=owner):
        raise NoSuchThing(kind=kind, identifier=identifier)
    authorise(actor, operation, owner=owner)


def own_organisation(actor: Actor, operation: Operation) -> str | None:
    """None if the actor may list everybody's; its own organisation if it may list that."""
    if permitted(actor, operation, owner=None):
        return None
    authorise(actor, operation, owner=actor.organisation)
    return actor.organisation


def may_verify(role: Role) -> bool:
    """Return whether a credential of a role may ask /v1/verify."""
    return permitted(Actor("asks", role), Operation.VERIFY, owner=None)


def authorise_watching(actor: Actor) -> None:
    """Raise OperationNotPermitted unless `actor` may read how the service is doing."""
    authorise(actor, Operation.READ_STATUS)


def authorise_counting(actor: Actor) -> None:
    """Raise OperationNotPermitted unless `actor` may read how much there is of everything."""
    authorise(actor, Operation.READ_COUNTS)


def key_digest(api_key: str) -> str:
    """Return the form in which an API key is stored and looked up: hex SHA-256."""
    return hashlib.sha256(api_key.encode("utf-8", "surrogatepass")).hexdigest()


def authenticate(desk: Desk, api_key: str) -> Actor:
    """Return whose API key this is.

    Raises:
        CredentialInvalid: it is unknown, expired or revoked; whose it was is in the fields, for the log alone.
    """
    at = desk.clock.now()
    with desk.store.read() as tx:
        found = requests.credential_by_key(tx, key_digest(api_key))
    if found is None:
        raise CredentialInvalid
    if found.revoked_at is not None or found.expires_at <= at:
        raise CredentialInvalid(
            name=found.name,
            role=_role(found.role),
            organisation=found.organisation_id,
            ended="revoked" if found.revoked_at is not None else "expired",
        )
    return Actor(name=found.name, role=_role(found.role), organisation=found.organisation_id, credential=found.id)


def _role(said: str) -> Role | None:
    """The role that a row says; none if it is no word of ours, and whoever has none may do nothing."""
    try:
        return Role(said)
    except ValueError:
        return None


def grant_access(
    desk: Desk,
    actor: Actor,
    *,
    name: str,
    role: Role,
    organisation: str | None,
    certificate_name: str | None = None,
    life: timedelta,
) -> GrantedAccess:
    """Make a credential, and its organisation if there is none of that name.

    Args:
        desk: where.
        actor: an administrator, or the console of the machine.
        name: the person or system; two credentials of one person carry one name, so nobody can second himself.
        role: what it may do.
        organisation: its organisation's name; needed for a role that does something to its own things.
        certificate_name: the organisation's name in certificates, 1 to 64 characters; by default its name.
        life: how long the key is accepted.

    Raises:
        CredentialRefused: a name of another form, no organisation for a role that needs one, a life too long or past.
    """
    _authorise_or_console(actor)
    at = desk.clock.now()
    _check_request(desk, name, role, organisation, life)
    api_key = _KEY_PREFIX + secrets.token_urlsafe(KEY_OCTETS)
    with desk.store.begin("grant access") as tx:
        held = None if organisation is None else requests.organisation_named(tx, organisation)
        if organisation is not None and held is None:
            held = _new_organisation(organisation, certificate_name, at)
            access.add_organisation(tx, held, at=at)
            named = {"name": held.name, "certificate_name": held.certificate_name}
            facts.record(tx, Fact(FactKind.ORGANISATION_ADDED, at, actor, subject=held.id, payload=named))
        credential = Credential(
            id=new_identifier("key", at),
            name=name,
            role=role,
            organisation_id=held.id if held else None,
            created_at=at,
            expires_at=at + life,
            revoked_at=None,
        )
        access.add_credential(tx, credential, key_sha256=key_digest(api_key))
        granted = {"name": name, "role": role.value, "expires_at": text(credential.expires_at)}
        facts.record(tx, Fact(FactKind.ACCESS_GRANTED, at, actor, subject=credential.id, payload=granted))
    return GrantedAccess(credential, api_key)


def revoke_access(desk: Desk, actor: Actor, identifier: str) -> None:
    """Revoke a credential; WrongState if it is unknown or revoked already."""
    _authorise_or_console(actor)
    at = desk.clock.now()
    with desk.store.begin("revoke access") as tx:
        access.revoke_credential(tx, identifier, at=at)
        facts.record(tx, Fact(FactKind.ACCESS_REVOKED, at, actor, subject=identifier))


def list_access(desk: Desk, actor: Actor) -> list[Credential]:
    """Return every credential there ever was; keys are nowhere."""
    _authorise_or_console(actor)
    with desk.store.read() as tx:
        return requests.credential_list(tx)


def _authorise_or_console(actor: Actor) -> None:
    # Whoever can run commands on the machine can write the store; asking for a key there would only look like safety.
    if actor.name != "console" or actor.role is not None:
        authorise(actor, Operation.MANAGE_ACCESS)


def _check_request(desk: Desk, name: str, role: Role, organisation: str | None, life: timedelta) -> None:
    if is_ours(name):
        raise CredentialRefused(detail="the name is that of a process of the authority; nobody else acts under it")
    if not _NAME.fullmatch(name):
        raise CredentialRefused(detail="the name must have 1 to 64 small letters, digits, dots, hyphens or @")
    if needs_organisation(role) and organisation is None:
        raise CredentialRefused(detail=f"a {role.value} needs an organisation")
    if not timedelta(0) < life <= desk.rules.longest_credential:
        longest = desk.rules.longest_credential.days
        raise CredentialRefused(detail=f"its life must be between a second and {longest} days")


def _new_organisation(name: str, certificate_name: str | None, at: datetime) -> Organisation:
    chosen = certificate_name or name
    if not 1 <= len(name) <= 200 or not name.isprintable() or name != name.strip():
        raise CredentialRefused(detail="the organisation's name must have 1 to 200 printable characters")
    if not 1 <= len(chosen) <= 64 or not chosen.isprintable() or chosen != chosen.strip():
        raise CredentialRefused(
            detail="the organisation's name in certificates must have 1 to 64 printable characters (X.520)"
        )
    return Organisation(id=new_identifier("org", at), name=name, certificate_name=chosen)

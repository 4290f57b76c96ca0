"""passkeys: somebody who has access is invited, enrols a passkey in their browser, and comes in by it.

A passkey says who somebody is. It authorises nothing that officers decide before it is on the roster (ADR 59): until
then that is signed for with a key of their own (ADR 27).
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.decode_credential_public_key import DecodedEC2PublicKey, decode_credential_public_key
from webauthn.helpers.exceptions import WebAuthnException

from core.actors import Actor
from core.canonical import Json
from core.errors import NoSuchThing, PasskeyRefused, RosterUnusable
from core.facts import Fact, FactKind
from core.instants import text
from policy.roles import Operation, party_of, permitted
from ra.access import list_access
from ra.desk import Desk, new_identifier
from ra.entering.sessions import SECRET_OCTETS, begin, digest_of
from ra.entering.views import AccessAnswer, Begun, Invited
from store.reading import entering as reading
from store.verbs import entering, facts

INVITATION_LIFE = timedelta(hours=1)

_CHALLENGE_OCTETS = 32


@dataclass(frozen=True, kw_only=True)
class Relying:
    """For whom a passkey answers: WebAuthn's relying party.

    Args:
        identifier: the host's name in the origin; an IP address can be none.
        origin: of the console's pages.
    """

    identifier: str
    origin: str


def coordinates(public_key: bytes) -> tuple[bytes, bytes]:
    """Return the coordinates of a passkey's key.

    Args:
        public_key: COSE_Key, as it was enrolled.

    Raises:
        RosterUnusable: it is none for ES256.
    """
    try:
        key = decode_credential_public_key(public_key)
    except WebAuthnException:
        raise RosterUnusable(detail="a passkey's key cannot be read") from None
    if not isinstance(key, DecodedEC2PublicKey) or key.alg != COSEAlgorithmIdentifier.ECDSA_SHA_256:
        raise RosterUnusable(detail="a passkey's key is for another algorithm than ES256")
    return key.x, key.y


def new_challenge() -> bytes:
    """Return random octets for one question to a browser."""
    return secrets.token_bytes(_CHALLENGE_OCTETS)


def may_invite(actor: Actor) -> bool:
    """Return whether somebody sends invitations."""
    return permitted(actor, Operation.MANAGE_ACCESS, owner=None)


def people(desk: Desk, actor: Actor) -> list[AccessAnswer]:
    """Return who has access now and acts for somebody, by name; for those who manage access."""
    at = desk.clock.now()
    return [
        AccessAnswer(credential=each.id, name=each.name, role=each.role, expires_at=each.expires_at)
        for each in sorted(list_access(desk, actor), key=lambda each: each.name)
        if each.revoked_at is None
        and each.expires_at > at
        and party_of(Actor(each.name, each.role, each.organisation_id))
    ]


def invite(desk: Desk, actor: Actor, credential: str) -> Invited:
    """Make an invitation to enrol one passkey for a credential, within an hour.

    Args:
        desk: where.
        actor: an administrator, or the console of the machine.
        credential: whose passkey it will be.

    Raises:
        OperationNotPermitted: the actor does not manage access.
        NoSuchThing: no credential of that identifier is in force.
    """
    named = {each.credential: each for each in people(desk, actor)}
    if credential not in named:
        raise NoSuchThing(kind="credential", identifier=credential)
    at = desk.clock.now()
    secret = secrets.token_urlsafe(SECRET_OCTETS)
    identifier = new_identifier("inv", at)
    with desk.store.begin("invite") as tx:
        until = at + INVITATION_LIFE
        entering.invite(tx, identifier, secret_sha256=digest_of(secret), credential=credential, at=at, until=until)
        said: dict[str, Json] = {"credential": credential, "name": named[credential].name, "expires_at": text(until)}
        facts.record(tx, Fact(FactKind.PASSKEY_INVITED, at, actor, subject=identifier, payload=said))
    return Invited(name=named[credential].name, secret=secret, expires_at=until)


def invited(desk: Desk, secret: str) -> Actor:
    """Return who is invited by a secret.

    Raises:
        PasskeyRefused: it is unknown, was taken up, is too old, or that access is over: nobody outside learns which.
    """
    return _invitation(desk, secret).actor


def enrol(desk: Desk, secret: str, *, challenge: bytes, relying: Relying, response: str) -> Begun:
    """Take an invitation up with a passkey, and let its owner in.

    Args:
        desk: where.
        secret: of the invitation.
        challenge: that the browser was asked with.
        relying: for whom.
        response: the browser's answer, JSON (WebAuthn's RegistrationResponseJSON).

    Raises:
        PasskeyRefused: the invitation cannot be taken up, or the answer is none to this question.
    """
    found = _invitation(desk, secret)
    assert found.actor.credential is not None, "an invitation is for a credential"
    try:
        made = verify_registration_response(
            credential=response,
            expected_challenge=challenge,
            expected_rp_id=relying.identifier,
            expected_origin=relying.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused(detail="the browser's answer is none to this question") from error
    at = desk.clock.now()
    identifier = new_identifier("psk", at)
    with desk.store.begin("enrol passkey") as tx:
        if not entering.take_up(tx, found.id, at=at) or not entering.enrol(
            tx,
            identifier,
            credential=found.actor.credential,
            invitation=found.id,
            key_id=made.credential_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            at=at,
        ):
            raise PasskeyRefused(detail="this invitation was taken up, or this passkey is enrolled already")
        facts.record(tx, Fact(FactKind.PASSKEY_ENROLLED, at, found.actor, subject=identifier, payload={"by": found.id}))
    return begin(desk, found.actor, challenge=challenge)


def come_in(desk: Desk, *, challenge: bytes, relying: Relying, key_id: bytes, response: str) -> Begun:
    """Let somebody in by their passkey.

    Args:
        desk: where.
        challenge: that the browser was asked with.
        relying: for whom.
        key_id: what the browser says which passkey it is.
        response: the browser's answer, JSON (WebAuthn's AuthenticationResponseJSON).

    Raises:
        PasskeyRefused: the passkey is unknown, its owner's access is over, or the answer is none to this question.
        CredentialInvalid: that question was answered before.
    """
    with desk.store.read() as tx:
        found = reading.passkey_of_key(tx, key_id, desk.clock.now())
    if found is None:
        raise PasskeyRefused(detail="this passkey is not known here, or its owner's access is over")
    try:
        shown = verify_authentication_response(
            credential=response,
            expected_challenge=challenge,
            expected_rp_id=relying.identifier,
            expected_origin=relying.origin,
            credential_public_key=found.public_key,
            credential_current_sign_count=found.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused(detail="the browser's answer is none to this question") from error
    with desk.store.begin("count passkey") as tx:
        if not entering.count(tx, found.id, before=found.sign_count, shown=shown.new_sign_count):
            raise PasskeyRefused(detail="it was used at the same moment elsewhere")
    return begin(desk, found.actor, challenge=challenge)


def _invitation(desk: Desk, secret: str) -> reading.InvitationRow:
    if secret.isascii():
        with desk.store.read() as tx:
            found = reading.invitation_of_secret(tx, digest_of(secret), desk.clock.now())
        if found is not None:
            return found
    raise PasskeyRefused(detail="this invitation is not known, was taken up, or is older than an hour")

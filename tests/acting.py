"""The acts of officers as their tools do them: what has to be signed for is signed with the officer's own key.

The same names and arguments as the use cases. Where a register shows no roster nothing is signed, as by an authority
that was made before there was one.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from core.actors import Actor
from core.errors import TrialCpaError
from core.kinds import AuthorisedAct
from officers.key_file import public_key_of, thumbprint_of
from officers.proof import sign as sign_by
from officers.roster import Member, new_member
from officers.statement import (
    Authorisation,
    Authority,
    Claim,
    Listed,
    Statement,
    list_digest,
    new_statement,
    revocation_digest,
)
from ra.authorising import Signed, authority_shown, roster_shown
from ra.deciding import authorise as authorising
from ra.deciding import propose as proposing
from ra.deciding import revoke as revoking
from ra.deciding import second as seconding
from ra.deciding.end import Revoke
from ra.deciding.every_kind import Proposal
from ra.deciding.views import (
    Accepted,
    ApprovalRevoked,
    DecisionProposed,
    DecisionRejected,
    DecisionSeconded,
)
from ra.desk import Desk
from ra.repeat import RequestKey
from ra.reporting import breach as breaches
from ra.reporting.views import BreachMoved
from store.reading import requests

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group of P-256: private keys are below it."""


@cache
def officer_key(name: str) -> ec.EllipticCurvePrivateKey:
    """The key of an officer, the same in every process of a test run."""
    secret = int.from_bytes(hashlib.sha256(f"the key of {name}".encode()).digest(), "big")
    return ec.derive_private_key(secret % (_ORDER - 1) + 1, ec.SECP256R1())


def member(name: str) -> Member:
    """An officer with their key, as they stand on the roster."""
    return new_member(name, public_key_of(officer_key(name)))


@dataclass(frozen=True)
class InHand:
    """A key as it is used to sign by."""

    key: ec.EllipticCurvePrivateKey

    @property
    def public_key(self) -> bytes:
        return public_key_of(self.key)

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message, ec.ECDSA(hashes.SHA256()))


def sign(statement: Statement, key: ec.EllipticCurvePrivateKey) -> Authorisation:
    """Sign a statement with a key."""
    return sign_by(statement, InHand(key))


def signed_by(
    name: str, authority: Authority, claim: Claim, at: datetime, members: Sequence[Listed] = (), **changes: Any
) -> Signed:
    """What an officer signs for an act; `changes` are made to the claim."""
    key = officer_key(name)
    statement = new_statement(authority, claim, officer=name, key=thumbprint_of(key), at=at, **changes)
    return Signed(authorisation=sign(statement, key), members=tuple(members))


def signed_for(desk: Desk, actor: Actor, claim: Claim, members: Sequence[Listed] = ()) -> Signed | None:
    """What an officer's tool sends with an act; nothing where no roster asks for it."""
    at = desk.clock.now()
    with desk.store.read() as tx:
        if roster_shown(tx, at) is None:
            return None
        authority = authority_shown(tx)
    return signed_by(actor.name, authority, claim, at, members)


def propose(desk: Desk, actor: Actor, command: Proposal, request: RequestKey | None = None) -> DecisionProposed:
    """Propose, and sign for what was proposed."""
    made = proposing.propose(desk, actor, command, request)
    sign_for(desk, actor, made.decision)
    return made


def propose_batch(
    desk: Desk, actor: Actor, commands: Sequence[Proposal], request: RequestKey | None = None
) -> list[DecisionProposed | TrialCpaError]:
    """Propose several, and sign for those that were proposed."""
    outcomes = proposing.propose_batch(desk, actor, commands, request)
    for each in outcomes:
        if isinstance(each, DecisionProposed):
            sign_for(desk, actor, each.decision)
    return outcomes


def sign_for(desk: Desk, actor: Actor, decision: str) -> None:
    """Sign for one's own proposal, if a roster asks for it and it was not signed for before."""
    with desk.store.read() as tx:
        found = requests.decision(tx, decision)
    claim = authorising.claim_of(AuthorisedAct.PROPOSE, found)
    signed = None if found.authorised_at is not None else signed_for(desk, actor, claim)
    if signed is not None:
        authorising.sign_for(desk, actor, decision, proposal_sha256=found.proposal_sha256, signed=signed)


def second(
    desk: Desk,
    actor: Actor,
    identifier: str,
    *,
    proposal_sha256: str,
    tbs_sha256: str | Sequence[str] | None,
    request: RequestKey | None = None,
) -> DecisionSeconded:
    """Second a proposal, signed for."""
    claim = Claim(
        act=AuthorisedAct.SECOND,
        subject=identifier,
        proposal_sha256=proposal_sha256.lower(),
        tbs_sha256=authorising.digests_of(tbs_sha256) or None,
    )
    return seconding.second(
        desk,
        actor,
        identifier,
        proposal_sha256=proposal_sha256,
        tbs_sha256=tbs_sha256,
        signed=signed_for(desk, actor, claim),
        request=request,
    )


def second_batch(
    desk: Desk, actor: Actor, accepted: Sequence[Accepted], request: RequestKey | None = None
) -> list[DecisionSeconded | TrialCpaError]:
    """Second several by one statement over their list."""
    members = [
        Listed(
            decision=each.decision,
            proposal_sha256=each.proposal_sha256,
            tbs_sha256=authorising.digests_of(each.tbs_sha256) or None,
        )
        for each in accepted
    ]
    claim = Claim(act=AuthorisedAct.SECOND, subject=list_digest(members))
    signed = signed_for(desk, actor, claim, members)
    return seconding.second_batch(desk, actor, accepted, request, signed=signed)


def reject(
    desk: Desk, actor: Actor, identifier: str, *, why: str, request: RequestKey | None = None
) -> DecisionRejected:
    """Reject a proposal, signed for."""
    with desk.store.read() as tx:
        found = requests.decision(tx, identifier)
    claim = authorising.claim_of(AuthorisedAct.REJECT, found)
    return seconding.reject(desk, actor, identifier, why=why, signed=signed_for(desk, actor, claim), request=request)


def revoke(desk: Desk, actor: Actor, command: Revoke, request: RequestKey | None = None) -> ApprovalRevoked:
    """Revoke at once, signed for."""
    order = revocation_digest(
        command.approval, cause=command.cause, invalidity_date=command.invalidity_date, breach=command.breach
    )
    claim = Claim(act=AuthorisedAct.REVOKE, subject=command.approval, proposal_sha256=order)
    return revoking.revoke(desk, actor, command, request, signed=signed_for(desk, actor, claim))


def judge(
    desk: Desk, actor: Actor, identifier: str, *, confirmed: bool, why: str, request: RequestKey | None = None
) -> BreachMoved:
    """Confirm a breach, signed for, or dismiss it."""
    claim = Claim(act=AuthorisedAct.CONFIRM_BREACH, subject=identifier)
    signed = signed_for(desk, actor, claim) if confirmed else None
    return breaches.judge(desk, actor, identifier, confirmed=confirmed, why=why, signed=signed, request=request)

"""many: approvals are revoked together, by one decision of several officers (F2.30; docs/adr/0047).

Its proposal lists them, in order, with their number and the digest of the list; that is what officers sign for. The
authority carries it out in portions (jobs/carry_out.py), and writes each approval's notice after it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from core.actors import Actor
from core.approval import EndCause
from core.canonical import Json, canonical, read_json
from core.classification import Passage
from core.clauses import serves
from core.errors import BodyMalformed, NoSuchThing, WrongState
from core.instants import text
from core.kinds import DecisionKind, HierarchyRole
from core.words import named as in_words
from officers.statement import approvals_digest
from policy.roles import Operation
from policy.section_f.revocation import RevocationFacts, revocation_findings
from ra.access import authorise
from ra.deciding.kind import Proposed
from ra.deciding.views import RevocationsAnswer
from ra.desk import Desk
from ra.findings import refuse_fatal
from ra.grounds import NO_MINUTES, Minutes, grounds_of
from ra.proposal import Tabled, new_decision, said_in
from store.reading import approvals as approval_reading
from store.reading import authority, requests, revocations
from store.rows import Decision
from store.transactions import Transaction

MOST = 100_000
"""Approvals of one act: more are another one."""

CAUSES_OF_MANY = (EndCause.SSC, EndCause.KEY_COMPROMISE)
"""Why many are revoked together; a breach is its approval's own, and a Manufacturer asks for one."""


@dataclass(frozen=True, kw_only=True)
class ProposeRevocations:
    """To revoke many approvals, or to cancel the compromised certificates of many.

    Args:
        approvals: their identifiers; empty where everything of an issuing CA is meant.
        issuing_ca: the key identifier of that CA, hex; None where the approvals are named.
        cause: `ssc` or `key-compromise`, of all; a breach is its approval's own.
        reasons: a summary of why, of all; words alone are Amber, for all three recipients.
        invalidity_date: since when compromised keys are known to be.
        minutes: what comes with the decision.
    """

    approvals: Sequence[str]
    issuing_ca: str | None
    cause: EndCause
    reasons: str | Passage
    invalidity_date: datetime | None = None
    minutes: Minutes = NO_MINUTES


def is_of_many(decision: Decision) -> bool:
    """Return whether a decision revokes approvals together."""
    return decision.kind is DecisionKind.REVOKE and decision.approval is None


@serves("F2.30")
def table(tx: Transaction, tabled: Tabled, command: ProposeRevocations) -> Proposed:
    """Return the revocation of many as it is proposed.

    What has ended by then, or ends before it is carried out, is told and is no error: the first end stands.

    Raises:
        NoSuchThing: there is no such approval, or no such issuing CA.
        BodyMalformed: it is of none, or of too many, or for a cause that is each approval's own.
        RulesRefused: an invalidity date that cannot be.
    """
    if command.cause not in CAUSES_OF_MANY:
        raise BodyMalformed(detail=f"many are not revoked together for {command.cause}")
    facts = RevocationFacts(command.cause, command.invalidity_date, tabled.at)
    refuse_fatal(revocation_findings(facts))
    listed = sorted({*command.approvals} if command.issuing_ca is None else _under(tx, command.issuing_ca, tabled.at))
    if not 0 < len(listed) <= MOST:
        raise BodyMalformed(detail=f"one act revokes 1 to {MOST} approvals, and this would be of {len(listed)}")
    known = approval_reading.known(tx, listed)
    unknown = [each for each in listed if each not in known]
    if unknown:
        raise NoSuchThing(kind="approval", identifier=in_words(unknown))
    found = revocation_findings(replace(facts, ended=[each for each in listed if known[each]]))
    said: dict[str, Json] = {
        "approvals": list[Json](listed),
        "count": len(listed),
        "approvals_sha256": approvals_digest(listed),
        "issuing_ca": command.issuing_ca,
        "cause": command.cause.value,
        "invalidity_date": text(command.invalidity_date) if command.invalidity_date else None,
        "breach": None,
    }
    return Proposed(
        new_decision(DecisionKind.REVOKE, said, grounds_of(command.reasons, command.minutes), tabled), found
    )


def _under(tx: Transaction, key_id: str, at: datetime) -> list[str]:
    serials = [each.serial for each in authority.certificates(tx, HierarchyRole.ISSUING) if each.key_id == key_id]
    if not serials:
        raise NoSuchThing(kind="issuing CA with key", identifier=key_id)
    return approval_reading.standing_under(tx, serials, at)


def listed_in(decision: Decision) -> list[str] | None:
    """Return the approvals that a decision revokes, in order; None if list, number and digest do not agree."""
    return _listed(said_in(decision))


def _listed(said: Mapping[str, Any]) -> list[str] | None:
    listed = said.get("approvals")
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        return None
    whole = listed == sorted(set(listed)) and said.get("count") == len(listed)
    return listed if whole and said.get("approvals_sha256") == approvals_digest(listed) else None


def approvals_of(decision: Decision) -> frozenset[str]:
    """Return the approvals that a decision revokes together, as `listed_in` has them; none where it is about one."""
    return frozenset() if decision.approval is not None else _approvals_of(decision.proposal)


@lru_cache(maxsize=4)  # asked of each of the many
def _approvals_of(proposal: str) -> frozenset[str]:
    try:
        said = read_json(proposal)
    except ValueError:
        return frozenset()  # somebody wrote into it: it is about nothing
    return frozenset(_listed(said) or ()) if isinstance(said, dict) else frozenset()


def of_one(decision: Decision, approval: str) -> Decision:
    """Return a decision as it is about one of the approvals that it revokes: its end, and its notice."""
    said = said_in(decision)
    about: dict[str, Json] = {name: said[name] for name in ("kind", "cause", "invalidity_date", "breach")}
    return replace(decision, approval=approval, proposal=canonical({**about, "approval": approval}).decode())


def progress(desk: Desk, actor: Actor, identifier: str) -> RevocationsAnswer:
    """Return how far the revocation of many has come.

    Raises:
        NoSuchThing: there is no such decision.
        WrongState: it does not revoke many.
    """
    authorise(actor, Operation.READ_DECISION)
    with desk.store.read() as tx:
        decision = requests.decision(tx, identifier)
        if not is_of_many(decision):
            raise WrongState(kind="Decision", identifier=identifier, state="about no more than one", needed="of many")
        said, under_way = said_in(decision), revocations.find(tx, identifier)
        unlisted, newest = (0, None) if under_way is None else revocations.listed(tx, identifier)
        become = revocations.counted(tx, identifier)
    carried_out = become.ended + become.already_ended
    done = under_way is not None and carried_out == under_way.total
    return RevocationsAnswer(
        decision=decision.id,
        state=decision.state,
        cause=EndCause(said["cause"]),
        approvals_sha256=str(said["approvals_sha256"]),
        total=int(said["count"]),
        carried_out=carried_out,
        ended=become.ended,
        already_ended=become.already_ended,
        told=become.already_ended + become.noticed,
        crl_number=newest if done and not unlisted else None,
        begun_at=None if under_way is None else under_way.begun_at,
        finished_at=None if under_way is None else under_way.finished_at,
    )


def named(desk: Desk, actor: Actor, identifier: str) -> tuple[str, ...]:
    """Return the approvals that a decision revokes together, in order; for errors see `progress`."""
    authorise(actor, Operation.READ_DECISION)
    with desk.store.read() as tx:
        return tuple(listed_in(requests.decision(tx, identifier)) or ())

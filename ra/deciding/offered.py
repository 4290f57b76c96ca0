"""offered: what an officer may do about a decision as it stands, by the rules that judge them when they do it.

A page offers by this and decides nothing: whoever acts all the same is judged by the use case.
"""

from collections.abc import Callable
from dataclasses import dataclass

from core.actors import Actor
from core.kinds import OPEN_DECISION, DecisionKind, DecisionState
from policy.roles import Operation, permitted
from ra.deciding.quorum import is_another
from ra.deciding.views import DecisionAnswer
from store.reading.witnesses import issued_or_ended

_CERTIFY = frozenset({DecisionKind.GRANT, DecisionKind.REKEY})
"""What always ends in a certificate; an amendment says by its issue whether it does."""


@dataclass(frozen=True, kw_only=True)
class Offered:
    """What somebody may do about a decision.

    Args:
        opened: it is neither decided nor ended.
        drafting: the authority has still to draft what it will sign.
        sign: sign for it, as its proposer.
        second: agree to it, as another officer.
        reject: reject it, or take one's own back.
        acknowledge: say that one is informed of what another decided alone.
        witness: say that one has seen it, or that it was not decided so.
    """

    opened: bool
    drafting: bool
    sign: bool
    second: bool
    reject: bool
    acknowledge: bool
    witness: bool


def offered(actor: Actor, it: DecisionAnswer) -> Offered:
    """Return what somebody may do about a decision."""
    opened, another = it.state in OPEN_DECISION, is_another(actor, it.proposer)
    done = issued_or_ended(it.kind, it.state, it.issue)
    waits = opened and drafting(it)
    open_to = _open_to(actor)
    return Offered(
        opened=opened,
        drafting=waits,
        sign=open_to(Operation.PROPOSE) and opened and not another and it.authorised_at is None,
        second=may_second(actor, it.proposer, it.state) and it.authorised_at is not None and not waits,
        reject=open_to(Operation.REJECT) and opened,
        acknowledge=open_to(Operation.ACKNOWLEDGE_DECISION) and it.urgent and another and it.acknowledged_by is None,
        witness=open_to(Operation.WITNESS_DECISION)
        and done
        and all(each.officer != actor.name for each in it.witnesses),
    )


def may_second(actor: Actor, proposer: str, state: DecisionState) -> bool:
    """Return whether somebody is among those who may second a proposal, once it is signed for and drafted."""
    return _open_to(actor)(Operation.SECOND) and state in OPEN_DECISION and is_another(actor, proposer)


def drafting(it: DecisionAnswer) -> bool:
    """Return whether the authority has still to draft what it will sign: before that nobody can second it."""
    drafted = bool(it.drafts) or it.tbs_sha256 is not None
    return not drafted and (it.kind in _CERTIFY or it.issue is not None)


def _open_to(actor: Actor) -> Callable[[Operation], bool]:
    return lambda operation: permitted(actor, operation, owner=actor.organisation)

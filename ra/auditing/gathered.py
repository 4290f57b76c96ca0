"""gathered: everything that there is about one approval, read by the use cases that show it to whoever asks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from core.actors import Actor
from core.errors import NoRoster
from core.kinds import AuthorisedAct
from ra.applying import look as applying
from ra.applying import request_amendment, request_end
from ra.applying.views import AmendmentRequestAnswer, ApplicationAnswer, EndRequestAnswer
from ra.committee.interests import interests_of
from ra.committee.views import InterestAnswer
from ra.deciding import look as deciding
from ra.deciding import record
from ra.deciding.views import DecisionAnswer, DecisionAuthorisations, DecisionJournal
from ra.desk import Desk
from ra.ordering import look as ordering
from ra.ordering.views import OrderAnswer
from ra.reporting import breach
from ra.reporting.deployments import of_approval
from ra.reporting.views import BreachAnswer, DeploymentsAnswer
from ra.roster import RosterAnswer, roster
from ra.telling import approvals, instructions, notices
from ra.telling.conditions import conditions
from ra.telling.instructions import Asked
from ra.telling.views import ApprovalAnswer, ConditionList, InstructionAnswer, NoticeEntry
from ra.views import LARGEST_PAGE, Page

P = TypeVar("P", bound=Page)


@dataclass(frozen=True, kw_only=True)
class Decided:
    """A decision with what proves it.

    Args:
        said: the decision.
        signed: what officers signed for it.
        journal: what the journal says of it.
        orders: by which the roster was changed.
    """

    said: DecisionAnswer
    signed: DecisionAuthorisations
    journal: DecisionJournal
    orders: tuple[OrderAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class Stands:
    """Everything about an approval but what proves it.

    Args:
        approval: as it stands.
        application: that it was granted for.
        requests: for amendments.
        end_requests: for its end.
        conditions: of the approval.
        decided: the decisions about it, in order.
        notices: likewise, by recipient with their delivery.
        breaches: of its conditions.
        instructions: to the Panel.
        deployments: counted.
        interests: that were declared in its application; what officers said to each other of it is theirs alone.
    """

    approval: ApprovalAnswer
    application: ApplicationAnswer
    requests: tuple[AmendmentRequestAnswer, ...]
    end_requests: tuple[EndRequestAnswer, ...]
    conditions: ConditionList
    decided: tuple[DecisionAnswer, ...]
    notices: tuple[NoticeEntry, ...]
    breaches: tuple[BreachAnswer, ...]
    instructions: tuple[InstructionAnswer, ...]
    deployments: DeploymentsAnswer
    interests: tuple[InterestAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class Gathered(Stands):
    """Everything about an approval.

    Args:
        decisions: each with what proves it.
        roster: whose keys count, and counted; None where officers have none.
        chains: of each certificate, the certificate first, DER each.
    """

    decisions: tuple[Decided, ...]
    roster: RosterAnswer | None
    chains: tuple[tuple[bytes, ...], ...]


def gather(desk: Desk, actor: Actor, approval: str) -> Gathered:
    """Return everything about an approval.

    Args:
        desk: where; of one moment, or what is read later says what the parts before do not know.
        actor: may read all of it.
        approval: its identifier.

    Raises:
        NoSuchThing: there is no such approval.
    """
    found = stands(desk, actor, approval)
    return Gathered(
        **vars(found),
        decisions=tuple(_decided(desk, actor, each) for each in found.decided),
        roster=_roster(desk, actor),
        chains=tuple(approvals.certificate(desk, actor, each.serial).chain for each in found.approval.certificates),
    )


def stands(desk: Desk, actor: Actor, approval: str) -> Stands:
    """Return everything about an approval but what proves it.

    Args:
        desk: where; of one moment.
        actor: may read all of it.
        approval: its identifier.

    Raises:
        NoSuchThing: there is no such approval.
    """
    found = approvals.approval(desk, actor, approval)
    listed = _every(
        lambda after: applying.applications(desk, actor, after=after, limit=LARGEST_PAGE, approval=approval),
        lambda page: page.applications,
    )
    asked = Asked(state=None, overdue=None, due_before=None, approval=approval)
    return Stands(
        approval=found,
        application=applying.application(desk, actor, listed[0].application),
        requests=request_amendment.requests_of(desk, actor, approval).requests,
        end_requests=_every(
            lambda after: request_end.end_requests(desk, actor, approval=approval, after=after, limit=LARGEST_PAGE),
            lambda page: page.requests,
        ),
        conditions=conditions(desk, actor, approval),
        decided=_every(
            lambda after: deciding.decisions(desk, actor, after=after, limit=LARGEST_PAGE, approval=approval),
            lambda page: page.decisions,
        ),
        notices=_every(
            lambda after: notices.listed(desk, actor, after=after, limit=LARGEST_PAGE, approval=approval),
            lambda page: page.notices,
        ),
        breaches=_every(
            lambda after: breach.listed(desk, actor, approval=approval, after=after, limit=LARGEST_PAGE),
            lambda page: page.breaches,
        ),
        instructions=_every(
            lambda after: instructions.instructions(desk, actor, asked, after=after, limit=LARGEST_PAGE),
            lambda page: page.instructions,
        ),
        deployments=of_approval(desk, actor, approval),
        interests=interests_of(desk, actor, listed[0].application).interests,
    )


T = TypeVar("T")


def _every(read: Callable[[str], P], rows: Callable[[P], Sequence[T]]) -> tuple[T, ...]:
    """All rows of a list in pages."""
    found: list[T] = []
    after: str | None = ""
    while after is not None:
        page = read(after)
        found += rows(page)
        after = page.next
    return tuple(found)


def _roster(desk: Desk, actor: Actor) -> RosterAnswer | None:
    try:
        return roster(desk, actor)
    except NoRoster:
        return None


def _decided(desk: Desk, actor: Actor, said: DecisionAnswer) -> Decided:
    signed = record.authorisations(desk, actor, said.decision)
    changes = {
        str(each.statement["subject"])
        for each in signed.authorisations
        if each.statement.get("act") == AuthorisedAct.CHANGE_ROSTER
    }
    return Decided(
        said=said,
        signed=signed,
        journal=record.journal_of(desk, actor, said.decision),
        orders=tuple(ordering.order(desk, actor, each) for each in sorted(changes)),
    )

"""The contract of a kind of decision: everything that differs by kind, and what each kind must therefore say.

One file of kinds/ implements it for each member of core.kinds.DecisionKind; ra/deciding/every_kind.py finds it. Nobody
else asks of which kind a decision is.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

from core.actors import Actor
from core.errors import Finding
from core.identifiers import Serial
from core.kinds import DecisionKind
from ra.desk import Desk
from ra.proposal import Tabled
from ra.telling.listing import Foreseen
from ra.telling.matter import NoticeSaid
from store.rows import Decision
from store.transactions import Transaction

Command = TypeVar("Command", contravariant=True)  # noqa: PLC0105 - it reads as what it is


@dataclass(frozen=True)
class Proposed:
    """A decision as it is proposed, with what the rules find.

    Args:
        decision: not in the register yet.
        findings: none of them fatal.
    """

    decision: Decision
    findings: Sequence[Finding] = ()


class Kind(ABC, Generic[Command]):
    """A kind of decision. Stateless: what it knows of a decision it reads from the decision.

    Attributes:
        kind: how the register calls it.
        counted_as: by which kind's setting the number of officers is chosen.
        task: what officers are asked to second, in words; `{}` is the thing that it is about.
    """

    kind: ClassVar[DecisionKind]
    counted_as: ClassVar[DecisionKind]
    task: ClassVar[str]

    @abstractmethod
    def table(self, desk: Desk, tx: Transaction, tabled: Tabled, command: Command) -> Proposed:
        """Return the decision as proposed, and hold what it needs, so that no other decision takes it.

        Args:
            desk: where.
            tx: in which it will be written.
            tabled: how it is put.
            command: what the officer asks for.

        Raises:
            RulesRefused: at least one fatal finding.
            TrialCpaError: what else stands in the way, by kind.
        """

    @abstractmethod
    def released(self, tx: Transaction, decision: Decision, at: datetime) -> None:
        """Let go of what `table` held, in the transaction in which the decision comes to nothing.

        Args:
            tx: in which that is written.
            decision: as it was before; what came to be when it was seconded stays.
            at: now.
        """

    def require_still_right(self, tx: Transaction, decision: Decision) -> None:
        """Run again, at seconding, the rules whose answer may have changed; RulesRefused. Most kinds have none."""

    def against(self, tx: Transaction, decision: Decision) -> tuple[Finding, ...]:  # noqa: ARG002 - most kinds have none
        """Return what these rules find now, for officers who look at an open proposal; nothing is held."""
        return ()

    @abstractmethod
    def passed(self, tx: Transaction, decision: Decision, at: datetime) -> str | None:
        """Return, in words, why it can no longer be decided at an instant; None if it can."""

    @abstractmethod
    def decide(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> None:
        """Make it true, in the transaction of the last officer; of what certifies, all but the certificate."""

    @abstractmethod
    def foreseen(self, tx: Transaction, decision: Decision, at: datetime) -> Foreseen | None:
        """Return what the Central Products List would follow if it became true now; None if it changes nothing."""

    @abstractmethod
    def told(self, decision: Decision, at: datetime | None) -> NoticeSaid:
        """Return how its notice is called and from when it holds.

        Args:
            decision: the decision.
            at: when it became true; None before it is.
        """


class CertifyingKind(Kind[Command]):
    """A kind that leads to a certificate (F2.25); with `issue` None a decision of it leads to none."""

    def reserve(self, tx: Transaction, decision: Decision) -> None:
        """Hold, before anything is signed, what the certificate will make true; DeviceAlreadyApproved.

        Most kinds hold it since they were decided.
        """

    @abstractmethod
    def certified(self, tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> list[Serial]:
        """Make the rest true, in the transaction that records the certificate; return the serials superseded."""

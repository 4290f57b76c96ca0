"""certified: what becomes true when the certificate of a decision is recorded; called by the authority (jobs/sign.py).

Everything here is in the transaction that records the certificate. If we die before its commit, the same bytes are
signed again and all of it happens then.
"""

from collections.abc import Sequence
from datetime import datetime

from core.actors import Actor
from core.clauses import serves
from core.errors import DraftContradicted
from core.identifiers import Serial
from ra.deciding import notice
from ra.deciding.every_kind import kind_of
from ra.deciding.kind import CertifyingKind
from ra.proposal import approval_of
from ra.telling.listing import instruct
from store.rows import Decision
from store.transactions import Transaction


def reserve(tx: Transaction, decision: Decision) -> None:
    """Hold what the certificate of a decision will make true, before anything is signed.

    Raises:
        DeviceAlreadyApproved: another approval of the device was granted meanwhile.
    """
    _certifying(decision).reserve(tx, decision)


def take_effect(tx: Transaction, decision: Decision, actor: Actor, at: datetime) -> dict[Serial, int]:
    """Let what the certificates say hold; return the serials that they supersede, each with the issue by which."""
    return _certifying(decision).certified(tx, decision, actor, at)


@serves("F2.25", "F2.27")
def tell(tx: Transaction, decision: Decision, serials: Sequence[Serial], actor: Actor, at: datetime) -> None:
    """Tell whom it concerns that certificates were issued: the Panel what to list, and the notice they travel with.

    Args:
        tx: open.
        decision: which led to them.
        serials: in order of issue, at least one.
        actor: whose act it is.
        at: now.
    """
    instruct(tx, approval_of(decision), cause=decision.id, actor=actor, at=at)
    notice.write(tx, decision, actor=actor, at=at, serials=serials)


def _certifying(decision: Decision) -> CertifyingKind[object]:
    kind = kind_of(decision.kind)
    if not isinstance(kind, CertifyingKind):
        raise DraftContradicted(serial=decision.id, detail=f"a decision to {decision.kind} leads to no certificate")
    return kind

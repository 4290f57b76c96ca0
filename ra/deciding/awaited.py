"""awaited: whether more is to be heard of a decision, an application or an approval, for those who may know it."""

from collections.abc import Collection

from core.actors import Actor
from policy.roles import Operation
from ra.access import authorise, authorise_approval
from ra.applying.apply import authorise_application
from ra.desk import Desk
from store.reading import approvals as approval_reading
from store.reading import awaited, requests


def at_work(desk: Desk, named: Collection[str]) -> Collection[str]:
    """Return of several names those of which more is to be heard; for whoever has been found to be allowed to know."""
    with desk.store.read() as tx:
        return awaited.at_work(tx, named)


def decision_awaited(desk: Desk, actor: Actor, identifier: str) -> bool:
    """Return whether a decision is about to be drafted or carried out; False of one that is not there."""
    authorise(actor, Operation.READ_DECISION)
    return identifier in at_work(desk, [identifier])


def application_awaited(desk: Desk, actor: Actor, identifier: str) -> bool:
    """Return whether an application is not decided; another Manufacturer's is as if it were not there."""
    with desk.store.read() as tx:
        authorise_application(actor, Operation.READ_APPLICATION, requests.application(tx, identifier))
        return identifier in awaited.at_work(tx, [identifier])


def certificate_awaited(desk: Desk, actor: Actor, approval: str) -> bool:
    """Return whether an approval has no certificate yet; another Manufacturer's is as if it were not there."""
    with desk.store.read() as tx:
        authorise_approval(actor, Operation.FETCH_CERTIFICATE, approval_reading.record(tx, approval))
        return approval in awaited.at_work(tx, [approval])

"""timeline: an approval with everything about it at one moment, and what happened to it, for people who look at it."""

from dataclasses import dataclass, replace

from core.actors import Actor
from core.clock import FixedClock
from policy.roles import Operation
from ra.access import authorise
from ra.auditing.gathered import Stands, stands
from ra.auditing.story import Event, events
from ra.desk import Desk
from ra.reporting.over_time import Count, over_time
from store.reading import approvals as approval_reading


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """An approval with everything about it.

    Args:
        stands: all of it.
        events: what happened, in order.
        counts: devices beside the limit, from its start on.
    """

    stands: Stands
    events: tuple[Event, ...]
    counts: tuple[Count, ...]


def timeline(desk: Desk, actor: Actor, approval: str) -> Timeline:
    """Return an approval with everything about it, as it stands now.

    Raises:
        NoSuchThing: there is no such approval.
        OperationNotPermitted: it is for SSC and auditor.
    """
    authorise(actor, Operation.READ_DOSSIER)
    with desk.store.snapshot() as moment:
        at = desk.clock.now()
        found = stands(replace(desk, store=moment, clock=FixedClock(at)), actor, approval)
        with moment.read() as tx:
            counts = over_time(tx, approval_reading.record(tx, approval), at=at)
    return Timeline(stands=found, events=events(found, at), counts=counts)

"""watch: who may see how the service is doing."""

from core.actors import Actor
from policy.roles import Operation
from ra.access import authorise


def authorise_watching(actor: Actor) -> None:
    """Raise OperationNotPermitted unless `actor` may read how the service is doing."""
    authorise(actor, Operation.READ_STATUS)

"""What somebody may see of deployments: a batch, the devices of an approval in numbers, one device with its stints."""

from collections.abc import Sequence

from core.actors import Actor
from core.clauses import serves
from core.deployments import Stint
from core.waiting import pending
from policy.roles import Operation
from ra.access import authorise, authorise_approval
from ra.desk import Desk
from ra.reporting.limit import limit_at
from ra.reporting.views import BatchAnswer, DeployedDevice, DeploymentsAnswer, StintAnswer
from ra.views import PendingAnswer
from store.reading import approvals as approval_reading
from store.reading import deployments as deployment_reading


def batch(desk: Desk, actor: Actor, identifier: str) -> BatchAnswer:
    """Return what a report of deployments came to; NoSuchThing if there is none."""
    authorise(actor, Operation.READ_DEPLOYMENTS)
    with desk.store.read() as tx:
        found = deployment_reading.batch(tx, identifier)
    return BatchAnswer(
        batch=found.id,
        form=found.form,
        content_sha256=found.content_sha256,
        received_at=found.received_at,
        received_by=found.received_by,
        lines=found.lines,
        recorded=found.recorded,
        known=found.known,
        refused=found.refused,
        ignored=found.lines - found.recorded - found.known - found.refused,
    )


@serves("F2.28(d)", "F2.21(d)")
def of_approval(desk: Desk, actor: Actor, approval: str, *, device_id: str | None = None) -> DeploymentsAnswer:
    """Return how many devices are deployed under an approval now, beside the limit, and what is known of one device.

    Args:
        desk: where.
        actor: who asks.
        approval: its identifier.
        device_id: EUI-64, upper case; its stints under this approval are told.

    Raises:
        NoSuchThing: there is no such approval, or none that the actor may see.
    """
    at = desk.clock.now()
    with desk.store.read() as tx:
        record = approval_reading.record(tx, approval)
        authorise_approval(actor, Operation.READ_DEPLOYMENTS, record)
        deployed = deployment_reading.deployed_at(tx, [approval], at)[approval]
        ended = deployment_reading.ever_decommissioned(tx, approval)
        stints = deployment_reading.stints_of(tx, [device_id]) if device_id is not None else []
    limit = limit_at(record, at)
    return DeploymentsAnswer(
        approval=approval,
        as_of=at,
        deployed=deployed,
        decommissioned=ended,
        limit=limit,
        pending=tuple(PendingAnswer.of(each) for each in pending(record, at)),
        above_limit=deployed > limit,
        device=None
        if device_id is None
        else _device(device_id, [each for each in stints if each.approval == approval]),
    )


def _device(device_id: str, stints: Sequence[Stint]) -> DeployedDevice:
    return DeployedDevice(device_id, any(each.open for each in stints), tuple(map(_stint, stints)))


def _stint(stint: Stint) -> StintAnswer:
    return StintAnswer(
        firmware_version=stint.firmware,
        deployed_at=stint.deployed_at,
        decommissioned_at=stint.decommissioned_at,
        replaced_by=stint.replaced_by,
        corrected=stint.void_reason is not None,
    )

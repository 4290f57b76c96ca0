"""Units as the status plane holds them (core/deployed.py): all of them once, and then those that were reported on.

Each part of a report is recorded with one instant, in the fact and in every row that it touches: the fact's instant
says which units to read anew. Another part of the same second is read with it, which harms nobody.
"""

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import select, type_coerce, union

from core.deployed import NEVER, Deployed, Stint, Unit, deployed, unit_of
from store.transactions import Transaction
from store.trial_tables import deployments, undone_ends
from store.types import Number

Units: TypeAlias = Mapping[str, Mapping[Unit, Sequence[Stint]]]
"""Every stint of some units, by approval; none where all are taken back."""

_STREAM = 5_000
"""Rows fetched at once: nobody else in the process waits for longer than that takes."""

_c = deployments.c
_ROW = (
    _c.approval,
    _c.device_id,
    type_coerce(_c.deployed_at, Number).label("since"),
    type_coerce(_c.decommissioned_at, Number).label("until"),
)


def every_unit(tx: Transaction) -> dict[str, Deployed]:
    """Return what is deployed, and was, by approval."""
    flat: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
    rows = tx.connection.execution_options(yield_per=_STREAM).execute(select(*_ROW).where(_c.voided_at.is_(None)))
    for some in rows.partitions():
        for approval, device, since, until in some:
            flat[approval].extend((_unit(device), since, NEVER if until is None else until))
    return {approval: deployed(flat.pop(approval)) for approval in list(flat)}


def units_reported(tx: Transaction, at: Collection[datetime]) -> Units:
    """Return every stint of the units that reports recorded at some instants have touched."""
    undone = select(undone_ends.c.deployment_id).where(undone_ends.c.undone_at.in_(at))
    touched = union(
        *(
            select(_c.device_id).where(column.in_(at))
            for column in (_c.recorded_at, _c.decommission_recorded_at, _c.voided_at)
        ),
        select(_c.device_id).where(_c.id.in_(undone)),
    )
    found: defaultdict[str, defaultdict[Unit, list[Stint]]] = defaultdict(lambda: defaultdict(list))
    query = select(*_ROW, _c.voided_at.is_(None).label("stands")).where(_c.device_id.in_(touched))
    for approval, device, since, until, stands in tx.connection.execute(query):
        stints = found[approval][_unit(device)]
        if stands:
            stints.append((since, NEVER if until is None else until))
    return found


def _unit(device_id: str) -> Unit:
    try:
        return unit_of(device_id)
    except ValueError:
        # Only somebody who writes rows by hand writes another form. It counts; nobody can ask for it by name.
        return int.from_bytes(hashlib.sha256(device_id.encode()).digest()[:8], signed=True)

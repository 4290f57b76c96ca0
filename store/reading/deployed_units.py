"""Units as the status plane holds them (core/deployed.py): all of them once, and then those that were reported on.

Each part of a report is recorded with one instant, in the fact and in every row that it touches: the fact's instant
says which units to read anew. Another part of the same second is read with it, which harms nobody.
"""

import hashlib
import sys
from array import array
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Text, cast, func, select, type_coerce, union

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

_GROUPED = (
    select(
        _c.approval,
        func.aggregate_strings(func.replace(_c.device_id, "-", ""), ""),
        func.aggregate_strings(cast(_c.deployed_at, Text), ","),
        func.aggregate_strings(func.coalesce(cast(_c.decommissioned_at, Text), str(NEVER)), ","),
    )
    .where(_c.voided_at.is_(None))
    .group_by(_c.approval)
)
"""All stints of an approval in one row: a million rows would take seconds to be handed over one by one."""


def every_unit(tx: Transaction) -> dict[str, Deployed]:
    """Return what is deployed, and was, by approval."""
    rows = tx.connection.execution_options(yield_per=_STREAM).execute(_GROUPED)
    found, odd = {}, []
    for approval, units, since, until in rows:
        try:
            found[approval] = deployed(_octets(units), _numbers(since), _numbers(until))
        except (ValueError, OverflowError):
            odd.append(approval)
    for approval in odd:
        query = select(*_ROW).where(_c.approval == approval, _c.voided_at.is_(None))
        stints = [(_unit(device), since, _until(until)) for _, device, since, until in tx.connection.execute(query)]
        found[approval] = deployed(*(array("q", [each[place] for each in stints]) for place in range(3)))
    return found


def _octets(units: str) -> "array[int]":
    read = array("q", bytes.fromhex(units))
    if sys.byteorder == "little":
        read.byteswap()
    return read


def _numbers(written: str) -> "array[int]":
    return array("q", map(int, written.split(",")))


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
            stints.append((since, _until(until)))
    return found


def _until(until: int | None) -> int:
    return NEVER if until is None else until


def _unit(device_id: str) -> Unit:
    try:
        return unit_of(device_id)
    except ValueError:
        # Only somebody who writes rows by hand writes another form. It counts; nobody can ask for it by name.
        return int.from_bytes(hashlib.sha256(device_id.encode()).digest()[:8], signed=True)

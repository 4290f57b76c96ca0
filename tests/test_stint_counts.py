"""What a report counts of deployments is what one counts who goes through them one by one; indexes tell it."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import event, insert, select

from store.reading import reports
from store.reading.reports import StintCounts
from store.transactions import Transaction
from store.trial_tables import deployment_batches, deployments, undone_ends
from tests.reports_world import device_id, forgotten
from tests.world import DEVICE, NOW, World

STINTS = 400
SPREAD = 4
"""Seconds about now at which everything happens: so few that each instant is before, at and behind many of them."""

Row = Mapping[str, Any]


def test_each_number_is_that_of_whoever_goes_through_the_rows(world: World) -> None:
    approvals = [world.granted(), world.granted(device=replace(DEVICE, model="0A0A030C"))]
    with world.store.begin("test") as tx:
        forgotten(tx)
        _planted(tx, approvals)
    with world.store.read() as tx:
        rows = [dict(each._mapping) for each in tx.connection.execute(select(deployments))]
        undone = [dict(each._mapping) for each in tx.connection.execute(select(undone_ends))]
        seen = set[str]()
        for until in range(-SPREAD - 1, SPREAD + 1):
            for since in (None, *range(-SPREAD - 1, until)):
                first, last = None if since is None else _at(since), _at(until)
                found = reports.stint_counts(tx, since=first, until=last)
                assert found == _gone_through(rows, undone, first, last), (since, until)
                seen.update(name for each in found.values() for name, number in vars(each).items() if number)
    assert seen == set(vars(StintCounts())), "each number was some time none of nought"


def test_sqlite_looks_up_no_device_of_which_nothing_has_become(world: World) -> None:
    if world.store.dialect != "sqlite":
        return  # how PostgreSQL reads depends on how much there is
    asked = list[tuple[str, Any]]()
    with world.store.read() as tx:

        def noted(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: Any) -> None:
            asked.append((statement, values))

        event.listen(tx.connection, "before_cursor_execute", noted)
        reports.stint_counts(tx, since=_at(-1), until=_at(1))
        event.remove(tx.connection, "before_cursor_execute", noted)
        steps = [
            str(step[3])
            for statement, values in asked
            for step in tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            if " deployments " in str(step[3])
        ]
    index = "SEARCH deployments USING INDEX ix_deployments_"
    assert [each for each in steps if each.startswith("SCAN")] == [
        "SCAN deployments USING COVERING INDEX ix_deployments_approval_deployed_at"
    ]
    for name in ("recorded_at", "voided_at", "decommission_recorded_at"):
        assert any(each.startswith(f"{index}{name} ") for each in steps), steps


def _planted(tx: Transaction, approvals: Sequence[str]) -> None:
    chosen = random.Random(74)

    def some() -> datetime:
        return _at(chosen.randint(-SPREAD, SPREAD))

    opened = {"id": "batch", "form": "csv", "content_sha256": "0" * 64, "received_at": NOW, "received_by": "dcc"}
    tx.connection.execute(insert(deployment_batches).values(opened))
    for number in range(STINTS):
        row: dict[str, Any] = {
            "device_id": device_id(number),
            "approval": chosen.choice(approvals),
            "firmware_version": "0002012F",
        }
        row |= {"id": number + 1, "batch_id": "batch", "deployed_at": some(), "recorded_at": some()}
        if chosen.random() < 0.5:
            row |= {"decommissioned_at": max(row["deployed_at"], some()), "decommission_recorded_at": some()}
        if chosen.random() < 0.5:
            row |= {"voided_at": some(), "void_reason": "It was another's."}
        tx.connection.execute(insert(deployments).values(row))
        if chosen.random() < 0.5:
            ended = {
                "deployment_id": number + 1,
                "decommissioned_at": NOW,
                "batch_id": "batch",
                "reason": "It was not.",
            }
            tx.connection.execute(insert(undone_ends).values(ended | {"recorded_at": some(), "undone_at": some()}))


def _gone_through(
    rows: Sequence[Row], undone: Sequence[Row], since: datetime | None, until: datetime
) -> dict[str, StintCounts]:
    """Count row by row, as the names of the numbers say."""
    first = since or _at(-10_000)
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row["recorded_at"] > until:
            continue
        mine, early = found[row["approval"]], row["deployed_at"] <= first
        mine.update({"recorded": 1, "recorded_early": early})
        ended = row["decommission_recorded_at"]
        if row["voided_at"] is not None and row["voided_at"] <= until:
            unreported = row["recorded_at"] > first
            mine.update({"voided": 1, "voided_unreported": unreported, "voided_unreported_early": unreported and early})
            mine["voided_decommissioned"] += ended is not None and row["voided_at"] > first and ended <= first
        elif ended is not None and ended <= until:
            mine.update({"decommissioned": 1, "decommissioned_early": row["decommissioned_at"] <= first})
    approval = {row["id"]: row["approval"] for row in rows}
    for each in undone:
        mine = found[approval[each["deployment_id"]]]
        mine["undone"] += first < each["undone_at"] <= until and each["recorded_at"] <= first
    return {name: StintCounts(**counts) for name, counts in found.items() if counts["recorded"]}


def _at(second: int) -> datetime:
    return NOW + timedelta(seconds=second)

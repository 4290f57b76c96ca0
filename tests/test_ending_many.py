"""What a portion writes is what its approvals write one by one: the same rows, octet by octet, in the same order."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, select

from core.actors import AUTHORITY
from core.approval import EndCause
from core.errors import AlreadyEnded, NoSuchThing
from ra.deciding.end import end_approval, ending_of
from ra.deciding.end_many import end_approvals
from ra.deciding.many import ProposeRevocations, of_one
from store.reading import requests
from store.rows import Decision
from store.tables import approvals, certificates, journal, metadata, public_keys
from store.transactions import Transaction
from store.trial_tables import receipts
from tests.world import DEVICE, World, csr_pem

Rows = dict[str, list[tuple[Any, ...]]]
Outcomes = dict[str, datetime | None]

_NUMBERED = {journal: "id", receipts: "began"}
"""What counts on, whatever is written."""


class _TakenBackError(Exception):
    pass


def _one_by_one(tx: Transaction, listed: list[str], decision: Decision, at: datetime) -> Outcomes:
    outcomes: Outcomes = {}
    for each in listed:
        one = of_one(decision, each)
        try:
            end_approval(tx, ending_of(one), decision=one, actor=AUTHORITY, at=at, instructs=False)
        except AlreadyEnded:
            outcomes[each] = None
        else:
            outcomes[each] = at
    return outcomes


def _together(tx: Transaction, listed: list[str], decision: Decision, at: datetime) -> Outcomes:
    return end_approvals(tx, listed, decision=decision, actor=AUTHORITY, at=at)


def _after(world: World, act: Callable[[Transaction], Outcomes]) -> tuple[Outcomes, Rows]:
    """Return what came of an act, and every row of the register after it; nothing of it stays."""
    found: list[tuple[Outcomes, Rows]] = []
    with suppress(_TakenBackError), world.store.begin("compare") as tx:
        found.append((act(tx), {each.name: _rows(tx, each) for each in metadata.sorted_tables}))
        raise _TakenBackError
    return found[0]


def _rows(tx: Transaction, table: Table) -> list[tuple[Any, ...]]:
    but = _NUMBERED.get(table)
    named = [each for each in table.columns if each.name != but]
    order = (journal.c.id,) if table is journal else table.primary_key.columns
    return [tuple(row) for row in tx.connection.execute(select(*named).order_by(*order))]


def _drafted(world: World, number: int) -> str:
    return world.drafted(device=replace(DEVICE, model=f"{number:08X}"), csr=csr_pem())


@pytest.mark.parametrize("cause", [EndCause.SSC, EndCause.KEY_COMPROMISE])
def test_a_portion_writes_what_its_approvals_write_one_by_one(world: World, cause: EndCause) -> None:
    given = [world.seconded(_drafted(world, each)) for each in range(4)]
    world.authority.settle()
    world.passes(timedelta(days=1))
    world.authority.settle()
    given.append(world.seconded(_drafted(world, 4)))  # without a certificate yet
    world.revoked(given[0])
    world.revoked(given[1], EndCause.KEY_COMPROMISE)  # stands, without a certificate
    since = None if cause is EndCause.SSC else world.clock.now() - timedelta(hours=1)
    asked = ProposeRevocations(
        approvals=given, issuing_ca=None, cause=cause, reasons="All of them.", invalidity_date=since
    )
    with world.store.read() as tx:
        decision = requests.decision(tx, world.proposed(asked))
    listed, at = sorted(given), world.clock.now()
    singly = _after(world, lambda tx: _one_by_one(tx, listed, decision, at))
    assert _after(world, lambda tx: _together(tx, listed, decision, at)) == singly
    outcomes, rows = singly
    _, before = _after(world, lambda _: {})
    stood = given[1:] if cause is EndCause.SSC else given[2:4]
    assert [each for each, ended in outcomes.items() if ended is not None] == sorted(stood)
    changed = {name for name in rows if rows[name] != before[name]}
    whole = {journal.name, certificates.name, receipts.name}
    assert changed == whole | {(approvals if cause is EndCause.SSC else public_keys).name}
    assert len(rows[journal.name]) - len(before[journal.name]) == (4 + 2 if cause is EndCause.SSC else 2)


@pytest.mark.parametrize("cause", [EndCause.SSC, EndCause.KEY_COMPROMISE])
def test_a_portion_with_what_is_no_approval_is_refused(world: World, cause: EndCause) -> None:
    approval = world.seconded(world.drafted())
    asked = ProposeRevocations(approvals=[approval], issuing_ca=None, cause=cause, reasons="It.")
    with world.store.read() as tx:
        decision = requests.decision(tx, world.proposed(asked))
    at = world.clock.now()
    for act in (_one_by_one, _together):
        with pytest.raises(NoSuchThing), world.store.begin("compare") as tx:
            act(tx, ["TTA-2027-0099-0"], decision, at)

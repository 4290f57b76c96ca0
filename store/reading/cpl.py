"""What the Panel was told about the Central Products List, what it said, and what the NCSC has certified meanwhile."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, Text, bindparam, select

from core.canonical import read_json
from core.cpl import OPEN_INSTRUCTION, Instruction, InstructionState, entry_of
from core.errors import NoSuchThing
from core.kinds import Addition
from core.local_time import overdue_before
from store.tables import applications, approvals
from store.transactions import Transaction
from store.trial_tables import additions, cpl_instructions, ncsc_certificates

# Read in every act that tells the Panel something: put together once.
_APPROVAL = bindparam("approval", type_=Text())
_INSTRUCTIONS = select(cpl_instructions).where(cpl_instructions.c.approval == _APPROVAL).order_by(cpl_instructions.c.id)
_HELD_INSTRUCTIONS = _INSTRUCTIONS.with_for_update()
_CERTIFIED = select(ncsc_certificates.c.certificate).where(ncsc_certificates.c.approval == _APPROVAL)
_ADDITION = select(additions.c.said).where(additions.c.approval == _APPROVAL)
_SMETS_VERSION = (
    select(applications.c.smets_version)
    .join(approvals, approvals.c.application_id == applications.c.id)
    .where(approvals.c.identifier == _APPROVAL)
)


@dataclass(frozen=True, kw_only=True)
class GivenInstruction:
    """An instruction as it is listed.

    Args:
        instruction: what the Panel was told.
        cause: a decision's identifier, `expiry` or `ncsc-certificate`.
        acknowledged_by: who answered for the Panel; None if nobody has.
        reason: why the Panel rejected it; None if it did not.
        ncsc_certificate: the NCSC's own certificate for the model, if one is recorded.
    """

    instruction: Instruction
    cause: str
    acknowledged_by: str | None
    reason: str | None
    ncsc_certificate: str | None


@dataclass(frozen=True, kw_only=True)
class InstructionFilter:
    """Which instructions are asked for; None means any.

    Args:
        at: now: what fell due on a UK working day that is over, and is pending or rejected, is overdue.
        state: in which state.
        overdue: whether it is overdue.
        due_before: due before an instant.
        approval: about one approval.
    """

    at: datetime
    state: InstructionState | None = None
    overdue: bool | None = None
    due_before: datetime | None = None
    approval: str | None = None


def instructions_of(tx: Transaction, approval: str, *, hold: bool = False) -> list[Instruction]:
    """Return everything that the Panel was told about an approval, in the order in which it was told.

    Args:
        tx: open.
        approval: its identifier.
        hold: keep the rows as they are until the commit, so that no acknowledgement passes by.
    """
    rows = tx.connection.execute(_HELD_INSTRUCTIONS if hold else _INSTRUCTIONS, {"approval": approval})
    return [_instruction(row) for row in rows]


def instruction(tx: Transaction, identifier: str) -> GivenInstruction:
    """Return one instruction; NoSuchThing if there is none."""
    row = tx.connection.execute(_given().where(cpl_instructions.c.id == identifier)).one_or_none()
    if row is None:
        raise NoSuchThing(kind="CPL instruction", identifier=identifier)
    return _given_instruction(row)


def instruction_list(
    tx: Transaction, asked: InstructionFilter, *, after: str = "", limit: int | None = None
) -> list[GivenInstruction]:
    """Return the instructions asked for, in order of identifier, from behind `after` on."""
    c = cpl_instructions.c
    query = _given().where(c.id > after).order_by(c.id)
    if asked.state is not None:
        query = query.where(c.state == asked.state)
    if asked.approval is not None:
        query = query.where(c.approval == asked.approval)
    if asked.due_before is not None:
        query = query.where(c.due < asked.due_before)
    if asked.overdue is not None:
        overdue = c.state.in_(OPEN_INSTRUCTION) & (c.due < overdue_before(asked.at))
        query = query.where(overdue if asked.overdue else ~overdue)
    return [_given_instruction(row) for row in tx.connection.execute(query if limit is None else query.limit(limit))]


def ncsc_certificate(tx: Transaction, approval: str) -> str | None:
    """Return the NCSC's certificate for the model of an approval, if one is recorded (F2.31)."""
    found = tx.connection.execute(_CERTIFIED, {"approval": approval}).scalar()
    return None if found is None else str(found)


def addition(tx: Transaction, approval: str) -> Addition | None:
    """Return what the SSC says of the addition of an approval's entries; None if nobody was asked, or has answered."""
    found = tx.connection.execute(_ADDITION, {"approval": approval}).scalar()
    return None if found is None else Addition(found)


def additions_that_wait(tx: Transaction) -> set[str]:
    """Return the approvals whose entries are to wait for a valid certificate."""
    query = select(additions.c.approval).where(additions.c.said == Addition.WAITS)
    return set(tx.connection.execute(query).scalars())


def smets_version_of(tx: Transaction, approval: str) -> str:
    """Return the SMETS or CHTS version that an approval's application named; empty if it named none."""
    return str(tx.connection.execute(_SMETS_VERSION, {"approval": approval}).scalar() or "")


def _given() -> Select[Any]:
    certified = ncsc_certificates.c
    return select(cpl_instructions, certified.certificate.label("ncsc_certificate")).outerjoin(
        ncsc_certificates, certified.approval == cpl_instructions.c.approval
    )


def _given_instruction(row: Row[Any]) -> GivenInstruction:
    return GivenInstruction(
        instruction=_instruction(row),
        cause=row.cause,
        acknowledged_by=row.acknowledged_by,
        reason=row.reason,
        ncsc_certificate=row.ncsc_certificate,
    )


def _instruction(row: Row[Any]) -> Instruction:
    return Instruction(
        id=row.id,
        kind=row.kind,
        entry=entry_of(read_json(row.entry)),
        due=row.due,
        state=row.state,
        instructed_at=row.instructed_at,
        acknowledged_at=row.acknowledged_at,
    )

"""Instructions to the Panel: given, acknowledged, overtaken; and the NCSC's certificate that ends a trial well."""

from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.canonical import canonical
from core.cpl import OPEN_INSTRUCTION, Instruct, InstructionState
from core.errors import NoSuchThing, WrongState
from core.kinds import Addition
from store.transactions import Transaction
from store.trial_tables import additions, cpl_instructions, ncsc_certificates

_INSERT = insert(cpl_instructions)
_SUPERSEDE = (
    update(cpl_instructions)
    .where(cpl_instructions.c.id == bindparam("instruction"), cpl_instructions.c.state.in_(OPEN_INSTRUCTION))
    .values(state=InstructionState.SUPERSEDED)
)


def instruct(tx: Transaction, identifier: str, step: Instruct, *, cause: str, at: datetime) -> None:
    """Write an instruction.

    Args:
        tx: open.
        identifier: it sorts behind those of all earlier ones about the approval.
        step: what the Panel is told.
        cause: a decision's identifier, `expiry` or `ncsc-certificate`.
        at: now.
    """
    tx.connection.execute(
        _INSERT,
        {
            "id": identifier,
            "approval": step.entry.approval,
            "firmware_version": step.entry.firmware.version,
            "firmware_key": step.entry.key,
            "kind": step.kind,
            "entry": canonical(step.entry.kept()).decode(),
            "due": step.due,
            "cause": cause,
            "instructed_at": at,
            "state": InstructionState.PENDING,
        },
    )


def supersede(tx: Transaction, identifier: str) -> bool:
    """Let an instruction that is pending or rejected be overtaken; return whether this call did it."""
    return bool(tx.connection.execute(_SUPERSEDE, {"instruction": identifier}).rowcount)


def acknowledge(
    tx: Transaction, identifier: str, *, loaded: bool, reason: str | None, by: str, at: datetime
) -> InstructionState | None:
    """Write what the Panel says: pending becomes loaded or rejected, rejected becomes loaded; nothing else happens.

    Returns:
        None if it was written, else the state that the instruction is in.

    Raises:
        NoSuchThing: there is none.
    """
    c = cpl_instructions.c
    needed = OPEN_INSTRUCTION if loaded else (InstructionState.PENDING,)
    state = InstructionState.LOADED if loaded else InstructionState.REJECTED
    won = tx.connection.execute(
        update(cpl_instructions)
        .where(c.id == identifier, c.state.in_(needed))
        .values(state=state, acknowledged_at=at, acknowledged_by=by, reason=reason)
    ).rowcount
    if won:
        return None
    found = tx.connection.execute(select(c.state).where(c.id == identifier)).scalar()
    if found is None:
        raise NoSuchThing(kind="CPL instruction", identifier=identifier)
    return InstructionState(found)


def judge_addition(tx: Transaction, approval: str, said: Addition, *, by: str, at: datetime) -> None:
    """Write what the SSC says of the addition of an approval's entries; the caller holds the approval.

    Raises:
        WrongState: it has said so already.
    """
    c = additions.c
    values = {"said": said, "judged_at": at, "judged_by": by}
    found = tx.connection.execute(select(c.said).where(c.approval == approval)).scalar()
    if found is None:
        tx.connection.execute(insert(additions).values(approval=approval, **values))
    elif not tx.connection.execute(
        update(additions).where(c.approval == approval, c.said != said).values(**values)
    ).rowcount:
        raise WrongState(kind="Addition of", identifier=approval, state=f"“{said}” already", needed="otherwise")


def record_ncsc_certificate(
    tx: Transaction, approval: str, *, certificate: str, certified_on: datetime, by: str, at: datetime
) -> None:
    """Write that the NCSC has certified the model of an approval.

    Raises:
        WrongState: one is recorded already; the first stands.
    """
    try:
        tx.connection.execute(
            insert(ncsc_certificates).values(
                approval=approval, certificate=certificate, certified_on=certified_on, recorded_at=at, recorded_by=by
            )
        )
    except IntegrityError as error:
        raise WrongState(
            kind="Approval",
            identifier=approval,
            state="certified by the NCSC already",
            needed="without its certificate",
        ) from error

"""cpl: what the Panel is told is listed, exported and acknowledged; and the NCSC's certificate that ends a trial well.

Told, loaded and seen on the list are three facts (a published update was once not loaded for weeks): an instruction
is the first, its acknowledgement the second, a reconciliation (ra/telling/reconcile.py) looks at the third.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core.actors import Actor
from core.canonical import Json
from core.clauses import serves
from core.cpl import InstructionState
from core.errors import InstructionSuperseded, NcscCertificateRefused, WrongState
from core.facts import Fact, FactKind
from core.instants import first_second, text
from documents.cpl import instructions_csv, instructions_xlsx
from policy.roles import Operation
from ra.access import authorise
from ra.desk import Desk
from ra.paging import LARGEST_PAGE
from ra.repeat import RequestKey, keep, recall
from ra.telling.listing import NCSC_CERTIFICATE, instruct, sentence
from store.reading import approvals as approval_reading
from store.reading import cpl as reading
from store.reading.cpl import GivenInstruction, InstructionFilter
from store.transactions import Transaction
from store.verbs import cpl, facts

FORMS: Mapping[str, Callable[[Sequence[Mapping[str, Json]]], bytes]] = {
    "csv": instructions_csv,
    "xlsx": instructions_xlsx,
}
"""In what form instructions are exported."""


@dataclass(frozen=True)
class Acknowledge:
    """What the Panel says of an instruction.

    Args:
        instruction: its identifier.
        loaded: the list shows it; otherwise the Panel rejects it.
        reason: why it is rejected; empty if it is loaded.
    """

    instruction: str
    loaded: bool
    reason: str = ""


@dataclass(frozen=True)
class Asked:
    """Which instructions somebody asks for; None means any.

    Args:
        state: in which state.
        overdue: whether it is overdue: due before now, and pending or rejected.
        due_before: due before an instant.
    """

    state: InstructionState | None = None
    overdue: bool | None = None
    due_before: datetime | None = None


def instructions(desk: Desk, actor: Actor, asked: Asked, *, after: str, limit: int) -> dict[str, Json]:
    """Return a page of the instructions asked for, in order of identifier, and the cursor for the next.

    Raises:
        OperationNotPermitted: the list is the Panel's, the DCC's and the SSC's.
    """
    authorise(actor, Operation.READ_CPL)
    at = desk.clock.now()
    most = min(limit, LARGEST_PAGE)
    with desk.store.read() as tx:
        found = reading.instruction_list(tx, _filter(asked, at), after=after, limit=most)
    full = len(found) == most
    return {
        "instructions": [_instruction(each, at) for each in found],
        "next": found[-1].instruction.id if full else None,
    }


def exported(desk: Desk, actor: Actor, asked: Asked, form: str) -> bytes:
    """Return all instructions asked for as a table that a spreadsheet opens without changing it.

    Args:
        desk: where.
        actor: who.
        asked: which.
        form: of FORMS.
    """
    authorise(actor, Operation.READ_CPL)
    at = desk.clock.now()
    with desk.store.read() as tx:
        found = reading.instruction_list(tx, _filter(asked, at))
    return FORMS[form]([_instruction(each, at) for each in found])


@serves("F2.27", "F2.31")
def acknowledge(desk: Desk, actor: Actor, command: Acknowledge, request: RequestKey | None = None) -> dict[str, Json]:
    """Record what the Panel has done about an instruction: loaded, once for all, or rejected with a reason.

    Returns:
        The instruction as it is listed.

    Raises:
        NoSuchThing: there is none.
        InstructionSuperseded: a later instruction has overtaken it.
        WrongState: it is loaded already, or was rejected and is rejected again.
    """
    authorise(actor, Operation.ACKNOWLEDGE_CPL)
    with desk.store.begin("acknowledge cpl") as tx:
        at = desk.clock.now()
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        stands = cpl.acknowledge(
            tx,
            command.instruction,
            loaded=command.loaded,
            reason=None if command.loaded else command.reason,
            by=actor.name,
            at=at,
        )
        found = reading.instruction(tx, command.instruction)
        if stands is not None:
            raise _refusal(tx, found, stands, loaded=command.loaded)
        outcome = _instruction(found, at)
        said: dict[str, Json] = {"instruction": command.instruction, "outcome": found.instruction.state}
        # Why the Panel rejected it is its own words, and stays in the register.
        approval = found.instruction.entry.approval
        facts.record(tx, Fact(kind=FactKind.CPL_ACKNOWLEDGED, at=at, actor=actor, subject=approval, payload=said))
        keep(tx, actor, request, outcome, at=at)
    return outcome


@serves("F2.31")
def record_ncsc_certificate(
    desk: Desk,
    actor: Actor,
    approval: str,
    *,
    certificate: str,
    certified_on: date,
    request: RequestKey | None = None,
) -> dict[str, Json]:
    """Record that the NCSC has certified the model of an approval: at the end its entry stays, without the marker.

    If the approval has ended already, a removal that is not loaded yet becomes a replacement of the marker.

    Args:
        desk: where.
        actor: an officer.
        approval: its identifier.
        certificate: the NCSC's reference for it.
        certified_on: the UTC day on which it was issued.
        request: the Idempotency-Key, if one was sent.

    Returns:
        `{"approval", "certificate", "certified_on", "instructions"}`, the last the identifiers of new instructions.

    Raises:
        NoSuchThing: there is no such approval.
        NcscCertificateRefused: its day has not come.
        WrongState: one is recorded already.
    """
    authorise(actor, Operation.RECORD_NCSC_CERTIFICATE)
    with desk.store.begin("record ncsc certificate") as tx:
        at = desk.clock.now()
        earlier = recall(tx, actor, request)
        if earlier is not None:
            return earlier
        approval_reading.locked(tx, approval)
        if first_second(certified_on) > at:
            raise NcscCertificateRefused(detail=f"{certified_on.isoformat()} has not come yet")
        cpl.record_ncsc_certificate(
            tx, approval, certificate=certificate, certified_on=first_second(certified_on), by=actor.name, at=at
        )
        certified: dict[str, Json] = {"certificate": certificate, "certified_on": certified_on.isoformat()}
        facts.record(tx, Fact(kind=FactKind.NCSC_CERTIFIED, at=at, actor=actor, subject=approval, payload=certified))
        given = instruct(tx, approval, cause=NCSC_CERTIFICATE, actor=actor, at=at)
        outcome: dict[str, Json] = {"approval": approval, **certified, "instructions": given}
        keep(tx, actor, request, outcome, at=at)
    return outcome


def _filter(asked: Asked, at: datetime) -> InstructionFilter:
    return InstructionFilter(at=at, state=asked.state, overdue=asked.overdue, due_before=asked.due_before)


def _refusal(tx: Transaction, found: GivenInstruction, state: InstructionState, *, loaded: bool) -> Exception:
    given = found.instruction
    if state is not InstructionState.SUPERSEDED:
        needed = "pending or rejected" if loaded else "pending"
        return WrongState(kind="CPL instruction", identifier=given.id, state=state.value, needed=needed)
    version = given.entry.firmware.version
    later = [
        each
        for each in reading.instructions_of(tx, given.entry.approval)
        if each.id > given.id and each.entry.key == given.entry.key and each.state is not InstructionState.SUPERSEDED
    ]
    if later:
        detail = f"for firmware {version} under {given.entry.approval}, {later[-1].id} says {later[-1].kind.value}"
    else:
        detail = f"nothing is to be done any more for firmware {version} under {given.entry.approval}"
    return InstructionSuperseded(identifier=given.id, detail=detail)


def _instruction(found: GivenInstruction, at: datetime) -> dict[str, Json]:
    given = found.instruction
    entry = given.entry.kept()
    return {
        "instruction": given.id,
        "kind": given.kind.value,
        "due": text(given.due),
        **entry,
        "sentence": sentence(given.kind, entry, given.due),
        "cause": found.cause,
        "instructed_at": text(given.instructed_at),
        "state": given.state.value,
        "overdue": given.overdue(at),
        "acknowledged_at": text(given.acknowledged_at) if given.acknowledged_at else None,
        "acknowledged_by": found.acknowledged_by,
        "reason": found.reason,
        "ncsc_certificate": found.ncsc_certificate,
    }

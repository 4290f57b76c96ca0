"""instructions: what the Panel was told is listed, exported, acknowledged; and the NCSC's certificate after a trial.

Told, loaded and seen on the list are three facts (a published update was once not loaded for weeks): an instruction
is the first, its acknowledgement the second, a reconciliation (ra/telling/reconcile.py) looks at the third.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from core.actors import Actor
from core.canonical import Json
from core.clauses import serves
from core.cpl import Instruction, InstructionState, certificate_awaited
from core.errors import InstructionSuperseded, NcscCertificateRefused, WrongState
from core.facts import Fact, FactKind
from core.instants import first_second
from core.local_time import utc
from core.words import required
from documents.cpl import Remarked, instructions_csv, instructions_plain, instructions_xlsx
from policy.roles import Operation
from ra.access import authorise
from ra.desk import Desk
from ra.repeat import RequestKey, once
from ra.telling.listing import NCSC_CERTIFICATE, instruct, sentence
from ra.telling.views import EntryAnswer, InstructionAnswer, InstructionPage, NcscCertified
from ra.views import page
from store.reading import approvals as approval_reading
from store.reading import cpl as reading
from store.reading.cpl import GivenInstruction, InstructionFilter
from store.transactions import Transaction
from store.verbs import cpl, facts

FORMS: Mapping[str, Callable[[Iterable[Remarked], datetime], bytes]] = {
    "csv": instructions_csv,
    "plain": instructions_plain,
    "xlsx": instructions_xlsx,
}
"""In what form instructions are exported: `csv` is for spreadsheets, `plain` the same for programs."""


CERTIFICATE_AWAITED = (
    "Certificate awaited: the Trial CPA Certificate was cancelled for its key, and until another holds the device is "
    "not covered (F2.26)."
)


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
        overdue: whether it is overdue: its UK working day is over, and it is pending or rejected.
        due_before: due before an instant.
        approval: about one approval.
    """

    state: InstructionState | None = None
    overdue: bool | None = None
    due_before: datetime | None = None
    approval: str | None = None


def instructions(desk: Desk, actor: Actor, asked: Asked, *, after: str, limit: int) -> InstructionPage:
    """Return a page of the instructions asked for, in order of identifier, and the cursor for the next.

    Raises:
        OperationNotPermitted: the list is the Panel's, the DCC's and the SSC's.
    """
    authorise(actor, Operation.READ_CPL)
    at = desk.clock.now()
    with desk.store.read() as tx:
        rows = page(
            limit,
            lambda most: reading.instruction_list(tx, _filter(asked, at), after=after, limit=most),
            lambda each: each.instruction.id,
        )
        awaited = _awaited(tx, rows.found, at)
    shown = tuple(_instruction(each, awaited, at) for each in rows.found)
    return InstructionPage(instructions=shown, next=rows.next, truncated=rows.truncated)


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
        awaited = _awaited(tx, found, at)
    return FORMS[form]([(each.instruction, _remark(each.instruction, awaited) or "") for each in found], at)


@serves("F2.27", "F2.31")
def acknowledge(desk: Desk, actor: Actor, command: Acknowledge, request: RequestKey | None = None) -> InstructionAnswer:
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
        return once(desk, tx, actor, request, InstructionAnswer, lambda: _acknowledge(tx, actor, command, at), at=at)


def _acknowledge(tx: Transaction, actor: Actor, command: Acknowledge, at: datetime) -> InstructionAnswer:
    stands = cpl.acknowledge(
        tx,
        command.instruction,
        loaded=command.loaded,
        reason=None if command.loaded else required(command.reason, of="why it is rejected"),
        by=actor.name,
        at=at,
    )
    found = reading.instruction(tx, command.instruction)
    if stands is not None:
        raise _refusal(tx, found, stands, loaded=command.loaded)
    said: dict[str, Json] = {"instruction": command.instruction, "outcome": found.instruction.state}
    # Why the Panel rejected it is its own words, and stays in the register.
    approval = found.instruction.entry.approval
    facts.record(tx, Fact(FactKind.CPL_ACKNOWLEDGED, at, actor, subject=approval, payload=said))
    return _instruction(found, _awaited(tx, [found], at), at)


@serves("F2.31")
def record_ncsc_certificate(
    desk: Desk,
    actor: Actor,
    approval: str,
    *,
    certificate: str,
    certified_on: date,
    request: RequestKey | None = None,
) -> NcscCertified:
    """Record that the NCSC has certified the model of an approval: at the end its entry stays, without the marker.

    If the approval has ended already, a removal that is not loaded yet becomes a replacement of the marker.

    Args:
        desk: where.
        actor: an officer.
        approval: its identifier.
        certificate: the NCSC's reference for it.
        certified_on: the UTC day on which it was issued.
        request: the Idempotency-Key, if one was sent.

    Raises:
        NoSuchThing: there is no such approval.
        NcscCertificateRefused: its day has not come.
        WrongState: one is recorded already.
    """
    authorise(actor, Operation.RECORD_NCSC_CERTIFICATE)
    with desk.store.begin("record ncsc certificate") as tx:
        at = desk.clock.now()
        return once(
            desk,
            tx,
            actor,
            request,
            NcscCertified,
            lambda: _record_ncsc_certificate(tx, actor, approval, certificate, certified_on, at),
            at=at,
        )


def _record_ncsc_certificate(
    tx: Transaction, actor: Actor, approval: str, certificate: str, certified_on: date, at: datetime
) -> NcscCertified:
    approval_reading.locked(tx, approval)
    if first_second(certified_on) > at:
        raise NcscCertificateRefused(detail=f"{certified_on.isoformat()} has not come yet")
    cpl.record_ncsc_certificate(
        tx, approval, certificate=certificate, certified_on=first_second(certified_on), by=actor.name, at=at
    )
    certified: dict[str, Json] = {"certificate": certificate, "certified_on": certified_on.isoformat()}
    facts.record(tx, Fact(FactKind.NCSC_CERTIFIED, at, actor, subject=approval, payload=certified))
    given = instruct(tx, approval, cause=NCSC_CERTIFICATE, actor=actor, at=at)
    return NcscCertified(
        approval=approval, certificate=certificate, certified_on=certified_on, instructions=tuple(given)
    )


def _filter(asked: Asked, at: datetime) -> InstructionFilter:
    return InstructionFilter(
        at=at, state=asked.state, overdue=asked.overdue, due_before=asked.due_before, approval=asked.approval
    )


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


def _awaited(tx: Transaction, found: Sequence[GivenInstruction], at: datetime) -> set[str]:
    """The instructions by which the list shows, or will, an entry whose certificate is awaited (F2.26)."""
    shows = [each.instruction for each in found if each.instruction.shown is not None]
    adding = [each for each in shows if each.state is not InstructionState.SUPERSEDED]
    approvals = sorted({each.entry.approval for each in adding})
    records = {each.identifier: each for each in approval_reading.records(tx, approvals)} if approvals else {}
    return {each.id for each in adding if certificate_awaited(records[each.entry.approval], at, due=each.due)}


def _remark(given: Instruction, awaited: Collection[str]) -> str | None:
    """What the Panel should know beside an instruction."""
    said = []
    if given.id in awaited:
        said.append(CERTIFICATE_AWAITED)
    if given.early:
        said.append(_early(given))
    return " ".join(said) or None


def _early(given: Instruction) -> str:
    loaded = utc(given.acknowledged_at or given.due)
    return (
        f"It was loaded at {loaded}, before it was due: until {utc(given.due)} the list shows what does not hold yet."
    )


def _instruction(found: GivenInstruction, awaited: Collection[str], at: datetime) -> InstructionAnswer:
    given = found.instruction
    return InstructionAnswer(
        instruction=given.id,
        kind=given.kind,
        due=given.due,
        **vars(EntryAnswer.of(given.entry)),
        sentence=sentence(given.kind, given.entry, given.due),
        cause=found.cause,
        instructed_at=given.instructed_at,
        state=given.state,
        overdue=given.overdue(at),
        remark=_remark(given, awaited),
        acknowledged_at=given.acknowledged_at,
        acknowledged_by=found.acknowledged_by,
        reason=found.reason,
        ncsc_certificate=found.ncsc_certificate,
    )

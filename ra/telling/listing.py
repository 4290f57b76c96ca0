"""listing: the Panel is told what the Central Products List must show (F2.27, F2.29, F2.31).

Whoever changes what is wanted on the list calls `instruct` in the same transaction: where a certificate is recorded,
where an approval is ended, and where its expiry is journalled. core/cpl.py decides what follows; called again, nothing.
"""

import secrets
from dataclasses import astuple, dataclass, replace
from datetime import datetime

from core.actors import Actor
from core.approval import ApprovalRecord
from core.canonical import Json
from core.clauses import serves
from core.cpl import Entry, Instruct, Instruction, InstructionState, Kind, Step, Supersede, steps
from core.facts import Fact, FactKind
from core.instants import seconds, text
from core.kinds import Addition
from core.local_time import utc
from ra.telling.views import EntryAnswer, InstructionForeseen, StepForeseen, SupersessionForeseen
from store.reading import approvals as approval_reading
from store.reading import cpl as reading
from store.transactions import Transaction
from store.verbs import cpl, facts

EXPIRY = "expiry"
"""The cause of what follows when an approval has run its time."""

ADDITION = "addition"
"""The cause of what follows when the SSC says whether an addition stands or waits for a certificate."""

NCSC_CERTIFICATE = "ncsc-certificate"
"""The cause of what follows when the NCSC has certified the model after the end."""

_SENTENCES = {
    Kind.ADD: "Add {entry}, as a Trial Device",
    Kind.CHANGE: "Change {entry}",
    Kind.REMOVE: "Remove {entry}",
    Kind.REPLACE_MARKER: "Replace the trial marker of {entry}: the NCSC has certified the model",
}


@serves("F2.27", "F2.29", "F2.31")
def instruct(tx: Transaction, approval: str, *, cause: str, actor: Actor, at: datetime) -> list[str]:
    """Tell the Panel what follows from an approval as it stands now; called twice, nothing more follows.

    Args:
        tx: the caller's, in which the change became true.
        approval: its identifier.
        cause: a decision's identifier, `EXPIRY`, `ADDITION` or `NCSC_CERTIFICATE`.
        actor: who brought it about.
        at: now.

    Returns:
        The identifiers of the new instructions.

    Raises:
        NoSuchThing: there is no such approval.
    """
    # Held until the commit: a Panel that acknowledges at the same moment is either seen here or sees what is said here.
    record = approval_reading.locked(tx, approval)
    instructed = reading.instructions_of(tx, approval, hold=True)
    given: list[str] = []
    for step in _steps(tx, record, instructed, at):
        if isinstance(step, Supersede):
            cpl.supersede(tx, step.instruction.id)
            overtaken: dict[str, Json] = {"instruction": step.instruction.id, "cause": cause}
            facts.record(tx, Fact(FactKind.CPL_INSTRUCTION_SUPERSEDED, at, actor, subject=approval, payload=overtaken))
        else:
            if cause == ADDITION:
                # It was not owed before the officers said so: nobody is late with it.
                step = replace(step, due=max(step.due, at))  # noqa: PLW2901 - the same step, due now
            identifier = _identifier(instructed, len(given), at)
            cpl.instruct(tx, identifier, step, cause=cause, at=at)
            told = {"instruction": identifier, "kind": step.kind, "due": text(step.due), "cause": cause}
            # What the list shows is White.
            payload: dict[str, Json] = {**step.entry.kept(), **told}
            facts.record(tx, Fact(FactKind.CPL_INSTRUCTED, at, actor, subject=approval, payload=payload))
            given.append(identifier)
    return given


@dataclass(frozen=True)
class Foreseen:
    """An approval as it would be.

    Args:
        record: with what would have become true.
        smets_version: of an approval that does not exist yet; None if the register knows it.
    """

    record: ApprovalRecord
    smets_version: str | None = None


def would_follow(tx: Transaction, foreseen: Foreseen, at: datetime) -> tuple[StepForeseen, ...]:
    """Return what the Panel would be told of an approval as it would be, for whoever has to second it."""
    instructed = reading.instructions_of(tx, foreseen.record.identifier)
    found = _steps(tx, foreseen.record, instructed, at, smets_version=foreseen.smets_version)
    return tuple(_in_words(step) for step in found)


def sentence(kind: Kind, entry: Entry, due: datetime) -> str:
    """Return an instruction in words: `Add firmware 0002012F of ESME AB01 … as a Trial Device; due …`.

    Args:
        kind: what to do.
        entry: what it is about.
        due: when the list must show it.
    """
    device = " ".join(astuple(entry.device))
    named = f"firmware {entry.firmware.version} of {device} under {entry.approval}, which expires {text(entry.expiry)}"
    return f"{_SENTENCES[kind].format(entry=named)}; due {utc(due)}."


def _steps(
    tx: Transaction,
    record: ApprovalRecord,
    instructed: list[Instruction],
    at: datetime,
    *,
    smets_version: str | None = None,
) -> list[Step]:
    if smets_version is None:
        smets_version = reading.smets_version_of(tx, record.identifier)
    certified = reading.ncsc_certificate(tx, record.identifier) is not None
    waits = reading.addition(tx, record.identifier) is Addition.WAITS
    return steps(record, instructed, at, certified, smets_version=smets_version, waits=waits)


def _identifier(instructed: list[Instruction], given: int, at: datetime) -> str:
    """An identifier behind all earlier ones of the approval, whatever second their callers had read."""
    latest = max([at, *(each.instructed_at for each in instructed)])
    return f"cpl-{seconds(latest):08x}-{len(instructed) + given:04x}{secrets.token_hex(6)}"


def _in_words(step: Step) -> StepForeseen:
    if isinstance(step, Instruct):
        entry = step.entry
        words = sentence(step.kind, entry, step.due)
        return InstructionForeseen(kind=step.kind, due=step.due, sentence=words, **vars(EntryAnswer.of(entry)))
    overtaken = step.instruction
    told = sentence(overtaken.kind, overtaken.entry, overtaken.due)
    return SupersessionForeseen(
        kind=InstructionState.SUPERSEDED,
        instruction=overtaken.id,
        due=overtaken.due,
        sentence=f"No longer to be done: {told[0].lower()}{told[1:]}",
        **vars(EntryAnswer.of(overtaken.entry)),
    )

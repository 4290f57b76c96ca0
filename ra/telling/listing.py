"""listing: the Panel is told what the Central Products List must show (F2.27, F2.29, F2.31).

Whoever changes what is wanted on the list calls `instruct` in the same transaction: where a certificate is recorded,
where an approval is ended, and where its expiry is journalled. core/cpl.py decides what follows; called again, nothing.
"""

import secrets
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from core.actors import Actor
from core.approval import ApprovalRecord, CertificateRecord, EndCause
from core.canonical import Json
from core.clauses import serves
from core.cpl import Instruct, Instruction, InstructionState, Kind, Step, Supersede, steps
from core.facts import Fact, FactKind
from core.identifiers import Serial
from core.instants import seconds, text
from core.kinds import DecisionKind
from core.local_time import utc
from ra.proposal import certified_terms, ending_of
from store.reading import approvals as approval_reading
from store.reading import cpl as reading
from store.reading import requests
from store.rows import Decision
from store.transactions import Transaction
from store.verbs import cpl, facts

EXPIRY = "expiry"
"""The cause of what follows when an approval has run its time."""

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
        cause: a decision's identifier, `EXPIRY` or `NCSC_CERTIFICATE`.
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
            facts.record(
                tx,
                Fact(kind=FactKind.CPL_INSTRUCTION_SUPERSEDED, at=at, actor=actor, subject=approval, payload=overtaken),
            )
        else:
            identifier = _identifier(instructed, len(given), at)
            cpl.instruct(tx, identifier, step, cause=cause, at=at)
            told = {"instruction": identifier, "kind": step.kind, "due": text(step.due), "cause": cause}
            # What the list shows is White.
            payload: dict[str, Json] = {**step.entry.kept(), **told}
            facts.record(tx, Fact(kind=FactKind.CPL_INSTRUCTED, at=at, actor=actor, subject=approval, payload=payload))
            given.append(identifier)
    return given


def foreseen(tx: Transaction, decision: Decision, at: datetime) -> list[Json]:
    """Return what the Panel would be told if a decision became true now, for whoever has to second it.

    Returns:
        One `{"kind", "due", "sentence", ...the entry}` for each instruction that would be given, and
        `{"kind": "superseded", "instruction", "sentence", …}` for each that would not be done any more.
    """
    record = _as_it_would_be(tx, decision, at)
    if record is None:
        return []
    instructed = reading.instructions_of(tx, record.identifier)
    smets_version = None
    if decision.kind == DecisionKind.GRANT and decision.application_id is not None:
        smets_version = requests.application(tx, decision.application_id).smets_version
    return [_in_words(step) for step in _steps(tx, record, instructed, at, smets_version=smets_version)]


def sentence(kind: Kind, entry: dict[str, Json], due: datetime) -> str:
    """Return an instruction in words: `Add firmware 0002012F of ESME AB01 … as a Trial Device; due …`.

    Args:
        kind: what to do.
        entry: as core.cpl.Entry.kept has it.
        due: when the list must show it.
    """
    device = " ".join(str(entry[name]) for name in ("device_type", "manufacturer", "model", "hardware_version"))
    named = (
        f"firmware {entry['firmware_version']} of {device} under {entry['approval']}, which expires {entry['expiry']}"
    )
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
    return steps(record, instructed, at, certified, smets_version=smets_version)


def _identifier(instructed: list[Instruction], given: int, at: datetime) -> str:
    """An identifier behind all earlier ones of the approval, whatever second their callers had read."""
    latest = max([at, *(each.instructed_at for each in instructed)])
    return f"cpl-{seconds(latest):08x}-{len(instructed) + given:04x}{secrets.token_hex(6)}"


def _as_it_would_be(tx: Transaction, decision: Decision, at: datetime) -> ApprovalRecord | None:
    match decision.kind:
        case DecisionKind.GRANT:
            said = certified_terms(decision)
            certificate = CertificateRecord(
                serial=Serial(""), issue=1, fingerprint="", not_before=said.start, not_after=said.expiry, signed_at=at
            )
            return ApprovalRecord(
                identifier=said.approval,
                organisation="",
                device=said.device,
                granted_at=at,
                start=said.start,
                terms=(said.terms,),
                certificates=(certificate,),
            )
        case DecisionKind.AMEND | DecisionKind.REKEY:
            # Without a later issue nothing changes that the list shows.
            return None if decision.issue is None else _with_later_issue(tx, decision, at)
        case DecisionKind.REVOKE | DecisionKind.WITHDRAW:
            return _ended(tx, decision, at)
        case DecisionKind.REFUSE | DecisionKind.REFUSE_AMENDMENT:
            return None
        case _:
            assert_never(decision.kind)


def _with_later_issue(tx: Transaction, decision: Decision, at: datetime) -> ApprovalRecord:
    said = certified_terms(decision)
    standing = approval_reading.record(tx, said.approval)
    terms = said.terms
    certificate = CertificateRecord(
        serial=Serial(""),
        issue=terms.issue,
        fingerprint="",
        not_before=terms.effective,
        not_after=terms.expiry,
        signed_at=at,
    )
    return replace(
        standing,
        start=said.start,
        terms=(*standing.terms, terms),
        certificates=(*standing.certificates, certificate),
    )


def _ended(tx: Transaction, decision: Decision, at: datetime) -> ApprovalRecord | None:
    cause, _ = ending_of(decision)
    standing = approval_reading.record(tx, decision.approval or "")
    # A compromised key ends no approval, and the first end stands.
    ends = cause is not EndCause.KEY_COMPROMISE and standing.ended_at is None
    return replace(standing, ended_at=at, end_cause=cause) if ends else None


def _in_words(step: Step) -> dict[str, Json]:
    if isinstance(step, Instruct):
        entry = step.entry.kept()
        return {"kind": step.kind, "due": text(step.due), "sentence": sentence(step.kind, entry, step.due), **entry}
    overtaken = step.instruction
    entry = overtaken.entry.kept()
    told = sentence(overtaken.kind, entry, overtaken.due)
    return {
        "kind": InstructionState.SUPERSEDED,
        "instruction": overtaken.id,
        "due": text(overtaken.due),
        "sentence": f"No longer to be done: {told[0].lower()}{told[1:]}",
        **entry,
    }

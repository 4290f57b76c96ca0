"""What somebody was told has happened, and must be in the store whatever died since."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select

from store.tables import acceptances, applications, approvals, credentials, decisions
from store.transactions import Store, Transaction
from store.trial_tables import (
    amendment_requests,
    breaches,
    cpl_instructions,
    deployment_batches,
    evidence,
    ncsc_certificates,
    notices,
    report_remarks,
    reports,
    requirements,
    standing_requirements,
)

_THERE: dict[str, ColumnElement[str]] = {
    "application": applications.c.id,
    "decision": decisions.c.id,
    "credential": credentials.c.id,
    "requirement": requirements.c.id,
    "standing": standing_requirements.c.id,
    "evidence": evidence.c.id,
    "request": amendment_requests.c.id,
    "batch": deployment_batches.c.id,
    "breach": breaches.c.id,
    "instruction": cpl_instructions.c.id,
    "notice": notices.c.number,
    "document_sha256": reports.c.document_sha256,
    "made_at": report_remarks.c.month,
    "certified_on": ncsc_certificates.c.approval,
    "accepted": acceptances.c.serial,
}
"""By the member of an outcome that tells of a thing: what the thing is found by."""

_FOUND_BY = {"made_at": "report", "certified_on": "approval", "accepted": "serial"}
"""Where the member that tells of it is not the one that names it."""

_FIRST_STATE = {
    "requirement": (requirements, "open"),
    "request": (amendment_requests, "open"),
    "breach": (breaches, "suspected"),
    "instruction": (cpl_instructions, "pending"),
}
"""What can be told to have left its first state."""


@dataclass(frozen=True)
class _Register:
    """What is there, by the member that tells of it; and what somebody may wrongly have been told has moved."""

    there: dict[str, set[str]]
    in_first_state: dict[str, set[str]]
    standing: set[str]
    in_force: set[str]
    not_seconded: set[str]
    not_known: set[str]


def acknowledged_problems(store: Store, acknowledged: Iterable[tuple[str, dict[str, Any]]]) -> list[str]:
    """Acts that somebody was told of and that are not in the store."""
    with store.read() as tx:
        register = _read(tx)
    return [
        f"{name} was acknowledged and {problem}"
        for name, outcome in acknowledged
        for problem in _wrong(register, name, outcome)
    ]


def _wrong(register: _Register, name: str, outcome: dict[str, Any]) -> Iterator[str]:
    for member, there in register.there.items():
        if member in outcome and outcome[_FOUND_BY.get(member, member)] not in there:
            yield f"its {member} is not there"
    for member, waiting in register.in_first_state.items():
        first = _FIRST_STATE[member][1]
        if outcome.get("state", first) != first and outcome.get(member) in waiting:
            yield f"its {member} is still {first}"
    if "revoked_at" in outcome and outcome["approval"] in register.standing:
        yield "the approval has not ended"
    if outcome.get("revoked") and outcome["credential"] in register.in_force:
        yield "the credential is in force"
    if name.startswith("second") and outcome["decision"] in register.not_seconded:
        yield "the decision is not seconded"
    if "acknowledged_by" in outcome and outcome.get("decision") in register.not_known:
        yield "no other officer knows"


def _read(tx: Transaction) -> _Register:
    def all_of(column: Any, *conditions: ColumnElement[bool]) -> set[str]:
        return set(tx.connection.execute(select(column).where(*conditions)).scalars())

    return _Register(
        there={member: all_of(column) for member, column in _THERE.items()},
        in_first_state={
            member: all_of(table.c.id, table.c.state == first) for member, (table, first) in _FIRST_STATE.items()
        },
        standing=all_of(approvals.c.identifier, approvals.c.ended_at.is_(None)),
        in_force=all_of(credentials.c.id, credentials.c.revoked_at.is_(None)),
        not_seconded=all_of(decisions.c.id, decisions.c.seconder.is_(None)),
        not_known=all_of(decisions.c.id, decisions.c.acknowledged_by.is_(None)),
    )

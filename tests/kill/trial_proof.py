"""What must hold of the trial around the certificate after a restart: notices, list, breaches, deployments, reports."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select

from core.cpl import steps
from core.facts import FactKind
from core.instants import text
from core.kinds import Addition
from store.reading import approvals as approval_reading
from store.reading import cpl as cpl_reading
from store.tables import decisions, journal
from store.transactions import Transaction
from store.trial_tables import (
    amendment_requests,
    breaches,
    conditions,
    cpl_instructions,
    deliveries,
    deployment_batches,
    deployments,
    evidence,
    ncsc_certificates,
    notice_copies,
    notices,
    renderings,
    report_remarks,
    reports,
    requirements,
    secondings,
)


def trial_problems(tx: Transaction, at: datetime) -> Iterator[str]:
    """Everything that is wrong around the certificates, in a store that has settled."""
    yield from _facts_and_rows(tx)
    yield from _noticed(tx)
    yield from _conditions(tx)
    yield from _listed(tx, at)
    yield from _breaches(tx)
    yield from _deployed(tx)
    yield from _reported(tx)
    yield from _rendered(tx)


# --- one fact each -------------------------------------------------------------------------------------------------

_ONE_FACT_EACH: tuple[tuple[tuple[FactKind, ...], str, ColumnElement[Any], ColumnElement[bool] | None], ...] = (
    ((FactKind.EVIDENCE_ATTACHED,), "evidence", evidence.c.id, None),
    ((FactKind.REQUIREMENT_SET,), "requirement", requirements.c.id, None),
    ((FactKind.REQUIREMENT_MET,), "requirement", requirements.c.id, requirements.c.state == "met"),
    ((FactKind.REQUIREMENT_WAIVED,), "requirement", requirements.c.id, requirements.c.state == "waived"),
    ((FactKind.AMENDMENT_REQUESTED,), "request", amendment_requests.c.id, None),
    (
        (FactKind.AMENDMENT_REQUEST_WITHDRAWN,),
        "request",
        amendment_requests.c.id,
        amendment_requests.c.state == "withdrawn",
    ),
    ((FactKind.AMENDMENT_REFUSED,), "request", amendment_requests.c.id, amendment_requests.c.state == "refused"),
    ((FactKind.BREACH_SUSPECTED,), "breach", breaches.c.id, None),
    (
        (FactKind.BREACH_CONFIRMED, FactKind.BREACH_DISMISSED),
        "breach",
        breaches.c.id,
        breaches.c.state != "suspected",
    ),
    ((FactKind.BREACH_CLOSED,), "breach", breaches.c.id, breaches.c.state == "closed"),
    ((FactKind.NOTICE_WRITTEN,), "number", notices.c.number, None),
    ((FactKind.NOTICE_DELIVERED,), "delivery", deliveries.c.id, deliveries.c.state == "delivered"),
    ((FactKind.DOCUMENT_RENDERED,), "subject", renderings.c.subject, None),
    ((FactKind.CPL_INSTRUCTED,), "instruction", cpl_instructions.c.id, None),
    (
        (FactKind.CPL_INSTRUCTION_SUPERSEDED,),
        "instruction",
        cpl_instructions.c.id,
        cpl_instructions.c.state == "superseded",
    ),
    ((FactKind.NCSC_CERTIFIED,), "certificate", ncsc_certificates.c.certificate, None),
    ((FactKind.REPORT_ISSUED,), "month", reports.c.month, None),
    ((FactKind.REPORT_REMARKED,), "month", report_remarks.c.month, None),
    (
        (FactKind.APPROVAL_AMENDED,),
        "decision",
        decisions.c.id,
        (decisions.c.kind == "amend") & (decisions.c.state == "done"),
    ),
)
"""Facts, the member that names a thing, and the things that have exactly one of them."""


def _facts_and_rows(tx: Transaction) -> Iterator[str]:
    told: dict[str, list[dict[str, Any]]] = {}
    for row in tx.connection.execute(select(journal.c.kind, journal.c.payload)):
        told.setdefault(row.kind, []).append(json.loads(row.payload))
    for kinds, member, column, condition in _ONE_FACT_EACH:
        query = select(column) if condition is None else select(column).where(condition)
        there = Counter(tx.connection.execute(query).scalars())
        said = Counter(payload[member] for kind in kinds for payload in told.get(kind, []))
        if there != said:
            yield f"{kinds[0]}: the journal says {said - there} too often and {there - said} not at all"
    fetched = tx.connection.execute(
        select(notice_copies.c.notice, notice_copies.c.recipient).where(notice_copies.c.fetched_at.is_not(None))
    )
    noted = Counter((each["number"], each["recipient"]) for each in told.get(FactKind.NOTICE_FETCHED, []))
    if noted != Counter((row.notice, row.recipient) for row in fetched):
        yield f"the journal says that {noted} were fetched"


# --- decisions -----------------------------------------------------------------------------------------------------


def _noticed(tx: Transaction) -> Iterator[str]:
    """Each decision that is done has its notice in three copies, and its officers; no other has a notice."""
    done = set(tx.connection.execute(select(decisions.c.id).where(decisions.c.state == "done")).scalars())
    noticed = Counter(tx.connection.execute(select(notices.c.decision_id)).scalars())
    if noticed != Counter(done):
        yield f"{done - noticed.keys()} have no notice, and {noticed.keys() - done} have one too early"
    copies = Counter(tx.connection.execute(select(notice_copies.c.notice)).scalars())
    yield from (f"{number} has {count} copies" for number, count in copies.items() if count != 3)
    for row in tx.connection.execute(select(notice_copies)):
        if hashlib.sha256(row.document.encode()).hexdigest() != row.document_sha256:
            yield f"{row.notice} for {row.recipient} is not what its digest says"
    agreed = Counter(tx.connection.execute(select(secondings.c.decision_id)).scalars())
    query = select(decisions).where(decisions.c.seconder.is_not(None))
    for row in tx.connection.execute(query):
        if agreed[row.id] != row.officers - 1:
            yield f"{row.kind} {row.id} was decided by {agreed[row.id] + 1} officers of {row.officers}"


def _conditions(tx: Transaction) -> Iterator[str]:
    """A condition is there if, and only if, the decision that sets it holds."""
    c = conditions.c
    there = Counter((row.decision_id, row.number) for row in tx.connection.execute(select(c.decision_id, c.number)))
    expected: Counter[tuple[str, int]] = Counter()
    for row in tx.connection.execute(select(decisions)):
        # Of a grant they are written with the approval, before its certificate.
        if row.state == "done" or (row.kind == "grant" and row.state == "seconded"):
            expected.update((row.id, each["number"]) for each in json.loads(row.conditions))
    if there != expected:
        yield f"conditions {there - expected} are too many and {expected - there} are missing"


# --- the list ------------------------------------------------------------------------------------------------------


def _listed(tx: Transaction, at: datetime) -> Iterator[str]:
    """The Panel has been told everything that follows from the register, and nothing that does not."""
    for record in approval_reading.records(tx):
        told = cpl_reading.instructions_of(tx, record.identifier)
        certified = cpl_reading.ncsc_certificate(tx, record.identifier) is not None
        smets = cpl_reading.smets_version_of(tx, record.identifier)
        waits = cpl_reading.addition(tx, record.identifier) is Addition.WAITS
        wanting = steps(record, told, at, certified, smets_version=smets, waits=waits)
        if wanting:
            yield f"the Panel has not been told of {record.identifier}: {wanting}"
        once = Counter((each.kind, each.entry.key, each.entry.expiry, each.due) for each in told)
        yield from (f"the Panel was told {count} times: {what}" for what, count in once.items() if count > 1)


# --- breaches ------------------------------------------------------------------------------------------------------


def _breaches(tx: Transaction) -> Iterator[str]:
    """A breach is answered by the revocation that cites it, and that one only."""
    query = select(decisions.c.breach, decisions.c.id).where(
        decisions.c.breach.is_not(None), decisions.c.state == "done"
    )
    citing = {(row.breach, row.id) for row in tx.connection.execute(query)}
    answered = select(breaches.c.id, breaches.c.decision_id).where(breaches.c.state == "answered")
    found = {(row.id, row.decision_id) for row in tx.connection.execute(answered)}
    if found != citing:
        yield f"revocations cite {citing}, and {found} are answered"


# --- deployments and reports ---------------------------------------------------------------------------------------


def _deployed(tx: Transaction) -> Iterator[str]:
    """Every device that went up, came down or never was is in a fact, once; whoever counts gets one number."""
    c = deployments.c
    told: Counter[tuple[str, str]] = Counter()
    recorded: Counter[str] = Counter()
    for payload in tx.connection.execute(
        select(journal.c.payload).where(journal.c.kind == FactKind.DEPLOYMENTS_RECORDED)
    ).scalars():
        said = json.loads(payload)
        recorded[said["batch"]] += said["recorded"]
        for approval, counts in said["approvals"].items():
            told.update({(approval, what): number for what, number in counts.items()})
    rows = tx.connection.execute(
        select(c.approval, func.count(), func.count(c.decommissioned_at), func.count(c.voided_at)).group_by(c.approval)
    )
    there: Counter[tuple[str, str]] = Counter()
    for approval, *numbers in rows:
        there.update(
            {(approval, what): n for what, n in zip(("deployed", "decommissioned", "corrected"), numbers, strict=True)}
        )
    if +there != +told:
        yield f"the facts count {told} devices, the register {there}"
    batches = tx.connection.execute(select(deployment_batches.c.id, deployment_batches.c.recorded))
    if {row.id: row.recorded for row in batches} != dict(recorded):
        yield f"the facts say that {recorded} lines were recorded, the batches do not"


def _reported(tx: Transaction) -> Iterator[str]:
    """Each report begins where the one before ended, and is what its digest says."""
    last = None
    for row in tx.connection.execute(select(reports).order_by(reports.c.until)):
        said = json.loads(row.document)
        if hashlib.sha256(row.document.encode()).hexdigest() != row.document_sha256:
            yield f"report {row.month} is not what its digest says"
        if row.since != last or said["until"] != text(row.until):
            yield f"report {row.month} counts from {row.since} to {row.until}, and the one before to {last}"
        last = row.until


def _rendered(tx: Transaction) -> Iterator[str]:
    for row in tx.connection.execute(select(renderings)):
        if hashlib.sha256(bytes(row.octets)).hexdigest() != row.sha256:
            yield f"{row.subject} as {row.form} is not what its digest says"

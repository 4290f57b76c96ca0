"""Organisations, credentials, applications and decisions, one by one and as lists paged by cursor."""

from typing import Any

from sqlalchemy import Row, select

from core.approval import Device
from core.errors import NoSuchThing
from core.identifiers import Serial
from store.rows import Application, Credential, Decision, DraftRow, Organisation, firmware_of
from store.tables import applications, credentials, decisions, drafts, organisations, public_keys
from store.transactions import Transaction

PAGE = 100
"""Rows on a page of a list."""


def organisation(tx: Transaction, identifier: str) -> Organisation:
    """Return an organisation; NoSuchThing if there is none."""
    row = tx.connection.execute(select(organisations).where(organisations.c.id == identifier)).one_or_none()
    if row is None:
        raise NoSuchThing(kind="organisation", identifier=identifier)
    return Organisation(row.id, row.name, row.certificate_name)


def organisation_named(tx: Transaction, name: str) -> Organisation | None:
    """Return the organisation of that name, if there is one."""
    row = tx.connection.execute(select(organisations).where(organisations.c.name == name)).one_or_none()
    return None if row is None else Organisation(row.id, row.name, row.certificate_name)


def credential_list(tx: Transaction) -> list[Credential]:
    """Return every credential there ever was, oldest first."""
    rows = tx.connection.execute(select(credentials).order_by(credentials.c.created_at, credentials.c.id))
    return [_credential(row) for row in rows]


def credential_by_key(tx: Transaction, key_sha256: str) -> Credential | None:
    """Return the credential of that key digest, revoked or not."""
    row = tx.connection.execute(select(credentials).where(credentials.c.key_sha256 == key_sha256)).one_or_none()
    return None if row is None else _credential(row)


def application(tx: Transaction, identifier: str) -> Application:
    """Return an application; NoSuchThing if there is none."""
    row = tx.connection.execute(select(applications).where(applications.c.id == identifier)).one_or_none()
    if row is None:
        raise NoSuchThing(kind="application", identifier=identifier)
    return _application(row)


def locked_application(tx: Transaction, identifier: str) -> Application:
    """Return an application and hold its row until the commit, so that a decision about it and what speaks for or
    against it never pass by each other; NoSuchThing if there is none.

    On SQLite a writing transaction has the whole store to itself; there is nothing more to lock.
    """
    tx.connection.execute(select(applications.c.id).where(applications.c.id == identifier).with_for_update())
    return application(tx, identifier)


def locked_submitted(tx: Transaction) -> list[str]:
    """Return the identifiers of all applications that wait for a proposal, in order, and hold their rows."""
    query = select(applications.c.id).where(applications.c.state == "submitted").order_by(applications.c.id)
    return [row.id for row in tx.connection.execute(query.with_for_update())]


def application_list(
    tx: Transaction, *, organisation_id: str | None, after: str, limit: int = PAGE
) -> list[Application]:
    """Return applications of one organisation or all, in order of identifier, from behind `after` on."""
    query = select(applications).where(applications.c.id > after).order_by(applications.c.id).limit(limit)
    if organisation_id is not None:
        query = query.where(applications.c.organisation_id == organisation_id)
    return [_application(row) for row in tx.connection.execute(query)]


def decision(tx: Transaction, identifier: str) -> Decision:
    """Return a decision; NoSuchThing if there is none."""
    row = tx.connection.execute(select(decisions).where(decisions.c.id == identifier)).one_or_none()
    if row is None:
        raise NoSuchThing(kind="decision", identifier=identifier)
    return _decision(row)


def decision_list(tx: Transaction, *, after: str, limit: int = PAGE) -> list[Decision]:
    """Return decisions in order of identifier, from behind `after` on."""
    query = select(decisions).where(decisions.c.id > after).order_by(decisions.c.id).limit(limit)
    return [_decision(row) for row in tx.connection.execute(query)]


def decisions_to_draft(tx: Transaction, *, limit: int = PAGE) -> list[Decision]:
    """Return proposals that issue a certificate and have no draft yet, oldest first."""
    c = decisions.c
    query = select(decisions).where(c.state == "proposed", c.issue.is_not(None))
    return [_decision(row) for row in tx.connection.execute(query.order_by(c.proposed_at, c.id).limit(limit))]


def open_decisions(tx: Transaction) -> list[Decision]:
    """Return every proposal that has been neither seconded nor ended, oldest first."""
    c = decisions.c
    query = select(decisions).where(c.state.in_(["proposed", "drafted"])).order_by(c.proposed_at, c.id)
    return [_decision(row) for row in tx.connection.execute(query)]


def draft_of(tx: Transaction, decision_id: str) -> DraftRow | None:
    """Return the draft of a decision that has not been abandoned, if there is one."""
    row = tx.connection.execute(
        select(drafts).where(drafts.c.decision_id == decision_id, drafts.c.state != "abandoned")
    ).one_or_none()
    return None if row is None else draft_row(row)


def key_holder(tx: Transaction, sha256: str) -> tuple[str, str] | None:
    """Return (approval, state) of a public key that is reserved, certified or compromised."""
    row = tx.connection.execute(select(public_keys).where(public_keys.c.sha256 == sha256)).one_or_none()
    return None if row is None else (row.approval, row.state)


def draft_row(row: Row[Any]) -> DraftRow:
    """Return a row of drafts as a value."""
    return DraftRow(
        Serial(row.serial),
        row.decision_id,
        row.approval,
        row.issue,
        Serial(row.issuer_serial),
        row.state,
        bytes(row.tbs),
        row.tbs_sha256,
        bytes(row.preview),
        row.lint,
        row.not_before,
        row.not_after,
        row.public_key_sha256,
        row.drafted_at,
    )


def _credential(row: Row[Any]) -> Credential:
    return Credential(row.id, row.name, row.role, row.organisation_id, row.created_at, row.expires_at, row.revoked_at)


def _application(row: Row[Any]) -> Application:
    return Application(
        row.id,
        row.organisation_id,
        row.state,
        Device(row.device_type, row.manufacturer, row.model, row.hardware_version),
        row.smets_version,
        row.purpose,
        row.start,
        row.expiry,
        row.maximum_devices,
        firmware_of(row.firmware),
        bytes(row.csr),
        bytes(row.public_key),
        row.public_key_sha256,
        row.findings,
        row.submitted_at,
        row.submitted_by,
        row.gbcs_version,
        row.contact,
        row.assurance,
        row.earlier_cpa,
        row.version,
        row.changed_at,
    )


def _decision(row: Row[Any]) -> Decision:
    return Decision(
        row.id,
        row.kind,
        row.state,
        row.application_id,
        row.approval,
        row.issue,
        row.proposal,
        row.proposal_sha256,
        row.reasons,
        bytes(row.reasons_salt),
        None if row.public_key is None else bytes(row.public_key),
        row.proposer,
        row.proposed_at,
        row.seconder,
        row.seconded_tbs_sha256,
        row.seconded_at,
        row.closed_at,
        row.outcome,
        bool(row.urgent),
        row.findings,
        row.officers,
        row.meeting,
        row.minute,
        row.passages,
        row.conditions,
        row.amendment_request,
        row.breach,
        row.lapses_at,
        row.acknowledged_by,
        row.acknowledged_at,
    )

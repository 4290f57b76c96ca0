"""Organisations, credentials, applications and decisions, one by one and as lists paged by cursor."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Integer, Row, Text, and_, bindparam, or_, select

from core.errors import NoSuchThing
from core.identifiers import Serial
from core.kinds import OPEN_DECISION, UNDECIDED, DecisionState, DraftState, KeyState
from store.portions import portions
from store.reading.paging import behind
from store.rows import Application, Credential, Decision, DraftRow, Organisation, device_of, firmware_of
from store.tables import applications, approvals, credentials, decisions, drafts, organisations, public_keys
from store.transactions import Transaction, read_once
from store.trial_tables import notices
from store.types import one_of_words

PAGE = 100
"""Rows on a page of a list."""

_BY_AGE = select(decisions).order_by(decisions.c.proposed_at, decisions.c.id)
_OPEN = _BY_AGE.where(one_of_words(decisions.c.state, OPEN_DECISION))
TO_BE_DRAFTED = and_(decisions.c.state == DecisionState.PROPOSED, decisions.c.issue.is_not(None))
"""A decision of which a certificate comes, before the authority has written it."""

_TO_DRAFT = _BY_AGE.where(TO_BE_DRAFTED).limit(bindparam("most", type_=Integer()))
# What acts and whoever is asked before them read, one by one: put together once.
_IDENTIFIER = bindparam("identifier", type_=Text())
_ORGANISATION = select(organisations).where(organisations.c.id == _IDENTIFIER)
_CREDENTIAL = select(credentials).where(credentials.c.key_sha256 == bindparam("key_sha256"))
_APPLICATION = select(applications).where(applications.c.id == _IDENTIFIER)
_HOLD_APPLICATION = select(applications.c.id).where(applications.c.id == _IDENTIFIER).with_for_update()
_DECISION = select(decisions).where(decisions.c.id == _IDENTIFIER)
_DECISIONS = select(decisions).where(decisions.c.id.in_(bindparam("identifiers", expanding=True)))
_DRAFTS = (
    select(drafts)
    .where(drafts.c.decision_id == _IDENTIFIER, drafts.c.state != DraftState.ABANDONED)
    .order_by(drafts.c.issue)
)
_KEY = select(public_keys).where(public_keys.c.sha256 == bindparam("sha256"))


@read_once
def organisation(tx: Transaction, identifier: str) -> Organisation:
    """Return an organisation; NoSuchThing if there is none."""
    row = tx.connection.execute(_ORGANISATION, {"identifier": identifier}).one_or_none()
    if row is None:
        raise NoSuchThing(kind="organisation", identifier=identifier)
    return _organisation(row)


def organisation_named(tx: Transaction, name: str) -> Organisation | None:
    """Return the organisation of that name, if there is one."""
    row = tx.connection.execute(select(organisations).where(organisations.c.name == name)).one_or_none()
    return None if row is None else _organisation(row)


def credential_list(tx: Transaction) -> list[Credential]:
    """Return every credential there ever was, oldest first."""
    rows = tx.connection.execute(select(credentials).order_by(credentials.c.created_at, credentials.c.id))
    return [_credential(row) for row in rows]


def credential_by_key(tx: Transaction, key_sha256: str) -> Credential | None:
    """Return the credential of that key digest, revoked or not."""
    row = tx.connection.execute(_CREDENTIAL, {"key_sha256": key_sha256}).one_or_none()
    return None if row is None else _credential(row)


@read_once
def application(tx: Transaction, identifier: str) -> Application:
    """Return an application; NoSuchThing if there is none."""
    row = tx.connection.execute(_APPLICATION, {"identifier": identifier}).one_or_none()
    if row is None:
        raise NoSuchThing(kind="application", identifier=identifier)
    return _application(row)


def locked_application(tx: Transaction, identifier: str) -> Application:
    """Return an application and hold its row until the commit, so that a decision about it and what speaks for or
    against it never pass by each other; NoSuchThing if there is none.

    On SQLite a writing transaction has the whole store to itself; there is nothing more to lock.
    """
    if tx.dialect == "postgresql":
        tx.connection.execute(_HOLD_APPLICATION, {"identifier": identifier})
    return application(tx, identifier)


def locked_undecided(tx: Transaction) -> list[str]:
    """Return the identifiers of all applications that are not decided, proposed ones too, and hold their rows."""
    query = select(applications.c.id).where(applications.c.state.in_(UNDECIDED)).order_by(applications.c.id)
    return [row.id for row in tx.connection.execute(query.with_for_update())]


def application_list(
    tx: Transaction,
    *,
    organisation_id: str | None,
    approval: str | None = None,
    after: str,
    limit: int = PAGE,
    newest: bool = False,
) -> list[Application]:
    """Return applications of one organisation or all, for one approval or all, by identifier from behind `after` on."""
    query = behind(select(applications), applications.c.id, after, newest=newest).limit(limit)
    if organisation_id is not None:
        query = query.where(applications.c.organisation_id == organisation_id)
    if approval is not None:
        granted = select(approvals.c.application_id).where(approvals.c.identifier == approval)
        query = query.where(applications.c.id.in_(granted))
    return [_application(row) for row in tx.connection.execute(query)]


def decision(tx: Transaction, identifier: str) -> Decision:
    """Return a decision; NoSuchThing if there is none."""
    row = tx.connection.execute(_DECISION, {"identifier": identifier}).one_or_none()
    if row is None:
        raise NoSuchThing(kind="decision", identifier=identifier)
    return decision_row(row)


def decisions_by(tx: Transaction, identifiers: Sequence[str]) -> dict[str, Decision]:
    """Return decisions by identifier; one that there is not is left out."""
    found = dict[str, Decision]()
    for some in portions(identifiers):
        for row in tx.connection.execute(_DECISIONS, {"identifiers": list(some)}):
            found[row.id] = decision_row(row)
    return found


def decision_list(
    tx: Transaction, *, approval: str | None = None, after: str, limit: int = PAGE, newest: bool = False
) -> list[Decision]:
    """Return decisions about one approval or all, in order of identifier, from behind `after` on."""
    query = behind(select(decisions), decisions.c.id, after, newest=newest).limit(limit)
    if approval is not None:
        # By one that is about several, each has a notice of its own.
        told = select(notices.c.decision_id).where(notices.c.approval == approval, notices.c.decision_id.is_not(None))
        query = query.where(or_(decisions.c.approval == approval, decisions.c.id.in_(told)))
    return [decision_row(row) for row in tx.connection.execute(query)]


def decisions_to_draft(tx: Transaction, *, limit: int = PAGE, but: Collection[str] = ()) -> list[Decision]:
    """Return proposals that issue a certificate and have no draft yet, oldest first, but those passed over."""
    rows = tx.connection.execute(_TO_DRAFT, {"most": limit + len(but)})
    return [decision_row(row) for row in rows if row.id not in but][:limit]


def open_decisions(tx: Transaction) -> list[Decision]:
    """Return every proposal that has been neither seconded nor ended, oldest first."""
    return [decision_row(row) for row in tx.connection.execute(_OPEN)]


def seconded_of(tx: Transaction, approval: str) -> list[Decision]:
    """Return the decisions about an approval that enough officers have agreed on and whose certificates are awaited."""
    c = decisions.c
    return [
        decision_row(row)
        for row in tx.connection.execute(_BY_AGE.where(c.approval == approval, c.state == DecisionState.SECONDED))
    ]


def drafts_of(tx: Transaction, decision_id: str) -> list[DraftRow]:
    """Return the drafts of a decision that have not been abandoned, in order of issue; most have one, many none."""
    return [draft_row(row) for row in tx.connection.execute(_DRAFTS, {"identifier": decision_id})]


def draft_of(tx: Transaction, decision_id: str) -> DraftRow | None:
    """Return the draft of a decision that takes effect first and has not been abandoned, if there is one."""
    return next(iter(drafts_of(tx, decision_id)), None)


def key_holder(tx: Transaction, sha256: str) -> tuple[str, KeyState] | None:
    """Return (approval, state) of a public key that is reserved, certified or compromised."""
    row = tx.connection.execute(_KEY, {"sha256": sha256}).one_or_none()
    return None if row is None else (row.approval, row.state)


def draft_row(row: Row[Any]) -> DraftRow:
    """Return a row of drafts as a value."""
    return DraftRow(
        serial=Serial(row.serial),
        decision_id=row.decision_id,
        approval=row.approval,
        issue=row.issue,
        issuer_serial=Serial(row.issuer_serial),
        state=row.state,
        tbs=bytes(row.tbs),
        tbs_sha256=row.tbs_sha256,
        preview=bytes(row.preview),
        lint=row.lint,
        not_before=row.not_before,
        not_after=row.not_after,
        public_key_sha256=row.public_key_sha256,
        drafted_at=row.drafted_at,
    )


def _organisation(row: Row[Any]) -> Organisation:
    return Organisation(id=row.id, name=row.name, certificate_name=row.certificate_name)


def _credential(row: Row[Any]) -> Credential:
    return Credential(
        id=row.id,
        name=row.name,
        role=row.role,
        organisation_id=row.organisation_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


def _application(row: Row[Any]) -> Application:
    return Application(
        id=row.id,
        organisation_id=row.organisation_id,
        state=row.state,
        device=device_of(row),
        smets_version=row.smets_version,
        purpose=row.purpose,
        start=row.start,
        expiry=row.expiry,
        maximum_devices=row.maximum_devices,
        firmware=firmware_of(row.firmware),
        csr=bytes(row.csr),
        public_key=bytes(row.public_key),
        public_key_sha256=row.public_key_sha256,
        findings=row.findings,
        submitted_at=row.submitted_at,
        submitted_by=row.submitted_by,
        gbcs_version=row.gbcs_version,
        contact=row.contact,
        assurance=row.assurance,
        earlier_cpa=row.earlier_cpa,
        version=row.version,
        changed_at=row.changed_at,
    )


def decision_row(row: Row[Any]) -> Decision:
    """Return a decision as it was read."""
    return Decision(
        id=row.id,
        kind=row.kind,
        state=row.state,
        application_id=row.application_id,
        approval=row.approval,
        issue=row.issue,
        proposal=row.proposal,
        proposal_sha256=row.proposal_sha256,
        reasons=row.reasons,
        reasons_salt=bytes(row.reasons_salt),
        public_key=None if row.public_key is None else bytes(row.public_key),
        proposer=row.proposer,
        proposed_at=row.proposed_at,
        seconder=row.seconder,
        seconded_tbs_sha256=row.seconded_tbs_sha256,
        seconded_at=row.seconded_at,
        closed_at=row.closed_at,
        outcome=row.outcome,
        urgent=bool(row.urgent),
        findings=row.findings,
        officers=row.officers,
        meeting=row.meeting,
        minute=row.minute,
        passages=row.passages,
        conditions=row.conditions,
        amendment_request=row.amendment_request,
        breach=row.breach,
        lapses_at=row.lapses_at,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=row.acknowledged_at,
        authorised_at=row.authorised_at,
    )

"""Evidence as it is listed and fetched, and the things that it is attached to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, func, select

from core.actors import PartyKind
from core.classification import Classification
from core.errors import NoSuchThing
from core.kinds import AmendmentRequestState, BreachState, EvidenceSubject
from store.tables import approvals
from store.transactions import Transaction
from store.trial_tables import amendment_requests, breaches, evidence, evidence_files

_ATTACHED_TO = (
    select(evidence)
    .where(evidence.c.subject_kind == bindparam("kind"), evidence.c.subject == bindparam("subject_id"))
    .order_by(evidence.c.attached_at, evidence.c.id)
)


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file attached to something.

    Args:
        id: of the attachment.
        subject_kind: what it is attached to.
        subject: which one.
        sha256: of the content, hex; the file is kept under it.
        name: as its sender called it, made harmless.
        media_type: what the content was found to be.
        size: octets.
        salt: random, for the digest that the journal holds.
        attached_at, attached_by: when, and the person.
        party: for whom that person acted.
        classification: from whom the party keeps it.
    """

    id: str
    subject_kind: EvidenceSubject
    subject: str
    sha256: str
    name: str
    media_type: str
    size: int
    salt: bytes
    attached_at: datetime
    attached_by: str
    party: PartyKind
    classification: Classification


def attachment(tx: Transaction, identifier: str) -> Attachment:
    """Return an attachment; NoSuchThing if there is none."""
    row = tx.connection.execute(select(evidence).where(evidence.c.id == identifier)).one_or_none()
    if row is None:
        raise NoSuchThing(kind="evidence", identifier=identifier)
    return _attachment(row)


def attachments_of(tx: Transaction, subject_kind: EvidenceSubject, subject: str) -> list[Attachment]:
    """Return what is attached to something, oldest first."""
    rows = tx.connection.execute(_ATTACHED_TO, {"kind": subject_kind, "subject_id": subject})
    return [_attachment(row) for row in rows]


def attached(tx: Transaction, like: Attachment) -> Attachment | None:
    """Return the attachment of the same file to the same thing for the same party, if there is one."""
    c = evidence.c
    row = tx.connection.execute(select(evidence).where(*_same(like), c.sha256 == like.sha256)).one_or_none()
    return None if row is None else _attachment(row)


def attached_count(tx: Transaction, like: Attachment) -> int:
    """Return how many files are attached to the same thing for the same party."""
    query = select(func.count()).select_from(evidence).where(*_same(like))
    return int(tx.connection.execute(query).scalar_one())


def _same(like: Attachment) -> tuple[ColumnElement[bool], ...]:
    c = evidence.c
    return c.subject_kind == like.subject_kind, c.subject == like.subject, c.party == like.party


def content(tx: Transaction, sha256: str) -> bytes:
    """Return a file's octets; NoSuchThing if none is kept under that digest."""
    found = tx.connection.execute(select(evidence_files.c.octets).where(evidence_files.c.sha256 == sha256)).scalar()
    if found is None:
        raise NoSuchThing(kind="file", identifier=sha256)
    return bytes(found)


def breach_state(tx: Transaction, identifier: str, *, hold: bool = False) -> BreachState:
    """Return the state of a breach; NoSuchThing if there is none.

    Args:
        tx: open.
        identifier: of the breach.
        hold: keep its row as it is until the commit.
    """
    query = select(breaches.c.state).where(breaches.c.id == identifier)
    found = tx.connection.execute(query.with_for_update() if hold else query).scalar()
    if found is None:
        raise NoSuchThing(kind="breach", identifier=identifier)
    return BreachState(found)


def amendment_request_owner(
    tx: Transaction, identifier: str, *, hold: bool = False
) -> tuple[str, AmendmentRequestState]:
    """Return the organisation whose approval a request would amend, and the request's state.

    Args:
        tx: open.
        identifier: of the request.
        hold: keep its row as it is until the commit.

    Raises:
        NoSuchThing: there is no such request.
    """
    query = (
        select(approvals.c.organisation_id, amendment_requests.c.state)
        .join(approvals, approvals.c.identifier == amendment_requests.c.approval)
        .where(amendment_requests.c.id == identifier)
    )
    row = tx.connection.execute(query.with_for_update(of=amendment_requests) if hold else query).one_or_none()
    if row is None:
        raise NoSuchThing(kind="amendment request", identifier=identifier)
    return str(row.organisation_id), row.state


def _attachment(row: Row[Any]) -> Attachment:
    return Attachment(
        id=row.id,
        subject_kind=row.subject_kind,
        subject=row.subject,
        sha256=row.sha256,
        name=row.name,
        media_type=row.media_type,
        size=row.size,
        salt=bytes(row.salt),
        attached_at=row.attached_at,
        attached_by=row.attached_by,
        party=row.party,
        classification=row.classification,
    )

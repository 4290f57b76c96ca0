"""Decisions made by hand, with words of every class, and what their notices became."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import count
from typing import Any
from uuid import uuid4

from sqlalchemy import delete, insert, select, update

from core.actors import AUTHORITY
from core.canonical import Json, canonical, digest
from core.classification import Classification, Passage, Recipient
from core.facts import FactKind
from core.identifiers import Serial
from core.kinds import DecisionKind, DecisionState
from ra.deciding import notice
from store.rows import Decision
from store.tables import applications, decisions, journal, organisations
from store.trial_tables import contacts, notice_copies
from tests.world import World

EVERYBODY = tuple(Recipient)
_UNUSED_ISSUES = count(1000)


def passage(subject: str, text: str, classification: str = "amber", to: Sequence[str] | None = None) -> Passage:
    recipients = None if to is None else [Recipient(each) for each in to]
    return Passage.of(subject, text, Classification(classification), recipients)


def decision(
    kind: DecisionKind,
    *,
    at: datetime,
    said: dict[str, Any] | None = None,
    application: str | None = None,
    approval: str | None = None,
    passages: Sequence[Passage] = (),
    conditions: Sequence[tuple[int, Passage]] = (),
    issue: int | None = None,
) -> Decision:
    """A decision that two officers made, with its words."""
    document: dict[str, Json] = {"kind": kind, **(said or {})}
    told = passages or [passage("reasons", "It looks sound.")]
    return Decision(
        id=f"dec-{uuid4().hex[:16]}",
        kind=kind,
        state=DecisionState.DONE,
        application_id=application,
        approval=approval,
        issue=issue,
        proposal=canonical(document).decode(),
        proposal_sha256=digest(document).hex(),
        reasons=told[0].text,
        reasons_salt=told[0].salt,
        public_key=None,
        proposer="officer-1",
        proposed_at=at,
        seconder="officer-2",
        seconded_at=at,
        closed_at=at,
        meeting="SSC 12",
        minute="4.2",
        passages=canonical([each.kept() for each in told]).decode(),
        conditions=canonical([{"number": number, **each.kept()} for number, each in conditions]).decode(),
    )


def noticed(world: World, made: Decision, *, serial: Serial | None = None) -> str:
    """Write a decision and its notice in one transaction, as the acts do."""
    at = world.clock.now()
    with world.store.begin("decide by hand") as tx:
        tx.connection.execute(insert(decisions).values(**{**asdict(made), "urgent": int(made.urgent)}))
        return notice.write(tx, made, actor=AUTHORITY, at=at, serials=() if serial is None else (serial,))


def grant_said(world: World, approval: str) -> dict[str, Any]:
    """What the proposal that granted an approval says."""
    with world.store.read() as tx:
        query = select(decisions.c.proposal).where(decisions.c.kind == "grant", decisions.c.approval == approval)
        said: dict[str, Any] = json.loads(tx.connection.execute(query.order_by(decisions.c.id)).scalars().first() or "")
    return said


def grant_again(world: World, approval: str, **words: Any) -> Decision:
    """The decision that granted an approval, made once more with other words."""
    with world.store.read() as tx:
        query = select(decisions.c.application_id).where(decisions.c.approval == approval)
        application = tx.connection.execute(query.where(decisions.c.application_id.is_not(None))).scalars().first()
    said = grant_said(world, approval)
    return decision(
        DecisionKind.GRANT,
        at=world.clock.now(),
        said=said,
        application=application,
        approval=approval,
        issue=next(_UNUSED_ISSUES),
        **words,
    )


def documents(world: World, number: str) -> dict[str, dict[str, Any]]:
    """Each copy of a notice as it is kept, by recipient."""
    return {recipient: json.loads(text) for recipient, text in written(world, number).items()}


def written(world: World, number: str) -> dict[str, str]:
    with world.store.read() as tx:
        query = select(notice_copies.c.recipient, notice_copies.c.document).where(notice_copies.c.notice == number)
        return {row.recipient: row.document for row in tx.connection.execute(query)}


def facts_of(world: World, kind: FactKind) -> list[dict[str, Any]]:
    with world.store.read() as tx:
        rows = tx.connection.execute(select(journal).where(journal.c.kind == kind.value).order_by(journal.c.id))
        return [{**json.loads(row.payload), "subject": row.subject, "actor": row.actor} for row in rows]


def contact(world: World, address: str) -> None:
    """Let every Manufacturer have this address for notices, in every place where one is kept."""
    with world.store.begin("contact by hand") as tx:
        tx.connection.execute(update(applications).values(contact=address))
        tx.connection.execute(delete(contacts))
        for organisation in tx.connection.execute(select(organisations.c.id)).scalars().all():
            held = {"notices": address, "urgent": "", "salt": b"salt of sixteen.", "held_from": world.clock.now()}
            tx.connection.execute(
                insert(contacts).values(id=f"con-{organisation}", organisation_id=organisation, set_by="-", **held)
            )

"""undecided: a notice that tells of no decision: what time has brought about, or what is said and decides nothing.

Only those whom it concerns get a copy; for everybody else there is no such notice.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.actors import Actor
from core.canonical import Json, canonical, salted_digest
from core.classification import SALT_OCTETS, Classification, Passage, Recipient, highest
from core.clauses import serves
from core.facts import Fact, FactKind
from core.instants import text
from core.kinds import NoticeKind
from core.status import ended_at
from ra.telling.writing import RECORD_VERSION, copy_of, new_number, outline
from store.reading import approvals as approval_reading
from store.reading import requests
from store.reading.authority import authority_row
from store.reading.notices import Notice
from store.transactions import Transaction
from store.verbs import facts, notices


@dataclass(frozen=True, kw_only=True)
class Undecided:
    """What such a notice tells.

    Args:
        kind: of no decision.
        title: what people read first.
        clause: the paragraph that it goes back to.
        facts: its table: each with clause, label, and value or instant.
        named: what its fact in the journal names beside it.
        passages: words, each with the heading above it; every recipient gets all of them.
        recipients: who has a copy.
        least: its class, if nothing in it has a higher one.
    """

    kind: NoticeKind
    title: str
    clause: str
    facts: Sequence[Json]
    named: Mapping[str, Json]
    passages: Sequence[tuple[str, Passage]] = ()
    recipients: Sequence[Recipient] = tuple(Recipient)
    least: Classification = Classification.GREEN


@serves("F2.22", "F2.30", "F2.31")
def write_undecided(tx: Transaction, told: Undecided, approval: str, *, actor: Actor, at: datetime) -> str:
    """Write a notice of no decision, with its fact.

    Args:
        tx: of the act that it tells of.
        told: what.
        approval: about which.
        actor: whose act it is.
        at: now.

    Returns:
        Its number.
    """
    authority, row = authority_row(tx), approval_reading.approval(tx, approval)
    ended = ended_at(approval_reading.record(tx, approval), at)
    number = new_number(tx, authority, at)
    of_all = highest([told.least, *(each.classification for _, each in told.passages)])
    common: dict[str, Json] = {
        "notice": number,
        "kind": told.kind.value,
        "title": told.title,
        "clause": told.clause,
        "environment": authority.environment,
        "authority": authority.name,
        "written_at": text(at),
        "approval": approval,
        "application": None,
        "manufacturer": requests.organisation(tx, row.organisation_id).name,
        "status_page": f"{authority.base_url.rstrip('/')}/approvals/{approval}",
        "decision": {"meeting": "", "minute": ""},
        "effective": None,
        "facts": [
            *told.facts,
            *(
                []
                if ended is None
                else [{"clause": "F2.31", "label": "The approval has ended", "instant": text(ended)}]
            ),
        ],
        "firmware": [],
        "changes": [],
        "passages": [_passage(told, heading, each) for heading, each in told.passages],
        "conditions": [],
        "certificate": None,
        "approval_ended": None if ended is None else text(ended),
    }
    copies = [copy_of({**common, **_addressed(recipient, of_all)}) for recipient in told.recipients]
    notice = Notice(
        number=number,
        kind=told.kind,
        decision_id=None,
        approval=approval,
        application_id=row.application_id,
        organisation_id=row.organisation_id,
        serial=None,
        written_at=at,
    )
    outlined = outline([copy for copy, _ in copies])
    record = canonical(
        {**common, "version": RECORD_VERSION, "classification": of_all.value, "copies": outlined}
    ).decode()
    salt = secrets.token_bytes(SALT_OCTETS)
    notices.write(tx, notice, record=record, record_salt=salt, documents=copies)
    written: dict[str, Json] = {
        "number": number,
        "kind": notice.kind,
        "decision": None,
        "serial": None,
        **told.named,
        "record_salted_sha256": salted_digest(record, salt),
        "copies": outlined,
    }
    facts.record(tx, Fact(FactKind.NOTICE_WRITTEN, at, actor, subject=notice.subject, payload=written))
    return number


def _passage(told: Undecided, heading: str, passage: Passage) -> dict[str, Json]:
    return {
        "subject": passage.subject,
        "heading": heading,
        "clause": told.clause,
        "classification": passage.classification.value,
        "text": passage.text,
    }


def _addressed(recipient: Recipient, of_all: Classification) -> dict[str, Json]:
    return {
        "recipient": recipient.value,
        "classification": of_all.value,
        "withheld": 0,
        "salt": secrets.token_hex(SALT_OCTETS),
    }

"""lapsed_request: a request for an amendment is closed because its approval has ended, and its Manufacturer is told.

Nobody decides this: it follows from the end (F2.31), whoever or whatever brought that about. The notice is the only one
that tells of no decision. It names the request and no word of it.
"""

import secrets
from datetime import datetime

from core.actors import Actor
from core.approval import ApprovalRecord
from core.canonical import Json, canonical, salted_digest
from core.classification import SALT_OCTETS, Classification, Recipient
from core.clauses import serves
from core.facts import Fact, FactKind
from core.instants import text
from core.kinds import AmendmentRequestState, NoticeKind
from core.status import ended_at, open_at
from ra.telling.writing import RECORD_VERSION, copy_of, new_number, outline
from store.reading import approvals as approval_reading
from store.reading import requests
from store.reading.amendment_requests import AmendmentRequest, amendment_request
from store.reading.authority import AuthorityRow, authority_row
from store.reading.notices import Notice
from store.transactions import Transaction
from store.verbs import amendment_requests, facts, notices

TITLE = "Request for an amendment closed: the approval has ended"
_CLAUSE = "F2.31"


@serves("F2.29", "F2.31")
def close_request(tx: Transaction, identifier: str, *, actor: Actor, at: datetime) -> bool:
    """Close an open request whose approval has ended, and write the notice of it; return whether there was one.

    Args:
        tx: of this act alone.
        identifier: of the request.
        actor: who found that the approval has ended.
        at: now.
    """
    asked = amendment_request(tx, identifier)
    approval = approval_reading.locked(tx, asked.approval)
    # Asked again under the lock: its Manufacturer may have taken it back at this moment.
    if amendment_request(tx, identifier).state is not AmendmentRequestState.OPEN or open_at(approval, at):
        return False
    free, lapsed = AmendmentRequestState.OPEN, AmendmentRequestState.LAPSED
    amendment_requests.move(tx, identifier, needed=free, to=lapsed, at=at)
    said = {"request": identifier}
    facts.record(tx, Fact(FactKind.AMENDMENT_REQUEST_LAPSED, at, actor, subject=asked.approval, payload=said))
    _tell(tx, asked, approval, actor=actor, at=at)
    return True


def _tell(tx: Transaction, asked: AmendmentRequest, approval: ApprovalRecord, *, actor: Actor, at: datetime) -> None:
    authority, row = authority_row(tx), approval_reading.approval(tx, asked.approval)
    organisation = requests.organisation(tx, row.organisation_id)
    number = new_number(tx, authority, at)
    told = _told(authority, asked, approval, organisation.name, number, at)
    copies = [copy_of({**told, **_addressed(recipient)}) for recipient in Recipient]
    notice = Notice(
        number=number,
        kind=NoticeKind.REQUEST_LAPSED,
        decision_id=None,
        approval=asked.approval,
        application_id=row.application_id,
        organisation_id=row.organisation_id,
        serial=None,
        written_at=at,
    )
    outlined = outline([copy for copy, _ in copies])
    record = canonical(
        {**told, "version": RECORD_VERSION, "classification": Classification.GREEN.value, "copies": outlined}
    ).decode()
    salt = secrets.token_bytes(SALT_OCTETS)
    notices.write(tx, notice, record=record, record_salt=salt, documents=copies)
    written: dict[str, Json] = {
        "number": number,
        "kind": notice.kind,
        "decision": None,
        "request": asked.id,
        "record_salted_sha256": salted_digest(record, salt),
        "copies": outlined,
    }
    facts.record(tx, Fact(FactKind.NOTICE_WRITTEN, at, actor, subject=notice.subject, payload=written))


def _told(
    authority: AuthorityRow,
    asked: AmendmentRequest,
    approval: ApprovalRecord,
    manufacturer: str,
    number: str,
    at: datetime,
) -> dict[str, Json]:
    ended = ended_at(approval, at)
    return {
        "notice": number,
        "kind": NoticeKind.REQUEST_LAPSED.value,
        "title": TITLE,
        "clause": _CLAUSE,
        "environment": authority.environment,
        "authority": authority.name,
        "written_at": text(at),
        "approval": asked.approval,
        "application": None,
        "manufacturer": manufacturer,
        "status_page": f"{authority.base_url.rstrip('/')}/approvals/{asked.approval}",
        "decision": {"meeting": "", "minute": ""},
        "effective": None,
        "facts": [
            {"clause": "F2.29", "label": "Request for an amendment", "value": asked.id},
            {"clause": "F2.29", "label": "Asked", "instant": text(asked.asked_at)},
            *(
                []
                if ended is None
                else [{"clause": _CLAUSE, "label": "The approval has ended", "instant": text(ended)}]
            ),
        ],
        "firmware": [],
        "changes": [],
        "passages": [],
        "conditions": [],
        "certificate": None,
        "approval_ended": None if ended is None else text(ended),
    }


def _addressed(recipient: Recipient) -> dict[str, Json]:
    return {
        "recipient": recipient.value,
        "classification": Classification.GREEN.value,
        "withheld": 0,
        "salt": secrets.token_hex(SALT_OCTETS),
    }

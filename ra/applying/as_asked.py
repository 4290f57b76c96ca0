"""as_asked: what is odd about a request for an amendment, and where its answer is another than was asked (F2.29)."""

from datetime import datetime

from core.approval import ApprovalRecord
from core.canonical import read_json
from core.clauses import serves
from core.errors import Finding
from core.instants import parse
from core.waiting import as_known, planned_terms
from policy.section_f.amendment_request import (
    AnswerFacts,
    Holding,
    RequestFacts,
    Wishes,
    answer_findings,
    request_findings,
)
from ra.applying.views import AmendmentAsked
from ra.views import view_of
from store.reading import approvals as approval_reading
from store.reading.amendment_requests import AmendmentRequest
from store.rows import Decision
from store.transactions import Transaction


@serves("F2.29")
def oddities(tx: Transaction, request: AmendmentRequest, at: datetime) -> tuple[Finding, ...]:
    """Return what is odd about a request that is not decided."""
    record = approval_reading.record(tx, request.approval)
    return request_findings(RequestFacts(_wishes(request), _holds(record), at.date()))


@serves("F2.29")
def otherwise(tx: Transaction, request: AmendmentRequest, decision: Decision) -> tuple[Finding, ...]:
    """Return where an amendment, proposed or decided, is not what its request asks for."""
    if decision.issue is None:  # it moves nothing that the certificate says
        becomes = _holds(approval_reading.record(tx, request.approval), decision.proposed_at)
    else:
        said = read_json(decision.proposal)
        becomes = Holding(
            start=parse(said["start"]).date(),
            expiry=parse(said["expiry"]).date(),
            maximum_devices=said["maximum_devices"],
            firmware=tuple(each["version"] for each in said["firmware"]),
        )
    return answer_findings(AnswerFacts(_wishes(request), becomes))


def _wishes(request: AmendmentRequest) -> Wishes:
    asked = view_of(AmendmentAsked, request.asked)
    return Wishes(
        start=asked.start,
        expiry=asked.expiry,
        maximum_devices=asked.maximum_devices,
        added=tuple(each.version for each in asked.firmware_added),
        removed=asked.firmware_removed,
        other=bool(asked.other),
    )


def _holds(record: ApprovalRecord, by: datetime | None = None) -> Holding:
    """What is decided of an approval, or was known by an instant to be; a change that was withdrawn is not."""
    last = planned_terms(record if by is None else as_known(record, by))
    return Holding(
        start=record.start.date(),
        expiry=last.expiry.date(),
        maximum_devices=last.maximum_devices,
        firmware=tuple(each.version for each in last.firmware),
    )

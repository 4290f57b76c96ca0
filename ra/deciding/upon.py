"""upon: what a decision is about, whole, and what is different from the last one (F2.18, F2.19, F2.23, F2.29)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.actors import Actor
from core.approval import Firmware
from core.clauses import serves
from core.kinds import ENDING, EvidenceSubject
from ra.applying.contacts import contact_shown
from ra.applying.evidence import attachments_shown
from ra.applying.last_time import differences, firmware_said
from ra.applying.look import application_shown
from ra.applying.request_amendment import request_shown
from ra.applying.request_end import end_request_shown
from ra.deciding.views import DecidedUpon, DecisionBefore
from ra.desk import Desk
from ra.proposal import said_in
from ra.reporting.breach import breach_shown
from store.reading import approvals, breaches, contacts, evidence, requests
from store.reading.amendment_requests import amendment_request
from store.reading.end_requests import end_request
from store.reading.last_time import decision_before
from store.reading.suspicions import told_and_open
from store.rows import Decision
from store.transactions import Transaction

_CERTIFIED: Mapping[str, str] = {
    "start": "start",
    "not_before": "in force from",
    "expiry": "expiry",
    "maximum_devices": "most devices",
    "public_key_sha256": "public key SHA-256",
}
"""Members of a proposal that ends in a certificate, in words."""


@serves("F2.18", "F2.19")
def upon(desk: Desk, tx: Transaction, decision: Decision, reader: Actor, at: datetime) -> DecidedUpon:
    """Return what a decision is about, for the officers who make it and whoever checks them.

    Args:
        desk: the authority's.
        tx: open.
        decision: open, or closed.
        reader: to whom.
        at: now.
    """
    about = decision.application_id or approvals.approval(tx, decision.approval or "").application_id
    application = application_shown(desk, tx, requests.application(tx, about), reader, at=at)
    held = contacts.held(tx, application.organisation)
    told = told_and_open(tx, application.organisation)
    ends = said_in(decision).get("request") if decision.kind in ENDING else None
    request, breach = decision.amendment_request, decision.breach
    return DecidedUpon(
        manufacturer=application.manufacturer,
        contact=None if held is None else contact_shown(held),
        application=application,
        request=None if request is None else request_shown(tx, amendment_request(tx, request), at),
        end_request=None if ends is None else end_request_shown(end_request(tx, ends), named=True),
        breach=None if breach is None else breach_shown(tx, breaches.breach(tx, breach)),
        evidence=attachments_shown(
            (
                each
                for kind, subject in (
                    (EvidenceSubject.AMENDMENT_REQUEST, request),
                    (EvidenceSubject.BREACH, breach),
                    *((EvidenceSubject.SUSPICION, each) for each in dict.fromkeys((breach, *(one.id for one in told)))),
                )
                if subject is not None
                for each in evidence.attachments_of(tx, kind, subject)
            ),
            reader,
        ),
        suspicions=tuple(breach_shown(tx, each) for each in told),
        before=_before(tx, decision),
    )


def _before(tx: Transaction, decision: Decision) -> DecisionBefore | None:
    found = decision_before(tx, decision)
    if found is None:
        return None
    was, now = _members(found), _members(decision)
    return DecisionBefore(
        decision=found.id,
        kind=found.kind,
        state=found.state,
        proposed_at=found.proposed_at,
        outcome=found.outcome,
        differences=differences(was, now),
    )


def _members(decision: Decision) -> dict[str, str]:
    """What two decisions are compared by: what they make true, and the words given for it."""
    said = said_in(decision)
    return {
        "kind": decision.kind.value,
        **{words: str(said[name]) for name, words in _CERTIFIED.items() if name in said},
        **({"firmware": firmware_said(_firmware(said))} if "firmware" in said else {}),
        "reasons": decision.reasons,
    }


def _firmware(said: Mapping[str, Any]) -> list[Firmware]:
    return [Firmware(each["version"], each["image_sha256"]) for each in said["firmware"]]

"""same_model: what officers are told of an application's Device Model, by whomever it was asked for (F2.18, F2.31)."""

from collections.abc import Sequence
from datetime import datetime

from core.approval import ApprovalRecord
from core.clauses import serves
from core.errors import Finding
from core.status import approval_status, open_at
from policy.section_f.same_model import Elsewhere, ModelFacts, model_findings
from ra.views import cut
from store.reading import approvals as approval_reading
from store.reading import same_model as reading
from store.rows import Application
from store.transactions import Transaction


@serves("F2.18", "F2.31")
def known_of_model(tx: Transaction, application: Application, at: datetime) -> tuple[Finding, ...]:
    """Return what the register knows of the Device Model and the key of an application beside it.

    Args:
        tx: open.
        application: whose; the approval that it led to is not told.
        at: now.
    """
    device, own = application.device, application.id
    approved, more_approved = cut(reading.MOST, lambda most: reading.approvals_of(tx, device, limit=most))
    applied, more_applied = cut(
        reading.MOST, lambda most: reading.applications_for(tx, device, other_than=own, limit=most)
    )
    certified, more_certified = cut(reading.MOST, lambda most: reading.certificates_for(tx, device, limit=most))
    asked, more_asked = cut(
        reading.MOST,
        lambda most: reading.applications_with_key(tx, application.public_key_sha256, other_than=own, limit=most),
    )
    more = {
        "applied": more_applied,
        "approved": more_approved,
        "ended": more_approved,
        "certified": more_certified,
        "same_key": more_asked,
    }
    names = dict(approved)
    records = approval_reading.records(tx, names)
    mine = {each.identifier for each in records if approval_reading.approval(tx, each.identifier).application_id == own}
    others = [each for each in records if each.identifier not in mine]
    said = {each.identifier: _approval(each, names[each.identifier], at) for each in others}
    standing = {each.identifier for each in others if open_at(each, at)}
    return model_findings(
        ModelFacts(
            applied=_others(applied),
            approved=tuple(each for name, each in said.items() if name in standing),
            ended=tuple(each for name, each in said.items() if name not in standing),
            certified=tuple((each.certificate, each.approval) for each in certified),
            same_key=_others(asked),
            more=frozenset(name for name, there_is_more in more.items() if there_is_more),
        )
    )


def _approval(record: ApprovalRecord, whose: str, at: datetime) -> Elsewhere:
    state = approval_status(record, at).state.value.replace("_", " ")
    return Elsewhere(identifier=record.identifier, whose=whose, state=state)


def _others(found: Sequence[reading.OtherApplication]) -> tuple[Elsewhere, ...]:
    return tuple(Elsewhere(identifier=each.id, whose=each.organisation, state=each.state.value) for each in found)

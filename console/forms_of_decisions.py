"""The form of each kind of decision: its address, what it is about, its fields, and the command that they make.

A kind of decision is a row here, and its fields are blocks of pages/compose_fields.html: nothing else knows kinds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from flask import request

from console import typed
from core.actors import Actor
from core.canonical import Json, read_json
from core.kinds import BreachState, DecisionKind, EndRequestState
from core.limits import NAME_LIMIT
from ra.applying.look import application as application_of
from ra.applying.request_amendment import requests_of, show_request
from ra.applying.request_end import end_requests
from ra.applying.views import AmendmentRequestAnswer, ApplicationAnswer, EndRequestAnswer
from ra.deciding.every_kind import Proposal
from ra.desk import Desk
from ra.reporting.breach import listed as breaches
from ra.reporting.views import BreachAnswer
from ra.telling import notices
from ra.telling.approvals import approval as approval_of
from ra.telling.conditions import conditions
from ra.telling.views import ApprovalAnswer, ConditionAnswer

_MOST_OFFERED = 25
"""Breaches and requests for an end that a page offers to answer; an approval has few."""


@dataclass(frozen=True, kw_only=True)
class About:
    """What a decision is about.

    Args:
        name: as its page and the command name it; empty where it is about many.
        offered: what the fields hold before anybody has typed.
        application, approval, asked: what it is about, as far as there is one.
        notice: the record of the notice that it is about.
        ends: requests for its end that are open.
        breaches: of its conditions that are confirmed, and owe a revocation.
        conditions: that the approval has.
    """

    name: str = ""
    offered: Mapping[str, str] = field(default_factory=dict)
    application: ApplicationAnswer | None = None
    approval: ApprovalAnswer | None = None
    asked: AmendmentRequestAnswer | None = None
    ends: tuple[EndRequestAnswer, ...] = ()
    breaches: tuple[BreachAnswer, ...] = ()
    notice: Mapping[str, Json] | None = None
    conditions: tuple[ConditionAnswer, ...] = ()


_Find: TypeAlias = Callable[[Desk, Actor, str], About]


@dataclass(frozen=True, kw_only=True)
class Form:
    """The form of a kind of decision.

    Args:
        kind: of the decision.
        endpoint: what its page is called.
        place: its address.
        kind_words: what the page says above its heading: what it is, and by which paragraph.
        title: its heading, with room for the name of what it is about.
        about: finds that.
        read: makes what was typed the command.
        fields: blocks beside the meeting and the reasons, in order.
        passages: what may be said beside the reasons: subject, label and hint.
        conditions: whether it sets new ones.
        act: of ra/doors.py, that lets people in.
    """

    kind: DecisionKind
    endpoint: str
    place: str
    kind_words: str
    title: str
    about: _Find
    read: Callable[[str], Proposal]
    fields: tuple[str, ...] = ()
    passages: tuple[tuple[str, str, str], ...] = ()
    conditions: bool = False
    act: str = "proposeDecision"


# --- what each is about ------------------------------------------------------------------------------------------


def _to_grant(desk: Desk, actor: Actor, name: str) -> About:
    it = application_of(desk, actor, name)
    offered = {
        "start": it.start.isoformat(),
        "expiry": it.expiry.isoformat(),
        "maximum_devices": str(it.maximum_devices),
        "conditions": "1",
    }
    return About(name=name, application=it, offered=offered)


def _application(desk: Desk, actor: Actor, name: str) -> About:
    return About(name=name, application=application_of(desk, actor, name))


def _approval(desk: Desk, actor: Actor, name: str) -> About:
    return About(name=name, approval=approval_of(desk, actor, name))


def _to_amend(desk: Desk, actor: Actor, name: str) -> About:
    it, wanted = approval_of(desk, actor, name), _wanted("request")
    asked = next((each for each in requests_of(desk, actor, name).requests if each.request == wanted), None)
    held = conditions(desk, actor, name).conditions
    return About(name=name, approval=it, asked=asked, conditions=held, offered=_as_asked(asked))


def _to_refuse_amendment(desk: Desk, actor: Actor, name: str) -> About:
    asked = show_request(desk, actor, name)
    return About(name=name, approval=approval_of(desk, actor, asked.approval), asked=asked)


def _to_end(desk: Desk, actor: Actor, name: str) -> About:
    it = approval_of(desk, actor, name)
    found = end_requests(desk, actor, approval=name, state=EndRequestState.OPEN, after="", limit=_MOST_OFFERED)
    owed = breaches(desk, actor, approval=name, state=BreachState.CONFIRMED, after="", limit=_MOST_OFFERED).breaches
    offered = {each: _wanted(each) for each in ("request", "cause", "breach")}
    return About(name=name, approval=it, ends=found.requests, breaches=owed, offered=offered)


def _to_correct(desk: Desk, actor: Actor, name: str) -> About:
    record = notices.fetch(desk, actor, name, recipient=None, pdf=False)
    return About(name=name, notice=read_json(record.octets))


def _many(_desk: Desk, _actor: Actor, _name: str) -> About:
    return About()


def _wanted(name: str) -> str:
    """What the address of the page says that a field begins with."""
    return request.values.get(name, "")[:NAME_LIMIT]


def _as_asked(asked: AmendmentRequestAnswer | None) -> dict[str, str]:
    """What a Manufacturer asked for, as the fields begin."""
    if asked is None:
        return {}
    it = asked.asked
    return {
        "request": asked.request,
        "start": "" if it.start is None else it.start.isoformat(),
        "expiry": "" if it.expiry is None else it.expiry.isoformat(),
        "maximum_devices": "" if it.maximum_devices is None else str(it.maximum_devices),
        "firmware_added": "\n".join(f"{each.version} {each.image_sha256}" for each in it.firmware_added),
    }


# --- the forms ---------------------------------------------------------------------------------------------------

_ASSESSMENT = ("assessment", "The assessment undertaken", "F2.21(b), F2.24")
_REMARK = ("remark", "Remark", "")

FORMS = (
    Form(
        kind=DecisionKind.GRANT,
        endpoint="compose_grant",
        place="/console/applications/<identifier>/grant",
        kind_words="Grant of a Trial Device Approval (F2.18, F2.21)",
        title="Grant {}",
        about=_to_grant,
        read=typed.grant,
        fields=("terms",),
        passages=(_ASSESSMENT, ("description", "Description of the Trial Device", "F2.21(a)"), _REMARK),
        conditions=True,
    ),
    Form(
        kind=DecisionKind.REFUSE,
        endpoint="compose_refusal",
        place="/console/applications/<identifier>/refusal",
        kind_words="Refusal of an application (F2.24)",
        title="Refuse {}",
        about=_application,
        read=typed.refusal,
        passages=(_ASSESSMENT, _REMARK),
    ),
    Form(
        kind=DecisionKind.AMEND,
        endpoint="compose_amendment",
        place="/console/approvals/<identifier>/amendment",
        kind_words="Amendment (F2.29)",
        title="Amend {}",
        about=_to_amend,
        read=typed.amendment,
        fields=("terms", "request", "effective", "firmware", "conditions_removed", "waiting", "key"),
        passages=(("description", "Description of the Trial Device", "Only where it is described anew."), _REMARK),
        conditions=True,
    ),
    Form(
        kind=DecisionKind.REFUSE_AMENDMENT,
        endpoint="compose_amendment_refusal",
        place="/console/amendment-requests/<identifier>/refusal",
        kind_words="Amendment (F2.29)",
        title="Refuse the amendment asked for in {}",
        about=_to_refuse_amendment,
        read=typed.amendment_refusal,
        passages=(_REMARK,),
    ),
    Form(
        kind=DecisionKind.REKEY,
        endpoint="compose_rekey",
        place="/console/approvals/<identifier>/rekey",
        kind_words="A new key under the same approval (F2.25)",
        title="Certify a new key of {}",
        about=_approval,
        read=typed.rekey,
        fields=("old_key", "key", "effective", "invalidity_date", "waiting"),
        passages=(_REMARK,),
    ),
    Form(
        kind=DecisionKind.REVOKE,
        endpoint="compose_revocation",
        place="/console/approvals/<identifier>/revocation",
        kind_words="Revocation that officers decide together (F2.30)",
        title="Revoke {}",
        about=_to_end,
        read=typed.revocation,
        fields=("cause", "breach", "invalidity_date", "end_request"),
        passages=(_REMARK,),
    ),
    Form(
        kind=DecisionKind.WITHDRAW,
        endpoint="compose_withdrawal",
        place="/console/approvals/<identifier>/ending",
        kind_words="End at the Manufacturer’s request (F2.30)",
        title="End {}",
        about=_to_end,
        read=typed.withdrawal,
        fields=("end_request",),
        passages=(_REMARK,),
    ),
    Form(
        kind=DecisionKind.WITHDRAW_WAITING,
        endpoint="compose_waiting_withdrawal",
        place="/console/approvals/<identifier>/waiting",
        kind_words="Withdrawal of what is decided and has not begun (F2.29)",
        title="Withdraw what waits of {}",
        about=_approval,
        read=typed.waiting_withdrawal,
        fields=("pending",),
        passages=(_REMARK,),
    ),
    Form(
        kind=DecisionKind.CORRECT,
        endpoint="compose_correction",
        place="/console/notices/<identifier>/correction",
        kind_words="Correction of a notice",
        title="Correct {}",
        about=_to_correct,
        read=typed.correction,
        passages=(
            ("summary", "The summary of reasons that holds instead", "Left empty, the one that was told stays."),
            _ASSESSMENT,
            ("description", "Description of the Trial Device", "F2.21(a)"),
            _REMARK,
        ),
    ),
    Form(
        kind=DecisionKind.REVOKE,
        endpoint="compose_revocations",
        place="/console/revocations",
        kind_words="Revocation of many by one act (F2.30)",
        title="Revoke many approvals",
        about=_many,
        read=lambda _: typed.revocations(),
        fields=("many", "cause_of_many", "invalidity_date"),
        passages=(_REMARK,),
        act="proposeRevocations",
    ),
)
"""One form for each kind of decision, and one for a revocation of many."""

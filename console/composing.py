"""Compose: an officer writes a decision, sees what each of the three will get of it, and proposes it.

What is shown before it is proposed is made as the proposal itself is made, and leaves nothing behind.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from console import typed
from console.at_once import SIGN, sign_at_once
from console.forms import request_key
from console.guard import actor
from console.service import Console
from core.classification import Classification, Recipient
from core.errors import Finding, NotFound, OperationNotPermitted, RulesRefused, TrialCpaError
from core.kinds import DecisionKind
from ra.applying.look import application as application_of
from ra.applying.request_amendment import requests_of, show_request
from ra.applying.views import AmendmentRequestAnswer, ApplicationAnswer
from ra.deciding.every_kind import Proposal
from ra.deciding.propose import propose
from ra.deciding.rehearse import rehearse
from ra.deciding.views import DecisionRehearsed
from ra.doors import admit
from ra.telling.approvals import approval as approval_of
from ra.telling.conditions import conditions
from ra.telling.views import ApprovalAnswer, ConditionAnswer

_Answer: TypeAlias = str | Response | tuple[str, int]
_DO = frozenset({"preview", "condition", "propose", SIGN})


@dataclass(frozen=True, kw_only=True)
class Composed:
    """What is composed, and about what.

    Args:
        kind: of the decision.
        about: the application, approval or request, as its page is called.
        read: makes what was typed the command.
        offered: what the fields hold before anybody has typed.
        application, approval, asked: what it is about, as far as there is one.
        conditions: that the approval has.
    """

    kind: DecisionKind
    about: str
    read: Callable[[], Proposal]
    offered: Mapping[str, str]
    application: ApplicationAnswer | None = None
    approval: ApprovalAnswer | None = None
    asked: AmendmentRequestAnswer | None = None
    conditions: tuple[ConditionAnswer, ...] = field(default=())


def add_composing(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    def turn(it: Composed) -> _Answer:
        return _turn(console, it)

    @app.route("/console/applications/<identifier>/grant", methods=["GET", "POST"])
    def compose_grant(identifier: str) -> _Answer:
        """Compose a grant (F2.18, F2.21); the fields begin with what was applied for."""
        admit(actor(), "proposeDecision")
        it = application_of(desk, actor(), identifier)
        offered = {
            "start": it.start.isoformat(),
            "expiry": it.expiry.isoformat(),
            "maximum_devices": str(it.maximum_devices),
            "conditions": "1",
        }
        return turn(
            Composed(
                kind=DecisionKind.GRANT,
                about=identifier,
                read=lambda: typed.grant(identifier),
                offered=offered,
                application=it,
            )
        )

    @app.route("/console/applications/<identifier>/refusal", methods=["GET", "POST"])
    def compose_refusal(identifier: str) -> _Answer:
        """Compose a refusal (F2.24)."""
        admit(actor(), "proposeDecision")
        it = application_of(desk, actor(), identifier)
        return turn(
            Composed(
                kind=DecisionKind.REFUSE,
                about=identifier,
                read=lambda: typed.refusal(identifier),
                offered={},
                application=it,
            )
        )

    @app.route("/console/approvals/<identifier>/amendment", methods=["GET", "POST"])
    def compose_amendment(identifier: str) -> _Answer:
        """Compose an amendment (F2.29); what is left empty stays. One that was asked for offers what was asked."""
        admit(actor(), "proposeDecision")
        it = approval_of(desk, actor(), identifier)
        wanted = request.values.get("request", "")[:200]
        listed = requests_of(desk, actor(), identifier).requests
        asked = next((each for each in listed if each.request == wanted), None)
        return turn(
            Composed(
                kind=DecisionKind.AMEND,
                about=identifier,
                read=lambda: typed.amendment(identifier),
                offered=_asked(asked),
                approval=it,
                asked=asked,
                conditions=conditions(desk, actor(), identifier).conditions,
            )
        )

    @app.get("/console/amendment-requests/<identifier>")
    def amendment_request(identifier: str) -> _Answer:
        """Go on to where it is answered: an amendment whose fields begin with what was asked."""
        admit(actor(), "proposeDecision")
        asked = show_request(desk, actor(), identifier)
        return redirect(url_for("compose_amendment", identifier=asked.approval, request=asked.request))

    @app.route("/console/amendment-requests/<identifier>/refusal", methods=["GET", "POST"])
    def compose_amendment_refusal(identifier: str) -> _Answer:
        """Compose the refusal of an amendment that was asked for (F2.29)."""
        admit(actor(), "proposeDecision")
        asked = show_request(desk, actor(), identifier)
        return turn(
            Composed(
                kind=DecisionKind.REFUSE_AMENDMENT,
                about=identifier,
                read=lambda: typed.amendment_refusal(identifier),
                offered={},
                approval=approval_of(desk, actor(), asked.approval),
                asked=asked,
            )
        )


def _turn(console: Console, it: Composed) -> _Answer:
    """Show the form; with it what would be true, or propose it."""
    if request.method == "GET":
        return _page(it, MultiDict({**console.offered, **it.offered}))
    do = request.form.get("do", "preview")
    try:
        if do == "condition" or do not in _DO:
            return _page(it, request.form)
        command = it.read()
        if do == "preview":
            return _page(it, request.form, seen=rehearse(console.desk, actor(), command))
        done = propose(console.desk, actor(), command, request_key())
        if do == SIGN:
            sign_at_once(console, done)
    except (NotFound, OperationNotPermitted):
        raise
    except TrialCpaError as error:
        return _page(it, request.form, error=error), 422
    console.wrote()
    flash(f"{done.decision} is proposed. Sign for it below: before that nobody can second it.")
    return redirect(url_for("decision", identifier=done.decision), 303)


def _page(
    it: Composed,
    said: MultiDict[str, str],
    *,
    seen: DecisionRehearsed | None = None,
    error: TrialCpaError | None = None,
) -> str:
    found: tuple[Finding, ...] = error.findings if isinstance(error, RulesRefused) else ()
    count = typed.how_many_conditions() if request.method == "POST" else int(said.get("conditions", "0"))
    return render_template(
        "compose.html",
        it=it,
        said=said,
        asked_before=request.method == "POST",
        seen=seen,
        error=error,
        against=found,
        count=count,
        classes=tuple(Classification),
        parties=tuple(Recipient),
    )


def _asked(asked: AmendmentRequestAnswer | None) -> dict[str, str]:
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

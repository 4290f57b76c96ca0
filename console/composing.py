"""Compose: an officer writes a decision, sees what each of the three will get of it, and proposes it.

What is shown before it is proposed is made as the proposal itself is made, and leaves nothing behind. One form serves
every kind of decision: which fields it has, a row of `console/forms_of_decisions.py` says.
"""

from collections.abc import Mapping
from typing import TypeAlias

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from console import typed
from console.at_once import SIGN, sign_at_once
from console.forms import request_key
from console.forms_of_decisions import FORMS, About, Form
from console.guard import actor
from console.service import Console
from console.settling import settled
from console.walking import offered_by_agenda
from core.classification import Classification, Recipient
from core.errors import Finding, OperationNotPermitted, RulesRefused, TrialCpaError
from core.kinds import EndRequestState
from ra.applying import request_end
from ra.applying.request_amendment import show_request
from ra.applying.request_end import EndRequestInWords
from ra.deciding.answer_end import answer_end_request
from ra.deciding.propose import propose
from ra.deciding.rehearse import rehearse
from ra.deciding.views import DecisionRehearsed
from ra.doors import admit
from ra.telling.approvals import approval as approval_of

_Answer: TypeAlias = str | Response | tuple[str, int]
_DO = frozenset({"preview", "condition", "propose", SIGN})
_IN_WORDS: Mapping[str, EndRequestInWords] = {"refused": EndRequestState.REFUSED, "answered": EndRequestState.ANSWERED}


def add_composing(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    for form in FORMS:
        _add_form(app, console, form)
    _add_requests(app, console)


def _add_form(app: Flask, console: Console, form: Form) -> None:
    def turn(identifier: str = "") -> _Answer:
        admit(actor(), form.act)
        return _turn(console, form, form.about(console.desk, actor(), identifier))

    app.add_url_rule(form.place, form.endpoint, turn, methods=["GET", "POST"])


def _turn(console: Console, form: Form, about: About) -> _Answer:
    """Show the form; with it what would be true, or propose it."""
    if request.method == "GET":
        return _page(form, about, MultiDict({**offered_by_agenda(console), **console.offered, **about.offered}))
    do = request.form.get("do", "preview")
    try:
        if do == "condition" or do not in _DO:
            return _page(form, about, request.form)
        command = form.read(about.name)
        if do == "preview":
            return _page(form, about, request.form, seen=rehearse(console.desk, actor(), command))
        done = propose(console.desk, actor(), command, request_key())
        if do == SIGN:
            sign_at_once(console, done)
    except OperationNotPermitted:
        raise
    except TrialCpaError as error:  # also that there is no such thing: not what the page is about, but what was typed
        return _page(form, about, request.form, error=error), 422
    console.wrote()
    signed = do == SIGN and console.signs is not None
    onward = "Sign for it below: before that nobody can second it."
    flash(f"{done.decision} is proposed. {'You have signed for it: another officer seconds it.' if signed else onward}")
    return redirect(url_for("decision", identifier=done.decision), 303)


def _page(
    form: Form,
    about: About,
    said: MultiDict[str, str],
    *,
    seen: DecisionRehearsed | None = None,
    error: TrialCpaError | None = None,
) -> str:
    found: tuple[Finding, ...] = error.findings if isinstance(error, RulesRefused) else ()
    count = typed.how_many_conditions() if request.method == "POST" else int(said.get("conditions", "0"))
    return render_template(
        "compose.html",
        form=form,
        it=about,
        said=said,
        seen=seen,
        error=error,
        against=found,
        count=count,
        classes=tuple(Classification),
        parties=tuple(Recipient),
    )


def _add_requests(app: Flask, console: Console) -> None:
    """What a Manufacturer asks for, and where it is answered."""
    desk = console.desk

    @app.get("/console/amendment-requests/<identifier>")
    def amendment_request(identifier: str) -> _Answer:
        """Go on to where it is answered: an amendment whose fields begin with what was asked."""
        admit(actor(), "proposeDecision")
        asked = show_request(desk, actor(), identifier)
        return redirect(url_for("compose_amendment", identifier=asked.approval, request=asked.request))

    def show(identifier: str, error: TrialCpaError | None = None) -> str:
        it = request_end.show_end_request(desk, actor(), identifier)
        return render_template("end_request.html", it=it, approval=approval_of(desk, actor(), it.approval), error=error)

    @app.get("/console/end-requests/<identifier>")
    def end_request(identifier: str) -> str:
        """Show that an end is asked for (F2.30); officers end the approval, or say why not."""
        return show(identifier)

    @app.post("/console/end-requests/<identifier>/answer")
    def answer_end(identifier: str) -> _Answer:
        """Refuse it, or answer it in words: a notice tells its Manufacturer."""
        admit(actor(), "answerEndRequest")

        def act() -> str:
            outcome = typed.one_of("outcome", _IN_WORDS)
            done = answer_end_request(desk, actor(), identifier, outcome, typed.words("answer"), request_key())
            return f"{done.request} is {done.state}. {done.notice} tells the Manufacturer."

        here = url_for("end_request", identifier=identifier)
        return settled(console, act, to=here, again=lambda error: show(identifier, error))

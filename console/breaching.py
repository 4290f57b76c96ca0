"""Breaches (F2.23): a suspicion is recorded, told to its Manufacturer, judged; a confirmed one owes a revocation."""

from collections.abc import Callable

from flask import Flask, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from console.answering import ask
from console.forms import field, request_key, signed
from console.guard import actor, may
from console.service import Console
from console.settling import settled
from console.typed import words
from core.errors import BodyMalformed, NotFound, OperationNotPermitted, TrialCpaError
from core.kinds import BreachState
from officers.claims import to_confirm
from ra.deciding.tell_breach import tell_of
from ra.doors import admit
from ra.reporting.breach import close, judge, shown, suspect
from ra.telling.approvals import approval as approval_of
from ra.telling.conditions import conditions

_LONGEST_NUMBER = 6
_OUTCOMES = {each.value: each for each in (BreachState.CONFIRMED, BreachState.DISMISSED)}


def add_breaching(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    @app.route("/console/approvals/<identifier>/suspicion", methods=["GET", "POST"])
    def suspect_it(identifier: str) -> str | Response | tuple[str, int]:
        """Record that a condition may have been breached."""
        admit(actor(), "suspectBreach")
        return _suspect(console, identifier)

    @app.get("/console/breaches/<identifier>")
    def breach(identifier: str) -> str:
        """Show a breach with what was said of it."""
        return _show(console, identifier)

    @app.post("/console/breaches/<identifier>/judgement")
    def judge_it(identifier: str) -> Response | tuple[str, int]:
        """Confirm it, which is signed for, or dismiss it."""
        admit(actor(), "judgeBreach")

        def act() -> object:
            confirmed = _confirmed()
            proof = signed(console, actor(), to_confirm(identifier)) if confirmed else None
            return judge(
                desk, actor(), identifier, confirmed=confirmed, why=words("why"), signed=proof, request=request_key()
            )

        return _done(console, identifier, act, "It is judged.")

    @app.post("/console/breaches/<identifier>/telling")
    def tell_it(identifier: str) -> Response | tuple[str, int]:
        """Tell its Manufacturer, in words of their own notice."""
        admit(actor(), "tellOfBreach")

        def act() -> object:
            return tell_of(desk, actor(), identifier, words("told"), request_key())

        return _done(console, identifier, act, "A notice tells the Manufacturer of it.")

    @app.post("/console/breaches/<identifier>/closing")
    def close_breach(identifier: str) -> Response | tuple[str, int]:
        """Close one whose approval has ended otherwise."""
        admit(actor(), "closeBreach")

        def act() -> object:
            return close(desk, actor(), identifier, why=words("why"), request=request_key())

        return _done(console, identifier, act, "It is closed.")


def _suspect(console: Console, identifier: str) -> str | Response | tuple[str, int]:
    desk = console.desk
    error: TrialCpaError | None = None
    if field("condition") or field("note"):
        try:
            made = suspect(desk, actor(), identifier, _number(), words("note"), request_key())
        except (NotFound, OperationNotPermitted):
            raise
        except TrialCpaError as refused:
            error = refused
        else:
            console.wrote()
            flash("The suspicion is recorded. Its Manufacturer is told of it only if you say so.")
            return redirect(url_for("breach", identifier=made.breach), 303)
    it, held = approval_of(desk, actor(), identifier), conditions(desk, actor(), identifier).conditions
    page = render_template("suspicion.html", it=it, conditions=held, error=error)
    return page if error is None else (page, 422)


def _show(console: Console, identifier: str, error: TrialCpaError | None = None) -> str:
    desk = console.desk
    it = shown(desk, actor(), identifier)
    judges = may("judgeBreach") and it.state is BreachState.SUSPECTED
    return render_template(
        "breach.html",
        it=it,
        error=error,
        approval=approval_of(desk, actor(), it.approval),
        may_judge=judges,
        may_tell=judges and it.told is None,
        may_close=may("closeBreach") and it.state is BreachState.CONFIRMED,
        signs=console.signs is not None,
        ask=ask(console, to_confirm(identifier)) if judges else None,
    )


def _done(console: Console, identifier: str, act: Callable[[], object], said: str) -> Response | tuple[str, int]:
    def acted() -> str:
        act()
        return said

    here = url_for("breach", identifier=identifier)
    return settled(console, acted, to=here, again=lambda error: _show(console, identifier, error))


def _confirmed() -> bool:
    found = _OUTCOMES.get(field("outcome"))
    if found is None:
        raise BodyMalformed(detail="it is confirmed or dismissed, and neither was chosen")
    return found is BreachState.CONFIRMED


def _number() -> int:
    said = field("condition")
    if not (said.isascii() and said.isdecimal() and len(said) <= _LONGEST_NUMBER):
        raise BodyMalformed(detail="which condition it is of was not chosen")
    return int(said)

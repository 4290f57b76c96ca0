"""Further requirements (F2.20): of one application, met or waived; and standing ones, of every application."""

from collections.abc import Callable

from flask import Flask, render_template, url_for
from werkzeug.wrappers import Response

from console.forms import field, request_key
from console.guard import actor
from console.looking import show_application
from console.service import Console
from console.settling import settled
from console.typed import words
from core.errors import BodyMalformed, TrialCpaError
from core.kinds import RequirementState
from core.words import counted
from ra.applying.requirements import (
    RequirementClosed,
    close_requirement,
    end_standing,
    set_requirement,
    set_standing,
    standing,
)
from ra.applying.views import RequirementSet
from ra.doors import admit


def add_requiring(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    def done(application: str, act: Callable[[], RequirementSet], said: str) -> Response | tuple[str, int]:
        def acted() -> str:
            act()
            return said

        here = url_for("application", identifier=application, _anchor="requirements")
        return settled(console, acted, to=here, again=lambda error: show_application(console, application, error=error))

    @app.post("/console/applications/<identifier>/requirements")
    def require(identifier: str) -> Response | tuple[str, int]:
        """Ask for something more before it is decided."""
        admit(actor(), "setRequirement")

        def act() -> RequirementSet:
            return set_requirement(desk, actor(), identifier, words("requirement"), request_key())

        return done(identifier, act, "The requirement is set. Until it is met or waived nothing is granted.")

    @app.post("/console/applications/<identifier>/requirements/<requirement>/closing")
    def close_it(identifier: str, requirement: str) -> Response | tuple[str, int]:
        """Record that it is met, and by what, or why it is waived."""
        admit(actor(), "closeRequirement")

        def act() -> RequirementSet:
            return close_requirement(
                desk, actor(), requirement, outcome=_outcome(), reason=words("reason"), request=request_key()
            )

        return done(identifier, act, "The requirement is closed.")

    _add_standing(app, console)


def _add_standing(app: Flask, console: Console) -> None:
    desk = console.desk

    def show(error: TrialCpaError | None = None) -> str:
        return render_template("standing.html", listed=standing(desk, actor()).standing, error=error)

    @app.get("/console/requirements")
    def standing_requirements() -> str:
        """List what must be evidenced with every application."""
        return show()

    @app.post("/console/requirements")
    def require_always() -> Response | tuple[str, int]:
        """Ask for something of every application from now on."""
        admit(actor(), "setStandingRequirement")

        def act() -> str:
            made = set_standing(desk, actor(), words("requirement"), request_key())
            return f"It is required from now on, and of {counted(made.applications, 'application')} that waits already."

        return settled(console, act, to=url_for("standing_requirements"), again=show)

    @app.post("/console/requirements/<identifier>/end")
    def require_no_more(identifier: str) -> Response | tuple[str, int]:
        """End one: later applications are not asked for it."""
        admit(actor(), "endStandingRequirement")

        def act() -> str:
            end_standing(desk, actor(), identifier, request_key())
            return "Later applications are not asked for it."

        return settled(console, act, to=url_for("standing_requirements"), again=show)


def _outcome() -> RequirementClosed:
    match field("outcome"):
        case "met":
            return RequirementState.MET
        case "waived":
            return RequirementState.WAIVED
        case _:
            raise BodyMalformed(detail="it is met or waived, and neither was chosen")

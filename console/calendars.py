"""One's calendar: addresses that a calendar program subscribes to, each told once, and revoked here."""

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from console.forms import request_key
from console.guard import actor
from console.service import Console
from console.typed import words
from core.errors import BodyMalformed, NotFound, OperationNotPermitted, TrialCpaError
from core.limits import NAME_LIMIT
from ra.waiting.subscribing import addresses, make_address, revoke_address
from ra.waiting.views import CalendarAddressMade


def add_calendars(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    def show(made: CalendarAddressMade | None = None, error: TrialCpaError | None = None) -> str:
        listed = addresses(desk, actor()).calendars
        typed = request.form.get("name", "") if error is not None else ""
        return render_template("calendars.html", listed=listed, made=made, error=error, typed=typed)

    @app.get("/console/calendars")
    def calendars() -> str:
        """Show the addresses that one has made."""
        return show()

    @app.post("/console/calendars")
    def make_calendar() -> str | tuple[str, int]:
        """Make an address; it is shown on this page and never again."""
        try:
            name = words("name", NAME_LIMIT)
            if not name:
                raise BodyMalformed(detail="the calendar has no name")
            made = make_address(desk, actor(), name, request_key())
        except (NotFound, OperationNotPermitted):
            raise
        except TrialCpaError as error:
            return show(error=error), 422
        console.wrote()
        return show(made)

    @app.post("/console/calendars/<identifier>/revocation")
    def revoke_calendar(identifier: str) -> Response:
        """Revoke an address of one's own."""
        revoke_address(desk, actor(), identifier, request_key())
        console.wrote()
        flash("The address answers nothing any more.")
        return redirect(url_for("calendars"), 303)

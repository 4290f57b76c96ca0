"""What officers say of an application beside deciding it: interests that they declare, and comments to each other."""

from collections.abc import Callable

from flask import Flask, request, url_for
from werkzeug.wrappers import Response

from console.forms import field, request_key
from console.guard import actor
from console.looking import show_application
from console.service import Console
from console.settling import settled
from console.typed import words
from console.walking import item_of_address
from core.limits import NAME_LIMIT
from ra.committee.comments import make_comment, retract_comment
from ra.committee.interests import declare_interest, withdraw_interest
from ra.doors import admit


def add_committee(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    _add_interests(app, console)
    _add_comments(app, console)


def _done(console: Console, application: str, act: Callable[[], str], anchor: str) -> Response | tuple[str, int]:
    to, item = url_for("application", identifier=application, _anchor=anchor), item_of_address()
    if item is not None and request.form.get("from") == "agenda":
        to = url_for("agenda_item", identifier=item)
    return settled(console, act, to=to, again=lambda error: show_application(console, application, error=error))


def _add_interests(app: Flask, console: Console) -> None:
    desk = console.desk

    @app.post("/console/applications/<identifier>/interests")
    def declare_it(identifier: str) -> Response | tuple[str, int]:
        """Declare an interest, one's own or somebody's who said so."""
        admit(actor(), "declareInterest")

        def act() -> str:
            whose = words("officer", NAME_LIMIT)
            declare_interest(desk, actor(), identifier, officer=whose, words=words("interest"), request=request_key())
            return "The interest is declared. Whoever decides sees it."

        return _done(console, identifier, act, "interests")

    @app.post("/console/applications/<identifier>/interests/withdrawal")
    def withdraw_declared(identifier: str) -> Response | tuple[str, int]:
        """Withdraw an interest."""
        admit(actor(), "withdrawInterest")

        def act() -> str:
            withdraw_interest(desk, actor(), field("which"), request_key())
            return "It is withdrawn; that it was declared stays."

        return _done(console, identifier, act, "interests")


def _add_comments(app: Flask, console: Console) -> None:
    desk = console.desk

    @app.post("/console/applications/<identifier>/comments")
    def comment_it(identifier: str) -> Response | tuple[str, int]:
        """Say something to the other officers."""
        admit(actor(), "makeComment")

        def act() -> str:
            make_comment(desk, actor(), identifier, words("comment"), request_key())
            return "The other officers can read it."

        return _done(console, identifier, act, "comments")

    @app.post("/console/applications/<identifier>/comments/retraction")
    def retract_it(identifier: str) -> Response | tuple[str, int]:
        """Take back a comment of one's own."""
        admit(actor(), "retractComment")

        def act() -> str:
            retract_comment(desk, actor(), field("which"), request_key())
            return "It is retracted; its words stay on record."

        return _done(console, identifier, act, "comments")

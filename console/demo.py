"""The demo people of a test authority on the sign-in page. Only a test authority's start imports this file: a live one
has neither the module nor its addresses.
"""

from collections.abc import Sequence
from typing import Protocol

from flask import Flask, redirect, render_template, request
from werkzeug.wrappers import Response

from console.entering import local
from console.forms import field
from console.guard import let_in
from console.service import Console
from core.errors import CredentialInvalid
from ra.access import authenticate
from ra.entering.sessions import begin


class DemoPeople(Protocol):
    """Who can be tried out."""

    def names(self) -> Sequence[tuple[str, str]]:
        """Return their names and roles."""
        ...

    def key(self, name: str) -> str | None:
        """Return the API key of one of them; None if there is no such person."""
        ...


def add_demo(app: Flask, console: Console, demo: DemoPeople) -> None:
    """Add the pages to the application."""

    @app.get("/console/demo")
    def offered() -> str:
        """Offer the demo people."""
        return render_template("demo.html", people=demo.names(), then=local(request.args.get("then", "")))

    @app.post("/console/demo")
    def come_in_as() -> Response:
        """Let one of them in, by their API key."""
        key = demo.key(field("name"))
        if key is None:
            raise CredentialInvalid
        let_in(begin(console.desk, authenticate(console.desk, key)))
        return redirect(local(field("then")), 303)

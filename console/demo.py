"""The demo people of a test authority on the sign-in page, and what shortens trying it out: an example that is applied
with, and whoever is next. Only a test authority's start imports this file: a live one has neither the module nor its
addresses. Nothing is skipped: the same acts are asked of the same use cases, and each is signed for.
"""

from collections.abc import Sequence
from typing import Protocol

from flask import Flask, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from console.entering import local
from console.forms import field
from console.guard import let_in
from console.service import Console
from console.trying import REASONS, Onward, example, first, onward
from core.actors import Actor
from core.approval import EndCause
from core.errors import CredentialInvalid, TrialCpaError
from ra.access import authenticate
from ra.applying import drafts
from ra.entering.sessions import begin


class DemoPeople(Protocol):
    """Who can be tried out."""

    def names(self) -> Sequence[tuple[str, str]]:
        """Return their names and roles."""
        ...

    def key(self, name: str) -> str | None:
        """Return the API key of one of them; None if there is no such person."""
        ...

    def csr(self) -> str:
        """Return a certificate signing request of a key that is made for it and stays on this machine, PEM."""
        ...


def add_demo(app: Flask, console: Console, demo: DemoPeople) -> None:
    """Add the pages to the application."""

    def come_in(name: str) -> Actor:
        key = demo.key(name)
        if key is None:
            raise CredentialInvalid
        who = authenticate(console.desk, key)
        let_in(begin(console.desk, who))
        return who

    @app.get("/console/demo")
    def offered() -> str:
        """Offer the demo people."""
        return render_template("demo.html", people=demo.names(), then=local(request.args.get("then", "")))

    @app.post("/console/demo")
    def come_in_as() -> Response:
        """Let one of them in, by their API key."""
        come_in(field("name"))
        return redirect(local(field("then")), 303)

    @app.post("/console/demo/example")
    def try_example() -> Response:
        """Let the demo Manufacturer in, with a draft that is filled in: its check is where it is sent from."""
        maker = come_in(first(demo.names(), "apply"))
        name = drafts.begin_draft(console.desk, maker)
        for part, said in example(console.desk.clock.now().date(), demo.csr()).items():
            drafts.keep_part(console.desk, maker, name, part, said, version=1)
        return redirect(url_for("draft_check", identifier=name), 303)

    def next_here() -> Onward | None:
        """Return what can be tried next from the page that is shown."""
        if request.method != "GET" or g.get("entered") is None:
            return None
        named = (request.view_args or {}).get("identifier", "")
        try:
            return onward(console.desk, demo.names(), request.endpoint or "", named)
        except TrialCpaError:
            return None  # the page itself says what is wrong

    app.jinja_env.globals.update(
        trying=True, onward=next_here, demo_people=demo.names, example_reasons=REASONS, example_cause=EndCause.SSC
    )

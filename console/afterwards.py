"""What officers say of a decision when it is done: that they are informed of it, have seen it, or disown it."""

from collections.abc import Callable

from flask import Flask, url_for
from werkzeug.wrappers import Response

from console.deciding import show_decision
from console.forms import request_key
from console.guard import actor
from console.service import Console
from console.settling import settled
from console.typed import one_of, words
from core.kinds import Witnessed
from ra.deciding.acknowledge import acknowledge
from ra.deciding.witness import Witness, witness
from ra.doors import admit


def add_afterwards(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    desk = console.desk

    def settle(identifier: str, act: Callable[[], str]) -> Response | tuple[str, int]:
        here = url_for("decision", identifier=identifier)
        return settled(console, act, to=here, again=lambda error: show_decision(console, identifier, error=error))

    @app.post("/console/decisions/<identifier>/acknowledgement")
    def acknowledge_it(identifier: str) -> Response | tuple[str, int]:
        """Say that one is informed of what another officer decided alone (F2.30)."""
        admit(actor(), "acknowledgeDecision")

        def act() -> str:
            acknowledge(desk, actor(), identifier, request_key())
            return "It is noted that you know."

        return settle(identifier, act)

    @app.post("/console/decisions/<identifier>/witness")
    def witness_it(identifier: str) -> Response | tuple[str, int]:
        """Say that one has seen it, or that it was not decided so."""
        admit(actor(), "witnessDecision")

        def act() -> str:
            saw = one_of("saw", {each.value: each for each in Witnessed})
            why = words("disown") if saw is Witnessed.DISOWNED else ""
            witness(desk, actor(), Witness(identifier, saw, why), request_key())
            return "It is noted what you say of it."

        return settle(identifier, act)

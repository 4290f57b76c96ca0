"""A passkey asked for an act: what the page says, what the browser is asked, and what it answered."""

from dataclasses import dataclass

from flask import Flask, render_template
from webauthn import generate_authentication_options, options_to_json
from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

from console.guard import actor
from console.service import Console
from core.errors import NoRoster
from officers.statement import Claim
from ra.entering.asking import enrolled, question
from ra.roster import roster

ANSWER_SECONDS = 300
"""In which a browser answers."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What a page has a passkey asked.

    Args:
        statement: that it authorises.
        options: for the browser, JSON.
    """

    statement: str
    options: str


def add_answering(app: Flask, console: Console) -> None:
    """Add the page to the application."""

    @app.get("/console/keys")
    def keys() -> str:
        """Show whose keys count, and one's own passkeys with what goes to whoever keeps the roster."""
        own = enrolled(console.desk, actor(), console.relying)
        try:
            held = roster(console.desk, actor())
        except NoRoster:
            held = None
        return render_template("keys.html", held=held, own=own)


def ask(console: Console, claim: Claim) -> Ask | None:
    """Return what the passkey of whoever has signed in is asked for an act; None where none of theirs counts here."""
    found = question(console.desk, actor(), claim, console.relying)
    if found is None:
        return None
    options = generate_authentication_options(
        rp_id=console.relying.identifier,
        challenge=found.challenge,
        timeout=ANSWER_SECONDS * 1000,
        allow_credentials=[PublicKeyCredentialDescriptor(id=found.credential)],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return Ask(statement=found.statement, options=options_to_json(options))

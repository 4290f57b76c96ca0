"""Coming in and leaving: by a passkey, enrolled by an invitation; sessions listed and ended."""

import base64
import time

from flask import Flask, flash, redirect, render_template, request, session, url_for
from webauthn import generate_authentication_options, generate_registration_options, options_to_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from werkzeug.wrappers import Response

from console.forms import field
from console.guard import actor, known, let_in, may
from console.service import Console
from core.canonical import read_json
from core.errors import PasskeyRefused
from ra.entering.passkeys import come_in, enrol, invited, new_challenge
from ra.entering.sessions import leave, revoke_session, sessions

_CHALLENGE = "challenge"
_ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
"""In the order in which they are wished for: ES256 alone can be on the roster of officers, and each of them lets in."""

ANSWER_SECONDS = 300
"""In which a browser answers; a person looks for their key, and no longer."""


def add_entering(app: Flask, console: Console) -> None:
    """Add the pages to the application."""
    relying = console.relying

    @app.get("/console/sign-in")
    def sign_in() -> str:
        """Ask for a passkey."""
        options = generate_authentication_options(
            rp_id=relying.identifier,
            challenge=_asked(),
            timeout=ANSWER_SECONDS * 1000,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        then, lost = local(request.args.get("then", "")), "lost" in request.args
        ways = [url_for(each, then=then) for each in console.ways_in]
        return render_template("sign_in.html", options=options_to_json(options), then=then, lost=lost, ways=ways)

    @app.post("/console/sign-in")
    def answer_passkey() -> Response:
        """Let somebody in by the answer of their passkey."""
        challenge, response, then = _challenge(), field("response"), local(field("then"))
        let_in(come_in(console.desk, challenge=challenge, relying=relying, key_id=_key(response), response=response))
        return redirect(then, 303)

    @app.get("/console/invitations/<secret>")
    def invitation(secret: str) -> str:
        """Ask whoever was invited to enrol a passkey."""
        who = invited(console.desk, secret)
        options = generate_registration_options(
            rp_id=relying.identifier,
            rp_name=console.name,
            user_id=(who.credential or "").encode(),
            user_name=who.name,
            challenge=_asked(),
            timeout=ANSWER_SECONDS * 1000,
            supported_pub_key_algs=_ALGORITHMS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
        )
        return render_template("invitation.html", who=who, options=options_to_json(options))

    @app.post("/console/invitations/<secret>")
    def take_up(secret: str) -> Response:
        """Enrol the passkey that was made, and let its owner in."""
        begun = enrol(console.desk, secret, challenge=_challenge(), relying=relying, response=field("response"))
        let_in(begun)
        flash("Your passkey is enrolled. From now on you sign in with it.")
        return redirect(url_for("home"), 303)

    @app.post("/console/sign-out")
    def sign_out() -> Response:
        leave(console.desk, known())
        session.clear()
        return redirect(url_for("sign_in"), 303)

    @app.get("/console/sessions")
    def listed_sessions() -> str:
        """Show the sessions that hold: one's own, and everybody's to an administrator."""
        return render_template(
            "sessions.html",
            sessions=sessions(console.desk, actor()),
            this=known().session,
            idle_minutes=int(console.desk.rules.session_idle.total_seconds() // 60),
            may_subscribe=may("listCalendarAddresses"),
            may_see_keys=may("showRoster"),
        )

    @app.post("/console/sessions/<identifier>/end")
    def end_session(identifier: str) -> Response:
        revoke_session(console.desk, actor(), identifier)
        flash("The session is ended.")
        return redirect(url_for("listed_sessions"), 303)


def local(path: str) -> str:
    """Return a page of ours to go on to; home for any other address that somebody put there."""
    plain = path.startswith("/console/") and "//" not in path and "\\" not in path and path.isprintable()
    return path if plain and len(path) < 500 else url_for("home")


def _asked() -> bytes:
    """A new question, kept in the sealed cookie with when it was asked."""
    challenge = new_challenge()
    session[_CHALLENGE] = [base64.b64encode(challenge).decode(), int(time.monotonic())]
    return challenge


def _challenge() -> bytes:
    """The question that was asked, taken out of the cookie; PasskeyRefused if there is none or it is too old."""
    asked = session.pop(_CHALLENGE, None)
    if asked is None or not 0 <= time.monotonic() - asked[1] <= ANSWER_SECONDS:
        raise PasskeyRefused(detail="the browser was asked more than five minutes ago, or never")
    return base64.b64decode(asked[0])


def _key(response: str) -> bytes:
    """What the browser says which passkey has answered."""
    try:
        said = read_json(response.encode())["rawId"]
        return base64.urlsafe_b64decode(said + "=" * (-len(said) % 4))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise PasskeyRefused(detail="the browser's answer cannot be read") from None

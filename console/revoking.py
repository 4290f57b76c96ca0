"""Revoke at once: the cause is chosen, what will be true is shown, the identifier typed; then how soon it is told."""

from dataclasses import dataclass, replace
from datetime import datetime

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from console.answering import ask
from console.forms import field, request_key, signed
from console.guard import actor
from console.service import Console
from console.shown import remedy, sentence
from core.approval import OFFICERS_CAUSES, EndCause
from core.errors import NotFound, OperationNotPermitted, TrialCpaError
from core.instants import read_instant
from core.kinds import BreachState
from officers.claims import to_revoke
from officers.statement import revocation_digest
from ra.deciding.end import Revoke
from ra.deciding.revoke import revoke
from ra.doors import admit
from ra.reporting.breach import listed
from ra.telling.approvals import approval as approval_of

MOST_OFFERED = 20
"""Confirmed breaches of one approval that are named where one of them is asked for."""


@dataclass(frozen=True)
class Asked:
    """What somebody has chosen and typed so far.

    Args:
        cause: why it ends; None before that is chosen.
        breach: the confirmed breach that it answers, if it does.
        since: since when a compromised key is known to be, as it was typed.
        reasons, typed, authorisation: as they were typed.
        error: why it was refused; None before it was sent.
    """

    cause: EndCause | None
    breach: str = ""
    since: str = ""
    reasons: str = ""
    typed: str = ""
    authorisation: str = ""
    error: str = ""
    hint: str = ""


def add_revoking(app: Flask, console: Console) -> None:
    """Add the pages to the application."""

    def show(identifier: str, asked: Asked) -> str:
        admit(actor(), "revokeApproval")
        it = approval_of(console.desk, actor(), identifier)
        order = None if asked.cause is None else to_revoke(identifier, _digest(identifier, asked))
        causes = [each for each in EndCause if each in OFFICERS_CAUSES]
        confirmed = _confirmed(console, identifier)
        return render_template(
            "revoke.html",
            it=it,
            asked=asked,
            causes=causes,
            signs=console.signs is not None,
            confirmed=confirmed,
            offered=asked.breach or (confirmed[0] if len(confirmed) == 1 else ""),
            ask=None if order is None else ask(console, order),
        )

    @app.get("/console/approvals/<identifier>/revoke")
    def revoking(identifier: str) -> str | tuple[str, int]:
        """Ask for the cause; with it, show what will be true and what is signed."""
        said = request.args.get
        asked = Asked(_cause(said("cause", "")), said("breach", "").strip(), said("since", "").strip())
        if asked.cause is not EndCause.BREACH and asked.breach in _confirmed(console, identifier):
            asked = replace(asked, breach="")  # it was offered, and another cause was chosen
        try:
            _since(asked)
        except TrialCpaError as error:
            return show(identifier, _refused(replace(asked, cause=None), sentence(error), remedy(error))), 422
        return show(identifier, asked)

    @app.post("/console/approvals/<identifier>/revoke")
    def revoke_it(identifier: str) -> Response | tuple[str, int]:
        """Revoke, if the identifier was typed as it is."""
        cause, breach = _cause(field("cause")), field("breach")
        asked = Asked(
            cause=cause,
            breach=breach,
            since=field("since"),
            reasons=field("reasons"),
            typed=field("typed"),
            authorisation=field("authorisation"),
        )
        if cause is None or asked.typed.upper() != identifier:
            error = "The identifier that you typed is not that of this approval."
            hint = f"Type {identifier}: it is what ends, and nothing else."
            return show(identifier, _refused(asked, error, hint)), 422
        try:
            since = _since(asked)
            proof = signed(console, actor(), to_revoke(identifier, _digest(identifier, asked)))
            command = Revoke(
                approval=identifier,
                cause=cause,
                reasons=asked.reasons,
                invalidity_date=since,
                breach=breach or None,
            )
            done = revoke(console.desk, actor(), command, request_key(), signed=proof)
        except (NotFound, OperationNotPermitted):
            raise
        except TrialCpaError as error:
            return show(identifier, _refused(asked, sentence(error), remedy(error))), 422
        console.wrote()
        flash(f"{done.approval} is revoked. Verification says so now; OCSP and the list follow within seconds.")
        return redirect(url_for("told", identifier=identifier), 303)


def _confirmed(console: Console, identifier: str) -> list[str]:
    """The breaches of an approval that its revocation could answer."""
    found = listed(
        console.desk, actor(), approval=identifier, state=BreachState.CONFIRMED, after="", limit=MOST_OFFERED
    )
    return [each.breach for each in found.breaches]


def _cause(word: str) -> EndCause | None:
    return next((each for each in EndCause if each in OFFICERS_CAUSES and each == word), None)


def _digest(identifier: str, asked: Asked) -> str:
    """The digest of the order that was chosen; InstantMalformed."""
    cause, breach = str(asked.cause), asked.breach or None
    return revocation_digest(identifier, cause=cause, invalidity_date=_since(asked), breach=breach)


def _since(asked: Asked) -> datetime | None:
    """Since when the key is known to be compromised; InstantMalformed."""
    return read_instant(asked.since, field="Since when") if asked.since else None


def _refused(asked: Asked, error: str, hint: str) -> Asked:
    return replace(asked, error=error, hint=hint)

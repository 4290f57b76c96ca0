"""A decision: everything that will be true, and an officer who seconds exactly these documents, or rejects them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from flask import Flask, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from console.answering import Ask, ask
from console.forms import field, request_key, signed
from console.guard import actor, may
from console.service import Console
from core.errors import NotFound, OperationNotPermitted, TrialCpaError
from core.kinds import OPEN_DECISION, AuthorisedAct, DecisionKind, DecisionState
from officers import claims
from officers.statement import Claim, Listed
from ra.deciding import look
from ra.deciding.authorise import sign_for
from ra.deciding.many import progress
from ra.deciding.offered import drafting, offered
from ra.deciding.second import reject, second
from ra.deciding.views import DecisionAnswer, DecisionAuthorised, DecisionRejected, DecisionSeconded

LOOK_SECONDS = 1
"""After which the page of a decision looks again what the authority has made of it."""

SOON = timedelta(minutes=1)
"""In which it does so: the authority takes a second or two, and what takes longer is looked at by whoever wants to."""

_Done: TypeAlias = DecisionAuthorised | DecisionSeconded | DecisionRejected


@dataclass(frozen=True)
class Typed:
    """What somebody had typed when it was refused, and why: nothing of it is lost.

    Args:
        error: why.
        why: the reason for a rejection.
        authorisation: what was pasted.
        act: with which form.
    """

    error: TrialCpaError
    why: str
    authorisation: str
    act: AuthorisedAct


def add_deciding(app: Flask, console: Console) -> None:
    """Add the pages to the application."""

    @app.get("/console/decisions/<identifier>")
    def decision(identifier: str) -> Response:
        """Show a decision with everything that will be true; who waits for the authority is led on to what it made."""
        return _looked_at(console, identifier)

    @app.post("/console/decisions/<identifier>/authorisation")
    def sign_it(identifier: str) -> Response | tuple[str, int]:
        """Sign for one's own proposal, as it was shown."""
        return settle(identifier, AuthorisedAct.PROPOSE, _sign)

    @app.post("/console/decisions/<identifier>/second")
    def second_it(identifier: str) -> Response | tuple[str, int]:
        """Second what was shown: its digests came with the page, and are compared with what is on record."""
        return settle(identifier, AuthorisedAct.SECOND, _second)

    @app.post("/console/decisions/<identifier>/rejection")
    def reject_it(identifier: str) -> Response | tuple[str, int]:
        """Reject a proposal, or take one's own back."""
        return settle(identifier, AuthorisedAct.REJECT, _reject)

    def settle(identifier: str, act: AuthorisedAct, do: Callable[[Console, str], _Done]) -> Response | tuple[str, int]:
        try:
            done = do(console, identifier)
        except (NotFound, OperationNotPermitted):
            raise
        except TrialCpaError as error:
            typed = Typed(error=error, why=field("why"), authorisation=field("authorisation"), act=act)
            return show_decision(console, identifier, typed=typed), 422
        console.wrote()
        flash(_said(done))
        onward = "yes" if isinstance(done, DecisionSeconded) and done.approval is not None else None
        return redirect(url_for("decision", identifier=identifier, onward=onward), 303)


def _looked_at(console: Console, identifier: str) -> Response:
    it, waits = look.decision(console.desk, actor(), identifier), "onward" in request.args
    if waits and it.state is DecisionState.DONE and it.approval is not None:
        return redirect(url_for("approval", identifier=it.approval))
    page = make_response(show_decision(console, identifier))
    if waits and _looks_again(it, console.desk.clock.now()):  # who did not ask for it may be writing
        page.headers["Refresh"] = f"{LOOK_SECONDS}; url={request.full_path.rstrip('?')}"
    return page


def _looks_again(it: DecisionAnswer, at: datetime) -> bool:
    """Whether the authority is about to make something of it that its page will show."""
    made = it.state is DecisionState.SECONDED or (it.state in OPEN_DECISION and drafting(it))
    return made and at - (it.seconded_at or it.proposed_at) < SOON


def show_decision(
    console: Console, identifier: str, *, typed: Typed | None = None, error: TrialCpaError | None = None
) -> str:
    """Return the page of a decision.

    Args:
        console: at work.
        identifier: of the decision.
        typed: what somebody wanted to sign for, and why that was refused.
        error: why anything else on it was refused.
    """
    it = look.decision(console.desk, actor(), identifier)
    may_do = offered(actor(), it)
    of_many = it.kind is DecisionKind.REVOKE and it.approval is None
    return render_template(
        "decision.html",
        it=it,
        opened=may_do.opened,
        may_sign=may_do.sign,
        may_second=may_do.second,
        may_reject=may_do.reject,
        may_acknowledge=may_do.acknowledge,
        digests=_digests(it),
        signs=console.signs is not None,
        asks=_asks(console, it) if may_do.opened and may("secondDecision") else {},
        typed=typed,
        error=error,
        drafting=may_do.drafting,
        many=progress(console.desk, actor(), identifier) if of_many else None,
        witnesses=may_do.witness,
    )


def _sign(console: Console, identifier: str) -> DecisionAuthorised:
    proposal_sha256 = field("proposal_sha256")
    listed = Listed(decision=identifier, proposal_sha256=proposal_sha256)
    proof = signed(console, actor(), claims.about(AuthorisedAct.PROPOSE, listed))
    return sign_for(
        console.desk, actor(), identifier, proposal_sha256=proposal_sha256, signed=proof, request=request_key()
    )


def _second(console: Console, identifier: str) -> DecisionSeconded:
    proposal_sha256 = field("proposal_sha256")
    tbs_sha256 = tuple(each for each in field("tbs_sha256").split() if each) or None
    listed = Listed(decision=identifier, proposal_sha256=proposal_sha256, tbs_sha256=tbs_sha256)
    proof = signed(console, actor(), claims.about(AuthorisedAct.SECOND, listed))
    return second(
        console.desk,
        actor(),
        identifier,
        proposal_sha256=proposal_sha256,
        tbs_sha256=tbs_sha256,
        signed=proof,
        request=request_key(),
    )


def _reject(console: Console, identifier: str) -> DecisionRejected:
    listed = Listed(decision=identifier, proposal_sha256=field("proposal_sha256"))
    claim: Claim = claims.about(AuthorisedAct.REJECT, listed)
    proof = signed(console, actor(), claim)
    return reject(console.desk, actor(), identifier, why=field("why"), signed=proof, request=request_key())


def _asks(console: Console, it: DecisionAnswer) -> dict[str, Ask | None]:
    """What one's passkey is asked for each act about a decision, by the act."""
    listed = Listed(decision=it.decision, proposal_sha256=it.proposal_sha256, tbs_sha256=_digests(it) or None)
    acts = (AuthorisedAct.PROPOSE, AuthorisedAct.SECOND, AuthorisedAct.REJECT)
    return {each.value: ask(console, claims.about(each, listed)) for each in acts}


def _digests(it: DecisionAnswer) -> tuple[str, ...]:
    """Of the bytes to be signed, in order of issue."""
    return tuple(each.tbs_sha256 for each in it.drafts) or (() if it.tbs_sha256 is None else (it.tbs_sha256,))


def _said(done: _Done) -> str:
    if isinstance(done, DecisionAuthorised):
        return f"You have signed for {done.decision}. Another officer can second it now."
    if isinstance(done, DecisionRejected):
        return f"{done.decision} is rejected."
    if done.officers_wanting:
        return f"You have seconded {done.decision}. Officers who have still to agree: {done.officers_wanting}."
    return f"You have seconded {done.decision}. The authority carries it out now."

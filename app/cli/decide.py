"""`trialcpa decide`: officers propose, look, second, reject, and revoke in an emergency (F2.18, F2.21 to F2.30)."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, assert_never

import click
from rich.console import Console

from api.answers import DecisionBatchAnswer, Problem
from app.cli import asking, decision_shown, revocation_shown, shown
from app.cli.authorising import AT_ONCE, sign_for
from app.cli.decide_export import export
from app.cli.decide_many import revoke_many
from app.cli.decide_witness import acknowledge, witness
from app.cli.service import Service, asks_service
from app.cli.signing import Signing, signs
from app.cli.words import WORDS, WORDS_OF_FILE, why_option
from app.client import Client, path
from app.officer import Hand, to_revoke
from app.recomputed import Recomputed, recomputed
from core.approval import OFFICERS_CAUSES, EndCause
from core.errors import TrialCpaError
from core.identifiers import ApprovalIdentifier
from core.instants import read_instant
from core.kinds import OPEN_DECISION, AuthorisedAct, DecisionKind, DecisionState
from officers.statement import MOST_LISTED, Listed
from ra.deciding.views import (
    ApprovalRevoked,
    DecisionAnswer,
    DecisionAuthorised,
    DecisionPage,
    DecisionProposed,
    DecisionRejected,
    DecisionSeconded,
)
from ra.views import document

TYPED = 8
"""Characters of the proposal's digest that an officer types, which nobody does by habit."""

DRAFT_SECONDS = 10.0
"""How long a draft is waited for; the authority makes one in some hundredths of a second."""

_CAUSES = [each.value for each in OFFICERS_CAUSES]

EXIT_REFUSED = 1
_SECOND_NEXT = "Another officer sees and seconds: trialcpa decide second"
_BETWEEN = 0.2

Outcome: TypeAlias = (
    DecisionProposed | DecisionAuthorised | DecisionSeconded | DecisionRejected | ApprovalRevoked | Problem
)


@click.group(epilog="\b\nExample:\n  trialcpa decide second dec-6564f1a2-9c3b1d2e4f60718a")
def decide() -> None:
    """Propose decisions, see everything that will be true, second or reject them."""


decide.add_command(export)
decide.add_command(acknowledge)
decide.add_command(witness)
decide.add_command(revoke_many)


@decide.command("list", epilog="\b\nExample:\n  trialcpa decide list")
@click.option("--all", "every", is_flag=True, help="Also those that are done, rejected or lapsed.")
@click.option("--approval", help="Only those about this approval.")
@asks_service
def list_(every: bool, approval: str | None, service: Service) -> None:  # noqa: FBT001 - click
    """List the decisions that wait to be seconded."""
    with service.connect() as client:
        pages = client.pages(DecisionPage, "/v1/decisions", approval=approval)
        found = [each for page in pages for each in page.decisions if every or each.state in OPEN_DECISION]
    if service.as_json:
        shown.as_json({"decisions": [document(each) for each in found]})
        return
    shown.table(
        shown.out(),
        ("decision", "kind", "state", "about", "proposed", "by"),
        [
            (each.decision, each.kind, each.state, decision_shown.about_of(each), each.proposed_at, each.proposer)
            for each in found
        ],
        none="No decision waits." if not every else "No decision was ever proposed.",
    )


@decide.command(
    short_help="Propose one decision or a meeting's.",
    epilog="\b\nExample:\n  trialcpa decide propose --template > meeting.toml",
)
@click.argument("form", required=False, type=click.Path(dir_okay=False, path_type=Path), metavar="[FILE.toml]")
@click.option("--template", is_flag=True, help="Print a form to fill in, and do nothing else.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent.")
@signs(elsewhere=False, later=True)
@asks_service
def propose(*, form: Path | None, template: bool, dry_run: bool, signing: Signing, service: Service) -> None:
    """Propose the decisions of a form, one or a meeting's, and sign for them; each stands or falls alone."""
    # Only here is it known what each kind may say; looking and seconding need not wait for that to be loaded.
    from app.cli.decision_form import TEMPLATE, decisions  # noqa: PLC0415 - the reason stands above

    if template:
        click.echo(TEMPLATE, nl=False)
        return
    if form is None:
        raise click.UsageError("Name a form: trialcpa decide propose FILE.toml (--template prints one).")
    proposed = decisions(form)
    if dry_run:
        shown.as_json({"decisions": proposed})
        return
    raise SystemExit(_proposed(service, signing, proposed))


@decide.command(
    short_help="Sign for your own proposals.",
    epilog="\b\nExample:\n  trialcpa decide authorise dec-6564f1a2-9c3b1d2e4f60718a",
)
@click.argument("decision", nargs=-1, required=True)
@signs()
@asks_service
def authorise(decision: tuple[str, ...], signing: Signing, service: Service) -> None:
    """Sign for what you proposed, if that was not done at once; before it nobody can second it."""
    with service.connect() as client:
        outcomes: list[Outcome] = [*sign_for(client, signing.hand(client), decision)]
    raise SystemExit(_told(service, outcomes, f"{_SECOND_NEXT} {' '.join(decision)}"))


@decide.command(
    short_help="Show everything that will be true.",
    epilog="\b\nExample:\n  trialcpa decide show dec-6564f1a2-9c3b1d2e4f60718a",
)
@click.argument("decision")
@asks_service
def show(decision: str, service: Service) -> None:
    """Show everything that will be true: certificate, difference, notices, CPL entries, findings."""
    with service.connect() as client:
        said = drafted(client, decision)
    found = recomputed(said)
    if service.as_json:
        shown.as_json(document(said))
    else:
        decision_shown.show(shown.out(), said, found.certificates)


@decide.command(
    short_help="Second what another officer proposed.",
    epilog="\b\nExample:\n  trialcpa decide second dec-6564f1a2-9c3b1d2e4f60718a",
)
@click.argument("decision", nargs=-1, required=True)
@click.option("--yes-i-have-read", is_flag=True, help="Do not ask for the digest's first characters.")
@signs()
@asks_service
def second(*, decision: tuple[str, ...], yes_i_have_read: bool, signing: Signing, service: Service) -> None:
    """Second what another officer proposed, after it was shown; you sign for both digests, recomputed here."""
    if service.as_json and not yes_i_have_read:
        raise click.UsageError("--json asks nothing: look first (trialcpa decide show), then say --yes-i-have-read.")
    console = shown.out()
    accepted = []
    with service.connect() as client:
        hand = signing.hand(client)
        for each in dict.fromkeys(decision):
            said = drafted(client, each)
            found = recomputed(said)
            if not service.as_json:
                decision_shown.show(console, said, found.certificates)
            if yes_i_have_read or confirmed(console, said, found, AuthorisedAct.SECOND):
                accepted.append(found.listed)
        outcomes = _seconded(client, hand, accepted)
    status = _told(service, outcomes, _where_it_stands(outcomes))
    raise SystemExit(status if len(accepted) == len(set(decision)) else EXIT_REFUSED)


@decide.command(epilog="\b\nExample:\n  trialcpa decide reject dec-6564f1a2-9c3b1d2e4f60718a --why 'See minute 7.'")
@click.argument("decision")
@why_option("A sentence, for the record.")
@signs()
@asks_service
def reject(*, decision: str, why: str, signing: Signing, service: Service) -> None:
    """Reject a proposal, or take your own back."""
    with service.connect() as client:
        hand = signing.hand(client)
        listed = recomputed(client.show(DecisionAnswer, path("decisions", decision))).listed
        body = {"why": why, **hand.for_decision(AuthorisedAct.REJECT, listed)}
        outcome = client.do(DecisionRejected, path("decisions", decision, "rejection"), body)
    raise SystemExit(_told(service, [outcome], ""))


@decide.command(epilog="\b\nExample:\n  trialcpa decide revoke TDA-2027-0042-Y --cause ssc --why @why.txt")
@click.argument("approval")
@click.option("--cause", required=True, type=click.Choice(_CAUSES), metavar="CAUSE", help=f"{', '.join(_CAUSES)}.")
@click.option("--breach", help="The confirmed breach that it is for (F2.23).")
@why_option("A summary of why, for the notice.", required=False)
@click.option("--reasons", hidden=True, type=WORDS_OF_FILE, help="As --why @FILE, by its former name.")
@click.option("--invalidity-date", metavar="INSTANT", help="Since when the key is compromised.")
@click.option("--urgent", is_flag=True, help="At once, by you alone (F2.30).")
@click.option("--yes-i-have-read", is_flag=True, help="With --urgent: do not ask.")
@signs(later=True)
@asks_service
def revoke(
    *, approval: str, urgent: bool, yes_i_have_read: bool, signing: Signing, service: Service, **said: str | None
) -> None:
    """Propose to revoke an approval, or revoke it at once."""
    words = said["why"] or said["reasons"]
    if words is None:
        raise click.UsageError("Say --why: a summary of why.")
    if urgent and signing.later:
        raise click.UsageError("--urgent is at once: sign for it now, or give --authorisation.")
    if signing.authorisation is not None and not urgent:
        raise click.UsageError("A proposal is signed for once it is made: --sign-later, then decide authorise.")
    cause, breach, invalidity_date = EndCause(str(said["cause"])), said["breach"], said["invalidity_date"]
    body = {
        "cause": cause.value,
        "reasons": words,
        **({"breach": breach} if breach else {}),
        **({"invalidity_date": invalidity_date} if invalidity_date else {}),
    }
    if not urgent:
        proposed = {"kind": DecisionKind.REVOKE, "approval": approval, **body}
        raise SystemExit(_proposed(service, signing, [proposed]))
    if service.as_json and not yes_i_have_read:
        raise click.UsageError("--json asks nothing: look first (trialcpa status), then say --yes-i-have-read.")
    since = read_instant(invalidity_date) if invalidity_date else None
    identifier = str(ApprovalIdentifier.parse(approval))
    with service.connect() as client:
        if not service.as_json:
            revocation_shown.show(shown.out(), client, identifier, cause, words, breach=breach)
        if not yes_i_have_read:
            revocation_shown.require_typed(identifier)
        claim = to_revoke(identifier, cause=cause.value, invalidity_date=since, breach=breach)
        sent = {**body, **signing.hand(client).for_claim(claim)}
        outcome = client.do(ApprovalRevoked, path("approvals", identifier, "revocation"), sent)
    raise SystemExit(_told(service, [outcome], ""))


@decide.command(
    short_help="Propose to correct a notice.",
    epilog="\b\nExample:\n  trialcpa decide correct TDN-2027-0042 --why @why.txt --summary @text.txt",
)
@click.argument("notice")
@why_option("What was wrong.")
@click.option("--summary", type=WORDS, help="The summary, as it should have been.")
@click.option("--assessment", type=WORDS, help="The assessment, as it should have been.")
@click.option("--description", type=WORDS, help="The description, as it should have been.")
@signs(elsewhere=False, later=True)
@asks_service
def correct(*, notice: str, why: str, summary: str | None, signing: Signing, service: Service, **told: str) -> None:
    """Propose a notice that corrects another, which stays as it was written.

    Words are Amber and go to all three; a form can say otherwise. What was decided is amended, not corrected.
    """
    passages = [{"subject": subject, "text": words} for subject, words in told.items() if words is not None]
    body = {"kind": DecisionKind.CORRECT, "notice": notice.upper(), "reasons": why, "passages": passages}
    raise SystemExit(_proposed(service, signing, [{**body, **({"summary": {"text": summary}} if summary else {})}]))


@decide.command(
    "withdraw-waiting",
    short_help="Propose to withdraw what waits.",
    epilog="\b\nExample:\n  trialcpa decide withdraw-waiting TDA-2027-0042-Y --why @why.txt",
)
@click.argument("approval")
@why_option("A summary of why, for the notice.")
@signs(elsewhere=False, later=True)
@asks_service
def withdraw_waiting(*, approval: str, why: str, signing: Signing, service: Service) -> None:
    """Propose that what is decided for later, and has not begun, never does; what holds goes on (F2.29)."""
    proposed = {"kind": DecisionKind.WITHDRAW_WAITING, "approval": approval, "reasons": why}
    raise SystemExit(_proposed(service, signing, [proposed]))


def drafted(client: Client, decision: str) -> DecisionAnswer:
    """Return a decision, once what is to be signed is there to be looked at."""
    deadline = time.monotonic() + DRAFT_SECONDS
    while True:
        said = client.show(DecisionAnswer, path("decisions", decision))
        if said.state is not DecisionState.PROPOSED or said.issue is None or time.monotonic() > deadline:
            return said
        time.sleep(_BETWEEN)


def confirmed(console: Console, said: DecisionAnswer, found: Recomputed, act: AuthorisedAct) -> bool:
    """Ask for the digest; a decision about which nothing can be done is not asked about."""
    if said.state not in OPEN_DECISION:
        shown.sentence(console, f"\n{said.decision} is {said.state}; there is nothing to {act}.", style="red")
        return False
    question = f"\nType the first {TYPED} characters of the proposal digest to {act} {said.decision}"
    typed = asking.repeated(question, instead="--yes-i-have-read", err=console.stderr)
    if typed.lower() == found.listed.proposal_sha256[:TYPED]:
        return True
    shown.sentence(console, f"Nothing to {act} it: that is not how its digest begins.", style="yellow")
    return False


def _proposed(service: Service, signing: Signing, bodies: Sequence[Mapping[str, Any]]) -> int:
    """Propose, and sign for what was proposed; return the exit status.

    If we die between, the proposals stand and nobody can second them: trialcpa decide authorise goes on.
    """
    with service.connect() as client:
        hand = signing.hand(client)
        outcomes: list[Outcome]
        if len(bodies) == 1:
            outcomes = [client.do(DecisionProposed, "/v1/decisions", bodies[0])]
        else:
            outcomes = _batch(client, "/v1/decisions/batch", bodies)
        made = [(each, sent) for each, sent in zip(outcomes, bodies, strict=True) if isinstance(each, DecisionProposed)]
        sent = {each.decision: body for each, body in made}
        signed: list[Outcome] = []
        try:
            if hand.signs and made:
                signed += sign_for(client, hand, list(sent), sent)
        except TrialCpaError as error:
            _told(service, outcomes, "")
            click.echo(f"Proposed and not signed for. Then: trialcpa decide authorise {' '.join(sent)}", err=True)
            raise error from None
    step = "Sign for it: trialcpa decide authorise" if signing.later else _SECOND_NEXT
    return _told(service, outcomes, f"{step} {' '.join(sent)}", signed)


def _seconded(client: Client, hand: Hand, accepted: Sequence[Listed]) -> list[Outcome]:
    if not accepted:
        return []
    if len(accepted) > MOST_LISTED:  # no statement is about more
        first, further = accepted[:MOST_LISTED], accepted[MOST_LISTED:]
        return [*_seconded(client, hand, first), *_seconded(client, hand, further)]
    if len(accepted) > 1:
        listed = [{"decision": each.decision, **_digests(each)} for each in accepted]
        signed = hand.for_decisions(AuthorisedAct.SECOND, accepted)
        return _batch(client, "/v1/decisions/batch/second", listed, signed)
    only = accepted[0]
    body = {**_digests(only), **hand.for_decision(AuthorisedAct.SECOND, only)}
    return [client.do(DecisionSeconded, path("decisions", only.decision, "second"), body)]


def _digests(accepted: Listed) -> dict[str, object]:
    """The digests as they are repeated; a kind that issues no certificate has one, and one that carries a list."""
    tbs = accepted.tbs_sha256
    said = {} if not tbs else {"tbs_sha256": tbs[0] if len(tbs) == 1 else list(tbs)}
    return {"proposal_sha256": accepted.proposal_sha256, **said}


def _batch(
    client: Client, address: str, every: Sequence[Mapping[str, object]], signed: Mapping[str, object] | None = None
) -> list[Outcome]:
    """Ask for several, as many at once as the service takes; return the outcome of each, or its problem.

    Args:
        client: asks.
        address: of the batch.
        every: what is asked for.
        signed: the statement about all of them, which goes with each portion.
    """
    results = [
        each
        for first in range(0, len(every), AT_ONCE)
        for each in client.do(
            DecisionBatchAnswer, address, {"decisions": every[first : first + AT_ONCE], **(signed or {})}
        ).results
    ]
    return [told for each in results for told in (each.outcome, each.problem) if told is not None]


def _told(service: Service, outcomes: Sequence[Outcome], next_step: str, signed: Sequence[Outcome] = ()) -> int:
    """Show what became of each, and of what was signed for it; return the exit status."""
    refused = [each for each in (*outcomes, *signed) if isinstance(each, Problem)]
    if service.as_json:
        authorised = {"authorised": [_written(each) for each in signed]} if signed else {}
        shown.as_json({"decisions": [_written(each) for each in outcomes], **authorised})
        return EXIT_REFUSED if refused else 0
    console = shown.out()
    for told in (outcomes, signed):
        for place, each in enumerate(told, 1):
            _tell(console, place, each)
    if next_step and len(refused) < len(outcomes):
        shown.sentence(console, next_step, style="dim")
    return EXIT_REFUSED if refused else 0


def _where_it_stands(outcomes: Sequence[Outcome]) -> str:
    """Return how an officer sees what became of what was seconded: of one approval by its name, of many by one act."""
    approvals = [each.approval for each in outcomes if isinstance(each, DecisionSeconded) and each.approval]
    for each in outcomes if len(outcomes) == 1 else ():
        if isinstance(each, DecisionSeconded) and each.kind is DecisionKind.REVOKE and each.approval is None:
            return f"How far it has come: trialcpa decide revoke-many --progress {each.decision}"
    return " ".join(("Where it stands: trialcpa status", *(approvals if len(approvals) == 1 else ())))


def _written(outcome: Outcome) -> dict[str, object]:
    return {"problem": document(outcome)} if isinstance(outcome, Problem) else {**document(outcome)}


def _tell(console: Console, place: int, outcome: Outcome) -> None:
    """Say what became of one."""
    what: tuple[str | None, ...]
    match outcome:
        case Problem():
            shown.sentence(console, f"{place}. refused: {outcome.detail} {outcome.hint}", style="red")
            for finding in outcome.findings:
                shown.sentence(console, f"- {finding.detail} {finding.remedy}", indent=5)
            return
        case DecisionProposed():
            what, state = (outcome.kind, outcome.approval), f"{outcome.state}"
        case DecisionAuthorised():
            what, state = (outcome.kind, outcome.approval), f"signed for by {outcome.authorised_by}"
        case DecisionSeconded():
            wanting = shown.many(outcome.officers_wanting, "more officer")
            waits = f"; it waits for {wanting}" if outcome.officers_wanting else ""
            what, state = (outcome.kind, outcome.approval), f"{outcome.state}{waits}"
        case DecisionRejected():
            what, state = (outcome.kind, None), f"{outcome.state}"
        case ApprovalRevoked():
            what, state = ("revoke", outcome.approval), f"revoked {shown.when(outcome.revoked_at)}"
        case _:
            assert_never(outcome)
    about = " ".join(each for each in (outcome.decision, *what) if each)
    shown.sentence(console, f"{place}. {about}: {state}")
    if isinstance(outcome, DecisionProposed | ApprovalRevoked) and (outcome.findings or outcome.wanting):
        shown.findings(console, (*outcome.findings, *outcome.wanting))

"""`trialcpa decide acknowledge` and `witness`: what officers say of what others have decided (F2.30)."""

import click

from app.cli import decision_shown, shown
from app.cli.service import Service, asks_service
from app.cli.words import why_option
from app.client import path
from app.recomputed import recomputed
from core.kinds import Witnessed
from ra.deciding.views import DecisionAcknowledged, DecisionAnswer, DecisionWitnessed
from ra.views import document


@click.command(
    short_help="Say that you are informed of a revocation.",
    epilog="\b\nExample:\n  trialcpa decide acknowledge dec-6564f1a2-9c3b1d2e4f60718a",
)
@click.argument("decision")
@asks_service
def acknowledge(decision: str, service: Service) -> None:
    """Say that you are informed of an urgent revocation by another officer (F2.30), after it was shown."""
    with service.connect() as client:
        if not service.as_json:
            said = client.show(DecisionAnswer, path("decisions", decision))
            decision_shown.show(shown.out(), said, recomputed(said).certificates)
        outcome = client.do(DecisionAcknowledged, path("decisions", decision, "acknowledgement"), {})
    if service.as_json:
        shown.as_json(document(outcome))
        return
    who, at = outcome.acknowledged_by, shown.when(outcome.acknowledged_at)
    shown.heading(shown.out(), f"{outcome.decision}: acknowledged by {who}, {at}", "bold green")


@click.command(
    short_help="Say that you have seen it, or disown it.",
    epilog="\b\nExample:\n  trialcpa decide witness dec-6564f1a2-9c3b1d2e4f60718a --seen",
)
@click.argument("decision")
@click.option("--seen", is_flag=True, help="You have seen it, and know of nothing against it.")
@click.option("--disowned", is_flag=True, help="It was not made as the register has it; this is never taken back.")
@why_option("A sentence, for the record, with --disowned.", required=False)
@asks_service
def witness(*, decision: str, seen: bool, disowned: bool, why: str | None, service: Service) -> None:
    """Say of an issue or an end that you have seen it, or that it was not decided so, after it was shown."""
    if seen == disowned:
        raise click.UsageError("Say one of --seen and --disowned.")
    if disowned != bool(why):
        raise click.UsageError("Say --why with --disowned, and only with it.")
    body = {"saw": Witnessed.DISOWNED, "why": why} if disowned else {"saw": Witnessed.SEEN}
    with service.connect() as client:
        if not service.as_json:
            said = client.show(DecisionAnswer, path("decisions", decision))
            decision_shown.show(shown.out(), said, recomputed(said).certificates)
        outcome = client.do(DecisionWitnessed, path("decisions", decision, "witness"), body)
    if service.as_json:
        shown.as_json(document(outcome))
        return
    told = f"{outcome.decision}: {outcome.saw} by {outcome.officer}, {shown.when(outcome.at)}"
    shown.heading(shown.out(), told, "bold red" if disowned else "bold green")

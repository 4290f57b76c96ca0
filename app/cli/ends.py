"""`trialcpa ends`: a Manufacturer asks for the end of its approval; the SSC ends it, or answers (F2.30)."""

import click

from app.cli import shown
from app.cli.service import Service, asks_service
from app.cli.words import WORDS, why_option
from app.client import path
from core.kinds import EndRequestState
from ra.applying.views import EndRequestAnswer, EndRequested, EndRequestPage
from ra.views import document


@click.group(epilog="\b\nExample:\n  trialcpa ends request TDA-2027-0042-Y --why 'It is over.'")
def ends() -> None:
    """Requests for the end of an approval; the SSC ends it, or answers (F2.30)."""


@ends.command("list", epilog="\b\nExample:\n  trialcpa ends list --state open")
@click.argument("approval", required=False)
@click.option("--state", type=click.Choice([each.value for each in EndRequestState]), help="Only those in this state.")
@asks_service
def list_(approval: str | None, state: str | None, service: Service) -> None:
    """List requests for ends, and what became of them."""
    with service.connect() as client:
        pages = client.pages(EndRequestPage, path("end-requests"), approval=approval, state=state)
        found = [each for page in pages for each in page.requests]
    if service.as_json:
        shown.as_json({"requests": [document(each) for each in found]})
        return
    shown.table(
        shown.out(),
        ("request", "approval", "state", "asked on", "reasons", "answer or decision"),
        [
            (
                each.request,
                each.approval,
                each.state,
                shown.day_of(each.asked_at),
                each.reasons,
                each.answer or each.decision or "",
            )
            for each in found
        ],
        none="No end was asked for.",
    )


@ends.command(short_help="Show a request.", epilog="\b\nExample:\n  trialcpa ends show enr-6564f1a2-9c3b1d2e4f60718a")
@click.argument("request")
@asks_service
def show(request: str, service: Service) -> None:
    """Show a request for an end, and what became of it."""
    with service.connect() as client:
        said = client.show(EndRequestAnswer, path("end-requests", request))
    if service.as_json:
        shown.as_json(document(said))
        return
    console = shown.out()
    shown.heading(console, f"{said.request}: {said.state}")
    shown.facts(
        console,
        [
            ("approval", said.approval),
            ("reasons", said.reasons),
            ("asked", f"{shown.when(said.asked_at)} by {said.asked_by}"),
            ("answer", said.answer),
            ("by", said.answered_by),
            ("decision", said.decision),
            ("closed", shown.when(said.closed_at) if said.closed_at else None),
        ],
    )


@ends.command(
    short_help="Ask for the end of your approval.",
    epilog="\b\nExample:\n  trialcpa ends request TDA-2027-0042-Y --why 'The trial is over.'",
)
@click.argument("approval")
@why_option("In a sentence.")
@asks_service
def request(*, approval: str, why: str, service: Service) -> None:
    """Ask for the end of an approval; nothing ends before the SSC decides it."""
    with service.connect() as client:
        outcome = client.do(EndRequested, path("approvals", approval, "end-requests"), {"reasons": why})
    _told(service, outcome)


@ends.command(
    short_help="Take a request back.", epilog="\b\nExample:\n  trialcpa ends withdraw enr-6564f1a2-9c3b1d2e4f60718a"
)
@click.argument("request")
@asks_service
def withdraw(request: str, service: Service) -> None:
    """Take a request back, before it is proposed for decision."""
    with service.connect() as client:
        outcome = client.do(EndRequested, path("end-requests", request, "withdrawal"), {})
    _told(service, outcome)


@ends.command(
    short_help="Refuse a request, or answer it in words.",
    epilog="\b\nExample:\n  trialcpa ends answer enr-6564f1a2-9c3b1d2e4f60718a --words @why.txt",
)
@click.argument("request")
@click.option("--refused", is_flag=True, help="It is refused; otherwise it is answered.")
@click.option("--words", type=WORDS, required=True, help="For the Manufacturer, who gets them in a notice.")
@asks_service
def answer(*, request: str, refused: bool, words: str, service: Service) -> None:
    """Refuse a request, or answer it; the approval stands. To end it: trialcpa decide propose."""
    outcome_said = EndRequestState.REFUSED if refused else EndRequestState.ANSWERED
    with service.connect() as client:
        said = {"outcome": outcome_said.value, "answer": words}
        outcome = client.do(EndRequested, path("end-requests", request, "answer"), said)
    _told(service, outcome)


def _told(service: Service, outcome: EndRequested) -> None:
    if service.as_json:
        shown.as_json(document(outcome))
        return
    console = shown.out()
    shown.sentence(console, f"{outcome.request}: {outcome.state}, for {outcome.approval}")
    if outcome.notice is not None:
        shown.sentence(console, f"The Manufacturer is told in {outcome.notice}.", style="dim")
    elif outcome.state is EndRequestState.OPEN:
        step = f"The Security Sub-Committee decides: trialcpa ends show {outcome.request}"
        shown.sentence(console, step, style="dim")

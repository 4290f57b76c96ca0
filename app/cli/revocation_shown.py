"""An urgent revocation (F2.30) as the one officer must see it who makes it: what will be true, and for whom."""

from collections.abc import Iterator

import click
from rich.console import Console

from app.cli import application_shown, asking, shown
from app.client import Client, path
from core.approval import EndCause
from core.errors import ServiceRefused
from core.kinds import BreachState
from ra.reporting.views import BreachPage, DeploymentsAnswer
from ra.telling.views import ApprovalAnswer


def show(
    console: Console, client: Client, approval: str, cause: EndCause, words: str, *, breach: str | None = None
) -> None:
    """Show what ends, and everything that follows from it at once.

    Args:
        console: where.
        client: asks the service.
        approval: its identifier.
        cause: of the end.
        words: the summary of why, as the notice will have it.
        breach: that it is for, if it is for one.
    """
    said = client.show(ApprovalAnswer, path("approvals", approval))
    shown.heading(console, f"To revoke {approval} at once, by you alone (F2.30)", "bold red")
    shown.facts(
        console,
        [
            ("state now", said.state),
            ("Manufacturer", said.organisation),
            ("device", shown.device_of(said.device)),
            ("firmware", application_shown.firmware(said.firmware)),
            ("start", shown.when(said.start)),
            ("expiry", shown.when(said.expiry)),
            ("most devices", f"{said.maximum_devices:,}{_deployed(client, approval)}"),
            ("certificates", [f"issue {each.issue}, {each.serial}" for each in said.certificates if not each.ended_at]),
            ("cause", cause),
            ("why", words),
        ],
    )
    shown.heading(console, "What will be true")
    for each in _follows(cause):
        shown.sentence(console, f"- {each}")
    for owed in _owed(client, approval, breach):
        shown.sentence(console, f"- {owed}", style="yellow")


def require_typed(approval: str) -> None:
    """Ask for the identifier of what is to end, and end the command by a sentence if it is not typed.

    Raises:
        QuestionUnanswered: nobody is there.
    """
    question = f"\nNothing takes it back. Type {approval} to revoke it"
    typed = asking.repeated(question, instead="--yes-i-have-read")
    if typed.upper() != approval:
        raise click.ClickException("That is not its identifier: nothing was revoked.")


def _follows(cause: EndCause) -> tuple[str, ...]:
    acknowledged = "Another officer must acknowledge that you did it (trialcpa decide acknowledge)."
    told = "Manufacturer, DCC and Panel get a notice, each what its class allows; why stands in it as above."
    if cause is EndCause.KEY_COMPROMISE:
        return (
            "Every certificate of its key has ended: verification, CRL and OCSP say so from this second on.",
            "The approval stands; a new key is certified by a decision of its own (kind rekey).",
            told,
            acknowledged,
        )
    return (
        "The approval and every certificate under it have ended: verification, CRL and OCSP say so from now on.",
        "The Panel is told to remove its entries from the Central Products List (F2.31).",
        "A new approval has to be applied for if the trial is to go on (F2.31).",
        told,
        acknowledged,
    )


def _owed(client: Client, approval: str, breach: str | None) -> Iterator[str]:
    """Yield what goes on being owed, because this revocation is not for it (F2.23)."""
    address, state = path("approvals", approval, "breaches"), BreachState.CONFIRMED.value
    for page in client.pages(BreachPage, address, state=state):
        for each in page.breaches:
            if each.breach != breach:
                yield f"Breach {each.breach} stays unanswered (F2.23): say --breach {each.breach} if this is for it."


def _deployed(client: Client, approval: str) -> str:
    try:
        found = client.show(DeploymentsAnswer, path("approvals", approval, "deployments"))
    except ServiceRefused:
        return ""
    return f", of which {found.deployed:,} are deployed"

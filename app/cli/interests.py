"""`trialcpa interests`: who says of themselves that an application concerns them beside their office."""

import click

from app.cli import interests_shown, shown
from app.cli.service import Service, asks_service
from app.cli.words import WORDS
from app.client import path
from ra.committee.views import InterestDeclared, InterestList
from ra.views import document


@click.group(epilog="\b\nExample:\n  trialcpa interests declare app-6564f1a2-9c3b1d2e4f60718a 'I worked there.'")
def interests() -> None:
    """Interests in an application. Each is shown beside the decision; the authority counts none."""


@interests.command("list", epilog="\b\nExample:\n  trialcpa interests list app-6564f1a2-9c3b1d2e4f60718a")
@click.argument("application")
@asks_service
def list_(application: str, service: Service) -> None:
    """List the interests in an application, withdrawn ones too."""
    with service.connect() as client:
        found = client.show(InterestList, path("applications", application, "interests"))
    if service.as_json:
        shown.as_json(document(found))
    else:
        interests_shown.show(shown.out(), found.interests)


@interests.command(epilog="\b\nExample:\n  trialcpa interests declare app-6564f1a2-9c3b1d2e4f60718a 'I worked there.'")
@click.argument("application")
@click.argument("text", type=WORDS)
@click.option("--whose", default="", metavar="NAME", help="Of somebody who has said so; else yours.")
@asks_service
def declare(application: str, text: str, whose: str, service: Service) -> None:
    """Declare an interest. TEXT may be @FILE."""
    with service.connect() as client:
        made = client.do(
            InterestDeclared, path("applications", application, "interests"), {"text": text, "officer": whose}
        )
    _say(service, made, f"{made.interest}: declared in {made.application}; whoever decides sees it")


@interests.command(epilog="\b\nExample:\n  trialcpa interests withdraw int-6564f1a2-9c3b1d2e4f60718a")
@click.argument("interest")
@asks_service
def withdraw(interest: str, service: Service) -> None:
    """Withdraw an interest; that it was declared stays."""
    with service.connect() as client:
        made = client.do(InterestDeclared, path("interests", interest, "withdrawal"), {})
    _say(service, made, f"{made.interest}: withdrawn")


def _say(service: Service, made: InterestDeclared, words: str) -> None:
    if service.as_json:
        shown.as_json(document(made))
    else:
        shown.sentence(shown.out(), words)

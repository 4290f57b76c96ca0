"""`trialcpa requirements`: what the SSC requires of an application beside F2.19, met or waived (F2.20)."""

from collections.abc import Mapping
from typing import Any

import click

from app.cli import shown
from app.cli.service import Service, asks_service
from app.cli.words import WORDS
from app.client import path
from core.kinds import RequirementState

_LISTED = "requirements"


@click.group(
    epilog="\b\nExample:\n  trialcpa requirements add app-6564f1a2-9c3b1d2e4f60718a 'A site plan.'",
)
def requirements() -> None:
    """Further requirements of an application, or standing ones of all (F2.20)."""


@requirements.command("list", epilog="\b\nExample:\n  trialcpa requirements list app-6564f1a2-9c3b1d2e4f60718a")
@click.argument("application", required=False)
@click.option("--standing", is_flag=True, help="The standing ones, which every application gets.")
@asks_service
def list_(application: str | None, standing: bool, service: Service) -> None:  # noqa: FBT001 - click
    """List the requirements of an application, each open, met or waived."""
    if standing == (application is not None):
        raise click.UsageError("Name an application, or say --standing.")
    address = path("requirements", "standing") if application is None else path("applications", application, _LISTED)
    with service.connect() as client:
        said = client.get(address)
    if service.as_json:
        shown.as_json(said)
    elif application is None:
        shown.table(
            shown.out(),
            ("standing", "state", "set", "text"),
            [
                (each["standing"], _in_force(each), shown.day_of(each["set_at"]), each["text"])
                for each in said["standing"]
            ],
            none="Nothing is required of every application.",
        )
    else:
        shown.table(
            shown.out(),
            ("requirement", "state", "set", "text", "reason"),
            [
                (each["requirement"], each["state"], shown.day_of(each["set_at"]), each["text"], each["reason"])
                for each in said[_LISTED]
            ],
            none="Nothing further is required.",
        )


@requirements.command(
    short_help="Require something more, of one or of all.",
    epilog="\b\nExample:\n  trialcpa requirements add --standing 'The report of a penetration test.'",
)
@click.argument("application", required=False)
@click.argument("text", required=False, type=WORDS)
@click.option("--standing", type=WORDS, help="Of every application from now on, and of those that wait.")
@asks_service
def add(application: str | None, text: str | None, standing: str | None, service: Service) -> None:
    """Require something more of an application; it cannot be granted before that is met or waived.

    TEXT may be @FILE. The Manufacturer reads it.
    """
    if standing is not None and application is None:
        address, words = path("requirements", "standing"), standing
    elif standing is None and application is not None and text is not None:
        address, words = path("applications", application, _LISTED), text
    else:
        raise click.UsageError("Name an application and say what is required, or say --standing and what.")
    with service.connect() as client:
        outcome = client.post(address, {"text": words})
    if standing is None:
        _say(service, outcome, f"{outcome['requirement']}: {outcome['state']}, of {outcome['application']}")
    else:
        count = outcome["applications"]
        waiting = f"{count:,} that wait{'s' if count == 1 else ''}"
        _say(service, outcome, f"{outcome['standing']}: of every application from now on, and of {waiting}")


@requirements.command(epilog="\b\nExample:\n  trialcpa requirements met req-6564f1a2-9c3b1d2e4f60718a --reason Shown.")
@click.argument("requirement")
@click.option("--reason", required=True, type=WORDS, help="What shows it. The Manufacturer reads it.")
@asks_service
def met(requirement: str, reason: str, service: Service) -> None:
    """Record a requirement as met."""
    _close(service, requirement, RequirementState.MET, reason)


@requirements.command(
    epilog="\b\nExample:\n  trialcpa requirements waive req-6564f1a2-9c3b1d2e4f60718a --reason @why.txt"
)
@click.argument("requirement")
@click.option("--reason", required=True, type=WORDS, help="Why. The Manufacturer reads it.")
@asks_service
def waive(requirement: str, reason: str, service: Service) -> None:
    """Waive a requirement."""
    _close(service, requirement, RequirementState.WAIVED, reason)


@requirements.command(
    short_help="End a standing requirement.",
    epilog="\b\nExample:\n  trialcpa requirements end std-6564f1a2-9c3b1d2e4f60718a",
)
@click.argument("standing")
@asks_service
def end(standing: str, service: Service) -> None:
    """End a standing requirement: later applications do not get it; where it is open it stays open."""
    with service.connect() as client:
        outcome = client.post(path("requirements", "standing", standing, "end"), {})
    _say(
        service,
        outcome,
        f"{outcome['standing']}: ended {shown.when(outcome['ended_at'])}; where it is open it stays so",
    )


def _close(service: Service, requirement: str, state: RequirementState, reason: str) -> None:
    with service.connect() as client:
        outcome = client.post(path("requirements", requirement, "outcome"), {"state": state, "reason": reason})
    _say(service, outcome, f"{outcome['requirement']}: {outcome['state']}, of {outcome['application']}")


def _say(service: Service, outcome: Mapping[str, Any], words: str) -> None:
    if service.as_json:
        shown.as_json(outcome)
    else:
        shown.sentence(shown.out(), words)


def _in_force(standing: Mapping[str, Any]) -> str:
    return f"ended {shown.day_of(standing['ended_at'])}" if standing["ended_at"] else "in force"

"""`trialcpa requirements`: what the SSC requires of an application beside F2.19, met or waived (F2.20)."""

import click

from app.cli import shown
from app.cli.service import Service, asks_service
from app.cli.words import WORDS, class_option, why_option
from app.client import path
from core.kinds import RequirementState
from ra.applying.views import RequirementList, RequirementSet, StandingAnswer, StandingEnded, StandingList, StandingSet
from ra.views import document


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
    with service.connect() as client:
        said = (
            client.show(StandingList, path("requirements", "standing"))
            if application is None
            else client.show(RequirementList, path("applications", application, "requirements"))
        )
    if service.as_json:
        shown.as_json(document(said))
    elif isinstance(said, StandingList):
        shown.table(
            shown.out(),
            ("standing", "state", "set", "text"),
            [(each.standing, _in_force(each), shown.day_of(each.set_at), each.text) for each in said.standing],
            none="Nothing is required of every application.",
        )
    else:
        shown.table(
            shown.out(),
            ("requirement", "state", "set", "text", "reason"),
            [
                (each.requirement, each.state, shown.day_of(each.set_at), each.text, each.reason)
                for each in said.requirements
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
        with service.connect() as client:
            of_all = client.do(StandingSet, path("requirements", "standing"), {"text": standing})
        waiting = f"{of_all.applications:,} that wait{'s' if of_all.applications == 1 else ''}"
        _say(service, of_all, f"{of_all.standing}: of every application from now on, and of {waiting}")
    elif standing is None and application is not None and text is not None:
        with service.connect() as client:
            of_one = client.do(RequirementSet, path("applications", application, "requirements"), {"text": text})
        _say(service, of_one, _moved(of_one))
    else:
        raise click.UsageError("Name an application and say what is required, or say --standing and what.")


@requirements.command(epilog="\b\nExample:\n  trialcpa requirements met req-6564f1a2-9c3b1d2e4f60718a --why Shown.")
@click.argument("requirement")
@why_option("What shows it. The Manufacturer reads it.", former="--reason")
@class_option("Of what shows it: `red` is not the Manufacturer's to see.")
@asks_service
def met(requirement: str, why: str, classification: str | None, service: Service) -> None:
    """Record a requirement as met."""
    _close(service, requirement, RequirementState.MET, why, classification)


@requirements.command(epilog="\b\nExample:\n  trialcpa requirements waive req-6564f1a2-9c3b1d2e4f60718a --why @why.txt")
@click.argument("requirement")
@why_option("In a sentence. The SSC and the auditor read it.", former="--reason")
@class_option("Of these words: with another than `red` the Manufacturer reads them, too.")
@asks_service
def waive(requirement: str, why: str, classification: str | None, service: Service) -> None:
    """Waive a requirement."""
    _close(service, requirement, RequirementState.WAIVED, why, classification)


@requirements.command(
    short_help="End a standing requirement.",
    epilog="\b\nExample:\n  trialcpa requirements end std-6564f1a2-9c3b1d2e4f60718a",
)
@click.argument("standing")
@asks_service
def end(standing: str, service: Service) -> None:
    """End a standing requirement: later applications do not get it; where it is open it stays open."""
    with service.connect() as client:
        outcome = client.do(StandingEnded, path("requirements", "standing", standing, "end"), {})
    _say(service, outcome, f"{outcome.standing}: ended {shown.when(outcome.ended_at)}; where it is open it stays so")


def _close(
    service: Service, requirement: str, state: RequirementState, reason: str, classification: str | None
) -> None:
    said = {"state": state, "reason": reason, **({"classification": classification} if classification else {})}
    with service.connect() as client:
        outcome = client.do(RequirementSet, path("requirements", requirement, "outcome"), said)
    _say(service, outcome, _moved(outcome))


def _moved(outcome: RequirementSet) -> str:
    return f"{outcome.requirement}: {outcome.state}, of {outcome.application}"


def _say(service: Service, outcome: object, words: str) -> None:
    if service.as_json:
        shown.as_json(document(outcome))
    else:
        shown.sentence(shown.out(), words)


def _in_force(standing: StandingAnswer) -> str:
    return f"ended {shown.day_of(standing.ended_at)}" if standing.ended_at else "in force"

"""`trialcpa breaches`: a condition that is not complied with: suspected, judged, and owed a revocation (F2.23)."""

from pathlib import Path
from typing import assert_never

import click
from rich.console import Console

from app.cli import shown
from app.cli.apply import Attached, evidence_type, show_attached
from app.cli.apply import attach as attach_files
from app.cli.decision_shown import answered
from app.cli.service import Service, asks_service
from app.cli.signing import Signing, signs
from app.cli.words import WORDS, why_option
from app.client import Client, path
from core.approval import EndCause
from core.kinds import BreachState
from officers.claims import to_confirm
from ra.applying.views import EvidenceList
from ra.reporting.views import BreachAnswer, BreachMoved, BreachPage, SuspicionMoved
from ra.views import document

EXIT_REFUSED = 1

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(epilog="\b\nExample:\n  trialcpa breaches list --state confirmed")
def breaches() -> None:
    """Breaches of conditions: suspected, confirmed or dismissed, closed (F2.23)."""


@breaches.command("list", epilog="\b\nExample:\n  trialcpa breaches list TDA-2027-0042-Y --state confirmed")
@click.argument("approval", required=False)
@click.option("--state", type=click.Choice([each.value for each in BreachState]), help="Only those in this state.")
@asks_service
def list_(approval: str | None, state: str | None, service: Service) -> None:
    """List breaches; each one that is confirmed owes a revocation."""
    address = path("breaches") if approval is None else path("approvals", approval, "breaches")
    with service.connect() as client:
        found = [each for page in client.pages(BreachPage, address, state=state) for each in page.breaches]
    if service.as_json:
        shown.as_json({"breaches": [document(each) for each in found]})
        return
    shown.table(
        shown.out(),
        ("breach", "approval", "of", "state", "suspected", "note"),
        [
            (each.breach, each.approval, _of(each), each.state, shown.day_of(each.suspected_at), each.note)
            for each in found
        ],
        none="No breach.",
    )


@breaches.command(
    short_help="Show a breach with its evidence.",
    epilog="\b\nExample:\n  trialcpa breaches show breach-6564f1a2-9c3b1d2e4f60718a",
)
@click.argument("breach")
@asks_service
def show(breach: str, service: Service) -> None:
    """Show a breach, what was said of it, and its evidence (trialcpa fetch ev-… fetches a file)."""
    with service.connect() as client:
        said = client.show(BreachAnswer, path("breaches", breach))
        attached = client.show(EvidenceList, path("breaches", breach, "evidence"))
        theirs = () if said.told is None else client.show(EvidenceList, path("suspicions", breach, "evidence")).evidence
    if service.as_json:
        shown.as_json({**document(said), **document(attached)})
        return
    console = shown.out()
    shown.heading(console, f"{said.breach}: {said.state}")
    shown.facts(
        console,
        [
            ("approval", said.approval),
            ("of", f"{_of(said)} ({said.clause})"),
            ("suspected", f"{shown.when(said.suspected_at)} by {said.suspected_by}"),
            ("note", said.note),
            ("judged", f"{shown.when(said.judged_at)} by {said.judged_by}" if said.judged_at else None),
            ("why", said.why),
            *answered(said),
            ("answered" if said.decision else "closed", shown.when(said.closed_at)),
            ("by the decision", said.decision),
            ("evidence", [f"{each.evidence}  {each.name}" for each in attached.evidence]),
            ("the Manufacturer's", [f"{each.evidence}  {each.name}" for each in theirs]),
        ],
    )
    _next(console, said)


@breaches.command(
    short_help="Record that a condition may have been breached.",
    epilog="\b\nExample:\n  trialcpa breaches suspect TDA-2027-0042-Y --condition 2 --why @why.txt",
)
@click.argument("approval")
@click.option("--condition", type=click.IntRange(1), required=True, help="Its number (trialcpa status APPROVAL).")
@why_option("What is suspected.", former="--note")
@click.option("--tell", type=WORDS, help="Tell the Manufacturer this at once.")
@click.option("--evidence", multiple=True, type=_FILE, help="PDF, XLSX, CSV, TXT.")
@asks_service
def suspect(
    *, approval: str, condition: int, why: str, tell: str | None, evidence: tuple[Path, ...], service: Service
) -> None:
    """Record that a condition may have been breached; a report above the limit does so by itself."""
    files = [(each, evidence_type(each)) for each in evidence]
    with service.connect() as client:
        said = {"condition": condition, "note": why, **({} if tell is None else {"told": tell})}
        outcome = client.do(BreachMoved, path("approvals", approval, "breaches"), said)
        attached = _attach(client, outcome.breach, files)
    _told(service, outcome, attached)


@breaches.command(
    short_help="Tell the Manufacturer of a suspected breach.",
    epilog="\b\nExample:\n  trialcpa breaches tell breach-6564f1a2-9c3b1d2e4f60718a --words @told.txt",
)
@click.argument("breach")
@click.option("--words", type=WORDS, required=True, help="What it is told; your note stays with the SSC.")
@asks_service
def tell(*, breach: str, words: str, service: Service) -> None:
    """Tell a Manufacturer of a suspected breach, at its urgent address too; it may answer."""
    with service.connect() as client:
        outcome = client.do(SuspicionMoved, path("breaches", breach, "telling"), {"text": words})
    if service.as_json:
        shown.as_json(document(outcome))
    else:
        shown.sentence(shown.out(), f"{outcome.breach}: the Manufacturer is told in {outcome.notice}")


@breaches.command(
    short_help="Add evidence to a breach.",
    epilog="\b\nExample:\n  trialcpa breaches attach breach-6564f1a2-9c3b1d2e4f60718a photo.pdf",
)
@click.argument("breach")
@click.argument("file", nargs=-1, required=True, type=_FILE)
@asks_service
def attach(breach: str, file: tuple[Path, ...], service: Service) -> None:
    """Add evidence (PDF, XLSX, CSV, TXT) to a breach that is suspected or confirmed."""
    files = [(each, evidence_type(each)) for each in file]
    with service.connect() as client:
        attached = _attach(client, breach, files)
    _told(service, None, attached)


@breaches.command(
    short_help="Confirm a suspected breach.",
    epilog="\b\nExample:\n  trialcpa breaches confirm breach-6564f1a2-9c3b1d2e4f60718a --why @why.txt",
)
@click.argument("breach")
@why_option("What shows it.")
@signs()
@asks_service
def confirm(*, breach: str, why: str, signing: Signing, service: Service) -> None:
    """Confirm a suspected breach, and sign for it; it owes a revocation from then on."""
    with service.connect() as client:
        body = {"confirmed": True, "why": why, **signing.hand(client).for_claim(to_confirm(breach))}
        outcome = client.do(BreachMoved, path("breaches", breach, "judgement"), body)
    _told(service, outcome, Attached())


@breaches.command(epilog="\b\nExample:\n  trialcpa breaches dismiss breach-6564f1a2-9c3b1d2e4f60718a --why @why.txt")
@click.argument("breach")
@why_option("Why it is none.")
@asks_service
def dismiss(breach: str, why: str, service: Service) -> None:
    """Dismiss a suspected breach."""
    with service.connect() as client:
        outcome = client.do(BreachMoved, path("breaches", breach, "judgement"), {"confirmed": False, "why": why})
    _told(service, outcome, Attached())


@breaches.command(
    short_help="Close a breach with nothing left to revoke.",
    epilog="\b\nExample:\n  trialcpa breaches close breach-6564f1a2-9c3b1d2e4f60718a --why @why.txt",
)
@click.argument("breach")
@why_option("Why no revocation follows.")
@click.option("--evidence", multiple=True, type=_FILE, help="PDF, XLSX, CSV, TXT; it is added first.")
@asks_service
def close(breach: str, why: str, evidence: tuple[Path, ...], service: Service) -> None:
    """Close a confirmed breach whose approval has ended otherwise: there is nothing left to revoke."""
    files = [(each, evidence_type(each)) for each in evidence]
    with service.connect() as client:
        # A breach that is closed takes no evidence any more: with a file refused it stays as it is.
        attached = _attach(client, breach, files)
        closed = None if attached.refused else client.do(BreachMoved, path("breaches", breach, "closure"), {"why": why})
    _told(service, closed, attached)


def _attach(client: Client, breach: str, files: list[tuple[Path, str]]) -> Attached:
    return attach_files(client, path("breaches", breach, "evidence"), files)


def _told(service: Service, outcome: BreachMoved | None, attached: Attached) -> None:
    """Show what became of a breach and its files; the exit status is 1 if a file was refused."""
    if service.as_json:
        moved = {} if outcome is None else document(outcome)
        shown.as_json({**moved, **document(attached)})
    else:
        console = shown.out()
        if outcome is not None:
            shown.sentence(console, f"{outcome.breach}: {outcome.state}, {_of(outcome)} of {outcome.approval}")
        show_attached(console, attached)
        if attached.refused and outcome is not None:
            shown.sentence(console, f"Mend that, then: trialcpa breaches attach {outcome.breach} FILE")
        elif attached.refused:
            shown.sentence(console, "Mend that and run the command again; the state of the breach is as it was.")
        if outcome is not None:
            _next(console, outcome)
    raise SystemExit(EXIT_REFUSED if attached.refused else 0)


def _next(console: Console, said: BreachMoved) -> None:
    """Say what is to be done next, if anything is."""
    match said.state:
        case BreachState.SUSPECTED:
            step = f"It is to be judged: trialcpa breaches confirm {said.breach} --why WHY (or dismiss)"
        case BreachState.CONFIRMED:
            step = (
                "A revocation is owed (F2.23): "
                f"trialcpa decide revoke {said.approval} --cause {EndCause.BREACH} "
                f"--breach {said.breach} --why @FILE"
            )
        case BreachState.DISMISSED | BreachState.ANSWERED | BreachState.CLOSED:
            return
        case _:
            assert_never(said.state)
    shown.sentence(console, step, style="dim")


def _of(said: BreachMoved) -> str:
    return "the limit of devices" if said.condition is None else f"condition {said.condition}"

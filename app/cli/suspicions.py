"""`trialcpa suspicions`: a Manufacturer sees the suspected breaches that it was told of, and answers (F2.23)."""

from pathlib import Path

import click

from app.cli import shown
from app.cli.apply import Attached, attach, evidence_type, show_attached
from app.cli.service import Service, asks_service
from app.cli.words import WORDS
from app.client import path
from ra.applying.views import EvidenceList
from ra.reporting.views import SuspicionAnswer, SuspicionMoved, SuspicionPage
from ra.views import document

EXIT_REFUSED = 1


@click.group(epilog="\b\nExample:\n  trialcpa suspicions list")
def suspicions() -> None:
    """Suspected breaches that you were told of, and your answers (F2.23)."""


@suspicions.command("list", epilog="\b\nExample:\n  trialcpa suspicions list TDA-2027-0042-Y")
@click.argument("approval", required=False)
@asks_service
def list_(approval: str | None, service: Service) -> None:
    """List the suspected breaches that you were told of."""
    with service.connect() as client:
        pages = client.pages(SuspicionPage, path("suspicions"), approval=approval)
        found = [each for page in pages for each in page.suspicions]
    if service.as_json:
        shown.as_json({"suspicions": [document(each) for each in found]})
        return
    shown.table(
        shown.out(),
        ("suspicion", "approval", "of", "told on", "what", "answer"),
        [
            (
                each.breach,
                each.approval,
                _of(each),
                shown.day_of(each.told_at),
                each.text,
                each.answer or _missing(each),
            )
            for each in found
        ],
        none="You were told of no suspicion.",
    )


@suspicions.command(
    short_help="Show a suspicion and its answer.",
    epilog="\b\nExample:\n  trialcpa suspicions show breach-6564f1a2-9c3b1d2e4f60718a",
)
@click.argument("breach")
@asks_service
def show(breach: str, service: Service) -> None:
    """Show a suspicion as you were told of it, your answer and its files."""
    with service.connect() as client:
        said = client.show(SuspicionAnswer, path("suspicions", breach))
        attached = client.show(EvidenceList, path("suspicions", breach, "evidence"))
    if service.as_json:
        shown.as_json({**document(said), **document(attached)})
        return
    console = shown.out()
    shown.heading(console, f"{said.breach}, of {said.approval}")
    shown.facts(
        console,
        [
            ("of", _of(said)),
            ("told", f"{shown.when(said.told_at)} in {said.notice}"),
            ("what", said.text),
            ("answer", said.answer or _missing(said)),
            ("answered", f"{shown.when(said.answered_at)} by {said.answered_by}" if said.answered_at else None),
            ("evidence", [f"{each.evidence}  {each.name}" for each in attached.evidence]),
        ],
    )


@suspicions.command(
    short_help="Answer a suspicion.",
    epilog="\b\nExample:\n  trialcpa suspicions answer breach-6564f1a2-9c3b1d2e4f60718a --words @a.txt",
)
@click.argument("breach")
@click.option("--words", type=WORDS, help="Your answer; it is given once.")
@click.option("--evidence", multiple=True, type=click.Path(dir_okay=False, path_type=Path), help="PDF, XLSX, CSV, TXT.")
@asks_service
def answer(*, breach: str, words: str | None, evidence: tuple[Path, ...], service: Service) -> None:
    """Answer a suspicion with words, files, or both; files can follow while it is open."""
    if words is None and not evidence:
        raise click.UsageError("Say something: --words, --evidence, or both.")
    files = [(each, evidence_type(each)) for each in evidence]
    with service.connect() as client:
        # An answer is given once: with a file refused it can still be given.
        attached = attach(client, path("suspicions", breach, "evidence"), files) if files else Attached()
        outcome = None
        if words is not None and not attached.refused:
            outcome = client.do(SuspicionMoved, path("suspicions", breach, "answer"), {"answer": words})
    if service.as_json:
        shown.as_json({**({} if outcome is None else document(outcome)), **document(attached)})
    else:
        console = shown.out()
        show_attached(console, attached)
        if attached.refused:
            shown.sentence(console, "Mend that and run the command again; no words were sent.")
        elif outcome is not None:
            shown.sentence(console, f"{outcome.breach}: answered, for {outcome.approval}")
    raise SystemExit(EXIT_REFUSED if attached.refused else 0)


def _of(said: SuspicionAnswer) -> str:
    return "the limit of devices" if said.condition is None else f"condition {said.condition}"


def _missing(said: SuspicionAnswer) -> str:
    return "you may answer" if said.open else "none was given"

"""`trialcpa report`: the monthly report of F2.28, looked at, added to, issued."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from app.cli import asking, shown
from app.cli.apply import evidence_type
from app.cli.service import Service, asks_service
from app.cli.words import WORDS
from app.client import Client, path
from core.canonical import read_json
from core.errors import InputUnusable
from core.words import counted
from ra.applying.views import EvidenceAnswer
from ra.reporting.contents import (
    DecommissionedSinceItem,
    DeployedItem,
    DeployedSinceItem,
    ListItem,
    ReportAnswer,
    ReportItems,
)
from ra.reporting.views import QuestionAnswered, QuestionAsked, QuestionEnded, ReportIssued, ReportRemarked

FORMS: Mapping[str, str] = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}


@click.command(epilog="\b\nExample:\n  trialcpa report 2027-05 --issue --as pdf")
@click.argument("month", metavar="YYYY-MM")
@click.option("--remark", type=WORDS, metavar="TEXT", help="Add free text (h) before it is issued.")
@click.option("--ask", type=WORDS, metavar="TEXT", help="Ask the DCC to tell something in it (h).")
@click.option("--ask-each", type=WORDS, metavar="TEXT", help="Ask that in each report from now on.")
@click.option("--end-question", metavar="QUESTION", help="End what is asked of each report.")
@click.option("--answer", type=(str, WORDS), metavar="QUESTION TEXT", help="Answer a question of the SSC (h).")
@click.option("--attach", type=click.Path(dir_okay=False, path_type=Path), help="Add a file (h) before it is issued.")
@click.option("--issue", is_flag=True, help="Issue and freeze it; asks first.")
@click.option("--early", is_flag=True, help="With --issue: though the month is not over.")
@click.option("--covers", "months", metavar="YYYY-MM,…", help="With --issue: its months, if some were left out.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--as", "form", type=click.Choice(tuple(FORMS)), help="Fetch it in this form.")
@click.option("-o", "output", type=click.Path(dir_okay=False, path_type=Path), help="Where to; - is the terminal.")
@asks_service
def report(
    *,
    month: str,
    remark: str | None,
    attach: Path | None,
    issue: bool,
    yes: bool,
    form: str | None,
    output: Path | None,
    service: Service,
    **more: tuple[str, str] | str | bool | None,
) -> None:
    """Show the monthly report (F2.28), issued or as it would be now; issue it."""
    if output is not None and form is None:
        form = output.suffix.lower().lstrip(".") or "json"
        if form not in FORMS:
            raise click.UsageError(f"Say --as {', '.join(FORMS)}.")
    if not issue and (more["early"] or more["months"] is not None):
        raise click.UsageError("--early and --covers say how it is issued: with --issue.")
    media_type = None if attach is None else evidence_type(attach)
    with service.connect() as client:
        if remark is not None:
            client.do(ReportRemarked, path("reports", month, "remarks"), {"text": remark})
        _ask_and_answer(client, month, more)
        if attach is not None and media_type is not None:
            to = path("reports", month, "attachments")
            client.hand_in(EvidenceAnswer, to, attach.read_bytes(), media_type, name=attach.name)
        if issue:
            _issue(client, month, more, asks=not (yes or service.as_json))
        _give(client, month, form, output, service)


def _ask_and_answer(client: Client, month: str, more: Mapping[str, Any]) -> None:
    """Put, end or answer questions of the SSC (F2.28(h))."""
    asked = path("reports", "questions")
    for name, about in (("ask", {"month": month}), ("ask_each", {})):
        if more[name] is not None:
            put = client.do(QuestionAsked, asked, {"text": more[name], **about})
            click.echo(f"{put.question} is asked.", err=True)
    if more["end_question"] is not None:
        client.do(QuestionEnded, path("reports", "questions", more["end_question"], "end"), {})
    if more["answer"] is not None:
        question, text = more["answer"]
        client.do(QuestionAnswered, path("reports", month, "answers"), {"question": question, "text": text})


def _issue(client: Client, month: str, more: Mapping[str, Any], *, asks: bool) -> None:
    if asks:
        show(shown.out(), client.show(ReportAnswer, path("reports", month)))
        asking.require_agreed(f"\nIssue the report {month}? It never changes after that", instead="--yes", err=True)
    early = "true" if more["early"] else None
    client.do(ReportIssued, path("reports", month), {}, early=early, months=more["months"])
    click.echo(f"The report {month} is issued.", err=True)


def _give(client: Client, month: str, form: str | None, output: Path | None, service: Service) -> None:
    address = path("reports", month)
    if form is None and not service.as_json:
        show(shown.out(), client.show(ReportAnswer, address))
        return
    if form is None or (form == "json" and output is None):
        shown.as_json(client.show(dict, address))  # as it was frozen, with whatever it holds
        return
    fetched = client.fetch(address, FORMS[form])
    body = json.dumps(read_json(fetched.body), indent=2).encode("ascii") if form == "json" else fetched.body
    target = output or Path(fetched.name or f"trial-devices-{month}.{form}")
    if output is None and target.exists():
        raise InputUnusable(path=target, detail="there is such a file already; name another with -o.")
    shown.to_file(body, target)


def show(console: Console, said: ReportAnswer) -> None:
    """Show a report: (a) to (h), what was corrected, and each approval against its limit."""
    issued = f"issued {shown.when(said.issued_at)}" if said.issued else "not issued yet"
    shown.heading(console, f"Trial Devices, {said.report}: {issued}", "bold reverse")
    covers = ", ".join(said.covers) + (", which was not over" if said.early else "")
    shown.facts(
        console,
        [
            ("covers", covers),
            ("from", shown.when(said.since) or "the beginning"),
            ("until", shown.when(said.until)),
        ],
    )
    shown.table(console, ("", "", "#number", "beside it"), _items(said.items, said.look_ahead_months))
    for asked in said.items.h.questions:
        shown.sentence(console, f"(h) {asked.question}: {asked.text}")
        shown.sentence(console, asked.answer or "Not answered yet.", indent=4, style="" if asked.answer else "yellow")
    for remark in said.items.h.remarks:
        shown.sentence(console, f"(h) {remark.text}")
    for each in said.corrections:
        shown.sentence(console, f"Corrected: {each.sentence}", style="yellow")
    shown.heading(console, "By approval")
    shown.table(
        console,
        ("approval", "Manufacturer", "state", "expiry", "#limit", "#deployed", "#since", "#decommissioned", ""),
        [
            (
                line.approval,
                line.manufacturer,
                line.state,
                shown.day_of(line.expiry),
                f"{line.limit:,}",
                f"{line.deployed:,}",
                f"{line.deployed_since:,}",
                f"{line.decommissioned_since:,}",
                "above the limit" if line.above_limit else "",
            )
            for line in said.approvals
        ],
    )


def _items(items: ReportItems, months: int) -> list[tuple[str, str, str, str]]:
    """Each item with its number, and what stands beside it."""
    expiring = ", ".join(f"{each.approval} {shown.day_of(each.expiry)}" for each in items.g.expiring)
    ahead = f"within {counted(months, 'month')}" + (f": {expiring}" if expiring else "")
    return [
        ("(a)", "Trial Devices on the Central Products List", *_on_the_list(items.a)),
        ("(b)", "added since the previous report", *_on_the_list(items.b)),
        ("(c)", "removed since the previous report", *_on_the_list(items.c)),
        ("(d)", "devices deployed", f"{items.d.deployed:,}", _after_end(items.d)),
        ("(e)", "deployed since the previous report", f"{items.e.deployed:,}", _late(items.e)),
        ("(f)", "decommissioned since the previous report", f"{items.f.decommissioned:,}", _late(items.f)),
        ("(g)", "approvals that will expire", f"{len(items.g.expiring):,}", ahead),
        ("(h)", "other information", f"{len(items.h.remarks):,}", f"and {len(items.h.attachments):,} attached"),
    ]


def _on_the_list(item: ListItem) -> tuple[str, str]:
    waiting = item.instructed_not_acknowledged.models
    beside = shown.many(item.entries, "entry", "entries") + (
        f"; {waiting:,} told and not acknowledged" if waiting else ""
    )
    return f"{item.models:,}", beside


def _after_end(item: DeployedItem) -> str:
    return f"of which {item.after_end:,} after the end of their approval" if item.after_end else ""


def _late(item: DeployedSinceItem | DecommissionedSinceItem) -> str:
    late = item.of_earlier_periods
    return f"of which {late:,} belong to earlier periods" if late else ""

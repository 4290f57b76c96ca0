"""`trialcpa report`: the monthly report of F2.28, looked at, added to, issued."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from app.cli import shown
from app.cli.apply import evidence_type
from app.cli.service import Service, asks_service
from app.client import Client, path
from core.errors import InputUnusable

FORMS: Mapping[str, str] = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}

_IN_THE_CODE: Mapping[str, str] = {
    "a": "Trial Devices on the Central Products List",
    "b": "added since the previous report",
    "c": "removed since the previous report",
    "d": "devices deployed",
    "e": "deployed since the previous report",
    "f": "decommissioned since the previous report",
    "g": "approvals that will expire",
    "h": "other information",
}


@click.command(epilog="\b\nExample:\n  trialcpa report 2027-05\n  trialcpa report 2027-05 --issue --as pdf")
@click.argument("month", metavar="YYYY-MM")
@click.option("--remark", help="Add free text (h) before it is issued.")
@click.option("--attach", type=click.Path(dir_okay=False, path_type=Path), help="Add a file (h) before it is issued.")
@click.option("--issue", is_flag=True, help="Issue and freeze it; asks first.")
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
) -> None:
    """Show the monthly report (F2.28), as it was issued or would be now; issue it, fetch it."""
    if output is not None and form is None:
        form = output.suffix.lower().lstrip(".") or "json"
        if form not in FORMS:
            raise click.UsageError(f"Say --as {', '.join(FORMS)}.")
    media_type = None if attach is None else evidence_type(attach)
    with service.connect() as client:
        if remark is not None:
            client.post(path("reports", month, "remarks"), {"text": remark})
        if attach is not None and media_type is not None:
            client.send(path("reports", month, "attachments"), attach.read_bytes(), media_type, name=attach.name)
        if issue:
            _issue(client, month, asks=not (yes or service.as_json))
        _give(client, month, form, output, service)


def _issue(client: Client, month: str, *, asks: bool) -> None:
    if asks:
        show(shown.out(), client.get(path("reports", month)))
        click.confirm(f"\nIssue the report {month}? It never changes after that", abort=True, err=True)
    client.post(path("reports", month), {})
    click.echo(f"The report {month} is issued.", err=True)


def _give(client: Client, month: str, form: str | None, output: Path | None, service: Service) -> None:
    address = path("reports", month)
    if form is None:
        said = client.get(address)
        if service.as_json:
            shown.as_json(said)
        else:
            show(shown.out(), said)
        return
    if form == "json" and output is None:
        shown.as_json(client.get(address))
        return
    fetched = client.fetch(address, FORMS[form])
    body = json.dumps(json.loads(fetched.body), indent=2).encode("ascii") if form == "json" else fetched.body
    target = output or Path(fetched.name or f"trial-devices-{month}.{form}")
    if output is None and target.exists():
        raise InputUnusable(path=target, detail="there is such a file already; name another with -o.")
    shown.to_file(body, target)


def show(console: Console, said: Mapping[str, Any]) -> None:
    """Show a report: (a) to (h), what was corrected, and each approval against its limit."""
    issued = f"issued {shown.when(said['issued_at'])}" if said["issued"] else "not issued yet"
    shown.heading(console, f"Trial Devices, {said['report']}: {issued}", "bold reverse")
    shown.facts(console, [("from", shown.when(said["since"]) or "the beginning"), ("until", shown.when(said["until"]))])
    items = said["items"]
    shown.table(
        console,
        ("", "", "#number", "beside it"),
        [(f"({letter})", _IN_THE_CODE[letter], *_numbers(letter, items[letter], said)) for letter in sorted(items)],
    )
    for remark in items["h"]["remarks"]:
        shown.sentence(console, f"(h) {remark['text']}")
    for each in said["corrections"]:
        shown.sentence(console, f"Corrected: {each['sentence']}", style="yellow")
    shown.heading(console, "By approval")
    shown.table(
        console,
        ("approval", "Manufacturer", "state", "expiry", "#limit", "#deployed", "#since", "#decommissioned", ""),
        [
            (
                each["approval"],
                each["manufacturer"],
                each["state"],
                shown.day_of(each["expiry"]),
                f"{each['limit']:,}",
                f"{each['deployed']:,}",
                f"{each['deployed_since']:,}",
                f"{each['decommissioned_since']:,}",
                "above the limit" if each["above_limit"] else "",
            )
            for each in said["approvals"]
        ],
    )


def _numbers(letter: str, item: Mapping[str, Any], said: Mapping[str, Any]) -> tuple[str, str]:
    """The number of an item, and what stands beside it."""
    if letter in "abc":
        waiting = item["instructed_not_acknowledged"]["models"]
        beside = f"{item['entries']:,} entries" + (f"; {waiting:,} told and not acknowledged" if waiting else "")
        return f"{item['models']:,}", beside
    if letter == "g":
        expiring = ", ".join(f"{each['approval']} {shown.day_of(each['expiry'])}" for each in item["expiring"])
        return f"{len(item['expiring']):,}", f"within {said['look_ahead_months']} months. {expiring}".strip()
    if letter == "h":
        return f"{len(item['remarks']):,}", f"and {len(item['attachments']):,} attached"
    counted = item["decommissioned" if letter == "f" else "deployed"]
    late = item.get("of_earlier_periods")
    return f"{counted:,}", f"of which {late:,} belong to earlier periods" if late else ""

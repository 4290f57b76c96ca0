"""`trialcpa decide revoke-many`: many approvals are revoked by one decision (F2.30)."""

import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from api.answers import Problem
from app.cli import shown
from app.cli.authorising import sign_for
from app.cli.service import Service, asks_service
from app.cli.signing import Signing, signs
from app.cli.words import why_option
from app.client import Client, path
from core.approval import EndCause
from core.errors import TrialCpaError
from core.kinds import DecisionState
from ra.deciding.views import DecisionAuthorised, DecisionProposed, RevocationsAnswer
from ra.views import document

_CAUSES = [EndCause.SSC.value, EndCause.KEY_COMPROMISE.value]
_BETWEEN = 1.0


@click.command(
    "revoke-many",
    short_help="Propose to revoke many by one act.",
    epilog="\b\nExample:\n  trialcpa decide revoke-many approvals.txt --cause ssc --why @why.txt",
)
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--issuing-ca", metavar="KEY-ID", help="Everything under it, not a file.")
@click.option("--cause", type=click.Choice(_CAUSES), metavar="CAUSE", help=f"{', '.join(_CAUSES)}.")
@why_option("A summary of why, for each notice.", required=False)
@click.option("--invalidity-date", metavar="INSTANT", help="Since when the keys are compromised.")
@click.option("--progress", metavar="DECISION", help="Propose nothing: show how far one has come.")
@click.option("--wait", is_flag=True, help="With --progress: until all is listed and told.")
@signs(elsewhere=False, later=True)
@asks_service
def revoke_many(
    *,
    file: Path | None,
    issuing_ca: str | None,
    progress: str | None,
    wait: bool,
    signing: Signing,
    service: Service,
    **said: str | None,
) -> None:
    """Propose to revoke the approvals of a file, one a line (F2.30)."""
    if progress is not None:
        if file is not None or any((issuing_ca, *said.values())):
            raise click.UsageError("--progress proposes nothing: say nothing else beside it.")
        _show_progress(service, progress, wait=wait)
        return
    if (file is None) == (issuing_ca is None):
        raise click.UsageError("Name a file of approvals, or --issuing-ca.")
    if said["cause"] is None or said["why"] is None:
        raise click.UsageError("Say --cause and --why.")
    since = said["invalidity_date"]
    body = {
        "cause": said["cause"],
        "reasons": said["why"],
        **({"issuing_ca": issuing_ca} if file is None else {"approvals": _named(file)}),
        **({"invalidity_date": since} if since else {}),
    }
    _propose(service, signing, body)


def _propose(service: Service, signing: Signing, body: dict[str, Any]) -> None:
    """Propose, and sign for it. If we die between, it stands and nobody can second it: decide authorise goes on."""
    with service.connect() as client:
        hand = signing.hand(client)
        made = client.do(DecisionProposed, "/v1/revocations", body)
        signed: list[DecisionAuthorised | Problem] = []
        try:
            if hand.signs:
                sent = {"kind": made.kind, "cause": body["cause"], "approvals": body.get("approvals")}
                signed = sign_for(client, hand, [made.decision], {made.decision: sent})
        except TrialCpaError as error:
            click.echo(f"Proposed and not signed for. Then: trialcpa decide authorise {made.decision}", err=True)
            raise error from None
        found = _of(client, made.decision)
    if service.as_json:
        authorised = [document(each) for each in signed]
        shown.as_json({**document(made), "authorised": authorised, "progress": document(found)})
        return
    console = shown.out()
    shown.heading(console, f"{made.decision}: to revoke {shown.many(found.total, 'approval')}, {made.state}")
    shown.facts(console, [("list digest", found.approvals_sha256), ("proposal digest", made.proposal_sha256)])
    shown.findings(console, made.findings)
    step = "decide second" if signed else "decide authorise"
    shown.sentence(console, f"Then: trialcpa {step} {made.decision}", style="dim")


def _show_progress(service: Service, decision: str, *, wait: bool) -> None:
    with service.connect() as client:
        console = None if service.as_json else shown.out()
        found = _waited_for(client, decision, console) if wait else _of(client, decision)
    if console is None:
        shown.as_json({**document(found)})
        return
    shown.heading(console, f"{found.decision}: to revoke {shown.many(found.total, 'approval')}, {found.state}")
    shown.table(
        console,
        ("", "approvals"),
        [
            ("ended by this", found.ended),
            ("had ended before", found.already_ended),
            ("not yet", found.total - found.carried_out),
            ("told of, or nothing to tell", found.told),
        ],
    )
    shown.facts(
        console,
        [
            ("cause", found.cause),
            ("list digest", found.approvals_sha256),
            ("decided", shown.when(found.begun_at) if found.begun_at else None),
            ("says all of it", f"CRL {found.crl_number}" if found.crl_number else "no list yet"),
            ("finished", shown.when(found.finished_at) if found.finished_at else None),
        ],
    )


def _of(client: Client, decision: str) -> RevocationsAnswer:
    return client.show(RevocationsAnswer, path("revocations", decision))


def _waited_for(client: Client, decision: str, console: Console | None) -> RevocationsAnswer:
    """Ask each second until nothing is left to do; what was not decided is not waited for."""
    while True:
        found = _of(client, decision)
        over = found.finished_at is not None and found.crl_number is not None
        if over or found.state is not DecisionState.DONE or (found.finished_at and not found.ended):
            return found
        if console is not None:
            done = f"{found.carried_out} of {found.total} dealt with, {found.told} told of"
            shown.sentence(console, done, style="dim")
        time.sleep(_BETWEEN)


def _named(file: Path) -> list[str]:
    """Return the identifiers of a file: one a line, what follows a # is a remark."""
    lines = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [each for each in lines if each]

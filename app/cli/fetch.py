"""`trialcpa fetch`: a certificate, a notice, a piece of evidence, in the form asked for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from app.cli import shown
from app.cli.service import Service, asks_service
from app.cli.words import WORDS
from app.client import Client, Fetched, path
from core.classification import Recipient
from core.errors import IdentifierMalformed, InputUnusable, NoSuchThing, SerialMalformed
from core.identifiers import ApprovalIdentifier, parse_serial
from ra.applying.views import CertificateAnswered
from ra.telling.views import ApprovalAnswer

FORMS: Mapping[str, str] = {
    "pem": "application/pem-certificate-chain",
    "der": "application/pkix-cert",
    "p7": "application/pkcs7-mime",
    "pdf": "application/pdf",
    "json": "application/json",
    "file": "*/*",
}
_SUFFIXES: Mapping[str, str] = {"p7": "p7c"}
_TEXTS = frozenset({"pem", "json"})
"""Forms that a terminal can show."""


@dataclass(frozen=True)
class _Thing:
    """What is fetched, from where, and in which forms it can be had; the first is the usual one."""

    name: str
    address: Mapping[str, str]
    approval: bool = False


@click.command(
    epilog="\b\nExample:\n  trialcpa fetch TDA-2027-0042-Y -o chain.pem    # the one that holds now"
    "\n  trialcpa fetch TDA-2027-0042-Y --issue 3       # one that waits\n  trialcpa fetch TDN-2027-0001"
)
@click.argument("thing", metavar="APPROVAL|SERIAL|NOTICE|EVIDENCE")
@click.option(
    "--as",
    "form",
    type=click.Choice(("pem", "der", "p7", "pdf", "json")),
    help="pem for certificates, pdf for notices.",
)
@click.option(
    "--of", "recipient", type=click.Choice([each.value for each in Recipient]), help="Whose copy of a notice."
)
@click.option(
    "--issue",
    type=click.IntRange(1),
    metavar="N",
    help="Of an approval, this certificate, though it waits.",
)
@click.option("-o", "output", type=click.Path(dir_okay=False, path_type=Path), help="Where to; - is the terminal.")
@click.option("--accept", is_flag=True, help="Say that the certificate is what you asked for.")
@click.option("--reject", type=WORDS, metavar="WHY", help="Say that it is not, and why; or @FILE.")
@asks_service
def fetch(
    *,
    thing: str,
    form: str | None,
    recipient: str | None,
    issue: int | None,
    output: Path | None,
    accept: bool,
    reject: str | None,
    service: Service,
) -> None:
    """Fetch a certificate with its chain, a notice, or a piece of evidence.

    PEM and JSON are printed; anything else goes into a file of its own name.
    """
    if accept and reject is not None:
        raise click.UsageError("Accept it or reject it.")
    asked = _meant(thing)
    chosen = form or ("json" if service.as_json and "json" in asked.address else next(iter(asked.address)))
    if chosen not in asked.address:
        raise click.UsageError(f"{asked.name} can be had as {', '.join(asked.address)}.")
    if issue is not None and (not asked.approval or chosen == "json"):
        raise click.UsageError("--issue is for the certificate of an approval.")
    answers = accept or reject is not None
    if answers and "pem" not in asked.address:
        raise click.UsageError("Only a certificate is accepted or rejected.")
    with service.connect() as client:
        if answers and asked.approval:
            asked, issue = _certificate(client, asked, issue), None
        fetched = _fetched(client, asked.address[chosen], chosen, recipient=recipient, issue=issue)
        if answers:
            _answer(client, asked.name, reject)
    if output is None and chosen not in _TEXTS:
        suffix = _SUFFIXES.get(chosen, chosen)
        output = Path(fetched.name or f"{asked.name}.{suffix}")
        if output.exists():
            raise InputUnusable(path=output, detail="there is such a file already; name another with -o.")
    shown.to_file(fetched.body, output)


def _certificate(client: Client, asked: _Thing, issue: int | None) -> _Thing:
    """Return which certificate of an approval is fetched and answered, by its serial: one and the same."""
    said = client.show(ApprovalAnswer, path("approvals", asked.name))
    wanted = issue or said.issue
    serial = next((each.serial for each in said.certificates if each.issue == wanted), None)
    if serial is None:
        raise NoSuchThing(kind="certificate", identifier=f"of {asked.name}, issue {wanted or 1}")
    address = dict.fromkeys(("pem", "der", "p7"), path("certificates", serial))
    return _Thing(serial, {**asked.address, **address})


def _answer(client: Client, serial: str, reject: str | None) -> None:
    """Accept or reject the certificate that was fetched."""
    said = {"accepted": True} if reject is None else {"accepted": False, "reason": reject}
    client.do(CertificateAnswered, path("certificates", serial, "acceptance"), said)
    click.echo(f"{serial}: {'accepted' if reject is None else 'rejected'}", err=True)


def _meant(thing: str) -> _Thing:
    """Tell what is named by the form of its name."""
    if thing[:4].upper() in {"TDN-", "TTN-"}:
        address = path("notices", thing.upper())
        return _Thing(thing.upper(), {"pdf": address, "json": address})
    if thing.lower().startswith("ev-"):
        return _Thing(thing.lower(), {"file": path("evidence", thing.lower())})
    try:
        approval = str(ApprovalIdentifier.parse(thing))
    except IdentifierMalformed as no_approval:
        try:
            serial = parse_serial(thing)
        except SerialMalformed:
            raise no_approval from None
        return _Thing(str(serial), dict.fromkeys(("pem", "der", "p7"), path("certificates", serial)))
    certificate = dict.fromkeys(("pem", "der", "p7"), path("approvals", approval, "certificate"))
    return _Thing(approval, {**certificate, "json": path("approvals", approval)}, approval=True)


def _fetched(client: Client, address: str, form: str, *, recipient: str | None, issue: int | None) -> Fetched:
    if form == "json":
        # As it was sent: a notice is read as it was written.
        document = client.show(dict, address, recipient=recipient)
        return Fetched((json.dumps(document, indent=2) + "\n").encode("ascii"), FORMS["json"], None)
    return client.fetch(address, FORMS[form], recipient=recipient, issue=issue)

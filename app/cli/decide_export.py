"""`trialcpa decide export`: a decision's dossier in a folder, which `trialcpa-verify decision` proves anywhere."""

from collections.abc import Mapping
from pathlib import Path

import click

from app.cli.service import Service, asks_service
from app.client import Client, path
from core.errors import InputUnusable, LogEmpty, NoSuchThing, ServiceRefused
from core.kinds import AuthorisedAct, DraftState
from ra.auditing.proofs import LOG, decision_files, written
from ra.auditing.views import InclusionAnswer
from ra.deciding.views import DecisionAnswer, DecisionAuthorisations, DecisionJournal
from ra.ordering.views import OrderAnswer
from ra.roster import RosterAnswer
from ra.views import document
from verify.kit.agreed.dossier import CERTIFICATE

_PEM = "application/pem-certificate-chain"


@click.command(
    short_help="Write down what proves who agreed.",
    epilog="\b\nExample:\n  trialcpa decide export dec-6564f1a2-9c3b1d2e4f60718a --to dossier",
)
@click.argument("decision")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="A new folder.")
@asks_service
def export(*, decision: str, folder: Path, service: Service) -> None:
    """Write what proves who agreed to a decision into a folder; for officers and auditors.

    trialcpa-verify decision FOLDER --root root.cer --transcript transcript.txt proves it, offline; and trialcpa-verify
    proof FOLDER/log.json what the public log says last of its approval.
    """
    with service.connect() as client:
        parts = fetched(client, decision)
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise InputUnusable(path=folder, detail="there is such a folder already; name another.") from None
    for name, octets in parts.items():
        (folder / name).write_bytes(octets)
    click.echo(f"{folder}: {', '.join(parts)}.", err=True)
    proof = f"trialcpa-verify decision {folder} --root root.cer --transcript transcript.txt"
    click.echo(f"Prove it: {proof}", err=True)


def fetched(client: Client, decision: str) -> Mapping[str, bytes]:
    """Return the files of a decision's dossier by name; nothing of them is believed, nor changed.

    Args:
        client: of whoever may read decisions and the journal.
        decision: its identifier.
    """
    said = client.show(DecisionAnswer, path("decisions", decision))
    signed = client.show(DecisionAuthorisations, path("decisions", decision, "authorisations"))
    roster = client.show(RosterAnswer, path("roster"))
    journal = client.show(DecisionJournal, path("decisions", decision, "journal"))
    orders = {
        each.statement["subject"]
        for each in signed.authorisations
        if each.statement.get("act") == AuthorisedAct.CHANGE_ROSTER
    }
    changes = [client.show(OrderAnswer, path("orders", str(each))) for each in sorted(orders)]
    parts = {**decision_files(said, signed, roster, journal, changes), **_logged(client, said.approval)}
    signed_drafts = [each for each in said.drafts if each.state is DraftState.SIGNED]
    if signed_drafts:
        chains = [client.fetch(path("certificates", each.serial), _PEM).body for each in signed_drafts]
        parts[CERTIFICATE] = b"".join(chains)
    return parts


def _logged(client: Client, approval: str | None) -> Mapping[str, bytes]:
    """Return what the public log says of the approval, with its proof; nothing where it has not said that yet."""
    if approval is None:
        return {}
    try:
        return {LOG: written(document(client.show(InclusionAnswer, path("proofs", "inclusion"), approval=approval)))}
    except ServiceRefused as refused:
        if refused.fields["problem"] in {LogEmpty.code, NoSuchThing.code}:
            return {}
        raise

"""`trialcpa dossier`: everything about an approval as one signed ZIP."""

import time
from pathlib import Path

import click

from app.cli import shown
from app.cli.service import Service, asks_service
from app.client import Client, Fetched, path
from core.errors import InputUnusable
from core.identifiers import ApprovalIdentifier

_ZIP = "application/zip"

SIGNED_WITHIN = 60
"""Seconds that are waited for the signature: the authority works every second, and has the whole file at hand."""


@click.command(epilog="\b\nExample:\n  trialcpa dossier TDA-2027-0042-Y --key-file auditor.key")
@click.argument("approval")
@click.option("-o", "output", type=click.Path(dir_okay=False, path_type=Path), help="Else by the name of the approval.")
@asks_service
def dossier(approval: str, output: Path | None, service: Service) -> None:
    """Fetch everything about an approval, with proofs and a PDF that tells it; for the SSC and auditors."""
    identifier = str(ApprovalIdentifier.parse(approval))
    with service.connect() as client:
        found = fetched(client, identifier)
    shown.to_file(found.body, output or Path(found.name or f"{identifier}-dossier.zip"))


def fetched(client: Client, approval: str, *, sleep: float = 1.0) -> Fetched:
    """Return a dossier once it is signed.

    Args:
        client: of whoever may have it.
        approval: its identifier.
        sleep: seconds between two attempts.

    Raises:
        InputUnusable: it was not signed in time.
    """
    for _ in range(SIGNED_WITHIN):
        found = client.fetch(path("approvals", approval, "dossier"), _ZIP)
        if found.content_type == _ZIP:
            return found
        time.sleep(sleep)
    raise InputUnusable(path=approval, detail="its dossier is not signed yet; ask again, or look at trialcpa check.")

"""`trialcpa root-crl`: the root's next list. Its key is needed for that, a new issuing CA and officers' lost keys."""

from pathlib import Path

import click

from app.cli.options import home_option
from app.cli.root_key import open_root, root_dir_option, root_passphrase_option
from app.house import opened
from core.instants import text
from jobs.offline_root import RootFolder
from jobs.root_list import publish_root_crl


@click.command(epilog="\b\nExample:\n  trialcpa root-crl --root-dir /mnt/safe --passphrase prompt")
@home_option
@root_dir_option
@root_passphrase_option
def root_crl(home: Path | None, root_dir: Path, passphrase: str) -> None:
    """Sign and publish the root's next CRL; bring its key, and take it away again."""
    with opened(home) as (house, memory):
        signer = open_root(root_dir, passphrase)
        published = publish_root_crl(house.store, memory, signer, house.clock.now())
        RootFolder(root_dir).keep(house.root(), published.der)
    click.echo(f"Root CRL {published.number} is published, valid until {text(published.next_update)}.")

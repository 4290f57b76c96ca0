"""The root's own key, which is brought for what only it signs: where it lies, and what opens it."""

from pathlib import Path

import click

from keys.ceremony import ROOT_FILE
from keys.passphrase import FromPrompt, parse_source
from keys.sealed import open_asked
from keys.signer import Signer

AT_PROMPT = FromPrompt(of="the root's key", instead="--passphrase file:PATH")

root_dir_option = click.option(
    "--root-dir", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder of the root's key."
)
root_passphrase_option = click.option(
    "--passphrase", default="prompt", show_default=True, help="Of the root's key: file:PATH, fd:N or prompt."
)


def open_root(root_dir: Path, passphrase: str) -> Signer:
    """Return what signs with the root's key.

    Args:
        root_dir: its folder.
        passphrase: where its passphrase comes from, as the option has it.

    Raises:
        KeyUnusable: it cannot be opened.
        PassphraseUnusable: its passphrase cannot be had.
    """
    return open_asked(root_dir / ROOT_FILE, parse_source(passphrase, AT_PROMPT))

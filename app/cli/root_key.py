"""The root's own key, which is brought for what only it signs: where it lies, and what opens it."""

import os
from pathlib import Path

import click

from app.cli.signing import MODULE_VARIABLE
from keys.ceremony import ROOT_FILE
from keys.passphrase import FromPrompt, parse_source
from keys.place import InTokens, Tokens, key_in_token
from keys.sealed import open_asked
from keys.signer import Signer
from keys.token import PATIENCE

AT_PROMPT = FromPrompt(of="the root's key", instead="--passphrase file:PATH")

root_dir_option = click.option(
    "--root-dir", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder of the root's key."
)
root_passphrase_option = click.option(
    "--passphrase", default="prompt", show_default=True, help="Of the root's key, or PIN of its token: file:PATH, fd:N."
)


def open_root(root_dir: Path, passphrase: str) -> Signer:
    """Return what signs with the root's key, in its folder or in the token that the folder names.

    Args:
        root_dir: its folder.
        passphrase: where its passphrase comes from, as the option has it.

    Raises:
        KeyUnusable: it cannot be opened.
        PassphraseUnusable: its passphrase, or the PIN, cannot be had.
        TokenAbsent, TokenPinWrong, TokenKeyAbsent: of one in a token, and further ones as KeyPlace.opened has.
    """
    path = root_dir / ROOT_FILE
    named = key_in_token(path)
    if named is None:
        return open_asked(path, parse_source(passphrase, AT_PROMPT))
    prompt = FromPrompt(of=f"the token {named.token_name}", what="PIN", instead="--passphrase file:PATH")
    module = os.environ.get(MODULE_VARIABLE)
    said = InTokens(
        pin=parse_source(passphrase, prompt),
        module=Path(module) if module else None,
        seconds=PATIENCE,  # a person stands by
    )
    return Tokens(said).held(named).signer(named)

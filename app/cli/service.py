"""What the commands that speak to a running service share: where it is, whose key is shown, and the open client."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path

import click

from app.cli.options import DEFAULT_URL
from app.client import CA_VARIABLE, Client
from core.errors import ApiKeyUnusable
from keys.private_file import NotPrivate, read_private

KEY_LIMIT = 1024
"""Octets; what is longer is not an API key but the wrong file."""


@dataclass(frozen=True)
class Service:
    """The service that a command asks.

    Args:
        url: where it is.
        key_file: holds the API key.
        as_json: answers are printed as JSON.
        ca_file: PEM of who signed its TLS certificate; None for those whom everybody trusts.
    """

    url: str
    key_file: Path | None
    as_json: bool
    ca_file: Path | None = None

    def connect(self) -> Client:
        """Return a client that shows the key in the file.

        Raises:
            ApiKeyUnusable: no file is named, others can read it, or it holds no key.
            ServiceAddressUnsafe: the key would travel in the clear.
            InputUnusable: the CA file cannot be read.
        """
        if self.key_file is None:
            raise ApiKeyUnusable(detail="no file is named that holds it")
        try:
            held = read_private(self.key_file, KEY_LIMIT)
        except NotPrivate as error:
            raise ApiKeyUnusable(detail=f"{self.key_file}: {error}") from error
        try:
            key = held.decode("ascii").strip()
        except UnicodeDecodeError:
            key = ""
        if not key or not key.isprintable() or " " in key:
            raise ApiKeyUnusable(detail=f"{self.key_file} does not hold one key and nothing else")
        return Client(self.url, key, ca_file=self.ca_file)


def asks_service(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--url`, `--key-file` and `--json`; the command takes them together, as `service`."""

    @wraps(command)
    def asked(*, url: str, key_file: Path | None, as_json: bool, **others: object) -> None:
        named = os.environ.get(CA_VARIABLE)
        command(
            service=Service(url=url, key_file=key_file, as_json=as_json, ca_file=Path(named) if named else None),
            **others,
        )

    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs."),
        click.option(
            "--key-file",
            type=click.Path(dir_okay=False, path_type=Path),
            envvar="TRIALCPA_KEY_FILE",
            help="Your API key, 0600; else TRIALCPA_KEY_FILE.",
        ),
        click.option("--url", default=DEFAULT_URL, envvar="TRIALCPA_URL", help="Else TRIALCPA_URL, else this machine."),
    ):
        asked = option(asked)
    return asked

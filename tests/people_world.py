"""The people's command line against a real service: HTTP over a socket, keys in files, everything else as in Api."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from app.cli.main import main
from app.cli.signing import KEY_VARIABLE, PASSPHRASE_VARIABLE
from tests.acting import officer_key
from tests.api_world import OFFICERS, Api

PASSPHRASE_FILE, PASSPHRASE = "passphrase", b"correct horse battery staple"


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """Both, on one line, so that wrapping makes no difference."""
        return " ".join((self.out + " " + self.err).split())


def trialcpa(*words: str, typed: str = "", **environment: str) -> Said:
    """Run a command as `trialcpa` would, with what somebody types at its questions."""
    with CliRunner().isolation(typed, env=environment) as (out, err, _):
        try:
            main(words)
            status: Any = 0
        except SystemExit as stop:
            status = stop.code or 0
        return Said(int(status), out.getvalue().decode(), err.getvalue().decode())


class Quiet(WSGIRequestHandler):
    """Says nothing about requests."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""


@dataclass
class People:
    """Everybody's command line: `people.run("dcc", "status")`; officers sign with keys of their own."""

    api: Api
    url: str
    keys: Path

    def run(self, who: str, *words: str, typed: str = "") -> Said:
        asked = ("--url", self.url, "--key-file", str(self.keys / f"{who}.key"))
        return trialcpa(*words, *asked, typed=typed, **self.signs(who))

    def signs(self, who: str) -> dict[str, str]:
        """With what somebody signs, as the environment names it."""
        if who not in OFFICERS:
            return {}
        return {
            KEY_VARIABLE: str(self.keys / f"{who}.key.pem"),
            PASSPHRASE_VARIABLE: f"file:{self.keys / PASSPHRASE_FILE}",
        }


def sealed(who: str) -> bytes:
    """The private key of somebody under the passphrase of all."""
    under = BestAvailableEncryption(PASSPHRASE)
    return officer_key(who).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, under)


def write_private(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


@contextmanager
def served(api: Api, folder: Path) -> Iterator[People]:
    """Serve an Api on a port of its own, with each person's key in a file of `folder`."""
    for who, key in api.keys.items():
        path = folder / f"{who}.key"
        write_private(path, f"{key}\n".encode())
    write_private(folder / PASSPHRASE_FILE, PASSPHRASE)
    for who in OFFICERS:
        write_private(folder / f"{who}.key.pem", sealed(who))
    with listening(make_server("127.0.0.1", 0, api.plane, threaded=True, request_handler=Quiet)) as url:
        yield People(api, url, folder)


@contextmanager
def listening(server: BaseWSGIServer) -> Iterator[str]:
    """Run a server in a thread of its own; yields its address."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

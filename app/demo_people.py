"""The demo people of a test authority for the console: their API keys and officers' own keys, in HOME/demo. Only a test
authority's start imports this file.
"""

import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from app.cli.demo import open_demo_key
from app.home_files import write_secret
from app.officer import officer_on, signing_instant
from core.actors import Actor
from core.canonical import read_json
from core.errors import NoRoster, OfficerKeyNotOnRoster, OfficerKeyUnusable
from keys.passphrase import FromFile, new_passphrase
from keys.sealed import generate_private
from officers.statement import Claim
from ra.authorising import Signed
from ra.desk import Desk
from ra.roster import roster

_WATCHES = "monitor"
"""A machine; there are no pages for it."""


class Demo:
    """The demo people of a home.

    Args:
        home: the folder of the authority.
        desk: where use cases work.
    """

    def __init__(self, home: Path, desk: Desk) -> None:
        self._home = home
        self._desk = desk

    def names(self) -> Sequence[tuple[str, str]]:
        """Return their names and roles; nobody where there are none."""
        return [(name, said["role"]) for name, said in self._held().items() if said["role"] != _WATCHES]

    def key(self, name: str) -> str | None:
        """Return the API key of one of them; None if there is no such person."""
        held = self._held().get(name)
        return None if held is None else held["api_key"]

    def csr(self) -> str:
        """Make a key for the example device, sealed in the home, and return the request that names it."""
        folder, name = self._home / "demo", f"example-{secrets.token_hex(4)}"
        passphrase = folder / f"{name}.passphrase"
        write_secret(passphrase, new_passphrase())
        key = generate_private(folder / f"{name}.key.pem", FromFile(passphrase).read())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "an example device")])
        request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
        return request.public_bytes(Encoding.PEM).decode("ascii")

    def signed(self, actor: Actor, claim: Claim) -> Signed | None:
        """Return what one of them signs with the key that lies in the home; None if none is asked for, or there."""
        if actor.name not in self._held():
            return None
        try:
            officer = officer_on(roster(self._desk, actor), open_demo_key(self._home, actor.name))
        except (NoRoster, OfficerKeyUnusable, OfficerKeyNotOnRoster):
            return None
        return officer.signed(claim, signing_instant(officer.authority, self._desk.clock.now()))

    def _held(self) -> dict[str, dict[str, str]]:
        path = self._home / "demo" / "credentials.json"
        return dict(read_json(path.read_bytes())) if path.exists() else {}

"""A passkey in software that answers for statements, and a roster that has it."""

import base64
import hashlib
import json
import struct
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from core.actors import Actor
from officers.key_file import public_key_of
from officers.passkey import PRESENT, VERIFIED, answered, challenge, new_passkey
from officers.roster import Member, new_member
from officers.statement import Authority, Claim, Listed, Statement, new_statement
from ra.authorising import Signed, authority_shown
from ra.desk import Desk
from tests.acting import officer_key

ORIGIN = "https://console.example"


def b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class OfficersPasskey:
    """One passkey of an officer (WebAuthn level 3, ES256), the same in every process of a test run."""

    def __init__(self, officer: str, *, origin: str = ORIGIN, counts: bool = True) -> None:
        self.officer = officer
        self.key = officer_key(f"the passkey of {officer}")
        self.origin = origin
        self.passkey = new_passkey(f"passkey of {officer}".encode(), origin)
        self.counts = counts
        self.count = 0

    def member(self) -> Member:
        return new_member(self.officer, public_key_of(self.key), self.passkey)

    def statement(self, authority: Authority, claim: Claim, at: datetime) -> Statement:
        return new_statement(authority, claim, officer=self.officer, key=self.member().key, at=at)

    def parts(self, question: bytes, /, **changes: Any) -> tuple[bytes, bytes, bytes]:
        """Authenticator data, client data and signature; `changes` are what a wrong one says."""
        self.count += self.counts
        said = {"type": "webauthn.get", "challenge": b64(question), "origin": self.origin, "crossOrigin": False}
        said |= changes.get("client", {})
        client = json.dumps({name: value for name, value in said.items() if value is not None}).encode()
        client = changes.get("client_octets", client)
        host = changes.get("host", self.passkey.relying)
        data = hashlib.sha256(host.encode()).digest() + struct.pack(
            ">BI", changes.get("flags", PRESENT | VERIFIED), changes.get("count", self.count)
        )
        data += changes.get("behind", b"")
        digest: hashes.HashAlgorithm = changes.get("hash", hashes.SHA256())
        key: ec.EllipticCurvePrivateKey = changes.get("key", self.key)
        return data, client, key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(digest))

    def answer(self, statement: Statement, **changes: Any) -> Signed:
        data, client, signature = self.parts(challenge(changes.get("asked", statement)), **changes)
        return Signed(authorisation=answered(statement, data=data, client=client, signature=signature))

    def signed(self, desk: Desk, actor: Actor, claim: Claim, members: Sequence[Listed] = ()) -> Signed:
        """What a browser sends for an act: its owner has touched the passkey, whatever the page showed."""
        assert actor.name == self.officer
        at = desk.clock.now()
        with desk.store.read() as tx:
            authority = authority_shown(tx)
        found = self.answer(self.statement(authority, claim, at))
        return Signed(authorisation=found.authorisation, members=tuple(members))

"""Passkeys: an invitation is taken up once, within an hour; a passkey lets its owner in by a question asked once."""

import base64
import hashlib
import json
import struct
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import encode_cbor

from core.actors import CONSOLE
from core.errors import CredentialInvalid, NoSuchThing, OperationNotPermitted, PasskeyRefused
from core.facts import FactKind
from ra.access import revoke_access
from ra.entering.passkeys import INVITATION_LIFE, Relying, come_in, enrol, invite, invited, new_challenge
from ra.entering.sessions import entered
from tests.api_world import Api
from tests.console_world import ORIGIN, Pages
from tests.evidence_world import journal
from tests.world import World

RELYING = Relying(identifier="console.example", origin=ORIGIN)
_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


def _b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


class Authenticator:
    """One passkey in software (WebAuthn level 3: ES256, attestation “none”)."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.identifier = b"passkey of a test"
        self.count = 0

    def make(self, challenge: bytes, **changes: Any) -> str:
        public = self.key.public_key().public_numbers()
        cose = encode_cbor({1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32), -3: public.y.to_bytes(32)})
        attested = bytes(16) + struct.pack(">H", len(self.identifier)) + self.identifier + cose
        data = self._data(_PRESENT | _VERIFIED | _ATTESTED, **changes) + attested
        statement = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._said(
            {
                "clientDataJSON": _b64(_client("webauthn.create", challenge, **changes)),
                "attestationObject": _b64(statement),
            }
        )

    def answer(self, challenge: bytes, **changes: Any) -> str:
        self.count += 1
        data, client = self._data(_PRESENT | _VERIFIED, **changes), _client("webauthn.get", challenge, **changes)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._said(
            {"clientDataJSON": _b64(client), "authenticatorData": _b64(data), "signature": _b64(signature)}
        )

    def _data(self, flags: int, *, host: str = "console.example", verified: bool = True, **_: Any) -> bytes:
        said = flags if verified else flags & ~_VERIFIED
        return hashlib.sha256(host.encode()).digest() + struct.pack(">BI", said, self.count)

    def _said(self, response: dict[str, str]) -> str:
        name = _b64(self.identifier)
        said = {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
        return json.dumps(said)


def _client(kind: str, challenge: bytes, *, origin: str = ORIGIN, **_: Any) -> bytes:
    return json.dumps({"type": kind, "challenge": _b64(challenge), "origin": origin, "crossOrigin": False}).encode()


def _credential(api: Api, who: str) -> str:
    return Pages(api).actor(who).credential or ""


WRONG = ({"origin": "https://evil.example"}, {"host": "evil.example"}, {"verified": False})


def test_an_invitation_is_taken_up_once_and_its_passkey_lets_in(world: World) -> None:
    api, one = Api(world), Authenticator()
    made = invite(world.desk, CONSOLE, _credential(api, "admin"))
    assert invited(world.desk, made.secret).name == "admin"
    challenge = new_challenge()
    for wrong in WRONG:
        said = one.make(challenge, **wrong)
        with pytest.raises(PasskeyRefused):
            enrol(world.desk, made.secret, challenge=challenge, relying=RELYING, response=said)
    with pytest.raises(PasskeyRefused):
        enrol(world.desk, made.secret, challenge=new_challenge(), relying=RELYING, response=one.make(challenge))
    said = one.make(challenge)
    begun = enrol(world.desk, made.secret, challenge=challenge, relying=RELYING, response=said)
    known = entered(world.desk, begun.secret)
    assert known is not None
    assert known.actor.name == "admin"
    with pytest.raises(PasskeyRefused):
        enrol(world.desk, made.secret, challenge=challenge, relying=RELYING, response=said)

    challenge = new_challenge()
    for wrong in WRONG:
        with pytest.raises(PasskeyRefused):
            come(world, challenge, one.answer(challenge, **wrong))
    with pytest.raises(PasskeyRefused):
        come(world, new_challenge(), one.answer(challenge))
    answer = one.answer(challenge)
    assert come(world, challenge, answer).actor.name == "admin"
    with pytest.raises(PasskeyRefused):
        come(world, challenge, answer)  # the counter has been shown
    one.count = 0
    with pytest.raises(PasskeyRefused):
        come(world, new_challenge(), one.answer(challenge))
    with pytest.raises(PasskeyRefused):
        come(world, challenge, "{}")
    kinds = [each["kind"] for each in journal(world.store)]
    assert kinds.count(FactKind.PASSKEY_INVITED) == kinds.count(FactKind.PASSKEY_ENROLLED) == 1

    revoke_access(world.desk, CONSOLE, known.actor.credential or "")
    assert entered(world.desk, begun.secret) is None
    one.count = 50
    challenge = new_challenge()
    with pytest.raises(PasskeyRefused):
        come(world, challenge, one.answer(challenge))


def test_a_passkey_without_a_counter_answers_a_question_once(world: World) -> None:
    api, one = Api(world), Authenticator()
    made = invite(world.desk, CONSOLE, _credential(api, "dcc"))
    challenge = new_challenge()
    enrol(world.desk, made.secret, challenge=challenge, relying=RELYING, response=one.make(challenge))
    challenge = new_challenge()
    one.count = -1
    answer = one.answer(challenge)
    come(world, challenge, answer)
    with pytest.raises(CredentialInvalid):
        come(world, challenge, answer)


def test_an_invitation_is_sent_by_who_manages_access_and_lapses(world: World) -> None:
    api = Api(world)
    pages = Pages(api)
    with pytest.raises(OperationNotPermitted):
        invite(world.desk, pages.actor("officer-1"), _credential(api, "officer-1"))
    for nobody in ("key-none", _credential(api, "monitor")):
        with pytest.raises(NoSuchThing):
            invite(world.desk, pages.actor("admin"), nobody)
    made = invite(world.desk, pages.actor("admin"), _credential(api, "officer-1"))
    world.clock.instant += INVITATION_LIFE - timedelta(seconds=1)
    assert invited(world.desk, made.secret).name == "officer-1"
    world.clock.instant += timedelta(seconds=1)
    for secret in (made.secret, "x", "\u0661", ""):
        with pytest.raises(PasskeyRefused):
            invited(world.desk, secret)


def test_an_administrator_invites_and_the_invited_come_in_through_the_pages(world: World) -> None:
    pages, one = Pages(Api(world)), Authenticator()
    page = pages.get("admin", "/console/people").text
    csrf = pages.fields(page, "/console/sign-out")["csrf_token"]
    credential = _credential(pages.api, "officer-2")
    shown = pages.post("admin", "/console/people/invitation", {"csrf_token": csrf, "credential": credential}).text
    place = shown.partition("<pre>")[2].partition("</pre>")[0].removeprefix(ORIGIN)
    client = pages.browser(None)
    assert "officer-2" in client.get(place, base_url=ORIGIN).text
    for asked in (place, "/console/sign-in"):
        page = client.get(asked, base_url=ORIGIN).text
        with client.session_transaction(base_url=ORIGIN) as session:
            challenge = base64.b64decode(session["challenge"][0])
        said = one.make(challenge) if asked == place else one.answer(challenge)
        data = {**pages.fields(page), "response": said}
        assert client.post(asked, base_url=ORIGIN, data=data).location == "/console/home"
        home = client.get("/console/home", base_url=ORIGIN).text
        assert "officer-2" in home
        csrf = pages.fields(home, "/console/sign-out")["csrf_token"]
        assert client.post(asked, base_url=ORIGIN, data={"csrf_token": csrf, "response": said}).status_code == 401
        client.post("/console/sign-out", base_url=ORIGIN, data={"csrf_token": csrf})
    assert client.get(place, base_url=ORIGIN).status_code == 401


def come(world: World, challenge: bytes, response: str) -> Any:
    return come_in(world.desk, challenge=challenge, relying=RELYING, key_id=b"passkey of a test", response=response)

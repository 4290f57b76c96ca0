"""A process of its own for a token's module, which is a stranger's code: it may hang, print, or die, and only here.

It is started by keys/token.py, which alone speaks to it, over one pipe: a request is a JSON object with `do`, an answer
one with what was found, or with `error`, PKCS#11's own name for what went wrong. It judges nothing: what an answer is
worth is said there. It has one thread: modules are initialised without locks here (python-pkcs11 calls C_Initialize
with NULL), and whoever says so may not call from several (PKCS#11 2.40, 5.4).
"""

import json
import signal
import sys
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeAlias

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass, TokenFlag
from pkcs11.types import SignMixin
from pkcs11.util.ec import encode_named_curve_parameters

from core.canonical import read_json
from keys.token_uri import KeyKind

Answer: TypeAlias = dict[str, object]
Asked: TypeAlias = Mapping[str, str]
Attributes: TypeAlias = dict[Attribute, Any]
"""Of an object, as pkcs11 types them."""

LARGEST_REQUEST = 16 * 1024
"""Octets."""

_EXTRA_SECONDS = 1.0
"""That we live on after the deadline: who asked has given up by then, or has died, and a module that hangs cannot be
left behind."""


_ED25519 = bytes.fromhex("06032b6570")
"""CKA_EC_PARAMS: id-Ed25519 as an object identifier, DER (RFC 8410, 3)."""

_INSIDE: Attributes = {Attribute.PRIVATE: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
_SIGNS = MechanismFlag.SIGN | MechanismFlag.VERIFY
_SECRET_BITS = 256

_NEEDED: Mapping[KeyKind, frozenset[Mechanism]] = {
    KeyKind.P256: frozenset({Mechanism.EC_KEY_PAIR_GEN, Mechanism.ECDSA}),
    KeyKind.ED25519: frozenset({Mechanism.EC_EDWARDS_KEY_PAIR_GEN, Mechanism.EDDSA}),
    KeyKind.HMAC: frozenset({Mechanism.GENERIC_SECRET_KEY_GEN, Mechanism.SHA256_HMAC}),
}
"""What a token must be able to do for a key of a kind."""

_SIGNED_WITH: Mapping[KeyKind, Mechanism] = {
    KeyKind.P256: Mechanism.ECDSA,
    KeyKind.ED25519: Mechanism.EDDSA,
    KeyKind.HMAC: Mechanism.SHA256_HMAC,
}


class _Readable(Protocol):
    """An object of a token."""

    def __getitem__(self, key: Attribute) -> object:
        """Return an attribute."""
        ...


class _Held:
    """What was found so far: a token, then a session on it, then keys."""

    def __init__(self) -> None:
        self._token: pkcs11.Token | None = None
        self._session: pkcs11.Session | None = None
        self._writes = False
        self._keys: list[tuple[KeyKind, pkcs11.Object]] = []
        self.does: Mapping[str, Callable[[Asked], Answer]] = {
            "find": self._find,
            "log-in": self._log_in,
            "lacks": self._lacks,
            "key": self._take,
            "generate": self._generate,
            "sign": self._sign,
        }

    def _find(self, asked: Asked) -> Answer:
        try:
            module = pkcs11.lib(asked["module"])
        except pkcs11.PKCS11Error as error:
            return {"error": "Module", "module": asked["module"], "said": str(error) or type(error).__name__}
        wanted = read_json(asked["token"])
        there = [each for each in module.get_tokens() if each.flags & TokenFlag.TOKEN_INITIALIZED]
        found = [each for each in there if wanted.items() <= _says(each).items()]
        if len(found) != 1:
            flaw = "MultipleTokensReturned" if found else "NoSuchToken"
            return {"error": flaw, "there": [_says(each)["token"] for each in there]}
        self._token = found[0]
        return {"flags": int(found[0].flags)}

    def _log_in(self, asked: Asked) -> Answer:
        assert self._token is not None
        self._writes = "write" in asked
        self._session = self._token.open(rw=self._writes, user_pin=asked["pin"])
        return {}

    def _lacks(self, asked: Asked) -> Answer:
        assert self._token is not None
        missing = _NEEDED[KeyKind(asked["kind"])] - set(self._token.slot.get_mechanisms())
        return {"lacks": sorted(f"CKM_{each.name}" for each in missing)}

    def _take(self, asked: Asked) -> Answer:
        assert self._session is not None
        kind = KeyKind(asked.get("kind", KeyKind.P256))
        of_class = ObjectClass.SECRET_KEY if kind is KeyKind.HMAC else ObjectClass.PRIVATE_KEY
        wanted: Attributes = {Attribute.CLASS: of_class}
        if "label" in asked:
            wanted[Attribute.LABEL] = asked["label"]
        if "id" in asked:
            wanted[Attribute.ID] = bytes.fromhex(asked["id"])
        found = list(self._session.get_objects(wanted))
        if len(found) != 1:
            return {"error": "MultipleObjectsReturned" if found else "NoSuchKey"}
        return self._shown(found[0], kind)

    def _generate(self, asked: Asked) -> Answer:
        assert self._session is not None
        kind = KeyKind(asked.get("kind", KeyKind.P256))
        of_class = ObjectClass.SECRET_KEY if kind is KeyKind.HMAC else ObjectClass.PRIVATE_KEY
        identifier = bytes.fromhex(asked["id"])
        # Where several have keys in one token, a name is another's too; what is unique is the identifier.
        named = {Attribute.ID: identifier} if "shared" in asked else {Attribute.LABEL: asked["label"]}
        # Where nobody writes otherwise, a session that may is there for this one key, and shares the log-in.
        session = self._session if self._writes else self._write()
        if list(session.get_objects({Attribute.CLASS: of_class, **named})):
            return {"error": "KeyThere"}
        made: pkcs11.Object
        if kind is KeyKind.HMAC:
            made = session.generate_key(
                KeyType.GENERIC_SECRET,
                _SECRET_BITS,
                mechanism=Mechanism.GENERIC_SECRET_KEY_GEN,
                id=identifier,
                label=asked["label"],
                store=True,
                capabilities=_SIGNS,
                template=_INSIDE,
            )
        else:
            edwards = kind is KeyKind.ED25519
            curve = _ED25519 if edwards else encode_named_curve_parameters("secp256r1")
            of_type = KeyType.EC_EDWARDS if edwards else KeyType.EC
            parameters = session.create_domain_parameters(of_type, {Attribute.EC_PARAMS: curve}, local=True)
            _, made = parameters.generate_keypair(
                mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN if edwards else Mechanism.EC_KEY_PAIR_GEN,
                id=identifier,
                label=asked["label"],
                store=True,
                capabilities=_SIGNS,
                private_template=_INSIDE,
            )
        if not self._writes:
            session.close()  # and with it the handle of the key, which is found again by whoever uses it
            return {}
        return self._shown(made, kind)

    def _write(self) -> pkcs11.Session:
        assert self._token is not None
        return self._token.open(rw=True)

    def _sign(self, asked: Asked) -> Answer:
        kind, key = self._keys[int(asked["key"])]
        assert isinstance(key, SignMixin)
        # An ECDSA digest is made by who asks: every token signs one, and not every token hashes.
        return {"signature": key.sign(bytes.fromhex(asked["octets"]), mechanism=_SIGNED_WITH[kind]).hex()}

    def _shown(self, key: pkcs11.Object, kind: KeyKind) -> Answer:
        """What a key is, under a number from now on, with the public key of the same CKA_ID if there is one."""
        assert self._session is not None
        self._keys.append((kind, key))
        type_of = key[Attribute.KEY_TYPE]
        shown: Answer = {
            "key": len(self._keys) - 1,
            "elliptic": type_of in (KeyType.EC, KeyType.EC_EDWARDS),
            "secret": type_of == KeyType.GENERIC_SECRET,
            "extractable": key[Attribute.EXTRACTABLE],
            "signs": key[Attribute.SIGN],
            "born": all(_says_so(key, each) for each in _BORN),
        }
        public = {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.ID: key[Attribute.ID]}
        for each in self._session.get_objects(public) if shown["elliptic"] else ():
            shown["curve"] = each[Attribute.EC_PARAMS].hex()
            shown["point"] = each[Attribute.EC_POINT].hex()
        return shown


_BORN = (Attribute.LOCAL, Attribute.ALWAYS_SENSITIVE, Attribute.NEVER_EXTRACTABLE)
"""What a token says of a key that was made inside and has not been outside since (PKCS#11 2.40, 4.9)."""


def _says_so(key: _Readable, attribute: Attribute) -> bool:
    try:
        return key[attribute] is True
    except pkcs11.PKCS11Error:
        return False


def _says(token: pkcs11.Token) -> dict[str, str]:
    """What a token says of itself, by the names of RFC 7512."""
    serial = token.serial.decode("utf-8", "replace")
    return {"token": token.label, "serial": serial, "model": token.model, "manufacturer": token.manufacturer_id}


def serve(connection: Connection) -> None:
    """Answer until nobody asks any more.

    Args:
        connection: to whoever started us.
    """
    held = _Held()
    while True:
        try:
            asked = read_json(connection.recv_bytes(LARGEST_REQUEST))
        except EOFError:
            return
        # No call of PKCS#11 has a deadline of its own; this one is the kernel's, and ends us.
        signal.setitimer(signal.ITIMER_REAL, float(asked["seconds"]) + _EXTRA_SECONDS)
        try:
            answer = held.does[asked["do"]](asked)
        except pkcs11.PKCS11Error as error:
            answer = {"error": type(error).__name__}
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.send_bytes(json.dumps(answer).encode())


if __name__ == "__main__":
    # Ctrl-C at the terminal, and what a service manager sends to all of a service, is for who started us: it may still
    # have something to sign. When it ends so does the pipe, and then so do we.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    serve(Connection(int(sys.argv[1])))

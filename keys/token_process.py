"""A process of its own for a token's module, which is a stranger's code: it may hang, print, or die, and only here.

It is started by keys/token.py, which alone speaks to it, over one pipe: a request is a JSON object with `do`, an answer
one with what was found, or with `error`, PKCS#11's own name for what went wrong. It judges nothing: what an answer is
worth is said there.
"""

import json
import signal
import sys
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import TypeAlias

import pkcs11
from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass, TokenFlag
from pkcs11.types import SignMixin
from pkcs11.util.ec import encode_named_curve_parameters

from core.canonical import read_json

Answer: TypeAlias = dict[str, object]
Asked: TypeAlias = Mapping[str, str]

LARGEST_REQUEST = 16 * 1024
"""Octets."""

_EXTRA_SECONDS = 1.0
"""That we live on after the deadline: who asked has given up by then, or has died, and a module that hangs cannot be
left behind."""


class _Held:
    """What was found so far: a token, then a session on it, then keys."""

    def __init__(self) -> None:
        self._token: pkcs11.Token | None = None
        self._session: pkcs11.Session | None = None
        self._keys: list[pkcs11.Object] = []
        self.does: Mapping[str, Callable[[Asked], Answer]] = {
            "find": self._find,
            "log-in": self._log_in,
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
        return {"flags": int(self._token.flags)}

    def _log_in(self, asked: Asked) -> Answer:
        assert self._token is not None
        self._session = self._token.open(rw="write" in asked, user_pin=asked["pin"])
        return {}

    def _take(self, asked: Asked) -> Answer:
        assert self._session is not None
        wanted: dict[Attribute, object] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
        if "label" in asked:
            wanted[Attribute.LABEL] = asked["label"]
        if "id" in asked:
            wanted[Attribute.ID] = bytes.fromhex(asked["id"])
        found = list(self._session.get_objects(wanted))
        if len(found) != 1:
            return {"error": "MultipleObjectsReturned" if found else "NoSuchKey"}
        return self._shown(found[0])

    def _generate(self, asked: Asked) -> Answer:
        assert self._session is not None
        there = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: asked["label"]}
        if list(self._session.get_objects(there)):
            return {"error": "KeyThere"}
        curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        parameters = self._session.create_domain_parameters(KeyType.EC, curve, local=True)
        _, made = parameters.generate_keypair(
            id=bytes.fromhex(asked["id"]),
            label=asked["label"],
            store=True,
            capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
            private_template={Attribute.PRIVATE: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
        )
        return self._shown(made)

    def _sign(self, asked: Asked) -> Answer:
        key = self._keys[int(asked["key"])]
        assert isinstance(key, SignMixin)
        # The digest is made by who asks: every token signs one, and not every token hashes.
        signature = key.sign(bytes.fromhex(asked["digest"]), mechanism=pkcs11.Mechanism.ECDSA)
        return {"signature": signature.hex()}

    def _shown(self, key: pkcs11.Object) -> Answer:
        """What a private key is, under a number from now on, with the public key of the same CKA_ID if there is one."""
        assert self._session is not None
        self._keys.append(key)
        shown: Answer = {
            "key": len(self._keys) - 1,
            "elliptic": key[Attribute.KEY_TYPE] == KeyType.EC,
            "extractable": key[Attribute.EXTRACTABLE],
            "signs": key[Attribute.SIGN],
        }
        public = {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.ID: key[Attribute.ID]}
        for each in self._session.get_objects(public) if shown["elliptic"] else ():
            shown["curve"] = each[Attribute.EC_PARAMS].hex()
            shown["point"] = each[Attribute.EC_POINT].hex()
        return shown


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
    # Ctrl-C at the terminal is for who started us; it ends, and then so do we.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(Connection(int(sys.argv[1])))

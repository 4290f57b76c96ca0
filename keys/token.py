"""A private key in a PKCS#11 token: found, logged in to, made inside, and used; it is never seen.

No call of PKCS#11 has a deadline, and a module is a stranger's code in whoever loads it. So each token is spoken to in
a process of its own (keys/token_process.py): each answer is waited for so long and no longer, a process that does not
answer is killed, and what it answers is doubted. After that the token is found anew.
"""

import hashlib
import json
import queue
import secrets
import subprocess
import weakref
from collections.abc import Mapping
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from core.canonical import read_json
from core.errors import (
    ExtraMissing,
    TokenAbsent,
    TokenFailed,
    TokenKeyAbsent,
    TokenKeyUnusable,
    TokenModuleUnusable,
    TokenPinAtRisk,
    TokenPinLocked,
    TokenPinWrong,
    TokenSilent,
)
from keys.signer import spki
from keys.token_pipe import part, started
from keys.token_uri import KeyInToken, KeyKind

EXTRA, EXTRA_PACKAGE = "hsm", "pkcs11"
"""What pyproject.toml calls it, and what it brings (python-pkcs11)."""

PATIENCE = 30.0
"""Seconds for each answer where a person stands by: a card takes one to sign, and some wait to be touched."""

_LARGEST_ANSWER = 64 * 1024

_P256 = bytes.fromhex("06082a8648ce3d030107")
"""CKA_EC_PARAMS: secp256r1 as an object identifier, DER (RFC 5480, 2.1.1.1)."""
_POINT_SIZE = 65
_WRAPPED = bytes([0x04, _POINT_SIZE])
"""What CKA_EC_POINT begins with where the point is an OCTET STRING (PKCS#11 2.40, 2.3.3); some tokens give it bare."""

_ED25519 = bytes.fromhex("06032b6570")
"""CKA_EC_PARAMS: id-Ed25519 as an object identifier, DER (RFC 8410, 3)."""
_EDWARDS_SIZE = 32

_COUNT_LOW, _FINAL_TRY, _LOCKED = 0x00010000, 0x00020000, 0x00040000
"""CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED (PKCS#11 2.40, CK_TOKEN_INFO)."""

_WRONG_PIN = frozenset({"PinIncorrect", "PinInvalid", "PinLenRange"})
_NOBODY: Mapping[str, str] = {
    "PinLocked": "its PIN is locked",
    "PinExpired": "its PIN has expired",
    "UserPinNotInitialized": "it has no PIN yet",
}
_FULL = frozenset({"DeviceMemory", "HostMemory"})
_GONE = frozenset({"TokenNotPresent", "TokenNotRecognised", "DeviceRemoved", "SlotIDInvalid"})
_NOT_ONE: Mapping[str, str] = {"NoSuchKey": "it has none", "MultipleObjectsReturned": "it has several"}

_PROBE = b"Trial CPA: whoever can sign this has the private half of the public key that is shown."
"""It states nothing: no certificate, list, answer or head begins with these octets."""


class Token:
    """A token that was found.

    Args:
        named: by which name.
        process: speaks to it.
        connection: to that process; whoever asks while another does waits for it, and no longer than for an answer.
        seconds: for which each answer is waited for.
    """

    def __init__(
        self,
        named: KeyInToken,
        process: "subprocess.Popen[bytes]",
        connection: Connection,
        *,
        seconds: float,
    ) -> None:
        self._named = named
        self._process = process
        self._seconds = seconds
        self._flags = 0
        self._free: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        self._free.put(connection)
        self.close = weakref.finalize(self, part, process, connection)
        """Part with the token; what was logged in to is logged out of."""

    @property
    def final_try(self) -> bool:
        """Whether one more wrong PIN locks the token."""
        return bool(self._flags & _FINAL_TRY)

    def spare(self) -> None:
        """Raise TokenPinAtRisk if a wrong PIN was tried since the last right one: whoever asks tries none."""
        if self._flags & (_COUNT_LOW | _FINAL_TRY):
            detail = "one more wrong PIN locks it" if self.final_try else "the last PIN that it was given was wrong"
            raise TokenPinAtRisk(token=self._named.token_name, detail=detail)

    def kill(self) -> None:
        """Part with a token that is not trusted to part: nothing is waited for."""
        self._process.kill()
        self.close()

    @property
    def dead(self) -> bool:
        """Whether the process that speaks to it has ended."""
        return self._process.poll() is not None

    def patience(self, seconds: float) -> None:
        """Wait for so long, from now on, for each answer."""
        self._seconds = seconds

    def find(self, module: Path) -> None:
        """Find the token behind a module; errors as of `find_token`."""
        found = self._ask("find", self._named, module=str(module), token=json.dumps(dict(self._named.token)))
        self._flags = int(str(found["flags"]))
        if self._flags & _LOCKED:
            raise TokenPinLocked(token=self._named.token_name, detail=_NOBODY["PinLocked"])

    def log_in(self, pin: bytes, *, writes: bool = False) -> None:
        """Log in as the token's user.

        Args:
            pin: the user's.
            writes: whether a key is going to be made.

        Raises:
            TokenPinWrong, TokenPinLocked, TokenAbsent, TokenSilent, TokenFailed.
        """
        try:
            said = pin.decode("utf-8")
        except UnicodeDecodeError:
            raise TokenPinWrong(token=self._named.token_name) from None
        self._ask("log-in", self._named, pin=said, **({"write": "yes"} if writes else {}))

    def lacks(self, kind: KeyKind) -> list[str]:
        """Return the mechanisms that keys of a kind need and it has not, by name; errors as of `key`."""
        return _words(self._ask("lacks", self._named, kind=kind.value), "lacks")

    def key(self, named: KeyInToken, *, born: bool = False) -> "TokenSigner":
        """Return a key of this token.

        Args:
            named: which.
            born: whether it must have been made in there.

        Raises:
            TokenKeyAbsent: there is none, or there are several.
            TokenKeyUnusable: it is not P-256, may not sign, can be taken out, or has no public half beside it.
            TokenAbsent, TokenSilent, TokenFailed: see there.
        """
        return self._signer(named, self._taken(named, KeyKind.P256, born=born))

    def edwards_key(self, named: KeyInToken) -> "TokenEdwardsSigner":
        """Return an Ed25519 key of this token, which was made in there; errors as of `key`."""
        return self._edwards(named, self._taken(named, KeyKind.ED25519, born=True))

    def secret(self, named: KeyInToken, octets: bytes) -> bytes:
        """Return HMAC-SHA-256 over `octets` (32 octets) under a secret that was made in there; errors as of `key`."""
        key = str(self._taken(named, KeyKind.HMAC, born=True)["key"])
        return self.signature(key, octets)

    def generate(self, named: KeyInToken) -> "TokenSigner":
        """Make a key inside this token; it never leaves it.

        Args:
            named: what it is called: a label, and its CKA_ID if that is not to be drawn.

        Raises:
            TokenKeyUnusable: there is one of that name already, or what was made is not as it was asked for.
            TokenAbsent, TokenSilent, TokenFailed: see there.
        """
        assert named.label is not None, "a key is made under a label"
        identifier = named.identifier or secrets.token_bytes(16)
        return self._signer(named, self._ask("generate", named, label=named.label, id=identifier.hex()))

    def make(self, named: KeyInToken, kind: KeyKind) -> None:
        """Make a key of a kind inside this token, which others share: its CKA_ID alone tells it from theirs.

        Args:
            named: label and CKA_ID.
            kind: of the key.

        Raises:
            TokenKeyUnusable: there is one of that CKA_ID already.
            TokenAbsent, TokenSilent, TokenFailed: see there.
        """
        assert named.label is not None, "a key is made under a label"
        assert named.identifier is not None, "a key is made under an identifier"
        about = {"label": named.label, "id": named.identifier.hex(), "kind": kind.value, "shared": "yes"}
        self._ask("generate", named, **about)

    def signature(self, key: str, octets: bytes) -> bytes:
        """Return a signature, unproved: of ECDSA r and s, of one length (PKCS#11 2.40, 2.3.1).

        Args:
            key: its number in the process that speaks to the token.
            octets: what is signed; for ECDSA its SHA-256.
        """
        return bytes.fromhex(str(self._ask("sign", self._named, key=key, octets=octets.hex())["signature"]))

    def _taken(self, named: KeyInToken, kind: KeyKind, *, born: bool) -> Mapping[str, object]:
        label = {} if named.label is None else {"label": named.label}
        identifier = {} if named.identifier is None else {"id": named.identifier.hex()}
        shown = self._ask("key", named, kind=kind.value, **label, **identifier)
        if shown.get("extractable") is not False:
            self._unusable(named, "it can be taken out of the token (CKA_EXTRACTABLE), so that others may have it")
        if born and shown.get("born") is not True:
            self._unusable(named, "it was not made in there, or has been outside (CKA_LOCAL, CKA_NEVER_EXTRACTABLE)")
        if kind is KeyKind.HMAC and shown.get("secret") is not True:
            self._unusable(named, "it is not a generic secret")
        return shown

    def failed(self, detail: str) -> TokenFailed:
        """Return the error that says what cannot be used of what the token answered."""
        return TokenFailed(token=self._named.token_name, detail=detail)

    def _signer(self, named: KeyInToken, shown: Mapping[str, object]) -> "TokenSigner":
        point = self._point(named, shown, _P256, "P-256")
        if len(point) == len(_WRAPPED) + _POINT_SIZE:
            point = point.removeprefix(_WRAPPED)
        try:
            public_key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        except ValueError:
            raise self.failed("its public key is no point on P-256") from None
        return TokenSigner(self, str(shown["key"]), public_key)

    def _edwards(self, named: KeyInToken, shown: Mapping[str, object]) -> "TokenEdwardsSigner":
        point = self._point(named, shown, _ED25519, "Ed25519")
        if not _EDWARDS_SIZE <= len(point) <= _EDWARDS_SIZE + len(_WRAPPED):
            raise self.failed("its public key is none of Ed25519")
        return TokenEdwardsSigner(self, str(shown["key"]), point[-_EDWARDS_SIZE:])

    def _point(self, named: KeyInToken, shown: Mapping[str, object], curve: bytes, called: str) -> bytes:
        if shown.get("elliptic") is not True:
            self._unusable(named, f"it is not a {called} key")
        if shown.get("extractable") is not False:
            self._unusable(named, "it can be taken out of the token (CKA_EXTRACTABLE), so that others may have it")
        if shown.get("signs") is not True:
            self._unusable(named, "it may not sign (CKA_SIGN)")
        if "point" not in shown:
            self._unusable(named, "its public half is not beside it under the same CKA_ID")
        if bytes.fromhex(str(shown["curve"])) != curve:
            self._unusable(named, f"it is not a {called} key")
        return bytes.fromhex(str(shown["point"]))

    def _unusable(self, named: KeyInToken, detail: str) -> NoReturn:
        raise TokenKeyUnusable(token=self._named.token_name, key=named.key_name, detail=detail)

    def _ask(self, do: str, named: KeyInToken, **what: str) -> Mapping[str, object]:
        """Ask the process when nobody else does, and wait so long and no longer."""
        asked = json.dumps({"do": do, "seconds": self._seconds, **what}).encode()
        try:
            connection = self._free.get(timeout=self._seconds)
        except queue.Empty:
            self._silent()
        try:
            connection.send_bytes(asked)
            if not connection.poll(self._seconds):
                self._silent()
            answer = read_json(connection.recv_bytes(_LARGEST_ANSWER))
        except (OSError, EOFError):
            self.close()
            raise self.failed("its module has died") from None
        finally:
            self._free.put(connection)
        if "error" in answer:
            self._refuse(str(answer["error"]), named, answer)
        return dict(answer)

    def _silent(self) -> NoReturn:
        self.kill()
        raise TokenSilent(token=self._named.token_name, seconds=self._seconds)

    def _refuse(self, error: str, named: KeyInToken, answer: Mapping[str, object]) -> NoReturn:
        token = self._named.token_name
        if error == "Module":
            raise TokenModuleUnusable(module=answer["module"], detail=answer["said"])
        if error == "NoSuchToken":
            there = ", ".join(f"“{each}”" for each in _words(answer, "there")) or "none"
            raise TokenAbsent(token=token, detail=f"it is not there; what is there: {there}")
        if error == "MultipleTokensReturned":
            raise TokenAbsent(token=token, detail="there are several that say so of themselves")
        if error in _GONE:
            raise TokenAbsent(token=token, detail="it was taken out")
        if error in _WRONG_PIN:
            raise TokenPinWrong(token=token)
        if error in _NOBODY:
            raise TokenPinLocked(token=token, detail=_NOBODY[error])
        if error in _NOT_ONE:
            raise TokenKeyAbsent(token=token, key=named.key_name, detail=_NOT_ONE[error])
        if error == "KeyThere":
            self._unusable(named, "there is a key of that name already, and keys are never overwritten")
        if error in _FULL:
            raise self.failed(f"it is full (PKCS#11 says {error})")
        raise self.failed(f"PKCS#11 says {error}")


class TokenSigner:
    """A key in a token: what keys/signer.py calls a Signer. Not deterministic: the same bytes, another signature.

    Args:
        token: logged in to.
        key: its number in the process that speaks to the token.
        public_key: its public half, on P-256.
    """

    def __init__(self, token: Token, key: str, public_key: ec.EllipticCurvePublicKey) -> None:
        self._token = token
        self._key = key
        self._verifier = public_key
        self._public_key = spki(public_key)

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """Return the ECDSA signature with SHA-256 over `message`, DER, proved by the public key.

        Raises:
            TokenFailed: it does not prove.
            TokenAbsent, TokenSilent: see there.
        """
        signature = self._token.signature(self._key, hashlib.sha256(message).digest())
        half = len(signature) // 2
        der = encode_dss_signature(int.from_bytes(signature[:half]), int.from_bytes(signature[half:]))
        try:
            self._verifier.verify(der, message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise self._token.failed("its signature does not verify under the key's public half") from None
        return der

    def prove(self) -> None:
        """Prove that the private key belongs to the public one that is shown; errors as of `sign`."""
        self.sign(_PROBE)

    def __reduce__(self) -> str:
        """Refuse to be pickled: a key never travels."""
        raise TypeError("a signer stays in its process")


class TokenEdwardsSigner:
    """An Ed25519 key in a token: deterministic, as Ed25519 is (RFC 8032).

    Args:
        token: logged in to.
        key: its number in the process that speaks to the token.
        public_key: 32 octets.
    """

    def __init__(self, token: Token, key: str, public_key: bytes) -> None:
        self._token = token
        self._key = key
        self.public_key = public_key
        """32 octets."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`, 64 octets, proved by the public key; errors as of TokenSigner's."""
        signature = self._token.signature(self._key, message)
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except InvalidSignature:
            raise self._token.failed("its signature does not verify under the key's public half") from None
        return signature

    def prove(self) -> None:
        """Prove that the private key belongs to the public one that is shown; errors as of `sign`."""
        self.sign(_PROBE)

    def __reduce__(self) -> str:
        """Refuse to be pickled: a key never travels."""
        raise TypeError("a signer stays in its process")


def find_token(named: KeyInToken, module: Path | None = None, *, seconds: float = PATIENCE) -> Token:
    """Find a token, without logging in.

    Args:
        named: which.
        module: the PKCS#11 library that reaches it, if the name does not say.
        seconds: for which each answer of the token is waited for, now and later.

    Raises:
        ExtraMissing: Python packages are missing.
        TokenModuleUnusable: no module is named, or it cannot be loaded.
        TokenAbsent: there is no such token, or several.
        TokenPinLocked: nobody can log in.
        TokenSilent, TokenFailed: see there.
    """
    library = named.module or module
    if library is None:
        raise TokenModuleUnusable(module="for the token " + named.token_name, detail="none is named")
    if find_spec(EXTRA_PACKAGE) is None:
        raise ExtraMissing(missing=f"python-{EXTRA_PACKAGE}", extra=EXTRA)
    try:
        process, connection = started()
    except OSError as error:  # no more files, processes or memory
        detail = f"no process can be started for it ({error.strerror})"
        raise TokenFailed(token=named.token_name, detail=detail) from error
    token = Token(named, process, connection, seconds=seconds)
    try:
        token.find(library)
    except Exception:
        token.kill()
        raise
    return token


def _words(answer: Mapping[str, object], name: str) -> list[str]:
    found = answer.get(name)
    return [str(each) for each in found] if isinstance(found, list) else []

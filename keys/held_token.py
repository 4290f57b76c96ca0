"""A token that a process holds for as long as it runs: logged in to once, parted with when it fails, and opened again.

Whoever signs with a key of a token that failed is told so at once, and no longer asks: a thread of its own opens the
token again, finds every key that was in use, compares its public half with the one before and has it prove itself. Only
then is it used. A PIN that the token refuses is not tried a second time, and one that no person types not at all where
a wrong one was tried last, by us before we were started again or by whomever: the token would lock itself.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from core.boundaries import boundary
from core.errors import (
    NEEDS_A_PERSON,
    TokenAbsent,
    TokenFailed,
    TokenKeyAbsent,
    TokenKeyUnusable,
    TokenOutOfUse,
    TokenSilent,
    TrialCpaError,
)
from core.trouble import Trouble, tried
from keys.log_key import spki_sha256
from keys.token import Token, TokenEdwardsSigner, TokenSigner, find_token
from keys.token_uri import KeyInToken, KeyKind

_log = logging.getLogger(__name__)

ANSWER_SECONDS = 0.5
"""For each answer of one that is open: longer than a device in the same house takes, shorter than somebody waits."""

OPENING_SECONDS = 10.0
"""For each answer while a token is opened: its module is loaded then, in a process that begins."""

FIRST_REST, LONGEST_REST = 0.5, 4.0
"""Seconds until a token that failed is tried again, and doubled until then."""

_LOST = (TokenAbsent, TokenFailed, TokenSilent)

_Key: TypeAlias = TokenSigner | TokenEdwardsSigner
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class _Open:
    token: Token
    keys: dict[str, _Key]


@dataclass(frozen=True, kw_only=True)
class _Known:
    """A key that is in use, as it was when it was taken first."""

    named: KeyInToken
    kind: KeyKind
    public_key: bytes


class HeldToken:
    """One token, logged in to.

    Args:
        named: which; what it says of a key is not gone by.
        pin: of its user.
        module: the PKCS#11 library that reaches it, if the name does not say.
        seconds: for which each answer is waited for once it is open.
        typed: whether a person typed the PIN, now.

    Raises:
        ExtraMissing, TokenModuleUnusable, TokenAbsent, TokenPinWrong, TokenPinLocked, TokenPinAtRisk, TokenSilent,
        TokenFailed.
    """

    def __init__(
        self,
        named: KeyInToken,
        pin: bytes,
        module: Path | None,
        *,
        seconds: float = ANSWER_SECONDS,
        typed: bool = False,
    ) -> None:
        self.name = named.token_name
        self._named, self._pin, self._module = named, pin, module
        self._seconds = seconds
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._over = threading.Event()
        self._why: TrialCpaError | None = None
        self._trouble = Trouble(_log)
        self._opener: threading.Thread | None = None
        self._open: _Open | None = self._opened(typed=typed)

    @property
    def out_of_use(self) -> TrialCpaError | None:
        """Why nothing is signed with its keys at this moment; None if it can be.

        A process that died is found here before anybody needs it; one that hangs only by whoever does.
        """
        with self._lock:
            held = self._open
        if held is None:
            self._open_soon()
        elif held.token.dead:
            self._lose(held, held.token.failed("its module has died"))
        with self._lock:
            return self._why

    def lacks(self, kind: KeyKind) -> list[str]:
        """Return the mechanisms that keys of a kind need and it has not; TokenOutOfUse if it does not say."""
        return self._with(lambda held: held.token.lacks(kind))

    def make(self, named: KeyInToken, kind: KeyKind) -> None:
        """Make a key inside, if there is none of that CKA_ID and label.

        Raises:
            TokenKeyUnusable: there are several, or one that is not as it has to be.
            TokenOutOfUse: it was not made, or nobody knows whether it was.
        """

        def made(held: _Open) -> None:
            try:
                _taken(held.token, named, kind)
            except TokenKeyAbsent:
                held.token.make(named, kind)

        self._with(made)

    def signer(self, named: KeyInToken) -> "HeldSigner":
        """Return what signs with a P-256 key of it.

        Raises:
            TokenKeyAbsent, TokenKeyUnusable, TokenOutOfUse: see there.
        """
        return HeldSigner(self, named, self._take(named, KeyKind.P256))

    def edwards_signer(self, named: KeyInToken) -> "HeldLogKey":
        """Return what signs with an Ed25519 key of it; errors as of `signer`."""
        return HeldLogKey(self, named, self._take(named, KeyKind.ED25519))

    def secret(self, named: KeyInToken, octets: bytes) -> bytes:
        """Return HMAC-SHA-256 over `octets` under a secret of it; errors as of `signer`."""
        return self._with(lambda held: held.token.secret(named, octets))

    def signature(self, named: KeyInToken, message: bytes) -> bytes:
        """Return a signature with a key that was taken before, proved by its public half; TokenOutOfUse if it fails."""
        return self._with(lambda held: held.keys[str(named)].sign(message), TrialCpaError)

    def close(self) -> None:
        """Part with it; it is not opened again."""
        with self._lock:
            self._over.set()
            held, self._open = self._open, None
        if held is not None:
            held.token.close()

    def _take(self, named: KeyInToken, kind: KeyKind) -> bytes:
        """Find a key that is going to be used, have it prove itself, and return its public half."""

        def taken(held: _Open) -> bytes:
            key = held.keys.get(str(named)) or _proved(held.token, named, kind)
            with self._lock:
                self._known[str(named)] = _Known(named=named, kind=kind, public_key=key.public_key)
                held.keys[str(named)] = key
            return key.public_key

        return self._with(taken)

    def _with(
        self,
        act: Callable[[_Open], _T],
        lost: type[TrialCpaError] | tuple[type[TrialCpaError], ...] = _LOST,
    ) -> _T:
        with self._lock:
            held = self._open
        if held is None:
            raise self._error()
        try:
            return act(held)
        except lost as error:
            self._lose(held, error)
            raise self._error() from error
        except TrialCpaError:
            raise
        except Exception as error:  # an answer of a kind that nobody foresaw: what comes next of it is not trusted
            self._lose(held, self._unforeseen(error))
            raise self._error() from error

    def _error(self) -> TokenOutOfUse:
        return TokenOutOfUse(token=self.name, detail=self.out_of_use or "it was parted with.")

    def _unforeseen(self, error: Exception) -> TokenFailed:
        return TokenFailed(token=self.name, detail=f"what came of it was not foreseen ({type(error).__name__})")

    def _lose(self, held: _Open, error: TrialCpaError) -> None:
        with self._lock:
            if self._open is not held:
                return  # another thread found it first
            self._open, self._why = None, error
        # First, so that nothing that comes of parting with it is in the way of its being opened again.
        self._open_soon()
        self._trouble.begins(f"{error} Nothing is signed with the keys in it until it is open again.", logging.ERROR)
        held.token.kill()

    def _open_soon(self) -> None:
        """See to it that a thread opens the token again, unless one does, or a person has to."""
        with self._lock:
            if self._open is not None or self._over.is_set() or isinstance(self._why, NEEDS_A_PERSON):
                return
            if self._opener is not None and self._opener.is_alive():
                return
            self._opener = threading.Thread(target=self._open_again, name="token", daemon=True)
            with suppress(RuntimeError):  # no thread is to be had: whoever looks next tries again
                self._opener.start()

    def _open_again(self) -> None:
        rest = FIRST_REST
        while not self._over.wait(rest):
            words = f"The token {self.name} is not open yet"
            if tried(self._reopen, self._trouble, words, over=f"The token {self.name} was opened again."):
                return
            with self._lock:
                why = self._why
            if isinstance(why, NEEDS_A_PERSON):
                _log.error("%s It is not tried again: start the process again once that is mended.", why)
                return
            rest = min(2 * rest, LONGEST_REST)

    def _reopen(self) -> None:
        try:
            held = self._opened()
        except Exception as error:
            with self._lock:
                self._why = error if isinstance(error, TrialCpaError) else self._unforeseen(error)
            raise
        with self._lock:
            if not self._over.is_set():
                self._open, self._why, self._opener = held, None, None
                return
        held.token.close()

    def _opened(self, *, typed: bool = False) -> _Open:
        """Find the token, log in, and find every key that is in use: each the one that it was."""
        token = find_token(self._named, self._module, seconds=OPENING_SECONDS)
        try:
            if not typed:
                token.spare()
            token.log_in(self._pin)
            token.patience(self._seconds)
            keys = {name: self._same(token, known) for name, known in list(self._known.items())}
        except Exception:
            token.kill()
            raise
        return _Open(token=token, keys=keys)

    def _same(self, token: Token, known: _Known) -> _Key:
        key = _proved(token, known.named, known.kind)
        if key.public_key != known.public_key:
            detail = "it is another one than before"
            raise TokenKeyUnusable(token=self.name, key=known.named.key_name, detail=detail)
        return key


def _taken(token: Token, named: KeyInToken, kind: KeyKind) -> _Key | None:
    match kind:
        case KeyKind.P256:
            return token.key(named, born=True)
        case KeyKind.ED25519:
            return token.edwards_key(named)
        case KeyKind.HMAC:
            token.secret(named, b"")
            return None


def _proved(token: Token, named: KeyInToken, kind: KeyKind) -> _Key:
    key = _taken(token, named, kind)
    assert key is not None, "a secret signs nothing"
    key.prove()
    return key


class HeldSigner:
    """A P-256 key in a token that is held: what keys/signer.py calls a Signer. Not deterministic.

    Args:
        token: in which it lies.
        named: which.
        public_key: SubjectPublicKeyInfo, DER.
    """

    def __init__(self, token: HeldToken, named: KeyInToken, public_key: bytes) -> None:
        self._token, self._named, self._public_key = token, named, public_key

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """Return the ECDSA signature with SHA-256 over `message`, DER, proved by the public key.

        Raises:
            TokenOutOfUse: the token failed, or had before.
        """
        with boundary("signature"):
            return self._token.signature(self._named, message)

    def __reduce__(self) -> str:
        """Refuse to be pickled: a key never travels."""
        raise TypeError("a signer stays in its process")


class HeldLogKey:
    """An Ed25519 key in a token that is held: what keys/log_key.py calls a LogSigner.

    Args:
        token: in which it lies.
        named: which.
        public_key: 32 octets.
    """

    def __init__(self, token: HeldToken, named: KeyInToken, public_key: bytes) -> None:
        self._token, self._named, self._public_key = token, named, public_key

    @property
    def public_key(self) -> bytes:
        """32 octets."""
        return self._public_key

    @property
    def sha256(self) -> str:
        """Of its SubjectPublicKeyInfo (hex), as other keys are known by."""
        return spki_sha256(self._public_key)

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`, 64 octets, proved by the public key; TokenOutOfUse if it fails."""
        with boundary("signature"):
            return self._token.signature(self._named, message)

    def __reduce__(self) -> str:
        """Refuse to be pickled: a key never travels."""
        raise TypeError("a log key stays in its process")

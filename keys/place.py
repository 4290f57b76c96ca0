"""Where keys lie: each in a sealed file of a folder, or in a token. Then the file of its name says which, and no more.

What such a file says is the key's PKCS#11 URI (RFC 7512), with a CKA_ID of its own. So whoever looks whether there is
a key of a name looks for its file, wherever the key is; and a folder may hold keys of both kinds.
"""

import logging
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from core.errors import NEEDS_A_PERSON, KeyUnusable, TokenKeyMisnamed, TokenLacksMechanism, TrialCpaError
from keys.held_token import ANSWER_SECONDS, HeldToken
from keys.log_key import LogSigner, make_log_key, open_log_key
from keys.passphrase import FromPrompt, PassphraseSource
from keys.private_file import NotPrivate, read_private
from keys.record_key import RecordKey, make_record_key, open_record_key
from keys.sealed import LARGEST_FILE, generate, open_sealed, place_sealed
from keys.signer import Signer
from keys.token_uri import KeyInToken, KeyKind, names_token, parse_key

_log = logging.getLogger(__name__)

_IDENTIFIER_SIZE = 16
_DRAWN = b"trialcpa records in a token 1"
"""What the secret in a token is asked for, so that the memory's key is derived from the answer."""


class KeyRole(StrEnum):
    """What a key is for, as its file's name begins."""

    ROOT = "root"
    ISSUING = "issuing"
    RESPONDER = "responder"
    STATEMENT = "statement"
    JOURNAL = "journal"
    LOG = "log"
    MEMORY = "memory"


@dataclass(frozen=True, kw_only=True)
class InTokens:
    """What is said of keys in tokens.

    Args:
        pin: where the PIN of each token comes from; it is read once.
        token: where new keys are made; None where none is.
        roles: whose new keys are made there.
        module: the PKCS#11 library, where a key's own URI does not say another.
        seconds: for which each answer of a token is waited for once it is open.
    """

    pin: PassphraseSource
    token: KeyInToken | None = None
    roles: frozenset[KeyRole] = frozenset()
    module: Path | None = None
    seconds: float = ANSWER_SECONDS


class Tokens:
    """The tokens that a process holds; each is logged in to when it is first needed, and once.

    Args:
        said: of them.
    """

    def __init__(self, said: InTokens) -> None:
        self.said = said
        self._held: dict[tuple[tuple[str, str], ...], HeldToken] = {}
        self._refused: dict[tuple[tuple[str, str], ...], TrialCpaError] = {}
        self._pin: bytes | None = None
        self._opening = threading.Lock()
        """Held while a token is opened, which has a deadline: who needs it meanwhile waits, and tries no PIN."""

    def held(self, named: KeyInToken) -> HeldToken:
        """Return the token that a key is in.

        Args:
            named: the key.

        Raises:
            PassphraseUnusable: there is no PIN to be had.
            TokenPinWrong, TokenPinLocked, TokenPinAtRisk: it refused, now or when it was asked first; it is asked once.
            ExtraMissing, TokenModuleUnusable, TokenAbsent, TokenSilent, TokenFailed.
        """
        which = tuple(sorted(named.token.items()))
        with self._opening:
            if which in self._refused:
                refused = self._refused[which]
                raise type(refused)(**refused.fields)
            if which not in self._held:
                try:
                    self._held[which] = self._opened(named)
                except NEEDS_A_PERSON as error:
                    self._refused[which] = error
                    raise
            return self._held[which]

    def _opened(self, named: KeyInToken) -> HeldToken:
        # One that is typed for another token was typed for this one, too: all of one authority have one PIN.
        typed = isinstance(self.said.pin, FromPrompt)
        if self._pin is None:
            self._pin = self.said.pin.read()
        module = named.module or self.said.module
        return HeldToken(named, self._pin, module, seconds=self.said.seconds, typed=typed)

    def out_of_use(self) -> Mapping[str, TrialCpaError]:
        """Return why nothing is signed in a token at this moment, by the token's name."""
        found = {str(each.fields["token"]): each for each in list(self._refused.values())}
        for each in list(self._held.values()):
            why = each.out_of_use
            found |= {} if why is None else {each.name: why}
        return found

    def close(self) -> None:
        """Part with all of them."""
        for each in list(self._held.values()):
            each.close()


@dataclass(frozen=True, kw_only=True)
class KeyPlace:
    """Where the authority's keys lie.

    Args:
        folder: of the keys.
        passphrase: those in files are sealed under it.
        tokens: in which the others are; None where nothing is said of any.
    """

    folder: Path
    passphrase: bytes = field(repr=False)
    tokens: Tokens | None = field(default=None, repr=False)

    def opened(self, name: str) -> Signer:
        """Return the key of a file's name.

        Raises:
            KeyUnusable: it cannot be opened, or is in a token and nothing is said of that.
            PassphraseUnusable, ExtraMissing, TokenModuleUnusable, TokenAbsent, TokenPinWrong, TokenPinLocked,
            TokenKeyAbsent, TokenKeyUnusable, TokenSilent, TokenFailed, TokenOutOfUse: see there.
        """
        named = self.in_token(name)
        if named is None:
            return open_sealed(self.folder / name, self.passphrase)
        return self._held(name, named).signer(named)

    def made(self, name: str) -> Signer:
        """Make the key of a name where it is to be made, or open the one that is there.

        If we die behind its file, the next run makes the key in the token that the file names, or finds it there.

        Raises:
            KeyUnusable: the file cannot be written.
            TokenLacksMechanism: its token makes none of the kind; further errors as of `opened`.
        """
        named = self._made(name, KeyKind.P256)
        if named is None:
            return generate(self.folder / name, self.passphrase, exist_ok=True)
        return self._held(name, named).signer(named)

    def made_log_key(self, name: str) -> LogSigner:
        """Make or open the log's key; in a file, if the token knows no Ed25519. Errors as of `made`."""
        named = self._made(name, KeyKind.ED25519)
        if named is None:
            return make_log_key(self.folder / name, self.passphrase)
        return self._held(name, named).edwards_signer(named)

    def log_key(self, name: str) -> LogSigner:
        """Return the log's key; errors as of `opened`."""
        named = self.in_token(name)
        if named is None:
            return open_log_key(self.folder / name, self.passphrase)
        return self._held(name, named).edwards_signer(named)

    def made_record_key(self, name: str) -> RecordKey:
        """Make or open the memory's key; errors as of `made`."""
        named = self._made(name, KeyKind.HMAC)
        if named is None:
            return make_record_key(self.folder / name, self.passphrase)
        return RecordKey(self._held(name, named).secret(named, _DRAWN))

    def record_key(self, name: str) -> RecordKey:
        """Return the memory's key; errors as of `opened`."""
        named = self.in_token(name)
        if named is None:
            return open_record_key(self.folder / name, self.passphrase)
        return RecordKey(self._held(name, named).secret(named, _DRAWN))

    def in_token(self, name: str) -> KeyInToken | None:
        """Return where in a token the key of a name is; None if it is in its file.

        Raises:
            KeyUnusable: there is no such file, it is readable by others, or what it says names no key.
        """
        return key_in_token(self.folder / name)

    def _held(self, name: str, named: KeyInToken) -> HeldToken:
        if self.tokens is None:
            raise KeyUnusable(
                path=self.folder / name, detail="it is in a token, and keys.token and keys.pin say nothing of one"
            )
        return self.tokens.held(named)

    def _made(self, name: str, kind: KeyKind) -> KeyInToken | None:
        """Make the key of a name in its token, if that is where it is to be; return where it is."""
        path = self.folder / name
        if not path.exists():
            named = self._to_be_made(name, kind)
            if named is None:
                return None
            # If we die behind it, the token lacks the key, and the next run makes it; no key is ever there unnamed.
            place_sealed(path, (named.with_module() + "\n").encode())
        found = self.in_token(name)
        if found is not None:
            self._held(name, found).make(found, kind)
        return found

    def _to_be_made(self, name: str, kind: KeyKind) -> KeyInToken | None:
        stem = name.removesuffix(".key")
        said = None if self.tokens is None else self.tokens.said
        if said is None or said.token is None or KeyRole(stem.split("-")[0]) not in said.roles:
            return None
        named = KeyInToken(
            token=said.token.token,
            label=stem,
            identifier=secrets.token_bytes(_IDENTIFIER_SIZE),
            module=said.token.module,
        )
        lacks = self._held(name, named).lacks(kind)
        if not lacks:
            return named
        missing = ", ".join(lacks)
        if kind is not KeyKind.ED25519:
            # Who asked for a key that never leaves a token is not given a file instead.
            raise TokenLacksMechanism(token=named.token_name, kind=kind, key=stem, missing=missing)
        _log.warning("The token %s lacks %s: %s lies in a file.", named.token_name, missing, name)
        return None


def key_in_token(path: Path) -> KeyInToken | None:
    """Return where in a token a key is that its file speaks of; None if the key is in the file.

    Raises:
        KeyUnusable: there is no such file, it is readable by others, or what it says names no key.
    """
    try:
        found = read_private(path, LARGEST_FILE)
    except NotPrivate as error:
        raise KeyUnusable(path=path, detail=str(error)) from error
    return named_in(path, found)


def named_in(path: Path, octets: bytes) -> KeyInToken | None:
    """Return where in a token a key is, by what its file says; None if the file holds a key.

    Args:
        path: of the file, for the error.
        octets: of it.

    Raises:
        KeyUnusable: what it says names no key.
    """
    said = octets.decode("ascii", "replace").strip()
    if not names_token(said):
        return None
    try:
        return parse_key(said)
    except TokenKeyMisnamed as error:
        raise KeyUnusable(path=path, detail=str(error).rstrip(".")) from error

"""Settings of keys in tokens: whose new keys are made inside which, what opens it, and how long it is waited for."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from core.errors import TokenKeyMisnamed
from keys.held_token import ANSWER_SECONDS
from keys.passphrase import FromPrompt, PassphraseSource
from keys.place import InTokens, KeyRole
from keys.token_uri import KeyInToken, names_token, parse_token

AT_PROMPT = FromPrompt(of="the token", what="PIN", instead='keys.pin = "file:PATH" in trialcpa.toml')
OF_THE_AUTHORITY = frozenset(KeyRole) - {KeyRole.ROOT}
"""Whose keys the settings place: the root's is where its own folder says."""

_MOST_MILLISECONDS = 4_000
"""Less than the shortest lease lasts: one answer that is waited for loses it not."""


class Reader(Protocol):
    """What reads the settings, as app/settings.py has it."""

    def optional(self, table: str, key: str) -> str:
        """Return a text; empty if it is not said."""
        ...

    def whole(self, table: str, key: str, default: int, *, least: int, most: int) -> int:
        """Return a whole number."""
        ...

    def source(self, table: str, key: str, prompt: FromPrompt) -> PassphraseSource:
        """Return where a secret comes from."""
        ...

    def taken(self, table: str, key: str) -> object:
        """Return what is said; None if nothing is."""
        ...

    @property
    def path(self) -> Callable[[str], Path]:
        """A path, meant from the home."""
        ...

    @property
    def problem(self) -> Callable[[str], None]:
        """Tells what is wrong."""
        ...


def read_tokens(reader: Reader) -> InTokens | None:
    """Return what the settings say of keys in tokens; None if they say nothing.

    Args:
        reader: of the settings; what is wrong is told it.
    """
    said, module = reader.optional("keys", "token"), reader.optional("keys", "module")
    listed = reader.taken("keys", "in_token")
    pin = reader.source("keys", "pin", AT_PROMPT)
    usual = round(ANSWER_SECONDS * 1_000)
    milliseconds = reader.whole("keys", "token_milliseconds", usual, least=50, most=_MOST_MILLISECONDS)
    if not said:
        if listed is not None:
            reader.problem("keys.in_token says whose keys are made in a token, and keys.token does not say in which.")
        return None
    return InTokens(
        pin=pin,
        token=_token(reader, said),
        roles=_roles(reader, listed),
        module=reader.path(module) if module else None,
        seconds=milliseconds / 1_000,
    )


def _token(reader: Reader, said: str) -> KeyInToken | None:
    try:
        if names_token(said):
            return parse_token(said)
    except TokenKeyMisnamed as error:
        reader.problem(f"keys.token: {error}")
        return None
    reader.problem("keys.token must be a URI that begins with pkcs11: and names a token.")
    return None


def _roles(reader: Reader, listed: object) -> frozenset[KeyRole]:
    if listed is None:
        return OF_THE_AUTHORITY
    known = {each.value: each for each in OF_THE_AUTHORITY}
    if isinstance(listed, list) and all(isinstance(each, str) and each in known for each in listed):
        return frozenset(known[each] for each in listed)
    reader.problem(f"keys.in_token must be a list out of {', '.join(sorted(known))}.")
    return frozenset()

"""An officer's own key, wherever it is: in a file under a passphrase, or in a token under a PIN.

What is wrong with the key's place is said before anybody is asked for a secret.
"""

from pathlib import Path
from typing import TypeAlias

from core.errors import KeyUnusable, OfficerKeyUnusable, PassphraseUnusable
from keys.passphrase import FromPrompt, chosen_passphrase, parse_source
from keys.sealed import generate_private, open_asked
from keys.signer import SoftwareSigner
from keys.token import Token, TokenSigner, find_token
from keys.token_uri import KeyInToken, names_token, parse_key
from officers.proof import OfficersKey
from officers.roster import LARGEST_KEY_FILE, new_member

KeyName: TypeAlias = Path | KeyInToken

_PUBLIC = b"-----BEGIN PUBLIC KEY-----"


def parse_key_name(said: str) -> KeyName:
    """Return where a key is: a file's path, or a PKCS#11 URI (RFC 7512).

    Raises:
        TokenKeyMisnamed: it is a URI that names no key.
    """
    return parse_key(said) if names_token(said) else Path(said)


def open_officer_key(named: KeyName, secret: str, module: Path | None = None) -> OfficersKey:
    """Return an officer's own key.

    Args:
        named: where it is.
        secret: where its passphrase or PIN comes from: file:PATH, fd:N or prompt.
        module: the PKCS#11 library that reaches its token, if its name does not say.

    Raises:
        OfficerKeyUnusable: no such file, readable by others, another passphrase, or none to be had.
        PassphraseUnusable: `secret` names nothing that it could come from.
        TokenModuleUnusable, TokenAbsent, TokenPinWrong, TokenPinLocked, TokenKeyAbsent, TokenKeyUnusable, TokenSilent,
        TokenFailed, ExtraMissing: see there.
    """
    if isinstance(named, KeyInToken):
        return _logged_in(named, secret, module).key(named)
    source = parse_source(secret, FromPrompt(of=f"your key {named}", instead="--officer-passphrase file:PATH"))
    try:
        if public_key_in(named) is not None:
            raise OfficerKeyUnusable(
                detail=f"{named}: it is a public key, which everybody may have and nobody signs with"
            )
        return open_asked(named, source)
    except (KeyUnusable, PassphraseUnusable) as error:
        raise _unusable(error) from error


def make_officer_key(named: KeyName, secret: str, module: Path | None = None) -> OfficersKey:
    """Make an officer's own key where there is none; arguments and further errors as of `open_officer_key`.

    Raises:
        KeyUnusable: the file is there already, or cannot be written.
        TokenKeyUnusable: the token has a key of that name.
        PassphraseUnusable: the one that was chosen for a file is too short.
    """
    if isinstance(named, KeyInToken):
        made = _logged_in(named, secret, module, writes=True).generate(named)
        made.prove()
        return made
    source = parse_source(secret, FromPrompt(of=f"your key {named}"))
    return SoftwareSigner(generate_private(named, chosen_passphrase(source)))


def public_half(named: KeyName, secret: str, module: Path | None = None) -> bytes:
    """Return the public key that a file or a token has: SubjectPublicKeyInfo, DER; the same as of `open_officer_key`.

    A file with a public key has nothing to open, and of a key in a token it is proved that it signs.
    """
    public = None if isinstance(named, KeyInToken) else public_key_in(named)
    if public is not None:
        return public
    held = open_officer_key(named, secret, module)
    if isinstance(held, TokenSigner):
        held.prove()
    return held.public_key


def public_key_in(path: Path) -> bytes | None:
    """Return the public key in a file: SubjectPublicKeyInfo, DER; None if that is not what is in it.

    Raises:
        RosterUnusable: it is one that is not P-256.
    """
    try:
        with path.open("rb") as file:
            octets = file.read(LARGEST_KEY_FILE)
    except OSError:
        return None
    return new_member(str(path), octets).public_key if octets.lstrip().startswith(_PUBLIC) else None


def _logged_in(named: KeyInToken, secret: str, module: Path | None, *, writes: bool = False) -> Token:
    token = find_token(named, module)
    last = ", which locks itself after one more wrong one" if token.final_try else ""
    source = parse_source(secret, FromPrompt(of=f"the token {named.token_name}{last}", what="PIN"))
    try:
        pin = source.read()
    except PassphraseUnusable as error:
        raise _unusable(error) from error
    token.log_in(pin, writes=writes)
    return token


def _unusable(error: KeyUnusable | PassphraseUnusable) -> OfficerKeyUnusable:
    where = error.fields.get("path") or error.fields.get("source")
    return OfficerKeyUnusable(detail=f"{where}: {error.fields['detail']}")

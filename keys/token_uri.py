"""Names of keys in tokens: PKCS#11 URIs (RFC 7512), as `pkcs11-tool` and `p11tool` print them.

What a URI may say and we do not go by is refused, not passed over: a name that says less than its owner means could
find another key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from core.errors import TokenKeyMisnamed

SCHEME = "pkcs11:"

LONGEST = 2_048
"""Characters. One that names everything that a token says of itself has some 300."""

_TOKEN = ("token", "serial", "model", "manufacturer")
_KEY = ("object", "id", "type")
_MODULE = "module-path"
_INSTEAD: Mapping[str, str] = {
    "pin-value": "a PIN is never part of a name; it is asked for, or read from where --officer-passphrase says",
    "pin-source": "where the PIN comes from is said by --officer-passphrase",
    "slot-id": "slots change their numbers; name the token",
}
_CHARACTERS = "-._~:[]@!$'()*+,=&"
"""That stand for themselves in the path (RFC 7512, 2.3: pk11-path-res-avail and unreserved)."""
_IN_PATHS = "-._~/+"
"""That we leave as they are in the name of a file."""


class KeyKind(StrEnum):
    """What a key in a token is for: ECDSA on P-256, Ed25519, or a secret that an HMAC is made with."""

    P256 = "P-256"
    ED25519 = "Ed25519"
    HMAC = "HMAC"


@dataclass(frozen=True, kw_only=True)
class KeyInToken:
    """Where a key is.

    Args:
        token: what the token has to say of itself: `token` (its label), `serial`, `model`, `manufacturer`.
        label: of the key; None is any.
        identifier: CKA_ID of the key; None is any.
        module: the library that reaches the token, if the name says it.
    """

    token: Mapping[str, str]
    label: str | None
    identifier: bytes | None
    module: Path | None = None

    @property
    def token_name(self) -> str:
        """The token, for a sentence."""
        return "“" + ", ".join(self.token.values()) + "”"

    @property
    def key_name(self) -> str:
        """The key, for a sentence."""
        said = [] if self.label is None else [f"“{self.label}”"]
        return " ".join(said if self.identifier is None else [*said, f"id {self.identifier.hex()}"])

    def with_module(self) -> str:
        """Return the URI, with the module if it is known."""
        return str(self) if self.module is None else f"{self}?{_MODULE}={quote(str(self.module), safe=_IN_PATHS)}"

    def __str__(self) -> str:
        """Return the URI, without the module."""
        said = [f"{name}={quote(value, safe=_CHARACTERS)}" for name, value in self.token.items()]
        said += [] if self.label is None else [f"object={quote(self.label, safe=_CHARACTERS)}"]
        said += [] if self.identifier is None else ["id=" + "".join(f"%{octet:02X}" for octet in self.identifier)]
        return SCHEME + ";".join(said)


def names_token(said: str) -> bool:
    """Whether somebody means a token, and not a file."""
    return said[: len(SCHEME)].lower() == SCHEME


def parse_token(uri: str) -> KeyInToken:
    """Return which token a PKCS#11 URI names, and none of its keys.

    Args:
        uri: as `parse_key` has it, without object and id.

    Raises:
        TokenKeyMisnamed: it names no token, or a key, or says something that is not gone by.
    """
    found = _parsed(uri)
    if found.label is not None or found.identifier is not None:
        raise TokenKeyMisnamed(uri=uri, detail="here a token is named, and its keys get their names by themselves")
    return found


def parse_key(uri: str) -> KeyInToken:
    """Return where the key is that a PKCS#11 URI names.

    Args:
        uri: `pkcs11:token=…;object=…`, with `id`, `serial`, `model`, `manufacturer`, `type=private`, `?module-path=…`.

    Raises:
        TokenKeyMisnamed: it names no token or no key, or says something that is not gone by.
    """
    found = _parsed(uri)
    if found.label is None and found.identifier is None:
        raise TokenKeyMisnamed(uri=uri, detail="it does not say which key of the token: object or id")
    return found


def _parsed(uri: str) -> KeyInToken:
    if len(uri) > LONGEST:
        raise TokenKeyMisnamed(uri=f"{uri[:40]}…", detail=f"it is longer than {LONGEST} characters")
    path, _, query = uri[len(SCHEME) :].partition("?")
    said = _attributes(uri, path, ";", (*_TOKEN, *_KEY))
    asked = _attributes(uri, query, "&", (_MODULE,))
    words = {name: _word(uri, name, value) for name, value in (said | asked).items() if name != "id"}
    if words.get("type", "private") != "private":
        raise TokenKeyMisnamed(uri=uri, detail=f"what signs is a private key, and not type {words['type']}")
    found = KeyInToken(
        token={name: words[name] for name in _TOKEN if name in words},
        label=words.get("object"),
        identifier=said.get("id"),
        module=Path(words[_MODULE]) if _MODULE in words else None,
    )
    if not found.token:
        raise TokenKeyMisnamed(uri=uri, detail="it does not say which token")
    return found


def _attributes(uri: str, part: str, between: str, known: tuple[str, ...]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for each in part.split(between) if part else ():
        name, equals, value = each.partition("=")
        if name not in known:
            # Neither is repeated: it may be a PIN.
            detail = _INSTEAD.get(name, "it says something else than token and key")
            raise TokenKeyMisnamed(uri=SCHEME + "…", detail=detail)
        if name in found:
            raise TokenKeyMisnamed(uri=uri, detail=f"it says {name} twice")
        octets = unquote_to_bytes(value)
        if not equals or not octets:
            raise TokenKeyMisnamed(uri=uri, detail=f"it says {name} and not which")
        found[name] = octets
    return found


def _word(uri: str, name: str, octets: bytes) -> str:
    try:
        word = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise TokenKeyMisnamed(uri=uri, detail=f"its {name} is not UTF-8") from None
    if not word.isprintable():
        raise TokenKeyMisnamed(uri=uri, detail=f"its {name} has characters that cannot be read")
    return word

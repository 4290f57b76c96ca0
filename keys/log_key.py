"""The key that signs the public log's checkpoints: Ed25519 (RFC 8032), for that is all that stock verifiers know.

It lies sealed in a file of its own like every other key, and signs nothing else.
"""

import hashlib
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.boundaries import boundary
from core.errors import KeyUnusable
from keys.private_file import remove_leftovers
from keys.sealed import place_sealed, sealed_octets

LOG_FILE = "log.key"

_SPKI = bytes.fromhex("302a300506032b6570032100")
"""Before the 32 octets of an Ed25519 key (RFC 8410, 4)."""


class LogSigner(Protocol):
    """A private key, in a file or in a token, that signs checkpoints: deterministically, as Ed25519 does."""

    @property
    def public_key(self) -> bytes:
        """32 octets."""
        ...

    @property
    def sha256(self) -> str:
        """Of its SubjectPublicKeyInfo (hex), as other keys are known by."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`, 64 octets."""
        ...


class LogKey:
    """Signs checkpoints; deterministically, as Ed25519 does: after a crash the same bytes get the same signature.

    Args:
        key: the private key.
    """

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._public_key = key.public_key().public_bytes_raw()

    @property
    def public_key(self) -> bytes:
        """32 octets."""
        return self._public_key

    @property
    def sha256(self) -> str:
        """Of its SubjectPublicKeyInfo (hex), as other keys are known by."""
        return spki_sha256(self._public_key)

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`, 64 octets."""
        with boundary("signature"):
            return self._key.sign(message)

    def __reduce__(self) -> str:
        """Refuse to be pickled: a key never travels."""
        raise TypeError("a log key stays in its process")


def spki_sha256(public_key: bytes) -> str:
    """Return the SHA-256 (hex) over the SubjectPublicKeyInfo of an Ed25519 key.

    Args:
        public_key: its 32 octets.
    """
    return hashlib.sha256(_SPKI + public_key).hexdigest()


def log_signature_holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether a signature is that of a log's key.

    Args:
        public_key: its 32 octets.
        message: what is signed.
        signature: 64 octets.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def make_log_key(path: Path, passphrase: bytes) -> LogKey:
    """Make the key, or open the one that is there: of a ceremony that died, or of a start before.

    Raises:
        KeyUnusable: the file cannot be written, or one that is there cannot be opened.
    """
    if path.exists():
        found = open_log_key(path, passphrase)
        remove_leftovers(path)
        return found
    if not passphrase:
        raise KeyUnusable(path=path, detail="an empty passphrase seals nothing")
    key = Ed25519PrivateKey.generate()
    sealed = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )
    place_sealed(path, sealed)
    return LogKey(key)


def open_log_key(path: Path, passphrase: bytes) -> LogKey:
    """Open the key.

    Raises:
        KeyUnusable: no such file, readable by others, not encrypted, another passphrase, or another kind of key.
    """
    try:
        key = serialization.load_pem_private_key(sealed_octets(path), passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(path=path, detail="the passphrase is wrong or the file is damaged") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(path=path, detail="it is not an Ed25519 key")
    return LogKey(key)

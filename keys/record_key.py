"""The key that seals the authority's own records: a symmetric key drawn from a sealed file like every other.

It is derived (HKDF, RFC 5869) from a P-256 key that signs nothing, so that it is made, kept, backed up and opened in
the one way that keys have here.
"""

import hashlib
import hmac
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys.sealed import generate_private, open_private

_INFO = b"trialcpa records 1"


class RecordKey:
    """Seals records.

    Args:
        secret: from which the key is derived; 32 octets.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_INFO).derive(secret)

    def seal(self, octets: bytes) -> bytes:
        """Return the HMAC-SHA-256 (RFC 2104) of `octets`, 32 octets."""
        return hmac.new(self._key, octets, hashlib.sha256).digest()

    def __reduce__(self) -> str:
        """Refuse to be pickled: a key never travels."""
        raise TypeError("a record key stays in its process")


def make_record_key(path: Path, passphrase: bytes) -> RecordKey:
    """Make the key, or open the one that an earlier ceremony made before it died.

    Raises:
        KeyUnusable: the file cannot be written, or one that is there cannot be opened.
    """
    return _derived(generate_private(path, passphrase, exist_ok=True).private_numbers().private_value)


def open_record_key(path: Path, passphrase: bytes) -> RecordKey:
    """Open the key; KeyUnusable if it cannot be."""
    return _derived(open_private(path, passphrase).private_numbers().private_value)


def _derived(value: int) -> RecordKey:
    return RecordKey(value.to_bytes(32, "big"))

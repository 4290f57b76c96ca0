"""Which authority a statement is for: its name, and the key of its root, which nobody but the ceremony has chosen."""

import hashlib
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from officers.statement import Authority


@lru_cache(maxsize=8)  # the root is parsed at each act that is authorised, and is the same
def authority_of(name: str, root: bytes) -> Authority:
    """Return an authority as statements name it.

    Args:
        name: as in every subject.
        root: a certificate of its root, DER; each of them has the same key.
    """
    key = x509.load_der_x509_certificate(root).public_key()
    return authority_with(name, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def authority_with(name: str, root_key: bytes) -> Authority:
    """Return an authority by its name and the public key of its root: SubjectPublicKeyInfo, DER."""
    return Authority(name=name, root_key_sha256=hashlib.sha256(root_key).hexdigest())

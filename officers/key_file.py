"""An officer's own key, in a file under a passphrase (keys/sealed.py makes and opens it), and its public half."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from officers.roster import thumbprint

PUBLIC_SUFFIX = ".pub.pem"
"""Of the file with the public key, which goes on the roster."""


def public_key_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return its public key: SubjectPublicKeyInfo, DER."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def public_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return its public key in PEM, as it is handed to whoever keeps the roster."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def thumbprint_of(key: ec.EllipticCurvePrivateKey) -> str:
    """Return its RFC 7638 thumbprint."""
    return thumbprint(public_key_of(key))


def public_file(path: Path) -> Path:
    """Return where the public half of the key in a file lies."""
    return path.with_name(f"{path.stem}{PUBLIC_SUFFIX}")

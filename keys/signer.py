"""What signs: a private key behind a public key and one verb.

Everything above this module holds a Signer and bytes; the key itself stays here. P-256 with SHA-256 only
(RFC 5480, 2.1.1; RFC 5758, 3.2), which is what the industry's own PKI runs.
"""

from typing import Protocol

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.boundaries import boundary

P256 = ec.SECP256R1.name
"""secp256r1, as `cryptography` calls it."""

_ALWAYS_THE_SAME = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


class Signer(Protocol):
    """A private key that can be used and not read."""

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the ECDSA signature with SHA-256 over `message`: DER, Ecdsa-Sig-Value (RFC 3279, 2.2.3)."""
        ...


class SoftwareSigner:
    """A key in this process's memory. Signs deterministically (RFC 6979): the same bytes, the same signature.

    That is what makes a signature repeatable after a crash between signing and recording.

    Args:
        key: on P-256.

    Raises:
        ValueError: another curve.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        if key.curve.name != P256:
            raise ValueError(f"a key on {key.curve.name}; only P-256 signs here")
        self._key = key
        self._public_key = spki(key.public_key())

    @property
    def public_key(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """Return the deterministic ECDSA signature with SHA-256 over `message`, DER."""
        with boundary("signature"):
            return self._key.sign(message, _ALWAYS_THE_SAME)

    def __reduce__(self) -> str:
        """Refuse to be pickled: a key never travels."""
        raise TypeError("a signer stays in its process")


def spki(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the SubjectPublicKeyInfo of a public key, DER, with an uncompressed point (RFC 5480, 2)."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def throwaway_key(kind_of: bytes) -> ec.EllipticCurvePrivateKey:
    """Return a fresh private key of the same kind as a public one, for previews that are linted and never issued.

    Args:
        kind_of: SubjectPublicKeyInfo, DER.

    Raises:
        ValueError: a kind that no signer of ours has.
    """
    like = serialization.load_der_public_key(kind_of)
    assert isinstance(like, ec.EllipticCurvePublicKey), "our own hierarchy has elliptic curve keys only"
    if like.curve.name != P256:
        raise ValueError(f"a key on {like.curve.name}; only P-256 signs here")
    return ec.generate_private_key(like.curve)


def throwaway(kind_of: bytes) -> SoftwareSigner:
    """Return a signer over `throwaway_key`. Its signatures convince nobody, which is the point."""
    return SoftwareSigner(throwaway_key(kind_of))

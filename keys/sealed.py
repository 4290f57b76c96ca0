"""Private keys in files: PKCS#8, encrypted, mode 0600 (RFC 5958; PBES2 of RFC 8018).

A file appears under its name whole or not at all, and never replaces another one.
"""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.errors import KeyUnusable
from keys.passphrase import PassphraseSource
from keys.private_file import NotPrivate, read_private, remove_leftovers, written
from keys.signer import SoftwareSigner

LARGEST_FILE = 16 * 1024
"""Octets. A sealed P-256 key has about 400."""

_LABEL = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
_ELSEWHERE = b"pkcs11:"
"""What a file begins with that says in which token its key is (keys/place.py)."""


def generate(path: Path, passphrase: bytes, *, exist_ok: bool = False) -> SoftwareSigner:
    """Make a P-256 key, seal it in `path` and return its signer; arguments and errors as of `generate_private`."""
    return SoftwareSigner(generate_private(path, passphrase, exist_ok=exist_ok))


def generate_private(path: Path, passphrase: bytes, *, exist_ok: bool = False) -> ec.EllipticCurvePrivateKey:
    """Make a P-256 key and seal it in `path`.

    Args:
        path: the file; its folder is made if need be, mode 0700.
        passphrase: what it is encrypted under, not empty.
        exist_ok: open the file that is there already, as a ceremony does that died half way.

    Raises:
        KeyUnusable: the file is there already, or cannot be written.
    """
    if not passphrase:
        raise KeyUnusable(path=path, detail="an empty passphrase seals nothing")
    if path.exists():
        if not exist_ok:
            raise KeyUnusable(path=path, detail="there is a file already and keys are never overwritten")
        found = open_private(path, passphrase)
        remove_leftovers(path)
        return found
    key = ec.generate_private_key(ec.SECP256R1())
    sealed = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )
    place_sealed(path, sealed)
    return key


def open_sealed(path: Path, passphrase: bytes) -> SoftwareSigner:
    """Open a sealed key. Costs milliseconds, on purpose: hold the signer, never open per request.

    Raises:
        KeyUnusable: as of `open_private`.
    """
    return SoftwareSigner(open_private(path, passphrase))


def open_asked(path: Path, passphrase: PassphraseSource) -> SoftwareSigner:
    """Open a sealed key; nobody is asked for the passphrase of one that is not there.

    Raises:
        KeyUnusable: as of `open_private`.
        PassphraseUnusable: none is to be had.
    """
    sealed_octets(path)
    return open_sealed(path, passphrase.read())


def open_private(path: Path, passphrase: bytes) -> ec.EllipticCurvePrivateKey:
    """Open a sealed key that is used for something else than signatures.

    Raises:
        KeyUnusable: no such file, readable by others, not encrypted, another passphrase, or another kind of key.
    """
    sealed = sealed_octets(path)
    try:
        key = serialization.load_pem_private_key(sealed, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(path=path, detail="the passphrase is wrong or the file is damaged") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyUnusable(path=path, detail="it is not a P-256 key")
    return key


def sealed_files(folder: Path) -> dict[str, bytes]:
    """Return the file of every key of a folder as it lies there, by its name: what a backup takes along.

    Of a key in a token that is where it is; the key is nowhere but there.

    Raises:
        KeyUnusable: the folder or a key cannot be read, or a key is not sealed.
    """
    found = {}
    try:
        paths = sorted(each for each in folder.iterdir() if each.suffix == ".key")
    except OSError as error:
        raise KeyUnusable(path=folder, detail=f"it cannot be read: {error.strerror}") from error
    for path in paths:
        found[path.name] = sealed_octets(path, elsewhere=True)
    return found


def sealed_octets(path: Path, *, elsewhere: bool = False) -> bytes:
    """Return a sealed key as it lies in its file.

    Args:
        path: of the file.
        elsewhere: whether it may say instead in which token the key is.

    Raises:
        KeyUnusable: it cannot be read, or is not sealed.
    """
    try:
        sealed = read_private(path, LARGEST_FILE)
    except NotPrivate as error:
        raise KeyUnusable(path=path, detail=str(error)) from error
    if elsewhere and sealed.startswith(_ELSEWHERE):
        return sealed
    if sealed.startswith(_ELSEWHERE):
        raise KeyUnusable(path=path, detail="it says in which token the key is, and is no key")
    if not sealed.lstrip().startswith(_LABEL):
        raise KeyUnusable(path=path, detail="it is not an encrypted PKCS#8 file")
    return sealed


def place_sealed(path: Path, sealed: bytes) -> None:
    """Write a sealed key beside, make it durable, then give it its name.

    If we die before the link, a leftover without a name of meaning stays; no key is known under `path`, and the next
    run makes another. If we die after it, the key is whole and durable under `path` and the next run opens it.

    Raises:
        KeyUnusable: it cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with written(path, step="rename key", over=False) as file:
            file.write(sealed)
    except OSError as error:
        raise KeyUnusable(path=path, detail=f"it cannot be written: {error.strerror}") from error

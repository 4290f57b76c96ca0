"""Sealing: the archive under age (age-encryption.org/v1), for somebody's recipient or under a passphrase.

The library streams to recipients only. Under a passphrase the archive is sealed to a key that is made for this one
file, and that key stands before it, sealed under the passphrase, in age's text form: what `age -p` makes and `age -i`
takes, so that stock age opens the file too (docs/backup.md).
"""

from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, TypeAlias

import pyrage

from core.errors import BackupLockUnusable

_TEXT_BEGINS = b"-----BEGIN AGE ENCRYPTED FILE-----\n"
_TEXT_ENDS = b"-----END AGE ENCRYPTED FILE-----\n"
_LONGEST_TEXT = 4096
_BEGINS = b"age-encryption.org/v1\n"
_IDENTITY = "AGE-SECRET-KEY-1"


class Unsealable(Exception):
    """The file cannot be opened; its text says why."""


class Source(Protocol):
    """What octets are read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many octets; none at the end."""
        ...


class Target(Protocol):
    """What octets are written to."""

    def write(self, octets: bytes, /) -> int:
        """Take them."""
        ...


@dataclass(frozen=True)
class Recipient:
    """Seal to the holder of an age key: `age1…`. Nobody on this machine can open what is sealed."""

    public: str


@dataclass(frozen=True, repr=False)
class Identity:
    """Open with an age key.

    Args:
        text: as `age-keygen` writes it; comments and empty lines are passed over.
    """

    text: str


@dataclass(frozen=True, repr=False)
class Passphrase:
    """Seal or open under a passphrase."""

    octets: bytes


Lock: TypeAlias = Recipient | Passphrase
Key: TypeAlias = Identity | Passphrase


def seal(source: Source, target: BinaryIO, lock: Lock) -> None:
    """Seal everything that `source` gives.

    Raises:
        BackupLockUnusable: the recipient is none.
        Exception: whatever the source raises comes through.
    """
    if isinstance(lock, Recipient):
        try:
            recipient = pyrage.x25519.Recipient.from_str(lock.public)
        except pyrage.RecipientError as error:
            raise BackupLockUnusable(detail=f"{lock.public[:80]!r} is no recipient of age ({error})") from error
    else:
        made = pyrage.x25519.Identity.generate()
        target.write(pyrage.passphrase.encrypt(str(made).encode(), _text(lock), armored=True))
        recipient = made.to_public()
    told = _Told(source)
    try:
        pyrage.encrypt_io(told, target, [recipient])
    except (pyrage.EncryptError, OSError):
        if told.failure is not None:
            raise told.failure from None
        raise


def unseal(source: BinaryIO, target: Target, key: Key) -> None:
    """Open a sealed file; what comes of it is believed only when this has returned.

    Args:
        source: the file, at its beginning.
        target: takes the archive.
        key: opens it.

    Raises:
        Unsealable: it is no such file, is cut off or damaged, or the key is another one.
        BackupLockUnusable: the key is none.
    """
    first = source.read(len(_TEXT_BEGINS))
    under_passphrase = first == _TEXT_BEGINS
    if isinstance(key, Passphrase) is not under_passphrase and first[: len(_BEGINS)] in (_BEGINS, _TEXT_BEGINS[:22]):
        raise Unsealable(
            "it is sealed under a passphrase, and a key was given"
            if under_passphrase
            else "it is sealed to a recipient, and a passphrase was given"
        )
    if isinstance(key, Passphrase):
        identity = _identity(_inner(first, source, key))
    else:
        source.seek(0)
        lines = [each.strip() for each in key.text.splitlines()]
        identity = _identity(next((each for each in lines if each.startswith(_IDENTITY)), ""))
    told = _Taken(target)
    try:
        pyrage.decrypt_io(source, told, [identity])
    except (pyrage.DecryptError, OSError) as error:
        if told.failure is not None:
            raise told.failure from None
        raise Unsealable(f"it cannot be opened: another key, or it is cut off or damaged ({error})") from error


def _inner(first: bytes, source: BinaryIO, key: Passphrase) -> str:
    text = first
    while not text.endswith(_TEXT_ENDS):
        line = source.readline(_LONGEST_TEXT)
        if not line or len(text) > _LONGEST_TEXT:
            raise Unsealable("it is no backup, or is cut off")
        text += line
    try:
        opened: bytes = pyrage.passphrase.decrypt(text, _text(key))
    except pyrage.DecryptError as error:
        raise Unsealable("the passphrase is another one, or the file is damaged") from error
    return opened.decode("ascii", "replace")


def _identity(text: str) -> Any:  # noqa: ANN401 - the library has no types
    try:
        return pyrage.x25519.Identity.from_str(text)
    except pyrage.IdentityError as error:
        raise BackupLockUnusable(detail="no key of age (AGE-SECRET-KEY-1…) was given") from error


def _text(key: Passphrase) -> str:
    try:
        return key.octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BackupLockUnusable(detail="the passphrase is not text in UTF-8") from error


class _Told:
    """A source of which it is known why it failed: the library makes words of it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.failure: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            return self._source.read(size)
        except BaseException as error:
            self.failure = error
            raise


class _Taken:
    """A target of which it is known why it failed."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.failure: BaseException | None = None

    def write(self, octets: bytes) -> int:
        try:
            return self._target.write(octets)
        except BaseException as error:
            self.failure = error
            raise

    def flush(self) -> None:
        """Nothing is held here."""

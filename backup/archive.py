"""The archive: a tar of regular files whose names are of a closed form, and a manifest behind them.

It is written as it is read from: nothing but a portion is held at once. It is read from a file that lies whole on the
disk; whoever knows a public recipient can make one, so nothing in it is believed: names, kinds, sizes and digests are
checked before anything is taken out, and nothing is ever unpacked by the name that it has.
"""

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from backup.manifest import VERSION, Manifest, Member, read_manifest

SETTINGS = "settings/trialcpa.toml"
MEMORY = "memory/memory.sqlite"
MANIFEST = "manifest.json"

_BLOCK = 512
_CHUNK = 256 * 1024
_MEBIOCTET = 1024 * 1024

_LIMITS: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(re.escape(SETTINGS)), _MEBIOCTET),
    (re.compile(r"keys/[A-Za-z0-9][A-Za-z0-9.-]{0,62}\.key"), 16 * 1024),
    (re.compile(re.escape(MEMORY)), 64 * 1024 * _MEBIOCTET),
    (re.compile(r"register/[a-z_]{1,40}/[0-9]{6}\.jsonl"), 256 * _MEBIOCTET),
    (re.compile(re.escape(MANIFEST)), 16 * _MEBIOCTET),
)
"""What a member may be called, and how many octets it may have: the largest row is a file of evidence."""

_MOST_MEMBERS = 200_000


class Flawed(Exception):
    """The archive is not one that was made here; its text says why."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A member to be written.

    Args:
        name: of a form that is known.
        size: its octets, which are as many as follow.
        octets: in portions.
    """

    name: str
    size: int
    octets: Iterable[bytes]


class Packing:
    """An archive that comes to be while it is read.

    Args:
        pieces: its members, in order; asked for one by one.
        manifest: returns the manifest, when all of them are known.
    """

    def __init__(self, pieces: Iterable[Piece], manifest: Callable[[Mapping[str, Member]], Manifest]) -> None:
        self._members: dict[str, Member] = {}
        self._stream = self._written(pieces, manifest)
        self._held = b""

    def read(self, size: int = -1) -> bytes:
        """Return the next octets, at most `size` of them; none at the end."""
        while not self._held:
            some = next(self._stream, None)
            if some is None:
                return b""
            self._held = some
        given = self._held if size < 0 else self._held[:size]
        self._held = self._held[len(given) :]
        return given

    def _written(
        self, pieces: Iterable[Piece], manifest: Callable[[Mapping[str, Member]], Manifest]
    ) -> Iterator[bytes]:
        for piece in pieces:
            yield _header(piece.name, piece.size)
            digest, written = hashlib.sha256(), 0
            for some in piece.octets:
                digest.update(some)
                written += len(some)
                yield some
            if written != piece.size:
                raise Flawed(f"{piece.name} has become {written} octets long, and had {piece.size}")
            yield _padding(written)
            self._members[piece.name] = Member(size=written, sha256=digest.hexdigest())
        last = manifest(self._members).octets()
        yield _header(MANIFEST, len(last)) + last + _padding(len(last)) + bytes(2 * _BLOCK)


class Unpacking:
    """An archive that lies whole on the disk.

    Args:
        file: open for reading, at its beginning.

    Raises:
        Flawed: it is cut off, has another form, or a member is not the one that the manifest names.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._places: dict[str, tuple[int, int]] = {}
        last = self._look()
        if last != MANIFEST:
            raise Flawed("it ends before its manifest: it is cut off, or is no backup")
        try:
            self.manifest = read_manifest(b"".join(self.octets(MANIFEST)))
        except ValueError as error:
            raise Flawed(str(error)) from error
        if self.manifest.version != VERSION:
            raise Flawed(f"it has form {self.manifest.version}, and this release knows form {VERSION}")
        self._compare()

    @property
    def names(self) -> list[str]:
        """The names of the members but the manifest, in order."""
        return [each for each in self._places if each != MANIFEST]

    def octets(self, name: str) -> Iterator[bytes]:
        """Yield a member's octets in portions."""
        place, size = self._places[name]
        while size:
            self._file.seek(place)
            some = self._file.read(min(size, _CHUNK))
            if not some:
                raise Flawed(f"it is cut off within {name}")
            place, size = place + len(some), size - len(some)
            yield some

    def lines(self, name: str) -> Iterator[bytes]:
        """Yield a member's lines, without what ends them."""
        begun = list[bytes]()  # a line's portions: each octet is looked at once, however long its line is
        for some in self.octets(name):
            first, *further = some.split(b"\n")
            begun.append(first)
            if further:
                yield b"".join(begun)
                yield from further[:-1]
                begun = [further[-1]]
        if any(begun):
            raise Flawed(f"{name} ends within a line")

    def _look(self) -> str:
        last = ""
        try:
            with tarfile.open(fileobj=self._file, mode="r:") as tar:
                for each in tar:
                    last = each.name
                    if last in self._places:
                        raise Flawed(f"it has {_named(last)} twice")
                    if MANIFEST in self._places:
                        raise Flawed(f"{_named(last)} comes behind the manifest")
                    if len(self._places) >= _MOST_MEMBERS:
                        raise Flawed(f"it has more than {_MOST_MEMBERS} members")
                    self._require_plain(each)
                    self._places[last] = (each.offset_data, each.size)
        except (tarfile.TarError, EOFError, ValueError) as error:
            raise Flawed(f"it is no archive, or is damaged: {error}") from error
        return last

    @staticmethod
    def _require_plain(each: tarfile.TarInfo) -> None:
        limit = next((octets for form, octets in _LIMITS if form.fullmatch(each.name)), None)
        if limit is None:
            raise Flawed(f"it has a member {_named(each.name)}, which no backup has")
        if each.type != tarfile.REGTYPE or each.pax_headers:
            raise Flawed(f"{each.name} is no regular file")
        if not 0 <= each.size <= limit:
            raise Flawed(f"{each.name} has {each.size} octets, and may have {limit}")

    def _compare(self) -> None:
        named = self.manifest.members
        for name in [*named, *self.names]:
            if name not in named or name not in self._places:
                raise Flawed(f"{_named(name)} is in the {'manifest' if name in named else 'archive'} alone")
        for name, member in named.items():
            if self._places[name][1] != member.size:
                raise Flawed(f"{name} has another size than its manifest says")
            digest = hashlib.sha256()
            for some in self.octets(name):
                digest.update(some)
            if digest.hexdigest() != member.sha256:
                raise Flawed(f"{name} is not what its manifest says")


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(format=tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)


def _named(name: str) -> str:
    """Return a name from outside as it may stand in a sentence."""
    return repr(name[:100])

"""A long answer that many fetch: made once into a file without a name, and sent from there to whoever asks.

It costs no memory, however slowly somebody reads. An older one goes when nobody reads it any more; those that are still
read have a bound together, beyond which the oldest is withdrawn, and what is left of it does not come.
"""

import hashlib
import mmap
import tempfile
import weakref
from collections.abc import Iterable, Sequence
from typing import overload

from api.status.exchange import Pieces

_PIECE = 64 * 1024

OLDER_OCTETS = 1024 * 1024 * 1024
"""Of older files together that are still read: as much as bodies that come in may have (front.limits.Limits)."""


class Withdrawn(OSError):
    """Another file has taken the place of one that is still being read."""


class KeptFile:
    """A file without a name.

    Args:
        pieces: its octets.

    Raises:
        OSError: there is no room for it.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        digest = hashlib.sha256()
        with tempfile.TemporaryFile() as file:
            for each in pieces:
                digest.update(each)
                file.write(each)
            file.flush()
            self.length = file.tell()
            # It stays for as long as somebody holds this, and has no name that anybody would have to remove.
            self._octets = mmap.mmap(file.fileno(), self.length, access=mmap.ACCESS_READ)
        self.sha256 = digest.digest()
        self.withdrawn = False

    def pieces(self, begin: int, end: int) -> Pieces:
        """Return a part of it, to be sent."""
        return Pieces(_Stretch(self, begin, end), end - begin)

    def read(self, begin: int, end: int) -> bytes:
        """Return octets; Withdrawn if it has to go."""
        if self.withdrawn:
            raise Withdrawn
        return self._octets[begin:end]


class Shelf:
    """The newest of several files, each in the place of the one before it, and older ones that are still read."""

    def __init__(self) -> None:
        self._newest: KeptFile | None = None
        self._older: list[weakref.ref[KeptFile]] = []

    def put(self, file: KeptFile) -> None:
        """Put a file in the place of the newest; of those that are older the oldest are withdrawn, if they are many."""
        if self._newest is not None:
            self._older.append(weakref.ref(self._newest))
        self._newest = file
        still = [(each, held) for each in self._older if (held := each()) is not None and not held.withdrawn]
        octets = sum(held.length for _, held in still)
        while octets > OLDER_OCTETS:
            _, oldest = still.pop(0)
            oldest.withdrawn = True
            octets -= oldest.length
        self._older = [each for each, _ in still]


class _Stretch(Sequence[Sequence[bytes]]):
    """Octets of a file as they are handed on."""

    def __init__(self, file: KeptFile, begin: int, end: int) -> None:
        self._file, self._end = file, end
        self._places = range(begin, end, _PIECE)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> Sequence[bytes]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Sequence[bytes]]: ...
    def __getitem__(self, place: int | slice) -> Sequence[bytes] | Sequence[Sequence[bytes]]:
        """Return a piece, in one part."""
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        begin = self._places[place]
        return (self._file.read(begin, min(begin + _PIECE, self._end)),)

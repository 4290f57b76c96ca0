"""A log as its witnesses have seen it: rows up to the newest checkpoint that enough of them cosigned, and no further.

A witness hands its cosigned note to nobody (C2SP tlog-cosignature leaves that open): it lies in a file, or where a web
server has it. Whoever wants witnesses follows these notes in place of the feed's own checkpoint, which is newer.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from verify.kit.canonical import canonical, read
from verify.kit.fetching import Authority
from verify.kit.mirror import LongSource
from verify.kit.note import LONGEST, Checkpoint, Key, checkpoint
from verify.kit.stopped import Check, Stopped

_FEED = "/v1/feed"


class Cosigned:
    """Where rows come from, as far as witnesses have seen them.

    Args:
        source: of rows and of all else.
        places: of notes, each a file or an address.
        log: the log's key.
        witnesses: keys of those who may have cosigned.
        wanted: how many of them must have.
    """

    def __init__(
        self, source: LongSource, places: Sequence[str], log: Key, witnesses: Sequence[Key], wanted: int
    ) -> None:
        self._source, self._places = source, places
        self._log, self._witnesses, self._wanted = log, witnesses, wanted

    def get(self, path: str) -> bytes:
        """Return what is at a path; of the feed what the witnesses have seen.

        Raises:
            Stopped: it cannot be had, or the witnesses have not seen more yet: it is asked again; or they have seen two
                trees of one size.
        """
        octets = self._source.get(path)
        where = urlsplit(path)
        if where.path != _FEED:
            return octets
        seen, after = self._newest(), int(parse_qs(where.query)["after"][0])
        if seen.size < after:
            raise Stopped(Check.UNREACHABLE, f"The witnesses have seen {seen.size} rows, and the copy has {after}.")
        said = read(octets)
        if isinstance(said, dict) and isinstance(said.get("rows"), list):
            said |= {"checkpoint": seen.note, "rows": said["rows"][: seen.size - after]}
        return canonical(said)

    def pieces(self, path: str) -> Iterator[bytes]:
        """Yield what is at a path, however long."""
        return self._source.pieces(path)

    def _newest(self) -> Checkpoint:
        found = dict[str, Checkpoint]()
        for place in self._places:
            seen = _seen(place, self._log)
            if seen is not None:
                found[seen.body] = _joined(found[seen.body], seen) if seen.body in found else seen
        if len({each.size for each in found.values()}) < len(found):
            raise Stopped(
                Check.TWO_HISTORIES, "The log has signed two trees of one size: keep the notes of its witnesses."
            )
        enough = [each for each in found.values() if len(each.witnessed(self._witnesses)) >= self._wanted]
        if not enough:
            raise Stopped(
                Check.UNREACHABLE,
                f"No checkpoint of this log that {self._wanted} of the witnesses have cosigned is at "
                f"{', '.join(self._places)}.",
            )
        return max(enough, key=lambda each: each.size)


def _seen(place: str, log: Key) -> Checkpoint | None:
    """The note in a place; None if there is none of this log: one witness that fails hinders no other."""
    try:
        seen = checkpoint(_octets(place).decode("utf-8"))
        seen.require(log)
    except (Stopped, OSError, UnicodeDecodeError):
        return None
    return seen


def _octets(place: str) -> bytes:
    if place.startswith(("http://", "https://")):
        return Authority(place).get("")
    with Path(place).open("rb") as file:
        return file.read(LONGEST + 1)


def _joined(one: Checkpoint, other: Checkpoint) -> Checkpoint:
    """One note with the signatures of two of the same body."""
    _, _, lines = other.note.removeprefix(other.body).partition("\n")
    added = "".join(line for line in lines.splitlines(keepends=True) if line not in one.note)
    return checkpoint(one.note + added)

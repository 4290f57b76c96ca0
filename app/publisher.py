"""The process that publishes files: a mirror of its own, a folder, and a loop between them."""

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from api.status.lists import is_genuine
from api.status.mirror import Mirror
from api.status.remembered import WebMemory
from api.verified import ToldReader
from app.house import House
from core.errors import PlaceUnusable, StatusStale, StoreUnavailable
from core.instants import text
from core.merkle import bundle
from core.register import register_octets
from core.trouble import Trouble
from core.words import counted
from published.folder import Folder
from published.log import Shown, Stated
from published.publishing import Publishing
from store.reading import log, register
from store.transactions import Store

LOOK_SECONDS = 1.0
"""How often is looked for what nobody tells: what comes to its end."""

REST_SECONDS = 0.02
"""After each turn: what is committed by the hundred is published by the portion."""

AGAIN_SECONDS = 1.0
"""After which is tried again what could not be read, or written."""

_log = logging.getLogger(__name__)


class LogOf:
    """The public log of a register, as it is published (published/log.py).

    Args:
        store: the register.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def checkpoint(self) -> Shown | None:
        """Return the newest checkpoint."""
        with self._store.read() as tx:
            found = log.checkpoint(tx)
        return None if found is None else Shown(size=found.size, note=found.note, at=found.signed_at)

    def tile(self, level: int, index: int, width: int) -> bytes | None:
        """Return so many hashes of a tile."""
        with self._store.read() as tx:
            return log.tile(tx, level, index, width)

    def entries(self, index: int, width: int) -> bytes | None:
        """Return so many entries as a bundle."""
        with self._store.read() as tx:
            found = log.entries(tx, index, width)
        return None if found is None else bundle(found)

    def stated(self) -> Stated | None:
        """Return what was signed of the newest register."""
        with self._store.read() as tx:
            found = register.newest_register(tx)
        if found is None:
            return None
        return Stated(size=found.moment.size, sha256=found.sha256, signature=found.signature, at=found.signed_at)

    def register(self, stated: Stated) -> Iterator[bytes]:
        """Return the octets of a register, page by page; nothing if it is not kept any more."""
        with self._store.read() as tx:
            found = register.register_of(tx, stated.size)
        return iter(()) if found is None else register_octets(register.pages(self._store, stated.size), found.moment)


def publish(house: House, place: Path, stopping: threading.Event, *, once: bool, say: Callable[[str], None]) -> None:
    """Publish in a folder until `stopping` is set.

    Args:
        house: whose lists and answers.
        place: the folder; made if it is not there.
        stopping: ends it, between two portions.
        once: whether it ends when everything that there is is published.
        say: tells a person where it writes, and in a line what each pass wrote.

    Raises:
        PlaceUnusable: the folder is another's, or, with `once`, cannot be written.
        StoreUnavailable: with `once`, the register does not answer.
    """
    with closing(Folder(place, hashlib.sha256(house.root()).hexdigest())) as folder:
        publishing = _publishing(house, folder)
        if once:
            while publishing.turn() and not stopping.is_set():
                pass
            say(f"{_done(folder)} in {place}.")
            return
        say(f"Publishing in {place}; it follows until Ctrl-C.")

        def passed() -> None:
            if folder.wrote or folder.removed:
                say(f"{text(house.clock.now())}  {_done(folder)}.")
                folder.wrote = folder.removed = 0

        _follow(house, publishing, stopping, passed)
        passed()


def _done(folder: Folder) -> str:
    """Return what was written and removed, in words; of a folder in which nothing was to be done, that."""
    if not folder.wrote and not folder.removed:
        return "Nothing is new"
    gone = f", {folder.removed:,} removed" if folder.removed else ""
    return f"{counted(folder.wrote, 'file')} written{gone}"


def _publishing(house: House, folder: Folder) -> Publishing:
    reader = ToldReader(house.store, house.clock.now, is_genuine)
    # What was published is remembered as web remembers what it told: a register that goes back takes nothing with it.
    mirror = Mirror(reader, house.machine, remembered=WebMemory(folder.notes / "told"))
    publishing = Publishing(mirror, folder, reader.numbers_after, LogOf(house.store))
    reader.read_anew = publishing.touched
    return publishing


def _follow(house: House, publishing: Publishing, stopping: threading.Event, passed: Callable[[], None]) -> None:
    trouble = Trouble(_log)
    with closing(house.store.hearing()) as hearing:
        while not stopping.is_set():
            try:
                more = publishing.turn()
            except (StoreUnavailable, StatusStale, PlaceUnusable) as error:
                trouble.begins(f"{error} What was published stays.")
                stopping.wait(AGAIN_SECONDS)
                continue
            trouble.ends("It is published again.")
            if not more:
                passed()
            stopping.wait(REST_SECONDS)
            if not more:
                hearing.wait(LOOK_SECONDS, stopping)

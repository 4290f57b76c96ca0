"""Settings become a house: plain constructors, nothing found by name, nothing opened before it is needed."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from app.settings import Settings, load
from ca.certificates import key_id
from ca.profile import Profile
from core.clock import Clock, OffsetClock, SystemClock
from core.errors import HomeMissing, MemoryMissing, SettingsInvalid
from core.identifiers import Environment, environment_named
from core.kinds import HierarchyRole
from jobs.clocks import clocks
from jobs.keyring import Keyring, opened_keyring
from keys.ceremony import JOURNAL_FILE, RECORD_FILE, issuing_file, responder_file, statement_file
from keys.place import KeyPlace, Tokens
from memory.book import FILE_NAME
from memory.memory import Memory
from memory.records import At
from ra.desk import Desk
from store import schema
from store.reading.authority import AuthorityRow, authority_row, certificates, clock_offset
from store.transactions import Store

OFFSET_SECONDS = 0.1
"""How long a test clock's offset is remembered: `trialcpa clock advance` reaches every process within 250 ms."""

HOME_VARIABLE = "TRIALCPA_HOME"
DEFAULT_HOME = Path("var")


def home_of(option: Path | None) -> Path:
    """Return the home: `--home`, else TRIALCPA_HOME, else ./var."""
    if option is not None:
        return option.resolve()
    named = os.environ.get(HOME_VARIABLE)
    return Path(named).resolve() if named else DEFAULT_HOME.resolve()


@dataclass(frozen=True)
class House:
    """An authority as a process sees it.

    Args:
        settings: frozen.
        store: at the revision that this release needs.
        clock: the authority's clock; as the register says who it is, until its memory is opened (`opened`).
        machine: the machine's own.
        moved: the machine's, with what the register adds to it for a test authority.
        tokens: that this process holds; None if the settings say nothing of any.
        environment: whether it is a test authority, as the register says.
    """

    settings: Settings
    store: Store
    clock: Clock
    machine: Clock
    moved: Clock
    tokens: Tokens | None = None
    environment: Environment = "live"

    def place(self, passphrase: bytes | None = None) -> KeyPlace:
        """Return where the private keys lie.

        Args:
            passphrase: of those in files, where it was read already; some can be read only once.
        """
        settings = self.settings
        return KeyPlace(
            folder=settings.keys_dir, passphrase=passphrase or settings.passphrase.read(), tokens=self.tokens
        )

    def clock_of(self, environment: Environment) -> Clock:
        """Return the clock of an authority: a live one's is the machine's, and nothing in the store can move it."""
        return self.machine if environment == "live" else self.moved

    def named(self, name: str) -> "House":
        """Return the house with the clock of the authority that has a name: its register may say another by now."""
        environment = environment_named(name)
        return replace(self, environment=environment, clock=self.clock_of(environment))

    @property
    def desk(self) -> Desk:
        """Where use cases work."""
        return Desk(self.store, self.clock, self.settings.rules)

    def close(self) -> None:
        """Close its connections, and part with its tokens."""
        self.store.close()
        if self.tokens is not None:
            self.tokens.close()

    def row(self) -> AuthorityRow:
        """Return what was fixed at the ceremony."""
        with self.store.read() as tx:
            return authority_row(tx)

    def root(self) -> bytes:
        """Return the newest certificate of the root, DER: what whoever relies on this authority is given by hand."""
        with self.store.read() as tx:
            return certificates(tx, HierarchyRole.ROOT)[-1].der


def open_house(settings: Settings, *, reading: bool = False) -> House:
    """Open the register of an authority.

    Args:
        settings: of the authority.
        reading: a register in a file is opened for reading alone.

    Raises:
        HomeMissing: there is no authority in it.
        SchemaMismatch: it belongs to another release.
        StoreUnavailable: it does not answer.
    """
    store = Store(settings.store_url, reading=reading)
    if store.revision() is None:
        raise HomeMissing(path=settings.home)
    store.require_revision(schema.needed_revision())
    machine = SystemClock()
    with store.read() as tx:
        environment = authority_row(tx).environment
    moved = OffsetClock(_Remembered(lambda: clock_offset(store)))
    tokens = None if settings.tokens is None else Tokens(settings.tokens)
    house = House(settings=settings, store=store, clock=machine, machine=machine, moved=moved, tokens=tokens)
    return replace(house, environment=environment, clock=house.clock_of(environment))


class _Remembered:
    """A test clock's offset, asked of the store at most every tenth of a second.

    A use case asks its clock while it writes; with a look-up each time, every thread would need two connections.
    """

    def __init__(self, ask: Callable[[], timedelta]) -> None:
        self._ask = ask
        self._known: tuple[float, timedelta] | None = None

    def __call__(self) -> timedelta:
        now = time.monotonic()
        known = self._known
        if known is None or now - known[0] > OFFSET_SECONDS:
            known = self._known = (now, self._ask())
        return known[1]


def profile_of(row: AuthorityRow) -> Profile:
    """Return the profile of an authority that exists."""
    return Profile(environment=row.environment, arc=row.arc, base_url=row.base_url, name=row.name)


def origin_of(house: House, environment: str) -> str | None:
    """Return the console's origin; None if this authority has no console.

    A test authority has one on its own port without being told; a live one where the settings say, by https alone.

    Raises:
        SettingsInvalid: a live authority's is to be in the clear.
    """
    origin = house.settings.console_origin
    if environment == "test":
        return origin or f"http://localhost:{house.settings.port}"
    if origin is not None and urlsplit(origin).scheme != "https":
        problem = "console.origin of a live authority begins with https://."
        raise SettingsInvalid(path=house.settings.home, problems=problem)
    return origin


def open_memory(house: House, passphrase: bytes | None = None) -> Memory:
    """Open what the authority remembers, with the key that seals it.

    Args:
        house: the authority.
        passphrase: of its keys, where it was read already; some can be read only once.

    Raises:
        KeyUnusable: that key cannot be opened.
        MemoryMissing, MemoryUnusable: there is none, or it is not as it was sealed.
    """
    folder = house.settings.keys_dir
    if not (folder / FILE_NAME).exists():
        raise MemoryMissing(path=folder / FILE_NAME)
    key = house.place(passphrase).record_key(RECORD_FILE)

    def read() -> At:
        # Who it is, the memory says: a row that says `test` would move a live authority's clock for good.
        return clocks(house.machine, house.clock_of(memory.begun.environment))()

    memory = Memory.open(folder, key, read)
    return memory


@contextmanager
def opened(home: Path | None) -> Iterator[tuple[House, Memory]]:
    """Open an authority with its memory, which says what its clock is, and close both.

    Args:
        home: as `home_of` has it.
    """
    with opened_with_keys(home) as found:
        yield found.house, found.memory


@dataclass(frozen=True)
class Opened:
    """An authority as a command of its operator has it.

    Args:
        house: its settings, its register, its clock.
        memory: what it remembers.
        place: where its keys lie.
    """

    house: House
    memory: Memory
    place: KeyPlace


@contextmanager
def opened_with_keys(home: Path | None) -> Iterator[Opened]:
    """Open an authority with its memory, as `opened` does, and say where its keys lie."""
    with closing(open_house(load(home_of(home)))) as house:
        passphrase = house.settings.passphrase.read()
        with closing(open_memory(house, passphrase)) as memory:
            clock = house.clock_of(memory.begun.environment)
            yield Opened(replace(house, clock=clock), memory, house.place(passphrase))


def keyring_of(house: House, memory: Memory) -> Keyring:
    """Open the private keys of an authority that remembers which they are.

    Raises:
        KeyUnusable: a key cannot be opened, or is not the one that this authority remembers.
    """
    return opened_keyring(memory, house.place(), house.clock_of(memory.begun.environment).now())


def open_keyring(house: House) -> Keyring:
    """Open the private keys of an authority that has no memory yet: who it is, only the register says.

    It has one of each: every later one was made by a release that remembers.

    Raises:
        KeyUnusable: a key cannot be opened.
    """
    place = house.place()
    issuing, responder, journal = (place.opened(name) for name in (issuing_file(1), responder_file(1), JOURNAL_FILE))
    statement = statement_file(1)
    return Keyring(
        profile=profile_of(house.row()),
        issuing={key_id(issuing.public_key): issuing},
        responder=responder,
        journal=journal,
        statement=place.opened(statement) if (place.folder / statement).exists() else None,
    )

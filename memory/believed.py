"""What can be asked of the memory; nothing is written here."""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from core.errors import MemoryContradicted, MemoryUnusable
from core.identifiers import Serial
from core.kinds import AuthorisedAct, HierarchyRole
from core.status import Ending, Revoked
from memory import beliefs, log, officers, on_lists, taking
from memory.beliefs import Certified, Remembered, Standing
from memory.book import Book
from memory.records import (
    Acceptance,
    Accepted,
    At,
    Begun,
    Consumed,
    Head,
    Hierarchy,
    Issuing,
    Listed,
    LogBegun,
    Record,
    Register,
    RosterSet,
    Tree,
    WillSign,
    record_of,
)
from officers.roster import Roster

T = TypeVar("T")


class Believed:
    """What the authority believes.

    Args:
        book: the records on disk.
        clocks: says what the clocks show; asked while something is written.
    """

    def __init__(self, book: Book, clocks: Callable[[], At]) -> None:
        self._book = book
        self._clocks = clocks
        self._begun: Begun | None = None
        self._acceptances: list[Acceptance] = []
        self._accepted_up_to = 0
        self._told: tuple[int, frozenset[str]] = (0, frozenset())
        self._answers: dict[str, tuple[tuple[int, int], Any]] = {}

    def _asked(self, what: str, ask: Callable[[sqlite3.Cursor], T]) -> T:
        """Return what is believed of something that jobs ask many times in a turn; of one state of the book, once.

        Args:
            what: its name.
            ask: asks the book; its answer is a value that nobody changes.
        """
        state = self._book.state()
        known = self._answers.get(what)
        if known is not None and known[0] == state:
            return cast("T", known[1])
        with self._book.reading() as cursor:
            answer = ask(cursor)
        if state is not None:
            self._answers[what] = (state, answer)
        return answer

    @property
    def begun(self) -> Begun:
        """What is fixed for ever; MemoryUnusable if the first record is missing."""
        if self._begun is None:
            with self._book.reading() as cursor:
                first = self._book.entries(cursor, 0, 1)
            read = record_of(first[0].kind, first[0].body) if first else None
            if not isinstance(read, Begun):
                raise MemoryUnusable(path=self._book.path, detail="it has no beginning")
            self._begun = read
        return self._begun

    def certificate(self, serial: str) -> Remembered | None:
        """Return a certificate that was signed, or was to be, by its serial number."""
        with self._book.reading() as cursor:
            return beliefs.certificate(cursor, serial)

    def standing(self, serial: str, at: datetime) -> Standing | None:
        """Return how a certificate stands at `at`, by its serial number; None if none is remembered."""
        with self._book.reading() as cursor:
            return beliefs.standing(cursor, serial, at)

    def certificates_after(self, serial: str, most: int) -> list[Remembered]:
        """Return the certificates behind a serial, in order of serials: what there is, a portion at a time."""
        with self._book.reading() as cursor:
            return beliefs.certificates_after(cursor, serial, most)

    def certified_at(self, serial: str) -> datetime | None:
        """Return when a certificate of the hierarchy was remembered, by the machine's clock; None if it never was."""
        with self._book.reading() as cursor:
            return beliefs.certified_at(cursor, serial)

    def signing(self, serial: str) -> tuple[WillSign, datetime] | None:
        """Return the record that was written before a certificate was signed, and when; None if none was."""
        with self._book.reading() as cursor:
            return beliefs.signing(cursor, serial)

    def issues(self, approval: str) -> list[Remembered]:
        """Return the certificates of an approval, in order of issue."""
        with self._book.reading() as cursor:
            return beliefs.issues(cursor, approval)

    def hierarchy(self, role: HierarchyRole) -> list[Certified]:
        """Return the certificates of the hierarchy of a role, oldest first."""
        return list(self._asked(f"hierarchy {role}", lambda cursor: beliefs.hierarchy(cursor, role)))

    def hierarchy_records(self, role: HierarchyRole) -> list[Hierarchy]:
        """Return the same with their bytes."""
        return list(self._asked(f"records {role}", lambda cursor: beliefs.hierarchy_records(cursor, role)))

    def status(self, known: Remembered, at: datetime) -> Revoked | None:
        """Return what a list or an answer made at `at` says of a certificate; None means good."""
        with self._book.reading() as cursor:
            return beliefs.status(cursor, known, at)

    def end(self, serial: str) -> Revoked | None:
        """Return the end by an act that was stated of a certificate; None if none was."""
        with self._book.reading() as cursor:
            return beliefs.end(cursor, serial)

    def ends_after(self, serial: str, most: int) -> list[Revoked]:
        """Return the ends by an act that were stated of certificates behind a serial, in order of serials."""
        with self._book.reading() as cursor:
            return beliefs.ends_after(cursor, serial, most)

    @property
    def newest_end(self) -> datetime | None:
        """The latest end by an act that was stated; None if none was."""
        return self._asked("newest end", beliefs.newest_end)

    def certified(self, serial: str) -> Certified | None:
        """Return a certificate of the hierarchy that was signed, or was to be, by its serial number."""
        with self._book.reading() as cursor:
            return beliefs.certified(cursor, serial)

    def uses(self) -> dict[str, tuple[int, int]]:
        """Return how many certificates and lists each CA's key was to sign, by key identifier."""
        with self._book.reading() as cursor:
            return beliefs.uses(cursor)

    def root_entries(self, at: datetime) -> list[Revoked]:
        """Return the entries of the root's list made at `at`, in order of serials."""
        with self._book.reading() as cursor:
            return beliefs.root_entries(cursor, at)

    def entries(self, at: datetime, behind: str, most: int) -> list[Revoked]:
        """Return the entries of all issuing CAs' lists made at `at`, in order of serials: a portion behind one."""
        with self._book.reading() as cursor:
            return beliefs.entries(cursor, at, behind, most)

    def endings(self, issuer: str, at: datetime) -> Iterator[tuple[Serial, Ending]]:
        """Return the entries of an issuing CA's list made at `at`, in order of serials."""
        with self._book.reading() as cursor:
            yield from on_lists.endings(cursor, issuer, at)

    def changed(
        self, issuer: str, record: int, since: datetime, at: datetime
    ) -> list[tuple[Serial, Revoked | None]] | None:
        """Return what a list made at `at` may say otherwise than one before; see memory/on_lists.py."""
        with self._book.reading() as cursor:
            return on_lists.changed(cursor, issuer, record, since, at)

    def newest_list(self, key_id: str, now: datetime | None = None) -> Listed | None:
        """Return the newest list of a key; of those that are not dated ahead of `now`, if that is given."""
        with self._book.reading() as cursor:
            return beliefs.newest_list(cursor, key_id, now)

    def newest_lists(self, key_id: str, now: datetime, most: int) -> list[Listed]:
        """Return the newest lists of a key that are not dated ahead of `now`, the newest first."""
        with self._book.reading() as cursor:
            return beliefs.newest_lists(cursor, key_id, now, most)

    def unlisted(self, held: Listed, at: datetime) -> bool:
        """Return whether a list made at `at` would have an entry that one of the same key, made before, lacks."""
        with self._book.reading() as cursor:
            return beliefs.unlisted(cursor, held, at)

    @property
    def head(self) -> Head:
        """The last row of the journal that a head was signed for; row 0 before the first."""
        return self._asked("head", beliefs.head)

    @property
    def log(self) -> LogBegun | None:
        """The public log that goes on; None before the first, and where a restore has ended it."""
        found = self._asked("log", log.newest)
        return None if found is None or found[1] else found[0]

    @property
    def newest_log(self) -> LogBegun | None:
        """The newest public log, if it is over too; None before the first."""
        found = self._asked("log", log.newest)
        return None if found is None else found[0]

    def tree(self, origin: str) -> Tree | None:
        """Return the largest tree of a log that a checkpoint was signed for, or was to be; None before the first."""
        with self._book.reading() as cursor:
            return log.tree(cursor, origin)

    def register(self, origin: str) -> Register | None:
        """Return the largest register of a log that was signed, or was to be; None before the first."""
        with self._book.reading() as cursor:
            return log.register(cursor, origin)

    def signed(self, record: Head) -> bool:
        """Return whether a head was ever signed, an accepted restore notwithstanding. It reads the heads."""
        with self._book.reading() as cursor:
            return beliefs.signed(cursor, record)

    def link_of(self, number: int) -> bytes | None:
        """Return the link of a sealed row as it was when it was sealed; None if that is not known."""
        with self._book.reading() as cursor:
            return beliefs.link_of(cursor, number)

    def settled(self) -> frozenset[Serial]:
        """Return the certificates whose published end an operator has given another date."""
        moved = [each for each in self.acceptances() if each.what is Accepted.LIST]
        return frozenset(Serial(each.after["serial"]) for each in moved)

    def acceptances(self) -> Sequence[Acceptance]:
        """Return every act of an operator, in order. The first call reads all records, a later one those since."""
        with self._book.reading() as cursor:
            newest, _ = self._book.last(cursor)
            self._acceptances += beliefs.acceptances(cursor, self._accepted_up_to, newest)
            self._accepted_up_to = newest
        return self._acceptances

    def accepted_facts(self) -> frozenset[str]:
        """Return the digests of everything that the journal may say of operators' acts; see Acceptance."""
        every = self.acceptances()
        if len(every) != self._told[0]:
            facts = {fact for each in every for fact in (each.fact, *each.facts) if fact is not None}
            self._told = (len(every), frozenset(facts))
        return self._told[1]

    def links(self, numbers: Collection[int]) -> dict[int, bytes]:
        """Return the links of sealed rows as they were when they were sealed; those that are known."""
        with self._book.reading() as cursor:
            return beliefs.links(cursor, numbers)

    def heads_around(self, number: int) -> tuple[Head, Head] | None:
        """Return the nearest rows before and from a number on whose links are known; None if it is under no head."""
        with self._book.reading() as cursor:
            return beliefs.heads_around(cursor, number)

    # --- of officers ---------------------------------------------------------------------------------------------

    def roster(self, at: datetime) -> Roster | None:
        """Return whose keys count at an instant; None before the first roster: none is asked for then."""
        with self._book.reading() as cursor:
            return officers.roster_at(cursor, at)

    @property
    def newest_roster(self) -> RosterSet | None:
        """The newest roster, in force or to come; None before the first."""
        return self._asked("newest roster", officers.newest_roster)

    def rosters(self) -> list[RosterSet]:
        """Return every roster there was, in order."""
        return list(self._asked("rosters", officers.rosters))

    def consumed(self, subject: str, acts: Collection[AuthorisedAct]) -> list[Consumed]:
        """Return the authorisations that were used for a decision, approval, breach or order, in order."""
        with self._book.reading() as cursor:
            return officers.consumed_for(cursor, subject, acts)

    def consumed_about(self, subjects: Collection[str]) -> list[Consumed]:
        """Return the authorisations that were used for any of some decisions, approvals, breaches or orders."""
        with self._book.reading() as cursor:
            return officers.consumed_about(cursor, subjects)

    def consumed_by(self, statements: Collection[str]) -> list[Consumed]:
        """Return what some statements, by their digests, were used for."""
        with self._book.reading() as cursor:
            return officers.consumed_by(cursor, statements)

    def ordered(self) -> frozenset[str]:
        """Return every order that an officer's authorisation was ever used for."""
        return self._asked("ordered", officers.ordered)

    def certified_before(self, serial: str, subject: str, facts: Collection[str]) -> bool:
        """Return whether a certificate was to be signed before officers agreed to something; see memory/officers.py."""
        with self._book.reading() as cursor:
            return officers.certified_before(cursor, serial, subject, facts)

    @property
    def sealed_before_rosters(self) -> int:
        """The last row of the journal that was under a head before there was a roster."""
        return self._asked("sealed before rosters", officers.sealed_before_rosters)

    @property
    def issuing(self) -> Issuing | None:
        """When issuing was last stopped or started again; None if it never was."""
        return self._asked("issuing", officers.issuing)

    def stops(self) -> list[Issuing]:
        """Return each time that issuing was stopped or started again, in order. It reads these records."""
        with self._book.reading() as cursor:
            return officers.stops(cursor)

    @property
    def last_at(self) -> At | None:
        """What the clocks said when something was last signed."""
        with self._book.reading() as cursor:
            return beliefs.last_at(cursor)

    def read_clocks(self) -> At:
        """Return what the clocks show now."""
        return self._clocks()

    def contradiction(self, record: Record, now: datetime) -> str | None:
        """Return, in a sentence, how a record would contradict what is remembered; None if it would not."""
        with self._book.reading() as cursor:
            try:
                taking.news(cursor, record, now)
            except MemoryContradicted as error:
                return str(error)
        return None

"""A copy of the public register in one SQLite file, which proves itself row by row.

The rows are hashed anew and added to the tree that the copy holds. They are laid aside, a portion of the feed in one
transaction, until they are as many as the checkpoint says; they count when the root is then the one that the log
(and as many witnesses as are wanted) has signed: so nothing before was changed and nothing is left out. What is not
so is thrown away, and the copy is what it was. Whoever was killed goes on from the last portion.
"""

import base64
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from verify.kit import kept
from verify.kit.canonical import canonical, read
from verify.kit.evidence.cms import stated
from verify.kit.evidence.parsing import Unreadable
from verify.kit.fetching import proved
from verify.kit.holding import Holding
from verify.kit.instants import written
from verify.kit.merkle import OCTETS, Frontier, consistent, leaf_hash
from verify.kit.note import Checkpoint, Key, checkpoint
from verify.kit.register import Kept, Register, compared
from verify.kit.status import Life
from verify.kit.stopped import Check, Stopped

PORTION = 1_000
"""Rows that are asked for at once."""

REGISTER, SIGNATURE = "/v1/register", "/v1/register.p7s"

_MEMBERS = frozenset({"number", "sealed_at", "public", "commitment", "leaf"})


class Source(Protocol):
    """Where rows come from; `verify.kit.fetching.Authority` is one."""

    def get(self, path: str) -> bytes:
        """Return what is at a path; Stopped if it cannot be had."""


class LongSource(Source, Protocol):
    """Where the register comes from as well, which may be longer than anybody wants to hold."""

    def pieces(self, path: str) -> Iterator[bytes]:
        """Yield what is at a path; Stopped if it cannot be had, or ends before its end."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What a register was found to be.

    Args:
        size: rows that it has.
        newer: documents of the copy that came behind it, which it cannot say.
        signed: when the authority signed it, as it says; None where that was not looked at.
    """

    size: int
    newer: int
    signed: str | None


class Mirror:
    """One copy.

    Args:
        file: of SQLite; made if there is none.
        log: the log's key, from somewhere trusted.
        witnesses: keys of those who may have cosigned.
        wanted: how many of them must have.
        longest: seconds for which the copy is believed after it was proved to be the newest.
        clock: the present instant, seconds since 1970.

    Raises:
        Stopped: the file is a copy of another log, or not as it was written.
    """

    def __init__(
        self,
        file: Path,
        log: Key,
        *,
        witnesses: Sequence[Key] = (),
        wanted: int = 0,
        longest: int = 600,
        clock: Callable[[], int],
    ) -> None:
        if wanted > len({each.public for each in witnesses}):
            raise ValueError("more witnesses are wanted than are known")
        self._log, self._witnesses, self._wanted, self._clock = log, witnesses, wanted, clock
        self._file = file
        self.holding = Holding(longest)
        with self._opened() as database:
            kept.made(database, str(log))
            held = kept.state(database)
            if held.log != str(log):
                raise Stopped(Check.ORIGIN, f"{file} is a copy of another log, {held.log}.")
            self._load(database)

    @property
    def size(self) -> int:
        """Rows that are proved."""
        with self._opened() as database:
            return _proved(kept.state(database))

    def follow(self, source: Source, *, wait: int = 0) -> bool:
        """Take the next portion; what is wrong is written down, and stops.

        Args:
            source: of rows.
            wait: seconds for which the authority may wait for a row.

        Returns:
            Whether the copy is as long as the newest checkpoint.

        Raises:
            Stopped: something is wrong, or the authority is silent; the copy is as it was.
        """
        with self._opened() as database:
            held = kept.state(database)
            octets = source.get(f"/v1/feed?after={held.aside_size}&wait={wait}&limit={PORTION}")
            told: object = None
            try:
                said = _document(octets)
                told = said["checkpoint"]
                seen = self._required(told, held.size, held.note)
                return self._taken(database, held, seen, said["rows"])
            except Stopped as stopped:
                self._written_down(database, stopped, told)
                raise

    def wrong(self) -> list[tuple[int, str, str, str | None]]:
        """Return what stopped the copy since it was made: when, which check, why, and the note in question."""
        with self._opened() as database:
            return database.execute("SELECT found_at, code, detail, note FROM wrong ORDER BY rowid").fetchall()

    def documents(self) -> dict[str, Any]:
        """Return the register as the copy has it: all documents by identifier."""
        with self._opened() as database:
            found = sorted(kept.documents(database))
        return {approval: read(document) for approval, document, _ in found}

    def compare(self, source: LongSource, root: bytes | None = None) -> Compared | None:
        """Compare the copy with the register that the authority hands out.

        Args:
            source: of the register, and of what proves that the log only grew since.
            root: the root's certificate, if the register's signature is to be looked at as well.

        Returns:
            What was compared; None if the register is of a moment behind the copy's: follow, and ask again.

        Raises:
            Stopped: it is another register than the rows say, or not signed.
        """
        with self._opened() as database:
            held = kept.state(database)
            size, note = held.size, held.note
            if note is None or held.kept is None:
                return None
            ours = sorted(kept.documents(database))
            try:
                found = compared(
                    source.pieces(REGISTER), (Kept(approval=a, document=d.decode(), row=n) for a, d, n in ours)
                )
                if found.size > size:
                    return None
                self._require_same(found, checkpoint(note), source)
                signed = None if root is None else _signed(found, source.get(f"{SIGNATURE}?size={found.size}"), root)
            except Stopped as stopped:
                self._written_down(database, stopped, note)
                raise
        return Compared(size=found.size, newer=len(found.other), signed=signed)

    def _require_same(self, found: Register, seen: Checkpoint, source: Source) -> None:
        """Require that a register, which is not of a moment behind the copy's, says what the copy says."""
        root = _root(found.root)
        path = [] if found.size == seen.size else _hashes(source, found.size, seen.size)
        if found.log != seen.origin or not consistent(found.size, root, seen.size, seen.root, path):
            raise Stopped(Check.ROOT, f"The register of {found.size} rows is not of this log.")
        if found.differs is not None:
            raise Stopped(
                Check.ROOT, f"The register of {found.size} rows is not what its rows say, first of {found.differs}."
            )

    def _required(self, told: object, size: int, note: str | None) -> Checkpoint:
        if not isinstance(told, str):
            raise Stopped(Check.FORM, "The feed has no checkpoint.")
        seen = checkpoint(told)
        seen.require(self._log)
        if len(seen.witnessed(self._witnesses)) < self._wanted:
            raise Stopped(Check.WITNESSES, f"Fewer than {self._wanted} of the witnesses have seen that checkpoint.")
        if seen.size < size:
            raise Stopped(Check.WENT_BACK, f"The log has {seen.size} rows, and had {size}.")
        if note is not None and seen.size == size and checkpoint(note).root != seen.root:
            raise Stopped(Check.TWO_HISTORIES, f"The log has signed two trees of {size} rows; both notes are kept.")
        return seen

    def _taken(self, database: sqlite3.Connection, held: kept.State, seen: Checkpoint, rows: object) -> bool:
        """Add rows to the tree; believe them when the tree is the checkpoint's."""
        tree = Frontier(held.aside_size, _divided(held.aside_frontier))
        if not isinstance(rows, list) or len(rows) > seen.size - tree.size:
            raise Stopped(Check.ORDER, "The feed has rows that its checkpoint does not cover.")
        if not rows and tree.size != seen.size:
            raise Stopped(Check.ORDER, f"The feed ends with row {tree.size} of {seen.size}.")
        before = None if held.kept is not None or held.note is None else checkpoint(held.note)
        documents: dict[str, kept.Row] = {}
        for row in rows:
            documents |= {approval: (approval, said, number) for approval, said, number in _checked(row, tree)}
            if before is not None and tree.size == before.size and tree.root() != before.root:
                raise Stopped(
                    Check.TWO_HISTORIES, f"The log had another tree of {tree.size} rows; both notes are kept."
                )
        whole = tree.size == seen.size
        if whole and tree.root() != seen.root:
            raise Stopped(Check.ROOT, f"The {seen.size} rows do not have the root that the log has signed.")
        found: list[kept.Row] = []
        with database:
            kept.laid_aside(database, documents.values())
            database.execute("UPDATE state SET aside_size = ?, aside_frontier = ?", (tree.size, b"".join(tree.hashes)))
            if whole:
                believed = self._believed(seen)
                found = kept.believed(database)
                database.execute(
                    "UPDATE state SET size = aside_size, frontier = aside_frontier, note = ?, proved_at = ?",
                    (seen.note, believed),
                )
            kept.sealed(database)
        if whole:  # if we die here, the next start reads it from the file
            self.holding.take((read(document) for _, document, _ in found), believed)
        return whole

    def _believed(self, seen: Checkpoint) -> int:
        """Return when this was surely the newest: where witnesses are wanted they say it, else our own clock does."""
        now = self._clock()
        return min(now, seen.witnessed(self._witnesses)[self._wanted - 1]) if self._wanted else now

    def _load(self, database: sqlite3.Connection) -> None:
        found, proved = kept.documents(database), kept.state(database).proved_at
        if proved is not None:
            self.holding.take((read(document) for _, document, _ in found), proved)

    def _written_down(self, database: sqlite3.Connection, stopped: Stopped, told: object) -> None:
        if stopped.check is Check.UNREACHABLE:
            return
        note = told if isinstance(told, str) else None
        with database:
            kept.thrown_away(database)
            database.execute(
                "INSERT INTO wrong VALUES (?, ?, ?, ?)", (self._clock(), stopped.check.value, stopped.detail, note)
            )

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._file, timeout=30)) as database:
            try:
                database.execute("PRAGMA journal_mode = WAL")
            except UnicodeDecodeError:  # of what SQLite says of a file that is damaged, and quotes
                raise sqlite3.DatabaseError(f"{self._file} is damaged") from None
            database.execute("PRAGMA synchronous = FULL")
            yield database


def _document(octets: bytes) -> dict[str, Any]:
    try:
        said = read(octets)
        if isinstance(said, dict) and said.keys() >= {"rows", "checkpoint"}:
            return said
    except ValueError:
        pass
    raise Stopped(Check.FORM, "The feed is not in the form of one.")


def _checked(row: object, tree: Frontier) -> Iterator[tuple[str, bytes, int]]:
    """Add one row to the tree, and yield the documents that it carries, each with its approval and the row's number."""
    if not isinstance(row, dict) or row.keys() != _MEMBERS or not isinstance(row["public"], dict):
        raise Stopped(Check.FORM, f"Row {tree.size + 1} is not in the form of one.")
    if row["number"] != tree.size + 1 or row["number"] is True:
        raise Stopped(Check.ORDER, f"Row {tree.size + 1} was to follow.")
    leaf = leaf_hash(canonical({name: value for name, value in row.items() if name != "leaf"}))
    if row["leaf"] != leaf.hex():
        raise Stopped(Check.ROOT, f"Row {tree.size + 1} is not the leaf that it says it is.")
    tree.add(leaf)
    documents = row["public"].get("approvals", [])
    if not isinstance(documents, list):
        raise Stopped(Check.DOCUMENT, f"Row {tree.size} carries documents that are none.")
    for document in documents:
        try:
            yield Life(document).identifier, canonical(document), tree.size
        except (KeyError, TypeError, ValueError, StopIteration, AttributeError):
            raise Stopped(Check.DOCUMENT, f"Row {tree.size} carries a document that is none.") from None


def _proved(held: kept.State) -> int:
    return 0 if held.kept is None else held.size


def _divided(frontier: bytes) -> list[bytes]:
    return [frontier[place : place + OCTETS] for place in range(0, len(frontier), OCTETS)]


def _root(written: str) -> bytes:
    try:
        root = base64.b64decode(written, validate=True)
    except (ValueError, TypeError):
        root = b""
    if len(root) != OCTETS:
        raise Stopped(Check.FORM, "The register does not say which root it has.")
    return root


def _hashes(source: Source, first: int, second: int) -> list[bytes]:
    return proved(source.get(f"/v1/proofs/consistency?from={first}&to={second}"))


def _signed(found: Register, message: bytes, root: bytes) -> str:
    try:
        return written(stated(message, found.sha256, root).at)
    except Unreadable as error:
        detail = f"The register is not signed by the authority: {error}."
        raise Stopped(Check.SIGNATURE, detail, under_root=True) from None

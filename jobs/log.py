"""log: the public log begins, rows of before get their leaves, and checkpoints are signed over what is under a head.

Rows committed, tiles durable, memory, signature, checkpoint visible: in this order. The log states nothing that anybody
waits for: where it cannot go on, an alarm says so, and everything else does.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial

from ca.signing import verified_signature
from core import note
from core.actors import AUTHORITY
from core.alarms import AlarmCode
from core.canonical import Json
from core.chain import GENESIS, commitment, link_of, log_statement, whole
from core.errors import JournalChanged, LeaseLost, SignatureWrong, StoreUnavailable, StoreWentBack
from core.facts import Fact, FactKind
from core.merkle import TILE_HEIGHT, TILE_WIDTH, Frontier, leaf_hash, peaks
from jobs.duty import Duty
from jobs.growing import Growing
from jobs.leaves import Numbered, make_leaves
from keys.log_key import LogSigner, log_signature_holds
from memory.records import Head, LogBegun, Tree
from store.reading import journal
from store.reading import log as reading
from store.reading.journal import Sealed
from store.transactions import Transaction
from store.verbs import facts, log

_MOST = 1_000
"""Rows that are dealt with in one transaction."""

SECONDS = 0.5
"""For how long one turn goes on with rows of before: whoever waits for something else waits so long."""


@dataclass(frozen=True, kw_only=True)
class Tip:
    """A tree that a checkpoint is signed for, as soon as it is remembered.

    Args:
        growing: what the process holds of the tree.
        after: what it is to hold when the checkpoint is shown.
        held: of which log.
        key: the log's.
    """

    growing: Growing
    after: Growing
    held: LogBegun
    key: LogSigner

    @cached_property
    def tree(self) -> Tree:
        """What is remembered of it."""
        return Tree(log=self.held.log, size=self.after.edge.size, root=self.after.edge.root)

    def signed(self) -> str:
        """Return the checkpoint, signed: of a tree that is remembered."""
        said = note.checkpoint_text(self.tree.log, self.tree.size, self.tree.root)
        key_id = note.key_id(self.tree.log, self.key.public_key)
        octets = self.key.sign(said.encode())
        if not log_signature_holds(self.key.public_key, said.encode(), octets):
            raise SignatureWrong(serial="a checkpoint of the log")
        signature = note.Signature(name=self.tree.log, key_id=key_id, octets=octets)
        return note.signed_note(said, [signature])

    def keep(self, tx: Transaction, signed: str, at: datetime) -> None:
        """Show the checkpoint to everybody."""
        log.keep_checkpoint(tx, size=self.tree.size, root=self.tree.root, note=signed, at=at)

    def shown(self) -> None:
        """Go on from this tree."""
        self.growing.become(self.after)
        self.growing.shown = self.tree.size


def begin_log(duty: Duty, at: datetime) -> int:
    """Begin the log, once, and again behind a restore that lost rows; the first thing that is done with it.

    If we die behind the memory, the same fact is written by the next turn: what it says is remembered.
    """
    key = duty.keyring.log
    if key is None:
        return 0
    held = duty.memory.log
    if held is None:
        duty.memory.remember([held := _next(duty, key)], now=at)
    if duty.growing.log == held.log:
        return 0
    with duty.read() as tx:
        begun = reading.has_begun(tx, held.log)
        heads = journal.heads_between(tx, held.number - 1, held.number) if held.number else []
    if not begun:
        statement = log_statement(log=held.log, key=held.key, number=held.number, digest=held.link)
        signed: dict[str, Json] = {
            "log": held.log,
            "key": held.key,
            "number": held.number,
            "link": held.link.hex(),
            "head_signature": heads[0].signature.hex() if heads else None,
            "signature": verified_signature(duty.keyring.journal, statement, "the log's beginning").hex(),
            "before": _before(duty, held),
        }
        with duty.begin("begin log") as tx:
            facts.record(tx, Fact(kind=FactKind.LOG_BEGUN, at=at, actor=AUTHORITY, subject=held.log, payload=signed))
    _started(duty, held)
    return 0 if begun else 1


def tend_log(duty: Duty, at: datetime) -> int:
    """Give rows of before their leaves, and sign the checkpoint of what is under the journal's head."""
    held, key = duty.memory.log, duty.keyring.log
    if held is None:
        return 0
    if key is None or not _is_of(key, held):
        sentence = f"The key of the log {held.log} is not at hand; nothing new is signed for it."
        duty.notice(AlarmCode.KEY_NOT_AT_HAND, sentence, subject=held.log)
        return 0
    if duty.growing.log != held.log:
        return 0
    done, until = 0, time.monotonic() + SECONDS
    while not duty.growing.whole:
        some = _leave_old(duty)
        done += some
        duty.growing.whole = not some
        if time.monotonic() >= until:
            return done
    while duty.growing.edge.size < duty.memory.head.number:
        done += _grow(duty)
        if time.monotonic() >= until:
            return done
    _sign(duty, held, key, at)
    return 0 if done < _MOST else done


def _next(duty: Duty, key: LogSigner) -> LogBegun:
    """Return what is remembered of a log that begins where the journal's head is."""
    before, head, begun = duty.memory.newest_log, duty.memory.head, duty.memory.begun
    generation = 1 if before is None else before.generation + 1
    origin = note.origin(begun.environment, begun.base_url, generation)
    return LogBegun(
        generation=generation,
        log=origin,
        key=note.vkey(origin, key.public_key),
        number=head.number,
        link=head.link,
    )


def _before(duty: Duty, held: LogBegun) -> Json:
    """Return the last checkpoint of the log before, as far as anybody here knows."""
    if held.generation == 1:
        return None
    begun = duty.memory.begun
    last = duty.memory.tree(note.origin(begun.environment, begun.base_url, held.generation - 1))
    return None if last is None else {"log": last.log, "size": last.size, "root": last.root.hex()}


def _started(duty: Duty, held: LogBegun) -> None:
    """Hold the edge of the tree that the newest checkpoint was for, as its leaves and tiles have it.

    Raises:
        JournalChanged: they are not those that it was signed over.
    """
    last = duty.memory.tree(held.log)
    size = 0 if last is None else last.size
    with duty.read() as tx:
        nodes = reading.nodes(tx)
        edge = Frontier(size, [nodes(level, place) for level, place in peaks(size)])
        if last is not None and edge.root != last.root:
            raise JournalChanged(number=size)
        rims = list[list[bytes]]()
        while size >> TILE_HEIGHT * len(rims):
            level = len(rims)
            count = size >> TILE_HEIGHT * level
            index, width = divmod(count, TILE_WIDTH)
            rims.append([nodes(TILE_HEIGHT * level, index * TILE_WIDTH + each) for each in range(width)])
        link = journal.link_of(tx, size) if size else GENESIS
        old = _last_without(tx)
    growing = duty.growing
    growing.log, growing.edge, growing.rims, growing.whole = held.log, edge, rims, not old
    growing.shown = 0
    growing.link = link or GENESIS


def _leave_old(duty: Duty) -> int:
    """Give the last rows that have no leaf one; return how many there were.

    From the last to the first: the first that is met of an approval's is the last that touches it.

    Raises:
        JournalChanged: a row does not say what its link says.
    """
    with duty.begin("leave old rows") as tx:
        last = _last_without(tx)
        if not last:
            return 0
        behind = max(0, last - _MOST)
        rows = journal.sealed_after(tx, behind, last - behind)
        digest = journal.link_of(tx, behind) if behind else GENESIS
        for number, each in enumerate(rows, start=behind + 1):
            digest = link_of(digest or GENESIS, whole(each.row))
            if (each.row.number, each.link) != (number, digest):
                raise JournalChanged(number=number)
        numbered = [Numbered(row=each.row, approvals=each.approvals) for each in rows]
        make_leaves(tx, numbered, partial(reading.touched_by_waiting, tx))
    return len(rows)


def _last_without(tx: Transaction) -> int:
    """Return the number of the last row that has no leaf, of those of before; 0 if each has one."""
    first = reading.first_leaf(tx)
    return journal.last_sealed(tx)[0] if first is None else first - 1


def tip_under(duty: Duty, head: Head, rows: Sequence[Sealed]) -> Tip | None:
    """Return the tree of all rows under a head that is about to be signed; tiles that are full with it are durable.

    It is remembered with the head and its checkpoint is shown with it: a turn does nothing more for the log.

    Args:
        duty: whose.
        head: of which row.
        rows: under it, since the head before.

    Returns:
        None where the log has to catch up, or cannot go on: `tend_log` does, or says why. No head waits for the log.
    """
    held, key, growing = duty.memory.log, duty.keyring.log, duty.growing
    if held is None or key is None or growing.log != held.log or not growing.whole or not _is_of(key, held):
        return None
    last = duty.memory.tree(held.log)
    known = 0 if last is None else last.size
    if not rows or growing.edge.size + len(rows) != head.number or known > growing.edge.size:
        return None
    try:
        after = _grown(duty, rows)
    except (StoreUnavailable, StoreWentBack, LeaseLost):
        raise
    except Exception:  # noqa: BLE001 - whatever rows may hold: `tend_log` meets the same, and is told of
        return None
    return Tip(growing=growing, after=after, held=held, key=key)


def _grow(duty: Duty) -> int:
    """Let the tree grow by rows that are under the head, and make the tiles durable that are full with them."""
    growing, head = duty.growing, duty.memory.head
    size = growing.edge.size
    most = min(_MOST, head.number - size)
    with duty.read() as tx:
        rows = journal.sealed_after(tx, size, most)
    if len(rows) < most:
        raise JournalChanged(number=size + len(rows) + 1)
    after = _grown(duty, rows)
    if after.edge.size == head.number and after.link != head.link:
        raise JournalChanged(number=head.number)
    growing.become(after)
    return len(rows)


def _grown(duty: Duty, rows: Sequence[Sealed]) -> Growing:
    """Return the tree with the next rows.

    If we die here, tiles are there of which nothing is signed: they are made again, or taken back with their rows.
    """
    after = duty.growing.copy()
    with duty.read() as tx:
        leaves = _proved(tx, after, rows)
    full = [tile for leaf in leaves for tile in after.add(leaf)]
    if full:
        with duty.begin("keep tiles") as tx:
            log.keep_tiles(tx, full)
    return after


def _proved(tx: Transaction, growing: Growing, rows: Sequence[Sealed]) -> Sequence[bytes]:
    """Return the leaves of the next rows, computed from what they say; the link goes on with them."""
    size, found = growing.edge.size, list[bytes]()
    leaves = {each.number: each for each in reading.leaves_after(tx, size, len(rows), size + len(rows))}
    for number, row in enumerate(rows, start=size + 1):
        leaf = leaves.get(number)
        if leaf is None or row.row.number != number:
            raise JournalChanged(number=number)
        octets = whole(row.row)
        growing.link = link_of(growing.link, octets)
        if row.link != growing.link or leaf.commitment != commitment(leaf.salt, octets):
            raise JournalChanged(number=number)
        if leaf.leaf != leaf_hash(leaf.data):
            raise JournalChanged(number=number)
        found.append(leaf.leaf)
    return found


def _sign(duty: Duty, held: LogBegun, key: LogSigner, at: datetime) -> None:
    """Sign the checkpoint of the tree as it is, unless that is there."""
    tip = Tip(growing=duty.growing, after=duty.growing, held=held, key=key)
    if tip.tree.size in (0, duty.growing.shown) or _is_shown(duty, tip):
        return
    # Before the signature: if we die behind it, this tree is signed again, and no other one of its size, or smaller.
    duty.memory.remember([tip.tree], now=at)
    signed = tip.signed()
    # If we die here, it never left the process; the next turn signs the same.
    with duty.begin("keep checkpoint") as tx:
        tip.keep(tx, signed, at)
    tip.shown()


def _is_shown(duty: Duty, tip: Tip) -> bool:
    """Return whether the register has the checkpoint as it was signed: another process of ours may have shown it."""
    if duty.memory.tree(tip.held.log) != tip.tree:
        return False
    with duty.read() as tx:
        there = reading.checkpoint_of(tx, tip.tree.size)
    if there is None or (there.root, there.note) != (tip.tree.root, tip.signed()):
        return False
    tip.shown()
    return True


def _is_of(key: LogSigner, held: LogBegun) -> bool:
    return note.vkey(held.log, key.public_key) == held.key

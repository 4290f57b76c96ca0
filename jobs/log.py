"""log: the public log begins, rows of before get their leaves, and checkpoints are signed over what is under a head.

Rows committed, tiles durable, memory, signature, checkpoint visible: in this order. The log states nothing that anybody
waits for: where it cannot go on, an alarm says so, and everything else does.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from core import note
from core.actors import AUTHORITY
from core.alarms import AlarmCode
from core.canonical import Json
from core.chain import GENESIS, commitment, link_of, log_statement, whole
from core.errors import JournalChanged
from core.facts import Fact, FactKind
from core.merkle import TILE_HEIGHT, TILE_WIDTH, Frontier, leaf_hash, peaks
from jobs.duty import Duty
from jobs.growing import Growing
from jobs.leaves import Numbered, make_leaves
from keys.log_key import LogKey
from memory.records import LogBegun, Tree
from store.reading import journal
from store.reading import log as reading
from store.transactions import Transaction
from store.verbs import facts, log

_MOST = 1_000
"""Rows that are dealt with in one transaction."""

SECONDS = 0.5
"""For how long one turn goes on with rows of before: whoever waits for something else waits so long."""


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
            "signature": duty.keyring.journal.sign(statement).hex(),
            "before": _before(duty, held),
        }
        with duty.begin("begin log") as tx:
            facts.record(tx, Fact(kind=FactKind.LOG_BEGUN, at=at, actor=AUTHORITY, subject=held.log, payload=signed))
    _started(duty, held)
    return 0 if begun else 1


def tend_log(duty: Duty, at: datetime) -> int:
    """Give rows of before their leaves, and sign the checkpoint of what is under the journal's head."""
    held, key = duty.memory.log, duty.keyring.log
    if held is None or key is None or duty.growing.log != held.log:
        return 0
    if note.vkey(held.log, key.public_key) != held.key:
        sentence = f"The key of the log {held.log} is not at hand; nothing new is signed for it."
        duty.notice(AlarmCode.KEY_NOT_AT_HAND, sentence, subject=held.log)
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


def _next(duty: Duty, key: LogKey) -> LogBegun:
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
    growing = duty.growing
    growing.log, growing.edge, growing.rims, growing.whole = held.log, edge, rims, False
    growing.shown = 0
    growing.link = link or GENESIS


def _leave_old(duty: Duty) -> int:
    """Give the last rows that have no leaf one; return how many there were.

    From the last to the first: the first that is met of an approval's is the last that touches it.

    Raises:
        JournalChanged: a row does not say what its link says.
    """
    with duty.begin("leave old rows") as tx:
        first = reading.first_leaf(tx)
        last = journal.last_sealed(tx)[0] if first is None else first - 1
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


def _grow(duty: Duty) -> int:
    """Let the tree grow by rows that are under the head, and make the tiles durable that are full with them.

    If we die here, tiles are there of which nothing is signed: they are made again, or taken back with their rows.

    Raises:
        JournalChanged: a row, or its leaf, is not what was sealed.
    """
    growing, head = duty.growing, duty.memory.head
    size = growing.edge.size
    most = min(_MOST, head.number - size)
    with duty.read() as tx:
        leaves = _proved(tx, growing, most)
    after = Growing(
        log=growing.log,
        edge=growing.edge.copy(),
        link=leaves[-1][1],
        rims=[list(each) for each in growing.rims],
        whole=True,
        shown=growing.shown,
    )
    full = [tile for leaf, _ in leaves for tile in after.add(leaf)]
    if after.edge.size == head.number and after.link != head.link:
        raise JournalChanged(number=head.number)
    if full:
        with duty.begin("keep tiles") as tx:
            log.keep_tiles(tx, full)
    growing.edge, growing.link, growing.rims = after.edge, after.link, after.rims
    return len(leaves)


def _proved(tx: Transaction, growing: Growing, most: int) -> Sequence[tuple[bytes, bytes]]:
    """Return leaf and link of the next rows, computed from what they say."""
    size, link, found = growing.edge.size, growing.link, list[tuple[bytes, bytes]]()
    rows = journal.sealed_after(tx, size, most)
    leaves = {each.number: each for each in reading.leaves_after(tx, size, most, size + most)}
    for number in range(size + 1, size + most + 1):
        row = rows[number - size - 1] if number - size <= len(rows) else None
        leaf = leaves.get(number)
        if row is None or leaf is None or row.row.number != number:
            raise JournalChanged(number=number)
        octets = whole(row.row)
        link = link_of(link, octets)
        if row.link != link or leaf.commitment != commitment(leaf.salt, octets):
            raise JournalChanged(number=number)
        if leaf.leaf != leaf_hash(leaf.data):
            raise JournalChanged(number=number)
        found.append((leaf.leaf, link))
    return found


def _sign(duty: Duty, held: LogBegun, key: LogKey, at: datetime) -> None:
    """Sign the checkpoint of the tree as it is, unless that is there."""
    size, root = duty.growing.edge.size, duty.growing.edge.root
    if size == duty.growing.shown:
        return
    text = note.checkpoint_text(held.log, size, root)
    # Before the signature: if we die behind it, this tree is signed again, and no other one of its size, or smaller.
    duty.memory.remember([Tree(log=held.log, size=size, root=root)], now=at)
    signature = note.Signature(
        name=held.log, key_id=note.key_id(held.log, key.public_key), octets=key.sign(text.encode())
    )
    # If we die here, it never left the process; the next turn signs the same.
    with duty.begin("keep checkpoint") as tx:
        log.keep_checkpoint(tx, size=size, root=root, note=note.signed_note(text, [signature]), at=at)
    duty.growing.shown = size

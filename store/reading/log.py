"""The public log as it is read: checkpoints, leaves, tiles, proofs, and the documents that rows carry."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from itertools import count
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    Row,
    Text,
    bindparam,
    func,
    literal,
    select,
    type_coerce,
    union_all,
)

from core.canonical import read_json
from core.facts import FactKind
from core.identifiers import Environment
from core.instants import text
from core.merkle import HASH_OCTETS, TILE_HEIGHT, TILE_WIDTH, Nodes, levels_of
from core.note import origin
from core.public_record import leaf_data, public_part
from store.log_tables import checkpoints, log_documents, log_leaves, log_tiles
from store.portions import portions
from store.tables import journal, waits_to_be_sealed
from store.transactions import Transaction

_PAGE = 1_000
"""Approvals that are read at a time."""

DOCUMENTS = 1_000
"""Of approvals, that are read together at most but for those of one row, which is never divided: some 2 MB."""

_LEVELS = 4
"""Of tiles, that are read together for a proof; a log of four thousand million rows has no more."""

_APART = 48
"""Bits of a place; those above say of what, in what is read together."""

_shared = lru_cache(maxsize=512)(levels_of)
"""Of tiles above the leaves, and of those at the edge: nearly all proofs share them, and 30,000,000 rows have no more.
It follows from the octets alone, so that what is changed in the store is seen; 12 megabytes of them, with theirs."""
_L, _D, _T = log_leaves.c, log_documents.c, log_tiles.c


def _bound(name: str, level: int) -> BindParameter[int]:
    return bindparam(f"{name}{level}", type_=BigInteger())


def _place(place: ColumnElement[int], kind: int) -> ColumnElement[int]:
    # A column less, and read as it stands: there are hundreds of them.
    return type_coerce(place + literal(kind << _APART, BigInteger()), BigInteger())


_NUMBER, _UPTO = bindparam("number", type_=BigInteger()), bindparam("upto", type_=BigInteger())
_MOST = bindparam("most", type_=Integer())
_NAMED = bindparam("named", expanding=True, type_=Text())
_CHECKPOINT = select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)
_CHECKPOINT_OF = select(checkpoints).where(checkpoints.c.size == _NUMBER)
_CHECKPOINTS = (
    select(checkpoints).where(checkpoints.c.size > _NUMBER, checkpoints.c.size <= _UPTO).order_by(checkpoints.c.size)
)
_LEAVES = (
    select(_L.number, _L.salt, _L.commitment, _L.leaf, journal.c.sealed_at)
    .join(journal, journal.c.seal_number == _L.number)
    .where(_L.number > _NUMBER, _L.number <= _UPTO)
    .order_by(_L.number)
    .limit(_MOST)
)
_HASHES = select(_L.leaf).where(_L.number > _NUMBER, _L.number <= _UPTO).order_by(_L.number)
_FIRST = select(func.min(_L.number))
_CARRIED = (
    select(_D.number, _D.document).where(_D.number > _NUMBER, _D.number <= _UPTO).order_by(_D.number, _D.approval)
)
_NEWEST_OF = (
    select(_D.approval, func.max(_D.number).label("number")).where(_D.approval.in_(_NAMED)).group_by(_D.approval)
).subquery()
_PLACES = select(_D.number).where(_D.number > _NUMBER, _D.number <= _UPTO).order_by(_D.number).limit(_MOST)
_LAST_CARRIED = select(_D.approval, _D.number, _D.document).join(
    _NEWEST_OF, (_NEWEST_OF.c.approval == _D.approval) & (_NEWEST_OF.c.number == _D.number)
)
_AFTER = bindparam("after", type_=Text())
_UP_TO = (
    select(_D.approval, func.max(_D.number).label("number"))
    .where(_D.approval > _AFTER, _D.number <= _UPTO)
    .group_by(_D.approval)
    .order_by(_D.approval)
    .limit(_MOST)
).subquery()
_DOCUMENTS = (
    select(_D.approval, _D.document)
    .join(_UP_TO, (_UP_TO.c.approval == _D.approval) & (_UP_TO.c.number == _D.number))
    .order_by(_D.approval)
)
_CARRIER = select(func.max(_D.number)).where(_D.approval == bindparam("approval", type_=Text()), _D.number <= _UPTO)
_SALTS = select(_L.number, _L.salt).where(_L.number.in_(bindparam("numbers", expanding=True, type_=BigInteger())))
_LEVEL, _PLACE = bindparam("level", type_=BigInteger()), bindparam("place", type_=BigInteger())
_TILE = select(_T.octets).where(_T.level == _LEVEL, _T.place == _PLACE)
_ROOTS = select(_T.root).where(_T.level == _LEVEL, _T.place >= _NUMBER, _T.place < _UPTO).order_by(_T.place)
_TOGETHER = union_all(
    *(
        select(_place(_T.place, level), _T.octets).where(
            _T.level == level, _T.place.in_([_bound("path", level), _bound("edge", level)])
        )
        for level in range(_LEVELS)
    ),
    select(_place(_L.number, _LEVELS), _L.leaf).where(_L.number > _bound("first", 0), _L.number <= _bound("end", 0)),
    *(
        select(_place(_T.place + 1, _LEVELS + level), _T.root).where(
            _T.level == level - 1, _T.place >= _bound("first", level), _T.place < _bound("end", level)
        )
        for level in range(1, _LEVELS)
    ),
)
"""Full tiles, by level; and of those at the edge the hashes, each by how many of its kind there are with it."""
_WAIT_ALONE = select(journal.c.approvals).where(waits_to_be_sealed, journal.c.approvals.in_(_NAMED))
_WAIT_TOGETHER = select(journal.c.approvals).where(waits_to_be_sealed, journal.c.approvals.like("% _% _% %"))
_BEGUN = select(journal.c.id).where(journal.c.subject == bindparam("log"), journal.c.kind == FactKind.LOG_BEGUN)
_KEY = (
    select(journal.c.payload)
    .where(journal.c.subject == bindparam("log"), journal.c.kind == FactKind.LOG_BEGUN, journal.c.refused.is_(None))
    .order_by(journal.c.id.desc())
    .limit(1)
)

_BEGUN_LAST = (
    select(journal.c.payload).where(journal.c.kind == FactKind.LOG_BEGUN).order_by(journal.c.id.desc()).limit(1)
)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A checkpoint that is signed.

    Args:
        size: leaves of the tree: rows of the journal.
        root: of the tree.
        note: as it is handed out.
        signed_at: when.
    """

    size: int
    root: bytes
    note: str
    signed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A row of the journal as the log has it.

    Args:
        number: of the row.
        sealed_at: when, RFC 3339 text.
        public: what it carries, in the canonical form.
        salt: for those who may read the row.
        commitment: over salt and row.
        leaf: its hash.
    """

    number: int
    sealed_at: str
    public: str
    salt: bytes
    commitment: bytes
    leaf: bytes

    @property
    def data(self) -> bytes:
        """What the hash is of, in the canonical form."""
        return leaf_data(
            number=self.number, sealed_at=self.sealed_at, public=self.public, commitment=self.commitment.hex()
        )


def checkpoint(tx: Transaction) -> Checkpoint | None:
    """Return the newest checkpoint; None before the first."""
    return _checkpoint(tx.connection.execute(_CHECKPOINT).one_or_none())


def checkpoint_of(tx: Transaction, size: int) -> Checkpoint | None:
    """Return the checkpoint of a size; None if there is none."""
    return _checkpoint(tx.connection.execute(_CHECKPOINT_OF, {"number": size}).one_or_none())


def checkpoints_between(tx: Transaction, after: int, upto: int) -> list[Checkpoint]:
    """Return the checkpoints that cover more rows than `after`, and at most `upto`, in order."""
    found = map(_checkpoint, tx.connection.execute(_CHECKPOINTS, {"number": after, "upto": upto}))
    return [each for each in found if each is not None]


def leaves_after(tx: Transaction, after: int, limit: int, upto: int) -> list[Leaf]:
    """Return the leaves of rows behind a number, in order.

    Args:
        tx: open.
        after: the row behind which they are.
        limit: the most.
        upto: the last row that may be among them.
    """
    last = min(upto, after + limit)
    public = _public(tx, after, last)
    rows = tx.connection.execute(_LEAVES, {"number": after, "upto": last, "most": limit})
    return [
        Leaf(
            number=int(row.number),
            sealed_at=text(row.sealed_at),
            public=public_part(public.get(row.number, ())),
            salt=bytes(row.salt),
            commitment=bytes(row.commitment),
            leaf=bytes(row.leaf),
        )
        for row in rows
    ]


def leaves_within(tx: Transaction, after: int, limit: int, upto: int, octets: int) -> list[Leaf]:
    """Return leaves of rows behind a number, in order, as `leaves_after` does, but no more than fit; one at least.

    Args:
        tx: open.
        after: the row behind which they are.
        limit: the most.
        upto: the last row that may be among them.
        octets: that their public parts may have together; a row that has more stands alone.
    """
    asked = {"number": after, "upto": min(upto, after + limit), "most": DOCUMENTS + 1}
    carriers = tx.connection.execute(_PLACES, asked).scalars().all()
    if len(carriers) > DOCUMENTS:
        upto = max(after + 1, int(carriers[-1]) - 1)
    found, held = list[Leaf](), 0
    for each in leaves_after(tx, after, limit, upto):
        held += len(each.public)
        if found and held > octets:
            break
        found.append(each)
    return found


def first_leaf(tx: Transaction) -> int | None:
    """Return the number of the first row that has a leaf; None if none has."""
    found = tx.connection.execute(_FIRST).scalar()
    return None if found is None else int(found)


def tile(tx: Transaction, level: int, index: int, width: int = TILE_WIDTH) -> bytes | None:
    """Return a tile (C2SP tlog-tiles), of which the log may have more by now.

    Args:
        tx: open.
        level: of the tile; 0 for one of leaves.
        index: its place among those of its level.
        width: how many hashes of it, at most TILE_WIDTH.

    Returns:
        So many hashes; None if there are fewer.
    """
    octets = _tile(tx, level, index, width)[: width * HASH_OCTETS]
    return octets if len(octets) == width * HASH_OCTETS else None


def _tile(tx: Transaction, level: int, index: int, width: int = TILE_WIDTH) -> bytes:
    """Return a tile that is full, or as much as there is of it, up to a width."""
    octets = tx.connection.execute(_TILE, {"level": level, "place": index}).scalar()
    if octets is not None:
        return bytes(octets)
    first = index * TILE_WIDTH
    between = {"number": first, "upto": first + width}
    below = (_ROOTS, {"level": level - 1, **between}) if level else (_HASHES, between)
    return b"".join(tx.connection.execute(*below).scalars())


def entries(tx: Transaction, index: int, width: int = TILE_WIDTH) -> list[bytes] | None:
    """Return the data of the leaves of a tile of level 0; None if there are fewer."""
    first = index * TILE_WIDTH
    found = [each.data for each in leaves_after(tx, first, width, first + width)]
    return found if len(found) == width else None


def nodes(tx: Transaction) -> Nodes:
    """Return the source of nodes for proofs and roots: of whole subtrees, all of whose leaves there are."""
    return _nodes(partial(_tile, tx))


def nodes_to(tx: Transaction, index: int, size: int) -> Nodes:
    """Return the same for proofs about one leaf, with what they need read in one statement.

    Args:
        tx: open.
        index: of the leaf that is proved, or that is the last of an earlier tree.
        size: of the tree in which that is.
    """
    edges = [divmod(size >> TILE_HEIGHT * level, TILE_WIDTH) for level in range(_LEVELS)]
    asked = dict[str, int]()
    for level, (edge, width) in enumerate(edges):
        first, path = edge * TILE_WIDTH, index >> TILE_HEIGHT * (level + 1)
        asked |= {f"path{level}": path, f"edge{level}": edge, f"first{level}": first, f"end{level}": first + width}
    read = dict[int, bytes]()
    for place, octets in tx.connection.execute(_TOGETHER, asked).all():
        read[place] = octets
    for level, (edge, width) in enumerate(edges):
        first = (_LEVELS + level << _APART) + edge * TILE_WIDTH + 1
        hashes = [each for each in map(read.get, range(first, first + width)) if each is not None]
        if 0 < len(hashes) == width:  # else it is looked for by itself; a tile that is full by now is the same
            read.setdefault((level << _APART) + edge, b"".join(hashes))

    def held(level: int, index: int) -> bytes:
        octets = read.get((level << _APART) + index)
        return _tile(tx, level, index) if octets is None else octets

    return _nodes(held)


def _nodes(octets: Callable[[int, int], bytes]) -> Nodes:
    """Return a source of nodes.

    Args:
        octets: of a tile by level and place; as many as there are.
    """

    @lru_cache(maxsize=64)
    def held(level: int, index: int) -> Sequence[bytes]:
        found = octets(level, index)
        return levels_of(found) if not level and len(found) == TILE_WIDTH * HASH_OCTETS else _shared(found)

    def node(level: int, place: int) -> bytes:
        of_tile, inside = divmod(level, TILE_HEIGHT)
        index, begin = divmod(place, TILE_WIDTH >> inside)
        for hashes in held(of_tile, index)[inside : inside + 1]:
            found = hashes[begin * HASH_OCTETS : (begin + 1) * HASH_OCTETS]
            if len(found) == HASH_OCTETS:
                return found
        raise LookupError("the log has no such node")

    return node


def last_carried(tx: Transaction, approvals: Collection[str]) -> dict[str, tuple[int, str]]:
    """Return the document that the log carried last of some approvals, each with the row that did."""
    return {
        row.approval: (int(row.number), row.document)
        for some in portions(sorted(approvals))
        for row in tx.connection.execute(_LAST_CARRIED, {"named": some})
    }


def carrier(tx: Transaction, approval: str, upto: int) -> int | None:
    """Return the row, up to one, that carried the document of an approval last; None if none has."""
    found = tx.connection.execute(_CARRIER, {"approval": approval, "upto": upto}).scalar()
    return None if found is None else int(found)


def documents(tx: Transaction, upto: int) -> Iterator[tuple[str, str]]:
    """Give each approval with the document that the log carried last of it up to a row, by identifier."""
    after, page = "", [("", "")] * _PAGE
    while len(page) == _PAGE:
        page = documents_after(tx, after, upto)
        yield from page
        after = page[-1][0] if page else after


def documents_after(tx: Transaction, after: str, upto: int) -> list[tuple[str, str]]:
    """Return a page of what `documents` gives; one that is not full is the last.

    Args:
        tx: open.
        after: the identifier behind which it begins; empty for the first page.
        upto: the last row that counts.
    """
    rows = tx.connection.execute(_DOCUMENTS, {"after": after, "upto": upto, "most": _PAGE})
    return [(row.approval, row.document) for row in rows]


def salts(tx: Transaction, numbers: Sequence[int]) -> dict[int, bytes]:
    """Return the salts of rows by number, for those who may read the rows."""
    return {
        int(row.number): bytes(row.salt)
        for some in portions(numbers)
        for row in tx.connection.execute(_SALTS, {"numbers": some})
    }


def touched_by_waiting(tx: Transaction, approvals: Collection[str]) -> set[str]:
    """Return those of some approvals that a fact touches which still waits for its number."""
    alone = {f" {each} ": each for each in approvals}
    found = {
        alone[each]
        for some in portions(list(alone))
        for each in tx.connection.execute(_WAIT_ALONE, {"named": some}).scalars()
    }
    together = tx.connection.execute(_WAIT_TOGETHER).scalars()
    return found | {each for row in together for each in row.split() if f" {each} " in alone}


def begun_said(tx: Transaction) -> str | None:
    """Return what the journal says of the log that began last, canonical JSON; None where there is none."""
    row = tx.connection.execute(_BEGUN_LAST).first()
    return None if row is None else str(row.payload)


def has_begun(tx: Transaction, log: str) -> bool:
    """Return whether the journal has, sealed or not, the fact that a log begins, by its origin."""
    return tx.connection.execute(_BEGUN, {"log": log}).first() is not None


def key(tx: Transaction, environment: Environment, base_url: str) -> tuple[str, str] | None:
    """Return name and verifier's key of the newest log (C2SP signed-note), as the journal says them; None before any.

    Args:
        tx: open.
        environment: of the authority.
        base_url: of its profile.
    """
    found = None
    for generation in count(1):  # one more for each restore that lost rows: there are few
        name = origin(environment, base_url, generation)
        payload = tx.connection.execute(_KEY, {"log": name}).scalar()
        if payload is None:
            break
        found = name, str(read_json(payload)["key"])
    return found


def _public(tx: Transaction, after: int, upto: int) -> Mapping[int, Sequence[str]]:
    """Return the documents that rows carry, by row, each row's by identifier."""
    found = defaultdict[int, list[str]](list)
    for row in tx.connection.execute(_CARRIED, {"number": after, "upto": upto}):
        found[row.number].append(row.document)
    return found


def _checkpoint(row: Row[Any] | None) -> Checkpoint | None:
    if row is None:
        return None
    return Checkpoint(size=int(row.size), root=bytes(row.root), note=row.note, signed_at=row.signed_at)

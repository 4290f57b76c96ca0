"""The public log: the leaves of sealed rows, what they carry, full tiles, and signed checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Integer, bindparam, delete, insert, select, update

from core.instants import parse
from store.log_tables import checkpoints, log_documents, log_leaves, log_tiles, registers
from store.reading.register import SignedRegister
from store.transactions import Transaction

_BEHIND = bindparam("behind", type_=BigInteger())
_LEAVES_BEHIND = delete(log_leaves).where(log_leaves.c.number > _BEHIND)
_DOCUMENTS_BEHIND = delete(log_documents).where(log_documents.c.number > _BEHIND)
_TILES_BEHIND = delete(log_tiles).where(
    log_tiles.c.level == bindparam("of_level"), log_tiles.c.place >= bindparam("whole", type_=BigInteger())
)
_TILE = insert(log_tiles)
_TILE_AWAY = delete(log_tiles).where(
    log_tiles.c.level == bindparam("of_level"), log_tiles.c.place == bindparam("of_place", type_=BigInteger())
)
_CHECKPOINT = insert(checkpoints)
_CHECKPOINT_INSTEAD = (
    update(checkpoints)
    .where(checkpoints.c.size == bindparam("of_size", type_=BigInteger()))
    .values(root=bindparam("as_root"), note=bindparam("as_note"), signed_at=bindparam("at"))
)

_REGISTER = insert(registers)
_REGISTER_AWAY = delete(registers).where(registers.c.size == bindparam("of_size", type_=BigInteger()))
_REGISTERS_BEHIND = delete(registers).where(registers.c.size > _BEHIND)
_REGISTERS_BEFORE = (
    select(registers.c.size).order_by(registers.c.size.desc()).offset(bindparam("kept", type_=Integer())).limit(1)
)
_OLD_REGISTERS = delete(registers).where(registers.c.size <= bindparam("last", type_=BigInteger()))

_TILE_HEIGHT, _LEVELS = 8, 8
"""Of the tree in one tile, and of tiles above each other in the largest tree."""


@dataclass(frozen=True, kw_only=True)
class NewLeaf:
    """A leaf to be kept; see store/log_tables.py."""

    number: int
    salt: bytes
    commitment: bytes
    leaf: bytes


@dataclass(frozen=True, kw_only=True)
class Carried:
    """The document of an approval, and the row that carries it."""

    approval: str
    number: int
    document: str


@dataclass(frozen=True, kw_only=True)
class FullTile:
    """A tile that is full; `root` is what stands for it in the tile above."""

    level: int
    place: int
    octets: bytes
    root: bytes


def keep_leaves(tx: Transaction, leaves: Sequence[NewLeaf], carried: Sequence[Carried]) -> None:
    """Keep the leaves of rows, and what they carry: in the transaction that seals them, but for rows of before."""
    rows = [
        {"number": each.number, "salt": each.salt, "commitment": each.commitment, "leaf": each.leaf} for each in leaves
    ]
    tx.connection.execute(insert(log_leaves), rows)
    if carried:
        said = [{"approval": each.approval, "number": each.number, "document": each.document} for each in carried]
        tx.connection.execute(insert(log_documents), said)


def take_back_leaves(tx: Transaction, *, behind: int) -> None:
    """Forget the leaves of rows behind a number, over which nothing was signed, with all that rests upon them."""
    tx.connection.execute(_LEAVES_BEHIND, {"behind": behind})
    tx.connection.execute(_DOCUMENTS_BEHIND, {"behind": behind})
    whole = [{"of_level": level, "whole": behind >> _TILE_HEIGHT * (level + 1)} for level in range(_LEVELS)]
    tx.connection.execute(_TILES_BEHIND, whole)


def keep_tiles(tx: Transaction, tiles: Sequence[FullTile]) -> None:
    """Keep full tiles, each in the place of one of which nothing was signed, if there is one."""
    tx.connection.execute(_TILE_AWAY, [{"of_level": each.level, "of_place": each.place} for each in tiles])
    rows = [{"level": each.level, "place": each.place, "octets": each.octets, "root": each.root} for each in tiles]
    tx.connection.execute(_TILE, rows)


KEPT_REGISTERS = 60
"""Signatures of the register that are kept: whoever has fetched one finds its signature for an hour at least, if one is
signed each minute."""


def forget_registers(tx: Transaction, behind: int) -> int:
    """Take out what stands behind a size and was never signed; return how many rows that were."""
    return int(tx.connection.execute(_REGISTERS_BEHIND, {"behind": behind}).rowcount)


def keep_register(tx: Transaction, signed: SignedRegister) -> None:
    """Keep what was signed of a register, in the place of another one of its size; the oldest of many go."""
    moment = signed.moment
    tx.connection.execute(_REGISTER_AWAY, {"of_size": moment.size})
    row = {
        "size": moment.size,
        "log": moment.log,
        "root": moment.root,
        "at": parse(moment.at),
        "sha256": signed.sha256,
        "signature": signed.signature,
        "signer": signed.signer,
        "signed_at": signed.signed_at,
    }
    tx.connection.execute(_REGISTER, row)
    last = tx.connection.execute(_REGISTERS_BEFORE, {"kept": KEPT_REGISTERS}).scalar()
    if last is not None:
        tx.connection.execute(_OLD_REGISTERS, {"last": last})


def keep_checkpoint(tx: Transaction, *, size: int, root: bytes, note: str, at: datetime) -> None:
    """Keep a signed checkpoint, in the place of another one of this size: of a log that a restore has ended."""
    instead = {"of_size": size, "as_root": root, "as_note": note, "at": at}
    if not tx.connection.execute(_CHECKPOINT_INSTEAD, instead).rowcount:
        tx.connection.execute(_CHECKPOINT, {"size": size, "root": root, "note": note, "signed_at": at})

"""inclusion: that a row is in the public log, with everything that whoever doubts it needs but the log's key."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from core.errors import LogDamaged, LogEmpty, NoSuchThing
from core.merkle import inclusion_proof
from ra.auditing.views import InclusionAnswer
from store.reading import log as reading
from store.transactions import Transaction


@contextmanager
def undamaged() -> Iterator[None]:
    """Read rows of the log; LogDamaged where they are none, whoever wrote them."""
    try:
        yield
    except (LookupError, ValueError, OverflowError) as error:
        raise LogDamaged from error


def newest(tx: Transaction) -> reading.Checkpoint:
    """Return the newest checkpoint; LogEmpty before the first."""
    found = reading.checkpoint(tx)
    if found is None:
        raise LogEmpty
    return found


def inclusion(tx: Transaction, row: int, size: int | None = None) -> InclusionAnswer:
    """Prove that a row is in a tree.

    Args:
        tx: open.
        row: its number.
        size: of the tree; None is that of the newest checkpoint.

    Raises:
        NoSuchThing: that tree has no such row, or no checkpoint covers so many.
        LogEmpty: before the first checkpoint.
        LogDamaged: rows of the log are not there, or not what they have to be.
    """
    last = newest(tx).size
    size = size or last
    if not row <= size <= last:
        raise NoSuchThing(kind="row of the log", identifier=row)
    with undamaged():
        (leaf,) = reading.leaves_after(tx, row - 1, 1, row)
        hashes = inclusion_proof(reading.nodes_to(tx, row - 1, size), row - 1, size)
    signed = reading.checkpoint_of(tx, size)
    return InclusionAnswer(
        row=row,
        size=size,
        leaf_data=leaf.data.decode(),
        hashes=base64_of(hashes),
        checkpoint=None if signed is None else signed.note,
    )


def inclusion_of(tx: Transaction, approval: str, size: int | None = None) -> InclusionAnswer:
    """Prove what the log said last of an approval: as `inclusion`, of the row that carries it."""
    row = reading.carrier(tx, approval, size or newest(tx).size)
    if row is None:
        raise NoSuchThing(kind="approval in the log", identifier=approval)
    return inclusion(tx, row, size)


def base64_of(hashes: Sequence[bytes]) -> tuple[str, ...]:
    """Return hashes as they are written in JSON."""
    return tuple(base64.b64encode(each).decode("ascii") for each in hashes)

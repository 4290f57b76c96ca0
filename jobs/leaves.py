"""leaves: each sealed row has a leaf in the public log, salted, and the last row that touches an approval carries it.

A leaf is made in the transaction that gives the row its number, and is taken back with it. What a row carries is what
is public of an approval as the register has it then (core/public_record.py), if the log has not said that already and
no fact that touches it still waits: so what all rows say, the last one of each approval, is the public register.
"""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from core.canonical import canonical
from core.chain import SALT_OCTETS, SealedRow, commitment, whole
from core.errors import TrialCpaError
from core.instants import from_seconds
from core.merkle import leaf_hash
from core.public_record import document, leaf_data, public_part
from store.reading import approvals as approval_reading
from store.reading import log as reading
from store.reading.status import disputed
from store.transactions import Transaction
from store.verbs import log
from store.verbs.log import Carried, NewLeaf

StillWaiting: TypeAlias = Callable[[Collection[str]], Collection[str]]
"""Tells which of some approvals a fact touches that still waits to be sealed."""


@dataclass(frozen=True, kw_only=True)
class Numbered:
    """A row that has its number.

    Args:
        row: it, whole.
        approvals: that it touches.
    """

    row: SealedRow
    approvals: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Made:
    """Leaves that were made.

    Args:
        leaves: the hash of each, by the number of its row.
        unsayable: approvals of which the register says what nobody can say in public: somebody has written rows.
    """

    leaves: Mapping[int, bytes]
    unsayable: tuple[str, ...]


def make_leaves(tx: Transaction, rows: Sequence[Numbered], waiting: StillWaiting) -> Made:
    """Make the leaves of rows that have none, and keep them with what they carry.

    Args:
        tx: in which they got their numbers, but for rows of before there were leaves.
        rows: in order.
        waiting: see there.
    """
    carried, unsayable = _carried(tx, rows, waiting)
    salts = secrets.token_bytes(SALT_OCTETS * len(rows))
    made, saying = list[NewLeaf](), list[Carried]()
    for place, each in enumerate(rows):
        salt, row = salts[place * SALT_OCTETS :][:SALT_OCTETS], each.row
        said = carried.get(row.number, ())
        hidden = commitment(salt, whole(row))
        leaf = leaf_of(row, [one.document for one in said], hidden)
        made.append(NewLeaf(number=row.number, salt=salt, commitment=hidden, leaf=leaf))
        saying += said
    log.keep_leaves(tx, made, saying)
    return Made(leaves={each.number: each.leaf for each in made}, unsayable=unsayable)


def leaf_of(row: SealedRow, documents: Sequence[str], hidden: bytes) -> bytes:
    """Return the hash of a row's leaf.

    Args:
        row: the row.
        documents: that it carries, in the canonical form, by identifier.
        hidden: the commitment to it.
    """
    public = public_part(documents)
    return leaf_hash(leaf_data(number=row.number, sealed_at=row.sealed_at, public=public, commitment=hidden.hex()))


def _carried(
    tx: Transaction, rows: Sequence[Numbered], waiting: StillWaiting
) -> tuple[Mapping[int, Sequence[Carried]], tuple[str, ...]]:
    """Return what rows carry, by their numbers, and the approvals that nobody can say anything of."""
    last = {approval: each.row.number for each in rows for approval in each.approvals}
    if not last:
        return {}, ()
    named = sorted(last.keys() - set(waiting(last.keys())))
    before, doubted = reading.last_carried(tx, named), disputed(tx, named)
    found = dict[int, list[Carried]]()
    said, unsayable = _said(tx, named, doubted)
    for approval, text in said.items():
        number, (known, same) = last[approval], before.get(approval, (0, ""))
        # A row of before there were leaves comes after those that have said something newer.
        if known < number and same != text:
            found.setdefault(number, []).append(Carried(approval=approval, number=number, document=text))
    return found, unsayable


def _said(
    tx: Transaction, named: Sequence[str], doubted: Mapping[str, Sequence[int]]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the documents of approvals, by identifier in order; those that there are, and can be said."""
    try:
        records = approval_reading.records(tx, named)
        said = {
            each.identifier: canonical(
                document(each, [from_seconds(at) for at in doubted.get(each.identifier, ())])
            ).decode()
            for each in records
        }
    except (TrialCpaError, ValueError, TypeError, KeyError):
        # One row that somebody has written by hand must not keep the others from being sealed.
        if len(named) == 1:
            return {}, tuple(named)
        each_alone = [_said(tx, [one], doubted) for one in named]
        return (
            {name: text for said, _ in each_alone for name, text in said.items()},
            tuple(name for _, unsayable in each_alone for name in unsayable),
        )
    return said, ()

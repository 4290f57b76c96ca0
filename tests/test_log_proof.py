"""What the look at a public log in a backup takes, and names: one tree, the journal's rows, the log's key."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import delete, update

from core import note
from jobs.log_proof import prove_log
from store.log_tables import checkpoints, log_documents, log_leaves
from store.reading.authority import authority_row
from store.tables import journal
from store.transactions import Transaction
from tests.test_log import ORIGIN, newest, with_log, without_leaves
from tests.world import NOW, World, keyring


@pytest.fixture
def logged(world: World) -> World:
    with_log(world).settle()
    world.granted()
    return world


def test_the_log_of_an_authority_is_proved(logged: World) -> None:
    held, size = logged.memory.log, newest(logged).size
    assert held is not None
    with logged.store.read() as tx:
        proved = prove_log(tx, authority_row(tx).journal_key)
    assert (proved.keys, proved.key, proved.leaves) == ({ORIGIN: held.key}, held.key, size)
    assert proved.checkpoints > 1


def test_an_authority_of_before_has_no_log_to_prove(world: World) -> None:
    world.granted()
    without_leaves(world)
    with world.store.read() as tx:
        proved = prove_log(tx, authority_row(tx).journal_key)
    assert (proved.keys, proved.key, proved.leaves, proved.checkpoints) == ({}, None, 0, 0)


def _note(change: Callable[[str], str]) -> Callable[[Transaction, int], Any]:
    def forge(tx: Transaction, size: int) -> None:
        row = tx.connection.execute(checkpoints.select().where(checkpoints.c.size == size)).one()
        tx.connection.execute(update(checkpoints).where(checkpoints.c.size == size).values(note=change(row.note)))

    return forge


def _run(*statements: Any) -> Callable[[Transaction, int], Any]:
    def forge(tx: Transaction, _size: int) -> None:
        for each in statements:
            tx.connection.execute(each)

    return forge


FORGED: dict[str, tuple[Callable[[Transaction, int], Any], str]] = {
    "a row": (_run(update(journal).where(journal.c.seal_number == 3).values(actor="x")), "leaf of row 3 is of another"),
    "a salt": (_run(update(log_leaves).where(log_leaves.c.number == 3).values(salt=bytes(32))), "leaf of row 3 is of"),
    "a hash": (_run(update(log_leaves).where(log_leaves.c.number == 3).values(leaf=bytes(32))), "not what it is the"),
    "a document": (_run(update(log_documents).values(document='{"approval":"x"}')), "not what it is the hash of"),
    "a leaf less": (_run(delete(log_leaves).where(log_leaves.c.number == 3)), "row 3 has no leaf"),
    "no first leaf": (_run(delete(log_leaves).where(log_leaves.c.number == 1)), "a checkpoint covers have no leaf"),
    "a root": (_run(update(checkpoints).values(root=bytes(32))), "is of another tree"),
    "a note": (_note(lambda said: said.replace(ORIGIN, "elsewhere.example/log/1")), "not signed by the log's key"),
    "no note": (_note(lambda _: "none"), "not signed by the log's key"),
    "a signature": (
        _note(lambda said: said[:-6] + ("AAAA" if said[-6:-2] != "AAAA" else "BBBB") + said[-2:]),
        "not sig",
    ),
    "a size": (
        _run(
            checkpoints.insert().values(size=10_000, root=bytes(32), note="", signed_at=NOW),
        ),
        "beyond the journal's end",
    ),
}


class UndoneError(Exception):
    """What was forged is taken back."""


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_what_somebody_has_written_is_named(logged: World) -> None:
    key, size = keyring(logged.folder).journal.public_key, newest(logged).size
    for what, (forge, sentence) in FORGED.items():
        with suppress(UndoneError), logged.store.begin("forge") as tx:
            forge(tx, size)
            with pytest.raises(ValueError, match=sentence):
                prove_log(tx, key)
            raise UndoneError(what)
    with logged.store.read() as tx:
        assert prove_log(tx, key).leaves == size


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_log_that_the_journals_key_has_not_signed_is_none(logged: World) -> None:
    held = logged.memory.log
    assert held is not None
    with logged.store.read() as tx, pytest.raises(ValueError, match="has not signed for the log that begins with row"):
        prove_log(tx, keyring(logged.folder).responder.public_key)
    assert note.parse_vkey(held.key)[0] == ORIGIN

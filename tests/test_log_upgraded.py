"""The log of an authority that was upgraded: every row of before has a leaf and is provable, from the first one on.

The chain's number, link and signed head are carried by the row with which the log begins (docs/adr/0053).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from ca.certificates import signature_holds
from core import merkle
from core.chain import commitment, head_statement, log_statement, whole
from core.facts import FactKind
from core.public_record import document
from jobs.resting import said_by
from keys.log_key import LOG_FILE
from store.reading import approvals as approval_reading
from store.reading import journal as journal_reading
from store.reading import log as reading
from tests.test_log import proved, with_log
from tests.test_migrations import ROWS, brought_here, folder, journal_problems
from tests.world import DEVICE, PROFILE, World, keyring
from verify.kit.canonical import canonical, read
from verify.kit.merkle import included

__all__ = ["folder"]

HEADS: Mapping[int, Mapping[str, Any]] = {row["number"]: row for row in ROWS["journal_heads"]}


@pytest.fixture(params=["the key at once", "a while without the key"])
def upgraded(
    request: pytest.FixtureRequest, store_kind: str, empty_store_url: Callable[[str], str], folder: Any
) -> Iterator[World]:
    """That authority under this release, with its log; in the other case rows have leaves that no log has begun for."""
    world = brought_here(empty_store_url(store_kind), folder)
    (folder / "keys" / LOG_FILE).unlink(missing_ok=True)
    if request.param == "a while without the key":
        world.authority.settle()
    with_log(world).settle()
    yield world
    world.close()


def begun(world: World) -> Mapping[str, Any]:
    """What the row says with which the log begins."""
    with world.store.read() as tx:
        rows = journal_reading.sealed_after(tx, 0, 1_000)
    (found,) = [said_by(each.row) for each in rows if each.row.kind == FactKind.LOG_BEGUN]
    return found


def test_every_row_of_before_is_proved_to_be_in_the_log(upgraded: World) -> None:
    said = proved(upgraded)
    with upgraded.store.read() as tx:
        rows = journal_reading.sealed_after(tx, 0, said.size)
        leaves = reading.leaves_after(tx, 0, said.size, said.size)
        salts = reading.salts(tx, range(1, said.size + 1))
        proofs = [merkle.inclusion_proof(reading.nodes(tx), index, said.size) for index in range(said.size)]
    assert said.size >= len(ROWS["journal"])
    assert {row["subject"] for row in ROWS["journal"]} <= {each.row.subject for each in rows}
    for index, (row, leaf, proof) in enumerate(zip(rows, leaves, proofs, strict=True)):
        assert (row.row.number, leaf.number) == (index + 1, index + 1)
        hidden = commitment(salts[leaf.number], whole(row.row))
        assert read(leaf.data)["commitment"] == hidden.hex()
        assert canonical(read(leaf.data)) == leaf.data
        assert included(merkle.leaf_hash(leaf.data), index, said.size, proof, said.root)
    assert len(set(salts.values())) == said.size


def test_the_row_with_which_it_begins_carries_where_the_chain_was(
    upgraded: World, request: pytest.FixtureRequest
) -> None:
    said, key = begun(upgraded), keyring(upgraded.folder).journal.public_key
    number, link = said["number"], bytes.fromhex(said["link"])
    with upgraded.store.read() as tx:
        (there,) = journal_reading.sealed_after(tx, number - 1, 1)
    assert there.link == link
    if request.node.callspec.params["upgraded"] == "the key at once":  # it is the very head that 0001 has signed
        assert number == max(HEADS)
        assert (HEADS[number]["link"], HEADS[number]["signature"].hex()) == (link, said["head_signature"])
    head = head_statement(PROFILE.journal_name, number, link)
    assert signature_holds(key, head, bytes.fromhex(said["head_signature"]))
    vouched = log_statement(log=said["log"], key=said["key"], number=number, digest=link)
    assert signature_holds(key, vouched, bytes.fromhex(said["signature"]))
    assert said["before"] is None
    assert journal_problems(upgraded.store) == ()


def test_what_its_rows_carry_is_the_register_and_it_goes_on(upgraded: World) -> None:
    before = proved(upgraded)
    upgraded.granted(device=replace(DEVICE, model="0F0F0F0F"), start=upgraded.clock.now().date().replace(month=2))
    after = proved(upgraded)
    with upgraded.store.read() as tx:
        carried = {approval: read(said.encode()) for approval, said in reading.documents(tx, after.size)}
        register = {each.identifier: document(each) for each in approval_reading.records(tx)}
        proof = merkle.consistency_proof(reading.nodes(tx), before.size, after.size)
    assert len(register) == len(ROWS["approvals"]) + 1
    assert carried == {name: read(canonical(said)) for name, said in register.items()}
    assert merkle.verify_consistency(
        old=before.size, new=after.size, old_root=before.root, new_root=after.root, proof=proof
    )

"""Whoever has every public leaf tries every likely private row, and learns nothing; with the salts it is known at once.

The guesser is stronger than anybody can be: it knows who there is, what there is, and of each row the very payload.
"""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from core.canonical import canonical, read_json
from core.chain import SealedRow, whole
from core.facts import FactKind
from core.instants import parse, text
from ra.deciding.kinds.refusal import ProposeRefusal
from store.reading import journal as journal_reading
from store.reading import log as reading
from tests.api_world import Api
from tests.test_log import newest, with_log
from tests.world import World

pytestmark = pytest.mark.parametrize("store_kind", ["sqlite"])

WHO = [
    *((name, "ssc-officer", None) for name in ("officer-1", "officer-2", "officer-3")),
    ("authority", None, None),
    ("acme-desk", "manufacturer", "org-acme"),
]
SECONDS = 3
"""Before it was sealed: a fact is sealed by the next turn."""


class Leaf(NamedTuple):
    """What a tile of entries says of one row."""

    number: int
    sealed_at: str
    public: Mapping[str, Any]
    commitment: str
    octets: bytes


def every_leaf(api: Api, size: int) -> list[Leaf]:
    """All leaves, as anybody reads them."""
    bundle, found = api.ask(None, "GET", f"/tile/entries/000.p/{size}").data, list[Leaf]()
    while bundle:
        length = 2 + int.from_bytes(bundle[:2], "big")
        found.append(Leaf(**read_json(bundle[2:length]), octets=bundle[2:length]))
        bundle = bundle[length:]
    assert len(found) == size
    return found


def guesses(leaf: Leaf, subjects: list[str | None], payload: str) -> Iterator[SealedRow]:
    """Every likely row of its number."""
    sealed = parse(leaf.sealed_at)
    instants = [text(sealed - timedelta(seconds=each)) for each in range(SECONDS)]
    for kind, (actor, role, organisation), subject, at in itertools.product(FactKind, WHO, subjects, instants):
        yield SealedRow(
            number=leaf.number,
            sealed_at=leaf.sealed_at,
            kind=kind,
            at=at,
            actor=actor,
            role=role,
            organisation=organisation,
            subject=subject,
            payload=payload,
        )


def likely_salts(leaf: Leaf, before: str) -> list[bytes]:
    """What stands in place of a salt where somebody has none, or makes it of what is known."""
    number, commitments = leaf.number.to_bytes(32, "big"), [bytes.fromhex(each) for each in (before, leaf.commitment)]
    return [b"", bytes(32), number, hashlib.sha256(str(leaf.number).encode()).digest(), *commitments]


@pytest.fixture
def logged(world: World) -> World:
    """A world in which an application was refused, and another granted."""
    authority = with_log(world)
    refusal = world.proposed(ProposeRefusal(world.applied(), "It is not sound."))
    world.authority.settle()
    world.seconded(refusal)
    authority.settle()
    world.granted()
    return world


def test_no_likely_row_is_confirmed_without_its_salt_and_each_is_with_it(logged: World) -> None:
    size = newest(logged).size
    leaves = every_leaf(Api(logged), size)
    with logged.store.read() as tx:
        rows = [each.row for each in journal_reading.sealed_after(tx, 0, size)]
        salts = reading.salts(tx, range(1, size + 1))
    known = [
        (leaf, row)
        for leaf, row in zip(leaves, rows, strict=True)
        if (row.actor, row.role, row.organisation) in WHO
        and parse(leaf.sealed_at) - parse(row.at) < timedelta(seconds=SECONDS)
    ]
    assert len(known) > 15
    every = {each.commitment for each in leaves}
    tried, before, told = 0, "00", list[SealedRow]()
    for leaf, row in known:
        others = [each.subject for _, each in known if each.subject != row.subject][:2]
        prefixes = [hashlib.sha256(each) for each in likely_salts(leaf, before)]
        mine = hashlib.sha256(salts[leaf.number])
        confirmed = list[SealedRow]()
        for guess in guesses(leaf, list({row.subject, None, *others}), row.payload):
            octets = whole(guess)
            for prefix in (*prefixes, mine):
                tries = prefix.copy()
                tries.update(octets)
                tried += 1
                if tries.hexdigest() in every:
                    confirmed.append(guess)
                    assert prefix is mine, f"row {leaf.number} is confirmed to whoever guesses: {guess}"
        assert confirmed == [row]
        told += confirmed
        before = leaf.commitment
    assert FactKind.APPLICATION_REFUSED in {each.kind for each in told}
    assert tried > 500_000


def test_a_leaf_that_carries_nothing_is_told_from_no_other(logged: World) -> None:
    """Nor by its length: what may not be known of a row is not in its leaf at all."""
    for leaf in every_leaf(Api(logged), newest(logged).size):
        number, sealed_at, public, commitment, octets = leaf
        members: dict[str, Any] = {"number": number, "sealed_at": sealed_at, "commitment": commitment}
        assert octets == canonical({**members, "public": public})
        assert leaf.public == {} or list(leaf.public) == ["approvals"]
        assert len(leaf.commitment) == 64

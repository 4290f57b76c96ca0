"""The Merkle tree of RFC 9162, against the vectors of the certificate-transparency project and a tree that is naive."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import merkle

# The test vectors of certificate-transparency (merkle_tree_test.cc), which transparency-dev/merkle has as well.
LEAVES = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
_A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
_B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
_C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
_D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
_E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
_F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"


def naive(leaves: Sequence[bytes]) -> bytes:
    """The definition of RFC 9162, 2.1.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + naive(leaves[:half]) + naive(leaves[half:])).digest()


def tree(leaves: Sequence[bytes]) -> merkle.Nodes:
    """The nodes of a tree that is held whole."""

    def node(level: int, place: int) -> bytes:
        some = leaves[place << level : (place + 1) << level]
        assert len(some) == 1 << level, "only whole subtrees are asked for"
        return naive(some)

    return node


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_roots_are_those_that_are_published(size: int) -> None:
    assert merkle.root_of(map(merkle.leaf_hash, LEAVES[:size])).hex() == ROOTS[size]
    assert merkle.root(tree(LEAVES), size).hex() == ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (0, 8, [_A, _B, _C]),
        (5, 8, [_D, _E, ROOTS[4]]),
        (2, 3, [ROOTS[2]]),
    ],
)
def test_audit_paths_are_those_that_are_published(index: int, size: int, path: list[str]) -> None:
    assert [each.hex() for each in merkle.inclusion_proof(tree(LEAVES), index, size)] == path


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [(1, 1, []), (1, 8, [_A, _B, _C]), (6, 8, [_F, _E, ROOTS[4]]), (2, 5, [_B, _D])],
)
def test_proofs_of_consistency_are_those_that_are_published(old: int, new: int, path: list[str]) -> None:
    assert [each.hex() for each in merkle.consistency_proof(tree(LEAVES), old, new)] == path


rows = st.lists(st.binary(max_size=3), max_size=70)
flips = st.integers(0, 255)


@given(rows, st.data())
def test_an_inclusion_is_proved_and_nothing_else_is(leaves: list[bytes], data: st.DataObject) -> None:
    leaves = [*leaves, b"x"]
    size, index = len(leaves), data.draw(st.integers(0, len(leaves) - 1))
    found = merkle.root_of(map(merkle.leaf_hash, leaves))
    assert found == naive(leaves)
    leaf, path = merkle.leaf_hash(leaves[index]), merkle.inclusion_proof(tree(leaves), index, size)
    proves = merkle.verify_inclusion
    assert proves(leaf, index=index, size=size, proof=path, expected=found)
    other = (index + 1) % size
    assert (
        size == 1
        or not proves(leaf, index=other, size=size, proof=path, expected=found)
        or path == (merkle.inclusion_proof(tree(leaves), other, size))
    )
    assert not proves(leaf, index=index, size=size, proof=[*path, found], expected=found)
    assert not proves(leaf, index=size, size=size, proof=path, expected=found)
    for place in range(len(path)):
        bad = [_flipped(each, data.draw(flips)) if at == place else each for at, each in enumerate(path)]
        assert not proves(leaf, index=index, size=size, proof=bad, expected=found)
        assert not proves(leaf, index=index, size=size, proof=path[:place], expected=found)


@given(rows, st.data())
def test_a_tree_that_goes_on_is_proved_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    new, old = len(leaves), data.draw(st.integers(0, len(leaves)))
    before, after = naive(leaves[:old]), naive(leaves)
    path = merkle.consistency_proof(tree(leaves), old, new)

    def proves(proof: Sequence[bytes], first: bytes = before, last: bytes = after) -> bool:
        return merkle.verify_consistency(old=old, new=new, old_root=first, new_root=last, proof=proof)

    assert proves(path)
    assert not proves([*path, after])
    assert not proves(path, first=_flipped(before, data.draw(flips)))
    assert old == 0 or not proves(path, last=_flipped(after, data.draw(flips)))
    for place in range(len(path)):
        assert not proves([_flipped(each, data.draw(flips)) if at == place else each for at, each in enumerate(path)])
        assert not proves(path[:place])


@given(rows, st.integers(0, 70))
def test_an_edge_goes_on_where_another_stopped(leaves: list[bytes], cut: int) -> None:
    hashes = [merkle.leaf_hash(each) for each in leaves]
    edge = merkle.Frontier()
    for each in hashes[:cut]:
        edge.add(each)
    later = merkle.Frontier(edge.size, [tree(leaves)(level, place) for level, place in merkle.peaks(edge.size)])
    before, other = edge.root, edge.copy()
    for each in hashes[cut:]:
        later.add(each)
        other.add(each)
    assert later.root == other.root == naive(leaves)
    assert (edge.size, edge.root) == (min(cut, len(leaves)), before)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 2), (2, 2), (3, 2)])
def test_no_proof_is_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        merkle.inclusion_proof(tree(LEAVES), index, size)


@pytest.mark.parametrize(("old", "new"), [(-1, 2), (3, 2)])
def test_no_tree_goes_on_from_a_larger_one(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="no such tree"):
        merkle.consistency_proof(tree(LEAVES), old, new)
    assert not merkle.verify_consistency(old=old, new=new, old_root=b"", new_root=b"", proof=[])


def _flipped(octets: bytes, bit: int) -> bytes:
    changed = bytearray(octets)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)

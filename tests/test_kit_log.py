"""The kit's own tree and notes: published roots, every proof of small trees, and nothing that is one bit wrong."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.canonical import Json
from core.canonical import canonical as ours
from tests.kit_world import consistency, inclusion, root
from verify.kit.canonical import canonical, read
from verify.kit.instants import seconds, text
from verify.kit.merkle import EMPTY, Frontier, consistent, included, leaf_hash
from verify.kit.note import LOG, WITNESS, body_of, checkpoint, cosigned, key, key_of, signed
from verify.kit.stopped import Stopped

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NAME = "TEST/127.0.0.1:8470/log/1"
# The leaves of Certificate Transparency's own reference tests, with the root of all eight.
PUBLISHED = [bytes.fromhex(each) for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
PUBLISHED.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
PUBLISHED_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def grown(leaves: list[bytes]) -> Frontier:
    tree = Frontier()
    for each in leaves:
        tree.add(each)
    return tree


def flipped(octets: bytes, bit: int = 0) -> bytes:
    return bytes([octets[0] ^ 1 << bit]) + octets[1:]


def test_the_published_tree_has_its_root() -> None:
    assert grown([leaf_hash(each) for each in PUBLISHED]).root().hex() == PUBLISHED_ROOT
    assert Frontier().root() == EMPTY


def test_every_proof_of_small_trees_holds_and_none_that_is_changed() -> None:
    for size in range(1, 20):
        leaves = [leaf_hash(bytes([each])) for each in range(size)]
        whole = grown(leaves).root()
        assert whole == root(leaves)
        for index, leaf in enumerate(leaves):
            path = inclusion(leaves, index)
            assert included(leaf, index, size, path, whole)
            assert not included(flipped(leaf), index, size, path, whole)
            assert not included(leaf, index + 1, size, path, whole)
            assert not included(leaf, index, size, [*path, leaf], whole)
            assert not any(
                included(leaf, index, size, [*path[:place], flipped(path[place]), *path[place + 1 :]], whole)
                for place in range(len(path))
            )


def test_every_growth_of_small_trees_is_proved_and_no_other_history() -> None:
    for size in range(1, 20):
        leaves = [leaf_hash(bytes([each])) for each in range(size)]
        whole = root(leaves)
        for first in range(size + 1):
            before, path = root(leaves[:first]), consistency(leaves, first)
            assert consistent(first, before, size, whole, path)
            assert not consistent(first, flipped(before), size, whole, path)
            assert not consistent(first, before, size, flipped(whole), path) or first == 0
            if path:
                assert not consistent(first, before, size, whole, [flipped(path[0]), *path[1:]])
                assert not consistent(first, before, size, whole, path[:-1])


def test_a_checkpoint_is_believed_of_its_log_alone_and_only_as_it_was_signed() -> None:
    note = signed(body_of(NAME, 7, bytes(32)), PRIVATE, NAME)
    log = key(str(key_of(PRIVATE, NAME, LOG)))
    checkpoint(note).require(log)
    octets = note.encode()
    for place in range(len(octets)):
        changed = octets[:place] + flipped(octets[place:]) if place else flipped(octets)
        with pytest.raises((Stopped, UnicodeDecodeError)):
            checkpoint(changed.decode()).require(log)
    with pytest.raises(Stopped):
        checkpoint(note).require(key_of(PRIVATE, "another", LOG))


def test_a_cosignature_says_when_and_counts_for_its_witness_only() -> None:
    seen = checkpoint(signed(body_of(NAME, 7, bytes(32)), PRIVATE, NAME))
    witness = Ed25519PrivateKey.from_private_bytes(bytes(32))
    named = key_of(witness, "dcc.example/witness", WITNESS)
    both = checkpoint(seen.note + cosigned(seen, witness, named.name, 1_800_000_000))
    assert both.witnessed([named]) == [1_800_000_000]
    assert both.witnessed([key_of(PRIVATE, named.name, WITNESS)]) == []
    assert seen.witnessed([named]) == []


def test_what_is_not_in_its_one_form_is_not_read() -> None:
    vkey = str(key_of(PRIVATE, NAME, LOG))
    for wrong in (vkey.replace("+0", "+1", 1) if "+0" in vkey else "x" + vkey, vkey[:-2], "a b+00000000+AA=="):
        with pytest.raises(ValueError, match=r"it is|its"):
            key(wrong)
    root64 = base64.b64encode(bytes(32)).decode()
    for note in ("", "a\n1\n", f"a\n01\n{root64}\n\n\u2014 a AAAAAAA=\n", f"a\n1\n{root64}\n\n- a AAAAAAA=\n"):
        with pytest.raises(Stopped):
            checkpoint(note)


@pytest.mark.parametrize("written", [b'{"a":1,"a":2}', b"1.0", b"1e3", b"NaN", b"9007199254740993", b'{"\xc3\xa9":1}'])
def test_json_that_readers_differ_in_is_refused(written: bytes) -> None:
    with pytest.raises(ValueError, match=r"member|number"):
        read(written)


def test_the_canonical_form_is_ours() -> None:
    said: Json = {"b": ['é\u2028\x7f\x00\\"', None, -5], "a": {"z": "", "A": 0}, "C": "\U0001f600"}
    assert canonical(read(ours(said))) == ours(said)


def test_instants_have_one_form() -> None:
    for written in ("0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        assert text(seconds(written)) == written
    for wrong in ("2027-01-01T00:00:00+00:00", "2027-01-01t00:00:00Z", "2027-02-30T00:00:00Z", "2027-01-01"):
        with pytest.raises(ValueError, match=r"instant|day|range"):
            seconds(wrong)

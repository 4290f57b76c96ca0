"""The OCSP responder gets a new key: certified by every issuing CA, taken up by the running authority; also at once."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from ca.certificates import key_id
from core.alarms import AlarmCode
from core.approval import Device
from core.errors import MemoryContradicted
from core.facts import FactKind
from core.identifiers import Serial
from core.kinds import HierarchyRole
from jobs.key_table import KeyState, every_key
from jobs.new_responder import new_responder_key
from store.reading import authority as reading
from store.reading import journal
from tests.channels_world import Channels, Proof
from tests.keys_world import Keys
from tests.world import World

OTHER = Device("ESME", "AB01", "010A030C", "01")


@pytest.fixture
def keys(world: World, tmp_path: Path) -> Keys:
    return Keys(world, tmp_path / "keys of this test")


def made(keys: Keys, *, compromised: bool = False) -> list[str]:
    world = keys.world
    done = new_responder_key(world.store, world.memory, keys.place, keys.now, compromised=compromised)
    return [each.key_id for each in done]


def signers(world: World, approval: str) -> set[str]:
    """The key identifier of the responder of each answer for an approval that is served now."""
    channels = Channels(world)
    view = channels.mirror.view()
    found = set()
    for answer in view.approvals[approval].answers:
        said = ocsp.load_der_ocsp_response(answer.der)
        if said.next_update_utc is not None and said.this_update_utc <= world.clock.now() <= said.next_update_utc:
            found.add(_key_of(said.certificates[0]))
    return found


def _key_of(certificate: x509.Certificate) -> str:
    return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()


def test_a_new_key_signs_what_is_due_and_what_is_in_force_stays(keys: Keys) -> None:
    world = keys.world
    first = key_id(world.authority.keyring.responder.public_key)
    approval = world.granted()
    (new,) = made(keys)
    assert new != first
    world.authority.settle()
    assert signers(world, approval) == {first}
    assert Channels(world).ocsp(world.record(approval).certificates[0].serial, "sha1") == Proof("good")
    keys.passes(timedelta(hours=6))
    assert new in signers(world, approval)
    assert world.authority.keyring.responder_key_id == new


def test_each_issuing_ca_certifies_it(keys: Keys) -> None:
    world = keys.world
    keys.new_issuing_ca()
    world.authority.settle()
    new = made(keys)
    assert len(new) == 2
    approval = world.granted(device=OTHER)
    assert signers(world, approval) == set(new)


def test_after_a_compromise_every_answer_is_made_anew_at_once_and_the_key_signs_no_more(keys: Keys) -> None:
    world = keys.world
    approvals = [world.granted(), world.granted(device=OTHER)]
    before = key_id(world.authority.keyring.responder.public_key)
    keys.world.passes(timedelta(seconds=1))
    (new,) = made(keys, compromised=True)
    world.authority.settle()
    for approval in approvals:
        serial = world.record(approval).certificates[0].serial
        channels = Channels(world)
        held = [each for each in channels.mirror.view().approvals[approval].answers if each.serial == serial]
        newest = max(held, key=lambda each: each.this_update)
        assert _key_of(ocsp.load_der_ocsp_response(newest.der).certificates[0]) == new
        assert channels.ocsp(serial, "sha256") == Proof("good")
    lines = every_key(world.store, world.memory, keys.place.folder, keys.now)
    states = {each.key_id: each.state for each in lines if each.purpose == HierarchyRole.RESPONDER.value}
    assert states == {before: KeyState.COMPROMISED, new: KeyState.IN_USE}
    # The key may be destroyed, and it is never certified again.
    (keys.place.folder / "responder-1.key").unlink()
    assert keys.opened().responder_of(before) is None
    known = next(each for each in world.memory.hierarchy_records(HierarchyRole.RESPONDER) if each.key_id == before)
    again = replace(known, serial=Serial("40" * 16), tbs=b"other bytes")
    with pytest.raises(MemoryContradicted, match="its key was ended"):
        world.memory.remember([again], now=keys.now)
    with world.store.read() as tx:
        assert [each.reason for each in reading.ends(tx)] == [1]
        assert journal.last_of(tx, FactKind.AUTHORITY_CERTIFICATE_ENDED) is not None


def test_where_a_person_has_to_give_the_passphrase_a_compromised_key_is_silent_until_the_restart(keys: Keys) -> None:
    world = keys.world
    keys.restart(reopens=False)
    approval = world.granted()
    before = signers(world, approval)
    (new,) = made(keys, compromised=True)
    keys.passes(timedelta(hours=7))
    assert signers(world, approval) == before
    assert AlarmCode.KEY_NOT_AT_HAND in {each.code for each in world.alarms()}
    assert AlarmCode.JOB_FAILS not in {each.code for each in world.alarms()}
    keys.restart(reopens=False)
    keys.passes(timedelta(minutes=2))
    assert new in signers(world, approval)


def test_every_key_is_shown_with_what_it_was_used_for(keys: Keys) -> None:
    world = keys.world
    keys.request()
    world.granted()
    lines = {each.name: each for each in every_key(world.store, world.memory, keys.place.folder, keys.now)}
    assert sorted(lines) == [
        "issuing-1.key", "issuing-2.key", "journal.key", "log.key", "memory.key", "responder-1.key", "root.key",
        "statement-1.key",
    ]  # fmt: skip
    assert {name: each.held for name, each in lines.items() if not each.held} == {"root.key": False}
    assert lines["root.key"].used == {"issuing CAs": 1, "lists": 1}
    assert lines["issuing-1.key"].used == {"certificates": 1, "lists": 1}
    assert lines["issuing-2.key"].state is KeyState.ASKED_FOR
    assert lines["responder-1.key"].used == {"certified": 1, "answers": 2}
    assert lines["journal.key"].used["heads"] > 0
    assert all(each.state is KeyState.IN_USE for name, each in lines.items() if name != "issuing-2.key")

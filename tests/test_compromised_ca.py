"""The key of an issuing CA may be known to others: what it signed holds no more, at once; all of it is issued anew."""

from datetime import timedelta
from pathlib import Path

import pytest

from api.status.consistency import compare
from ca.certificates import authority_key_id
from ca.revocation.published import read_published
from core.alarms import AlarmCode
from core.approval import Device, RevocationReason
from core.errors import MemoryContradicted, NoSuchThing, RulesRefused
from core.identifiers import Serial
from core.kinds import HierarchyRole
from intake.carried import read_request
from jobs.ended import in_force_under
from jobs.new_issuing import compromised_issuing_ca
from memory.records import Ended
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.rekey import ProposeRekey
from ra.deciding.views import Accepted
from store.reading import approvals, requests, work
from store.reading import authority as reading
from tests.acting import propose_batch, second_batch
from tests.channels_world import Channels, Proof, Told
from tests.keys_world import Keys
from tests.world import LONGEST_TRIAL, OFFICER_1, OFFICER_2, World, csr_pem

DAY = timedelta(days=1)
DEVICES = [Device("ESME", "AB01", f"010A{number:04X}", "01") for number in range(3)]


@pytest.fixture
def keys(world: World, tmp_path: Path) -> Keys:
    return Keys(world, tmp_path / "keys of this test")


def of_first_ca(world: World) -> Serial:
    return world.memory.hierarchy(HierarchyRole.ISSUING)[0].serial


def told(channels: Channels, approval: str) -> Told:
    channels.follow()
    return channels.by_approval(approval)


def above(world: World, serial: Serial) -> str:
    with world.store.read() as tx:
        return authority_key_id(approvals.certificate_der(tx, serial)[1])


def test_the_drill(keys: Keys) -> None:
    world = keys.world
    given = [world.granted(device=each, csr=csr_pem()) for each in DEVICES]
    world.passes(2 * DAY)
    world.authority.settle()
    channels = Channels(world)
    assert all(told(channels, each).valid for each in given)
    serial = of_first_ca(world)

    request = compromised_issuing_ca(world.store, world.memory, keys.place, serial, LONGEST_TRIAL, keys.now)
    # At once, before anything was carried anywhere: no channel says yes to what it signed.
    for each in given:
        assert told(channels, each) == Told(valid=False, state="active", codes=("issuing-ca-ended",), issue=1)
        (certificate,) = world.record(each).certificates
        assert channels.by_certificate(certificate).codes == ("issuing-ca-ended",)
        assert channels.ocsp(certificate.serial, "sha256") == Proof("try_later")
    with pytest.raises(RulesRefused):
        world.proposed(ProposeGrant(world.applied(device=Device("ESME", "AB01", "FFFFFFFF", "01")), "It looks sound."))

    done = keys.accepted(keys.signed(read_request(request.octets())))
    assert done.published is not None
    with world.store.read() as tx:
        (root,) = reading.certificates(tx, HierarchyRole.ROOT)
        before = work.last_crl(tx, world.memory.hierarchy(HierarchyRole.ISSUING)[0].key_id, with_bytes=False)
    (entry,) = read_published(done.published.der, root.der).entries
    assert (entry.serial, entry.reason) == (serial, RevocationReason.KEY_COMPROMISE)

    outstanding = in_force_under(world.store, serial, keys.now)
    assert outstanding == sorted(given)
    reissue(world, outstanding)
    world.passes(DAY)
    world.authority.settle()
    assert in_force_under(world.store, serial, keys.now) == []
    channels = Channels(world)
    for each in given:
        first, second = world.record(each).certificates
        assert told(channels, each) == Told(valid=True, state="active", codes=(), issue=2)
        assert channels.ocsp(second.serial, "sha1") == Proof("good")
        assert channels.by_certificate(first).codes == ("superseded",)
        assert done.certificate is not None
        assert above(world, second.serial) == done.certificate.key_id
        assert second.not_after == first.not_after
        with world.store.read() as tx:
            keys_ = {approvals.public_key(tx, each, one.public_key_sha256) for one in (first, second)}
        assert len(keys_) == 1
    # The list of before stays as it is, for the record; nothing waits for a next one.
    keys.passes(2 * DAY)
    with world.store.read() as tx:
        assert work.last_crl(tx, before.key_id if before else "", with_bytes=False) == before
        register = approvals.records(tx)
    channels.follow()
    report = compare(register, channels.mirror.view(), keys.now, channels.mirror.past_answer)
    assert report.disagreements == []
    assert {each.code for each in world.alarms()} == set()


def reissue(world: World, given: list[str]) -> None:
    """Two officers have every certificate drafted anew, and agree to the list of drafts."""
    commands = [ProposeRekey(each, None, compromised=False, reasons="Its issuing CA was ended.") for each in given]
    proposed = propose_batch(world.desk, OFFICER_1, commands)
    world.authority.settle()
    accepted = []
    with world.store.read() as tx:
        for each in proposed:
            assert not isinstance(each, Exception), each
            found, draft = requests.decision(tx, each.decision), requests.draft_of(tx, each.decision)
            assert draft is not None
            accepted.append(
                Accepted(decision=found.id, proposal_sha256=found.proposal_sha256, tbs_sha256=draft.tbs_sha256)
            )
    assert not [each for each in second_batch(world.desk, OFFICER_2, accepted) if isinstance(each, Exception)]
    world.authority.settle()


def test_the_same_key_is_certified_again_only_where_the_issuing_ca_was_ended(keys: Keys) -> None:
    world = keys.world
    approval = world.granted()
    with pytest.raises(RulesRefused, match="only where the issuing CA"):
        world.proposed(ProposeRekey(approval, None, compromised=False, reasons="Why not."))
    compromised_issuing_ca(world.store, world.memory, keys.place, of_first_ca(world), LONGEST_TRIAL, keys.now)
    with pytest.raises(RulesRefused, match="is not certified again"):
        world.proposed(ProposeRekey(approval, None, compromised=True, reasons="Both."))


def test_nothing_more_is_signed_by_it_nor_an_other_end_taken(keys: Keys) -> None:
    world = keys.world
    waiting = world.drafted(device=DEVICES[0])
    approval = world.granted(device=DEVICES[1], csr=csr_pem())
    serial = of_first_ca(world)
    with world.store.read() as tx:
        before = work.crl_numbers(tx, world.memory.hierarchy(HierarchyRole.ISSUING)[0].key_id)
    compromised_issuing_ca(world.store, world.memory, keys.place, serial, LONGEST_TRIAL, keys.now)
    world.passes(timedelta(seconds=9))
    again = compromised_issuing_ca(world.store, world.memory, keys.place, serial, LONGEST_TRIAL, keys.now)
    assert [each.at for each in again.ended] == [keys.now - timedelta(seconds=9)]
    seconded = world.seconded(waiting)
    world.authority.settle()
    assert world.decision_state(waiting) == "lapsed"
    assert world.record(seconded).certificates == ()
    world.revoked(approval)
    keys.passes(13 * timedelta(hours=1))
    with world.store.read() as tx:
        assert work.crl_numbers(tx, world.memory.hierarchy(HierarchyRole.ISSUING)[0].key_id) == before
    # The end of the approval is remembered all the same: no later issue is signed under another CA.
    (certificate,) = world.record(approval).certificates
    assert world.memory.end(certificate.serial) is not None
    assert AlarmCode.JOB_FAILS not in {each.code for each in world.alarms()}
    assert AlarmCode.REVOCATION_LIST_BACKLOG not in {each.code for each in world.alarms()}


def test_only_an_issuing_ca_of_ours_is_ended(keys: Keys) -> None:
    world = keys.world
    for role in (HierarchyRole.ROOT, HierarchyRole.RESPONDER):
        serial = world.memory.hierarchy(role)[0].serial
        with pytest.raises(NoSuchThing):
            compromised_issuing_ca(world.store, world.memory, keys.place, serial, LONGEST_TRIAL, keys.now)
    root = world.memory.hierarchy(HierarchyRole.ROOT)[0].serial
    end = Ended(serial=root, at=keys.now, reason=RevocationReason.KEY_COMPROMISE)
    with pytest.raises(MemoryContradicted, match="nobody stands above the root"):
        world.memory.remember([end], now=keys.now)

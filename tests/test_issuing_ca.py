"""A second issuing CA: asked for, signed where the root's key is, accepted; and what is under the first goes on."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ca.certificates import authority_key_id, signed_by
from ca.revocation.published import read_published
from core import boundaries
from core.alarms import AlarmCode
from core.approval import Device, RevocationReason
from core.carried import RootResponse, WantedCertificate
from core.errors import CarriedUnreadable, RootRequestRefused, RootResponseRefused
from core.identifiers import Serial
from core.kinds import HierarchyRole
from core.status import Revoked
from intake.carried import LARGEST, read_request, read_response
from store.reading import approvals, work
from store.reading import authority as reading
from tests.channels_world import Channels, Proof
from tests.keys_world import Keys
from tests.world import NOW, World

DAY = timedelta(days=1)
OTHER = Device("ESME", "AB01", "010A030C", "01")


@pytest.fixture
def keys(world: World, tmp_path: Path) -> Keys:
    return Keys(world, tmp_path / "keys of this test")


@pytest.fixture
def keys_of_sqlite(store_copy: Callable[[str], str], keys_folder: Path, tmp_path: Path) -> Iterator[Keys]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Keys(world, tmp_path / "keys of this test")
    world.close()


@pytest.fixture
def other_keys(store_copy: Callable[[str], str], keys_folder: Path, tmp_path: Path) -> Iterator[Keys]:
    """The same authority in another store: what it asks for is asked for by nobody else."""
    world = World(store_copy("sqlite"), keys_folder)
    yield Keys(world, tmp_path / "other keys")
    world.close()


def request_serial(keys: Keys) -> Serial:
    """The serial number of the issuing CA that there is."""
    return keys.world.memory.hierarchy(HierarchyRole.ISSUING)[0].serial


def issuing_der(world: World) -> bytes:
    with world.store.read() as tx:
        return reading.certificates(tx, HierarchyRole.ISSUING)[0].der


def newest_list(world: World) -> bytes:
    with world.store.read() as tx:
        found = work.last_crl(tx, issuing(world)[0], with_bytes=True)
    assert found is not None
    return found.der


def issued_under(world: World, approval: str) -> str:
    """The key identifier of the CA that signed the newest certificate of an approval."""
    newest = world.record(approval).certificates[-1]
    with world.store.read() as tx:
        _, der = approvals.certificate_der(tx, newest.serial)
    return authority_key_id(der)


def issuing(world: World) -> list[str]:
    """The key identifiers of the issuing CAs that are recorded, oldest first."""
    with world.store.read() as tx:
        return [each.key_id for each in reading.certificates(tx, HierarchyRole.ISSUING)]


def test_certificates_go_under_the_new_one_and_the_old_one_s_lists_and_answers_go_on(keys: Keys) -> None:
    world = keys.world
    before = world.granted()
    done = keys.new_issuing_ca()
    assert done.certificate is not None
    assert done.certificate.subject.startswith("CN=TEST Trial CPA Issuing CA 2,")
    after = world.granted(device=OTHER)
    first, second = issuing(world)
    assert [issued_under(world, each) for each in (before, after)] == [first, second]
    world.revoked(before)
    world.revoked(after)
    keys.passes(timedelta(hours=7))
    for approval, above in ((before, first), (after, second)):
        (certificate,) = world.record(approval).certificates
        with world.store.read() as tx:
            listed = work.last_crl(tx, above, with_bytes=True)
            issuer = next(each for each in reading.certificates(tx, HierarchyRole.ISSUING) if each.key_id == above)
            responders = reading.certificates(tx, HierarchyRole.RESPONDER)
        assert listed is not None
        assert [each.serial for each in read_published(listed.der, issuer.der).entries] == [certificate.serial]
        assert [each for each in responders if signed_by(each.der, issuer.der)]
    assert not [each for each in world.alarms() if each.code is not AlarmCode.CLOCK_DOUBTFUL]


def test_every_channel_says_the_same_of_certificates_of_both(keys: Keys) -> None:
    world = keys.world
    approvals_ = [world.granted()]
    before = Channels(world)
    keys.new_issuing_ca()
    approvals_.append(world.granted(device=OTHER))
    after = Channels(world)
    before.follow()
    for approval, own, other in ((approvals_[0], before, after), (approvals_[1], after, before)):
        (certificate,) = world.record(approval).certificates
        for hash_name in ("sha1", "sha256"):
            assert own.ocsp(certificate.serial, hash_name) == Proof("good")
            # Asked under the name of the other CA it is nobody's (RFC 6960, 2.2).
            assert other.ocsp(certificate.serial, hash_name).status == "unauthorized"
        assert own.by_certificate(certificate).state == own.by_serial(certificate.serial).state
    world.revoked(approvals_[0])
    world.authority.settle()
    before.follow()
    (ended,) = world.record(approvals_[0]).certificates
    assert before.ocsp(ended.serial, "sha256").status == "revoked"
    assert ended.serial in before.crl()
    after.follow()
    assert after.crl() == {}


def test_the_root_signs_exactly_what_was_remembered_however_often(keys: Keys) -> None:
    request = keys.request()
    assert keys.request() == request
    first = keys.signed(request)
    assert keys.signed(request).certificate == first.certificate
    assert keys.accepted(first).certificate is not None
    again = keys.accepted(first)
    assert (again.certificate, again.published) == (None, None)
    assert len(issuing(keys.world)) == 2
    # Nothing waits any more: what is asked for next is the third.
    assert keys.request().certificate != request.certificate


def test_a_request_whose_certificate_never_came_is_made_anew_for_the_same_key(keys: Keys) -> None:
    lost = keys.request()
    keys.passes(40 * DAY)
    assert keys.request().certificate == lost.certificate
    anew = keys.request(anew=True)
    assert anew.certificate != lost.certificate
    done = keys.accepted(keys.signed(anew))
    assert done.certificate is not None
    assert done.certificate.not_before == NOW.replace(hour=0) + 40 * DAY
    assert done.published is not None  # the list is more than a month old: it is made anew, the key being at hand
    assert sorted(path.name for path in keys.place.folder.glob("issuing-*")) == ["issuing-1.key", "issuing-2.key"]


def test_while_its_key_is_not_at_hand_everything_goes_on_under_the_one_before(keys: Keys) -> None:
    world = keys.world
    keys.restart(reopens=False)
    keys.new_issuing_ca()
    first, second = issuing(world)
    assert issued_under(world, world.granted()) == first
    assert AlarmCode.KEY_NOT_AT_HAND in {each.code for each in world.alarms()}
    keys.restart(reopens=False)
    keys.passes(timedelta(minutes=1))  # the lease of the process before runs out
    assert issued_under(world, world.granted(device=OTHER)) == second
    assert AlarmCode.KEY_NOT_AT_HAND not in {each.code for each in world.alarms()}


class _Death(BaseException):
    """The power went."""


def _cut_off_at(number: int, act: Callable[[], object]) -> bool:
    """Do something until the `number`th boundary; whether it came to its end before."""
    passed = 0

    def observer(_name: str) -> None:
        nonlocal passed
        passed += 1
        if passed == number:
            raise _Death

    boundaries.observe(observer)
    try:
        act()
    except _Death:
        return False
    finally:
        boundaries.observe(None)
    return True


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.long)])
def test_cut_off_at_each_boundary_and_run_again_there_is_one_new_ca(
    store_copy: Callable[[str], str], keys_folder: Path, tmp_path: Path, step: int
) -> None:
    number, over = 1 - step, False
    while not over:
        number += step
        world = World(store_copy("sqlite"), keys_folder)
        keys = Keys(world, tmp_path / str(number))
        over = _cut_off_at(number, keys.new_issuing_ca)
        if not over and len(issuing(world)) == 1:
            keys.new_issuing_ca()
        assert len(issuing(world)) == 2, number
        assert len({each.key_sha256 for each in world.memory.hierarchy(HierarchyRole.ISSUING)}) == 2
        assert len(keys.opened().issuing) == 2
        assert not list(keys.place.folder.glob(".*")), number
        world.close()
    assert number > 10


# --- what bad input gets ---------------------------------------------------------------------------------------------


def _flipped(octets: bytes, place: int) -> bytes:
    return octets[:place] + bytes([octets[place] ^ 1]) + octets[place + 1 :]


def test_the_root_refuses_what_is_not_its_own_to_sign(keys: Keys, other_keys: Keys) -> None:
    request, stranger = keys.request(), other_keys.request()
    wanted = request.certificate
    assert wanted is not None
    assert stranger.certificate is not None
    far = Revoked(request_serial(keys), keys.now + DAY, RevocationReason.KEY_COMPROMISE)
    refused = {
        "another name": replace(request, name="TEST Other CPA"),
        "another environment": replace(request, environment="live"),
        "another base": replace(request, base_url="http://127.0.0.1:9999"),
        "another arc": replace(request, arc="1.3.6.1.4.1.99999.1"),
        "the proof of other bytes": replace(request, certificate=WantedCertificate(tbs=wanted.tbs, proof=b"0")),
        "the proof of another key": replace(
            request, certificate=WantedCertificate(tbs=wanted.tbs, proof=stranger.certificate.proof)
        ),
        "no certificate": replace(request, certificate=WantedCertificate(tbs=b"0", proof=wanted.proof)),
        "asked for before it begins": replace(request, at=request.at - 2 * DAY),
        "an end to come": replace(request, ended=(far,)),
        "no root": replace(request, root=b"0"),
        "its issuing CA for a root": replace(request, root=issuing_der(keys.world)),
        "a list that it did not sign": replace(request, newest_list=_flipped(request.newest_list or b"", -1)),
        "nothing at all": replace(request, certificate=None),
    }
    for name, each in refused.items():
        with pytest.raises(RootRequestRefused):
            pytest.fail(f"signed: {name}: {keys.signed(read_request(each.octets()))}")


def test_the_authority_refuses_what_it_did_not_ask_for(keys: Keys, other_keys: Keys) -> None:
    keys.passes(40 * DAY)  # so that a list is due as well
    good = keys.signed(keys.request())
    other_keys.passes(40 * DAY)
    stranger = other_keys.signed(other_keys.request())
    assert good.certificate is not None
    assert good.newest_list is not None
    refused = {
        "another's certificate": replace(good, certificate=stranger.certificate),
        "a certificate of another signature": replace(good, certificate=_flipped(good.certificate, -1)),
        "a certificate in force": replace(good, certificate=issuing_der(keys.world)[:-1]),
        "a list of another signature": replace(good, newest_list=_flipped(good.newest_list, -1)),
        "a list of the issuing CA": replace(good, newest_list=newest_list(keys.world)),
    }
    for name, each in refused.items():
        with pytest.raises(RootResponseRefused):
            pytest.fail(f"accepted: {name}: {keys.accepted(read_response(each.octets()))}")
    assert len(issuing(keys.world)) == 1


def test_an_end_that_the_root_listed_is_never_taken_off_by_what_is_carried_to_it(keys: Keys) -> None:
    request = keys.request()
    ended = Revoked(request_serial(keys), keys.now, RevocationReason.KEY_COMPROMISE)
    listed = keys.signed(replace(request, ended=(ended,)))
    older = keys.signed(request)  # it does not know of the end; the folder of the root does
    assert older.newest_list == listed.newest_list
    with pytest.raises(RootRequestRefused, match="another end"):
        keys.signed(replace(request, ended=(replace(ended, reason=RevocationReason.SUPERSEDED),)))
    # The authority never asked for it: it does not publish a list that says so.
    with pytest.raises(RootResponseRefused, match="does not say what this authority remembers"):
        keys.accepted(RootResponse(request_sha256="", certificate=None, newest_list=listed.newest_list))


@pytest.mark.parametrize(
    "octets",
    [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000, b"0" * (LARGEST + 1), b'{"type":"trialcpa-root-request-1"}'],
)
def test_a_file_that_is_none_is_refused(octets: bytes) -> None:
    for read in (read_request, read_response):
        with pytest.raises(CarriedUnreadable):
            read(octets)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"tbs":"', b'"tbs":"*'),
        (b'"proof":', b'"proof":null,"other":'),
        (b'"ended":[]', b'"ended":[{}]'),
        (b'"ended":[]', b'"ended":"x"'),
        (b'"ended":[]', b'"ended":[{"serial":"00","at":"2027-01-01T00:00:00Z","reason":8}]'),
        (b'"environment":"test"', b'"environment":["test"]'),
        (b'"at":"2027', b'"at":"soon'),
        (b'"name":"TEST', b'"name":"\\u0007'),
    ],
)
def test_a_request_that_says_what_none_says_is_refused(keys_of_sqlite: Keys, before: bytes, after: bytes) -> None:
    octets = keys_of_sqlite.request().octets()
    assert before in octets
    with pytest.raises(CarriedUnreadable):
        read_request(octets.replace(before, after))

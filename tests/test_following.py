"""The authority looks for ever whether everything follows from its journal, and holds nobody up."""

import threading
from datetime import date

import pytest
from sqlalchemy import select

from core.alarms import AlarmCode
from core.kinds import HierarchyRole
from jobs.following import Following
from store.reading import exported as reading
from store.tables import authority_certificates
from tests.api_world import Api, done
from tests.attack.forging import forge
from tests.cycle_world import device
from tests.world import World, keyring


@pytest.fixture
def following(world: World, monkeypatch: pytest.MonkeyPatch) -> Following:
    monkeypatch.setattr(reading, "PAGE", 10)
    made = Following(store=world.store, journal_key=keyring(world.folder).journal.public_key)
    world.authority.following = made
    return made


def whole(following: Following) -> None:
    """A pass over everything, to its end."""
    while not following.step():
        pass


def named(world: World) -> set[str]:
    """What the register tells of it, once the authority has worked."""
    world.authority.turn()
    return {each.subject for each in world.alarms() if each.code is AlarmCode.REGISTER_UNFOUNDED}


def test_what_is_done_meanwhile_is_held_against_nobody(world: World, following: Following) -> None:
    approvals = list[str]()
    for place in range(200):
        if place % 20 == 5:
            approvals.append(world.granted(device=device(place), start=date(2027, 2, 1)))
        if place % 40 == 25:
            world.revoked(approvals.pop(0))  # its facts wait
        if place % 40 == 33:
            world.authority.settle()
        following.step()
        assert not following.found(), place
    assert following.passes > 1
    assert not named(world)


def test_a_row_that_somebody_writes_into_is_named_until_it_is_put_right(world: World, following: Following) -> None:
    approval = world.granted()
    world.authority.settle()
    whole(following)
    assert not named(world)
    forge(world, f"UPDATE terms SET maximum_devices = maximum_devices + 1 WHERE approval = '{approval}'")
    whole(following)
    row = f"terms {approval} 1"
    assert named(world) == {row}
    api = Api(world)
    api.lookout.look()
    (told,) = done(api.ask("auditor", "GET", "/v1/consistency"))["unfounded"]
    assert told["row"] == row
    assert "does not follow from the journal" in told["detail"]
    assert not done(api.ask("auditor", "GET", "/v1/consistency"))["agree"]
    forge(world, f"UPDATE terms SET maximum_devices = maximum_devices - 1 WHERE approval = '{approval}'")
    whole(following)
    assert not named(world)
    assert done(api.ask("auditor", "GET", "/v1/consistency"))["unfounded"] == []


def test_a_row_that_is_taken_out_is_missed(world: World, following: Following) -> None:
    world.granted()
    world.authority.settle()
    whole(following)
    forge(world, "DELETE FROM notices WHERE number = 'TTN-2027-0001'")
    whole(following)
    assert "notices TTN-2027-0001" in named(world)


def test_it_rests_for_what_it_works_and_ends_when_it_is_told_to(world: World) -> None:
    world.granted()
    world.authority.settle()
    spent = iter(range(10**6))
    rests = list[float]()
    made = Following(
        store=world.store, journal_key=keyring(world.folder).journal.public_key, monotonic=lambda: float(next(spent))
    )
    made.step(rests.append)
    assert rests
    assert min(rests) >= 20, "twenty times what it has worked"
    stopping = threading.Event()
    thread = threading.Thread(target=made.run, args=(stopping,), daemon=True)
    thread.start()
    stopping.set()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.parametrize("payload", ["'[1]'", "'x'", "'{\"serial\":7}'"])
def test_whatever_a_row_says_it_goes_on(world: World, following: Following, payload: str) -> None:
    world.granted()
    world.authority.settle()
    forge(world, f"UPDATE journal SET payload = {payload} WHERE kind = 'certificate-issued'")
    whole(following)
    assert any(each.startswith("row ") for each in named(world))


OTHER = "UPDATE authority_certificates SET tbs = {} WHERE role = 'issuing'"


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE decisions SET proposal = \'{"lapses_at":"x"}\'',
        f"UPDATE applications SET start = {10**15}, expiry = {10**15 + 1}",
        OTHER,
    ],
    ids=["no instant", "after all time", "no name of a key"],
)
def test_whatever_a_table_says_it_goes_on(world: World, following: Following, statement: str) -> None:
    world.granted()
    world.authority.settle()
    whole(following)
    with world.store.read() as tx:
        of = authority_certificates.c
        tbs = bytes(tx.connection.execute(select(of.tbs).where(of.role == HierarchyRole.ISSUING)).scalar_one())
    unnamed = tbs.replace(b"\x06\x03\x55\x1d\x0e", b"\x06\x03\x55\x1d\x7e").hex()
    written = f"x'{unnamed}'" if world.url.startswith("sqlite") else f"'\\x{unnamed}'"
    forge(world, OTHER.format(written) if statement is OTHER else statement)
    whole(following)
    assert named(world)
    assert following.passes == 2

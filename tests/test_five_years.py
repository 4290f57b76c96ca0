"""Five years and one month, in steps: what is told of is done, a second issuing CA among it, and nothing stops."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import assert_never

import pytest

from api.status.consistency import compare
from ca.certificates import authority_key_id
from core.approval import Device
from core.kinds import HierarchyRole
from core.renewal import What
from jobs.root_list import publish_root_crl
from store.reading import approvals, work
from store.reading import authority as reading
from store.reading.renewal import everything_lasting
from tests.channels_world import Channels
from tests.keys_world import Keys
from tests.world import BORN, World, csr_pem

DAY = timedelta(days=1)
SEVEN_YEARS_AND_A_MONTH = BORN.replace(year=BORN.year + 7) + 31 * DAY
"""By then the first issuing CA has ended: it issues for five years, and lasts for a longest trial more."""


class Operators:
    """Who reads what ends, and does what that says."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.channels = Channels(keys.world)
        self.done: list[What] = []

    def look(self) -> None:
        keys, world = self.keys, self.keys.world
        with world.store.read() as tx:
            told = [each for each in everything_lasting(tx, keys.now) if each.within(keys.now) is not None]
        for each in told:
            match each.what:
                case What.ROOT_LIST:
                    publish_root_crl(world.store, world.memory, keys.root_key, keys.now)
                    self.done.append(each.what)
                case What.ISSUING_WINDOW:
                    if keys.new_issuing_ca().certificate is not None:
                        self.done.append(each.what)
                case What.KEY | What.LIST | What.ANSWER | What.RESPONDER | What.STATEMENT | What.ISSUING_CA | What.ROOT:
                    pytest.fail(f"{keys.now}: {each.told(keys.now)}")
                case _:
                    assert_never(each.what)
        world.authority.settle()

    def compare(self) -> None:
        """Every channel says what the register does, and no alarm stands."""
        world = self.keys.world
        self.channels.follow()
        with world.store.read() as tx:
            register = approvals.records(tx)
        found = compare(register, self.channels.mirror.view(), self.keys.now, self.channels.mirror.past_answer)
        assert (found.disagreements, found.pending) == ([], 0), self.keys.now
        assert not world.alarms(), self.keys.now


def granted(world: World, number: int, days: int) -> str:
    """An approval that begins tomorrow, and lasts for so many days."""
    start = world.clock.now().date() + DAY
    device = Device("ESME", "AB01", f"010A{number:04X}", "01")
    return world.granted(device=device, csr=csr_pem(), start=start, expiry=start + timedelta(days=days))


def above(world: World, approval: str) -> str:
    (certificate,) = world.record(approval).certificates
    with world.store.read() as tx:
        return authority_key_id(approvals.certificate_der(tx, certificate.serial)[1])


SHORT = [BORN + each * DAY for each in (306, 612, 918, 1224, 1530, 1790, 1857)]
"""The days on which something is told of: the root's list, and the end of the issuing window."""

LONG = [BORN + each * timedelta(days=7) for each in range(1, (SEVEN_YEARS_AND_A_MONTH - BORN) // timedelta(days=7))]


@pytest.mark.parametrize("store_kind", ["sqlite"])
@pytest.mark.parametrize("days", [SHORT, pytest.param(LONG, marks=pytest.mark.long)], ids=["what is told", "each week"])
def test_the_authority_goes_on(world: World, tmp_path: Path, store_kind: str, days: Sequence[datetime]) -> None:
    del store_kind
    keys = Keys(world, tmp_path / "keys of this test")
    operators = Operators(keys)
    given = [granted(world, 0, 700)]
    for each in days:
        keys.passes(each - keys.now)
        operators.look()
        if len(given) == 1 and each >= BORN + 1530 * DAY:
            given.append(granted(world, 1, 400))  # it outlives the time in which its CA issues
        operators.compare()
    with world.store.read() as tx:
        first, *later = (each.key_id for each in reading.certificates(tx, HierarchyRole.ISSUING))
        responders = reading.certificates(tx, HierarchyRole.RESPONDER)
        listed = work.last_crl(tx, first, with_bytes=False)
    assert len(later) == operators.done.count(What.ISSUING_WINDOW) == 1
    assert operators.done.count(What.ROOT_LIST) >= 5  # it came with the new issuing CA once
    # One at each look, or one in its thirty days where it is looked at more often.
    assert len(responders) > min(len(days), (days[-1] - BORN) // (30 * DAY))
    assert [above(world, each) for each in given] == [first, first]
    assert above(world, granted(world, 2, 700)) == later[-1]
    operators.compare()
    assert listed is not None
    assert listed.entries == (2 if days is LONG else 1)  # the second still holds after five years and a month

"""Units in memory: who is among them and how many there are is what counting each stint says, after any changes."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import deployed as subject
from core.deployed import NEVER, Deployed, Stint, deployed, unit_of

STINTS = st.lists(
    st.tuples(st.integers(0, 20), st.one_of(st.just(NEVER), st.integers(0, 10))).map(
        lambda drawn: (drawn[0], drawn[1] if drawn[1] == NEVER else drawn[0] + drawn[1])
    ),
    max_size=3,
)
UNITS = st.sampled_from([unit_of(f"{number:016X}") for number in (0, 1, 2, 2**63 - 1, 2**63, 2**64 - 1)])
KNOWN = st.dictionaries(UNITS, STINTS, max_size=6)


def packed(known: dict[int, list[Stint]]) -> Deployed:
    flat = [(unit, *stint) for unit, stints in known.items() for stint in stints]
    return deployed(*(array("q", [each[place] for each in flat]) for place in range(3)))


@settings(max_examples=200)
@given(KNOWN, st.lists(KNOWN, max_size=4), st.sampled_from([0, 1, 64]))
def test_what_is_packed_says_what_the_stints_say(
    known: dict[int, list[Stint]], changes: list[dict[int, list[Stint]]], few: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subject, "FEW", few)
        patch.setattr(subject, "_AT_ONCE", 2)
        found = packed(known)
        for change in changes:
            before = list(found.stints())
            found, earlier = found.changed(change), found
            assert list(earlier.stints()) == before, "what was handed out never changes"
            known = {**known, **change}
        assert found == packed(known)
        for at in range(-1, 33):
            stand = [unit for unit, stints in known.items() for since, until in stints if since <= at < until]
            assert found.count(at) == len(stand)
            assert {unit for unit in known if found.among(unit, at)} == set(stand)


def test_a_unit_is_its_number() -> None:
    numbers = [0, 1, 2**63 - 1, 2**63, 2**64 - 1]
    assert [unit_of(each.to_bytes(8).hex("-").upper()).to_bytes(8, signed=True) for each in numbers] == [
        each.to_bytes(8) for each in numbers
    ]
    with pytest.raises(ValueError, match="base 16"):
        unit_of("00-DB-12-34-56-78-90-0X")

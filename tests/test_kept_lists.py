"""A list is made of the one before and what changed, or of everything that is remembered: the octets are the same."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ca.revocation.crl import encoded
from core.kinds import HierarchyRole
from memory import on_lists
from store.reading import work
from tests.world import DEVICE, World, csr_pem


@pytest.mark.parametrize("most", [20_000, 0])
def test_what_is_kept_says_what_is_remembered(
    store_copy: Callable[[str], str], keys_folder: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """Through revocations, an expiry and a new key; kept, and with too much changed to be looked up one by one."""
    monkeypatch.setattr(on_lists, "MOST_CHANGED", most)
    world = World(store_copy("sqlite"), keys_folder)
    (above,) = world.memory.hierarchy(HierarchyRole.ISSUING)
    approvals = [world.granted(device=replace(DEVICE, model=f"{each:08X}"), csr=csr_pem()) for each in range(2)]
    for at in range(3):
        if at < len(approvals):
            world.revoked(approvals[at])
        world.passes(timedelta(days=1 if at < len(approvals) else 2_000))
        world.authority.settle()
        with world.store.read() as tx:
            last = work.last_crl(tx, above.key_id, with_bytes=True)
        assert last is not None
        kept = world.authority._kept._in_force[above.key_id]
        assert (kept.listed.number, len(kept.listing.entries)) == (last.number, last.entries)
        assert at == 0 or (kept.listing.since is None) is (most == 0)
        remembered = encoded(world.memory.endings(above.key_id, last.this_update))
        assert kept.listing.entries.stand_in(last.der)
        assert remembered.stand_in(last.der)
    world.close()

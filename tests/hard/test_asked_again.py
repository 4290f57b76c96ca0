"""Every answer of a run, asked again later with its instant as `at`, is given again: whatever was done since.

Within the very second of what was recorded both answers were given; an end holds in all of it
(docs/relying-parties.md).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core import waiting
from core.approval import ApprovalRecord, EndCause, Firmware
from core.errors import TrialCpaError
from core.instants import ONE_SECOND, text
from core.kinds import Waiting
from core.status import certificate_end, open_at
from ra.deciding.kinds.rekey import ProposeRekey
from ra.deciding.kinds.waiting_withdrawal import ProposeWaitingWithdrawal
from store.reading import approvals as approval_reading
from tests.cycle_world import key_pair
from tests.deployments_world import deployed, eui, gone, send
from tests.model.recorded import Recorded
from tests.model.witness import Witness
from tests.test_amendments import amended
from tests.world import DEVICE, World, csr_pem, ending

DAY = timedelta(days=1)
NEW = Firmware("00020130", "cd" * 32)


class Run:
    """A world in which anything is done, and everything is asked after it."""

    def __init__(self, url: str, keys: Path) -> None:
        self.world = World(url, keys)
        self.witness = Witness(self.world)
        self.refused: list[str] = []

    # --- acts: what may not be done is refused, and leaves things as they were ---------------------------------------

    def grant(self, which: int) -> None:
        start = self.now.date() + which % 4 * DAY
        device = replace(DEVICE, hardware_version=f"0{which % 3}")
        self.world.granted(device=device, start=start, expiry=start + (30 + 10 * which) * DAY, maximum_devices=2)

    def later_limit(self, which: int) -> None:
        amended(self.world, self.one(which), maximum_devices=3 + which, effective=self.now + (1 + which) * DAY)

    def firmware_at_midnight(self, which: int) -> None:
        amended(self.world, self.one(which), firmware_added=(NEW,))

    def expiry_instead_of_what_waits(self, which: int) -> None:
        expiry = self.now.date() + (12 + which) * DAY
        amended(self.world, self.one(which), expiry=expiry, effective=self.now + DAY, waiting=Waiting.WITHDRAW)

    def move_start(self, which: int) -> None:
        amended(self.world, self.one(which), start=self.now.date() + (1 + which) * DAY)

    def withdraw_what_waits(self, which: int) -> None:
        self.world.seconded(self.world.proposed(ProposeWaitingWithdrawal(self.one(which), "Not needed.")))

    def lose_the_key(self, which: int) -> None:
        self.world.revoked(self.one(which), EndCause.KEY_COMPROMISE)

    def certify_another_key(self, which: int) -> None:
        key, _ = key_pair()
        proposal = ProposeRekey(self.one(which), csr_pem(key), compromised=which % 2 == 1, reasons="Another key.")
        decision = self.world.proposed(proposal)
        self.world.authority.settle()
        self.world.seconded(decision)

    def revoke(self, which: int) -> None:
        self.world.revoked(self.one(which))

    def end_at_request(self, which: int) -> None:
        self.world.seconded(self.world.proposed(ending(self.one(which), EndCause.MANUFACTURER, "They ask for it.")))

    def deploy(self, which: int) -> None:
        self.witness.recorded.reported.add(self.now)
        send(self.world, deployed(which, self.one(which), text(self.now)), gone(which + 1, text(self.now)))

    def restart(self, _: int) -> None:
        before, recorded = self.world, self.witness.recorded
        before.close()
        self.world = World(before.url, before.folder, before.clock, before.machine)
        self.world.authority.holder = before.authority.holder
        self.witness = Witness(self.world, recorded)

    def wait(self, which: int) -> None:
        self.world.at(self.now + (ONE_SECOND, timedelta(hours=5), DAY, 3 * DAY, 30 * DAY, 60 * DAY)[which % 6])

    def wait_for_a_turn(self, which: int) -> None:
        """Until something begins or ends, and the second before it."""
        certificates = [each for record in self.register() for each in record.certificates]
        turns = {at for each in certificates for at in (each.not_before, certificate_end(each).at)}
        coming = sorted(turn for turn in turns if turn - ONE_SECOND > self.now)
        if coming:
            self.world.at(coming[0] - ONE_SECOND)
            self.ask()
            self.world.at(coming[0] + which % 2 * ONE_SECOND)

    # --- looking ------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def register(self) -> list[ApprovalRecord]:
        with self.world.store.read() as tx:
            return approval_reading.records(tx)

    def one(self, which: int) -> str:
        """Those that stand come first."""
        found = sorted(self.register(), key=lambda each: (not open_at(each, self.now), each.identifier))
        return found[which % len(found)].identifier

    def do(self, act: str, which: int) -> None:
        try:
            getattr(self, act)(which)
        except TrialCpaError as refused:
            self.refused.append(f"{act} {which}: {refused}")
        if act.startswith("wait"):
            self.ask()  # before the authority has seen it
        self.world.authority.settle()
        if not act.startswith("wait"):
            self.world.at(self.now + ONE_SECOND)
        self.ask()

    def ask(self) -> None:
        self.witness.channels.follow()
        for record in self.register():
            self.witness.asked(approval=record.identifier)
            self.witness.asked(approval=record.identifier, device_id=eui(1))
            for each in record.certificates:
                self.witness.asked(serial=each.serial)
                self.witness.ocsp(each.serial, "sha256")
        for number in range(3):
            device = replace(DEVICE, hardware_version=f"0{number}").said()
            self.witness.asked(device={**device, "firmware_version": ("0002012F", NEW.version)[number % 2]})


ACTS = ("grant", "later_limit", "firmware_at_midnight", "expiry_instead_of_what_waits", "move_start",
        "withdraw_what_waits", "lose_the_key", "certify_another_key", "revoke", "end_at_request", "deploy", "restart",
        "wait", "wait_for_a_turn")  # fmt: skip

A_LIFE = (
    ("deploy", 0), ("grant", 1), ("move_start", 1), ("wait", 1), ("later_limit", 3), ("wait", 1),
    ("firmware_at_midnight", 0), ("later_limit", 5), ("wait_for_a_turn", 0), ("restart", 0),
    ("later_limit", 6), ("withdraw_what_waits", 0),
    ("wait_for_a_turn", 1), ("later_limit", 2), ("lose_the_key", 0), ("wait", 1), ("certify_another_key", 0),
    ("wait", 2), ("wait_for_a_turn", 0), ("expiry_instead_of_what_waits", 1), ("revoke", 1), ("wait", 1), ("grant", 7),
    ("wait", 3), ("end_at_request", 0), ("wait", 4), ("grant", 3), ("wait", 5),
)  # fmt: skip


@contextmanager
def a_run(url: str, keys: Path) -> Iterator[Run]:
    run = Run(url, keys)
    try:
        yield run
    finally:
        run.world.close()


def asked_again(run: Run, acts: Iterator[tuple[str, int]] | tuple[tuple[str, int], ...]) -> Recorded:
    run.do("grant", 0)
    for act, which in acts:
        run.do(act, which)
    run.wait(0)
    run.witness.ask_again(None)
    return run.witness.recorded


@pytest.mark.clause("F2.26")
@pytest.mark.clause("F2.31")
def test_what_was_answered_in_a_life_is_answered_of_its_instants_for_ever(world: World, keys_folder: Path) -> None:
    with a_run(world.url, keys_folder) as run:
        counted = asked_again(run, A_LIFE).counted
    assert run.refused == []
    assert min(counted["told"], 3 * counted["proved"]) > max(150, counted["both told"]), counted


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_whatever_is_done_what_was_answered_is_answered_again(
    kind: str, store_copy: Callable[[str], str], forget: Callable[[str], None], keys_folder: Path
) -> None:
    steps = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 7)), min_size=10, max_size=40)

    @settings(
        max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
    )
    @given(steps)
    def search(acts: list[tuple[str, int]]) -> None:
        url = store_copy(kind)
        with a_run(url, keys_folder) as run:
            asked_again(run, tuple(acts))
        forget(url)

    search()


def test_an_answer_that_time_has_changed_is_seen(
    world: World, keys_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_run(world.url, keys_folder) as run:
        run.do("grant", 0)
        run.do("wait", 1)
        run.do("later_limit", 3)
        run.do("wait", 1)
        run.do("withdraw_what_waits", 0)
        run.do("wait", 1)
        assert run.refused == []
        run.witness.ask_again(None)
        monkeypatch.setattr(waiting, "as_known", lambda approval, _: approval)
        with pytest.raises(AssertionError):
            run.witness.ask_again(None)

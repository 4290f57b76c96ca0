"""A web process whose clock is not the authority's, and acts that fall between two steps of a turn."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from core.approval import OFFICERS_CAUSES, EndCause
from core.clock import FixedClock
from core.errors import AlreadyEnded, WrongState
from core.facts import FactKind
from core.instants import last_second, text
from core.kinds import DecisionState
from core.status import revocation_at
from ra.deciding.end import Revoke
from ra.deciding.kinds.withdrawal import ProposeWithdrawal
from ra.desk import Desk
from store.reading import proof, requests
from store.transactions import Store, Transaction
from tests.acting import propose, revoke, second
from tests.channels_world import HASHES, Channels
from tests.cycle_world import device
from tests.world import OFFICER_1, OFFICER_2, World

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
START = datetime(2027, 1, 4, tzinfo=UTC)

STEPS = ("seal", "keep head", "make ends final", "record expiries", "keep answers", "publish crl", "alarms")
"""Commits of a turn before which somebody may act."""

ENDINGS = (FactKind.CERTIFICATE_REVOKED, FactKind.CERTIFICATE_SUPERSEDED)


class BetweenSteps(Store):
    """The authority's store: something happens just before it opens a certain writing transaction."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.before: dict[str, Callable[[], None]] = {}

    @contextmanager
    def begin(self, label: str, *, aside: datetime | None = None) -> Iterator[Transaction]:
        act = self.before.pop(label, None)
        if act is not None:
            act()
        with super().begin(label, aside=aside) as tx:
            yield tx


def end_at(world: World, approval: str, cause: EndCause, at: datetime) -> AlreadyEnded | WrongState | None:
    """End an approval from a web process whose clock shows `at`; return how that was refused.

    A proposal that the authority has let lapse meanwhile, as the approval has expired, is seconded by nobody.
    """
    clock = FixedClock(at)
    desk = Desk(world.store, clock, world.desk.rules)
    try:
        if cause is not EndCause.MANUFACTURER:
            revoke(desk, OFFICER_1, Revoke(approval, cause, "It has to be."))
            return None
        decision = propose(desk, OFFICER_1, ProposeWithdrawal(approval, "It is asked for.")).decision
        with world.store.read() as tx:
            found = requests.decision(tx, decision)
    except AlreadyEnded as error:
        return error
    try:
        second(desk, OFFICER_2, decision, proposal_sha256=found.proposal_sha256, tbs_sha256=None)
    except AlreadyEnded as error:
        return error
    except WrongState as error:
        with world.store.read() as tx:
            lapsed = requests.decision(tx, decision)
        if (lapsed.state, lapsed.outcome) != (DecisionState.LAPSED, f"approval {approval} has ended"):
            raise
        return error
    return None


class Rounds:
    """Approvals that expire one after the other, each ended by somebody about then, who is a second off."""

    def __init__(self, world: World, seed: str) -> None:
        self.world = world
        self.chance = Random(seed)
        self.store = BetweenSteps(world.url)
        world.authority.store = self.store
        self.day = START
        self.refused = self.ended = 0
        self.number = 0

    def once(self, place: str | None = None, now: int | None = None, behind: int | None = None) -> None:
        """One approval: granted, ended by time or by somebody, and what every channel and the register say of it.

        Args:
            place: before which commit of the turn somebody acts; "before" and "after" the turn, or "meanwhile", in a
                thread of their own; None is any of these.
            now: seconds after its last one at which the turn is taken; None is about then.
            behind: seconds by which the clock of whoever acts is behind the authority's; None is a few.
        """
        world, chance = self.world, self.chance
        place = chance.choice((*STEPS, "before", "meanwhile", "meanwhile", "after")) if place is None else place
        now = chance.choice((0, 1, 1, 1, 2)) if now is None else now
        behind = chance.choice((0, 0, 1, 1, 1, 2)) if behind is None else behind
        approval, expiry = self._granted()
        at = expiry + now * SECOND
        cause, refused = (
            chance.choice([*OFFICERS_CAUSES, EndCause.MANUFACTURER]),
            list[AlreadyEnded | WrongState | None](),
        )

        def act() -> None:
            refused.append(end_at(world, approval, cause, at - behind * SECOND))

        thread = threading.Thread(target=act)
        world.at(at)
        if place == "before":
            act()
        elif place == "meanwhile":
            thread.start()
        elif place in STEPS:
            self.store.before[place] = act
        world.authority.turn()
        self.store.before.clear()
        if place == "meanwhile":
            thread.join()
        elif place == "after":
            act()
        world.at(max(at, expiry + SECOND))
        world.authority.settle()
        for each in refused:
            self.refused += each is not None
            self.ended += each is None
            assert not isinstance(each, AlreadyEnded) or text(expiry + SECOND) in str(each)
        self.look(approval)

    def _granted(self) -> tuple[str, datetime]:
        world, day = self.world, self.day
        world.at(max(day, world.clock.now()))
        self.number += 1
        model = replace(device(1), model=f"{self.number:08X}")
        self.day += 2 * DAY
        return world.granted(start=day.date(), expiry=day.date() + DAY, device=model), last_second(day.date() + DAY)

    def look(self, approval: str) -> None:
        """One end, the same in the register, in the memory, on the list, in the answers and in the journal."""
        world = self.world
        (certificate,) = world.record(approval).certificates
        now = world.clock.now()
        said = revocation_at(certificate, now)
        assert said is not None
        known = world.memory.certificate(certificate.serial)
        assert known is not None
        assert world.memory.status(known, now) == said
        channels = Channels(world)
        assert channels.crl()[certificate.serial][0] == said.at
        assert {channels.ocsp(certificate.serial, name).at for name in HASHES} == {said.at}
        with world.store.read() as tx:
            acts = proof.sealed_about(tx, [approval], ENDINGS)
            expired = proof.sealed_about(tx, [approval], (FactKind.APPROVAL_EXPIRED,))
        assert len(acts) == (certificate.cause is not None)
        assert len(expired) == (world.record(approval).ended_at is None)
        assert world.alarms() == ()

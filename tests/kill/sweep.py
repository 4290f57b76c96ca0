"""The sweep itself: do the scenario once and write down its boundaries, then die at each of them and start again."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from core.errors import IssuingStopped
from ra.applying.apply import apply
from ra.deciding.kinds.grant import ProposeGrant
from ra.views import document
from tests.acting import propose
from tests.kill.acknowledged import acknowledged_problems
from tests.kill.outside import Hook, misses, owed
from tests.kill.process import Death, Life, Process, Signing, Tell
from tests.kill.proof import problems
from tests.kill.scenario import Scenario
from tests.kill.steps import Known, Outside, Place, Step, cool, deliver_all, warm
from tests.kill.stores import Back, RememberedStore
from tests.kill.tally import Tally, differences, tally
from tests.mail_world import post_office
from tests.world import DEVICE, MANUFACTURER, OFFICER_1, World, application, csr_pem


@dataclass(frozen=True)
class Recorded:
    """A step as it was done undisturbed: the way back to before it, what was known then, where it could have died."""

    step: Step
    back: Back | None
    known: Known
    earlier: tuple[Step, ...]
    life: Life

    def deaths(self) -> list[tuple[str, Death]]:
        """Every place to die at, with its kind: the name, and what is signed there."""
        return kinds_of(self.step.who, self.life)


def kinds_of(who: str, life: Life) -> list[tuple[str, Death]]:
    """Every boundary of a life: its kind, and how to die there."""
    seen: Counter[str] = Counter()
    found = []
    for name, kind in zip(life.boundaries, life.kinds, strict=True):
        seen[name] += 1
        found.append((f"{who}: {kind}", Death(name, seen[name])))
    return found


def one_of_each(recorded: Iterable[Recorded]) -> Iterator[tuple[Recorded, Death]]:
    """One death of each kind, in the midst of the first step that has it, and of each step that it is anew for."""
    known: set[str] = set()
    for each in recorded:
        of: dict[str, list[Death]] = {}
        for kind, death in each.deaths():
            of.setdefault(kind, []).append(death)
        anew = {f"{each.step.who}: {place} commit {label}" for place in ("before", "after") for label in each.step.anew}
        assert anew <= of.keys(), (each.step.name, anew - of.keys())
        for kind in sorted(of.keys() - known | anew):
            yield each, of[kind][len(of[kind]) // 2]
        known |= of.keys()


@dataclass
class Sweep:
    """One scenario on one store.

    Args:
        store: set back before each death, with what the authority remembers.
        folder: where the keys are.
    """

    store: RememberedStore
    folder: Path
    hook: Hook = field(default_factory=Hook)
    _open: ExitStack = field(default_factory=ExitStack, init=False)

    def __post_init__(self) -> None:
        self.post = self._open.enter_context(post_office(self.folder, "none"))
        self._open.callback(self.hook.server_close)
        self.outside = Outside(self.hook.url, self.post.relay())

    def close(self) -> None:
        cool(self.store.url)
        self._open.close()

    def record(self) -> list[Recorded]:
        """Do the whole scenario undisturbed, each step in a process of its own."""
        back_to_the_beginning = self.store.save()
        scenario = Scenario()
        warm(self.store.url, self.folder, scenario.steps(), _look)
        back_to_the_beginning()
        known: Known = {}
        done: list[Recorded] = []
        signings: list[Signing] = []
        for number, step in enumerate(scenario.steps()):
            place = Place(self.store.url, self.folder, number, self.outside)
            back = self.store.save() if step.swept else None
            life = self._live(_work(place, step, dict(known)))
            outcome = life.done()
            earlier = tuple(each.step for each in done)
            done.append(Recorded(step, back, dict(known), earlier, life))
            signings += life.signings
            if outcome is not None:
                known[step.name] = outcome
        last = done[-1]
        place = Place(self.store.url, self.folder, len(done), self.outside)
        found = self._live(_check(place, last, known, signings, [])).done()
        assert found == [], found
        return done

    def die(self, recorded: Recorded, death: Death, chance: random.Random | None = None) -> None:
        """Die there, start again, finish, and prove that nothing is wrong.

        Args:
            recorded: the step.
            death: where.
            chance: with it, other processes work at the same time; None: nobody else does.
        """
        assert recorded.back is not None, f"{recorded.step.name} is not swept"
        recorded.back()
        for each in (self.hook.heard, self.hook.notices, self.post.received):
            each.clear()
        place = Place(self.store.url, self.folder, len(recorded.earlier), self.outside)
        beside = None if chance is None else Process(_load(place, recorded.step, chance.random()))
        life = self._live(_work(place, recorded.step, recorded.known), death)
        assert life.killed, (recorded.step.name, death, life.failure or life.code)
        acknowledged = list(life.acknowledged)
        signings = list(life.signings)
        if beside is not None and chance is not None:
            if chance.random() < 0.5:
                time.sleep(chance.random() * 0.1)
                beside.kill()
            other = beside.wait()
            assert other.killed or other.code == 0, other.failure
            acknowledged += other.acknowledged
            signings += other.signings
        again = place.after()
        check = _check(again, recorded, recorded.known, signings, acknowledged, alone=chance is None)
        found = self._live(check).done()
        assert found == [], (recorded.step.name, death, found)
        if recorded.step.who == "courier":
            register = self._live(lambda _tell: _owed(again)).done()
            missed = list(misses(self.hook, self.post.received, register))
            assert missed == [], (recorded.step.name, death, missed)

    def _live(self, work: Callable[[Tell], Any], death: Death | None = None) -> Life:
        return Process(work, death).wait(self.hook.socket, self.hook.handle_request)


def _owed(place: Place) -> dict[str, Any]:
    world = place.world(Step("", "web").at)
    return owed(world.store)


def _work(place: Place, step: Step, known: Known) -> Callable[[Tell], Any]:
    def work(tell: Tell) -> Any:
        world = place.world(step.at)
        outcome = step.do(world, known, place.outside)
        if outcome is not None:
            tell("acknowledged", [step.name, outcome])
        tell("tally", _tally(world))
        world.close()
        return outcome

    return work


def _check(
    place: Place,
    recorded: Recorded,
    known: Known,
    signings: list[Signing],
    acknowledged: list[Any],
    *,
    alone: bool = True,
) -> Callable[[Tell], list[str]]:
    """Start again, finish what was begun, and return everything that is wrong.

    Args:
        place: where.
        recorded: the step in which a process died.
        known: what was acknowledged before it.
        signings, acknowledged: what was signed and acknowledged since.
        alone: nobody else was at work, so that the register must be as if nobody had died.
    """
    step = recorded.step

    def work(tell: Tell) -> list[str]:
        world = place.world(step.at)
        found = []
        if step.meanwhile is not None:
            step.meanwhile(world, known)
        # Whoever was not answered asks again, with the same key; twice, to see that the second time does nothing.
        outcomes = [step.do(world, known, place.outside) for _ in range(2 if step.repeatable else 1)]
        if any(each != outcomes[0] for each in outcomes):
            found.append(f"{step.name}, asked twice, was answered {outcomes}")
        if alone and step.repeatable and step.meanwhile is None:
            found += differences(recorded.life.tally, _tally(world))
        world.authority.settle()
        settled = _tally(world)
        for earlier in recorded.earlier:
            if earlier.who == "web" and earlier.repeatable:
                outcome = earlier.do(world, known, place.outside)
                if outcome != known[earlier.name]:
                    found.append(f"{earlier.name} was acknowledged with {known[earlier.name]}, and is now {outcome}")
        found += (f"asked everything again: {each}" for each in differences(settled, _tally(world)))
        if step.who == "courier":
            assert place.outside is not None
            deliver_all(world, place.outside)
        here = [] if outcomes[0] is None else [(step.name, outcomes[0])]
        before = [(each.name, known[each.name]) for each in recorded.earlier if each.name in known]
        found += acknowledged_problems(world.store, [*before, *here, *acknowledged])
        found += problems(world.store, world.clock, [*signings, *tell.signings], world.memory)
        world.close()
        return found

    return work


def _look(world: World) -> None:
    """Ask everything that a check asks, once."""
    _tally(world)
    acknowledged_problems(world.store, [])
    problems(world.store, world.clock, [], world.memory)


def _tally(world: World) -> Tally:
    with world.store.read() as tx:
        return tally(tx)


def _load(place: Place, step: Step, seed: float) -> Callable[[Tell], None]:
    """Other processes at work: the authority beside a web process that dies, web beside any other."""
    chance = random.Random(seed)

    def work(tell: Tell) -> None:
        world = place.world(step.at)
        for number in range(chance.randint(1, 4)):
            time.sleep(chance.random() * 0.02)
            if step.who == "web":
                world.authority.turn()
            else:
                _ask(world, tell, f"{number}-{chance.randrange(10**9)}")
        world.close()

    return work


def _ask(world: World, tell: Tell, name: str) -> None:
    start = (world.clock.now() + timedelta(days=1)).date()
    wanted = application(
        device=replace(DEVICE, model=name), csr=csr_pem(), start=start, expiry=start + timedelta(days=90)
    )
    applied = apply(world.desk, MANUFACTURER, wanted)
    tell("acknowledged", ["apply beside", document(applied)])
    with suppress(IssuingStopped):  # a step of the cycle has it stand: then nobody may propose
        proposed = propose(world.desk, OFFICER_1, ProposeGrant(applied.application, "Sound."))
        tell("acknowledged", ["propose beside", document(proposed)])

"""The sweep itself: do the scenario once and write down its boundaries, then die at each of them and start again."""

import hmac
import http.server
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from jobs.courier import SIGNATURE_HEADER, TOLD
from ra.apply import apply
from ra.propose import propose
from ra.proposing.grant import ProposeGrant
from store.reading import journal
from tests.kill.process import Death, Life, Process, Signing, Tell
from tests.kill.proof import acknowledged_problems, problems
from tests.kill.scenario import SECRET, Known, Place, Scenario, Step, cool, deliver_all, warm
from tests.kill.stores import PostgresqlStore, SqliteStore
from tests.world import DEVICE, MANUFACTURER, OFFICER_1, World, application, csr_pem

Swept = SqliteStore | PostgresqlStore


class Hook(http.server.HTTPServer):
    """A subscriber: an HTTP server in the parent that keeps what it was told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hear)
        self.heard: list[tuple[int, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Hear(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        expected = f"sha256={hmac.digest(SECRET, body, 'sha256').hex()}"
        right = hmac.compare_digest(expected, self.headers[SIGNATURE_HEADER])
        if right:
            self.server.heard.append((json.loads(body)["number"], body))  # type: ignore[attr-defined]
        self.send_response(204 if right else 403)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Recorded:
    """A step as it was done undisturbed: the state before it, what was known then, where it could have died."""

    step: Step
    state: Any
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
    """One death of each kind: in the first step that has it, in the midst of that step."""
    known: set[str] = set()
    for each in recorded:
        of: dict[str, list[Death]] = {}
        for kind, death in each.deaths():
            of.setdefault(kind, []).append(death)
        for kind in sorted(of.keys() - known):
            yield each, of[kind][len(of[kind]) // 2]
        known |= of.keys()


@dataclass
class Sweep:
    """One scenario on one store.

    Args:
        store: set back before each death.
        folder: where the keys are.
    """

    store: Swept
    folder: Path
    hook: Hook = field(default_factory=Hook)

    def close(self) -> None:
        cool(self.store.url)
        self.hook.server_close()

    def record(self) -> list[Recorded]:
        """Do the whole scenario undisturbed, each step in a process of its own."""
        beginning = self.store.save()
        warm(self.store.url, self.folder, self.hook.url, lambda world: problems(world.store, world.clock, []))
        self.store.restore(beginning)
        known: Known = {}
        done: list[Recorded] = []
        signings: list[Signing] = []
        for number, step in enumerate(Scenario().steps()):
            place = Place(self.store.url, self.folder, number, self.hook.url)
            state = self.store.save() if step.swept else None
            life = self._live(_work(place, step, dict(known)))
            outcome = life.done()
            earlier = tuple(each.step for each in done)
            done.append(Recorded(step, state, dict(known), earlier, life))
            signings += life.signings
            if outcome is not None:
                known[step.name] = outcome
        last = done[-1]
        place = Place(self.store.url, self.folder, len(done), self.hook.url)
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
        self.store.restore(recorded.state)
        self.hook.heard.clear()
        place = Place(self.store.url, self.folder, 100, self.hook.url)
        beside = None if chance is None else Process(_load(place.after(), recorded.step, chance.random()))
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
        again = place.after().after()
        found = self._live(_check(again, recorded, recorded.known, signings, acknowledged)).done()
        assert found == [], (recorded.step.name, death, found)
        if recorded.step.who == "courier":
            self._heard_everything(again)

    def _live(self, work: Callable[[Tell], Any], death: Death | None = None) -> Life:
        return Process(work, death).wait(self.hook.socket, self.hook.handle_request)

    def _heard_everything(self, place: Place) -> None:
        """In order; what came twice came with the same bytes; nothing that is to be told is missing."""
        told = self._live(lambda _tell: _told(place)).done()
        firsts = list(dict(self.hook.heard))
        assert firsts == told
        assert len(set(self.hook.heard)) == len(told)


def _told(place: Place) -> list[int]:
    world = place.world(Step("", "web").at)
    with world.store.read() as tx:
        return [each.row.number for each in journal.sealed_after(tx, 0, 10_000) if each.row.kind in TOLD]


def _work(place: Place, step: Step, known: Known) -> Callable[[Tell], Any]:
    def work(tell: Tell) -> Any:
        world = place.world(step.at)
        outcome = step.do(world, known, place.hook)
        if outcome is not None:
            tell("acknowledged", [step.name, outcome])
        world.close()
        return outcome

    return work


def _check(
    place: Place, recorded: Recorded, known: Known, signings: list[Signing], acknowledged: list[Any]
) -> Callable[[Tell], list[str]]:
    """Start again, finish what was begun, and return everything that is wrong."""
    step = recorded.step

    def work(tell: Tell) -> list[str]:
        world = place.world(step.at)
        found = []
        if step.meanwhile is not None:
            step.meanwhile(world, known)
        # Whoever was not answered asks again, with the same key; twice, to see that the second time does nothing.
        outcomes = [step.do(world, known, place.hook) for _ in range(2 if step.repeatable else 1)]
        if any(each != outcomes[0] for each in outcomes):
            found.append(f"{step.name}, asked twice, was answered {outcomes}")
        world.authority.settle()
        for earlier in recorded.earlier:
            if earlier.who == "web" and earlier.repeatable:
                outcome = earlier.do(world, known, place.hook)
                if outcome != known[earlier.name]:
                    found.append(f"{earlier.name} was acknowledged with {known[earlier.name]}, and is now {outcome}")
        if step.who == "courier":
            deliver_all(world, place.hook)
        here = [] if outcomes[0] is None else [(step.name, outcomes[0])]
        before = [(each.name, known[each.name]) for each in recorded.earlier if each.name in known]
        found += acknowledged_problems(world.store, [*before, *here, *acknowledged])
        found += problems(world.store, world.clock, [*signings, *tell.signings])
        world.close()
        return found

    return work


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
    tell("acknowledged", ["apply beside", applied])
    proposed = propose(world.desk, OFFICER_1, ProposeGrant(str(applied["application"]), "Sound."))
    tell("acknowledged", ["propose beside", proposed])

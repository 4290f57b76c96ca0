"""What the sweep's steps are made of: where a process works, who does a step, and what the courier is to deliver.

A web step is one use case, called as the API calls it, with an Idempotency-Key; an operator's is one command beside
the keys. An authority step is all its work until nothing is due. A courier step delivers until everybody has
everything. Steps that are not `swept` lead to the next swept one and die nowhere; they repeat boundaries that another
step dies at.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, is_dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from core.actors import Actor, PartyKind
from core.classification import Recipient
from core.clock import FixedClock
from core.kinds import DecisionKind
from jobs.authority import Authority
from jobs.courier import Courier, Subscriber
from jobs.deliver import CLAIM, NoticeDelivery
from jobs.keyring import Keyring
from jobs.mail import Mailer, Relay
from jobs.pace import Pace
from jobs.remind import Reminders
from keys.log_key import LOG_FILE, LogKey, open_log_key
from keys.signer import Signer, SoftwareSigner
from ra.deciding.every_kind import Proposal
from ra.repeat import RequestKey
from ra.views import document
from store.reading import journal, requests
from store.reading import notices as notice_reading
from store.transactions import Store
from tests.acting import propose, second
from tests.kill.typesetter import elsewhere
from tests.world import NOW, OFFICER_1, PASSPHRASE, World

Who = Literal["web", "authority", "operator", "courier"]
Known = dict[str, Any]
"""Outcomes by the name of the step that was acknowledged with them."""

LEASE = timedelta(minutes=1)
"""So long that no renewal falls into a step: a slow machine reaches the same boundaries."""

SUCCESSION = 2 * LEASE
"""From one life to the next, by every clock of the machine: the lease of the dead has run out by itself."""

SECRET = b"shared with the subscriber"

SSC_MAIL = "ssc@example.test"


@dataclass(frozen=True)
class Outside:
    """Whom the courier reaches: a listener, which takes the DCC's notices too, and a mail relay."""

    hook: str
    relay: Relay

    @property
    def subscriber(self) -> Subscriber:
        return Subscriber(self.hook, SECRET, recipient=Recipient.DCC)


@dataclass(frozen=True)
class Place:
    """Where a process works.

    Args:
        url, folder: the store and the folder with the keys.
        life: the how manieth process this is; who is at work beside it lives the same.
        outside: whom the courier reaches; None if nobody listens.
    """

    url: str
    folder: Path
    life: int = 0
    outside: Outside | None = None

    def world(self, at: datetime) -> World:
        """A process of its own on the store, at an instant, and as much later as the lives before it have taken."""
        here = at + self.life * SUCCESSION
        made = World(self.url, self.folder, FixedClock(here), FixedClock(here))
        if self.url in _WARM:
            made.store = _WARM[self.url]
            made.desk = replace(made.desk, store=made.store)
        made.authority = Authority(
            made.store,
            made.clock,
            made.machine,
            replace(_own(made.authority.keyring), log=LogKey(_log_key(self.folder)._key)),
            made.memory,
            Pace(lease_length=LEASE),
        )
        return made

    def after(self) -> "Place":
        """The same place for the process that is started after this one."""
        return replace(self, life=self.life + 1)


_WARM: dict[str, Store] = {}
"""Stores that know their statements and have no connection open: what is forked with them need not compile again."""


def warm(url: str, folder: Path, steps: "Iterable[Step]", look: Callable[[World], object]) -> None:
    """Do the steps and `look` once in this process, so that every process forked from it starts warm."""
    known: Known = {}
    _WARM[url] = Store(url)
    with elsewhere():
        for number, step in enumerate(steps):
            place = Place(url, folder, number)
            world = place.world(step.at)
            if step.who != "courier":  # nobody listens yet
                known[step.name] = step.do(world, known, None)
            if step.who == "authority":  # often enough to have seen everything
                look(world)
            world.memory.close()  # or what is forked would believe in locks that are not its own
    _WARM[url].close()


def cool(url: str) -> None:
    """Forget a store."""
    _WARM.pop(url).close()


@cache
def _log_key(folder: Path) -> LogKey:
    return open_log_key(folder / "keys" / LOG_FILE, PASSPHRASE)


def _own(keyring: Keyring) -> Keyring:
    """The same keys, made signers in this process: they tell what they sign."""

    def again(signer: Signer) -> SoftwareSigner:
        assert isinstance(signer, SoftwareSigner)
        return SoftwareSigner(signer._key)

    issuing = {name: again(signer) for name, signer in keyring.issuing.items()}
    statement = None if keyring.statement is None else again(keyring.statement)
    return Keyring(keyring.profile, issuing, again(keyring.responder), again(keyring.journal), statement=statement)


Act = Callable[[World, Known, RequestKey], Any]


@dataclass(frozen=True)
class Step:
    """One step.

    Args:
        name: its key among what is known.
        who: the process that does it, and dies.
        act: for web steps; repeating it must do nothing the second time if it is `repeatable`.
        at: when.
        swept: whether it dies.
        anew: commits at which the short sweep dies here too, though an earlier step has died at them: what is behind
            the label is another thing in this step.
        repeatable: whether it has an Idempotency-Key, or an end that cannot come twice.
        meanwhile: what somebody does between a death in it and the restart.
    """

    name: str
    who: Who
    act: Act = lambda _world, _known, _key: None
    at: datetime = NOW
    swept: bool = True
    anew: tuple[str, ...] = ()
    repeatable: bool = True
    meanwhile: Callable[[World, Known], Any] | None = None

    def do(self, world: World, known: Known, outside: Outside | None) -> Any:
        """Do it as its process does; return what is acknowledged."""
        if self.who in ("web", "operator"):
            digest = hashlib.sha256(self.name.encode()).hexdigest()
            outcome = self.act(world, known, RequestKey(self.name.replace(" ", "-"), digest))
            return document(outcome) if is_dataclass(outcome) else outcome
        if self.who == "courier":
            assert outside is not None
            deliver_all(world, outside)
        elif self.name == "stop":
            stopping = threading.Event()
            world.authority.run(stopping, ready=stopping.set)
        else:
            world.authority.settle()
        return None


def deliver_all(world: World, outside: Outside) -> None:
    """Work as the courier does until everybody has everything; what a dead courier had claimed runs out first."""
    subscriber = outside.subscriber
    mailer = Mailer(outside.relay, world.machine)
    notices = NoticeDelivery(world.desk, mailer, {}, [subscriber])
    lists = Reminders(world.desk, mailer, {PartyKind.SSC: [SSC_MAIL]})
    courier = Courier(world.store, [subscriber])
    for _ in range(100):
        if courier.deliver(subscriber) + notices.turn() + lists.turn():
            continue
        with world.store.read() as tx:
            heard = not journal.sealed_after(tx, journal.cursor(tx, subscriber.reader), 1)
            claimed = notice_reading.delivery_due(tx, world.clock.now() + CLAIM)
        if heard and claimed is None:
            return
        world.passes(CLAIM)
    raise AssertionError("not everybody has everything")


# --- steps of several parts ------------------------------------------------------------------------------------------


def propose_step(
    name: str,
    command: Callable[[Known], Proposal],
    *,
    at: datetime = NOW,
    officers: int = 2,
    swept: bool = True,
    anew: tuple[str, ...] = (),
) -> Step:
    """An officer proposes; `officers` of them must agree."""

    def act(world: World, known: Known, key: RequestKey) -> Any:
        wanted = command(known)
        rules = replace(world.desk.rules, officers=dict.fromkeys(DecisionKind, officers))
        return propose(replace(world.desk, rules=rules), OFFICER_1, wanted, key)

    return Step(name, "web", act, at, swept, anew)


def second_step(
    proposed: str,
    officer: Actor,
    *,
    name: str = "",
    at: datetime = NOW,
    swept: bool = True,
    anew: tuple[str, ...] = (),
) -> Step:
    """An officer accepts what was proposed in a step, with the bytes drafted for it."""

    def act(world: World, known: Known, key: RequestKey) -> Any:
        decision = known[proposed]["decision"]
        with world.store.read() as tx:
            draft = requests.draft_of(tx, decision)
        return second(
            world.desk,
            officer,
            decision,
            proposal_sha256=known[proposed]["proposal_sha256"],
            tbs_sha256=draft.tbs_sha256 if draft else None,
            request=key,
        )

    return Step(name or f"second {proposed}", "web", act, at, swept, anew)


def approval_of(known: Known, proposed: str) -> str:
    """The approval that a step proposed something about."""
    return str(known[proposed]["approval"])

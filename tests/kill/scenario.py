"""The cycle as a row of steps, each done by one process: what is killed, step by step, and started again.

A web step is one use case, called as the API calls it, with an Idempotency-Key. An authority step is all its work
until nothing is due. A courier step delivers until everybody has heard everything. Steps that are not `swept` lead to
the next swept one and die nowhere; they repeat boundaries that another step dies at.
"""

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from core.actors import Actor, Role
from core.approval import EndCause
from core.clock import FixedClock
from core.errors import WrongState
from jobs.authority import Authority
from jobs.courier import Courier, Subscriber
from jobs.duty import Pace
from jobs.keyring import Keyring
from keys.signer import Signer, SoftwareSigner
from ra.accept import AnswerCertificate, answer_certificate
from ra.access import grant_access, revoke_access
from ra.apply import apply, cancel_application
from ra.end import Revoke, revoke
from ra.propose import Proposal, propose
from ra.proposing.ending import ProposeEnd
from ra.proposing.grant import ProposeGrant, ProposeRefusal
from ra.proposing.new_key import ProposeRekey
from ra.repeat import RequestKey
from ra.second import reject, second
from store.reading import journal, requests
from store.transactions import Store
from tests.world import (
    ADMIN,
    DEVICE,
    MANUFACTURER,
    NOW,
    OFFICER_1,
    OFFICER_2,
    World,
    application,
    csr_pem,
)

Who = Literal["web", "authority", "courier"]
Known = dict[str, Any]
"""Outcomes by the name of the step that was acknowledged with them."""

EXPIRED = datetime(2027, 7, 1, 0, 0, 10, tzinfo=UTC)
"""Ten seconds after the last second of the trials, and long past half the life of the responder's certificate."""

LEASE = timedelta(hours=1)
"""So long that no renewal falls into a step: a slow machine reaches the same boundaries."""

SECRET = b"shared with the subscriber"


@dataclass(frozen=True)
class Place:
    """Where a process works.

    Args:
        url, folder: the store and the folder with the keys.
        life: the how manieth process this is; each starts after the lease of the one before has run out.
        hook: where the courier delivers; empty if nobody listens.
    """

    url: str
    folder: Path
    life: int = 0
    hook: str = ""

    def world(self, at: datetime) -> World:
        """A process of its own on the store, at an instant."""
        made = World(self.url, self.folder, FixedClock(at), FixedClock(NOW + 2 * LEASE * self.life))
        if self.url in _WARM:
            made.store = _WARM[self.url]
            made.desk = replace(made.desk, store=made.store)
        made.authority = Authority(
            made.store, made.clock, made.machine, _own(made.authority.keyring), Pace(lease_length=LEASE)
        )
        return made

    def after(self) -> "Place":
        """The same place for the process that is started after this one."""
        return replace(self, life=self.life + 1)


_WARM: dict[str, Store] = {}
"""Stores that know their statements and have no connection open: what is forked with them need not compile again."""


def warm(url: str, folder: Path, hook: str, look: Callable[[World], object]) -> None:
    """Do the scenario and `look` once in this process, so that every process forked from it starts warm."""
    known: Known = {}
    _WARM[url] = Store(url)
    for number, step in enumerate(Scenario().steps()):
        world = Place(url, folder, number, hook).world(step.at)
        if step.who != "courier":  # nobody listens yet
            known[step.name] = step.do(world, known, hook)
        look(world)
    _WARM[url].close()


def cool(url: str) -> None:
    """Forget a store."""
    _WARM.pop(url).close()


def _own(keyring: Keyring) -> Keyring:
    """The same keys, made signers in this process: they tell what they sign."""

    def again(signer: Signer) -> SoftwareSigner:
        assert isinstance(signer, SoftwareSigner)
        return SoftwareSigner(signer._key)

    issuing = {name: again(signer) for name, signer in keyring.issuing.items()}
    return Keyring(keyring.profile, issuing, again(keyring.responder), again(keyring.journal))


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
        meanwhile: what somebody does between a death in it and the restart.
    """

    name: str
    who: Who
    act: Act = lambda _world, _known, _key: None
    at: datetime = NOW
    swept: bool = True
    repeatable: bool = True
    meanwhile: Callable[[World, Known], Any] | None = None

    def do(self, world: World, known: Known, hook: str) -> Any:
        """Do it as its process does; return what is acknowledged."""
        if self.who == "web":
            digest = hashlib.sha256(self.name.encode()).hexdigest()
            return self.act(world, known, RequestKey(self.name.replace(" ", "-"), digest))
        if self.who == "courier":
            deliver_all(world, hook)
        elif self.name == "stop":
            stopping = threading.Event()
            world.authority.run(stopping, ready=stopping.set)
        else:
            world.authority.settle()
        return None


def deliver_all(world: World, hook: str) -> None:
    """Deliver until the subscriber has heard everything."""
    subscriber = Subscriber(hook, SECRET)
    courier = Courier(world.store, [subscriber])
    for _ in range(100):
        with world.store.read() as tx:
            if not journal.sealed_after(tx, journal.cursor(tx, subscriber.reader), 1):
                return
        courier.deliver(subscriber)
    raise AssertionError("the subscriber has not heard everything")


@dataclass
class Scenario:
    """The steps of one sweep; its CSRs are made once, so that a repeated request is the same request."""

    csrs: dict[str, bytes] = field(default_factory=dict)

    def steps(self) -> Iterator[Step]:
        for trial in "ABC":
            first = trial == "A"
            yield self._apply(trial, swept=first)
            yield self._propose_grant(trial, swept=first)
        yield Step("draft", "authority")
        for trial in "ABC":
            yield _second(f"propose {trial}", OFFICER_2, swept=trial == "A")
        yield Step("issue", "authority", meanwhile=_revoke_at_once)
        yield Step(
            "accept A",
            "web",
            lambda world, known, key: answer_certificate(
                world.desk,
                MANUFACTURER,
                AnswerCertificate(world.record(_approval(known, "propose A")).certificates[0].serial, accepted=True),
                key,
            ),
        )
        yield from self._new_keys()
        yield from self._ends()
        yield from self._refusals()
        yield from _access()
        yield Step("tell", "courier")
        yield self._apply("L", swept=False)
        yield self._propose_grant("L", swept=False)
        yield Step("draft L", "authority", swept=False)
        yield Step("expire", "authority", at=EXPIRED)
        yield Step("stop", "authority", at=EXPIRED)

    # --- parts --------------------------------------------------------------------------------------------------

    def _new_keys(self) -> Iterator[Step]:
        """A's key is replaced (its certificate superseded), B's is compromised (its certificate cancelled)."""
        for trial, compromised in (("A", False), ("B", True)):
            yield _propose(f"rekey {trial}", self._rekey(trial, compromised=compromised), swept=compromised)
        yield Step("draft new keys", "authority", swept=False)
        for trial in "AB":
            yield _second(f"rekey {trial}", OFFICER_2, swept=trial == "B")
        yield Step("issue new keys", "authority")

    def _ends(self) -> Iterator[Step]:
        yield Step(
            "revoke C",
            "web",
            lambda world, known, key: revoke(
                world.desk, OFFICER_1, Revoke(_approval(known, "propose C"), EndCause.BREACH, "Limit exceeded."), key
            ),
        )
        yield Step("publish the revocation", "authority")
        yield _propose(
            "withdraw B",
            lambda known: ProposeEnd(_approval(known, "propose B"), EndCause.MANUFACTURER, "They asked for it."),
            swept=False,
        )
        yield _second("withdraw B", OFFICER_2)
        yield Step("publish the withdrawal", "authority", swept=False)

    def _refusals(self) -> Iterator[Step]:
        yield self._apply("E", swept=False)
        yield _propose("refuse E", lambda known: ProposeRefusal(known["apply E"]["application"], "No."))
        yield _second("refuse E", OFFICER_2)
        yield self._apply("F", swept=False)
        yield Step(
            "cancel F",
            "web",
            lambda world, known, key: cancel_application(
                world.desk, MANUFACTURER, known["apply F"]["application"], key
            ),
        )
        yield self._apply("G", swept=False)
        yield self._propose_grant("G", swept=False)
        # Two applications with one key: the first that is drafted has it, the other is rejected.
        for trial in "HI":
            yield self._apply(trial, swept=False, key="H")
            yield self._propose_grant(trial, swept=False)
        yield Step("draft one of two", "authority")
        yield Step(
            "reject G",
            "web",
            lambda world, known, key: reject(
                world.desk, OFFICER_2, known["propose G"]["decision"], why="Second thoughts.", request=key
            ),
        )

    def _apply(self, trial: str, *, swept: bool, key: str = "") -> Step:
        wanted = application(device=replace(DEVICE, model=f"TRIAL-{trial}"), csr=self._csr(f"apply {key or trial}"))
        return Step(
            f"apply {trial}",
            "web",
            lambda world, _known, request: apply(world.desk, MANUFACTURER, wanted, request),
            swept=swept,
        )

    def _propose_grant(self, trial: str, *, swept: bool) -> Step:
        return _propose(
            f"propose {trial}",
            lambda known: ProposeGrant(known[f"apply {trial}"]["application"], "It looks sound."),
            swept=swept,
        )

    def _rekey(self, trial: str, *, compromised: bool) -> Callable[[Known], Proposal]:
        csr = self._csr(f"rekey {trial}")
        return lambda known: ProposeRekey(_approval(known, f"propose {trial}"), csr, compromised, "A new key.")

    def _csr(self, name: str) -> bytes:
        return self.csrs.setdefault(name, csr_pem())


def _propose(name: str, command: Callable[[Known], Proposal], *, swept: bool = True) -> Step:
    return Step(
        name,
        "web",
        lambda world, known, key: propose(world.desk, OFFICER_1, command(known), key),
        swept=swept,
    )


def _second(proposed: str, officer: Actor, *, swept: bool = True) -> Step:
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

    return Step(f"second {proposed}", "web", act, swept=swept)


def _access() -> Iterator[Step]:
    def grant(world: World, _known: Known, _key: RequestKey) -> Any:
        life = timedelta(days=30)
        granted = grant_access(
            world.desk, ADMIN, name="new.desk", role=Role.MANUFACTURER, organisation="New Metering Ltd", life=life
        )
        return {"credential": granted.credential.id}

    def end(world: World, known: Known, _key: RequestKey) -> Any:
        with contextlib.suppress(WrongState):  # it is revoked: a second time does nothing
            revoke_access(world.desk, ADMIN, known["grant access"]["credential"])
        return {"credential": known["grant access"]["credential"], "revoked": True}

    yield Step("grant access", "web", grant, repeatable=False)
    yield Step("revoke access", "web", end, repeatable=False)


def _revoke_at_once(world: World, known: Known) -> Any:
    """Whether its draft was claimed decides: a certificate that is cancelled from the start, or none at all."""
    return revoke(world.desk, OFFICER_1, Revoke(_approval(known, "propose C"), EndCause.SSC, "Before it is signed."))


def _approval(known: Known, proposed: str) -> str:
    return str(known[proposed]["approval"])

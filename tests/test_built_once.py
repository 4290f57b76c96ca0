"""Statements of what is done most are put together once: to do so anew costs several times what the asking does."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, cast

import pytest
from sqlalchemy import Connection, event

from core.actors import Actor
from core.approval import EndCause
from core.errors import NoSuchThing
from core.identifiers import Serial
from ra.deciding import notice
from ra.telling.matter import Matter, matter_of
from ra.telling.writing import write_notice
from store.transactions import _MOST_KNOWN, Store, Transaction, read_once
from store.verbs import approvals
from tests.api_world import Api, application, done
from tests.world import World

Counted: TypeAlias = tuple[Callable[[Transaction, str], str], list[str]]

STORE = Path(__file__).parents[1] / "store"


class _Asked:
    """Which statements a store was asked, each as the object that it is, and from where."""

    def __init__(self) -> None:
        self.known: dict[int, object] = {}
        self.anew: list[str] = []
        self.asked = 0

    def note(self, _connection: Any, statement: Any, _many: Any, _given: Any, _options: Any) -> None:
        self.asked += 1
        if not isinstance(statement, str) and id(statement) not in self.known:
            self.known[id(statement)] = statement  # kept, so that no other has its place in memory
            places = [each for each in traceback.extract_stack() if each.filename.startswith(str(STORE))]
            self.anew.append(f"{Path(places[-1].filename).relative_to(STORE)}: {places[-1].name}")


@contextmanager
def _watched(store: Store) -> Iterator[_Asked]:
    asked = _Asked()
    event.listen(store._engine, "before_execute", asked.note)
    try:
        yield asked
    finally:
        event.remove(store._engine, "before_execute", asked.note)


def test_what_acts_ask_is_put_together_once(world: World) -> None:
    api = Api(world)
    acts: dict[str, Callable[[str], object]] = {}
    applied, decided, granted = dict[str, str](), dict[str, str](), dict[str, str]()

    def apply(model: str) -> None:
        applied[model] = api.applied(device={**application()["device"], "model": model})

    def second(model: str) -> None:
        path = f"/v1/decisions/{decided[model]}"
        said = done(api.ask("officer-2", "POST", f"{path}/second", api.second_body(decided[model])))
        granted[model] = str(said["approval"])

    acts["apply"] = apply
    acts["propose"] = lambda model: decided.update({model: api.proposed(kind="grant", application=applied[model])})
    acts["second"] = second
    acts["fetch"] = lambda model: api.ask("manufacturer", "GET", f"/v1/approvals/{granted[model]}/certificate")
    acts["revoke"] = lambda model: done(
        api.ask("officer-1", "POST", f"/v1/approvals/{granted[model]}/revocation", {"cause": "ssc", "reasons": "Why."})
    )
    with _watched(world.store) as asked:
        for name, act in acts.items():
            act("00000001")
            api.settle()
            asked.anew.clear()
            act("00000002")
            assert not asked.anew, name
            api.settle()
        assert asked.asked > 100


@pytest.fixture
def counted() -> Counted:
    """A read of what is named, and what it was asked for."""
    reads: list[str] = []

    @read_once
    def read(tx: Transaction, name: str) -> str:
        assert tx.connection is not None
        reads.append(name)
        return name.upper()

    return read, reads


def _transaction(*, writing: bool) -> Transaction:
    return Transaction(cast("Connection", "nothing is asked of it"), "sqlite", writing=writing)


def test_a_transaction_that_reads_reads_the_same_once(counted: Counted) -> None:
    read, reads = counted
    for _ in range(2):
        tx = _transaction(writing=False)
        assert [read(tx, each) for each in ("a", "b", "a", "b")] == ["A", "B", "A", "B"]
    assert reads == ["a", "b"] * 2  # the next transaction may see another state


def test_a_transaction_that_writes_reads_each_time_what_it_may_have_changed(counted: Counted) -> None:
    read, reads = counted
    tx = _transaction(writing=True)
    assert [read(tx, each) for each in ("a", "a")] == ["A", "A"]
    assert reads == ["a", "a"]


def test_what_was_read_is_not_held_for_ever(counted: Counted) -> None:
    read, _ = counted
    tx = _transaction(writing=False)
    for number in range(3 * _MOST_KNOWN):
        assert read(tx, str(number)) == str(number)
        assert len(tx.known) <= _MOST_KNOWN


def test_an_approval_that_is_none_is_not_ended(world: World) -> None:
    with world.store.begin("test") as tx, pytest.raises(NoSuchThing):
        approvals.end(tx, "TEST-2026-0999", cause=EndCause.SSC, by="officer-1", at=world.clock.now())


def test_what_a_notice_is_about_is_read_before_an_urgent_revocation_as_it_would_be_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval, compared = world.granted(), list[bool]()

    def written(tx: Transaction, matter: Matter, *, actor: Actor, serials: Sequence[Serial] = ()) -> str:
        anew = matter_of(tx, matter.decision, matter.told, at=matter.at, written=True)
        compared.append(matter == anew and matter.approval is not None and matter.approval.ended_at == matter.at)
        return write_notice(tx, matter, actor=actor, serials=serials)

    monkeypatch.setattr(notice, "write_notice", written)
    world.revoked(approval)
    assert compared == [True]

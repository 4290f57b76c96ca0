"""What looks at the first so many of something says that there are more, or goes on to the rest: one case of each."""

from collections.abc import Callable, Collection
from datetime import timedelta

import pytest

from core.actors import CONSOLE
from core.alarms import AlarmCode, Noticed, first_of
from core.canonical import Json
from core.facts import Fact, FactKind
from core.kinds import Witnessed
from core.status import certificate_end
from jobs import ends, restore
from jobs.alarms import bounded
from jobs.aside import MOST_TOLD
from policy.section_f.same_model import ModelFacts, model_findings
from ra.applying.same_model import known_of_model
from store.reading import journal, requests, same_model, witnesses
from store.transactions import Transaction
from store.verbs import approvals, facts
from tests.cycle_world import device
from tests.test_witness import granted, says
from tests.world import OFFICER_3, World, csr_pem

pytestmark = pytest.mark.parametrize("store_kind", ["sqlite"])


def unnamed(world: World, code: AlarmCode) -> str:
    """What an alarm says of all those that are not named, after a turn of the authority."""
    world.authority.settle()
    return next(each.sentence for each in world.alarms() if (each.code, each.subject) == (code, "more"))


@pytest.mark.parametrize(
    ("found", "told"),
    [(0, ""), (2, "0 1"), (3, "0 1 There are more of this kind."), (9, "0 1 There are more of this kind.")],
)
def test_sentences(store_kind: str, found: int, told: str) -> None:
    del store_kind
    assert first_of(map(str, range(found)), 2) == told


def test_alarms_that_nobody_named_are_counted_with_those_that_are_not_told(store_kind: str) -> None:
    del store_kind
    code = AlarmCode.DECISION_DISOWNED
    named = [Noticed(code=code, sentence="So it is.", subject=str(each)) for each in range(MOST_TOLD + 3)]
    *_, last = bounded([*named, Noticed.more(code, 7)])
    assert last.sentence == "And 10 more of this kind."


def test_disowned_decisions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witnesses, "MOST_DISOWNED", 1)
    for each in (1, 2, 3):
        says(world, OFFICER_3, granted(world, each)[1], Witnessed.DISOWNED)
    assert unnamed(world, AlarmCode.DECISION_DISOWNED) == "And 2 more of this kind."


def test_expiries_that_cannot_be_made_final(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    given = [world.granted(device=device(each)) for each in (1, 2, 3)]
    every = sorted((world.record(each).certificates[0] for each in given), key=lambda each: each.serial)
    make_final: Callable[..., Collection[str]] = approvals.make_final

    def but_the_first(tx: Transaction, fates: dict[str, int], **more: object) -> Collection[str]:
        if every[0].serial in fates:
            raise ValueError("what nothing foresaw")
        made.update(fates)
        return make_final(tx, fates, **more)

    made = set[str]()
    monkeypatch.setattr(ends, "_PORTION", 1)
    monkeypatch.setattr(approvals, "make_final", but_the_first)
    world.at(certificate_end(every[0]).at)
    world.authority.settle()
    assert made == {each.serial for each in every[1:]}
    failing = [each.subject for each in world.alarms() if each.code is AlarmCode.JOB_FAILS]
    assert failing == [f"remember_ends: {every[0].serial}"]
    monkeypatch.undo()
    world.at(world.clock.now() + timedelta(minutes=3))
    world.authority.settle()
    assert not world.alarms()


def test_facts_that_wait_behind_many_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_PAGE", 2)
    world.authority.settle()
    at, kind = world.clock.now(), FactKind.RESTORE_ACCEPTED
    said: list[dict[str, Json]] = [{"sealed_before": each, "restored_to": 1} for each in range(5)]
    with world.store.begin("planted") as tx:
        facts.record(tx, *(Fact(kind=kind, at=at, actor=CONSOLE, payload=each) for each in said))
    with world.store.read() as tx:
        assert len([*journal.every_unsealed(tx, only=[kind])]) == len(said)
        found = restore._said_before(tx, Fact(kind=kind, at=at, actor=CONSOLE, payload=said[-1]))
    assert found is not None
    world.authority.settle()
    assert any("says 5 times" in each.sentence for each in world.alarms())


def test_applications_for_the_same_device_model(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    own, *_ = (world.applied(csr=csr_pem()) for _ in range(3))
    more = "There are more than the newest, which are told here."
    for most, told in ((1, True), (2, False)):
        monkeypatch.setattr(same_model, "MOST", most)
        with world.store.read() as tx:
            found = known_of_model(tx, requests.application(tx, own), world.clock.now())
        assert [each.code for each in found] == ["model-applied-for"] * 2
        assert (found[-1].detail == more) is told


@pytest.mark.parametrize("member", ["applied", "approved", "ended", "certified", "same_key"])
def test_what_is_known_of_a_device_model(store_kind: str, member: str) -> None:
    del store_kind
    assert len(model_findings(ModelFacts(more=frozenset({member})))) == 1

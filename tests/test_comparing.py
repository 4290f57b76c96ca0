"""Everything is compared again and again in portions; a source that is broken is named, and nothing on its way is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from api import comparing
from api.comparing import AGAIN_SECONDS, PASS_SECONDS, Comparing
from api.status import consistency
from api.status.consistency import DisagreementAnswer
from api.status.questions import Question
from api.status.snapshot import Snapshot, amended
from api.status.verify import answer
from core.alarms import AlarmCode
from core.errors import StoreUnavailable
from core.mirror import PublishedCrl, unpacked
from store.tables import approvals
from tests.api_world import Api, application, done
from tests.world import NOW, World


@pytest.fixture
def api(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Api]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Api(world)
    world.close()


class Compared:
    """Comparing whose seconds the test counts, and whose snapshot it may break."""

    def __init__(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api = api
        self.patch = monkeypatch
        self.lies = True
        self.crls: Mapping[str, PublishedCrl] = {}
        self.seconds = 100.0
        self.breaks: Callable[[Snapshot], Snapshot] = lambda view: view
        whole = api.mirror.view
        monkeypatch.setattr(api.mirror, "view", lambda: self.breaks(whole()))
        self.of = Comparing(api.world.store, api.mirror, monotonic=lambda: self.seconds, spent=lambda: 0.0)
        api.lookout.comparing = self.of

    def a_pass(self) -> None:
        for _ in range(20):
            self.of.step()
            if self.of.passed().began_at is None:
                return
        pytest.fail("a pass does not end")

    def named(self) -> list[DisagreementAnswer]:
        """What is named once it was compared, and looked at again after a while."""
        self.a_pass()
        self.of.step()
        assert not list(self.of.noticed())  # not at first sight, nor at once
        self.seconds += AGAIN_SECONDS
        self.of.step()
        return self.of.disagreements()


@pytest.fixture
def compared(api: Api, monkeypatch: pytest.MonkeyPatch) -> Compared:
    return Compared(api, monkeypatch)


def _broken_register(compared: Compared, ended: str) -> None:
    with compared.api.world.store.begin("somebody changes a row") as tx:
        row = approvals.c.identifier == ended
        tx.connection.execute(update(approvals).where(row).values(ended_at=None, end_cause=None, ended_by=None))


def _broken_list(compared: Compared, _ended: str) -> None:
    before = compared.crls
    compared.breaks = lambda view: replace(view, authority=replace(view.authority, crls=before))


def _broken_answer(compared: Compared, ended: str) -> None:
    (other,) = [each for name, each in compared.api.mirror.held().approvals.items() if name != ended]

    def swapped(view: Snapshot) -> Snapshot:
        held = unpacked(view.approvals[ended])
        serial = held.record.certificates[0].serial
        answers = [replace(each, serial=serial, revoked_at=NOW) for each in other.answers]
        return amended(view, frozenset({ended}), [replace(held, answers=answers)])

    compared.breaks = swapped


def _broken_verification(compared: Compared, ended: str) -> None:
    def lying(view: Snapshot, question: Question, *more: Any) -> Any:
        said = answer(view, question, *more)
        return {**said, "state": "active"} if compared.lies and said["approval"] == ended else said

    compared.patch.setattr(consistency, "answer", lying)


SOURCES: dict[str, tuple[Callable[[Compared, str], None], set[str]]] = {
    "a row of the register": (_broken_register, {"snapshot"}),
    "an entry of the list": (_broken_list, {"crl"}),
    "an answer": (_broken_answer, {"ocsp sha1", "ocsp sha256"}),
    "verification": (_broken_verification, {"verify"}),
}


@pytest.mark.parametrize("source", SOURCES)
def test_each_source_that_is_broken_is_named_until_it_is_mended(compared: Compared, source: str) -> None:
    breaking, channels = SOURCES[source]
    api = compared.api
    ended = api.granted()
    api.granted(device={**application()["device"], "model": "OTHER"})
    compared.crls = api.mirror.held().authority.crls
    api.world.revoked(ended)
    api.settle()
    api.world.at(NOW + timedelta(minutes=2))  # nothing is on its way any more
    api.settle()
    assert compared.named() == []
    held = api.mirror.held().approvals[ended].record
    breaking(compared, ended)
    found = compared.named()
    assert {(each.channel, each.approval) for each in found} == {(channel, ended) for channel in channels}
    assert all(each.expected != each.found for each in found)
    assert {each.since for each in found} == {api.world.clock.now()}
    compared.patch.setattr(comparing, "AT_ONCE", 0)
    said = done(api.ask("auditor", "GET", "/v1/consistency"))
    assert (said["agree"], {each["channel"] for each in said["disagreements"]}) == (False, channels)
    assert said["passes"]["last_compared"] == said["checked"]
    assert said["passes"]["last_ended_at"] == said["as_of"]
    api.look()
    assert AlarmCode.CHANNELS_DISAGREE in {each.code for each in api.lookout.alarms}
    # Mended.
    compared.breaks, compared.lies = (lambda view: view), False
    with api.world.store.begin("it is put right") as tx:
        rightly = {"ended_at": held.ended_at, "end_cause": held.end_cause, "ended_by": "officer-1"}
        tx.connection.execute(update(approvals).where(approvals.c.identifier == ended).values(**rightly))
    compared.seconds += AGAIN_SECONDS
    compared.of.step()
    assert done(api.ask("auditor", "GET", "/v1/consistency"))["agree"]
    api.look()
    assert AlarmCode.CHANNELS_DISAGREE not in {each.code for each in api.lookout.alarms}


def test_an_end_on_its_way_is_no_disagreement(compared: Compared) -> None:
    api = compared.api
    approval = api.granted()
    api.world.revoked(approval)
    compared.a_pass()  # the snapshot has not followed
    compared.seconds += AGAIN_SECONDS
    api.mirror.follow()  # answers and the list have not
    compared.of.step()
    assert compared.of.disagreements() == []
    assert compared.of._suspects == {}


def test_what_changed_between_two_looks_is_looked_at_once_more(compared: Compared) -> None:
    api = compared.api
    approval = api.granted()
    _broken_register_by(compared, approval, "somebody")
    compared.a_pass()
    _broken_register_by(compared, approval, "somebody else")
    for named in (False, True):
        compared.seconds += AGAIN_SECONDS
        compared.of.step()
        assert bool(compared.of.disagreements()) is named


def _broken_register_by(compared: Compared, approval: str, by: str) -> None:
    ended = NOW if by == "somebody" else NOW + timedelta(seconds=1)
    with compared.api.world.store.begin("somebody changes a row") as tx:
        row = update(approvals).where(approvals.c.identifier == approval)
        tx.connection.execute(row.values(ended_at=ended, end_cause="ssc", ended_by=by))


def test_everything_is_compared_a_portion_at_a_time_and_then_again(compared: Compared) -> None:
    api = compared.api
    for model in ("ONE", "TWO", "THREE"):
        api.granted(device={**application()["device"], "model": model})
    compared.patch.setattr(comparing, "PORTION", 1)
    seen = []
    for _ in range(4):
        compared.of.step()
        seen.append((compared.of.passed().number, compared.of.passed().compared))
    assert seen == [(1, 1), (1, 2), (1, 3), (1, 0)]
    assert (compared.of.passed().last_compared, compared.of.pause()) == (3, PASS_SECONDS)
    compared.of.step()
    assert (compared.of.passed().number, compared.of.passed().compared, compared.of.pause()) == (2, 1, 0.0)


def test_an_approval_that_only_the_snapshot_has_is_named(compared: Compared) -> None:
    api = compared.api
    kept = api.granted()
    held = unpacked(api.mirror.held().approvals[kept])
    strange = replace(held, record=replace(held.record, identifier="TDA-2099-0001-X"))
    compared.breaks = lambda view: amended(view, frozenset(), [strange])
    found = compared.named()
    assert ("snapshot", "TDA-2099-0001-X", "absent", "present") in {
        (each.channel, each.approval, each.expected, each.found) for each in found
    }


def test_comparing_takes_its_share_and_rests_while_the_register_is_silent(
    compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = compared.api
    for model in ("ONE", "TWO"):
        api.granted(device={**application()["device"], "model": model})
    monkeypatch.setattr(comparing, "PORTION", 1)
    spent = iter([0.0, 0.5, 1.0, 1.5])
    of = Comparing(api.world.store, api.mirror, spent=lambda: next(spent))
    of.step()
    assert of.pause() == 10.0  # half a second of work, twenty times

    def unreachable(*_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(api.world.store, "read", unreachable)
    before = of.passed()
    of.step()
    assert of.passed() == before

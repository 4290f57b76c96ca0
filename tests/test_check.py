"""`trialcpa check` asks the web process of its own home, and nobody else who answers where that would."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from types import SimpleNamespace

import pytest

from api.readiness import AlarmAnswer, Readiness
from app import looks
from app.cli import check
from app.house import House
from core.alarms import Alarm, AlarmCode
from core.kinds import ProcessRole
from store.verbs import watching
from tests.begin_world import made
from tests.people_world import Said, trialcpa
from tests.world import NOW

THEIRS, OURS = "Something only the service knows.", "1 of the courier's errands fails."
NOT_TOLD = "what only it knows is not told here"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("authority")
    with closing(made(folder / "home", f"sqlite:///{folder / 'store.sqlite'}")) as opened:
        left = Alarm(code=AlarmCode.ERRAND_FAILS, subject="", since=NOW, sentence=OURS)
        with opened.store.begin("an alarm") as tx:
            watching.raise_alarm(tx, ProcessRole.COURIER, left)
        yield opened


def looked(house: House, monkeypatch: pytest.MonkeyPatch, *, name: str, root: bytes, lived: timedelta | None) -> Said:
    """Look while a service answers: whose it says that it is, and how long ago web left a sign of life here."""
    who = SimpleNamespace(name=name, root=SimpleNamespace(sha256=hashlib.sha256(root).hexdigest()))
    ready = Readiness(True, (), (AlarmAnswer(code=AlarmCode.STORE_FULL, since=NOW, sentence=THEIRS),))  # noqa: FBT003
    monkeypatch.setattr(looks, "told_authority", lambda *_: who)
    monkeypatch.setattr(check, "told_ready", lambda *_: ready)
    if lived is not None:
        with house.store.begin("a sign of life") as tx:
            watching.live(tx, ProcessRole.WEB, at=house.machine.now() - lived)
    return trialcpa("check", "--home", str(house.settings.home))


def test_a_service_without_a_sign_of_life_in_this_register_is_of_another_home(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for lived in (None, timedelta(minutes=1)):
        said = looked(house, monkeypatch, name=house.row().name, root=house.root(), lived=lived)
        assert "leaves no sign of life in this register (see http://127.0.0.1:8470/readyz)" in said.words
        assert (THEIRS in said.out, OURS in said.out, NOT_TOLD in said.words) == (False, True, True)


@pytest.mark.parametrize(("name", "root"), [("TEST Other", None), (None, b"another root")])
def test_another_authoritys_service_is_named_and_not_believed(
    house: House, monkeypatch: pytest.MonkeyPatch, name: str | None, root: bytes | None
) -> None:
    name, root = name or house.row().name, root or house.root()
    said = looked(house, monkeypatch, name=name, root=root, lived=timedelta(0))
    assert f"another authority, {name}, root {hashlib.sha256(root).hexdigest()}" in said.words
    assert (THEIRS in said.out, OURS in said.out, NOT_TOLD in said.words) == (False, True, True)


def test_the_service_of_this_home_is_believed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    said = looked(house, monkeypatch, name=house.row().name, root=house.root(), lived=timedelta(seconds=6))
    assert (THEIRS in said.out, NOT_TOLD in said.words) == (True, False)

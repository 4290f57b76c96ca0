"""What every resource has at hand; and the web process looks for garbage while it rests."""

import asyncio
import gc
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import cast

import pytest

from api.following import Following
from api.forms.fields import WriteHeader
from api.patience import Patience
from api.service import Service, reply
from api.status.mirror import Mirror
from app import garbage
from core.errors import StoreUnavailable
from core.loading import loading
from ra.desk import Desk

MANY = 1_201

OWN_PROCESS = """
import gc
from api.status.mirror import Mirror
from app import garbage
from core.errors import StoreUnavailable
from ra.desk import Desk
garbage.only_young()
full = []
gc.callbacks.append(lambda phase, info: full.append(1) if info["generation"] == 2 else None)
kept = [[number] for number in range(500_000)]
assert not full, "everything was looked through in the midst of work"
assert gc.get_freeze_count() > 0
"""


def test_what_is_made_in_the_midst_of_work_is_not_looked_through_again_and_again() -> None:
    subprocess.run([sys.executable, "-c", OWN_PROCESS], check=True)
    # The same without: the test would see it.
    spoiled = OWN_PROCESS.replace("garbage.only_young()", "gc.freeze()")
    assert subprocess.run([sys.executable, "-c", spoiled], check=False, stderr=subprocess.DEVNULL).returncode == 1


@pytest.mark.parametrize(("rests", "busy_for", "looked"), [(True, 0.0, True), (False, 0.0, False), (False, 1e4, True)])
def test_everything_is_looked_through_at_rest_and_at_the_latest_after_a_while(
    monkeypatch: pytest.MonkeyPatch, *, rests: bool, busy_for: float, looked: bool
) -> None:
    monkeypatch.setattr(garbage, "LOOK_SECONDS", 0.01)
    collected: list[None] = []
    monkeypatch.setattr(garbage, "_all", lambda: collected.append(None))
    instants = iter([0.0] + [busy_for] * 1_000)

    async def for_a_moment() -> None:
        looking = asyncio.create_task(garbage.collect(lambda: rests, lambda: next(instants)))
        await asyncio.sleep(0.1)
        looking.cancel()

    asyncio.run(for_a_moment())
    assert bool(collected) is looked
    assert gc.isenabled()
    collected.clear()
    with loading():  # a register is being read in, and lives
        asyncio.run(for_a_moment())
    assert not collected


@dataclass(frozen=True)
class _Member:
    number: int
    text: str = "“\ud800”"


@dataclass(frozen=True)
class _Long:
    none: list[_Member]
    few: tuple[_Member, ...]
    many: tuple[_Member, ...]
    said: str = "x" * MANY


def test_a_long_list_is_written_as_a_short_one_is() -> None:
    members = tuple(_Member(number) for number in range(MANY))
    written = reply(_Long([], members[:3], members)).get_data(as_text=True)
    told = json.loads(written)
    assert [each["number"] for each in told["many"]] == list(range(MANY))
    assert written == json.dumps(told, separators=(",", ":"))


@dataclass(frozen=True)
class _Done:
    number: int


def _raising(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(("error", "logged"), [(StoreUnavailable(detail="gone"), False), (RuntimeError(), True)])
def test_a_write_that_is_committed_is_told_though_the_mirror_cannot_follow(
    error: Exception, caplog: pytest.LogCaptureFixture, *, logged: bool
) -> None:
    service = Service(
        desk=cast("Desk", None),
        mirror=cast("Mirror", None),
        following=Following(lambda: _raising(error)),
        patience=Patience(lambda _: ()),
    )
    answered = service.write(WriteHeader(), lambda _key: _Done(1))
    assert json.loads(answered.get_data()) == {"number": 1}
    assert bool(caplog.records) is logged

"""An authority whose keys are all in a token (SoftHSM): its cycle, its loss in the midst of it, and a power cut."""

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.doctor.files import look_at_tokens
from app.doctor.findings import Finding, FindingCode
from app.settings import judged
from ca.certificates import tbs_sha256
from core import boundaries
from core.alarms import AlarmCode
from core.facts import FactKind
from core.kinds import DraftState
from jobs.duty import release_lease
from ra.deciding.kinds.grant import ProposeGrant
from store import schema
from store.tables import certificates, drafts
from store.transactions import Store, sqlite_url
from tests.cycle_world import device, kinds
from tests.shim_world import Shim, built
from tests.token_world import authority_token
from tests.world import World, hold_ceremony, memory_folder, tokens

ROOT = Path(__file__).parents[1]
BACK_SECONDS = 30.0
A_FEW = ("tests/test_cycle.py", "-k", "sqlite and (granted or revoked or signed)")
THE_CYCLE = (
    "tests/test_cycle.py", "tests/test_ends.py", "tests/test_rekey.py", "tests/test_published.py", "tests/test_jobs.py",
    "tests/test_log.py", "tests/test_heads.py", "tests/test_dossier.py",
    "tests/test_revoking_many.py", "tests/test_responder_key.py", "tests/test_compromised_ca.py",
)  # fmt: skip
"""Issuing, revoking, lists, answers, the log and what is stated: the suites of the cycle."""


def ran_in_token(*words: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "--in-token", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3_000, check=False)
    assert done.returncode == 0, done.stdout[-4_000:]


def test_a_handful_of_the_cycle_with_keys_in_a_token() -> None:
    ran_in_token(*A_FEW)


@pytest.mark.long
@pytest.mark.parametrize("file", THE_CYCLE)
def test_the_whole_cycle_with_keys_in_a_token(file: str) -> None:
    ran_in_token(file, "-k", "not postgresql")  # some have SQLite alone, and do not name it


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Shim:
    return built(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def world(tmp_path: Path, shim: Shim) -> Iterator[World]:
    shim.behaves("")
    with authority_token(tmp_path / "token") as token:
        token.holds_keys_of(tmp_path / "ceremony", module=str(shim.module), seconds="2.0")
        url = sqlite_url(tmp_path / "store.sqlite")
        with_schema = Store(url)
        schema.upgrade(with_schema)
        hold_ceremony(with_schema, tmp_path / "ceremony", memory_folder(url, tmp_path / "ceremony"))
        with_schema.close()
        made = World(url, tmp_path / "ceremony")
        made.authority.tokens = tokens(made.folder)
        yield made
        made.close()
        held = tokens(made.folder)
        assert held is not None
        held.close()


def alarms(world: World) -> set[AlarmCode]:
    return {each.code for each in world.alarms()}


def issued(world: World) -> list[bytes]:
    with world.store.read() as tx:
        return [bytes(each) for each in tx.connection.execute(select(certificates.c.der)).scalars()]


def settled_again(world: World) -> None:
    """Take turns, as the process does, until the token is open again and all is done."""
    deadline = time.monotonic() + BACK_SECONDS
    while AlarmCode.TOKEN_OUT_OF_USE in alarms(world) or AlarmCode.JOB_FAILS in alarms(world):
        assert time.monotonic() < deadline, world.alarms()
        time.sleep(0.2)
        world.authority.turn()
    world.authority.settle()


def frozen(world: World) -> None:
    held = tokens(world.folder)
    assert held is not None
    for each in held._held.values():
        assert each._open is not None
        os.kill(each._open.token._process.pid, signal.SIGSTOP)


LOSSES: dict[str, Callable[[World, Shim], None]] = {
    "frozen": lambda world, _: frozen(world),
    "slow": lambda _, shim: shim.behaves("s"),
    "wrong": lambda _, shim: shim.behaves("w"),
    "broken": lambda _, shim: shim.behaves("e"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_while_a_token_does_not_sign_nothing_is_and_status_is_what_it_was(world: World, shim: Shim, loss: str) -> None:
    before = world.granted()
    known = issued(world)
    approval = world.seconded(world.drafted(device=device(2)))
    LOSSES[loss](world, shim)
    world.authority.turn()
    assert AlarmCode.TOKEN_OUT_OF_USE in alarms(world)
    assert issued(world) == known
    assert world.record(before).certificates
    assert not world.record(approval).certificates
    (said,) = [each.sentence for each in world.alarms() if each.code is AlarmCode.TOKEN_OUT_OF_USE]
    assert "is out of use (token-" in said
    shim.behaves("")
    settled_again(world)
    assert len(world.record(approval).certificates) == 1
    assert len(issued(world)) == len(known) + 1
    assert kinds(world).count(FactKind.CERTIFICATE_ISSUED) == len(issued(world))


def test_the_doctor_looks_for_the_token_and_logs_in_to_none(
    world: World, shim: Shim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"directory": str(world.folder / "keys"), "passphrase": "prompt"}
    said = {**keys, "token": "pkcs11:token=Trial%20CPA", "module": str(shim.module)}
    before = shim.logins()

    def seen(table: dict[str, str]) -> list[object]:
        found = list(look_at_tokens(judged({"keys": table}, tmp_path)))
        return [each.code if isinstance(each, Finding) else each for each in found]

    (well,) = seen(said)
    assert str(well).startswith("The token “Trial CPA” is there, in which 6 keys should be")
    assert seen(keys) == []
    monkeypatch.setattr("keys.token._FINAL_TRY", -1)  # SoftHSM counts no wrong PIN: any flag is that one
    assert seen(said)[0] == FindingCode.TOKEN_FINAL_TRY
    assert shim.logins() == before
    (tmp_path / "token" / "tokens").rename(tmp_path / "taken out")
    (tmp_path / "token" / "tokens").mkdir()
    assert seen(said) == ["token-absent"]


# --- a power cut -----------------------------------------------------------------------------------------------------


def _dies(url: str, folder: str, at: str) -> None:
    """Work off what waits, and die by kill -9 at the boundary that follows the claim; in a process of its own."""
    world = World(url, Path(folder))
    world.authority.holder = "the one that died"

    claimed: list[str] = []  # what is signed before the claim is a head

    def die(boundary: str) -> None:
        if boundary == "after commit claim":
            claimed.append(boundary)
        elif claimed and boundary == at:
            os.kill(os.getpid(), signal.SIGKILL)

    boundaries.observe(die)
    world.authority.settle()


@pytest.mark.parametrize("at", ["after signature", "before commit record certificates"])
def test_a_power_cut_between_signature_and_record_leaves_one_certificate(world: World, at: str) -> None:
    decision = world.proposed(ProposeGrant(world.applied(), "It looks sound."))
    world.authority.settle()
    approval = world.seconded(decision)
    release_lease(world.store, world.authority.holder, world.machine)
    world.memory.close()
    dying = multiprocessing.get_context("spawn").Process(target=_dies, args=(world.url, str(world.folder), at))
    dying.start()
    dying.join(60)
    assert dying.exitcode == -signal.SIGKILL
    assert issued(world) == []
    world.passes(world.authority.pace.lease_length * 2)
    again = World(world.url, world.folder, world.clock, world.machine)
    again.authority.settle()
    (certificate,) = issued(again)
    with again.store.read() as tx:
        (row,) = tx.connection.execute(select(drafts.c.tbs, drafts.c.state)).all()
    assert (tbs_sha256(certificate), row.state) == (hashlib.sha256(row.tbs).hexdigest(), DraftState.SIGNED)
    assert len(again.record(approval).certificates) == 1
    assert kinds(again).count(FactKind.CERTIFICATE_ISSUED) == 1
    again.close()

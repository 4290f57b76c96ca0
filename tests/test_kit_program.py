"""The program against the simulator: a copy over HTTP, killed whenever, ends equal to the register."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_kit_mirror import NOW, log_of
from verify.kit.canonical import read
from verify.kit.clock import now
from verify.kit.fetching import Authority
from verify.kit.mirror import Mirror
from verify.kit.program import COMMANDS, main
from verify.kit.simulated import Log, granted
from verify.kit.simulator import Simulator
from verify.kit.stopped import Stopped

RUN = [sys.executable, "-c", "from verify.kit.program import main; main()"]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(("127.0.0.1", 0), log_of(), now) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def exits(words: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(str(ended.value.code))


@pytest.mark.parametrize("name", COMMANDS)
def test_each_help_fits_a_screen_and_ends_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exits([name, "--help"]) == 0
    lines = capsys.readouterr().out.rstrip().splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[-1].startswith(f"  trialcpa-verify {name}")


def test_a_wrong_key_of_the_log_is_told_with_where_to_get_the_right_one(
    simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    witness = ["witness", str(tmp_path / "w"), "--key", str(tmp_path / "k"), "--name", "n"]
    for words in (["mirror", str(tmp_path / "c")], witness):
        for key in ("", "a+00000000+AAAA"):
            assert exits([*words, "--base", simulator.base, "--log-key", key]) == 2
            assert "/v1/authority" in capsys.readouterr().err
    other = str(Log("TEST/another/log/1").key)
    assert exits(["mirror", str(tmp_path / "c"), "--base", simulator.base, "--once", "--log-key", other]) == 1
    assert "/v1/authority" in capsys.readouterr().err


def test_a_copy_is_made_and_asked_and_hears_of_a_revocation(
    simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, log = str(tmp_path / "copy"), ["--log-key", str(simulator.log.key)]
    simulator.told({"grant": 77})
    once = ["mirror", file, "--base", simulator.base, "--once", *log]
    ask = ["ask", "--copy", file, "--approval", granted(77, NOW)["approval"], *log]
    assert exits(once) == 0
    assert exits(ask) == 0
    Authority(simulator.base).post("/simulate", {"revoke": granted(77, NOW)["approval"], "seconds_ago": 5})
    assert exits(once) == 0
    capsys.readouterr()
    assert exits(ask) == 1
    assert json.loads(capsys.readouterr().out)["state"] == "cancelled"
    Authority(simulator.base).post("/simulate", {"wrong": "register-differs"})
    assert exits(once) == 1
    assert "stopped by root" in capsys.readouterr().err


def test_whoever_answers_too_late_or_not_at_all_is_not_believed(simulator: Simulator) -> None:
    simulator.told({"delay": 0.5})
    with pytest.raises(Stopped, match="not answered"):
        Authority(simulator.base, seconds=0.05).get("/v1/register")
    assert Authority(simulator.base).post("/simulate", {"wrong": "?"})[0] == 400
    with pytest.raises(ValueError, match="no address"):
        Authority("file:///etc/passwd")


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.long)])
def test_a_copy_killed_at_random_ends_equal_to_the_register(simulator: Simulator, tmp_path: Path, kills: int) -> None:
    dice = random.Random(13)
    file = tmp_path / "copy"
    words = ["mirror", str(file), "--base", simulator.base, "--log-key", str(simulator.log.key)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    number = 1_000
    for _ in range(kills):
        for _ in range(300):
            number += 1
            simulator.told({"grant": number})
        with subprocess.Popen([*RUN, *words], env=environment, stderr=subprocess.DEVNULL) as process:
            until = time.monotonic() + 20
            while not file.exists() and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(dice.random() * 0.4)
            process.send_signal(signal.SIGKILL)
    copy = Mirror(file, simulator.log.key, clock=now)
    assert kills == 3 or copy.size > 1_000  # they were killed at work, and what they had done was there
    while not copy.follow(Authority(simulator.base)):
        pass
    assert list(copy.documents().values()) == read(simulator.log.register())["approvals"]
    assert copy.wrong() == []


def test_a_witness_signs_over_http_only_what_it_is_shown_to_follow(
    simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["witness", str(tmp_path / "seen"), "--key", str(tmp_path / "key"), "--name", "dcc.example/w"]
    there = [*words, "--base", simulator.base, "--log-key", str(simulator.log.key)]
    assert exits([*words, "--show-key"]) == 0
    assert capsys.readouterr().out.startswith("dcc.example/w+")
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    assert exits(there) == 0
    assert exits(there) == 0  # the same again
    simulator.log.add(NOW)
    assert exits(there) == 2  # the simulator proves nothing

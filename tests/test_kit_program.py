"""The program against the simulator: a copy over HTTP, killed whenever, ends equal to the register."""

import base64
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from tests.kit_world import root
from tests.test_kit_mirror import NOW, log_of
from verify.kit.canonical import read
from verify.kit.clock import now
from verify.kit.fetching import Authority
from verify.kit.merkle import included, leaf_hash
from verify.kit.mirror import Mirror
from verify.kit.note import checkpoint
from verify.kit.program import COMMANDS, main
from verify.kit.simulated import Log, granted
from verify.kit.simulator import Simulator
from verify.kit.stopped import Check, Stopped

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
    assert exits(there) == 0
    simulator.told({"wrong": "other-history"})
    simulator.log.add(NOW)
    assert exits(there) == 1
    assert len(list(tmp_path.glob("seen.two-histories-*"))) == 1


def test_the_simulator_has_evidence_that_is_right_until_it_is_told_otherwise(
    simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulator.told({"grant": 77})
    authority, approval = Authority(simulator.base), granted(77, NOW)["approval"]

    def checked() -> tuple[int, list[int]]:
        leaf = authority.get(f"/v1/approvals/{approval}/certificate")
        certificate, issuing = x509.load_pem_x509_certificates(leaf)
        request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuing, hashes.SHA256()).build()
        octets = {
            "leaf": certificate.public_bytes(Encoding.DER),
            "root": authority.get("/ca/root.cer"),
            "issuer": authority.get("/ca/issuing.cer"),
            "list": authority.get("/crl/issuing.crl"),
            "root-list": authority.get("/crl/root.crl"),
            "ocsp": authority.post("/ocsp", request.public_bytes(Encoding.DER))[1],
        }
        file = {name: str(tmp_path / name) for name in octets}
        for name, said in octets.items():
            Path(file[name]).write_bytes(said)
        words = ["check", file["leaf"], "--root", file["root"], "--issuer", file["issuer"], "--list", file["list"]]
        capsys.readouterr()
        status = exits([*words, "--list", file["root-list"], "--ocsp", file["ocsp"], "--test", "--json"])
        return status, json.loads(capsys.readouterr().out)["checks"]

    assert checked() == (0, [])
    for wrong, status, checks in (
        ("list-stale", 2, [25]),
        ("list-signature-wrong", 1, [25]),
        ("answer-stale", 2, [26]),
        ("answer-signature-wrong", 1, [26]),
        ("nothing", 0, []),
    ):
        simulator.told({"wrong": wrong})
        assert checked() == (status, checks), wrong
    simulator.told({"revoke": approval, "seconds_ago": 5})
    assert checked() == (1, [28])
    status, body = authority.post("/v1/verify", {"approval": approval})
    assert (status, read(body)["state"]) == (200, "cancelled")
    assert authority.post("/v1/verify", {"no": "question"})[0] == 400
    assert read(authority.get("/v1/authority"))["log"]["verifier_key"] == str(simulator.log.key)
    simulator.told({"delay": 0.5})
    with pytest.raises(Stopped, match="not answered"):
        Authority(simulator.base, seconds=0.05).get("/crl/issuing.crl")


def test_the_simulators_register_is_signed_and_its_proofs_and_tiles_are_right(
    simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    authority, log = Authority(simulator.base), simulator.log
    (tmp_path / "root").write_bytes(authority.get("/ca/root.cer"))
    mirror = ["mirror", str(tmp_path / "copy"), "--base", simulator.base, "--once", "--log-key", str(log.key)]
    mirror += ["--root", str(tmp_path / "root")]
    assert exits(mirror) == 0
    assert "the authority signed it at" in capsys.readouterr().out
    simulator.told({"wrong": "register-signature-wrong"})
    assert exits(mirror) == 1
    told = capsys.readouterr().err
    assert ("stopped by signature" in told, "(--root)" in told, "--log-key" in told) == (True, True, False)
    simulator.told({"wrong": "nothing"})
    for _ in range(600):
        log.add(NOW)
    seen = checkpoint(log.note())
    for row in (1, 2, 300, seen.size):
        said = read(authority.get(f"/v1/proofs/inclusion?row={row}&size={seen.size}"))
        leaf = leaf_hash(said["leaf_data"].encode())
        hashes_ = [base64.b64decode(each) for each in said["hashes"]]
        assert included(leaf, row - 1, seen.size, hashes_, seen.root)
    first = authority.get("/tile/0/000")
    assert first == b"".join(log.leaves[:256])
    assert authority.get("/tile/0/002.p/5") == b"".join(log.leaves[512:517])
    assert authority.get("/tile/1/000.p/2") == root(log.leaves[:256]) + root(log.leaves[256:512])
    entries = authority.get("/tile/entries/001")
    length = int.from_bytes(entries[:2])
    assert leaf_hash(entries[2 : 2 + length]) == log.leaves[256]
    for absent in ("/tile/0/003", "/tile/1/000", "/tile/x", "/v1/proofs/inclusion?row=0", "/v1/nothing", "/tile/0/-01"):
        with pytest.raises(Stopped, match="404"):
            authority.get(absent)


@pytest.mark.parametrize(("rows", "said"), [(0, ""), (1, "1 row that was"), (2, "2 rows that were")])
def test_a_register_of_before_is_told_with_how_many_rows_were_added_since(
    simulator: Simulator,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    rows: int,
    said: str,
) -> None:
    before = simulator.log.register()
    for number in range(rows):
        simulator.told({"grant": 77 + number})
    monkeypatch.setattr(simulator.log, "register", lambda: before)  # it is signed once in a while
    mirror = ["mirror", str(tmp_path / "copy"), "--base", simulator.base, "--once"]
    assert exits([*mirror, "--log-key", str(simulator.log.key)]) == 0
    told = capsys.readouterr().out
    assert f"The register of 10 rows says the same{f', but of {said} added since' if said else ''}.\n" in told


def test_a_copy_that_is_damaged_is_neither_a_yes_nor_a_no(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(b"SQLite format 3\0" + b"\xff" * 4_080)
    asked = ["ask", "--copy", str(copy), "--approval", "TDT-2027-0001-X", "--log-key", str(Log().key)]
    assert exits(asked) == 2
    assert capsys.readouterr().err.startswith("trialcpa-verify: ")


@pytest.mark.parametrize(("length", "said"), [(10**6, "to its end"), (3, "")])
def test_whoever_answers_a_drop_at_a_time_is_not_waited_for_for_ever(length: int, said: str) -> None:
    def drips(listening: socket.socket) -> None:
        with suppress(OSError), listening.accept()[0] as asked:
            asked.recv(4_096)
            asked.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length)
            for _ in range(min(length, 200)):
                asked.sendall(b"x")
                time.sleep(0.02)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drips, args=(listening,), daemon=True)
        thread.start()
        authority = Authority(f"http://127.0.0.1:{listening.getsockname()[1]}", seconds=5, whole=0.5)
        if said:
            with pytest.raises(Stopped, match=said) as stopped:
                authority.get("/v1/checkpoint")
            assert stopped.value.check is Check.UNREACHABLE
        else:
            assert authority.get("/v1/checkpoint") == b"x" * length
    thread.join(10)

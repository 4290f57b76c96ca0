"""The simulator, asked with what relying parties have: openssl, and a copy that is to see what is wrong."""

import http.client
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.test_kit_mirror import NOW, log_of
from verify.kit.canonical import read
from verify.kit.clock import now
from verify.kit.fetching import Authority
from verify.kit.program import main
from verify.kit.simulated import Wrong, granted
from verify.kit.simulator import Simulator
from verify.kit.vectors import NUMBERS

README = (Path(__file__).parents[1] / "verify" / "README.md").read_text("utf-8")
WORDS = {
    word: line.partition("|")[2]
    for line in re.findall(r"^\| (`[a-z-]+`.*)$", README.partition("## The simulator")[2], re.MULTILINE)
    for word in re.findall(r"`([a-z-]+)`", line.partition("|")[0])
}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(("127.0.0.1", 0), log_of(), now) as server:
        server.told({"grant": 77})
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


APPROVAL = granted(77, NOW)["approval"]


def kind_at(simulator: Simulator, path: str) -> str | None:
    connection = http.client.HTTPConnection(urlsplit(simulator.base).netloc, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.getheader("Content-Type")


def test_each_answer_says_what_it_is(simulator: Simulator) -> None:
    assert {
        path: kind_at(simulator, path)
        for path in ("/crl/issuing.crl", "/ca/root.cer", "/v1/register", "/v1/register.p7s", "/v1/checkpoint", "/x")
    } == {
        "/crl/issuing.crl": "application/pkix-crl",
        "/ca/root.cer": "application/pkix-cert",
        "/v1/register": "application/json",
        "/v1/register.p7s": "application/pkcs7-signature",
        "/v1/checkpoint": "text/plain; charset=utf-8",
        "/x": "application/problem+json",
    }
    assert kind_at(simulator, f"/v1/approvals/{APPROVAL}/certificate") == "application/pem-certificate-chain"
    assert kind_at(simulator, "/v1/feed?after=0") == "application/json"
    assert kind_at(simulator, "/v1/feed?after=x") == "application/problem+json"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="it is openssl that asks")
def test_openssl_asks_it_and_hears_of_a_revocation(simulator: Simulator, tmp_path: Path) -> None:
    authority = Authority(simulator.base)
    (tmp_path / "leaf.pem").write_bytes(authority.get(f"/v1/approvals/{APPROVAL}/certificate"))
    for name in ("root", "issuing"):
        (tmp_path / f"{name}.cer").write_bytes(authority.get(f"/ca/{name}.cer"))
        form = ["openssl", "x509", "-inform", "DER", "-in", f"{name}.cer", "-out", f"{name}.pem"]
        subprocess.run(form, cwd=tmp_path, check=True, timeout=30)
    words = ["openssl", "ocsp", "-issuer", "issuing.pem", "-sha256", "-cert", "leaf.pem", "-CAfile", "root.pem"]
    words += ["-url", f"{simulator.base}/ocsp", "-no_nonce"]

    def asked() -> str:
        ran = subprocess.run(words, cwd=tmp_path, capture_output=True, timeout=30, check=False)
        assert ran.returncode == 0, ran.stderr
        assert b"Response verify OK" in ran.stderr
        return ran.stdout.decode()

    assert "leaf.pem: good" in asked()
    simulator.told({"revoke": APPROVAL, "seconds_ago": 5})
    assert "leaf.pem: revoked" in asked()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"wrong": "foo"}, list(Wrong)),
        ({"wrong": ["foo"]}, list(Wrong)),
        ({"revoke": "nope"}, ["'nope' was not granted", granted(1, NOW)["approval"]]),
        ({"revoke": ["nope"]}, ["was not granted", granted(1, NOW)["approval"]]),
        ({"foo": 1}, ["grant", "revoke", "wrong", "delay"]),
        ({"revoke": APPROVAL, "second_ago": 5}, ["seconds_ago"]),
        ({"grant": "x"}, ["grant is a whole number"]),
        ({"delay": -1}, ["delay is a number of seconds"]),
    ],
)
def test_what_it_does_not_know_is_refused_with_what_it_knows(
    simulator: Simulator, said: dict[str, object], words: list[str]
) -> None:
    status, body = Authority(simulator.base).post("/simulate", said)
    assert status == 400
    assert [each for each in words if each not in read(body)["detail"]] == []
    assert (simulator.log.wrong, simulator.delay) == (Wrong.NOTHING, 0)


def test_its_start_says_where_it_is_and_how_it_is_told(simulator: Simulator) -> None:
    told = simulator.introduced()
    assert len(told.splitlines()) == 3
    assert f"--base {simulator.base};" in told
    assert f"--log-key {simulator.log.key}\n" in told
    url, said = re.findall(r"curl -s (\S+) -d '(.*)'", told)[0]
    status, _ = Authority(simulator.base).post(url.removeprefix(simulator.base), json.loads(said))
    assert status == 200
    assert simulator.log.document(json.loads(said)["revoke"])["end_cause"] == "ssc"
    assert f"-d '{said}'" in README


def test_a_word_trips_the_check_that_the_readme_names(
    simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(WORDS) == set(Wrong) - {Wrong.NOTHING}
    (tmp_path / "root").write_bytes(Authority(simulator.base).get("/ca/root.cer"))
    number = {each.value: str(one) for each, one in NUMBERS.items()}

    words = ["mirror", str(tmp_path / "copy"), "--base", simulator.base, "--log-key", str(simulator.log.key), "--once"]
    words += ["--root", str(tmp_path / "root")]

    def mirrored() -> str:
        with pytest.raises(SystemExit):
            main(words)
        stopped = re.findall("stopped by ([a-z-]+):", capsys.readouterr().err)
        return number[stopped[0]] if stopped else ""

    for place, (word, told) in enumerate(WORDS.items(), 100):
        assert mirrored() == ""
        if "with the next row" in told:
            simulator.told({"grant": place})
        simulator.told({"wrong": word})
        named = re.findall("[0-9]+", told)[0]
        assert mirrored() == ("" if named in {"25", "26"} else named), word  # those are of `check`
        simulator.told({"wrong": "nothing"})

"""The story, played against a real server: it ends in agreement, and names each channel that is corrupted."""

import base64
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from rich.console import Console

from app.cli.ceremony import make, planned
from core.clock import SystemClock
from core.errors import StoryRefused, ToolsMissing
from keys.passphrase import new_passphrase
from story import linters, tools
from story.album import Album, Content
from story.play import PARTS, play, play_life
from story.stage import Stage, free_port, stage_in
from story.telling import Teller
from tests.people_world import trialcpa as typed
from tests.readme_commands import copied, unknown_in

Alter = Callable[[httpx.Request, bytes], bytes]

NUMBERED = re.compile(r"(\d\d)-[a-z0-9-]+\.(csr|json|cer|pem|der|crl|html|zip)")


@dataclass
class Told:
    """What a run of the command said."""

    home: Path
    status: int
    lines: list[str]


def trialcpa(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "app.cli.main", *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The whole story, on its own, in an empty home."""
    home = tmp_path_factory.mktemp("story") / "home"
    ran = trialcpa("story", "--home", str(home), "--port", str(free_port()))
    assert ran.stderr == ""
    return Told(home, ran.returncode, ran.stdout.strip().splitlines())


@pytest.fixture(scope="module")
def stage(told: Told) -> Iterator[Stage]:
    """The server of the same home, running."""
    with stage_in(told.home, lambda _: None) as made:
        yield made


@pytest.mark.clause("F2.31")
def test_on_its_own_in_an_empty_home_every_channel_agrees(told: Told) -> None:
    assert (told.status, told.lines[-1]) == (0, "every channel agrees"), "\n".join(told.lines)
    text = "\n".join(told.lines)
    assert "✗" not in text
    for proof in (
        "same-person",
        "error 23 at depth 0",
        "privilegeWithdrawn",
        "cessationOfOperation",
        "23:59:59Z: active",
        "trialcpa-verify decision",
        "by their own keys",
    ):
        assert proof in text
    assert max(map(len, told.lines)) <= 100
    assert "\x1b" not in text  # plain where there is no terminal


def test_nothing_that_it_started_is_left_running(told: Told) -> None:
    assert not list((told.home / "run").glob("*.pid"))
    port = re.search(r"on\s+port\s+(\d+)", " ".join(told.lines))
    assert port is not None
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port[1]}/healthz", trust_env=False)


def test_each_command_of_the_readme_works_as_it_stands_there(
    stage: Stage, told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against the demo authority of this home, as `var` of the folder in which they are typed."""
    (tmp_path / "var").symlink_to(told.home)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("getpass.getpass", lambda _: "correct horse battery staple")
    run = []
    for each in copied(f"{SystemClock().now():%Y-%m}"):
        assert unknown_in(each.words) == []
        # The rest of this file plays the story; a token is somebody's own (tests/test_token.py).
        if each.whole and each.words[0] != "story" and not any(word.startswith("pkcs11:") for word in each.words):
            said = typed(*each.words, TRIALCPA_URL=stage.server)
            assert (said.status, each.to is None or said.out != "") == (0, True), (each, said)
            run.append(each.words[:2])
    assert len(run) == 8
    assert (tmp_path / "jane.key.pub.pem").exists()
    assert next(tmp_path.glob("trial-devices-*.pdf")).read_bytes().startswith(b"%PDF-")


def test_every_object_and_exchange_is_kept_in_order_without_any_api_key(told: Told) -> None:
    folder = told.home / "story"
    names = sorted(path.name for path in folder.iterdir() if path.name != "README.txt")
    matches = [NUMBERED.fullmatch(name) for name in names]
    assert [match and int(match[1]) for match in matches] == list(range(1, len(names) + 1))
    kinds = [name.rpartition(".")[2] for name in names]
    assert {kind: kinds.count(kind) for kind in ("csr", "crl", "cer")} == {"csr": 2, "crl": 9, "cer": 8}
    keys = [each["api_key"] for each in json.loads((told.home / "demo" / "credentials.json").read_text()).values()]
    decided = [each["request"]["path"] for each in json.loads((folder / "02-decision.json").read_text())]
    assert decided[1:3] == ["/v1/applications", "/v1/decisions"]  # after the day was asked for
    assert [path.rpartition("/")[2] for path in decided].count("second") == 2  # the one that is refused, too
    for path in folder.iterdir():
        held = path.read_bytes()
        assert held, path.name
        assert not [key for key in keys if key.encode() in held]
        assert b"PRIVATE KEY" not in held


def test_the_commands_in_its_readme_run_and_say_what_the_story_said(told: Told) -> None:
    folder = told.home / "story"
    said: dict[str, list[str]] = {}
    moment = ""
    for line in (folder / "README.txt").read_text().replace("\\\n", " ").splitlines():
        if line.startswith("  "):
            if "lint_" in line:
                continue  # the story has run them; each takes a second
            ran = subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True, check=False)
            said.setdefault(moment, []).append(ran.stdout + ran.stderr)
        elif ", at " in line:
            moment = line.partition(",")[0]
    assert (
        f"trialcpa-verify decision {next(folder.glob('*-dossier.zip')).name} --root"
        in (folder / "README.txt").read_text()
    )
    assert list(said) == ["", "ACTIVE", "CANCELLED", "PAST", "LAST-SECOND", "EXPIRED"]
    for moment, good in (
        ("ACTIVE", True),
        ("CANCELLED", False),
        ("PAST", True),
        ("LAST-SECOND", True),
        ("EXPIRED", False),
    ):
        _, verified, gnutls, answered, checked = said[moment][:5]
        assert ("OK" in verified, "error 23" in verified) == (good, not good)
        assert ("Chain verification output: Verified" in gnutls) == good
        assert "Response verify OK" in answered
        assert (": good" in answered, ": revoked" in answered) == (good, not good)
        assert "Success" in checked


# --- corrupting each channel -------------------------------------------------------------------------------------


class Tampering(httpx.BaseTransport):
    """Lies between the story and the server."""

    def __init__(self, inner: httpx.BaseTransport, alter: Alter) -> None:
        self.inner, self.alter = inner, alter

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.inner.handle_request(request)
        body = self.alter(request, answer.read())
        headers = [(name, value) for name, value in answer.headers.items() if name != "content-length"]
        return httpx.Response(answer.status_code, headers=headers, content=body)

    def close(self) -> None:
        self.inner.close()


def still_active(question: str) -> Alter:
    """Verification that has not heard of the revocation."""

    def alter(request: httpx.Request, body: bytes) -> bytes:
        if request.url.path != "/v1/verify":
            return body
        asked, answer = json.loads(request.content), json.loads(body)
        if question not in asked or "at" in asked or answer["state"] != "cancelled":
            return body
        return json.dumps(
            answer | {"state": "active", "valid": True, "deemed_cpa_certificate": True, "reasons": []}
        ).encode()

    return alter


def older(asked: Callable[[httpx.Request], bool]) -> Alter:
    """The first answer that was ever given to a question, for ever."""
    first: dict[str, bytes] = {}

    def alter(request: httpx.Request, body: bytes) -> bytes:
        return first.setdefault(str(request.url), body) if asked(request) else body

    return alter


def flipped(asked: Callable[[httpx.Request], bool], place: int) -> Alter:
    """One bit of the answer is another."""

    def alter(request: httpx.Request, body: bytes) -> bytes:
        return body[:place] + bytes([body[place] ^ 1]) + body[place:][1:] if asked(request) else body

    return alter


def another_certificate(request: httpx.Request, body: bytes) -> bytes:
    """The chain without its first certificate, so that the issuing CA's stands in its place."""
    if not request.url.path.endswith("/certificate"):
        return body
    return body.partition(b"-----END CERTIFICATE-----\n")[2]


def signature_flipped(request: httpx.Request, body: bytes) -> bytes:
    """A certificate that is the right one but for its signature's last bit."""
    if not request.url.path.endswith("/certificate"):
        return body
    first, mark, rest = body.partition(b"-----END CERTIFICATE-----\n")
    head, _, text = first.partition(b"-----BEGIN CERTIFICATE-----\n")
    der = base64.b64decode(text)
    text = base64.encodebytes(der[:-1] + bytes([der[-1] ^ 1]))
    return head + b"-----BEGIN CERTIFICATE-----\n" + text + mark + rest


def path(begin: str, *, method: str = "GET") -> Callable[[httpx.Request], bool]:
    return lambda request: request.method == method and request.url.path.startswith(begin)


def newest_crl(request: httpx.Request) -> bool:
    return re.fullmatch(r"/crl/[0-9a-f]+\.crl", request.url.path) is not None


CORRUPTED: dict[str, tuple[Callable[[Stage], Alter], str]] = {
    "verify by approval": (lambda _: still_active("approval"), "verification follows, verify by approval"),
    "verify by certificate": (lambda _: still_active("certificate"), "verify by certificate"),
    "verify by serial": (lambda _: still_active("serial"), "verify by serial"),
    "verify by device": (lambda _: still_active("device"), "verify by device"),
    "ocsp post": (lambda _: older(path("/ocsp", method="POST")), "OCSP follows, ocsp post sha1, openssl ocsp sha1"),
    "ocsp get": (
        lambda _: older(path("/ocsp/")),
        "ocsp get sha256, openssl ocsp sha256, ocsptool",
    ),
    "crl": (
        lambda _: older(newest_crl),
        "CRL follows, crl, openssl verify, certtool --verify",
    ),
    "public page": (lambda _: older(path("/approvals/")), "public page"),
    "another certificate": (lambda _: another_certificate, "certificate"),
    "certificate with another signature": (lambda _: signature_flipped, "certificate"),
}


ENDS_IT = frozenset({"another certificate", "certificate with another signature"})
"""What ends the story at once: nothing else is asked then."""


def corrupted(channels: Iterable[str], stage: Stage, folder: Path) -> tuple[Teller, str]:
    """Play it with these channels corrupted; the teller, and everything that it told."""
    alters = [CORRUPTED[channel][0](stage) for channel in channels]

    def alter(request: httpx.Request, body: bytes) -> bytes:
        return reduce(lambda altered, each: each(request, altered), alters, body)

    written = io.StringIO()
    teller = Teller(Console(file=written))
    play_life(teller, Album(folder / "story"), stage, wrap=lambda inner: Tampering(inner, alter), following=3.0)
    assert not teller.end()
    return teller, written.getvalue()


def test_channels_that_are_corrupted_together_are_all_named(stage: Stage, tmp_path: Path) -> None:
    together = CORRUPTED.keys() - ENDS_IT
    teller, written = corrupted(sorted(together), stage, tmp_path)
    named = {name for each in together for name in CORRUPTED[each][1].split(", ")}
    # An old list and an old answer bear each other out, for whoever has nothing else.
    assert set(teller.failed) == named | {"offline verifier"}, written


@pytest.mark.parametrize(
    "channel", [each if each in ENDS_IT else pytest.param(each, marks=pytest.mark.long) for each in CORRUPTED]
)
def test_each_channel_that_is_corrupted_is_named_alone(channel: str, stage: Stage, tmp_path: Path) -> None:
    _, written = corrupted([channel], stage, tmp_path)
    assert written.strip().splitlines()[-1] == f"not every channel agrees: {CORRUPTED[channel][1]}", written


@pytest.mark.parametrize("channel", ["offline verifier"])
def test_a_corrupted_root_list_is_named_by_what_needs_it(channel: str, stage: Stage, tmp_path: Path) -> None:
    with httpx.Client(trust_env=False) as client:
        address = client.get(f"{stage.server}/v1/authority").json()["root"]["crl"]
    alter = flipped(path(httpx.URL(address).path), -1)
    written = io.StringIO()
    teller = Teller(Console(file=written))
    play_life(teller, Album(tmp_path / "story"), stage, wrap=lambda inner: Tampering(inner, alter), following=3.0)
    assert channel in teller.failed
    assert not set(teller.failed) & {"crl", "ocsp get sha256", "verify by approval", "public page"}


def test_a_server_that_goes_away_is_named(stage: Stage, tmp_path: Path) -> None:
    def gone(request: httpx.Request, body: bytes) -> bytes:
        if request.url.path.endswith("/second"):
            raise httpx.ConnectError("gone")
        return body

    teller = Teller(Console(file=io.StringIO()))
    play_life(teller, Album(tmp_path / "story"), stage, wrap=lambda inner: Tampering(inner, gone), following=3.0)
    assert teller.failed == ("server",)


# --- what it leaves alone ----------------------------------------------------------------------------------------


def test_an_interrupted_story_is_cleared_away_and_told_again(told: Told, stage: Stage, tmp_path: Path) -> None:
    written = io.StringIO()
    teller = Teller(Console(file=written))
    alter = another_certificate  # ends the story while its approval is in force
    play_life(teller, Album(tmp_path / "story"), stage, wrap=lambda inner: Tampering(inner, alter), following=3.0)
    ran = trialcpa("story", "--only", "certificate", TRIALCPA_HOME=str(told.home))
    assert (ran.returncode, ran.stdout.splitlines()[-1]) == (0, "every channel agrees"), ran.stdout
    assert "left open by an interrupted story, was revoked first" in ran.stdout
    assert f"The server of {told.home} answers" in " ".join(ran.stdout.split())
    assert (told.home / "story.previous" / "README.txt").exists()
    assert httpx.get(f"{stage.server}/healthz", trust_env=False).status_code == 200  # it was there before


def test_a_finding_of_a_linter_is_named_with_the_file(tmp_path: Path) -> None:
    album = Album(tmp_path / "story")
    der = _without_key_identifier()
    album.keep("odd.cer", der, Content.CERTIFICATE)
    album.keep("odd.crl", b"no list", Content.CRL)
    proofs = {proof.name: proof for proof in linters.lint(album)}
    assert [name for name, proof in proofs.items() if proof.ok] == []
    assert "01-odd.cer" in proofs["lint_pkix_cert"].detail
    assert "02-odd.crl" in proofs["lint_crl"].detail


def _without_key_identifier() -> bytes:
    """A certificate without a subject key identifier, which pkilint warns of."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "odd")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, datetime(2027, 1, 1), datetime(2028, 1, 1))  # noqa: DTZ001 - UTC, as the builder takes it
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_live_authority_is_left_alone(tmp_path: Path) -> None:
    home, secret = tmp_path / "live", tmp_path / "passphrase"
    secret.write_text(new_passphrase())
    secret.chmod(0o600)
    base = "http://trial-cpa.smartenergycodecompany.co.uk"
    make(planned(home, "live", arc="1.3.6.1.4.1.99999.172", base_url=base, passphrase=f"file:{secret}"))
    before = (home / "store.sqlite").read_bytes()
    with pytest.raises(StoryRefused, match="is live"):
        play(Teller(Console(file=io.StringIO())), home, tmp_path / "second", PARTS)
    assert not (home / "story").exists()
    assert (home / "store.sqlite").read_bytes() == before


def test_another_authority_on_the_port_is_not_taken_for_ours(stage: Stage, tmp_path: Path) -> None:
    home = tmp_path / "other"
    port = int(stage.server.rpartition(":")[2])
    make(planned(home, "test", port=port))
    with pytest.raises(StoryRefused, match="another authority"), stage_in(home, lambda _: None):
        pass


def test_missing_tools_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolsMissing) as caught:
        tools.require_tools()
    assert "openssl, certtool, ocsptool, faketime" in str(caught.value)
    assert caught.value.hint == "On Debian: apt-get install faketime gnutls-bin openssl"


def test_help_fits_a_screen_and_ends_with_an_example() -> None:
    lines = trialcpa("story", "--help").stdout.rstrip().splitlines()
    assert len(lines) <= 24
    assert lines[-1].strip().startswith("trialcpa story")

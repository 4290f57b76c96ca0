"""The command line: what a person types wrong gets a sentence, and leaves nothing behind."""

import json
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.serving import address
from app.client import require_safe
from app.settings import change_port, load
from core.alarms import Alarm, AlarmCode
from core.kinds import ProcessRole
from store.transactions import Store
from store.verbs import watching
from tests.people_world import trialcpa as people_run
from tests.world import NOW

ROOT = Path(__file__).resolve().parent.parent


PROCESSES = {"serve", "run"}
"""These take signals as their own, and are started as they would be. That every command starts so, the README's are
proof of (tests/test_story.py); what it says is the same in this process, and a second is saved each time."""


def trialcpa(*words: str, home: Path) -> "subprocess.CompletedProcess[str]":
    asked = [*words, "--home", str(home)]
    if words[0] not in PROCESSES:
        said = people_run(*asked)
        return subprocess.CompletedProcess(asked, said.status, said.out, said.err)
    command = [sys.executable, "-m", "app.cli.main", *asked]
    return subprocess.run(
        command, check=False, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
    )


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("authority") / "home"
    made = trialcpa("init", "--test", "--demo", home=home)
    assert made.returncode == 0, made.stderr
    return home


@pytest.mark.parametrize(
    "words",
    [
        ["serve"],
        ["run", "web"],
        ["run", "authority"],
        ["run", "courier"],
        ["check"],
        ["access", "list"],
        ["access", "revoke", "nothing"],
        ["clock", "show"],
        ["journal", "export"],
        ["root-crl", "--root-dir", "nowhere"],
        ["store", "revision"],
    ],
)
def test_without_an_authority_each_says_how_to_make_one(words: list[str], tmp_path: Path) -> None:
    said = trialcpa(*words, home=tmp_path / "nothing")
    assert said.returncode == 1
    assert "There is no authority" in said.stderr
    assert "trialcpa init" in said.stderr
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Say --test or --live"),
        (["--live"], "no defaults for --arc, --base-url, --passphrase"),
        (["--live", "--demo"], "a live authority has none"),
        (["--test", "--name", "Trial"], "begins with TEST"),
        (["--test", "--base-url", "ftp://h.example"], "http:// or https://"),
        (["--test", "--base-url", "http://localhost"], "a name with a dot"),
        (["--test", "--passphrase", "hunter2"], "none of file:PATH, fd:N, credential:NAME and prompt"),
        (["--test", "--test-clock", "2001-01-01T00:00:00Z"], "a clock only runs ahead"),
        (["--test", "--test-clock", "soon"], "not a date or time"),
        (
            [
                "--live",
                "--arc",
                "1.3.6.1.4.1.32473.172",
                "--base-url",
                "http://pki.sec.example",
                "--passphrase",
                "fd:9",
            ],
            "for documentation and tests",
        ),
        (
            ["--live", "--arc", "1.3.6.1.4.1.99999.1", "--base-url", "http://127.0.0.1:8470", "--passphrase", "fd:9"],
            "leads nowhere from outside",
        ),
    ],
)
def test_a_ceremony_that_cannot_be_held_leaves_nothing_behind(words: list[str], told: str, tmp_path: Path) -> None:
    said = trialcpa("init", *words, home=tmp_path / "home")
    assert said.returncode in {1, 2}
    assert told in " ".join(said.stderr.split())
    assert "hunter2" not in said.stdout + said.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("below", "store", "told"),
    [
        ("file/home", None, "place-unusable"),
        ("home", "nonsense", "store-url-unusable"),
        ("home", "sqlite:////nowhere/at/all/store.sqlite", "store-url-unusable"),
        ("home", "postgresql://nobody:secret@127.0.0.1:9/x", "store-unavailable"),
    ],
)
def test_a_place_that_cannot_be_used_is_told_in_a_sentence_and_nothing_is_left(
    below: str, store: str | None, told: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    said = people_run("init", "--test", "--home", str(tmp_path / below), *(["--store", store] if store else []))
    assert (said.status, f"[{told}]" in said.err) == (1, True), said.err
    assert "secret" not in said.words
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("127.0.0.1", 8470, "http://127.0.0.1:8470"),
        ("0.0.0.0", 9000, "http://127.0.0.1:9000"),
        ("::1", 8470, "http://[::1]:8470"),
        ("::", 8470, "http://[::1]:8470"),
    ],
)
def test_the_banner_names_where_the_service_is_found(host: str, port: int, url: str) -> None:
    assert address(host, port) == url
    require_safe(url)


def test_a_port_that_is_taken_is_told_before_anything_is_made(tmp_path: Path, held: Path) -> None:
    before = (held / "trialcpa.toml").read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        for home in (tmp_path / "new", held):
            said = trialcpa("serve", "--test", "--port", port, home=home)
            assert said.returncode == 1
            assert f"Something listens on 127.0.0.1:{port} already" in said.stderr
    assert not (tmp_path / "new").exists()
    assert (held / "trialcpa.toml").read_bytes() == before


def test_an_authority_is_never_overwritten(held: Path) -> None:
    before = (held / "ceremony" / "transcript.txt").read_bytes()
    said = trialcpa("init", "--test", home=held)
    assert said.returncode == 1
    assert "never overwritten" in said.stderr
    assert (held / "ceremony" / "transcript.txt").read_bytes() == before


def test_what_a_test_authority_offers_stands_in_its_settings(held: Path) -> None:
    assert load(held).console_demo


def test_what_is_secret_is_for_its_owner_only(held: Path) -> None:
    secrets = [
        *held.glob("keys/*"),
        *held.glob("root/*"),
        *held.glob("demo/*"),
        *held.glob("*.toml"),
        *held.glob("*.sqlite*"),
    ]
    assert len(secrets) >= 8
    for path in secrets:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_the_demo_credentials_have_the_form_that_is_promised(held: Path) -> None:
    made = json.loads((held / "demo" / "credentials.json").read_text())
    assert set(made) == {
        "auditor", "dcc", "manufacturer", "monitor", "panel", "ssc-admin",
        "ssc-officer-1", "ssc-officer-2", "ssc-officer-3",
    }  # fmt: skip
    assert all(set(each) == {"api_key", "role", "organisation"} for each in made.values())
    assert len({each["api_key"] for each in made.values()}) == len(made)


def test_a_key_is_granted_listed_and_revoked(held: Path) -> None:
    granted = trialcpa("access", "grant", "--name", "jane.doe", "--role", "ssc-officer", home=held)
    key, identifier = granted.stdout.strip(), granted.stderr.split()[0]
    assert key.startswith("tcpa_")
    assert key not in granted.stderr
    assert f"{identifier}  in force" in trialcpa("access", "list", home=held).stdout
    assert trialcpa("access", "revoke", identifier, home=held).returncode == 0
    listed = trialcpa("access", "list", home=held).stdout
    assert f"{identifier}  revoked" in listed
    assert key not in listed
    again = trialcpa("access", "revoke", identifier, home=held)
    assert again.returncode == 1
    assert "[wrong-state]" in again.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--name", "Jane Doe", "--role", "dcc"], "small letters"),
        (["--name", "acme", "--role", "manufacturer"], "needs an organisation"),
        (["--name", "acme", "--role", "manufacturer", "--organisation", "A" * 65], "1 to 64 printable characters"),
        (["--name", "acme", "--role", "dcc", "--days", "4000"], "between a second and"),
        (["--name", "acme", "--role", "king"], "is not one of"),
    ],
)
def test_a_credential_that_would_not_be_right_is_not_made(held: Path, words: list[str], told: str) -> None:
    before = trialcpa("access", "list", home=held).stdout
    said = trialcpa("access", "grant", *words, home=held)
    assert said.returncode in {1, 2}
    assert told in " ".join(said.stderr.split())
    assert trialcpa("access", "list", home=held).stdout == before


def test_the_clock_only_runs_ahead(held: Path) -> None:
    moved = trialcpa("clock", "advance", "--to", "2031-01-01T00:00:00Z", home=held)
    assert moved.stdout.startswith("2031-01-01T00:00:0")
    back = trialcpa("clock", "advance", "--to", "2030-01-01T00:00:00Z", home=held)
    assert back.returncode == 1
    assert "only forward" in back.stderr
    assert trialcpa("clock", "show", home=held).stdout.startswith("2031-01-01T00:")


def test_where_lists_and_register_agree_there_is_nothing_to_settle(held: Path) -> None:
    told = trialcpa("crl", "settle", home=held)
    assert told.stdout.strip() == "The register has every end as it was published."
    told = trialcpa("crl", "settle", "00" * 16, "--date", "published", "--why", "INC-7", home=held)
    assert (told.returncode, "There is no difference about certificate" in told.stderr) == (1, True)


def test_check_looks_at_everything_and_the_wrong_mode_of_a_key_is_found(held: Path) -> None:
    assert trialcpa("check", "--keys", home=held).returncode == 0
    key = held / "keys" / "issuing-1.key"
    key.chmod(0o644)
    said = trialcpa("check", "--keys", home=held)
    key.chmod(0o600)
    assert said.returncode == 1
    assert "issuing-1.key" in said.stdout


def test_check_tells_what_the_processes_noticed_and_that_is_no_fault_of_the_house(held: Path) -> None:
    change_port(held, 1)  # where nobody answers
    store = Store(load(held).store_url)
    told = Alarm(code=AlarmCode.ERRAND_FAILS, subject="", since=NOW, sentence="1 of the courier's errands fails.")
    with store.begin("an alarm") as tx:
        watching.raise_alarm(tx, ProcessRole.COURIER, told)
    said = trialcpa("check", home=held)
    with store.begin("no alarm") as tx:
        assert watching.end_alarm(tx, ProcessRole.COURIER, told)
    store.close()
    assert said.returncode == 0
    assert "! errand-fails, since 2027-01-03T12:00:00Z: 1 of the courier's errands fails." in said.stdout
    assert "errand-fails" not in trialcpa("check", home=held).stdout


def test_the_roots_next_list_needs_the_roots_own_key(held: Path) -> None:
    source = f"file:{held / 'keys' / 'passphrase'}"
    published = trialcpa("root-crl", "--root-dir", str(held / "root"), "--passphrase", source, home=held)
    assert published.returncode == 0, published.stderr
    assert "is published, valid until" in published.stdout
    absent = trialcpa("root-crl", "--root-dir", str(held / "keys"), "--passphrase", source, home=held)
    assert absent.returncode == 1
    assert "root.key" in absent.stderr

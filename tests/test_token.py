"""An officer's key in a PKCS#11 token: a real one (SoftHSM) signs, and whatever goes wrong is a sentence."""

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.cli.signing import MODULE_VARIABLE
from core.actors import CONSOLE, Role
from core.errors import (
    TokenAbsent,
    TokenFailed,
    TokenKeyAbsent,
    TokenKeyMisnamed,
    TokenKeyUnusable,
    TokenModuleUnusable,
    TokenPinLocked,
    TokenPinWrong,
    TokenSilent,
    TrialCpaError,
)
from keys import token as tokens
from keys.token import Token, find_token
from keys.token_uri import parse_key
from ra.access import grant_access
from tests.api_world import Api, done
from tests.people_world import People, served, trialcpa, write_private
from tests.token_said import MODULE
from tests.token_world import LABEL, PIN, SoftToken, key, soft_token
from tests.world import World


@pytest.fixture(scope="module")
def soft(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftToken]:
    with soft_token(tmp_path_factory.mktemp("soft")) as made:
        yield made


@pytest.fixture(scope="module")
def held(soft: SoftToken) -> Iterator[Token]:  # noqa: ARG001 - it is found behind the module
    token = find_token(key("good"), MODULE)
    token.log_in(PIN.encode(), writes=True)
    yield token
    token.close()


# --- names -------------------------------------------------------------------------------------------------------


def test_a_key_is_named_as_the_tools_of_tokens_print_it() -> None:
    said = parse_key(
        "pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=97f3;token=Jane%27s%3b;id=%01%ff;"
        "object=jane.doe;type=private?module-path=/usr/lib/a.so"
    )
    assert said.token == {
        "token": "Jane's;",
        "serial": "97f3",
        "model": "SoftHSM v2",
        "manufacturer": "SoftHSM project",
    }
    assert (said.label, said.identifier, said.module) == ("jane.doe", b"\x01\xff", Path("/usr/lib/a.so"))
    again = parse_key(str(said))
    assert (again.token, again.label, again.identifier, again.module) == (said.token, said.label, said.identifier, None)


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("pkcs11:", "which token"),
        ("pkcs11:object=a", "which token"),
        ("pkcs11:token=a", "which key"),
        ("pkcs11:token=a;object=b;token=c", "token twice"),
        ("pkcs11:token=a;object", "object and not which"),
        ("pkcs11:token=a;object=", "object and not which"),
        ("pkcs11:token=%ff;object=b", "its token is not UTF-8"),
        ("pkcs11:token=%1b[2J;object=b", "cannot be read"),
        ("pkcs11:token=a;object=b;type=public", "not type public"),
        ("pkcs11:token=a;object=b;slot-id=1", "slots change"),
        ("pkcs11:token=a;object=b;x-other=1", "something else"),
        ("pkcs11:token=a;object=b?pin-value=24681357", "a PIN is never part of a name"),
        ("pkcs11:token=a;object=b?pin-source=file:x", "--officer-passphrase"),
        (f"pkcs11:token=a;object={'b' * 3_000}", "longer than"),
    ],
)
def test_what_names_no_key_says_why_and_repeats_no_pin(uri: str, told: str) -> None:
    with pytest.raises(TokenKeyMisnamed, match=re.escape(told)) as refused:
        parse_key(uri)
    assert PIN not in str(refused.value)


# --- a token that works ------------------------------------------------------------------------------------------


def test_a_key_is_made_inside_under_its_name_once_and_signs(held: Token) -> None:
    made = held.generate(key("jane.doe"))
    made.prove()
    again = held.key(key("jane.doe"))
    assert again.public_key == made.public_key
    public = load_der_public_key(made.public_key)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(again.sign(b"it is this"), b"it is this", ec.ECDSA(hashes.SHA256()))
    with pytest.raises(TokenKeyUnusable, match="never overwritten"):
        held.generate(key("jane.doe"))
    with pytest.raises(TypeError):
        pickle.dumps(made)


def test_each_key_of_a_token_signs_for_itself(held: Token) -> None:
    one, other = held.key(key("two", b"two 0")), held.key(key("two", b"two 1"))
    assert one.public_key != other.public_key
    for each in (one, other, one):
        each.prove()


BAD_KEYS: dict[str, tuple[type[TrialCpaError], str]] = {
    "none": (TokenKeyAbsent, "it has none"),
    "two": (TokenKeyAbsent, "it has several"),
    "P-384": (TokenKeyUnusable, "not a P-256 key"),
    "RSA": (TokenKeyUnusable, "not a P-256 key"),
    "extractable": (TokenKeyUnusable, "CKA_EXTRACTABLE"),
    "silent": (TokenKeyUnusable, "CKA_SIGN"),
    "alone": (TokenKeyUnusable, "its public half is not beside it"),
}


@pytest.mark.parametrize("label", BAD_KEYS)
def test_a_key_that_is_not_there_or_not_as_it_must_be_is_not_used(held: Token, label: str) -> None:
    error, told = BAD_KEYS[label]
    with pytest.raises(error, match=told) as refused:
        held.key(key(label))
    assert f"“{label}”" in str(refused.value)


# --- a token that does not ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("soft")
def test_a_token_that_is_not_there_or_not_one_is_told() -> None:
    for named, told in ((key("good", token="John's"), f"“{LABEL}”"), (key("good", token="twin"), "several")):
        with pytest.raises(TokenAbsent, match=told):
            find_token(named, MODULE)


@pytest.mark.usefixtures("soft")
@pytest.mark.parametrize("pin", [b"1", b"00000000", b"\xff\xff\xff\xff"])
def test_a_wrong_pin_is_told(pin: bytes) -> None:
    token = find_token(key("good"), MODULE)
    with pytest.raises(TokenPinWrong):
        token.log_in(pin)
    token.log_in(PIN.encode())


ANSWERS: dict[str, tuple[type[TrialCpaError], str]] = {
    "PinLocked": (TokenPinLocked, "its PIN is locked"),
    "PinExpired": (TokenPinLocked, "expired"),
    "UserPinNotInitialized": (TokenPinLocked, "no PIN yet"),
    "DeviceRemoved": (TokenAbsent, "taken out"),
    "TokenNotPresent": (TokenAbsent, "taken out"),
    "DeviceError": (TokenFailed, "PKCS#11 says DeviceError"),
}


@pytest.mark.parametrize("error", ANSWERS)
def test_what_pkcs11_says_of_a_failure_is_an_error_of_ours(
    held: Token, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    # SoftHSM has no lock and cannot be pulled out: the answer is exchanged on its way.
    monkeypatch.setattr("keys.token.read_json", lambda _: {"error": error})
    expected, told = ANSWERS[error]
    with pytest.raises(expected, match=told):
        held.key(key("good"))


def test_nobody_is_asked_for_the_pin_of_a_locked_token(held: Token, monkeypatch: pytest.MonkeyPatch) -> None:
    for flags, final in ((0x00020000, True), (0x00010000, False)):
        monkeypatch.setattr(held, "_ask", lambda *_, flags=flags, **__: {"flags": flags})
        held.find(MODULE)
        assert held.final_try is final
    monkeypatch.setattr(held, "_ask", lambda *_, **__: {"flags": 0x00040000})
    with pytest.raises(TokenPinLocked):
        held.find(MODULE)


@pytest.mark.parametrize("wrong", [b"", b"\x01" * 64, b"\x01" * 63, b"\xff" * 96])
def test_a_signature_that_does_not_verify_is_not_used(
    held: Token, monkeypatch: pytest.MonkeyPatch, wrong: bytes
) -> None:
    signer = held.key(key("good"))
    monkeypatch.setattr(held, "signature", lambda *_: wrong)
    with pytest.raises(TokenFailed, match="does not verify"):
        signer.sign(b"it is this")


@pytest.mark.usefixtures("soft")
def test_a_token_that_hangs_or_dies_is_told_in_time_and_found_anew() -> None:
    for number, error in ((signal.SIGSTOP, TokenSilent), (signal.SIGKILL, TokenFailed)):
        token = find_token(key("good"), MODULE)
        token.log_in(PIN.encode())
        signer = token.key(key("good"))
        token._seconds = 0.1
        os.kill(token._process.pid, number)
        begun = time.monotonic()
        with pytest.raises(error):
            signer.sign(b"it is this")
        assert time.monotonic() - begun < 5
        assert token._process.returncode == -signal.SIGKILL
        with pytest.raises(TokenFailed, match="died"):
            signer.sign(b"it is this")


def test_a_module_that_is_none_or_hangs_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("no library")
    os.mkfifo(tmp_path / "fifo.so")  # whoever opens it waits for ever
    with pytest.raises(TokenModuleUnusable, match="none is named"):
        find_token(key("good"))
    for name, told in (("none.so", "No such file"), ("text.so", "text.so")):
        with pytest.raises(TokenModuleUnusable, match=told):
            find_token(key("good"), tmp_path / name)
    with pytest.raises(TokenSilent, match=r"within 0\.5 seconds"):
        find_token(key("good"), tmp_path / "fifo.so", seconds=0.5)


def test_a_process_whose_module_hangs_is_not_left_behind_by_one_that_died(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.so")
    ours, theirs = Pipe()
    with theirs:
        command = [sys.executable, "-m", "keys.token_process", str(theirs.fileno())]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
    ours.send_bytes(json.dumps({"do": "find", "seconds": -0.9, "module": str(tmp_path / "fifo.so")}).encode())
    assert process.wait(20) == -signal.SIGALRM
    ours.close()


@pytest.mark.usefixtures("soft")
def test_a_token_that_is_parted_with_leaves_no_process() -> None:
    token = find_token(key("good"), MODULE)
    token.close()
    assert token._process.returncode == 0


# --- on the command line -----------------------------------------------------------------------------------------


def test_without_the_extra_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "find_spec", lambda _: None)
    said = trialcpa("officer", "key", "show", "pkcs11:token=a;object=b", **{MODULE_VARIABLE: str(MODULE)})
    assert (said.status, "pip install 'trialcpa[hsm]'" in said.words) == (1, True), said.words


def test_a_key_is_made_and_shown_and_no_secret_is_asked_for_in_vain(
    soft: SoftToken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def typed(question: str) -> str:
        asked.append(question)
        return PIN

    monkeypatch.setattr("keys.passphrase.getpass.getpass", typed)
    monkeypatch.chdir(tmp_path)
    uri = "pkcs11:token=Jane%27s;object=typed"
    with_module = {MODULE_VARIABLE: str(MODULE)}
    made = trialcpa("officer", "key", "new", uri, **with_module)
    public = tmp_path / "typed.pub.pem"
    assert (made.status, asked) == (0, [f"PIN of the token “{LABEL}”: "]), made.words
    shown = trialcpa("officer", "key", "show", f"{uri}?module-path={MODULE}", "--passphrase", soft.pin)
    assert shown.out == f"{made.out}{public.read_text()}"
    asked.clear()
    assert trialcpa("officer", "key", "show", str(public)).out == shown.out
    for words, told in (
        (("new", uri), "never overwritten"),
        (("new", "pkcs11:token=Jane%27s;object=a%2Fb"), "--public FILE"),
        (("new", "pkcs11:token=Jane%27s;id=%01"), "how the new key is to be called"),
        (("show", "pkcs11:token=John;object=a"), "it is not there"),
        (("show", str(tmp_path / "none.pem")), "No such file"),
    ):
        said = trialcpa("officer", "key", *words, **with_module)
        assert (said.status > 0, told in said.words, asked) == (True, True, []), said.words


# --- signing -----------------------------------------------------------------------------------------------------


@pytest.fixture
def people(store_copy: Callable[[str], str], keys_folder: Path, tmp_path: Path) -> Iterator[People]:
    world = World(store_copy("sqlite"), keys_folder)
    (tmp_path / "keys").mkdir()
    with served(Api(world), tmp_path / "keys") as made:
        yield made
    world.close()


@pytest.mark.clause("F2.18")
def test_what_a_token_signs_counts_for_the_authority(people: People, soft: SoftToken, tmp_path: Path) -> None:
    uri, public = "pkcs11:token=Jane%27s;object=officer-4", tmp_path / "four.pub.pem"
    with_token = ("--officer-key", uri, "--officer-passphrase", soft.pin, "--pkcs11-module", str(MODULE))
    new = ("officer", "key", "new", uri, "--public", str(public), "--passphrase", soft.pin)
    thumbprint = trialcpa(*new, "--pkcs11-module", str(MODULE)).out.strip()
    desk = people.api.world.desk
    life = desk.rules.longest_credential
    access = grant_access(desk, CONSOLE, name="officer-4", role=Role.SSC_OFFICER, organisation=None, life=life)
    write_private(people.keys / "officer-4.key", access.api_key.encode())
    decision = people.api.proposed(kind="grant", application=people.api.applied())
    people.api.settle()
    second = ("decide", "second", decision, "--yes-i-have-read")

    early = people.run("officer-4", *second, *with_token)
    assert (early.status, f"The key {thumbprint} is not on this authority's roster" in early.words) == (1, True)
    change = ("roster", "change", "--add", f"officer-4={public}", "--why", "Pat has joined.")
    assert people.run("officer-1", *change).status == 0
    (order,) = json.loads(people.run("officer-2", "order", "list", "--json").out)["orders"]
    assert people.run("officer-2", "order", "authorise", order["order"], "--yes-i-have-read").status == 0
    people.api.settle()

    write_private(tmp_path / "wrong", b"00000000")
    wrong = people.run("officer-4", *second, *with_token, "--officer-passphrase", f"file:{tmp_path / 'wrong'}")
    assert (wrong.status, "[token-pin-wrong]" in wrong.words) == (1, True), wrong.words
    signed = people.run("officer-4", "officer", "sign", "--decision", decision, "--act", "second", "--yes-i-have-read",
                        *with_token)  # fmt: skip
    assert json.loads(signed.out)["authorisation"]["key"] == thumbprint
    done_by = people.run("officer-4", *second, *with_token)
    assert done_by.status == 0, done_by.words
    people.api.settle()
    assert done(people.api.ask("auditor", "GET", f"/v1/decisions/{decision}"))["state"] == "done"

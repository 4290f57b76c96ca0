"""A token that an authority holds: whatever becomes of it is told at once, nothing wrong is used, and it comes back."""

import errno
import json
import os
import pickle
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11 import Mechanism

from core.errors import (
    KeyUnusable,
    PassphraseUnusable,
    TokenKeyUnusable,
    TokenLacksMechanism,
    TokenOutOfUse,
    TokenPinAtRisk,
    TokenPinWrong,
    TrialCpaError,
)
from keys.ceremony import JOURNAL_FILE, RECORD_FILE, issuing_file
from keys.held_token import HeldToken
from keys.log_key import LOG_FILE, log_signature_holds
from keys.passphrase import FromCredential, FromFile, parse_source
from keys.place import InTokens, KeyPlace, KeyRole, Tokens
from keys.signer import Signer
from keys.token_uri import KeyInToken, KeyKind
from tests.people_world import write_private
from tests.shim_world import Shim, built
from tests.token_world import AUTHORITY, PIN, SoftToken, authority_token

MESSAGE = b"a head of the journal"
BACK_SECONDS = 30.0
TOKEN = KeyInToken(token={"token": AUTHORITY}, label=None, identifier=None)


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Shim:
    return built(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def soft(tmp_path: Path, shim: Shim) -> Iterator[SoftToken]:
    shim.behaves("")
    with authority_token(tmp_path / "token") as made:
        yield made


def said(soft: SoftToken, shim: Shim) -> InTokens:
    pin = FromFile(soft.folder / "pin")
    return InTokens(pin=pin, token=TOKEN, roles=frozenset(KeyRole), module=shim.module, seconds=2.0)


@pytest.fixture
def place(soft: SoftToken, shim: Shim, tmp_path: Path) -> Iterator[KeyPlace]:
    tokens = Tokens(said(soft, shim))
    yield KeyPlace(folder=tmp_path / "keys", passphrase=b"of those in files", tokens=tokens)
    tokens.close()


def holds(signer: Signer, signature: bytes) -> bool:
    public = load_der_public_key(signer.public_key)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(signature, MESSAGE, ec.ECDSA(hashes.SHA256()))
    return True


def held(place: KeyPlace) -> HeldToken:
    assert place.tokens is not None
    (found,) = place.tokens._held.values()
    return found


def process(place: KeyPlace) -> "subprocess.Popen[bytes]":
    opened = held(place)._open
    assert opened is not None
    return opened.token._process


def until_back(signer: Signer) -> bytes:
    deadline = time.monotonic() + BACK_SECONDS
    while True:
        try:
            return signer.sign(MESSAGE)
        except TokenOutOfUse:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


# --- keys that never leave -----------------------------------------------------------------------------------------


def test_keys_of_every_kind_are_made_inside_once_and_their_files_say_only_where(place: KeyPlace) -> None:
    issuing, log = place.made(issuing_file(1)), place.made_log_key(LOG_FILE)
    record = place.made_record_key(RECORD_FILE)
    assert holds(issuing, issuing.sign(MESSAGE))
    assert log_signature_holds(log.public_key, MESSAGE, log.sign(MESSAGE))
    assert log.sign(MESSAGE) == log.sign(MESSAGE)
    for each in (issuing, log):
        with pytest.raises(TypeError):
            pickle.dumps(each)
    for name in (issuing_file(1), LOG_FILE, RECORD_FILE):
        path = place.folder / name
        assert path.read_text().startswith(f"pkcs11:token=Trial%20CPA;object={path.stem};id=%")
        assert path.stat().st_mode & 0o777 == 0o600
    assert place.made(issuing_file(1)).public_key == place.opened(issuing_file(1)).public_key == issuing.public_key
    assert place.made_log_key(LOG_FILE).public_key == place.log_key(LOG_FILE).public_key == log.public_key
    assert place.record_key(RECORD_FILE).seal(b"a record") == record.seal(b"a record")
    assert place.made(issuing_file(2)).public_key != issuing.public_key


def test_a_name_whose_key_was_not_made_any_more_gets_it_and_one_that_is_only_opened_does_not(place: KeyPlace) -> None:
    # As if we had died behind the file of the name.
    uri = f"pkcs11:token=Trial%20CPA;object=journal;id=%{os.urandom(1).hex()}%02"
    place.folder.mkdir(mode=0o700)
    write_private(place.folder / JOURNAL_FILE, uri.encode())
    with pytest.raises(TrialCpaError, match="it has none"):
        place.opened(JOURNAL_FILE)
    made = place.made(JOURNAL_FILE)
    assert place.opened(JOURNAL_FILE).public_key == made.public_key


def test_a_key_that_was_brought_from_outside_is_not_the_authority_s(place: KeyPlace, soft: SoftToken) -> None:
    place.made(JOURNAL_FILE)
    outside = soft.folder / "outside.pem"
    words = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(outside)]
    subprocess.run(words, check=True, capture_output=True)
    words = ["softhsm2-util", "--import", str(outside), "--token", AUTHORITY, "--label", "brought", "--id", "b1",
             "--pin", PIN, "--no-public-key"]  # fmt: skip
    subprocess.run([*words[:-1]], check=True, capture_output=True)
    write_private(place.folder / issuing_file(1), b"pkcs11:token=Trial%20CPA;object=brought;id=%b1")
    with pytest.raises(TokenKeyUnusable, match="it was not made in there"):
        place.opened(issuing_file(1))


@pytest.mark.parametrize(
    "lacking", [Mechanism.ECDSA, Mechanism.EC_KEY_PAIR_GEN, Mechanism.SHA256_HMAC, Mechanism.EDDSA]
)
def test_a_key_that_its_token_cannot_make_is_made_nowhere_but_the_log_s_in_a_file(
    place: KeyPlace, shim: Shim, lacking: Mechanism
) -> None:
    shim.behaves(f"m{lacking.value:x}")
    needed: dict[str, tuple[Callable[[str], object], set[Mechanism]]] = {
        issuing_file(1): (place.made, {Mechanism.ECDSA, Mechanism.EC_KEY_PAIR_GEN}),
        RECORD_FILE: (place.made_record_key, {Mechanism.SHA256_HMAC}),
        LOG_FILE: (place.made_log_key, {Mechanism.EDDSA}),
    }
    for name, (make, mechanisms) in needed.items():
        if lacking in mechanisms and name != LOG_FILE:
            with pytest.raises(TokenLacksMechanism, match=f"it lacks CKM_{lacking.name}"):
                make(name)
            assert not (place.folder / name).exists()
        else:
            make(name)
            assert (place.in_token(name) is None) is (lacking in mechanisms)


def test_what_a_file_says_of_a_token_is_followed_or_refused(place: KeyPlace, tmp_path: Path) -> None:
    place.made(JOURNAL_FILE)
    for words, told in ((b"pkcs11:token=a", "names no key"), (b"pkcs11:token=a;object=b?pin-value=1", "PIN")):
        write_private(place.folder / "responder-1.key", words)
        with pytest.raises(KeyUnusable, match=told):
            place.opened("responder-1.key")
    without = KeyPlace(folder=place.folder, passphrase=b"of those in files")
    with pytest.raises(KeyUnusable, match=r"keys\.token"):
        without.opened(JOURNAL_FILE)
    assert tmp_path


# --- a token that does not do what it must -------------------------------------------------------------------------


@pytest.mark.parametrize(("letter", "told"), [("s", "did not answer"), ("w", "does not verify"), ("e", "DeviceError")])
def test_a_token_that_is_slow_wrong_or_broken_signs_nothing_and_comes_back(
    place: KeyPlace, shim: Shim, letter: str, told: str
) -> None:
    signer = place.made(JOURNAL_FILE)
    shim.behaves(letter)
    with pytest.raises(TokenOutOfUse, match=told):
        signer.sign(MESSAGE)
    begun = time.monotonic()
    for _ in range(100):
        with pytest.raises(TokenOutOfUse):
            signer.sign(MESSAGE)
    assert time.monotonic() - begun < 2, "whoever signs meanwhile is told at once"
    time.sleep(2)  # it was opened again by now, and had to prove itself
    with pytest.raises(TokenOutOfUse, match=told):
        signer.sign(MESSAGE)
    assert place.tokens is not None
    assert list(place.tokens.out_of_use()) == [f"“{AUTHORITY}”"]
    shim.behaves("")
    assert holds(signer, until_back(signer))
    assert place.tokens.out_of_use() == {}


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_a_token_whose_process_is_frozen_or_killed_is_open_again_without_a_restart(
    place: KeyPlace, number: signal.Signals
) -> None:
    signer, log = place.made(JOURNAL_FILE), place.made_log_key(LOG_FILE)
    before = process(place)
    os.kill(before.pid, number)
    begun = time.monotonic()
    with pytest.raises(TokenOutOfUse):
        signer.sign(MESSAGE)
    assert time.monotonic() - begun < 2.0 + 3
    assert before.wait(5) == -signal.SIGKILL
    assert holds(signer, until_back(signer))
    assert log_signature_holds(log.public_key, MESSAGE, log.sign(MESSAGE))
    assert process(place).pid != before.pid


def test_what_is_sent_to_all_of_a_service_that_stops_ends_no_token_before_its_last_turn(place: KeyPlace) -> None:
    signer = place.made(JOURNAL_FILE)
    before = process(place)
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(before.pid, number)
    time.sleep(0.5)
    assert holds(signer, signer.sign(MESSAGE))
    assert place.tokens is not None
    assert place.tokens.out_of_use() == {}
    place.tokens.close()
    assert before.wait(5) == 0, "it ends with the pipe"


def test_the_thread_that_opens_a_token_outlives_whatever_it_meets(
    place: KeyPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = place.made(JOURNAL_FILE)

    def until_told(words: str) -> None:
        deadline = time.monotonic() + BACK_SECONDS
        while words not in str(held(place)._why):  # who asks `out_of_use` would start the thread again
            assert time.monotonic() < deadline, held(place)._why
            time.sleep(0.05)

    def no_more_files() -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    def unforeseen(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("keys.token_pipe.Pipe", no_more_files)
        process(place).kill()
        with pytest.raises(TokenOutOfUse):
            signer.sign(MESSAGE)
        until_told("no process can be started for it (Too many open files)")
        patch.setattr("keys.held_token.find_token", unforeseen)
        until_told("not foreseen (RuntimeError)")
    deadline = time.monotonic() + BACK_SECONDS
    while held(place)._open is None:
        assert time.monotonic() < deadline, held(place)._why
        time.sleep(0.05)
    assert holds(signer, signer.sign(MESSAGE))


def test_a_thread_that_cannot_be_started_is_started_by_whoever_looks_next(
    place: KeyPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = place.made(JOURNAL_FILE)

    def no_more_threads(_: threading.Thread) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_more_threads)
        process(place).kill()
        with pytest.raises(TokenOutOfUse):
            signer.sign(MESSAGE)
    assert holds(signer, until_back(signer))


def test_an_answer_that_nobody_foresaw_parts_with_the_token(place: KeyPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    signer = place.made(JOURNAL_FILE)
    before = process(place)
    with monkeypatch.context() as patch:
        patch.setattr("keys.token.read_json", lambda _: {"signature": "no hexadecimal digits"})
        with pytest.raises(TokenOutOfUse, match=r"not foreseen \(ValueError\)"):
            signer.sign(MESSAGE)
    assert before.wait(5) == -signal.SIGKILL
    assert holds(signer, until_back(signer))


def test_a_process_that_even_kill_does_not_end_is_in_nobody_s_way(
    place: KeyPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = place.made(JOURNAL_FILE)
    before = process(place)

    def held_fast(_: object, timeout: float | None = None) -> int:
        raise subprocess.TimeoutExpired("what the kernel holds fast", timeout or 0)

    with monkeypatch.context() as patch:
        patch.setattr(subprocess.Popen, "wait", held_fast)
        opened = held(place)._open
        assert opened is not None
        opened.token.close()
        with pytest.raises(TokenOutOfUse):
            signer.sign(MESSAGE)
    before.wait(5)
    assert holds(signer, until_back(signer))


def test_a_full_token_is_told_and_no_half_key_is_used(place: KeyPlace, shim: Shim) -> None:
    signer = place.made(JOURNAL_FILE)
    shim.behaves("f")
    for made in (place.made, place.made_log_key, place.made_record_key):
        name = {"made": issuing_file(1), "made_log_key": LOG_FILE, "made_record_key": RECORD_FILE}[made.__name__]
        until_back(signer)
        with pytest.raises(TokenOutOfUse, match="it is full"):
            made(name)
    shim.behaves("")
    until_back(signer)
    made_now = place.made(issuing_file(1))
    assert holds(made_now, made_now.sign(MESSAGE))


def test_a_token_that_was_taken_out_is_told_so_until_it_is_there_again(place: KeyPlace, soft: SoftToken) -> None:
    signer = place.made(JOURNAL_FILE)
    aside = (soft.folder / "tokens").rename(soft.folder / "aside")
    (soft.folder / "tokens").mkdir()
    process(place).kill()
    deadline = time.monotonic() + BACK_SECONDS
    with pytest.raises(TokenOutOfUse):
        signer.sign(MESSAGE)
    while "it is not there" not in str(held(place).out_of_use):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    (soft.folder / "tokens").rmdir()
    aside.rename(soft.folder / "tokens")
    assert holds(signer, until_back(signer))


def test_a_pin_that_is_refused_is_tried_once_and_no_more(place: KeyPlace, soft: SoftToken, shim: Shim) -> None:
    signer = place.made(JOURNAL_FILE)
    before = shim.logins()
    from tests.token_keys import set_pin  # noqa: PLC0415 - a module that was loaded once stays

    set_pin(AUTHORITY, PIN, "13572468")
    process(place).kill()
    with pytest.raises(TokenOutOfUse):
        signer.sign(MESSAGE)
    deadline = time.monotonic() + BACK_SECONDS
    while not isinstance(held(place).out_of_use, TokenPinWrong):
        assert time.monotonic() < deadline, held(place).out_of_use
        time.sleep(0.1)
    time.sleep(6)  # longer than any rest
    assert shim.logins() == before + 1
    with pytest.raises(TokenOutOfUse, match="PIN"):
        signer.sign(MESSAGE)
    assert soft.folder.exists()


def test_a_wrong_pin_of_a_file_is_tried_by_one_start_and_by_none_after_it(
    soft: SoftToken, shim: Shim, tmp_path: Path
) -> None:
    first = KeyPlace(folder=tmp_path / "keys", passphrase=b"of those in files", tokens=Tokens(said(soft, shim)))
    first.made(JOURNAL_FILE)
    assert first.tokens is not None
    first.tokens.close()
    before = shim.logins()
    write_private(soft.folder / "pin", b"13572468")

    def start(told: type[TrialCpaError]) -> None:
        tokens = Tokens(said(soft, shim))
        place = KeyPlace(folder=tmp_path / "keys", passphrase=b"of those in files", tokens=tokens)
        for _ in range(2):
            with pytest.raises(told):
                place.opened(JOURNAL_FILE)
        assert {type(why) for why in tokens.out_of_use().values()} == {told}

    start(TokenPinWrong)
    assert shim.logins() == before + 1
    start(TokenPinAtRisk)
    start(TokenPinAtRisk)
    assert shim.logins() == before + 1
    # A person who types the right one may: that takes the count back, and a file that says it is gone by again.
    typed = HeldToken(TOKEN, PIN.encode(), shim.module, seconds=2.0, typed=True)
    typed.close()
    write_private(soft.folder / "pin", PIN.encode())
    again = Tokens(said(soft, shim))
    signer = replace(first, tokens=again).opened(JOURNAL_FILE)
    assert holds(signer, signer.sign(MESSAGE))
    again.close()


def test_a_token_is_opened_once_however_many_ask_at_once(soft: SoftToken, shim: Shim) -> None:
    before = shim.logins()
    tokens = Tokens(said(soft, shim))
    with ThreadPoolExecutor(8) as many:
        found = list(many.map(lambda _: tokens.held(TOKEN), range(8)))
    assert len({id(each) for each in found}) == 1
    assert shim.logins() == before + 1
    tokens.close()


def test_another_key_under_the_same_name_is_not_taken_for_it(place: KeyPlace, shim: Shim) -> None:
    signer = place.made(JOURNAL_FILE)
    known = held(place)._known
    (name,) = known
    # As if somebody had put another token in its place.
    object.__setattr__(known[name], "public_key", b"of another key")
    process(place).kill()
    with pytest.raises(TokenOutOfUse):
        signer.sign(MESSAGE)
    deadline = time.monotonic() + BACK_SECONDS
    while "another one than before" not in str(held(place).out_of_use):
        assert time.monotonic() < deadline, held(place).out_of_use
        time.sleep(0.1)
    assert shim.module.exists()


# --- threads -------------------------------------------------------------------------------------------------------


def test_one_log_in_serves_all_threads_and_who_waits_for_another_does_not_wait_for_ever(
    soft: SoftToken, shim: Shim, tmp_path: Path
) -> None:
    before = shim.logins()
    tokens = Tokens(said(soft, shim))
    place = KeyPlace(folder=tmp_path / "keys", passphrase=b"of those in files", tokens=tokens)
    signers = [place.made(name) for name in (JOURNAL_FILE, issuing_file(1), issuing_file(2))]
    with ThreadPoolExecutor(8) as many:
        made = list(many.map(lambda number: signers[number % 3].sign(MESSAGE), range(60)))
    assert all(holds(signers[number % 3], each) for number, each in enumerate(made))
    assert shim.logins() == before + 1
    shim.behaves("s")
    failed: list[TokenOutOfUse] = []

    def sign() -> None:
        try:
            signers[0].sign(MESSAGE)
        except TokenOutOfUse as error:
            failed.append(error)

    threads = [threading.Thread(target=sign) for _ in range(8)]
    begun = time.monotonic()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (len(failed), time.monotonic() - begun < 8) == (8, True)
    shim.behaves("")
    tokens.close()


# --- where the PIN comes from --------------------------------------------------------------------------------------


def test_a_pin_may_be_a_credential_of_systemd(tmp_path: Path, soft: SoftToken, shim: Shim) -> None:
    given = tmp_path / "credentials"
    given.mkdir()
    (given / "pin").write_text(PIN)
    (given / "pin").chmod(0o440)  # as systemd leaves one that it gives by an ACL
    source = parse_source("credential:pin", credentials=given)
    assert (str(source), source.read()) == ("credential:pin", PIN.encode())
    (given / "pin").chmod(0o444)
    with pytest.raises(PassphraseUnusable, match="lets others at it"):
        source.read()
    with pytest.raises(PassphraseUnusable, match="systemd gave this process no credentials"):
        FromCredential(None, "pin").read()
    for wrong in ("credential:", "credential:../pin", "credential:.pin", "pin:1234"):
        with pytest.raises(PassphraseUnusable, match="none of"):
            parse_source(wrong, credentials=given)
    (given / "pin").chmod(0o400)
    token = HeldToken(TOKEN, source.read(), shim.module, seconds=2.0)
    assert token.lacks(KeyKind.ED25519) == []
    token.close()
    assert json.dumps(str(soft.folder))

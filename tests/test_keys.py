"""Private keys go in, signatures come out; files are sealed, whole, and never overwritten."""

import errno
import io
import os
import pickle
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from core import boundaries
from core.errors import KeyUnusable, PassphraseUnusable
from keys import passphrase, sealed
from keys.ceremony import JOURNAL_FILE, RECORD_FILE, ROOT_FILE, issuing_file, make_keys, responder_file, statement_file
from keys.log_key import LOG_FILE
from keys.place import KeyPlace
from keys.signer import SoftwareSigner, throwaway, throwaway_key

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
SECRET = b"correct horse battery staple"
# RFC 6979, A.2.5: P-256 with SHA-256, message "sample".
RFC_6979_KEY = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
RFC_6979_R = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
RFC_6979_S = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


class _Death(BaseException):
    """A power cut."""


def test_nobody_is_asked_for_the_passphrase_of_a_key_that_is_not_there(tmp_path: Path) -> None:
    class _Asked(passphrase.FromPrompt):
        def read(self) -> bytes:
            raise AssertionError("somebody was asked")

    (tmp_path / "open.key").write_text("no key")
    (tmp_path / "open.key").chmod(0o644)  # whatever the umask of whoever runs this
    for name, told in (("none.key", "No such file"), ("open.key", "make it 0600")):
        with pytest.raises(KeyUnusable, match=told):
            sealed.open_asked(tmp_path / name, _Asked())
    sealed.generate(tmp_path / "root.key", SECRET)
    passphrase_file = tmp_path / "passphrase"
    passphrase_file.write_bytes(SECRET)
    passphrase_file.chmod(0o600)
    sealed.open_asked(tmp_path / "root.key", passphrase.FromFile(passphrase_file)).sign(b"x")


@pytest.fixture
def dying() -> Iterator[Callable[[str], None]]:
    def at(boundary: str) -> None:
        def observer(name: str) -> None:
            if name == boundary:
                raise _Death

        boundaries.observe(observer)

    yield at
    boundaries.observe(None)


def test_signature_is_the_one_of_rfc_6979() -> None:
    signer = SoftwareSigner(ec.derive_private_key(RFC_6979_KEY, ec.SECP256R1()))
    assert decode_dss_signature(signer.sign(b"sample")) == (RFC_6979_R, RFC_6979_S)
    assert signer.sign(b"sample") == signer.sign(b"sample")


def test_signing_passes_the_boundary_that_the_kill_sweep_dies_at() -> None:
    passed: list[str] = []
    boundaries.observe(passed.append)
    try:
        throwaway(SoftwareSigner(ec.generate_private_key(ec.SECP256R1())).public_key).sign(b"x")
    finally:
        boundaries.observe(None)
    assert passed == ["before signature", "after signature"]


def test_throwaway_is_of_the_same_kind_and_another_key_each_time() -> None:
    public_key = SoftwareSigner(ec.generate_private_key(ec.SECP256R1())).public_key
    one, other = throwaway(public_key), throwaway(public_key)
    assert len({one.public_key, other.public_key, public_key}) == 3
    assert one.public_key[:27] == public_key[:27]  # the same algorithm and curve
    loaded = serialization.load_der_public_key(public_key)
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    signature = one.sign(b"x")
    with pytest.raises(InvalidSignature):
        loaded.verify(signature, b"x", ec.ECDSA(hashes.SHA256()))


def test_no_other_curve_signs() -> None:
    with pytest.raises(ValueError, match="secp384r1"):
        SoftwareSigner(ec.generate_private_key(ec.SECP384R1()))
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    with pytest.raises(ValueError, match="secp384r1"):
        throwaway_key(
            other.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        )


def test_signer_does_not_travel() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(SoftwareSigner(ec.generate_private_key(ec.SECP256R1())))


def test_sealed_key_opens_again_and_only_with_its_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "issuing.key"
    signer = sealed.generate(path, SECRET)
    assert sealed.open_sealed(path, SECRET).public_key == signer.public_key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert _names(path.parent) == ["issuing.key"]
    with pytest.raises(KeyUnusable, match="passphrase"):
        sealed.open_sealed(path, b"wrong")


def test_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    sealed.generate(path, SECRET)
    before = path.read_bytes()
    with pytest.raises(KeyUnusable, match="never overwritten"):
        sealed.generate(path, SECRET)
    assert path.read_bytes() == before


def test_the_second_of_two_ceremonies_at_one_moment_loses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.key"
    first = sealed.generate(path, SECRET)
    monkeypatch.setattr(Path, "exists", lambda _: False)  # both looked before either wrote
    with pytest.raises(KeyUnusable, match="cannot be written"):
        sealed.generate(path, SECRET)
    monkeypatch.undo()
    assert sealed.open_sealed(path, SECRET).public_key == first.public_key
    assert _names(tmp_path) == ["a.key"]


def test_empty_passphrase_seals_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable):
        sealed.generate(tmp_path / "a.key", b"")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o660])
def test_key_that_others_can_get_at_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.key"
    sealed.generate(path, SECRET)
    path.chmod(mode)
    with pytest.raises(KeyUnusable, match=f"{mode:04o}"):
        sealed.open_sealed(path, SECRET)


def test_link_to_an_open_file_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    sealed.generate(tmp_path / "a.key", SECRET)
    (tmp_path / "a.key").chmod(0o644)
    (tmp_path / "link").symlink_to(tmp_path / "a.key")
    (tmp_path / "folder").mkdir(mode=0o700)
    for name in ("link", "missing", "folder"):
        with pytest.raises(KeyUnusable):
            sealed.open_sealed(tmp_path / name, SECRET)


def _pem(key: PrivateKey, encryption: serialization.KeySerializationEncryption) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


@pytest.mark.parametrize(
    ("contents", "detail"),
    [
        (_pem(ec.generate_private_key(ec.SECP256R1()), serialization.NoEncryption()), "not an encrypted"),
        (
            _pem(ec.generate_private_key(ec.SECP384R1()), serialization.BestAvailableEncryption(SECRET)),
            "not a P-256 key",
        ),
        (
            _pem(rsa.generate_private_key(65537, 2048), serialization.BestAvailableEncryption(SECRET)),
            "not a P-256 key",
        ),
        (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nrubbish\n", "damaged"),
        (b"", "not an encrypted"),
        (b"-----BEGIN ENCRYPTED PRIVATE KEY-----" + b"A" * sealed.LARGEST_FILE, "larger than"),
    ],
)
def test_other_files_are_refused_with_the_reason(tmp_path: Path, contents: bytes, detail: str) -> None:
    path = tmp_path / "a.key"
    path.write_bytes(contents)
    path.chmod(0o600)
    with pytest.raises(KeyUnusable, match=detail):
        sealed.open_sealed(path, SECRET)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_key_file_never_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / "damaged"
    path = folder / "a.key"
    good = sealed.generate(path, SECRET, exist_ok=True)
    contents = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        contents[data.draw(st.integers(0, len(contents) - 1))] = data.draw(st.integers(0, 255))
    mutant = folder / "b.key"
    mutant.write_bytes(contents)
    mutant.chmod(0o600)
    try:
        opened = sealed.open_sealed(mutant, SECRET)
    except KeyUnusable:
        return
    assert opened.public_key == good.public_key


@pytest.mark.parametrize("death", ["before rename key", "after rename key"])
def test_ceremony_that_dies_at_a_key_ends_with_whole_keys(
    tmp_path: Path, dying: Callable[[str], None], death: str
) -> None:
    dying(death)
    places = (
        KeyPlace(folder=tmp_path / "keys", passphrase=SECRET),
        KeyPlace(folder=tmp_path / "root", passphrase=b"another"),
    )
    with pytest.raises(_Death):
        make_keys(*places)
    survived = (tmp_path / "root" / ROOT_FILE).exists()
    assert survived == (death == "after rename key")
    before = (tmp_path / "root" / ROOT_FILE).read_bytes() if survived else None
    boundaries.observe(None)
    made = make_keys(*places)
    again = make_keys(*places)
    assert (
        made.root.public_key
        == again.root.public_key
        == sealed.open_sealed(
            tmp_path / "root" / ROOT_FILE,
            b"another",
        ).public_key
    )
    assert before in (None, (tmp_path / "root" / ROOT_FILE).read_bytes())
    assert _names(tmp_path / "root") == [ROOT_FILE]
    assert sorted(_names(tmp_path / "keys")) == sorted(
        [issuing_file(1), responder_file(1), statement_file(1), JOURNAL_FILE, LOG_FILE, RECORD_FILE]
    )
    assert len({key.public_key for key in (made.root, made.issuing, made.responder, made.journal)}) == 4


def test_what_an_earlier_death_left_is_removed_once_the_key_is_there(tmp_path: Path) -> None:
    leftover = tmp_path / ".a.key.0123456789abcdef.new"
    leftover.write_bytes(b"half a key")
    sealed.generate(tmp_path / "a.key", SECRET)
    assert _names(tmp_path) == ["a.key"]
    leftover.write_bytes(b"half a key")
    sealed.generate(tmp_path / "a.key", SECRET, exist_ok=True)
    assert _names(tmp_path) == ["a.key"]


def test_root_key_needs_a_folder_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="folder of its own"):
        make_keys(KeyPlace(folder=tmp_path, passphrase=SECRET), KeyPlace(folder=tmp_path, passphrase=SECRET))


@pytest.mark.parametrize(
    ("contents", "read"),
    [(b"secret\n", b"secret"), (b"secret\r\n", b"secret"), (b"secret", b"secret"), (b" se cret \n\n", b" se cret \n")],
)
def test_passphrase_file_loses_one_newline_and_nothing_else(tmp_path: Path, contents: bytes, read: bytes) -> None:
    path = tmp_path / "passphrase"
    path.write_bytes(contents)
    path.chmod(0o600)
    assert passphrase.parse_source(f"file:{path}").read() == read


@pytest.mark.parametrize(
    ("contents", "mode"), [(b"", 0o600), (b"\n", 0o600), (b"x" * 1025, 0o600), (b"x" * 3000, 0o600), (b"x", 0o640)]
)
def test_unfit_passphrase_file_is_refused(tmp_path: Path, contents: bytes, mode: int) -> None:
    path = tmp_path / "passphrase"
    path.write_bytes(contents)
    path.chmod(mode)
    with pytest.raises(PassphraseUnusable):
        passphrase.parse_source(f"file:{path}").read()


def test_missing_passphrase_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PassphraseUnusable):
        passphrase.parse_source(f"file:{tmp_path / 'missing'}").read()
    with pytest.raises(PassphraseUnusable):
        passphrase.parse_source(f"file:{tmp_path}").read()


def test_passphrase_from_a_descriptor_is_read_once() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"secret\n")
    os.close(writing)
    source = passphrase.parse_source(f"fd:{reading}")
    assert source.read() == b"secret"
    with pytest.raises(PassphraseUnusable):
        source.read()


def test_passphrase_is_asked_for_twice_when_it_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    long = SECRET.decode()
    typed = iter([long, long, long, "another one of the length", "ünï"])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    assert passphrase.chosen_passphrase(passphrase.FromPrompt()) == SECRET
    with pytest.raises(PassphraseUnusable, match="differ"):
        passphrase.chosen_passphrase(passphrase.FromPrompt())
    assert passphrase.parse_source("prompt").read() == "ünï".encode()


@pytest.mark.parametrize(
    ("words", "taken"), [("ü" * 15, True), ("ü" * 14, False), ("abc", False), ("            abc", True)]
)
def test_a_passphrase_that_is_chosen_has_fifteen_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, *, taken: bool
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda _: words)
    (tmp_path / "passphrase").write_text(f"{words}\n")
    (tmp_path / "passphrase").chmod(0o600)
    for source in (passphrase.FromPrompt(), passphrase.FromFile(tmp_path / "passphrase")):
        assert source.read() == words.encode()  # one that was chosen before is taken as it is
        if taken:
            assert passphrase.chosen_passphrase(source) == words.encode()
        else:
            with pytest.raises(PassphraseUnusable, match="15 characters at least"):
                passphrase.chosen_passphrase(source)


def test_where_nothing_is_typed_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: str) -> None:
        raise EOFError

    monkeypatch.setattr("getpass.getpass", nothing)
    with pytest.raises(PassphraseUnusable, match="nothing was typed"):
        passphrase.parse_source("prompt").read()


def test_without_a_terminal_nothing_is_read_and_what_to_say_instead_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    opened, piped = os.open, io.StringIO("secret\n")

    def no_terminal(path: str, *others: int) -> int:
        if path == "/dev/tty":
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        return opened(path, *others)

    monkeypatch.setattr(os, "open", no_terminal)
    monkeypatch.setattr("sys.stdin", piped)
    with pytest.raises(PassphraseUnusable, match="no terminal to ask at; say --officer-passphrase file:PATH"):
        passphrase.FromPrompt(instead="--officer-passphrase file:PATH").read()
    assert piped.tell() == 0


@given(st.text())
def test_setting_is_a_source_or_refused_without_repeating_it(setting: str) -> None:
    try:
        source = passphrase.parse_source(setting)
    except PassphraseUnusable as error:
        told = str(error)
    else:
        told = ""
        assert str(source).partition(":")[0] == setting.partition(":")[0]
    assert len(setting) < 5 or setting not in told


@pytest.mark.parametrize(
    "setting", ["", "hunter2", "env:SECRET", "pass:hunter2", "fd:0", "fd:1", "fd:-3", "fd:²", "file:"]
)
def test_no_other_source_is_accepted(setting: str) -> None:
    with pytest.raises(PassphraseUnusable):
        passphrase.parse_source(setting)


def test_new_passphrases_are_long_printable_and_differ() -> None:
    made = {passphrase.new_passphrase() for _ in range(100)}
    assert len(made) == 100
    assert all(len(each) >= 32 and each.isascii() and each.isprintable() for each in made)

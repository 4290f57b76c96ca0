"""Checkpoints as signed notes: written as Go's sumdb/note writes them, and read in no other form."""

import base64
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import note
from core.errors import NoteMalformed
from core.merkle import EMPTY

# The example of Go's golang.org/x/mod/sumdb/note: the key of PeterNeumann, and what it signed.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "log.example/log/1\n3\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n"
NOTE = f"{TEXT}\n\u2014 log.example/log/1 {base64.b64encode(bytes(4) + bytes(64)).decode()}\n"


def test_a_key_is_read_as_go_writes_it() -> None:
    name, key = note.parse_vkey(PETER)
    assert (name, len(key)) == ("PeterNeumann", 32)
    assert note.vkey(name, key) == PETER
    assert note.key_id(name, key).hex() == "c74f20a3"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "PeterNeumann",
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("c74f20a3", "C74F20A3"),
        PETER.replace("Peter", "Peter "),
        PETER + "=",
        "a+00000000+AA==",
        PETER.replace("+AR", "+BB"),
    ],
)
def test_what_is_no_ed25519_key_is_refused(written: str) -> None:
    with pytest.raises(NoteMalformed):
        note.parse_vkey(written)


@pytest.mark.parametrize(
    ("environment", "base_url", "name"),
    [
        ("live", "https://trialcpa.example.org/", "trialcpa.example.org/log/1"),
        ("test", "http://127.0.0.1:8080", "TEST/127.0.0.1:8080/log/1"),
        ("test", "https://a.example/tcpa", "TEST/a.example/tcpa/log/1"),
    ],
)
def test_a_log_is_named_by_where_it_is_found(environment: Literal["test", "live"], base_url: str, name: str) -> None:
    assert note.origin(environment, base_url, 1) == name


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(st.binary(min_size=1), min_size=1))
def test_what_is_written_is_read_back(size: int, root: bytes, signed: list[bytes]) -> None:
    text = note.checkpoint_text("a.example/log/1", size, root)
    signatures = tuple(note.Signature(name="b.example", key_id=bytes(4), octets=each) for each in signed)
    written = note.signed_note(text, signatures)
    if len(written.encode()) > note.MOST_OCTETS:
        return
    assert note.parse_checkpoint(written.encode()) == note.Checkpoint(
        origin="a.example/log/1", size=size, root=root, text=text, signatures=signatures
    )


def test_a_line_that_a_witness_knows_is_kept_in_what_is_signed() -> None:
    read = note.parse_checkpoint(NOTE.replace("\n\n", "\nmore\n\n").encode())
    assert read.text == f"{TEXT}more\n"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\xff",
        TEXT.encode(),
        NOTE[:-1].encode(),
        NOTE.replace("\n3\n", "\n03\n").encode(),
        NOTE.replace("\n3\n", "\n-3\n").encode(),
        NOTE.replace("\n3\n", f"\n{2**63}\n").encode(),
        NOTE.replace("\n3\n", "\n\u0663\n").encode(),
        NOTE.replace("Bb0=", "Bb1=").encode(),
        NOTE.replace("TszzRgjT", "").encode(),
        NOTE.replace("\n", "\r\n").encode(),
        NOTE.replace("\u2014", "-").encode(),
        NOTE.replace("\u2014 log", "\u2014  log").encode(),
        NOTE.replace("\n\n", "\n\n\n").encode(),
        NOTE.replace("log.example/log/1\n3", "\n3").encode(),
        f"{TEXT}\n\u2014 a AAAAAA==\n".encode(),
        (NOTE + NOTE[len(TEXT) + 1 :] * 200).encode(),
    ],
)
def test_what_is_no_checkpoint_is_refused(octets: bytes) -> None:
    assert note.parse_checkpoint(NOTE.encode()).size == 3
    with pytest.raises(NoteMalformed):
        note.parse_checkpoint(octets)


@given(st.binary(max_size=200))
def test_any_octets_are_refused_as_malformed(octets: bytes) -> None:
    with pytest.raises(NoteMalformed):
        note.parse_checkpoint(octets + EMPTY)

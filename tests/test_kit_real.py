"""A copy and a witness of a real authority, over HTTP: the copy answers as the authority does, of every instant."""

import base64
import hashlib
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from werkzeug.serving import make_server

from core.approval import Device, EndCause
from core.identifiers import ApprovalIdentifier
from core.instants import seconds
from core.kinds import HierarchyRole
from ra.telling.approvals import certificate
from store.reading import authority as hierarchy
from store.reading import log as reading
from tests.api_world import Api
from tests.people_world import Quiet, listening
from tests.relying_party_world import W, der
from tests.test_amendments import amended
from tests.test_log import newest, with_log
from tests.test_rekey import rekey
from tests.test_waiting import DECEMBER, MARCH
from tests.world import AUDITOR, World, ending
from verify.kit.canonical import canonical, read
from verify.kit.evidence.parsing import one_certificate
from verify.kit.fetching import Authority
from verify.kit.instants import text
from verify.kit.mirror import Compared, Mirror
from verify.kit.note import body_of, checkpoint, key
from verify.kit.program import main
from verify.kit.stopped import Check, Stopped

FEBRUARY = datetime(2027, 2, 1, 15, 0, tzinfo=UTC)
LONGEST = 3_600
"""Seconds for which the copy is believed: as long as an answer may be relied on, so that none is the shorter for it."""

NOT_IN_A_COPY = ("pending", "ocsp")
"""What a copy says nothing of: what is decided for later, and the authority's signed answer."""


def device(number: int) -> Device:
    return Device("ESME", "AB01", f"{number:08X}", "01")


@dataclass(frozen=True)
class Served:
    """An authority that is asked over a socket."""

    api: Api
    base: str

    @property
    def world(self) -> World:
        return self.api.world

    def copy(self, folder: Path, name: str = "copy") -> Mirror:
        return Mirror(folder / name, self.log_key, clock=self.now, longest=LONGEST)

    @property
    def log_key(self) -> Any:
        held = self.world.memory.log
        assert held is not None
        return key(held.key)

    def now(self) -> int:
        return seconds(self.world.clock.now())

    def follow(self, copy: Mirror) -> None:
        """Let the copy, and what answers for the authority, be the newest."""
        self.api.mirror.follow()
        while not copy.follow(Authority(self.base)):
            pass


@contextmanager
def served_at_a_socket(world: World) -> Iterator[Served]:
    api = Api(world)
    with listening(make_server("127.0.0.1", 0, api.plane, threaded=True, request_handler=Quiet)) as base:
        yield Served(api, base)


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    with_log(world).settle()
    with served_at_a_socket(world) as there:
        yield there


def live(world: World) -> None:
    """Approvals of every fate: active, to begin, ended in each way, amended, with a change that waits, a new key."""
    revoked, withdrawn, broken, leaked, rekeyed, extended, waits, _ = (
        world.granted(device=device(number)) for number in range(1, 9)
    )
    world.granted(device=device(9), start=date(2027, 6, 1))
    world.granted(device=device(10), expiry=date(2027, 1, 20))
    world.granted(device=Device("ESME", "AB01", f"{8:08X}", "02"))  # a variant of the last
    world.at(FEBRUARY)
    world.authority.settle()
    world.revoked(revoked)
    for approval, cause in ((withdrawn, EndCause.MANUFACTURER), (broken, EndCause.SSC)):
        world.seconded(world.proposed(ending(approval, cause, "It has to be.")))
    world.revoked(leaked, EndCause.KEY_COMPROMISE)
    world.seconded(rekey(world, rekeyed, compromised=True))
    world.authority.settle()
    amended(world, extended, expiry=DECEMBER)
    amended(world, waits, maximum_devices=900, effective=MARCH)
    world.authority.settle()


def instants(document: Any, now: int) -> list[int]:
    """Every instant at which something of a document may change, with the seconds around it; none that is to come."""
    said = [document[name] for name in ("granted", "start", "ended_at")]
    said += [each[name] for each in document["terms"] for name in ("effective", "expiry")]
    names = ("not_before", "not_after", "signed_at", "revoked_at", "superseded_at", "issuer_ended_at")
    said += [each[name] for each in document["certificates"] for name in names]
    turns = {_seconds(each) for each in said if each is not None}
    return sorted({at for turn in turns for at in (turn - 1, turn, turn + 1) if at <= now} | {now})


def _seconds(said: str) -> int:
    return seconds(datetime.fromisoformat(said))


def questions(served: Served, copy: Mirror) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every question that both are asked, as each of them is asked it: a copy knows a certificate by its digest."""
    now = served.now()
    for approval, document in copy.documents().items():
        subjects: list[tuple[dict[str, Any], dict[str, Any]]] = [({"approval": approval},) * 2]
        for each in document["certificates"]:
            der = certificate(served.world.desk, AUDITOR, each["serial"]).chain[0]
            assert hashlib.sha256(der).hexdigest() == each["sha256"]
            pem = one_certificate(der).public_bytes(Encoding.PEM).decode()
            subjects += [({"serial": each["serial"]},) * 2, ({"certificate": pem}, {"sha256": each["sha256"]})]
        version = document["terms"][0]["firmware"][0]
        for firmware in ({}, {"firmware_hash": version["image_digest"]}, {"firmware_hash": "0" * 64}):
            asked = {**document["device"], "firmware_version": version["version"], **firmware}
            subjects.append(({"device": asked},) * 2)
        asked = {name: document["device"][name] for name in ("manufacturer", "model")}
        subjects.append(({"device": {**asked, "firmware_version": "9"}},) * 2)
        for theirs, ours in subjects:
            yield theirs, ours
            for at in instants(document, now):
                yield {**theirs, "at": text(at)}, {**ours, "at": text(at)}
    for absent in ({"approval": str(ApprovalIdentifier("test", 2027, 9_999))}, {"serial": "5F" * 16}):
        yield absent, absent


def compare(served: Served, copy: Mirror) -> int:
    """Ask both everything; return how many questions that were."""
    asked, authority = 0, Authority(served.base, api_key=served.api.keys["dcc"])
    for theirs, ours in questions(served, copy):
        status, body = authority.post("/v1/verify", theirs)
        assert status == HTTPStatus.OK, body
        said = read(body)
        copied = dict(copy.holding.asked(ours, served.now()).members)
        for name in NOT_IN_A_COPY:
            del said[name], copied[name]
        assert copied == said, theirs
        asked += 1
    return asked


def test_a_copy_answers_as_the_authority_of_every_approval_at_every_instant(served: Served, tmp_path: Path) -> None:
    live(served.world)
    copy = served.copy(tmp_path)
    served.follow(copy)
    assert len(copy.documents()) == 11
    assert compare(served, copy) > 500
    served.world.passes(MARCH - FEBRUARY)
    served.world.authority.settle()
    served.follow(copy)
    assert compare(served, copy) > 500
    assert copy.wrong() == []


def signed_register(world: World) -> None:
    """Let the register be signed: once in an interval, at what was sealed by then."""
    world.passes(timedelta(minutes=2))
    world.authority.settle()


def test_the_register_is_what_the_copy_has_and_is_signed(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = served.world
    given = [world.granted(device=device(number)) for number in range(1, 4)]
    signed_register(world)
    with world.store.read() as tx:
        root = hierarchy.certificates(tx, HierarchyRole.ROOT)[0].der
    (tmp_path / "root").write_bytes(root)
    (tmp_path / "other").write_bytes(der(W.root))
    words = ["mirror", str(tmp_path / "copy"), "--base", served.base, "--once", "--log-key", str(served.log_key)]

    def mirrored(root: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--root", str(tmp_path / root)])
        said = capsys.readouterr()
        return int(str(ended.value.code)), said.out + said.err

    status, said = mirrored("root")
    assert (status, "says the same; the authority signed it at 2027-01-03T12:02:00Z" in said) == (0, True), said
    world.revoked(given[0])  # behind what was signed
    world.authority.settle()
    status, said = mirrored("root")
    since = re.search("says the same, but of [0-9]+ rows? that (was|were) added since; the authority", said)
    assert (status, since is not None) == (0, True), said
    status, said = mirrored("other")
    assert (status, "stopped by signature" in said) == (1, True), said
    signed_register(world)
    copy = served.copy(tmp_path)
    served.follow(copy)
    found = copy.compare(Authority(served.base), root)
    assert found is not None
    assert (found.size, found.newer) == (copy.size, 0)


# --- killed ----------------------------------------------------------------------------------------------------------

CHILD = "from verify.kit import mirror, program; mirror.PORTION = 7; program.main()"
"""Portions of a few rows: a day of a small authority has many of them then, and a kill lies within one."""


@pytest.mark.parametrize("store_kind", ["sqlite"])
@pytest.mark.parametrize("kills", [4, pytest.param(100, marks=pytest.mark.long)])
def test_a_day_of_a_copy_that_is_killed_at_random_ends_equal_to_the_register(
    served: Served, tmp_path: Path, kills: int
) -> None:
    dice, world = random.Random(13), served.world
    file = tmp_path / "copy"
    words = [sys.executable, "-c", CHILD, "mirror", str(file), "--base", served.base, "--log-key", str(served.log_key)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    given = [world.granted(device=device(number)) for number in range(1, 9)]
    within = 0
    for number in range(kills):
        with subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL) as process:
            until = time.monotonic() + 20
            while not file.exists() and time.monotonic() < until:
                time.sleep(0.01)
            world.passes(timedelta(minutes=14))
            if number % 3 == 2 and given:
                world.revoked(given.pop())
                world.authority.settle()
            else:
                given.append(world.granted(device=device(100 + number)))
            time.sleep(dice.random() * 1.2)  # from before it has begun to behind its last portion
            process.send_signal(signal.SIGKILL)
        with closing(sqlite3.connect(file)) as database:
            found = database.execute("SELECT aside_size > size FROM state").fetchone()
            within += found is not None and found[0]
    assert kills < 100 or within, "not one was killed between two portions of what it had not proved yet"
    copy = served.copy(tmp_path)
    served.follow(copy)
    assert copy.wrong() == []
    signed_register(world)
    served.follow(copy)
    assert copy.compare(Authority(served.base)) == Compared(size=copy.size, newer=0, signed=None)
    with world.store.read() as tx:
        register = {each: read(said.encode()) for each, said in reading.documents(tx, copy.size)}
    assert copy.documents() == register
    assert compare(served, copy) > 10


# --- witnessed -------------------------------------------------------------------------------------------------------


class Lying(BaseHTTPRequestHandler):
    """Shows another history of a log, by the log's own key, and hands on what else is asked."""

    server: "Liar"

    def do_GET(self) -> None:
        octets = Authority(self.server.base).get(self.path) if not self.path.startswith("/v1/checkpoint") else b""
        if self.path.startswith("/v1/feed"):
            octets = canonical({**read(octets), "checkpoint": self.server.note, "rows": self.server.rows(octets)})
        self.send_response(HTTPStatus.OK)
        self.end_headers()
        self.wfile.write(octets or self.server.note.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that is overridden
        """Say nothing."""


class Liar(ThreadingHTTPServer):
    """One that lies.

    Args:
        base: of the authority.
        note: that it shows.
    """

    def __init__(self, base: str, note: str) -> None:
        super().__init__(("127.0.0.1", 0), Lying)
        self.base, self.note = base, note

    def rows(self, octets: bytes) -> list[Any]:
        """The rows of an answer, as far as the note covers them."""
        return [each for each in read(octets)["rows"] if each["number"] <= checkpoint(self.note).size]


@contextmanager
def lying(served: Served, size: int, root: bytes) -> Iterator[str]:
    """Show a tree that the log's own key has signed, whoever has it now."""
    name = served.log_key.name
    body, signer = body_of(name, size, root), served.world.authority.keyring.log
    assert signer is not None
    octets = base64.b64encode(served.log_key.id + signer.sign(body.encode())).decode()
    with Liar(served.base, f"{body}\n\u2014 {name} {octets}\n") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_two_histories_are_seen_by_witness_and_copy_which_keep_the_proof_and_say_so(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["witness", str(tmp_path / "seen"), "--key", str(tmp_path / "key"), "--name", "dcc.example/w"]
    words += ["--log-key", str(served.log_key)]

    def witnessed(base: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--base", base])
        return int(str(ended.value.code))

    copy = served.copy(tmp_path)
    for number in range(1, 4):
        served.world.granted(device=device(number))
        assert witnessed(served.base) == 0
        assert "\u2014 dcc.example/w " in capsys.readouterr().out
    served.follow(copy)
    seen, size = newest(served.world).note, newest(served.world).size
    with lying(served, size, bytes(32)) as base:
        assert witnessed(base) == 1
        assert "stopped by two-histories" in capsys.readouterr().err
        with pytest.raises(Stopped) as stopped:
            copy.follow(Authority(base))
        assert stopped.value.check is Check.TWO_HISTORIES
    (kept,) = tmp_path.glob("seen.two-histories-*.json")
    one, other = read(kept.read_bytes())
    for note in (one, other):  # whoever has both, and the log's key, needs nobody's word
        checkpoint(note).require(served.log_key)
    assert one == seen
    assert (checkpoint(one).size, checkpoint(one).root) != (checkpoint(other).size, checkpoint(other).root)
    assert copy.wrong()[0][3] == other
    with lying(served, size - 1, bytes(32)) as base:
        assert witnessed(base) == 1
        assert "stopped by went-back" in capsys.readouterr().err
    served.world.granted(device=device(9))
    larger = newest(served.world).size
    with lying(served, larger, bytes(32)) as base:  # a larger tree that is shown with the proof of the true one
        assert witnessed(base) == 1
        assert "stopped by two-histories" in capsys.readouterr().err
    assert witnessed(served.base) == 0
    served.follow(copy)
    assert len(copy.documents()) == 4

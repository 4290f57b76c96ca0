"""A copy and a witness of a real authority, over HTTP: the copy answers as the authority does, of every instant."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from werkzeug.serving import make_server

from core.approval import Device, EndCause
from core.identifiers import ApprovalIdentifier
from core.instants import seconds
from ra.telling.approvals import certificate
from tests.api_world import Api
from tests.people_world import Quiet, listening
from tests.test_amendments import amended
from tests.test_log import with_log
from tests.test_rekey import rekey
from tests.test_waiting import DECEMBER, MARCH
from tests.world import AUDITOR, World, ending
from verify.kit.canonical import read
from verify.kit.evidence.parsing import one_certificate
from verify.kit.fetching import Authority
from verify.kit.instants import text
from verify.kit.mirror import Mirror
from verify.kit.note import key

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

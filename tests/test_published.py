"""The folder of files that any web server carries: it holds what the service answers, and each file whole or not."""

import os
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given, settings
from hypothesis import strategies as st

from api.status.exchange import Asked, Reply
from api.status.lists import is_genuine
from api.status.mirror import Mirror
from api.status.ocsp import MEDIA_TYPE
from api.status.plane import StatusPlane
from api.status.remembered import WebMemory
from api.verified import ToldReader
from app.house import House
from app.publisher import LogOf, publish
from app.settings import Settings
from core.approval import RevocationReason
from core.errors import NoSuchThing, PlaceUnusable, PublishedDamaged, StoreUnavailable
from core.identifiers import serial_of
from core.mirror import PublishedCrl
from core.status import Revoked
from published import lists
from published.answers import name_of
from published.difference import difference, remade
from published.folder import OURS, File, Folder
from published.lists import Lists, made_again
from published.publishing import Publishing
from store.reading.approvals import ders
from store.reading.authority import certificates
from store.tables import crls
from tests.authority_world import AT, the_world
from tests.begin_world import made
from tests.kill.process import Death, Process
from tests.nginx_world import files_carried
from tests.people_world import trialcpa
from tests.world import DEVICE, NOW, World

DAY = timedelta(days=1)


class Publisher:
    """A world's publisher, as the process has it."""

    def __init__(self, world: World, place: Path) -> None:
        self.world, self.place = world, place
        reader = ToldReader(world.store, world.clock.now, is_genuine)
        self.folder = Folder(place, "a root")
        self.mirror = Mirror(reader, world.clock, remembered=WebMemory(self.folder.notes / "told"))
        self.publishing = Publishing(self.mirror, self.folder, reader.numbers_after, LogOf(world.store))
        reader.read_anew = self.publishing.touched
        self.plane = StatusPlane(self.mirror, lambda _: True)

    def turn(self) -> None:
        while self.publishing.turn():
            pass

    def get(self, path: str) -> Reply:
        said = self.plane.from_store(Asked("GET", path))
        assert isinstance(said, Reply)
        return said

    def files(self) -> dict[str, bytes]:
        return files_in(self.place)

    def close(self) -> None:
        self.folder.close()


def files_in(place: Path) -> dict[str, bytes]:
    """Every file but the notes, without a trace of having read it."""
    found = {}
    for each in sorted(place.rglob("*")):
        name = each.relative_to(place).as_posix()
        if each.is_file() and not name.startswith(f"{OURS}/"):
            times = each.stat()
            found[name] = each.read_bytes()
            os.utime(each, ns=(times.st_atime_ns, times.st_mtime_ns))
    return found


@pytest.fixture
def publisher(world: World, tmp_path: Path) -> Iterator[Publisher]:
    with closing(Publisher(world, tmp_path / "published")) as made:
        yield made


def granted(world: World, number: int) -> str:
    """An approval of another device than others have."""
    return world.granted(device=replace(DEVICE, model=f"{number:08X}"))


def requests_of(world: World, approval: str) -> list[bytes]:
    """The requests as OpenSSL, `cryptography` and nearly everybody else write them."""
    with world.store.read() as tx:
        issuer = next(each for each in certificates(tx) if each.role == "issuing").der
        every = ders(tx, [each.serial for each in world.record(approval).certificates])
    read = x509.load_der_x509_certificate
    asked = ocsp.OCSPRequestBuilder()
    return [
        asked.add_certificate(read(der), read(issuer), hash_algorithm).build().public_bytes(Encoding.DER)
        for der in every.values()
        for hash_algorithm in (SHA1(), SHA256())
    ]


def status_of(octets: bytes) -> str:
    return ocsp.load_der_ocsp_response(octets).certificate_status.name


# --- what is in it --------------------------------------------------------------------------------------------------


def test_the_folder_says_what_the_service_says(publisher: Publisher) -> None:
    world = publisher.world
    stays, ends = world.granted(), granted(world, 2)
    publisher.turn()
    world.revoked(ends)
    publisher.turn()
    # What was good is not any more, and nothing else is signed yet: nobody is told an old yes.
    assert [name_of(each) in publisher.files() for each in requests_of(world, ends)] == [False, False]
    world.authority.settle()
    publisher.turn()
    files = publisher.files()
    asked = {name_of(each): each for approval in (stays, ends) for each in requests_of(world, approval)}
    assert {name for name in files if name.startswith("ocsp/")} == set(asked)
    said = [status_of(files[name_of(each)]) for approval in (stays, ends) for each in requests_of(world, approval)]
    assert said == ["GOOD", "GOOD", "REVOKED", "REVOKED"]
    for name, request in asked.items():
        assert files[name] == publisher.get(f"/ocsp/{b64encode(request).decode()}").body
    others = {name for name in files if name.startswith(("crl/", "ca/")) and not name.endswith(".json")}
    assert len(others) > 5
    for name in others:
        reply = publisher.get(f"/{name}")
        assert (reply.status, files[name]) == (200, reply.body), name
    assert set(files) - others - set(asked) == {name for name in files if name.endswith(".json")}


def test_an_answer_that_has_come_to_its_end_is_taken_away(publisher: Publisher) -> None:
    world = publisher.world
    name = name_of(requests_of(world, world.granted())[0])
    publisher.turn()
    assert name in publisher.files()
    world.at(NOW + 30 * DAY)  # and the authority stands still
    publisher.turn()
    assert name not in publisher.files()


def test_of_old_answers_those_are_kept_that_somebody_read(publisher: Publisher) -> None:
    world = publisher.world
    read, unread = requests_of(world, world.granted())
    publisher.turn()
    old = (publisher.place / name_of(read)).read_bytes()
    world.passes(2 * DAY)
    world.authority.settle()
    publisher.turn()
    files = publisher.files()
    assert [octets for name, octets in files.items() if name.startswith("answers/")] == [old]
    assert files[name_of(read)] != old
    assert name_of(unread) in files


def test_where_nobody_sees_what_is_read_all_are_kept(world: World, tmp_path: Path) -> None:
    with closing(Publisher(world, tmp_path / "published")) as publisher:
        publisher.folder._reads_are_seen = False
        world.granted()
        publisher.turn()
        world.passes(2 * DAY)
        world.authority.settle()
        publisher.turn()
        assert sum(name.startswith("answers/") for name in publisher.files()) == 2


def test_base64_becomes_a_name_whatever_stands_in_it() -> None:
    assert name_of(b"abc") == "ocsp/YWJj"
    assert name_of(b"a") == "ocsp/YQ=="
    assert name_of(bytes.fromhex("00ffff00")) == "ocsp/AP/AA=="  # AP//AA==
    assert name_of(bytes.fromhex("fbffff")) == "ocsp/+/index.html"  # +///


def test_a_list_that_no_ca_signed_is_not_published(publisher: Publisher) -> None:
    world = publisher.world
    world.granted()
    with world.store.begin("test") as tx:
        every = list(tx.connection.execute(crls.select()))
        newest = tx.connection.execute(crls.select().order_by(crls.c.number.desc()).limit(1)).one()
        planted = {**newest._mapping, "number": newest.number + 5}
        tx.connection.execute(crls.insert(), planted)
    publisher.turn()
    numbers = {
        name.split("/")[2].split(".")[0] for name in publisher.files() if name.startswith(f"crl/{newest.key_id}/")
    }
    assert numbers == {str(each.number) for each in every if each.key_id == newest.key_id}


def test_while_the_register_is_silent_what_was_published_stays(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.world.granted()
    publisher.turn()
    before = publisher.files()

    def silent(*_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(publisher.mirror._source, "changes", silent)
    publisher.world.at(NOW + 30 * DAY)
    with pytest.raises(StoreUnavailable):
        publisher.turn()
    assert publisher.files() == before


# --- old lists ------------------------------------------------------------------------------------------------------


def test_old_lists_are_differences_and_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "LONGEST_CHAIN", 3)
    monkeypatch.setattr(lists, "AT_ONCE", 2)
    entries = [Revoked(serial_of((1 << 120) + each), AT, RevocationReason.SUPERSEDED) for each in range(60)]
    every = {
        number: PublishedCrl(
            key_id="ab",
            number=number,
            this_update=AT,
            next_update=AT + DAY,
            entries=number,
            der=the_world().full_crl(entries[: 40 + number // 10], number=number),
        )
        for number in range(70, 160, 10)
    }

    def published(upto: int) -> int:
        """Publish in a process of its own; return in how many turns."""
        with closing(Folder(tmp_path, "a root")) as folder:
            follows = Lists(
                folder,
                lambda _, number: every[number],
                lambda _, number, limit: [each for each in every if number < each <= upto][:limit],
            )
            turns = 1
            while follows.turn([every[upto]]):
                turns += 1
            return turns

    assert published(150) == 5
    assert (tmp_path / "crl/ab.crl").read_bytes() == every[150].der
    names = {path.name for path in (tmp_path / "crl/ab").iterdir()}
    assert names == {
        "70.crl",
        *(f"{each}.json" for each in (80, 90, 100)),
        "110.crl",
        "120.json",
        "130.json",
        "140.json",
        "150.crl",
    }
    every |= {
        number: replace(every[150], number=number, der=the_world().full_crl(entries, number=number))
        for number in (160, 170)
    }
    assert published(160) == published(170) == published(150) == 1
    assert (tmp_path / "crl/ab.crl").read_bytes() == every[170].der, "a list of before took the place of a later one"
    assert {number: made_again(tmp_path, "ab", number) for number in every} == {
        n: each.der for n, each in every.items()
    }
    with pytest.raises(NoSuchThing):
        made_again(tmp_path, "ab", 71)
    kept = tmp_path / "crl/ab/80.json"
    kept.write_bytes(kept.read_bytes().replace(b'"before":70', b'"before":80'))
    with pytest.raises(PublishedDamaged):
        made_again(tmp_path, "ab", 80)


_SERIALS = st.sets(st.integers(1 << 120, (1 << 120) + 60), max_size=30)


@settings(max_examples=25)
@given(before=_SERIALS, after=_SERIALS, second=st.integers(0, 3))
def test_a_list_is_made_of_any_other_octet_by_octet(before: set[int], after: set[int], second: int) -> None:
    made = [
        the_world().full_crl(
            [
                Revoked(serial_of(each), AT - timedelta(seconds=each % 2 * moved), RevocationReason.SUPERSEDED)
                for each in sorted(some)
            ]
        )
        for some, moved in ((before, 0), (after, second))
    ]
    kept = difference(7, *made)
    assert kept is None or (remade(made[0], kept) == made[1] and len(kept) < len(made[1]))
    assert kept is not None or len(after) < 30


def test_a_difference_costs_what_changed() -> None:
    entries = [Revoked(serial_of((1 << 120) + each), AT, RevocationReason.SUPERSEDED) for each in range(2_000)]
    before, after = the_world().full_crl(entries[::2]), the_world().full_crl(entries[:4] + entries[4::2])
    kept = difference(1, before, after)
    assert kept is not None
    assert len(kept) < 1_000
    assert remade(before, kept) == after


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: kept[:-1],
        lambda kept: kept.replace(b"trialcpa difference of lists, 1", b"trialcpa difference of lists, 2"),
        lambda kept: kept.replace(b",[", b",[1", 1),
        lambda kept: kept.replace(b'"steps":[', b'"steps":[[0,99999999],'),
        lambda kept: kept.replace(b'"steps":[', b'"steps":[true,'),
        lambda kept: kept.replace(b'"steps":[', b'"steps":["A",'),
    ],
)
def test_a_damaged_difference_makes_nothing(damage: Callable[[bytes], bytes]) -> None:
    entries = [Revoked(serial_of((1 << 120) + each), AT, RevocationReason.SUPERSEDED) for each in range(50)]
    before, after = the_world().full_crl(entries), the_world().full_crl(entries[:49])
    kept = difference(1, before, after) or b""
    changed = damage(kept)
    assert changed != kept
    with pytest.raises(PublishedDamaged):
        remade(before, changed)


# --- whole, and nobody else's ---------------------------------------------------------------------------------------


def test_what_somebody_else_put_there_is_left_as_it_is(publisher: Publisher, caplog: pytest.LogCaptureFixture) -> None:
    world = publisher.world
    request = requests_of(world, world.granted())[0]
    for name in ("index.html", "ca/root.cer", name_of(request)):
        (publisher.place / name).parent.mkdir(parents=True, exist_ok=True)
        (publisher.place / name).write_bytes(b"mine")
    publisher.turn()
    assert "2 files are left as they are: somebody else wrote them, ca/root.cer for one." in caplog.text
    chain = publisher.place / "ca/chain.pem"
    chain.write_bytes(b"mine, too")
    world.at(NOW + 30 * DAY)
    publisher.turn()
    mine = {name for name, octets in publisher.files().items() if octets.startswith(b"mine")}
    assert mine == {"index.html", "ca/root.cer", "ca/chain.pem", name_of(request)}
    publisher.folder.remove(mine)
    assert mine <= publisher.files().keys()


def test_one_process_and_one_authority_publish_in_a_folder(publisher: Publisher) -> None:
    with pytest.raises(PlaceUnusable, match="another process publishes there"):
        Folder(publisher.place, "a root")
    publisher.close()
    with pytest.raises(PlaceUnusable, match="another authority"):
        Folder(publisher.place, "another root")
    publisher.folder = Folder(publisher.place, "a root")
    (publisher.place / "ca").write_bytes(b"a file where a folder is to be")
    with pytest.raises(PlaceUnusable):
        publisher.folder.keep([File(name="ca/root.cer", octets=b"1", at=NOW)])


def test_a_file_is_on_the_disk_before_it_has_its_name_and_its_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    flush, name = os.fsync, Path.replace

    def flushed(descriptor: int) -> None:
        where = Path(f"/proc/self/fd/{descriptor}").readlink()
        done.append("file" if where.is_file() else f"folder {where.relative_to(tmp_path)}")
        flush(descriptor)

    def named(path: Path, target: Path) -> Path:
        done.append("name")
        return name(path, target)

    with closing(Folder(tmp_path, "a root")) as folder:
        monkeypatch.setattr(os, "fsync", flushed)
        monkeypatch.setattr(Path, "replace", named)
        folder.keep([File(name="a/b/c", octets=b"1", at=NOW), File(name="a/d", octets=b"2", at=NOW)])
    assert done == ["file", "name", "file", "name", "folder .", "folder a", "folder a/b"]


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_power_cut_at_any_step_leaves_each_file_whole(world: World, tmp_path: Path) -> None:
    """Each death is of another folder, in which an answer is replaced, one removed and a list shortened."""
    ends, stays, ends_later = world.granted(), granted(world, 2), granted(world, 3)
    world.revoked(ends)
    world.authority.settle()
    first = tmp_path / "first"
    with closing(Publisher(world, first)) as publisher:
        publisher.turn()
        for request in requests_of(world, stays):
            (first / name_of(request)).read_bytes()
    before = files_in(first)
    world.passes(2 * DAY)
    world.authority.settle()
    world.revoked(ends_later)

    def working_in(place: Path, _: object = None) -> None:
        with closing(Publisher(world, place)) as publisher:
            publisher.turn()

    whole = tmp_path / "whole"
    copied(first, whole)
    life = Process(partial(working_in, whole)).wait()
    assert not life.code, life.failure
    after = files_in(whole)
    assert before.keys() - after.keys()  # something is removed, and
    assert any(name.startswith("answers/") for name in after.keys() - before.keys())
    steps = [each for each in life.boundaries if "publish" in each]
    assert {each.split(" ", 1)[1] for each in steps} == {
        "note what is published",
        "name what is published",
        "remove what was published",
    }
    for number, step in enumerate(steps):
        place = tmp_path / f"death-{number}"
        copied(first, place)
        death = Death(step, steps[: number + 1].count(step))
        assert Process(partial(working_in, place), death).wait().killed
        for name, octets in files_in(place).items():
            assert octets in (before.get(name), after.get(name)), (step, name)
        working_in(place)
        assert _of_now(files_in(place)) == _of_now(after), step
        assert not list((place / OURS).glob("*.new"))


def copied(place: Path, to: Path) -> None:
    """Copy a folder with the instants at which its files were read and written."""
    for each in (place, *sorted(place.rglob("*"))):
        target = to / each.relative_to(place)
        if each.is_dir():
            target.mkdir()
        else:
            times = each.stat()
            target.write_bytes(each.read_bytes())
            for path in (each, target):
                os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _of_now(files: dict[str, bytes]) -> dict[str, bytes]:
    """All but old lists, of which one may be whole after a death and a difference without one."""
    return {name: octets for name, octets in files.items() if name.count("/") != 2 or not name.startswith("crl/")}


# --- the process, and a server --------------------------------------------------------------------------------------


def test_the_command_publishes_once_and_makes_old_lists_again(tmp_path: Path) -> None:
    house = made(tmp_path / "home", f"sqlite:///{tmp_path}/register.sqlite")
    place = tmp_path / "published"
    once = ("publish", str(place), "--home", str(house.settings.home), "--once")
    done = trialcpa(*once)
    files = files_in(place)
    assert (done.status, done.out) == (0, f"{len(files)} files written in {place}.\n")
    assert trialcpa(*once).out == f"Nothing is new in {place}.\n"
    assert {"ca/root.cer", "ca/chain.pem"} <= files.keys()
    name = next(each for each in files if each.count("/") == 2 and each.endswith(".crl"))
    _, key, number = name.removesuffix(".crl").split("/")
    again = trialcpa("publish", str(place), "--list", key, number, "-o", str(tmp_path / "1.crl"))
    assert (again.status, (tmp_path / "1.crl").read_bytes()) == (0, files[name])
    missing = trialcpa("publish", str(place), "--list", key, "1", "-o", "-")
    assert missing.status == 1


def test_it_follows_what_is_committed(world: World, tmp_path: Path) -> None:
    clock = world.clock
    house = House(settings=cast("Settings", None), store=world.store, clock=clock, machine=clock, moved=clock)
    place, stopping = tmp_path / "published", threading.Event()
    said: list[str] = []
    follows = {"once": False, "say": said.append}
    thread = threading.Thread(target=publish, args=(house, place, stopping), kwargs=follows)
    thread.start()
    try:
        approval = world.granted()
        name = name_of(requests_of(world, approval)[1])
        for _ in range(500):
            if (place / name).exists():
                break
            stopping.wait(0.02)
        assert status_of((place / name).read_bytes()) == "GOOD"
    finally:
        stopping.set()
        thread.join(5)
    assert not thread.is_alive()
    assert said[0] == f"Publishing in {place}; it follows until Ctrl-C."
    assert " written" in said[1]


def test_nginx_carries_the_folder_as_the_service_answers(publisher: Publisher, tmp_path: Path) -> None:
    world = publisher.world
    request = requests_of(world, world.granted())[1]
    publisher.turn()
    publisher.folder.keep([File(name="ocsp/slash/index.html", octets=b"0", at=NOW)])
    newest = next(name for name in publisher.files() if name.count("/") == 1 and name.startswith("crl/"))
    with files_carried(tmp_path, publisher.place) as port:
        encoded = b64encode(request).decode()
        spelled = encoded.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
        for path, kind in (
            (f"/ocsp/{encoded}", MEDIA_TYPE),
            (f"/ocsp/{spelled}", MEDIA_TYPE),
            ("/ocsp/slash/", MEDIA_TYPE),
            (f"/{newest}", "application/pkix-crl"),
            ("/ca/root.cer", "application/pkix-cert"),
            ("/ca/chain.pem", "application/pem-certificate-chain"),
        ):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
                name = name_of(request) if kind == MEDIA_TYPE and "slash" not in path else path[1:]
                if name.endswith("/"):
                    name += "index.html"
                assert reply.headers["Content-Type"] == kind
                assert reply.headers["Cache-Control"].startswith("public, max-age=")
                assert reply.read() == publisher.files()[name]
        for path in (f"/{OURS}/written.sqlite3", "/ocsp/AAAA", "/crl/ab.crl", "/", f"/ca/../{OURS}/lock", "/v1/verify"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5)
            assert refused.value.code == 404
            refused.value.close()

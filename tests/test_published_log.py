"""The public log and the register as files: what is there verifies, whenever whoever writes them is killed."""

import hashlib
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import update

from app.publisher import LogOf
from core import merkle, note
from core.canonical import read_json
from core.merkle import TILE_WIDTH, leaf_hash, root_of
from published import log as published_log
from published.folder import Folder
from published.log import LogFiles, tile_name
from store.log_tables import log_documents
from store.reading.authority import certificates
from tests.kill.process import Death, Process
from tests.nginx_world import files_carried
from tests.test_log import newest, with_log
from tests.test_published import copied, files_in
from tests.test_register import later, openssl, signed
from tests.world import DEVICE, World


@pytest.fixture
def logged(world: World) -> World:
    with_log(world).settle()
    grow(world, 1)
    return world


def grow(world: World, number: int) -> None:
    world.granted(device=replace(DEVICE, model=f"{number + 7:08X}"))
    later(world)


def keep(world: World, place: Path, _: object = None) -> None:
    with closing(Folder(place, "a root")) as folder:
        files = LogFiles(folder, LogOf(world.store))
        while files.turn():
            pass


def verified(files: dict[str, bytes]) -> int:
    """How many rows the checkpoint of a folder covers; each tile that it needs is there, and its register is signed."""
    if "checkpoint" not in files:
        return 0
    said = note.parse_checkpoint(files["checkpoint"])

    def tile(level: str, index: int, width: int) -> bytes:
        whole = files.get(tile_name(level, index, TILE_WIDTH))
        return files[tile_name(level, index, width)] if whole is None else whole

    leaves = list(entries(said.size, tile))
    assert len(leaves) == said.size
    assert root_of(map(leaf_hash, leaves)) == said.root
    level, below = 0, [leaf_hash(each) for each in leaves]
    while below:
        for index, begin in enumerate(range(0, len(below), TILE_WIDTH)):
            wanted = below[begin : begin + TILE_WIDTH]
            assert tile(str(level), index, len(wanted))[: 32 * len(wanted)] == b"".join(wanted)
        full = len(below) // TILE_WIDTH
        below = [merkle.whole_root(below[each * TILE_WIDTH :][:TILE_WIDTH]) for each in range(full)]
        level += 1
    if "register.json" in files:
        register = read_json(files["register.json"])
        assert hashlib.sha256(files["register.json"]).digest() in files[f"register/{register['size']}.p7s"]
    return said.size


def entries(size: int, tile: Callable[[str, int, int], bytes]) -> Iterator[bytes]:
    for index, begin in enumerate(range(0, size, TILE_WIDTH)):
        bundle = tile("entries", index, min(TILE_WIDTH, size - begin))
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            yield bundle[2 : 2 + length]
            bundle = bundle[2 + length :]


def test_what_is_there_is_what_the_service_says(logged: World, tmp_path: Path) -> None:
    place = tmp_path / "published"
    keep(logged, place)
    files = files_in(place)
    assert verified(files) == newest(logged).size
    assert files["checkpoint"].decode() == newest(logged).note
    said, held = read_json(files["register.json"]), signed(logged)
    assert (said["size"], b64decode(said["root"])) == (held.moment.size, held.moment.root)
    assert files["register.p7s"] == files[f"register/{said['size']}.p7s"] == held.signature
    with logged.store.read() as tx:
        root = next(each.der for each in certificates(tx) if each.role == "root")
    assert openssl(tmp_path, root, files["register.json"], files["register.p7s"])
    grow(logged, 2)
    keep(logged, place)
    files = files_in(place)
    assert verified(files) == newest(logged).size
    assert {each for each in files if each.startswith("register")} == {
        "register.json", "register.p7s", f"register/{read_json(files['register.json'])['size']}.p7s",
    }  # fmt: skip
    # What was not full before is taken away.
    assert all(each.endswith(f".p/{newest(logged).size % TILE_WIDTH}") for each in files if each.startswith("tile/"))


def test_whoever_has_just_fetched_a_checkpoint_still_finds_its_tiles(logged: World, tmp_path: Path) -> None:
    with closing(Folder(tmp_path, "a root")) as folder:
        files = LogFiles(folder, LogOf(logged.store))
        files.turn()
        before = files_in(tmp_path)
        for number in (2, 3):
            grow(logged, number)
            files.turn()
            after = files_in(tmp_path)
            assert verified({**after, "checkpoint": before["checkpoint"]}) > 0
            before = after


def test_full_tiles_come_in_portions_and_stay(logged: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_log, "_AT_ONCE", 1)
    place = tmp_path / "published"
    number = 2
    while newest(logged).size < 2 * TILE_WIDTH:
        logged.granted(device=replace(DEVICE, model=f"{number + 7:08X}"))
        number += 1
    later(logged)
    keep(logged, place)
    files = files_in(place)
    assert {"tile/0/000", "tile/0/001", "tile/entries/001"} <= files.keys()
    assert verified(files) == newest(logged).size
    later(logged)
    keep(logged, place)
    assert verified(files_in(place)) == newest(logged).size


def test_what_was_not_signed_is_not_published(logged: World, tmp_path: Path) -> None:
    with closing(Folder(tmp_path, "a root")) as folder:
        files = LogFiles(folder, LogOf(logged.store))
        files.turn()
        before = files_in(tmp_path)["register.json"]
        grow(logged, 2)
        with logged.store.begin("forge") as tx:
            tx.connection.execute(update(log_documents).values(approval="TDA-2027-9999-X"))
        files.turn()
        assert files.wrong
        assert files_in(tmp_path)["register.json"] == before
        files.turn()
        assert files.wrong


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_death_at_any_step_leaves_a_folder_that_verifies(logged: World, tmp_path: Path) -> None:
    first, whole = tmp_path / "first", tmp_path / "whole"
    keep(logged, first)
    before = verified(files_in(first))
    grow(logged, 2)
    copied(first, whole)
    life = Process(partial(keep, logged, whole)).wait()
    assert not life.code, life.failure
    after = files_in(whole)
    steps = [each for each in life.boundaries if "publish" in each]
    assert len(steps) > 8
    seen = set()
    for number, step in enumerate(steps):
        place = tmp_path / f"death-{number}"
        copied(first, place)
        death = Death(step, steps[: number + 1].count(step))
        assert Process(partial(keep, logged, place), death).wait().killed
        seen.add(verified(files_in(place)))
        keep(logged, place)
        assert files_in(place) == after, step
    assert seen == {before, verified(after)}


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_plain_server_carries_it(logged: World, tmp_path: Path) -> None:
    place = tmp_path / "published"
    keep(logged, place)
    size = read_json((place / "register.json").read_bytes())["size"]
    types = {
        "checkpoint": "text/plain",
        f"tile/0/000.p/{newest(logged).size}": "application/octet-stream",
        f"tile/entries/000.p/{newest(logged).size}": "application/octet-stream",
        "register.json": "application/json",
        "register.p7s": "application/pkcs7-signature",
        f"register/{size}.p7s": "application/pkcs7-signature",
    }
    (tmp_path / "nginx").mkdir()
    with files_carried(tmp_path / "nginx", place) as port:
        for name, media_type in types.items():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name}", timeout=10) as said:
                assert (said.headers["Content-Type"], said.read()) == (media_type, (place / name).read_bytes())


@pytest.mark.parametrize(
    ("index", "name"), [(0, "000"), (999, "999"), (1_000, "x001/000"), (1_234_067, "x001/x234/067")]
)
def test_a_tile_has_the_name_of_its_place(index: int, name: str) -> None:
    assert tile_name("0", index, TILE_WIDTH) == f"tile/0/{name}"
    assert tile_name("entries", index, 7) == f"tile/entries/{name}.p/7"

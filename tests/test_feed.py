"""The feed of the public log: whole, in order, bounded; and a stranger's copy that is kept from it proves itself."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from api import feed
from core.actors import AUTHORITY
from core.canonical import canonical, read_json
from core.facts import Fact, FactKind
from core.merkle import leaf_hash
from jobs.key_table import every_key
from store.log_tables import checkpoints, log_leaves
from store.reading import log as reading
from store.verbs import facts
from tests.api_world import Api, done, refused
from tests.test_log import newest, with_log
from tests.world import NOW, World
from verify.kit.mirror import Mirror
from verify.kit.note import key

HOSTILE = (
    *("after=-1", "after=x", "after=", "after=1.0", "after=+1", "after=%201", "after=1_0", "after=9007199254740992"),
    *("after=" + "9" * 400, "after=%00", "after=\u0661", "after=%ff%fe", "after=0x1", "after[]=1", "after=1&after=2"),
    *("limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=99999999999999999999", "limit=1e2"),
    *("wait=31", "wait=-1", "wait=0.5", "wait=", "wait=x", "wait=nan", "wait=99999999999999999999"),
    *("unknown=1", "after=1&after=1", "AFTER=1", "after=1;limit=1", "=1", "%ff=1"),
)


@pytest.fixture
def api(world: World) -> Api:
    with_log(world)
    world.granted()
    return Api(world)


class Over:
    """What the kit's copy asks: the API of a world."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def get(self, path: str) -> bytes:
        answered = self.api.ask(None, "GET", path)
        assert answered.status_code == 200, answered.text
        return bytes(answered.data)


def mirror(api: Api, folder: Path) -> Mirror:
    held = api.world.memory.log
    assert held is not None
    return Mirror(folder / "copy.db", key(held.key), clock=lambda: int(api.world.clock.now().timestamp()))


def register(api: Api) -> dict[str, object]:
    """What the log says of each approval, last of all."""
    with api.world.store.read() as tx:
        return {each: read_json(said) for each, said in reading.documents(tx, newest(api.world).size)}


def test_the_rows_follow_each_other_and_are_what_was_signed(api: Api) -> None:
    size = newest(api.world).size
    rows, after = [], 0
    while after < size:
        answered = api.ask(None, "GET", f"/v1/feed?after={after}&limit=3")
        assert answered.mimetype == "application/json"
        said = read_json(answered.data)
        assert answered.data == canonical(said)
        assert said["checkpoint"] == newest(api.world).note
        assert 1 <= len(said["rows"]) <= 3
        rows += said["rows"]
        after = rows[-1]["number"]
    assert [each["number"] for each in rows] == list(range(1, size + 1))
    for each in rows:
        assert each.keys() == {"number", "sealed_at", "public", "commitment", "leaf"}
        assert leaf_hash(canonical({name: said for name, said in each.items() if name != "leaf"})).hex() == each["leaf"]
    assert any(each["public"] for each in rows)


def test_a_copy_that_follows_it_says_what_the_register_says(api: Api, tmp_path: Path) -> None:
    copy = mirror(api, tmp_path)
    assert copy.follow(Over(api))
    assert copy.documents() == register(api)
    assert len(copy.documents()) == 1
    api.granted(device={"type": "ESME", "manufacturer": "AB99", "model": "00000099", "hardware_version": "02"})
    assert copy.follow(Over(api))
    assert copy.documents() == register(api)
    assert len(copy.documents()) == 2
    assert copy.wrong() == []


def test_what_no_checkpoint_covers_is_not_in_it(api: Api) -> None:
    with api.world.store.begin("as if the newest were not signed yet") as tx:
        tx.connection.execute(delete(checkpoints).where(checkpoints.c.size == newest(api.world).size))
    covered = newest(api.world)
    said = done(api.ask(None, "GET", "/v1/feed"))
    assert (said["rows"][-1]["number"], said["checkpoint"]) == (covered.size, covered.note)
    for after in (covered.size, covered.size + 1, 2**53 - 1):
        assert done(api.ask(None, "GET", f"/v1/feed?after={after}&wait=0")) == {
            "rows": [],
            "checkpoint": covered.note,
        }


def test_an_answer_is_bounded_and_a_row_is_never_divided(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    size = newest(api.world).size
    whole = done(api.ask(None, "GET", "/v1/feed"))["rows"]
    carriers = [each["number"] for each in whole if each["public"]]
    assert len(carriers) > 1
    for name, place, most in (("OCTETS", feed, 1), ("DOCUMENTS", reading, 1)):
        with monkeypatch.context() as patched:
            patched.setattr(place, name, most)
            found, after = [], 0
            while after < size:
                rows = done(api.ask(None, "GET", f"/v1/feed?after={after}"))["rows"]
                # One document ends an answer, or stands before it alone.
                assert sum(1 for each in rows if each["public"]) <= 1
                found += rows
                after = rows[-1]["number"]
            assert found == whole


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_whatever_is_sent_is_refused_in_words(api: Api) -> None:
    for query in HOSTILE:
        answered = api.ask(None, "GET", f"/v1/feed?{query}")
        assert answered.status_code == 400, (query, answered.text)
        assert json.loads(answered.data)["code"] in ("body-malformed", "parameter-repeated"), query
    assert api.ask(None, "POST", "/v1/feed").status_code == 405


def test_before_the_first_checkpoint_there_is_no_feed(world: World) -> None:
    world.granted()
    refused(Api(world).ask(None, "GET", "/v1/feed"), 404, "log-empty")


def test_who_may_read_a_row_can_open_its_commitment(api: Api) -> None:
    public = {each["number"]: each for each in done(api.ask(None, "GET", "/v1/feed"))["rows"]}
    opened: dict[int, dict[str, Any]] = {}
    more: dict[str, Any] = {"next": ""}
    while more["next"] is not None:
        more = done(api.ask("auditor", "GET", f"/v1/journal?limit=9&after={more['next']}"))
        opened |= {each["row"]["number"]: each for each in more["rows"]}
    assert opened.keys() == public.keys()
    for number, each in opened.items():
        octets = bytes.fromhex(each["salt"]) + canonical(each["row"])
        assert hashlib.sha256(octets).hexdigest() == public[number]["commitment"]
        assert each["leaf"] == number - 1
    assert len({each["salt"] for each in opened.values()}) == len(opened)
    refused(api.ask("manufacturer", "GET", "/v1/journal"), 403, "operation-not-permitted")
    assert '"salt"' not in api.ask(None, "GET", "/v1/feed").text


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_row_without_a_leaf_has_no_salt(world: World) -> None:
    world.granted()
    with world.store.begin("as a release before left it") as tx:
        tx.connection.execute(delete(log_leaves).where(log_leaves.c.number < 3))
    rows = done(Api(world).ask("auditor", "GET", "/v1/journal"))["rows"]
    assert [(each["salt"] is None, each["leaf"]) for each in rows][:3] == [(True, None), (True, None), (False, 2)]


def test_the_authority_says_the_logs_key(world: World) -> None:
    world.granted()
    api = Api(world)
    assert done(api.ask(None, "GET", "/v1/authority"))["log"] is None
    with_log(world).settle()
    api.mirror.follow()
    held = world.memory.log
    assert held is not None
    said = done(api.ask(None, "GET", "/v1/authority"))["log"]
    assert said == {"name": held.log, "verifier_key": held.key}
    assert str(key(said["verifier_key"])) == held.key
    assert newest(world).note.startswith(f"{said['name']}\n")
    lines = every_key(world.store, world.memory, world.folder / "keys", world.clock.now())
    assert [(each.purpose, each.verifier_key) for each in lines if each.verifier_key] == [("log", held.key)]
    with world.store.begin("another, behind a restore that lost rows") as tx:
        other = held.log.removesuffix("/1") + "/2"
        fact = Fact(
            kind=FactKind.LOG_BEGUN, at=NOW, actor=AUTHORITY, subject=other, payload={"log": other, "key": "the other"}
        )
        facts.record(tx, fact)
    api.mirror.follow()
    assert done(api.ask(None, "GET", "/v1/authority"))["log"] == {"name": other, "verifier_key": "the other"}

"""A register that went back: whoever told what it then forgot says no as before, says no yes, and records nothing."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.engine import make_url

from api.status import told
from api.status.lists import is_genuine
from api.status.memory_files import Known
from api.status.ocsp import TRY_LATER
from api.status.remembered import LOOK_SECONDS, WebMemory
from core.actors import CONSOLE
from core.alarms import AlarmCode
from core.approval import EndCause
from core.errors import RegisterWentBack, StoreWentBack
from core.facts import Fact, FactKind
from core.mirror import SealedHead
from store.reading.status import StatusReader
from store.tables import crls, journal, journal_heads
from store.verbs import facts
from tests.api_world import Api, application, done, refused
from tests.cycle_world import device
from tests.status_plane import BEARER, Plane, problem
from tests.status_world import NOON, SECOND
from tests.world import NOW, World

# --- a process that lives ----------------------------------------------------------------------------------------


@pytest.fixture
def plane() -> Plane:
    """Two approvals, one of them ended and listed, told from a register whose last sealed row is the fifth."""
    plane = Plane()
    plane.world.links = {3: b"three", 5: b"five"}
    return plane


def test_no_stays_no_the_list_stays_and_a_yes_becomes_503(plane: Plane) -> None:
    world = plane.world
    good, over = world.grant(1), world.grant(2)
    world.end(over, NOON, EndCause.SSC)
    for each in (good, over):
        world.presign(each, NOON)
    listed = world.publish(NOON)
    paths = {each: f"/approvals/{each}" for each in (good, over)}
    crl = f"/crl/{listed.key_id}.crl"
    asked = {each: world.ocsp_request(world.certificate(each)) for each in (good, over)}
    before = {path: plane.ask("GET", path).body for path in (*paths.values(), crl)}
    answers = {each: plane.ask("POST", "/ocsp", asked[each]).body for each in (good, over)}

    # The standby: it lacks the end, the list and the last rows.
    del world.links[5]
    kept, lists = dict(world.kept), list(world.lists)
    world.lists.clear()
    world.kept.pop(over)
    problem(plane.verify({"approval": good}), 503, "register-went-back")
    problem(plane.ask("GET", f"/v1/verify/{good}", **BEARER), 503, "register-went-back")
    problem(plane.verify({"serial": "5F3A"}), 503, "register-went-back")  # it may have been issued, and forgotten
    assert json.loads(plane.verify({"approval": over}).body)["state"] == "cancelled"
    assert plane.ask("POST", "/ocsp", asked[good]).body == TRY_LATER
    assert plane.ask("POST", "/ocsp", asked[over]).body == answers[over]
    assert plane.ask("GET", crl).body == before[crl]
    assert plane.ask("GET", paths[good]).status == 503
    assert plane.ask("GET", paths[over]).body == before[paths[over]]
    with pytest.raises(RegisterWentBack):
        plane.mirror.require_whole()
    plane.silence += 3600
    assert (
        json.loads(plane.verify({"approval": over}).body)["state"] == "cancelled"
    )  # the register is read all the time

    # The old primary is back.
    world.links[5], world.kept, world.lists = b"five", kept, lists
    assert json.loads(plane.verify({"approval": good}).body)["valid"] is True
    assert plane.ask("POST", "/ocsp", asked[good]).body == answers[good]


@pytest.mark.parametrize("links", [{}, {3: b"three"}, {5: b"another"}, {5: b"another", 9: b"nine"}])
def test_a_row_that_is_missing_or_another_is_seen_whatever_else_there_is(plane: Plane, links: dict[int, bytes]) -> None:
    approval = plane.world.grant()
    assert plane.verify({"approval": approval}).status == 200
    plane.world.links = links
    problem(plane.verify({"approval": approval}), 503, "register-went-back")
    plane.world.links = {3: b"three", 5: b"five", 9: b"nine"}
    assert plane.verify({"approval": approval}).status == 200


def test_a_lost_end_is_told_on_where_no_sealed_row_is_lost(plane: Plane) -> None:
    approval = plane.world.grant()
    before = plane.world.kept[approval]
    plane.world.end(approval, NOON, EndCause.BREACH)
    assert json.loads(plane.verify({"approval": approval}).body)["state"] == "cancelled"
    plane.world.keep(before)
    assert json.loads(plane.verify({"approval": approval}).body)["state"] == "cancelled"
    assert plane.mirror.remembered.lost == {approval}
    plane.mirror.require_whole()
    plane.world.end(approval, NOON + SECOND, EndCause.BREACH)
    plane.ask("GET", "/healthz")
    assert plane.mirror.remembered.lost == set()


def test_a_supersession_that_has_not_come_may_be_lifted(plane: Plane) -> None:
    approval = plane.world.grant()
    before = plane.world.kept[approval]
    plane.world.amend(approval, effective=NOON + timedelta(days=2), signed_at=NOON)
    plane.ask("GET", "/healthz")
    plane.world.keep(before)
    plane.ask("GET", "/healthz")
    assert plane.mirror.remembered.lost == set()
    assert plane.mirror.view().approvals[approval] is before


# --- over registers ----------------------------------------------------------------------------------------------


@dataclass
class Standby:
    """A copy of a world's register at an instant, that is put in its place later."""

    world: World
    folder: Path

    def __post_init__(self) -> None:
        self.world.store.close()
        if self.world.store.dialect == "sqlite":
            shutil.copy(self._path, self.folder / "standby.sqlite")
        else:
            self._order(f'CREATE DATABASE "{self._name}_standby" TEMPLATE "{self._name}"')

    def promote(self) -> None:
        self.world.store.close()
        if self.world.store.dialect == "sqlite":
            shutil.copy(self.folder / "standby.sqlite", self._path)
        else:
            self._order(f'ALTER DATABASE "{self._name}" RENAME TO "{self._name}_lost"')
            self._order(f'ALTER DATABASE "{self._name}_standby" RENAME TO "{self._name}"')

    @property
    def _path(self) -> str:
        return self.world.url.removeprefix("sqlite:///")

    @property
    def _name(self) -> str:
        return str(make_url(self.world.url).database)

    def _order(self, order: str) -> None:
        url = make_url(self.world.url).set(drivername="postgresql", database="postgres")
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(order)


@pytest.fixture
def sqlite(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[World]:
    world = World(store_copy("sqlite"), keys_folder)
    yield world
    world.close()


def started(world: World, place: Path, seconds: Callable[[], float] = lambda: 0.0) -> Api:
    """A web process that starts, and knows what was told before."""
    return Api(world, WebMemory(place, monotonic=seconds))


def verified(api: Api, approval: str) -> dict[str, Any]:
    return done(api.ask("dcc", "POST", "/v1/verify", {"approval": approval}))


def behind(api: Api, good: str, over: str) -> None:
    """What a process does on a register that went back."""
    assert verified(api, over)["state"] == "cancelled"
    refused(api.ask("dcc", "POST", "/v1/verify", {"approval": good}), 503, "register-went-back")
    refused(api.ask("manufacturer", "POST", "/v1/applications", application()), 503, "register-went-back")
    refused(api.ask("dcc", "GET", f"/v1/approvals/{good}"), 503, "register-went-back")
    api.lookout.look()
    answer = done(api.ask(None, "GET", "/readyz"), 503)
    assert "register" in {each["name"] for each in answer["checks"] if not each["ok"]}
    assert AlarmCode.REGISTER_WENT_BACK in {each["code"] for each in answer["alarms"]}


def accepted(api: Api, good: str, over: str, forgotten: str) -> None:
    """What it does when an operator has accepted that, and the authority has said so in a signed head."""
    assert verified(api, good)["state"] == "not_yet_started"
    # What the register had lost was entered again before that, ends included.
    for each in (forgotten, over):
        assert verified(api, each)["state"] == "cancelled"
    api.lookout.look()
    assert not {AlarmCode.TOLD_END_LOST, AlarmCode.REGISTER_WENT_BACK} & {each.code for each in api.lookout.alarms}
    done(api.ask("manufacturer", "POST", "/v1/applications", application()), 201)


def test_a_standby_that_lacks_the_last_commits_is_promoted(world: World, tmp_path: Path) -> None:
    seconds = 0.0
    good, over = world.granted(), world.granted(device=device(2))
    api = started(world, tmp_path / "web", lambda: seconds)
    api.settle()
    standby = Standby(world, tmp_path)
    world.revoked(over)
    forgotten = world.granted(device=device(3))
    world.revoked(forgotten)
    api.settle()
    assert verified(api, over)["state"] == "cancelled"
    standby.promote()
    api.mirror.follow()
    behind(api, good, over)
    assert verified(api, forgotten)["state"] == "cancelled"
    with pytest.raises(StoreWentBack):
        world.authority.turn()
    world.accept_restore()
    api.mirror.follow()
    behind(api, good, over)  # the authority has not said so yet
    api.settle()
    behind(api, good, over)  # it was looked for a moment ago
    seconds += LOOK_SECONDS
    api.mirror.follow()
    accepted(api, good, over, forgotten)


def test_a_web_process_is_started_on_an_older_backup(sqlite: World, tmp_path: Path) -> None:
    seconds = 0.0
    world = sqlite
    good, over = world.granted(), world.granted(device=device(2))
    api = started(world, tmp_path / "web")
    api.settle()
    backup = Standby(world, tmp_path)
    world.revoked(over)
    forgotten = world.granted(device=device(3))
    world.revoked(forgotten)
    api.settle()
    newest = max(each.number for each in api.mirror.view().authority.crls.values())
    api.mirror.remembered.close()
    backup.promote()

    keys, api = api.keys, started(world, tmp_path / "web", lambda: seconds)
    assert keys != api.keys
    behind(api, good, over)
    assert verified(api, forgotten)["state"] == "cancelled"  # the register does not even have it
    key = next(each.key_id for each in api.mirror.view().authority.certificates if each.role == "issuing")
    refused(api.ask(None, "GET", f"/crl/{key}.crl"), 503, "register-went-back")  # the older list is not served
    refused(api.ask(None, "GET", f"/crl/{key}/{newest}.crl"), 503, "register-went-back")
    # Whoever can write rows says that it was accepted; the authority has signed nothing.
    with world.store.begin("pretend") as tx:
        facts.record(tx, Fact(FactKind.RESTORE_ACCEPTED, NOW, CONSOLE, payload={"sealed_before": 9, "restored_to": 1}))
    seconds += LOOK_SECONDS
    api.mirror.follow()
    behind(api, good, over)
    world.accept_restore()
    api.settle()
    seconds += LOOK_SECONDS
    api.mirror.follow()
    accepted(api, good, over, forgotten)
    api.mirror.remembered.close()
    api = started(world, tmp_path / "web")
    assert verified(api, over)["state"] == "cancelled"
    api.mirror.require_whole()


def test_the_newest_genuine_list_of_a_register_is_served(sqlite: World) -> None:
    over = sqlite.granted()
    sqlite.revoked(over)
    sqlite.authority.settle()
    reader = StatusReader(sqlite.store, is_genuine=is_genuine)
    before = reader.authority().crls
    assert all(is_genuine(each, reader.authority().certificates) for each in before.values())
    with sqlite.store.begin("forge") as tx:
        for row in tx.connection.execute(select(crls)).mappings().all():
            tx.connection.execute(insert(crls).values({**row, "number": 5 * 10**15 + row["number"]}))
    assert reader.authority().crls == before
    with sqlite.store.begin("forge") as tx:
        tx.connection.execute(update(crls).values(der=b"forged"))
    assert {each.der for each in reader.authority().crls.values()} == {b"forged"}  # there is no other


def test_a_row_that_was_served_and_taken_back_is_no_register_that_went_back(sqlite: World, tmp_path: Path) -> None:
    """Whoever writes rows gives one a number, and a head; the authority takes the number back."""
    world = sqlite
    good = world.granted()
    api = started(world, tmp_path / "web")
    api.settle()
    before = api.mirror.remembered.head
    forged = {"kind": FactKind.CRL_REFUSED, "at": NOW, "actor": "console", "payload": "{}", "approvals": ""}
    for number in (before.number + 1, 2**62):
        with world.store.begin("forge") as tx:
            sealed = {"seal_number": number, "link": bytes(32), "sealed_at": NOW}
            tx.connection.execute(insert(journal).values(**forged, **sealed))
            head = {"number": number, "link": bytes(32), "signature": b"forged", "signed_at": NOW}
            tx.connection.execute(insert(journal_heads).values(**head))
        api.mirror.follow()
        assert api.mirror.remembered.head == before
        assert api.mirror.remembered.head in StatusReader(world.store).changes(None).heads
    api.settle()
    assert verified(api, good)["state"] == "not_yet_started"
    assert api.mirror.remembered.head.number > before.number
    api.mirror.remembered.close()
    again = started(world, tmp_path / "web")
    assert verified(again, good)["state"] == "not_yet_started"
    assert again.mirror.remembered.head == api.mirror.remembered.head


def test_a_row_that_a_release_before_kept_under_no_head_is_not_believed(plane: Plane, tmp_path: Path) -> None:
    plane.mirror.remembered = WebMemory(tmp_path / "web")
    approval = plane.world.grant()
    assert plane.verify({"approval": approval}).status == 200
    remembered = plane.mirror.remembered
    assert remembered._files.keep(replace(remembered._known, head=SealedHead(number=6, link=b"taken back")))
    plane.mirror.remembered = WebMemory(tmp_path / "web")
    assert plane.verify({"approval": approval}).status == 200
    assert plane.mirror.remembered.head.number == 5


def test_a_restore_that_was_accepted_before_does_not_count_again(sqlite: World, tmp_path: Path) -> None:
    seconds = 0.0
    world = sqlite
    first = Standby(world, tmp_path)
    good = world.granted()
    first.promote()
    world.accept_restore()
    world.authority.settle()
    good = world.granted(device=device(2))
    api = started(world, tmp_path / "web", lambda: seconds)
    (tmp_path / "second").mkdir()
    second = Standby(world, tmp_path / "second")
    over = world.granted(device=device(3))
    world.revoked(over)
    api.settle()
    second.promote()
    for _ in range(2):
        api.mirror.follow()
        behind(api, good, over)
        seconds += LOOK_SECONDS


def test_a_head_over_other_rows_is_no_acceptance(sqlite: World, tmp_path: Path) -> None:
    """A genuine row of an acceptance under a signature that is of something else, and the other way round."""
    world = sqlite
    world.granted()
    backup = Standby(world, tmp_path)
    world.granted(device=device(2))
    backup.promote()
    world.accept_restore()
    world.authority.settle()
    reader = StatusReader(world.store)
    (number,) = reader.restores().values()
    proof, view = reader.proof(number), reader.authority()
    assert proof is not None
    remembered = WebMemory()
    remembered._known = Known(journal_key=view.journal_key, name=view.name)
    assert remembered._proved(proof, number)
    wrong = [
        None,
        replace(proof, rows=()),
        replace(proof, before=bytes(32)),
        replace(proof, signature=proof.signature[:-1] + bytes([proof.signature[-1] ^ 1])),
        replace(proof, rows=(replace(proof.rows[0], payload="{}"), *proof.rows[1:])),
        replace(proof, rows=proof.rows[:-1]),
    ]
    assert not any(remembered._proved(each, number) for each in wrong)
    assert not remembered._proved(proof, number + 1)
    remembered._known = Known(journal_key=view.journal_key, name="TEST Another")
    assert not remembered._proved(proof, number)
    later = reader.proof(number + 1)
    remembered._known = Known(journal_key=view.journal_key, name=view.name)
    assert later is None or not remembered._proved(later, number + 1)  # it is a fact of another kind


def written(folder: Path) -> dict[str, tuple[int, int]]:
    return {each.name: (each.stat().st_ino, each.stat().st_mtime_ns) for each in folder.iterdir()}


def test_an_idle_poll_reads_nothing_more_and_writes_nothing(sqlite: World, tmp_path: Path) -> None:
    api = started(sqlite, tmp_path / "web")
    api.settle()
    api.mirror.remembered.close()
    before = written(tmp_path)
    asked: list[int] = []
    source: Any = api.mirror._source
    source.link_of = asked.append
    for _ in range(3):
        api.mirror.follow()
    assert (asked, written(tmp_path)) == ([], before)


def test_a_line_says_everything_of_an_approval(plane: Plane) -> None:
    approval = plane.world.grant()
    plane.world.amend(approval, effective=NOON, signed_at=NOON)
    plane.world.end(approval, NOON + SECOND, EndCause.KEY_COMPROMISE)
    record = plane.world.kept[approval].record
    assert told.read(told.line(record)) == (approval, record)
    assert told.read(told.line_of_none(approval)) == (approval, None)


# --- two processes -----------------------------------------------------------------------------------------------


def asked(api: Api, approval: str) -> str:
    """What a process says of a device: yes, no, or nothing."""
    answered = api.ask("dcc", "POST", "/v1/verify", {"approval": approval})
    if answered.status_code != 200:
        return "nothing"
    return "yes" if done(answered)["state"] in {"active", "not_yet_started"} else "no"


@pytest.mark.parametrize(("first", "sealed"), [(0, True), (1, False)])
def test_two_processes_never_say_yes_and_no_when_a_standby_is_promoted(
    world: World, tmp_path: Path, first: int, *, sealed: bool
) -> None:
    """One has told the last commit, sealed or not; the other has not looked since. Either of them looks first then."""
    good, over = world.granted(), world.granted(device=device(2))
    apis = [started(world, tmp_path / "web" / name) for name in ("one", "other")]
    for each in apis:
        each.settle()
    standby = Standby(world, tmp_path)
    world.revoked(over)
    if sealed:
        world.authority.settle()
    apis[0].mirror.follow()
    assert asked(apis[0], over) == "no"
    apis[0].mirror.remembered.close()
    standby.promote()
    for turn in (first, 1 - first, first):
        apis[turn].mirror.follow()
        assert asked(apis[turn], over) == "no"
        assert asked(apis[turn], good) == ("nothing" if sealed else "yes")
    late = started(world, tmp_path / "web" / "late")
    assert asked(late, over) == "no"
    if sealed:
        world.accept_restore()
        world.authority.settle()
        for each in (*apis, late, *apis):
            each.mirror.follow()
            assert asked(each, over) == "no"

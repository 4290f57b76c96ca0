"""/readyz?for=writing: each check judged by itself, the body through the app, real databases that take no writes."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, insert, select, update

from api.lookout import QUIET_SECONDS, STANDS_SECONDS, Lookout
from api.readiness import Check, Purpose, noticed
from api.status.snapshot import Snapshot, amended
from api.writing import (
    COURIER_SILENT,
    DISK_FULL,
    DISK_NEARLY_FULL,
    SPOOLED,
    WRITE_OLD_SECONDS,
    WRITE_SLOW_SECONDS,
    Known,
    Written,
    answers_not_in_force,
    writing_checks,
)
from app.processes import what_is_not_ready
from app.web import small_write
from core.alarms import WORDS, Alarm, AlarmCode, Noticed
from core.errors import OutcomeUnknown, StoreFull, StoreReadOnly, StoreUnavailable
from core.kinds import DeliveryState, ProcessRole
from core.mirror import unpacked
from front.limits import Limits
from ra.applying.evidence import LARGEST_FILE
from ra.reporting.record import LARGEST_REPORT
from ra.telling.reconcile import LARGEST_LIST
from store.reading.watching import UNDELIVERED, Backlog, Telling, telling
from store.tables import journal, signs_of_life
from store.transactions import Store, sqlite_url
from store.trial_tables import deliveries
from tests.api_world import Api, done, refused
from tests.front_world import request
from tests.served_world import Web
from tests.test_deadlines import fill, nobody, open_folder
from tests.world import NOW, World

__all__ = ["open_folder"]

SECOND = timedelta(seconds=1)
LAST = datetime.max.replace(microsecond=0, tzinfo=UTC)
WRITTEN = Written(tried=True, error=None, waiting=0.0)
QUIET = Backlog(
    lease_until=NOW,
    unsealed=0,
    unsealed_since=None,
    unlisted=0,
    unlisted_since=None,
    presign_due=0,
    presign_due_since=None,
)
TOLD = Telling(
    courier_seen=NOW,
    undelivered=0,
    undelivered_since=None,
    given_up=0,
)
FIT = Known(left=QUIET, telling=TOLD, view=None, now=NOW, written=WRITTEN, disks={"x": DISK_NEARLY_FULL}, answers=None)


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


@pytest.fixture
def sqlite(store_copy: Callable[[str], str], keys_folder: Any) -> Iterator[Api]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Api(world)
    world.close()


# --- each check --------------------------------------------------------------------------------------------------


def found(known: Known) -> dict[str, Check]:
    return {each.name: each for each in writing_checks(known)}


def test_what_is_fit_is_fit() -> None:
    assert {name: (each.ok, each.warning) for name, each in found(FIT).items()} == dict.fromkeys(
        ("write", "disk", "courier", "notices", "tokens"), (True, False)
    )
    assert noticed(writing_checks(FIT), ()) == []


OUT_OF_USE = Alarm(
    code=AlarmCode.TOKEN_OUT_OF_USE, subject="“Trial CPA”", since=NOW, sentence="The token “Trial CPA” is out of use."
)
"""The authority's own alarm, which stands beside the check and is not raised a second time."""

CASES: Mapping[str, tuple[dict[str, Any], str, bool, AlarmCode | None]] = {
    "not tried yet": ({"written": replace(WRITTEN, tried=False)}, "write", False, None),
    "silent": (
        {"written": replace(WRITTEN, error=StoreUnavailable())}, "write", False, AlarmCode.STORE_TAKES_NO_WRITES,
    ),
    "unknown outcome": (
        {"written": replace(WRITTEN, error=OutcomeUnknown())}, "write", False, AlarmCode.STORE_TAKES_NO_WRITES,
    ),
    "read-only": ({"written": replace(WRITTEN, error=StoreReadOnly())}, "write", False, AlarmCode.STORE_READ_ONLY),
    "full": ({"written": replace(WRITTEN, error=StoreFull())}, "write", False, AlarmCode.STORE_FULL),
    "under way": ({"written": replace(WRITTEN, waiting=WRITE_SLOW_SECONDS)}, "write", True, None),
    "nobody has tried for long": (
        {"written": replace(WRITTEN, age=WRITE_OLD_SECONDS + 0.1)}, "write", False, None,
    ),
    "tried a while ago": ({"written": replace(WRITTEN, age=WRITE_OLD_SECONDS)}, "write", True, None),
    "slow while the register is silent": (
        {"left": None, "written": replace(WRITTEN, waiting=WRITE_SLOW_SECONDS + 0.1)}, "write", False, None,
    ),
    "refused by a silent register": (
        {"left": None, "written": replace(WRITTEN, error=StoreUnavailable())}, "write", False, None,
    ),
    "slow": (
        {"written": replace(WRITTEN, waiting=WRITE_SLOW_SECONDS + 0.1)}, "write", False,
        AlarmCode.STORE_TAKES_NO_WRITES,
    ),
    "little room": ({"disks": {"x": DISK_NEARLY_FULL - 1}}, "disk", True, AlarmCode.DISK_NEARLY_FULL),
    "hardly any room": ({"disks": {"x": DISK_FULL}}, "disk", True, AlarmCode.DISK_NEARLY_FULL),
    "no room": ({"disks": {"x": DISK_FULL - 1}}, "disk", False, AlarmCode.DISK_NEARLY_FULL),
    "a disk that does not say": ({"disks": {"x": None}}, "disk", False, AlarmCode.DISK_NEARLY_FULL),
    "no courier ever": ({"telling": replace(TOLD, courier_seen=None)}, "courier", False, AlarmCode.COURIER_SILENT),
    "a courier just in time": (
        {"telling": replace(TOLD, courier_seen=NOW - COURIER_SILENT + SECOND)}, "courier", True, None,
    ),
    "a courier that is gone": (
        {"telling": replace(TOLD, courier_seen=NOW - COURIER_SILENT)}, "courier", False, AlarmCode.COURIER_SILENT,
    ),
    "a courier whose clock is a little ahead": (
        {"telling": replace(TOLD, courier_seen=NOW + 12 * SECOND)}, "courier", True, None,
    ),
    "a courier of the future": (
        {"telling": replace(TOLD, courier_seen=NOW + 13 * SECOND)}, "courier", False, AlarmCode.COURIER_SILENT,
    ),
    "a courier of the end of time": (
        {"telling": replace(TOLD, courier_seen=LAST)}, "courier", False, AlarmCode.COURIER_SILENT,
    ),
    "nobody knows of the courier": ({"telling": None}, "courier", False, None),
    "nobody knows of notices": ({"telling": None}, "notices", False, None),
    "a notice on its way": (
        {"telling": replace(TOLD, undelivered=1, undelivered_since=NOW)}, "notices", False,
        AlarmCode.NOTICES_UNDELIVERED,
    ),
    "a token that does not sign": ({"tokens": (OUT_OF_USE,)}, "tokens", False, None),
    "a notice given up": ({"telling": replace(TOLD, given_up=1)}, "notices", True, AlarmCode.NOTICES_UNDELIVERED),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_check_and_its_alarm(name: str) -> None:
    changes, check, ok, alarm = CASES[name]
    known = replace(FIT, **changes)
    assert found(known)[check].ok is ok
    assert found(known)[check].detail.endswith(".")
    raised = [each.code for each in noticed(writing_checks(known), ())]
    assert raised == ([] if alarm is None else [alarm])


def test_what_cannot_be_asked_is_believed_to_be_as_it_was() -> None:
    standing = [
        Alarm(code=code, subject="", since=NOW, sentence="So it was.")
        for code in (AlarmCode.COURIER_SILENT, AlarmCode.STORE_FULL, AlarmCode.DISK_NEARLY_FULL)
    ]
    checks = writing_checks(replace(FIT, left=None, telling=None))
    assert noticed(checks, standing) == [
        Noticed(code=code, sentence="So it was.") for code in (AlarmCode.COURIER_SILENT, AlarmCode.STORE_FULL)
    ]


def test_a_disk_is_said_to_be_nearly_full_while_all_that_is_collected_at_once_has_room() -> None:
    assert DISK_NEARLY_FULL - DISK_FULL >= SPOOLED == Limits().spooled
    assert 2 * max(LARGEST_FILE, LARGEST_LIST, LARGEST_REPORT) <= DISK_FULL


# --- in force now ------------------------------------------------------------------------------------------------


def _relisted(view: Snapshot, **changes: Any) -> Snapshot:
    crls = {key: replace(each, **changes) for key, each in view.authority.crls.items()}
    return replace(view, authority=replace(view.authority, crls=crls))


def test_lists_and_answers_are_in_force_from_their_first_second_to_their_last(sqlite: Api) -> None:
    approval = sqlite.granted()
    sqlite.world.at(NOW + timedelta(minutes=2))
    view = sqlite.mirror.view()
    listed = max(view.authority.crls.values(), key=lambda each: each.this_update)
    held = view.approvals[approval]
    answer = held.answers[0]

    def lists(at: Any, shown: Snapshot = view) -> list[bool]:
        return [each.ok for each in writing_checks(replace(FIT, view=shown, now=at)) if each.name == "lists"]

    assert [lists(at) for at in (listed.this_update, listed.next_update)] == [[True], [True]]
    assert [lists(at) for at in (listed.this_update - SECOND, listed.next_update + SECOND)] == [[False], [False]]
    assert lists(NOW, replace(view, authority=replace(view.authority, crls={}))) == [False]
    assert lists(NOW, _relisted(view, this_update=NOW + SECOND)) == [False]
    signed = held.record.certificates[0].signed_at
    late = [answer.next_update, answer.next_update + SECOND]
    assert [answers_not_in_force(view, at) for at in late] == [0, 1]
    ahead = replace(unpacked(held), answers=[replace(each, this_update=late[1]) for each in held.answers])
    assert answers_not_in_force(amended(view, frozenset(), [ahead]), late[0]) == 1
    one_hash = replace(unpacked(held), answers=[each for each in held.answers if each.hash_name == "sha1"])
    without = amended(view, frozenset(), [one_hash])
    assert answers_not_in_force(without, signed + timedelta(seconds=61)) == 1
    assert answers_not_in_force(without, signed + timedelta(seconds=60)) == 0  # they are being signed
    ended = held.record.certificates[0].not_after + SECOND
    assert answers_not_in_force(without, ended) == 0
    known = replace(FIT, view=view, answers=1)
    assert [each.alarm for each in writing_checks(known) if not each.ok] == [AlarmCode.ANSWER_NOT_IN_FORCE]


# --- what the register says --------------------------------------------------------------------------------------


def test_the_register_tells_of_notices_that_do_not_arrive(api: Api) -> None:
    world = api.world
    world.granted()
    with world.store.read() as tx:
        assert (telling(tx, NOW).undelivered, telling(tx, NOW).given_up) == (0, 0)
    with world.store.begin("open") as tx:
        copies = tx.connection.exec_driver_sql("SELECT notice, recipient FROM notice_copies").all()
        for number, (notice, recipient) in enumerate(copies):
            tx.connection.execute(
                insert(deliveries).values(
                    id=f"dlv-{number}",
                    notice=notice,
                    recipient=recipient,
                    channel="mail",
                    address="someone@acme.example",
                    state="waiting",
                    due=NOW,
                    opened_at=NOW,
                )
            )
    with world.store.read() as tx:
        assert telling(tx, NOW + UNDELIVERED - SECOND).undelivered == 0
        left = telling(tx, NOW + UNDELIVERED)
        assert (left.undelivered, left.undelivered_since) == (len(copies), NOW)
    with world.store.begin("give up") as tx:
        tx.connection.execute(update(deliveries).values(state=DeliveryState.GIVEN_UP))
    with world.store.read() as tx:
        left = telling(tx, NOW + UNDELIVERED)
        assert (left.undelivered, left.given_up) == (0, len(copies))
    with world.store.begin("fetch") as tx:
        tx.connection.exec_driver_sql("UPDATE notice_copies SET fetched_at = 1")
    with world.store.read() as tx:
        assert telling(tx, NOW).given_up == 0


# --- through the app ---------------------------------------------------------------------------------------------


def told(api: Api, query: str = "?for=writing") -> tuple[int, dict[str, bool], dict[str, str]]:
    answer = api.ask(None, "GET", f"/readyz{query}")
    said = dict(answer.get_json())
    assert set(said) == {"ready", "checks", "alarms"}
    assert all(set(each) == {"code", "since", "sentence"} for each in said["alarms"])
    assert said["ready"] is (answer.status_code == 200)
    checks = {each["name"]: each["ok"] for each in said["checks"]}
    return answer.status_code, checks, {each["code"]: each["since"] for each in said["alarms"]}


def test_fit_for_writing_is_told_with_each_check_named(api: Api) -> None:
    api.granted()
    assert told(api)[0] == 503  # nothing has been looked at
    api.look()
    status, checks, alarms = told(api)
    assert (status, alarms) == (200, {})
    assert set(checks) == {
        "store", "mirror", "authority", "crl", "root-crl", "responder", "journal", "revocation-list", "clock",
        "register", "told-ends", "told-here",
        "keys", "issuing-window", "issuing-ca", "root", "statement-signer", "write", "disk", "courier",
        "notices", "lists", "answers", "tokens",
    }  # fmt: skip
    further = {"write", "disk", "courier", "notices", "lists", "answers", "tokens"}
    assert set(checks) - set(told(api, "")[1]) == further
    assert told(api, "?for=status") == told(api, "")


def test_an_alarm_takes_status_out_of_nothing_and_is_told_to_whoever_asks(
    sqlite: Api, caplog: pytest.LogCaptureFixture
) -> None:
    sqlite.granted()
    sqlite.look()
    sqlite.room = 5
    sqlite.seconds = QUIET_SECONDS
    sqlite.hear()
    since = "2027-01-03T12:00:00Z"
    assert told(sqlite, "")[::2] == (200, {"disk-nearly-full": since})
    assert told(sqlite)[::2] == (503, {"disk-nearly-full": since})
    sqlite.world.clock.advance(SECOND)
    sqlite.hear()
    assert told(sqlite, "")[::2] == (200, {"disk-nearly-full": since})
    figures = sqlite.ask("dcc", "GET", "/metrics").get_data(as_text=True)
    assert 'trialcpa_alarm{code="disk-nearly-full"} 1\n' in figures
    assert 'trialcpa_alarm_age_seconds{code="disk-nearly-full"} 1\n' in figures
    sqlite.room = DISK_NEARLY_FULL
    sqlite.hear()
    assert told(sqlite)[::2] == (200, {})
    assert [each.message for each in caplog.records if each.name == "api.lookout"] == [
        "The disk of the register has 0 MB left.",
        WORDS[AlarmCode.DISK_NEARLY_FULL][1],
    ]


def test_while_the_register_is_silent_the_last_alarms_are_told_with_what_is_known(
    sqlite: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite.granted()
    duty = sqlite.world.authority._duty()
    assert duty is not None
    duty.notice(AlarmCode.JOB_FAILS, "It fails.", "look_about")
    sqlite.world.authority._guarded(lambda *_: 0, duty, NOW)
    sqlite.world.authority.tell_alarms(duty, NOW)
    sqlite.lookout.try_write()
    sqlite.hear()
    assert told(sqlite, "")[::2] == (200, dict.fromkeys(("courier-silent", "job-fails"), "2027-01-03T12:00:00Z"))

    def silent(*_: object) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(sqlite.world.store, "read", silent)
        sqlite.world.clock.advance(timedelta(hours=1))
        sqlite.hear()
        status, _, alarms = told(sqlite, "")
    # Of backlogs, the authority and notices nothing is known; nobody says that they are wrong.
    assert (status, set(alarms)) == (200, {"courier-silent", "job-fails", "store-silent"})
    sqlite.hear()
    assert "store-silent" not in told(sqlite, "")[2]


@pytest.mark.parametrize(
    ("use", "error", "code"),
    [
        ("_connected", StoreUnavailable, AlarmCode.STORE_SILENT),
        ("read", StoreUnavailable, AlarmCode.STORE_SILENT),
        ("begin", StoreUnavailable, AlarmCode.STORE_TAKES_NO_WRITES),
        ("begin", StoreReadOnly, AlarmCode.STORE_READ_ONLY),
        ("begin", StoreFull, AlarmCode.STORE_FULL),
    ],
)
def test_a_trouble_of_the_register_is_logged_when_it_begins_and_when_it_ends(
    sqlite: Api,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    use: str,
    error: type[StoreUnavailable],
    code: AlarmCode,
) -> None:
    def refuses(*_: object, **_more: object) -> None:
        raise error

    def look() -> set[AlarmCode]:
        sqlite.lookout.try_write()
        sqlite.lookout.look()
        return {each.code for each in sqlite.lookout.alarms}

    sqlite.granted()
    sqlite.look()
    sqlite.seconds = QUIET_SECONDS
    assert look() == set()
    with monkeypatch.context() as patched:
        patched.setattr(sqlite.world.store, use, refuses)
        assert look() == look() == {code}
    assert look() == set()
    begun, ended = [each.message for each in caplog.records if each.name == "api.lookout"]
    assert begun.endswith(error.sentence)
    assert ended == WORDS[code][1]


def test_what_nobody_foresaw_is_logged_once_and_no_alarm_stands_still_unnoticed(
    sqlite: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise KeyError("this")

    sqlite.granted()
    sqlite.look()
    lookout, pauses = sqlite.lookout, [1, 2, 3]

    def wait(_seconds: float) -> None:
        if pauses.pop() == 1:
            lookout._stopping.set()

    monkeypatch.setattr(lookout._stopping, "wait", wait)
    with monkeypatch.context() as patched:
        patched.setattr("api.lookout.status_checks", fails)
        lookout._repeat(lookout.try_write, lookout._pause)  # its thread lives on
        assert [lookout.ready().status for _ in range(3)] == [500] * 3
    assert [each.message for each in caplog.records if "KeyError" in each.message] == [
        "the lookout fails: KeyError"
    ] * 2
    assert lookout.ready().status == 200
    sqlite.seconds = STANDS_SECONDS
    assert told(sqlite, "")[2] == {}
    sqlite.seconds += 1
    assert told(sqlite, "")[2] == {"lookout-stands": "2027-01-03T12:00:00Z"}
    sqlite.look()
    assert told(sqlite, "")[2] == {}


def test_another_purpose_is_refused(sqlite: Api) -> None:
    for query in ("?for=reading", "?for=", "?for=writing&for=writing", "?why=writing"):
        assert sqlite.ask(None, "GET", f"/readyz{query}").status_code == 400, query
    refused(sqlite.ask(None, "GET", "/readyz?for=reading"), 400, "body-malformed")


def test_the_front_answers_it_from_memory(world: World) -> None:
    web = Web(world)
    world.granted()
    web.api.mirror.follow()
    with web.listening() as front:
        assert "The register has not answered yet." in what_is_not_ready("127.0.0.1", front.port)
        web.api.look()
        assert what_is_not_ready("127.0.0.1", front.port) == []
        for query, status in (
            ("", 200), ("?", 200), ("?&", 200), ("?for=writing", 200), ("?for=writin%67&", 200), ("?f%6fr=status", 200)
        ):  # fmt: skip
            assert front.status(request(f"/readyz{query}", method="GET")) == status
        assert web.reached == []
        answered = front.ask(request("/readyz?for=reading", method="GET"))
        assert (answered[9:12], len(web.reached)) == (b"400", 1)
        assert json.loads(answered.partition(b"\r\n\r\n")[2])["status"] == 400


def test_a_question_writes_nothing_and_a_small_write_is_no_fact(api: Api) -> None:
    api.settle()

    def written() -> tuple[int, int]:
        with api.world.store.read() as tx:
            run = tx.connection.execute
            facts = run(select(func.count()).select_from(journal)).scalar_one()
            return facts, run(select(func.count()).select_from(signs_of_life)).scalar_one()

    before = written()
    done(api.ask(None, "GET", "/readyz?for=writing"), 503)
    assert written() == before
    for _ in range(2):
        api.lookout.try_write()
    assert written() == (before[0], before[1] + 1)
    with api.world.store.read() as tx:
        roles = tx.connection.exec_driver_sql("SELECT process FROM signs_of_life").scalars().all()
    assert roles == [ProcessRole.WEB]


# --- real databases that take no writes --------------------------------------------------------------------------


def write_tried(api: Api, store: Store) -> tuple[str, set[AlarmCode]]:
    """What is said of a small write, and the alarms that speak of the store."""
    lookout = Lookout(store, api.mirror, lambda: small_write(store, api.world.machine), {})
    lookout.try_write()
    lookout.look()
    (check,) = (each for each in lookout.readiness(Purpose.WRITING).checks if each.name == "write")
    return check.detail, {each.code for each in lookout.alarms if each.code.startswith("store-")}


def read_at_once(store: Store) -> None:
    """Leave as many sessions as readers; the first write that one of them refuses must be the last."""
    with store.read(), store.read(), store.read(), store.read():
        pass


TAKEN = ("The register took a small write.", set[AlarmCode]())
READ_ONLY = (f"A small write was refused: {StoreReadOnly.sentence}", {AlarmCode.STORE_READ_ONLY})


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_file_that_is_read_only_is_told_so_and_recovers(api: Api, open_folder: Path) -> None:
    path = open_folder / "store.sqlite"
    shutil.copy(api.world.url.removeprefix("sqlite:///"), path)
    path.chmod(0o444)
    store = Store(sqlite_url(path))
    with nobody():
        assert write_tried(api, store) == READ_ONLY
        read_at_once(store)
    for each in open_folder.iterdir():
        each.chmod(0o666)
    with nobody():
        write_tried(api, store)
        assert write_tried(api, store) == TAKEN
        store.close()


@pytest.mark.parametrize("store_kind", ["postgresql"])
def test_a_database_that_is_read_only_is_told_so_and_recovers(api: Api) -> None:
    with psycopg.connect(api.world.url, autocommit=True) as operator:
        named = operator.execute("SELECT quote_ident(current_database())").fetchone()
        assert named is not None
        operator.execute(f"ALTER DATABASE {named[0]} SET default_transaction_read_only = on")
        store = Store(api.world.url)
        assert write_tried(api, store) == READ_ONLY
        read_at_once(store)
        operator.execute(f"ALTER DATABASE {named[0]} RESET default_transaction_read_only")
        write_tried(api, store)
        assert write_tried(api, store) == TAKEN
        store.close()


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_disk_that_is_full_is_told_so(api: Api) -> None:
    store = api.world.store
    with store.read() as tx:  # the connection that the next one to write will have
        pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar()
        tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFull):
        fill(store, 2_000)

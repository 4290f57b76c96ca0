"""Rows that cannot be read, signs from the future, tables that are locked: each troubles what needs it, and no more."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from core.alarms import Alarm, AlarmCode
from core.errors import OutcomeUnreadable, StoreUnavailable
from core.kinds import ProcessRole
from store.reading import watching as reading
from store.tables import lease
from store.transactions import Transaction
from store.verbs import watching as verbs
from tests.api_world import Api, application, done, refused
from tests.world import NOW, World

SECOND = timedelta(seconds=1)
ALARM = Alarm(code=AlarmCode.JOB_FAILS, subject="a", since=NOW, sentence="It fails.")


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


@pytest.fixture
def sqlite(store_copy: Callable[[str], str], keys_folder: Any) -> Iterator[Api]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Api(world)
    world.close()


def change(api: Api, sql: str) -> None:
    with api.world.store.begin("by somebody else") as tx:
        tx.connection.execute(text(sql))


def impatiently(api: Api, read: Callable[[Transaction], object]) -> None:
    with api.world.store.read() as tx:
        tx.connection.execute(text("SET LOCAL lock_timeout = '100ms'"))
        read(tx)


def checks(api: Api, query: str = "") -> dict[str, tuple[bool, str]]:
    said = dict(api.ask(None, "GET", f"/readyz{query}").get_json())
    return {each["name"]: (each["ok"], each["detail"]) for each in said["checks"]}


@pytest.mark.parametrize("far", [10**12, 10**18, -(10**12)])
def test_an_alarm_that_cannot_be_read_is_passed_over_and_begins_anew(api: Api, far: int) -> None:
    other = Alarm(code=AlarmCode.JOB_FAILS, subject="b", since=NOW, sentence="So does this.")
    with api.world.store.begin("alarms") as tx:
        verbs.raise_alarm(tx, ProcessRole.AUTHORITY, ALARM)
        verbs.raise_alarm(tx, ProcessRole.AUTHORITY, other)
    change(api, f"UPDATE alarms SET since = {far} WHERE subject = 'a'")
    api.hear()
    assert [each for each in api.lookout.alarms if each.code is AlarmCode.JOB_FAILS] == [other]
    with api.world.store.begin("alarms") as tx:
        verbs.raise_alarm(tx, ProcessRole.AUTHORITY, ALARM)
    api.hear()
    assert [each for each in api.lookout.alarms if each.code is AlarmCode.JOB_FAILS] == [ALARM, other]


def test_a_lease_that_no_calendar_has_takes_nothing_out(sqlite: Api) -> None:
    sqlite.granted()
    sqlite.look()
    change(sqlite, f"UPDATE lease SET expires_at = {10**13}")
    sqlite.hear()
    assert checks(sqlite)["store"] == (True, "The register answers.")
    assert sqlite.ask(None, "GET", "/readyz").status_code == 200
    assert not checks(sqlite, "?for=writing")["authority"][0]
    figures = sqlite.ask("dcc", "GET", "/metrics")
    assert (figures.status_code, b"trialcpa_store_up 1\n" in figures.data) == (200, True)


def test_what_cannot_be_read_is_told_in_words_and_logged_once(
    sqlite: Api, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ValueError("2027-13-41")

    sqlite.granted()
    sqlite.look()
    with monkeypatch.context() as patched:
        for name in ("backlog", "alarms", "telling"):
            patched.setattr(f"api.lookout.{name}", fails)
        for _ in range(3):
            sqlite.hear()
        assert checks(sqlite)["store"] == (True, "What the register says cannot be read.")
        assert sqlite.ask(None, "GET", "/readyz").status_code == 200
    assert len([each for each in caplog.records if "ValueError" in each.message]) == 3  # each of the three, once
    sqlite.hear()
    assert checks(sqlite)["store"] == (True, "The register answers.")


@pytest.mark.parametrize(
    ("until", "ok"),
    [
        (NOW + 7 * SECOND, True),
        (NOW + 8 * SECOND, False),
        (datetime.max.replace(microsecond=0, tzinfo=UTC), False),
        (NOW - timedelta(seconds=59), True),
        (NOW - timedelta(seconds=60), False),
        (datetime.min.replace(tzinfo=UTC), False),
    ],
)
def test_a_lease_of_the_future_is_no_sign_of_life(sqlite: Api, until: datetime, *, ok: bool) -> None:
    sqlite.granted()
    with sqlite.world.store.begin("by somebody else") as tx:
        tx.connection.execute(lease.update().values(expires_at=until))
    sqlite.look()
    assert checks(sqlite, "?for=writing")["authority"][0] is ok


@pytest.mark.parametrize("kept", ["", "null", "[]", "{}", '{"application": 7}', "no JSON"])
def test_an_outcome_that_cannot_be_read_is_an_error_of_its_request_only(sqlite: Api, kept: str) -> None:
    body = application()

    def apply(key: str) -> Any:
        return sqlite.ask("manufacturer", "POST", "/v1/applications", body, Idempotency_Key=key)

    done(apply("one"), 201)
    with sqlite.world.store.begin("by somebody else") as tx:
        tx.connection.execute(text("UPDATE idempotency SET outcome = :kept"), {"kept": kept})
    assert refused(apply("one"), 503, OutcomeUnreadable.code)["detail"] == OutcomeUnreadable.sentence
    done(apply("two"), 201)


@pytest.mark.parametrize("store_kind", ["postgresql"])
def test_a_lock_on_what_status_does_not_need_is_not_taken_for_silence(api: Api) -> None:
    api.granted()
    with api.world.store.begin("alarms") as tx:
        verbs.raise_alarm(tx, ProcessRole.AUTHORITY, ALARM)
    api.look()
    with api.world.store.begin("somebody else's lock") as locking:
        for table in ("alarms", "deliveries", "signs_of_life"):
            locking.connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        for read in (lambda tx: reading.telling(tx, NOW), reading.alarms):
            with pytest.raises(StoreUnavailable):
                impatiently(api, read)
        api.lookout.look()
        assert checks(api)["store"] == (True, "The register answers.")
        assert ALARM in api.lookout.alarms

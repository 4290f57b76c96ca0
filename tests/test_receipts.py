"""A receipt says how long it took until each channel told an end, and who has acknowledged it (ADR 52)."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from api.ends_told import OWED_WITHIN, EndsTold
from api.verified import ToldReader, VerificationTold
from app.web import note_verified
from core.alarms import AlarmCode
from core.approval import EndCause
from core.classification import Recipient
from core.clock import milliseconds
from core.errors import StoreUnavailable
from core.identifiers import ApprovalIdentifier
from core.instants import text
from core.kinds import Channel, DeliveryState, Told
from jobs.receipts import LOOK_SECONDS, Receipts
from ra.waiting.tasks import tasks
from store.reading.notices import Delivery
from store.reading.receipts import Receipt, receipts_of, took, unseen
from store.trial_tables import cpl_instructions, notices, receipt_lines, receipts
from store.verbs import notices as notice_verbs
from store.verbs import receipts as verbs
from tests.api_world import Api, application, done, refused
from tests.people_world import served
from tests.world import NOW, OFFICER_1, World

OTHER = {"device": {**application()["device"], "model": "OTHER"}}


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


@pytest.fixture
def sqlite(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Api]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Api(world)
    world.close()


def _verified(api: Api, **changes: Any) -> VerificationTold:
    return VerificationTold(api.world.store, api.mirror, partial(note_verified, api.world.store), **changes)


def _receipts(api: Api, approval: str) -> list[Receipt]:
    with api.world.store.read() as tx:
        return receipts_of(tx, approval)


def _told(receipt: Receipt) -> set[Told]:
    return {each.told for each in receipt.lines}


def _deliver(api: Api, approval: str, recipient: Recipient, channel: Channel) -> None:
    """As the courier does it when a listener or a relay has taken a copy (jobs/deliver.py)."""
    with api.world.store.begin("deliver") as tx:
        number = tx.connection.execute(
            select(notices.c.number).where(notices.c.approval == approval, notices.c.kind == "revocation")
        ).scalar_one()
        sent = Delivery(
            id=f"dlv-{recipient}-{channel}",
            notice=number,
            recipient=recipient,
            channel=channel,
            address="somewhere",
            state=DeliveryState.WAITING,
            attempts=0,
            due=NOW,
            opened_at=NOW,
        )
        notice_verbs.open_delivery(tx, sent)
        assert notice_verbs.mark_delivered(tx, sent.id, at=NOW)
        verbs.note_notified(tx, number, recipient)


def _loaded(api: Api, approval: str) -> None:
    for each in done(api.ask("panel", "GET", f"/v1/cpl/instructions?approval={approval}"))["instructions"]:
        if each["state"] == "pending":
            path = f"/v1/cpl/instructions/{each['instruction']}/acknowledgement"
            done(api.ask("panel", "POST", path, {"outcome": "loaded"}))


def test_each_channel_writes_its_line_when_it_tells_the_end_and_no_sooner(api: Api) -> None:
    approval, stays = api.granted(), api.granted(**OTHER)
    seeing = _verified(api)
    api.world.revoked(approval)
    (receipt,) = _receipts(api, approval)
    assert (receipt.ended_at, receipt.certificates, receipt.lines) == (NOW, 1, ())
    seeing.turn()  # the snapshot has not followed yet
    assert _told((_receipts(api, approval))[0]) == set()
    api.mirror.follow()
    seeing.turn()
    seeing.write()
    assert _told(_receipts(api, approval)[0]) == {Told.VERIFICATION}
    api.settle()
    (receipt,) = _receipts(api, approval)
    assert _told(receipt) == {Told.VERIFICATION, Told.OCSP, Told.LIST}
    lines = {each.told: each for each in receipt.lines}
    assert lines[Told.LIST].number == max(crl.number for crl in api.mirror.view().authority.crls.values())
    assert all(each.after >= 0 for each in receipt.lines)
    assert _receipts(api, stays) == []


def test_the_milliseconds_are_from_the_act_to_the_moment_at_which_it_was_told(sqlite: Api) -> None:
    approval = sqlite.granted()
    sqlite.world.revoked(approval)
    with sqlite.world.store.begin("it was 40 ms ago") as tx:
        began = milliseconds()
        tx.connection.execute(update(receipts).values(began=began))
    seeing = _verified(sqlite, now=lambda: began + 40)
    sqlite.mirror.follow()
    seeing.turn()
    # What is written later tells when it was seen; and who sees it after that changes nothing.
    seeing.write()
    with sqlite.world.store.begin("another web process") as tx:
        (key,) = [(each.approval, each.decision) for each in _receipts(sqlite, approval)]
        verbs.note_verified(tx, {key: began + 90})
    assert [(each.told, each.after) for each in _receipts(sqlite, approval)[0].lines] == [(Told.VERIFICATION, 40)]
    with sqlite.world.store.begin("a clock that is behind") as tx:
        tx.connection.execute(receipt_lines.delete())
        verbs.note_verified(tx, {key: began - 90})
        tx.connection.execute(update(receipts).values(began=milliseconds() + 60_000))
    sqlite.settle()
    assert [each.after for each in _receipts(sqlite, approval)[0].lines] == [0, 0, 0]
    with sqlite.world.store.read() as tx:
        assert unseen(tx, None) == unseen(tx, [approval]) == []


def test_every_act_that_ends_something_has_a_receipt_of_its_own(sqlite: Api) -> None:
    approval = sqlite.granted()
    sqlite.world.revoked(approval, EndCause.KEY_COMPROMISE)
    sqlite.settle()
    sqlite.world.clock.advance(timedelta(seconds=5))
    sqlite.world.revoked(approval)
    first, second = _receipts(sqlite, approval)
    assert [(each.certificates, each.ended_at) for each in (first, second)] == [
        (1, NOW),
        (0, NOW + timedelta(seconds=5)),
    ]
    assert {Told.OCSP, Told.LIST} <= _told(first)
    assert _told(second) == set()  # no certificate was left to be told of


def test_who_reads_for_the_snapshot_says_what_it_reads_anew(sqlite: Api) -> None:
    reader, heard = ToldReader(sqlite.world.store), list[frozenset[str] | None]()
    reader.read_anew = heard.append
    cursor = reader.changes(None).cursor
    assert heard == [None]
    assert reader.changes(cursor).approvals == frozenset()
    approval = sqlite.granted()
    cursor = reader.changes(cursor).cursor
    sqlite.world.revoked(approval)
    reader.changes(cursor)
    assert heard[1:] == [frozenset({approval})] * 2


def test_an_end_that_is_seen_by_nobody_is_found_with_the_next_look_at_all(sqlite: Api) -> None:
    approval = sqlite.granted()
    sqlite.world.revoked(approval)
    sqlite.settle()

    def silent(_: object) -> None:
        raise StoreUnavailable

    failing = VerificationTold(sqlite.world.store, sqlite.mirror, silent)
    with pytest.raises(StoreUnavailable):
        failing.turn()
    again = _verified(sqlite)
    again.turn()
    again.write()
    assert Told.VERIFICATION in _told(_receipts(sqlite, approval)[0])


def test_a_thread_of_web_sees_it_and_nobody_waits_for_it(sqlite: Api) -> None:
    approval = sqlite.granted()
    seeing = _verified(sqlite)
    seeing.start()
    sqlite.world.revoked(approval)
    seeing.touched(frozenset({approval}))
    sqlite.mirror.follow()
    until = time.monotonic() + 20
    while Told.VERIFICATION not in _told(_receipts(sqlite, approval)[0]):
        assert time.monotonic() < until
        time.sleep(0.02)
    seeing.stop()


def test_what_does_not_come_into_the_snapshot_is_not_looked_for_all_the_time(
    sqlite: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite.world.revoked(sqlite.granted())
    seeing = _verified(sqlite)
    assert seeing.turn() == 1
    monkeypatch.setattr("api.verified._GIVES_UP_SECONDS", 0.0)
    assert seeing.turn() == 0


def test_a_receipt_is_shown_to_those_who_rely_on_certificates_and_to_nobody_else(sqlite: Api) -> None:
    approval = sqlite.granted()
    begun = NOW + timedelta(days=2)  # its entry is on the list by then
    sqlite.world.at(begun)
    sqlite.world.revoked(approval)
    sqlite.settle()
    path = f"/v1/approvals/{approval}/receipts"
    said = done(sqlite.ask("dcc", "GET", path))
    (receipt,) = said["receipts"]
    assert (said["approval"], receipt["ended_at"], receipt["certificates"]) == (approval, text(begun), 1)
    told = {each["told"]: each for each in receipt["told"]}
    assert list(told) == ["verification", "ocsp", "list", "dcc", "panel"]
    assert told["ocsp"]["milliseconds"] >= 0
    assert told["dcc"] == {
        "told": "dcc", "milliseconds": None, "number": None, "acknowledged_at": None, "unreachable": False,
    }  # fmt: skip
    for who in ("dcc", "panel"):
        done(sqlite.ask(who, "GET", f"/v1/notices/{receipt['notice']}"))
    (receipt,) = done(sqlite.ask("panel", "GET", path))["receipts"]
    told = {each["told"]: each for each in receipt["told"]}
    assert told["dcc"]["acknowledged_at"] == text(begun)
    assert told["panel"]["milliseconds"] is not None
    assert told["panel"]["acknowledged_at"] is None  # it has an instruction to answer
    _loaded(sqlite, approval)
    (receipt,) = done(sqlite.ask("panel", "GET", path))["receipts"]
    assert receipt["told"][-1]["acknowledged_at"] == text(begun)
    refused(sqlite.ask("manufacturer", "GET", path), 403, "operation-not-permitted")
    refused(sqlite.ask("dcc", "GET", f"/v1/approvals/{ApprovalIdentifier('test', 2099, 1)}/receipts"), 404, "not-found")


def _task(api: Api) -> list[str]:
    found = tasks(api.world.desk, OFFICER_1)
    return [each.sentence for each in found.tasks if each.kind == "end-unacknowledged"]


def test_an_end_that_is_not_acknowledged_is_a_task_until_it_is(api: Api) -> None:
    approval = api.granted()
    api.world.revoked(approval)
    api.settle()
    assert _task(api) == []  # a Sunday; the working day on which it can be is not over
    api.world.at(NOW + timedelta(days=2))
    when = f"not acknowledged an end of {approval}, at 12:00:00 UTC on 3 January 2027 (F2.30, F2.31)."
    both = f"The DCC and the Panel have {when}"
    assert _task(api) == [both]
    _deliver(api, approval, Recipient.DCC, Channel.MAIL)
    assert _task(api) == [both]  # a relay took it; nobody has said so
    _loaded(api, approval)
    _deliver(api, approval, Recipient.PANEL, Channel.WEBHOOK)
    assert _task(api) == [f"The DCC has {when}"]
    _deliver(api, approval, Recipient.DCC, Channel.WEBHOOK)
    assert _task(api) == []
    assert {Told.DCC, Told.PANEL} <= _told(_receipts(api, approval)[0])


def test_a_receipt_is_closed_when_nothing_is_awaited_any_more(api: Api) -> None:
    approval = api.granted()
    api.world.revoked(approval)
    api.settle()
    now = [100.0]
    closing = Receipts(api.world.desk, monotonic=lambda: now[0])

    def closed() -> bool:
        now[0] += LOOK_SECONDS
        closing.turn()
        now[0] += LOOK_SECONDS
        closing.turn()  # the first had looked at all and rests
        return _receipts(api, approval)[0].closed_at is not None

    for who in (Recipient.DCC, Recipient.PANEL):
        _deliver(api, approval, who, Channel.WEBHOOK)
    with api.world.store.begin("the Panel answers") as tx:
        tx.connection.execute(
            update(cpl_instructions).values(state="loaded", acknowledged_at=NOW, acknowledged_by="panel-desk")
        )
    assert not closed()  # verification has not been seen to tell it
    seeing = _verified(api)
    seeing.turn()
    seeing.write()
    assert closed()


def test_what_a_channel_owes_for_too_long_is_an_alarm(sqlite: Api) -> None:
    approval = sqlite.granted()
    sqlite.world.revoked(approval)
    now = milliseconds()
    for told, within in [(each, within) for each, within in OWED_WITHIN.items() if within is not None]:
        late = EndsTold(sqlite.world.store, now=lambda within=within: now + within + 1_000)  # type: ignore[misc]
        soon = EndsTold(sqlite.world.store, now=lambda within=within: now + within - 5_000)  # type: ignore[misc]
        late.hear()
        soon.hear()
        assert told.value in {each.subject for each in late.noticed()}
        assert told.value not in {each.subject for each in soon.noticed()}
    sqlite.lookout.ends_told = late
    sqlite.look()
    assert [each.subject for each in sqlite.lookout.alarms if each.code is AlarmCode.END_UNTOLD] == [
        "list", "ocsp", "verification"
    ]  # fmt: skip
    sqlite.settle()
    late.hear()
    sqlite.look()
    assert [each.subject for each in sqlite.lookout.alarms if each.code is AlarmCode.END_UNTOLD] == ["verification"]


def test_how_long_it_took_is_counted_by_channel(api: Api) -> None:
    approval = api.granted()
    api.world.revoked(approval)
    api.settle()
    with api.world.store.begin("they took so long") as tx:
        tx.connection.execute(update(receipt_lines).where(receipt_lines.c.told == "ocsp").values(after=30))
        tx.connection.execute(update(receipt_lines).where(receipt_lines.c.told == "list").values(after=300))
    with api.world.store.read() as tx:
        found = took(tx, (25, 50, 1_000))
    assert {told: (each.count, each.milliseconds, dict(each.within)) for told, each in found.items()} == {
        Told.OCSP: (1, 30, {25: 0, 50: 1, 1_000: 1}),
        Told.LIST: (1, 300, {25: 0, 50: 0, 1_000: 1}),
    }


def test_a_receipt_is_a_small_table_at_the_command_line(
    store_copy: Callable[[str], str], keys_folder: Path, tmp_path: Path
) -> None:
    world = World(store_copy("sqlite"), keys_folder)
    (tmp_path / "keys").mkdir()
    with served(Api(world), tmp_path / "keys") as people:
        approval = people.api.granted()
        assert "no act has ended anything of it" in people.run("dcc", "receipts", approval).words
        world.revoked(approval)
        people.api.settle()
        (receipt,) = _receipts(people.api, approval)
        (listed,) = [each.number for each in receipt.lines if each.told is Told.LIST]
        said = people.run("dcc", "receipts", approval)
        assert said.status == 0
        shown = said.words
        assert f"{approval}: ended at 2027-01-03T12:00:00Z by {receipt.decision}" in shown
        assert re.search(rf"list, number {listed} +[0-9,]+ ms", shown)
        assert re.search("verification +not yet", shown)
        assert re.search("notice to the DCC +not yet +not yet", shown)
    world.close()

"""The journal is sealed so that nobody changes it unseen; the courier tells of it, in order, until it is heard."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update

from core import boundaries
from core.errors import StoreReadOnly
from jobs.courier import REFUSED_SECONDS, SIGNATURE_HEADER, TOLD, Courier, Subscriber
from store.reading import journal as reading
from store.tables import authority, cursors, journal, journal_heads
from tests.cycle_world import device
from tests.world import NOW, PROFILE, World
from verify.kit.agreed.journal import Head, LinkedRow, check

SECRET = b"shared by subscriber and courier"


def problems(world: World, *kept: Head) -> tuple[str, ...]:
    """What a relying party finds in the whole journal, exported."""
    with world.store.read() as tx:
        rows = [LinkedRow(each.row, each.link.hex()) for each in reading.sealed_after(tx, 0, 1_000_000)]
        key = bytes(tx.connection.execute(select(authority.c.journal_key)).scalar_one())
    return check(rows, [*heads(world), *kept], journal=PROFILE.journal_name, journal_key=key)


def heads(world: World) -> list[Head]:
    with world.store.read() as tx:
        return [Head(each.number, each.link.hex(), each.signature) for each in reading.heads(tx)]


def lived(world: World) -> None:
    approval = world.granted()
    world.at(NOW + timedelta(hours=13))
    world.revoked(approval)
    world.authority.settle()


# --- sealing ------------------------------------------------------------------------------------------------------


def test_the_sealed_journal_holds_together_and_misses_nothing(world: World) -> None:
    lived(world)
    assert problems(world) == ()
    with world.store.read() as tx:
        every, sealed, last = tx.connection.execute(
            select(func.count(), func.count(journal.c.seal_number), func.max(journal.c.seal_number))
        ).one()
    assert every == sealed == last
    assert every > 20


@pytest.mark.parametrize(
    "change",
    [
        {"payload": '{"changed":true}'},
        {"actor": "somebody-else"},
        {"kind": "approval-withdrawn"},
        {"subject": "TDT-2027-0099-X"},
        {"at": NOW - timedelta(days=1)},
        {"sealed_at": NOW + timedelta(days=1)},
        {"role": None},
    ],
)
def test_a_row_that_somebody_changed_is_found(world: World, change: dict[str, Any]) -> None:
    lived(world)
    with world.store.begin("tamper") as tx:
        tx.connection.execute(update(journal).where(journal.c.kind == "approval-revoked").values(**change))
    assert problems(world)


def test_a_row_that_somebody_took_out_is_found(world: World) -> None:
    lived(world)
    with world.store.begin("tamper") as tx:
        tx.connection.execute(delete(journal).where(journal.c.kind == "approval-revoked"))
    assert problems(world)


def test_a_journal_cut_off_at_its_end_is_found_with_a_head_kept_from_before(world: World) -> None:
    lived(world)
    kept = heads(world)[-1]
    with world.store.begin("tamper") as tx:
        last = tx.connection.execute(select(func.max(journal.c.seal_number))).scalar_one()
        tx.connection.execute(delete(journal).where(journal.c.seal_number == last))
    assert any("which is not there" in each for each in problems(world, kept))


def test_a_facts_own_instant_may_be_early_and_the_order_of_sealing_never_runs_back(world: World) -> None:
    lived(world)
    with world.store.begin("late commit") as tx:
        # A transaction that took its instant an hour ago and commits only now.
        row = dict(tx.connection.execute(select(journal).limit(1)).mappings().one())
        late = {**row, "at": NOW, "seal_number": None, "sealed_at": None, "link": None}
        del late["id"]
        tx.connection.execute(journal.insert().values(**late))
    world.authority.settle()
    assert problems(world) == ()


def _waiting(world: World) -> list[str]:
    with world.store.read() as tx:
        return [each.row.actor for each in reading.unsealed(tx, 100)]


def test_one_turn_seals_what_it_is_asked_for_and_what_comes_of_it(world: World) -> None:
    approval = world.granted()
    world.revoked(approval)
    assert world.authority.turn()
    assert _waiting(world) == []
    assert not world.authority.turn(), "nobody has to take another turn for it"
    assert problems(world) == ()


def test_what_somebody_else_has_done_meanwhile_is_sealed_with_it_in_the_next_turn(world: World) -> None:
    approval = world.granted()
    world.revoked(approval)

    def apply(name: str) -> None:
        if name == "after commit publish crl":
            boundaries.observe(None)
            world.applied(device=device(2))

    boundaries.observe(apply)
    assert world.authority.turn()
    assert {"authority"} < set(_waiting(world))
    assert world.authority.turn()
    assert _waiting(world) == []
    assert problems(world) == ()


def test_a_head_is_signed_after_a_death_between_sealing_and_signing(world: World) -> None:
    world.authority.settle()

    def die(name: str) -> None:
        if name == "before commit keep head":
            raise KeyboardInterrupt

    world.applied()
    boundaries.observe(die)
    try:
        with pytest.raises(KeyboardInterrupt):
            world.authority.settle()
    finally:
        boundaries.observe(None)
    assert problems(world)
    world.authority.settle()
    assert problems(world) == ()


# --- telling ------------------------------------------------------------------------------------------------------


@dataclass
class Listener:
    """A subscriber's own server."""

    url: str
    heard: list[tuple[dict[str, Any], bool]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def numbers(self) -> list[int]:
        return [body["number"] for body, _ in self.heard]


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            expected = f"sha256={hmac.new(SECRET, body, hashlib.sha256).hexdigest()}"
            made.heard.append((json.loads(body), hmac.compare_digest(self.headers[SIGNATURE_HEADER], expected)))
            status = made.answers.pop(0) if made.answers else 204
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            # What a redirected delivery would come to: a 200 to a request that told nothing.
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/hook"
    serving = threading.Thread(target=server.serve_forever, args=(0.01,))
    serving.start()
    yield made
    server.shutdown()
    serving.join()
    server.server_close()


def wanted(world: World) -> list[int]:
    with world.store.read() as tx:
        return [each.row.number for each in reading.sealed_after(tx, 0, 1_000) if each.row.kind in TOLD]


def delivered(courier: Courier, subscriber: Subscriber) -> None:
    for _ in range(100):
        if not courier.deliver(subscriber):
            return
    raise AssertionError("it never rests")


@pytest.mark.parametrize("number", [1, 2**62], ids=["the next", "the last of all"])
def test_a_number_that_nobody_of_ours_gave_is_neither_told_nor_passed(
    world: World, listener: Listener, number: int
) -> None:
    lived(world)
    subscriber = Subscriber(listener.url, SECRET)
    courier = Courier(world.store, [subscriber])
    forged = {"kind": "approval-granted", "at": NOW, "actor": "console", "payload": "{}", "approvals": ""}
    place = max(number, world.memory.head.number + 1)
    with world.store.begin("forge") as tx:
        tx.connection.execute(insert(journal).values(**forged, seal_number=place, link=bytes(32), sealed_at=NOW))
        head = {"number": place, "link": bytes(32), "signature": b"forged", "signed_at": NOW}
        tx.connection.execute(insert(journal_heads).values(**head))
    delivered(courier, subscriber)
    assert listener.numbers == [each for each in wanted(world) if each < place]
    world.granted(device=device(7))
    world.authority.settle()
    delivered(courier, subscriber)
    assert listener.numbers == wanted(world)


def test_a_cursor_that_somebody_moved_beyond_every_head_goes_on(world: World, listener: Listener) -> None:
    lived(world)
    subscriber = Subscriber(listener.url, SECRET)
    courier = Courier(world.store, [subscriber])
    with world.store.begin("move") as tx:
        tx.connection.execute(insert(cursors).values(reader=subscriber.reader, number=2**62))
    before = set(wanted(world))
    delivered(courier, subscriber)
    world.granted(device=device(7))
    world.authority.settle()
    delivered(courier, subscriber)
    assert listener.numbers == [each for each in wanted(world) if each not in before]


@pytest.mark.clause("F2.31")
def test_a_subscriber_hears_everything_once_in_the_sealed_order_with_a_proof(world: World, listener: Listener) -> None:
    lived(world)
    subscriber = Subscriber(listener.url, SECRET)
    courier = Courier(world.store, [subscriber])
    delivered(courier, subscriber)
    assert listener.numbers == wanted(world)
    assert all(proved for _, proved in listener.heard)
    told = [body["kind"] for body, _ in listener.heard]
    assert {"approval-granted", "certificate-issued", "approval-revoked", "certificate-revoked"} <= set(told)
    assert set(listener.heard[0][0]) == {"number", "kind", "at", "subject", "approvals"}, "never who, never why"
    delivered(courier, subscriber)
    assert listener.numbers == wanted(world)


def test_what_is_not_sealed_is_not_told(world: World, listener: Listener) -> None:
    approval = world.granted()
    subscriber = Subscriber(listener.url, SECRET)
    courier = Courier(world.store, [subscriber])
    delivered(courier, subscriber)
    before = len(listener.heard)
    world.revoked(approval)
    delivered(courier, subscriber)
    assert len(listener.heard) == before


def test_a_subscriber_that_refuses_is_told_again_and_nothing_overtakes(world: World, listener: Listener) -> None:
    lived(world)
    listener.answers = [500, 204, 302, 404, 204]
    subscriber = Subscriber(listener.url, SECRET)
    courier = Courier(world.store, [subscriber])
    for _ in range(6):
        courier.deliver(subscriber)
    numbers = wanted(world)
    # Refused, heard; refused twice, heard: each number goes on being told until it is heard, in order.
    assert listener.numbers[:2] == [numbers[0]] * 2
    assert listener.numbers[2:5] == [numbers[1]] * 3
    assert listener.numbers[5:] == numbers[2:]
    assert subscriber.failures == 0


def test_after_a_death_between_telling_and_remembering_it_is_told_again(world: World, listener: Listener) -> None:
    lived(world)
    subscriber = Subscriber(listener.url, SECRET)

    def die(name: str) -> None:
        if name == "before commit move cursor":
            raise KeyboardInterrupt

    boundaries.observe(die)
    try:
        with pytest.raises(KeyboardInterrupt):
            Courier(world.store, [subscriber]).deliver(subscriber)
    finally:
        boundaries.observe(None)
    delivered(Courier(world.store, [subscriber]), subscriber)
    assert listener.numbers == wanted(world) * 2


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_while_the_register_takes_nothing_down_nobody_is_told_the_same_again(
    world: World, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_label: str) -> None:
        tried.append(_label)
        raise StoreReadOnly

    lived(world)
    tried: list[str] = []
    seconds = 100.0
    monkeypatch.setattr("jobs.courier.time.monotonic", lambda: seconds)
    subscriber = Subscriber(listener.url, SECRET)
    courier = Courier(world.store, [subscriber])
    with monkeypatch.context() as patched:
        patched.setattr(world.store, "begin", refuses)
        for _ in range(3):
            with pytest.raises(StoreReadOnly):
                courier._tell(subscriber)
            assert courier._tell(subscriber) == 0  # it is left in peace
            seconds += REFUSED_SECONDS
        assert len(tried) == 3
    assert listener.numbers == wanted(world)
    world.granted()
    world.authority.settle()
    while courier._tell(subscriber):
        pass
    assert listener.numbers == wanted(world)


def test_nobody_there_is_no_reason_to_stop(world: World, listener: Listener) -> None:
    lived(world)
    absent, present = Subscriber("http://127.0.0.1:9/", SECRET), Subscriber(listener.url, SECRET)
    strange = Subscriber("file:///etc/hostname", SECRET)
    courier = Courier(world.store, [absent, strange, present])
    for each in courier.subscribers:
        courier.deliver(each)
    assert listener.numbers == wanted(world)
    assert (absent.failures, strange.failures, present.failures) == (1, 1, 0)


def test_a_running_courier_delivers_and_stops(world: World, listener: Listener) -> None:
    lived(world)
    stopping = threading.Event()
    running = threading.Thread(target=Courier(world.store, [Subscriber(listener.url, SECRET)]).run, args=(stopping,))
    running.start()
    waited = threading.Event()
    for _ in range(200):
        if len(listener.heard) == len(wanted(world)):
            break
        waited.wait(0.05)
    stopping.set()
    running.join()
    assert listener.numbers == wanted(world)

"""Listeners and relays that take a connection and never answer, or never come to an end: they hold up nobody else."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.classification import Recipient
from core.errors import MailRefused
from jobs import mail, webhook
from jobs.courier import Courier
from jobs.deliver import NoticeDelivery, Opening
from jobs.mail import Tls
from jobs.webhook import Subscriber, post
from tests.cycle_world import device
from tests.mail_world import Post, listener, post_office
from tests.notice_world import grant_again, noticed
from tests.world import World

SECRET = b"shared with the listener"
SLACK = 4.0
"""Seconds: a busy machine is no fault of the code."""

HANGING = 6
IN_TIME = 20.0
"""Seconds; one after the other, the hanging ones would take three times as long."""


@dataclass(frozen=True)
class Hanging:
    port: int
    hang_up: Callable[[], None]


@contextmanager
def hanging(say: Callable[[socket.socket], None] = lambda _connection: None) -> Iterator["Hanging"]:
    """Somebody who takes every connection, says what is given, and goes on holding it."""
    stopping, held = threading.Event(), list[socket.socket]()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)

        def serve() -> None:
            while not stopping.is_set():
                try:
                    held.append(server.accept()[0])
                except TimeoutError:
                    continue
                threading.Thread(target=say, args=(held[-1],), daemon=True).start()

        serving = threading.Thread(target=serve)
        serving.start()

        def hang_up() -> None:
            stopping.set()
            serving.join()
            for each in held:
                each.close()

        try:
            yield Hanging(int(server.getsockname()[1]), hang_up)
        finally:
            hang_up()


def drip(before: bytes) -> Callable[[socket.socket], None]:
    """Say something, and then an octet from time to time, for ever."""

    def say(connection: socket.socket) -> None:
        try:
            connection.sendall(before)
            while True:
                connection.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            pass

    return say


def subscribers(port: int, count: int, recipient: Recipient | None = None) -> list[Subscriber]:
    urls = [f"http://127.0.0.1:{port}/{recipient}/{number}" for number in range(count)]
    return [Subscriber(url, SECRET, recipient=recipient) for url in urls]


def test_subscribers_and_a_relay_that_hang_hold_up_no_other(world: World, tmp_path: Path) -> None:
    number = noticed(world, grant_again(world, world.granted()))
    with hanging() as away, listener() as hook, post_office(tmp_path, "none") as office:
        hooks = [*subscribers(away.port, HANGING), *subscribers(away.port, HANGING, Recipient.DCC)]
        hooks.append(Subscriber(hook.url, SECRET, recipient=Recipient.DCC))

        def told(notice: str) -> bool:
            kinds = {json.loads(body).get("kind") for _, body in hook.heard}
            return "approval-granted" in kinds and notice in {said.get("trialcpa-notice") for said, _ in hook.heard}

        def mailed() -> bool:
            return any(number in each.message["Subject"] for each in office.received)

        notices = NoticeDelivery(world.desk, office.mailer(), {Recipient.DCC: ["d@dcc.example"]}, hooks)
        with running(world, notices, away):
            until(lambda: told(number) and mailed())
    with hanging() as away, listener() as hook:
        hooks = [Subscriber(hook.url, SECRET, recipient=Recipient.DCC)]
        to = {Recipient.PANEL: [f"{each}@secas.example" for each in range(HANGING)]}
        other = noticed(world, grant_again(world, world.granted(device=device(2))))
        with running(world, NoticeDelivery(world.desk, office.mailer(port=away.port), to, hooks), away):
            until(lambda: other in {said.get("trialcpa-notice") for said, _ in hook.heard})


@contextmanager
def running(world: World, notices: NoticeDelivery, away: Hanging) -> Iterator[None]:
    """A courier at work, put together as app/courier.py does."""
    errands = (Opening(notices), notices.by_mail)
    courier = Courier(world.store, list(notices.subscribers), errands, notices.by_webhook)
    stopping = threading.Event()
    thread = threading.Thread(target=courier.run, args=(stopping,))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        away.hang_up()
        thread.join()


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + IN_TIME
    while not reached():
        assert time.monotonic() < deadline, "somebody was held up"
        time.sleep(0.05)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "DEADLINE_SECONDS", 1)
    monkeypatch.setattr(mail, "DEADLINE_SECONDS", 1)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("say", [drip(b""), drip(b"HTTP/1.1 200 OK\r\nX: "), lambda _connection: None])
def test_a_listener_that_is_never_done_is_hung_up_on(scheme: str, say: Callable[[socket.socket], None]) -> None:
    with hanging(say) as away:
        began = time.monotonic()
        why = post(Subscriber(f"{scheme}://127.0.0.1:{away.port}/", SECRET), b"{}")
        assert time.monotonic() - began < 1 + SLACK
    # Under TLS the first octet may already be no TLS, which is told at once.
    assert why in {"The listener took longer than 1 seconds.", "The listener cannot be reached (SSLError)."}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
@pytest.mark.parametrize("say", [drip(b"220 "), lambda _connection: None])
def test_a_relay_that_is_never_done_is_hung_up_on(
    tmp_path: Path, tls: Tls, say: Callable[[socket.socket], None]
) -> None:
    with hanging(say) as away:
        relay = Post("127.0.0.1", away.port, tmp_path / "none.pem", tls)
        began = time.monotonic()
        with pytest.raises(MailRefused) as told:
            relay.mailer(ca_file=None).send("a@b.example", "s", "b", (), "m")
        assert time.monotonic() - began < 1 + SLACK
    assert told.value.temporary
    assert "longer than 1 seconds" in str(told.value) or (tls == "implicit" and "SSLError" in str(told.value))

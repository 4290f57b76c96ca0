"""One connection: requests come in whole, one after the other, and answers go out; nobody behind waits for either.

The parser is llhttp, strict. What is slow is closed by `overdue`, which the front asks from time to time.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

import httptools

from api.status.exchange import Asked, Reply, refusal
from core.errors import BodyTooLarge
from core.peers import peer_of, plain
from front.framing import CHUNKS, HEADS, Framing, RequestLines
from front.head import forwarded, framed_alike, read_incoming
from front.incoming import Incoming
from front.refusals import refused
from front.sending import PIECES, begun, head_of
from front.service import Turn
from front.stage import COMING_IN, GOING_OUT, Stage
from front.workers import Job

if TYPE_CHECKING:
    from front.server import Front

_log = logging.getLogger(__name__)


_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(asyncio.BufferedProtocol):
    """One connection of a client.

    Args:
        front: whose it is.
    """

    def __init__(self, front: "Front") -> None:
        self._front = front
        self._limits = front.limits
        self._stage = Stage.HEAD
        self._address = ""
        self._incoming: Incoming | None = None
        self._queue: deque[Incoming] = deque()
        self._current: Incoming | None = None
        self._held = bytearray()
        self._rest: Iterator[bytes | memoryview] | None = None
        self._job: Job | None = None
        self._stuffed = self._taking = self._ended = self._resuming = self._last = self._excess = False
        self._lines = RequestLines()
        self._body_octets = self._passed = 0
        self._began = self._touched = front.now()
        self._parser = httptools.HttpRequestParser(self)

    # --- the crowd's side ----------------------------------------------------------------------------------------

    @property
    def held_by_us(self) -> bool:
        """Whether it waits for an answer of ours."""
        return self._stage is Stage.WORK

    def evict(self) -> None:
        """Close it at once."""
        self._transport.abort()

    # --- the transport's side ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)  # so that “resume” means: all of it is with the kernel
        self._address = plain(str((transport.get_extra_info("peername") or ("",))[0]))
        self._front.crowd.enter(self._address, self)

    def connection_lost(self, _error: Exception | None) -> None:
        """End. What a worker has begun is done to its end; what waits is not begun."""
        self._stage = Stage.CLOSED
        self._front.crowd.leave(self._address, self)
        if self._job is not None and self._job.call_off():
            self._job = None
            self._worked_off(self._current)
        for each in (self._incoming, *self._queue):
            if each is not None:
                each.drop()
        self._queue.clear()
        self._rest = None

    def get_buffer(self, _hint: int) -> memoryview:
        """Return where octets go: one buffer for all, as they are looked at before anybody else's come."""
        return self._front.buffer

    def buffer_updated(self, count: int) -> None:
        """Take what has come."""
        self._touched = self._front.now()
        if self._stage is Stage.DRAIN:
            self._passed += count
            if self._passed > self._limits.drained:
                self._transport.abort()
        elif self._ended or self._stage is Stage.CLOSED:
            self._excess = True
        elif self._stage in GOING_OUT or self._queue:
            # The next request comes before the answer to this one; it is looked at in its turn.
            self._held += self._front.buffer[:count]
            self._transport.pause_reading()
        else:
            self._take(bytes(self._front.buffer[:count]))

    def eof_received(self) -> bool:
        """The client sends no more. It may still read."""
        self._ended = True
        if self._stage in GOING_OUT or self._queue:
            return True
        if self._stage is Stage.BODY and self._incoming is not None:
            self._refuse(refused("body-incomplete"))
            return True
        return False

    def pause_writing(self) -> None:
        """Some of the answer is not with the kernel yet."""
        self._stuffed = True

    def resume_writing(self) -> None:
        """All that was handed on is."""
        self._stuffed = False
        self._touched = self._front.now()
        self._pump_on()

    # --- time ----------------------------------------------------------------------------------------------------

    def overdue(self, now: float) -> None:
        """Close it if it has taken too long."""
        limits = self._limits
        steady = self._began + limits.steady_seconds + self._passed / limits.least_rate
        slow = now > min(self._touched + limits.rest_seconds, steady)
        match self._stage:
            case Stage.HEAD if now > self._began + limits.head_seconds:
                if self._incoming is None:
                    self._transport.close()
                else:
                    self._refuse(refused("too-slow"))
            case Stage.BODY if slow:
                self._refuse(refused("too-slow"))
            case Stage.SEND | Stage.DRAIN if slow:
                self._transport.abort()
            case Stage.WORK if now > self._began + limits.turn_seconds and self._job is not None:
                if self._job.call_off():
                    self._job = None
                    self._worked(self._current, refused("busy"))

    def _enter(self, stage: Stage) -> None:
        self._stage = stage
        self._began = self._touched = self._front.now()
        self._passed = 0

    # --- the parser's side: a request comes in -------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request begins."""
        if not self._resuming and not self._last:
            self._incoming = self._front.incoming()
            self._passed = 0

    def on_url(self, octets: bytes) -> None:
        """A piece of its target."""
        if not self._resuming and self._incoming is not None:
            self._incoming.method = self._parser.get_method()
            self._incoming.target += octets
            self._incoming.head_octets += len(octets)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field; or one of a trailer, which nobody needs (RFC 9112, 7.1.2)."""
        if not self._resuming and self._incoming is not None and self._incoming.asked is None:
            self._incoming.lines.append((name, value))
            self._incoming.head_octets += len(name) + len(value)

    def on_headers_complete(self) -> None:
        """Its head is whole: is a body to come, and how long may it be?"""
        incoming = self._incoming
        if self._resuming or incoming is None or incoming.refusal is not None:
            return
        version = self._parser.get_http_version()
        incoming.keep = version == "1.1" and self._parser.should_keep_alive()
        # It begins when the octets came in which its head ends.
        self._stage, self._began, self._passed = Stage.BODY, self._touched, 0
        found = read_incoming(incoming, self._limits, version, self._lines.protocol(incoming.target), self._address)
        if isinstance(found, Reply):
            incoming.refusal = found
            return
        incoming.asked = found
        admitted = self._front.service.admit(found)
        if isinstance(admitted, Reply):
            incoming.refusal = admitted
            return
        incoming.limit = admitted
        announced = found.fields.get("content-length")
        incoming.announced = int(announced) if announced else None  # the parser has seen that it is a number
        if incoming.announced is not None and incoming.announced > admitted:
            incoming.refusal = refusal(BodyTooLarge(limit=admitted))
        elif "expect" in found.fields and not self._queue and version == "1.1":
            self._transport.write(_CONTINUE)  # RFC 9110, 10.1.1, and 15.2: never to HTTP/1.0

    def on_body(self, octets: bytes) -> None:
        """A piece of its body."""
        incoming = self._incoming
        if incoming is None or incoming.refusal is not None:
            return
        self._passed += len(octets)
        self._body_octets += len(octets)
        if incoming.length + len(octets) > incoming.limit:
            incoming.refusal = refusal(BodyTooLarge(limit=incoming.limit))
        elif not incoming.add(octets):
            incoming.refusal = refused("busy")

    def on_message_complete(self) -> None:
        """It is whole."""
        incoming = self._incoming
        if incoming is None or (self._parser.should_upgrade() and not self._resuming):
            return
        incoming.complete = True
        self._last = not incoming.keep
        self._queue.append(incoming)
        self._incoming = None
        self._resuming = False

    def _feed(self, octets: bytes) -> None:
        begun = self._incoming
        self._lines.take(octets, more=begun is not None and begun.asked is None and not begun.lines)
        self._body_octets = 0
        try:
            self._parser.feed_data(octets)
        except httptools.HttpParserUpgrade as upgrade:
            self._go_on(octets[upgrade.args[0] :])
            return
        except httptools.HttpParserCallbackError as error:
            self._refuse(refusal(error.__context__ if isinstance(error.__context__, Exception) else error))
            return
        except httptools.HttpParserError as error:
            self._broken(error)
            return
        incoming = self._incoming
        if incoming is not None:  # it is not whole yet
            if incoming.asked is None and incoming.refusal is None:
                self._bound_head(incoming, len(octets))
            elif incoming is begun and incoming.refusal is None:
                framing = incoming.framing = incoming.framing or Framing(self._limits.head_octets)
                wrong = framing.take(len(octets), self._body_octets, incoming.length)
                incoming.refusal = None if wrong is None else refused(wrong)
            if incoming.refusal is not None:
                self._refuse(incoming.refusal)
                return
        self._advance()

    def _go_on(self, octets: bytes) -> None:
        """Go on after a head that asks for another protocol, without it (RFC 9110, 7.8).

        The parser stops there, before the body; another one is told how that is framed, and takes the rest.
        """
        incoming = self._incoming
        if incoming is None or incoming.asked is None or incoming.refusal is not None:
            self._refuse(refused("not-http") if incoming is None or not incoming.refusal else incoming.refusal)
            return
        self._parser = httptools.HttpRequestParser(self)
        self._resuming = True
        self._feed(framed_alike(incoming.asked) + octets)

    def _bound_head(self, incoming: Incoming, count: int) -> None:
        """A name or value that does not end has not been told by the parser: what was sent is counted."""
        self._passed += count
        if self._passed > self._limits.head_octets + len(self._front.buffer):  # some may be of the request before
            incoming.refusal = refused("head-too-large" if incoming.lines else "target-too-long")

    def _broken(self, error: Exception) -> None:
        incoming = self._incoming
        if self._last and incoming is None:
            # RFC 9112, 9.6: the client has said that it would ask nothing more.
            self._ended = self._excess = True
            self._advance()
        elif incoming is not None and incoming.refusal is not None:
            self._refuse(incoming.refusal)
        elif isinstance(error, httptools.HttpParserInvalidMethodError):
            self._refuse(refused("method-unknown"))
        else:
            self._refuse(refused("not-http"))

    # --- answers -------------------------------------------------------------------------------------------------

    def _refuse(self, reply: Reply) -> None:
        """Answer after what was asked before, and end: where the next request would begin is not known."""
        incoming = self._incoming or self._front.incoming()
        incoming.refusal = reply
        incoming.drop()
        self._incoming = None
        self._queue.append(incoming)
        self._ended = True
        if self._stage in COMING_IN:
            self._advance()

    def _advance(self) -> None:
        """Answer one that is whole; the rest after others: hundreds may have been sent at once."""
        if self._queue and self._stage in COMING_IN:
            self._current = self._queue.popleft()
            self._answer(self._current)
            if self._queue:
                asyncio.get_running_loop().call_soon(self._advance)
                return
        if self._held and not self._taking:
            self._go_on_with_held()

    def _go_on_with_held(self) -> None:
        """Look at what is held, after others, if it is its turn."""
        if self._stage in COMING_IN and not self._queue:
            octets, self._held = bytes(self._held), bytearray()
            self._transport.resume_reading()
            asyncio.get_running_loop().call_soon(self._feed_held, octets)

    def _feed_held(self, octets: bytes) -> None:
        if self._stage in COMING_IN and not self._ended:
            self._touched = self._front.now()
            self._take(octets)

    def _take(self, octets: bytes) -> None:
        """Look at what has come; where requests begin, at a little, and at the rest after others."""
        in_chunks = self._incoming is not None and self._incoming.announced is None
        most = HEADS if self._stage is Stage.HEAD else CHUNKS if in_chunks else len(self._front.buffer)
        if len(octets) > most:
            self._take_part(octets, most)
        else:
            self._feed(octets)
        if self._stage is Stage.DRAIN and self._held:
            self._held.clear()  # it is refused: whoever still sends is listened to for as long as it may read why
            self._transport.resume_reading()

    def _take_part(self, octets: bytes, most: int) -> None:
        """Look at so many octets, and at what else is the body of a request that has begun in them: it is one."""
        self._held += octets[most:]
        self._taking = True
        self._feed(octets[:most])
        self._taking = False
        incoming = self._incoming
        if incoming is not None and incoming.announced is not None and self._stage is Stage.BODY:
            left = incoming.announced - incoming.length
            octets, self._held = bytes(self._held[:left]), self._held[left:]
            self._feed(octets)
        if self._held:
            self._transport.pause_reading()
            self._go_on_with_held()

    def _answer(self, incoming: Incoming) -> None:
        if incoming.refusal is not None:
            self._send(incoming, incoming.refusal)
            return
        try:
            asked = incoming.whole()
            answered = self._front.service.at_once(asked)
        except Exception as error:  # noqa: BLE001 - what nobody foresaw must not leave the client without an answer
            self._send(incoming, refusal(error))
            return
        if isinstance(answered, Reply):
            self._send(incoming, answered)
            return
        peer = peer_of(forwarded(asked, self._front.proxies))
        work = partial(self._work, answered, asked, incoming, asyncio.get_running_loop())
        job = self._front.submit(answered, peer, work)
        if job is None:
            self._send(incoming, refused("busy"))
            return
        self._job = job
        self._enter(Stage.WORK)

    def _work(self, turn: Turn, asked: Asked, incoming: Incoming, loop: asyncio.AbstractEventLoop) -> None:
        """On a worker's thread."""
        reply = refused("busy")
        try:
            reply = self._front.service.work(turn, asked, incoming.opened(), incoming.length)
        finally:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and the process with it
                loop.call_soon_threadsafe(self._worked, incoming, reply)

    def _worked(self, incoming: Incoming | None, reply: Reply) -> None:
        self._job = None
        self._worked_off(incoming)
        if self._stage is Stage.WORK and incoming is not None:
            self._send(incoming, reply)
            self._advance()

    def _worked_off(self, incoming: Incoming | None) -> None:
        if incoming is not None and incoming.asked is not None:
            self._front.done(peer_of(forwarded(incoming.asked, self._front.proxies)))
            incoming.drop()

    def _send(self, incoming: Incoming, reply: Reply) -> None:
        incoming.drop()
        incoming.keep = incoming.keep and not self._ended and incoming.refusal is None and not self._front.stopping
        try:
            head = head_of(reply, date=self._front.date, keep=incoming.keep)
        except ValueError:
            _log.exception("an answer could not be sent")
            reply = refusal(RuntimeError())
            head = head_of(reply, date=self._front.date, keep=incoming.keep)
        octets, self._rest = begun(head, reply, bare=incoming.bare, cut=self._transport.abort)
        self._stage = Stage.SEND
        self._transport.write(octets)
        if self._rest is None and not self._stuffed:
            self._sent()
        else:
            self._enter(Stage.SEND)
            self._pump()

    def _pump(self) -> None:
        """Hand on what the kernel takes: of a long answer some now, and the rest after others."""
        for _ in range(PIECES):
            piece = None if self._rest is None or self._stuffed else next(self._rest, None)
            if piece is None:
                break
            self._passed += len(piece)
            self._transport.write(piece)
        else:
            asyncio.get_running_loop().call_soon(self._pump_on)
            return
        if not self._stuffed and self._stage is Stage.SEND:
            self._sent()

    def _pump_on(self) -> None:
        if self._stage is Stage.SEND:
            self._pump()
            self._advance()

    def _sent(self) -> None:
        incoming, self._current, self._rest = self._current, None, None
        surplus = self._excess or bool(self._held)
        if self._queue or (incoming is not None and incoming.keep):
            begun = self._incoming is not None and self._incoming.asked is not None
            self._enter(Stage.BODY if begun else Stage.HEAD)
        elif incoming is None or (incoming.complete and not surplus) or self._transport.is_closing():
            self._enter(Stage.DRAIN)
            self._transport.close()
        else:
            # It may still be sending, and would not read its answer if we closed (RFC 9112, 9.6).
            self._enter(Stage.DRAIN)
            self._held.clear()
            self._transport.resume_reading()
            with contextlib.suppress(OSError, RuntimeError):
                self._transport.write_eof()

"""One connection: requests come in whole, one after the other, and answers go out; nobody behind waits for either.

What is slow is closed by `overdue`, which the front asks from time to time.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from api.status.exchange import Asked, Pieces, Reply, refusal
from core.peers import peer_of, plain
from front.head import forwarded
from front.incoming import Incoming
from front.receiving import Receiving
from front.refusals import refused
from front.sending import PIECE, PIECES, begun, begun_stream, head_of, in_pieces
from front.service import Later, Stream, Turn
from front.stage import COMING_IN, GOING_OUT, Stage
from front.workers import Job

if TYPE_CHECKING:
    from front.server import Front

_log = logging.getLogger(__name__)


class Connection(Receiving):
    """One connection of a client.

    Args:
        front: whose it is.
    """

    def __init__(self, front: "Front") -> None:
        super().__init__(front)
        self._current: Incoming | None = None
        self._rest: Iterator[bytes | memoryview] | None = None
        self._job: Job | None = None
        self._asked: Asked | None = None
        self._awaited: Later | Stream | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._read = ("", 0)
        self._stuffed = False

    # --- the crowd's side ----------------------------------------------------------------------------------------

    @property
    def held_by_us(self) -> bool:
        """Whether it waits for an answer of ours."""
        return self._stage is Stage.WORK or self._stage is Stage.WAIT

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
        self._wait_no_more()
        self._end_reading()
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
        """The client sends no more. It may still read; but whoever waits for news and sends that has gone."""
        self._ended = True
        if self._stage is Stage.WAIT:
            return False
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
                    self._worked(self._current, None)
            case Stage.WAIT if isinstance(self._awaited, Stream):
                self.told()
                if self._stage is Stage.WAIT and now > self._touched + limits.quiet_seconds:
                    self._send_more(iter((self._awaited.quiet,)))

    # --- news ----------------------------------------------------------------------------------------------------

    def _wait(self, asked: Asked, awaited: Later | Stream) -> None:
        """Wait for news, or send them as they come."""
        self._asked, self._awaited = asked, awaited
        self._deadline = asyncio.get_running_loop().call_later(awaited.seconds, self.over)
        self._enter(Stage.WAIT)
        if isinstance(awaited, Stream) and self._current is not None:
            self._current.keep = False
            self._send_more(iter((begun_stream(awaited, date=self._front.date),)))

    def told(self) -> None:
        """Answer, if there is something now."""
        awaited, asked, incoming = self._awaited, self._asked, self._current
        if self._stage is not Stage.WAIT or awaited is None or asked is None or incoming is None:
            return
        found = awaited.now()
        if found is None:
            return
        if isinstance(found, Pieces):
            self._send_more(in_pieces(found, self._transport.abort))
        elif isinstance(awaited, Later):
            self._answer_now(incoming, asked, found)
        elif isinstance(found, Turn):
            self._have(found, asked, awaited.work)  # if there is no room, it is looked for again by `overdue`

    def over(self) -> None:
        """Answer whatever there is: nobody waits any longer."""
        awaited, asked, incoming = self._awaited, self._asked, self._current
        if isinstance(awaited, Stream):
            self._ended = True  # what is being sent is sent whole
            if self._stage is Stage.WAIT:
                self._sent()
        elif self._stage is Stage.WAIT and awaited is not None and asked is not None and incoming is not None:
            self._answer_now(incoming, asked, awaited.at_last())

    def _answer_now(self, incoming: Incoming, asked: Asked, answered: Reply | Turn) -> None:
        self._wait_no_more()
        self._settle(incoming, asked, answered)
        self._advance()

    def _send_more(self, pieces: Iterator[bytes | memoryview]) -> None:
        """Send more of a stream, within the time that any answer may take to be read."""
        self._rest = pieces
        self._enter(Stage.SEND)
        self._pump()

    def _was_read(self, found: Pieces | None) -> None:
        if found is not None:
            self._send_more(in_pieces(found, self._transport.abort))
        elif self._ended:
            self._sent()
        else:
            self._enter(Stage.WAIT)  # it could not be read; it is looked for again by `overdue`, and not at once

    def _wait_no_more(self) -> None:
        self._front.waiters.leave(self)
        self._asked = self._awaited = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    # --- answers -------------------------------------------------------------------------------------------------

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
        self._settle(incoming, asked, answered)

    def _settle(self, incoming: Incoming, asked: Asked, answered: Reply | Turn | Later | Stream) -> None:
        if isinstance(answered, Reply):
            self._send(incoming, answered)
        elif isinstance(answered, Turn):
            service = self._front.service
            if not self._have(
                answered, asked, lambda: service.work(answered, asked, incoming.opened(), incoming.length)
            ):
                self._send(incoming, refused("busy"))
        elif self._front.stopping:
            self._settle(incoming, asked, answered.at_last())
        elif not self._front.waiters.enter(self, self._peer(asked)):
            self._send(incoming, refused("too-many-wait"))
        else:
            self._wait(asked, answered)

    def _peer(self, asked: Asked) -> str:
        return peer_of(forwarded(asked, self._front.proxies))

    def _have(self, turn: Turn, asked: Asked, work: Callable[[], Reply | Pieces | None]) -> bool:
        """Have work done by a worker; False if there is no room for it."""
        job = self._front.submit(
            turn, self._peer(asked), partial(self._work, work, self._current, asyncio.get_running_loop())
        )
        if job is None:
            return False
        self._job = job
        self._enter(Stage.WORK)
        return True

    def _work(
        self,
        work: Callable[[], Reply | Pieces | None],
        incoming: Incoming | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """On a worker's thread."""
        found = None
        try:
            found = work()
        finally:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and the process with it
                loop.call_soon_threadsafe(self._worked, incoming, found)

    def _worked(self, incoming: Incoming | None, found: Reply | Pieces | None) -> None:
        self._job = None
        self._worked_off(incoming)
        if self._stage is not Stage.WORK or incoming is None:
            return
        if self._awaited is not None:
            pieces = found if isinstance(found, Pieces) else None
            if pieces is not None and not self._begin_reading(incoming, pieces.length):
                pieces, self._ended = None, True  # it ends before a gap: whoever follows comes again
            self._was_read(pieces)
        elif isinstance(found, Reply) and self._begin_reading(incoming, len(found.body)):
            self._send(incoming, found)
        else:
            self._send(incoming, refused("busy"))
        self._advance()

    def _begin_reading(self, incoming: Incoming, octets: int) -> bool:
        """Count what a worker made for this reader alone; False if too much of that is being read."""
        if octets <= PIECE or incoming.asked is None:
            return True
        peer = self._peer(incoming.asked)
        if not self._front.answers.begin(peer, octets):
            return False
        self._read = peer, octets
        return True

    def _end_reading(self) -> None:
        if self._read[1]:
            self._front.answers.end(*self._read)
            self._read = ("", 0)

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
        self._end_reading()
        if self._awaited is not None and not self._ended and not self._front.stopping:
            self._rest = None
            self._enter(Stage.WAIT)
            asyncio.get_running_loop().call_soon(self.told)
            return
        self._wait_no_more()
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

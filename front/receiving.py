"""What comes in on a connection: requests, collected whole, one after the other, and refused as soon as they can be.

The parser is llhttp, strict.
"""

import asyncio
from abc import abstractmethod
from collections import deque
from typing import TYPE_CHECKING

import httptools

from api.status.exchange import Reply, refusal
from core.errors import BodyTooLarge
from front.framing import CHUNKS, HEADS, Framing, RequestLines
from front.head import framed_alike, read_incoming
from front.incoming import Incoming
from front.refusals import refused
from front.stage import COMING_IN, Stage

if TYPE_CHECKING:
    from front.server import Front


_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Receiving(asyncio.BufferedProtocol):
    """The side of a connection on which requests come in.

    Args:
        front: whose it is.
    """

    _transport: asyncio.Transport

    def __init__(self, front: "Front") -> None:
        self._front = front
        self._limits = front.limits
        self._stage = Stage.HEAD
        self._address = ""
        self._incoming: Incoming | None = None
        self._queue: deque[Incoming] = deque()
        self._held = bytearray()
        self._taking = self._ended = self._resuming = self._last = self._excess = False
        self._lines = RequestLines()
        self._body_octets = self._passed = 0
        self._began = self._touched = front.now()
        self._parser = httptools.HttpRequestParser(self)

    @abstractmethod
    def _advance(self) -> None:
        """Answer one that is whole."""

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

    # --- what was sent too early, or too much of ---------------------------------------------------------------------

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

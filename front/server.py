"""The front: it listens, and watches over its connections."""

import asyncio
import logging
import resource
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping

from api.status.exchange import http_date
from core.clock import Clock
from core.peers import plain
from front.answers import Answers
from front.connection import Connection
from front.crowd import Crowd, Member
from front.incoming import Incoming, Spool
from front.limits import Limits
from front.sending import date_line
from front.service import Service, Turn
from front.waiters import Waiters
from front.workers import Job, Workers

_log = logging.getLogger(__name__)

BACKLOG = 4_096
"""Connections that the kernel completes while we are at something else."""

_AT_A_STRETCH = 32
"""Connections that are let in, or looked at, before others have their turn."""

_BUFFER = 16 * 1024
_UNREAD = 128 * 1024
"""Octets of an answer that the kernel keeps for a reader (Linux doubles it): enough for 5 MB a second at 50 ms."""

_DESCRIPTORS = 256
"""Of the store, logs and libraries."""

_STOP_SECONDS = 2.0


class Front:
    """One listening server.

    Args:
        service: what is behind it.
        workers: who does what cannot be answered at once.
        clock: for the Date field.
        limits: every bound.
        proxies: addresses of proxies of ours, whose word on who asks is taken.
    """

    def __init__(
        self,
        service: Service,
        workers: Mapping[Turn, Workers],
        clock: Clock,
        *,
        limits: Limits | None = None,
        proxies: frozenset[str] = frozenset(),
    ) -> None:
        self.service = service
        self.limits = limits or Limits()
        self.proxies = frozenset(plain(each) for each in proxies)
        self.spool = Spool(self.limits.spooled)
        self.buffer = memoryview(bytearray(_BUFFER))
        self.stopping = False
        self.now = time.monotonic
        self._workers = workers
        self._clock = clock
        self.date = date_line(http_date(clock.now()))
        self._at_work: Counter[str] = Counter()
        most = min(self.limits.connections, _descriptors() - _DESCRIPTORS)
        self.answers = Answers(most=self.limits.answers, of_one_peer=self.limits.answers_of_one_peer)
        waiters = min(self.limits.waiters, most // 2)
        self.waiters = Waiters(most=waiters, of_one_peer=self.limits.waiters_of_one_peer)
        self.crowd = Crowd(most=most, of_one_peer=min(self.limits.of_one_peer, most), proxies=self.proxies)

    async def listen(self, host: str, port: int, *, shared: bool = False) -> asyncio.Server:
        """Begin to listen; `watch` has to run meanwhile.

        Args:
            host: where.
            port: where.
            shared: whether other processes of ours listen there as well; the kernel shares out who comes.
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # For each connection. Left alone, the kernel takes megabytes of answers for a reader that never reads.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNREAD)
        listening.setblocking(False)  # noqa: FBT003 - as it is called
        listening.bind(address)
        # asyncio accepts as many at a stretch as it is told that may wait: a few at a time, and many may wait.
        loop = asyncio.get_running_loop()
        self.waiters.serve(loop)
        server = await loop.create_server(lambda: Connection(self), sock=listening, backlog=_AT_A_STRETCH)
        listening.listen(BACKLOG)
        return server

    async def watch(self) -> None:
        """Close what is overdue, for ever."""
        while True:
            self.date = date_line(http_date(self._clock.now()))
            now = self.now()
            for number, member in enumerate(self.crowd.everybody()):
                self._look_at(member, now)
                if number % _AT_A_STRETCH == 0:
                    await asyncio.sleep(0)  # those who came together are overdue together
            await asyncio.sleep(self.limits.look_seconds)

    @staticmethod
    def _look_at(member: Member, now: float) -> None:
        try:
            if isinstance(member, Connection):
                member.overdue(now)
        except Exception:  # noqa: BLE001 - one that cannot be closed as it should must not keep all others from it
            _log.exception("a connection that is overdue could not be answered")
            member.evict()

    async def stop(self) -> None:
        """Let what is being worked on be answered, for a moment."""
        self.stopping = True
        self.waiters.release()
        until = self.now() + _STOP_SECONDS
        while self.now() < until and any(each.held_by_us for each in self.crowd.everybody()):  # noqa: ASYNC110 - few of them, and once
            await asyncio.sleep(0.02)

    def incoming(self) -> Incoming:
        """Return where a request is collected."""
        return Incoming(self.spool, self.limits.in_memory, self.limits.at_once)

    def submit(self, turn: Turn, peer: str, work: Callable[[], None]) -> Job | None:
        """Have work done for a peer; None if there is no room, for it or at all."""
        if self._at_work[peer] >= self.limits.at_work_of_one_peer:
            return None
        job = self._workers[turn].submit(work)
        if job is not None:
            self._at_work[peer] += 1
        return job

    def resting(self) -> bool:
        """Return whether no work is with workers, and none waits for them."""
        return not self._at_work

    def done(self, peer: str) -> None:
        """Note that work for a peer has ended, or was called off."""
        self._at_work[peer] -= 1
        if not self._at_work[peer]:
            del self._at_work[peer]


def _descriptors() -> int:
    """Return how many descriptors this process may have, after asking for all that it may ask for."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return 65_536 if hard == resource.RLIM_INFINITY else hard

"""Questions asked at a steady pace, whatever comes of them, and how long each answer took.

An answer's time runs from the instant at which its question was due: whoever had to wait for the answer before is not
left out of the figures.
"""

import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

_PATIENCE_SECONDS = 10.0
_SUCCESSFUL = bytes.fromhex("0a0100")
_TRY_LATER = bytes.fromhex("30030a0103")


@dataclass(frozen=True)
class Question:
    """What is asked of whom.

    Args:
        name: for the figures.
        port: who is asked, on this machine.
        octets: the request.
        tls: whether TLS is spoken.
        source: our address.
    """

    name: str
    port: int
    octets: bytes
    tls: bool = False
    source: str = "127.0.2.1"


@dataclass
class Answers:
    """What came of one question, asked again and again.

    Args:
        name: what was asked.
        times: milliseconds of each answer, or until there was none.
        said: how often what was answered: a status; `try later` for OCSP's; `silence`.
        ends: when each came, monotonic seconds, and what it was.
    """

    name: str
    times: list[float] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)
    ends: list[tuple[float, str]] = field(default_factory=list)

    def add(self, said: str, seconds: float) -> None:
        """Note an answer."""
        self.times.append(seconds * 1000)
        self.said[said] += 1
        self.ends.append((time.monotonic(), said))

    def figures(self) -> str:
        """Return median, 99th percentile and maximum, and whatever was not a plain 200."""
        fifty, ninety_nine = percentile(self.times, 50), percentile(self.times, 99)
        other = "".join(f"; {count} × {said}" for said, count in sorted(self.said.items()) if said != "200")
        return f"{self.name} {fifty:.1f} / {ninety_nine:.1f} / {max(self.times):.0f} ms{other}"


def percentile(values: Sequence[float], of_hundred: int) -> float:
    """Return the smallest value that `of_hundred` percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * of_hundred // 100) - 1)]


def get(path: str, fields: str = "") -> bytes:
    """Return a request without a body."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n".encode()


def post(path: str, body: bytes, fields: str = "", *, length: int | None = None) -> bytes:
    """Return a request with a body, or with the beginning of one that is said to be longer."""
    announced = len(body) if length is None else length
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}Content-Length: {announced}\r\n\r\n"
    return head.encode() + body


@contextmanager
def asking(questions: Sequence[Question], each_second: float) -> Iterator[list[Answers]]:
    """Ask each of them so often in a second until the block ends."""
    over = threading.Event()
    answers = [Answers(each.name) for each in questions]
    threads = [
        threading.Thread(target=partial(_ask, question, found, 1 / each_second, over))
        for question, found in zip(questions, answers, strict=True)
    ]
    for each in threads:
        each.start()
    try:
        yield answers
    finally:
        over.set()
        for each in threads:
            each.join()


def ask(questions: Sequence[Question], seconds: float, each_second: float) -> list[Answers]:
    """Ask them for so many seconds."""
    with asking(questions, each_second) as answers:
        time.sleep(seconds)
    return answers


def _ask(question: Question, answers: Answers, pace: float, over: threading.Event) -> None:
    client: socket.socket | None = None
    due = time.perf_counter()
    while not over.is_set():
        begun = time.perf_counter()
        if begun < due:
            time.sleep(due - begun)
            begun = time.perf_counter()  # that we woke late is our fault
        else:
            begun = due
        due += pace
        try:
            client = client or _connected(question)
            client.sendall(question.octets)
            said, stays = _answer(client)
        except OSError:
            said, stays = "silence", False
        answers.add(said, time.perf_counter() - begun)
        if not stays and client is not None:
            client.close()
            client = None
    if client is not None:
        client.close()


def _connected(question: Question) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", question.port), _PATIENCE_SECONDS, (question.source, 0))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not question.tls:
        return client
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(client)


def _answer(client: socket.socket) -> tuple[str, bool]:
    """Read one answer: what it says, and whether the connection stays."""
    read = b""
    while b"\r\n\r\n" not in read:
        octets = client.recv(65_536)
        if not octets:
            raise ConnectionError
        read += octets
    head, _, body = read.partition(b"\r\n\r\n")
    found = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
    length = int(found[1]) if found else 0
    while len(body) < length:
        octets = client.recv(65_536)
        if not octets:
            raise ConnectionError
        body += octets
    said = head[9:12].decode()
    if b"ocsp-response" in head.lower():
        if body == _TRY_LATER:
            said = "try later"
        elif _SUCCESSFUL not in body[:12]:
            said = "no OCSP answer"
    return said, b"\r\nconnection: close" not in head.lower()

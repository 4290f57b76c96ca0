"""A process that tells its parent what it does, as it does it, and can die by kill -9 at any boundary.

It is forked from a warm parent and opens everything of its own. What it tells goes through a pipe at once, so the
parent knows of a signature or an acknowledgement even if the process dies at the very next instruction.
"""

import base64
import faulthandler
import gc
import json
import os
import select
import signal
import socket
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any, NoReturn

from cryptography import x509

from ca import der as write
from core.boundaries import observe
from keys.log_key import LogKey
from keys.signer import SoftwareSigner, spki
from memory.memory import Memory
from memory.records import Record
from tests.kill.typesetter import elsewhere

ANY_SIGNATURE = bytes.fromhex("3006020101020101")
"""Two numbers: enough to read what is around them."""

LONGEST_SECONDS = 300.0
"""How long a process may live: then it tells where it hangs, and ends; nobody waits for it for ever."""


class Tell:
    """A process's way to tell its parent; it keeps what it told of its signatures.

    Args:
        pipe: the descriptor to write to.
    """

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self.signings: list[Signing] = []

    def __call__(self, kind: str, *said: Any) -> None:
        line = json.dumps([kind, *said]).encode() + b"\n"
        while line:
            line = line[os.write(self._pipe, line) :]

    def sign(self, signing: "Signing") -> None:
        self.signings.append(signing)
        self("signing", *(base64.b64encode(each).decode() for each in astuple(signing)))


@dataclass(frozen=True)
class Death:
    """Where to die: at the `occurrence`-th time (from 1) that a boundary of this name is reached."""

    name: str
    occurrence: int


@dataclass(frozen=True)
class Signing:
    """One use of a private key: told before it, with an empty signature, and again after it."""

    public_key: bytes
    message: bytes
    signature: bytes

    @property
    def kind(self) -> str:
        """What was signed, by its form."""
        if self.message.startswith(b"Ceremony of "):
            return "a transcript"
        if self.message[:1] == b"\x31":
            return "a register"  # signed attributes (RFC 5652, 5.3)
        if self.message[:1] != b"\x30":
            return self._kind_of_words()
        for load, kind in (
            (x509.load_der_x509_certificate, "a certificate"),
            (x509.load_der_x509_crl, "a list"),
        ):
            try:
                load(write.signed(self.message, ANY_SIGNATURE))
            except ValueError:
                continue
            return kind
        return "an answer"

    def _kind_of_words(self) -> str:
        if self.message[:1] != b"{":
            return "a checkpoint"
        return "a log" if b'"log":' in self.message else "a head"


@dataclass
class Life:
    """What a process told, and how it ended: 0, or minus the signal that ended it.

    `tally` counts what the register held at its end (tests/kill/tally.py).

    `kinds` runs beside `boundaries`: the same names, and what is signed behind each “signature”, what is remembered
    behind each “memory”.
    """

    boundaries: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    signings: list[Signing] = field(default_factory=list)
    acknowledged: list[Any] = field(default_factory=list)
    tally: dict[str, int] = field(default_factory=dict)
    outcome: Any = None
    failure: str = ""
    code: int = 0

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL

    def done(self) -> Any:
        """The outcome of a process that lived to its end."""
        assert self.code == 0, self.failure or self.code
        return self.outcome


class Process:
    """`work` in a process of its own; it is given a way to tell.

    Args:
        work: called with `tell`; what it returns, as JSON, is the outcome.
        death: where it dies by its own kill -9; None lets it live.
        pause: where it stops itself (SIGSTOP) until the parent lets it go on.
    """

    def __init__(self, work: Callable[[Tell], Any], death: Death | None = None, pause: Death | None = None) -> None:
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads: the child uses none of them
            # Or the child's collector would touch, and so copy, every page of ours. Once frozen it stays so, and what
            # is searched for garbage before the next child is what has been made since.
            gc.collect()
            gc.freeze()
            self.pid = os.fork()
        if self.pid == 0:
            os.close(reading)
            _live(work, writing, death, pause)
        os.close(writing)
        self._pipe = reading
        self._unread = b""
        self._remembering = ""
        self.life = Life()

    def wait(self, listener: "socket.socket | None" = None, answer: Callable[[], None] = lambda: None) -> Life:
        """Listen until it has ended; `answer` is called whenever somebody connects to `listener`."""
        watched: list[int | socket.socket] = [self._pipe, *([listener] if listener else [])]
        while True:
            ready = select.select(watched, [], [])[0]
            if listener in ready:
                answer()
            if self._pipe in ready and not self._hear():
                break
        os.close(self._pipe)
        self.life.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.life

    def hear_until(self, heard: Callable[[Life], bool]) -> None:
        """Listen until what it told satisfies `heard`."""
        while not heard(self.life):
            assert self._hear(), self.life.failure or "it ended before"

    def hear_now(self) -> Life:
        """What it has told so far."""
        while select.select([self._pipe], [], [], 0)[0] and self._hear():
            pass
        return self.life

    def wait_paused(self) -> None:
        """Wait until it has stopped itself."""
        assert os.WIFSTOPPED(os.waitpid(self.pid, os.WUNTRACED)[1])

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _hear(self) -> bool:
        octets = os.read(self._pipe, 65536)
        *lines, self._unread = (self._unread + octets).split(b"\n")
        for line in lines:  # a line without an end was cut off by death: it was not told
            self._note(*json.loads(line))
        return bool(octets)

    def _note(self, kind: str, *said: Any) -> None:
        match kind:
            case "boundary":
                self.life.boundaries.append(said[0])
                what = f" of {self.life.signings[-1].kind}" if said[0] == "after signature" else ""
                if said[0].endswith(" commit memory"):
                    what = f" of {self._remembering}"
                self.life.kinds.append(said[0] + what)
            case "remembering":
                self._remembering = said[0]
            case "signing":
                signing = Signing(*(base64.b64decode(each) for each in said))
                if not signing.signature:
                    self.life.kinds[-1] += f" of {signing.kind}"
                self.life.signings.append(signing)
            case "acknowledged":
                self.life.acknowledged.append(said[0])
            case "tally":
                self.life.tally = said[0]
            case "done":
                self.life.outcome = said[0]
            case "failed":
                self.life.failure = said[0]


def _live(work: Callable[[Tell], Any], pipe: int, death: Death | None, pause: Death | None) -> NoReturn:
    tell = Tell(pipe)
    seen: Counter[str] = Counter()

    def reached(name: str) -> None:
        seen[name] += 1
        tell("boundary", name)
        here = Death(name, seen[name])
        if here == death:
            os.kill(os.getpid(), signal.SIGKILL)
        if here == pause:
            os.kill(os.getpid(), signal.SIGSTOP)

    code = 1
    # A signal, because the thread that faulthandler would wait with may be the parent's, and is not forked.
    faulthandler.register(signal.SIGALRM, file=2, chain=True)  # where pytest hears it
    signal.setitimer(signal.ITIMER_REAL, LONGEST_SECONDS)
    try:
        observe(reached)
        _tell_of_signatures(tell)
        _tell_of_memories(tell)
        with elsewhere():
            tell("done", work(tell))
        code = 0
    except BaseException:  # noqa: BLE001 - the parent raises it
        tell("failed", traceback.format_exc())
    finally:
        os._exit(code)


class _TellingKey:
    """A private key that tells of each use, before and after it."""

    def __init__(self, key: Any, public_key: bytes, tell: Tell) -> None:
        self.key = key
        self._tell = tell
        self._public_key = public_key

    def public_key(self) -> Any:
        return self.key.public_key()

    def sign(self, message: bytes, *algorithm: Any) -> bytes:
        self._tell.sign(Signing(self._public_key, message, b""))
        signature: bytes = self.key.sign(message, *algorithm)
        self._tell.sign(Signing(self._public_key, message, signature))
        return signature


def _tell_of_signatures(tell: Tell) -> None:
    made, logged = SoftwareSigner.__init__, LogKey.__init__

    def telling(self: SoftwareSigner, key: Any) -> None:
        plain = getattr(key, "key", key)
        made(self, plain)
        self._key = _TellingKey(plain, spki(plain.public_key()), tell)  # type: ignore[assignment]

    def telling_of_log(self: LogKey, key: Any) -> None:
        plain = getattr(key, "key", key)
        logged(self, plain)
        self._key = _TellingKey(plain, self.public_key, tell)  # type: ignore[assignment]

    SoftwareSigner.__init__ = telling  # type: ignore[method-assign]
    LogKey.__init__ = telling_of_log  # type: ignore[method-assign]


def _tell_of_memories(tell: Tell) -> None:
    told = Memory.remember

    def telling(self: Memory, records: Sequence[Record], **more: Any) -> int:
        if records:
            tell("remembering", f"{records[0].kind}")
        return told(self, records, **more)

    Memory.remember = telling  # type: ignore[method-assign]

"""Where the story is played: the server that runs in a home, or one that is started for it and stopped afterwards."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from socket import AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket

from app.cli.demo import write_demo_credentials
from app.house import House, open_house
from app.processes import answers
from app.settings import DEFAULT_PORT, Settings, load
from core.errors import AuthorityAnswerMalformed, AuthorityRefused, AuthorityUnreachable, HomeMissing, StoryRefused
from core.instants import text
from verify.client import AuthorityClient
from verify.fetched import Trust

_READY_SECONDS = 90.0
_STOP_SECONDS = 20.0
_BETWEEN = 0.1


@dataclass(frozen=True)
class Stage:
    """An authority whose server answers.

    Args:
        house: to read what the ceremony fixed, and to move a test clock.
        credentials: the API keys for trying things out.
        trust: the root from the home itself, environment and arc.
        ceremony: the folder of the home with the ceremony's transcript.
        server: where it listens.
    """

    house: House
    credentials: Path
    trust: Trust
    ceremony: Path
    server: str


@contextmanager
def stage_in(home: Path, note: Callable[[str], None], port: int | None = None) -> Iterator[Stage]:
    """Use the server that runs in `home`; start one, and an authority, where there is none.

    Args:
        home: of the authority.
        note: told what is done.
        port: for an authority that is made; by default the usual one, or another if somebody listens there.

    Raises:
        StoryRefused: a live authority; another authority's server; it did not start.
    """
    if not (home / "ceremony" / "transcript.txt").exists():
        if port is None:
            port = DEFAULT_PORT if _is_free(DEFAULT_PORT) else free_port()
        note(f"There is no authority in {home}: a TEST authority is made there, on port {port}, and served meanwhile.")
        with _served(home, "--test", "--port", str(port)):
            yield _stage(home)
        return
    refuse_live(home)
    settings = load(home)
    if answers(settings.host, settings.port, "/healthz"):
        stage = _stage(home)
        note(f"The server of {home} answers on {stage.server}.")
        yield stage
        return
    note(f"No server runs in {home}: one is started, and stopped afterwards.")
    with _served(home):
        yield _stage(home)


@contextmanager
def stage_with_clock(home: Path, start: datetime) -> Iterator[Callable[[], Stage]]:
    """Make a TEST authority in `home` with its clock at `start` and serve it; yields what waits until it is ready."""
    serving = _Serving(home, "--test", "--port", str(free_port()), "--test-clock", text(start))
    try:
        yield lambda: _when_ready(serving, home)
    finally:
        serving.stop()


def _when_ready(serving: "_Serving", home: Path) -> Stage:
    serving.wait_ready()
    return _stage(home)


def refuse_live(home: Path) -> None:
    """Check that the authority in `home` is a test one; StoryRefused for a live one."""
    house = open_house(load(home))
    environment = house.row().environment
    house.store.close()
    if environment != "test":
        raise StoryRefused(detail=f"the authority in {home} is live, and its approvals are real")


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket(AF_INET, SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket(AF_INET, SOCK_STREAM) as probe:
        probe.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _stage(home: Path) -> Stage:
    settings = load(home)
    house = open_house(settings)
    row = house.row()
    trust = Trust(house.root(), row.environment, row.arc)
    stage = Stage(
        house=house,
        credentials=write_demo_credentials(home),
        trust=trust,
        ceremony=home / "ceremony",
        server=_address(settings),
    )
    _require_same(stage)
    return stage


def _address(settings: Settings) -> str:
    return f"http://{settings.host}:{settings.port}"


def _require_same(stage: Stage) -> None:
    """Check that who answers on the port is the authority of this home."""
    try:
        with AuthorityClient(stage.server) as client:
            answered = client.root()
    except (AuthorityUnreachable, AuthorityRefused, AuthorityAnswerMalformed) as error:
        raise StoryRefused(detail=str(error)) from None
    if sha256(answered).digest() != sha256(stage.trust.anchor).digest():
        raise StoryRefused(detail=f"another authority than the one in this home answers on {stage.server}")


@contextmanager
def _served(home: Path, *options: str) -> Iterator[None]:
    serving = _Serving(home, *options)
    try:
        serving.wait_ready()
        yield
    finally:
        serving.stop()


class _Serving:
    """`trialcpa serve` as a process of its own."""

    def __init__(self, home: Path, *options: str) -> None:
        self._home = home
        self._log = home / "run" / "story.log"
        self._log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = [sys.executable, "-m", "app.cli.main", "serve", "--home", str(home), *options]
        with self._log.open("wb") as output:
            # A session of its own: Ctrl-C ends the story, and the story ends the server in order.
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    def wait_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._ready():
                return
            time.sleep(_BETWEEN)
        words = self._log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        raise StoryRefused(detail=f"the server did not start: {' '.join(words[-2:])}")

    def _ready(self) -> bool:
        try:
            settings = load(self._home)
        except HomeMissing:
            return False  # the ceremony is being held
        made = (self._home / "demo" / "credentials.json").exists()
        return made and answers(settings.host, settings.port, "/readyz")

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

"""`trialcpa run renderer` as it is begun: nothing around it, ended with its supervisor, told of by `trialcpa check`."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from app import renderer as begun
from app.house import House
from app.looks import look_at_renderer
from app.processes import Supervisor
from app.settings import FILE_NAME, Settings, changed, load
from core.errors import ExtraMissing, PlaceUnusable, RendererUnfit, SettingsInvalid
from core.kinds import Apart
from renderer.asking import Renderer, Unshown
from renderer.wire import USER, Outcome, answer
from tests.begin_world import made
from tests.people_world import trialcpa
from tests.render_world import instead, pdf, saying, socket_folder


def until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def folder() -> Iterator[Path]:
    with socket_folder() as found:
        yield found


def begin(path: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "app.cli.main", "run", "renderer", "--supervised", "--socket", str(path)]
    secret = {**os.environ, "TRIALCPA_OFFICER_PASSPHRASE": "secret"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=secret)


def test_it_begins_with_nothing_around_it_and_ends_with_its_supervisor(folder: Path) -> None:
    path = folder / "renderer.sock"
    process = begin(path)
    try:
        draws = Renderer(path, seconds=20)
        until(lambda: isinstance(draws.confined(), list))
        assert isinstance(draws.picture(pdf(), 1), bytes)
        around = Path(f"/proc/{process.pid}")
        assert (around / "cmdline").read_bytes().split(b"\x00")[1:4] == [b"-I", b"-m", b"renderer"]
        if os.geteuid() == 0:
            assert (around / "environ").read_bytes() == b""
            assert (around / "status").read_text().partition("\nUid:\t")[2].startswith("65534\t65534")
        assert path.stat().st_mode & 0o777 == 0o660
        with pytest.raises(PlaceUnusable, match="another process listens there"):
            begun.become_renderer(path, supervised=False)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0
    assert draws.picture(pdf(), 1) is Unshown.SILENT, "what is left of it is no renderer"


def test_where_nothing_can_draw_that_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(begun, "PACKAGE", "no_such_package")
    with pytest.raises(ExtraMissing, match="no_such_package"):
        begun.become_renderer(folder / "renderer.sock", supervised=False)
    settings = SimpleNamespace(renderer=folder / "renderer.sock", home=folder)
    assert not Supervisor(cast("Settings", settings), print)._draws()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("authority")
    with closing(made(folder / "home", f"sqlite:///{folder / 'store.sqlite'}")) as opened:
        yield opened


def test_settings_say_where_it_listens(house: House) -> None:
    home = house.settings.home
    text = (home / FILE_NAME).read_text()
    assert load(home).renderer == home / "run" / "renderer.sock"
    try:
        (home / FILE_NAME).write_text(changed(text, "renderer", "listens", '"none"'))
        assert load(home).renderer is None
        said = trialcpa("run", "renderer", "--home", str(home))
        assert "nobody draws" in said.words
        (home / FILE_NAME).write_text(changed(text, "renderer", "listens", '"127.0.0.1:1"'))
        with pytest.raises(SettingsInvalid, match="must be unix:PATH or none"):
            load(home)
    finally:
        (home / FILE_NAME).write_text(text)


def test_check_says_what_it_gave_up_and_refuses_one_that_could_reach_a_network(folder: Path) -> None:
    def looked(path: Path) -> str:
        (said,) = look_at_renderer(cast("House", SimpleNamespace(settings=SimpleNamespace(renderer=path))))
        return said

    assert "nobody draws" in looked(folder / "none.sock")
    with instead(saying(answer(Outcome.DONE, b"network,system calls"))) as draws:
        assert looked(draws.path).endswith("limits of memory and time, network, system calls")
    with instead(saying(answer(Outcome.DONE, USER.encode()))) as draws, pytest.raises(RendererUnfit, match="network"):
        looked(draws.path)
    with instead(saying(b"rubbish")) as draws:
        assert "does not answer" in looked(draws.path)


def test_the_supervisor_goes_on_without_it_and_begins_it_again_later() -> None:
    told: list[str] = []
    supervisor = Supervisor(cast("Settings", SimpleNamespace(home=Path("/nowhere"))), told.append)
    ended = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"], stdin=subprocess.PIPE)
    ended.wait(20)
    supervisor._children[Apart.RENDERER] = ended
    supervisor._began[Apart.RENDERER] = time.monotonic()
    assert not supervisor._one_did_not_start(), "the service begins without it"
    supervisor._restart_dead()
    assert told == [], "not at once"
    supervisor._began[Apart.RENDERER] -= 3_600
    with pytest.raises(OSError, match="nowhere"):
        supervisor._restart_dead()
    assert "renderer ended with 3 and is started again" in told[0]


@pytest.mark.parametrize(("letters", "draws"), [(80, True), (110, False)])
def test_a_path_that_no_socket_can_have_is_told_once_and_nobody_is_begun(
    tmp_path: Path, letters: int, *, draws: bool
) -> None:
    told: list[str] = []
    path = Path("/" + "x" * letters)
    supervisor = Supervisor(cast("Settings", SimpleNamespace(home=tmp_path, renderer=path)), told.append)
    assert supervisor._draws() is draws
    assert [each for each in told if "too long for a socket" in each] == told
    assert len(told) == (not draws)

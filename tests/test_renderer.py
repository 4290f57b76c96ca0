"""The renderer: pages come as pictures, what costs too much costs its own child, and nothing can be reached."""

import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from renderer.asking import AGAIN_SECONDS, Outline, Renderer, Unshown
from renderer.limits import HIGHEST, MOST_PAGES, WIDEST
from renderer.png import NoPicture, png, require_picture
from renderer.wire import FILTER, NETWORK, USER, Leaf, Outcome, WireBroken, answer, outline, read_outline
from tests.render_world import WORDS, dripping, instead, pdf, renderer, saying, silent

_AS_IT_IS = pdf()
_CHUNK = struct.Struct("!I4s")


@pytest.fixture(scope="module")
def draws() -> Iterator[Renderer]:
    with renderer() as made:
        yield made


def outlined(draws: Renderer, octets: bytes, first: int = 1) -> Outline:
    found = draws.outline(octets, first)
    assert isinstance(found, Outline), found
    return found


def test_pages_come_as_pictures_with_their_text(draws: Renderer) -> None:
    found = outlined(draws, pdf(pages=7), first=5)
    assert (found.pages, [each.number for each in found.leaves]) == (7, [5, 6, 7])
    assert {each.text for each in found.leaves} == {WORDS}
    drawn = draws.picture(pdf(pages=7), 7)
    assert isinstance(drawn, bytes)
    assert require_picture(drawn) == (found.leaves[0].width, found.leaves[0].height) == (1000, 1415)
    assert drawn != draws.picture(pdf(content=b""), 1), "something is drawn on it"


def test_what_draws_has_given_up_what_this_machine_lets_it(draws: Renderer) -> None:
    held = draws.confined()
    assert isinstance(held, list)
    assert FILTER in held
    assert (NETWORK in held) or (USER in held)


@pytest.mark.parametrize(
    "tried",
    [
        "open('/etc/hostname').read()",
        "open('/dev/null', 'w')",
        "__import__('os').listdir('/')",
        "socket.socket(socket.AF_UNIX)",
        "socket.socket(socket.AF_INET)",
        "__import__('os').fork()",
        "__import__('os').execv('/bin/true', ['true'])",
        "__import__('os').kill(1, 0)",
        "__import__('os').readlink('/proc/self/exe')",
        "__import__('mmap').mmap(-1, 4096, prot=7)",
        "[b'\\x00' * 2**26 for _ in range(20)]",
    ],
)
def test_a_document_that_has_taken_over_the_child_reaches_nothing(tried: str) -> None:
    drawing = (
        "import mmap, os, socket\nfrom renderer.wire import FILTER, NETWORK, USER, Leaf, Outline\n"
        f"def outline(octets, first):\n    try:\n        {tried}\n        said = 'reached'\n"
        "    except (OSError, MemoryError) as error:\n        said = type(error).__name__\n"
        "    return Outline(1, (Leaf(number=1, width=1, height=1, text=said),))"
    )
    with renderer(drawing=drawing) as made:
        assert outlined(made, _AS_IT_IS).leaves[0].text in {"PermissionError", "MemoryError"}


@pytest.mark.parametrize(
    "tried",
    [
        "while True: pass",
        "os.read(3, 1)",
        "os.close(4); os.read(3, 1)",
        "os.kill(os.getpid(), 11)",
        "raise RecursionError",
        "os._exit(0)",
    ],
)
def test_what_takes_too_long_or_dies_costs_its_own_child(tried: str) -> None:
    drawing = f"import os, time\ndef outline(octets, first):\n    {tried}"
    with renderer(drawing=drawing, seconds=0.5) as made:
        began = time.monotonic()
        assert made.outline(_AS_IT_IS, 1) is Unshown.GAVE_UP
        assert time.monotonic() - began < 10, "and is not waited for"
        began = time.monotonic()
        assert made.outline(_AS_IT_IS, 1) is Unshown.GAVE_UP
        assert time.monotonic() - began < 0.4, "nor is it asked again soon"
        assert isinstance(made.picture(_AS_IT_IS, 1), bytes), "others are drawn as before"


_FORM = b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>/Length 11>>"
_SELF = _FORM + b"stream\n/F Do /F Do\nendstream"
_FILE = b"<</Type/EmbeddedFile/Length 2>>stream\nMZ\nendstream"


@pytest.mark.parametrize(
    "octets",
    [
        pdf(box="0 0 1000000000 1000000000"),
        pdf(box="0 0 1 1000000"),
        pdf(box="0 0 0 0"),
        pdf(box="-9 nan 0 -1e308"),
        pdf(catalogue="/X 5 0 R", more=[b"[" * 50_000 + b"]" * 50_000]),
        pdf(content=b"[" * 100_000),
        pdf(content=b" " * 10_000_000, packed=True),
        pdf(pages=3_000),
        pdf(
            catalogue="/OpenAction<</S/JavaScript/JS(while\\(1\\){})>>"
            "/Names<</EmbeddedFiles<</Names[(a.exe) 5 0 R]>>>>",
            more=[
                b"<</Type/Filespec/F(a.exe)/EF<</F 6 0 R>>>>",
                _FILE,
            ],
        ),
    ],
    ids=["huge", "thin", "nothing", "no number", "deep", "deep in a page", "long", "many pages", "with a script"],
)
def test_what_is_odd_is_drawn_within_its_limits(draws: Renderer, octets: bytes) -> None:
    found = outlined(draws, octets)
    assert all(each.width <= WIDEST and each.height <= HIGHEST for each in found.leaves)
    drawn = draws.picture(octets, 1)
    assert isinstance(drawn, bytes)
    width, height = require_picture(drawn)
    assert (width, height) == (found.leaves[0].width, found.leaves[0].height)


def test_pages_beyond_the_limit_are_told_and_not_drawn(draws: Renderer) -> None:
    many = pdf(pages=MOST_PAGES + 10)
    found = outlined(draws, many, first=MOST_PAGES - 1)
    assert (found.pages, len(found.leaves)) == (MOST_PAGES + 10, 2)
    assert draws.picture(many, MOST_PAGES + 1) is Unshown.NO_PAGE
    assert draws.picture(_AS_IT_IS, 2) is Unshown.NO_PAGE
    assert draws.outline(_AS_IT_IS, 2) is Unshown.NO_PAGE


# By its dictionary alone: no empty password opens it (ISO 32000-2, 7.6.4).
_KEYS = f"/O<{'11' * 32}>/U<{'22' * 32}>"
_ENCRYPTED = pdf(trailer=f"/Encrypt<</Filter/Standard/V 2/R 3/Length 128/P -4{_KEYS}>>/ID[<{'33' * 16}><{'33' * 16}>]")


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (_ENCRYPTED, Unshown.PROTECTED),
        (_AS_IT_IS[:200] + b"\n%%EOF\n", Unshown.UNREADABLE),
        (b"<!doctype html><p>Pages", Unshown.UNREADABLE),
        (b"%PDF-1.7\n%%EOF\n", Unshown.UNREADABLE),
        (b"", Unshown.UNREADABLE),
        (bytes(range(256)) * 400, Unshown.UNREADABLE),
        (b"x" * (10 * 1024 * 1024 + 1), Unshown.TOO_LARGE),
    ],
    ids=["encrypted", "cut off", "another kind", "empty", "nothing", "noise", "too large"],
)
def test_what_is_no_document_is_told_as_that(draws: Renderer, octets: bytes, why: Unshown) -> None:
    assert draws.outline(octets, 1) is why
    assert draws.picture(octets, 1) is why


def test_a_page_that_cannot_be_read_is_told_beside_the_others(draws: Renderer) -> None:
    found = outlined(draws, pdf().replace(b"/Kids[5 0 R]", b"/Kids[2 0 R]"))
    assert (found.pages, found.leaves[0].width) == (1, 0)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_and_nobody_draws_on(told: int) -> None:
    drawing = "import os\ndef outline(octets, first):\n    os.read(3, 1)  # waits for whoever asks"
    with renderer(drawing=drawing, ended=told) as made:
        waiting = threading.Thread(target=lambda: found.append(made.outline(_AS_IT_IS, 1)))
        found: list[object] = []
        waiting.start()
        time.sleep(0.3)
    waiting.join(20)
    assert found == [Unshown.GAVE_UP]


@pytest.mark.long
@pytest.mark.parametrize(
    "octets",
    [
        pdf(content=b"/F Do", more=[_SELF]).replace(b"/Font<</F1 3 0 R>>", b"/XObject<</F 5 0 R>>"),
        pdf(content=b"0 0 m 595 842 l S 595 0 m 0 842 l S " * 600_000, packed=True),
        pdf(content=b" " * 900_000_000, packed=True),
    ],
    ids=["a form of itself", "a million lines", "a gigabyte of blanks"],
)
def test_what_costs_too_much_is_given_up_within_the_deadline(draws: Renderer, octets: bytes) -> None:
    began = time.monotonic()
    draws.outline(octets, 1)
    assert draws.picture(octets, 1) is Unshown.GAVE_UP
    assert time.monotonic() - began < 20
    assert isinstance(draws.picture(_AS_IT_IS, 1), bytes)


# --- whoever answers in its place ---------------------------------------------------------------------------------

_PICTURE = png(2, 1, b"abcdef")


def _chunks(*parts: tuple[bytes, bytes]) -> bytes:
    made = [_CHUNK.pack(len(data), kind) + data + struct.pack("!I", zlib.crc32(kind + data)) for kind, data in parts]
    return _PICTURE[:8] + b"".join(made)


_HEAD = struct.pack("!IIBBBBB", 2, 1, 8, 2, 0, 0, 0)
_ROWS = zlib.compress(b"\x00abcdef")
WRONG = {
    "another file": b"<svg onload=alert(1)>",
    "nothing": b"",
    "cut off": _PICTURE[:-5],
    "more behind it": _PICTURE + b"<script>",
    "another checksum": _PICTURE[:-1] + b"\x00",
    "wider than it says": _chunks(
        (b"IHDR", struct.pack("!IIBBBBB", 9, 1, 8, 2, 0, 0, 0)), (b"IDAT", _ROWS), (b"IEND", b"")
    ),
    "too wide": png(WIDEST + 1, 1, bytes(3 * (WIDEST + 1))),
    "of no size": _chunks((b"IHDR", struct.pack("!IIBBBBB", 0, 0, 8, 2, 0, 0, 0)), (b"IDAT", _ROWS), (b"IEND", b"")),
    "of another kind": _chunks(
        (b"IHDR", struct.pack("!IIBBBBB", 2, 1, 8, 6, 0, 0, 0)), (b"IDAT", _ROWS), (b"IEND", b"")
    ),
    "with words": _chunks((b"IHDR", _HEAD), (b"tEXt", b"a\x00b"), (b"IDAT", _ROWS), (b"IEND", b"")),
    "no pixels": _chunks((b"IHDR", _HEAD), (b"IEND", b"")),
    "rubbish for pixels": _chunks((b"IHDR", _HEAD), (b"IDAT", b"rubbish"), (b"IEND", b"")),
    "a bomb of pixels": _chunks((b"IHDR", _HEAD), (b"IDAT", zlib.compress(bytes(50_000_000))), (b"IEND", b"")),
    "another filter": _chunks((b"IHDR", _HEAD), (b"IDAT", zlib.compress(b"\x04abcdef")), (b"IEND", b"")),
}


@pytest.mark.parametrize("octets", WRONG.values(), ids=WRONG)
def test_what_is_no_picture_of_ours_is_not_handed_on(octets: bytes) -> None:
    with pytest.raises(NoPicture):
        require_picture(octets)
    with instead(saying(answer(Outcome.DONE, octets))) as made:
        assert made.picture(_AS_IT_IS, 1) is Unshown.WRONG


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        struct.pack("!IHHI", 1, WIDEST + 1, 1, 0),
        struct.pack("!IHHI", 1, 1, 1, 9) + b"short",
        struct.pack("!IHHI", 1, 1, 1, 2) + b"\xff\xff",
        outline(Outline(1, (Leaf(number=1, width=1, height=1, text=""),) * 2)),
        outline(Outline(9, (Leaf(number=1, width=1, height=1, text=""),) * 6)),
    ],
)
def test_what_is_no_outline_is_not_believed(body: bytes) -> None:
    with pytest.raises(WireBroken):
        read_outline(body, 1)


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (silent, Unshown.SILENT),
        (dripping, Unshown.WRONG),
        (saying(b""), Unshown.GAVE_UP),
        (saying(b"HTTP/1.1 200 OK\r\n\r\n"), Unshown.WRONG),
        (saying(b"TPR1\x00\xff\xff\xff\xff"), Unshown.WRONG),
        (saying(b"TPR1\x09\x00\x00\x00\x00"), Unshown.WRONG),
        (saying(b"TPR1\x00\x00\x00\x00\x09abc"), Unshown.GAVE_UP),
        (saying(answer(Outcome.DONE, b"rubbish")), Unshown.WRONG),
    ],
    ids=["silent", "drop by drop", "killed", "another", "endless", "unknown", "cut off", "rubbish"],
)
def test_whoever_asks_waits_for_nobody(answers: Callable[[socket.socket], None], why: Unshown) -> None:
    with instead(answers, seconds=0.5) as made:
        began = time.monotonic()
        assert made.outline(_AS_IT_IS, 1) is why
        assert time.monotonic() - began < 5


def test_what_was_given_up_is_asked_again_when_some_time_has_gone() -> None:
    answers = iter([b"", b"", answer(Outcome.DONE, _PICTURE)])

    def one_after_the_other(connection: socket.socket) -> None:
        saying(next(answers))(connection)

    with instead(one_after_the_other, seconds=5) as made:
        assert made.picture(_AS_IT_IS, 1) is Unshown.GAVE_UP
        assert made.picture(_AS_IT_IS, 1) is Unshown.GAVE_UP, "known"
        assert made.picture(_AS_IT_IS, 2) is Unshown.GAVE_UP, "another page is asked about"
        for name in made._given_up:
            made._given_up[name] -= AGAIN_SECONDS
        assert made.picture(_AS_IT_IS, 1) == _PICTURE


def test_where_nobody_is_nobody_answers(tmp_path: Path) -> None:
    assert Renderer(tmp_path / "none.sock").picture(_AS_IT_IS, 1) is Unshown.SILENT


@pytest.mark.long
def test_nobody_else_loads_what_draws() -> None:
    loads = "import sys, app.console, app.web, console.app, api.app, jobs.courier; print('pypdfium2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "False\n"

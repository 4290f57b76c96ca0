"""A renderer of its own for a test, PDFs made by hand, and others who answer in its place, not as they should."""

import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from renderer.asking import Renderer
from renderer.limits import WALL_SECONDS

WORDS = "Test report"
_BEGIN = "import socket; from renderer import drawing; from renderer.broker import serve"


def pdf(
    *,
    pages: int = 1,
    content: bytes | None = None,
    box: str = "0 0 595 842",
    packed: bool = False,
    catalogue: str = "",
    more: Sequence[bytes] = (),
    trailer: str = "",
) -> bytes:
    """A PDF: each page shows the same.

    Args:
        pages: how many.
        content: what draws a page; by default a line of text.
        box: of a page, in points.
        packed: whether the content is compressed.
        catalogue: what the catalogue has beside its pages.
        more: further objects, numbered from 5.
        trailer: what the trailer has beside root and size.
    """
    content = f"BT /F1 24 Tf 72 700 Td ({WORDS}) Tj ET".encode() if content is None else content
    held = zlib.compress(content) if packed else content
    stream = b"<</Length %d%s>>stream\n%s\nendstream" % (len(held), b"/Filter/FlateDecode" if packed else b"", held)
    first = 5 + len(more)
    kids = " ".join(f"{first + place} 0 R" for place in range(pages))
    page = f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 4 0 R/Resources<</Font<</F1 3 0 R>>>>>>"
    objects = [
        f"<</Type/Catalog/Pages 2 0 R{catalogue}>>".encode(),
        f"<</Type/Pages/Kids[{kids}]/Count {pages}>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        stream,
        *more,
        *[page.encode()] * pages,
    ]
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    begins = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % each for each in places)
    out += f"trailer\n<</Root 1 0 R/Size {len(objects) + 1}{trailer}>>\nstartxref\n{begins}\n%%EOF\n".encode()
    return bytes(out)


@contextmanager
def socket_folder() -> Iterator[Path]:
    """A folder whose name is short enough for the path of a socket."""
    with TemporaryDirectory(prefix="draw", dir="/tmp") as folder:
        yield Path(folder)


def listening_at(path: Path) -> socket.socket:
    """A socket that listens."""
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    made.listen(8)
    return made


@contextmanager
def renderer(*, drawing: str = "", seconds: float = WALL_SECONDS, ended: int = 0) -> Iterator[Renderer]:
    """A renderer as it runs, in a process of its own; it ends with its supervisor, or when it is told to.

    Args:
        drawing: a function `outline(octets, first)` in place of the one that draws.
        seconds: that a document may take.
        ended: the signal by which it is told.
    """
    with socket_folder() as folder, listening_at(folder / "renderer.sock") as listening:
        number = listening.fileno()
        program = f"{_BEGIN}\n{drawing}\n" + ("drawing.outline = outline\n" if drawing else "")
        program += f"serve(socket.socket(fileno={number}), supervised=True, wall_seconds={seconds})"
        command = [sys.executable, "-I", "-c", program]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=[number], env={})
        listening.close()
        try:
            made = Renderer(folder / "renderer.sock", seconds=20)
            assert isinstance(made.confined(), list)
            yield made
        finally:
            assert process.stdin is not None
            if ended:
                process.send_signal(ended)
            else:
                process.stdin.close()
            assert process.wait(20) == 0
            process.stdin.close()


@contextmanager
def instead(answer: Callable[[socket.socket], None], *, seconds: float = 1.0) -> Iterator[Renderer]:
    """Somebody who answers in the place of a renderer.

    Args:
        answer: handed a connection, whatever was asked.
        seconds: for which whoever asks waits.
    """
    with socket_folder() as folder, listening_at(folder / "renderer.sock") as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield Renderer(folder / "renderer.sock", seconds=seconds)
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def silent(connection: socket.socket) -> None:
    """Take everything and say nothing, until whoever asks has gone."""
    while connection.recv(65536):
        pass


def saying(octets: bytes) -> Callable[[socket.socket], None]:
    """Say some octets to whoever has asked, and end."""

    def say(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(octets)
        connection.shutdown(socket.SHUT_WR)
        silent(connection)

    return say


def dripping(connection: socket.socket) -> None:
    """Say one octet after the other, for ever."""
    connection.recv(65536)
    while True:
        connection.sendall(b"T")
        time.sleep(0.05)

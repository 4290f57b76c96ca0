"""The console as part of web: where its pages are, the key that seals its cookies, and its place before the API."""

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask

from api import problems
from api.lookout import Lookout
from api.readiness import Purpose
from api.status import batch, batch_table
from api.status.mirror import Mirror
from api.status.questions import parse_question
from api.status.verify import answer
from app.house import House, origin_of
from app.kept_results import KeptResults
from console.app import PREFIX, create_console
from console.guard import shows_session
from console.service import Agreement, Answers, Console
from core.canonical import Json, read_json
from core.days import read_moment
from core.errors import InstantMalformed, StoreUnavailable
from core.instants import text
from documents.tables import csv_text
from intake.workbook import is_workbook
from keys.private_file import read_private, written
from ra.entering.passkeys import Relying
from renderer.asking import Renderer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_log = logging.getLogger(__name__)

_KEY_FILE = "console.key"
_KEY_OCTETS = 32
AGREED_SECONDS = 60.0
"""For which the page for everybody says the same of the channels."""


@dataclass(frozen=True)
class WithConsole:
    """What is behind the front.

    Args:
        application: the API, with the console before it if there is one.
        session: whether a Cookie field shows a session of the console's.
    """

    application: "WSGIApplication"
    session: Callable[[str], bool] = lambda _: False


def with_console(application: "WSGIApplication", house: House, mirror: Mirror, lookout: Lookout) -> WithConsole:
    """Return the API with the console before it, if this authority has one.

    Args:
        application: the API.
        house: the authority.
        mirror: follows after each write.
        lookout: has compared the channels.
    """
    row = house.row()
    origin = origin_of(house, house.environment)
    if origin is None:
        return WithConsole(application)
    relying = Relying(identifier=urlsplit(origin).hostname or "", origin=origin)
    console = Console(
        desk=house.desk,
        name=row.name,
        relying=relying,
        wrote=_quietly(mirror.catch_up),
        verify=verifies(mirror),
        verify_many=verifies_many(mirror),
        kept=KeptResults(house.settings.web_memory / "results", house.machine),
        agreement=agreement(lookout),
        health=lambda: lookout.readiness(Purpose.WRITING),
        require_whole=mirror.require_whole,
        pictures=None if house.settings.renderer is None else Renderer(house.settings.renderer),
    )
    # The settings decide, not the row alone: whoever writes the register must not load what lets people in so easily.
    trying = house.settings.console_demo and house.environment == "test"
    made = _for_trying(console, house) if trying else _live(console, house)
    pages = made.wsgi_app

    def by_path(environ: "WSGIEnvironment", start: "StartResponse") -> "Iterable[bytes]":
        path = environ["PATH_INFO"]
        ours = path in ("/", PREFIX) or path.startswith(f"{PREFIX}/")
        return (pages if ours else application)(environ, start)

    return WithConsole(by_path, shows_session(made))


def verifies(mirror: Mirror) -> Callable[[bytes], Mapping[str, Json]]:
    """Return what answers a question of /v1/verify from the mirror that status answers from."""

    def verify(body: bytes) -> Mapping[str, Json]:
        view, now = mirror.view(), mirror.now()
        units = mirror.units if view.deployed is None else view.units
        return answer(view, parse_question(body, now), now, mirror.past_answer, units)

    return verify


def verifies_many(mirror: Mirror) -> Callable[[bytes], Answers]:
    """Return what answers a file of questions as POST /v1/verify/batch does, workbooks too."""

    def verify(octets: bytes) -> Answers:
        sheet = (
            batch_table.read_workbook_questions(octets) if is_workbook(octets) else batch_table.read_questions(octets)
        )
        view, now = mirror.view(), mirror.now()
        units = mirror.units if view.deployed is None else view.units
        asked = [_dated(each, now) for each in sheet.asked]
        told = batch.each_answered(view, asked, now, mirror.past_answer, units)
        rows = list(batch_table.answered_rows(sheet, told, now))
        header = batch_table.header(sheet)
        notes = {
            str(row.line): " ".join(dict.fromkeys(each.note for each in row.cells if each.note)) for row in sheet.rows
        }
        table = csv_text(header, rows, numbers=("line", "issue"))
        return Answers(
            header=header, rows=rows, notes={line: note for line, note in notes.items() if note}, table=table
        )

    return verify


def _dated(asked: batch.Posed, now: datetime) -> batch.Posed:
    """A question whose instant may be a day, as people have them; of one that is none its answer tells."""
    if isinstance(asked, tuple) or '"at"' not in asked:
        return asked
    said = dict(read_json(asked.encode("ascii")))
    try:
        moment = read_moment(str(said["at"]), field="at", now=now)
    except (KeyError, InstantMalformed):
        return asked
    return problems.encode({**said, "at": text(moment)}).decode("ascii")


def agreement(lookout: Lookout, monotonic: Callable[[], float] = time.monotonic) -> Callable[[], Agreement | None]:
    """Return what says whether the channels agree, as it was found of late: whoever comes by costs no comparing.

    Args:
        lookout: compares the channels; a small register while somebody waits.
        monotonic: a clock for how old that is.
    """
    held: list[tuple[float, Agreement]] = []
    compares = Lock()

    def agree() -> Agreement | None:
        with compares:
            if not held or monotonic() - held[-1][0] >= AGREED_SECONDS:
                # Only in the first seconds of a process does somebody who comes by wait for it.
                found = lookout.comparing.of_late() or lookout.comparing.found()
                told = Agreement(agree=not found.disagreements, checked=found.checked, as_of=found.as_of)
                held[:] = [(monotonic(), told)]
            return held[-1][1]

    return agree


def _live(console: Console, house: House) -> Flask:
    return create_console(console, secret_key=_cookie_key(house))


def _for_trying(console: Console, house: House) -> Flask:
    """A test authority's whose settings say so, with its demo people."""
    from app.demo_people import Demo  # noqa: PLC0415 - a live authority's process does not have this code
    from console.demo import add_demo  # noqa: PLC0415 - nor this
    from console.trying import OFFERED  # noqa: PLC0415 - nor this

    demo = Demo(house.settings.home, house.desk)
    trying = replace(console, signs=demo if demo.names() else None, ways_in=("offered",), offered=OFFERED)
    app = create_console(trying, secret_key=_cookie_key(house))
    add_demo(app, trying, demo)
    return app


def _cookie_key(house: House) -> bytes:
    """The key that seals cookies: in a private file, made by whichever web process is first."""
    path = house.settings.web_memory / _KEY_FILE
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        with suppress(FileExistsError), written(path, over=False) as file:
            file.write(secrets.token_bytes(_KEY_OCTETS))
    return read_private(path, _KEY_OCTETS)


def _quietly(follow: Callable[[], None]) -> Callable[[], None]:
    """What is committed is done, also where the mirror cannot follow at once: it does so by itself a little later."""

    def followed() -> None:
        try:
            with suppress(StoreUnavailable):
                follow()
        except Exception:  # noqa: BLE001 - it is committed: whoever acted must not be told otherwise
            _log.exception("the status mirror could not be refreshed after a write")

    return followed

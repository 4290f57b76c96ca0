"""The console on Flask: pages rendered here, forms that work without scripts. Nothing happens at import."""

import hashlib
import logging
import secrets
from http import HTTPStatus
from pathlib import Path

from flask import Flask, Response, render_template
from flask_wtf.csrf import CSRFError
from markupsafe import escape
from werkzeug.exceptions import HTTPException

from api import problems
from console.afterwards import add_afterwards
from console.answering import add_answering
from console.applying import add_applying
from console.attaching import add_attaching
from console.auditing import add_auditing
from console.breaching import add_breaching
from console.calendars import add_calendars
from console.changing import add_changing
from console.committee import add_committee
from console.composing import add_composing
from console.contacts import add_contacts
from console.deciding import add_deciding
from console.entering import add_entering
from console.evidence import add_evidence
from console.forms import given_back
from console.guard import add_guard, may, navigation, section
from console.holding import add_holding
from console.home import add_home
from console.listing import add_listing
from console.looking import add_looking
from console.meeting import add_meeting
from console.ordering import add_ordering
from console.people import add_people
from console.reporting import add_reporting
from console.requiring import add_requiring
from console.revoking import add_revoking
from console.service import Console
from console.shown import day, instant, instants, month, remedy, sentence, undirected, who, words
from console.standing import add_standing
from console.suspected import add_suspected
from console.verifying import add_verifying
from console.verifying_many import add_verifying_many
from console.walking import add_walking
from console.watching import add_watching
from core.errors import RegisterUnreadable, TrialCpaError
from core.identifiers import ApprovalIdentifier
from core.plain_text import plainly
from core.words import counted

PREFIX = "/console"
"""Every page is below it; the API and status have the rest of the addresses."""

_ASSETS = Path(__file__).with_name("assets")
_ASSET_SECONDS = 31_536_000

_log = logging.getLogger(__name__)

_ADDS = (
    add_home,
    add_entering,
    add_looking,
    add_evidence,
    add_standing,
    add_requiring,
    add_changing,
    add_committee,
    add_walking,
    add_meeting,
    add_composing,
    add_deciding,
    add_afterwards,
    add_revoking,
    add_answering,
    add_breaching,
    add_calendars,
    add_people,
    add_applying,
    add_holding,
    add_verifying,
    add_verifying_many,
    add_listing,
    add_reporting,
    add_auditing,
    add_attaching,
    add_contacts,
    add_ordering,
    add_suspected,
    add_watching,
)


def create_console(console: Console, *, secret_key: bytes) -> Flask:
    """Return the console.

    Args:
        console: what its pages have at hand.
        secret_key: under which cookies are sealed; the same in every web process.
    """
    app = Flask(
        "console",
        root_path=str(Path(__file__).parent),
        template_folder="pages",
        static_folder=None,
    )
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    add_guard(app, console, secret_key)
    _add_assets(app)
    for add in _ADDS:
        add(app, console)
    app.jinja_env.filters.update(instant=instant, instants=instants, day=day, words=words, who=who, plainly=plainly)
    app.jinja_env.filters.update(sentence=sentence, remedy=remedy, month=month, undirected=undirected)
    test = console.name.startswith("TEST ")
    app.jinja_env.globals.update(
        authority=console.name,
        test=test,
        example=str(ApprovalIdentifier("test" if test else "live", 2027, 42)),
        navigation=navigation,
        section=section,
        fresh=_fresh,
        may=may,
        at_once=console.signs is not None,
        counted=counted,
    )
    app.register_error_handler(TrialCpaError, _told)
    app.register_error_handler(CSRFError, _stale)
    app.register_error_handler(HTTPException, _told_of_http)
    app.register_error_handler(Exception, _told_nothing)
    return app


def _add_assets(app: Flask) -> None:
    held = {each.name: each.read_bytes() for each in sorted(_ASSETS.iterdir())}
    kinds = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
    places = {
        name: f"{PREFIX}/assets/{hashlib.sha256(octets).hexdigest()[:16]}/{name}" for name, octets in held.items()
    }
    app.jinja_env.globals["asset"] = places

    @app.get(f"{PREFIX}/assets/<version>/<name>")
    def assets(version: str, name: str) -> Response:
        """Send what pages look by; its address changes with it, so a browser asks once."""
        if places.get(name) != f"{PREFIX}/assets/{version}/{name}":
            return Response("", HTTPStatus.NOT_FOUND)
        answer = Response(held[name], content_type=kinds[Path(name).suffix])
        answer.headers["Cache-Control"] = f"public, max-age={_ASSET_SECONDS}, immutable"
        return answer


def _fresh() -> str:
    """What makes the same form sent twice one act: given with the page."""
    return secrets.token_urlsafe(16)


def _page(status: int, heading: str, sentence: str, hint: str) -> tuple[str, int]:
    return render_template("error.html", heading=heading, sentence=sentence, hint=hint), status


def _told(error: TrialCpaError) -> tuple[str, int]:
    status, _ = problems.problem(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _told_nothing(error)
    return _page(status, HTTPStatus(status).phrase, sentence(error), remedy(error))


def _stale(_error: CSRFError) -> tuple[str, int]:
    sentence = "This form is not of this session: it was opened before you signed in, or by another page."
    return given_back("Nothing was done", sentence, "Open the page again and send it from there."), 400


def _told_of_http(error: HTTPException) -> tuple[str, int]:
    status = error.code or 500
    known = {
        403: ("This was not sent by a page of this console.", "Open the page here and send it again."),
        404: ("There is no such page.", "Begin at Home."),
        405: ("This page cannot be sent to.", "Begin at Home."),
        413: ("What was sent is too large.", "Send less of it."),
    }
    sentence, hint = known.get(status, ("The request cannot be read.", "Begin at Home."))
    return _page(status, HTTPStatus(status).phrase, sentence, hint)


def _told_nothing(error: Exception) -> tuple[str, int]:
    reference = secrets.token_hex(8)
    _log.error("a page failed, reference %s", reference, exc_info=error)
    row = problems.of_a_row(error)
    if isinstance(row, RegisterUnreadable):
        status, _ = problems.problem(row)
        return _page(status, "What the register says cannot be read", str(row), f"{row.hint} Reference: {reference}.")
    hint = f"Try again in a moment. If it stays so, tell the operator this reference: {escape(reference)}."
    return _page(500, "Something failed that should not", "Nothing that you sent is lost by trying again.", hint)

"""guard: who may send what to a page, and what a browser may do with the answer.

One origin is the console's. A write comes from its own pages only: the browser says so (Sec-Fetch-Site, Origin), and
the form has the token that flask-wtf gave to this browser's session.
"""

from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect
from itsdangerous import BadSignature
from werkzeug.http import parse_cookie
from werkzeug.wrappers import Response as AnyResponse

from console.forms import FORM_LIMIT, LARGER, OF_FILES, given_back
from console.service import Console
from core import unreadable
from core.actors import Actor
from core.errors import OperationNotPermitted
from ra.doors import admit
from ra.entering.passkeys import may_invite
from ra.entering.sessions import SESSION_LIFE, entered
from ra.entering.views import Begun, Entered

COOKIE = "__Host-trialcpa"
"""A browser takes this name from an origin of its own only: Secure, for all paths, from no other host."""

SECRET = "secret"  # noqa: S105 - the name of a member
AGAIN = "again"
"""In the address of a page that asks for itself (url_for(…, again="yes")): nobody has done anything, and a session that
is idle stays so."""

OPEN = frozenset(
    {
        "sign_in",
        "answer_passkey",
        "invitation",
        "take_up",
        "assets",
        "offered",
        "come_in_as",
        "try_example",
        "everybody",
        "check",
    }
)
"""Pages for whoever has not signed in yet. Every other needs a session, also one that somebody adds and forgets."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "publickey-credentials-get=(self), publickey-credentials-create=(self)",
}
HSTS = "max-age=31536000"
"""A year; of this host alone: CRL, OCSP and CA certificates of other names travel by http."""

_NAV: tuple[tuple[str, str, str], ...] = (
    ("home", "Home", "listTasks"),
    ("applications", "Applications", "listApplications"),
    ("decisions", "Decisions", "listDecisions"),
    ("meetings_page", "Meetings", "listMeetings"),
    ("approvals", "Approvals", "listApprovals"),
    ("verify", "Verify", "verify"),
    ("drafts", "Apply", "apply"),
    ("listing", "List", "listCplInstructions"),
    ("reports", "Reports", "listReports"),
    ("notices", "Notices", "listNotices"),
    ("journal_page", "Journal", "listJournal"),
)


def add_guard(app: Flask, console: Console, secret_key: bytes) -> None:
    """Add it to the application.

    Args:
        app: the console.
        console: at work.
        secret_key: under which this browser's cookie is sealed; the same in every web process.
    """
    origin = urlsplit(console.relying.origin)
    app.config.update(
        SECRET_KEY=secret_key,
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=FORM_LIMIT,
        MAX_FORM_MEMORY_SIZE=FORM_LIMIT,
        WTF_CSRF_SSL_STRICT=False,  # Origin and Sec-Fetch-Site are asked, not Referer, which many leave out
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session, which is short
    )

    app.before_request(unreadable.begin)
    app.before_request(_room)
    app.before_request(lambda: _from_our_pages(console.relying.origin))
    CSRFProtect(app)
    app.before_request(lambda: _who(console))

    @app.after_request
    def protect(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        if origin.scheme == "https":
            response.headers["Strict-Transport-Security"] = HSTS
        return response


def _room() -> None:
    """Give a form that carries a file, or a long list, the room that it may need, before anything reads it."""
    rule = request.url_rule
    limit = None if rule is None else LARGER.get(rule.rule.replace("<", "{").replace(">", "}"))
    if limit is not None and request.method == "POST":
        request.max_content_length = request.max_form_memory_size = limit


def _from_our_pages(origin: str) -> AnyResponse | None:
    """Send whoever came by another name to the console's origin, and take writes from its own pages only."""
    reads = request.method in ("GET", "HEAD")
    if request.host != urlsplit(origin).netloc:
        return redirect(f"{origin}{request.full_path.rstrip('?')}", 307) if reads else abort(403)
    said, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if not reads and (said not in (None, origin) or site not in (None, "same-origin")):
        abort(403)
    return None


def _who(console: Console) -> AnyResponse | None:
    """Find out who has signed in; whoever has not is asked to, and nothing that they sent is done."""
    if request.endpoint is None or request.endpoint == "assets":
        return None
    console.require_whole()
    g.entered = entered(console.desk, str(session.get(SECRET, "")), by_itself=AGAIN in request.args)
    if g.entered is not None or request.endpoint in OPEN:
        return None
    if request.method in ("GET", "HEAD"):
        return redirect(url_for("sign_in", then=request.full_path.rstrip("?")))
    return _lost()


def _lost() -> AnyResponse:
    """Say that a form came after its session had ended, and give back what was typed into it: it is nowhere else.

    The form is of a page of ours, and has the token of the session it was opened in: no other's words stand there.
    """
    if request.url_rule is not None and request.url_rule.rule.replace("<", "{").replace(">", "}") in OF_FILES:
        return redirect(url_for("sign_in", lost="yes"), 303)  # files, which the browser's owner has still
    page = given_back(
        "Your session has ended",
        "What you sent was not done.",
        "Sign in in another tab and send it again.",
        then=_came_from(),
    )
    return Response(page, 401)


def _came_from() -> str | None:
    """Return the page that a form says it was on; None if it says what is no address at all."""
    try:
        return urlsplit(request.referrer or "").path
    except ValueError:
        return None


def actor() -> Actor:
    """Return who has signed in."""
    return known().actor


def known() -> Entered:
    """Return the session that the browser is in."""
    return cast("Entered", g.entered)


def shows_session(app: Flask) -> Callable[[str], bool]:
    """Return what tells whether a Cookie field carries a session that was begun here of late; no store is asked.

    Whether it has been ended since is asked before anything is done for it.

    Args:
        app: the console, with its guard.
    """
    seal = SecureCookieSessionInterface().get_signing_serializer(app)
    assert seal is not None, "add_guard gives it a key"

    def shows(field: str) -> bool:
        try:
            sealed = parse_cookie(field).get(COOKIE, "")
            return SECRET in seal.loads(sealed, max_age=int(SESSION_LIFE.total_seconds()))
        except (BadSignature, TypeError, ValueError):
            return False  # not even text, perhaps

    return shows


def owner() -> str:
    """Return who alone may have what a page has made for them: the same person in the same role of one organisation."""
    who = actor()
    return f"{who.role} {who.organisation} {who.name}"


def let_in(begun: Begun) -> None:
    """Give a session to the browser; whatever it had before is gone, its form tokens too."""
    session.clear()
    session[SECRET] = begun.secret


def may(act: str) -> bool:
    """Return whether whoever has signed in has a role that may do an act (ra/doors.py)."""
    return _quietly(lambda: admit(actor(), act))


_BELOW: Mapping[str, str] = {
    **dict.fromkeys(("breaches", "revocations", "certificates", "amendment-requests", "end-requests"), "approvals"),
    **dict.fromkeys(("evidence", "standing-requirements", "requirements"), "applications"),
    **dict.fromkeys(("suspicions", "contacts"), "notices"),
    "agenda-items": "meetings_page",
    "deployments": "reports",
    "orders": "decisions",
}
"""Under which page of the navigation those stand that are called otherwise: by what comes first in their address."""


def section() -> str:
    """Return the page of the navigation under which the present one stands; empty if it says so by its address."""
    first = request.path.removeprefix("/console/").partition("/")[0]
    return _BELOW.get(first, "")


def navigation() -> list[tuple[str, str]]:
    """Return the pages that whoever has signed in may see: endpoint and words."""
    if g.get("entered") is None:
        return []
    found = [(endpoint, words) for endpoint, words, act in _NAV if may(act)]
    return [*found, *([("people", "People")] if may_invite(actor()) else [])]


def _quietly(judge: Callable[[], None]) -> bool:
    try:
        judge()
    except OperationNotPermitted:
        return False
    return True

"""What the front has behind it: the status plane first, from memory, and the API on threads of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import parse_qsl

from api import problems
from api.app import HTTP_WORDS
from api.bodies import BodyLimits
from api.feed import FEED
from api.incoming import BODY_LIMIT
from api.lookout import told
from api.patience import seconds_preferred
from api.readiness import CheckAnswer, Purpose, Readiness
from api.register import REGISTER, SIGNATURE
from api.status.exchange import Asked, Reply, conditional, refusal
from api.status.plane import Elsewhere, StatusPlane
from api.status.refused import Refused
from app.readers import Readers
from console.app import PREFIX
from console.evidence import EVIDENCE
from core.errors import NotAuthenticated, StatusStale, StoreUnavailable
from front import wsgi
from front.service import Later, Stream, Turn

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

ALIVE = "/healthz"
READY = "/readyz"
DESCRIPTION = "/openapi.json"
_FROM_MEMORY = ("GET", "HEAD")
_LONG = frozenset({REGISTER, SIGNATURE, "/v1/audit"})
"""What takes long: the public register, and a portion of the whole one, with all that its rows rest upon."""

_UNSEEN = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
_TURNS = {Elsewhere.STORE: Turn.PAST, Elsewhere.LONG: Turn.LONG}

_LONGEST_QUERY = 100
"""Characters in which somebody may ask what it is fit for, in whichever spelling."""


class Waiting:
    """The service before the register has answered for the first time: alive, and not ready; all else is 503."""

    def admit(self, asked: Asked) -> int | Reply:
        """Take a body from nobody; there is nothing yet that could read it."""
        return 0 if asked.path in (ALIVE, READY) else refusal(StoreUnavailable())

    def at_once(self, asked: Asked) -> Reply | Turn:
        """Say how it is."""
        if asked.path == ALIVE:
            return Reply(HTTPStatus.OK, b"alive\n", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])
        if asked.path != READY:
            return refusal(StoreUnavailable())
        said = "The register has not answered since this process began."
        return told(Readiness(False, (CheckAnswer(name="store", ok=False, detail=said),), ()))  # noqa: FBT003 - not ready

    def work(self, turn: Turn, asked: Asked, body: BinaryIO, length: int) -> Reply:
        """Answer what was to be worked on; nothing is."""
        del turn, asked, body, length
        return refusal(StoreUnavailable())


def purpose_of(query: str) -> Purpose | None:
    """Return what a query of /readyz asks; None for one that the API has to refuse."""
    if len(query) > _LONGEST_QUERY:
        return None
    match parse_qsl(query, keep_blank_values=True):
        case []:
            return Purpose.STATUS
        case [("for", word)] if word in list(Purpose):
            return Purpose(word)
    return None


@dataclass(frozen=True, kw_only=True)
class OfTheLog:
    """How the public log is served, to anybody.

    Args:
        follow: answers who follows it.
        peer: says who asks.
    """

    follow: Callable[[Asked], Reply | Turn | Later | Stream]
    peer: Callable[[Asked], str] = lambda asked: asked.peer


class Served:
    """The service behind the front (front/service.py).

    Args:
        plane: the status plane.
        application: the API.
        limits: how long bodies may be.
        ready: answers /readyz from memory.
        description: the answer of /openapi.json.
        note: has a refusal of access logged, and waits for nothing.
        log: how the public log is served.
        with_status: whether status is answered here; if not, another process does (StatusServed).
    """

    def __init__(
        self,
        plane: StatusPlane,
        application: "WSGIApplication",
        limits: BodyLimits,
        ready: Callable[[Purpose], Reply],
        description: Reply,
        note: Callable[[Asked, Refused], None],
        log: OfTheLog,
        *,
        with_status: bool = True,
    ) -> None:
        self._readers = Readers()
        self._note = note
        self._log = log
        self._with_status = with_status
        self._ready = ready
        self._description = description
        self._plane = plane
        self._application = application
        self._limits = limits

    def admit(self, asked: Asked) -> int | Reply:
        """Say how long a body may be. A file is collected from nobody who shows no credential, or no session."""
        limit = self._plane.body_limit(asked.path)
        if limit is None:
            limit = self._limits.of(asked.method, asked.path)
        if limit > BODY_LIMIT and asked.path.startswith(f"{PREFIX}/"):
            if not self._limits.session(asked.fields.get("cookie", "")):
                return Reply(HTTPStatus.SEE_OTHER, headers=[("Location", f"{PREFIX}/sign-in?lost=yes"), *_UNSEEN])
        elif limit > BODY_LIMIT:
            try:
                self._plane.known(asked)
            except NotAuthenticated as error:
                place = self._limits.place(asked.method, asked.path)
                return self._noted(asked, self._plane.refusal(error, asked, place))
            except StatusStale:
                pass  # it cannot be told from memory who that is: the API will ask the store
        return limit

    def at_once(self, asked: Asked) -> Reply | Turn | Later | Stream:
        """Answer from memory, or say who does, or when."""
        # Werkzeug would take the slashes for one, and //path for /path.
        if asked.path.startswith("//") or (not self._with_status and self._is_elsewhere(asked.path)):
            return _not_found()
        if asked.method in _FROM_MEMORY:
            if asked.path == DESCRIPTION:
                return conditional(asked, self._description)
            if asked.path == FEED:
                return self._log.follow(asked)
            purpose = purpose_of(asked.query) if asked.path == READY else None
            if purpose is not None:
                return self._ready(purpose)
        answered = self._plane.at_once(asked)
        if isinstance(answered, Reply):
            return self._noted(asked, answered) if answered.refused else answered
        return _TURNS.get(answered) or self._turn_of(asked)

    def _turn_of(self, asked: Asked) -> Turn:
        if asked.path.startswith(EVIDENCE) and "/" in asked.path[len(EVIDENCE) :]:
            return Turn.DRAW
        if asked.path in _LONG or self._limits.of(asked.method, asked.path) > BODY_LIMIT:
            return Turn.LONG
        waits = "prefer" in asked.fields and seconds_preferred(asked.fields["prefer"]) is not None
        return Turn.WAIT if waits and asked.method in _FROM_MEMORY else Turn.API

    def _is_elsewhere(self, path: str) -> bool:
        return path != ALIVE and self._plane.body_limit(path) is not None

    def work(self, turn: Turn, asked: Asked, body: BinaryIO, length: int) -> Reply:
        """Answer on a thread that may wait."""
        del turn
        try:
            if self._plane.body_limit(asked.path) is not None:
                # A body that is too long to be answered at once did not come with the request.
                whole = asked if asked.body or not length else asked.with_body(body.read())
                answered = self._plane.from_store(whole)
                if isinstance(answered, Reply):
                    return self._noted(asked, answered)
            answered = self._noted(asked, wsgi.call(self._application, asked, body, length))
            return self._readers.admitted(self._log.peer(asked), answered)
        except Exception as error:  # noqa: BLE001 - the outermost line: what we did not foresee is told as ours, and logged
            return refusal(error)

    def _noted(self, asked: Asked, answered: Reply) -> Reply:
        for each in answered.refused:
            self._note(asked, each)
        return answered


class StatusServed:
    """Status alone (front/service.py): the API is another process's.

    Args:
        plane: the status plane.
        ready: answers /readyz from memory.
        note: has a refusal of access logged, and waits for nothing.
    """

    def __init__(
        self, plane: StatusPlane, ready: Callable[[Purpose], Reply], note: Callable[[Asked, Refused], None]
    ) -> None:
        self._plane = plane
        self._ready = ready
        self._note = note

    def admit(self, asked: Asked) -> int | Reply:
        """Say how long a body may be; there is none of what is not about status."""
        return self._plane.body_limit(asked.path) or 0

    def at_once(self, asked: Asked) -> Reply | Turn:
        """Answer from memory, or say who does."""
        answered = self._plane.at_once(asked)
        if isinstance(answered, Reply):
            return self._noted(asked, answered) if answered.refused else answered
        turn = _TURNS.get(answered)
        if turn is not None:
            return turn
        purpose = purpose_of(asked.query) if asked.path == READY and asked.method in _FROM_MEMORY else None
        return _not_found() if purpose is None else self._ready(purpose)

    def work(self, turn: Turn, asked: Asked, body: BinaryIO, length: int) -> Reply:
        """Answer on a thread that may wait."""
        del turn
        try:
            whole = asked if asked.body or not length else asked.with_body(body.read())
            answered = self._plane.from_store(whole)
        except Exception as error:  # noqa: BLE001 - the outermost line: what we did not foresee is told as ours, and logged
            return refusal(error)
        return self._noted(asked, answered) if isinstance(answered, Reply) else _not_found()

    def _noted(self, asked: Asked, answered: Reply) -> Reply:
        for each in answered.refused:
            self._note(asked, each)
        return answered


def _not_found() -> Reply:
    document = problems.document(HTTPStatus.NOT_FOUND, *HTTP_WORDS[HTTPStatus.NOT_FOUND])
    return Reply(HTTPStatus.NOT_FOUND, problems.encode(document), problems.headers(HTTPStatus.NOT_FOUND))

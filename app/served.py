"""What the front has behind it: the status plane first, from memory, and the API on threads of its own."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO

from api import problems
from api.app import HTTP_WORDS
from api.bodies import BodyLimits
from api.incoming import BODY_LIMIT
from api.lookout import told
from api.readiness import CheckAnswer, Purpose, Readiness
from api.status.exchange import Asked, Reply, refusal
from api.status.plane import Elsewhere, StatusPlane
from api.status.refused import Refused
from core.errors import NotAuthenticated, StatusStale, StoreUnavailable
from front import wsgi
from front.service import Turn

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

ALIVE = "/healthz"
READY = "/readyz"
PURPOSES = {"": Purpose.STATUS, **{f"for={each.value}": each for each in Purpose}}
"""Answered from memory, by its query; with any other it is a question to the API, which refuses it."""


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


class Served:
    """The service behind the front (front/service.py).

    Args:
        plane: the status plane.
        application: the API.
        limits: how long bodies may be.
        ready: answers /readyz from memory.
        note: has a refusal of access logged, and waits for nothing.
    """

    def __init__(
        self,
        plane: StatusPlane,
        application: "WSGIApplication",
        limits: BodyLimits,
        ready: Callable[[Purpose], Reply],
        note: Callable[[Asked, Refused], None],
    ) -> None:
        self._note = note
        self._ready = ready
        self._plane = plane
        self._application = application
        self._limits = limits

    def admit(self, asked: Asked) -> int | Reply:
        """Say how long a body may be. A file is collected from nobody who shows no credential."""
        limit = self._plane.body_limit(asked.path)
        if limit is None:
            limit = self._limits.of(asked.method, asked.path)
        if limit > BODY_LIMIT:
            try:
                self._plane.known(asked)
            except NotAuthenticated as error:
                place = self._limits.place(asked.method, asked.path)
                return self._noted(asked, self._plane.refusal(error, asked, place))
            except StatusStale:
                pass  # it cannot be told from memory who that is: the API will ask the store
        return limit

    def at_once(self, asked: Asked) -> Reply | Turn:
        """Answer from memory, or say who does."""
        if asked.path.startswith("//"):
            # Werkzeug would take the slashes for one, and //path for /path.
            document = problems.document(HTTPStatus.NOT_FOUND, *HTTP_WORDS[HTTPStatus.NOT_FOUND])
            return Reply(HTTPStatus.NOT_FOUND, problems.encode(document), problems.headers(HTTPStatus.NOT_FOUND))
        if asked.path == READY and asked.method in ("GET", "HEAD") and asked.query in PURPOSES:
            return self._ready(PURPOSES[asked.query])
        answered = self._plane.at_once(asked)
        if isinstance(answered, Reply):
            return self._noted(asked, answered)
        if answered is Elsewhere.STORE:
            return Turn.PAST
        return Turn.LONG if self._limits.of(asked.method, asked.path) > BODY_LIMIT else Turn.API

    def work(self, turn: Turn, asked: Asked, body: BinaryIO, length: int) -> Reply:
        """Answer on a thread that may wait."""
        try:
            if turn is Turn.PAST:
                answered = self._plane.from_store(asked)
                if isinstance(answered, Reply):
                    return self._noted(asked, answered)
            return self._noted(asked, wsgi.call(self._application, asked, body, length))
        except Exception as error:  # noqa: BLE001 - the outermost line: what we did not foresee is told as ours, and logged
            return refusal(error)

    def _noted(self, asked: Asked, answered: Reply) -> Reply:
        for each in answered.refused:
            self._note(asked, each)
        return answered

"""What every resource has at hand: the desk, the status mirror, and how a write is done and answered."""

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from typing import Any

from flask import Response, g
from flask_openapi3.models.tag import Tag

from api import problems
from api.bodies import EXTENSION
from api.following import Following
from api.forms.fields import WaitHeader, WriteHeader
from api.incoming import request_key
from api.patience import Patience, seconds_preferred
from api.status.mirror import Mirror
from core.canonical import Json
from core.errors import StoreUnavailable
from ra.desk import Desk
from ra.repeat import RequestKey
from ra.views import document

JSON_TYPE = "application/json"

_PIECE = 500
"""Members of a list that are written at a stretch: a millisecond or two."""

WITH_CREDENTIAL: list[dict[str, list[str]]] = [{"bearer": []}]

APPLYING = Tag(name="Applying", description="A Manufacturer applies for a Trial Device Approval (F2.18, F2.19).")
DECIDING = Tag(name="Deciding", description="Two officers of the SSC decide (F2.21 to F2.24, F2.30).")
COMMITTEE = Tag(name="The committee", description="Officers meet, declare interests, and comment to each other.")
APPROVALS = Tag(name="Approvals", description="Approvals and their certificates (F2.25).")
TRIAL = Tag(name="The trial", description="Notices, the Central Products List, deployments, reports (F2.21 to F2.31).")
WATCHING = Tag(name="Watching", description="The authority, and how it is doing.")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Service:
    """The API at work.

    Args:
        desk: where use cases work.
        mirror: what the status plane answers from.
        following: after each write that succeeded, so that whoever acted reads their own write at once.
        patience: has whoever prefers it wait for what the authority is about to do.
    """

    desk: Desk
    mirror: Mirror
    following: Following
    patience: Patience

    def write(
        self,
        header: WriteHeader,
        act: Callable[[RequestKey | None], object],
        *,
        created: str | None = None,
    ) -> Response:
        """Do a write once and answer with its outcome.

        Args:
            header: may hold an Idempotency-Key.
            act: the use case, which answers with a view; what it raises comes through.
            created: the address of what was made, with the outcome's members in braces; None if nothing was.
        """
        with self.following.acting():
            outcome = document(act(request_key(header.idempotency_key)))
        try:
            with suppress(StoreUnavailable):  # the mirror's own thread says so, once
                self.following.follow()
        except Exception:  # noqa: BLE001 - see below
            # It is committed: whoever asked must not be told otherwise. The mirror follows by itself a little later.
            _log.exception("the status mirror could not be refreshed after a write")
        answer = reply(outcome, HTTPStatus.OK if created is None else HTTPStatus.CREATED)
        if created is not None:
            answer.headers["Location"] = created.format_map(outcome)
        return answer

    def patiently(
        self, header: WaitHeader, name: str, at_work: Callable[[], bool], answer: Callable[[], Response]
    ) -> Response:
        """Answer a question, at once or after waiting for what the authority is about to do.

        Args:
            header: may say for how long one would rather wait.
            name: of what is asked about.
            at_work: whether the authority has something to do with it; what it raises comes through.
            answer: the use case, with its answer; asked when nothing more is waited for.
        """
        seconds = seconds_preferred(header.prefer)
        if seconds is None:
            return answer()
        began = perf_counter()
        waited = self.patience.wait(name, seconds, at_work)
        if "began" in g:
            g.began += perf_counter() - began  # what is measured is what an answer takes (api/app.py)
        found = answer()
        if waited:
            found.headers["Preference-Applied"] = f"wait={seconds}"
        return found


def clauses(*paragraphs: str) -> dict[str, Any]:
    """Return the extension of /openapi.json that says which paragraphs of Section F an address serves.

    Args:
        paragraphs: of core.clauses.PARAGRAPHS.
    """
    return {"x-clauses": list(paragraphs)}


def body_limit(octets: int) -> dict[str, Any]:
    """Return the extension of /openapi.json that says how many octets a body for an address may have."""
    return {EXTENSION: octets}


def reply(answer: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return a view as a JSON answer, in ASCII: whatever was stored, it can be sent.

    A long list is written in pieces: while one call of the encoder runs, nothing else in the process does.
    """
    members = (f"{_written(name)}:{_in_pieces(value)}" for name, value in document(answer).items())
    return Response(f"{{{','.join(members)}}}", status, content_type=JSON_TYPE)


def _in_pieces(value: Json) -> str:
    if not isinstance(value, list) or len(value) <= _PIECE:
        return _written(value)
    places = range(0, len(value), _PIECE)
    return f"[{','.join(_written(value[place : place + _PIECE])[1:-1] for place in places)}]"


def _written(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))


def refusals(*statuses: HTTPStatus) -> dict[str | int, Any]:
    """Return the descriptions of problem documents for /openapi.json."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        int(status): {"description": status.phrase, "content": {problems.MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


READ_REFUSALS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""What any question with a credential may get."""

WRITE_REFUSALS = (
    *READ_REFUSALS,
    HTTPStatus.CONFLICT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
"""What any write may get."""

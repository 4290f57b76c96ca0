"""A status plane over a world in memory, asked over WSGI with the validator of PEP 3333 between."""

import io
import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from wsgiref.types import WSGIApplication
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from api.status.mirror import Mirror
from api.status.plane import StatusPlane
from api.status.questions import parse_question
from api.status.snapshot import build
from api.status.verify import answer
from core.actors import Role
from core.clock import FixedClock
from tests.over_wsgi import OverWsgi
from tests.status_world import API_KEY, NOON, World


class Answered:
    """What came back over WSGI."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self) -> str:
        return f"{self.status} {self.headers} {self.body[:300]!r}"


def call(app: WSGIApplication, method: str, path: str, body: bytes = b"", **environ: Any) -> Answered:
    """Make one request through the validator of PEP 3333; `path` as the server hands it over, percent-decoded."""
    asked: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "wsgi.input": io.BytesIO(body),
    }
    asked |= {"CONTENT_LENGTH": str(len(body)), "QUERY_STRING": ""} | environ
    setup_testing_defaults(asked)
    got: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
        got.extend((int(status[:3]), dict(headers)))
        return lambda _: None

    asked = {name: value for name, value in asked.items() if value is not None}
    result = validator(app)(asked, start_response)
    content = b"".join(result)
    result.close()  # type: ignore[attr-defined]
    return Answered(got[0], got[1], content)


BEARER = {"HTTP_AUTHORIZATION": f"Bearer {API_KEY}"}


def behind(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("299 Behind", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode("latin-1")]


class Plane:
    """A status plane over a world, at an instant that a test moves, with a silence that a test prolongs."""

    def __init__(self) -> None:
        self.world = World()
        self.clock = FixedClock(NOON)
        self.silence = 0.0
        self.mirror = Mirror(self.world, self.clock, monotonic=lambda: self.silence)
        self.app = OverWsgi(StatusPlane(self.mirror, lambda role: role is not Role.SSC_ADMIN), behind)

    def ask(self, method: str, path: str, body: bytes = b"", /, **environ: Any) -> Answered:
        if not self.world.broken:
            self.mirror.follow()
        return call(self.app, method, path, body, **environ)

    def verify(self, question: object, **environ: Any) -> Answered:
        body = question if isinstance(question, bytes) else json.dumps(question).encode()
        return self.ask("POST", "/v1/verify", body, **{**BEARER, **environ})


def problem(answered: Answered, status: int, code: str) -> dict[str, Any]:
    assert answered.status == status, answered
    assert answered.headers["Content-Type"] == "application/problem+json"
    assert answered.headers["Cache-Control"] == "no-store"
    document: dict[str, Any] = json.loads(answered.body)
    assert document["code"] == code
    assert document["status"] == status
    assert document["type"] == "about:blank"
    assert all(document[name] for name in ("title", "detail", "hint"))
    return document


def max_age(answered: Answered) -> int:
    found = re.search(r"max-age=(\d+)", answered.headers["Cache-Control"])
    assert found is not None
    return int(found[1])


def ask(world: World, question: object, now: datetime = NOON) -> dict[str, Any]:
    body = question if isinstance(question, bytes) else json.dumps(question).encode()
    view = build(world.authority(), world.approvals(None), 0.0)
    return answer(view, parse_question(body, now), now, world.past_answer, world.units)


def codes(answered: dict[str, Any]) -> list[str]:
    return [one["code"] for one in answered["reasons"]]

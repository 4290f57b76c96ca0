"""The web process as it is, in this one: front, status plane, API on its threads, over a world's store."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from api.app import described, description
from api.bodies import BodyLimits
from api.log_tip import LogTip
from api.status.exchange import Asked
from api.status.plane import StatusPlane
from api.status.refused import Refused
from app.following_log import FollowingLog
from app.served import OfTheLog, Served
from core.actors import Role
from front.limits import Limits
from store.tables import metadata
from tests.api_world import Api
from tests.front_world import Listening, listening
from tests.world import World

if TYPE_CHECKING:
    from wsgiref.types import StartResponse


@dataclass(frozen=True)
class Operation:
    """One address that takes a body, as /openapi.json describes it.

    Args:
        path: with something in place of each parameter.
        limit: octets of its body.
        media_type: the first that is described.
    """

    method: str
    path: str
    limit: int
    media_type: str

    def fields(self, key: str) -> bytes:
        return f"Content-Type: {self.media_type}\r\nAuthorization: Bearer {key}\r\n".encode()


class Web:
    """A web process; it notes whatever reaches the API."""

    def __init__(
        self, world: World, pages: Mapping[str, int] | None = None, session: Callable[[str], bool] = lambda _: False
    ) -> None:
        self.world = world
        self.api = Api(world)
        self.reached: list[tuple[str, int]] = []
        self.described = description(self.api.flask)
        self.lookout = self.api.lookout
        self.tip = LogTip(world.store)
        plane = StatusPlane(self.api.mirror, lambda role: role in Role)
        self.refused: list[tuple[Asked, Refused]] = []
        self.served = Served(
            plane=plane,
            application=self._noting,
            limits=BodyLimits(self.described, pages, session),
            ready=self.lookout.ready,
            description=described(self.api.flask),
            note=lambda *one: self.refused.append(one),
            log=OfTheLog(follow=FollowingLog(self.tip, world.store, self.api.mirror.require_whole).at_once),
        )

    def _noting(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        self.reached.append((environ["PATH_INFO"], int(environ["CONTENT_LENGTH"])))
        return self.api.flask.wsgi_app(environ, start_response)

    @contextmanager
    def listening(self, limits: Limits | None = None) -> Iterator[Listening]:
        with listening(self.served, limits=limits, workers=(4, 16)) as front:
            self.tip.tells(front.front.waiters.tell)
            yield front

    def operations(self) -> list[Operation]:
        """Every operation that takes a body, those of status too."""
        found = []
        for path, methods in self.described["paths"].items():
            for method, operation in methods.items():
                if "requestBody" not in operation:
                    continue
                filled = "/".join("x1" if part.startswith("{") else part for part in path.split("/"))
                needed = [
                    each for each in operation.get("parameters", ()) if each["in"] == "query" and each["required"]
                ]
                query = "?name=a.pdf" if needed else ""
                media_type = next(iter(operation["requestBody"]["content"]))
                found.append(Operation(method.upper(), filled + query, operation["x-body-limit"], media_type))
        return found

    def counted(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.world.store.read() as tx:
            return {
                table.name: tx.connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in metadata.sorted_tables
            }

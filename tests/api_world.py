"""The API as the web process has it: the status plane in front, Flask behind, real credentials, over WSGI."""

import json
from functools import partial
from typing import Any

from werkzeug.test import Client, TestResponse

from api.app import create_app
from api.lookout import Lookout
from api.patience import Patience
from api.status.lists import is_genuine
from api.status.plane import StatusPlane
from api.status.remembered import WebMemory
from api.status.tally import Tallied
from api.timed import TimedMirror
from api.writing import MEGABYTE
from app.web import small_write
from core.actors import CONSOLE, Actor, Role
from core.kinds import ProcessRole
from ra.access import grant_access, may_verify
from ra.deciding.awaited import at_work
from store.reading.status import StatusReader
from store.verbs import watching
from tests.over_wsgi import OverWsgi
from tests.signing import sign_for_proposed, with_authorisation
from tests.world import DEVICE, FIRMWARE, World, csr_pem

PEOPLE: dict[str, tuple[Role, str | None]] = {
    "officer-1": (Role.SSC_OFFICER, None),
    "officer-2": (Role.SSC_OFFICER, None),
    "admin": (Role.SSC_ADMIN, None),
    "manufacturer": (Role.MANUFACTURER, "Acme Metering Ltd"),
    "rival": (Role.MANUFACTURER, "Rival Devices plc"),
    "dcc": (Role.DCC, None),
    "panel": (Role.PANEL, None),
    "auditor": (Role.AUDITOR, None),
    "monitor": (Role.MONITOR, None),
}
OFFICERS = frozenset(name for name, (role, _) in PEOPLE.items() if role is Role.SSC_OFFICER)


class Api:
    """One web process on a world's store."""

    def __init__(self, world: World, remembered: WebMemory | None = None) -> None:
        self.world = world
        tallied = Tallied()
        reader = StatusReader(world.store, is_genuine=is_genuine)
        self.mirror = TimedMirror(reader, world.clock, remembered=remembered, polls=tallied.polls)
        self.seconds = 0.0
        self.room = 50_000 * MEGABYTE
        write = partial(small_write, world.store, world.machine)
        self.lookout = Lookout(
            world.store,
            self.mirror,
            write,
            {"the register": world.folder},
            monotonic=lambda: self.seconds,
            free=lambda _: self.room,
            tallied=tallied,
        )
        self.patience = Patience(partial(at_work, world.desk))
        self.flask = create_app(
            world.desk,
            base_url="http://127.0.0.1:8470",
            after_write=self.mirror.follow,
            mirror=self.mirror,
            lookout=self.lookout,
            patience=self.patience,
        )
        self.plane = OverWsgi(StatusPlane(self.mirror, may_verify, tallied), self.flask.wsgi_app)
        life = world.desk.rules.longest_credential
        self.keys = {
            name: grant_access(world.desk, CONSOLE, name=name, role=role, organisation=of, life=life).api_key
            for name, (role, of) in PEOPLE.items()
        }
        self.mirror.follow()
        self.client = Client(self.plane)

    def ask(self, who: str | None, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Ask as somebody (or nobody); `body` is sent as JSON, or as it is if it is bytes; `_` in a header is `-`.

        What an officer does is signed for as their tools do it, and what they have proposed is, too.
        """
        if who not in OFFICERS:
            return self.send(who, method, path, body, **headers)
        actor = Actor(who, *PEOPLE[who], None)
        answer = self.send(who, method, path, with_authorisation(self.world.desk, actor, method, path, body), **headers)
        for decision in _proposed(method, path, answer):
            signed = sign_for_proposed(self.world.desk, actor, decision)
            if signed is not None:
                done(self.send(who, "POST", f"/v1/decisions/{decision}/authorisation", signed))
        return answer

    def send(self, who: str | None, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Ask with nothing but what is said here."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            sent.setdefault("Authorization", f"Bearer {self.keys[who]}")
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        return self.client.open(path, method=method, data=data, headers=sent)

    def look(self) -> None:
        """Let the lookout look and write once, with a courier that is alive."""
        with self.world.store.begin("sign of life") as tx:
            watching.live(tx, ProcessRole.COURIER, at=self.world.machine.now())
        self.lookout.try_write()
        self.lookout.count_answers()
        self.hear()

    def hear(self) -> None:
        """Let the lookout hear once what the register says."""
        self.lookout.hear_courier()
        self.lookout.hear_alarms()
        self.lookout.look()

    def settle(self) -> None:
        """Let the authority do its work, and the mirror see it."""
        self.world.authority.settle()
        self.mirror.follow()

    # --- the cycle, over HTTP -----------------------------------------------------------------------------------

    def applied(self, who: str = "manufacturer", **changes: Any) -> str:
        return str(done(self.ask(who, "POST", "/v1/applications", application(**changes)), 201)["application"])

    def proposed(self, who: str = "officer-1", **body: Any) -> str:
        return str(
            done(self.ask(who, "POST", "/v1/decisions", {"reasons": "It looks sound.", **body}), 201)["decision"]
        )

    def second_body(self, decision: str) -> dict[str, Any]:
        shown = done(self.ask("officer-2", "GET", f"/v1/decisions/{decision}"))
        return {"proposal_sha256": shown["proposal_sha256"], "tbs_sha256": shown["tbs_sha256"]}

    def granted(self, **changes: Any) -> str:
        decision = self.proposed(kind="grant", application=self.applied(**changes))
        self.settle()
        seconded = self.ask("officer-2", "POST", f"/v1/decisions/{decision}/second", self.second_body(decision))
        self.settle()
        return str(done(seconded)["approval"])


def _proposed(method: str, path: str, answer: TestResponse) -> list[str]:
    """The decisions that a request has proposed."""
    if method != "POST" or path not in ("/v1/decisions", "/v1/decisions/batch") or answer.status_code >= 300:
        return []
    said = answer.get_json()
    outcomes = [each["outcome"] for each in said["results"]] if "results" in said else [said]
    return [each["decision"] for each in outcomes if each is not None]


def done(answer: TestResponse, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.get_data(as_text=True)
    return dict(answer.get_json())


def refused(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer that must be one."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    document = dict(answer.get_json())
    assert document["code"] == code, document
    assert document["status"] == status
    assert document["detail"]
    assert document["hint"]
    return document


def application(**changes: Any) -> dict[str, Any]:
    return {
        "device": {
            "type": DEVICE.type,
            "manufacturer": DEVICE.manufacturer,
            "model": DEVICE.model,
            "hardware_version": DEVICE.hardware_version,
        },
        "smets_version": "SMETS V1.58",
        "firmware": [{"version": one.version, "image_sha256": one.image_digest} for one in FIRMWARE],
        "start": "2027-01-04",
        "expiry": "2027-06-30",
        "maximum_devices": 500,
        "purpose": "A field trial in Leeds.",
        "csr": csr_pem().decode(),
    } | changes

"""The console as web has it, on a world's store: browsers that keep cookies, officers who sign elsewhere and paste."""

import json
import re
import tempfile
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.readiness import Purpose
from app.console import agreement, verifies, verifies_many
from app.kept_results import KeptResults
from app.officer import body_of
from console.app import create_console
from console.demo import add_demo
from console.guard import SECRET
from console.service import Console
from core.actors import Actor
from officers.statement import Claim
from ra.access import authenticate
from ra.authorising import Signed
from ra.entering.passkeys import Relying
from ra.entering.sessions import begin
from renderer.asking import Renderer
from tests.acting import signed_for
from tests.api_world import PEOPLE, Api
from tests.world import csr_pem

ORIGIN = "https://console.example"
_FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
_FORM = re.compile(r"<form.*?</form>", re.DOTALL)


class DemoOf:
    """The people of an Api as a test authority offers them."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def names(self) -> list[tuple[str, str]]:
        return [(name, PEOPLE[name][0].value) for name in self._api.keys]

    def key(self, name: str) -> str | None:
        return self._api.keys.get(name)

    def csr(self) -> str:
        return csr_pem().decode()


class Pages:
    """One console, and a browser for each person."""

    def __init__(self, api: Api, *, demo: bool = False, origin: str = ORIGIN, pictures: Renderer | None = None) -> None:
        self.api = api
        self.desk = api.world.desk
        self.console = Console(
            desk=self.desk,
            name="TEST Trial CPA",
            relying=Relying(identifier=urlsplit(origin).hostname or "", origin=origin),
            wrote=api.mirror.follow,
            verify=verifies(api.mirror),
            verify_many=verifies_many(api.mirror),
            kept=KeptResults(Path(tempfile.mkdtemp(prefix="results")), api.world.machine),
            agreement=agreement(api.lookout),
            health=lambda: api.lookout.readiness(Purpose.WRITING),
            require_whole=lambda: None,
            pictures=pictures,
            ways_in=("offered",) if demo else (),
        )
        self.app = create_console(self.console, secret_key=b"k" * 32)
        if demo:
            add_demo(self.app, self.console, DemoOf(api))
        self.origin = origin
        self._browsers: dict[str, FlaskClient] = {}

    def browser(self, who: str | None) -> FlaskClient:
        """A browser; of somebody, who has signed in before."""
        if who is None:
            return self.app.test_client()
        if who not in self._browsers:
            self._browsers[who] = self.signed_in(who)
        return self._browsers[who]

    def signed_in(self, who: str) -> FlaskClient:
        """A browser of their own."""
        client = self.app.test_client()
        begun = begin(self.desk, authenticate(self.desk, self.api.keys[who]))
        with client.session_transaction(base_url=self.origin) as session:
            session[SECRET] = begun.secret
        return client

    def get(self, who: str | None, path: str, **headers: str) -> TestResponse:
        return self.browser(who).get(path, base_url=self.origin, headers=headers)

    def fields(self, page: str, form: str = "") -> dict[str, str]:
        """The hidden fields of the form of a page that goes to `form`."""
        found = next(each for each in _FORM.findall(page) if f'action="{form}"' in each or not form)
        return {name: unescape(value) for name, value in _FIELD.findall(found)}

    def post(self, who: str | None, path: str, fields: dict[str, Any], **headers: str) -> TestResponse:
        return self.browser(who).post(path, base_url=self.origin, data=fields, headers=headers)

    def pasted(self, who: str, claim: Claim) -> str:
        """What an officer's tool prints."""
        signed: Signed | None = signed_for(self.desk, self.actor(who), claim)
        assert signed is not None
        return json.dumps(body_of(signed))

    def actor(self, who: str) -> Actor:
        return authenticate(self.desk, self.api.keys[who])

"""Who acts in the story: people with the API keys for trying things out, each over HTTP."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from app.audit_sent import sent
from app.cli.decide_export import fetched
from app.cli.demo import open_demo_key
from app.client import Client
from app.officer import ROSTER_PATH, Hand, Officer, officer_on, roster_read
from app.recomputed import read, recomputed
from core.canonical import read_json
from core.errors import OfficerKeyNotOnRoster, OfficerKeyUnusable, ShownOtherwise, StoryRefused
from core.instants import parse
from core.kinds import AuthorisedAct
from officers.statement import Claim
from story.album import Album
from verify.client import TIMEOUT, AuthorityClient, Exchange
from verify.exported import Said

Wrap = Callable[[httpx.BaseTransport], httpx.BaseTransport]
"""Puts something between the story and the server; tests do."""

PEOPLE = ("ssc-officer-1", "ssc-officer-2", "manufacturer", "dcc", "panel")


def directly(transport: httpx.BaseTransport) -> httpx.BaseTransport:
    """Put nothing between."""
    return transport


@dataclass(frozen=True)
class Reply:
    """What came back on an act.

    Args:
        status: of HTTP.
        document: the JSON object; empty if it was none.
    """

    status: int
    document: Mapping[str, object]

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.status in {httpx.codes.OK, httpx.codes.CREATED}

    def text(self, *path: str) -> str:
        """Return a member by its path, as a text; empty where there is none."""
        found: object = self.document
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return "" if found is None else str(found)

    @property
    def problem(self) -> str:
        """The code and the sentence of a refusal, and what the rules found."""
        listed = self.document.get("findings")
        findings = (
            [str(each.get("detail")) for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        )
        return " ".join([str(self.status), self.text("code"), self.text("detail"), *findings])


class Person:
    """Somebody with an API key.

    Args:
        name: as in the credentials.
        api_key: sent with every request, kept nowhere.
        base_url: of the server.
        album: told of every exchange.
        wrap: what lies between.
        home: of the authority, in which the demo officers' own keys lie.
    """

    def __init__(self, name: str, api_key: str, base_url: str, album: Album, wrap: Wrap, home: Path) -> None:
        self.name = name
        self._home = home
        self._hand: Hand | None = None
        self._album = album
        self.client = AuthorityClient(
            base_url,
            api_key,
            transport=wrap(httpx.HTTPTransport()),
            observer=lambda exchange: album.note(name, exchange),
        )
        self._open = ExitStack()
        self._service = self._open.enter_context(Client(base_url, api_key))
        self._http = httpx.Client(
            base_url=base_url,
            transport=wrap(httpx.HTTPTransport()),
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=TIMEOUT,
            trust_env=False,
        )

    def act(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Reply:
        """Ask or do something; the exchange is noted.

        Raises:
            httpx.HTTPError: no answer.
        """
        sent = b"" if body is None else json.dumps(body).encode()
        return self.send(method, path, sent, "application/json")

    def send(self, method: str, path: str, sent: bytes, content_type: str) -> Reply:
        """Do something with octets as they are; the exchange is noted. For the error see act."""
        headers = {"Content-Type": content_type} if sent else {}
        answer = self._http.request(method, path, content=sent, headers=headers)
        self._noted(method, path, sent, answer)
        try:
            document = read_json(answer.content)
        except ValueError:
            document = {}
        return Reply(answer.status_code, document if isinstance(document, dict) else {})

    def fetch(self, path: str, accept: str) -> bytes:
        """Fetch something in a form; nothing if it is refused. The exchange is noted. For the error see act."""
        answer = self._http.get(path, headers={"Accept": accept})
        self._noted("GET", path, b"", answer)
        return answer.content if answer.status_code == httpx.codes.OK else b""

    # --- what officers sign for -----------------------------------------------------------------------------------

    def propose(self, body: Mapping[str, object]) -> Reply:
        """Propose a decision, and sign for what was written down; for the error see act."""
        proposed = self.act("POST", "/v1/decisions", body)
        if not proposed.ok or not self._signs().signs:
            return proposed
        path = f"/v1/decisions/{proposed.text('decision')}"
        signed = self._signed(AuthorisedAct.PROPOSE, self.act("GET", path))
        done = self.act(
            "POST", f"{path}/authorisation", {"proposal_sha256": proposed.text("proposal_sha256"), **signed}
        )
        return proposed if done.ok else done

    def second(self, shown: Reply) -> Reply:
        """Second a decision as it was shown, and sign for it; for the error see act."""
        digests = {name: shown.text(name) for name in ("proposal_sha256", "tbs_sha256") if shown.text(name)}
        path = f"/v1/decisions/{shown.text('decision')}/second"
        return self.act("POST", path, {**digests, **self._signed(AuthorisedAct.SECOND, shown)})

    def claim(self, path: str, body: Mapping[str, object], claim: Claim) -> Reply:
        """Do something else that is signed for; for the error see act."""
        return self.act("POST", path, {**body, **self._signs().for_claim(claim)})

    @property
    def signs(self) -> bool:
        """Whether acts are signed for here, with keys of their own."""
        return self._signs().signs

    def dossier(self, decision: str) -> Mapping[str, bytes]:
        """Return the files that prove who agreed to a decision, as `trialcpa decide export` writes them.

        Raises:
            ServiceRefused, ServiceUnreachable, ServiceAnswerMalformed: they are not to be had.
        """
        return fetched(self._service, decision)

    def register(self) -> Iterator[Said]:
        """Give the lines of the whole register, as `trialcpa audit verify` fetches them.

        Raises:
            ServiceRefused, ServiceUnreachable, ServiceAnswerMalformed: they are not to be had.
            Unreadable: one of them is none.
        """
        return sent(self._service)

    def _signed(self, act: AuthorisedAct, shown: Reply) -> Mapping[str, object]:
        """Sign for a decision: its digests are recomputed from its bytes."""
        try:
            listed = recomputed(read(json.dumps(shown.document))).listed
        except (ValueError, ShownOtherwise) as error:
            raise StoryRefused(detail=f"{shown.text('decision')} is not signed for: {error}") from None
        return self._signs().for_decision(act, listed)

    def _signs(self) -> Hand:
        """Return who signs: the demo officer's own key, if the authority has a roster."""
        if self._hand is None:
            held = self.act("GET", ROSTER_PATH)
            self._hand = Hand(self._officer(held) if held.ok else None, self._now)
        return self._hand

    def _officer(self, held: Reply) -> Officer:
        try:
            return officer_on(roster_read(json.dumps(held.document)), open_demo_key(self._home, self.name))
        except (OfficerKeyUnusable, OfficerKeyNotOnRoster) as error:
            raise StoryRefused(detail=f"{self.name} cannot sign: {error}") from None

    def _now(self) -> datetime:
        return parse(self.act("GET", "/v1/authority").text("now"))

    def _noted(self, method: str, path: str, sent: bytes, answer: httpx.Response) -> None:
        kind = answer.headers.get("Content-Type", "")
        self._album.note(
            self.name,
            Exchange(
                method=method,
                path=path,
                request=sent,
                status=answer.status_code,
                content_type=kind,
                body=answer.content,
            ),
        )

    def close(self) -> None:
        """Let the connections go."""
        self.client.close()
        self._open.close()
        self._http.close()


class Cast:
    """Everybody.

    Args:
        credentials: HOME/demo/credentials.json.
        base_url: of the server.
        album: told of every exchange.
        wrap: what lies between.

    Raises:
        StoryRefused: somebody has no key.
    """

    def __init__(self, credentials: Path, base_url: str, album: Album, wrap: Wrap = directly) -> None:
        keys = _keys(credentials)
        home = credentials.parents[1]
        people = [Person(name, keys[name], base_url, album, wrap, home) for name in PEOPLE]
        self.officer, self.second_officer, self.manufacturer, self.dcc, self.panel = people
        self._people = people

    def close(self) -> None:
        """Let the connections go."""
        for person in self._people:
            person.close()


def _keys(path: Path) -> Mapping[str, str]:
    try:
        held = read_json(path.read_text(encoding="utf-8"))
        return {name: str(held[name]["api_key"]) for name in PEOPLE}
    except OSError as error:
        raise StoryRefused(detail=f"{path} cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        raise StoryRefused(detail=f"{path} does not hold a key for each of {', '.join(PEOPLE)}") from None

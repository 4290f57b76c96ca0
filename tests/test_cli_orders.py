"""Orders and the roster from officers' own machines: over HTTP, signed for with keys of their own."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli.ordering import give
from core.errors import ShownOtherwise
from core.kinds import OrderKind
from officers.key_file import public_pem
from officers.order import Stop, body_sha256, written
from ra.views import view_of
from tests.acting import member, officer_key
from tests.api_world import Api, refused
from tests.people_world import People, served
from tests.roster_world import on_roster
from tests.world import World


@pytest.fixture
def people(store_copy: Callable[[str], str], keys_folder: Path, tmp_path: Path) -> Iterator[People]:
    world = World(store_copy("sqlite"), keys_folder)
    with served(Api(world), tmp_path) as made:
        yield made
    world.close()


def test_one_stops_issuing_and_two_start_it_again(people: People) -> None:
    said = people.run("officer-1", "stop-issuing", "--why", "Keys turned up on a forum.")
    assert (said.status, "The authority takes it up" in said.words) == (0, True), said.words
    people.api.settle()
    body = {"kind": "grant", "application": people.api.applied(), "reasons": "It looks sound."}
    refused(people.api.ask("officer-1", "POST", "/v1/decisions", body), 503, "issuing-stopped")
    assert "No order waits." in people.run("officer-2", "order", "list").words

    said = people.run("officer-1", "start-issuing", "--why", "It was another manufacturer.")
    assert "It waits for 1 more officer: trialcpa order authorise" in said.words
    listed = json.loads(people.run("officer-2", "order", "list", "--json").out)["orders"]
    (waiting,) = [each["order"] for each in listed]
    digest = listed[0]["body_sha256"]
    wrong = people.run("officer-2", "order", "authorise", waiting, typed="00000000\n")
    assert (wrong.status, "Nothing was signed" in wrong.words) == (1, True), wrong.words
    said = people.run("officer-2", "order", "authorise", waiting, typed=f"{digest[:8]}\n")
    assert said.status == 0, said.words
    people.api.settle()
    assert "done" in people.run("auditor", "order", "show", waiting).words
    assert people.api.ask("officer-1", "POST", "/v1/decisions", body).status_code == 201


def test_two_change_whose_keys_count(people: People) -> None:
    (people.keys / "four.pub.pem").write_bytes(public_pem(officer_key("officer-4")))
    words = ("roster", "change", "--add", f"officer-4={people.keys / 'four.pub.pem'}")
    said = people.run("officer-1", *words, "--remove", member("officer-3").key, "--why", "Jo is retiring.")
    assert (said.status, "It waits for 1 more officer: trialcpa order authorise" in said.words) == (0, True), said.words
    (order,) = json.loads(people.run("officer-2", "order", "list", "--json").out)["orders"]
    said = people.run("officer-2", "order", "authorise", order["order"], "--yes-i-have-read")
    assert f"The key {member('officer-3').key} of officer-3 counts no more." in said.words
    people.api.settle()
    assert on_roster(people.api.world) == ["officer-1", "officer-2", "officer-4"]
    told = people.run("auditor", "roster", "show").words
    assert all(each in told for each in ("Roster 2, by change", member("officer-4").key, "ceremony"))


@pytest.mark.parametrize("words", [(), ("--keep", "--remove", "x" * 43)])
def test_a_change_says_what_changes(people: People, words: tuple[str, ...]) -> None:
    said = people.run("officer-1", "roster", "change", "--why", "Because.", *words)
    assert (said.status, "--keep and neither" in said.words) == (2, True)


OTHERWISE: dict[str, dict[str, Any]] = {
    "another digest": {"body_sha256": "0" * 64},
    "another kind": {"kind": "start-issuing"},
    "another reason": {
        "body": json.loads(written(Stop(why="Something else."))),
        "body_sha256": body_sha256(written(Stop(why="Something else."))),
    },
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_what_the_service_wrote_down_otherwise_is_not_signed(case: str) -> None:
    wanted = {"kind": OrderKind.STOP_ISSUING.value, "why": "Keys turned up."}
    body = written(Stop(why="Keys turned up."))
    made = {"order": "order-1", "kind": "stop-issuing", "body": json.loads(body), "body_sha256": body_sha256(body)}
    client = _Lying({**made, "officers": 1, "lapses_at": "2027-01-10T12:00:00Z", **OTHERWISE[case]})
    with pytest.raises(ShownOtherwise):
        give(client, _Refusing(), wanted)  # type: ignore[arg-type]


class _Lying:
    """A service that writes down what it likes."""

    def __init__(self, says: dict[str, Any]) -> None:
        self._says = says

    def do(self, kind: type[Any], _path: str, _body: object) -> object:
        return view_of(kind, json.dumps(self._says))


class _Refusing:
    """A hand that signs nothing."""

    def for_claim(self, _claim: object) -> dict[str, Any]:
        raise AssertionError("it was signed")

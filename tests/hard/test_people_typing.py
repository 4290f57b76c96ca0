"""What people type about contacts, ends and suspicions, over HTTP, and what they are shown (F2.21, F2.23, F2.30)."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api_world import Api, done
from tests.people_world import People, served
from tests.world import World


@pytest.fixture
def people(store_copy: Callable[[str], str], keys_folder: Path, tmp_path: Path) -> Iterator[People]:
    world = World(store_copy("sqlite"), keys_folder)
    (tmp_path / "keys").mkdir()
    with served(Api(world), tmp_path / "keys") as made:
        yield made
    world.close()


def typed(people: People, who: str, *words: str, status: int = 0) -> str:
    said = people.run(who, *words)
    assert said.status == status, said.words
    return said.words


@pytest.mark.clause("F2.21(b)")
@pytest.mark.clause("F2.23")
@pytest.mark.clause("F2.30")
def test_each_is_said_seen_and_answered_at_the_command_line(people: People, tmp_path: Path) -> None:
    decision = people.api.proposed(
        kind="grant", application=people.api.applied(), conditions=[{"text": "Only in Leeds."}]
    )
    people.api.settle()
    typed(people, "officer-2", "decide", "second", decision, "--yes-i-have-read")
    people.api.settle()
    approval = str(done(people.api.ask("auditor", "GET", f"/v1/decisions/{decision}"))["approval"])

    typed(people, "manufacturer", "contacts", "change", "--notices", "a@acme.co.uk")
    assert "duty@acme.co.uk" in typed(people, "manufacturer", "contacts", "change", "--urgent", "duty@acme.co.uk")
    assert "a@acme.co.uk" in typed(people, "officer-1", "contacts", "list", "--holding")
    assert "named" in typed(people, "rival", "contacts", "list")
    typed(people, "manufacturer", "contacts", "change", status=2)

    asked = json.loads(people.run("manufacturer", "ends", "request", approval, "--why", "It is over.", "--json").out)
    assert "It is over." in typed(people, "officer-1", "ends", "list", "--state", "open")
    assert "is told in TTN-" in typed(people, "officer-1", "ends", "answer", asked["request"], "--words", "Not yet.")
    assert "Not yet." in typed(people, "manufacturer", "ends", "show", asked["request"])
    again = json.loads(people.run("manufacturer", "ends", "request", approval, "--why", "Now?", "--json").out)
    assert "withdrawn" in typed(people, "manufacturer", "ends", "withdraw", again["request"])

    suspect = ("breaches", "suspect", approval, "--condition", "1", "--why", "A note.")
    breach = json.loads(people.run("officer-1", *suspect, "--tell", "Seen in York?", "--json").out)["breach"]
    assert "you may answer" in typed(people, "manufacturer", "suspicions", "list")
    (tmp_path / "van.txt").write_text("A van.\n")
    answer = ("suspicions", "answer", breach, "--words", "In a van.", "--evidence", str(tmp_path / "van.txt"))
    assert "answered" in typed(people, "manufacturer", *answer)
    assert "van.txt" in typed(people, "manufacturer", "suspicions", "show", breach)
    shown = typed(people, "officer-2", "breaches", "show", breach)
    assert not [each for each in ("Seen in York?", "In a van.", "van.txt", "A note.") if each not in shown]
    typed(people, "rival", "suspicions", "show", breach, status=1)
    second = json.loads(people.run("officer-1", *suspect, "--json").out)["breach"]
    assert "told in TTN-" in typed(people, "officer-1", "breaches", "tell", second, "--words", "Again?")
    typed(people, "manufacturer", "suspicions", "answer", second, status=2)

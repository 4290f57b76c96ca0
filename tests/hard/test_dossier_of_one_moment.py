"""A dossier is of one moment: what is decided while it is put together is in none of its parts. Its story is whole."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ra.applying import look as applying
from ra.applying.request_amendment import RequestAmendment, request_amendment, withdraw_request
from ra.applying.request_end import RequestEnd, request_end, withdraw_end_request
from ra.auditing.gathered import gather
from ra.auditing.story import told as story
from ra.telling import approvals, notices
from tests.api_world import Api
from tests.test_dossier import asked, files_of
from tests.world import AUDITOR, MANUFACTURER, World


@pytest.mark.parametrize(
    "part",
    [(approvals, "approval"), (applying, "application"), (notices, "listed")],
    ids=lambda part: str(part[1]),
)
def test_what_is_written_between_two_parts_is_in_none(
    world: World, monkeypatch: pytest.MonkeyPatch, part: tuple[Any, str]
) -> None:
    approval = world.granted()
    world.at(world.record(approval).start + timedelta(days=1))
    world.authority.settle()
    module, name = part
    reads = getattr(module, name)

    def and_then_it_is_revoked(*given: Any, **named: Any) -> Any:
        monkeypatch.setattr(module, name, reads)
        found = reads(*given, **named)
        world.revoked(approval)
        world.passes(timedelta(minutes=1))
        world.authority.settle()
        return found

    api = Api(world)
    monkeypatch.setattr(module, name, and_then_it_is_revoked)
    assert asked(api, approval).status_code == 202
    world.authority.settle()
    files = {each: octets.decode(errors="replace") for each, octets in files_of(asked(api, approval).data).items()}
    assert world.record(approval).ended_at is not None, "the case for which it matters"
    said = json.loads(files["approval.json"])
    assert (said["state"], said["ended_at"]) == ("active", None)
    assert said["certificates"][0]["ended_at"] is None
    kinds = {json.loads(octets)["kind"] for each, octets in files.items() if each.endswith("/shown.json")}
    assert kinds == {"grant"}
    told = {each["kind"] for each in json.loads(files["notices.json"])}
    assert told == {"grant"}
    assert len(json.loads(files["instructions.json"])) == 1
    assert "approval-revoked" not in files["journal.jsonl"]


def test_one_that_a_clock_dated_ahead_is_not_handed_out_for_that_of_now(world: World) -> None:
    approval, api = world.granted(), Api(world)
    world.move_clock(timedelta(hours=1))
    ahead = asked(api, approval).json["dossier"]
    assert asked(api, approval).json["dossier"] == ahead
    world.move_clock(-timedelta(hours=1))
    assert asked(api, approval).json["dossier"] != ahead


@pytest.mark.clause("F2.29")
@pytest.mark.clause("F2.30")
def test_its_story_says_how_each_request_was_closed_about_which_nobody_decided(world: World) -> None:
    approval, who = world.granted(), MANUFACTURER
    world.at(world.record(approval).start + timedelta(days=1))
    more, end = RequestAmendment(approval, "More.", maximum_devices=600), RequestEnd(approval, "It is over.")
    withdraw_request(world.desk, who, request_amendment(world.desk, who, more).request)
    withdraw_end_request(world.desk, who, request_end(world.desk, who, end).request)
    request_amendment(world.desk, who, more)
    request_end(world.desk, who, end)
    world.passes(timedelta(minutes=1))
    world.revoked(approval)
    world.authority.settle()
    found = gather(world.desk, AUDITOR, approval)
    said: Any = story(found, authority="A", environment="test", at=world.clock.now())["events"]
    closed = [
        each["words"] for each in said if each["words"].split(" request")[0] in {"The", "The Manufacturer took its"}
    ]
    assert closed == [
        "The Manufacturer took its request for an amendment back.",
        "The Manufacturer took its request for the end back.",
        "The request for an amendment was closed, because the approval had ended.",
        "The request for the end was closed, because the approval had ended.",
    ]

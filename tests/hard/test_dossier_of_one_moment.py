"""A dossier is of one moment: whatever is decided while it is put together is in none of its parts."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ra.applying import look as applying
from ra.telling import approvals, notices
from tests.api_world import Api
from tests.test_dossier import asked, files_of
from tests.world import World


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

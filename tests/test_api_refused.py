"""Who is refused at the door is told of: credentials that are none any more, and each refusal of a batch."""

from datetime import timedelta

from api.status.refused import Refused
from core.actors import CONSOLE, Role
from ra.access import revoke_access
from store.reading import requests
from tests.api_world import Api, done, refused
from tests.world import World

PLACES = {"/v1/applications": "/v1/applications", "/v1/verify/TDT-2027-0001-N": "/v1/verify/<approval>"}
"""An address of the API and one of the status plane, with their shapes."""


def test_an_expired_and_a_revoked_credential_are_no_credentials(world: World) -> None:
    api = Api(world)
    done(api.ask("auditor", "GET", "/v1/applications"))
    with world.store.read() as tx:
        auditor = next(each for each in requests.credential_list(tx) if each.name == "auditor")
    revoke_access(world.desk, CONSOLE, auditor.id)
    api.mirror.follow()
    for path, place in PLACES.items():
        refused(api.ask("auditor", "GET", path), 401, "credential-invalid")
        whose = Refused(code="credential-invalid", place=place, name="auditor", role=Role.AUDITOR, ended="revoked")
        assert api.plane.refused == (whose,)
    world.clock.advance(world.desk.rules.longest_credential - timedelta(seconds=1))
    done(api.ask("officer-1", "GET", "/v1/applications"))
    world.clock.advance(timedelta(seconds=1))
    for path, place in PLACES.items():
        refused(api.ask("officer-1", "GET", path), 401, "credential-invalid")
        whose = Refused(
            code="credential-invalid", place=place, name="officer-1", role=Role.SSC_OFFICER, ended="expired"
        )
        assert api.plane.refused == (whose,)
    # Of what is done nothing is told.
    done(api.ask(None, "GET", "/v1/authority"))
    assert api.plane.refused == ()


def test_each_refusal_in_a_batch_is_one(world: World) -> None:
    api = Api(world)
    made = [api.proposed(kind="refuse", application=api.applied()) for _ in range(2)]
    asked = [{"decision": each, "proposal_sha256": api.second_body(each)["proposal_sha256"]} for each in made]
    done(api.ask("officer-1", "POST", "/v1/decisions/batch/second", {"decisions": asked}))
    assert [(each.code, each.name, each.place) for each in api.plane.refused] == [
        ("same-person", "officer-1", "/v1/decisions/batch/second")
    ] * 2

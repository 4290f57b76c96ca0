"""The industry's own certificates, asked of us: none was issued here, and none crashes anything."""

import json
import re
from pathlib import Path

import pytest

from api.status.mirror import Mirror
from api.status.plane import StatusPlane
from core.actors import Role
from core.clock import FixedClock
from ra.access import key_digest
from store.reading.status import StatusReader
from store.rows import Credential
from store.verbs import access
from tests.over_wsgi import OverWsgi
from tests.status_plane import behind, call
from tests.status_world import API_KEY
from tests.world import DCC, World

DATA = Path(__file__).resolve().parent.parent.parent.parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real data is not beside this checkout")

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


def blocks(name: str) -> list[str]:
    return _BLOCK.findall((DATA / "smki" / name).read_text(encoding="ascii"))


@pytest.fixture
def plane(world: World) -> OverWsgi:
    world.granted()
    now = world.clock.now()
    with world.store.begin("credential") as tx:
        credential = Credential(
            id="cred-dcc",
            name=DCC.name,
            role=Role.DCC,
            organisation_id=None,
            created_at=now,
            expires_at=now.replace(year=now.year + 1),
            revoked_at=None,
        )
        access.add_credential(tx, credential, key_sha256=key_digest(API_KEY))
    mirror = Mirror(StatusReader(world.store), FixedClock(now))
    mirror.follow()
    return OverWsgi(StatusPlane(mirror, lambda _: True), behind)


@needs_data
@pytest.mark.parametrize(("name", "count"), [("organisation-certificates.pem", 33), ("device-certificates.pem", 240)])
def test_every_certificate_of_the_industry_is_unknown_here(plane: OverWsgi, name: str, count: int) -> None:
    asked = blocks(name)
    assert len(asked) == count
    for pem in asked:
        body = json.dumps({"certificate": pem}).encode()
        answered = call(plane, "POST", "/v1/verify", body, HTTP_AUTHORIZATION=f"Bearer {API_KEY}")
        assert answered.status == 200, answered
        said = json.loads(answered.body)
        assert (said["valid"], said["state"]) == (False, "unknown")
        assert [reason["code"] for reason in said["reasons"]] == ["not-issued-here"]


@needs_data
def test_every_device_of_the_industry_may_be_asked_about(plane: OverWsgi) -> None:
    identifiers = (DATA / "smki" / "device-ids.csv").read_text(encoding="ascii").splitlines()[1:]
    assert len(identifiers) == 120
    for line in identifiers:
        device = {"manufacturer": "AB01", "model": "010A030B", "firmware_version": "0002012F"}
        body = json.dumps({"device": device, "device_id": line.split(",")[0]}).encode()
        answered = call(plane, "POST", "/v1/verify", body, HTTP_AUTHORIZATION=f"Bearer {API_KEY}")
        assert answered.status == 200, answered
        assert json.loads(answered.body)["state"] == "not_yet_started"

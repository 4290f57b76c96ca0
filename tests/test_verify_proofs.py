"""/v1/verify: the past, the signed proof beside an answer, and how long an answer may be relied on."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp

from api.status.questions import parse_question
from api.status.snapshot import build
from api.status.verify import answer
from core.approval import EndCause
from core.errors import StoreUnavailable
from core.instants import text
from core.mirror import SignedAnswer
from tests.status_plane import ask, codes
from tests.status_world import DAY, EXPIRY, HOUR, NOON, SECOND, World


@pytest.fixture
def world() -> World:
    return World()


def test_a_past_instant_is_answered_with_what_was_true_then_and_its_kept_proof(world: World) -> None:
    identifier = world.grant()
    for hour in (0, 6, 12, 18):
        world.presign(identifier, NOON + hour * HOUR)
    revoked_at = NOON + 20 * HOUR
    world.end(identifier, revoked_at, EndCause.SSC)
    world.presign(identifier, revoked_at)
    now = NOON + 30 * HOUR

    then = ask(world, {"approval": identifier, "at": text(NOON + 7 * HOUR)}, now)
    assert (then["valid"], then["as_of"]) == (True, text(NOON + 7 * HOUR))
    proof = ocsp.load_der_ocsp_response(base64.b64decode(then["ocsp"]))
    assert proof.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert proof.this_update_utc == NOON + 6 * HOUR
    assert proof.hash_algorithm is not None
    assert isinstance(proof.hash_algorithm, hashes.SHA256)

    last = ask(world, {"approval": identifier, "at": text(revoked_at - SECOND)}, now)
    first = ask(world, {"approval": identifier, "at": text(revoked_at)}, now)
    assert (last["valid"], last["fresh_until"]) == (True, text(revoked_at - SECOND))
    assert first["state"] == "cancelled"
    for answered, status in ((last, ocsp.OCSPCertStatus.GOOD), (first, ocsp.OCSPCertStatus.REVOKED)):
        assert ocsp.load_der_ocsp_response(base64.b64decode(answered["ocsp"])).certificate_status is status


def test_the_past_is_proved_by_no_answer_that_covers_it_and_says_otherwise(world: World) -> None:
    identifier = world.grant()
    world.presign(identifier, NOON - HOUR)
    world.end(identifier, NOON, EndCause.SSC)
    world.presign(identifier, NOON + 5 * SECOND)
    between = ask(world, {"approval": identifier, "at": text(NOON + SECOND)}, NOON + HOUR)
    assert (between["state"], between["ocsp"]) == ("cancelled", None)


def test_the_store_is_asked_only_for_a_past_that_the_snapshot_does_not_prove(world: World) -> None:
    identifier = world.grant()
    world.presign(identifier, NOON)
    world.reads.clear()
    assert ask(world, {"approval": identifier, "at": text(NOON)}, NOON + HOUR)["ocsp"] is not None
    assert ask(world, {"approval": identifier}, NOON + 20 * HOUR)["ocsp"] is None
    assert "past answer" not in world.reads
    ask(world, {"approval": identifier, "at": text(NOON - SECOND)})
    assert "past answer" in world.reads


def test_a_past_that_cannot_be_looked_up_is_unavailable_and_not_unproved(world: World) -> None:
    identifier = world.grant()
    view = build(world.authority(), world.approvals(None), 0.0)
    world.broken = True
    question = parse_question(json.dumps({"approval": identifier, "at": text(NOON)}).encode(), NOON)
    with pytest.raises(StoreUnavailable):
        answer(view, question, NOON, world.past_answer)


def test_fresh_until_is_an_hour_and_ends_before_the_next_known_change(world: World) -> None:
    identifier = world.grant()
    assert ask(world, {"approval": identifier})["fresh_until"] == text(NOON + HOUR)
    near = ask(world, {"approval": identifier}, EXPIRY - timedelta(minutes=5))
    assert near["fresh_until"] == text(EXPIRY)
    assert ask(world, {"approval": identifier}, EXPIRY)["fresh_until"] == text(EXPIRY)
    world.amend(identifier, effective=NOON + timedelta(minutes=30), signed_at=NOON - DAY)
    assert ask(world, {"approval": identifier})["fresh_until"] == text(NOON + timedelta(minutes=30) - SECOND)


def test_the_end_of_time_is_survived(world: World) -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    identifier = world.grant(expiry=last)
    answered = ask(world, {"approval": identifier}, last - SECOND)
    assert (answered["valid"], answered["not_after"]) == (True, text(last))
    early = ask(world, {"approval": identifier, "at": "0001-01-01T00:00:00Z"})
    assert codes(early) == ["not-granted-then"]


def test_a_good_answer_never_proves_an_approval_that_has_ended(world: World) -> None:
    identifier = world.grant()
    world.presign(identifier, NOON)
    held = world.kept[identifier]
    # A register that contradicts itself: the approval has ended and its certificate has not.
    world.keep(replace(held, record=replace(held.record, ended_at=NOON, end_cause=EndCause.SSC)))
    answered = ask(world, {"approval": identifier})
    assert (answered["state"], answered["ocsp"]) == ("cancelled", None)


def test_another_certificates_answer_is_never_the_proof(world: World) -> None:
    identifier = world.grant()
    world.presign(identifier, NOON)
    held = world.kept[identifier]
    foreign: tuple[SignedAnswer, ...] = tuple(replace(one, serial=one.serial[:-1] + "X") for one in held.answers)  # type: ignore[arg-type]
    world.keep(replace(held, answers=foreign))
    assert ask(world, {"approval": identifier})["ocsp"] is None

"""What was kept under an Idempotency-Key is told again, whichever release kept it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from core.kinds import ApplicationState, DecisionKind, DecisionState
from ra.applying.views import ApplicationCancelled, ApplicationTaken, CertificateAnswered
from ra.deciding.views import ApprovalRevoked, DecisionProposed, DecisionRejected, DecisionSeconded
from ra.repeat import RequestKey, earlier, once
from ra.views import document, view_of
from store.verbs import idempotency
from tests.world import NOW, OFFICER_1, World

FINDING = {"clause": "F2.19", "code": "x", "detail": "y", "remedy": "z", "severity": "warning"}

FIRST_RELEASE: list[tuple[type[Any], dict[str, object]]] = [
    (ApplicationTaken, {"application": "app-1", "findings": [FINDING], "state": "submitted"}),
    (ApplicationCancelled, {"application": "app-1", "state": "cancelled"}),
    (
        DecisionProposed,
        {
            "approval": None,
            "decision": "d",
            "findings": [],
            "kind": "refuse",
            "proposal_sha256": "ab",
            "state": "proposed",
        },
    ),
    (DecisionSeconded, {"approval": None, "decision": "d", "kind": "grant", "state": "seconded"}),
    (DecisionRejected, {"decision": "d", "kind": "grant", "state": "rejected"}),
    (
        ApprovalRevoked,
        {
            "approval": "TDT-2027-0001-N",
            "cause": "ssc",
            "decision": "d",
            "revoked_at": "2027-01-03T12:00:00Z",
            "serials": [],
        },
    ),
    (
        CertificateAnswered,
        {"accepted": True, "approval": "a", "at": "2027-01-03T12:00:00Z", "reason": "", "serial": "5F3A"},
    ),
]
"""What the release with the first schema kept, an outcome of each act."""


@pytest.mark.parametrize(("view", "kept"), FIRST_RELEASE, ids=lambda each: getattr(each, "__name__", ""))
def test_what_the_first_release_kept_is_read(view: type[Any], kept: dict[str, object]) -> None:
    told = document(view_of(view, json.dumps(kept)))
    assert {name: told[name] for name in kept} == kept


def test_a_second_that_the_first_release_kept_is_told_again(world: World) -> None:
    key, kept = RequestKey("again", "ab" * 32), json.dumps(dict(FIRST_RELEASE[3][1]))
    with world.store.begin("as the first release did") as tx:
        assert OFFICER_1.credential is not None
        idempotency.keep(tx, OFFICER_1.credential, key.key, key.request_sha256, outcome=kept, at=NOW)
        told = earlier(tx, OFFICER_1, key, DecisionSeconded)
    assert told == DecisionSeconded(
        decision="d", kind=DecisionKind.GRANT, state=DecisionState.SECONDED, approval=None, officers_wanting=0
    )


def test_an_act_is_done_once_and_told_twice(world: World) -> None:
    key, acts = RequestKey("once", "cd" * 32), []

    def act() -> ApplicationCancelled:
        acts.append(1)
        return ApplicationCancelled("app-1", ApplicationState.CANCELLED)

    for _ in range(2):
        with world.store.begin("once") as tx:
            told = once(
                world.desk, tx, OFFICER_1, key, ApplicationCancelled, act, at=datetime(2027, 1, 3, 12, tzinfo=UTC)
            )
    assert (told.application, acts) == ("app-1", [1])

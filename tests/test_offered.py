"""What an officer is offered about a decision is what its use case then lets them do, at each step of its way."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.actors import Actor
from core.approval import EndCause
from core.errors import BodyMalformed
from core.kinds import Witnessed
from ra.deciding.look import decision as decision_of
from ra.deciding.many import ProposeRevocations
from ra.deciding.offered import Offered, may_second, offered
from ra.deciding.rehearse import rehearse
from ra.deciding.witness import Witness, witness
from tests.api_world import Api, done
from tests.console_world import Pages
from tests.signing import another_device
from tests.world import AUDITOR, MANUFACTURER, OFFICER_1, OFFICER_2, World


def acts(said: Offered) -> set[str]:
    return {name for name, may in vars(said).items() if may} - {"opened", "drafting"}


def test_at_each_step_somebody_else_is_offered_what_comes_next(world: World) -> None:
    api = Api(world)
    pages = Pages(api)
    decision = api.proposed(kind="grant", application=api.applied(device=another_device(2)))

    def may(actor: Actor) -> set[str]:
        return acts(offered(actor, decision_of(world.desk, AUDITOR, decision)))

    proposer, other = pages.actor("officer-1"), pages.actor("officer-2")
    waits = replace(decision_of(world.desk, AUDITOR, decision), authorised_at=None)
    assert acts(offered(proposer, waits)) == {"sign", "reject"}
    assert acts(offered(other, waits)) == {"reject"}, "it is not signed for"
    assert offered(other, decision_of(world.desk, AUDITOR, decision)).drafting
    assert may(other) == {"reject"}, "it is not drafted"
    api.settle()
    assert may(other) == {"second", "reject"}
    assert may(proposer) == {"reject"}, "nobody seconds their own"
    assert may(AUDITOR) == set()
    done(api.ask("officer-2", "POST", f"/v1/decisions/{decision}/second", api.second_body(decision)))
    api.settle()
    assert may(other) == {"witness"}
    witness(world.desk, other, Witness(decision, Witnessed.SEEN))
    assert may(other) == set(), "once"
    assert may(proposer) == {"witness"}


def test_no_use_case_decides_by_what_pages_offer() -> None:
    acts = {each: each.read_text("utf-8") for each in Path(__file__).parents[1].joinpath("ra").rglob("*.py")}
    assert len(acts) > 50
    assert [each.name for each, text in acts.items() if "ra.deciding.offered" in text] == []


@pytest.mark.parametrize("actor", [AUDITOR, MANUFACTURER])
def test_who_is_no_officer_seconds_nothing(world: World, actor: Actor) -> None:
    found = decision_of(world.desk, AUDITOR, world.drafted())
    assert not may_second(actor, found.proposer, found.state)
    assert may_second(OFFICER_2, found.proposer, found.state) is (found.proposer == OFFICER_1.name)


@pytest.mark.parametrize("cause", [EndCause.BREACH, EndCause.MANUFACTURER])
def test_many_are_not_revoked_together_for_what_is_each_ones_own(world: World, cause: EndCause) -> None:
    command = ProposeRevocations(approvals=[world.granted()], issuing_ca=None, cause=cause, reasons="x")
    with pytest.raises(BodyMalformed, match="not revoked together"):
        rehearse(world.desk, OFFICER_1, command)

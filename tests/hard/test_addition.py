"""Cancelled for its key before the start: officers say whether the addition stands, or waits for a certificate."""

from datetime import timedelta

import pytest

from core.approval import EndCause
from core.cpl import InstructionState
from core.errors import NoSuchThing, OperationNotPermitted, WrongState
from core.facts import FactKind
from core.instants import last_second
from core.kinds import Addition
from ra.deciding.kinds.rekey import ProposeRekey
from ra.telling.addition import judge_addition
from ra.telling.instructions import Acknowledge, Asked, acknowledge, exported, instructions
from ra.telling.reconcile import reconcile
from ra.telling.views import InstructionAnswer
from ra.waiting.tasks import tasks
from tests.authority_world import START
from tests.cycle_world import key_pair
from tests.journal_lines import lines
from tests.world import DCC, OFFICER_1, OFFICER_2, PANEL, World, csr_pem

HEADER = b"Approval,Trial,Expiry,Manufacturer,Model,Firmware Version\r\n"


def told(world: World) -> list[InstructionAnswer]:
    found = instructions(world.desk, PANEL, Asked(), after="", limit=100).instructions
    return [each for each in found if each.state is not InstructionState.SUPERSEDED]


def asked(world: World) -> list[str]:
    return [each.subject for each in tasks(world.desk, OFFICER_1).tasks if each.kind == "addition-to-judge"]


def without_certificate(world: World) -> str:
    approval = world.granted()
    assert asked(world) == []
    with pytest.raises(WrongState, match="awaiting a certificate"):
        judge_addition(world.desk, OFFICER_1, approval, Addition.WAITS)
    world.revoked(approval, EndCause.KEY_COMPROMISE)
    world.authority.settle()
    return approval


def rekeyed(world: World, approval: str) -> None:
    key, _ = key_pair()
    decision = world.proposed(ProposeRekey(approval, csr_pem(key), compromised=False, reasons="The key was stolen."))
    world.authority.settle()
    world.seconded(decision)
    world.authority.settle()


@pytest.mark.clause("F2.26")
@pytest.mark.clause("F2.27")
def test_officers_are_asked_and_an_addition_that_stands_says_that_a_certificate_is_awaited(world: World) -> None:
    approval = without_certificate(world)
    assert asked(world) == [approval]
    (given,) = told(world)
    assert (given.kind, given.due, given.state) == ("add", START, "pending")
    assert (given.remark or "").startswith("Certificate awaited")
    assert b"Certificate awaited" in exported(world.desk, PANEL, Asked(), "csv")
    assert judge_addition(world.desk, OFFICER_1, approval, Addition.STANDS).instructions == ()
    assert asked(world) == []
    assert told(world) == [given]
    assert [fact for fact in lines(world, FactKind.ADDITION_JUDGED) if '"addition":"stands"' in fact]
    with pytest.raises(WrongState, match="“stands” already"):
        judge_addition(world.desk, OFFICER_2, approval, Addition.STANDS)
    rekeyed(world, approval)
    assert [(each.kind, each.due, each.remark) for each in told(world)] == [("add", START, None)]


@pytest.mark.clause("F2.26")
@pytest.mark.clause("F2.27")
def test_an_addition_that_waits_is_told_once_a_certificate_holds(world: World) -> None:
    approval = without_certificate(world)
    judge_addition(world.desk, OFFICER_2, approval, Addition.WAITS)
    assert told(world) == []
    world.at(START + timedelta(days=2))
    world.authority.settle()
    assert told(world) == []
    assert reconcile(world.desk, PANEL, HEADER).missing == ()
    # They think better of it, and then again.
    judge_addition(world.desk, OFFICER_1, approval, Addition.STANDS)
    assert [(each.kind, each.overdue, bool(each.remark)) for each in told(world)] == [("add", False, True)]
    assert len(reconcile(world.desk, PANEL, HEADER).missing) == 1
    judge_addition(world.desk, OFFICER_1, approval, Addition.WAITS)
    # It may have been added unseen.
    (given,) = told(world)
    assert given.kind == "remove"
    acknowledge(world.desk, PANEL, Acknowledge(given.instruction, loaded=True))
    rekeyed(world, approval)
    holds = world.record(approval).certificates[1].not_before
    assert holds > world.clock.now()
    assert [(each.kind, each.due, each.remark) for each in told(world)][1:] == [("add", holds, None)]
    # Once a certificate has held, what becomes of it is no question of the addition.
    world.at(holds + timedelta(hours=1))
    world.authority.settle()
    with pytest.raises(WrongState, match="awaiting a certificate"):
        judge_addition(world.desk, OFFICER_1, approval, Addition.STANDS)
    acknowledge(world.desk, PANEL, Acknowledge(told(world)[1].instruction, loaded=True))
    world.revoked(approval, EndCause.KEY_COMPROMISE)
    world.authority.settle()
    assert (asked(world), [each.kind for each in told(world)]) == ([], ["remove", "add"])
    world.at(last_second(world.record(approval).terms[-1].expiry.date()) + timedelta(seconds=1))
    world.authority.settle()
    assert [each.kind for each in told(world)] == ["remove", "add", "remove"]


def test_whether_an_addition_stands_is_for_officers_to_say(world: World) -> None:
    approval = without_certificate(world)
    for actor in (PANEL, DCC):
        with pytest.raises(OperationNotPermitted):
            judge_addition(world.desk, actor, approval, Addition.WAITS)
    with pytest.raises(NoSuchThing):
        judge_addition(world.desk, OFFICER_1, "TDT-2027-0999-X", Addition.WAITS)

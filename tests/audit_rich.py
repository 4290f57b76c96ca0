"""A register in which as much as possible has happened, for whoever looks at all of its columns."""

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import select

from core.actors import Actor
from core.approval import EndCause, RevocationReason
from core.canonical import Json
from core.facts import Fact, FactKind
from core.kinds import DecisionKind, HierarchyRole
from jobs.ended import end_in_hierarchy
from ra.applying.apply import cancel_application
from ra.applying.change import change_application
from ra.deciding.acknowledge import acknowledge
from ra.deciding.every_kind import Proposal
from ra.deciding.kinds.amendment import ProposeAmendment
from ra.deciding.kinds.correction import ProposeCorrection
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.kinds.rekey import ProposeRekey
from ra.deciding.kinds.waiting_withdrawal import ProposeWaitingWithdrawal
from ra.ordering.order import StartIssuing, StopIssuing, order
from store.trial_tables import notices
from store.verbs import facts
from tests.acting import member, reject
from tests.cycle_world import device
from tests.roster_world import change, ordered, stopped
from tests.test_log import with_log
from tests.world import MANUFACTURER, OFFICER_1, OFFICER_2, OFFICER_3, World, csr_pem, ending

SOON, LATER = date(2027, 1, 7), date(2027, 1, 20)


def decided(world: World, command: Proposal, *more: Actor) -> str:
    """A decision by two officers, or by more, that was carried out."""
    decision = world.proposed(command)
    world.authority.settle()
    for each in (OFFICER_2, *more):
        world.seconded(decision, each)
    world.authority.settle()
    return decision


def live(world: World) -> World:
    """Ends of all kinds, orders, refusals, corrections, and what comes to nothing."""
    with_log(world).settle()
    desk = world.desk
    first, compromised, withdrawn, short = (world.granted(device=device(each)) for each in range(1, 5))
    world.passes(timedelta(days=2))
    decided(world, ProposeAmendment(first, "More of them.", maximum_devices=99))
    decided(world, ProposeRekey(first, csr_pem(), compromised=False, reasons="A new key."))
    world.passes(timedelta(days=1))
    waiting = ProposeAmendment(short, "Later.", maximum_devices=98, effective=world.clock.now() + timedelta(days=30))
    decided(world, waiting)
    decided(world, ProposeWaitingWithdrawal(short, "It waits no more."))
    application = world.applied(device=device(5), start=LATER)
    decided(world, ProposeRefusal(application, "It is no device."))
    cancel_application(desk, MANUFACTURER, world.applied(device=device(6), start=LATER))
    changed = world.applied(device=device(7), start=LATER)
    world.passes(timedelta(seconds=5))
    change_application(desk, MANUFACTURER, changed, {"maximum_devices": 77})
    reject(desk, OFFICER_2, world.drafted(device=device(8), start=LATER), why="No.")
    since = world.clock.now() - timedelta(hours=1)
    revoked = world.revoked(compromised, EndCause.KEY_COMPROMISE, invalidity_date=since)
    acknowledge(desk, OFFICER_2, revoked.decision)
    decided(world, ending(withdrawn, EndCause.MANUFACTURER, "We asked for it."))
    three = replace(desk.rules, officers={DecisionKind.GRANT: 3})
    desk = world.desk = replace(desk, rules=three)
    world.authority.rules = three
    world.passes(timedelta(seconds=5))
    decided(world, ProposeGrant(world.applied(device=device(9), start=LATER), "It looks sound."), OFFICER_3)
    supported = world.drafted(device=device(10), start=LATER)
    world.seconded(supported, OFFICER_3)
    with world.store.read() as tx:
        number = str(tx.connection.execute(select(notices.c.number).order_by(notices.c.number)).scalars().first())
    decided(world, ProposeCorrection(number, "It was wrong."))
    change(world, OFFICER_1, OFFICER_2, add=[member("officer-4")])
    stopped(world)
    ordered(world, StartIssuing("It is well again."), OFFICER_1, OFFICER_2)
    order(desk, OFFICER_1, StopIssuing("Something is wrong."))
    world.granted(device=device(11), start=SOON, expiry=date(2027, 1, 9))
    world.authority.settle()
    world.passes(timedelta(days=9))
    world.authority.settle()
    order(desk, OFFICER_2, StopIssuing("Something is wrong again."))
    world.drafted(device=device(12), start=date(2027, 2, 1))
    at = world.clock.now()
    said: dict[str, Json] = {"serial": world.memory.issues(short)[0].serial, "cause": "ssc", "decision": "dec-none"}
    with world.store.begin("an end that nobody decided") as tx:
        facts.record(tx, Fact(FactKind.CERTIFICATE_REVOKED, at, OFFICER_1, short, (short,), said))
    world.authority.settle()
    serial = world.memory.hierarchy(HierarchyRole.STATEMENT)[0].serial
    end_in_hierarchy(world.store, world.memory, serial, RevocationReason.SUPERSEDED, at)
    world.authority.settle()
    return world

"""Every channel shows what holds now, and beside it what is decided and waits (F2.29)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update

from api.status.page import approval_page
from api.status.questions import ByApproval, BySerial
from core.alarms import AlarmCode
from core.errors import NoSuchThing
from core.instants import last_second, text
from core.waiting import pending
from ra.deciding.kinds.waiting_withdrawal import ProposeWaitingWithdrawal
from ra.reporting.deployments import of_approval
from ra.telling import approvals
from ra.views import DecidedChange, PendingAnswer, document
from ra.waiting.calendar import calendar_feed
from store.tables import certificates
from tests.channels_world import Channels, Proof
from tests.test_amendments import FEBRUARY, amended, running
from tests.test_waiting import APRIL, DECEMBER, MARCH, says
from tests.world import DCC, World


@pytest.mark.clause("F2.29")
def test_every_channel_shows_what_holds_and_beside_it_what_waits(world: World) -> None:
    approval = running(world)
    decision = amended(world, approval, maximum_devices=900, expiry=DECEMBER, effective=MARCH)
    channels, june = Channels(world), last_second(date(2027, 6, 30))
    waits = PendingAnswer(
        issue=2,
        decision=decision,
        effective=MARCH,
        changes=(
            DecidedChange(subject="expiry", before=text(june), after=text(last_second(DECEMBER))),
            DecidedChange(subject="maximum devices", before="500", after="900"),
        ),
    )
    shown = approvals.approval(world.desk, DCC, approval)
    assert (shown.expiry, shown.maximum_devices, shown.pending) == (june, 500, (waits,))
    said = channels.asked(ByApproval(approval))
    assert (said["issue"], said["pending"]) == (1, [document(waits)])
    serial = world.record(approval).certificates[0].serial
    assert channels.asked(BySerial(serial))["pending"] == []
    deployed = of_approval(world.desk, DCC, approval)
    assert (deployed.limit, deployed.pending) == (500, (waits,))
    view = channels.mirror.view()
    page = approval_page(view.authority, view.approvals[approval], FEBRUARY).body.decode()
    assert page.index("Approved until") < page.index("30 June 2027") < page.index("Decided for later")
    assert page.index("Decided for later") < page.index("1 March 2027") < page.index("31 December 2027")
    assert decision not in page
    assert "900" not in page
    dates = calendar_feed(world.desk, DCC).octets.replace(b"\r\n ", b"").decode()
    assert f"Change takes effect: {approval}" in dates
    assert "DTSTART;VALUE=DATE:20270630" in dates
    # Once it has begun it holds, and nothing is beside it; what was said of before stays what is said of it.
    world.at(MARCH)
    shown = approvals.approval(world.desk, DCC, approval)
    assert (shown.expiry, shown.maximum_devices, shown.pending) == (last_second(DECEMBER), 900, ())
    channels.follow()
    assert channels.asked(ByApproval(approval))["pending"] == []
    assert channels.asked(ByApproval(approval), at=FEBRUARY)["pending"] == [document(waits)]


@pytest.mark.clause("F2.25")
def test_the_certificate_is_the_one_that_holds_now_and_another_is_asked_for_by_its_issue(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=MARCH)
    amended(world, approval, maximum_devices=20, effective=APRIL)
    channels = Channels(world)
    # Issue by issue: at which instant it is the one, among others after a stolen key and after the end.
    for at, issue in ((FEBRUARY, 1), (MARCH, 2), (APRIL, 3), (datetime(2027, 7, 1, tzinfo=UTC), 3)):
        world.at(at)
        world.authority.settle()
        channels.follow()
        fetched = approvals.certificate_of(world.desk, DCC, approval)
        verified = channels.asked(ByApproval(approval))
        assert (verified["serial"], verified["issue"]) == (fetched.serial, issue)
        assert approvals.approval(world.desk, DCC, approval).issue == issue
        for each in world.record(approval).certificates:
            asked = approvals.certificate_of(world.desk, DCC, approval, each.issue)
            assert (asked.serial, asked.name) == (each.serial, f"{approval}-issue-{each.issue}")
    with pytest.raises(NoSuchThing, match="issue 4"):
        approvals.certificate_of(world.desk, DCC, approval, 4)


def test_what_waited_is_told_of_a_past_instant_as_it_was_known_then(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=MARCH)
    told = pending(world.record(approval), world.clock.now())
    before = world.clock.now()
    world.at(before + timedelta(hours=1))
    amended(world, approval, expiry=DECEMBER)
    world.at(before + timedelta(hours=2))
    world.seconded(world.proposed(ProposeWaitingWithdrawal(approval, "Neither.")))
    record = world.record(approval)
    assert pending(record, before) == told
    assert [each.issue for each in pending(record, before + timedelta(hours=1))] == [3, 4]
    assert pending(record, before + timedelta(hours=2)) == ()
    assert says(record, MARCH)[:2] == (last_second(date(2027, 6, 30)), 500)


def test_what_was_withdrawn_shortens_no_answer_and_ends_nothing_whoever_writes_that_it_does(world: World) -> None:
    approval = running(world)
    amended(world, approval, maximum_devices=900, effective=MARCH)
    world.seconded(world.proposed(ProposeWaitingWithdrawal(approval, "Not needed.")))
    world.authority.settle()
    first = world.record(approval).certificates[0]
    world.at(MARCH - timedelta(seconds=1))
    world.authority.settle()
    assert Channels(world).ocsp(first.serial, "sha256") == Proof("good")
    # The fact that it was to be replaced is sealed; what replaces it is gone.
    with world.store.begin("tamper") as tx:
        wrong = {"superseded_at": MARCH, "ends_at": MARCH}
        tx.connection.execute(update(certificates).where(certificates.c.serial == first.serial).values(wrong))
    world.at(MARCH)
    world.authority.settle()
    assert first.serial not in Channels(world).crl()
    assert AlarmCode.END_UNPROVED in {each.code for each in world.alarms()}

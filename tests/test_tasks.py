"""What waits for whom: one list each, computed from the register; what is done drops off by itself."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from core.actors import AUTHORITY, Actor
from core.approval import Device, Firmware
from core.errors import OperationNotPermitted
from core.identifiers import Serial
from core.kinds import RequirementState
from policy import roles
from ra.applying.accept import AnswerCertificate, answer_certificate
from ra.applying.request_amendment import RequestAmendment, request_amendment
from ra.applying.requirements import close_requirement, set_requirement
from ra.deciding.acknowledge import acknowledge
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.reporting.report import issue_report
from ra.waiting.tasks import tasks, threshold
from ra.waiting.views import TaskAnswer
from store.reading import tasks as reading
from store.tables import decisions
from store.trial_tables import breaches, deliveries, notice_copies, notices
from tests.api_world import Api, done, refused
from tests.reports_world import forgotten, instruction, loaded
from tests.reports_world import refused as panel_refused
from tests.world import (
    ADMIN,
    AUDITOR,
    DCC,
    MANUFACTURER,
    NOW,
    OFFICER_1,
    OFFICER_2,
    PANEL,
    RIVAL,
    World,
)

HOUR = timedelta(hours=1)
SSC = (OFFICER_1, ADMIN, AUDITOR)


def of(world: World, actor: Actor, kind: str) -> list[TaskAnswer]:
    return [each for each in tasks(world.desk, actor).tasks if each.kind == kind]


def only_for(world: World, kind: str, *actors: Actor) -> TaskAnswer:
    """The one task of a kind, which these have and nobody else."""
    for actor in (*SSC, MANUFACTURER, RIVAL, DCC, PANEL):
        assert len(of(world, actor, kind)) == (actor in actors), (actor, kind)
    return of(world, actors[0], kind)[0]


def test_an_application_waits_for_the_ssc_until_it_is_proposed(world: World) -> None:
    application = world.applied()
    found = only_for(world, "application-waiting", *SSC)
    assert found.subject == application
    assert found.link == f"/v1/applications/{application}"
    assert "Acme Metering Ltd" in found.sentence
    world.proposed(ProposeRefusal(application, "Not now."))
    assert not of(world, OFFICER_1, "application-waiting")


@pytest.mark.clause("F2.20")
def test_open_requirements_wait_for_the_manufacturer_without_their_words(world: World) -> None:
    application = world.applied()
    set_requirement(world.desk, OFFICER_1, application, "Show us the HERONBILL report.")
    found = only_for(world, "requirement-open", MANUFACTURER)
    assert found.sentence.startswith("Your application for ESME AB01 010A030B, hardware 01 has 1 open requirement;")
    assert "it has 1 open requirement." in of(world, OFFICER_1, "application-waiting")[0].sentence
    assert "HERONBILL" not in repr(tasks(world.desk, MANUFACTURER))
    shown = set_requirement(world.desk, OFFICER_1, application, "And another.")
    assert "2 open requirements" in of(world, MANUFACTURER, "requirement-open")[0].sentence
    close_requirement(world.desk, OFFICER_2, shown.requirement, outcome=RequirementState.MET, reason="Seen.")
    assert "1 open requirement;" in of(world, MANUFACTURER, "requirement-open")[0].sentence


def test_a_proposal_waits_for_another_officer_and_is_urgent_before_it_lapses(world: World) -> None:
    decision = world.proposed(ProposeRefusal(world.applied(), "Not now."))
    found = only_for(world, "decision-to-second", *SSC)
    assert found.subject == decision
    assert found.sentence.startswith("officer-1 proposes to refuse app-")
    for left, urgent in ((timedelta(days=3, seconds=1), False), (timedelta(days=3), True)):
        with world.store.begin("test") as tx:
            tx.connection.execute(update(decisions).values(lapses_at=NOW + left))
        assert of(world, OFFICER_1, "decision-to-second")[0].urgent is urgent
    assert "It lapses at 12:00:00 UTC on 6 January 2027." in of(world, ADMIN, "decision-to-second")[0].sentence
    world.seconded(decision)
    assert not of(world, OFFICER_1, "decision-to-second")


@pytest.mark.clause("F2.30")
def test_an_urgent_revocation_waits_for_a_second_officer(world: World) -> None:
    outcome = world.revoked(world.granted())
    found = only_for(world, "revocation-to-acknowledge", *SSC)
    assert found.urgent
    acknowledge(world.desk, OFFICER_2, outcome.decision)
    assert not of(world, OFFICER_1, "revocation-to-acknowledge")


@pytest.mark.clause("F2.23")
def test_a_breach_waits_to_be_judged_and_then_for_the_revocation_it_owes(world: World) -> None:
    approval = world.granted()
    with world.store.begin("test") as tx:
        tx.connection.execute(
            insert(breaches).values(
                id="breach-1", approval=approval, state="suspected", note="x", suspected_at=NOW, suspected_by="dcc"
            )
        )
    found = only_for(world, "breach-suspected", *SSC)
    assert (found.subject, found.urgent) == ("breach-1", False)
    assert "the limit of devices (F2.21(d))" in found.sentence
    with world.store.begin("test") as tx:
        judged = {"state": "confirmed", "judged_at": NOW + HOUR, "judged_by": "officer-1", "why": "x"}
        tx.connection.execute(update(breaches).values(**judged))
    found = only_for(world, "revocation-owed", *SSC)
    assert (found.urgent, found.since) == (True, NOW + HOUR)
    assert not of(world, OFFICER_1, "breach-suspected")


@pytest.mark.clause("F2.25")
def test_a_certificate_waits_for_its_manufacturer_and_a_rejected_one_for_the_officers(world: World) -> None:
    approval = world.granted()
    serial = world.record(approval).certificates[0].serial
    found = only_for(world, "certificate-to-answer", MANUFACTURER)
    assert found.link == f"/v1/certificates/{serial}"
    answer_certificate(world.desk, MANUFACTURER, AnswerCertificate(Serial(serial), accepted=False, reason="STORKWORD"))
    assert not of(world, MANUFACTURER, "certificate-to-answer")
    found = only_for(world, "certificate-rejected", *SSC)
    assert found.urgent
    assert "STORKWORD" not in found.sentence
    world.revoked(approval)
    assert not of(world, OFFICER_1, "certificate-rejected")


@pytest.mark.clause("F2.29")
def test_a_request_for_an_amendment_waits_for_the_ssc(world: World) -> None:
    approval = world.granted()
    wanted = RequestAmendment(approval, "More of them.", firmware_added=(Firmware("0002012G", "cd" * 32),))
    request_amendment(world.desk, MANUFACTURER, wanted)
    found = only_for(world, "amendment-requested", *SSC)
    assert approval in found.sentence
    assert found.link.startswith("/v1/amendment-requests/")


@pytest.mark.clause("F2.31")
def test_an_approval_that_will_expire_is_on_everybodys_list(world: World) -> None:
    approval = world.granted()
    for day, within in (
        (date(2027, 3, 31), None),  # 91 days before
        (date(2027, 4, 1), 90),
        (date(2027, 5, 30), 90),
        (date(2027, 5, 31), 30),
        (date(2027, 6, 22), 30),
        (date(2027, 6, 23), 7),
        (date(2027, 6, 30), 7),
        (date(2027, 7, 1), None),
    ):
        world.at(datetime.combine(day, datetime.min.time(), UTC) + 23 * HOUR)
        for actor in (OFFICER_1, MANUFACTURER, DCC, PANEL):
            found = of(world, actor, "approval-expiring")
            assert [each.subject for each in found] == [approval] * (within is not None), (actor, day)
            if within is not None:
                assert f"within {within} days" in found[0].sentence
                assert "23:59:59 UTC on 30 June 2027, which is 00:59:59 BST on 1 July 2027" in found[0].sentence
                assert found[0].urgent is (within == 7)
        assert not of(world, RIVAL, "approval-expiring")


def test_an_approval_that_was_ended_expires_no_more(world: World) -> None:
    approval = world.granted()
    world.at(datetime(2027, 6, 29, tzinfo=UTC))
    world.revoked(approval)
    assert not of(world, PANEL, "approval-expiring")


def test_a_notice_waits_for_its_reader_and_the_ssc_sees_what_has_not_arrived(world: World) -> None:
    approval = world.granted()
    with world.store.begin("test") as tx:
        forgotten_notices(tx)
        notice(tx, approval, "TTN-2027-0999")
    for actor, kind in ((MANUFACTURER, "notice-to-read"), (DCC, "notice-to-read"), (PANEL, "notice-to-read")):
        waiting = of(world, actor, kind)
        assert [each.subject for each in waiting] == ["TTN-2027-0999"]
        assert waiting[0].sentence == f"Notice TTN-2027-0999 (grant, {approval}) waits to be read."
    assert not of(world, RIVAL, "notice-to-read")
    assert len(of(world, OFFICER_1, "notice-undelivered")) == 3
    with world.store.begin("test") as tx:
        tx.connection.execute(update(notice_copies).where(notice_copies.c.recipient == "dcc").values(fetched_at=NOW))
        delivery(tx, "panel", "delivered")
        delivery(tx, "manufacturer", "given-up")
    found = of(world, OFFICER_1, "notice-undelivered")
    assert [(each.sentence, each.urgent) for each in found] == [
        ("Notice TTN-2027-0999 has not reached the Manufacturer; its delivery was given up.", True)
    ]
    assert not of(world, DCC, "notice-to-read")
    assert not of(world, PANEL, "notice-to-read")


@pytest.mark.clause("F2.27")
def test_the_panel_is_told_before_an_instruction_is_due_and_the_ssc_when_it_is_overdue(world: World) -> None:
    approval = world.granted()
    due = NOW + timedelta(days=7)
    with world.store.begin("test") as tx:
        forgotten(tx)
        instruction(tx, approval, "add", at=NOW, due=due + timedelta(seconds=1))
    assert not of(world, PANEL, "cpl-due")
    world.clock.advance(timedelta(seconds=1))
    assert "Add the entry of" in only_for(world, "cpl-due", PANEL).sentence
    world.at(due + timedelta(days=1))  # the tenth is a Sunday: it is to be done on Monday
    assert not of(world, OFFICER_1, "cpl-overdue")
    world.at(datetime(2027, 1, 12, tzinfo=UTC))
    assert only_for(world, "cpl-overdue", PANEL, *SSC).urgent
    with world.store.begin("test") as tx:
        forgotten(tx)
        known = instruction(tx, approval, "remove", at=NOW)
        panel_refused(tx, known, at=NOW)
    assert "could not remove the entry of" in only_for(world, "cpl-rejected", PANEL, *SSC).sentence
    with world.store.begin("test") as tx:
        loaded(tx, known, at=NOW)
    assert not of(world, OFFICER_1, "cpl-rejected")


@pytest.mark.clause("F2.28(a)")
def test_the_dcc_is_told_of_the_report_of_the_month_that_has_ended(world: World) -> None:
    world.at(datetime(2027, 2, 2, tzinfo=UTC))
    assert not of(world, DCC, "report-to-issue")  # there was nothing to report
    world.granted(start=date(2027, 2, 3))
    assert not of(world, DCC, "report-to-issue")
    world.at(datetime(2027, 3, 1, tzinfo=UTC))
    found = only_for(world, "report-to-issue", DCC)
    assert (found.subject, found.due, found.urgent) == ("2027-02", datetime(2027, 3, 5, 23, 59, 59, tzinfo=UTC), False)
    world.at(datetime(2027, 3, 6, tzinfo=UTC))
    assert of(world, DCC, "report-to-issue")[0].urgent
    issue_report(world.desk, DCC, "2027-02")
    assert not of(world, DCC, "report-to-issue")


def test_what_is_urgent_comes_first_and_then_what_is_due_soonest(world: World) -> None:
    for number in range(2):
        device = Device("ESME", "AB01", f"0000000{number}", "01")
        world.granted(device=device, expiry=date(2027, 6, 30 - number))
    world.at(datetime(2027, 6, 20, tzinfo=UTC))
    world.applied(start=date(2027, 7, 1), expiry=date(2027, 7, 2))
    world.revoked(world.granted(device=Device("CHF", "AB01", "9", "01"), start=date(2027, 6, 20)))
    never = datetime.max.replace(tzinfo=UTC)
    order = [(not each.urgent, each.due or never) for each in tasks(world.desk, OFFICER_1).tasks]
    assert order == sorted(order)
    assert order[0][0] is False


def test_the_smallest_threshold_that_has_passed_is_the_one() -> None:
    assert [threshold(left, (90, 30, 7)) for left in (91, 90, 31, 30, 8, 7, 0)] == [None, 90, 90, 30, 30, 7, 7]
    assert threshold(5, ()) is None


def test_our_own_processes_and_those_the_table_does_not_name_have_no_list(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for actor in (AUTHORITY, Actor("nobody")):
        with pytest.raises(OperationNotPermitted):
            tasks(world.desk, actor)
    monkeypatch.setattr(roles, "TABLE", {})
    with pytest.raises(OperationNotPermitted):
        tasks(world.desk, DCC)


@pytest.mark.parametrize("most", [2, 1])
def test_of_each_kind_the_oldest_are_told_and_the_list_says_that_there_are_more(
    world: World, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    made = sorted(world.applied() for _ in range(2))
    for each in made:
        set_requirement(world.desk, OFFICER_1, each, "A test report.")
    monkeypatch.setattr(reading, "MOST_OF_A_KIND", most)
    for who in (OFFICER_1, MANUFACTURER):
        listed = tasks(world.desk, who)
        assert [each.subject for each in listed.tasks] == made[:most]
        assert listed.truncated is (most == 1)


def test_over_http_each_sees_its_own_list(world: World) -> None:
    api = Api(world)
    refused(api.ask(None, "GET", "/v1/tasks"), 401, "credential-missing")
    api.applied()
    listed = {who: done(api.ask(who, "GET", "/v1/tasks")) for who in ("officer-1", "manufacturer", "dcc", "panel")}
    assert [each["party"] for each in listed.values()] == ["ssc", "manufacturer", "dcc", "panel"]
    assert [len(each["tasks"]) for each in listed.values()] == [1, 0, 0, 0]
    assert listed["dcc"]["as_of"] == "2027-01-03T12:00:00Z"


def forgotten_notices(tx: Any) -> None:
    for table in (deliveries, notice_copies, notices):
        tx.connection.execute(table.delete())


def notice(tx: Any, approval: str, number: str) -> None:
    made = tx.connection.execute(decisions.select().where(decisions.c.approval == approval)).first()
    tx.connection.execute(
        insert(notices).values(
            number=number,
            kind="grant",
            decision_id=made.id,
            approval=approval,
            organisation_id="org-acme",
            record="{}",
            record_salt=b"x" * 16,
            written_at=NOW,
        )
    )
    for recipient in ("manufacturer", "dcc", "panel"):
        tx.connection.execute(
            insert(notice_copies).values(
                notice=number,
                recipient=recipient,
                classification="green",
                withheld=0,
                document="{}",
                document_sha256="0" * 64,
            )
        )


def delivery(tx: Any, recipient: str, state: str) -> None:
    tx.connection.execute(
        insert(deliveries).values(
            id=f"dlv-{recipient}",
            notice="TTN-2027-0999",
            recipient=recipient,
            channel="mail",
            address="desk@example.org",
            state=state,
            due=NOW,
            opened_at=NOW,
            delivered_at=NOW if state == "delivered" else None,
        )
    )

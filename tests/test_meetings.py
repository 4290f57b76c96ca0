"""Meetings, interests and comments as use cases: recorded once, taken back by a further fact, kept to the SSC."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core.actors import Actor
from core.errors import (
    BodyMalformed,
    BoundReached,
    NoSuchThing,
    NothingSaid,
    NotTheAuthor,
    OperationNotPermitted,
    TrialCpaError,
    WrongState,
)
from core.facts import Fact, FactKind
from core.kinds import DecisionState
from ra.committee.comments import comments_of, make_comment, retract_comment
from ra.committee.interests import declare_interest, interests_of, withdraw_interest
from ra.committee.saying import LONGEST
from ra.deciding.look import decision as decision_of
from ra.meeting.agenda import MinuteItem, meeting, minute_item, place_on_agenda, step, take_off_agenda
from ra.meeting.meetings import (
    MOST_ATTEND,
    CallMeeting,
    call_meeting,
    cancel_meeting,
    meetings_of,
    next_meeting,
    record_attendance,
    strike_attendance,
)
from store.committee_tables import comments
from store.reading import meetings as reading
from store.tables import journal
from store.verbs import facts
from tests.api_world import Api
from tests.audit_world import audited, exported, named
from tests.people_world import served
from tests.signing import another_device
from tests.test_dossier import dossier_of
from tests.world import AUDITOR, DCC, MANUFACTURER, NOW, OFFICER_1, OFFICER_2, PANEL, World

DAY = date(2027, 2, 3)
SECRET = "Nobody but officers reads this."


def called(world: World, name: str = "SSC 34", day: date = DAY) -> str:
    return call_meeting(world.desk, OFFICER_1, CallMeeting(name, day)).meeting


def test_an_agenda_is_filled_from_what_waits_gone_through_and_minuted(world: World) -> None:
    desk = world.desk
    api = Api(world)
    first, second = api.applied(device=another_device(1)), api.applied(device=another_device(2))
    of = called(world)
    assert {each.subject for each in meeting(desk, AUDITOR, of).offered} == {first, second}
    one, two = place_on_agenda(desk, OFFICER_1, of, [second, first, second]).items
    assert place_on_agenda(desk, OFFICER_2, of, [first]).items == (), "it is on it already"
    for unknown in ("app-none", of):
        with pytest.raises(NoSuchThing):
            place_on_agenda(desk, OFFICER_1, of, [unknown])

    shown = meeting(desk, AUDITOR, of)
    assert [(each.item, each.subject, each.waits) for each in shown.items] == [(one, second, True), (two, first, True)]
    assert (shown.offered, shown.items[0].decision, shown.items[0].application) == ((), None, second)
    begin, end = step(desk, AUDITOR, one), step(desk, AUDITOR, two)
    assert (begin.number, begin.of, begin.previous, begin.following) == (1, 2, None, two)
    assert (end.number, end.previous, end.following) == (2, one, None)

    decision = api.proposed(kind="grant", application=second)
    api.settle()
    shown = meeting(desk, OFFICER_2, of)
    assert shown.items[0].decision is not None
    assert (shown.items[0].decision.decision, shown.items[0].waits) == (decision, True)
    assert shown.offered == (), "what was proposed of an item is decided with it"
    api.ask("officer-2", "POST", f"/v1/decisions/{decision}/second", api.second_body(decision))
    api.settle()
    shown = meeting(desk, OFFICER_2, of)
    assert shown.items[0].decision is not None
    assert (shown.items[0].decision.state, shown.items[0].waits) == (DecisionState.DONE, False)

    minute_item(desk, OFFICER_1, MinuteItem(item=one, minute="34/01", text="Read."))
    for wrong in (MinuteItem(item=one, minute="34/02"), MinuteItem(item=two, minute="34/01")):
        with pytest.raises(WrongState):
            minute_item(desk, OFFICER_2, wrong)
    assert minute_item(desk, OFFICER_2, MinuteItem(item=one, minute="34/02", after=1)).version == 2
    assert minute_item(desk, OFFICER_2, MinuteItem(item=two, minute="34/01")).version == 1
    assert [each.minute.minute for each in meeting(desk, AUDITOR, of).items if each.minute] == ["34/02", "34/01"]
    take_off_agenda(desk, OFFICER_1, two)
    for act in (
        lambda: take_off_agenda(desk, OFFICER_1, two),
        lambda: minute_item(desk, OFFICER_1, MinuteItem(item=two, minute="x", after=1)),
    ):
        with pytest.raises(WrongState):
            act()
    with pytest.raises(NoSuchThing):
        step(desk, AUDITOR, two)
    assert [each.subject for each in meeting(desk, AUDITOR, of).offered] == [first]
    (again,) = place_on_agenda(desk, OFFICER_1, of, [first]).items
    assert [each.item for each in meeting(desk, AUDITOR, of).items] == [one, again], "behind all that was ever on it"


def test_what_is_overdue_is_offered_first(world: World) -> None:
    api = Api(world)
    waits = api.applied(device=another_device(1))
    proposed = api.proposed(kind="refuse", application=api.applied(device=another_device(2)))
    of = called(world)
    world.clock.advance(timedelta(days=35))  # the proposal should have been seconded; nobody has looked since
    found = meeting(world.desk, OFFICER_1, of).offered
    assert [(each.subject, each.overdue) for each in found] == [(proposed, True), (waits, False)]


def test_who_attends_and_the_next_meeting(world: World) -> None:
    desk = world.desk
    late, soon = called(world, "SSC 35", date(2027, 2, 17)), called(world)
    past = called(world, "SSC 33", NOW.date() - timedelta(days=1))
    assert [each.meeting for each in meetings_of(desk, AUDITOR, after="", limit=9).meetings] == [late, soon, past]
    page = meetings_of(desk, AUDITOR, after=late, limit=1)
    assert ([each.meeting for each in page.meetings], page.next) == ([soon], soon)
    upcoming = next_meeting(desk, AUDITOR)
    assert upcoming is not None
    assert (upcoming.meeting, upcoming.held_on) == (soon, DAY)
    assert len(record_attendance(desk, OFFICER_1, soon, ["Z. Chair", "A. Patel", "Z. Chair"]).recorded) == 2
    assert record_attendance(desk, OFFICER_1, soon, ["A. Patel"]).recorded == ()
    chair, patel = meeting(desk, AUDITOR, soon).attendances
    assert (chair.name, patel.name) == ("Z. Chair", "A. Patel"), "in the order in which they were named"
    strike_attendance(desk, OFFICER_2, soon, patel.attendance)
    for again in (patel.attendance, "att-none"):
        with pytest.raises(WrongState):
            strike_attendance(desk, OFFICER_2, soon, again)
    with pytest.raises(BoundReached):
        record_attendance(desk, OFFICER_1, soon, [f"No. {each}" for each in range(MOST_ATTEND)])

    with pytest.raises(WrongState):
        called(world)
    cancel_meeting(desk, OFFICER_1, soon)
    acts: list[Callable[[], object]] = [
        lambda: cancel_meeting(desk, OFFICER_1, soon),
        lambda: record_attendance(desk, OFFICER_1, soon, ["x"]),
        lambda: place_on_agenda(desk, OFFICER_1, soon, []),
        lambda: strike_attendance(desk, OFFICER_1, soon, chair.attendance),
    ]
    for act in acts:
        with pytest.raises(WrongState):
            act()
    upcoming = next_meeting(desk, AUDITOR)
    assert upcoming is not None
    assert upcoming.meeting == late
    assert called(world) != soon, "a name is free again"
    for wrong in ("", "\u2800", "x" * 201):
        with pytest.raises((NothingSaid, BodyMalformed)):
            called(world, wrong)


def test_an_interest_is_shown_beside_the_decision_and_counts_for_nothing(world: World) -> None:
    desk = world.desk
    api = Api(world)
    application = api.applied()
    mine = declare_interest(desk, OFFICER_2, application, officer="", words="I once worked there.").interest
    other = declare_interest(desk, OFFICER_1, application, officer="A. Patel", words="Owns shares.").interest
    withdraw_interest(desk, OFFICER_1, other)
    with pytest.raises(WrongState):
        withdraw_interest(desk, OFFICER_1, other)
    decision = api.proposed(kind="grant", application=application)
    api.settle()
    shown = decision_of(desk, OFFICER_2, decision).interests
    assert {(each.interest, each.officer, each.withdrawn_at is None) for each in shown} == {
        (mine, OFFICER_2.name, True),
        (other, "A. Patel", False),
    }
    seconded = api.ask("officer-2", "POST", f"/v1/decisions/{decision}/second", api.second_body(decision))
    assert seconded.status_code == 200, "whoever has declared an interest is counted as anybody is"


@pytest.mark.long
def test_a_dossier_has_the_interests_and_not_what_officers_said(world: World) -> None:
    api = Api(world)
    approval = api.granted()
    with world.store.read() as tx:
        application = reading.application_of(tx, approval) or ""
    declare_interest(world.desk, OFFICER_2, application, officer="", words="I once worked there.")
    make_comment(world.desk, OFFICER_1, application, SECRET)
    files = dossier_of(world, approval)
    assert [each["text"] for each in json.loads(files["interests.json"])] == ["I once worked there."]
    assert not [name for name, octets in files.items() if SECRET.encode() in octets], "a dossier has no comments"


def test_what_officers_say_is_theirs_and_is_taken_back_by_its_author(world: World) -> None:
    desk = world.desk
    application = world.applied()
    said = make_comment(desk, OFFICER_1, application, f" {SECRET} ").comment
    with pytest.raises(NotTheAuthor):
        retract_comment(desk, OFFICER_2, said)
    retract_comment(desk, OFFICER_1, said)
    with pytest.raises(WrongState):
        retract_comment(desk, OFFICER_1, said)
    (found,) = comments_of(desk, AUDITOR, application).comments
    assert (found.text, found.retracted_at) == (SECRET, NOW)
    for wrong in ("", " \n", "x" * (LONGEST + 1)):
        with pytest.raises((NothingSaid, BodyMalformed)):
            make_comment(desk, OFFICER_1, application, wrong)
    with pytest.raises(NoSuchThing):
        make_comment(desk, OFFICER_1, "app-none", "x")
    for who in (MANUFACTURER, DCC, PANEL):
        for ask in (comments_of, interests_of):
            with pytest.raises(OperationNotPermitted):
                ask(desk, who, application)
    with world.store.read() as tx:
        payloads = " ".join(tx.connection.execute(select(journal.c.payload)).scalars())
    assert said in payloads
    assert SECRET not in payloads, "the journal has its digest under a salt"


def _fact(kind: FactKind, subject: str, actor: Actor = OFFICER_1, **payload: str) -> Fact:
    return Fact(kind, NOW, actor, subject=subject, payload=payload)


def test_the_audit_takes_what_the_committee_does_and_finds_what_contradicts_it(world: World) -> None:
    desk = world.desk
    application = world.applied()
    of = called(world)
    (item,) = place_on_agenda(desk, OFFICER_1, of, [application]).items
    minute_item(desk, OFFICER_1, MinuteItem(item=item, minute="1"))
    attends = record_attendance(desk, OFFICER_1, of, ["J."]).recorded[0]
    strike_attendance(desk, OFFICER_1, of, attends)
    interest = declare_interest(desk, OFFICER_1, application, officer="", words="x").interest
    withdraw_interest(desk, OFFICER_2, interest)
    said = make_comment(desk, OFFICER_1, application, "x").comment
    take_off_agenda(desk, OFFICER_1, item)
    world.authority.settle()
    assert named(audited(exported(world.store))) == []

    planted = [
        _fact(FactKind.COMMENT_RETRACTED, application, OFFICER_2, comment=said),
        _fact(FactKind.INTEREST_WITHDRAWN, application, interest=interest),
        _fact(FactKind.COMMENT_MADE, "app-none", comment="com-none"),
        _fact(FactKind.ATTENDANCE_STRUCK, of, attendance=attends),
        _fact(FactKind.AGENDA_PLACED, "mtg-none", item="agi-none"),
        Fact(FactKind.AGENDA_MINUTED, NOW, OFFICER_1, subject=of, payload={"item": item, "version": 7}),
        _fact(FactKind.MEETING_CALLED, of),
    ]
    with world.store.begin("plant") as tx:
        facts.record(tx, *planted)
    world.authority.settle()
    found = audited(exported(world.store))
    assert set(named(found)) == {f"row {number}" for number in range(found.rows - len(planted) + 1, found.rows + 1)}


def test_one_application_has_no_more_comments_than_anybody_reads(world: World) -> None:
    application = world.applied()
    rows = [
        {"id": f"com-{each}", "application_id": application, "text": ".", "salt": b".", "made_at": NOW, "made_by": ""}
        for each in range(200)
    ]
    with world.store.begin("plant") as tx:
        tx.connection.execute(comments.insert(), rows)
    with pytest.raises(TrialCpaError) as refused:
        make_comment(world.desk, OFFICER_1, application, "One more.")
    assert refused.value.code == "bound-reached"


@pytest.mark.long
def test_all_of_it_is_done_at_the_command_line(world: World, tmp_path: Path) -> None:
    with served(Api(world), tmp_path) as people:
        application = people.api.applied()

        def typed(*words: str, status: int = 0, who: str = "officer-1") -> str:
            said = people.run(who, *words)
            assert said.status == status, said.words
            return said.words

        def made(*words: str) -> dict[str, str]:
            found: dict[str, str] = json.loads(people.run("officer-1", *words, "--json").out)
            return found

        of = made("meetings", "call", "SSC 34", "2027-02-03")["meeting"]
        assert application in typed("meetings", "show", of)
        item = made("meetings", "place", of, application)["items"][0]
        assert "recorded are 2 more" in typed("meetings", "attend", of, "J. Doe", "A. Patel")
        minuted = typed("meetings", "minute", item, "34/01", "--text", "Read.")
        assert "version 1" in minuted
        interest = made("interests", "declare", application, "I once worked there.")["interest"]
        shown = typed("meetings", "show", of, who="auditor")
        for each in ("SSC 34", "J. Doe", "34/01", "I once worked there."):
            assert each in shown
        file = tmp_path / "ssc-34.pdf"
        assert "octets" in typed("meetings", "minutes", of, "-o", str(file), who="auditor")
        assert file.read_bytes().startswith(b"%PDF-")
        typed("meetings", "minutes", of, who="dcc", status=1)
        attends = json.loads(people.run("auditor", "meetings", "show", of, "--json").out)["attendances"][0][
            "attendance"
        ]
        assert "struck" in typed("meetings", "strike", of, attends)
        decision = people.api.proposed(kind="refuse", application=application)
        assert "the authority counts none" in typed("decide", "show", decision, who="officer-2")
        assert "withdrawn" in typed("interests", "withdraw", interest)
        assert "I once worked there." in typed("interests", "list", application)
        comment = made("comments", "add", application, "Page 4 has no date.")["comment"]
        assert "retracted" in typed("comments", "retract", comment)
        assert "(retracted) Page 4" in typed("comments", "list", application, who="auditor")
        typed("comments", "list", application, who="manufacturer", status=1)
        assert "off the agenda" in typed("meetings", "remove", item)
        assert "cancelled" in typed("meetings", "cancel", of)
        assert "cancelled" in typed("meetings", "list")


def test_names_that_look_alike_are_one_and_stand_on_one_line(world: World) -> None:
    desk = world.desk
    of = called(world)
    for same in ("SSC 34\u200b", "\ufeffSSC\u00a034", "SSC\n34", " SSC  34 "):
        with pytest.raises(WrongState):
            called(world, same)
    record_attendance(desk, OFFICER_1, of, ["J. Doe", "J.\u00a0Doe", "J. Doe\u200b", "A.\nPatel\t"])
    assert [each.name for each in meeting(desk, AUDITOR, of).attendances] == ["J. Doe", "A. Patel"]
    with pytest.raises(NothingSaid):
        record_attendance(desk, OFFICER_1, of, ["\u200b"])
    application = Api(world).applied(device=another_device(1))
    declare_interest(desk, OFFICER_1, application, officer="\u200b", words="Mine.")
    assert [each.officer for each in interests_of(desk, AUDITOR, application).interests] == [OFFICER_1.name]

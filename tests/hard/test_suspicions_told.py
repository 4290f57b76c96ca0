"""A Manufacturer is told of a suspected breach where the SSC lets it, and answers before it is judged (F2.23)."""

import pytest

from core.actors import Party, PartyKind
from core.approval import EndCause
from core.classification import Recipient
from core.errors import NoSuchThing, NothingSaid, OperationNotPermitted, WrongState
from core.facts import FactKind
from core.kinds import EvidenceSubject, NoticeKind
from ra.applying.contacts import ChangeContact, change_contact
from ra.applying.evidence import File, Subject, attach, attachments, fetch
from ra.auditing.gathered import gather
from ra.auditing.story import told as story
from ra.deciding.kinds.correction import ProposeCorrection
from ra.deciding.kinds.revocation import ProposeRevocation
from ra.deciding.look import decision
from ra.deciding.tell_breach import Suspected, record_suspicion, tell_of
from ra.reporting.breach import shown
from ra.reporting.suspicion import answer_suspicion, show_suspicion, suspicions_of
from ra.telling.notices import listed
from ra.waiting.tasks import tasks_of
from tests.acting import judge, propose
from tests.hard.test_contacts import DUTY, FIRST, addressed
from tests.hard.test_officers_see import lines, seen
from tests.notice_world import documents, facts_of
from tests.test_breaches import conditioned, suspected
from tests.world import AUDITOR, DCC, MANUFACTURER, OFFICER_1, OFFICER_2, PANEL, RIVAL, World

NOTE, TOLD, ANSWER = "A whistleblower in York.", "Devices may be in York.", "They are in a van: Wombat Lane."
FILE = File("van.txt", "text/plain", b"A van in York.\n")


@pytest.fixture
def approval(world: World) -> str:
    return conditioned(world)


def theirs(breach: str) -> Subject:
    return Subject(EvidenceSubject.SUSPICION, breach)


def waiting(world: World, party: Party) -> list[str]:
    with world.store.read() as tx:
        found = tasks_of(tx, party, world.clock.now(), world.desk.rules).tasks
    return [each.subject for each in found if each.kind == "suspicion-to-answer"]


@pytest.mark.clause("F2.23")
@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
def test_it_is_told_what_the_ssc_chooses_and_nobody_else_is_told_anything(
    world: World, approval: str, *, later: bool
) -> None:
    change_contact(world.desk, MANUFACTURER, ChangeContact(notices=FIRST, urgent=DUTY))
    said = Suspected(1, NOTE, None if later else TOLD)
    breach = record_suspicion(world.desk, OFFICER_1, approval, said).breach
    if later:
        with pytest.raises(NoSuchThing):
            show_suspicion(world.desk, MANUFACTURER, breach)
        with pytest.raises(NoSuchThing):
            attach(world.desk, MANUFACTURER, theirs(breach), FILE)
        tell_of(world.desk, OFFICER_1, breach, TOLD)
    mine = show_suspicion(world.desk, MANUFACTURER, breach)
    assert (mine.text, mine.condition, mine.open, mine.answer) == (TOLD, 1, True, None)
    assert NOTE not in str(mine)
    assert list(documents(world, mine.notice)) == [Recipient.MANUFACTURER]
    assert NOTE not in str(documents(world, mine.notice))
    # A suspicion is urgent: it goes to the second address, too.
    assert set(addressed(world, mine.notice)) == {FIRST, DUTY}
    for other in (DCC, PANEL, RIVAL):
        assert mine.notice not in {each.notice for each in listed(world.desk, other, after="", limit=200).notices}
    for other in (DCC, PANEL):
        with pytest.raises(OperationNotPermitted):
            show_suspicion(world.desk, other, breach)
    with pytest.raises(NoSuchThing):
        show_suspicion(world.desk, RIVAL, breach)
    assert suspicions_of(world.desk, RIVAL, after="", limit=50).suspicions == ()
    organisation = MANUFACTURER.organisation or ""
    assert waiting(world, Party(PartyKind.MANUFACTURER, organisation)) == [breach]
    assert waiting(world, Party(PartyKind.MANUFACTURER, RIVAL.organisation or "")) == []
    with pytest.raises(WrongState):
        tell_of(world.desk, OFFICER_2, breach, "Once more.")
    assert TOLD not in str(facts_of(world, FactKind.SUSPICION_TOLD))


@pytest.mark.clause("F2.23")
def test_its_answer_is_seen_in_whatever_is_decided_and_lies_in_the_dossier(world: World, approval: str) -> None:
    breach = record_suspicion(world.desk, OFFICER_1, approval, Suspected(1, NOTE, TOLD)).breach
    kept = attach(world.desk, MANUFACTURER, theirs(breach), FILE)
    answer_suspicion(world.desk, MANUFACTURER, breach, ANSWER)
    with pytest.raises(WrongState):  # it is given once
        answer_suspicion(world.desk, MANUFACTURER, breach, "Something else.")
    assert waiting(world, Party(PartyKind.MANUFACTURER, MANUFACTURER.organisation or "")) == []
    told = shown(world.desk, OFFICER_2, breach).told
    assert told is not None
    assert (told.answer, told.answered_by) == (ANSWER, MANUFACTURER.name)
    # Of a decision that is about something else, too.
    other = propose(world.desk, OFFICER_1, ProposeRevocation(approval=approval, cause=EndCause.SSC, reasons="Enough."))
    about = seen(world, other.decision)
    assert [each.breach for each in about.suspicions] == [breach]
    assert [each.name for each in about.evidence] == ["van.txt"]
    read = lines(decision(world.desk, OFFICER_2, other.decision))
    assert ANSWER in read
    assert kept.evidence in read
    assert fetch(world.desk, OFFICER_2, kept.evidence).octets == FILE.octets
    assert [each.name for each in attachments(world.desk, MANUFACTURER, theirs(breach)).evidence] == ["van.txt"]
    with pytest.raises(NoSuchThing):
        attachments(world.desk, RIVAL, theirs(breach))
    assert "Wombat" not in str(facts_of(world, FactKind.SUSPICION_ANSWERED))
    found = gather(world.desk, AUDITOR, approval)
    assert [each.told.answer for each in found.breaches if each.told is not None] == [ANSWER]
    assert ANSWER in str(story(found, authority="x", environment="test", at=world.clock.now())["events"])


@pytest.mark.clause("F2.23")
def test_of_how_it_is_judged_it_sees_only_whether_it_may_still_answer(world: World, approval: str) -> None:
    breach = record_suspicion(world.desk, OFFICER_1, approval, Suspected(1, NOTE, TOLD)).breach
    judge(world.desk, OFFICER_1, breach, confirmed=True, why="Seen.")
    before = show_suspicion(world.desk, MANUFACTURER, breach)
    assert before.open
    assert "confirmed" not in str(before)
    world.revoked(approval, EndCause.BREACH, breach=breach)
    assert not show_suspicion(world.desk, MANUFACTURER, breach).open
    with pytest.raises(WrongState) as refusal:
        answer_suspicion(world.desk, MANUFACTURER, breach, ANSWER)
    assert refusal.value.fields["state"] == "settled"
    with pytest.raises(WrongState) as late:
        attach(world.desk, MANUFACTURER, theirs(breach), FILE)
    assert late.value.fields == refusal.value.fields, "a file that comes too late is told no more than words are"


@pytest.mark.clause("F2.22")
@pytest.mark.clause("F2.23")
def test_a_correction_of_what_only_its_manufacturer_was_told_goes_to_nobody_else(world: World, approval: str) -> None:
    breach = record_suspicion(world.desk, OFFICER_1, approval, Suspected(1, NOTE, TOLD)).breach
    corrected = show_suspicion(world.desk, MANUFACTURER, breach).notice
    for _ in range(2):  # and of its correction, too
        made = propose(world.desk, OFFICER_1, ProposeCorrection(corrected, "It was in Leeds.")).decision
        preview = decision(world.desk, OFFICER_2, made).preview
        assert preview is not None
        assert list(preview.notices) == [Recipient.MANUFACTURER]
        world.seconded(made)
        corrected = next(
            each.notice
            for each in listed(world.desk, AUDITOR, after="", limit=200).notices
            if each.corrects == corrected
        )
        assert list(documents(world, corrected)) == [Recipient.MANUFACTURER]
        for other in (DCC, PANEL):
            assert corrected not in {each.notice for each in listed(world.desk, other, after="", limit=200).notices}


@pytest.mark.clause("F2.23")
def test_what_nobody_may_or_can_say_is_refused(world: World, approval: str) -> None:
    breach = suspected(world, approval)
    with pytest.raises(OperationNotPermitted):
        tell_of(world.desk, AUDITOR, breach, TOLD)
    with pytest.raises(NothingSaid):
        tell_of(world.desk, OFFICER_1, breach, " ")
    with pytest.raises(NoSuchThing):
        tell_of(world.desk, OFFICER_1, "breach-none", TOLD)
    judge(world.desk, OFFICER_1, breach, confirmed=True, why="Seen.")
    with pytest.raises(WrongState):  # it is no suspicion any more
        tell_of(world.desk, OFFICER_1, breach, TOLD)
    assert not [
        each for each in listed(world.desk, AUDITOR, after="", limit=200).notices if each.kind is NoticeKind.SUSPICION
    ]
    another = suspected(world, approval)
    tell_of(world.desk, OFFICER_1, another, TOLD)
    with pytest.raises(OperationNotPermitted):
        answer_suspicion(world.desk, OFFICER_1, another, ANSWER)
    with pytest.raises(NoSuchThing):
        answer_suspicion(world.desk, RIVAL, another, ANSWER)
    with pytest.raises(NothingSaid):
        answer_suspicion(world.desk, MANUFACTURER, another, "\t")

"""A Manufacturer asks for the end of its approval: a task, and an answer in every case (F2.30)."""

from datetime import timedelta

import pytest

from core.actors import Party, PartyKind
from core.approval import EndCause
from core.classification import Recipient
from core.errors import AlreadyEnded, NoSuchThing, NothingSaid, OperationNotPermitted, RulesRefused, WrongState
from core.facts import FactKind
from core.kinds import EndRequestState, NoticeKind
from ra.applying.request_end import RequestEnd, end_requests, request_end, show_end_request, withdraw_end_request
from ra.auditing.gathered import gather
from ra.deciding.answer_end import answer_end_request
from ra.deciding.kinds.revocation import ProposeRevocation
from ra.deciding.kinds.withdrawal import ProposeWithdrawal
from ra.deciding.look import decision
from ra.telling.lapsed_request import close_end_request
from ra.telling.notices import fetch, listed
from ra.waiting.tasks import tasks_of
from tests.acting import propose, reject
from tests.hard.test_officers_see import lines, seen
from tests.notice_world import documents, facts_of
from tests.world import AUDITOR, DCC, MANUFACTURER, OFFICER_1, OFFICER_2, PANEL, RIVAL, World

WHY = "The last home has moved to the certified model."


@pytest.fixture
def approval(world: World) -> str:
    return world.granted()


def asked(world: World, approval: str) -> str:
    return request_end(world.desk, MANUFACTURER, RequestEnd(approval, WHY)).request


def state(world: World, request: str) -> EndRequestState:
    return show_end_request(world.desk, MANUFACTURER, request).state


def told(world: World, kind: NoticeKind) -> list[str]:
    return [each.notice for each in listed(world.desk, AUDITOR, after="", limit=200).notices if each.kind is kind]


def tasks(world: World) -> list[str]:
    with world.store.read() as tx:
        found = tasks_of(tx, Party(PartyKind.SSC), world.clock.now(), world.desk.rules).tasks
    return [each.subject for each in found if each.kind == "end-requested"]


@pytest.mark.clause("F2.30")
@pytest.mark.parametrize("revoked", [False, True], ids=["withdrawn", "revoked"])
def test_a_decision_that_ends_the_approval_names_the_request_and_grants_it(
    world: World, approval: str, *, revoked: bool
) -> None:
    request = asked(world, approval)
    assert tasks(world) == [request]
    command = (
        ProposeRevocation(approval=approval, cause=EndCause.SSC, reasons="As asked.", request=request)
        if revoked
        else ProposeWithdrawal(approval, "As asked.", request=request)
    )
    proposed = propose(world.desk, OFFICER_1, command).decision
    assert state(world, request) is EndRequestState.PROPOSED
    assert tasks(world) == []
    about = seen(world, proposed)
    assert about.end_request is not None
    assert (about.end_request.request, about.end_request.reasons) == (request, WHY)
    assert WHY in lines(decision(world.desk, OFFICER_2, proposed))
    with pytest.raises(WrongState):  # it is no longer the Manufacturer's alone
        withdraw_end_request(world.desk, MANUFACTURER, request)
    world.seconded(proposed)
    shown = show_end_request(world.desk, MANUFACTURER, request)
    assert (shown.state, shown.decision) == (EndRequestState.GRANTED, proposed)
    kind = FactKind.APPROVAL_REVOKED if revoked else FactKind.APPROVAL_WITHDRAWN
    assert facts_of(world, kind)[0]["request"] == request
    # The notice of the end is its notice.
    assert len(told(world, NoticeKind.REVOCATION if revoked else NoticeKind.WITHDRAWAL)) == 1


@pytest.mark.clause("F2.30")
def test_a_proposal_that_comes_to_nothing_opens_the_request_again(world: World, approval: str) -> None:
    request = asked(world, approval)
    proposed = propose(world.desk, OFFICER_1, ProposeWithdrawal(approval, "As asked.", request=request)).decision
    reject(world.desk, OFFICER_2, proposed, why="Not yet.")
    assert state(world, request) is EndRequestState.OPEN
    assert withdraw_end_request(world.desk, MANUFACTURER, request).state is EndRequestState.WITHDRAWN
    assert request_end(world.desk, MANUFACTURER, RequestEnd(approval, "Now.")).state is EndRequestState.OPEN


@pytest.mark.clause("F2.30")
@pytest.mark.parametrize("outcome", [EndRequestState.REFUSED, EndRequestState.ANSWERED])
def test_it_is_answered_in_words_that_its_manufacturer_alone_gets(
    world: World, approval: str, outcome: EndRequestState
) -> None:
    request = asked(world, approval)
    assert outcome in (EndRequestState.REFUSED, EndRequestState.ANSWERED)
    done = answer_end_request(world.desk, OFFICER_1, request, outcome, "Two homes are left: Quokka Road.")
    shown = show_end_request(world.desk, MANUFACTURER, request)
    assert (shown.state, shown.answer, shown.answered_by) == (outcome, "Two homes are left: Quokka Road.", None)
    assert show_end_request(world.desk, AUDITOR, request).answered_by == OFFICER_1.name
    number = done.notice or ""
    assert told(world, NoticeKind.END_REQUEST_ANSWERED) == [number]
    assert list(documents(world, number)) == [Recipient.MANUFACTURER]
    assert b"Quokka Road" in fetch(world.desk, MANUFACTURER, number, recipient=None, pdf=False).octets
    assert fetch(world.desk, MANUFACTURER, number, recipient=None, pdf=True).octets.startswith(b"%PDF")
    for other in (DCC, PANEL, RIVAL):
        assert number not in {each.notice for each in listed(world.desk, other, after="", limit=200).notices}
        with pytest.raises(NoSuchThing):
            fetch(world.desk, other, number, recipient=None, pdf=False)
    assert "Quokka" not in str(facts_of(world, FactKind.END_REQUEST_ANSWERED))
    assert world.record(approval).ended_at is None
    with pytest.raises(WrongState):
        answer_end_request(world.desk, OFFICER_1, request, EndRequestState.REFUSED, "Again.")


@pytest.mark.clause("F2.30")
@pytest.mark.clause("F2.31")
def test_it_does_not_outlive_its_approval(world: World, approval: str) -> None:
    request = asked(world, approval)
    world.revoked(approval)
    with world.store.begin("close") as tx:
        assert close_end_request(tx, request, actor=OFFICER_1, at=world.clock.now())
        assert not close_end_request(tx, request, actor=OFFICER_1, at=world.clock.now())
    assert state(world, request) is EndRequestState.LAPSED
    (number,) = told(world, NoticeKind.END_REQUEST_LAPSED)
    (document,) = documents(world, number).values()
    assert request in str(document["facts"])
    assert WHY not in str(document)
    with pytest.raises(AlreadyEnded):
        asked(world, approval)


@pytest.mark.clause("F2.30")
def test_the_authority_finds_it_in_its_own_turn(world: World, approval: str) -> None:
    request = asked(world, approval)
    world.revoked(approval)
    world.passes(timedelta(seconds=1))
    world.authority.turn()
    assert state(world, request) is EndRequestState.LAPSED


@pytest.mark.clause("F2.30")
def test_what_nobody_may_or_can_ask_is_refused(world: World, approval: str) -> None:
    with pytest.raises(NoSuchThing):
        request_end(world.desk, RIVAL, RequestEnd(approval, WHY))
    with pytest.raises(OperationNotPermitted):
        request_end(world.desk, OFFICER_1, RequestEnd(approval, WHY))
    with pytest.raises(NothingSaid):
        request_end(world.desk, MANUFACTURER, RequestEnd(approval, " \n"))
    request = asked(world, approval)
    with pytest.raises(WrongState):  # to ask again says nothing new
        asked(world, approval)
    with pytest.raises(NoSuchThing):
        show_end_request(world.desk, RIVAL, request)
    assert end_requests(world.desk, RIVAL, after="", limit=50).requests == ()
    with pytest.raises(NoSuchThing):
        end_requests(world.desk, RIVAL, approval=approval, after="", limit=50)
    assert len(end_requests(world.desk, OFFICER_1, state=EndRequestState.OPEN, after="", limit=50).requests) == 1
    assert end_requests(world.desk, OFFICER_1, state=EndRequestState.LAPSED, after="", limit=50).requests == ()
    with pytest.raises(OperationNotPermitted):
        answer_end_request(world.desk, MANUFACTURER, request, EndRequestState.REFUSED, "No.")
    with pytest.raises(RulesRefused, match="request"):
        propose(
            world.desk,
            OFFICER_1,
            ProposeRevocation(approval=approval, cause=EndCause.KEY_COMPROMISE, reasons=".", request=request),
        )
    assert state(world, request) is EndRequestState.OPEN
    assert WHY not in str(facts_of(world, FactKind.END_REQUESTED))
    assert [each.request for each in gather(world.desk, AUDITOR, approval).end_requests] == [request]

"""Each issue and each end is told to every officer, who has seen it or disowns it; what is disowned is an alarm."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.actors import Actor
from core.alarms import AlarmCode
from core.approval import EndCause
from core.classification import Passage
from core.errors import NoSuchThing, WrongState
from core.facts import FactKind
from core.kinds import Witnessed
from jobs.disowned import TOLD
from ra.deciding import look
from ra.deciding.kinds.amendment import ProposeAmendment
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.kinds.revocation import ProposeRevocation
from ra.deciding.kinds.withdrawal import ProposeWithdrawal
from ra.deciding.views import WitnessAnswer
from ra.deciding.witness import Witness, witness
from ra.grounds import Minutes
from ra.repeat import RequestKey
from ra.waiting.seeing import WITNESSED_FOR
from ra.waiting.tasks import tasks
from store.reading import approvals
from store.reading.witnesses import disowned
from store.tables import journal
from tests.api_world import Api, done, refused
from tests.cycle_world import device
from tests.world import ADMIN, AUDITOR, MANUFACTURER, OFFICER_1, OFFICER_2, OFFICER_3, World

WHY = "I was on leave that day."


def granted(world: World, number: int = 1) -> tuple[str, str]:
    """An approval, and the decision that granted it."""
    approval = world.granted(device=device(number))
    with world.store.read() as tx:
        return approval, approvals.approval(tx, approval).decision_id


def says(world: World, officer: Actor, decision: str, saw: Witnessed, key: RequestKey | None = None) -> Any:
    why = WHY if saw is Witnessed.DISOWNED else ""
    return witness(world.desk, officer, Witness(decision, saw, why), key)


def told(world: World, decision: str) -> list[tuple[str, str, bool]]:
    """What the journal says that officers said of a decision."""
    kinds = (FactKind.DECISION_SEEN, FactKind.DECISION_DISOWNED)
    query = select(journal).where(journal.c.subject == decision, journal.c.kind.in_(kinds)).order_by(journal.c.id)
    with world.store.read() as tx:
        rows = tx.connection.execute(query).all()
    return [(row.actor, row.kind, '"named":true' in row.payload) for row in rows]


def waiting(world: World, actor: Actor) -> dict[str, str]:
    """The sentences of an actor's tasks to witness, by decision."""
    listed = tasks(world.desk, actor).tasks
    return {each.subject: each.sentence for each in listed if each.kind == "decision-to-witness"}


# --- what officers say -------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.18")
def test_an_officer_says_it_once_may_disown_it_later_and_never_takes_that_back(world: World) -> None:
    _, decision = granted(world)
    seen, disowned = Witnessed.SEEN, Witnessed.DISOWNED
    first = says(world, OFFICER_1, decision, seen, RequestKey("saw-it", "ab" * 32))
    assert says(world, OFFICER_1, decision, seen, RequestKey("saw-it", "ab" * 32)) == first
    with pytest.raises(WrongState):
        says(world, OFFICER_1, decision, seen)
    says(world, OFFICER_1, decision, disowned)
    says(world, OFFICER_3, decision, disowned)
    for officer, saw in ((OFFICER_1, disowned), (OFFICER_1, seen), (OFFICER_3, seen)):
        with pytest.raises(WrongState):
            says(world, officer, decision, saw)
    assert told(world, decision) == [
        ("officer-1", "decision-seen", True),
        ("officer-1", "decision-disowned", True),
        ("officer-3", "decision-disowned", False),
    ]
    at = world.clock.now()
    assert look.decision(world.desk, AUDITOR, decision).witnesses == tuple(
        WitnessAnswer(officer=each, saw=disowned, why=WHY, at=at) for each in ("officer-1", "officer-3")
    )


def test_only_what_issued_or_ended_something_is_witnessed(world: World) -> None:
    approval, grant = granted(world)
    open_yet = world.proposed(ProposeRevocation(approval, EndCause.SSC, "Enough."))
    refusal = world.proposed(ProposeRefusal(world.applied(device=device(2)), "No."))
    drafted = world.drafted(device=device(3))
    words = Minutes(conditions=(Passage.of("condition", "Say when you begin."),))
    amendment = world.proposed(ProposeAmendment(approval, "Words.", minutes=words))
    for decision in (open_yet, refusal, drafted, amendment):
        with pytest.raises(WrongState):
            says(world, OFFICER_3, decision, Witnessed.SEEN)
    for decision in (refusal, amendment):  # no certificate follows
        world.seconded(decision)
        with pytest.raises(WrongState):
            says(world, OFFICER_3, decision, Witnessed.SEEN)
    with pytest.raises(NoSuchThing):
        says(world, OFFICER_3, "dec-none", Witnessed.SEEN)
    world.seconded(open_yet)
    world.seconded(drafted)
    for decision in (grant, open_yet, drafted):
        says(world, OFFICER_3, decision, Witnessed.SEEN)


# --- it is told to every officer ---------------------------------------------------------------------------------


@pytest.mark.clause("F2.18")
def test_each_issue_and_each_end_waits_for_every_officer_until_they_have_said_it(world: World) -> None:
    approval, grant = granted(world)
    other, second = granted(world, 2)
    urgent = world.revoked(approval).decision
    withdrawal = world.proposed(ProposeWithdrawal(other, "They asked."))
    world.seconded(withdrawal, OFFICER_3)
    for officer in (OFFICER_1, OFFICER_2, OFFICER_3):
        assert set(waiting(world, officer)) == {grant, second, urgent, withdrawal}
    assert [waiting(world, each) for each in (ADMIN, AUDITOR, MANUFACTURER)] == [{}, {}, {}]
    mine, others = waiting(world, OFFICER_2), waiting(world, OFFICER_3)
    whole = (
        f"officer-1 is said to have proposed to grant {approval}, and officer-2 to have seconded it, at 12:00:00 UTC"
    )
    assert others[grant].startswith(whole)
    assert mine[grant] == f"{others[grant]} You are named: if that was not you, somebody else has your key."
    assert others[urgent].startswith(f"officer-1 alone is said to have decided to revoke {approval}, at ")
    assert "officer-3 to have seconded it" in mine[withdrawal]
    says(world, OFFICER_2, grant, Witnessed.SEEN)
    says(world, OFFICER_2, urgent, Witnessed.DISOWNED)
    assert set(waiting(world, OFFICER_2)) == {second, withdrawal}
    assert grant in waiting(world, OFFICER_3)
    world.at(world.clock.now() + WITNESSED_FOR)
    assert set(waiting(world, OFFICER_2)) == {second, withdrawal}
    world.at(world.clock.now() + timedelta(seconds=1))
    assert waiting(world, OFFICER_2) == {}


# --- and an alarm ------------------------------------------------------------------------------------------------


def alarms(world: World) -> dict[str, str]:
    """The sentences of alarms about disowned decisions, after a turn of the authority."""
    world.authority.settle()
    return {each.subject: each.sentence for each in world.alarms() if each.code is AlarmCode.DECISION_DISOWNED}


def test_a_disowned_issue_is_an_alarm_until_its_certificate_has_ended_and_for_a_while_after_it_was_disowned(
    world: World,
) -> None:
    approval, decision = granted(world)
    _, other = granted(world, 2)
    serial = world.record(approval).certificates[0].serial
    says(world, OFFICER_3, other, Witnessed.SEEN)
    assert alarms(world) == {}
    says(world, OFFICER_2, decision, Witnessed.DISOWNED)
    says(world, OFFICER_3, decision, Witnessed.DISOWNED)
    (sentence,) = alarms(world).values()
    assert f"certificate {serial} stands: revoke {approval}" in sentence
    assert "officer-" not in sentence, "it is told to whoever asks, without a credential"
    ended = world.revoked(approval).decision
    (sentence,) = alarms(world).values()
    assert "its certificate has ended: look for" in sentence
    says(world, OFFICER_3, ended, Witnessed.DISOWNED)
    assert set(alarms(world)) == {decision, ended}
    world.at(world.clock.now() + TOLD)
    assert alarms(world) == {}


def test_what_was_disowned_after_it_had_ended_is_an_alarm_too(world: World) -> None:
    approval, decision = granted(world)
    world.revoked(approval)
    assert alarms(world) == {}
    says(world, OFFICER_2, decision, Witnessed.DISOWNED)
    assert set(alarms(world)) == {decision}


def test_a_disowned_end_is_an_alarm_for_a_while_because_it_stands_for_ever(world: World) -> None:
    decision = world.revoked(granted(world)[0]).decision
    says(world, OFFICER_1, decision, Witnessed.DISOWNED)
    (sentence,) = alarms(world).values()
    assert "what ended stays ended" in sentence
    world.at(world.clock.now() + TOLD)
    assert alarms(world) == {}


def test_a_disowned_issue_that_waits_for_its_signature_is_an_alarm(world: World) -> None:
    decision = world.drafted()
    world.seconded(decision)
    says(world, OFFICER_1, decision, Witnessed.DISOWNED)
    with world.store.read() as tx:
        (found,), others = disowned(tx, world.clock.now(), since=world.clock.now())
    assert (found.id, found.serial, others) == (decision, None, 0)
    assert "stands: revoke" in alarms(world)[decision]


# --- as it is asked ----------------------------------------------------------------------------------------------


def test_who_disowns_says_why_and_nobody_else_does(world: World) -> None:
    api = Api(world)
    api.granted()
    decision = done(api.ask("auditor", "GET", "/v1/decisions"))["decisions"][0]["decision"]
    address = f"/v1/decisions/{decision}/witness"
    reasonless: list[dict[str, str]] = [{"saw": "disowned"}, {"saw": "disowned", "why": " "}]
    for wrong in [{}, {"saw": "perhaps"}, {"saw": "seen", "why": "x"}, *reasonless]:
        refused(api.ask("officer-2", "POST", address, wrong), 400, "body-malformed")
    said = done(api.ask("officer-2", "POST", address, {"saw": "disowned", "why": WHY}))
    assert (said["decision"], said["officer"], said["saw"], said["why"]) == (decision, "officer-2", "disowned", WHY)
    refused(api.ask("officer-2", "POST", address, {"saw": "seen"}), 409, "wrong-state")
    shown = done(api.ask("auditor", "GET", f"/v1/decisions/{decision}"))
    assert [(each["officer"], each["why"]) for each in shown["witnesses"]] == [("officer-2", WHY)]

"""Officers' orders: one stops issuing, two start it again, and nothing else of the register makes either happen."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from core.actors import AUTHORITY, Actor
from core.alarms import AlarmCode
from core.approval import Device, EndCause
from core.canonical import Json
from core.errors import AuthorisationRefused, IssuingStopped, OperationNotPermitted, WrongState
from core.facts import Fact, FactKind
from core.instants import from_seconds
from core.kinds import DecisionState, HierarchyRole
from officers.order import Start, body_sha256, written
from ra.deciding.kinds.grant import ProposeGrant
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.ordering import look
from ra.ordering.authorise import authorise_order, claim_of
from ra.ordering.order import StartIssuing, StopIssuing, order
from store.officers_tables import orders as order_rows
from store.reading import orders as orders_reading
from store.tables import alarms
from store.verbs import facts
from tests.acting import signed_for
from tests.attack.forging import forge
from tests.roster_world import (
    ON_SQLITE,
    alarm_codes,
    change,
    facts_of,
    order_of,
    ordered,
    settle,
    sign_order,
    state_of,
    stopped,
)
from tests.world import ADMIN, AUDITOR, DCC, DEVICE, MANUFACTURER, OFFICER_1, OFFICER_2, OFFICER_3, World

TOLD = (FactKind.ORDER_PROPOSED, FactKind.ORDER_AUTHORISED, FactKind.ISSUING_STOPPED, FactKind.ISSUING_STARTED)


def test_one_officer_stops_issuing_and_nothing_that_waits_is_drafted_or_signed(world: World) -> None:
    seconded = world.drafted()
    world.seconded(seconded)
    undrafted = world.proposed(ProposeGrant(world.applied(device=_another()), "It looks sound."))
    stop = stopped(world)
    assert (state_of(world, stop), world.decision_state(seconded)) == ("done", DecisionState.SECONDED)
    assert world.decision_state(undrafted) == DecisionState.PROPOSED
    assert AlarmCode.ISSUING_STOPPED in alarm_codes(world)
    assert facts_of(world, *TOLD) == ["order-proposed", "order-authorised", "issuing-stopped"]


def test_while_issuing_stands_web_takes_everything_but_what_ends_in_a_certificate(world: World) -> None:
    approval, drafted = world.granted(), world.drafted(device=_another())
    stopped(world)
    with pytest.raises(IssuingStopped):
        world.seconded(drafted)
    with pytest.raises(IssuingStopped):
        world.proposed(ProposeGrant(world.applied(device=_another("AB03")), "It looks sound."))
    refusal = world.proposed(ProposeRefusal(world.applied(device=_another("AB04")), "It is not sound."))
    world.seconded(refusal)
    world.revoked(approval, EndCause.SSC)
    settle(world)
    assert world.decision_state(refusal) == DecisionState.DONE
    assert world.record(approval).ended_at == world.clock.now()


def test_while_issuing_stands_status_goes_on_and_the_responder_is_renewed(world: World) -> None:
    world.granted()
    stopped(world)
    responders = len(world.memory.hierarchy(HierarchyRole.RESPONDER))
    lists = facts_of(world, FactKind.CRL_PUBLISHED)
    world.passes(timedelta(days=60))
    settle(world)
    assert len(world.memory.hierarchy(HierarchyRole.RESPONDER)) > responders
    assert len(facts_of(world, FactKind.CRL_PUBLISHED)) > len(lists)


def test_two_start_again_and_what_waited_is_signed(world: World) -> None:
    decision = world.drafted()
    world.seconded(decision)
    stopped(world)
    start = ordered(world, StartIssuing("It was nothing."), OFFICER_1)
    assert (state_of(world, start), world.decision_state(decision)) == ("open", DecisionState.SECONDED)
    assert sign_order(world, OFFICER_2, start).officers_wanting == 0
    settle(world)
    assert (state_of(world, start), world.decision_state(decision)) == ("done", DecisionState.DONE)
    assert AlarmCode.ISSUING_STOPPED not in alarm_codes(world)
    assert facts_of(world, *TOLD)[-1] == "issuing-started"


@pytest.mark.parametrize("gone", [{"state": "lapsed"}, {"body": "{}"}], ids=str)
def test_a_stop_that_an_officer_signed_for_stands_whatever_becomes_of_its_row(
    world: World, gone: dict[str, Any]
) -> None:
    decision = world.drafted()
    world.seconded(decision)
    stop = order(world.desk, OFFICER_1, StopIssuing("Something is wrong.")).order
    sign_order(world, OFFICER_1, stop)
    with world.store.begin("somebody") as tx:
        closed = {"closed_at": world.clock.now()} if "state" in gone else {}
        tx.connection.execute(update(order_rows).where(order_rows.c.id == stop).values(**gone, **closed))
    settle(world)
    assert world.memory.issuing is not None
    assert world.memory.issuing.stopped
    assert AlarmCode.ISSUING_STOPPED in alarm_codes(world)
    assert world.decision_state(decision) == DecisionState.SECONDED


@ON_SQLITE
def test_what_was_agreed_about_one_stop_starts_nothing_after_another(world: World) -> None:
    stopped(world)
    kept_back = ordered(world, StartIssuing("It was nothing."), OFFICER_1)
    ordered(world, StartIssuing("It was nothing, again."), OFFICER_1, OFFICER_2)
    stopped(world, OFFICER_3)
    sign_order(world, OFFICER_2, kept_back)
    settle(world)
    assert state_of(world, kept_back) == "refused"
    assert "issuing does not stand by order" in (order_of(world, kept_back).outcome or "")
    assert AlarmCode.ISSUING_STOPPED in alarm_codes(world)


@ON_SQLITE
def test_the_authority_keeps_to_its_memory_whatever_the_register_says_of_the_stop(world: World) -> None:
    decision = world.drafted()
    stop = stopped(world)
    with world.store.begin("hide it") as tx:
        tx.connection.execute(alarms.delete().where(alarms.c.code == AlarmCode.ISSUING_STOPPED))
        tx.connection.execute(order_rows.update().where(order_rows.c.id == stop).values(outcome="never mind"))
    world.seconded(decision)  # web believes the register
    settle(world)
    assert world.decision_state(decision) == DecisionState.SECONDED
    assert AlarmCode.ISSUING_STOPPED in alarm_codes(world), "and it is told again"


@ON_SQLITE
def test_an_order_that_was_carried_out_is_not_carried_out_again(world: World) -> None:
    stop = stopped(world)
    ordered(world, StartIssuing("It was nothing."), OFFICER_1, OFFICER_2)
    with world.store.begin("open it again") as tx:
        again = {"state": "open", "closed_at": None, "outcome": None}
        tx.connection.execute(order_rows.update().where(order_rows.c.id == stop).values(**again))
    settle(world)
    assert state_of(world, stop) == "refused"
    assert AlarmCode.ISSUING_STOPPED not in alarm_codes(world)
    assert FactKind.ORDER_REFUSED in facts_of(world, FactKind.ORDER_REFUSED)


@ON_SQLITE
def test_one_whose_memory_was_written_before_the_authority_died_is_found_to_be_done(world: World) -> None:
    stop = stopped(world)
    with world.store.begin("as if we had died behind the memory") as tx:
        before = {"state": "open", "closed_at": None, "outcome": None}
        tx.connection.execute(order_rows.update().where(order_rows.c.id == stop).values(**before))
    records = world.memory.counted()["issuing"]
    settle(world)
    assert (state_of(world, stop), world.memory.counted()["issuing"]) == ("done", records)


@ON_SQLITE
def test_what_officers_signed_is_carried_out_and_not_what_the_row_says_since(world: World) -> None:
    stop = stopped(world)
    start = ordered(world, StartIssuing("It was nothing."), OFFICER_1)
    body = written(Start(why="It was nothing!", ends=stop))
    with world.store.begin("change it") as tx:
        changed = {"body": body, "body_sha256": body_sha256(body)}
        tx.connection.execute(update(order_rows).where(order_rows.c.id == start).values(**changed))
    settle(world)
    assert state_of(world, start) == "refused"
    assert AlarmCode.REGISTER_CONTRADICTS in alarm_codes(world)
    assert AlarmCode.ISSUING_STOPPED in alarm_codes(world)


def test_an_order_lapses_after_a_week_and_then_takes_nobody_in(world: World) -> None:
    stopped(world)
    start = ordered(world, StartIssuing("It was nothing."), OFFICER_1)
    world.passes(timedelta(days=7))
    with pytest.raises(WrongState, match="lapsed"):
        sign_order(world, OFFICER_2, start)
    settle(world)
    assert state_of(world, start) == "lapsed"
    assert facts_of(world, FactKind.ORDER_LAPSED) == ["order-lapsed"]


def test_an_order_of_no_kind_that_there_is_keeps_no_other_from_lapsing(world: World) -> None:
    stopped(world)
    start = ordered(world, StartIssuing("It was nothing."), OFFICER_1)
    no_rule = "ALTER TABLE orders DROP CONSTRAINT ck_orders_kind_known"  # which the database's owner may
    forge(
        world,
        *(() if world.url.startswith("sqlite") else (no_rule,)),
        "INSERT INTO orders (id, kind, state, body, body_sha256, proposer, proposed_at, lapses_at) "
        f"VALUES ('order-odd', 'no such kind', 'open', '{{}}', '{'ab' * 32}', 'mallory', 0, 1)",
    )
    world.passes(timedelta(days=7))
    settle(world)
    assert state_of(world, start) == "lapsed"


def _again(world: World, identifier: str) -> None:
    sign_order(world, OFFICER_1, identifier)


def _for_another_act(world: World, identifier: str) -> None:
    other = order(world.desk, OFFICER_2, StopIssuing("Something else.")).order
    claim = claim_of(order_of(world, other))
    authorise_order(world.desk, OFFICER_2, identifier, signed=signed_for(world.desk, OFFICER_2, claim))


def _by_another_s_key(world: World, identifier: str) -> None:
    claim = claim_of(order_of(world, identifier))
    authorise_order(world.desk, OFFICER_2, identifier, signed=signed_for(world.desk, OFFICER_3, claim))


@ON_SQLITE
@pytest.mark.parametrize(
    ("act", "error"),
    [(_again, WrongState), (_for_another_act, AuthorisationRefused), (_by_another_s_key, AuthorisationRefused)],
)
def test_what_does_not_authorise_an_order(
    world: World, act: Callable[[World, str], None], error: type[Exception]
) -> None:
    change_order = change(world, OFFICER_1, remove=[_key_of(world, OFFICER_3)])
    with pytest.raises(error):
        act(world, change_order)
    settle(world)
    assert state_of(world, change_order) == "open"


# What somebody writes into the journal in the authority's name.
PRETENDED: dict[str, tuple[FactKind, dict[str, Json]]] = {
    "that issuing goes on": (FactKind.ISSUING_STARTED, {"order": "order-1", "statements": []}),
    "that it stands": (FactKind.ISSUING_STOPPED, {"order": "order-1", "statements": []}),
    "another roster": (FactKind.ROSTER_SET, {"number": 2, "members_sha256": "0" * 64, "cause": "root"}),
    "another one of the same number": (FactKind.ROSTER_SET, {"number": 1, "members_sha256": "0" * 64}),
}


@ON_SQLITE
@pytest.mark.parametrize("case", PRETENDED)
def test_what_the_authority_does_not_remember_is_not_sealed_in_its_name(world: World, case: str) -> None:
    kind, said = PRETENDED[case]
    settle(world)
    before = facts_of(world, kind)
    with world.store.begin("pretend") as tx:
        facts.record(tx, Fact(kind, world.clock.now(), AUTHORITY, payload=said))
    settle(world)
    assert (facts_of(world, kind), facts_of(world, FactKind.FACT_REFUSED)) == (before, ["fact-refused"])
    assert AlarmCode.ACT_UNPROVED in alarm_codes(world)


@ON_SQLITE
def test_stopping_what_stands_and_starting_what_goes_on_is_refused(world: World) -> None:
    with pytest.raises(WrongState):
        order(world.desk, OFFICER_1, StartIssuing("Why not."))
    stopped(world)
    with pytest.raises(WrongState):
        order(world.desk, OFFICER_2, StopIssuing("Once more."))


def test_officers_order_and_the_ssc_s_people_look(world: World) -> None:
    stop = stopped(world)
    for actor in (ADMIN, AUDITOR, MANUFACTURER, DCC):
        with pytest.raises(OperationNotPermitted):
            order(world.desk, actor, StopIssuing("Because."))
    shown = look.order(world.desk, AUDITOR, stop)
    assert [(each.officer, each.counts) for each in shown.authorised_by] == [(OFFICER_1.name, True)]
    assert shown.in_words[-1] == "Why: Something is wrong."
    assert look.orders(world.desk, ADMIN, after="", limit=10).orders == (shown,)
    with pytest.raises(OperationNotPermitted):
        look.order(world.desk, DCC, stop)


def _another(model: str = "AB02") -> Device:
    return replace(DEVICE, model=model)


def _key_of(world: World, actor: Actor) -> str:
    held = world.memory.roster(world.clock.now())
    assert held is not None
    return next(each.key for each in held.members if each.officer == actor.name)


def test_orders_that_nobody_signed_for_are_not_even_read(world: World) -> None:
    """Whoever wrote them is gone; what they wrote would never lapse, and cannot be read."""
    with world.store.begin("many") as tx:
        odd = {"kind": "stop-issuing", "state": "open", "body": "{}", "body_sha256": "ab" * 32, "proposer": "mallory"}
        dated = {"proposed_at": world.clock.now(), "lapses_at": from_seconds(253_402_300_799)}
        rows = [{"id": f"order-{number}", **odd, **dated} for number in range(1_000)]
        tx.connection.execute(insert(order_rows), rows)
    read, made = list[str](), orders_reading._order

    def told(row: Any) -> orders_reading.Order:
        read.append(row.id)
        return made(row)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orders_reading, "_order", told)
        stop = stopped(world)
    assert (state_of(world, stop), set(read)) == ("done", {stop})

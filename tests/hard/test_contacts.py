"""Whoever a Manufacturer names is told, for every approval that it has, from the moment at which it says so."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from core.classification import Recipient
from core.errors import RulesRefused
from core.facts import FactKind
from jobs.deliver import LOOK_SECONDS, NoticeDelivery
from jobs.mail import Mailer, Relay
from ra.applying.apply import apply
from ra.applying.change import change_application
from ra.applying.contacts import ChangeContact, change_contact, contacts_of
from ra.applying.look import application as shown
from ra.applying.views import ContactPage
from ra.deciding.kinds.refusal import ProposeRefusal
from ra.deciding.look import decision
from ra.telling.notices import listed
from store.reading import notices as reading
from store.trial_tables import deliveries, notice_counters
from store.verbs import notices as verbs
from tests.acting import propose
from tests.api_world import Api, done, refused
from tests.hard.test_officers_see import lines, seen
from tests.notice_world import facts_of
from tests.world import AUDITOR, MANUFACTURER, NOW, OFFICER_1, OFFICER_2, RIVAL, World, application, csr_pem

FIRST, SECOND, DUTY = "first@acme.co.uk", "second@acme.co.uk", "duty@acme.co.uk"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def held(world: World) -> ContactPage:
    return contacts_of(world.desk, OFFICER_1, after="", limit=50)


def changed(world: World, notices: str | None = None, urgent: str | None = None) -> None:
    world.passes(MINUTE)
    change_contact(world.desk, MANUFACTURER, ChangeContact(notices=notices, urgent=urgent))


def courier(world: World) -> NoticeDelivery:
    relay = Relay("127.0.0.1", 1, "plain", "notices@ssc.example")  # type: ignore[arg-type] # nobody connects
    return NoticeDelivery(world.desk, Mailer(relay, world.clock), {Recipient.DCC: ["dcc@dcc.example"]})


def addressed(world: World, number: str, by: NoticeDelivery | None = None) -> dict[str, str]:
    """Where the copies of a notice are brought, and what has become of each; nothing is sent."""
    (by or courier(world)).open_new()
    with world.store.read() as tx:
        return {each.address: each.state.value for each in reading.deliveries_of(tx, [number])}


def newest(world: World) -> str:
    return listed(world.desk, OFFICER_1, after="", limit=200).notices[-1].notice


def taken(world: World, number: str) -> None:
    with world.store.begin("taken") as tx:
        for each in reading.deliveries_of(tx, [number]):
            verbs.mark_delivered(tx, each.id, at=world.clock.now())


@pytest.mark.clause("F2.21(b)")
def test_what_the_first_application_states_is_the_contact_and_what_a_later_one_states_is_told_not_to_be(
    world: World,
) -> None:
    first = world.applied(contact=FIRST)
    told = apply(world.desk, MANUFACTURER, application(contact=SECOND))
    assert [each.code for each in told.findings if each.clause == "F2.21"] == ["contact-not-the-one-held"]
    (only,) = held(world).contacts
    assert (only.notices, only.urgent, only.application, only.until) == (FIRST, "", first, None)
    changed(world, notices=SECOND)
    # What was said then is still shown.
    assert shown(world.desk, OFFICER_1, first).contact == FIRST
    before, now = held(world).contacts
    assert (before.until, now.since, now.application) == (now.since, NOW + MINUTE, None)
    assert (now.notices, now.set_by, now.manufacturer) == (SECOND, MANUFACTURER.name, "Acme Metering Ltd")


@pytest.mark.clause("F2.21(b)")
def test_an_application_that_is_changed_states_the_first_contact_too(world: World) -> None:
    own = world.applied()
    assert held(world).contacts == ()
    change_application(world.desk, MANUFACTURER, own, {"contact": FIRST})
    change_application(world.desk, MANUFACTURER, own, {"contact": SECOND})
    assert [each.notices for each in held(world).contacts] == [FIRST]


@pytest.mark.clause("F2.21(b)")
def test_a_notice_of_an_old_approval_goes_to_the_contact_that_holds_when_it_is_sent(world: World) -> None:
    approval = world.granted(contact=FIRST)
    told = newest(world)
    assert addressed(world, told) == {FIRST: "waiting", "dcc@dcc.example": "waiting"}
    taken(world, told)
    changed(world, notices=SECOND, urgent=DUTY)
    # What has reached the contact that held then is not told again.
    world.revoked(approval)
    assert SECOND not in addressed(world, told)
    assert DUTY not in addressed(world, told)
    # One officer alone decided it: it is urgent.
    assert set(addressed(world, newest(world))) == {SECOND, DUTY, "dcc@dcc.example"}


@pytest.mark.clause("F2.21(b)")
def test_what_waits_for_a_contact_that_was_left_is_sent_to_the_next_and_owed_to_nobody_else(world: World) -> None:
    world.granted(contact=FIRST)
    told = newest(world)
    addressed(world, told)
    changed(world, notices=SECOND, urgent=DUTY)
    world.applied()  # somebody acted
    assert set(addressed(world, told)) == {FIRST, SECOND, "dcc@dcc.example"}
    with world.store.begin("taken") as tx:
        for each in reading.deliveries_of(tx, [told]):
            if each.address != FIRST:
                verbs.mark_delivered(tx, each.id, at=world.clock.now())
    with world.store.read() as tx:
        missing = reading.undelivered(tx, after=("", ""), limit=50)
    assert {each.recipient for _, each, _ in missing} == {Recipient.PANEL}


@pytest.mark.clause("F2.21(b)")
def test_a_courier_that_has_looked_opens_what_is_new_and_what_a_new_contact_is_owed(world: World) -> None:
    always = courier(world)
    approval = world.granted(contact=FIRST)
    granted = newest(world)
    assert set(addressed(world, granted, always)) == {FIRST, "dcc@dcc.example"}
    world.revoked(approval)
    revoked = newest(world)
    assert set(addressed(world, revoked, always)) == {FIRST, "dcc@dcc.example"}
    changed(world, notices=SECOND)
    assert set(addressed(world, granted, always)) == {FIRST, SECOND, "dcc@dcc.example"}
    assert set(addressed(world, revoked, always)) == {FIRST, SECOND, "dcc@dcc.example"}


# --- a register that is not the one that was looked at ------------------------------------------------------------


def forgotten(world: World, number: str) -> None:
    """Take the deliveries of a notice away, as a register does not have them that was put back."""
    with world.store.begin("forgotten") as tx:
        tx.connection.execute(delete(deliveries).where(deliveries.c.notice == number))


def all_of(world: World, number: str) -> set[str]:
    with world.store.read() as tx:
        return {each.address for each in reading.deliveries_of(tx, [number])}


@pytest.fixture
def standby(
    store_kind: str, store_copy: Callable[[str], str], keys_folder: Path, forget: Callable[[str], None]
) -> Iterator[World]:
    """Another register of the same authority: one that lacks the last commits of the first."""
    made = World(store_copy(store_kind), keys_folder)
    yield made
    made.close()
    forget(made.url)


@pytest.mark.locks
def test_a_standby_that_gave_the_same_number_to_another_notice_is_looked_at_whole(world: World, standby: World) -> None:
    always = courier(world)
    for each, contact in ((world, FIRST), (standby, SECOND)):
        each.granted(contact=contact)
    told = newest(world)
    assert newest(standby) == told
    assert set(addressed(world, told, always)) == {FIRST, "dcc@dcc.example"}
    always.desk = standby.desk  # the database that answers now; as many facts and notices as the other had
    always.open_new()
    assert all_of(standby, told) == {SECOND, "dcc@dcc.example"}


@pytest.mark.locks
def test_a_counter_that_is_lower_than_it_was_has_everything_looked_at(world: World) -> None:
    always = courier(world)
    approval = world.granted(contact=FIRST)
    world.revoked(approval)
    last = newest(world)
    addressed(world, last, always)
    forgotten(world, last)
    world.applied()  # somebody acted
    always.open_new()
    assert all_of(world, last) == set(), "what was looked at is not looked at again after each act"
    with world.store.begin("put back") as tx:
        tx.connection.execute(update(notice_counters).values(last=notice_counters.c.last - 1))
    world.applied(RIVAL)
    always.open_new()
    assert all_of(world, last) == {FIRST, "dcc@dcc.example"}


def test_every_ten_minutes_every_copy_is_looked_at_though_nobody_acted(world: World) -> None:
    seconds = [5.0]
    always = courier(world)
    always.monotonic = lambda: seconds[0]
    world.granted(contact=FIRST)
    last = newest(world)
    addressed(world, last, always)
    forgotten(world, last)
    seconds[0] += LOOK_SECONDS - 1
    always.open_new()
    assert all_of(world, last) == set()
    seconds[0] += 1
    always.open_new()
    assert all_of(world, last) == {FIRST, "dcc@dcc.example"}


@pytest.mark.clause("F2.30")
def test_a_notice_that_two_decided_goes_to_the_first_address_only(world: World) -> None:
    own = world.applied(contact=FIRST)
    changed(world, urgent=DUTY)
    world.seconded(propose(world.desk, OFFICER_1, ProposeRefusal(own, "Nothing is attached.")).decision)
    assert set(addressed(world, newest(world))) == {FIRST, "dcc@dcc.example"}


@pytest.mark.clause("F2.18")
def test_officers_see_the_contact_that_holds_beside_what_was_stated(world: World) -> None:
    own = world.applied(contact=FIRST)
    changed(world, notices=SECOND, urgent=DUTY)
    proposed = propose(world.desk, OFFICER_1, ProposeRefusal(own, "Nothing is attached."))
    about = seen(world, proposed.decision)
    assert about.contact is not None
    assert (about.contact.notices, about.contact.urgent) == (SECOND, DUTY)
    assert about.application.contact == FIRST
    told = lines(decision(world.desk, OFFICER_2, proposed.decision))
    assert all(each in told for each in (FIRST, SECOND, DUTY))


@pytest.mark.clause("F2.21(b)")
def test_another_manufacturer_neither_sees_nor_changes_it_and_no_address_is_in_the_journal(world: World) -> None:
    world.applied(contact=FIRST)
    changed(world, urgent=DUTY)
    mine = held(world).contacts[0].organisation
    nothing = ContactPage(contacts=(), next=None, truncated=False)
    assert contacts_of(world.desk, RIVAL, after="", limit=50) == nothing
    assert contacts_of(world.desk, RIVAL, organisation=mine, after="", limit=50) == nothing
    assert contacts_of(world.desk, RIVAL, organisation="org-none", after="", limit=50) == nothing
    change_contact(world.desk, RIVAL, ChangeContact(notices="other@rival.co.uk"))
    assert [each.notices for each in contacts_of(world.desk, MANUFACTURER, after="", limit=50).contacts] == [FIRST] * 2
    assert len(contacts_of(world.desk, AUDITOR, holding=True, after="", limit=50).contacts) == 2
    assert len(contacts_of(world.desk, AUDITOR, holding=False, after="", limit=50).contacts) == 1
    journalled = json.dumps(facts_of(world, FactKind.CONTACT_CHANGED))
    assert len(facts_of(world, FactKind.CONTACT_CHANGED)) == 3
    assert not [each for each in (FIRST, DUTY, "rival.co.uk") if each in journalled]


@pytest.mark.clause("F2.21(b)")
def test_what_nothing_can_be_sent_to_is_refused_and_a_change_of_nothing_makes_no_other(world: World) -> None:
    world.applied(contact=FIRST)
    for wrong in ("nobody", "a@b", f"{FIRST}, {SECOND}"):
        with pytest.raises(RulesRefused) as refusal:
            change_contact(world.desk, MANUFACTURER, ChangeContact(urgent=wrong))
        assert wrong not in str(refusal.value.fields)
    changed(world, notices=FIRST)
    assert len(held(world).contacts) == 1
    changed(world, notices="", urgent=DUTY)
    assert [each.notices for each in held(world).contacts] == [FIRST, ""]


@pytest.mark.clause("F2.21(b)")
def test_it_is_changed_and_read_over_http(api: Api) -> None:
    api.applied(csr=csr_pem().decode(), contact=FIRST)
    told = done(api.ask("manufacturer", "POST", "/v1/contacts", {"urgent": DUTY}), 201)
    assert (told["notices"], told["urgent"]) == (FIRST, DUTY)
    refused(api.ask("manufacturer", "POST", "/v1/contacts", {}), 400, "body-malformed")
    refused(api.ask("officer-1", "POST", "/v1/contacts", {"notices": SECOND}), 403, "operation-not-permitted")
    page = done(api.ask("officer-1", "GET", f"/v1/contacts?holding=true&organisation={MANUFACTURER.organisation}"))
    assert [(each["urgent"], each["until"]) for each in page["contacts"]] == [(DUTY, None)]
    assert page["truncated"] is False


@pytest.mark.clause("F2.21(b)")
def test_a_contact_is_changed_though_the_clock_was_set_back_since(world: World) -> None:
    changed(world, FIRST)
    for back in (timedelta(seconds=1), timedelta(hours=2)):
        world.move_clock(-back - MINUTE)
        changed(world, SECOND, urgent=str(back.seconds) + DUTY)
        assert contacts_of(world.desk, MANUFACTURER, holding=True, after="", limit=9).contacts[0].notices == SECOND
    assert all(each.until is None or each.since <= each.until for each in held(world).contacts)

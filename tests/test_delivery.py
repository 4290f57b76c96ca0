"""Notices reach their recipients by real mail and real webhooks, are tried until taken, and are missed when not."""

import hashlib
import hmac
import json
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core import boundaries
from core.classification import Recipient
from core.errors import MailRefused
from core.facts import FactKind
from core.kinds import DecisionKind
from jobs.courier import SIGNATURE_HEADER, Courier, Subscriber
from jobs.deliver import CLAIM, FIRST_PAUSE, GIVE_UP_AFTER, LONGEST_PAUSE, NoticeDelivery, pause
from jobs.mail import Attachment, Mailer
from store.reading import notices as reading
from store.reading.notices import Delivery
from store.trial_tables import deliveries
from tests.api_world import Api, done, refused
from tests.mail_world import SENDER, Listener, Post, listener, post_office
from tests.notice_world import contact, decision, documents, facts_of, grant_again, noticed, passage, written
from tests.world import World

TO = {Recipient.DCC: ["dcc@dcc.example"], Recipient.PANEL: ["panel@secas.example", "cpl@secas.example"]}
MAKER = "trials@acme.example"
SECRET = b"shared with the listener"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Post]:
    with post_office(tmp_path, "starttls") as post:
        yield post


@pytest.fixture
def hook() -> Iterator[Listener]:
    with listener() as made:
        yield made


def refusal(world: World, **words: Any) -> str:
    application = world.applied()
    contact(world, MAKER)
    return noticed(world, decision(DecisionKind.REFUSE, at=world.clock.now(), application=application, **words))


def errand(
    world: World,
    mailer: Mailer | None,
    to: Mapping[Recipient, Sequence[str]] = TO,
    hooks: Sequence[Subscriber] = (),
) -> NoticeDelivery:
    return NoticeDelivery(world.desk, mailer, to, hooks)


def rows(world: World, number: str) -> dict[tuple[str, str], Delivery]:
    with world.store.read() as tx:
        return {(each.recipient.value, each.address): each for each in reading.deliveries_of(tx, [number])}


def only(world: World, number: str) -> Delivery:
    found = rows(world, number)
    assert len(found) == 1
    return next(iter(found.values()))


DCC_ONLY = {Recipient.DCC: ["dcc@dcc.example"]}


def dcc_refusal(world: World, **words: Any) -> str:
    """A notice that mail can bring to the DCC only."""
    made = decision(DecisionKind.REFUSE, at=world.clock.now(), application=world.applied(), **words)
    return noticed(world, made)


# --- mail ---------------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.21(b)")
@pytest.mark.clause("F2.25")
def test_a_grant_is_mailed_to_each_with_pdf_json_and_certificate(world: World, office: Post) -> None:
    approval = world.granted()
    contact(world, MAKER)
    secret = passage("assessment", "Xylophone, between us.", "amber", to=["manufacturer"])
    made = grant_again(world, approval, passages=[passage("reasons", "Quokka sounds good."), secret])
    number = noticed(world, made, serial=world.record(approval).certificates[0].serial)
    errand(world, office.mailer()).turn()
    mine = [each for each in office.received if number in each.message["Subject"]]
    assert sorted(each.to[0] for each in mine) == sorted([MAKER, *TO[Recipient.DCC], *TO[Recipient.PANEL]])
    for each in mine:
        assert len(each.to) == 1, "nobody sees who else got it"
        assert each.encrypted
        assert each.sender == SENDER
        recipient = {MAKER: "manufacturer", "dcc@dcc.example": "dcc"}.get(each.to[0], "panel")
        assert set(each.files) == {f"{number}.pdf", f"{number}.json", "certificate.pem"}
        assert each.files[f"{number}.json"] == written(world, number)[recipient].encode()
        assert each.files[f"{number}.pdf"].startswith(b"%PDF-")
        assert each.files["certificate.pem"].decode() == documents(world, number)[recipient]["certificate"]["pem"]
        assert each.message["Auto-Submitted"] == "auto-generated"
        assert each.message["Date"]
        assert (b"Xylophone" in each.files[f"{number}.json"]) == (recipient == "manufacturer")
    for way in rows(world, number).values():
        assert (way.state, way.attempts, way.delivered_at) == ("delivered", 1, world.clock.now())
    told = [each for each in facts_of(world, FactKind.NOTICE_DELIVERED) if each["number"] == number]
    assert len(told) == 4
    assert "@" not in json.dumps(told), "an address is somebody's"


def test_the_text_of_the_mail_reads_well_and_keeps_the_words_of_the_decision(world: World, office: Post) -> None:
    number = refusal(world, passages=[passage("reasons", "Quokka."), passage("assessment", "Wombat.", "red")])
    errand(world, office.mailer(), {Recipient.DCC: ["dcc@dcc.example"]}).turn()
    letter = next(each for each in office.received if each.to == ["dcc@dcc.example"])
    assert letter.message["Subject"].startswith(f"[TEST] {number}: Application for a Trial Device Approval not")
    assert "copy for the DCC, classified Amber." in letter.text
    assert "Acme Metering Ltd" in letter.text
    assert "One passage is withheld from this copy (F2.22)." in letter.text
    assert "Quokka" not in letter.text, "first lines are shown on locked screens"
    assert all(len(line) <= 78 for line in letter.text.splitlines())
    assert all(len(line) <= 998 for line in letter.octets.splitlines())


@pytest.mark.parametrize("tls", ["starttls", "implicit", "none"])
def test_a_message_is_taken_over_each_kind_of_connection(tmp_path: Path, tls: Any) -> None:
    with post_office(tmp_path, tls) as post:
        files = [Attachment("Größe.pdf", "application/pdf", b"%PDF-1")]
        post.mailer().send("a@b.example", "Über\r\nBcc: x@y.example", "Grüße\n", files, "digest ssc 2027-05-03")
    assert [each.encrypted for each in post.received] == [tls != "none"]
    assert all(each.octets.isascii() for each in post.received), "a relay without 8BITMIME takes it too"
    message = post.received[0].message
    assert message["Subject"] == "Über Bcc: x@y.example"
    assert message["Bcc"] is None
    assert message["Message-ID"] == "<digest-ssc-2027-05-03@ssc.example>"
    assert post.received[0].text.strip() == "Grüße"
    assert post.received[0].files == {"Größe.pdf": b"%PDF-1"}


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_relay_that_cannot_be_verified_gets_nothing(tmp_path: Path, tls: Any) -> None:
    with post_office(tmp_path, tls, password="hunter2") as post:
        stranger = post.mailer(ca_file=None, username="us", password="hunter2")
        with pytest.raises(MailRefused, match="certificate cannot be verified"):
            stranger.send("a@b.example", "s", "b", (), "m")
    assert (post.received, post.logins) == ([], [])


def test_a_relay_under_another_name_gets_nothing(tmp_path: Path) -> None:
    with post_office(tmp_path, "starttls") as post, pytest.raises(MailRefused, match="cannot be verified"):
        post.mailer(host="localhost").send("a@b.example", "s", "b", (), "m")
    assert post.received == []


def test_without_starttls_nothing_is_said_in_the_clear(tmp_path: Path) -> None:
    with post_office(tmp_path, "starttls", offers_tls=False) as post:
        with pytest.raises(MailRefused, match="does not offer") as error:
            post.mailer().send("a@b.example", "s", "b", (), "m")
        assert error.value.temporary
    assert post.received == []


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_password_is_given_over_tls_only(tmp_path: Path, tls: Any) -> None:
    with post_office(tmp_path, tls, password="hunter2") as post:
        post.mailer(username="us", password="hunter2").send("a@b.example", "s", "b", (), "m")
        with pytest.raises(MailRefused, match=r"answered 535 5[.]7[.]8 to the login") as error:
            post.mailer(username="us", password="hunter3").send("a@b.example", "s", "b", (), "m")
        assert "hunter3" not in str(error.value)
    assert post.logins[0] == (b"hunter2", True)
    assert all(encrypted for _, encrypted in post.logins)
    assert len(post.received) == 1
    with pytest.raises(ValueError, match="stays on this machine"):
        post.mailer(tls="none", username="us", password="hunter2")
    with pytest.raises(ValueError, match="stays on this machine"):
        post.mailer(tls="none", host="mail.example")


@pytest.mark.parametrize(
    ("answer", "told", "temporary"),
    [
        ("450 4.2.1 try again, dcc@dcc.example", "the relay answered 450 4.2.1 to the recipient", True),
        ("550 5.1.1 no dcc@dcc.example here", "the relay answered 550 5.1.1 to the recipient", False),
        ("DATA 451 4.3.0 later", "the relay answered 451 4.3.0 to the message", True),
        ("DATA 554 5.7.1 I read “Quokka” in it", "the relay answered 554 5.7.1 to the message", False),
        ("DATA 554 I read “Quokka” in it", "the relay answered 554 to the message", False),
        ("hang up", "the relay hung up during the message", True),
        ("DATA hang up", "the relay hung up during the message", True),
    ],
)
def test_what_a_relay_answers_is_told_by_its_code_alone(office: Post, answer: str, told: str, temporary: bool) -> None:  # noqa: FBT001
    office.answers.append(answer)
    with pytest.raises(MailRefused) as error:
        office.mailer().send("dcc@dcc.example", "s", "Quokka", (), "m")
    assert told in str(error.value)
    assert error.value.temporary is temporary
    assert "Quokka" not in str(error.value)
    assert "dcc@" not in str(error.value)
    office.mailer().send("dcc@dcc.example", "s", "Quokka", (), "m")
    assert len(office.received) == 1


NO_ADDRESS = ["", "nobody", "a@b\r\nBcc: c@d.example", "a@b.example, c@d.example", "<a@b.example>", "ä@b.example"]


@pytest.mark.parametrize("address", NO_ADDRESS)
def test_what_is_no_address_is_not_written_to(office: Post, address: str) -> None:
    with pytest.raises(MailRefused) as error:
        office.mailer().send(address, "s", "b", (), "m")
    assert not error.value.temporary
    assert office.received == []


def test_nobody_listening_is_told_and_tried_again(world: World, office: Post) -> None:
    number = dcc_refusal(world)
    gone = errand(world, office.mailer(port=9), DCC_ONLY)
    gone.turn()
    way = only(world, number)
    assert (way.state, way.attempts) == ("waiting", 1)
    assert way.last_error == "The mail was not sent: the connection failed (ConnectionRefusedError)."


# --- again, and no more -------------------------------------------------------------------------------------------


def test_a_refused_mail_is_tried_again_after_growing_pauses_until_it_is_taken(world: World, office: Post) -> None:
    number = dcc_refusal(world)
    office.answers = ["450 4.2.1 later", "DATA 451 4.3.0 later", "hang up"]
    going = errand(world, office.mailer(), DCC_ONLY)
    for attempt in range(1, 4):
        assert going.turn() == 1
        way = only(world, number)
        assert (way.state, way.attempts) == ("waiting", attempt)
        assert way.due == world.clock.now() + FIRST_PAUSE * 2 ** (attempt - 1)
        assert going.turn() == 0, "not before it is due"
        world.at(way.due)
    assert going.turn() == 1
    assert only(world, number).state == "delivered"
    assert (len(office.received), going.turn()) == (1, 0)
    assert facts_of(world, FactKind.NOTICE_UNDELIVERED) == []


def test_pauses_grow_to_the_longest_and_a_refusal_for_good_waits_that_long() -> None:
    grown = [pause(failed, temporary=True) for failed in range(100)]
    assert grown[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert grown == sorted(grown)
    assert grown[-1] == pause(0, temporary=False) == LONGEST_PAUSE


def test_after_five_days_it_is_given_up_told_and_stays_on_the_list_until_it_is_fetched(
    world: World, office: Post
) -> None:
    api = Api(world)
    number = dcc_refusal(world)
    began = world.clock.now()
    office.answers = ["550 5.1.1 no"] * 100
    going = errand(world, office.mailer(), DCC_ONLY)
    tried = 0
    while only_or_none(world, number) is None or only(world, number).state == "waiting":
        tried += going.turn()
        if only(world, number).state == "waiting":
            world.at(only(world, number).due)
    assert GIVE_UP_AFTER <= world.clock.now() - began < GIVE_UP_AFTER + LONGEST_PAUSE
    assert tried == only(world, number).attempts == 100 - len(office.answers)
    fact = facts_of(world, FactKind.NOTICE_UNDELIVERED)[-1]
    assert (fact["number"], fact["recipient"], fact["channel"]) == (number, "dcc", "mail")
    world.at(world.clock.now() + timedelta(days=30))
    assert going.turn() == 0
    line = next(each for each in undelivered(api) if (each["notice"], each["recipient"]) == (number, "dcc"))
    assert (line["state"], line["channel"], line["address"]) == ("given-up", "mail", "dcc@dcc.example")
    assert line["last_error"] == "The mail was not sent: the relay answered 550 5.1.1 to the recipient."
    done(api.ask("dcc", "GET", f"/v1/notices/{number}"))
    assert (number, "dcc") not in [(each["notice"], each["recipient"]) for each in undelivered(api)]


def only_or_none(world: World, number: str) -> Delivery | None:
    return next(iter(rows(world, number).values()), None)


def undelivered(api: Api) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        page = done(api.ask("officer-1", "GET", f"/v1/notices/undelivered?limit=2&after={after}"))
        seen += page["undelivered"]
        after = page["next"]
    return seen


def test_a_copy_without_any_address_is_on_the_list_until_it_is_fetched(world: World) -> None:
    api = Api(world)
    number = dcc_refusal(world)
    errand(world, None).turn()
    listed = {each["recipient"]: each for each in undelivered(api) if each["notice"] == number}
    assert {each["state"] for each in listed.values()} == {"no-address"}
    assert set(listed) == {"manufacturer", "dcc", "panel"}
    done(api.ask("panel", "GET", f"/v1/notices/{number}"))
    left = [each["recipient"] for each in undelivered(api) if each["notice"] == number]
    assert sorted(left) == ["dcc", "manufacturer"]
    refused(api.ask("dcc", "GET", "/v1/notices/undelivered"), 403, "operation-not-permitted")


def test_one_channel_that_fails_is_listed_beside_one_that_delivered(world: World, office: Post, hook: Listener) -> None:
    api = Api(world)
    number = dcc_refusal(world)
    hook.answers = [500]
    hooks = [Subscriber(hook.url, SECRET, recipient=Recipient.DCC)]
    errand(world, office.mailer(), DCC_ONLY, hooks).turn()
    lines = [each for each in undelivered(api) if (each["notice"], each["recipient"]) == (number, "dcc")]
    assert [(each["channel"], each["last_error"]) for each in lines] == [("webhook", "The listener answered 500.")]


@pytest.mark.parametrize("where", ["after commit claim delivery", "before commit record delivery"])
def test_after_a_death_it_is_delivered_again_and_can_be_told_to_be_the_same(
    world: World, office: Post, where: str
) -> None:
    number = dcc_refusal(world)

    def die(name: str) -> None:
        if name == where:
            raise KeyboardInterrupt

    boundaries.observe(die)
    try:
        with pytest.raises(KeyboardInterrupt):
            errand(world, office.mailer(), DCC_ONLY).turn()
    finally:
        boundaries.observe(None)
    again = errand(world, office.mailer(), DCC_ONLY)
    assert again.turn() == 0, "another courier may be at it"
    world.at(world.clock.now() + CLAIM)
    assert again.turn() == 1
    assert only(world, number).state == "delivered"
    assert len(office.received) == (2 if "record" in where else 1)
    assert len({each.message["Message-ID"] for each in office.received}) == 1
    assert [each["number"] for each in facts_of(world, FactKind.NOTICE_DELIVERED)].count(number) == 1


def test_several_couriers_send_each_notice_once(world: World, office: Post) -> None:
    numbers = [dcc_refusal(world) for _ in range(3)]
    couriers = [errand(world, office.mailer(), DCC_ONLY) for _ in range(3)]
    threads = [threading.Thread(target=each.turn) for each in couriers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while any(each.turn() for each in couriers):
        pass
    sent = [number for each in office.received for number in numbers if number in each.message["Subject"]]
    assert sorted(sent) == sorted(numbers)


def test_a_notice_that_cannot_be_typeset_holds_up_no_other_and_nothing_of_it_is_logged(
    world: World, office: Post, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from documents import notice as typesetting  # noqa: PLC0415 - only here is it made to fail

    bad = dcc_refusal(world, passages=[passage("reasons", "Quokka.")])
    good = dcc_refusal(world)
    typeset = typesetting.notice_pdf

    def fails_once(document: Mapping[str, Any]) -> bytes:
        if document["notice"] == bad:
            raise RuntimeError(str(document))
        return typeset(document)

    monkeypatch.setattr("documents.notice.notice_pdf", fails_once)
    with caplog.at_level(logging.DEBUG):
        errand(world, office.mailer(), DCC_ONLY).turn()
    assert only(world, good).state == "delivered"
    assert only(world, bad).last_error == "The courier failed; its log says how."
    assert "RuntimeError" in caplog.text
    assert "Quokka" not in caplog.text


# --- whom ---------------------------------------------------------------------------------------------------------


def test_an_address_that_left_the_settings_gets_nothing_more(world: World, office: Post) -> None:
    number = dcc_refusal(world)
    office.answers = ["450 4.2.1 later"]
    errand(world, office.mailer(), {Recipient.DCC: ["old@dcc.example"]}).turn()
    world.at(world.clock.now() + FIRST_PAUSE)
    errand(world, office.mailer(), {Recipient.DCC: ["new@dcc.example"]}).turn()
    found = rows(world, number)
    assert found["dcc", "new@dcc.example"].state == "delivered"
    old = found["dcc", "old@dcc.example"]
    assert (old.state, old.attempts) == ("waiting", 2)
    assert old.last_error == "The address is not in the settings, or not that of the Manufacturer, any more."
    assert [each.to for each in office.received] == [["new@dcc.example"]]


def test_a_new_address_gets_what_never_arrived_and_no_history(world: World, office: Post) -> None:
    arrived = dcc_refusal(world)
    errand(world, office.mailer(), DCC_ONLY).turn()
    world.at(world.clock.now() + GIVE_UP_AFTER + timedelta(days=1))
    both = {**DCC_ONLY, Recipient.PANEL: ["panel@secas.example"]}
    both[Recipient.DCC] = ["dcc@dcc.example", "second@dcc.example"]
    errand(world, office.mailer(), both).turn()
    assert set(rows(world, arrived)) == {("dcc", "dcc@dcc.example"), ("panel", "panel@secas.example")}
    assert sorted(each.to[0] for each in office.received) == ["dcc@dcc.example", "panel@secas.example"]


@pytest.mark.parametrize("named", NO_ADDRESS)
def test_a_contact_that_is_no_address_is_not_written_to(world: World, office: Post, named: str) -> None:
    number = refusal(world)
    contact(world, named)
    errand(world, office.mailer(), {}).turn()
    assert (rows(world, number), office.received) == ({}, [])


# --- webhooks -----------------------------------------------------------------------------------------------------


def test_a_webhook_gets_its_recipients_copy_signed_and_by_its_digest(world: World, hook: Listener) -> None:
    secret = passage("assessment", "Quokka.", "amber", to=["manufacturer"])
    number = refusal(world, passages=[passage("reasons", "No."), secret])
    hooks = [
        Subscriber(hook.url + "?for=dcc", SECRET, recipient=Recipient.DCC),
        Subscriber(hook.url + "/acme", SECRET, recipient=Recipient.MANUFACTURER, organisation="org-acme"),
        Subscriber(hook.url + "/rival", SECRET, recipient=Recipient.MANUFACTURER, organisation="org-rival"),
        Subscriber(hook.url + "/feed", SECRET),
    ]
    errand(world, None, {}, hooks).turn()
    mine = [each for each in hook.heard if each[0]["trialcpa-notice"] == number]
    assert sorted(json.loads(body)["recipient"] for _, body in mine) == ["dcc", "manufacturer"]
    for headers, body in mine:
        assert headers[SIGNATURE_HEADER.lower()] == f"sha256={hmac.new(SECRET, body, hashlib.sha256).hexdigest()}"
        assert headers["trialcpa-document-sha256"] == hashlib.sha256(body).hexdigest()
        recipient = json.loads(body)["recipient"]
        assert body == written(world, number)[recipient].encode()
        assert (b"Quokka" in body) == (recipient == "manufacturer")
    assert {each.state for each in rows(world, number).values()} == {"delivered"}


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_listener_that_refuses_is_told_again(world: World, hook: Listener, status: int) -> None:
    number = dcc_refusal(world)
    hook.answers = [status]
    going = errand(world, None, {}, [Subscriber(hook.url, SECRET, recipient=Recipient.DCC)])
    going.turn()
    assert only(world, number).last_error == f"The listener answered {status}."
    world.at(world.clock.now() + FIRST_PAUSE)
    going.turn()
    assert only(world, number).state == "delivered"
    assert len(hook.heard) == 2
    assert hook.heard[0][1] == hook.heard[1][1], "the same octets: it can be told to be the same"


def test_what_is_secret_in_a_webhooks_address_is_kept_nowhere(
    world: World, hook: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    number = dcc_refusal(world)
    url = hook.url.replace("http://", "http://user:zebra@") + "?token=gazelle"
    hook.answers = [500]
    going = errand(world, None, {}, [Subscriber(url, SECRET, recipient=Recipient.DCC)])
    with caplog.at_level(logging.DEBUG):
        going.turn()
    with world.store.read() as tx:
        kept = [dict(row) for row in tx.connection.execute(select(deliveries)).mappings()]
    for word in ("zebra", "gazelle"):
        assert word not in str(kept)
        assert word not in caplog.text
    assert only(world, number).address.startswith(hook.url + "#")
    other = Subscriber(url + "2", SECRET, recipient=Recipient.DCC)
    assert other.address != Subscriber(url, SECRET).address


# --- the process --------------------------------------------------------------------------------------------------


def test_a_running_courier_brings_notices_and_facts_and_one_that_is_away_holds_up_nobody(
    world: World, office: Post, hook: Listener
) -> None:
    approval = world.granted()
    number = noticed(world, grant_again(world, approval))
    hooks = [Subscriber("http://127.0.0.1:9/", SECRET), Subscriber(hook.url, SECRET, recipient=Recipient.DCC)]

    class Broken:
        def turn(self) -> int:
            raise RuntimeError("Quokka")

    courier = Courier(world.store, hooks, (Broken(), errand(world, office.mailer(), DCC_ONLY, hooks)))
    stopping, waited = threading.Event(), threading.Event()
    running = threading.Thread(target=courier.run, args=(stopping,))
    running.start()
    for _ in range(400):
        states = {each.state for each in rows(world, number).values()}
        kinds = {json.loads(body).get("kind") for _, body in hook.heard}
        if states == {"delivered"} and {"approval-granted", "grant"} <= kinds:
            break
        waited.wait(0.05)
    stopping.set()
    running.join()
    assert {each.state for each in rows(world, number).values()} == {"delivered"}
    assert {"approval-granted", "grant"} <= kinds

"""What a recipient may not have is nowhere in what it can get: searched for in the octets, on every way out."""

import hashlib
import logging
import re
import subprocess
import traceback
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from core.canonical import canonical
from core.classification import Classification, Passage, Recipient
from core.kinds import DecisionKind
from jobs.deliver import NoticeDelivery
from jobs.webhook import Subscriber
from ra.deciding import notice
from store.tables import journal
from store.trial_tables import breaches, conditions
from tests.api_world import Api, done
from tests.mail_world import listener, post_office
from tests.notice_world import (
    EVERYBODY,
    contact,
    decision,
    documents,
    grant_again,
    grant_said,
    noticed,
    passage,
)
from tests.world import NOW, World

RED, MAKERS, DCCS, SHARED = "Quetzalcoatlus", "Axolotlish", "Pangolinate", "Hippogriffin"
CONDITION_RED, CONDITION_PANEL = "Wolpertinger", "Jackalopian"
ALLOWED = {
    "manufacturer": {SHARED, MAKERS},
    "dcc": {SHARED, DCCS},
    "panel": {SHARED, CONDITION_PANEL},
}
EVERY = {RED, MAKERS, DCCS, SHARED, CONDITION_RED, CONDITION_PANEL}


def words() -> dict[str, Any]:
    """A decision's words of every kind, each with one that is nowhere else."""
    return {
        "passages": [
            passage("reasons", f"It looks sound to {SHARED}."),
            passage("assessment", f"The {RED} found a weakness.", "red"),
            passage(f"{MAKERS} only", f"Only {MAKERS} reads this.", "amber", to=["manufacturer"]),
            passage("networks", f"Only {DCCS} reads this.", "red", to=["dcc"]),
        ],
        "conditions": [
            (1, passage("condition 1", f"Nobody is told of {CONDITION_RED}.", "red")),
            (2, passage("condition 2", f"The Panel is told of {CONDITION_PANEL}.", "green", to=["panel"])),
        ],
    }


@pytest.fixture
def number(world: World) -> str:
    approval = world.granted()
    contact(world, "trials@acme.example")
    made = grant_again(world, approval, **words())
    return noticed(world, made, serial=world.record(approval).certificates[0].serial)


def holds(octets: bytes) -> set[str]:
    """Which of the words are in some octets, in any of the forms in which text is written."""
    folded = octets.lower()
    found = set()
    for word in EVERY:
        small = word.lower()
        forms = (small.encode(), small.encode("utf-16-be"), small.encode("utf-16-le"), small.encode().hex().encode())
        if any(form in folded for form in forms):
            found.add(word)
    return found


def inside(pdf: bytes) -> bytes:
    """A PDF's octets, with every stream of it that can be decompressed, and its text as a reader shows it."""
    opened = [pdf]
    for match in re.finditer(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            opened.append(zlib.decompressobj().decompress(match.group(1)))
        except zlib.error:
            continue
    return b"\n".join(opened)


def read_aloud(pdf: bytes, folder: Path) -> str:
    (folder / "notice.pdf").write_bytes(pdf)
    try:
        read = subprocess.run(
            ["pdftotext", "-raw", "notice.pdf", "-"], cwd=folder, capture_output=True, check=True
        ).stdout.decode()
    except FileNotFoundError:
        pytest.skip("pdftotext is not installed")
    return read.replace("-\n", "").replace("\n", "")


# --- every combination --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared(store_copy: Callable[[str], str], keys_folder: Any) -> Iterator[World]:
    made = World(store_copy("sqlite"), keys_folder)
    made.approval = made.granted()  # type: ignore[attr-defined]
    yield made
    made.close()


@st.composite
def told(draw: st.DrawFn) -> Passage:
    """Some words that are nowhere else, of a class, for some recipients."""
    mark = draw(st.integers(0, 2**64 - 1))
    to = draw(st.one_of(st.none(), st.lists(st.sampled_from(EVERYBODY), unique=True)))
    return Passage.of(f"subject{mark:016x}", f"text{mark:016x}", draw(st.sampled_from(Classification)), to)


@pytest.mark.clause("F2.22")
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(told(), min_size=1, max_size=6, unique_by=lambda p: p.text), st.lists(told(), max_size=4))
def test_no_copy_holds_a_trace_of_what_is_not_for_its_recipient(
    shared: World, passages: list[Passage], set_now: list[Passage]
) -> None:
    approval: str = shared.approval  # type: ignore[attr-defined]
    made = grant_again(shared, approval, passages=passages, conditions=list(enumerate(set_now, 1)))
    with shared.store.read() as tx:
        drafts = notice.foreseen(tx, made, at=NOW).copies
    for recipient in EVERYBODY:
        document: Any = drafts[recipient.value]
        octets = canonical(document)
        mine = [each for each in (*passages, *set_now) if recipient in each.recipients]
        mine_texts = {each.text for each in mine}
        for each in (*passages, *set_now):
            if each.text in mine_texts:
                assert each.text.encode() in octets
                continue
            for trace in (
                each.text,
                each.subject,
                each.digest,
                each.salt.hex(),
                hashlib.sha256(each.text.encode()).hexdigest(),
            ):
                assert trace.encode() not in octets
        assert document["withheld"] == len(passages) + len(set_now) - len(mine)
        order = list(Classification)
        highest = max([order.index(each.classification) for each in mine] + [order.index(Classification.GREEN)])
        assert document["classification"] == order[highest].value
        assert len(document["passages"]) + len(document["conditions"]) == len(mine)


# --- every way out ------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.22")
def test_json_and_pdf_hold_what_is_theirs_and_nothing_else(world: World, number: str, tmp_path: Path) -> None:
    api = Api(world)
    for who, allowed in ALLOWED.items():
        assert holds(api.ask(who, "GET", f"/v1/notices/{number}").data) == allowed
        pdf = api.ask(who, "GET", f"/v1/notices/{number}", Accept="application/pdf").data
        assert holds(inside(pdf)) <= allowed
        assert holds(read_aloud(pdf, tmp_path).encode()) == allowed, "what is theirs can be read in it"
        seen = api.ask("officer-1", "GET", f"/v1/notices/{number}?recipient={who}").data
        assert holds(seen) == allowed, "the SSC sees what the recipient sees"
    assert holds(api.ask("officer-1", "GET", f"/v1/notices/{number}").data) == EVERY, "the register keeps it all"


@pytest.mark.clause("F2.22")
def test_the_record_shows_that_something_was_withheld(world: World, number: str) -> None:
    counted = {recipient: document["withheld"] for recipient, document in documents(world, number).items()}
    assert counted == {"manufacturer": 4, "dcc": 4, "panel": 4}


def test_mail_and_webhook_hold_what_is_theirs_and_nothing_else(world: World, number: str, tmp_path: Path) -> None:
    to = {Recipient.DCC: ["dcc@dcc.example"], Recipient.PANEL: ["panel@secas.example"]}
    with post_office(tmp_path, "starttls") as office, listener() as hook:
        hooks = [Subscriber(hook.url, b"secret", recipient=Recipient.PANEL)]
        NoticeDelivery(world.desk, office.mailer(), to, hooks).turn()
    mine = [each for each in office.received if number in each.message["Subject"]]
    assert len(mine) == 3
    names = {"trials@acme.example": "manufacturer", "dcc@dcc.example": "dcc", "panel@secas.example": "panel"}
    for each in mine:
        allowed = ALLOWED[names[each.to[0]]]
        assert holds(each.octets) == set(), "headers and text have none of the words"
        assert holds(each.files[f"{number}.json"]) == allowed
        assert holds(inside(each.files[f"{number}.pdf"])) <= allowed
    heard = [body for headers, body in hook.heard if headers["trialcpa-notice"] == number]
    assert [holds(body) for body in heard] == [ALLOWED["panel"]]


def test_neither_journal_nor_log_holds_any_word(world: World, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    with caplog.at_level(logging.DEBUG), post_office(tmp_path, "starttls") as office:
        api = Api(world)
        approval = world.granted()
        number = noticed(world, grant_again(world, approval, **words()))
        office.answers = ["450 4.2.1 busy", f"DATA 554 5.7.1 I have read {RED}"]
        to = {Recipient.DCC: ["a@dcc.example", "b@dcc.example", "c@dcc.example"]}
        NoticeDelivery(world.desk, office.mailer(), to).turn()
        for who in ("manufacturer", "rival", "dcc", "panel", "officer-1"):
            api.ask(who, "GET", f"/v1/notices/{number}", Accept="application/pdf")
        world.authority.settle()
    assert len(office.received) > 0
    # The mail server of the test says what it likes in its own log.
    logged = [logging.Formatter().format(each) for each in caplog.records if each.name != "mail.log"]
    assert any("was not" in each or "answered" in each for each in logged), "there is something to be searched"
    assert holds("\n".join(logged).encode()) == set()
    with world.store.read() as tx:
        rows = [dict(row) for row in tx.connection.execute(select(journal)).mappings()]
    assert holds(str(rows).encode()) == set()
    # Nor what would confirm a guess of them: plain digests of texts, or of a document without its salt.
    kept = str(rows)
    for each in words()["passages"]:
        assert hashlib.sha256(each.text.encode()).hexdigest() not in kept
    for document in documents(world, number).values():
        guessed = {**document, "salt": None}
        assert hashlib.sha256(canonical(guessed)).hexdigest() not in kept


def test_no_error_that_a_recipient_can_provoke_says_a_word(world: World, number: str) -> None:
    api = Api(world)
    tried = 0
    for who in ("manufacturer", "rival", "dcc", "panel", None):
        for path in (
            f"/v1/notices/{number}?recipient=manufacturer",
            f"/v1/notices/{number}?recipient=dcc",
            f"/v1/notices/{number}?recipient=panel",
            f"/v1/notices/{number}?recipient=red",
            f"/v1/notices/{number}?recipient=dcc&recipient=panel",
            f"/v1/notices/{number}x",
            f"/v1/notices/{number}/record",
            "/v1/notices?after=%00",
            "/v1/notices?limit=x",
            "/v1/notices/undelivered",
        ):
            for accept in ("application/json", "application/pdf", "text/html", "*/*;q=0"):
                answer = api.ask(who, "GET", path, Accept=accept)
                if answer.status_code >= 400:
                    tried += 1
                    assert answer.status_code < 500
                    assert holds(answer.data) == set()
        for method in ("POST", "DELETE", "PATCH"):
            answer = api.ask(who, method, f"/v1/notices/{number}", {"x": 1})
            assert 400 <= answer.status_code < 500
            assert holds(answer.data) == set()
    assert tried > 80


def test_a_write_that_the_database_refuses_says_none_of_the_words(world: World) -> None:
    approval = world.granted()
    twice: list[BaseException] = []
    for _ in range(2):
        try:
            suspect(world, approval)
        except DBAPIError as error:
            twice.append(error)
    assert len(twice) == 1
    assert holds("".join(traceback.format_exception(twice[0])).encode()) == set()


def suspect(world: World, approval: str) -> None:
    with world.store.begin("breach by hand") as tx:
        tx.connection.execute(
            insert(breaches).values(
                id="bre-1", approval=approval, state="confirmed", note=f"{RED} told us.", why=f"{MAKERS} admitted it.",
                suspected_at=NOW, suspected_by="officer-1", judged_at=NOW, judged_by="officer-2",
            )
        )  # fmt: skip


# --- what belongs to other things ---------------------------------------------------------------------------------


@pytest.mark.clause("F2.30")
def test_a_revocation_for_a_breach_says_so_and_none_of_the_breachs_words(world: World) -> None:
    approval = world.granted()
    suspect(world, approval)
    said = {"approval": approval, "cause": "breach", "invalidity_date": None, "breach": "bre-1"}
    number = noticed(world, decision(DecisionKind.REVOKE, at=NOW, said=said, approval=approval))
    for document in documents(world, number).values():
        assert holds(canonical(document)) == set()
        assert {"clause": "F2.30", "label": "Cause", "value": "Breach of a condition (F2.23)"} in document["facts"]
        assert "bre-1" not in str(document)


@pytest.mark.clause("F2.29")
def test_an_amendment_shows_each_recipient_only_the_conditions_that_are_its_own(world: World) -> None:
    approval = world.granted()
    first = decision(DecisionKind.REFUSE_AMENDMENT, at=NOW, approval=approval)
    noticed(world, first)
    with world.store.begin("conditions by hand") as tx:
        for number, to in ((1, " manufacturer dcc panel "), (2, " dcc ")):
            row = {"approval": approval, "number": number, "decision_id": first.id, "recipients": to, "set_at": NOW}
            tx.connection.execute(insert(conditions).values(**row, text="t", classification="amber", salt=b"s" * 16))
    said = grant_said(world, approval) | {
        "conditions_removed": [2],
        "changes": [
            {"subject": "conditions", "before": "1, 2", "after": "1, 3"},
            {"subject": "description", "before": "as it was", "after": "described anew"},
        ],
    }
    made = decision(
        DecisionKind.AMEND,
        at=NOW,
        said=said,
        approval=approval,
        passages=[passage("reasons", "So."), passage("description", f"A {MAKERS}.", to=["manufacturer"])],
        conditions=[(3, passage("condition 3", "Only here.", to=["manufacturer"]))],
    )
    told_each = documents(world, noticed(world, made))
    assert told_each["manufacturer"]["changes"] == [
        {"subject": "conditions", "before": "1", "after": "1, 3"},
        {"subject": "description", "before": "as it was", "after": "described anew"},
    ]
    assert told_each["dcc"]["changes"] == [{"subject": "conditions", "before": "1, 2", "after": "1"}]
    assert told_each["panel"]["changes"] == []
    counted = {recipient: document["withheld"] for recipient, document in told_each.items()}
    assert counted == {"manufacturer": 1, "dcc": 2, "panel": 3}


def test_the_whole_record_is_for_ssc_and_auditor(world: World, number: str) -> None:
    api = Api(world)
    for who in ("officer-1", "officer-2", "admin", "auditor"):
        whole = done(api.ask(who, "GET", f"/v1/notices/{number}"))
        assert len(whole["passages"]) == 4
        assert {each["salt"] for each in whole["passages"]}

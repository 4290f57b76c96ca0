"""Every decision becomes a notice to Manufacturer, DCC and Panel: numbered, immutable, hashed into the journal."""

import hashlib
import json
import threading
from types import ModuleType
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from jsonschema_rs import Draft202012Validator
from sqlalchemy import insert, select

from core.canonical import canonical, salted_digest
from core.classification import Recipient
from core.facts import FactKind
from core.identifiers import Serial
from core.kinds import DecisionKind
from ra.applying import look as application_look
from ra.deciding import beside, look
from ra.deciding import notice as writing
from ra.deciding.kinds.grant import ProposeGrant
from ra.telling.notices import pdf_of
from store.reading import notices as reading
from store.tables import decisions
from store.trial_tables import notices, renderings
from store.verbs import decisions as approvals
from store.verbs import notices as verbs
from store.verbs import restored
from tests.api_world import Api, done, refused
from tests.notice_world import decision, documents, facts_of, grant_again, grant_said, noticed, passage, written
from tests.world import NOW, OFFICER_1, OFFICER_2, World

KINDS = {
    DecisionKind.GRANT: "grant",
    DecisionKind.REFUSE: "refusal",
    DecisionKind.AMEND: "amendment",
    DecisionKind.REFUSE_AMENDMENT: "amendment-refusal",
    DecisionKind.REVOKE: "revocation",
    DecisionKind.WITHDRAW: "withdrawal",
    DecisionKind.REKEY: "new-key",
}


@pytest.fixture
def approval(world: World) -> str:
    return world.granted()


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def serial_of(world: World, approval: str) -> Serial:
    return world.record(approval).certificates[0].serial


def facts_in(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {each["label"]: (each["clause"], each.get("value") or each["instant"]) for each in document["facts"]}


def test_showing_a_decision_reads_each_thing_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its notice is about, and what else is known of its Device Model: each costs a handful of statements."""
    asked = world.proposed(ProposeGrant(world.applied(), "It looks sound."))
    read: list[str] = []

    def counted(of: ModuleType, name: str) -> None:
        reads = getattr(of, name)

        def reading(*given: Any, **named: Any) -> object:
            read.append(name)
            return reads(*given, **named)

        monkeypatch.setattr(of, name, reading)

    counted(writing, "matter_of")
    counted(application_look, "known_of_model")
    counted(beside, "known_of_model")
    shown = look.decision(world.desk, OFFICER_2, asked)
    assert shown.preview is not None
    assert sorted(read) == ["known_of_model", "matter_of"]


# --- what they say ------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.21(a)")
@pytest.mark.clause("F2.21(c)")
@pytest.mark.clause("F2.21(d)")
def test_a_grant_tells_all_three_the_description_the_dates_and_the_limit(world: World, approval: str) -> None:
    number = noticed(world, grant_again(world, approval), serial=serial_of(world, approval))
    told = documents(world, number)
    assert set(told) == {"manufacturer", "dcc", "panel"}
    for recipient, document in told.items():
        assert (document["notice"], document["recipient"], document["kind"]) == (number, recipient, "grant")
        facts = facts_in(document)
        assert facts["Device type"] == ("F2.21(a)", "ESME")
        assert facts["Manufacturer code"] == ("F2.21(a)", "AB01")
        assert facts["Model"] == ("F2.21(a)", "010A030B")
        assert facts["Hardware version"] == ("F2.21(a)", "01")
        assert facts["SMETS or CHTS version"] == ("F2.21(a)", "SMETS V1.58")
        assert facts["Start of the approval"] == ("F2.21(c)", "2027-01-04T00:00:00Z")
        assert facts["Expiry of the approval"] == ("F2.21(c)", "2027-06-30T23:59:59Z")
        assert facts["Maximum number of Trial Devices"] == ("F2.21(d)", "500")
        assert document["firmware"] == [{"version": "0002012F", "image_sha256": "ab" * 32}]
        assert document["manufacturer"] == "Acme Metering Ltd"
        assert document["effective"] == "2027-01-04T00:00:00Z"
        assert document["status_page"] == f"http://127.0.0.1:8470/approvals/{approval}"
        assert document["decision"] == {"meeting": "SSC 12", "minute": "4.2"}


@pytest.mark.clause("F2.21(b)")
@pytest.mark.clause("F2.21(e)")
def test_a_grant_tells_the_reasons_the_assessment_and_the_conditions(world: World, approval: str) -> None:
    made = grant_again(
        world,
        approval,
        passages=[passage("reasons", "The radio is new."), passage("assessment", "Two tests were read.", "green")],
        conditions=[(1, passage("condition 1", "Report monthly.")), (2, passage("condition 2", "Stay in Leeds."))],
    )
    for document in documents(world, noticed(world, made)).values():
        assert [(each["subject"], each["clause"], each["text"]) for each in document["passages"]] == [
            ("reasons", "F2.21(b)", "The radio is new."),
            ("assessment", "F2.21(b)", "Two tests were read."),
        ]
        assert [(each["number"], each["text"]) for each in document["conditions"]] == [
            (1, "Report monthly."),
            (2, "Stay in Leeds."),
        ]
        assert (document["classification"], document["withheld"]) == ("amber", 0)


@pytest.mark.clause("F2.25")
def test_the_certificate_travels_with_the_notice_to_all_three(world: World, approval: str) -> None:
    serial = serial_of(world, approval)
    number = noticed(world, grant_again(world, approval), serial=serial)
    for document in documents(world, number).values():
        certificate = document["certificate"]
        leaf = x509.load_pem_x509_certificate(certificate["pem"].encode())
        assert leaf.serial_number == int(serial, 16) == int(certificate["serial"], 16)
        assert leaf.fingerprint(SHA256()).hex() == certificate["sha256"]
        assert certificate["not_after"] == facts_in(document)["Expiry of the approval"][1]


@pytest.mark.clause("F2.24")
def test_a_refusal_tells_why_and_has_neither_approval_nor_certificate(world: World) -> None:
    application = world.applied()
    made = decision(
        DecisionKind.REFUSE, at=NOW, application=application, passages=[passage("reasons", "Too many unknowns.")]
    )
    for document in documents(world, noticed(world, made)).values():
        assert (document["kind"], document["clause"]) == ("refusal", "F2.24")
        assert (document["approval"], document["application"], document["certificate"]) == (None, application, None)
        assert document["passages"][0]["text"] == "Too many unknowns."
        assert document["passages"][0]["clause"] == "F2.24"
        assert document["effective"] is None
        assert document["status_page"] is None


@pytest.mark.clause("F2.29")
def test_an_amendment_tells_what_changes_from_when_and_why(world: World, approval: str) -> None:
    said = grant_said(world, approval) | {
        "kind": "amend",
        "expiry": "2027-08-31T23:59:59Z",
        "effective": "2027-02-01T00:00:00Z",
        "changes": [{"subject": "expiry", "before": "2027-06-30T23:59:59Z", "after": "2027-08-31T23:59:59Z"}],
    }
    made = decision(
        DecisionKind.AMEND, at=NOW, said=said, approval=approval, passages=[passage("reasons", "More data.")]
    )
    for document in documents(world, noticed(world, made)).values():
        assert (document["kind"], document["clause"]) == ("amendment", "F2.29")
        assert document["changes"] == said["changes"]
        assert document["effective"] == "2027-02-01T00:00:00Z"
        assert facts_in(document)["Expiry of the approval"] == ("F2.29", "2027-08-31T23:59:59Z")
        assert document["passages"][0]["text"] == "More data."


@pytest.mark.clause("F2.30")
@pytest.mark.clause("F2.31")
def test_a_revocation_tells_why_from_when_and_which_certificate_is_cancelled(world: World, approval: str) -> None:
    serial = serial_of(world, approval)
    world.revoked(approval)
    said = {"approval": approval, "cause": "ssc", "invalidity_date": None}
    made = decision(
        DecisionKind.REVOKE, at=NOW, said=said, approval=approval, passages=[passage("reasons", "It has to be.")]
    )
    for document in documents(world, noticed(world, made)).values():
        facts = facts_in(document)
        assert (document["kind"], document["effective"]) == ("revocation", "2027-01-03T12:00:00Z")
        assert facts["End of the approval"] == ("F2.30", "2027-01-03T12:00:00Z")
        assert facts["Cause"] == ("F2.30", "Decision of the Security Sub-Committee")
        assert facts["Trial CPA Certificate cancelled"] == ("F2.31", serial)


def test_a_compromised_key_is_no_revocation_of_the_approval(world: World, approval: str) -> None:
    said = {"approval": approval, "cause": "key-compromise", "invalidity_date": None}
    number = noticed(world, decision(DecisionKind.REVOKE, at=NOW, said=said, approval=approval))
    document = documents(world, number)["dcc"]
    assert document["title"] == "Trial CPA Certificate cancelled because its key is compromised"
    assert "End of the approval" not in facts_in(document)


def test_a_decision_from_before_there_were_classes_tells_its_reasons_to_all(world: World) -> None:
    made = decision(DecisionKind.REFUSE, at=NOW, application=world.applied())
    old = type(made)(**{**made.__dict__, "passages": "[]", "conditions": "[]", "reasons": "As it was then."})
    for document in documents(world, noticed(world, old)).values():
        assert [each["text"] for each in document["passages"]] == ["As it was then."]
        assert document["classification"] == "amber"


def test_what_is_shown_before_seconding_is_what_is_written_after_it(world: World, approval: str) -> None:
    for kind, notice in KINDS.items():
        told_alike(world, approval, kind, notice)


def told_alike(world: World, approval: str, kind: DecisionKind, notice: str) -> None:
    cause = "ssc" if kind == DecisionKind.REVOKE else "manufacturer"
    said = grant_said(world, approval) | {"cause": cause, "invalidity_date": None}
    granted = grant_again(world, approval)
    made = decision(
        kind,
        at=NOW,
        said={} if kind in (DecisionKind.REFUSE, DecisionKind.REFUSE_AMENDMENT) else said,
        application=granted.application_id if kind in (DecisionKind.GRANT, "refuse") else None,
        approval=None if kind == DecisionKind.REFUSE else approval,
        passages=[passage("reasons", "It looks sound."), passage("assessment", "Nobody else reads this.", "red")],
        conditions=[(1, passage("condition 1", "Report monthly.", to=["dcc"]))],
        issue=granted.issue if kind in ("grant", "rekey") else None,
    )
    with world.store.read() as tx:
        shown = writing.foreseen(tx, made, at=world.clock.now()).copies
    # What does not exist yet, or has not happened yet, is all that may be missing.
    later = {"notice", "salt", "effective", "facts"}
    for recipient, document in documents(world, noticed(world, made)).items():
        draft: Any = shown[recipient]
        assert (draft["notice"], draft["certificate"], draft["salt"]) == (None, None, None)
        assert without(draft, later) == without(document, later)
        assert document["kind"] == notice
        assert [each for each in draft["facts"] if each not in document["facts"]] == []


def without(document: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


# --- how they are written -----------------------------------------------------------------------------------------


def test_each_notice_has_the_next_number_of_its_year_and_none_is_lost(world: World) -> None:
    applications = [world.applied() for _ in range(3)]
    first = noticed(world, decision(DecisionKind.REFUSE, at=NOW, application=applications[0]))

    def die() -> None:
        made = decision(DecisionKind.REFUSE, at=NOW, application=applications[1])
        with world.store.begin("die by hand") as tx:
            tx.connection.execute(insert(decisions).values(**{**made.__dict__, "urgent": 0}))
            writing.write(tx, made, actor=OFFICER_1, at=NOW)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        die()
    second = noticed(world, decision(DecisionKind.REFUSE, at=NOW, application=applications[1]))
    numbers = [int(each.rpartition("-")[2]) for each in (first, second)]
    assert numbers[1] == numbers[0] + 1, "what was rolled back took no number"
    world.at(NOW.replace(year=2028))
    assert noticed(world, decision(DecisionKind.REFUSE, at=NOW, application=applications[2])) == "TTN-2028-0001"


def test_notices_written_at_the_same_moment_get_different_numbers(world: World) -> None:
    made = [decision(DecisionKind.REFUSE, at=NOW, application=world.applied()) for _ in range(6)]
    numbers: list[str] = []
    threads = [threading.Thread(target=lambda each=each: numbers.append(noticed(world, each))) for each in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(numbers)) == 6
    counted = sorted(int(each.rpartition("-")[2]) for each in numbers)
    assert counted == list(range(counted[0], counted[0] + 6))


def test_a_decision_has_one_notice(world: World) -> None:
    made = decision(DecisionKind.REFUSE, at=NOW, application=world.applied())
    noticed(world, made)
    with pytest.raises(Exception, match=r"UNIQUE|duplicate key"), world.store.begin("again by hand") as tx:
        writing.write(tx, made, actor=OFFICER_1, at=NOW)


@pytest.mark.clause("F2.22")
def test_the_journal_holds_digests_that_prove_record_and_copies(world: World) -> None:
    made = decision(
        DecisionKind.REFUSE, at=NOW, application=world.applied(), passages=[passage("reasons", "Between us.")]
    )
    number = noticed(world, made)
    fact = next(each for each in facts_of(world, FactKind.NOTICE_WRITTEN) if each["number"] == number)
    with world.store.read() as tx:
        record, salt = reading.record(tx, number)
    assert salted_digest(record, salt) == fact["record_salted_sha256"]
    for recipient, text in written(world, number).items():
        assert hashlib.sha256(text.encode()).hexdigest() == fact["copies"][recipient]["document_sha256"]
        assert canonical(json.loads(text)).decode() == text
        assert len(bytes.fromhex(json.loads(text)["salt"])) == 16, "or the digest would confirm a guess"
    assert "Between us." in record


def test_after_a_restore_numbers_leave_a_gap_and_go_on_behind_what_is_known_to_be_used(world: World) -> None:
    noticed(world, decision(DecisionKind.REFUSE, at=NOW, application=world.applied()))
    with world.store.begin("rise by hand") as tx:
        restored.rise(tx, years=[2027, 2028], by=1000, above={2026: 7, 2027: 5000, 2028: 3})
        assert [verbs.next_number(tx, year) for year in (2026, 2027, 2028)] == [1, 1002, 1001]
        assert [approvals.next_number(tx, year) for year in (2026, 2027, 2028)] == [8, 5001, 1001]


# --- who reads them -----------------------------------------------------------------------------------------------


@pytest.fixture
def number(world: World, approval: str) -> str:
    return noticed(world, grant_again(world, approval), serial=serial_of(world, approval))


def test_each_recipient_gets_its_own_copy_byte_for_byte(api: Api, number: str) -> None:
    kept = written(api.world, number)
    for who in ("manufacturer", "dcc", "panel"):
        answer = api.ask(who, "GET", f"/v1/notices/{number}")
        assert answer.status_code == 200
        assert answer.mimetype == "application/json"
        assert answer.data == kept[who].encode()
        assert api.ask(who, "GET", f"/v1/notices/{number.lower()}?recipient={who}").data == kept[who].encode()
    refused(api.ask("rival", "GET", f"/v1/notices/{number}"), 404, "not-found")
    refused(api.ask("dcc", "GET", "/v1/notices/TTN-2027-9999"), 404, "not-found")


def test_nobody_gets_anothers_copy_and_the_ssc_sees_each_as_its_recipient_does(api: Api, number: str) -> None:
    for who, whose in (("dcc", "panel"), ("panel", "manufacturer"), ("manufacturer", "dcc")):
        refused(api.ask(who, "GET", f"/v1/notices/{number}?recipient={whose}"), 403, "operation-not-permitted")
    refused(api.ask("rival", "GET", f"/v1/notices/{number}?recipient=manufacturer"), 404, "not-found")
    for who in ("officer-1", "admin", "auditor"):
        for whose, text in written(api.world, number).items():
            assert api.ask(who, "GET", f"/v1/notices/{number}?recipient={whose}").data == text.encode()
    refused(api.ask("officer-1", "GET", f"/v1/notices/{number}?recipient=ofgem"), 400, "body-malformed")


def test_ssc_and_auditor_read_the_whole_record_with_the_fate_of_each_copy(api: Api, number: str) -> None:
    done(api.ask("dcc", "GET", f"/v1/notices/{number}"))
    whole = done(api.ask("auditor", "GET", f"/v1/notices/{number}"))
    assert whole["decision"]["proposer"] == "officer-1"
    assert whole["passages"][0]["recipients"] == ["manufacturer", "dcc", "panel"]
    fate = {each["recipient"]: each["fetched_at"] for each in whole["fate"]}
    assert fate == {"manufacturer": None, "dcc": "2027-01-03T12:00:00Z", "panel": None}
    refused(api.ask("auditor", "GET", f"/v1/notices/{number}", Accept="application/pdf"), 400, "body-malformed")
    fact = facts_of(api.world, FactKind.NOTICE_WRITTEN)[-1]
    kept = {name: value for name, value in whole.items() if name not in ("record_salt", "fate")}
    record = canonical(kept).decode()
    assert salted_digest(record, bytes.fromhex(whole["record_salt"])) == fact["record_salted_sha256"]


def test_the_first_fetch_by_its_own_recipient_is_noted_once(api: Api, number: str) -> None:
    api.ask("officer-1", "GET", f"/v1/notices/{number}?recipient=panel")
    before = len(facts_of(api.world, FactKind.NOTICE_FETCHED))
    for _ in range(2):
        api.ask("panel", "GET", f"/v1/notices/{number}")
        api.ask("panel", "GET", f"/v1/notices/{number}", Accept="application/pdf")
    fetched = facts_of(api.world, FactKind.NOTICE_FETCHED)[before:]
    assert [(each["number"], each["recipient"], each["actor"]) for each in fetched] == [(number, "panel", "panel")]


def test_lists_show_each_its_own_and_are_paged(api: Api, number: str) -> None:
    world = api.world
    more = [noticed(world, decision(DecisionKind.REFUSE, at=NOW, application=world.applied())) for _ in range(3)]
    for who in ("manufacturer", "dcc", "panel"):
        seen: list[str] = []
        after: str | None = ""
        while after is not None:
            page = done(api.ask(who, "GET", f"/v1/notices?limit=2&after={after}"))
            seen += [each["notice"] for each in page["notices"]]
            after = page["next"]
            assert all([copy["recipient"] for copy in each["copies"]] == [who] for each in page["notices"])
        assert {number, *more} <= set(seen)
        assert seen == sorted(set(seen))
    assert done(api.ask("rival", "GET", "/v1/notices"))["notices"] == []
    entry = done(api.ask("officer-1", "GET", "/v1/notices"))["notices"][-1]
    assert [each["recipient"] for each in entry["copies"]] == ["manufacturer", "dcc", "panel"]


def test_the_notices_of_an_approval_are_listed_for_whoever_may_see_it(api: Api, number: str) -> None:
    approval = done(api.ask("auditor", "GET", f"/v1/notices/{number}"))["approval"]
    for who in ("manufacturer", "dcc", "panel", "auditor"):
        listed = done(api.ask(who, "GET", f"/v1/approvals/{approval}/notices"))["notices"]
        assert number in [each["notice"] for each in listed]
    refused(api.ask("rival", "GET", f"/v1/approvals/{approval}/notices"), 404, "not-found")


def test_what_is_answered_is_as_described(api: Api, number: str) -> None:
    description = done(api.ask(None, "GET", "/openapi.json"))
    for who, address, name in (
        ("dcc", f"/v1/notices/{number}", "NoticeFetched"),
        ("auditor", f"/v1/notices/{number}", "NoticeFetched"),
        ("dcc", "/v1/notices", "NoticePage"),
        ("auditor", "/v1/notices", "NoticePage"),
        ("auditor", "/v1/notices/undelivered", "UndeliveredPage"),
    ):
        schema = {"$ref": f"#/components/schemas/{name}", "components": description["components"]}
        Draft202012Validator(schema, validate_formats=True).validate(done(api.ask(who, "GET", address)))
    described = description["paths"]["/v1/notices/{notice}"]["get"]
    assert set(described["responses"]["200"]["content"]) == {"application/json", "application/pdf"}
    assert "F2.22" in described["x-clauses"]


# --- the PDF ------------------------------------------------------------------------------------------------------


def test_a_notice_is_fetched_as_pdf_and_in_no_other_form(api: Api, number: str) -> None:
    answer = api.ask("dcc", "GET", f"/v1/notices/{number}", Accept="application/pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{number}-dcc.pdf"'
    assert answer.headers["Vary"] == "Accept"
    refused(api.ask("dcc", "GET", f"/v1/notices/{number}", Accept="text/html"), 406, "not-acceptable")
    both = api.ask("dcc", "GET", f"/v1/notices/{number}", Accept="application/pdf;q=0.5, application/json;q=0.9")
    assert both.mimetype == "application/json"


def test_a_pdf_is_typeset_once_and_everybody_gets_the_same_bytes(
    world: World, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(facts_of(world, FactKind.DOCUMENT_RENDERED))
    got: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: got.append(pdf_of(world.desk, OFFICER_1, number, Recipient.PANEL)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 4
    assert len(set(got)) == 1
    # A later release typesets otherwise; what was sent once stays as it is.
    monkeypatch.setattr("documents.notice.notice_pdf", lambda _document: b"%PDF-another")
    assert pdf_of(world.desk, OFFICER_1, number, Recipient.PANEL) == got[0]
    rendered = facts_of(world, FactKind.DOCUMENT_RENDERED)[before:]
    assert [each["subject"] for each in rendered] == [world_subject(world, number)]
    salt = bytes.fromhex(documents(world, number)["panel"]["salt"])
    assert rendered[0]["salted_sha256"] == hashlib.sha256(salt + got[0]).hexdigest()
    with world.store.read() as tx:
        kept = tx.connection.execute(select(renderings.c.sha256)).scalars().all()
    assert hashlib.sha256(got[0]).hexdigest() in kept


def test_of_two_who_typeset_at_the_same_moment_the_first_is_served_to_both(
    world: World, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first: list[bytes] = []

    def overtaken(_document: object) -> bytes:
        monkeypatch.setattr("documents.notice.notice_pdf", lambda _document: b"%PDF-first")
        first.append(pdf_of(world.desk, OFFICER_1, number, Recipient.DCC))
        return b"%PDF-second"

    monkeypatch.setattr("documents.notice.notice_pdf", overtaken)
    assert pdf_of(world.desk, OFFICER_1, number, Recipient.DCC) == b"%PDF-first"
    assert first == [b"%PDF-first"]


def test_of_two_who_fetch_at_the_same_moment_one_is_noted(world: World, number: str) -> None:
    with world.store.begin("fetch by hand") as tx:
        noted = [verbs.note_fetched(tx, number, Recipient.DCC, at=NOW) for _ in range(2)]
    assert noted == [True, False]


def world_subject(world: World, number: str) -> str:
    with world.store.read() as tx:
        return str(tx.connection.execute(select(notices.c.approval).where(notices.c.number == number)).scalar_one())


def test_nothing_is_typeset_inside_a_transaction(world: World, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    begin, read = world.store.begin, world.store.read

    def typeset(_document: object) -> bytes:
        assert opened == [], "a transaction is open"
        return b"%PDF-"

    def watching(label: str) -> Any:
        return _noted(begin(label), opened)

    monkeypatch.setattr(world.store, "begin", watching)
    monkeypatch.setattr(world.store, "read", lambda: _noted(read(), opened))
    monkeypatch.setattr("documents.notice.notice_pdf", typeset)
    assert pdf_of(world.desk, OFFICER_1, number, Recipient.DCC).startswith(b"%PDF-")


class _noted:  # noqa: N801 - it stands for a context manager of the store
    def __init__(self, inner: Any, opened: list[str]) -> None:
        self._inner, self._opened = inner, opened

    def __enter__(self) -> Any:
        self._opened.append("open")
        return self._inner.__enter__()

    def __exit__(self, *what: object) -> Any:
        self._opened.pop()
        return self._inner.__exit__(*what)

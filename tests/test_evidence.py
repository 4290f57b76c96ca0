"""Evidence: attached once, private for ever, fetched by the SSC and the auditor only (F2.19, F2.23, F2.28, F2.29)."""

import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from core.canonical import salted_digest
from core.errors import (
    EvidenceFull,
    EvidenceTooLarge,
    EvidenceUnacceptable,
    NoSuchThing,
    OperationNotPermitted,
    TrialCpaError,
    WrongState,
)
from core.facts import FactKind
from core.kinds import EvidenceSubject
from ra.applying import look
from ra.applying.apply import cancel_application
from ra.applying.evidence import LARGEST_FILE, MOST_FILES, File, Subject, attach, attachments, fetch
from ra.repeat import RequestKey
from ra.views import document
from store.reading import evidence as reading
from store.trial_tables import amendment_requests, breaches, evidence_files, reports
from tests.api_world import Api, done, refused
from tests.evidence_world import CSV, PDF, TEXT, journal, journal_text, workbook
from tests.test_concurrency import at_once
from tests.world import ADMIN, AUDITOR, DCC, MANUFACTURER, NOW, OFFICER_1, OFFICER_2, PANEL, RIVAL, World

REPORT = File("report.pdf", "application/pdf", PDF)
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def of(application: str) -> Subject:
    return Subject(EvidenceSubject.APPLICATION, application)


def attached(world: World, application: str, file: File = REPORT) -> str:
    return attach(world.desk, MANUFACTURER, of(application), file).evidence


def kept_files(world: World) -> int:
    with world.store.read() as tx:
        return int(tx.connection.execute(select(func.count()).select_from(evidence_files)).scalar_one())


def plant_breach(world: World, state: str = "suspected") -> Subject:
    """A breach of a granted approval, as whoever records breaches writes it."""
    approval = world.granted()
    judged = {} if state == "suspected" else {"judged_at": NOW, "judged_by": "officer-1", "why": "x"}
    with world.store.begin("plant") as tx:
        tx.connection.execute(
            insert(breaches).values(
                id="br-1",
                approval=approval,
                state=state,
                note="x",
                suspected_at=NOW,
                suspected_by="officer-1",
                **judged,
            )
        )
    return Subject(EvidenceSubject.BREACH, "br-1")


def plant_request(world: World) -> Subject:
    """A Manufacturer's request for an amendment, as it is written when it is made."""
    approval = world.granted()
    with world.store.begin("plant") as tx:
        tx.connection.execute(
            insert(amendment_requests).values(
                id="amr-1", approval=approval, state="open", asked="{}", reasons="x", asked_at=NOW, asked_by="acme-desk"
            )
        )
    return Subject(EvidenceSubject.AMENDMENT_REQUEST, "amr-1")


# --- applications ------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.19")
def test_a_file_is_attached_listed_and_fetched_as_it_was(world: World) -> None:
    application = world.applied()
    outcome = attach(world.desk, MANUFACTURER, of(application), File("C:\\x\\Report 1.pdf", "application/pdf", PDF))
    sha256 = hashlib.sha256(PDF).hexdigest()
    assert document(outcome) == {
        "evidence": outcome.evidence,
        "name": "Report 1.pdf",
        "media_type": "application/pdf",
        "size": len(PDF),
        "sha256": sha256,
        "attached_at": "2027-01-03T12:00:00Z",
        "attached_by": None,
        "attached_for": "manufacturer",
        "classification": "amber",
    }
    for actor in (OFFICER_1, ADMIN, AUDITOR):
        (listed,) = attachments(world.desk, actor, of(application)).evidence
        assert listed == replace(outcome, attached_by="acme-desk")
        found = fetch(world.desk, actor, outcome.evidence)
        assert (found.name, found.media_type, found.octets) == ("Report 1.pdf", "application/pdf", PDF)
    assert attachments(world.desk, MANUFACTURER, of(application)).evidence == (outcome,)
    assert look.application(world.desk, MANUFACTURER, application).evidence == (outcome,)


@pytest.mark.clause("F2.19")
def test_a_file_is_kept_once_and_attached_once_to_each_subject(world: World) -> None:
    first, other = world.applied(), world.applied(actor=RIVAL)
    one = attached(world, first)
    assert attached(world, first, File("another name.pdf", "application/pdf", PDF)) == one
    theirs = attach(world.desk, RIVAL, of(other), REPORT)
    assert theirs.evidence != one
    assert kept_files(world) == 1
    rows = journal(world.store, FactKind.EVIDENCE_ATTACHED)
    assert [row["subject"] for row in rows] == [first, other]
    # Under two salts: nobody sees from the journal that two Manufacturers sent the same file.
    assert len({row["payload"]["salted_sha256"] for row in rows}) == 2


def test_the_journal_proves_a_file_to_whoever_has_it_and_its_salt(world: World) -> None:
    application = world.applied()
    identifier = attached(world, application)
    with world.store.read() as tx:
        kept = reading.attachment(tx, identifier)
    (row,) = journal(world.store, FactKind.EVIDENCE_ATTACHED)
    assert len(kept.salt) == 16
    assert row["payload"] == {
        "evidence": identifier,
        "subject_kind": "application",
        "salted_sha256": salted_digest(hashlib.sha256(PDF).hexdigest(), kept.salt),
        "media_type": "application/pdf",
        "size": len(PDF),
        "party": "manufacturer",
        "classification": "amber",
    }


def test_the_same_file_from_two_hands_at_the_same_moment_is_attached_once(world: World) -> None:
    for turn in range(3):
        application = world.applied()
        of_now, file = of(application), File("a.txt", "text/plain", f"turn {turn}".encode())
        told = at_once(
            world,
            *(lambda desk, to=of_now, file=file: attach(desk, MANUFACTURER, to, file) for _ in range(3)),
        )
        assert not any(isinstance(each, TrialCpaError) for each in told), told
        assert len({each.evidence for each in told}) == 1
        assert len(attachments(world.desk, MANUFACTURER, of(application)).evidence) == 1
    assert len(journal(world.store, FactKind.EVIDENCE_ATTACHED)) == 3


def test_one_file_under_two_subjects_at_the_same_moment_is_kept_once(world: World) -> None:
    first, second = world.applied(), world.applied()
    told = at_once(
        world,
        lambda desk: attach(desk, MANUFACTURER, of(first), REPORT),
        lambda desk: attach(desk, MANUFACTURER, of(second), REPORT),
    )
    assert not any(isinstance(each, TrialCpaError) for each in told), told
    assert kept_files(world) == 1


def test_a_subject_has_room_for_so_many_files_and_no_more(world: World) -> None:
    application = world.applied()
    for number in range(MOST_FILES):
        attached(world, application, File("a.txt", "text/plain", f"{number}".encode()))
    with pytest.raises(EvidenceFull):
        attached(world, application)
    attached(world, application, File("a.txt", "text/plain", b"0"))  # one of those that are there
    assert kept_files(world) == MOST_FILES


@pytest.mark.clause("F2.19")
def test_what_cannot_be_taken_leaves_nothing(world: World) -> None:
    application = world.applied()
    before = journal(world.store)
    for file in (
        File("a.pdf", "application/pdf", b"no PDF"),
        File("a.pdf", "text/plain", PDF),
        File("a.exe", "application/octet-stream", b"MZ\x90\x00"),
        File("a.txt", "text/plain", b""),
    ):
        with pytest.raises(EvidenceUnacceptable):
            attached(world, application, file)
    with pytest.raises(EvidenceTooLarge):
        attached(world, application, File("a.txt", "text/plain", b"x" * (LARGEST_FILE + 1)))
    assert kept_files(world) == 0
    assert journal(world.store) == before


def test_evidence_is_taken_until_it_is_decided(world: World) -> None:
    decision = world.drafted()
    (application,) = look.applications(world.desk, OFFICER_1, after="", limit=5).applications
    identifier = application.application
    attached(world, identifier)  # a requirement that came late may need it
    assert world.seconded(decision)
    with pytest.raises(WrongState):
        attached(world, identifier, File("late.txt", "text/plain", TEXT))
    cancelled = world.applied()
    cancel_application(world.desk, MANUFACTURER, cancelled)
    with pytest.raises(WrongState):
        attached(world, cancelled)


def test_only_the_ssc_and_the_auditor_read_and_only_the_owner_and_officers_attach(world: World) -> None:
    application = world.applied()
    identifier = attached(world, application)
    for actor in (MANUFACTURER, RIVAL, DCC, PANEL):
        with pytest.raises(OperationNotPermitted):
            fetch(world.desk, actor, identifier)
    for actor in (ADMIN, AUDITOR, DCC, PANEL):
        with pytest.raises(OperationNotPermitted):
            attach(world.desk, actor, of(application), REPORT)
    with pytest.raises(NoSuchThing):
        attach(world.desk, RIVAL, of(application), REPORT)
    with pytest.raises(NoSuchThing):
        attachments(world.desk, RIVAL, of(application))
    for actor in (DCC, PANEL):
        with pytest.raises(OperationNotPermitted):
            attachments(world.desk, actor, of(application))
    attach(world.desk, OFFICER_1, of(application), File("assessment.txt", "text/plain", TEXT))
    seen = attachments(world.desk, MANUFACTURER, of(application))
    assert "officer" not in str(seen)
    with pytest.raises(NoSuchThing):
        attach(world.desk, MANUFACTURER, of("app-none"), REPORT)
    with pytest.raises(NoSuchThing):
        fetch(world.desk, OFFICER_1, "ev-none")


def test_who_may_not_attach_is_told_so_before_anything_is_looked_into(world: World) -> None:
    with pytest.raises(OperationNotPermitted):
        attach(world.desk, DCC, of(world.applied()), File("a.exe", "application/octet-stream", b"MZ\x90\x00"))


def test_the_same_request_sent_twice_is_answered_alike(world: World) -> None:
    application = world.applied()
    key = RequestKey("one", "0" * 64)
    first = attach(world.desk, MANUFACTURER, of(application), REPORT, key)
    assert attach(world.desk, MANUFACTURER, of(application), REPORT, key) == first
    assert len(journal(world.store, FactKind.EVIDENCE_ATTACHED)) == 1


# --- the trial ---------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.23")
def test_officers_attach_evidence_to_a_breach_until_it_is_settled(world: World) -> None:
    subject = plant_breach(world)
    attach(world.desk, OFFICER_1, subject, REPORT)
    (listed,) = attachments(world.desk, AUDITOR, subject).evidence
    assert listed.attached_by == "officer-1"
    for actor in (MANUFACTURER, RIVAL, DCC, PANEL):
        with pytest.raises(OperationNotPermitted):
            attach(world.desk, actor, subject, REPORT)
        with pytest.raises(OperationNotPermitted):
            attachments(world.desk, actor, subject)
    with world.store.begin("plant") as tx:
        tx.connection.execute(update(breaches).values(state="dismissed", judged_at=NOW, judged_by="officer-1", why="x"))
    with pytest.raises(WrongState, match="dismissed"):
        attach(world.desk, OFFICER_2, subject, File("late.txt", "text/plain", TEXT))
    unknown = Subject(EvidenceSubject.BREACH, "br-none")
    with pytest.raises(NoSuchThing):
        attach(world.desk, OFFICER_1, unknown, REPORT)
    with pytest.raises(NoSuchThing):
        attachments(world.desk, OFFICER_1, unknown)


@pytest.mark.clause("F2.29")
def test_a_manufacturer_attaches_evidence_to_its_own_request_for_an_amendment(world: World) -> None:
    subject = plant_request(world)
    attach(world.desk, MANUFACTURER, subject, REPORT)
    assert len(attachments(world.desk, OFFICER_1, subject).evidence) == 1
    with pytest.raises(NoSuchThing):
        attach(world.desk, RIVAL, subject, REPORT)
    with pytest.raises(NoSuchThing):
        attachments(world.desk, RIVAL, subject)
    with pytest.raises(NoSuchThing):
        attach(world.desk, MANUFACTURER, Subject(EvidenceSubject.AMENDMENT_REQUEST, "amr-none"), REPORT)
    for actor in (DCC, PANEL, OFFICER_1):
        with pytest.raises(OperationNotPermitted):
            attach(world.desk, actor, subject, REPORT)
    with world.store.begin("plant") as tx:
        tx.connection.execute(update(amendment_requests).values(state="withdrawn", closed_at=NOW))
    with pytest.raises(WrongState, match="withdrawn"):
        attach(world.desk, MANUFACTURER, subject, File("late.txt", "text/plain", TEXT))


@pytest.mark.clause("F2.28(h)")
def test_the_dcc_attaches_files_to_a_report_until_it_is_issued(world: World) -> None:
    subject = Subject(EvidenceSubject.REPORT, "2027-05")
    attach(world.desk, DCC, subject, REPORT)
    for actor in (DCC, OFFICER_1, AUDITOR):
        assert len(attachments(world.desk, actor, subject).evidence) == 1
    for actor in (MANUFACTURER, PANEL, OFFICER_1, AUDITOR):
        with pytest.raises(OperationNotPermitted):
            attach(world.desk, actor, subject, REPORT)
    for actor in (MANUFACTURER, PANEL):
        with pytest.raises(OperationNotPermitted):
            attachments(world.desk, actor, subject)
    with world.store.begin("plant") as tx:
        tx.connection.execute(
            insert(reports).values(
                month="2027-05", until=NOW, document="{}", document_sha256="ab" * 32, issued_at=NOW, issued_by="dcc"
            )
        )
    with pytest.raises(WrongState, match="is issued"):
        attach(world.desk, DCC, subject, File("late.txt", "text/plain", TEXT))
    for month in ("2027-13", "2027-00", "27-05", "2027-5", "2027-05-01", "٢٠٢٧-٠٥"):
        with pytest.raises(NoSuchThing):
            attach(world.desk, DCC, Subject(EvidenceSubject.REPORT, month), REPORT)


# --- over HTTP ---------------------------------------------------------------------------------------------------


@pytest.fixture
def api(world: World) -> Api:
    return Api(world)


def send(api: Api, path: str, octets: bytes, media_type: str, who: str = "manufacturer", **more: str) -> Any:
    return api.ask(who, "POST", path, octets, Content_Type=media_type, **more)


@pytest.mark.clause("F2.19")
def test_evidence_over_http(api: Api) -> None:
    path = f"/v1/applications/{api.applied()}/evidence"
    for name, octets, media_type in (
        ("Prüfbericht 電.pdf", PDF, "application/pdf"),
        ("results.xlsx", workbook(["a"]), XLSX_TYPE),
        ("results.csv", CSV, "text/csv; charset=utf-8"),
        ("read me.txt", TEXT, "text/plain"),
    ):
        answer = send(api, f"{path}?name={name}", octets, media_type)
        made = done(answer, 201)
        assert answer.headers["Location"] == f"/v1/evidence/{made['evidence']}"
        for who in ("officer-1", "admin", "auditor"):
            found = api.ask(who, "GET", answer.headers["Location"])
            assert found.data == octets
            assert found.mimetype == media_type.split(";")[0]
            assert found.headers["X-Content-Type-Options"] == "nosniff"
            assert found.headers["Content-Disposition"].startswith("attachment; filename")
            assert found.headers["Cache-Control"] == "no-store"
            assert "default-src 'none'" in found.headers["Content-Security-Policy"]
    listed = done(api.ask("manufacturer", "GET", path))["evidence"]
    assert len(listed) == 4
    (umlaut,) = (each["evidence"] for each in listed if each["name"] == "Prüfbericht 電.pdf")
    told = api.ask("auditor", "GET", f"/v1/evidence/{umlaut}").headers["Content-Disposition"]
    assert told == "attachment; filename=\"Pr_fbericht _.pdf\"; filename*=UTF-8''Pr%C3%BCfbericht%20%E9%9B%BB.pdf"


def test_a_file_above_the_limit_is_refused_by_its_size_whatever_else_it_is(api: Api) -> None:
    path = f"/v1/applications/{api.applied()}/evidence?name=a.txt"
    assert done(send(api, path, b"x" * LARGEST_FILE, "text/plain"), 201)["size"] == LARGEST_FILE
    for media_type in ("text/plain", "application/json"):
        told = refused(send(api, path, b"x" * (LARGEST_FILE + 1), media_type), 413, "evidence-too-large")
        assert "10485760" in told["detail"]


@pytest.fixture(scope="module")
def shared(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Api]:
    """One API for all that is refused for its form before any store is asked."""
    world = World(store_copy("sqlite"), keys_folder)
    yield Api(world)
    world.close()


@pytest.mark.parametrize(
    ("octets", "media_type", "words"),
    [
        (b"", "text/plain", "empty"),
        (b"hello", "", "media type"),
        (b"{}", "application/json", "media type"),
        (b"GIF89a", "image/gif", "media type"),
        (b"GIF89a\x01", "text/plain", "line 1, column 7"),
        (b"PK\x03\x04", XLSX_TYPE, "archive"),
        (PDF, "text/plain", "said to be text/plain and its content is application/pdf"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_file_of_another_type_gets_a_sentence(shared: Api, octets: bytes, media_type: str, words: str) -> None:
    path = f"/v1/applications/{shared.applied()}/evidence"
    told = refused(send(shared, f"{path}?name=a", octets, media_type), 400, "evidence-unacceptable")
    assert words in told["detail"]
    assert done(shared.ask("officer-1", "GET", path))["evidence"] == []


@pytest.mark.parametrize("query", ["", "?name=", "?name=" + "x" * 201, "?name=a&name=b", "?name=a&subject=b"])
def test_a_file_needs_one_name(shared: Api, query: str) -> None:
    path = f"/v1/applications/{shared.applied()}/evidence{query}"
    refused(send(shared, path, TEXT, "text/plain"), 400, "body-malformed")


def test_the_same_upload_under_one_key_is_answered_alike_and_another_is_a_conflict(api: Api) -> None:
    path = f"/v1/applications/{api.applied()}/evidence?name=a.txt"
    key = {"Idempotency_Key": "one"}
    first = done(send(api, path, TEXT, "text/plain", **key), 201)
    assert done(send(api, path, TEXT, "text/plain", **key), 201) == first
    refused(send(api, path, b"other", "text/plain", **key), 409, "idempotency-key-reused")


def test_neither_words_nor_names_of_a_file_leave_by_another_door(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Marked contents and names, good and bad, in every type; then everything else that is said is searched."""
    caplog.set_level(logging.DEBUG)
    application = api.applied()
    path = f"/v1/applications/{application}/evidence?name=Quetzalcoatl-{{}}"
    marked = b"Tezcatlipoca"
    sent = {
        "text/plain": [marked, marked + b"\x00", b"\xff" + marked],
        "text/csv": [b"a," + marked, marked + b"\x1b"],
        "application/pdf": [PDF.replace(b"/Catalog", b"/" + marked), b"%PDF-1.7\n" + marked, PDF + marked],
        XLSX_TYPE: [workbook([marked.decode()]), b"PK\x03\x04" + marked, workbook()[:-9] + marked, marked],
    }
    answers = [
        send(api, path.format(number), octets, media_type, who)
        for media_type, files in sent.items()
        for number, octets in enumerate(files)
        for who in ("manufacturer", "rival", "dcc", "officer-1")
    ]
    answers += [api.ask(who, "GET", "/v1/evidence/ev-none") for who in ("manufacturer", "officer-1")]
    refusals = [each for each in answers if each.status_code != 201]
    assert {each.status_code for each in refusals} == {400, 403, 404}
    for answer in refusals:
        told = answer.get_data(as_text=True)
        assert "Tezcatlipoca" not in told
        assert "Quetzalcoatl" not in told
    assert len(answers) - len(refusals) == 8  # four types, from the manufacturer and again from an officer
    decision = api.proposed(kind="refuse", application=application)
    spread = [journal_text(api.world.store), caplog.text]
    spread += [
        api.ask(who, "GET", each).get_data(as_text=True)
        for who in ("officer-1", "dcc", "panel")
        for each in ("/v1/applications", f"/v1/decisions/{decision}", "/v1/approvals", "/metrics")
        if (who, each) != ("officer-1", f"/v1/decisions/{decision}")
    ]
    # An officer sees which files a decision rests on, as with its application, and has to fetch what is in them.
    seen = api.ask("officer-1", "GET", f"/v1/decisions/{decision}").get_data(as_text=True)
    assert ("Tezcatlipoca" in seen, "Quetzalcoatl" in seen) == (False, True)
    for said in spread:
        assert "Tezcatlipoca" not in said
        assert "Quetzalcoatl" not in said

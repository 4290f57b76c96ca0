"""The committee's work on the command line: requirements, breaches, amendments, acknowledgements, notices."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli.form_files import LARGEST_TEXT_FILE
from app.cli.words import WORDS
from core.clock import FixedClock
from core.errors import InputUnusable
from jobs.deliver import NoticeDelivery
from jobs.mail import Mailer, Relay
from tests.api_world import Api, done
from tests.people_world import People, Said, served, trialcpa
from tests.world import NOW, World, csr_pem

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
NOWHERE = ("--url", "http://127.0.0.1:1")


@pytest.fixture
def people(store_copy: Callable[[str], str], keys_folder: Path, tmp_path: Path) -> Iterator[People]:
    world = World(store_copy("sqlite"), keys_folder)
    (tmp_path / "keys").mkdir()
    with served(Api(world), tmp_path / "keys") as made:
        yield made
    world.close()


@pytest.fixture
def approval(people: People) -> str:
    """An approval with two conditions."""
    api = people.api
    conditions = [{"text": "Leeds only."}, {"text": "Ask before each visit."}]
    application = api.applied(csr=csr_pem().decode(), contact="trials@example.com")
    decision = api.proposed(kind="grant", application=application, conditions=conditions)
    api.settle()
    granted = done(api.ask("officer-2", "POST", f"/v1/decisions/{decision}/second", api.second_body(decision)))
    api.settle()
    return str(granted["approval"])


def good(said: Said) -> Said:
    assert said.status == 0, said.out + said.err
    return said


def document(said: Said) -> dict[str, Any]:
    return dict(json.loads(good(said).out))


def code(said: Said) -> str:
    """The stable code at the end of a refusal, which is told without a traceback."""
    assert said.status == 1, said.out + said.err
    return said.err.rstrip().rsplit("[", 1)[1].removesuffix("]")


# --- texts -------------------------------------------------------------------------------------------------------


def test_a_text_is_given_as_it_is_or_in_a_file_or_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "why.txt").write_text("  Zwölf\nLines.\n", encoding="utf-8")
    assert WORDS.convert("As it is.", None, None) == "As it is."
    assert WORDS.convert(f"@{tmp_path / 'why.txt'}", None, None) == "Zwölf\nLines."
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Typed.\n")))
    assert WORDS.convert("@-", None, None) == "Typed."
    (tmp_path / "why.txt").write_text("Notepad marks it.\n", encoding="utf-8-sig")
    assert WORDS.convert(f"@{tmp_path / 'why.txt'}", None, None) == "Notepad marks it."


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (None, "No such file"),
        (b"\xff", "not text in UTF-8"),
        ("Notepad's other one.".encode("utf-16"), "text in UTF-16"),
        (b"x" * (LARGEST_TEXT_FILE + 1), "larger than 256 KiB"),
    ],
)
def test_a_file_that_is_no_text_is_told(tmp_path: Path, octets: bytes | None, told: str) -> None:
    path = tmp_path / "why.txt"
    if octets is not None:
        path.write_bytes(octets)
    with pytest.raises(InputUnusable) as caught:
        WORDS.convert(f"@{path}", None, None)
    assert told in str(caught.value)


def test_the_largest_text_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "why.txt").write_bytes(b"x" * LARGEST_TEXT_FILE)
    assert len(WORDS.convert(f"@{tmp_path / 'why.txt'}", None, None)) == LARGEST_TEXT_FILE


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["requirements", "list"], "Name an application, or say --standing."),
        (["requirements", "list", "app-1", "--standing"], "Name an application, or say --standing."),
        (["requirements", "add"], "say what is required"),
        (["requirements", "add", "app-1"], "say what is required"),
        (["requirements", "add", "app-1", "--standing", "x"], "say what is required"),
        (["requirements", "add", "app-1", "x", "--standing", "x"], "say what is required"),
        (["requirements", "met", "req-1", "--why", " "], "there is nothing in it."),
        (["breaches", "suspect", "TDA-2027-0042-Y", "--why", "x"], "Missing option '--condition'"),
        (["breaches", "close", "breach-1"], "Missing option '--why'"),
        (["amendments", "request", "TDA-2027-0042-Y", "--why", "x"], "Say what is to be amended."),
        (["amendments", "request", "TDA-2027-0042-Y", "--why", "x", "--firmware", "1"], "is not VERSION=IMAGE"),
    ],
)
def test_what_is_typed_wrong_is_told_before_anything_is_asked(words: list[str], told: str) -> None:
    said = trialcpa(*words, *NOWHERE)
    assert (said.status, told in said.words) == (2, True), said.words


# --- requirements ------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.20")
def test_requirements_are_set_met_and_waived_and_standing_ones_reach_every_application(people: People) -> None:
    first = people.api.applied(csr=csr_pem().decode())
    assert "Nothing further is required." in good(people.run("officer-1", "requirements", "list", first)).words
    added = good(people.run("officer-1", "requirements", "add", first, "A site plan."))
    assert f"open, of {first}" in added.words
    standing = good(people.run("officer-1", "requirements", "add", "--standing", "A\u202e test\u2028report."))
    assert "of every application from now on, and of 1 that waits" in standing.words
    identifier = standing.out.split(":")[0].strip()
    listed = good(people.run("manufacturer", "requirements", "list", first))
    assert "A site plan." in listed.words
    assert "A\ufffd test\ufffdreport." in listed.words  # shown, and steering nothing
    both = document(people.run("officer-1", "requirements", "list", first, "--json"))["requirements"]
    own, all_of = sorted(both, key=lambda each: each["standing"] is not None)
    assert (own["standing"], all_of["standing"]) == (None, identifier)
    shown = good(people.run("manufacturer", "requirements", "list", "--standing")).words
    assert identifier in shown
    assert "in force" in shown

    met = people.run("officer-1", "requirements", "met", own["requirement"], "--why", "It came.")
    assert f"{own['requirement']}: met, of {first}" in good(met).words
    waived = people.run("officer-2", "requirements", "waive", all_of["requirement"], "--why", "Not here.", "--json")
    assert document(waived) == {"requirement": all_of["requirement"], "application": first, "state": "waived"}
    assert "Not here." not in good(people.run("manufacturer", "requirements", "list", first)).words
    listed = good(people.run("auditor", "requirements", "list", first))
    assert [word for word in ("met", "It came.", "waived", "Not here.") if word not in listed.words] == []
    again = people.run("officer-1", "requirements", "met", own["requirement"], "--why", "Again.")
    assert code(again) == "wrong-state"

    ended = good(people.run("officer-1", "requirements", "end", identifier))
    assert f"{identifier}: ended 20" in ended.words
    assert "ended 20" in good(people.run("officer-1", "requirements", "list", "--standing")).words
    second = people.api.applied("rival", csr=csr_pem().decode())
    assert document(people.run("officer-1", "requirements", "list", second, "--json"))["requirements"] == []


def test_who_may_not_require_anything_is_told(people: People) -> None:
    application = people.api.applied(csr=csr_pem().decode())
    assert code(people.run("manufacturer", "requirements", "add", application, "x")) == "operation-not-permitted"
    assert code(people.run("rival", "requirements", "list", application)) == "not-found"
    assert code(people.run("officer-1", "requirements", "end", "../standing")) == "unknown-address"


# --- breaches ----------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.23")
def test_a_breach_is_suspected_with_evidence_judged_and_revoked_for(
    people: People, approval: str, tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_text("A unit was seen\u202e in York.\n", encoding="utf-8")
    (tmp_path / "photo.pdf").write_bytes(PDF)
    (tmp_path / "bad.pdf").write_bytes(b"no PDF at all")
    files = ["--evidence", str(tmp_path / "bad.pdf"), "--evidence", str(tmp_path / "photo.pdf")]
    note = f"@{tmp_path / 'note.txt'}"
    said = people.run("officer-1", "breaches", "suspect", approval, "--condition", "2", "--why", note, *files)
    assert said.status == 1, said.err  # recorded, with a file that was refused
    (held,) = document(people.run("officer-1", "breaches", "list", "--json"))["breaches"]
    breach = held["breach"]
    for part in (
        f"{breach}: suspected, condition 2 of {approval}",
        "photo.pdf",
        "bad.pdf: The file cannot be taken",
        f"trialcpa breaches attach {breach} FILE",
    ):
        assert part in said.words, part
    assert (held["note"], held["state"]) == ("A unit was seen\u202e in York.", "suspected")
    (tmp_path / "bad.pdf").write_bytes(PDF.replace(b"1.7", b"1.6"))
    good(people.run("officer-2", "breaches", "attach", breach, str(tmp_path / "bad.pdf")))

    shown = good(people.run("auditor", "breaches", "show", breach))
    for part in (f"{breach}: suspected", "condition 2 (F2.21(e))", "A unit was seen\ufffd in York.", "photo.pdf"):
        assert part in shown.words, part
    evidence = document(people.run("auditor", "breaches", "show", breach, "--json"))["evidence"]
    named = {each["name"]: each["evidence"] for each in evidence}
    assert set(named) == {"photo.pdf", "bad.pdf"}
    good(people.run("officer-2", "fetch", named["photo.pdf"], "-o", str(tmp_path / "fetched.pdf")))
    assert (tmp_path / "fetched.pdf").read_bytes() == PDF

    confirmed = good(people.run("officer-2", "breaches", "confirm", breach, "--why", "Its number was read."))
    step = f"trialcpa decide revoke {approval} --cause breach --breach {breach} --why @FILE"
    assert "A revocation is owed (F2.23)" in confirmed.words
    assert step in confirmed.words
    words = step.removeprefix("trialcpa ").replace("@FILE", note).split()
    good(people.run("officer-1", *words, "--urgent", typed=f"{approval}\n"))
    answered = good(people.run("officer-1", "breaches", "list", approval, "--state", "answered")).words
    assert (breach in answered, "condition 2" in answered) == (True, True)
    assert "No breach." in good(people.run("officer-1", "breaches", "list", "--state", "confirmed")).words
    assert "by the decision dec-" in good(people.run("officer-1", "breaches", "show", breach)).words


@pytest.mark.clause("F2.23")
def test_a_breach_is_dismissed_or_closed_when_nothing_is_left_to_revoke(
    people: People, approval: str, tmp_path: Path
) -> None:
    suspect = ["breaches", "suspect", approval, "--condition", "1", "--why", "Seen.", "--json"]
    one, other = (document(people.run("officer-1", *suspect))["breach"] for _ in range(2))
    dismissed = good(people.run("officer-1", "breaches", "dismiss", one, "--why", "It was another's."))
    assert f"{one}: dismissed" in dismissed.words
    assert "revocation" not in dismissed.words
    confirmed = document(people.run("officer-1", "breaches", "confirm", other, "--why", "Yes.", "--json"))
    assert (confirmed["state"], confirmed["evidence"], confirmed["refused"]) == ("confirmed", [], [])

    close = ["breaches", "close", other, "--why", "It had ended."]
    assert code(people.run("officer-1", *close)) == "wrong-state"  # it stands: the revocation is owed
    (tmp_path / "why.txt").write_text("The trial is over.\n")
    revoke = ["decide", "revoke", approval, "--cause", "ssc", "--why", f"@{tmp_path / 'why.txt'}", "--urgent"]
    good(people.run("officer-1", *revoke, typed=f"{approval}\n"))
    (tmp_path / "a.pdf").write_bytes(b"no PDF at all")
    refused = people.run("officer-1", *close, "--evidence", str(tmp_path / "a.pdf"))
    assert (refused.status, "the state of the breach is as it was" in refused.words) == (1, True)
    assert document(people.run("officer-1", "breaches", "show", other, "--json"))["state"] == "confirmed"
    (tmp_path / "a.pdf").write_bytes(PDF)
    closed = good(people.run("officer-1", *close, "--evidence", str(tmp_path / "a.pdf")))
    assert f"{other}: closed" in closed.words
    shown = document(people.run("officer-1", "breaches", "show", other, "--json"))
    assert (shown["why"], [each["name"] for each in shown["evidence"]]) == ("It had ended.", ["a.pdf"])


def test_what_the_ssc_writes_about_a_breach_is_not_for_the_manufacturer(people: People, approval: str) -> None:
    assert code(people.run("manufacturer", "breaches", "list", approval)) == "operation-not-permitted"
    missing = people.run("officer-1", "breaches", "suspect", approval, "--condition", "9", "--why", "x")
    assert code(missing) == "not-found"
    unknown = people.run("officer-1", "breaches", "attach", "breach-none", __file__)
    assert (code(unknown), "evidence is one of" in unknown.words) == ("input-unusable", True)


# --- amendments --------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.29")
def test_a_manufacturer_asks_for_an_amendment_adds_to_it_and_takes_it_back(
    people: People, approval: str, tmp_path: Path
) -> None:
    (tmp_path / "new.bin").write_bytes(b"the image of firmware 9001")
    (tmp_path / "bad.csv").write_bytes(b"\x00")
    digest = hashlib.sha256(b"the image of firmware 9001").hexdigest()
    wishes = ["--expiry", "2027-08-31", "--maximum-devices", "800", "--firmware", f"9001={tmp_path / 'new.bin'}"]
    wishes += ["--remove-firmware", "0002012F", "--other", "A [bold]hub\u202e too.", "--why", "It snowed."]
    wishes += ["--evidence", str(tmp_path / "bad.csv")]
    said = people.run("manufacturer", "amendments", "request", approval, *wishes)
    assert said.status == 1, said.err  # asked for, with a file that was refused
    (held,) = document(people.run("officer-1", "amendments", "list", approval, "--json"))["requests"]
    request = held["request"]
    assert held["asked"] == {
        "start": None,
        "expiry": "2027-08-31",
        "maximum_devices": 800,
        "firmware_added": [{"version": "9001", "image_sha256": digest}],
        "firmware_removed": ["0002012F"],
        "other": "A [bold]hub\u202e too.",
    }
    told = (
        "expiry 2027-08-31, until 00:59:59 BST on 1 September 2027",
        "at most 800 devices",
        f"firmware 9001 added, {digest}",
        "firmware 0002012F removed",
        "A [bold]hub\ufffd too.",
    )
    listed = good(people.run("officer-1", "amendments", "list", approval.lower()))
    shown = good(people.run("manufacturer", "amendments", "show", request))
    for part in told:
        assert part in said.words, part
        assert part in shown.words, part
    assert [word for word in (request, "open", "It snowed.", "800") if word not in listed.words] == []
    assert f"trialcpa amendments attach {request} FILE" in said.words

    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    good(people.run("manufacturer", "amendments", "attach", request, str(tmp_path / "bad.csv")))
    evidence = document(people.run("officer-1", "amendments", "show", request, "--json"))["evidence"]
    assert [each["name"] for each in evidence] == ["bad.csv"]
    taken = good(people.run("manufacturer", "amendments", "withdraw", request))
    assert f"{request}: withdrawn, for {approval}" in taken.words
    assert code(people.run("manufacturer", "amendments", "withdraw", request)) == "wrong-state"


def test_of_an_amendment_that_cannot_be_asked_for_nothing_is_sent(
    people: People, approval: str, tmp_path: Path
) -> None:
    ask = ["amendments", "request", approval, "--why", "x"]
    for words, told in (
        (["--firmware", f"9001={tmp_path / 'none.bin'}"], "input-unusable"),
        (["--expiry", "2027-08-31", "--evidence", str(tmp_path / "none.pdf")], "input-unusable"),
        (["--expiry", "the end of May"], "instant-malformed"),
    ):
        assert code(people.run("manufacturer", *ask, *words)) == told
    assert code(people.run("rival", *ask, "--expiry", "2027-08-31")) == "not-found"
    assert code(people.run("officer-1", *ask, "--expiry", "2027-08-31")) == "operation-not-permitted"
    assert "No amendment was asked for." in good(people.run("manufacturer", "amendments", "list", approval)).words


# --- being informed, and what has not arrived --------------------------------------------------------------------


@pytest.mark.clause("F2.30")
def test_another_officer_is_shown_an_urgent_revocation_and_acknowledges_it(
    people: People, approval: str, tmp_path: Path
) -> None:
    (tmp_path / "why.txt").write_text("A key was stolen.\n")
    words = ["decide", "revoke", approval, "--cause", "ssc", "--reasons", str(tmp_path / "why.txt"), "--urgent"]
    decision = document(people.run("officer-1", *words, "--json", "--yes-i-have-read"))["decisions"][0]["decision"]
    assert "must acknowledge it (F2.30)" in good(people.run("officer-2", "status")).words
    assert code(people.run("officer-1", "decide", "acknowledge", decision, "--json")) == "same-person"
    said = good(people.run("officer-2", "decide", "acknowledge", decision))
    before, _, after = said.words.partition(f"{decision}: acknowledged by officer-2, 20")
    assert "A key was stolen." in before
    assert after.rstrip().endswith(")")
    assert "must acknowledge it" not in good(people.run("officer-2", "status")).words
    assert "by officer-2" in good(people.run("auditor", "decide", "show", decision)).words
    assert code(people.run("officer-2", "decide", "acknowledge", decision, "--json")) == "wrong-state"


@pytest.mark.clause("F2.18")
def test_an_officer_sees_what_was_issued_or_disowns_it(people: People, approval: str) -> None:
    listed = document(people.run("auditor", "decide", "list", "--all", "--json"))["decisions"]
    (decision,) = (each["decision"] for each in listed if each["approval"] == approval)
    witness = ("decide", "witness", decision)
    assert "say that you have seen it, or disown it" in good(people.run("officer-2", "status")).words
    for wrong in ([], ["--seen", "--disowned", "--why", "x"], ["--disowned"], ["--seen", "--why", "x"]):
        assert people.run("officer-2", *witness, *wrong).status == 2, wrong
    assert f"{decision}: seen by officer-2, 20" in good(people.run("officer-2", *witness, "--seen")).words
    assert "You are named" not in good(people.run("officer-2", "status")).words
    assert code(people.run("officer-2", *witness, "--seen", "--json")) == "wrong-state"
    said = document(people.run("officer-2", *witness, "--disowned", "--why", "It was not me.", "--json"))
    assert (said["saw"], said["why"]) == ("disowned", "It was not me.")
    shown = good(people.run("auditor", "decide", "show", decision)).words
    assert "What officers say of it" in shown
    assert "It was not me." in shown


@pytest.mark.clause("F2.21(b)")
@pytest.mark.clause("F2.22")
def test_notices_are_listed_for_each_and_what_has_not_arrived_for_the_ssc(
    people: People, approval: str, tmp_path: Path
) -> None:
    refused = people.api.proposed(kind="refuse", application=people.api.applied("rival", csr=csr_pem().decode()))
    people.api.settle()
    done(people.api.ask("officer-2", "POST", f"/v1/decisions/{refused}/second", people.api.second_body(refused)))
    own = document(people.run("manufacturer", "notices", "--json"))["notices"]
    assert [(each["approval"], [one["recipient"] for one in each["copies"]]) for each in own] == [
        (approval, ["manufacturer"])
    ]
    number = own[0]["notice"]
    assert [each["kind"] for each in document(people.run("officer-1", "notices", "--json"))["notices"]] == [
        "grant",
        "refusal",
    ]
    one = good(people.run("officer-1", "notices", approval.lower().replace("-", ""))).words
    assert (number in one, "refusal" in one, "panel (amber)" in one) == (True, False, True)

    waiting = document(people.run("officer-1", "notices", "--undelivered", "--json"))["undelivered"]
    assert len({(each["notice"], each["recipient"]) for each in waiting}) == 6
    # A courier that knows no address but the Manufacturer's, and a relay where nobody listens.
    nobody = Mailer(Relay("127.0.0.1", 9, "none", "notices@ssc.example"), FixedClock(NOW))
    NoticeDelivery(people.api.world.desk, nobody, {}).turn()
    shown = good(people.run("officer-1", "notices", approval, "--undelivered")).words
    assert (shown.count(number), shown.count("no-address")) == (3, 2)
    assert "mail trials@example.com waiting 1 The mail was not sent: the connection failed" in shown
    good(people.run("dcc", "fetch", number, "-o", str(tmp_path / "notice.pdf")))
    assert good(people.run("officer-1", "notices", approval, "--undelivered")).words.count(number) == 2
    assert "dcc (amber), fetched" in good(people.run("dcc", "notices")).words
    assert code(people.run("dcc", "notices", "--undelivered")) == "operation-not-permitted"
    said = trialcpa("notices", "TDA-2027-0042-X", *NOWHERE)
    assert "is not an approval identifier" in said.words

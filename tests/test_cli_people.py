"""The people's command line does over HTTP what it says, shows what is true, and tells what to do when it cannot."""

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from api.forms.deciding import body_of
from app.cli.application_form import TEMPLATE
from app.cli.decision_form import TEMPLATE as DECISIONS
from app.cli.decision_form import decisions, members_of
from app.cli.main import cli
from core.approval import Device
from core.errors import InputUnusable
from core.kinds import DecisionKind
from policy.section_f.application import EXAMPLE_CERTIFICATES, EXAMPLE_DEVICE, EXAMPLE_PURPOSE
from tests.api_world import Api, done
from tests.people_world import People, served, trialcpa
from tests.test_amendments import amended
from tests.world import World, csr_pem
from verify.kit.terminal import harmless

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
LONGER_HELP = {"trialcpa": 40, "trialcpa init": 27}
"""Lines of a help that says more than 24 hold: every command there is, everything that is fixed for ever."""

IMAGE = b"the image of firmware 0002012F"


@pytest.fixture
def people(store_copy: Callable[[str], str], keys_folder: Path, tmp_path: Path) -> Iterator[People]:
    world = World(store_copy("sqlite"), keys_folder)
    (tmp_path / "keys").mkdir()
    with served(Api(world), tmp_path / "keys") as made:
        yield made
    world.close()


@pytest.fixture
def form(tmp_path: Path) -> Path:
    """An application's form as the template has it, with the files that it names."""
    (tmp_path / "device.csr").write_bytes(csr_pem())
    (tmp_path / "firmware-0002012F.bin").write_bytes(IMAGE)
    (tmp_path / "trial.toml").write_text(TEMPLATE)
    return tmp_path / "trial.toml"


def key_file(folder: Path, text: str = "tcpa_of_nobody\n", mode: int = 0o600) -> Path:
    path = folder / "some.key"
    path.write_text(text)
    path.chmod(mode)
    return path


def applied(people: People, form: Path) -> str:
    said = people.run("manufacturer", "apply", str(form), "--json")
    assert said.status == 0, said.err
    return str(json.loads(said.out)["application"])


def proposed(people: People, form: Path, application: str, **more: str) -> dict[str, Any]:
    """A proposal to grant, by officer-1, with its draft; as officers are shown it."""
    path = form.with_name("decision.toml")
    members = {"kind": "grant", "application": application, "reasons": "It looks sound.", **more}
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in members.items()))
    said = people.run("officer-1", "decide", "propose", str(path), "--json")
    assert said.status == 0, said.err
    people.api.settle()
    return done(people.api.ask("officer-1", "GET", f"/v1/decisions/{json.loads(said.out)['decisions'][0]['decision']}"))


def granted(people: People, form: Path) -> str:
    shown = proposed(people, form, applied(people, form))
    said = people.run("officer-2", "decide", "second", shown["decision"], "--yes-i-have-read")
    assert said.status == 0, said.err
    people.api.settle()
    return str(shown["approval"])


# --- help --------------------------------------------------------------------------------------------------------


def commands(group: click.Group, name: str = "trialcpa") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for each in group.list_commands(context):
        command = group.get_command(context, each)
        assert command is not None
        if not command.hidden:
            yield f"{name} {each}", command
            if isinstance(command, click.Group):
                yield from commands(command, f"{name} {each}")


@pytest.mark.parametrize(
    ("name", "command"),
    [("trialcpa", cli), *commands(cli)],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_each_help_fits_a_screen_and_ends_with_an_example(name: str, command: click.Command) -> None:
    lines = CliRunner().invoke(command, ["--help"], prog_name=name).output.rstrip().splitlines()
    assert len(lines) <= LONGER_HELP.get(name, 24), "\n".join(lines)
    assert max(map(len, lines)) <= 80, "\n".join(lines)
    begins = max(place for place, line in enumerate(lines) if line.strip() == "Example:")
    assert len(lines) - begins <= 4
    assert all(line.strip().startswith(("trialcpa", "--")) for line in lines[begins + 1 :]), "\n".join(lines)
    assert ".py" not in "\n".join(lines), "nobody outside knows the source's files"
    assert not [line for line in lines[1:] if line.endswith("...")], "a sentence was cut short"


# --- applying ----------------------------------------------------------------------------------------------------


def test_the_template_that_is_printed_is_a_form_that_is_taken_in(people: People, form: Path) -> None:
    assert trialcpa("apply", "--template").out == TEMPLATE
    (form.parent / "report.pdf").write_bytes(PDF)
    said = people.run("manufacturer", "apply", str(form), "--evidence", str(form.parent / "report.pdf"))
    assert said.status == 0, said.err
    application = said.out.split()[0]
    shown = done(people.api.ask("manufacturer", "GET", f"/v1/applications/{application}"))
    assert shown["firmware"] == [{"version": "0002012F", "image_sha256": hashlib.sha256(IMAGE).hexdigest()}]
    assert shown["assurance"][0]["scheme"] == "ZigBee"
    assert shown["earlier_cpa"]["model"] == "010A0209"
    assert [each["name"] for each in shown["evidence"]] == ["report.pdf"]
    assert "DLMS" in said.words  # a finding, told at once


def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(people: People, form: Path) -> None:
    image = form.with_name("other.bin")
    image.write_bytes(b"another image")
    words = ["apply", str(form), "--firmware", f"9001={image}", "--firmware", f"0002012f={image}", "--dry-run"]
    said = people.run("manufacturer", *words)
    digest = hashlib.sha256(b"another image").hexdigest()
    assert json.loads(said.out)["firmware"] == [
        {"version": "9001", "image_sha256": digest},
        {"version": "0002012f", "image_sha256": digest},  # in the place of the form's, without regard to case
    ]
    assert done(people.api.ask("manufacturer", "GET", "/v1/applications"))["applications"] == []


def test_a_file_that_is_no_evidence_stops_the_application_before_it_is_sent(people: People, form: Path) -> None:
    (form.parent / "bad.pdf").write_bytes(b"no PDF at all")
    (form.parent / "good.csv").write_text("a,b\n1,2\n")
    files = [word for name in ("bad.pdf", "good.csv") for word in ("--evidence", str(form.parent / name))]
    said = people.run("manufacturer", "apply", str(form), *files)
    assert (said.status, "bad.pdf cannot be used: The file cannot be taken" in said.err) == (1, True), said.err
    assert done(people.api.ask("manufacturer", "GET", "/v1/applications"))["applications"] == []
    application = json.loads(people.run("manufacturer", "apply", str(form), *files[2:], "--json").out)["application"]
    (form.parent / "bad.pdf").write_bytes(PDF)
    mended = people.run("manufacturer", "apply", "--change", application, "--evidence", str(form.parent / "bad.pdf"))
    assert mended.status == 0, mended.err
    form.with_name("change.toml").write_text("maximum_devices = 20\n")
    assert people.run("manufacturer", "apply", str(form.with_name("change.toml")), "--change", application).status == 0
    shown = done(people.api.ask("manufacturer", "GET", f"/v1/applications/{application}"))
    assert (shown["maximum_devices"], len(shown["evidence"]), shown["version"]) == (20, 2, 2)


def test_everything_that_is_wrong_with_a_form_is_told_at_once(form: Path) -> None:
    form.write_text(
        "start = true\nmaximum_devices = '5'\ncsr = 'nothing.csr'\npurpose = 5\nlimt = 3\n"
        "[device]\ntype = 'ESME'\n[[firmware]]\nversion = '1'\n[[firmware]]\nversion = '2'\nimage = 'nothing.bin'\n"
        "[[firmware]]\nversion = '3'\nimage = 'trial.toml'\nimage_sha256 = 'ab'\n"
    )
    said = trialcpa("apply", str(form), "--url", "http://127.0.0.1:1")
    assert said.status == 1
    for problem in (
        "limt is not known; known here: device, smets_version,",
        "device.manufacturer is missing.",
        "smets_version is missing.",
        "firmware 1 must have either image",
        "firmware 2.image names",
        "firmware 3 must have either image",
        "start must be a day: 2027-01-04.",
        "expiry is missing.",
        "maximum_devices must be a whole number.",
        "purpose must be a text in quotation marks.",
        "which cannot be read (No such file or directory).",
        "nothing was sent. [input-unusable]",
    ):
        assert problem in said.words, problem


@pytest.mark.parametrize(
    ("text", "told"),
    [("start = 2027-13-01", "it is not TOML"), ("start =", "it is not TOML"), ("", "device is missing")],
)
def test_what_is_no_form_is_told(form: Path, text: str, told: str) -> None:
    form.write_text(text)
    assert told in trialcpa("apply", str(form)).words


def test_evidence_of_another_kind_or_size_is_told_before_anything_is_sent(form: Path) -> None:
    for name, octets, told in (
        ("a.exe", b"x", "evidence is one of .pdf, .xlsx, .csv, .txt"),
        ("a.pdf", b"", "it has 0 octets"),
        ("a.txt", b"x" * (10 * 1024 * 1024 + 1), "evidence has 1 to 10,485,760"),
    ):
        form.with_name(name).write_bytes(octets)
        said = trialcpa("apply", str(form), "--evidence", str(form.with_name(name)), "--url", "http://127.0.0.1:1")
        assert said.status == 1
        assert told in said.words


# --- where it stands ---------------------------------------------------------------------------------------------


def test_the_manufacturer_sees_where_its_application_stands_and_what_is_missing(people: People, form: Path) -> None:
    application = applied(people, form)
    done(
        people.api.ask("officer-1", "POST", f"/v1/applications/{application}/requirements", {"text": "A site plan."}),
        201,
    )
    said = people.run("manufacturer", "status", application)
    assert f"{application}: submitted" in said.out
    assert "This further requirement is open: A site plan." in said.words
    assert "No DLMS certificate is named" in said.words
    assert "until 00:59:59 BST on 1 July 2027" in said.words
    assert json.loads(people.run("manufacturer", "status", application, "--json").out)["application"] == application
    other = people.run("rival", "status", application)
    assert other.status == 1
    assert "[not-found]" in other.err


def test_everybody_has_an_overview(people: People, form: Path) -> None:
    approval = granted(people, form)
    for who in ("manufacturer", "officer-1", "admin", "dcc", "panel", "auditor"):
        said = people.run(who, "status")
        assert said.status == 0, said.err
        assert "Waiting" in said.out
        assert approval in said.out
        assert ("Applications" in said.out) == (who not in {"dcc", "panel"})
        document = json.loads(people.run(who, "status", "--json").out)
        assert ("applications" in document) == (who not in {"dcc", "panel"})
        shown = people.run(who, "status", approval.lower())
        assert shown.status == 0, shown.err
        assert f"{approval}: not_yet_started" in shown.out


@pytest.mark.parametrize("named", ["TDA-2027-0042-X", "nothing", "dec-1"])
def test_what_is_neither_an_application_nor_an_approval_is_told(tmp_path: Path, named: str) -> None:
    said = trialcpa("status", named, "--key-file", str(key_file(tmp_path)), "--url", "http://127.0.0.1:1")
    assert said.status == 1
    assert "is not an approval identifier" in said.err


def test_a_strangers_words_move_nothing_on_a_terminal(people: People, form: Path) -> None:
    form.write_text(TEMPLATE.replace('manufacturer = "AB01"', 'manufacturer = "[red]AB01"', 1))
    application = applied(people, form)
    body = {"text": "Clear\u202e the \u2028screen [bold]now[/bold]"}
    done(people.api.ask("officer-1", "POST", f"/v1/applications/{application}/requirements", body), 201)
    said = people.run("manufacturer", "status", application)
    assert "[red]AB01" in said.out  # shown as it is, not obeyed
    assert "Clear\ufffd the \ufffdscreen [bold]now[/bold]" in said.words
    assert not {"\x1b", "\u202e", "\u2028"} & set(said.out)


@given(st.text())
def test_what_is_harmless_has_nothing_that_steers(text: str) -> None:
    shown = harmless(text)
    assert all(each in "\n\u00a0\u3000" or each.isprintable() or each.isspace() for each in shown)
    assert len(shown) == len(text)
    assert harmless(shown) == shown


# --- deciding ----------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.22")
def test_an_officer_is_shown_everything_that_will_be_true_before_the_digest_is_asked_for(
    people: People, form: Path
) -> None:
    shown = proposed(people, form, applied(people, form), meeting="SSC 2027-01", minute="7.2")
    digest = shown["proposal_sha256"]
    said = people.run("officer-2", "decide", "second", shown["decision"], typed=f"{digest[:8].upper()}\n")
    assert said.status == 0, said.err
    before, asked, after = said.out.partition("Type the first 8 characters of the proposal digest")
    assert asked
    for part in (
        digest,
        shown["tbs_sha256"],
        "SSC 2027-01 7.2",
        "It looks sound.",
        f"Trial CPA Certificate {shown['approval']}, issue 1",
        "The notice to manufacturer, dcc and panel: Trial Device Approval granted (amber)",
        "2027-06-30 23:59:59 UTC (00:59:59 BST on 1 July 2027)",
        "No DLMS certificate is named",
    ):
        assert part in " ".join(before.split()), part
    assert f"{shown['decision']} grant {shown['approval']}: seconded" in " ".join(after.split())


def test_without_the_digests_first_characters_nothing_is_seconded(people: People, form: Path) -> None:
    shown = proposed(people, form, applied(people, form))
    digest = shown["proposal_sha256"]
    wrong = ("1" if digest[0] == "0" else "0") + digest[1:8]
    for typed in ("\n", "y\n", "yes\n", f"{wrong}\n", f"{digest[:7]}\n", f"{digest}\n", ""):
        said = people.run("officer-2", "decide", "second", shown["decision"], typed=typed)
        assert said.status != 0, typed
        again = done(people.api.ask("officer-1", "GET", f"/v1/decisions/{shown['decision']}"))
        assert again["state"] == "drafted", typed


def test_json_seconds_nothing_unread(people: People, form: Path) -> None:
    shown = proposed(people, form, applied(people, form))
    said = people.run("officer-2", "decide", "second", shown["decision"], "--json")
    assert (said.status, "--yes-i-have-read" in said.err) == (2, True)
    said = people.run("officer-2", "decide", "second", shown["decision"], "--json", "--yes-i-have-read")
    assert json.loads(said.out)["decisions"][0]["state"] == "seconded"


def test_a_refusal_of_the_service_is_told_in_its_own_words_with_its_own_code(people: People, form: Path) -> None:
    shown = proposed(people, form, applied(people, form))
    said = people.run("officer-1", "decide", "second", shown["decision"], "--yes-i-have-read")
    assert said.status == 1
    assert "officer-1 proposed this decision and cannot second it." in said.words
    assert said.err.rstrip().endswith("[same-person]")
    rejected = people.run("officer-1", "decide", "reject", shown["decision"], "--why", "The dates are wrong.")
    assert rejected.status == 0, rejected.err
    late = people.run("officer-2", "decide", "second", shown["decision"], typed="x\n")
    assert late.status == 1
    assert "is rejected; there is nothing to second" in late.words


@pytest.mark.clause("F2.18")
def test_a_meetings_decisions_stand_or_fall_alone(people: People, form: Path) -> None:
    first = applied(people, form)
    form.write_text(TEMPLATE.replace('model = "010A030B"', 'model = "010A030C"'))
    form.with_name("device.csr").write_bytes(csr_pem())
    second = applied(people, form)
    path = form.with_name("meeting.toml")
    path.write_text(
        "".join(
            f'[[decision]]\nkind = "{kind}"\napplication = "{each}"\nreasons = "As minuted."\nmeeting = "SSC 3"\n'
            for kind, each in (("grant", first), ("grant", "app-none"), ("refuse", second))
        )
    )
    said = people.run("officer-1", "decide", "propose", str(path))
    assert said.status == 1
    assert "2. refused: There is no application app-none" in said.words
    people.api.settle()
    listed = json.loads(people.run("officer-2", "decide", "list", "--json").out)["decisions"]
    assert sorted(each["kind"] for each in listed) == ["grant", "refuse"]
    identifiers = [each["decision"] for each in listed]
    typed = "".join(f"{each['proposal_sha256'][:8]}\n" for each in listed)
    said = people.run("officer-2", "decide", "second", *identifiers, typed=typed)
    assert said.status == 0, said.out + said.err
    assert "No decision waits." in people.run("officer-2", "decide", "list").out
    states = [done(people.api.ask("admin", "GET", f"/v1/applications/{each}"))["state"] for each in (first, second)]
    assert states == ["granted", "refused"]


@pytest.mark.clause("F2.30")
def test_an_approval_is_revoked_at_once_or_proposed_to_be(people: People, form: Path) -> None:
    approval = granted(people, form)
    why = form.with_name("why.txt")
    why.write_text("The trial is over.\n")
    words = ["decide", "revoke", approval, "--cause", "ssc", "--reasons", str(why)]
    said = people.run("officer-1", *words)
    assert (said.status, f"revoke {approval}: proposed" in said.words) == (0, True), said.err
    decision = json.loads(people.run("officer-1", "decide", "list", "--json").out)["decisions"][0]
    assert people.run("officer-2", "decide", "reject", decision["decision"], "--why", "At once.").status == 0
    people.api.settle()
    for typed in ("\n", "TDT-2027-0002-0\n"):
        refused = people.run("officer-1", *words, "--urgent", typed=typed)
        assert (refused.status, "nothing was revoked" in refused.err) == (1, True)
    assert people.run("officer-1", *words, "--urgent", "--json").status == 2
    assert done(people.api.ask("dcc", "GET", f"/v1/approvals/{approval}"))["state"] != "cancelled"
    for each in ("Acme Metering Ltd", "The trial is over.", "remove its entries", "must acknowledge", "issue 1, "):
        assert each in refused.words
    said = people.run("officer-1", *words, "--urgent", typed=f"{approval.lower()}\n")
    assert (said.status, f"{approval}: revoked" in said.words) == (0, True), said.err
    assert done(people.api.ask("dcc", "GET", f"/v1/approvals/{approval}"))["state"] == "cancelled"
    again = people.run("officer-1", *words, "--urgent", "--yes-i-have-read")
    assert "[already-ended]" in again.err


def test_everything_is_checked_before_anything_is_sent(form: Path, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "no.pdf").write_bytes(b"no PDF at all")
    for octets, files, told in (
        (secret, [], "private key"),
        (secret + csr_pem(key), [], "private key"),
        (b"nothing\n", [], "which cannot be sent"),
        (csr_pem(ec.generate_private_key(ec.SECP521R1())), [], "which cannot be certified"),
        (csr_pem(key), ["--evidence", str(tmp_path / "no.pdf")], "no.pdf cannot be used"),
    ):
        (tmp_path / "device.csr").write_bytes(octets)
        # No key is named and nobody listens: what is wrong here is told without either.
        said = trialcpa("apply", str(form), *files, TRIALCPA_URL="http://127.0.0.1:9")
        assert (said.status, told in said.err.lower() or told in said.err) == (1, True), said.err
        assert "[input-unusable]" in said.err


def test_a_form_that_is_sent_twice_is_one_application_which_can_be_taken_back(people: People, form: Path) -> None:
    first = applied(people, form)
    assert applied(people, form) == first
    more = json.loads(people.run("manufacturer", "apply", str(form), "--again", "--json").out)["application"]
    assert more != first
    said = people.run("manufacturer", "apply", "--cancel", more)
    assert (said.status, f"{more} was taken back." in said.words) == (0, True), said.err
    assert done(people.api.ask("manufacturer", "GET", f"/v1/applications/{more}"))["state"] == "cancelled"
    assert people.run("manufacturer", "apply", str(form), "--cancel", more).status == 2
    assert "[wrong-state]" in people.run("manufacturer", "apply", "--cancel", more).err


def test_what_the_form_shows_is_what_a_live_authority_refuses() -> None:
    shown = tomllib.loads(TEMPLATE)
    assert Device(**shown["device"]) == EXAMPLE_DEVICE
    assert shown["purpose"].strip() == EXAMPLE_PURPOSE
    assert {shown["assurance"][0]["certificate"], shown["earlier_cpa"]["certificate"]} == set(EXAMPLE_CERTIFICATES)
    assert shown["contact"].endswith("@example.com")


def test_the_template_of_decisions_has_every_kind_and_all_that_each_may_say(tmp_path: Path) -> None:
    path = tmp_path / "decisions.toml"
    commented = {
        line[2:]
        for line in DECISIONS.splitlines()
        if line.startswith("# [decision.") or (line.startswith("# ") and " = " in line and line[2:3].islower())
    }
    text = "\n".join(line[2:] if line[2:] in commented else line for line in DECISIONS.splitlines())
    path.write_text(text)
    with pytest.raises(InputUnusable) as caught:
        decisions(path)
    assert str(caught.value).count("as the template does: write which one.") == text.count('-…"')
    assert "decision 1.application still says “app-…”" in str(caught.value)
    path.write_text(text.replace("-…", "-1"))
    (tmp_path / "new.csr").write_bytes(csr_pem())
    (tmp_path / "firmware-00020130.bin").write_text("x")
    made = decisions(path)
    assert [each["kind"] for each in made] == list(DecisionKind)
    known = {name for kind in DecisionKind for name in members_of(body_of(kind))}
    assert known - {name for each in made for name in each} == {"invalidity_date", "description", "conditions_added"}
    assert made[2]["firmware_added"] == [{"version": "00020130", "image_sha256": hashlib.sha256(b"x").hexdigest()}]
    assert made[2]["effective"] == "2027-03-01T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('kind = "grant"\n', "application is missing."),
        ('kind = "king"\n', "kind must be one of grant, refuse, amend"),
        ('[[decision]]\nkind = "refuse"\napplication = 3\nreasons = "x"\n', "decision 1.application must be a text"),
        ('kind = "grant"\n[[decision]]\nkind = "grant"\n', "write nothing beside them"),
        ("decision = 3\n", "head each one with [[decision]]"),
        ('kind = "withdraw"\napproval = "x"\nreasons = "y"\nexpiry = 2027-01-01\n', "expiry is not known; known here:"),
        ('kind = "rekey"\napproval = "x"\nreasons = "y"\ncsr = "none"\ncompromised = 1\n', "must be true or false"),
    ],
)
def test_what_is_wrong_with_a_form_of_decisions_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "decisions.toml"
    path.write_text(text)
    with pytest.raises(InputUnusable) as caught:
        decisions(path)
    assert told in str(caught.value)


# --- fetching ----------------------------------------------------------------------------------------------------


@pytest.mark.clause("F2.25")
def test_a_certificate_is_fetched_in_every_form_by_approval_and_by_serial(
    people: People, form: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval = granted(people, form)
    serial = done(people.api.ask("dcc", "GET", f"/v1/approvals/{approval}"))["certificates"][0]["serial"]
    monkeypatch.chdir(tmp_path)
    pem = people.run("dcc", "fetch", approval.lower().replace("-", " "))
    assert pem.out.startswith("-----BEGIN CERTIFICATE-----")
    assert people.run("dcc", "fetch", serial).out == pem.out
    assert people.run("dcc", "fetch", approval, "--as", "der").err == f"{approval}.cer: {len(_der(tmp_path))} octets\n"
    again = people.run("dcc", "fetch", approval, "--as", "der")
    assert (again.status, "there is such a file already" in again.words) == (1, True)
    named = people.run("dcc", "fetch", approval, "--as", "p7", "-o", "chain.p7c")
    assert (named.status, (tmp_path / "chain.p7c").read_bytes()[0]) == (0, 0x30)
    assert json.loads(people.run("dcc", "fetch", approval, "--as", "json").out)["approval"] == approval
    wrong = people.run("dcc", "fetch", serial, "--as", "pdf")
    assert (wrong.status, "can be had as pem, der, p7" in wrong.words) == (2, True)
    assert "is not an approval identifier" in people.run("dcc", "fetch", "what").err


@pytest.mark.clause("F2.25")
def test_the_manufacturer_accepts_or_rejects_what_it_fetched(people: People, form: Path) -> None:
    approval = granted(people, form)
    serial = done(people.api.ask("dcc", "GET", f"/v1/approvals/{approval}"))["certificates"][0]["serial"]
    assert people.run("manufacturer", "fetch", approval, "--accept", "--reject", "x").status == 2
    said = people.run("manufacturer", "fetch", approval, "--reject", "It names another model.")
    assert (said.status, said.err) == (0, f"{serial}: rejected\n")
    assert "rejected: It names another model." in people.run("officer-1", "status", approval).words
    again = people.run("manufacturer", "fetch", serial, "--accept")
    assert again.err.rstrip().endswith("[wrong-state]")  # the first answer stands
    assert people.run("manufacturer", "fetch", "TTN-2027-0001", "--as", "json", "--accept").status == 2


@pytest.mark.clause("F2.25")
@pytest.mark.clause("F2.29")
def test_what_is_answered_is_what_was_fetched_and_never_what_waits_unless_it_is_named(
    people: People, form: Path
) -> None:
    approval = granted(people, form)
    amended(people.api.world, approval, maximum_devices=20, effective=datetime(2027, 3, 1, tzinfo=UTC))
    holds, waits = done(people.api.ask("dcc", "GET", f"/v1/approvals/{approval}"))["certificates"]
    said = people.run("manufacturer", "fetch", approval, "--issue", "2", "--reject", "Nobody asked for it.")
    assert (said.status, said.err) == (0, f"{waits['serial']}: rejected\n")
    assert said.out == people.run("manufacturer", "fetch", waits["serial"]).out
    said = people.run("manufacturer", "fetch", approval, "--accept")
    assert (said.status, said.err) == (0, f"{holds['serial']}: accepted\n")
    assert said.out == people.run("dcc", "fetch", approval).out == people.run("dcc", "fetch", holds["serial"]).out
    assert "issue 1" in people.run("dcc", "status", approval).words
    for issue, named in (("3", approval), ("1", holds["serial"])):
        assert people.run("manufacturer", "fetch", named, "--issue", issue, "--accept").status != 0


def _der(folder: Path) -> bytes:
    return next(folder.glob("*.cer")).read_bytes()


@pytest.mark.clause("F2.21")
def test_a_notice_is_fetched_as_its_recipient_gets_it(people: People, form: Path, tmp_path: Path) -> None:
    granted(people, form)
    number = done(people.api.ask("dcc", "GET", "/v1/notices"))["notices"][0]["notice"]
    said = people.run("dcc", "fetch", number.lower(), "-o", str(tmp_path / "notice.pdf"))
    assert said.status == 0, said.err
    assert (tmp_path / "notice.pdf").read_bytes().startswith(b"%PDF-")
    document = json.loads(people.run("officer-1", "fetch", number, "--as", "json", "--of", "panel").out)
    assert document["recipient"] == "panel"

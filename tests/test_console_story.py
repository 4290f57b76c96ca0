"""A whole trial under Section F, played on the pages by five people in real Chromium: a Manufacturer, two officers, the
DCC, the Panel's list keeper and an auditor; with scripts and passkeys, and with --long without any.
"""

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser

from ra.telling.approvals import approval as approval_of
from tests.api_world import Api
from tests.browser_world import chromium
from tests.deployments_world import csv_of, deployed
from tests.people_world import trialcpa
from tests.story_people import Stage, enrol_everybody, passkey_counts, staged
from tests.world import World

MODEL, OTHER_MODEL = "010A030B", "010A030C"
FIRST, LATER = "0002012F", "00020130"
LIMIT = 3
PDF = b"%PDF-1.7\n1 0 obj <</Type/Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n"
LOG = PDF.replace(b"Catalog>>", b"Catalog/Lang(en)>>")
RED = "The debug port answers to a known password."
AMONG_US = "The assessor doubts the tamper log."
"""What stays among officers."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(params=["by passkeys", pytest.param("without scripts", marks=pytest.mark.long)])
def stage(request: pytest.FixtureRequest, world: World, browser: Browser, tmp_path: Path) -> Iterator[Stage]:
    with staged(Api(world), browser, tmp_path, scripts=request.param == "by passkeys") as made:
        yield made


def test_a_whole_trial_is_played_in_browsers(stage: Stage) -> None:
    if stage.scripts:
        enrol_everybody(stage)
        passkey_counts(stage, "officer-2")
    _refused(stage, _applied(stage, OTHER_MODEL))
    application = _applied(stage, MODEL, whole=True)
    _changed(stage, application)
    _required(stage, application)
    approval = _granted(stage, application)
    _accepted(stage, approval, 1)
    _listed(stage, approval, FIRST)
    _deployed(stage, approval)
    _answered_suspicion(stage, approval)
    _amended(stage, approval)
    _reported(stage)
    _revoked_for_the_breach(stage, approval)
    later = _granted(stage, _applied(stage, MODEL))
    _expires(stage, later)
    _audited(stage, approval)


def _csr(folder: Path) -> bytes:
    """A request as the page says how to make it."""
    key, request = folder / "trial.key", folder / "trial.csr"
    for words in (
        ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(key)),
        ("req", "-new", "-key", str(key), "-subj", "/O=Acme Metering Ltd", "-out", str(request)),
    ):
        subprocess.run(("openssl", *words), check=True, capture_output=True, timeout=60)
    return request.read_bytes()


def _applied(stage: Stage, model: str, *, whole: bool = False) -> str:
    """A draft in five parts, whose check says what is missing; sent, and whole with a file that proves it (F2.18)."""
    maker = stage.who("manufacturer")
    now = stage.api.world.clock.now()
    maker.open("/console/drafts")
    maker.press("Begin an application")
    maker.follow("The Device Model")
    maker.chooses("Device type", "ESME")
    for label, words in (
        ("Manufacturer", "AB01"),
        ("Model", model),
        ("Hardware version", "01"),
        ("SMETS", "SMETS V1.58"),
    ):
        maker.writes(label, words)
    maker.press("Keep and go on")
    maker.follow("Its firmware")
    maker.writes("Version", FIRST)
    maker.writes("SHA-256 of the image", "ab" * 32)
    maker.press("Keep and go on")
    maker.follow("Dates, limit and purpose")
    maker.writes("First day", (now.date() + timedelta(days=1)).isoformat())
    maker.writes("Last day", (now.date() + timedelta(days=60)).isoformat())
    maker.writes("Most devices", str(LIMIT))
    maker.writes("Purpose", "A field trial in Leeds.")
    maker.press("Keep and go on")
    maker.follow("The certificate signing request")
    maker.gives("trial.csr", _csr(stage.folder), label="Or choose its file", kind="application/octet-stream")
    if stage.scripts:
        maker.page.wait_for_function("() => document.getElementById('csr').value.includes('-----END')")
    maker.press("Keep and go on")
    maker.follow("Check your answers")
    maker.sees("No DLMS certificate is named", "Its firmware")
    if whole:
        _certified(stage, model)
    maker.press("Send the application")
    maker.sees("is with the Security Sub-Committee")
    application = maker.named
    if whole:
        maker.follow("Attach a file")
        maker.gives("assessment.pdf", PDF, kind="application/pdf")
        maker.press("Attach it")
        maker.sees("assessment.pdf is attached")
    return application


def _changed(stage: Stage, application: str) -> None:
    """What was sent is changed before anybody proposes; officers see what it said and says (F2.18)."""
    maker, one = stage.who("manufacturer"), stage.who("officer-1")
    maker.open(f"/console/applications/{application}")
    maker.press("Change the application")
    maker.follow("Dates, limit and purpose")
    maker.writes("Purpose", "A field trial in Leeds and York.")
    maker.press("Keep and go on")
    maker.follow("Check your answers")
    maker.sees("What it says now", "A field trial in Leeds and York.")
    maker.press("Send the change")
    maker.sees("It is changed: this is version 2")
    one.open(f"/console/applications/{application}")
    one.sees("Version 2 beside version 1", "A field trial in Leeds.", "A field trial in Leeds and York.")


def _certified(stage: Stage, model: str) -> None:
    """What the check says is missing is named: the certificates of the device, and that of another one (F2.19)."""
    maker = stage.who("manufacturer")
    maker.follow("Change Certificates that you hold")
    for row, scheme in enumerate(("ZigBee", "DLMS"), 1):
        fields = maker.group(f"Assurance Certificate {row}")
        for label, words in (("Scheme", scheme), ("Its number", f"{scheme}-0815"), ("Manufacturer", "AB01"),
                             ("Model", model), ("Hardware version", "01"), ("Issued on", "4 May 2026")):  # fmt: skip
            maker.writes(label, words, fields)
        if row == 1:
            maker.press("Keep and add another")
    fields = maker.group("CPA Certificate from the NCSC for another Device Model")
    for label, words in (("Its number", "CPA-2021-0007"), ("Manufacturer", "AB01"), ("Model", "010A0209"),
                         ("Issued on", "1 March 2021"), ("Expires on", "28 February 2029")):  # fmt: skip
        maker.writes(label, words, fields)
    maker.press("Keep and go on")
    maker.follow("Check your answers")
    assert "No DLMS certificate" not in maker.sees()


def _refused(stage: Stage, application: str) -> None:
    """An officer composes a refusal with words that stay here; the other seconds; the Manufacturer reads it (F2.24)."""
    one = stage.who("officer-1")
    one.open(f"/console/applications/{application}")
    one.follow("Compose a refusal")
    one.writes("Summary of reasons", "One trial at a time is as much as we can follow.")
    one.writes("The assessment", "By the assessor.")
    one.writes("Remark", RED)
    one.chooses("Class", "red", one.group("Remark"))
    _decided(stage, withheld=RED)
    maker = stage.who("manufacturer")
    maker.open(f"/console/applications/{application}")
    maker.sees("Refused")
    maker.open("/console/notices")
    assert RED not in maker.sees("Refusal")
    assert maker.saves("PDF").startswith(b"%PDF-")


def _required(stage: Stage, application: str) -> None:
    """A further requirement (F2.20): what the Manufacturer attaches meets it, and before that nothing is granted."""
    one, maker = stage.who("officer-1"), stage.who("manufacturer")
    place = f"/console/applications/{application}"
    one.open(place)
    one.unfolds("Ask for something more")
    one.writes("What must be evidenced", "Show the tamper log without power.")
    one.press("Ask for it")
    maker.open("/console/home")
    maker.goes_to(place)
    maker.sees("Show the tamper log")
    maker.follow("Attach a file")
    maker.gives("tamper.pdf", LOG, kind="application/pdf")
    maker.press("Attach it")
    maker.sees("tamper.pdf is attached")
    one.open(place)
    one.follow("tamper.pdf")
    assert one.saves("Save the file") == LOG
    one.open(place)
    one.unfolds("Close: Show the tamper log")
    one.ticks("It is met")
    one.writes("What shows it", "The log that is attached.")
    one.press("Close it")
    one.sees("Met")


def _granted(stage: Stage, application: str) -> str:
    """Composed with previews for each recipient, signed for by a key, seconded by a passkey (F2.21, F2.22, F2.25)."""
    one = stage.who("officer-1")
    one.open(f"/console/applications/{application}")
    one.follow("Compose a grant")
    one.writes("Summary of reasons", "It was assessed and found sound.")
    one.writes("The assessment", "By the assessor, against the Security Characteristics.")
    one.writes("Description", "An electricity meter.")
    one.writes("Remark", AMONG_US)
    one.chooses("Class", "red", one.group("Remark"))
    if not one.page.get_by_role("textbox", name="New condition 1").count():
        one.press("Add a condition")
    one.writes("New condition 1", "Report each week how many fail.")
    approval = _decided(stage, withheld=AMONG_US)
    stage.settle()
    maker = stage.who("manufacturer")
    maker.open(f"/console/approvals/{approval}")
    maker.sees(approval, MODEL)
    return approval


def _decided(stage: Stage, *, withheld: str = "") -> str:
    """What officer-1 has composed is previewed, proposed and signed for by key; officer-2 seconds it by passkey."""
    one, two = stage.who("officer-1"), stage.who("officer-2")
    if not stage.scripts:
        one.press("Preview")
    for to in ("Manufacturer", "DCC", "Panel"):
        sheet = one.page.get_by_role("region", name=f"What the {to} will get")
        sheet.wait_for()
        assert not withheld or withheld not in sheet.inner_text()
    one.press("Propose it")
    decision = one.named
    one.signs_by_key(f"Sign for {decision}")
    one.sees("Another officer can second it now")
    stage.settle()
    two.open("/console/home")
    two.goes_to(f"/console/decisions/{decision}")
    two.sees("What will be true")
    two.signs_by_passkey(f"Second {decision}")
    two.sees("You have seconded")
    stage.settle()
    two.open(f"/console/decisions/{decision}")
    two.sees("Done")
    found = two.page.locator('dd a[href^="/console/approvals/"]')
    return found.first.inner_text() if found.count() else ""


def _accepted(stage: Stage, approval: str, issue: int) -> None:
    """The certificate in its forms, and whether it is what was asked for (F2.25)."""
    maker = stage.who("manufacturer")
    maker.open(f"/console/approvals/{approval}")
    maker.follow("Certificate, requests")
    sheet = maker.page.get_by_role("region", name=f"Issue {issue}")
    for form, begins in (("with its chain, PEM", b"-----BEGIN"), ("alone, DER", b"0")):
        with maker.page.expect_download() as saved:
            sheet.get_by_role("link", name=form).click()
        assert Path(saved.value.path()).read_bytes().startswith(begins)
    maker.ticks("Yes, I accept it", sheet)
    maker.press("Answer", within=sheet)
    maker.sees("Accepted")


def _listed(stage: Stage, approval: str, *versions: str) -> None:
    """The list keeper does what is due and says so; their list is what it should be (F2.26, F2.27)."""
    keeper = stage.who("panel")
    stage.until(stage.api.world.clock.now().replace(hour=12) + timedelta(days=1))
    keeper.open("/console/list")
    keeper.sees(approval, *versions)
    for each in keeper.page.get_by_role("checkbox").all():
        each.check()
    keeper.press("Acknowledge them")
    keeper.sees("loaded")
    keeper.open("/console/list?show=all")
    table = keeper.saves("CSV")
    keeper.open("/console/list/reconciliation")
    keeper.gives("list.csv", table)
    keeper.press_and_see("Compare it", "compared with what the list should show")


def _verified(stage: Stage, asked: str, *words: str) -> None:
    dcc = stage.who("dcc")
    dcc.open("/console/verify")
    dcc.writes("Approval, serial", asked)
    dcc.press("Ask")
    dcc.sees(*words)


def _deployed(stage: Stage, approval: str) -> None:
    """The DCC verifies, and reports devices: up to the limit, and one more, which is recorded and suspected (F2.23)."""
    dcc = stage.who("dcc")
    _verified(stage, approval, "Yes: it is covered", "deemed to have a CPA Certificate")
    _verified(stage, f"ESME AB01 {MODEL} 01 {FIRST}", "Yes: it is covered")
    day = stage.api.world.clock.now().date().isoformat()
    dcc.open("/console/deployments")
    for count in (LIMIT, LIMIT + 1):
        dcc.gives("devices.csv", csv_of(deployed(each, approval, day) for each in range(1, count + 1)))
        dcc.press_and_see("Report it", f"{count} lines were read")
    dcc.sees(f"{LIMIT + 1} lines were read", f"{LIMIT} known already", "1 recorded")
    two = stage.who("officer-2")
    two.open(f"/console/approvals/{approval}")
    two.sees(f"{LIMIT + 1} of {LIMIT} deployed", "Above the limit", "Suspected")


def _answered_suspicion(stage: Stage, approval: str) -> None:
    """The Manufacturer is told what is suspected, in words of its own notice, and answers with a file (F2.23)."""
    one, maker = stage.who("officer-1"), stage.who("manufacturer")
    one.open(f"/console/approvals/{approval}")
    one.goes_to("/console/breaches/")
    breach = one.named
    one.unfolds("Tell its Manufacturer")
    one.writes("What it is told", "The DCC reports a device more than your limit.")
    one.press("Tell it")
    one.sees("what its Manufacturer sees and answers")
    maker.open("/console/suspicions")
    maker.goes_to(f"/console/suspicions/{breach}")
    maker.sees("The DCC reports a device more than your limit.", approval)
    maker.follow("Attach a file")
    maker.gives("field-log.pdf", LOG, kind="application/pdf")
    maker.press("Attach it")
    maker.sees("field-log.pdf is attached")
    maker.open(f"/console/suspicions/{breach}")
    maker.writes("Your answer", "It was installed by mistake, and is taken out.")
    maker.press("Send the answer")
    maker.sees("Your answer is with the Security Sub-Committee", "It was installed by mistake")
    assert not maker.page.get_by_role("button", name="Send the answer").count()
    one.open(f"/console/breaches/{breach}")
    one.sees("Its answer", "It was installed by mistake, and is taken out.")


def _amended(stage: Stage, approval: str) -> None:
    """Asked for by the Manufacturer, composed from what was asked, in effect from the next midnight (F2.29)."""
    maker, one = stage.who("manufacturer"), stage.who("officer-1")
    maker.open(f"/console/approvals/{approval}")
    maker.follow("Certificate, requests")
    maker.unfolds("Ask for an amendment")
    form = maker.page.locator("form", has=maker.page.get_by_role("button", name="Ask for it", exact=True))
    last = (stage.api.world.clock.now().date() + timedelta(days=90)).isoformat()
    maker.writes("Last day", last, form)
    maker.writes("Firmware to add", f"{LATER} {'cd' * 32}", form)
    maker.writes("Why", "The first version loses alerts.", form)
    maker.press("Ask for it", within=form)
    one.open("/console/home")
    one.goes_to("/console/amendment-requests/")
    one.sees("The first version loses alerts.")
    one.writes("Summary of reasons", "It mends what the first version lacks.")
    _decided(stage)
    _verified(stage, f"ESME AB01 {MODEL} 01 {LATER}", "No: it is not covered")
    stage.until(datetime.combine(stage.api.world.clock.now().date() + timedelta(days=1), datetime.min.time(), UTC))
    _verified(stage, f"ESME AB01 {MODEL} 01 {LATER}", "Yes: it is covered")
    _verified(stage, f"ESME AB01 {MODEL} 01 {FIRST}", "Yes: it is covered")
    _accepted(stage, approval, 2)
    _listed(stage, approval, FIRST, LATER)


def _reported(stage: Stage) -> None:
    """The month's report: remarked, issued, frozen, saved (F2.28)."""
    dcc = stage.who("dcc")
    now = stage.api.world.clock.now()
    stage.until(datetime(now.year, now.month + 1, 2, 9, tzinfo=UTC))
    place = f"/console/reports/{now.year}-{now.month:02d}"
    dcc.open(place)
    dcc.writes("Remark", "One device more than agreed was installed by mistake.")
    dcc.press("Add it")
    dcc.press(f"Issue the report of {now.year}-{now.month:02d}")
    dcc.sees("Issued", "installed by mistake")
    assert dcc.saves("PDF").startswith(b"%PDF-")
    assert dcc.saves("workbook").startswith(b"PK")
    assert not dcc.page.get_by_role("button", name="Issue the report").count()


def _revoked_for_the_breach(stage: Stage, approval: str) -> None:
    """Confirmed, and revoked at once with its identifier typed; how soon it is told is watched (F2.23, F2.30)."""
    one, two = stage.who("officer-1"), stage.who("officer-2")
    one.open(f"/console/approvals/{approval}")
    one.goes_to("/console/breaches/")
    one.ticks("A breach: the approval is to be revoked")
    one.writes("Why", "A device more than agreed stands in the field.")
    one.signs_by_key("Judge it")
    one.sees("Confirmed")
    two.open(f"/console/approvals/{approval}")
    two.goes_to("/console/breaches/")
    two.follow(f"Revoke {approval} for it")
    two.sees("What will be true", "Breach")
    two.writes("Reasons", "A condition was breached.")
    two.writes("Type its identifier", approval[:-1])
    two.signs_by_passkey(f"Revoke {approval} now")
    two.sees("Nothing was done", "not that of this approval")
    two.writes("Type its identifier", approval)
    two.signs_by_passkey(f"Revoke {approval} now")
    two.sees("How soon the end", "is revoked")
    _verified(stage, approval, "No: it is not covered", "Revoked")
    stage.settle()
    two.open(f"/console/approvals/{approval}/told?still=yes")
    assert re.search(r"OCSP \d\.\d s .*Revocation list \d\.\d s", two.sees())
    keeper = stage.who("panel")
    keeper.open("/console/list")
    keeper.sees(approval, "Remove")
    for each in keeper.page.get_by_role("checkbox").all():
        each.check()
    keeper.press("Acknowledge them")


def _expires(stage: Stage, approval: str) -> None:
    """Until its last second it holds, and from the next it does not; nobody does anything for it (F2.31)."""
    last = approval_of(stage.pages.desk, stage.pages.actor("dcc"), approval).expiry
    stage.until(last - timedelta(seconds=10))
    _verified(stage, approval, "Yes: it is covered")
    stage.until(last + timedelta(seconds=1))
    _verified(stage, approval, "No: it is not covered", "Expired")


def _audited(stage: Stage, approval: str) -> None:
    """The journal with its key to pin; the dossier, and its decision proved offline."""
    auditor = stage.who("auditor")
    auditor.open("/console/journal")
    auditor.writes("Search", approval)
    auditor.press("Search")
    auditor.sees("Approval granted", "Key to pin")
    auditor.follow("Show all of it")
    pinned = auditor.page.locator("dt", has_text="Key to pin").locator("xpath=following-sibling::dd[1]").inner_text()
    fetched = stage.people.run("auditor", "journal", "fetch")
    kept = stage.folder / "journal.jsonl"
    kept.write_text(fetched.out)
    proved = trialcpa("journal", "prove", str(kept), "--key", pinned)
    assert proved.status == 0, proved.words
    auditor.open(f"/console/approvals/{approval}")
    auditor.press("Fetch the dossier")
    auditor.sees("It is put together")
    with auditor.page.expect_download() as saved:  # the page asks again by itself
        stage.settle()
    with ZipFile(saved.value.path()) as dossier:
        assert dossier.testzip() is None
        assert {"journal.jsonl"} <= set(dossier.namelist()), dossier.namelist()

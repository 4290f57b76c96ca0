"""The story of a whole trial ends in agreement, leaves what it promises, and names what is not as it should be."""

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from core.deployments import Event, Line
from core.instants import last_second
from documents.notice import notice_pdf
from intake.duis import read_inventory
from story.section_f.dates import dates
from story.section_f.inventory import device_id, inventory
from story.section_f.mailroom import Mail
from story.section_f.notices import _said, pdf_text
from story.section_f.stage import ADDRESSES
from story.tools import EXTRA, EXTRA_PACKAGES
from tests.documents_world import notice

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Told:
    """What a run of the command said, and where its files are."""

    folder: Path
    status: int
    lines: list[str]
    err: str

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.lines).split())

    def one(self, ending: str) -> Path:
        found = sorted(self.folder.glob(f"*{ending}"))
        assert found, ending
        return found[0]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The whole story, in an empty home."""
    home = tmp_path_factory.mktemp("story") / "home"
    ran = subprocess.run(
        [sys.executable, "-m", "app.cli.main", "story", "--section-f", "--home", str(home)],
        cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ, timeout=300,
    )  # fmt: skip
    return Told(home / "story-section-f", ran.returncode, ran.stdout.strip().splitlines(), ran.stderr)


@pytest.mark.clause("F2.18")
@pytest.mark.clause("F2.19")
@pytest.mark.clause("F2.20")
@pytest.mark.clause("F2.23")
@pytest.mark.clause("F2.24")
@pytest.mark.clause("F2.26")
@pytest.mark.clause("F2.27")
@pytest.mark.clause("F2.29")
@pytest.mark.clause("F2.30")
@pytest.mark.clause("F2.31")
def test_a_whole_trial_is_played_and_everything_is_as_it_should_be(told: Told) -> None:
    assert (told.status, told.lines[-1], told.err) == (0, "every channel agrees", ""), "\n".join(told.lines)
    assert "✗" not in told.words
    for step in (
        "No DLMS certificate is named for this ESME.",
        "F2.24",
        "withheld: manufacturer 2, dcc 1, panel 2",
        "from the first second",
        "5 of 5 devices are deployed and this one is not among them",
        "by itself",
        "issue 2 from then on active, valid.",
        "(d) 6 deployed",
        "revoked for",
        "the breach has left the officers' list",
        "stays cancelled for ever",
    ):
        assert step in told.words, step
    assert max(map(len, told.lines)) <= 100


def test_its_files_are_there_and_open_in_what_people_have(told: Told) -> None:
    for ending in ("grant-to-dcc.pdf", "refusal-to-panel.pdf", "revocation-to-manufacturer.pdf", ".pdf"):
        assert told.one(ending).read_bytes().startswith(b"%PDF-")
    report = openpyxl.load_workbook(next(told.folder.glob("*-report-*.xlsx")))
    assert "Summary" in report.sheetnames
    instructions = openpyxl.load_workbook(told.one("cpl-instructions.xlsx")).active
    cells = {str(cell.value) for row in instructions.iter_rows() for cell in row}
    assert "0002012F" in cells  # with its zeros
    calendar = Calendar.from_ical(told.one("calendar.ics").read_bytes())
    assert list(calendar.walk("VEVENT"))
    issued = json.loads(next(told.folder.glob("*-report-*.json")).read_text())
    assert (issued["issued"], issued["items"]["d"]["deployed"]) == (True, 6)
    assert told.one("the-panels-list-at-the-end.csv").read_text().count("\n") == 1  # the header, and nothing of ours
    readme = (told.folder / "README.txt").read_text()
    for name in re.findall(r"^  (\S+)$", readme, re.MULTILINE):
        assert (told.folder / name).is_file(), name
    numbers = sorted(int(path.name.partition("-")[0]) for path in told.folder.iterdir() if path.name != "README.txt")
    assert numbers == list(range(1, len(numbers) + 1))


def test_no_api_key_and_no_private_key_is_left_behind_and_nothing_runs_on(told: Told) -> None:
    for path in told.folder.iterdir():
        held = path.read_bytes()
        assert b"tcpa_" not in held, path.name
        assert b"PRIVATE KEY" not in held, path.name
    assert not list(told.folder.parent.rglob("*.pid"))


def test_without_its_extra_it_says_what_to_install_and_the_other_story_is_unmoved(tmp_path: Path) -> None:
    missing = "import sys; sys.modules['aiosmtpd'] = None; import story.play; from app.cli.main import main; "
    home = tmp_path / "home"
    ran = subprocess.run(
        [sys.executable, "-c", f"{missing} main(['story', '--section-f', '--home', {str(home)!r}])"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.splitlines() == [
        "Error: These Python packages are not installed: aiosmtpd.",
        "  Install the extra that brings them: pip install 'trialcpa[story]'  [extra-missing]",
    ]
    assert not home.exists()


def test_the_service_does_without_the_extra_and_what_script_server_installs_has_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {EXTRA: project["optional-dependencies"][EXTRA], "": project["dependencies"]}
    names = {extra: {re.split(r"[^\w-]", each)[0] for each in found} for extra, found in needed.items()}
    assert names[EXTRA] == set(EXTRA_PACKAGES)
    assert not names[EXTRA] & names[""]
    assert 'script/setup" requirements.lock' in (ROOT / "script/server").read_text("utf-8")
    locked = set(re.findall(r"^([\w-]+)==", (ROOT / "requirements.lock").read_text("utf-8"), re.MULTILINE))
    assert names[EXTRA] | names[""] <= locked


# --- what its proofs rest on -------------------------------------------------------------------------------------


def _mail(**files: bytes) -> dict[str, Mail]:
    head = b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\nHello\r\n"
    parts = b"".join(
        b'--B\r\nContent-Disposition: attachment; filename="' + name.encode() + b'"\r\n\r\n' + octets + b"\r\n"
        for name, octets in files.items()
    )
    return {ADDRESSES["dcc"]: Mail(ADDRESSES["dcc"], head + parts + b"--B--\r\n", encrypted=True)}


def test_words_that_leak_are_found_wherever_they_are() -> None:
    assert not _said(_mail(a=b"nothing"), "dcc", "secret words")
    assert _said(_mail(a=b"the secret words"), "dcc", "secret words")
    assert _said(_mail(a=b'"caf\\u00e9"'), "dcc", "café")
    document = notice()
    passages = document["passages"]
    assert isinstance(passages, list)
    pdf = notice_pdf({**document, "passages": [{**passages[0], "text": "It rests on secret words."}]})
    assert b"secret words" not in pdf  # its streams are packed
    assert b"secret words" in pdf_text(pdf)
    assert b"secret words" not in pdf_text(notice_pdf(document))


@given(st.datetimes(datetime(2026, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
def test_its_days_lie_ahead_in_order_and_the_report_looks_ahead_to_the_expiry(now: datetime) -> None:
    days = dates(now)
    assert now < days.applied
    assert days.applied.date() < days.start < days.deployed < days.amended.date() < days.report.date() < days.expiry
    assert days.expiry < days.later_expiry
    assert days.month == f"{days.applied:%Y-%m}"
    assert days.report.strftime("%Y-%m") > days.month
    assert last_second(days.later_expiry) < days.report + timedelta(days=92)


def test_the_message_that_it_writes_is_the_dccs() -> None:
    at = datetime(2027, 1, 10, 12, tzinfo=UTC)
    model = {"type": "ESME", "manufacturer": "AB01", "model": "010A030B"}
    message = inventory([(device_id(1), date(2027, 1, 9)), (device_id(258), date(2027, 1, 9))], model, "0002012F", at)
    lines = read_inventory(message, deployed=["Commissioned"], decommissioned=[])
    assert [(type(each), each.device_id) for each in lines] == [
        (Line, "00-DB-12-34-56-78-00-01"),
        (Line, "00-DB-12-34-56-78-01-02"),
    ]
    assert all(isinstance(each, Line) and each.event is Event.DEPLOYED for each in lines)

"""An application is collected in a draft, interrupted, taken up again, and sent once (F2.18, F2.19)."""

import json
import stat
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from app.cli import application_draft
from app.cli.application_form import TEMPLATE
from tests.api_world import Api, done
from tests.people_world import People, Said, served, trialcpa
from tests.world import World, csr_pem

command = import_module("app.cli.apply")  # the package has a command of that name
INTERRUPTED = 130
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
    (tmp_path / "device.csr").write_bytes(csr_pem())
    (tmp_path / "firmware-0002012F.bin").write_bytes(IMAGE)
    (tmp_path / "report.txt").write_text("It was tested.\n")
    (tmp_path / "trial.toml").write_text(TEMPLATE)
    return tmp_path / "trial.toml"


def offline(*words: str) -> Said:
    return trialcpa("apply", *words, "--url", "http://127.0.0.1:1")


def applications(people: People) -> list[str]:
    return [
        each["application"] for each in done(people.api.ask("officer-1", "GET", "/v1/applications"))["applications"]
    ]


@pytest.mark.clause("F2.18")
def test_what_was_collected_is_kept_privately_shown_and_thrown_away(form: Path) -> None:
    draft = form.with_name("trial.draft")
    form.with_name("first.toml").write_text('purpose = "Forty homes in Leeds."\nmaximum_devices = 40\n')
    assert offline(str(form.with_name("first.toml")), "--draft", str(draft)).status == 0
    assert stat.S_IMODE(draft.stat().st_mode) == 0o600
    said = offline("--draft", str(draft))
    assert (said.status, "Forty homes in Leeds." in said.words, "nothing of it was sent" in said.words) == (
        0,
        True,
        True,
    )
    assert "firmware" in said.words  # what is missing is told, and not that it can be sent
    assert ("Add what is missing" in said.words, "--send" in said.words) == (True, False)
    unsent = offline("--draft", str(draft), "--send")
    assert (unsent.status, "device is missing." in unsent.words, "csr is missing." in unsent.words) == (1, True, True)
    # The next form adds to it; what it names again takes the place of what was there.
    form.write_text(TEMPLATE.replace("maximum_devices = 500", "maximum_devices = 50"))
    files = ("--evidence", str(form.with_name("report.txt")), "--firmware", f"9001={form}")
    more = json.loads(offline(str(form), *files, "--draft", str(draft), "--json").out)
    assert more["request"]["maximum_devices"] == 50
    assert [each["version"] for each in more["request"]["firmware"]] == ["0002012F", "9001"]
    assert more["evidence"] == [str(form.with_name("report.txt"))]
    draft.chmod(0o644)
    assert "others at it" in offline("--draft", str(draft)).words
    draft.chmod(0o600)
    assert offline("--draft", str(draft), "--discard").status == 0
    assert not draft.exists()
    assert "there is no such draft" in offline("--draft", str(draft), "--send").words


@pytest.mark.clause("F2.18")
def test_no_secret_is_kept(people: People, form: Path) -> None:
    draft = form.with_name("trial.draft")
    form.with_name("device.csr").write_text("-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----\n")
    assert offline(str(form), "--draft", str(draft)).status == 1
    assert not draft.exists()
    form.with_name("device.csr").write_bytes(csr_pem())
    assert people.run("manufacturer", "apply", str(form), "--draft", str(draft)).status == 0
    assert "PRIVATE" not in draft.read_text()
    assert "tcpa_" not in draft.read_text()
    assert applications(people) == []


@pytest.mark.clause("F2.18")
@pytest.mark.clause("F2.19")
def test_whoever_is_interrupted_goes_on_and_nothing_is_sent_twice(
    people: People, form: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft, report = str(form.with_name("trial.draft")), form.with_name("report.txt")
    assert people.run("manufacturer", "apply", str(form), "--evidence", str(report), "--draft", draft).status == 0

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    # It is taken in, and we die before that is noted; then once more, before the evidence is there.
    with monkeypatch.context() as patched:
        patched.setattr(application_draft, "write", dies)
        assert people.run("manufacturer", "apply", "--draft", draft, "--send").status == INTERRUPTED
    assert len(applications(people)) == 1
    with monkeypatch.context() as patched:
        patched.setattr(command, "attach", dies)
        assert people.run("manufacturer", "apply", "--draft", draft, "--send").status == INTERRUPTED
    (application,) = applications(people)
    shown = people.run("manufacturer", "apply", "--draft", draft)
    assert f"it was taken in as {application}" in shown.words
    changed = people.run("manufacturer", "apply", str(form), "--draft", draft)
    assert (changed.status, f"--change {application}" in changed.words) == (1, True)
    # A file that is another by now is told, and not sent.
    before = report.read_bytes()
    report.write_bytes(b"It was never tested.\n")
    assert "is not what it was" in people.run("manufacturer", "apply", "--draft", draft, "--send").words
    report.write_bytes(before)
    sent = people.run("manufacturer", "apply", "--draft", draft, "--send", "--json")
    assert (sent.status, json.loads(sent.out)["application"]) == (0, application)
    assert applications(people) == [application]
    attached = done(people.api.ask("officer-1", "GET", f"/v1/applications/{application}"))["evidence"]
    assert [each["name"] for each in attached] == ["report.txt"]
    assert not Path(draft).exists()


@pytest.mark.parametrize(
    "words", [["--send"], ["--discard"], ["--draft", "x", "--again"], ["--draft", "x", "--cancel", "y"]]
)
def test_what_goes_with_no_draft_is_told(words: list[str]) -> None:
    assert offline(*words).status == 2

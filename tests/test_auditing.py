"""What auditors take with them: the journal over HTTP, its proof by what is known elsewhere, lists of one approval."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result

from app.cli.journal import EXIT_BROKEN, EXIT_UNKNOWN, fetched, prove
from app.client import Client
from ra.auditing.views import JournalPage
from tests.api_world import Api, done, refused
from tests.cycle_world import device
from tests.dossier_world import Auditor, root_of, whole_journal
from tests.world import World, keyring
from verify.kit.agreed.journal import Export, Stretch, export_lines, read_export

TRANSCRIPT = "Keys\n  SHA-256     {} of the root's key\n  SHA-256     {} of the journal's key\n"


@pytest.fixture
def world(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[World]:
    made = World(store_copy("sqlite"), keys_folder)
    yield made
    made.close()


@pytest.fixture
def exported(world: World, tmp_path: Path) -> Path:
    world.granted()
    world.authority.settle()
    return written(tmp_path / "journal.jsonl", read_export(whole_journal(world)))


def written(file: Path, export: Export) -> Path:
    file.write_text("".join(f"{line}\n" for line in export_lines(export)))
    return file


def proved(file: Path, *options: object) -> Result:
    return CliRunner().invoke(prove, [str(file), *map(str, options)])


def cut(file: Path, rows: int, to: Path) -> Path:
    """The journal as it was when row `rows` was the last, its heads likewise."""
    whole = read_export(file.read_bytes())
    heads = [each for each in whole.heads if each.number <= rows]
    kept = [Stretch(whole.stretches[0].before, whole.stretches[0].rows[:rows])]
    return written(to, Export(whole.name, whole.key, kept, heads))


# --- trust from outside --------------------------------------------------------------------------------------------


def test_without_a_key_from_outside_it_says_what_it_cannot_know(exported: Path) -> None:
    told = proved(exported)
    assert told.exit_code == EXIT_UNKNOWN
    assert "It cannot be known whether this is the authority's journal" in told.output
    assert hashlib.sha256(read_export(exported.read_bytes()).key).hexdigest() in told.output


@pytest.mark.parametrize("form", ["sha256", "SHA256", "base64", "transcript"])
def test_the_key_is_known_by_its_digest_whole_or_by_the_transcript(
    world: World, exported: Path, form: str, tmp_path: Path
) -> None:
    key = keyring(world.folder).journal.public_key
    digest = hashlib.sha256(key).hexdigest()
    transcript = tmp_path / "transcript.txt"
    transcript.write_text(TRANSCRIPT.format("0" * 64, digest))
    option = {
        "sha256": ("--key", digest),
        "SHA256": ("--key", digest.upper()),
        "base64": ("--key", base64.b64encode(key).decode()),
        "transcript": ("--transcript", transcript),
    }[form]
    told = proved(exported, *option)
    assert (told.exit_code, "by the key that you know" in told.output) == (0, True)
    assert "--head" in told.output, "what was cut off behind its end, no key tells"
    transcript.write_text(TRANSCRIPT.format(digest, "0" * 64))
    other = (option[0], transcript if form == "transcript" else "0" * 64)
    assert proved(exported, *other).exit_code == EXIT_BROKEN


def test_a_transcript_that_the_root_has_not_signed_is_no_trust(world: World, exported: Path, tmp_path: Path) -> None:
    transcript, root = tmp_path / "transcript.txt", tmp_path / "root.cer"
    transcript.write_text(TRANSCRIPT.format("0" * 64, "0" * 64))
    root.write_bytes(root_of(world))
    assert "no transcript.sig" in proved(exported, "--transcript", transcript, "--root", root).output
    transcript.with_suffix(".sig").write_bytes(b"0")
    told = proved(exported, "--transcript", transcript, "--root", root)
    assert "the root has not signed this transcript" in told.output
    assert proved(exported, "--root", root).exit_code == EXIT_UNKNOWN


def test_a_journal_that_was_cut_off_shows_against_what_was_kept(exported: Path, tmp_path: Path) -> None:
    whole = read_export(exported.read_bytes())
    rows, last = whole.stretches[0].rows, len(whole.rows)
    key = ("--key", hashlib.sha256(whole.key).hexdigest())
    earlier = min(each.number for each in whole.heads)
    short = cut(exported, earlier, tmp_path / "short.jsonl")
    assert proved(short, *key).exit_code == 0
    for kept in (exported, f"{last}:{rows[-1].link}"):
        assert proved(exported, *key, "--head", kept).exit_code == 0
        assert proved(short, *key, "--head", kept).exit_code == EXIT_BROKEN
    assert proved(exported, *key, "--head", short, "--head", f"1:{rows[0].link}").exit_code == 0
    assert proved(exported, *key, "--head", f"1:{rows[1].link}").exit_code == EXIT_BROKEN
    assert proved(exported, "--head", exported).exit_code == EXIT_UNKNOWN, (
        "heads kept from before say not whose they are"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--key", "zz"), "neither a SHA-256"),
        (("--head", "nowhere.jsonl"), "nor is it ROW:LINK"),
        (("--head", f"1:{'0' * 64}", "--head", f"1:{'1' * 64}"), "twice"),
        (("--root", __file__), "no --transcript"),
        (("--transcript", __file__), "does not say which key"),
    ],
)
def test_what_is_no_trust_is_told(exported: Path, options: tuple[str, ...], said: str) -> None:
    told = proved(exported, *options)
    assert (told.exit_code, said in " ".join(told.output.split())) == (EXIT_UNKNOWN, True), told.output


# --- over HTTP ------------------------------------------------------------------------------------------------------


def test_the_auditor_fetches_the_journal_in_pages_and_proves_it(world: World) -> None:
    world.granted()
    world.authority.settle()
    api = Api(world)
    auditor = cast("Client", Auditor(api))
    pages: list[JournalPage] = []
    after = ""
    while not pages or pages[-1].next:
        pages.append(auditor.show(JournalPage, f"/v1/journal?limit=7&after={after}"))
        after = pages[-1].next or ""
    assert len(pages) > 2
    assert [*export_lines(fetched(pages))] == [*export_lines(read_export(whole_journal(world)))]
    world.applied(device=device(8))  # its fact is written, and not sealed
    assert done(api.ask("auditor", "GET", f"/v1/journal?after={len(fetched(pages).rows)}"))["rows"] == []


@pytest.mark.parametrize(
    ("who", "code"), [("manufacturer", "operation-not-permitted"), ("dcc", "operation-not-permitted")]
)
def test_the_journal_is_for_ssc_and_auditor(world: World, who: str, code: str) -> None:
    refused(Api(world).ask(who, "GET", "/v1/journal"), 403, code)


# --- lists of one approval -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "address", "member"),
    [
        ("auditor", "/v1/decisions", "decisions"),
        ("auditor", "/v1/applications", "applications"),
        ("manufacturer", "/v1/applications", "applications"),
        ("auditor", "/v1/notices", "notices"),
        ("manufacturer", "/v1/notices", "notices"),
        ("panel", "/v1/cpl/instructions", "instructions"),
    ],
)
def test_a_list_is_cut_to_one_approval(two: tuple[Api, str], who: str, address: str, member: str) -> None:
    api, approval = two
    every = done(api.ask(who, "GET", address))[member]
    only = done(api.ask(who, "GET", f"{address}?approval={approval.lower()}"))[member]
    assert 0 < len(only) < len(every)
    assert only == [each for each in every if about(api, each) == approval]
    refused(api.ask(who, "GET", f"{address}?approval=TDT-2027-0001-0"), 400, "identifier-malformed")


@pytest.fixture
def two(world: World) -> tuple[Api, str]:
    """Two approvals, and the second's identifier."""
    world.granted(device=device(1))
    approval = world.granted(device=device(2))
    return Api(world), approval


def about(api: Api, said: dict[str, Any]) -> str | None:
    """Which approval something is about; of an application the register says it by the decision."""
    if "approval" in said:
        return cast("str | None", said["approval"])
    decisions = done(api.ask("auditor", "GET", "/v1/decisions"))["decisions"]
    return cast("str", next(each["approval"] for each in decisions if each["application"] == said["application"]))

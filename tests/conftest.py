"""The databases: what touches the store runs on SQLite and PostgreSQL, on this one with `--long` alone if named below.

PostgreSQL is a real one, from its wheel. The files that ask it with `--long` alone, but for their tests marked `locks`,
are those of POSTGRESQL_WITH_LONG.
"""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings

from store import schema
from store.transactions import Store, sqlite_url
from tests import compiled
from tests.postgresql import kept_server
from tests.token_world import authority_token
from tests.world import World, hold_ceremony, memory_folder

# A busy machine is no fault of the code; and what CI looks for it looks for in the same places every time, so that a
# change is judged and not the luck of its day. Everywhere else the search goes on at random.
for name, examples in (("merge", 30), ("long", 200)):
    settings.register_profile(name, deadline=None, derandomize=bool(os.environ.get("CI")), max_examples=examples)
settings.load_profile("merge")  # until --long is known

KINDS = ("sqlite", "postgresql")


SLOW = frozenset(
    {
        "attack",
        "kill",
        "model",
        "test_api_access.py",
        "test_api_bad_input.py",
        "test_api_cycle.py",
        "test_api_description.py",
        "test_api_watching.py",
        "test_bench_pages.py",
        "test_bodies.py",
        "test_clauses.py",
        "test_clock.py",
        "test_cli_committee.py",
        "test_cli_people.py",
        "test_cli_trial.py",
        "test_command_line.py",
        "test_committee.py",
        "test_concurrency.py",
        "test_console_seen.py",
        "test_console_story.py",
        "test_console_tried.py",
        "test_cpl.py",
        "test_cpl_api.py",
        "test_cut_off.py",
        "test_deployments_api.py",
        "test_documents_report.py",
        "test_ends.py",
        "test_hanging.py",
        "test_judges.py",
        "test_kill_sweep.py",
        "test_memory_begin.py",
        "test_memory_damaged.py",
        "test_migrations.py",
        "test_notices.py",
        "test_privacy.py",
        "test_redaction.py",
        "test_rekey.py",
        "test_reports.py",
        "test_restore.py",
        "test_sealing_and_telling.py",
        "test_silence.py",
        "test_store.py",
        "test_story.py",
        "test_story_section_f.py",
        "test_troubles.py",
    }
)
"""What --quick leaves out: the files and folders that take longest, by `script/test --quick --durations 50`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--in-token", action="store_true", help="the authority's keys are in a token (SoftHSM)")
    parser.addoption("--long", action="store_true", help="run the sweeps that take longer")
    parser.addoption(
        "--quick", action="store_true", help="run on SQLite only; leave out the slow files, and searches at random"
    )


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # until all tests are known: nothing that is made meanwhile is garbage
    if config.getoption("--long"):
        settings.load_profile("long")


_SELDOM = (20_000, 20, 20)
"""How many objects more than before begin a search for garbage, and how many searches a longer one."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish() -> None:
    """Search for garbage in what tests make, and not in ten thousand tests again and again."""
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    here = Path(__file__).parent
    left_out = config.getoption("--quick") and collection_path.parent == here and collection_path.name in SLOW
    return True if left_out else None


POSTGRESQL_WITH_LONG = frozenset(
    {
        "hard",
        "test_amendments",
        "test_api_bad_input",
        "test_api_cycle",
        "test_api_refused",
        "test_api_watching",
        "test_applications",
        "test_audited",
        "test_bodies",
        "test_breaches",
        "test_calendar",
        "test_calendar_address",
        "test_clock",
        "test_committee",
        "test_compromised_ca",
        "test_console",
        "test_console_applying",
        "test_console_beside",
        "test_console_breaching",
        "test_console_calendars",
        "test_console_composing",
        "test_console_deciding",
        "test_console_evidence",
        "test_console_files",
        "test_console_holding",
        "test_console_meetings",
        "test_console_passkeys",
        "test_console_requiring",
        "test_console_seen",
        "test_console_shown",
        "test_console_signing",
        "test_console_standing",
        "test_console_story",
        "test_console_use_cases",
        "test_console_verifying",
        "test_console_working",
        "test_cpl",
        "test_cpl_api",
        "test_cpl_list",
        "test_deployments",
        "test_deployments_api",
        "test_duis",
        "test_duis_inventory",
        "test_entering",
        "test_evidence",
        "test_feed",
        "test_following",
        "test_issuing_ca",
        "test_jobs",
        "test_kit_real",
        "test_leaves",
        "test_log_upgraded",
        "test_meetings",
        "test_notice_words",
        "test_notices",
        "test_passkey_proved",
        "test_passkeys",
        "test_privacy",
        "test_published",
        "test_published_log",
        "test_receipts",
        "test_redaction",
        "test_register",
        "test_register_tables",
        "test_rekey",
        "test_reminders",
        "test_reports",
        "test_requirements",
        "test_responder_key",
        "test_revoking_many",
        "test_second_front",
        "test_settle",
        "test_smki",
        "test_tasks",
        "test_waiting",
        "test_waiting_shown",
        "test_witness",
    }
)
"""Files, or folders, that ask PostgreSQL with `--long` alone, for what it would cost.

Nearly all are about words, forms, pages and documents: what they ask of the store, files about the store ask of both.
`hard`, `test_jobs`, `test_issuing_ca` and `test_revoking_many` are about more: of these, tests marked `locks` are on
PostgreSQL in every run, and whoever changes what the others ask runs them with `--long`. Any other file that is about
order, locks and conditional writes is not here.
"""


LONGEST_FIRST = (
    "test_console_story.py",
    "test_story.py",
    "test_console_seen.py",
    "test_troubles.py",
    "test_hanging.py",
    "test_final_ends.py",
    "test_migrations.py",
    "test_attacks.py",
    "test_cli_people.py",
    "test_waiting.py",
    "test_bodies.py",
    "test_log.py",
    "test_feed_waiting.py",
    "test_audited.py",
    "test_register.py",
    "test_went_back.py",
    "test_sealing_and_telling.py",
    "test_story_section_f.py",
    "test_backup.py",
    "test_model.py",
    "test_writing.py",
    "test_memory_begin.py",
    "test_kit_real.py",
    "test_deadlines.py",
    "test_concurrency.py",
    "test_api_watching.py",
    "test_memory_damaged.py",
    "test_patience.py",
    "test_unreadable.py",
    "test_documents_notice.py",
    "test_receipts.py",
    "test_revoking_many.py",
    "test_backup_planted.py",
    "test_cycle.py",
    "test_published.py",
    "test_published_log.py",
    "test_renderer.py",
    "test_cut_off.py",
    "test_silence.py",
    "test_jobs.py",
    "test_marked_list.py",
    "test_api_access.py",
    "test_house.py",
)
"""A file stays with one worker: those that take a sixth of a minute come first, or one would be alone in the end."""


@pytest.hookimpl(trylast=True)  # hypothesis marks its own first
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for: sweeps unless --long; PostgreSQL and searches at random if --quick.

    What is left is in order of files, the longest first.
    """

    def asked(item: pytest.Item) -> bool:
        if config.getoption("--quick") and ("hypothesis" in item.keywords or "postgresql" in _parameters(item)):
            return False
        long = "long" in item.keywords
        if not POSTGRESQL_WITH_LONG.isdisjoint({item.path.stem, item.path.parent.name}):
            long = long or ("postgresql" in _parameters(item) and "locks" not in item.keywords)
        return not long or config.getoption("--long")

    config.hook.pytest_deselected(items=[item for item in items if not asked(item)])
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items[:] = sorted(
        (item for item in items if asked(item)), key=lambda item: places.get(item.path.name, len(LONGEST_FIRST))
    )


def _parameters(item: pytest.Item) -> list[object]:
    return list(item.callspec.params.values()) if hasattr(item, "callspec") else []


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        compiled.once_for_all(patch)
        yield


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("ceremony")
    if not request.config.getoption("--in-token"):
        yield folder
        return
    with authority_token(tmp_path_factory.mktemp("token")) as token:
        token.holds_keys_of(folder)
        yield folder


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL server without a database name; `{}` stands for it."""
    with kept_server() as url:
        yield url


@pytest.fixture(scope="session")
def templates(
    request: pytest.FixtureRequest, keys_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """The URL of a store of a kind in which the ceremony has been held; made once, copied for each test."""
    made: dict[str, str] = {}

    def template(kind: str) -> str:
        if kind not in made:
            if kind == "sqlite":
                made[kind] = sqlite_url(tmp_path_factory.mktemp("template") / "store.sqlite")
            else:
                made[kind] = _create(request.getfixturevalue("postgresql_server"), "template_held")
            store = Store(made[kind])
            schema.upgrade(store)
            hold_ceremony(store, keys_folder, memory_folder(made[kind], keys_folder))
            store.close()
        return made[kind]

    return template


@pytest.fixture(scope="session")
def empty_store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Makes the URL of an empty store of a kind."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            return sqlite_url(tmp_path_factory.mktemp("empty") / "store.sqlite")
        return _create(request.getfixturevalue("postgresql_server"), f"empty_{uuid4().hex}")

    return make


@pytest.fixture(scope="session")
def copy_of(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, keys_folder: Path
) -> Callable[[str], str]:
    """Makes the URL of a copy of a store that nobody has open, with its authority's memory."""

    def copy(template: str) -> str:
        if template.startswith("sqlite"):
            path = tmp_path_factory.mktemp("store") / "store.sqlite"
            shutil.copy(template.removeprefix("sqlite:///"), path)
            url = sqlite_url(path)
        else:
            server = request.getfixturevalue("postgresql_server")
            url = _create(server, f"copy_{uuid4().hex}", template=urlsplit(template).path.lstrip("/"))
        shutil.copytree(memory_folder(template, keys_folder), memory_folder(url, keys_folder))
        return url

    return copy


@pytest.fixture(scope="session")
def forget(request: pytest.FixtureRequest, keys_folder: Path) -> Callable[[str], None]:
    """Removes a copy that nobody has open, with its authority's memory: a whole run's would be ten gigabytes."""

    def remove(url: str) -> None:
        if url.startswith("sqlite"):
            shutil.rmtree(Path(url.removeprefix("sqlite:///")).parent, ignore_errors=True)
        else:
            with psycopg.connect(
                request.getfixturevalue("postgresql_server").format("postgres"), autocommit=True
            ) as server:
                # Whoever the test has left connected goes with it.
                server.execute(f'DROP DATABASE "{urlsplit(url).path.lstrip("/")}" WITH (FORCE)')
        shutil.rmtree(memory_folder(url, keys_folder), ignore_errors=True)

    return remove


@pytest.fixture(scope="session")
def store_copy(templates: Callable[[str], str], copy_of: Callable[[str], str]) -> Callable[[str], str]:
    """Makes the URL of a fresh store of a kind in which the ceremony has been held."""
    return lambda kind: copy_of(templates(kind))


@pytest.fixture(params=KINDS)
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def world(
    store_kind: str, store_copy: Callable[[str], str], forget: Callable[[str], None], keys_folder: Path
) -> Iterator[World]:
    """A test authority on a fresh store, with real keys and a clock that stands until a test moves it."""
    made = World(store_copy(store_kind), keys_folder)
    yield made
    made.close()
    forget(made.url)


def _create(server: str, name: str, *, template: str = "template0") -> str:
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        # The default writes every page to the log as well; a server that fears no power cut copies in half the time.
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
    return server.format(name)

"""The databases: every test that touches the store runs on SQLite and on PostgreSQL (a real one, from its wheel)."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings

from store import schema
from store.transactions import Store, sqlite_url
from tests.postgresql import kept_server
from tests.world import World, hold_ceremony

# A busy machine is no fault of the code; and what CI looks for it looks for in the same places every time, so that a
# change is judged and not the luck of its day. Everywhere else the search goes on at random.
settings.register_profile("unhurried", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("unhurried")

KINDS = ("sqlite", "postgresql")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the sweeps that take longer")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    items[:] = [item for item in items if "long" not in item.keywords]


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ceremony")


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
            hold_ceremony(store, keys_folder)
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
def store_copy(
    request: pytest.FixtureRequest, templates: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Makes the URL of a fresh store of a kind in which the ceremony has been held."""

    def copy(kind: str) -> str:
        if kind == "sqlite":
            path = tmp_path_factory.mktemp("store") / "store.sqlite"
            shutil.copy(templates(kind).removeprefix("sqlite:///"), path)
            return sqlite_url(path)
        templates(kind)
        return _create(request.getfixturevalue("postgresql_server"), f"copy_{uuid4().hex}", template="template_held")

    return copy


@pytest.fixture(params=KINDS)
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def world(store_kind: str, store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[World]:
    """A test authority on a fresh store, with real keys and a clock that stands until a test moves it."""
    made = World(store_copy(store_kind), keys_folder)
    yield made
    made.close()


def _create(server: str, name: str, *, template: str = "template0") -> str:
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return server.format(name)

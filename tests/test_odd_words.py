"""A row whose word is none of ours: each page that rests upon it says that it cannot be read, and no page fails.

Over every column of the schema that holds a word of a closed list. On SQLite, which lets a test switch its rules off;
what reads the rows is the same on both databases. With --long every page is opened for each column.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from console.guard import OPEN
from core import unreadable
from core.kinds import AgendaKind
from store.tables import metadata
from store.types import Word
from tests.api_world import Api, refused
from tests.browser_world import SAVED, addresses, things
from tests.console_world import Pages
from tests.test_console import MAY
from tests.test_console_applying import csrf
from tests.world import World

WORDS = {
    f"{table.name}.{column.name}": column.type.words.__name__
    for table in metadata.sorted_tables
    for column in table.columns
    if isinstance(column.type, Word)
}
COMPOSES_GRANTS = {"application", "attaching", "compose_grant", "compose_refusal", "decision"}
MEETS = {"meeting", "minutes", "agenda_item"}
ASKED = {"dossier_of"}
"""Pages that show what a form beside them asks for: that is sent."""


SAID: dict[str, set[str]] = {
    "agenda_items.kind": MEETS,
    "amendment_requests.state": {"dossier_of"},
    "applications.state": COMPOSES_GRANTS | {"dossier_of"},
    "authority_certificates.role": COMPOSES_GRANTS
    | {"dossier_of", "keys", "breach", "everybody", "orders", "order_page", "certificate_page"},
    "breaches.state": {"dossier_of", "files_of_breach"},
    "cpl_instructions.kind": {"dossier_of", "listing"},
    "cpl_instructions.state": {"dossier_of"},
    "decisions.kind": MEETS | {"dossier_of", "decision"},
    "decisions.state": {"dossier_of"},
    "drafts.state": {"dossier_of"},
    "end_requests.state": {"dossier_of"},
    "evidence.subject_kind": {"evidence_shown"},
    "notice_copies.classification": {"dossier_of", "compose_correction"},
    "notice_copies.recipient": MEETS | {"dossier_of", "compose_correction", "holding"},
    "notices.kind": {"dossier_of"},
    "orders.kind": {"orders", "order_page"},
    "orders.state": {"orders", "order_page"},
}
"""Which pages rest upon a word, by its column. All others go past such a row, or show its text as it stands."""


@pytest.fixture(scope="module")
def pages(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Pages]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Pages(Api(world))
    world.close()


@pytest.fixture(scope="module")
def opened(pages: Pages) -> dict[str, tuple[str | None, str]]:
    """By page: who opens it, and its address."""
    found: dict[str, tuple[str | None, str]] = {}
    for endpoint, address in addresses(pages.app, things(pages)).items():
        who: list[str | None] = [None] if endpoint in OPEN else [*sorted(MAY[endpoint][1])[-1:]]
        if who:
            found[endpoint] = (who[0], address)
    for person, _ in found.values():
        pages.browser(person)  # signs in, as long as roles can be read
    return found


@contextmanager
def _lying(world: World, column: str, said: str = "rumour") -> Iterator[None]:
    """Every row of a column says something else, and what it said afterwards."""
    table, name = column.split(".")
    path = world.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(":memory:")) as before:
        with closing(sqlite3.connect(path, isolation_level=None)) as by_hand:
            by_hand.backup(before)
            by_hand.execute("PRAGMA ignore_check_constraints = ON")
            for fence in by_hand.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                by_hand.execute(f"DROP TRIGGER {fence[0]}")
            by_hand.execute(f"UPDATE OR IGNORE {table} SET {name} = ? WHERE {name} IS NOT NULL", (said,))
        try:
            yield
        finally:
            with closing(sqlite3.connect(path)) as by_hand:
                before.backup(by_hand)


def _asked(pages: Pages, who: str | None, address: str, tokens: dict[str | None, str]) -> TestResponse:
    return pages.post(str(who), address, {"csrf_token": tokens[who]})


def test_each_page_of_the_table_is_one(opened: dict[str, tuple[str | None, str]]) -> None:
    assert len(WORDS) > 30
    assert set(SAID) <= set(WORDS)
    assert set().union(*SAID.values()) <= set(opened) - SAVED


@pytest.mark.parametrize("column", WORDS)
def test_a_word_that_is_none_of_ours_is_said_and_no_page_fails(
    request: pytest.FixtureRequest, pages: Pages, opened: dict[str, tuple[str | None, str]], column: str
) -> None:
    rests = SAID.get(column, set())
    some = rests | {"home", "meeting", "approval", "everybody"}
    looked = {each: opened[each] for each in opened if each in some or request.config.getoption("--long")}
    found, failed = set(), []
    tokens = {who: csrf(pages, str(who)) for endpoint, (who, _) in looked.items() if endpoint in ASKED}
    with _lying(pages.api.world, column):
        for endpoint, (who, address) in looked.items():
            answer = _asked(pages, who, address, tokens) if endpoint in ASKED else pages.get(who, address)
            if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE and "cannot be read" in answer.text:
                found.add(endpoint)
            elif answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                failed.append((endpoint, answer.status_code))
    assert failed == []
    assert found == rests


def test_the_service_says_it_too_and_once_only(pages: Pages) -> None:
    """What was read for one request is not said to the next, though the same thread answers it."""
    api = pages.api
    listed = api.ask("officer-1", "GET", "/v1/meetings").get_json()["meetings"]
    place = f"/v1/meetings/{listed[0]['meeting']}"
    with _lying(api.world, "agenda_items.kind"):
        said = refused(api.ask("officer-1", "GET", place), 503, "register-unreadable")
        assert "agenda kind" in said["detail"]
    assert api.ask("officer-1", "GET", place).status_code == HTTPStatus.OK
    assert unreadable.noted() == ()


def test_whose_role_is_no_word_of_ours_may_do_nothing(pages: Pages) -> None:
    pages.browser("officer-1")
    with _lying(pages.api.world, "credentials.role", "ssc-emperor"):
        assert pages.get("officer-1", "/console/home").status_code == HTTPStatus.FORBIDDEN
        assert pages.api.ask("officer-1", "GET", "/v1/applications").status_code == HTTPStatus.FORBIDDEN
    assert pages.get("officer-1", "/console/home").status_code == HTTPStatus.OK


def test_what_could_not_be_read_is_called_what_people_call_it() -> None:
    unreadable.begin()
    unreadable.note(AgendaKind, "rumour")
    unreadable.note(AgendaKind, "hearsay")
    assert unreadable.noted() == ("agenda kind",)
    unreadable.begin()
    assert unreadable.noted() == ()


@dataclass(frozen=True)
class _Row:
    kind: AgendaKind


def _fails(act: Callable[[], object]) -> Exception:
    try:
        act()
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError("it does not fail")


def _of_a_row(row: _Row) -> object:  # noqa: ARG001 - it has it in hand
    raise LookupError("it has no page")


def test_only_what_fails_over_such_a_word_is_said_to_come_of_it() -> None:
    """Whatever else fails in the same request is a fault of the code, and is not put down to a row."""
    unreadable.begin()
    said: Any = "rumour"
    unreadable.note(AgendaKind, said)
    kinds = {each: each.value for each in AgendaKind}
    for act in (lambda: said.value, lambda: kinds[said], lambda: AgendaKind(said), lambda: _of_a_row(_Row(said))):
        assert unreadable.behind(_fails(act)) == "agenda kind"
    nothing: Any = None
    for act in (lambda: nothing.value, lambda: 1 // 0, lambda: dict[str, str]()["other"]):
        assert unreadable.behind(_fails(act)) is None
    row = RuntimeError("later")
    row.__cause__ = _fails(lambda: kinds[said])
    assert unreadable.behind(row) == "agenda kind"
    unreadable.begin()
    assert unreadable.behind(row) is None

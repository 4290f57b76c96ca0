"""Ten thousand rows in each list: every page has an end, a weight that a browser takes, and its layout."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench.pages import HEAVIEST
from bench.report import plant_approvals
from console.guard import OPEN
from tests.api_world import Api
from tests.browser_world import addresses, chromium, listening, seen_by, things
from tests.test_console import MAY
from tests.world import World

MANY = 10_000
FOUND = (200, 202)
"""What a page answers; 202 that of a dossier which is being made."""

WHO = ("officer-1", "admin", "auditor", "manufacturer", "dcc", "panel")

LISTED = (
    *("organisations", "credentials", "console_sessions", "applications", "decisions", "meetings", "orders"),
    *("breaches", "notices", "cpl_instructions"),
)
"""Tables of what has no bound (ra/bounds.py): each list of them goes on for ever."""


def another(value: Any, number: int) -> Any:
    """A value like one that must be another in each row: as long, so that what looks at its form finds it right."""
    if isinstance(value, str):
        tail = f"{number:06x}"
        return value[: -len(tail)] + tail if len(value) > len(tail) else f"{value}{tail}"
    if isinstance(value, bytes):
        return value[:-4] + number.to_bytes(4)
    return value if value is None else value + number


def planted(connection: sqlite3.Connection, table: str, approvals: Sequence[str], like: str) -> None:
    """Put copies of a table's newest row beside it, each with keys of its own.

    Args:
        connection: to the store.
        table: which one.
        approvals: of which each is what one copy is about.
        like: the approval of which there was something before.
    """
    cursor = connection.execute(f"SELECT * FROM {table} ORDER BY rowid DESC LIMIT 1")
    row, names = cursor.fetchone(), [each[0] for each in cursor.description]
    assert row is not None, f"{table} has no row to copy"
    alone = {each[1] for each in connection.execute(f"PRAGMA table_info({table})") if each[5]}
    for _, index, unique, *_ in connection.execute(f"PRAGMA index_list({table})"):
        if unique:
            alone |= {each[2] for each in connection.execute(f"PRAGMA index_info({index})")}

    def copied(name: str, value: Any, number: int, approval: str) -> Any:
        if name == "approval":
            return value and approval
        if name == "entry":
            return value.replace(like, approval)
        return another(value, number) if name in alone else value

    marks = ", ".join("?" * len(names))
    connection.executemany(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",
        (
            [copied(name, value, number, approval) for name, value in zip(names, row, strict=True)]
            for number, approval in enumerate(approvals, start=1)
        ),
    )


@pytest.mark.long
def test_every_page_over_ten_thousand_rows_has_an_end_and_its_layout(
    store_copy: Callable[[str], str], keys_folder: Path
) -> None:
    world = World(store_copy("sqlite"), keys_folder)
    wrong: list[str] = []
    with listening(Api(world)) as pages, chromium() as browser:
        named = things(pages)
        approvals = plant_approvals(world, named["approval"], MANY)
        with closing(sqlite3.connect(world.url.removeprefix("sqlite:///"))) as connection, connection:
            connection.execute("DELETE FROM cpl_instructions WHERE id LIKE 'bench-%'")  # those are all done
            for table in LISTED:
                planted(connection, table, approvals[1:], named["approval"])
        assets = sum(len(each.read_bytes()) for each in Path(pages.app.root_path, "assets").iterdir())
        for who in WHO:
            with seen_by(browser, pages, who) as seen:
                for endpoint, address in addresses(pages.app, named).items():
                    if endpoint in OPEN or who not in MAY[endpoint][1]:
                        continue
                    answer = seen.open(address)
                    if answer.status not in FOUND:
                        wrong.append(f"{who} {address} is answered by {answer.status}")
                        continue
                    octets = len(answer.body()) + assets
                    wrong += [f"{who} {address} has {octets:,} octets"] * (octets >= HEAVIEST)
                    wrong += [f"{who} {address} stands out: {each}" for each in seen.wider()]
    world.close()
    assert not wrong, "\n".join(wrong)

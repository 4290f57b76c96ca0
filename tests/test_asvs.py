"""docs/asvs.md: each requirement of levels 1 and 2 has its row, each row a test that there is; and tests of its own."""

import ast
import hashlib
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from console.forms import FORM_LIMIT, LARGER
from console.guard import OPEN, SECRET
from tests.api_world import Api
from tests.browser_world import addresses, things
from tests.console_world import ORIGIN, Pages
from tests.evidence_world import journal
from tests.test_console import MAY
from tests.world import World

ROOT = Path(__file__).resolve().parents[1]
ASKED = {
    3: "2.1 2.2 3.1 3.2 3.3 3.4 4.1 4.2 4.3 4.4 4.5 4.6 5.1 5.2 5.3 5.4 5.5 7.1 7.2",
    5: "1.1 2.1 2.2 2.3 3.1 3.2 4.1 4.2 4.3",
    6: "1.1 1.3 3.1 3.2 3.3 3.4 4.1 4.2 4.3 4.4",
    7: "1.1 1.2 1.3 2.1 2.2 2.3 2.4 3.1 3.2 4.1 4.2 4.3 4.4 4.5 5.1 5.2 6.1 6.2",
    8: "1.1 1.2 2.1 2.2 2.3 3.1 4.1",
}
"""By chapter, what ASVS 5.0.0 asks at levels 1 and 2; of chapter 6 what is not about passwords, codes and providers."""

_ROW = re.compile(r"\| ([0-9]+\.[0-9]+\.[0-9]+) \| (.+) \| (.+) \|")
_NAMED = re.compile(r"`([a-z_/]+\.py)::(test_\w+)`")


def _rows() -> list[tuple[str, str, list[tuple[str, str]]]]:
    found = []
    for line in (ROOT / "docs/asvs.md").read_text("utf-8").splitlines():
        row = _ROW.fullmatch(line)
        if row:
            found.append((row[1], row[2], _NAMED.findall(row[3])))
    return found


@cache
def _tests_in(file: str) -> frozenset[str]:
    path = ROOT / "tests" / file
    if not path.is_file():
        return frozenset()
    return frozenset(each.name for each in ast.parse(path.read_text("utf-8")).body if isinstance(each, ast.FunctionDef))


def test_each_requirement_has_one_row() -> None:
    asked = [f"{chapter}.{number}" for chapter, numbers in ASKED.items() for number in numbers.split()]
    assert [number for number, _, _ in _rows()] == asked


def test_each_row_names_tests_that_there_are() -> None:
    rows = _rows()
    assert not [number for number, _, named in rows if not named]
    missing = [f"{number}: {file}::{name}" for number, _, named in rows for file, name in named
               if name not in _tests_in(file)]  # fmt: skip
    assert not missing, "\n".join(missing)


@pytest.fixture(scope="module")
def pages(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Pages]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Pages(Api(world))
    world.close()


@pytest.fixture(scope="module")
def shown(pages: Pages) -> dict[str, tuple[str | None, str]]:
    """Every page, with one of those who may open it; nobody where it is for everybody."""
    return {
        endpoint: (None if endpoint in OPEN else min(MAY[endpoint][1]), address)
        for endpoint, address in addresses(pages.app, things(pages)).items()
    }


def test_no_page_allows_another_origin(pages: Pages, shown: dict[str, tuple[str | None, str]]) -> None:
    for who, address in shown.values():
        answer = pages.get(who, address, Origin="https://evil.example")
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")], address


def test_each_answer_says_what_a_browser_may_do_with_it(pages: Pages, shown: dict[str, tuple[str | None, str]]) -> None:
    for who, address in [*shown.values(), (None, "/console/none"), ("panel", "/console/drafts")]:
        said = pages.get(who, address).headers
        policy = said["Content-Security-Policy"]
        for each in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"):
            assert each in policy, address
        assert "unsafe" not in policy, address
        assert "object-src" not in policy, "what is said of it would stand before what is said of all"
        assert said["X-Content-Type-Options"] == "nosniff", address
        assert said["Referrer-Policy"] == "same-origin", address


def test_looking_at_a_page_decides_nothing(pages: Pages, shown: dict[str, tuple[str | None, str]]) -> None:
    for endpoint, (who, address) in shown.items():
        told = len(journal(pages.api.world.store))
        pages.get(who, address)
        assert len(journal(pages.api.world.store)) == told, endpoint


def test_a_form_is_no_larger_than_its_page_takes(pages: Pages, shown: dict[str, tuple[str | None, str]]) -> None:
    who, place = shown["draft_trial"]
    fields = pages.fields(pages.get(who, place).text, "/console/sign-out")
    assert pages.post(who, place, {**fields, "purpose": "x" * FORM_LIMIT}).status_code == 413
    assert pages.post(who, place, {**fields, "purpose": "x" * (FORM_LIMIT // 2)}).status_code < 500
    larger = {rule.rule for rule in pages.app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert {each.replace("{", "<").replace("}", ">") for each in LARGER} <= larger, "a limit is that of a page"


def test_no_script_listens_to_another_window_or_runs_words() -> None:
    scripts = sorted((ROOT / "console/assets").glob("*.js"))
    assert scripts
    for each in scripts:
        words = each.read_text("utf-8")
        for wrong in ("postMessage", '"message"', "eval(", "new Function", "innerHTML", "outerHTML", "document.write"):
            assert wrong not in words, f"{each.name}: {wrong}"


def test_sign_out_is_on_each_page(pages: Pages, shown: dict[str, tuple[str | None, str]]) -> None:
    for who, address in shown.values():
        answer = pages.get(who, address)
        if who is not None and answer.mimetype == "text/html" and answer.status_code < 300:
            assert 'action="/console/sign-out"' in answer.text, address


def _secret(pages: Pages, who: str) -> str:
    with pages.signed_in(who).session_transaction(base_url=ORIGIN) as session:
        return str(session[SECRET])


def test_a_session_s_secret_is_new_long_and_kept_as_a_digest(pages: Pages) -> None:
    one, two = _secret(pages, "dcc"), _secret(pages, "dcc")
    assert one != two
    assert len(one) >= 43, "256 bits as base64url"
    held = Path(pages.api.world.url.removeprefix("sqlite:///"))
    octets = b"".join(each.read_bytes() for each in held.parent.iterdir() if each.name.startswith(held.name))
    assert one.encode() not in octets
    assert hashlib.sha256(one.encode()).hexdigest().encode() in octets


def test_signing_in_again_begins_another_session(pages: Pages) -> None:
    trying = Pages(pages.api, demo=True)
    browser = trying.browser(None)

    def comes_in() -> str:
        page = browser.get("/console/demo", base_url=ORIGIN).text
        fields = trying.fields(page, "/console/demo") | {"name": "dcc"}
        assert browser.post("/console/demo", base_url=ORIGIN, data=fields).status_code == 303
        with browser.session_transaction(base_url=ORIGIN) as session:
            assert "planted" not in session, "what somebody gave this browser before is gone"
            session["planted"] = "by whoever had it before"
            return str(session[SECRET])

    assert comes_in() != comes_in()

"""Every page of the console in real Chromium: nothing scrolls sideways, nothing complains, axe-core finds nothing.

The list of pages is that of the URL map, so that a new page is judged without being named here. With --long everybody
opens whatever they may, at three widths, and the Nu Html Checker reads all of it.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Route

from console.guard import OPEN
from tests import reach_world
from tests.api_world import Api
from tests.browser_world import (
    MIDDLE,
    NARROW,
    SECONDS,
    WIDE,
    Seen,
    addresses,
    chromium,
    listening,
    saved,
    seen_by,
    things,
)
from tests.console_world import Pages
from tests.render_world import renderer
from tests.test_console import HOSTILE, MAY
from tests.test_cpl_list import HEADER, changed
from tests.world import World

JUDGE = Path(__file__).parent / "judges" / "pages"
BUILT = Path(__file__).parents[1] / "build" / "judges" / "pages"
FOREIGN = 300.0
"""Seconds within which a judge is there and has judged."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
FOUND = (200, 202)
"""What a page answers; 202 that of a dossier which is being made."""
REFUSED = (400, 409, 413, 422)
"""What is answered to a form that cannot be taken, with the form and what is wrong with it."""

TURNED = HOSTILE.partition("\N{RIGHT-TO-LEFT OVERRIDE}")[2]
"""What would run from right to left, if it were not kept apart."""

_LOOK = os.environ.get("TRIALCPA_SCREENSHOTS", "")
"""A folder for pictures of every page, to be looked at; with --long."""


@pytest.fixture(scope="module")
def pages(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Pages]:
    world = World(store_copy("sqlite"), keys_folder)
    with renderer() as draws, listening(Api(world), draws) as made:
        yield made
    world.close()


@pytest.fixture(scope="module")
def named(pages: Pages) -> dict[str, str]:
    return things(pages)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def _by_person(pages: Pages, named: dict[str, str], *, everybody: bool) -> dict[str | None, list[tuple[str, str]]]:
    """Who opens which page: whoever may, or one of them."""
    found: dict[str | None, list[tuple[str, str]]] = {}
    for endpoint, address in addresses(pages.app, named).items():
        who: list[str | None] = [None] if endpoint in OPEN else [*sorted(MAY[endpoint][1])]
        for each in who if everybody else who[-1:]:
            found.setdefault(each, []).append((endpoint, address))
    return found


def _widths(seen: Seen, widths: tuple[int, ...]) -> Iterator[tuple[int, list[str]]]:
    for width in widths:
        seen.page.set_viewport_size({"width": width, "height": 800})
        yield width, seen.wider()


def test_every_page_fits_a_narrow_screen_and_nobody_complains(
    pages: Pages, named: dict[str, str], browser: Browser
) -> None:
    wrong: list[str] = []
    for who, listed in _by_person(pages, named, everybody=False).items():
        with seen_by(browser, pages, who) as seen:
            for _, address in listed:
                assert seen.open(address).status in FOUND, address
                for scheme in SCHEMES:
                    seen.page.emulate_media(color_scheme=scheme)
                    wrong += [f"{address} stands out at 360: {each}" for each in seen.wider()]
                    rules = () if scheme == "light" else ("color-contrast",)  # all else is the same in the dark
                    wrong += [f"{address} {scheme}: {each}" for each in seen.axe(rules)]
            wrong += seen.complaints
    assert not wrong, "\n".join(wrong)


def test_the_public_page_of_an_approval_is_judged_as_well(
    pages: Pages, named: dict[str, str], browser: Browser
) -> None:
    with seen_by(browser, pages, None) as seen:
        for asked in (named["approval"], "TDT-2027-0999-X"):
            seen.page.set_content(pages.api.send(None, "GET", f"/approvals/{asked}").text)
            for scheme in SCHEMES:
                seen.page.emulate_media(color_scheme=scheme)
                assert not seen.wider()
                assert not seen.axe()
                if _LOOK:
                    saved(seen.page, Path(_LOOK) / f"public-{asked}-{scheme}.png")


@pytest.mark.long
def test_evidence_is_drawn_and_what_becomes_of_a_file_is_judged_as_well(
    pages: Pages, named: dict[str, str], browser: Browser
) -> None:
    with seen_by(browser, pages, "officer-1") as seen:
        seen.open(f"/console/evidence/{named['evidence']}/shown")
        assert seen.page.evaluate("() => document.images[0].naturalWidth") == 1000
        for scheme in SCHEMES if _LOOK else ():
            seen.page.emulate_media(color_scheme=scheme)
            for width, _ in _widths(seen, (WIDE, NARROW)):
                saved(seen.page, Path(_LOOK) / f"evidence-{width}-{scheme}.png")
        assert not seen.complaints
    listed = many(HEADER, changed(approval=named["approval"], model="W" * 64), changed(approval=HOSTILE, model="X"))
    asked = many(["approval"], [named["approval"]], ["TDT-2027-0999-X"], [HOSTILE])
    sent = {"dcc": ("/console/verify/file", asked), "panel": ("/console/list/reconciliation", listed)}
    for who, (address, octets) in sent.items():
        with seen_by(browser, pages, who) as seen:
            seen.open(address)
            seen.page.set_input_files("#file", {"name": "many.csv", "mimeType": "text/csv", "buffer": octets})
            seen.page.click("main form button")
            seen.page.wait_for_selector("main a.button", timeout=SECONDS * 1000)
            for scheme in SCHEMES:
                seen.page.emulate_media(color_scheme=scheme)
                assert not seen.axe()
                for width, wider in _widths(seen, (WIDE, NARROW)):
                    assert not wider
                    if _LOOK:
                        saved(seen.page, Path(_LOOK) / f"sent-{who}-{width}-{scheme}.png")
            assert not seen.complaints


@pytest.mark.long
def test_every_page_by_everybody_at_each_width(pages: Pages, named: dict[str, str], browser: Browser) -> None:
    wrong: list[str] = []
    for who, listed in _by_person(pages, named, everybody=True).items():
        with seen_by(browser, pages, who) as seen:
            for endpoint, address in listed:
                assert seen.open(address).status in FOUND, (who, address)
                reach_world.prepared(seen)
                found = [*reach_world.turned(seen, TURNED), *reach_world.zoomed(seen)]
                wrong += [f"{who} {address} {each}" for each in found]
                for scheme in SCHEMES:
                    seen.page.emulate_media(color_scheme=scheme)
                    wrong += [f"{who} {address} {scheme}: {each}" for each in seen.axe()]
                    for width, found in _widths(seen, (WIDE, MIDDLE, NARROW)):
                        wrong += [f"{who} {address} {width}: {each}" for each in found]
                        if _LOOK:
                            saved(seen.page, Path(_LOOK) / f"{endpoint}-{who}-{width}-{scheme}.png")
            wrong += seen.complaints
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
def test_every_page_is_walked_by_keys_alone_with_targets_large_enough_and_no_motion(
    pages: Pages, named: dict[str, str], browser: Browser
) -> None:
    """WCAG 2.2 AA beyond axe-core (tests/reach_world.py says which of its criteria)."""
    wrong: list[str] = []
    for who, listed in _by_person(pages, named, everybody=False).items():
        with seen_by(browser, pages, who) as seen:
            for _, address in listed:
                assert seen.open(address).status in FOUND, address
                reach_world.prepared(seen)
                found = [*reach_world.by_keys_alone(seen), *reach_world.moving(seen)]
                for width, _ in _widths(seen, (WIDE, NARROW)):
                    found += [f"at {width}: {each}" for each in reach_world.too_small(seen)]
                wrong += [f"{address} {each}" for each in found]
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="module")
def refused(pages: Pages, named: dict[str, str]) -> dict[str, tuple[str, str, str]]:
    """What each form answers that says nothing: by endpoint who sent it, where to, and the page."""
    found: dict[str, tuple[str, str, str]] = {}
    for endpoint, (said, may) in MAY.items():
        posts = any("POST" in (rule.methods or ()) for rule in pages.app.url_map.iter_rules(endpoint))
        if not posts or not may or endpoint in {"cancel_it", "take_it_off", "throw_draft_away"}:
            continue  # the last ones would be done, and others need what they take away
        who = next(iter(each for each in sorted(may) if each in {"officer-1", "manufacturer"}), min(may))
        place = said.partition(" ")[2].format(**named, requirement="req-none")
        token = pages.fields(pages.get(who, "/console/sessions").text, "/console/sign-out")
        answer = pages.post(who, place, token)
        if answer.status_code in REFUSED:
            found[endpoint] = (who, place, answer.text)
    return found


@pytest.mark.long
def test_what_is_answered_to_a_form_that_says_nothing_is_judged_as_well(
    pages: Pages, refused: dict[str, tuple[str, str, str]], browser: Browser
) -> None:
    assert len(refused) > 20
    wrong: list[str] = []
    for who in sorted({each for each, _, _ in refused.values()}):
        with seen_by(browser, pages, who) as seen:
            for endpoint, (sender, place, page) in refused.items():
                if sender != who:
                    continue
                seen.page.route(f"**{place}", partial(_answered, page), times=1)
                seen.open(place)
                reach_world.prepared(seen)
                found = [*reach_world.by_keys_alone(seen), *reach_world.turned(seen, TURNED), *reach_world.zoomed(seen)]
                for scheme in SCHEMES:
                    seen.page.emulate_media(color_scheme=scheme)
                    found += [f"{scheme}: {each}" for each in seen.axe()]
                    for width, wider in _widths(seen, (WIDE, NARROW)):
                        found += [*wider, *reach_world.too_small(seen)]
                        if _LOOK:
                            saved(seen.page, Path(_LOOK) / f"refused-{endpoint}-{who}-{width}-{scheme}.png")
                wrong += [f"{endpoint} {each}" for each in found]
            wrong += seen.complaints
    assert not wrong, "\n".join(wrong)


def _answered(page: str, route: Route) -> None:
    route.fulfill(body=page, content_type="text/html; charset=utf-8")


@pytest.mark.long
def test_the_checker_of_html_finds_no_error(
    pages: Pages, named: dict[str, str], refused: dict[str, tuple[str, str, str]], tmp_path: Path
) -> None:
    for command, called in (("java", "a JDK"), ("npm", "npm")):
        if shutil.which(command) is None:
            pytest.skip(f"{called} is not installed here, so this judge is not asked")
    BUILT.mkdir(parents=True, exist_ok=True)
    for each in ("package.json", "package-lock.json"):
        shutil.copy(JUDGE / each, BUILT)
    _done(BUILT, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")  # what the lock file has the digest of
    for who, listed in _by_person(pages, named, everybody=True).items():
        for endpoint, address in listed:
            answer = pages.browser(who).get(address, base_url=pages.origin, follow_redirects=True)
            (tmp_path / f"{endpoint}-{who}.html").write_bytes(answer.data)
    for endpoint, (_, _, page) in refused.items():
        (tmp_path / f"{endpoint}-refused.html").write_text(page, "utf-8")
    jar = BUILT / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    files = sorted(each.name for each in tmp_path.iterdir())
    assert files
    _done(tmp_path, "java", "-jar", str(jar), "--errors-only", *files)


def many(*rows: list[str]) -> bytes:
    return "\r\n".join(",".join(f'"{cell}"' for cell in row) for row in rows).encode()


def _done(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=FOREIGN)
    assert done.returncode == 0, done.stderr

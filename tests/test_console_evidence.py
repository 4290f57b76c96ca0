"""Evidence in a browser: pictures of pages, text as text, and always the file, whatever the renderer does."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api.incoming import BODY_LIMIT
from api.status.exchange import Asked, Reply
from console.app import create_console
from console.forms import LARGER
from console.guard import COOKIE, shows_session
from front.service import Turn
from renderer.asking import Renderer
from renderer.png import png, require_picture
from renderer.wire import Leaf, Outcome, Outline, answer, outline
from tests.api_world import Api, done
from tests.console_world import Pages
from tests.evidence_world import workbook
from tests.render_world import WORDS, dripping, instead, pdf, renderer, saying, silent
from tests.served_world import Web
from tests.test_renderer import WRONG
from tests.world import World

TURNED = "price \N{RIGHT-TO-LEFT OVERRIDE}001 <script>alert(1)</script>"
OUTLINE = answer(Outcome.DONE, outline(Outline(1, (Leaf(number=1, width=2, height=1, text=TURNED),))))


@pytest.fixture(scope="module")
def pages(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Pages]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Pages(Api(world))
    world.close()


@pytest.fixture(scope="module")
def application(pages: Pages) -> str:
    return pages.api.applied()


@pytest.fixture
def drawn_by(pages: Pages) -> Iterator[Callable[[Renderer | None], None]]:
    """Have the pages drawn by somebody."""
    before = pages.app

    def by(pictures: Renderer | None) -> None:
        pages.app = create_console(replace(pages.console, pictures=pictures), secret_key=b"k" * 32)
        pages._browsers.clear()

    yield by
    pages.app = before
    pages._browsers.clear()


def attached(pages: Pages, application: str, octets: bytes, name: str = "report.pdf", kind: str = "pdf") -> str:
    kinds = {
        "pdf": "application/pdf",
        "txt": "text/plain",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
    place = f"/v1/applications/{application}/evidence?name={name}"
    sent = pages.api.send("manufacturer", "POST", place, octets, Content_Type=kinds[kind])
    return str(done(sent, 201)["evidence"])


def place(evidence: str, more: str = "/shown") -> str:
    return f"/console/evidence/{evidence}{more}"


def test_pages_are_shown_as_pictures_with_their_numbers_text_and_the_file(
    pages: Pages, application: str, drawn_by: Callable[[Renderer | None], None]
) -> None:
    evidence = attached(pages, application, pdf(pages=7))
    with renderer() as draws:
        drawn_by(draws)
        page = pages.get("officer-1", place(evidence)).text
        assert "Pages 1 to 5 of 7" in page
        assert f'<a href="/console/applications/{application}">' in page, "and it leads back"
        assert f'src="{place(evidence, "/pages/5")}" alt="Page 5 of 7, whose text stands below"' in page
        assert (page.count("<figure"), page.count(WORDS)) == (5, 5)
        assert "Pages 6 to 7 of 7" in pages.get("officer-1", place(evidence, "/shown?from=6")).text
        picture = pages.get("officer-1", place(evidence, "/pages/7"))
        assert (picture.status_code, picture.content_type) == (200, "image/png")
        assert require_picture(picture.data) == (1000, 1415)
        assert "sandbox" in picture.headers["Content-Security-Policy"]
        none = pages.get("officer-1", place(evidence, "/pages/8"))
        assert (none.status_code, none.content_type.partition(";")[0]) == (422, "image/svg+xml")
        assert pages.get("manufacturer", place(evidence, "/pages/1")).status_code == 403
    file = pages.get("officer-1", place(evidence, ""))
    assert file.headers["Content-Disposition"] == "attachment; filename=report.pdf"
    assert (file.content_type, file.headers["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")
    assert "sandbox" in file.headers["Content-Security-Policy"]


def test_a_renderer_that_was_killed_is_said_and_web_goes_on(
    pages: Pages, application: str, drawn_by: Callable[[Renderer | None], None], tmp_path: Path
) -> None:
    evidence = attached(pages, application, pdf(pages=2))
    nobody, gone = "Nobody draws pictures at this authority", "the renderer does not answer"
    for draws, said in ((None, nobody), (Renderer(tmp_path / "gone.sock"), gone)):
        drawn_by(draws)
        page = pages.get("officer-1", place(evidence))
        assert page.status_code == 200
        assert said in page.text
        assert f'href="{place(evidence, "")}">Save the file' in page.text
        assert pages.get("officer-1", place(evidence, "/pages/1")).status_code == 422


@pytest.mark.parametrize(
    "does",
    [silent, dripping, saying(b""), saying(b"rubbish rubbish"), saying(answer(Outcome.DONE, b"\xff" * 99))],
    ids=["silent", "drop by drop", "killed", "rubbish", "no outline"],
)
def test_whatever_answers_in_its_place_the_page_comes_and_offers_the_file(
    pages: Pages, application: str, drawn_by: Callable[[Renderer | None], None], does: Callable[..., None]
) -> None:
    evidence = attached(pages, application, pdf())
    with instead(does, seconds=0.5) as draws:
        drawn_by(draws)
        began = time.monotonic()
        page = pages.get("officer-1", place(evidence))
        assert time.monotonic() - began < 5
        assert page.status_code == 200
        assert "It is not shown here" in page.text
        assert f'href="{place(evidence, "")}">Save the file' in page.text
        picture = pages.get("officer-1", place(evidence, "/pages/1"))
        assert (picture.status_code, picture.content_type.partition(";")[0]) == (422, "image/svg+xml")


def test_a_picture_that_is_none_or_of_another_size_never_reaches_a_browser(
    pages: Pages, application: str, drawn_by: Callable[[Renderer | None], None]
) -> None:
    evidence = attached(pages, application, pdf())
    for octets in [WRONG["too wide"], WRONG["wider than it says"], WRONG["more behind it"], WRONG["another file"]]:
        with instead(saying(answer(Outcome.DONE, octets))) as draws:
            drawn_by(draws)
            picture = pages.get("officer-1", place(evidence, "/pages/1"))
            assert picture.status_code == 422
            assert octets not in picture.data
    with instead(saying(answer(Outcome.DONE, png(2, 1, b"abcdef")))) as draws:
        drawn_by(draws)
        assert pages.get("officer-1", place(evidence, "/pages/1")).status_code == 200


def test_what_a_document_says_turns_and_runs_nothing(
    pages: Pages, application: str, drawn_by: Callable[[Renderer | None], None]
) -> None:
    evidence = attached(pages, application, pdf())
    with instead(saying(OUTLINE)) as draws:
        drawn_by(draws)
        page = pages.get("officer-1", place(evidence)).text
    assert "price [U+202E]001 &lt;script&gt;" in page


def test_a_text_is_shown_as_text_and_a_workbook_is_offered(pages: Pages, application: str) -> None:
    text = attached(pages, application, f"{TURNED}\n".encode() * 2_000, "notes.txt", "txt")
    page = pages.get("officer-1", place(text)).text
    assert "price [U+202E]001 &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "It goes on; the file has all of it." in page
    assert pages.get("officer-1", place(text, "/pages/1")).status_code == 422
    book = attached(pages, application, workbook(["a", "b"]), "a.xlsx", "xlsx")
    assert "workbooks are not shown here" in pages.get("officer-1", place(book)).text


def test_a_pdf_by_name_alone_is_told(
    pages: Pages, application: str, drawn_by: Callable[[Renderer | None], None]
) -> None:
    body = b"%PDF-1.7\n<script>alert(1)</script>\n%%EOF\n"
    evidence = attached(pages, application, body, "x%3Cb%3E.pdf")
    with renderer() as draws:
        drawn_by(draws)
        page = pages.get("officer-1", place(evidence)).text
    assert "It is no PDF that can be read, whatever it is called." in page
    assert "<script>alert" not in page


def test_the_numbers_in_an_address_are_read_as_numbers(pages: Pages, application: str) -> None:
    evidence = attached(pages, application, pdf())
    for said in ("0", "-1", "x", "99999999999999999999", "1e9", "\N{ARABIC-INDIC DIGIT ONE}", "1<b>"):
        assert pages.get("officer-1", place(evidence, f"/shown?from={said}")).status_code == 200
    assert pages.get("officer-1", place(evidence, "/pages/-1")).status_code == 404


def test_a_file_is_collected_from_whoever_shows_a_session_and_from_nobody_else(pages: Pages) -> None:
    web = Web(pages.api.world, LARGER, shows_session(pages.app))
    client = pages.browser("dcc")
    cookie = client.get_cookie(COOKIE, domain="console.example")
    assert cookie is not None
    sealed = f"{COOKIE}={cookie.value}"
    address = "/console/deployments"
    assert web.served.admit(Asked("POST", address, fields={"cookie": f"a=b; {sealed}"})) == LARGER[address]
    empty = pages.browser(None)
    empty.get("/console/sign-in", base_url=pages.origin)
    before = empty.get_cookie(COOKIE, domain="console.example")
    assert before is not None, "it has a token for its form, and no session"
    for shown in ("", COOKIE, f"{COOKIE}=", f"{sealed}x", sealed[:-9], f"{COOKIE}={before.value}", "\xff" * 99):
        told = web.served.admit(Asked("POST", address, fields={"cookie": shown, "authorization": "Bearer x"}))
        assert isinstance(told, Reply), shown
        assert (told.status, dict(told.headers)["Location"]) == (303, "/console/sign-in?lost=yes")
    turns = {
        each: web.served.at_once(Asked("GET", f"/console/evidence/ev-1{each}")) for each in ("", "/shown", "/pages/1")
    }
    assert turns == {"": Turn.API, "/shown": Turn.DRAW, "/pages/1": Turn.DRAW}, (
        "a file is saved whatever is being drawn"
    )
    assert web.served.admit(Asked("POST", "/console/verify")) == BODY_LIMIT, "small forms are the console's own matter"

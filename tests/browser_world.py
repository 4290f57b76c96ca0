"""Real Chromium on a console that listens: every page by its address, judged as it is drawn."""

import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from axe_playwright_python import sync_playwright as axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright
from werkzeug.routing import Rule
from werkzeug.serving import WSGIRequestHandler, make_server

from core.kinds import DraftPart
from ra.applying import drafts
from ra.reporting.breach import suspect_limit
from ra.reporting.report import month_of
from ra.telling import notices
from renderer.asking import Renderer
from tests.acting import member
from tests.api_world import Api, done
from tests.committee_world import convened
from tests.console_world import Pages
from tests.render_world import pdf
from tests.signing import another_device
from tests.world import DCC, NOW

HOSTILE = "W" * 64 + " \N{RIGHT-TO-LEFT OVERRIDE}\u05e7\u05e8\u05d9\u05d0\u05d4 <script>alert(1)</script> =1+1 &amp;"
NARROW, MIDDLE, WIDE = 360, 768, 1440
HEIGHT = 800
SECONDS = 30.0
"""Within which a page is there, on a busy machine too."""

_AXE = files(axe.__name__.partition(".")[0]).joinpath("axe.min.js").read_text()
_JUDGED = """async only => {
  const found = await axe.run(document, only ? {runOnly: {type: "rule", values: only}} : {});
  return found.violations.map(each => `${each.id}: ${each.help}: ${each.nodes.map(node => node.html).join(" | ")}`);
}"""
_WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
_WIDEST = """() => [...document.querySelectorAll("body *")]
  .filter(each => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && each.offsetParent)
  .map(each => each.outerHTML.slice(0, 160)).slice(0, 3)"""


class _Quiet(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def listening(api: Api, pictures: Renderer | None = None, *, demo: bool = True) -> Iterator[Pages]:
    """A console on a port of its own, as a test authority has it, or a live one; and somebody who draws evidence."""
    server = make_server("localhost", 0, _nothing, threaded=True, request_handler=_Quiet)
    pages = Pages(api, demo=demo, origin=f"http://localhost:{server.port}", pictures=pictures)
    server.app = pages.app
    serving = threading.Thread(target=server.serve_forever, name="console")
    serving.start()
    try:
        yield pages
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def _nothing(_environ: Any, _start: Any) -> list[bytes]:
    raise AssertionError("nobody knows this port yet")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium: no other browser is fetched."""
    path = shutil.which("chromium")
    assert path is not None, "script/debian-packages.txt names chromium"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=SECONDS * 1000)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Seen:
    """A browser of somebody, and what it complained about."""

    context: BrowserContext
    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)

    def open(self, address: str) -> Response:
        """Go to a page; what it answers."""
        answer = self.page.goto(f"{self.origin}{address}", wait_until="load", timeout=SECONDS * 1000)
        assert answer is not None
        return answer

    def wider(self) -> list[str]:
        """What stands out of the page on the right, so that it scrolls sideways; nothing if it does not."""
        return cast("list[str]", self.page.evaluate(_WIDEST)) or ["?"] if self.page.evaluate(_WIDER) > 0 else []

    def axe(self, only: Sequence[str] = ()) -> list[str]:
        """What axe-core finds."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(_AXE)
        return cast("list[str]", self.page.evaluate(_JUDGED, list(only) or None))


@contextmanager
def seen_by(browser: Browser, pages: Pages, who: str | None) -> Iterator[Seen]:
    """A browser in which somebody has signed in, or nobody."""
    context = browser.new_context(viewport={"width": NARROW, "height": HEIGHT}, reduced_motion="reduce")
    try:
        page = context.new_page()
        seen = Seen(context, page, pages.origin)

        def said(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                seen.complaints.append(f"{page.url}: {message.text}")

        page.on("console", said)
        page.on("pageerror", lambda error: seen.complaints.append(f"{page.url}: {error}"))
        page.on("requestfailed", lambda sent: seen.complaints.append(f"{sent.url}: {sent.failure}"))
        if who is not None:
            seen.open("/console/demo")
            with page.expect_navigation(url="**/console/home"):
                page.click(f"button[value={who}]")
        yield seen
    finally:
        context.close()


SAVED = frozenset(
    {
        "evidence",
        "evidence_page",
        "marked_list",
        "verified_file",
        "assets",
        "certificate_file",
        "notice_file",
        "listing_file",
        "report_file",
        "minutes_file",
        "dossier_file",
    }
)
"""What is saved, and no page to look at."""

_NAMED = {
    "agenda-items": "item",
    "amendment-requests": "request",
    "applications": "application",
    "approvals": "approval",
    "breaches": "breach",
    "certificates": "serial",
    "decisions": "decision",
    "drafts": "draft",
    "end-requests": "ending",
    "evidence": "evidence",
    "invitations": "invitation",
    "meetings": "meeting",
    "notices": "notice",
    "orders": "order",
    "reports": "month",
    "suspicions": "breach",
}
"""Whose name stands for the argument in an address: by what comes before it."""


def addresses(app: Flask, things: dict[str, str]) -> dict[str, str]:
    """Every page that can be opened, by endpoint; of a new kind of thing this wants to know one."""
    return {
        rule.endpoint: _filled(rule, things)
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint not in SAVED
    }


def _filled(rule: Rule, things: dict[str, str]) -> str:
    parts = rule.rule.split("/")
    for place, part in enumerate(parts):
        if part.startswith("<"):
            kind = parts[place - 1]
            assert kind in _NAMED, f"{rule.rule}: tests/browser_world.py does not know what a name of {kind} is"
            parts[place] = things[_NAMED[kind]]
    return "/".join(parts)


def things(pages: Pages) -> dict[str, str]:
    """One of each kind, with names from hostile hands wherever somebody else types them."""
    api = pages.api
    approval = api.granted(device=another_device(1), purpose=HOSTILE)
    application = api.applied(device=another_device(2), purpose=HOSTILE)
    body = pdf(pages=7, content=b"BT /F1 24 Tf 72 700 Td (Report <script>alert\\(1\\)</script>) Tj ET")
    place = f"/v1/applications/{application}/evidence?name={'W' * 64}%3Cb%3Ex.pdf"
    evidence = done(api.send("manufacturer", "POST", place, body, Content_Type="application/pdf"), 201)["evidence"]
    decision = api.proposed(kind="grant", application=application, reasons=HOSTILE)
    api.settle()
    draft = drafted(pages, HOSTILE)
    wanted = {"reasons": HOSTILE, "maximum_devices": 600}
    asked = api.ask("manufacturer", "POST", f"/v1/approvals/{approval}/amendment-requests", wanted)
    ending = api.ask("manufacturer", "POST", f"/v1/approvals/{approval}/end-requests", {"reasons": HOSTILE})
    with api.world.store.begin("suspect") as tx:
        breach = suspect_limit(tx, approval, deployed=501, maximum=500, actor=DCC, at=NOW)
    done(api.ask("officer-1", "POST", f"/v1/breaches/{breach}/telling", {"text": HOSTILE}))
    admin = pages.browser("admin")
    fields = pages.fields(admin.get("/console/people", base_url=pages.origin).text, "/console/people/invitation")
    made = pages.post("admin", "/console/people/invitation", fields).text
    invitation = made.partition("/console/invitations/")[2].partition("<")[0]
    return {
        **convened(api, application, decision, HOSTILE),
        "application": application,
        "approval": approval,
        "breach": str(breach),
        "decision": decision,
        "draft": draft,
        "ending": str(done(ending, 201)["request"]),
        "evidence": str(evidence),
        "invitation": invitation,
        "notice": notice_of(pages, approval),
        "month": month_of(pages.desk.clock.now()),
        **beside(pages, approval),
        "request": str(done(asked, 201)["request"]),
    }


def beside(pages: Pages, approval: str) -> dict[str, str]:
    """An order, a standing requirement, a question of a report, and the certificate of an approval."""
    api, leaving = pages.api, {"kind": "change-roster", "why": HOSTILE, "remove": [member("officer-3").key]}
    done(api.ask("officer-1", "POST", "/v1/reports/questions", {"text": HOSTILE}), 201)
    return {
        "order": str(done(api.ask("officer-1", "POST", "/v1/orders", leaving), 201)["order"]),
        "standing": str(
            done(api.ask("officer-1", "POST", "/v1/requirements/standing", {"text": HOSTILE}), 201)["standing"]
        ),
        "serial": str(done(api.ask("auditor", "GET", f"/v1/approvals/{approval}"))["certificates"][0]["serial"]),
    }


def notice_of(pages: Pages, approval: str) -> str:
    """The first notice about an approval."""
    listed = notices.listed(pages.desk, pages.actor("officer-1"), after="", limit=1, approval=approval).notices
    return listed[0].notice


def drafted(pages: Pages, words: str) -> str:
    """A draft in which one part is filled, with some words."""
    maker = pages.actor("manufacturer")
    name = drafts.begin_draft(pages.desk, maker)
    drafts.keep_part(pages.desk, maker, name, DraftPart.TRIAL, {"purpose": words, "start": words}, version=1)
    return name


def saved(page: Page, path: Path) -> None:
    """A picture of the whole page, for people to look at."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(path), full_page=True)

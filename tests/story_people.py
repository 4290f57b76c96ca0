"""The people of a trial, each in a browser of their own: they see pages, write, press, sign and save."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Error, FilePayload, Locator, Page

from core.actors import CONSOLE
from ra.access import grant_access
from ra.entering.passkeys import invite
from tests.api_world import PEOPLE, Api
from tests.browser_world import HEIGHT, MIDDLE, listening
from tests.console_world import Pages
from tests.people_world import PASSPHRASE_FILE, People, sealed, served, trialcpa, write_private

_YES = "--yes-i-have-read"
_AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
PATIENCE = 60.0
"""Seconds within which a page is there, on a busy machine too."""

_GIVEN_UP = ("interrupted by another navigation", "net::ERR_ABORTED")
"""What a browser says of a page that it was sent to while it was on its way to another."""

_CROSSED = 3
"""How often that may happen to one page: what leads on by itself does so every few seconds, and then no more."""

REFUSED = "the server responded with a status of 422"
"""What a browser notes where a page says what is wrong with what was sent."""

THIRD = "officer-3"
"""An officer who sits at a command line: two beside officer-2 let a passkey of hers count."""


@dataclass
class Stage:
    """An authority that is tried in a browser, and in the shells of those who sign elsewhere.

    Args:
        pages: its console.
        people: its service, for the command line.
        browser: of everybody.
        scripts: whether pages may run them; without them nobody has a passkey.
        folder: for what people make and save.
    """

    pages: Pages
    people: People
    browser: Browser
    scripts: bool
    folder: Path
    _here: dict[str, "Person"] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    @property
    def api(self) -> Api:
        """The service."""
        return self.pages.api

    def who(self, name: str) -> "Person":
        """One of them, with a browser that is theirs alone."""
        if name not in self._here:
            context = self.browser.new_context(
                viewport={"width": MIDDLE, "height": HEIGHT}, java_script_enabled=self.scripts, accept_downloads=True
            )
            self._open.callback(context.close)
            context.set_default_timeout(PATIENCE * 1000)
            page = context.new_page()
            self._here[name] = Person(name, page, self)
            if self.scripts:
                asks = context.new_cdp_session(page)
                asks.send("WebAuthn.enable")
                asks.send("WebAuthn.addVirtualAuthenticator", {"options": _AUTHENTICATOR})
        return self._here[name]

    def settle(self) -> None:
        """Let the authority do what is due, and a second pass."""
        self.api.settle()
        self.api.world.passes(timedelta(seconds=1))
        self.api.settle()

    def until(self, at: datetime) -> None:
        """Let it be `at`."""
        self.api.world.passes(at - self.api.world.clock.now())
        self.api.world.authority.settle()
        self.settle()

    def close(self) -> list[str]:
        """Send everybody home; return what their browsers complained about."""
        found = [f"{name}: {each}" for name, one in self._here.items() for each in one.complaints]
        self._open.close()
        return found


@dataclass
class Person:
    """Somebody with a browser."""

    name: str
    page: Page
    stage: Stage
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        def said(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and REFUSED not in message.text:
                self.complaints.append(f"{self.page.url}: {message.text}")

        self.page.on("console", said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))

    # --- coming in ----------------------------------------------------------------------------------------------

    def open(self, address: str) -> None:
        """Go to a page; by the sign-in page, where a session has ended meanwhile."""
        place = f"{self.stage.pages.origin}{address}" if address.startswith("/") else address
        for _ in range(_CROSSED):
            try:
                self.page.goto(place)
                break
            except Error as error:
                # A decision's page leads on by itself when it is done, at the moment that somebody goes elsewhere: the
                # browser gives up one of the two.
                if not any(each in error.message for each in _GIVEN_UP):
                    raise
                self.page.wait_for_load_state()
        else:
            self.page.goto(place)
        if urlsplit(self.page.url).path == "/console/sign-in":
            self._comes_in()

    def _comes_in(self) -> None:
        if self.stage.scripts:
            self.press("Sign in")
        else:
            self.follow("Try it out as one of the demo people")
            self.press(self.name, exact=False)

    def invited(self, address: str) -> None:
        """Make a passkey, as somebody who was sent the address."""
        self.page.goto(address)
        self.press("Make a passkey")
        self.sees("Your passkey is enrolled")

    @property
    def named(self) -> str:
        """What the page is about, by its address."""
        return urlsplit(self.page.url).path.rpartition("/")[2]

    # --- on a page ----------------------------------------------------------------------------------------------

    def sees(self, *words: str) -> str:
        """Everything that the page says; the words have to be in it."""
        said = " ".join(self.page.locator("main").inner_text().split())
        for each in words:
            assert each.lower() in said.lower(), f"{self.name} at {self.page.url} does not see “{each}” in: {said}"
        return said

    def writes(self, label: str, words: str, within: Locator | None = None) -> None:
        """Write into the field whose label begins so."""
        self._field("textbox", label, within).fill(words)

    def ticks(self, label: str, within: Locator | None = None) -> None:
        """Tick what begins so."""
        place = within or self.page.locator("main")
        found = place.get_by_label(re.compile(f"^{re.escape(label)}"))
        found.first.check()

    def chooses(self, label: str, word: str, within: Locator | None = None) -> None:
        """Choose from a list."""
        self._field("combobox", label, within).select_option(word)

    def gives(self, name: str, octets: bytes, label: str = "File", kind: str = "text/csv") -> None:
        """Choose a file."""
        file = FilePayload(name=name, mimeType=kind, buffer=octets)
        self.page.get_by_label(label, exact=True).set_input_files(file)

    def unfolds(self, words: str) -> None:
        """Open what is folded."""
        self.page.locator("summary", has_text=words).first.click()

    def press(self, button: str, *, exact: bool = True, within: Locator | None = None) -> None:
        """Press a button, and be on the page that comes."""
        place = within or self.page
        with self.page.expect_navigation(wait_until="load"):
            place.get_by_role("button", name=button, exact=exact).first.click()

    def press_and_see(self, button: str, words: str) -> None:
        """Press a button and wait for what is said then, on this page or on another."""
        self.page.get_by_role("button", name=button, exact=True).click()
        self.page.locator("main").get_by_text(words).first.wait_for()

    def follow(self, link: str) -> None:
        """Follow the link that begins so."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.get_by_role("link", name=re.compile(f"^{re.escape(link)}")).first.click()

    def goes_to(self, address: str) -> None:
        """Follow the first link to an address that begins so: what it is called is not what matters."""
        with self.page.expect_navigation(wait_until="load"):
            self.page.locator(f'main a[href^="{address}"]').first.click()

    def saves(self, link: str) -> bytes:
        """Follow a link to a file, and return what was saved."""
        with self.page.expect_download() as saved:
            self.page.get_by_role("link", name=link).first.click()
        return Path(saved.value.path()).read_bytes()

    def group(self, legend: str) -> Locator:
        """The fields below a legend."""
        return self.page.get_by_role("group", name=legend, exact=True)

    def _field(self, role: str, label: str, within: Locator | None) -> Locator:
        place = within or self.page.locator("main")
        return place.get_by_role(role, name=re.compile(f"^{re.escape(label)}"))  # type: ignore[arg-type]

    # --- signing ------------------------------------------------------------------------------------------------

    def _form(self, button: str) -> Locator:
        return self.page.locator("form", has=self.page.get_by_role("button", name=button, exact=True))

    def signs_by_key(self, button: str) -> None:
        """Run what the page says where the key is, paste what it prints, and send it."""
        form = self._form(button)
        command = form.locator("pre", has_text="trialcpa officer sign").inner_text().split()
        said = self.stage.people.run(self.name, *command[1:], _YES)
        assert said.status == 0, said.err
        form.get_by_role("textbox", name="What it printed").fill(said.out)
        self.press(button, within=form)

    def signs_by_passkey(self, button: str) -> None:
        """Have one's passkey sign, where there are scripts; else by one's key."""
        if not self.stage.scripts:
            self.signs_by_key(button)
            return
        self.press("Sign with your passkey", within=self._form(button))


@contextmanager
def staged(api: Api, browser: Browser, folder: Path, *, scripts: bool) -> Iterator[Stage]:
    """A console and its service, each on a port of its own; nobody has come in yet."""
    with listening(api, demo=not scripts) as pages, served(api, folder) as people:
        stage = Stage(pages, people, browser, scripts, folder)
        try:
            yield stage
        finally:
            complaints = stage.close()
        assert not complaints, "\n".join(complaints)


def enrol_everybody(stage: Stage) -> None:
    """The operator invites the administrator, who invites everybody else on the page; each makes a passkey."""
    admin = stage.who("admin")
    desk = stage.pages.desk
    credential = stage.pages.actor("admin").credential
    assert credential
    made = invite(desk, CONSOLE, credential)
    admin.invited(f"{stage.pages.origin}/console/invitations/{made.secret}")
    for name in ("officer-1", "officer-2", "manufacturer", "dcc", "panel", "auditor"):
        admin.open("/console/people")
        own = admin.page.locator(f'form:has(input[value="{stage.pages.actor(name).credential}"])')
        admin.press(f"Invite {name} to enrol a passkey", within=own)
        stage.who(name).invited(admin.page.locator(".note pre").inner_text())


def passkey_counts(stage: Stage, officer: str) -> None:
    """An officer's passkey comes on the roster: two others are given its file, and sign at their command lines."""
    her = stage.who(officer)
    her.open("/console/keys")
    her.sees("Not on the roster")
    her.unfolds("The file")
    file = stage.folder / f"{officer}.passkey.json"
    file.write_text(her.page.locator("details pre").inner_text())
    life = stage.pages.desk.rules.longest_credential
    role, of = PEOPLE["officer-1"]
    access = grant_access(stage.pages.desk, CONSOLE, name=THIRD, role=role, organisation=of, life=life)
    write_private(stage.folder / f"{THIRD}.key", f"{access.api_key}\n".encode())
    write_private(stage.folder / f"{THIRD}.key.pem", sealed(THIRD))
    change = ("roster", "change", "--add", f"{officer}={file}", "--why", "She travels.")
    said = stage.people.run("officer-1", *change)
    assert said.status == 0, said.err
    found = re.search(r"trialcpa order authorise (\S+)", said.words)
    assert found is not None, said.words
    where = ("--url", stage.people.url, "--key-file", str(stage.folder / f"{THIRD}.key"))
    said = trialcpa(
        "order", "authorise", found[1].rstrip("."), _YES, *where,
        TRIALCPA_OFFICER_KEY=str(stage.folder / f"{THIRD}.key.pem"),
        TRIALCPA_OFFICER_PASSPHRASE=f"file:{stage.folder / PASSPHRASE_FILE}",
    )  # fmt: skip
    assert said.status == 0, said.err
    stage.settle()
    her.open("/console/keys")
    her.sees("On the roster")

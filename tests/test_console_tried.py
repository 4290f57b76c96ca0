"""From nothing to issued, verified, revoked and proved, by hand in a browser: eight actions after script/server."""

import base64
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from story.stage import Stage, free_port, stage_in
from tests.browser_world import chromium
from verify.client import AuthorityClient

MOST = 8
"""Actions that it takes somebody who tries the authority out."""

SECONDS = 60.0
"""Within which the authority has done what an action asks of it, on a busy machine too."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """What script/server serves: a test authority that is made on the way."""
    with stage_in(tmp_path_factory.mktemp("tried") / "home", lambda _: None, port=free_port()) as stage:
        yield stage


@dataclass
class Hand:
    """Counts what a person does."""

    page: Page
    done: list[str] = field(default_factory=list)

    def presses(self, button: str) -> None:
        self.page.get_by_role("button", name=button).first.click()
        self.done.append(f"press {button}")

    def types(self, label: str, words: str) -> None:
        self.page.get_by_label(label).fill(words)
        self.done.append(f"type {words}")


@pytest.mark.long
def test_eight_actions_lead_from_nothing_to_a_revocation_that_is_proved(served: Stage, tmp_path: Path) -> None:
    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(SECONDS * 1000)
        hand = Hand(page)
        expect.set_options(timeout=SECONDS * 1000)
        page.goto(served.server.replace("127.0.0.1", "localhost") + "/console")

        hand.presses("Apply with the example device")
        hand.presses("Send the application")
        hand.presses("Go on as ssc-officer-1")
        hand.presses("Propose it and sign for it")
        hand.presses("Go on as ssc-officer-2")
        hand.presses("Second dec-")
        expect(page.get_by_text("Yes: it is covered")).to_be_visible()  # issued, and verified
        approval = page.locator("h1").inner_text()
        hand.types("Type its identifier", approval)
        hand.presses(f"Revoke {approval} now")
        expect(page.get_by_text("No: it is not covered")).to_be_visible()
        expect(page.get_by_text("Every channel has told it.")).to_be_visible()
        proof = page.get_by_label("proof.b64").input_value()

    assert len(hand.done) <= MOST, hand.done
    said = _read(served, tmp_path, base64.b64decode(proof))
    assert "Response verify OK" in said
    assert "Cert Status: revoked" in said


def _read(served: Stage, folder: Path, proof: bytes) -> str:
    """What openssl finds in the proof that stood on the page, if the authority's chain stands behind its signature."""
    (folder / "proof.der").write_bytes(proof)
    with AuthorityClient(served.server) as client:
        (folder / "chain.pem").write_bytes(client.chain())
    return _openssl(folder, "ocsp", "-respin", "proof.der", "-CAfile", "chain.pem", "-text")


def _openssl(folder: Path, *words: str) -> str:
    ran = subprocess.run(("openssl", *words), cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    return ran.stdout + ran.stderr

"""Verify in a browser: one field for anything, its answer with reasons and proof; and the page for everybody."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.console import agreement
from core.kinds import HierarchyRole
from ra.telling.approvals import approval as approval_of
from tests.api_world import Api
from tests.console_world import ORIGIN, Pages
from tests.test_console import HOSTILE
from tests.world import DEVICE, FIRMWARE, World

UNIT = "00-DB-12-34-56-78-90-01"


@pytest.fixture(scope="module")
def pages(store_copy: Callable[[str], str], keys_folder: Path) -> Iterator[Pages]:
    world = World(store_copy("sqlite"), keys_folder)
    yield Pages(Api(world))
    world.close()


@pytest.fixture(scope="module")
def approval(pages: Pages) -> str:
    return pages.api.granted()


def ask(pages: Pages, said: str, who: str = "dcc", **more: str) -> str:
    csrf = pages.fields(pages.get(who, "/console/sessions").text, "/console/sign-out")["csrf_token"]
    answer = pages.post(who, "/console/verify", {"csrf_token": csrf, "q": said, **more})
    assert answer.status_code in {200, 422}
    return answer.text


def test_one_field_takes_whatever_names_an_approval(pages: Pages, approval: str) -> None:
    certificate = approval_of(pages.desk, pages.actor("dcc"), approval).certificates[0]
    pem = pages.get("dcc", f"/console/approvals/{approval}/certificate").text
    leaf = pem[: pem.index("-----END CERTIFICATE-----") + 26]
    device = (*DEVICE.said().values(), FIRMWARE[0].version)
    by_name = {
        "identifier": approval.lower().replace("-", " "),
        "serial": certificate.serial,
        "serial with colons": ":".join(certificate.serial[at : at + 2] for at in range(0, len(certificate.serial), 2)),
        "certificate": leaf,
        "device": " ".join(device),
        "device by commas": ", ".join(device),
        "model": f"{DEVICE.manufacturer} {DEVICE.model} {FIRMWARE[0].version}",
        "unit": f"{approval} {UNIT}",
    }
    for name, said in by_name.items():
        page = ask(pages, said)
        assert f'href="/approvals/{approval}"' in page, (name, page)
        assert "not yet started" in page.lower(), name  # the trial begins tomorrow
    assert "The signed proof" in ask(pages, approval)


def test_what_is_not_covered_is_told_with_reason_and_remedy(pages: Pages) -> None:
    page = ask(pages, "ESME, AB01, no such model, 01, 1")
    assert "No: it is not covered" in page
    assert "F2" in page


@pytest.mark.parametrize("said", [HOSTILE, UNIT, "a", "=1+1", "a b c d e f g h", "TDA-2027-0042-A"])
def test_what_is_nothing_is_told_and_not_lost(pages: Pages, approval: str, said: str) -> None:
    assert approval
    page = ask(pages, said)
    assert "That cannot be asked about" in page
    assert ("one character is wrong" in page) is said.startswith("TDA-")
    assert "<script>alert" not in page


def test_a_past_instant_is_asked_about_and_a_wrong_one_told(pages: Pages, approval: str) -> None:
    assert "had not been granted" in ask(pages, approval, at="2026-01-01T00:00:00Z")
    assert "That cannot be asked about" in ask(pages, approval, at="2999-01-01T00:00:00Z")
    assert 'value="soon&lt;b&gt;"' in ask(pages, approval, at="soon<b>")


def test_a_day_is_asked_about_as_people_write_it(pages: Pages, approval: str) -> None:
    page = ask(pages, approval, at=" 3 May 2026 ")
    assert "No: it was not covered" in page
    assert "had not been granted" in page
    assert "23:59:59 UTC on 3 May 2026" in page, "the end of the day is meant"
    assert "14:05:00 UTC on 3 May 2026" in ask(pages, approval, at="3 May 2026, 14:05")
    today = f"{pages.desk.clock.now():%d %B %Y}"
    assert "not yet started" in ask(pages, approval, at=today).lower(), "this day means now, and not what is to come"
    either = ask(pages, approval, at="03/05/2026")
    assert "When: “03/05/2026” may be 2026-05-03" in either
    assert 'value="03/05/2026"' in either


def test_what_cannot_be_asked_is_told_to_people_and_not_to_programs(pages: Pages) -> None:
    page = ask(pages, "AB01 no-such-model")
    assert "Firmware version is missing" in page or "firmware version is missing" in page
    assert "openapi" not in page
    assert "with commas where a name has blanks" in ask(pages, "ESME AB01 a model of words 01 1")


def test_whoever_comes_by_costs_no_comparing(pages: Pages, approval: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now, compared = [0.0], [0]
    found = pages.api.lookout.comparing.found

    def counted() -> object:
        compared[0] += 1
        return found()

    monkeypatch.setattr(pages.api.lookout.comparing, "found", counted)
    agrees = agreement(pages.api.lookout, monotonic=lambda: now[0])
    for second, times in ((0.0, 1), (59.0, 1), (60.0, 2), (61.0, 2)):
        now[0] = second
        assert agrees() is not None
        assert compared[0] == times
    pages.api.lookout.comparing.step()  # a pass, as it is gone through beside
    now[0] = 1000.0
    told = agrees()
    assert told is not None
    assert (told.agree, told.checked, compared[0]) == (True, 1, 2), f"of {approval}, and nobody waits from then on"


def test_everybody_is_told_what_this_is_and_how_to_check_it(pages: Pages, approval: str) -> None:
    client = pages.browser(None)
    page = client.get("/", base_url=ORIGIN).text
    held = pages.api.mirror.held().authority
    assert held.journal_key.hex() in page
    assert [each for each in held.certificates if each.role is HierarchyRole.ROOT]
    assert "They agree" in page or "not been compared" in page
    assert "TDT-2027-0042-" in page
    assert "TDA-" not in page, "a test authority has no such identifier"
    assert "/ca/root.cer" not in page, "the root comes from somebody else"
    led = client.get(f"/console/check?approval={approval.lower()}", base_url=ORIGIN)
    assert (led.status_code, led.location) == (302, f"/approvals/{approval}")
    wrong = client.get("/console/check?approval=//evil.example", base_url=ORIGIN, follow_redirects=True)
    assert wrong.request.path == "/"
    assert "//evil.example" in wrong.text

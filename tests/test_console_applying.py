"""A Manufacturer in a browser: an application is written, kept, checked and sent; strangers and old forms do naught."""

import base64
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from console.forms import FRAMING
from core.kinds import DraftPart
from ra.applying import drafts
from ra.applying.evidence import LARGEST_FILE
from ra.applying.look import application as application_of
from ra.applying.look import applications as applications_of
from tests.api_world import Api
from tests.console_world import ORIGIN, Pages
from tests.test_console import HOSTILE
from tests.world import DEVICE, FIRMWARE, World, csr_pem

PARTS: dict[DraftPart, dict[str, str]] = {
    DraftPart.DEVICE: {**DEVICE.said(), "smets_version": "SMETS V1.58"},
    DraftPart.FIRMWARE: {f"version.{n}": each.version for n, each in enumerate(FIRMWARE, 1)}
    | {f"image_sha256.{n}": each.image_digest for n, each in enumerate(FIRMWARE, 1)},
    DraftPart.CERTIFICATES: {"scheme.1": "ZigBee", "certificate.1": "Z-1", "manufacturer.1": "AB01", "model.1": "X"},
    DraftPart.TRIAL: {
        "start": "4 January 2027",
        "expiry": "2027-06-30",
        "maximum_devices": "500",
        "purpose": "Try it.",
    },
    DraftPart.KEY: {"csr": csr_pem().decode()},
}


@pytest.fixture
def pages(world: World) -> Pages:
    return Pages(Api(world))


def csrf(pages: Pages, who: str = "manufacturer") -> str:
    return pages.fields(pages.get(who, "/console/sessions").text, "/console/sign-out")["csrf_token"]


def begun(pages: Pages) -> str:
    answer = pages.post("manufacturer", "/console/drafts", {"csrf_token": csrf(pages)})
    assert answer.status_code == 303
    return str(answer.location)


def kept(pages: Pages, place: str, part: DraftPart, said: dict[str, Any], **more: str) -> Any:
    page = pages.get("manufacturer", f"{place}/{part}").text
    fields = {"csrf_token": csrf(pages), "version": page.partition('name="version" value="')[2].partition('"')[0]}
    return pages.post("manufacturer", f"{place}/{part}", {**fields, **said, **more})


def written(pages: Pages, **changes: dict[str, str]) -> str:
    place = begun(pages)
    for part, said in PARTS.items():
        assert kept(pages, place, part, {**said, **changes.get(part, {})}).location == place, part
    return place


def sending(pages: Pages, place: str) -> dict[str, str]:
    page = pages.get("manufacturer", f"{place}/check").text
    said = {name: page.partition(f'name="{name}" value="')[2].partition('"')[0] for name in ("fresh", "kept")}
    return {"csrf_token": csrf(pages), **said}


def test_an_application_is_written_in_parts_checked_and_sent_once(pages: Pages) -> None:
    place = begun(pages)
    assert pages.get("manufacturer", place).text.count("To do") == 4
    assert "Cannot start yet" in pages.get("manufacturer", place).text
    assert pages.post("manufacturer", f"{place}/check", sending(pages, place)).status_code == 422
    for part, said in PARTS.items():
        assert kept(pages, place, part, said).location == place, part
    check = pages.get("manufacturer", f"{place}/check").text
    assert "No DLMS certificate is named" in check
    form = sending(pages, place)
    sent = pages.post("manufacturer", f"{place}/check", form)
    assert sent.status_code == 303
    again = pages.post("manufacturer", f"{place}/check", form)
    assert again.location == sent.location, "the same form again is the same act"
    assert pages.post("manufacturer", f"{place}/check", {**form, "fresh": "A" * 22}).status_code == 404
    assert pages.get("manufacturer", place).status_code == 404, "a draft that was sent is none"
    (taken,) = applications_of(pages.desk, pages.actor("admin"), after="", limit=9).applications
    assert (taken.device, taken.maximum_devices, str(taken.start)) == (DEVICE, 500, "2027-01-04")
    assert taken.firmware[0].image_sha256 == FIRMWARE[0].image_digest
    assert taken.assurance[0].scheme == "ZigBee"


@pytest.mark.parametrize(
    "written", ["no request", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "AAAA"]
)
def test_a_request_that_is_none_is_refused_on_its_own_page(pages: Pages, written: str) -> None:
    place = begun(pages)
    assert kept(pages, place, DraftPart.KEY, {"csr": written}).location == f"{place}/key"
    page = pages.get("manufacturer", f"{place}/key").text
    assert 'id="csr-wanting"' in page
    assert "It is kept, and not complete yet" in page
    assert "Not complete" in pages.get("manufacturer", place).text


def test_what_is_typed_is_kept_whatever_it_is_and_said_to_lack_something(pages: Pages) -> None:
    place = begun(pages)
    odd = {"start": "04/05/2027", "expiry": "never", "maximum_devices": "-1", "purpose": HOSTILE, "contact": "\x00"}
    assert kept(pages, place, DraftPart.TRIAL, odd).location == f"{place}/trial"
    later = pages.signed_in("manufacturer")  # another browser, another day
    page = later.get(f"{place}/trial", base_url=ORIGIN).text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert 'value="04/05/2027"' in page
    assert page.count('aria-invalid="true"') == 4
    assert pages.get("manufacturer", f"{place}/check").text.count("<script>alert") == 0


def test_rows_are_added_and_taken_away(pages: Pages) -> None:
    place = begun(pages)
    said = {"version.1": "1", "image_sha256.1": "a" * 64, "another": "yes"}
    assert kept(pages, place, DraftPart.FIRMWARE, said).location == f"{place}/firmware"
    assert 'name="version.2"' in pages.get("manufacturer", f"{place}/firmware").text
    said = {"version.1": "", "image_sha256.1": "", "version.2": "2", "image_sha256.2": "b" * 64}
    assert kept(pages, place, DraftPart.FIRMWARE, said).location == place
    assert 'name="version.1" value="2"' in pages.get("manufacturer", f"{place}/firmware").text


def test_of_two_who_write_the_same_part_the_second_is_told(pages: Pages) -> None:
    place = begun(pages)
    old = {"csrf_token": csrf(pages), "version": "1", "model": "of the first tab"}
    assert kept(pages, place, DraftPart.DEVICE, {"model": "of the second tab"}).status_code == 303
    told = pages.post("manufacturer", f"{place}/device", old)
    assert told.status_code == 409
    assert 'value="of the first tab"' in told.text
    assert "of the second tab" in told.text
    assert pages.post("manufacturer", f"{place}/device", {**old, "version": "2"}).status_code == 303


def test_what_a_colleague_has_written_since_is_not_sent_unseen(pages: Pages) -> None:
    place = written(pages)
    form = sending(pages, place)
    assert kept(pages, place, DraftPart.TRIAL, {**PARTS[DraftPart.TRIAL], "maximum_devices": "7"}).location == place
    told = pages.post("manufacturer", f"{place}/check", form)
    assert told.status_code == 409
    assert "Somebody has written in it since you opened this page" in told.text
    assert '<li><a href="#part-trial">' in told.text
    assert told.text.count('<li><a href="#part-') == 1
    assert applications_of(pages.desk, pages.actor("admin"), after="", limit=9).applications == ()
    for odd in ("", "1 2", "x", "9" * 30, "\N{SUPERSCRIPT TWO}"):
        assert pages.post("manufacturer", f"{place}/check", {**form, "kept": odd}).status_code == 409, odd
    assert pages.post("manufacturer", f"{place}/check", {**form, **sending(pages, place)}).status_code == 303
    (taken,) = applications_of(pages.desk, pages.actor("admin"), after="", limit=9).applications
    assert taken.maximum_devices == 7


@pytest.mark.parametrize("pasted", [True, False])
def test_a_private_key_is_not_kept(pages: Pages, pasted: bool) -> None:  # noqa: FBT001
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    place = begun(pages)
    said = {"csr": pem.decode()} if pasted else {"csr_file": (BytesIO(pem), "trial.csr")}
    answer = kept(pages, place, DraftPart.KEY, said)
    assert answer.status_code == 422
    assert "private key" in answer.text
    secret = pem.decode().splitlines()[1]
    assert secret not in answer.text
    maker = pages.actor("manufacturer")
    assert drafts.draft(pages.desk, maker, place.rpartition("/")[2]).part(DraftPart.KEY).said == {}


def test_a_request_is_chosen_as_a_file_of_either_form(pages: Pages) -> None:
    der = base64.b64decode("".join(csr_pem().decode().splitlines()[1:-1]))
    for octets in (csr_pem(), der):
        place = begun(pages)
        assert kept(pages, place, DraftPart.KEY, {"csr_file": (BytesIO(octets), "x.csr")}).location == place


def test_drafts_are_their_organisations_alone_and_no_more_than_it_may_keep(pages: Pages) -> None:
    place = written(pages)
    form = {"csrf_token": csrf(pages, "rival"), "version": "1", "fresh": "A" * 22}
    for method, path in (
        ("get", place), ("get", f"{place}/key"), ("get", f"{place}/check"), ("post", f"{place}/device"),
        ("post", f"{place}/check"), ("post", f"{place}/throwing-away"),
    ):  # fmt: skip
        answer = pages.get("rival", path) if method == "get" else pages.post("rival", path, form)
        assert answer.status_code == 404, path
    assert place not in pages.get("rival", "/console/drafts").text
    for _ in range(drafts.MOST_DRAFTS - 1):
        begun(pages)
    assert pages.post("manufacturer", "/console/drafts", {"csrf_token": csrf(pages)}).status_code == 409
    assert pages.post("manufacturer", f"{place}/throwing-away", {"csrf_token": csrf(pages)}).status_code == 303
    assert pages.post("manufacturer", "/console/drafts", {"csrf_token": csrf(pages)}).status_code == 303


def test_what_could_never_be_granted_is_said_before_it_is_sent_and_the_draft_stays(pages: Pages) -> None:
    place = written(pages, trial={"maximum_devices": "0"})
    page = pages.get("manufacturer", f"{place}/check").text
    assert "Fatal" in page
    assert page.index(f'<a href="{place}/trial">Dates, limit and purpose</a>: ') < page.index("Device type")
    assert "Could not be granted" in pages.get("manufacturer", place).text
    assert pages.post("manufacturer", f"{place}/check", sending(pages, place)).status_code == 422
    assert pages.get("manufacturer", place).status_code == 200


def test_a_key_that_is_taken_is_said_beside_all_else_that_hinders_a_grant(pages: Pages) -> None:
    request = csr_pem().decode()
    pages.api.granted(csr=request)
    place = written(pages, key={"csr": request}, trial={"maximum_devices": "0"})
    page = pages.get("manufacturer", f"{place}/check").text
    for part in ("key", "trial"):
        assert f'<li><a href="{place}/{part}">' in page, part
    assert "already in use" in page
    assert pages.get("manufacturer", place).text.count("Could not be granted") == 2
    assert pages.post("manufacturer", f"{place}/check", sending(pages, place)).status_code == 422


def test_files_are_attached_as_what_they_are_and_an_application_taken_back(pages: Pages, world: World) -> None:
    application = pages.api.applied()
    place = f"/console/applications/{application}"
    form = {"csrf_token": csrf(pages), "fresh": "B" * 22}
    large = b"%PDF-1.7\n" + b"x" * (300 * 1024) + b"\n%%EOF\n"
    sent = pages.post(
        "manufacturer", f"{place}/files", {**form, "file": (BytesIO(large), "../<b>.pdf", "application/pdf")}
    )
    assert sent.status_code == 303
    renamed = {**form, "fresh": "C" * 22, "file": (BytesIO(b"MZ\x90\x00" * 99), "report.pdf", "application/pdf")}
    assert pages.post("manufacturer", f"{place}/files", renamed).status_code in {415, 422}
    assert pages.post("manufacturer", f"{place}/files", {**form, "fresh": "D" * 22}).status_code == 422
    assert pages.post("rival", f"{place}/files", {**form, "csrf_token": csrf(pages, "rival")}).status_code == 404
    huge = pages.browser("manufacturer").post(
        f"{place}/files",
        base_url=ORIGIN,
        data=b"x" * (LARGEST_FILE + FRAMING + 1),
        content_type="multipart/form-data; boundary=x",
    )
    assert huge.status_code == 413
    assert len(application_of(pages.desk, pages.actor("admin"), application).evidence) == 1
    world.clock.instant += timedelta(seconds=1)
    assert pages.post("manufacturer", f"{place}/taking-back", {**form, "fresh": "F" * 22}).status_code == 303
    assert "Cancelled" in pages.get("manufacturer", place).text

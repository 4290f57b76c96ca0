"""The form of an application (F2.18 to F2.20): its template, and how it becomes a request."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.cli.form_files import (
    Form,
    Member,
    Members,
    day,
    firmware,
    list_of,
    read_toml,
    request_file,
    require_sound,
    sha256_of,
    table_of,
    whole,
    words,
)
from core.approval import DEVICE_MEMBERS

TEMPLATE = '''\
# An application for a Trial Device Approval (Smart Energy Code, F2.18 to F2.20).
# Fill it in and send it:  trialcpa apply application.toml --evidence report.pdf

smets_version = "SMETS V1.58"       # as DUIS writes it; a communications hub has "CHTS V1.4"
gbcs_version = "4.2"
start = 2027-01-04                  # UTC days; both are part of the trial
expiry = 2027-06-30
maximum_devices = 500               # F2.21(d)
contact = "trials@example.com"      # notices go there
purpose = """
Why the trial is needed, where it takes place, who takes part.
"""
csr = "device.csr"                  # openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 \\
                                    #   -keyout device.key -out device.csr

[device]                            # exactly as the DCC's systems hold it; leading zeros matter
type = "ESME"                       # ESME, GSME, GPF, CHF, HCALCS, PPMID, IHD or CAD
manufacturer = "AB01"
model = "010A030B"
hardware_version = "01"

[[firmware]]                        # once for each version that the trial starts with
version = "0002012F"
image = "firmware-0002012F.bin"     # its SHA-256 is computed; or write image_sha256 = "…"

[[assurance]]                       # F2.19: every Assurance Certificate other than CPA, for this very model
scheme = "ZigBee"
certificate = "ZIG-0001"
manufacturer = "AB01"
model = "010A030B"
hardware_version = "01"
issued_on = 2026-05-04

[earlier_cpa]                       # F2.19: a CPA Certificate of the NCSC for another SMETS2+ Device Model of yours
certificate = "CPA-0001"
manufacturer = "AB01"
model = "010A0209"
hardware_version = "01"
issued_on = 2021-03-01
# expires_on = 2027-02-28           # if it says so; one that has expired still counts
'''

_DEVICE: Members = {name: Member(words, needed=True) for name in DEVICE_MEMBERS}
_CERTIFIED: Members = {
    "certificate": Member(words, needed=True),
    "manufacturer": Member(words, needed=True),
    "model": Member(words, needed=True),
    "hardware_version": Member(words),
    "issued_on": Member(day),
}
_MEMBERS: Members = {
    "device": Member(table_of(_DEVICE), needed=True),
    "smets_version": Member(words, needed=True),
    "gbcs_version": Member(words),
    "firmware": Member(list_of(firmware)),
    "start": Member(day, needed=True),
    "expiry": Member(day, needed=True),
    "maximum_devices": Member(whole, needed=True),
    "contact": Member(words),
    "purpose": Member(words, needed=True),
    "csr": Member(request_file, needed=True),
    "assurance": Member(list_of(table_of({"scheme": Member(words, needed=True), **_CERTIFIED}))),
    "earlier_cpa": Member(table_of({**_CERTIFIED, "issued_on": Member(day, needed=True), "expires_on": Member(day)})),
}


def application(path: Path, images: Sequence[tuple[str, Path]]) -> dict[str, Any]:
    """Return the request that a form makes.

    Args:
        path: of the form.
        images: firmware versions with their image files, beside or instead of those in the form.

    Raises:
        InputUnusable: with every problem at once.
    """
    return _request(path, images, _MEMBERS, complete=True)


def change(path: Path, images: Sequence[tuple[str, Path]]) -> dict[str, Any]:
    """Return the request that a form makes of which nothing is needed: what it names is changed."""
    optional = {name: Member(member.read, called=member.called) for name, member in _MEMBERS.items()}
    return _request(path, images, optional, complete=False)


def collected(
    draft: Path, before: Mapping[str, Any], form: Path | None, images: Sequence[tuple[str, Path]]
) -> dict[str, Any]:
    """Return a request that is not whole yet, with what a form and images add to it.

    Args:
        draft: the file in which it is kept, by which a problem is told where there is no form.
        before: the request so far.
        form: what it names takes the place of what was there; None for none.
        images: firmware versions with their image files.

    Raises:
        InputUnusable: with every problem at once.
    """
    named = {} if form is None else change(form, ())
    told = Form(draft if form is None else form)
    request = _with_images(told, {**before, **named}, images)
    require_sound(told)
    return request


def missing(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of what a request lacks before it can be sent."""
    needed = {member.called or name for name, member in _MEMBERS.items() if member.needed}
    return tuple(sorted((needed | {"firmware"}) - request.keys()))


def _request(path: Path, images: Sequence[tuple[str, Path]], members: Members, *, complete: bool) -> dict[str, Any]:
    form, raw = read_toml(path)
    request = form.table("", raw, members)
    request = _with_images(form, request, images)
    if complete and "firmware" not in raw and not images:
        form.wrong("firmware", "is missing: add [[firmware]], or --firmware VERSION=IMAGE.")
    require_sound(form)
    return request


def _with_images(form: Form, request: dict[str, Any], images: Sequence[tuple[str, Path]]) -> dict[str, Any]:
    named = [_image(form, version, image) for version, image in images]
    if not named:
        return request
    versions = {str(each["version"]).casefold() for each in named}
    kept = [each for each in request.get("firmware", []) if str(each.get("version")).casefold() not in versions]
    return {**request, "firmware": [*kept, *named]}


def _image(form: Form, version: str, image: Path) -> dict[str, str]:
    try:
        return {"version": version, "image_sha256": sha256_of(image)}
    except OSError as error:
        form.wrong(f"--firmware {version}", f"names {image}, which cannot be read ({error.strerror}).")
        return {"version": version, "image_sha256": ""}

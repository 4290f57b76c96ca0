"""Verify: one field that takes anything, answered with reasons, remedies and proof; and the page for everybody."""

import json
import re
from collections.abc import Mapping
from typing import Any

from flask import Flask, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from console.guard import actor
from console.service import Console
from console.shown import remedy, sentence
from core.approval import DEVICE_TYPES
from core.days import read_moment
from core.errors import BodyMalformed, IdentifierMalformed, TrialCpaError
from core.identifiers import ApprovalIdentifier
from core.instants import parse, text
from core.plain_text import trimmed
from ra.auditing.anybody import authority_shown
from ra.doors import admit

LONGEST = 64 * 1024
"""Characters of a question: the largest certificate that anybody sends by mistake."""

_SERIAL = re.compile(r"(0[xX])?([ :]*[0-9A-Fa-f]){28,32}[ :]*")
_IDENTIFIER = re.compile(r"TD[AT]-?[0-9]\S*", re.IGNORECASE)
"""What can only be meant as an approval's identifier, though a character of it is wrong."""

_UNIT = re.compile(r"[0-9A-Fa-f]{2}(-?[0-9A-Fa-f]{2}){7}")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]{200,}")
_INSTANTS = ("as_of", "fresh_until", "not_before", "not_after")


def question(said: str) -> dict[str, Any]:
    """Return the question of /v1/verify that somebody means by what they have typed or pasted.

    Raises:
        BodyMalformed: nothing that can be asked about, and what can.
        IdentifierMalformed: an approval's identifier with a character that is wrong.
    """
    whole = trimmed(said)
    words = [
        each for each in map(trimmed, re.split(r"[,;\t]" if re.search(r"[,;\t]", whole) else r"\s+", whole)) if each
    ]
    units = [each for each in words if _UNIT.fullmatch(each)] if len(words) > 1 else []
    rest = " ".join(each for each in words if each not in units[:1])
    unit = {"device_id": units[0]} if units else {}
    if "-----BEGIN" in whole or _BASE64.fullmatch(whole):
        return {"certificate": whole}
    try:
        return {"approval": str(ApprovalIdentifier.parse(rest)), **unit}
    except IdentifierMalformed:
        if _IDENTIFIER.fullmatch(rest):
            raise
    if _UNIT.fullmatch(whole):
        raise BodyMalformed(
            detail="that is a unit’s EUI-64; write the approval or the Device Model under which it is to be installed "
            "beside it"
        )
    if _SERIAL.fullmatch(rest):
        return {"serial": rest, **unit}
    return {"device": _device([each for each in words if each not in units[:1]]), **unit}


def _device(words: list[str]) -> dict[str, str]:
    kind = {"type": words.pop(0).upper()} if words and words[0].upper() in DEVICE_TYPES else {}
    names = {2: ("manufacturer", "model"), 3: ("manufacturer", "model", "firmware_version")}
    named = names.get(len(words), ("manufacturer", "model", "hardware_version", "firmware_version"))
    if len(words) != len(named):
        raise BodyMalformed(
            detail="it is no identifier, serial number or certificate; of a device write type, manufacturer, model, "
            "hardware version and firmware version, with blanks between them, or with commas where a name has blanks"
        )
    return {**kind, **dict(zip(named, words, strict=True))}


def add_verifying(app: Flask, console: Console) -> None:
    """Add the pages to the application."""

    @app.route("/console/verify", methods=["GET", "POST"])
    def verify() -> str | tuple[str, int]:
        """Ask whether something is covered, now or at a past instant; a certificate is posted, for it is long."""
        admit(actor(), "verify")
        asked = request.form if request.method == "POST" else request.args
        said, at = asked.get("q", "")[:LONGEST], trimmed(asked.get("at", ""))[:100]
        shown: dict[str, Any] = {"said": said, "at": at, "found": None, "error": None}
        if not said.strip():
            return render_template("verify.html", **shown)
        try:
            moment = text(read_moment(at, field="When", now=console.desk.clock.now())) if at else ""
            found = console.verify(json.dumps({**question(said), **({"at": moment} if at else {})}).encode())
        except TrialCpaError as error:
            return render_template("verify.html", **{**shown, "error": error}), 422
        return render_template("verify.html", **{**shown, "found": _read(found)})

    @app.get("/")
    def everybody() -> str:
        """Say what this authority is, how to check an approval, and how to do so without trusting us."""
        return render_template("everybody.html", it=authority_shown(console.desk), agreement=console.agreement())

    @app.get("/console/check")
    def check() -> Response:
        """Lead whoever types an identifier to its public page."""
        try:
            found = ApprovalIdentifier.parse(request.args.get("approval", "")[:100])
        except TrialCpaError as error:
            flash(f"{sentence(error)} {remedy(error)}")
            return redirect(url_for("everybody"))
        return redirect(f"/approvals/{found}")


def verified(console: Console, approval: str) -> dict[str, Any] | None:
    """Return what verification says of an approval now; None where it does not answer."""
    try:
        return _read(console.verify(json.dumps({"approval": approval}).encode()))
    except TrialCpaError:
        return None


def _read(found: Mapping[str, Any]) -> dict[str, Any]:
    """An answer with its instants as instants."""
    return {name: parse(value) if name in _INSTANTS and value else value for name, value in found.items()}
